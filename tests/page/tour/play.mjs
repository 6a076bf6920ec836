// Uses every control of the page of `rmqplay play` by mouse and keys: `node play.mjs URL PROFILE_FOLDER SCENARIO`. The run is
// that of scenarios/quest/game.yaml with its two parts; SCENARIO is its file, which is changed while it plays. Ends with 1 at what
// does not hold, an error on the page, or a request to elsewhere.
import assert from "node:assert";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { launch, openPage } from "./browser.mjs";

const [, , url, profile, scenario] = process.argv;
const browser = launch(profile);
let checks = 0;

function holds(what, condition) {
  assert.ok(condition, what);
  checks += 1;
}

async function tour(page, isNarrow) {
  const { ask, press, click, rest } = page;
  const quoted = JSON.stringify;
  const text = (selector) => ask(`document.querySelector(${quoted(selector)})?.textContent ?? ""`);
  const count = (selector) => ask(`document.querySelectorAll(${quoted(selector)}).length`);
  const value = (selector) => ask(`document.querySelector(${quoted(selector)}).value`);
  const focus = (selector) => ask(`document.querySelector(${quoted(selector)}).focus()`);
  const blur = () => ask("document.activeElement.blur()");
  const open = (selector) => ask(`document.querySelector(${quoted(selector)}).closest("details").open = true`);
  const set = (selector, to) => ask(`(() => {
    const field = document.querySelector(${quoted(selector)});
    field.value = ${quoted(to)};
    field.dispatchEvent(new Event("change"));
  })()`);
  // News comes ten times a second.
  const comes = async (what, condition) => {
    for (let tries = 0; tries < 60; tries += 1) {
      if (await condition()) return holds(what, true);
      await rest(50);
    }
    holds(`${what}: ${await text("#where")} | ${await text(".log")}`, false);
  };
  const ready = (queue) => text(`tr[data-queue="${queue}"] [data-count=ready]`).then(Number);
  const unacked = (queue) => text(`tr[data-queue="${queue}"] [data-count=unacked]`).then(Number);
  const actor = (name) => text(`tr[data-actor="${name}"] .state`);
  const act = (name, what) => `tr[data-actor="${name}"] [data-do=${what}]`;

  await comes("the page shows the run", async () => (await count("tr[data-queue]")) >= 2);
  await click("#restart");
  await comes("the run is held at its beginning", async () => (await text("#clock")) === "0s" && (await text("#where")).startsWith("held"));
  await comes("only what the scenario has is there", async () => (await count("tr[data-actor]")) === 2);

  await click("#tab-topology");
  holds("the topology is drawn", (await count("#panel svg g.node")) === 3);
  await click("#step");
  await comes("a step brings an event", async () => (await ready("quests.alice")) + (await unacked("quests.alice")) > 0 || (await text("#where")).includes("line"));
  await click("#tab-table");
  await comes("and only one or two", async () => (await count("#panel tbody tr")) > 0);
  const before = await count("#panel tbody tr");
  await blur();
  await press("s");
  await comes("s is a step, too", async () => (await count("#panel tbody tr")) > before);
  await click("#next");
  await comes("the next moment comes", async () => (await text("#clock")) !== "0s");
  await blur();
  const moment = await text("#clock");
  await press("m");
  await comes("m is the next moment, too", async () => (await text("#clock")) !== moment);

  await set("#speed", "10");
  await comes("the speed is changed", async () => (await value("#speed")) === "10");
  await blur();
  await press("]");
  await comes("] is faster", async () => (await value("#speed")) === "100");
  await press("[");
  await press("[");
  await comes("[ is slower", async () => (await value("#speed")) === "1");

  await set("#until", "nonsense");
  await click("#go");
  await comes("a time that is none is said", async () => (await ask(`document.querySelector("#until").getAttribute("aria-invalid")`)) === "true");
  await set("#until", "2s");
  await focus("#until");
  await press("Enter");
  await comes("it goes until a moment", async () => (await text("#clock")) === "2s" && (await text("#run")) === "Run");
  await blur();
  await press(" ");
  await comes("Space runs", async () => (await text("#run")) === "Hold");
  await comes("time goes by", async () => (await text("#clock")) !== "2s");
  await press(" ");
  await comes("Space holds", async () => (await text("#run")) === "Run");

  await click("#tab-diagram");
  await comes("the diagram is there", async () => (await count("#panel canvas[role]")) === 1);
  await focus("#panel canvas[role]");
  await press("ArrowDown");
  holds("a message is chosen by key", (await text("#panel .story")).includes("opening"));

  await comes("alice works", async () => (await actor("alice")).startsWith("has "));
  const [waits, inHand] = [await ready("quests.alice"), await unacked("quests.alice")];
  holds("and has one in hand", inHand === 1);
  await click(act("alice", "crash"));
  await comes("a crash moves unacked to ready", async () => (await unacked("quests.alice")) === 0 && (await ready("quests.alice")) === waits + 1);
  holds("alice is gone", (await actor("alice")) === "stopped");
  await click(act("alice", "start"));
  await comes("and comes back", async () => !(await actor("alice")).startsWith("stopped"));
  await focus(act("alice", "stop"));
  await press("Enter");
  await comes("she is stopped by key", async () => (await actor("alice")) === "stopped");
  holds("the focus stays", await ask(`document.activeElement.dataset.do === "stop"`));
  await press("Enter");
  await rest(200);
  holds("what is stopped is not stopped again", (await actor("alice")) === "stopped");
  await click(act("alice", "start"));
  await comes("she is back", async () => !(await actor("alice")).startsWith("stopped"));

  await set("#part-0-name", "bob");
  await set("#part-0-skills", "escort, slay");
  await set("#part-0-fail_rate", "0%");
  await set("#part-0-takes", "1s");
  await click("#part-0 button");
  await comes("a player joins", async () => (await count(`tr[data-actor="bob"]`)) === 1 && (await count(`tr[data-queue="quests.bob"]`)) === 1);
  await click("#part-0 button");
  await comes("a second of the same name is refused", async () => (await text("#part-0 .told")).includes("bob is there already"));
  await set("#part-0-fail_rate", "often");
  await set("#part-0-name", "carol");
  await click("#part-0 button");
  await comes("a wrong value is said with its line", async () => (await text("#part-0 .told")).includes("line"));
  await click("#tab-topology");
  await comes("the topology has bob's queue", async () => (await text("#panel svg")).includes("quests.bob"));
  await set("#part-1-name", "storm");
  await set("#part-1-count", "9");
  await set("#part-1-delay", "200ms");
  await focus("#part-1-delay");
  await press("Enter");
  await comes("a wave joins by key", async () => (await text(".log")).includes("joined: a wave of quests"));
  await set("#until", "30s");
  await click("#go");
  await comes("it is played", async () => (await text("#clock")) === "30s");
  await comes("the scoreboard counts bob's", async () => (await text(".board")).includes("bob"));

  await open("#publish");
  await set("#publish-exchange", "game");
  await set("#publish-key", "game.quest.gather");
  await set("#publish-id", "extra");
  await set("#publish-body", `{"points": 5}`);
  await set("#publish-headers", "{tries: 3}");
  await click("#publish button");
  await comes("headers that are no JSON are said", async () => (await text("#publish .told")).includes("no JSON"));
  await set("#publish-headers", `{"tries": 3}`);
  await click("#publish button");
  await comes("it is published", async () => (await text("#publish .told")) === "done");
  await click("#tab-messages");
  await comes("and among the messages", async () => (await text("#panel .messages")).includes("extra"));
  await ask(`[...document.querySelectorAll("#panel .messages button")].find((one) => one.textContent === "extra").click()`);
  holds("its story begins with me", (await text("#panel .story")).includes("you"));

  await open("#policy");
  await set("#policy-name", "short");
  await set("#policy-pattern", "^quests\\.");
  await set("#policy-definition", `{"message-ttl": 5000}`);
  await click("#policy button");
  await comes("a policy is set", async () => (await text("#policy .told")) === "done" && (await text(".log")).includes("by hand: set policy short"));
  await set("#policy-what", "clear_policy");
  await click("#policy button");
  await comes("and cleared", async () => (await text(".log")).includes("by hand: clear policy short"));
  await open("#broker");
  await set("#broker select", "quests.alice");
  await click("#purge");
  await comes("a queue is purged", async () => (await text(".log")).includes("by hand: purge quests.alice"));
  await click("#restart-broker");
  await comes("the broker is restarted", async () => (await text(".log")).includes("by hand: restart the broker"));
  await comes("and nobody is connected", async () => (await actor("alice")) === "stopped" && (await actor("bob")) === "stopped");

  await focus("#tab-messages");
  await press("End");
  holds("End goes to the last tab", (await ask("document.activeElement.id")) === "tab-table");
  await press("ArrowRight");
  holds("arrows go round the tabs", (await ask("document.activeElement.id")) === "tab-topology");
  await press("ArrowRight");
  await press("ArrowRight");
  holds("the scenario shows its text", (await text("#panel")).includes("expect: {consumer: scoreboard"));
  for (const scheme of ["light", "dark", "light dark"]) {
    await click("#theme");
    holds(`the theme is ${scheme}`, (await ask("document.documentElement.style.colorScheme")) === scheme);
  }
  await click("#restart");
  await comes("it begins anew", async () => (await text("#clock")) === "0s" && (await count("tr[data-actor]")) === 2);
  await click("#end");
  await comes("the end is judged", async () => (await text("#banner")).length > 10 && (await text("#where")).includes("over"));
  await click("#tab-scenario");
  await comes("at its lines", async () => (await count("#panel .text-line.holds")) >= 2);

  appendFileSync(scenario, "# changed\n");
  const whole = readFileSync(scenario, "utf8");
  await comes("a change on disk is said", async () => (await text("#banner")).includes("changed on disk"));
  await click("#reload");
  await comes("and is read", async () => !(await text("#banner")).includes("changed on disk") && (await text("#clock")) === "0s");
  writeFileSync(scenario, "scenario: [\n");
  await comes("a change that cannot be read is said", async () => (await text("#banner")).includes("changed on disk"));
  await click("#reload");
  await comes("with its line", async () => (await text(".log")).includes("line 1"));
  holds("and the run is still there", (await count("tr[data-queue]")) >= 2);
  writeFileSync(scenario, whole);
  await comes("as it was, nothing is said", async () => !(await text("#banner")).includes("changed on disk"));
  if (isNarrow) holds("nothing is wider than the screen", await ask("document.documentElement.scrollWidth <= window.innerWidth"));
}

