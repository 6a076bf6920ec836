// What is wrong with the files, each a line that leads to its place.
import { element, plural, refill } from "./elements.js";
import { explainable } from "./explained.js";

const LEVELS = ["error", "warning", "note"];

// How many are listed.
const LISTED_MAX = 40;

// The places of problems in one file, for its text.
export function problemsIn(problems, file) {
  return problems.flatMap(({ level, message, labels }) => {
    const [label] = labels;
    return label?.file === file ? [{ level, message, line: label.line, from: label.from, to: label.to }] : [];
  });
}

export function countOf(problems, level) {
  return problems.filter((problem) => problem.level === level).length;
}

export function inWords(problems) {
  const counts = LEVELS.map((level) => [level, countOf(problems, level)]).filter(([, count]) => count);
  return counts.map(([level, count]) => plural(count, level)).join(", ");
}

// `goTo` takes a file and a place in it, `explain` a name.
export class Problems {
  constructor(root, goTo, explain) {
    Object.assign(this, { root, goTo, explain });
    this.told = element("p", { role: "status" });
    this.list = element("ol", { class: "problems" });
    refill(root, this.told, this.list);
  }

  show(problems, openFile) {
    this.told.className = countOf(problems, "error") ? "found" : problems.length ? "odd" : "dim";
    this.told.textContent = problems.length ? inWords(problems) : "Nothing is wrong with the files.";
    const sorted = [...problems].sort((one, other) => LEVELS.indexOf(one.level) - LEVELS.indexOf(other.level));
    refill(this.list, sorted.slice(0, LISTED_MAX).map((problem) => this.row(problem, openFile)));
  }

  // Marks what stands at a line of the open file.
  showLine(file, line) {
    for (const row of this.list.children) row.classList.toggle("here", row.dataset.place === `${file}:${line}`);
  }

  row({ level, message, help, rule, code, labels }, openFile) {
    const [label] = labels;
    const inOther = label && label.file !== openFile;
    const place = label ? `${inOther ? `${label.file}, ` : ""}line ${label.line}` : "";
    const told = [element("span", { class: `level ${level}` }, level), place ? ` ${place}: ` : " ", message];
    const head = label ? element("button", { type: "button", class: "link", onclick: () => this.goTo(label.file, label.from) }, told) : element("span", {}, told);
    const more = label?.text ? element("span", { class: "dim" }, ` ${label.text}`) : null;
    return element("li", { class: level, "data-place": label ? `${label.file}:${label.line}` : null }, head, more,
      help ? element("p", { class: "help" }, "help: ", help) : null,
      element("p", { class: "dim" }, explainable(rule ? `${code}, ${rule}` : code, this.explain)));
  }
}
