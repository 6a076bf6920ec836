// The scenario's text with its expectations at their lines, what failed and why, and the outcome on each broker.
import { duration, element, plural } from "./elements.js";
import { linesApart } from "./run.js";

// Shows the text of a scenario; lines that were judged say how.
export function scenarioOf(report, sources) {
  const source = sources[report.source];
  if (!source) return element("p", { class: "dim" }, "The text of this scenario is not known.");
  const judged = new Map();
  for (const [line, at, holds] of report.expectations) {
    const known = judged.get(line) ?? { holds: 0, fails: 0, at };
    known[holds ? "holds" : "fails"] += 1;
    known.at = at;
    judged.set(line, known);
  }
  const count = report.expectations.length;
  const failed = report.expectations.filter(([, , holds]) => !holds).length;
  const told = count ? `${plural(count, "expectation")} judged, ${failed} failed` : "no expectation was judged";
  return element("div", {}, element("p", { class: "dim" }, `${source.name}: ${told}`), textOf(source, judged, report.failures, report.notes));
}

// Shows a text with what was judged at its lines: `holds` and `fails` times, last `at`. `now` is the line of the step at hand.
export function textOf(source, judged, failed, noted, now = null) {
  const failures = new Map();
  for (const failure of failed) failures.set(failure.line, [...(failures.get(failure.line) ?? []), failure]);
  const notes = new Map();
  for (const [line, note] of noted) notes.set(line, [...(notes.get(line) ?? []), note]);
  const rows = source.text.replace(/\n$/, "").split("\n").flatMap((text, at) => {
    const line = at + 1;
    const it = judged.get(line);
    const fails = failures.has(line) || it?.fails > 0;
    const mark = fails ? ["✗", "fails"] : it ? ["✓", "holds"] : line === now ? ["▶", "at this step"] : ["", ""];
    const look = `${line === now ? "now " : ""}${it || fails ? mark[1] : ""}`;
    const row = element("div", { class: `text-line ${look}`, id: `line-${line}` },
      element("span", { class: "sign", "aria-label": mark[1] || null, role: mark[1] ? "img" : null }, mark[0]),
      element("span", { class: "number" }, String(line)), element("code", {}, text || " "),
      it && !fails ? element("span", { class: "dim when" }, it.holds > 1 ? `holds ${it.holds} times` : `holds at ${duration(it.at)}`) : null);
    const below = [...(failures.get(line) ?? []).map(failureOf), ...(notes.get(line) ?? []).map((note) => element("div", { class: "note" }, `note: ${note}`))];
    return [row, ...below];
  });
  return element("div", { class: "source", role: "group", "aria-label": "scenario" }, rows);
}

// Tells what failed, and what led there.
export function failureOf(failure) {
  const findings = failure.findings.map(([field, expected, found]) => element("tr", {},
    element("th", { scope: "row" }, field), element("td", { class: "expected" }, expected), element("td", { class: "found" }, found)));
  return element("div", { class: "failure" },
    element("p", {}, element("strong", {}, failure.message), " ", element("span", { class: "dim" }, `at ${duration(failure.at_ms)}, ${failure.code}`)),
    findings.length ? element("table", {}, element("thead", {}, element("tr", {}, ["Field", "Expected", "Found"].map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, findings)) : null,
    failure.help ? element("p", { class: "help" }, `help: ${failure.help}`) : null,
    failure.before.trim() ? element("details", { open: true }, element("summary", {}, "What led there"), element("pre", { tabindex: "0" }, failure.before.replace(/\n+$/, ""))) : null);
}

// Shows a difference as text: lines that begin with - and + are coloured.
export function differenceOf(text) {
  const lines = text.split("\n").map((line) => {
    const look = line.startsWith("-") ? "gone" : line.startsWith("+") ? "come" : null;
    return element("span", { class: look }, `${line}\n`);
  });
  return element("pre", { class: "difference", tabindex: "0" }, lines);
}

// Shows the snapshot's difference, the outcome, and beside it that of each other broker.
export function outcomeOf(report, others, data) {
  const parts = [];
  if (report.snapshot) {
    parts.push(element("h3", {}, report.verdict === "changed" ? "Differs from the snapshot" : "Snapshot"), differenceOf(report.snapshot));
  }
  const told = data.differences.filter((one) => one.name === report.name);
  for (const one of told) parts.push(element("h3", {}, `Where ${one.brokers.join(" and ")} part`), element("pre", { tabindex: "0" }, one.text));
  for (const other of others.filter((one) => one !== report)) parts.push(besideOf(report, other, data));
  if (report.outcome) {
    const whole = element("details", { open: others.length < 2 }, element("summary", {}, `Outcome on ${data.brokers[report.broker]}`), element("pre", { tabindex: "0" }, report.outcome));
    parts.push(whole);
  } else if (!report.snapshot) {
    parts.push(element("p", { class: "dim" }, report.verdict === "skipped" ? "It was not played." : "There is no outcome: the run ended before its end, or keeps no snapshot."));
  }
  return element("div", {}, parts);
}

// Sets the outcomes of two brokers side by side.
function besideOf(report, other, data) {
  const names = [data.brokers[report.broker], data.brokers[other.broker]];
  const head = element("h3", {}, `${names[0]} and ${names[1]}`);
  const verdicts = element("p", {}, `${names[0]}: ${verdictOf(report)}. ${names[1]}: ${verdictOf(other)}.`);
  if (!report.outcome || !other.outcome) return element("section", {}, head, verdicts);
  if (report.outcome === other.outcome) return element("section", {}, head, verdicts, element("p", { class: "dim" }, "The outcomes are the same."));
  const cell = (text, look, side) => element("td", { class: look, "data-broker": names[side] }, text ?? "");
  const rows = pairs(linesApart(report.outcome, other.outcome)).map(([ours, theirs, same]) =>
    element("tr", {}, cell(ours, same || ours === undefined ? null : "gone", 0), cell(theirs, same || theirs === undefined ? null : "come", 1)));
  const table = element("table", { class: "beside" }, element("thead", {}, element("tr", {}, names.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, rows));
  return element("section", {}, head, verdicts, element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `outcomes of ${names.join(" and ")}` }, table));
}

function verdictOf(report) {
  const failed = report.failures.length ? `, ${report.failures[0].message}` : "";
  return `${report.verdict}${failed}`;
}

// Sets lines that were replaced beside each other.
function pairs(lines) {
  const rows = [];
  let [gone, come] = [[], []];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1) rows.push([gone[at], come[at], false]);
    [gone, come] = [[], []];
  };
  for (const [sign, line] of lines) {
    if (sign === "-") gone.push(line);
    else if (sign === "+") come.push(line);
    else {
      flush();
      rows.push([line, line, true]);
    }
  }
  flush();
  return rows;
}
