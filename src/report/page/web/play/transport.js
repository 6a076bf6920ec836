// The bar with the clock: run and hold, step, speed, until, the end, and where the run stands.
import { duration, element, refill } from "../elements.js";

const SPEEDS = [["0.1", "0.1×"], ["1", "1×"], ["10", "10×"], ["100", "100×"], ["1000", "1000×"], ["fastest", "as fast as it can"]];

const PLACES = {
  served: "served", preparing: "set-up", step: "in the steps", through: "the steps are done", ending: "the end is judged", done: "the run is over",
};

export class Transport {
  // `ask` has something done.
  constructor(root, ask) {
    Object.assign(this, { root, ask });
    const button = (id, text, title, what) => element("button", { type: "button", id, title, onclick: () => ask(what) }, text);
    this.run = element("button", { type: "button", id: "run", class: "main", title: "Space", onclick: () => this.toggle() }, "Run");
    this.step = button("step", "Step", "to the next event (s)", { do: "step" });
    this.next = button("next", "Next moment", "to the next moment at which something happens, and through it (m)", { do: "next" });
    this.speed = element("select", { id: "speed", onchange: () => this.changeSpeed() }, SPEEDS.map(([value, text]) => element("option", { value }, text)));
    this.until = element("input", { id: "until", type: "text", placeholder: "30s", size: "7", autocomplete: "off", "aria-describedby": "until-told" });
    const go = element("form", { class: "until", onsubmit: (event) => this.goUntil(event) },
      element("label", { for: "until" }, "Until "), this.until, element("span", { id: "until-told", class: "hidden" }, "a moment of the run: 250ms, 30s, 5m, 7d"),
      element("button", { type: "submit", id: "go" }, "Go"));
    this.end = button("end", "End", "the steps are over: judge the end", { do: "end" });
    this.restart = button("restart", "Restart", "from the beginning", { do: "restart" });
    this.clock = element("strong", { id: "clock", role: "timer" });
    this.where = element("span", { id: "where", class: "dim" });
    refill(root, this.run, this.step, this.next, element("label", { for: "speed" }, "Speed "), this.speed, go, this.end, this.restart,
      element("span", { class: "clock" }, this.clock, " ", this.where));
  }

  toggle() {
    return this.ask({ do: this.isHeld === false ? "hold" : "run" });
  }

  changeSpeed() {
    const { value } = this.speed;
    return this.ask({ do: "speed", times: value === "fastest" ? value : Number(value) });
  }

  // To a faster or a slower speed.
  shift(by) {
    const at = Math.min(Math.max(this.speed.selectedIndex + by, 0), SPEEDS.length - 1);
    if (at === this.speed.selectedIndex) return;
    this.speed.selectedIndex = at;
    this.changeSpeed();
  }

  async goUntil(event) {
    event.preventDefault();
    const why = await this.ask({ do: "until", moment: this.until.value });
    this.until.setAttribute("aria-invalid", String(Boolean(why)));
  }

  // A live broker goes at its own pace: what holds time is not there.
  setLive({ live, served, manual }) {
    this.isLive = live && !manual;
    for (const one of this.root.querySelectorAll("#run, #step, [for=speed], #speed")) one.hidden = live;
    for (const one of this.root.querySelectorAll("#next, .until")) one.hidden = live && !manual;
    for (const one of this.root.querySelectorAll("#end, #restart")) one.hidden = Boolean(served);
  }

  show(state) {
    this.isHeld = state.held;
    const isOver = state.place === "done";
    this.run.textContent = state.held ? "Run" : "Hold";
    this.run.setAttribute("aria-pressed", String(!state.held));
    for (const button of [this.step, this.next, this.end, this.run]) button.disabled = isOver;
    if (document.activeElement !== this.speed) this.speed.value = String(state.speed);
    this.clock.textContent = duration(state.moment_ms);
    const next = this.isLive ? null : state.next_ms === null ? "nothing more happens by itself" : state.next_ms <= state.moment_ms ? null : `next at ${duration(state.next_ms)}`;
    const place = state.line ? `line ${state.line}` : PLACES[state.place];
    this.where.textContent = [state.held ? "held" : "running", place, isOver ? null : next].filter(Boolean).join(" · ");
  }
}
