// Uses the playground by mouse and keys, as somebody would who tries it for the first time.
//   node playground.mjs SITE PROFILE-FOLDER [SHOTS-FOLDER]
import assert from "node:assert";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { launch, openPage } from "./browser.mjs";

const [site, profile, shots] = process.argv.slice(2);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };
const server = createServer((request, response) => {
  const path = join(site, normalize(new URL(request.url, "http://here").pathname).replace(/\/$/, "/index.html"));
  if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain" });
  return createReadStream(path).pipe(response);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}/`;

let checks = 0;
function holds(what, is) {
  assert.ok(is, what);
  checks += 1;
}

// How long something may take that is waited for.
const PATIENCE_MS = 20_000;

async function until(page, what, expression) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await page.ask(`Boolean(${expression})`))) {
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}; it says: ${await page.ask("document.querySelector('#state').textContent")}`);
    await page.rest(50);
  }
  checks += 1;
}

const state = "document.querySelector('#state').textContent";
const text = (selector) => `(document.querySelector(${JSON.stringify(selector)})?.textContent ?? "")`;
const value = "(document.querySelector('#text')?.value ?? '')";

// Puts the cursor behind a text, and writes there as keys do.
const cursorBehind = (words) => `(() => { const field = document.querySelector("#text"); field.focus(); const at = field.value.indexOf(${JSON.stringify(words)}) + ${words.length}; field.setSelectionRange(at, at); })()`;
const written = (words) => `document.execCommand("insertText", false, ${JSON.stringify(words)})`;
const choose = (selector, option) => `(() => { const field = document.querySelector(${JSON.stringify(selector)}); field.value = ${JSON.stringify(option)}; field.dispatchEvent(new Event("change")); })()`;

async function tour(page) {
  const { ask, click, press } = page;
  await until(page, "an example is played at first", `${state}.startsWith("Played in")`);
  holds("the example passes on the newest version", (await ask(text("#summary"))).includes("sim 4.3"));
  holds("seven versions are offered", (await ask("document.querySelector('#profile').options.length")) === 7);
  holds("the library is on the shelf", (await ask("document.querySelector('#shelf').options.length")) > 50);
  holds("a picture of the run is there", await ask("Boolean(document.querySelector('#detail canvas, #detail svg'))"));

  await ask(choose("#shelf", "empty"));
  await until(page, "another example is played", `${state}.startsWith("Played in") && ${value}.includes("what is published is worked on")`);

  // An error stands at its line, and says what is meant.
  await ask(cursorBehind("routing_key"));
  await ask(written("y"));
  await until(page, "an error is found", `document.querySelector(".gutter .error")`);
  holds("it is at its line", (await ask(text(".gutter .error"))).trim() === "10");
  holds("it says what is meant", (await ask(text("#problems"))).includes("did you mean `routing_key`?"));
  await click("#run");
  await until(page, "nothing is played then", `${state}.startsWith("Not played: 1 error")`);
  holds("what was played before is still shown", await ask("Boolean(document.querySelector('#detail h2'))"));
  await ask("document.querySelector('#text').setSelectionRange(0, 0); document.querySelector('#text').focus()");
  await press("F8");
  holds("a key goes to the error", (await ask(`${value}.slice(document.querySelector('#text').selectionStart).startsWith("routing_keyy")`)));
  await click("#problems .dim button");
  await until(page, "its code is explained", "document.querySelector('dialog').open");
  await press("Escape");
  holds("a key closes that", !(await ask("document.querySelector('dialog').open")));
  await ask("document.querySelector('#text').focus(); document.execCommand('undo')");
  await until(page, "undo takes it back", `!document.querySelector(".gutter .error")`);

  // What can be written is offered, and taken by keys.
  await ask(cursorBehind("on_message: [{do: ack}]"));
  await press("Enter");
  holds("a new line stands below the one before", (await ask(`${value}.includes("ack}]\\n    \\n")`)));
  for (const letter of "pref") await press(letter);
  await until(page, "keys are offered", `document.querySelector("#candidates [role=option]")`);
  holds("the nearest comes first", (await ask(text("#candidates [aria-selected=true]"))).startsWith("prefetch"));
  holds("the text names what is chosen", (await ask("document.querySelector('#text').getAttribute('aria-activedescendant')")) === "candidate-0");
  await press("ArrowDown");
  await press("ArrowUp");
  await press("Enter");
  holds("a key takes it", await ask(`${value}.includes("    prefetch: \\n")`));
  await press("1");
  await ask(cursorBehind("expect: {consumer: "));
  await ask("document.execCommand('delete'); document.execCommand('insertText', false, ' ')");
  await press("w");
  await until(page, "a name of the files is offered", `${text("#candidates")}.includes("worker")`);
  await press("Escape");
  holds("a key closes the list", await ask("document.querySelector('.popup').hidden"));
  await ask("document.execCommand('delete')");

  // Ctrl+Enter runs; another version, and two of them.
  await ask("document.querySelector('#text').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true }))");
  await until(page, "it is played again", `${state}.startsWith("Played in") && ${text("#summary")}.includes("sim 4.3")`);
  await ask(choose("#profile", "3.10"));
  await until(page, "it is played on another version", `${state}.startsWith("Played in") && ${text("#summary")}.includes("sim 3.10")`);
  await ask(choose("#other", "3.10"));
  await until(page, "a version is not compared with itself", `${state}.startsWith("Choose another version") || ${state}.startsWith("Played in")`);

  await ask(choose("#shelf", "scenarios/poison-dlq.yaml"));
  await ask(choose("#profile", "4.3"));
  await ask(choose("#other", "3.12"));
  await click("#compare");
  await until(page, "two versions are compared", `${text("#comparison h2")}.includes("3.12 and 4.3")`);
  holds("both are in the table", (await ask(text("#overview thead"))).includes("sim 3.12"));
  if (await ask("Boolean(document.querySelector('#comparison pre button'))")) {
    await click("#comparison pre button");
    await until(page, "the rule behind it is explained", "document.querySelector('dialog').open");
    await press("Escape");
  }

  // What takes long can be stopped, and is no harm to what is shown.
  await ask(choose("#shelf", "empty"));
  await until(page, "another example is played", `${state}.startsWith("Played in") && ${value}.includes("what is published is worked on")`);
  await ask(cursorBehind("id: job, "));
  await ask(written("count: 1000000, "));
  await click("#run");
  await until(page, "it plays, and the page does not wait", `!document.querySelector("#stop").hidden && ${state}.startsWith("Playing")`);
  await click("#stop");
  await until(page, "it is stopped", `${state}.startsWith("Stopped.") && document.querySelector("#stop").hidden`);
  holds("what was played before is shown", await ask("Boolean(document.querySelector('#detail h2'))"));
  await ask(choose("#shelf", "scenarios/poison-dlq.yaml"));
  await until(page, "the next one is played", `${state}.startsWith("Played in") && ${text("#detail h2")}.includes("poison-dlq")`);

  // Shared, and opened again; cut short, damaged, and of another version.
  await ask(cursorBehind("scenario: "));
  await ask(written("shared "));
  await ask("document.querySelector('#share').click()");
  await until(page, "there is a link", `document.querySelector("#link input")`);
  return ask("document.querySelector('#link input').value");
}

