// Drives a chromium without a window over its debugging pipe: Node alone, no packages.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-default-apps"];

const KEY_CODES = { " ": 32, Enter: 13, Escape: 27, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40, Home: 36, End: 35 };

// Starts a browser whose profile is in a folder.
export function launch(folder) {
  const child = spawn("chromium", [...FLAGS, `--user-data-dir=${folder}`, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const [waiting, listeners] = [new Map(), []];
  let [last, text] = [0, ""];
  const take = (message) => {
    if (!message.id) return listeners.forEach((listener) => listener(message));
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    return message.error ? reject(new Error(message.error.message)) : resolve(message.result);
  };
  child.stdio[4].on("data", (part) => {
    text += part;
    const messages = text.split("\0");
    text = messages.pop();
    messages.map(JSON.parse).forEach(take);
  });
  const send = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    last += 1;
    waiting.set(last, { resolve, reject });
    child.stdio[3].write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
  });
  return { send, listen: (listener) => listeners.push(listener), end: () => child.kill() };
}

// Opens a page, and returns what can be done with it; errors and requests are collected.
export async function openPage(browser, url, { width = 1280, height = 900, dark = false } = {}) {
  const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => browser.send(method, params, sessionId);
  const [errors, requests] = [[], []];
  let loaded;
  const load = new Promise((resolve) => (loaded = resolve));
  browser.listen(({ sessionId: of, method, params }) => {
    if (of !== sessionId) return;
    if (method === "Runtime.exceptionThrown") errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Log.entryAdded") errors.push(params.entry.text);
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    if (method === "Page.loadEventFired") loaded();
  });
  for (const domain of ["Runtime", "Log", "Network", "Page"]) await send(`${domain}.enable`);
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
  await send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  await send("Page.navigate", { url });
  await load;
  const rest = (ms = 100) => new Promise((resolve) => setTimeout(resolve, ms));
  await rest(200);

  const ask = async (expression) => {
    const answer = await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(`${expression}: ${answer.exceptionDetails.exception?.description}`);
    return answer.result.value;
  };
  const press = async (key) => {
    const text = key === "Enter" ? "\r" : key.length === 1 ? key : undefined;
    const code = { key, code: key, windowsVirtualKeyCode: KEY_CODES[key] ?? key.charCodeAt(0) };
    await send("Input.dispatchKeyEvent", { type: "keyDown", ...code, text });
    await send("Input.dispatchKeyEvent", { type: "keyUp", ...code });
    await rest();
  };
  const clickAt = async (x, y) => {
    for (const type of ["mousePressed", "mouseReleased"]) await send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  };
  const placeOf = (selector) => ask(`(() => {
    const place = document.querySelector(${JSON.stringify(selector)});
    place.scrollIntoView({ block: "center" });
    const { left, top, width, height } = place.getBoundingClientRect();
    return { left, top, width, height };
  })()`);
  const click = async (selector) => {
    const { left, top, width, height } = await placeOf(selector);
    await clickAt(left + width / 2, top + height / 2);
    await rest();
  };
  const wheel = async (selector, deltaY) => {
    const { left, top, width, height } = await placeOf(selector);
    await send("Input.dispatchMouseEvent", { type: "mouseWheel", x: left + width / 2, y: top + height / 2, deltaX: 0, deltaY, modifiers: 2 });
    await rest();
  };
  const close = () => browser.send("Target.closeTarget", { targetId });
  const shot = async (file, whole = false) => {
    const { data } = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: whole });
    writeFileSync(file, Buffer.from(data, "base64"));
  };
  return { ask, press, click, clickAt, wheel, placeOf, rest, close, shot, errors, requests };
}
