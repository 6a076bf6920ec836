// Work as a link: all of it stands behind the `#`, compressed, so that no server sees it. `1` is the version of the format; the
// number behind it is how many letters follow, so that a link that was cut short is known as one.
const FORMAT = "1";

// Longer links are cut by some programs that send them.
export const LINK_LONG = 8000;

const throughStream = async (bytes, stream) => new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());

export async function linkOf(work) {
  const { files, play, profile, other } = work;
  const packed = await throughStream(new TextEncoder().encode(JSON.stringify({ files, play, profile, other })), new CompressionStream("deflate"));
  let letters = "";
  for (const byte of packed) letters += String.fromCharCode(byte);
  letters = btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return `#play=${FORMAT}.${letters.length}.${letters}`;
}

export function isLink(hash) {
  return hash.startsWith("#play=");
}

// Reads a link; throws an error that says what is wrong with it.
export async function workOf(hash) {
  const [, format, length, letters] = /^#play=([^.]*)(?:\.([^.]*)(?:\.(.*))?)?$/s.exec(hash) ?? [];
  const cut = (told) => new Error(`The link is cut short: ${told}. Ask for the whole link.`);
  if (format === "") throw cut("nothing of it arrived");
  if (format !== FORMAT) throw new Error(`The link is of another version of this page (${format}; this page reads ${FORMAT}).`);
  if (!letters || !/^[0-9]+$/.test(length)) throw cut("nothing of the files arrived");
  if (letters.length < Number(length)) throw cut(`${letters.length} of its ${length} letters arrived`);
  const damaged = new Error("The link is damaged: some of its letters are not those that were sent. Ask for it again.");
  // Letters behind its end belong to the text that it stood in.
  const own = letters.slice(0, Number(length)).replaceAll("-", "+").replaceAll("_", "/");
  try {
    const packed = Uint8Array.from(atob(own), (letter) => letter.charCodeAt(0));
    const work = JSON.parse(new TextDecoder().decode(await throughStream(packed, new DecompressionStream("deflate"))));
    const texts = Object.values(work.files ?? {});
    if (!texts.length || !texts.every((text) => typeof text === "string") || typeof work.files[work.play] !== "string") throw damaged;
    return work;
  } catch {
    throw damaged;
  }
}
