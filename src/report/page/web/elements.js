// Makes elements of a document. What is shown is set as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

// Makes an HTML element; `traits` are attributes, `on…` handlers, and `class`.
export function element(tag, traits, ...children) {
  return filled(document.createElement(tag), traits, children);
}

export function svgElement(tag, traits, ...children) {
  return filled(document.createElementNS(SVG, tag), traits, children);
}

function filled(made, traits, children) {
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// Replaces what is in an element.
export function refill(place, ...children) {
  place.replaceChildren(...children.flat(Infinity).filter(Boolean));
}

// A list of which a window is shown, a page of rows at a time: thousands of rows cost no more than some.
export function pagedRows(rows, perPage, drawRow, table, what) {
  let first = 0;
  const body = element("tbody");
  const told = element("span", { class: "dim", role: "status" });
  const show = (from) => {
    first = Math.max(0, Math.min(from, Math.max(0, rows.length - 1)));
    first -= first % perPage;
    const shown = rows.slice(first, first + perPage);
    refill(body, shown.map(drawRow));
    told.textContent = rows.length ? `${first + 1} to ${first + shown.length} of ${rows.length} ${what}` : `no ${what}`;
    back.disabled = first === 0;
    onward.disabled = first + perPage >= rows.length;
  };
  const back = element("button", { type: "button", onclick: () => show(first - perPage) }, "Previous");
  const onward = element("button", { type: "button", onclick: () => show(first + perPage) }, "Next");
  table.append(body);
  const bar = element("div", { class: "pager" }, told, rows.length > perPage ? [back, onward] : []);
  show(0);
  return { bar, show, first: () => first, showRow: (row) => show(row - (row % perPage)), replace: (more) => ((rows = more), show(0)) };
}

// Writes a duration as the scenario's language does: `250ms`, `5.05s`, `2m 30s`, `7d`.
export function duration(ms) {
  if (ms < 1) return ms > 0 ? `${+ms.toFixed(2)}ms` : "0s";
  if (ms < 1000) return `${+ms.toFixed(1)}ms`;
  if (ms < 60000) return `${+(ms / 1000).toFixed(3)}s`;
  const parts = [];
  let rest = Math.round(ms);
  for (const [size, unit] of [[86400000, "d"], [3600000, "h"], [60000, "m"], [1000, "s"], [1, "ms"]]) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)}${unit}`);
    rest %= size;
  }
  return parts.join(" ");
}

export function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
