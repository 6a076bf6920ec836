// The page: the overview, and for the chosen cell its tabs. `open` takes the data from anywhere; `show` takes newer data.
import { duration, element, plural, refill } from "./elements.js";
import { Diagram } from "./diagram.js";
import { Stories, storyOf, tableOfAll } from "./messages.js";
import { topologyOf } from "./topology.js";
import { outcomeOf, scenarioOf } from "./scenario.js";
import { Overview } from "./overview.js";
import { themeSwitch } from "./theme.js";

const TABS = [["scenario", "Scenario"], ["diagram", "Space-time"], ["messages", "Messages"], ["topology", "Topology"], ["outcome", "Outcome"], ["table", "Table"]];

// The address holds what is shown, so that it can be sent to somebody and the browser's arrows work.
const BROWSER_ADDRESS = { read: () => location.hash.slice(1), write: (shown) => history.replaceState(null, "", `#${shown}`) };

export class Page {
  // `address` keeps what is shown, where something else stands in that of the browser.
  constructor(root, data, address = BROWSER_ADDRESS) {
    this.root = root;
    this.address = address;
    this.tab = null;
    this.message = null;
    this.show(data);
    window.addEventListener("hashchange", () => this.readAddress());
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  // Shows data; what was chosen stays chosen.
  show(data) {
    if (data !== this.data) this.message = null;
    this.data = data;
    this.overview = new Overview(data, (place) => this.choose(place, true));
    const told = Object.entries(data.counts).filter(([, count]) => count).map(([verdict, count]) => `${count} ${verdict}`).join(", ");
    document.title = `rmqplay: ${told || "nothing was played"}`;
    refill(this.root.querySelector("#summary"), `${plural(data.cells.length, "cell")} on ${data.brokers.join(", ") || "no broker"} in ${duration(data.real_ms)}`);
    refill(this.root.querySelector("#overview"), this.overview.root);
    const bad = data.cells.findIndex((report) => report.verdict === "failed" || report.verdict === "changed");
    this.firstPlace = bad >= 0 ? bad : 0;
    this.readAddress();
  }

  readAddress() {
    const wanted = new URLSearchParams(this.address.read());
    const place = Number(wanted.get("cell") ?? this.firstPlace);
    this.tab = TABS.some(([tab]) => tab === wanted.get("tab")) ? wanted.get("tab") : this.tab;
    if (this.data.cells[place]) this.choose(place);
    else refill(this.root.querySelector("#detail"), element("p", { class: "dim" }, "Nothing was played."));
  }

  writeAddress() {
    this.address.write(`cell=${this.place}&tab=${this.tab}`);
  }

  choose(place, byHand = false) {
    const isOther = place !== this.place;
    this.place = place;
    this.overview.choose(place);
    const report = this.data.cells[place];
    this.tab ??= report.failures.length || report.verdict === "skipped" ? "scenario" : report.verdict === "changed" ? "outcome" : "diagram";
    if (isOther) this.message = null;
    this.draw(report);
    if (!byHand) return;
    this.writeAddress();
    if (window.innerWidth < 900) this.root.querySelector("#detail").scrollIntoView();
  }

  draw(report) {
    const { data } = this;
    const facts = [data.brokers[report.broker], report.took_ms === null ? null : `${duration(report.took_ms)} of the scenario's time`,
      plural(report.deliveries, "delivery").replace("deliverys", "deliveries"), report.attempts > 1 ? `tried ${report.attempts} times` : null];
    const copy = element("button", { type: "button", onclick: () => this.copy(report.again, copy) }, "Copy");
    this.tabs = element("div", { role: "tablist", "aria-label": "what is shown of the cell", class: "tabs", onkeydown: (event) => this.onTabKey(event) },
      TABS.map(([tab, name]) => element("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": "panel", "data-tab": tab, onclick: () => this.open(tab) }, name)));
    this.panel = element("div", { role: "tabpanel", id: "panel" });
    refill(this.root.querySelector("#detail"),
      element("h2", {}, element("span", { class: `verdict ${report.verdict}` }, report.verdict), " ", report.name),
      element("p", { class: "title" }, report.title), element("p", { class: "dim" }, facts.filter(Boolean).join(" · ")),
      report.reason ? element("p", {}, `skipped: ${report.reason}`) : null,
      element("p", { class: "again" }, element("code", {}, report.again), " ", copy), this.tabs, this.panel);
    this.fill();
  }

