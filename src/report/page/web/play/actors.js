// The side of the page: queues with their counts, consumers with what can be done to them, tallies. Rows stay where they are, so
// that the focus does too.
import { duration, element, refill } from "../elements.js";

// A table whose rows are kept by their names.
class KeptTable {
  constructor(title, heads, makeRow) {
    this.makeRow = makeRow;
    this.rows = new Map();
    this.body = element("tbody");
    this.empty = element("p", { class: "dim" });
    this.table = element("table", { class: "kept" }, element("caption", { class: "hidden" }, title),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col", class: head[1] ?? null }, head[0])))), this.body);
    this.root = element("div", { class: "wide" }, this.table, this.empty);
  }

  show(items, keyOf, none) {
    const wanted = new Set(items.map(keyOf));
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.root.remove();
      this.rows.delete(key);
    }
    items.forEach((item, at) => {
      const key = keyOf(item);
      if (!this.rows.has(key)) this.rows.set(key, this.makeRow(item));
      const row = this.rows.get(key);
      row.show(item);
      if (this.body.children[at] !== row.root) this.body.insertBefore(row.root, this.body.children[at] ?? null);
    });
    this.table.hidden = items.length === 0;
    this.empty.textContent = items.length ? "" : none;
  }
}

function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

// A number that changed is marked for a moment.
function setCount(place, count) {
  const text = String(count);
  if (place.textContent === text) return;
  const isFirst = place.textContent === "";
  place.textContent = text;
  if (isFirst) return;
  place.classList.remove("moved");
  void place.offsetWidth;
  place.classList.add("moved");
}

function queueRow(several) {
  return (queue) => {
    const [ready, unacked, consumers] = ["ready", "unacked", "consumers"].map((of) => element("td", { class: "number", "data-count": of }));
    const name = several() ? `${queue.name} (${queue.vhost})` : queue.name;
    const root = element("tr", { "data-queue": queue.name }, element("th", { scope: "row" }, name), ready, unacked, consumers);
    const show = (now) => {
      setCount(ready, now.ready);
      setCount(unacked, now.unacked);
      setCount(consumers, now.consumers);
      ready.classList.toggle("some", now.ready > 0);
      unacked.classList.toggle("some", now.unacked > 0);
    };
    return { root, show };
  };
}

function actorRow(ask) {
  return ({ name }) => {
    const button = (what, text) => element("button", { type: "button", class: "small", "aria-label": `${text} ${name}`, "data-do": what, onclick: () => ask({ do: what, consumer: name }) }, text);
    const [start, stop, crash] = [button("start", "Start"), button("stop", "Stop"), button("crash", "Crash")];
    const [state, acked] = [element("span", { class: "state" }), element("td", { class: "number" })];
    const root = element("tr", { "data-actor": name }, element("th", { scope: "row" }, name, state), acked, element("td", { class: "acts" }, start, stop, crash));
    const show = (now) => {
      const back = now.back_ms === null ? "stopped" : `away, back at ${duration(now.back_ms)}`;
      const more = now.holds - now.in_hand.length;
      const held = now.in_hand.length ? `${now.in_hand.join(", ")}${more > 0 ? ` and ${more} more` : ""}` : `${now.holds} in hand`;
      const busy = now.holds ? `has ${held}` : "waits";
      setText(state, now.running ? busy : back);
      state.className = `state ${now.running ? (now.holds ? "busy" : "idle") : "away"}`;
      setText(acked, now.received === null ? "" : `${now.acked} of ${now.received}`);
      // One that has the focus keeps it, though it can do nothing now.
      for (const [one, isIdle] of [[start, now.running], [stop, !now.running], [crash, !now.running]]) one.setAttribute("aria-disabled", String(isIdle));
    };
    return { root, show };
  };
}

export class Actors {
  constructor(ask) {
    this.several = false;
    this.queues = new KeptTable("Queues and what they hold", [["Queue"], ["Ready", "number"], ["Unacked", "number"], ["Cons.", "number"]], queueRow(() => this.several));
    const unlessIdle = (what) => {
      const idle = document.activeElement?.getAttribute("aria-disabled") === "true";
      return idle ? null : ask(what);
    };
    this.actors = new KeptTable("Consumers and what they do", [["Consumer"], ["Acked", "number"], ["", null]], actorRow(unlessIdle));
    this.boards = element("div", { class: "boards" });
    this.root = element("div", {}, element("h2", {}, "Queues"), this.queues.root, element("h2", {}, "Consumers"), this.actors.root, this.boards);
  }

  show(state) {
    this.several = new Set(state.queues.map((queue) => queue.vhost)).size > 1;
    this.queues.show(state.queues, (queue) => `${queue.vhost} ${queue.name}`, "There is no queue.");
    this.actors.show(state.actors, (actor) => actor.name, "There is no consumer.");
    const told = JSON.stringify(state.tallies);
    if (told === this.told) return;
    this.told = told;
    refill(this.boards, state.tallies.map(boardOf));
  }
}

// What a tally of the scenario came to so far, most first.
function boardOf(tally) {
  const what = tally.sum ? `sum of ${tally.sum}` : "messages";
  const who = tally.consumer ?? "published";
  const groups = [...tally.groups].sort((one, other) => other[1] - one[1]);
  const most = Math.max(1, ...groups.map(([, count]) => count));
  const rows = groups.map(([name, count]) => {
    const bar = element("span", { class: "bar-of" });
    bar.style.width = `${(100 * count) / most}%`;
    return element("tr", {}, element("th", { scope: "row" }, name || "all"), element("td", { class: "number" }, String(count)), element("td", { class: "bars", "aria-hidden": "true" }, bar));
  });
  const caption = `${who}: ${what}${tally.by ? ` by ${tally.by}` : ""}${tally.partial ? ", of some" : ""}`;
  return element("div", { class: "board" }, element("h2", {}, caption.split(":")[0]),
    element("p", { class: "dim" }, caption.slice(caption.indexOf(":") + 2)),
    rows.length ? element("table", { class: "kept" }, element("caption", { class: "hidden" }, caption), element("tbody", {}, rows)) : element("p", { class: "dim" }, "Nothing yet."));
}
