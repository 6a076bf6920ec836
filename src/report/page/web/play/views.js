// What happens, in tabs: the topology with live counts, the space-time diagram as it grows, the scenario with its expectations, the
// stories of messages, and all of it as a table. Only the tab that is open is drawn.
import { duration, element, plural, refill } from "../elements.js";
import { Diagram } from "../diagram.js";
import { Stories, storyOf, tableOfAll } from "../messages.js";
import { textOf } from "../scenario.js";
import { recount, topologyOf } from "../topology.js";

const VIEWS = [["topology", "Topology"], ["diagram", "Space-time"], ["scenario", "Scenario"], ["messages", "Messages"], ["table", "Table"]];

// How long a tab that costs more is left as it is.
const REDRAW_MS = { diagram: 150, scenario: 100, messages: 400, table: 800, topology: 0 };

export class Views {
  constructor(root, connection) {
    Object.assign(this, { connection, tab: "topology", message: null, stale: true });
    this.tabs = element("div", { role: "tablist", "aria-label": "views of the run", class: "tabs", onkeydown: (event) => this.onTabKey(event) },
      VIEWS.map(([tab, name]) => element("button", { type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": "panel", "data-tab": tab, onclick: () => this.open(tab) }, name)));
    this.panel = element("div", { role: "tabpanel", id: "panel" });
    this.log = element("ol", { class: "log", role: "log", "aria-live": "polite", "aria-label": "what was done and said" });
    refill(root, this.log, this.tabs, this.panel);
    const wanted = new URLSearchParams(location.hash.slice(1)).get("tab");
    this.tab = VIEWS.some(([tab]) => tab === wanted) ? wanted : "topology";
  }

  open(tab) {
    this.tab = tab;
    history.replaceState(null, "", `#tab=${tab}`);
    this.draw();
  }

  // Takes another run: nothing of the one before is shown.
  forget() {
    this.message = null;
    this.draw();
  }

  say(sentences) {
    for (const one of sentences) {
      const line = element("li", { class: one.fault ? "found" : null }, element("span", { class: "dim" }, duration(one.at_ms)), " ", one.text);
      this.log.append(line);
    }
    while (this.log.children.length > 60) this.log.firstChild.remove();
    if (sentences.length) this.log.scrollTop = this.log.scrollHeight;
  }

  show(state, hasGrown) {
    const isFirst = !this.state;
    const before = this.state;
    this.state = state;
    if (isFirst) return this.draw();
    const isStale = this.tab === "topology" || hasGrown
      || (this.tab === "scenario" && (before.line !== state.line || before.judged.length !== state.judged.length || before.failures.length !== state.failures.length));
    if (isStale) this.redrawSoon();
  }

  redrawSoon() {
    if (this.waiting) return;
    this.waiting = setTimeout(() => {
      this.waiting = null;
      this.update();
    }, REDRAW_MS[this.tab]);
  }

  draw() {
    for (const button of this.tabs.children) {
      const isIt = button.dataset.tab === this.tab;
      button.setAttribute("aria-selected", String(isIt));
      button.tabIndex = isIt ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${this.tab}`);
    this.diagram?.close();
    [this.diagram, this.figures, this.stories] = [null, null, null];
    if (!this.state) return;
    refill(this.panel, this.content());
    this.diagram?.resize();
    if (this.tab === "scenario") this.panel.querySelector(".now")?.scrollIntoView({ block: "nearest" });
  }

  content() {
    const { timeline, scene } = this.connection;
    if (this.tab === "topology") {
      if (!scene.graph) return element("p", { class: "dim" }, "The scenario declares nothing that could be drawn.");
      this.figures = topologyOf(scene.graph, this.state.queues.map((queue) => ({ ...queue, room: true })));
      return this.figures;
    }
    if (this.tab === "scenario") return this.scenario();
    if (this.tab === "diagram") return this.drawDiagram(timeline);
    if (!timeline.messages.length && !timeline.besides.length) return element("p", { class: "dim" }, "Nothing happened yet: Run, or Step.");
    if (this.tab === "table") return tableOfAll(timeline);
    this.stories = new Stories(timeline, (place) => (this.message = timeline.messages[place]?.name ?? null));
    const place = this.placeOfMessage();
    if (place !== null) this.stories.choose(place, true);
    return this.stories.root;
  }

  placeOfMessage() {
    const place = this.connection.messageAt.get(this.message);
    return place === undefined ? null : place;
  }

  scenario() {
    const { scene } = this.connection;
    if (!scene.source) return element("p", { class: "dim" }, "The text of this scenario is not known.");
    const judged = new Map(this.state.judged.map(([line, holds, fails, at]) => [line, { holds, fails, at }]));
    const failed = this.state.judged.filter(([, , fails]) => fails).length;
    const told = judged.size ? `${plural(judged.size, "expectation")} judged, ${failed} failed` : "no expectation was judged yet";
    return [element("p", { class: "dim" }, `${scene.source.name}: ${told}`), textOf(scene.source, judged, this.state.failures, [], this.state.line)];
  }

  drawDiagram(timeline) {
    this.toldStory = element("section", { class: "story", "aria-live": "polite" });
    this.diagram = new Diagram(timeline, (place) => {
      this.message = place === null ? null : timeline.messages[place].name;
      this.tellStory();
    });
    const place = this.placeOfMessage();
    if (place !== null) this.diagram.choose(place, true);
    this.tellStory();
    return [this.diagram.root, this.toldStory];
  }

  tellStory() {
    const place = this.placeOfMessage();
    const { timeline } = this.connection;
    refill(this.toldStory, place === null ? element("p", { class: "dim" }, "Choose a message: click on its line.") : storyOf(timeline, timeline.messages[place]));
  }

  // Brings the open tab up to date; what has the focus keeps it.
  update() {
    const { timeline, scene } = this.connection;
    if (this.tab === "topology" && this.figures) return recount(this.figures, scene.graph, this.state.queues);
    if (this.tab === "diagram" && this.diagram) {
      this.diagram.timeline = timeline;
      this.diagram.chosen = this.placeOfMessage();
      this.diagram.grow();
      if (this.message !== null) this.tellStory();
      return;
    }
    if (this.tab === "messages" && this.stories) return this.stories.refresh(timeline, this.placeOfMessage());
    const filter = this.panel.querySelector("input[type=search]");
    // Who types or reads on is not disturbed.
    if (filter && (document.activeElement === filter || filter.value || this.panel.querySelector(".pager button:not(:disabled):focus"))) return;
    const wide = this.panel.querySelector(".source");
    const left = wide?.scrollLeft ?? 0;
    const isFocused = this.panel.contains(document.activeElement);
    const top = window.scrollY;
    refill(this.panel, this.content());
    if (isFocused) this.tabs.querySelector("[aria-selected=true]").focus();
    const now = this.panel.querySelector(".source");
    if (now) now.scrollLeft = left;
    window.scrollTo({ top });
    this.panel.querySelector(".now")?.scrollIntoView({ block: "nearest" });
  }

  onTabKey(event) {
    const tabs = VIEWS.map(([tab]) => tab);
    const now = tabs.indexOf(this.tab);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.open(tabs[(next + tabs.length) % tabs.length]);
    this.tabs.children[(next + tabs.length) % tabs.length].focus();
  }

  recolour() {
    this.diagram?.recolour();
  }
}
