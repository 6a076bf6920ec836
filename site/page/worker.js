// A simulator beside the page, so that the page never waits. The first message is the compiled module, others are requests.
import { simulator } from "./simulator.mjs";

let ready = null;

self.addEventListener("message", async ({ data }) => {
  if (data.module) {
    ready = simulator(data.module);
    return;
  }
  const { id, what, request } = data;
  try {
    const { ask } = await ready;
    self.postMessage({ id, answer: ask(what, request) });
  } catch (error) {
    // A module that trapped answers nothing more.
    self.postMessage({ id, failed: String(error?.message ?? error) });
  }
});
