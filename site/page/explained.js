// Rules and codes explained where they are named.
import { element, refill } from "./elements.js";

// How many columns of text fit into a width, in the letters of a `pre`.
export function columnsOf(width) {
  const measured = document.createElement("canvas").getContext("2d");
  measured.font = '13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace';
  return Math.max(1, Math.floor(width / measured.measureText("0").width));
}

// Makes names of rules and codes in a text buttons that explain them.
const NAMED = /\b(?:[A-Z]{2,4}(?:-[0-9]{2})?-[0-9]{1,3}|[a-z_]+::[a-z_]+)\b/g;

export function explainable(text, explain) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(NAMED)) {
    parts.push(text.slice(from, found.index), element("button", { type: "button", class: "link", onclick: () => explain(found[0]) }, found[0]));
    from = found.index + found[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

// Shows what a rule or a code means, in a dialog.
export class Explained {
  constructor(dialog, helper) {
    Object.assign(this, { dialog, helper });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }

  async show(name) {
    const told = await this.helper.ask("explain", { name, width: columnsOf(Math.min(820, window.innerWidth - 24) - 72) }).catch((error) => ({ name, title: "", text: error.message }));
    const [head, ...body] = told.text.split("\n");
    const close = element("button", { type: "button", onclick: () => this.dialog.close() }, "Close");
    refill(this.dialog, element("h2", { id: "explained-name" }, told.name), element("p", { class: "title" }, told.title || head),
      element("pre", { tabindex: "0" }, explainable(body.join("\n").trim(), (other) => this.show(other))), close);
    if (!this.dialog.open) this.dialog.showModal();
    close.focus();
  }
}
