// A run as the page reads it. The data are those of the JSON block (`format` 1), wherever they come from.

// The entries of a timeline are lists; these are their places.
export const AT = 0;
export const ORDER = 1;
export const KIND = 2;
export const LANE = 3;
export const FROM = 4;
export const WORDS = 5;

// What each kind of entry is called in legends and for screen readers.
export const KIND_NAMES = {
  published: "published",
  unpublished: "not confirmed",
  enqueued: "in a queue",
  delivered: "delivered",
  redelivered: "delivered again",
  acked: "acked",
  rejected: "rejected",
  requeued: "requeued",
  worked: "worked on",
  dead_lettered: "dead-lettered",
  dropped: "dropped",
  blocked: "stuck",
  judged: "expectation holds",
  failed: "expectation fails",
  refused: "refused",
  consumer: "consumer",
  restarted: "restart",
  noted: "note",
};

// Groups the reports of cells by their cell; each row has a place for each broker.
export function rowsOf(data) {
  const rows = [];
  data.cells.forEach((report, place) => {
    const row = (rows[report.cell] ??= { name: report.name, title: report.title, file: report.file, cells: [] });
    row.cells[report.broker] = place;
  });
  return rows.filter(Boolean);
}

// The worst verdict comes first.
const SEVERITY = ["failed", "changed", "flaky", "new", "skipped", "passed"];

export function worst(row, data) {
  const ranks = row.cells.map((place) => SEVERITY.indexOf(data.cells[place].verdict)).filter((rank) => rank >= 0);
  return SEVERITY[Math.min(...ranks)];
}

// Lists all entries of a timeline in the order in which they happened; each knows its message, or -1.
export function entriesInOrder(timeline) {
  if (timeline.inOrder) return timeline.inOrder;
  const all = timeline.besides.map((entry) => ({ entry, message: -1 }));
  timeline.messages.forEach((message, place) => {
    for (const entry of message.entries) all.push({ entry, message: place });
  });
  all.sort((one, other) => one.entry[ORDER] - other.entry[ORDER]);
  timeline.inOrder = all;
  return all;
}

// Orders lanes as a reader follows them: who publishes, then each queue with its consumers below it.
export function laneOrder(lanes) {
  const order = [];
  lanes.forEach((lane, place) => lane.is === "publisher" && order.push(place));
  lanes.forEach((lane, place) => {
    if (lane.is !== "queue") return;
    order.push(place);
    lanes.forEach((other, consumer) => other.is === "consumer" && other.of === place && order.push(consumer));
  });
  lanes.forEach((lane, place) => order.includes(place) || order.push(place));
  return order;
}

// Names a lane; the vhost is told where there are several.
export function laneName(lane, lanes) {
  const several = new Set(lanes.map((other) => other.vhost).filter(Boolean)).size > 1;
  return several && lane.vhost ? `${lane.name} (${lane.vhost})` : lane.name;
}

// Compares two texts line by line; returns `[sign, line]` with `-`, `+` or a space.
export function linesApart(one, other) {
  const [ours, theirs] = [one.split("\n"), other.split("\n")];
  const out = [];
  let [from, ourEnd, theirEnd] = [0, ours.length, theirs.length];
  while (from < ourEnd && from < theirEnd && ours[from] === theirs[from]) from += 1;
  while (ourEnd > from && theirEnd > from && ours[ourEnd - 1] === theirs[theirEnd - 1]) [ourEnd, theirEnd] = [ourEnd - 1, theirEnd - 1];
  ours.slice(0, from).forEach((line) => out.push([" ", line]));
  out.push(...middleApart(ours.slice(from, ourEnd), theirs.slice(from, theirEnd)));
  ours.slice(ourEnd).forEach((line) => out.push([" ", line]));
  return out;
}

// The longest common lines, where the table for them stays small; else all of one, then all of the other.
const TABLE_MAX = 4_000_000;

function middleApart(ours, theirs) {
  const width = theirs.length + 1;
  if (!ours.length || !theirs.length || (ours.length + 1) * width > TABLE_MAX) {
    return [...ours.map((line) => ["-", line]), ...theirs.map((line) => ["+", line])];
  }
  const common = new Uint32Array((ours.length + 1) * width);
  for (let i = ours.length - 1; i >= 0; i -= 1) {
    for (let j = theirs.length - 1; j >= 0; j -= 1) {
      const at = i * width + j;
      common[at] = ours[i] === theirs[j] ? common[at + width + 1] + 1 : Math.max(common[at + width], common[at + 1]);
    }
  }
  const out = [];
  let [i, j] = [0, 0];
  while (i < ours.length || j < theirs.length) {
    if (i < ours.length && j < theirs.length && ours[i] === theirs[j]) {
      out.push([" ", ours[i]]);
      [i, j] = [i + 1, j + 1];
    } else if (j >= theirs.length || (i < ours.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out.push(["-", ours[i]]);
      i += 1;
    } else {
      out.push(["+", theirs[j]]);
      j += 1;
    }
  }
  return out;
}
