// Simulators in workers: one that plays, which can be stopped, and one that helps with the text meanwhile.

export const STOPPED = "stopped";

// Compiles the module, as it comes where the server names its type.
export async function compiled(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  if (/^application\/wasm/.test(response.headers.get("content-type") ?? "")) return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

export class SimulatorWorker {
  constructor(module) {
    this.module = module;
    this.last = 0;
    this.begin();
  }

  begin() {
    this.waiting = new Map();
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data }) => this.take(data));
    this.worker.addEventListener("error", (event) => this.restart(event.message || "the simulator could not be started"));
    this.worker.postMessage({ module: this.module });
  }

  take({ id, answer, failed }) {
    const waits = this.waiting.get(id);
    this.waiting.delete(id);
    if (failed !== undefined) {
      waits?.reject(new Error(failed));
      this.restart(failed);
    } else if (answer.error) waits?.reject(new Error(answer.error));
    else waits?.resolve(answer);
  }

  ask(what, request) {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, what, request });
    });
  }

  restartIfBusy() {
    if (this.waiting.size) this.restart();
  }

  // Ends what is under way, and goes on with a fresh one.
  restart(why = STOPPED) {
    this.worker.terminate();
    const { waiting } = this;
    this.begin();
    for (const { reject } of waiting.values()) reject(new Error(why));
  }
}
