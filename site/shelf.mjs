// Writes what the playground is served beside its page: the shelf of examples, and the style of graphs.
//   node site/shelf.mjs FOLDER        the folder that site/build writes, with the module in it
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { simulator } from "./page/simulator.mjs";

const folder = process.argv[2];
const { ask } = await simulator(new WebAssembly.Module(readFileSync(join(folder, "rmqplay.wasm"))));

function below(place, ending) {
  return readdirSync(place, { withFileTypes: true }).sort((one, other) => (one.name < other.name ? -1 : 1)).flatMap((entry) => {
    const path = join(place, entry.name);
    if (entry.isDirectory()) return entry.name === "snapshots" ? [] : below(path, ending);
    return entry.name.startsWith(".") || !ending.test(entry.name) ? [] : [path];
  });
}

// Files that bodies are read from are texts here, or the example is left out.
const texts = [...below("topologies", /\.(ya?ml|json)$/), ...below("scenarios", /\.(ya?ml|json|txt)$/)];
const files = Object.fromEntries(texts.map((path) => [path, readFileSync(path, "utf8")]));
const examples = [];
for (const path of Object.keys(files).filter((path) => path.startsWith("scenarios/") && /\.ya?ml$/.test(path))) {
  const { reads, title, error } = ask("read", { files, play: path });
  if (error || reads.length === 0) throw new Error(`${path}: ${error ?? "it cannot be read"}`);
  examples.push({ path, title, reads });
}
const used = new Set(examples.flatMap((example) => example.reads));
const shelf = { files: Object.fromEntries(Object.entries(files).filter(([path]) => used.has(path))), examples };
writeFileSync(join(folder, "shelf.json"), JSON.stringify(shelf));
writeFileSync(join(folder, "page", "graph.css"), ask("about").style);
console.error(`${examples.length} examples with ${used.size} files`);
