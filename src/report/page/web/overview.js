// The overview: a row for each cell, a column for each broker.
import { element, plural, refill } from "./elements.js";
import { rowsOf, worst } from "./run.js";

// Rows beyond these are shown when they are asked for, or found by the filter.
const ROWS_MAX = 300;

const SIGNS = { passed: "✓", flaky: "≈", new: "+", changed: "≠", failed: "✗", skipped: "–" };

export class Overview {
  // `onChoose` is told the place of a report.
  constructor(data, onChoose) {
    Object.assign(this, { data, onChoose, chosen: null, verdict: null, all: false });
    this.rows = rowsOf(data);
    this.filter = element("input", { type: "search", id: "filter", placeholder: "Filter cells", "aria-label": "filter cells by name, title or file", oninput: () => this.fill() });
    const counts = Object.entries(data.counts).filter(([, count]) => count > 0);
    this.chips = counts.map(([verdict, count]) => element("button", {
      type: "button", class: `chip ${verdict}`, "aria-pressed": "false", "data-verdict": verdict,
      onclick: () => this.only(verdict),
    }, `${SIGNS[verdict]} ${count} ${verdict}`));
    this.body = element("tbody", { onkeydown: (event) => this.onKey(event) });
    const heads = data.brokers.map((broker) => element("th", { scope: "col" }, broker));
    const table = element("table", { class: "overview" }, element("caption", { class: "hidden" }, "Cells and how they ended on each broker"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Cell"), heads)), this.body);
    this.told = element("p", { class: "dim", role: "status" });
    const errors = data.errors.map((error) => element("div", { class: "failure" }, element("strong", {}, error.message), error.help ? element("p", { class: "help" }, `help: ${error.help}`) : null));
    this.root = element("div", {}, errors, element("div", { class: "bar" }, this.filter, this.chips), element("div", { class: "wide tall", tabindex: "-1" }, table), this.told);
    this.fill();
  }

  only(verdict) {
    this.verdict = this.verdict === verdict ? null : verdict;
    this.chips.forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.verdict === this.verdict)));
    this.fill();
  }

  get shown() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row) => words.every((word) => `${row.name} ${row.title} ${row.file}`.toLowerCase().includes(word));
    const has = (row) => this.verdict === null || row.cells.some((place) => this.data.cells[place].verdict === this.verdict);
    const bad = (row) => (["failed", "changed"].includes(worst(row, this.data)) ? 0 : 1);
    return this.rows.filter((row) => fits(row) && has(row)).sort((one, other) => bad(one) - bad(other));
  }

  fill() {
    const rows = this.shown;
    const drawn = this.all ? rows : rows.slice(0, ROWS_MAX);
    refill(this.body, drawn.map((row) => this.row(row)));
    const more = rows.length - drawn.length;
    refill(this.told, element("span", {}, rows.length ? `${plural(rows.length, "cell")}${more ? `, ${drawn.length} of them shown ` : ""}` : "no cell fits the filter "),
      more ? element("button", { type: "button", onclick: () => ((this.all = true), this.fill()) }, "Show all") : null);
    const buttons = [...this.body.querySelectorAll("button")];
    if (buttons.length && !buttons.some((button) => button.tabIndex === 0)) buttons[0].tabIndex = 0;
  }

  row(row) {
    const cells = this.data.brokers.map((_, broker) => {
      const place = row.cells[broker];
      if (place === undefined) return element("td", {}, element("span", { class: "dim" }, "–"));
      const report = this.data.cells[place];
      const isIt = place === this.chosen;
      return element("td", {}, element("button", {
        type: "button", class: `verdict ${report.verdict}`, "data-report": place, tabindex: isIt ? "0" : "-1", "aria-current": isIt ? "true" : null,
        "aria-label": `${row.name} on ${this.data.brokers[broker]}: ${report.verdict}`, title: report.reason ?? null, onclick: () => this.onChoose(place),
      }, `${SIGNS[report.verdict]} ${report.verdict}`));
    });
    const first = row.cells.find((place) => place !== undefined);
    return element("tr", {}, element("th", { scope: "row" }, element("button", { type: "button", class: "link", tabindex: "-1", onclick: () => this.onChoose(first) }, row.name), element("div", { class: "dim title" }, row.title)), cells);
  }

  choose(place) {
    this.chosen = place;
    for (const button of this.body.querySelectorAll("button.verdict")) {
      const isIt = Number(button.dataset.report) === place;
      button.tabIndex = isIt ? 0 : -1;
      if (isIt) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  // Arrows go from verdict to verdict; one tab stop holds them all.
  onKey(event) {
    const steps = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
    const step = steps[event.key];
    const at = event.target.closest("button.verdict");
    if (!step || !at) return;
    event.preventDefault();
    const rows = [...this.body.rows].map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("button.verdict")));
    const row = rows.findIndex((buttons) => buttons.includes(at));
    const column = rows[row].indexOf(at);
    const next = rows[row + step[0]]?.[column + step[1]];
    if (!next) return;
    at.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}
