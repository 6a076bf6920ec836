// The space-time diagram: a lane for each publisher, queue and consumer, a line for each message. Only what can be seen is drawn.
import { duration, element, plural } from "./elements.js";
import { AT, KIND, KIND_NAMES, WORDS, entriesInOrder, laneName, laneOrder } from "./run.js";
import { byOrder, byTime } from "./scale.js";
import { FIELDS, MARKED, waysOf } from "./paths.js";

const LANE_HEIGHT = 46;
const RULER = 30;
const SLOTS_MAX = 10;

// With more than these in sight, what is close together is drawn once: a picture of all would be slow, and show no more.
const STEPS_DENSE = 1200;
const MARKS_DENSE = 500;
const MARKS_APART_DENSE = 9;

// What is written beside a mark.
const LABELLED = ["dead_lettered", "requeued", "dropped"];

export class Diagram {
  // `onChoose` is told the place of a message, or null.
  constructor(timeline, onChoose) {
    this.timeline = timeline;
    this.onChoose = onChoose;
    this.read();
    this.chosen = null;
    this.focused = null;
    this.from = 0;
    this.build();
    this.setScale(this.looksBetterByOrder() ? "order" : "time");
  }

  read() {
    const { timeline } = this;
    this.entries = entriesInOrder(timeline);
    this.order = laneOrder(timeline.lanes);
    this.row = new Uint32Array(this.order.length);
    this.order.forEach((lane, row) => (this.row[lane] = row));
    this.slots = Math.max(1, Math.min(SLOTS_MAX, timeline.messages.length));
  }

  // Takes what came to the timeline. Who sees all sees all again; who looks at a part goes on to.
  grow() {
    const [from, perUnit, focused] = [this.from, this.perUnit, this.entries[this.focused]?.entry];
    const sawAll = this.isWhole;
    this.read();
    this.focused = focused ? this.entries.findIndex(({ entry }) => entry === focused) : null;
    this.setScale(this.isChosenScale ? this.scaleChoice.value : this.looksBetterByOrder() ? "order" : "time");
    if (!sawAll) [this.from, this.perUnit, this.isWhole] = [from, perUnit, false];
    this.canvas.setAttribute("aria-label", `space-time diagram: ${plural(this.timeline.lanes.length, "lane")}, ${plural(this.timeline.messages.length, "message")}`);
    const signs = legend(this.timeline);
    this.root.querySelector(".legend").replaceWith(signs);
    this.resize();
  }

  // Where nearly all happens at very few moments, time alone would draw one line over the other.
  looksBetterByOrder() {
    const moments = new Set(this.entries.map(({ entry }) => entry[AT]));
    return moments.size * 4 < this.entries.length;
  }

  build() {
    const button = (label, text, onclick) => element("button", { type: "button", "aria-label": label, title: label, onclick }, text);
    this.scaleChoice = element("select", { "aria-label": "scale", onchange: () => ((this.isChosenScale = true), this.setScale(this.scaleChoice.value)) },
      element("option", { value: "time" }, "by time"), element("option", { value: "order" }, "by order"));
    const bar = element("div", { class: "bar" },
      button("zoom in", "+", () => this.zoom(1.6)), button("zoom out", "−", () => this.zoom(1 / 1.6)),
      button("show all", "All", () => this.fit()), button("to the left", "←", () => this.pan(-0.3)), button("to the right", "→", () => this.pan(0.3)),
      element("label", {}, "Scale ", this.scaleChoice), (this.span = element("span", { class: "dim" })));
    this.canvas = element("canvas", {
      tabindex: "0", role: "application",
      "aria-label": `space-time diagram: ${plural(this.timeline.lanes.length, "lane")}, ${plural(this.timeline.messages.length, "message")}`,
      "aria-describedby": "diagram-keys",
    });
    this.scroller = element("div", { class: "scroller" }, this.canvas, (this.spacer = element("div")));
    this.tip = element("div", { class: "tip", hidden: true });
    this.said = element("p", { class: "said", role: "status", "aria-live": "polite" });
    const keys = element("p", { class: "dim keys", id: "diagram-keys" },
      "Drag to move, Ctrl and the wheel to zoom (the wheel alone once the diagram has the focus). Keys: ← → move, + − zoom, 0 all, ↑ ↓ choose a message, k and j go through what happened to it. The tab Table holds the same as text.");
    this.root = element("div", { class: "diagram" }, bar, element("div", { class: "frame" }, this.scroller, this.tip), legend(this.timeline), this.said, keys);
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerup", (event) => this.onUp(event));
    canvas.addEventListener("pointercancel", () => (this.drag = null));
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("focus", () => this.redraw());
    canvas.addEventListener("blur", () => this.redraw());
    this.scroller.addEventListener("scroll", () => this.redraw());
    this.watcher = new ResizeObserver(() => this.resize());
    this.watcher.observe(this.scroller);
  }

