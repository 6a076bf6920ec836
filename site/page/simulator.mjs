// The simulator as a WebAssembly module: a word and a request in, an answer out, both as JSON.

// A module has 4 GiB at most; one that has nearly as much asked for more.
const BYTES_MAX = 3 * 2 ** 30;

function whyTrapped(trap, memory) {
  if (/stack|recursion/i.test(String(trap?.message ?? trap))) return "the files are nested too deeply";
  return memory.buffer.byteLength > BYTES_MAX ? "the run needs more memory than a browser gives it" : null;
}

// Takes a compiled module; `ask` throws where the module traps, with what it said last, and is of no use then.
export async function simulator(module) {
  const instance = await WebAssembly.instantiate(module, {});
  const { memory, rmqplay_input: input, rmqplay_answer: answer, rmqplay_output: output, rmqplay_output_length: length } = instance.exports;
  const said = () => new TextDecoder().decode(new Uint8Array(memory.buffer, output(), length()));
  // The answer as text.
  const askText = (what, request) => {
    const words = new TextEncoder().encode(`${what}\n${JSON.stringify(request ?? {})}`);
    const at = input(words.length);
    new Uint8Array(memory.buffer, at, words.length).set(words);
    try {
      answer();
    } catch (trap) {
      throw new Error(whyTrapped(trap, memory) ?? (said() || String(trap?.message ?? trap)));
    }
    return said();
  };
  return { askText, ask: (what, request) => JSON.parse(askText(what, request)) };
}
