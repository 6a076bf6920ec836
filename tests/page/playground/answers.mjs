// Asks the module of a built site what a file of requests says, and holds each answer against the digest of the native one.
//   node answers.mjs SITE FOLDER        reads FOLDER/requests; writes FOLDER/answer and FOLDER/which where one differs
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { simulator } from "../../../site/page/simulator.mjs";

const [site, folder] = process.argv.slice(2);
const { askText } = await simulator(new WebAssembly.Module(readFileSync(join(site, "rmqplay.wasm"))));
const requests = readFileSync(join(folder, "requests"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const began = performance.now();
let [bytes, differing] = [0, 0];
requests.forEach(({ what, request, digest }, which) => {
  const answer = askText(what, request);
  bytes += answer.length;
  if (createHash("sha256").update(answer).digest("hex") === digest) return;
  differing += 1;
  console.log(`${what} ${request.play} differs`);
  if (differing > 1) return;
  writeFileSync(join(folder, "answer"), answer);
  writeFileSync(join(folder, "which"), String(which));
});
const told = `${Math.round(bytes / 1e6)} MB, ${Math.round((performance.now() - began) / 1000)} s`;
console.log(differing ? `${differing} of ${requests.length} answers differ (${told})` : `${requests.length} answers are the same (${told})`);
process.exit(differing ? 1 : 0);