  open(tab) {
    this.tab = tab;
    this.writeAddress();
    this.fill();
  }

  fill() {
    for (const button of this.tabs.children) {
      const isIt = button.dataset.tab === this.tab;
      button.setAttribute("aria-selected", String(isIt));
      button.tabIndex = isIt ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${this.tab}`);
    this.diagram?.close();
    this.diagram = null;
    refill(this.panel, this.content());
    this.diagram?.resize();
  }

  content() {
    const report = this.data.cells[this.place];
    const { timeline } = report;
    const none = element("p", { class: "dim" }, report.verdict === "skipped" ? "It was not played." : "Nothing is known of what happened.");
    if (this.tab === "scenario") return scenarioOf(report, this.data.sources);
    if (this.tab === "outcome") return outcomeOf(report, this.data.cells.filter((other) => other.cell === report.cell), this.data);
    if (this.tab === "topology") return this.topology(report);
    if (!timeline) return none;
    if (this.tab === "table") return tableOfAll(timeline);
    if (this.tab === "messages") {
      const stories = new Stories(timeline, (place) => (this.message = place));
      if (this.message !== null) stories.choose(this.message, true);
      return stories.root;
    }
    return this.drawDiagram(timeline);
  }

  drawDiagram(timeline) {
    const told = element("section", { class: "story", "aria-live": "polite" });
    const tell = (place) => {
      this.message = place;
      refill(told, place === null ? element("p", { class: "dim" }, "Choose a message: click on its line.") : storyOf(timeline, timeline.messages[place]));
    };
    this.diagram = new Diagram(timeline, tell);
    if (this.message !== null) this.diagram.choose(this.message, true);
    tell(this.message);
    return [this.diagram.root, told];
  }

  topology(report) {
    const graph = report.graph === null ? null : this.data.graphs[report.graph];
    if (!graph) return element("p", { class: "dim" }, "The scenario declares nothing that could be drawn.");
    const marked = graph.vhosts.some((vhost) => vhost.nodes.some((node) => node.mark));
    const words = [report.queues ? "Counts are those at the end of the run." : "The run has no outcome: what queues held at its end is not known.",
      marked ? "What no message came through is grey." : "A live broker does not tell what messages came through."];
    return [element("p", { class: "dim" }, words.join(" ")), topologyOf(graph, report.queues)];
  }

  async copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // A page of a file may not write there: what is to be copied is marked instead.
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Marked";
    }
  }

  onTabKey(event) {
    const tabs = TABS.map(([tab]) => tab);
    const now = tabs.indexOf(this.tab);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.open(tabs[(next + tabs.length) % tabs.length]);
    this.tabs.children[(next + tabs.length) % tabs.length].focus();
  }

  // `/` goes to the filter, `n` and `p` to the next and the previous report.
  onKey(event) {
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      event.preventDefault();
      this.overview.filter.focus();
    } else if (event.key === "n" || event.key === "p") {
      const next = this.place + (event.key === "n" ? 1 : -1);
      if (this.data.cells[next]) this.choose(next, true);
    }
  }

  recolour() {
    this.diagram?.recolour();
  }
}

export function open(data) {
  const page = new Page(document.querySelector("main"), data);
  themeSwitch(document.querySelector("#theme"), () => page.recolour());
  return page;
}

// In a report the data stand in the file itself.
const block = document.querySelector("script#run");
if (block) open(JSON.parse(block.textContent));
