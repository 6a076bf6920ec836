// A text with its colours, the numbers of its lines, what is wrong at its place, and a list of what can be written. The text is a
// text area, so that keyboards, screen readers, undo and touch work as everywhere; all else stands behind it or beside it.
import { element, plural, refill } from "./elements.js";

// How many candidates are shown.
const CANDIDATES_MAX = 60;

// After these letters candidates are looked for by themselves.
const ASKS = /[\w.\-/"]$|: $|[{,[] ?$|- $/;

// Comments, texts in quotes, templates, keys.
const COLOURED = /(?<comment>(?<![^\s])#.*$)|(?<template>\{\{.*?\}\})|(?<string>"(?:[^"\\]|\\.)*"?|(?<![\w])'[^']*'?)|(?<key>[A-Za-z_$][\w.\-/]*)(?=\s*:(?:\s|$))/gm;

export class Editor {
  // `handlers`: `onInput(text)`, `onLine(line)`, and `complete(text, at)`, which answers with candidates.
  constructor(root, handlers) {
    Object.assign(this, { ...handlers, problems: [], asked: 0, chosen: 0, candidates: [] });
    this.text = element("textarea", {
      id: "text", spellcheck: "false", autocapitalize: "off", autocomplete: "off", autocorrect: "off", wrap: "off", "aria-autocomplete": "list", "aria-haspopup": "listbox",
      "aria-describedby": "editor-help", oninput: (event) => this.onEdit(event), onkeydown: (event) => this.onKey(event), onscroll: () => this.follow(),
      onclick: () => this.close(), onblur: () => this.close(), onkeyup: () => this.tellLine(), onselect: () => this.tellLine(),
    });
    [this.gutter, this.colours, this.marks] = [element("pre", { class: "gutter" }), element("pre", {}), element("pre", {})];
    this.list = element("ul", { id: "candidates", role: "listbox", "aria-label": "what can be written here", hidden: true });
    this.note = element("p", { class: "note-of", hidden: true });
    this.popup = element("div", { class: "popup", hidden: true }, this.list, this.note);
    this.told = element("span", { class: "hidden", role: "status" });
    this.measure = element("span", { class: "measure" }, "0".repeat(100));
    const back = element("div", { class: "back", "aria-hidden": "true" }, element("div", { class: "gutter-box" }, this.gutter), element("div", { class: "colours" }, this.colours), element("div", { class: "marks" }, this.marks), this.measure);
    refill(root, element("div", { class: "editor" }, back, this.text, this.popup), this.told,
      element("p", { id: "editor-help", class: "hidden" }, "Control and space lists what can be written here. Tab leaves the text."));
    this.popup.addEventListener("mousedown", (event) => event.preventDefault());
  }

  // Shows another text; where it was edited before stays in the browser's undo no longer.
  show(text, label) {
    this.close();
    this.text.setAttribute("aria-label", label);
    if (this.text.value !== text) {
      this.text.value = text;
      this.text.setSelectionRange(0, 0);
      this.text.scrollTo(0, 0);
    }
    this.draw();
  }

  // Shows what is wrong: `from` and `to`, `level` and `message` of each.
  showProblems(problems) {
    this.problems = problems;
    this.draw();
  }

  goTo(at) {
    this.text.focus();
    this.text.setSelectionRange(at, at);
    const line = this.lineOf(at);
    const height = this.lineHeight();
    if (line * height < this.text.scrollTop + height || line * height > this.text.scrollTop + this.text.clientHeight - 3 * height) {
      this.text.scrollTop = Math.max(0, line * height - this.text.clientHeight / 3);
    }
    this.tellLine();
  }

  lineOf(at) {
    return this.text.value.slice(0, at).split("\n").length;
  }

  lineHeight() {
    return parseFloat(getComputedStyle(this.text).lineHeight);
  }

  // Goes to the next error behind the cursor, or to the first; where there is none, to what is worth knowing.
  nextProblem() {
    const errors = this.problems.filter((problem) => problem.level === "error");
    const places = (errors.length ? errors : this.problems).map((problem) => problem.from).sort((one, other) => one - other);
    const next = places.find((place) => place > this.text.selectionStart) ?? places[0];
    if (next !== undefined) this.goTo(next);
  }

  draw() {
    const { value } = this.text;
    const lines = value.split("\n");
    const worst = new Map();
    for (const { line, level, message } of this.problems) {
      const known = worst.get(line);
      const text = known ? `${known.text}\n${message}` : message;
      worst.set(line, { level: known?.level === "error" ? "error" : level, text });
    }
    refill(this.gutter, lines.map((_, at) => {
      const wrong = worst.get(at + 1);
      return element("span", { class: wrong ? `at ${wrong.level}` : null, title: wrong?.text }, String(at + 1));
    }));
    refill(this.colours, coloured(value));
    refill(this.marks, this.marked(value));
    this.follow();
  }

  // What is wrong is underlined, up to the end of its line.
  marked(value) {
    const parts = [];
    let at = 0;
    for (const { from, to, level } of [...this.problems].sort((one, other) => one.from - other.from)) {
      const begin = Math.min(Math.max(from, at), value.length);
      const lineEnd = value.indexOf("\n", begin);
      const end = Math.min(Math.max(to, begin + 1), lineEnd < 0 ? value.length : Math.max(lineEnd, begin));
      if (from < at) continue;
      parts.push(value.slice(at, begin), element("span", { class: level }, value.slice(begin, end) || " "));
      at = end;
    }
    return [...parts, `${value.slice(at)}\n`];
  }

  follow() {
    const { scrollLeft, scrollTop } = this.text;
    for (const layer of [this.colours, this.marks]) layer.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
    this.gutter.style.transform = `translateY(${-scrollTop}px)`;
    if (!this.popup.hidden) this.place();
  }

  tellLine() {
    this.onLine(this.lineOf(this.text.selectionStart));
  }

  onEdit(event) {
    this.draw();
    this.onInput(this.text.value);
    const { selectionStart: at, value } = this.text;
    const isTyped = event.inputType === "insertText" || (event.inputType?.startsWith("delete") && !this.popup.hidden);
    if (isTyped && ASKS.test(value.slice(Math.max(0, at - 2), at))) this.ask(false);
    else this.close();
  }

  // Asks what can be written at the cursor; by hand it is told where nothing can.
  async ask(byHand) {
    this.asked += 1;
    const [asked, { value, selectionStart: at }] = [this.asked, this.text];
    const found = await this.complete(value, at).catch(() => ({ from: at, candidates: [] }));
    if (asked !== this.asked || this.text.value !== value || this.text.selectionStart !== at) return;
    this.from = found.from;
    this.candidates = found.candidates.slice(0, CANDIDATES_MAX);
    if (!this.candidates.length) {
      this.close();
      if (byHand) this.told.textContent = "Nothing is known that could be written here.";
      return;
    }
    this.open();
  }

  open() {
    refill(this.list, this.candidates.map((one, place) => element("li", { role: "option", id: `candidate-${place}`, onclick: () => this.accept(place) },
      element("span", { class: one.key ? "key" : "word" }, one.word), one.note ? element("span", { class: "dim" }, one.note) : null)));
    [this.popup.hidden, this.list.hidden] = [false, false];
    this.text.setAttribute("aria-controls", "candidates");
    this.choose(0);
    this.place();
    this.told.textContent = plural(this.candidates.length, "suggestion");
  }

  place() {
    const { selectionStart: at, value, scrollLeft, scrollTop, clientWidth, clientHeight } = this.text;
    const begin = value.lastIndexOf("\n", at - 1) + 1;
    const width = this.measure.getBoundingClientRect().width / 100;
    const style = getComputedStyle(this.text);
    const left = parseFloat(style.paddingLeft) + (this.from - begin) * width - scrollLeft;
    const height = this.lineHeight();
    const top = parseFloat(style.paddingTop) + this.lineOf(at) * height - scrollTop;
    const { offsetWidth, offsetHeight } = this.popup;
    this.popup.style.left = `${Math.max(4, Math.min(left, clientWidth - offsetWidth - 4))}px`;
    // Above the line where there is more room.
    const isAbove = top + offsetHeight > clientHeight && top - height - offsetHeight > 0;
    this.popup.style.top = `${isAbove ? top - height - offsetHeight : top}px`;
  }

  choose(place) {
    this.chosen = (place + this.candidates.length) % this.candidates.length;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === this.chosen)));
    const option = this.list.children[this.chosen];
    this.text.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
    const { note } = this.candidates[this.chosen];
    this.note.hidden = !note;
    this.note.textContent = note;
  }

  close() {
    this.asked += 1;
    [this.popup.hidden, this.list.hidden] = [true, true];
    this.text.removeAttribute("aria-activedescendant");
    this.text.removeAttribute("aria-controls");
  }

  accept(place = this.chosen) {
    const { word, key } = this.candidates[place];
    const { value, selectionStart: at } = this.text;
    const inQuotes = /["']/.test(value[this.from - 1] ?? "");
    const written = inQuotes || /^[\w./][\w./-]*$/.test(word) ? word : JSON.stringify(word);
    this.close();
    this.replace(this.from, at, key && value[at] !== ":" ? `${written}: ` : written);
  }

  // Writes so that it can be undone.
  replace(from, to, text) {
    this.text.focus();
    this.text.setSelectionRange(from, to);
    if (!document.execCommand("insertText", false, text)) {
      this.text.setRangeText(text, from, to, "end");
      this.text.dispatchEvent(new InputEvent("input", { inputType: "insertReplacementText" }));
    }
  }

  onKey(event) {
    if (event.isComposing) return;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    if (event.key === " " && event.ctrlKey) this.ask(true);
    else if (event.key === "F8") this.nextProblem();
    else if (isPlain && !this.popup.hidden && this.onListKey(event.key)) event.stopPropagation();
    else if (isPlain && event.key === "Enter") this.newLine();
    else return;
    event.preventDefault();
  }

  // Returns whether a key is for the list.
  onListKey(key) {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (steps[key]) this.choose(this.chosen + steps[key]);
    else if (key === "Enter" || key === "Tab") this.accept();
    else if (key === "Escape") this.close();
    else return false;
    return true;
  }

  // Begins a line where the next key or item of the list would stand.
  newLine() {
    const { selectionStart: from, selectionEnd: to, value } = this.text;
    const line = value.slice(value.lastIndexOf("\n", from - 1) + 1, from);
    let indent = /^ */.exec(line)[0].length;
    if (/^ *- +[^{["'#]*:(\s|$)/.test(line)) indent += 2;
    if (/:\s*$/.test(line)) indent += 2;
    this.replace(from, to, `\n${" ".repeat(indent)}`);
  }
}

function coloured(value) {
  const parts = [];
  let at = 0;
  for (const found of value.matchAll(COLOURED)) {
    const kind = Object.entries(found.groups).find(([, text]) => text !== undefined)[0];
    parts.push(value.slice(at, found.index), element("span", { class: `is-${kind}` }, found[0]));
    at = found.index + found[0].length;
  }
  return [...parts, `${value.slice(at)}\n`];
}
