// Tells how large the files of a folder are: as they are, and compressed by gzip -9 and by brotli.
//   node site/sizes.mjs FOLDER BYTES-MAX
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [folder, most] = [process.argv[2], Number(process.argv[3])];
const total = [0, 0, 0];
const row = (sizes, name) => console.error(`${sizes.map((size) => String(size).padStart(9)).join(" ")}  ${name}`);
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: bytes.length > 8e6 ? 5 : 11, [constants.BROTLI_PARAM_LGWIN]: 24 } });
  const sizes = [bytes.length, gzipSync(bytes, { level: 9 }).length, brotli.length];
  sizes.forEach((size, at) => (total[at] += size));
  if (bytes.length > 20_000) row(sizes, path);
}
row(total, "bytes in all; by gzip -9; by brotli");
if (total[2] > most) console.error(`the site is meant to be at most ${most} bytes by brotli`);