try {
  const isElsewhere = (request) => !request.startsWith(url) && !request.startsWith("data:");
  for (const [width, dark] of [[1280, false], [390, true]]) {
    const page = await openPage(browser, url, { width, dark });
    await tour(page, width < 500);
    const other = await openPage(browser, url, { width: 900, dark });
    await page.rest(400);
    const told = await page.ask(`document.querySelector("#played").textContent`);
    holds("a second page is told of", told.includes("2 pages follow this run"));
    holds("and sees the same", (await other.ask(`document.querySelector("#clock").textContent`)) === (await page.ask(`document.querySelector("#clock").textContent`)));
    await other.close();
    // Refusals that were asked for are logged by the browser.
    const errors = page.errors.filter((error) => !/status of 4(00|09)/.test(error));
    assert.deepEqual(errors, [], "no error on the page");
    assert.deepEqual([...page.requests, ...other.requests].filter(isElsewhere), [], "no request to elsewhere");
    await page.close();
  }
  const wrong = await fetch(url.replace(/[0-9a-f]{24}/, "wrong"));
  holds("a wrong token is refused in words", wrong.status === 404 && (await wrong.text()).includes("token"));
  console.log(`${checks} checks hold`);
} catch (error) {
  console.log(error.stack);
  process.exitCode = 1;
} finally {
  browser.end();
}