  close() {
    this.watcher.disconnect();
  }

  setScale(mode) {
    this.scale = (mode === "order" ? byOrder : byTime)(this.entries);
    this.ways = waysOf(this.timeline, this.entries, this.scale.places, this.scale.end);
    this.ways.marks.sort((one, other) => one.place - other.place);
    this.scaleChoice.value = mode;
    this.fit();
  }

  resize() {
    const [width, ratio] = [this.scroller.clientWidth, window.devicePixelRatio || 1];
    const whole = RULER + this.order.length * LANE_HEIGHT;
    const height = Math.min(whole, Math.max(240, Math.round(window.innerHeight * 0.62)));
    if (!width) return;
    const isFirst = !this.width;
    [this.width, this.height, this.gutter] = [width, height, width < 600 ? 92 : 168];
    this.scroller.style.height = `${height}px`;
    this.spacer.style.height = `${whole - height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.ratio = ratio;
    this.palette = readPalette(this.root);
    if (isFirst) this.fit();
    this.paint();
  }

  recolour() {
    this.palette = readPalette(this.root);
    this.redraw();
  }

  get visible() {
    return Math.max(1, (this.width ?? 800) - (this.gutter ?? 100) - 12);
  }

  fit() {
    [this.from, this.perUnit, this.isWhole] = [0, this.visible / this.scale.end, true];
    this.redraw();
  }

  // Zooms around a place of the canvas; the middle unless told.
  zoom(factor, x = (this.gutter ?? 0) + this.visible / 2) {
    const place = this.placeAt(x);
    const least = (this.visible / this.scale.end) * 0.5;
    this.perUnit = Math.min(Math.max(this.perUnit * factor, least), this.scale.unitMax);
    this.from = place - (x - this.gutter) / this.perUnit;
    this.keepInSight();
  }

  pan(share) {
    this.from += (share * this.visible) / this.perUnit;
    this.keepInSight();
  }

  keepInSight() {
    this.isWhole = false;
    const shown = this.visible / this.perUnit;
    this.from = Math.min(Math.max(this.from, -shown * 0.5), this.scale.end - shown * 0.1);
    this.redraw();
  }

  placeAt(x) {
    return this.from + (x - this.gutter) / this.perUnit;
  }

  xOf(place) {
    return this.gutter + (place - this.from) * this.perUnit;
  }

  yOf(lane, message) {
    const inset = 9;
    const slot = this.slots === 1 ? 0.5 : (message % this.slots) / (this.slots - 1);
    return RULER + this.row[lane] * LANE_HEIGHT + inset + slot * (LANE_HEIGHT - 2 * inset) - this.scroller.scrollTop;
  }

  redraw() {
    if (this.asked || !this.width) return;
    this.asked = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.asked = null;
    if (!this.width) return;
    const context = this.canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    context.font = `12px ${this.palette.font}`;
    context.textBaseline = "middle";
    this.paintLanes(context);
    this.showLayer(context);
    this.paintRuler(context);
    this.paintNames(context);
    const [first, last] = [this.placeAt(this.gutter), this.placeAt(this.width)];
    this.span.textContent = this.scale.mode === "time" ? `${duration(roundedSpan(last - first))} shown` : "";
  }

  // Shows the picture of lines and marks. It is kept, and wider than what is shown: to move it costs next to nothing.
  showLayer(context) {
    const { scale, perUnit, chosen, focused, palette, width, height } = this;
    const traits = [scale, perUnit, chosen, focused, palette, width, height, this.scroller.scrollTop];
    const kept = this.layer;
    const isSame = kept && traits.every((trait, at) => trait === kept.traits[at]);
    const apart = isSame ? (this.from - kept.from) * perUnit : 0;
    if (!isSame || Math.abs(apart) > kept.margin) {
      this.layer = this.paintLayer(traits, isSame ? Math.round(this.visible / 2) : 0, kept?.canvas);
      return this.showLayer(context);
    }
    const { canvas, margin } = kept;
    const [from, shown] = [this.gutter + margin + apart, width - this.gutter];
    const { ratio } = this;
    context.drawImage(canvas, from * ratio, RULER * ratio, shown * ratio, (height - RULER) * ratio, this.gutter, RULER, shown, height - RULER);
  }

  paintLayer(traits, margin, used) {
    const canvas = used ?? document.createElement("canvas");
    const { width, from } = this;
    canvas.width = Math.round((width + 2 * margin) * this.ratio);
    canvas.height = Math.round(this.height * this.ratio);
    const context = canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.font = `12px ${this.palette.font}`;
    context.textBaseline = "middle";
    [this.width, this.from] = [width + 2 * margin, from - margin / this.perUnit];
    this.paintBesides(context);
    this.ways.stretches.forEach((list, style) => this.paintLines(context, list, this.ways.steps[style], this.palette.lines[style]));
    this.paintMarks(context);
    this.paintChosen(context);
    [this.width, this.from] = [width, from];
    return { traits, margin, canvas, from };
  }

  paintLanes(context) {
    this.order.forEach((lane, row) => {
      const y = RULER + row * LANE_HEIGHT - this.scroller.scrollTop;
      if (y > this.height || y + LANE_HEIGHT < RULER) return;
      context.fillStyle = this.palette.lanes[this.timeline.lanes[lane].is];
      context.fillRect(0, y, this.width, LANE_HEIGHT - 1);
    });
  }

  // Draws stretches and steps of one look, as boxes: thousands of them are far quicker than a path of as many pieces. What would
  // fall on the same pixels is left out.
  paintLines(context, stretches, steps, colour) {
    const lanes = this.order.length;
    const drawnTo = new Float32Array(lanes * this.slots).fill(-1);
    const { gutter, width } = this;
    context.fillStyle = colour;
    for (let at = 0; at < stretches.length; at += FIELDS) {
      const begin = this.xOf(stretches[at]);
      if (begin > width) break;
      const end = this.xOf(stretches[at + 1]);
      if (end < gutter) continue;
      const [lane, message] = [stretches[at + 2], stretches[at + 3]];
      const key = lane * this.slots + (message % this.slots);
      const from = Math.max(begin, gutter, drawnTo[key]);
      if (end < from + 0.25 && drawnTo[key] >= 0) continue;
      drawnTo[key] = Math.max(end, from + 0.5);
      context.fillRect(Math.round(from), Math.round(this.yOf(lane, message)), Math.max(1, Math.min(drawnTo[key], width) - from), 1);
    }
    const [first, end] = [firstFrom(steps, this.placeAt(gutter)), firstFrom(steps, this.placeAt(width))];
    const isDense = end - first > STEPS_DENSE * FIELDS;
    const [slots, apart] = isDense ? [1, 1.5] : [this.slots, 0.75];
    const lastAt = new Float32Array(lanes * lanes * slots).fill(-10);
    for (let at = first; at < end; at += FIELDS) {
      const x = this.xOf(steps[at]);
      const [from, to, message] = [steps[at + 1], steps[at + 2], steps[at + 3]];
      const key = (from * lanes + to) * slots + (message % slots);
      if (x - lastAt[key] < apart) continue;
      lastAt[key] = x;
      const [one, other] = [this.yOf(from, message), this.yOf(to, message)];
      context.fillRect(Math.round(x), Math.min(one, other), 1, Math.abs(one - other) + 1);
    }
  }

  paintMarks(context) {
    const [first, last] = [this.placeAt(this.gutter - 8), this.placeAt(this.width + 8)];
    const labelled = new Map();
    const { marks } = this.ways;
    const [begin, end] = [lowerBound(marks, first), lowerBound(marks, last)];
    const [slots, apart] = end - begin > MARKS_DENSE ? [1, MARKS_APART_DENSE] : [this.slots, 2.5];
    const seen = new Float32Array(this.order.length * slots * MARKED.length).fill(-10);
    for (let at = begin; at < end; at += 1) {
      const mark = marks[at];
      const x = this.xOf(mark.place);
      const key = (mark.lane * slots + (Math.max(0, mark.message) % slots)) * MARKED.length + mark.sign;
      if (x - seen[key] < apart) continue;
      seen[key] = x;
      const y = this.yOf(mark.lane, Math.max(0, mark.message));
      paintMark(context, mark.kind, x, y, this.palette);
      if (slots === this.slots && LABELLED.includes(mark.kind)) this.paintLabel(context, mark, x, y, labelled);
    }
  }

  // Writes rule and reason where there is room for them.
  paintLabel(context, mark, x, y, labelled) {
    const words = this.timeline.words[this.entries[mark.at].entry[WORDS]];
    const rule = /\[([A-Z]+-\d+)\]$/.exec(words)?.[1];
    const reason = /\((expired|rejected|maxlen|delivery_limit)\)/.exec(words)?.[1] ?? KIND_NAMES[mark.kind];
    const text = rule ? `${reason}, ${rule}` : reason;
    const width = context.measureText(text).width;
    const row = this.row[mark.lane];
    const left = x + width + 14 > this.width ? x - width - 16 : x;
    if (!rule || left + 8 < (labelled.get(row) ?? 0)) return;
    labelled.set(row, left + width + 20);
    const top = RULER + row * LANE_HEIGHT - this.scroller.scrollTop;
    const beside = y - top > LANE_HEIGHT / 2 ? top + 9 : top + LANE_HEIGHT - 10;
    context.fillStyle = this.palette.lanes.queue;
    context.globalAlpha = 0.85;
    context.fillRect(left + 5, beside - 8, width + 6, 16);
    context.globalAlpha = 1;
    context.fillStyle = this.palette.marks[mark.kind];
    context.fillText(text, left + 8, beside);
  }

  paintChosen(context) {
    if (this.chosen === null) return;
    context.strokeStyle = this.palette.chosen;
    context.lineWidth = 3;
    context.beginPath();
    for (const list of this.ways.stretches) {
      for (let at = 0; at < list.length; at += FIELDS) {
        if (list[at + 3] !== this.chosen) continue;
        const y = this.yOf(list[at + 2], this.chosen);
        context.moveTo(this.xOf(list[at]), y);
        context.lineTo(this.xOf(list[at + 1]), y);
      }
    }
    for (const list of this.ways.steps) {
      for (let at = 0; at < list.length; at += FIELDS) {
        if (list[at + 3] !== this.chosen) continue;
        context.moveTo(this.xOf(list[at]), this.yOf(list[at + 1], this.chosen));
        context.lineTo(this.xOf(list[at]), this.yOf(list[at + 2], this.chosen));
      }
    }
    context.stroke();
    for (const mark of this.ways.marks) {
      if (mark.message !== this.chosen) continue;
      const [x, y] = [this.xOf(mark.place), this.yOf(mark.lane, mark.message)];
      paintMark(context, mark.kind, x, y, this.palette);
      if (mark.at !== this.focused) continue;
      context.beginPath();
      context.arc(x, y, 10, 0, 7);
      context.stroke();
    }
  }

  // Expectations and what else is of no lane: a line from top to bottom.
  paintBesides(context) {
    let drawn = -10;
    for (const at of this.ways.besides) {
      const kind = this.entries[at].entry[KIND];
      const x = this.xOf(this.scale.places[at]);
      if (!["judged", "failed", "restarted"].includes(kind) || x < this.gutter || x > this.width || x - drawn < 2) continue;
      drawn = x;
      context.strokeStyle = this.palette.besides[kind];
      context.lineWidth = kind === "failed" ? 2 : 1;
      context.setLineDash([2, 4]);
      context.beginPath();
      context.moveTo(x, RULER);
      context.lineTo(x, this.height);
      context.stroke();
      context.setLineDash([]);
    }
  }

  paintRuler(context) {
    context.fillStyle = this.palette.page;
    context.fillRect(0, 0, this.width, RULER);
    context.strokeStyle = this.palette.grid;
    context.lineWidth = 1;
    const view = { from: this.placeAt(this.gutter), to: this.placeAt(this.width), pixelsPerUnit: this.perUnit };
    let free = this.gutter;
    for (const [place, moment] of this.scale.ticks(view)) {
      const x = this.xOf(place);
      if (x < this.gutter - 1 || x > this.width) continue;
      context.beginPath();
      context.moveTo(x, RULER - 6);
      context.lineTo(x, RULER);
      context.stroke();
      const text = duration(moment);
      if (x < free || x + context.measureText(text).width + 6 > this.width) continue;
      context.fillStyle = this.palette.dim;
      context.fillText(text, x + 3, RULER - 16);
      free = x + context.measureText(text).width + 14;
    }
    context.beginPath();
    context.moveTo(0, RULER - 0.5);
    context.lineTo(this.width, RULER - 0.5);
    context.stroke();
  }

  paintNames(context) {
    this.order.forEach((lane, row) => {
      const y = RULER + row * LANE_HEIGHT - this.scroller.scrollTop;
      if (y > this.height || y + LANE_HEIGHT < RULER) return;
      const it = this.timeline.lanes[lane];
      context.fillStyle = this.palette.lanes[it.is];
      context.fillRect(0, Math.max(y, RULER), this.gutter - 2, LANE_HEIGHT - 1);
      context.save();
      context.beginPath();
      context.rect(0, RULER, this.gutter - 6, this.height);
      context.clip();
      context.fillStyle = this.palette.text;
      context.font = `600 12px ${this.palette.font}`;
      context.fillText(shortened(context, laneName(it, this.timeline.lanes), this.gutter - 16), 10, y + 16);
      context.font = `11px ${this.palette.font}`;
      context.fillStyle = this.palette.dim;
      context.fillText(it.is, 10, y + 32);
      context.font = `12px ${this.palette.font}`;
      context.restore();
    });
  }

  onWheel(event) {
    const isZoom = event.ctrlKey || event.metaKey || (document.activeElement === this.canvas && Math.abs(event.deltaY) >= Math.abs(event.deltaX));
    const isPan = !isZoom && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY));
    if (!isZoom && !isPan) return;
    event.preventDefault();
    if (isZoom) this.zoom(Math.exp(-event.deltaY * 0.0025), event.offsetX);
    else this.pan((event.deltaX || event.deltaY) / this.visible);
  }

  onDown(event) {
    this.drag = { x: event.clientX, from: this.from, moved: false, pointer: event.pointerId };
    this.canvas.setPointerCapture(event.pointerId);
  }

  onMove(event) {
    if (this.drag?.pointer === event.pointerId) {
      const apart = event.clientX - this.drag.x;
      this.drag.moved ||= Math.abs(apart) > 4;
      if (this.drag.moved) {
        this.from = this.drag.from - apart / this.perUnit;
        this.keepInSight();
      }
      return;
    }
    this.showTip(event.offsetX, event.offsetY);
  }

  onUp(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.moved) return;
    this.canvas.focus();
    const found = this.find(event.offsetX, event.offsetY);
    this.choose(found?.message ?? null);
    if (found?.at !== undefined) this.focused = found.at;
  }

  showTip(x, y) {
    const found = this.find(x, y);
    this.tip.hidden = !found;
    this.canvas.classList.toggle("pointing", Boolean(found));
    if (!found) return;
    const message = this.timeline.messages[found.message];
    const words = found.at === undefined ? message.fate : this.tell(found.at);
    this.tip.textContent = message ? `${message.name}: ${words}` : words;
    this.tip.style.left = `${Math.max(4, Math.min(x + 14, this.width - this.tip.offsetWidth - 6))}px`;
    this.tip.style.top = `${Math.min(y + 16, this.height - this.tip.offsetHeight - 4)}px`;
  }

  tell(at) {
    const { entry } = this.entries[at];
    return `${duration(entry[AT])}  ${this.timeline.words[entry[WORDS]]}`;
  }

  // Finds the mark or the line at a place of the canvas.
  find(x, y) {
    if (x < this.gutter || y < RULER) return null;
    const { marks } = this.ways;
    let [best, least] = [null, 81];
    const last = this.placeAt(x + 9);
    for (let at = lowerBound(marks, this.placeAt(x - 9)); at < marks.length && marks[at].place <= last; at += 1) {
      const mark = marks[at];
      const apart = (this.xOf(mark.place) - x) ** 2 + (this.yOf(mark.lane, Math.max(0, mark.message)) - y) ** 2;
      if (apart < least) [best, least] = [mark, apart];
    }
    if (best) return { message: best.message, at: best.at };
    const place = this.placeAt(x);
    for (const list of this.ways.stretches) {
      for (let at = 0; at < list.length && list[at] <= place; at += FIELDS) {
        if (list[at + 1] >= place && Math.abs(this.yOf(list[at + 2], list[at + 3]) - y) < 4) return { message: list[at + 3] };
      }
    }
    return null;
  }

  // Chooses a message; `told` where somebody else chose it.
  choose(message, told = false) {
    [this.chosen, this.focused] = [message < 0 ? null : message, null];
    this.redraw();
    if (!told) this.onChoose(this.chosen);
  }

  onKey(event) {
    const { messages } = this.timeline;
    const actions = {
      ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1),
      "+": () => this.zoom(1.4), "=": () => this.zoom(1.4), "-": () => this.zoom(1 / 1.4), 0: () => this.fit(), Home: () => this.fit(),
      ArrowDown: () => this.chooseNext(1), ArrowUp: () => this.chooseNext(-1),
      k: () => this.stepThrough(-1), j: () => this.stepThrough(1), Escape: () => this.choose(null),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || !messages) return;
    event.preventDefault();
    action();
  }

  chooseNext(step) {
    const count = this.timeline.messages.length;
    if (!count) return;
    const next = this.chosen === null ? (step > 0 ? 0 : count - 1) : (this.chosen + step + count) % count;
    this.choose(next);
    const message = this.timeline.messages[next];
    this.said.textContent = `${message.name}: ${message.fate}`;
    this.lookAt(this.scale.places[this.ways.ofMessage[next][0]]);
  }

  stepThrough(step) {
    if (this.chosen === null) return this.chooseNext(1);
    const all = this.ways.ofMessage[this.chosen];
    const now = all.indexOf(this.focused);
    this.focused = all[Math.min(Math.max(now < 0 ? 0 : now + step, 0), all.length - 1)];
    this.said.textContent = `${this.timeline.messages[this.chosen].name}: ${this.tell(this.focused)}`;
    this.lookAt(this.scale.places[this.focused]);
  }

  // Moves so that a place is in sight.
  lookAt(place) {
    const x = this.xOf(place);
    if (x < this.gutter - 1 || x > this.width - 10) [this.from, this.isWhole] = [place - this.visible / this.perUnit / 3, false];
    this.redraw();
  }
}

// A span that changes with each pixel needs three digits.
function roundedSpan(ms) {
  return Number(Math.max(0, ms).toPrecision(3));
}

// Finds the first step of a sorted list from a place on.
function firstFrom(list, place) {
  let [low, high] = [0, list.length / FIELDS];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle * FIELDS] < place) low = middle + 1;
    else high = middle;
  }
  return low * FIELDS;
}

function lowerBound(marks, place) {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle].place < place) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return `${text.slice(0, length)}…`;
}

// Draws the sign of what happened: shapes tell kinds apart where colours do not.
function paintMark(context, kind, x, y, palette) {
  context.fillStyle = palette.marks[kind] ?? palette.text;
  context.strokeStyle = context.fillStyle;
  context.lineWidth = 2;
  context.beginPath();
  if (kind === "dead_lettered") polygon(context, [[x, y - 6], [x + 6, y], [x, y + 6], [x - 6, y]]);
  else if (kind === "requeued") polygon(context, [[x - 6, y], [x + 4, y - 5], [x + 4, y + 5]]);
  else if (kind === "blocked") context.rect(x - 3.5, y - 3.5, 7, 7);
  else if (kind === "consumer") context.rect(x - 1.5, y - 6, 3, 12);
  else if (["dropped", "rejected", "refused", "unpublished"].includes(kind)) {
    context.moveTo(x - 4, y - 4);
    context.lineTo(x + 4, y + 4);
    context.moveTo(x + 4, y - 4);
    context.lineTo(x - 4, y + 4);
    return context.stroke();
  } else if (kind === "acked") {
    context.moveTo(x - 4, y);
    context.lineTo(x - 1, y + 4);
    context.lineTo(x + 5, y - 4);
    return context.stroke();
  } else context.arc(x, y, kind === "redelivered" ? 4 : 3, 0, 7);
  return kind === "redelivered" ? context.stroke() : context.fill();
}

function polygon(context, corners) {
  corners.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

// Tells what the signs mean: those that occur.
function legend(timeline) {
  const kinds = new Set(entriesInOrder(timeline).map(({ entry }) => entry[KIND]));
  const shown = ["delivered", "redelivered", "acked", "rejected", "requeued", "dead_lettered", "dropped", "blocked", "unpublished", "refused", "consumer"];
  const samples = shown.filter((kind) => kinds.has(kind)).map((kind) => {
    const canvas = element("canvas", { width: "32", height: "32", class: "sample", "data-kind": kind, "aria-hidden": "true" });
    return element("span", { class: "key" }, canvas, KIND_NAMES[kind]);
  });
  return element("div", { class: "legend" }, samples);
}

function readPalette(root) {
  const style = getComputedStyle(root);
  // A colour that depends on the theme is a colour only where it is used.
  const probe = root.appendChild(element("i", { hidden: true }));
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    font: style.fontFamily, text: colour("text"), dim: colour("dim"), page: colour("page"), grid: colour("line"), chosen: colour("accent"),
    lines: [colour("way"), colour("death"), colour("again")],
    lanes: { publisher: colour("lane-publisher"), queue: colour("lane-queue"), consumer: colour("lane-consumer") },
    besides: { judged: colour("good"), failed: colour("bad"), restarted: colour("again") },
    marks: {
      delivered: colour("text"), redelivered: colour("again"), acked: colour("good"), rejected: colour("bad"), requeued: colour("again"),
      dead_lettered: colour("death"), dropped: colour("bad"), blocked: colour("again"), unpublished: colour("bad"), refused: colour("bad"), consumer: colour("dim"),
    },
  };
  probe.remove();
  for (const sample of root.querySelectorAll("canvas.sample")) {
    const context = sample.getContext("2d");
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, 16, 16);
    paintMark(context, sample.dataset.kind, 8, 8, palette);
  }
  return palette;
}
