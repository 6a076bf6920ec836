// The story of a message, the list of messages, and the table of all that happened: the text beside the diagram.
import { duration, element, pagedRows, plural, refill } from "./elements.js";
import { AT, KIND, KIND_NAMES, LANE, WORDS, entriesInOrder, laneName } from "./run.js";

const PER_PAGE = 100;

// Shows the messages of a run and the story of the chosen one.
export class Stories {
  constructor(timeline, onChoose) {
    Object.assign(this, { timeline, onChoose, chosen: null });
    this.filter = element("input", { type: "search", placeholder: "Filter by name or end", "aria-label": "filter messages", oninput: () => this.list() });
    const table = element("table", { class: "messages" },
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Message"), element("th", { scope: "col" }, "Ended"), element("th", { scope: "col" }, "Steps"))));
    this.rows = pagedRows([], PER_PAGE, (place) => this.row(place), table, "messages");
    this.told = element("section", { class: "story", "aria-live": "polite" });
    this.left = element("div", { class: "listed" }, this.filter, element("div", { class: "tall" }, table), (this.pager = element("div")));
    this.table = table;
    this.root = element("div", { class: "stories" }, this.left, this.told);
    this.list();
    this.tell(null);
  }

  list() {
    const wanted = this.filter.value.toLowerCase();
    const { messages } = this.timeline;
    const places = messages.map((_, place) => place).filter((place) => `${messages[place].name} ${messages[place].fate}`.toLowerCase().includes(wanted));
    this.places = places;
    this.table.tBodies[0]?.remove();
    this.rows = pagedRows(places, PER_PAGE, (place) => this.row(place), this.table, "messages");
    refill(this.pager, this.rows.bar);
  }

  // Takes a timeline that has grown; filter, page, choice and focus stay.
  refresh(timeline, chosen) {
    this.timeline = timeline;
    const focused = document.activeElement?.closest?.("tr[data-message]")?.dataset.message;
    const first = this.rows.first();
    this.chosen = chosen;
    this.list();
    this.rows.show(first);
    if (focused !== undefined) this.table.querySelector(`tr[data-message="${focused}"] button`)?.focus();
    this.tell(chosen);
  }

  row(place) {
    const message = this.timeline.messages[place];
    const name = element("button", { type: "button", class: "link", "aria-pressed": String(place === this.chosen), onclick: () => this.choose(place) }, message.name);
    return element("tr", { "data-message": place, class: place === this.chosen ? "chosen" : null },
      element("th", { scope: "row" }, name), element("td", {}, message.fate), element("td", { class: "number" }, String(message.entries.length)));
  }

  choose(place, told = false) {
    this.chosen = place;
    for (const row of this.table.querySelectorAll("tr[data-message]")) {
      const isIt = Number(row.dataset.message) === place;
      row.classList.toggle("chosen", isIt);
      row.querySelector("button").setAttribute("aria-pressed", String(isIt));
    }
    this.tell(place);
    if (!told) this.onChoose(place);
  }

  tell(place) {
    refill(this.told, place === null
      ? element("p", { class: "dim" }, this.timeline.messages.length ? "Choose a message, here or in the diagram, and read what became of it." : "No message was published in this run.")
      : storyOf(this.timeline, this.timeline.messages[place]));
  }
}

// Writes the story of one message.
export function storyOf(timeline, message) {
  const steps = message.entries.map((entry) => element("li", { class: `step ${entry[KIND]}` },
    element("span", { class: "moment" }, duration(entry[AT])), " ", withRule(timeline.words[entry[WORDS]])));
  return [element("h3", {}, message.name, " ", element("span", { class: "dim" }, message.fate)), element("ol", { class: "steps" }, steps)];
}

// Sets the rule behind a step apart: `rmqplay explain TTL-1` tells more.
export function withRule(words) {
  const found = /^(.*) \[([A-Z]+-\d+)\]$/s.exec(words);
  if (!found) return words;
  return [found[1], " ", element("code", { class: "rule", title: `rmqplay explain ${found[2]}` }, found[2])];
}

// The table of all that happened, which says what the diagram shows.
export function tableOfAll(timeline) {
  const all = entriesInOrder(timeline);
  const filter = element("input", { type: "search", placeholder: "Filter by words, message or lane", "aria-label": "filter the table" });
  const told = { place: element("div") };
  const heads = ["Moment", "What", "Message", "Lane", "Told"].map((head) => element("th", { scope: "col" }, head));
  const table = element("table", { class: "all" }, element("caption", { class: "hidden" }, "All that happened, in order"), element("thead", {}, element("tr", {}, heads)));
  const lane = (entry) => (entry[LANE] === null ? "" : laneName(timeline.lanes[entry[LANE]], timeline.lanes));
  const name = (message) => timeline.messages[message]?.name ?? "";
  const draw = ({ entry, message }) => element("tr", {},
    element("td", { class: "number" }, duration(entry[AT])), element("td", {}, KIND_NAMES[entry[KIND]]),
    element("td", {}, name(message)), element("td", {}, lane(entry)), element("td", {}, withRule(timeline.words[entry[WORDS]])));
  const fill = () => {
    const wanted = filter.value.toLowerCase();
    const shown = wanted ? all.filter(({ entry, message }) => `${timeline.words[entry[WORDS]]} ${name(message)} ${lane(entry)}`.toLowerCase().includes(wanted)) : all;
    table.tBodies[0]?.remove();
    refill(told.place, pagedRows(shown, PER_PAGE, draw, table, "entries").bar);
  };
  filter.addEventListener("input", fill);
  fill();
  const missing = timeline.missing ? element("p", { class: "dim" }, `${plural(timeline.missing, "entry").replace("entrys", "entries")} before these are not kept: a run keeps its last 10000.`) : null;
  return element("div", {}, filter, missing, element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "table of all that happened" }, table), told.place);
}
