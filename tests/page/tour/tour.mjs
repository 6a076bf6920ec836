// Uses every control of a page by mouse and keys: `node tour.mjs PAGE PROFILE_FOLDER`. The page is that of orders.yaml and
// wrong.yaml on one broker. Ends with 1 at what does not hold, an error on the page, or a request to elsewhere.
import assert from "node:assert";
import { launch, openPage } from "./browser.mjs";

const browser = launch(process.argv[3]);
let checks = 0;

function holds(what, condition) {
  assert.ok(condition, what);
  checks += 1;
}

// Types into a field that filters, as one change.
const fill = (selector, text) => `(() => {
  const field = document.querySelector(${JSON.stringify(selector)});
  field.value = ${JSON.stringify(text)};
  field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input"));
})()`;

async function tour(page) {
  const { ask, press, click, clickAt, wheel, placeOf, rest } = page;
  const text = (selector) => ask(`document.querySelector(${JSON.stringify(selector)}).textContent`);
  const count = (selector) => ask(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
  const focus = (selector) => ask(`document.querySelector(${JSON.stringify(selector)}).focus()`);
  const focused = () => ask("document.activeElement.id");
  const address = () => ask("location.hash");

  for (const tab of ["scenario", "diagram", "messages", "topology", "outcome", "table"]) {
    await click(`#tab-${tab}`);
    holds(`${tab} is chosen`, (await ask(`document.querySelector("#tab-${tab}").getAttribute("aria-selected")`)) === "true");
    holds(`${tab} shows something`, (await text("#panel")).length > 10);
    holds(`${tab} is in the address`, (await address()).includes(tab));
  }
  await focus("#tab-table");
  await press("ArrowRight");
  holds("arrows go round the tabs", (await focused()) === "tab-scenario");
  await press("End");
  holds("End goes to the last tab", (await focused()) === "tab-table");

  for (const scheme of ["light", "dark", "light dark"]) {
    await click("#theme");
    holds(`the theme is ${scheme}`, (await ask("document.documentElement.style.colorScheme")) === scheme);
  }

  await ask("document.activeElement.blur()");
  await press("/");
  holds("/ goes to the filter", (await focused()) === "filter");
  for (const letter of "wrong") await press(letter);
  holds("the filter leaves one cell", (await count(".overview tbody tr")) === 1);
  await ask(fill("#filter", ""));
  await click(".chip.failed");
  holds("a chip leaves one cell", (await count(".overview tbody tr")) === 1);
  await click(".chip.failed");
  holds("and gives them back", (await count(".overview tbody tr")) === 2);
  await click("button.verdict[data-report='0']");
  await ask("document.activeElement.blur()");
  await press("n");
  holds("n goes to the next cell", (await address()).startsWith("#cell=1&"));
  await press("p");
  holds("p goes back", (await address()).startsWith("#cell=0&"));

  await click("#tab-diagram");
  const span = () => text(".diagram .bar .dim");
  const all = await span();
  await click("[aria-label='zoom in']");
  const near = await span();
  holds("a button zooms in", near !== all);
  await click("[aria-label='zoom out']");
  holds("a button zooms out", (await span()) !== near);
  await click("[aria-label='show all']");
  holds("a button shows all", (await span()) === all);
  await click("[aria-label='to the right']");
  await click("[aria-label='to the left']");
  await focus("canvas[role]");
  await press("+");
  holds("+ zooms in", (await span()) !== all);
  await press("0");
  holds("0 shows all", (await span()) === all);
  await press("ArrowDown");
  holds("an arrow chooses a message", (await text(".story h3")).startsWith("poison"));
  const said = await text(".said");
  await press("j");
  await press("j");
  holds("j goes through what happened to it", (await text(".said")) !== said);
  await press("Escape");
  await wheel("canvas[role]", -300);
  holds("the wheel zooms", (await span()) !== all);
  await press("0");
  const canvas = await placeOf("canvas[role]");
  let hit = false;
  for (let y = canvas.top + 40; y < canvas.top + canvas.height - 5 && !hit; y += 6) {
    for (let x = canvas.left + 172; x < canvas.left + 200 && !hit; x += 4) {
      await clickAt(x, y);
      hit = await ask("!!document.querySelector('.story h3')");
    }
  }
  holds("a click on a line chooses its message", hit);
  await ask(fill(".diagram select", "order"));
  await rest();
  holds("by order no time is told", (await span()) === "");

  await click("#tab-messages");
  await click("tr[data-message='1'] button");
  holds("a message has its story", (await text(".story h3")).startsWith("shy"));
  await ask(fill(".listed input", "fine"));
  holds("messages are filtered", (await count(".messages tbody tr")) === 8);
  await click("#tab-table");
  await ask(fill("#panel input", "TTL-2"));
  holds("the table is filtered by rule", (await count(".all tbody tr")) === 2);
  await click(".again button");
  holds("the command is copied", ["Copied", "Marked"].includes(await text(".again button")));
  const named = "[...document.querySelectorAll('button,input,select,canvas[role]')].every((one) => one.textContent.trim() || one.getAttribute('aria-label'))";
  holds("every control has a name", await ask(named));
}

let code = 1;
try {
  const page = await openPage(browser, `file://${process.argv[2]}`);
  await tour(page);
  for (const [width, dark] of [[1280, true], [390, false], [390, true]]) {
    const other = await openPage(browser, `file://${process.argv[2]}#cell=0&tab=scenario`, { width, dark });
    holds(`nothing stands over the edge at ${width}`, (await other.ask("document.documentElement.scrollWidth - innerWidth")) <= 0);
    page.errors.push(...other.errors);
    page.requests.push(...other.requests);
  }
  const elsewhere = page.requests.filter((url) => !/^(file|about|data):/.test(url));
  assert.deepStrictEqual(page.errors, []);
  assert.deepStrictEqual(elsewhere, []);
  console.log(`${checks} checks hold`);
  code = 0;
} catch (error) {
  console.log(`${error.message}, after ${checks} checks that hold`);
} finally {
  browser.end();
}
process.exit(code);