async function openShared(browser, link, shared) {
  const page = await openPage(browser, link);
  await until(page, "a link is opened", `${value}.includes("scenario: shared ")`);
  holds("with its versions", (await page.ask("document.querySelector('#other').value")) === "3.12");
  await page.ask(cursorBehind("shared "));
  await page.ask(written("and mine "));
  const cut = link.slice(0, link.length - 40);
  await page.ask(`location.hash = ${JSON.stringify(new URL(cut).hash)}`);
  await until(page, "a link that is cut short is told", `${text("#banner")}.includes("The link is cut short: ")`);
  holds("and nothing is lost", await page.ask(`${value}.includes("shared and mine ")`));
  for (const [hash, told] of [["#play=1", "cut short"], ["#play=2.4.abcd", "another version of this page (2"], ["#play=1.4.abcd", "damaged"]]) {
    await page.ask(`location.hash = ${JSON.stringify(hash)}`);
    await until(page, `${hash} is told`, `${text("#banner")}.includes(${JSON.stringify(told)})`);
  }
  // A fresh page with a bad link begins with what was written last.
  const fresh = await openPage(browser, cut);
  await until(fresh, "a fresh page tells it, too", `${text("#banner")}.includes("What you wrote is still here.")`);
  holds("and has what was written last", await fresh.ask(`${value}.includes("shared and mine ")`));
  shared.push(page, fresh);
}

const browser = launch(profile);
let code = 1;
try {
  const page = await openPage(browser, origin);
  const opened = [page];
  const link = await tour(page);
  await openShared(browser, link, opened);
  for (const [width, dark] of [[1280, false], [1280, true], [390, false], [390, true]]) {
    const other = await openPage(browser, `${origin}#again`, { width, dark, height: width < 500 ? 844 : 900 });
    await until(other, `it is played at ${width}`, `${state}.startsWith("Played in")`);
    holds(`nothing stands over the edge at ${width}`, (await other.ask("document.documentElement.scrollWidth")) <= width);
    if (shots) await other.shot(join(shots, `${width}-${dark ? "dark" : "light"}.png`), width < 500);
    opened.push(other);
  }
  const named = "[...document.querySelectorAll('button,input,select,textarea,canvas[role]')].every((one) => one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length)";
  holds("every control has a name", await page.ask(named));
  assert.deepStrictEqual(opened.flatMap(({ errors }) => errors), []);
  assert.deepStrictEqual(opened.flatMap(({ requests }) => requests).filter((url) => !url.startsWith(origin) && !/^(data|about|blob):/.test(url)), []);
  console.log(`${checks} checks hold`);
  code = 0;
} catch (error) {
  console.log(`${error.message}, after ${checks} checks that hold`);
} finally {
  browser.end();
  server.close();
}
process.exit(code);
