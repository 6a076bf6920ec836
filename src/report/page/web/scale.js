// Where entries stand along the diagram, and the ticks above them.
import { AT } from "./run.js";

// By time: a millisecond is one unit, and what happens at one moment is spread over the beginning of its millisecond.
export function byTime(entries) {
  const places = new Float64Array(entries.length);
  for (let from = 0; from < entries.length; ) {
    const moment = entries[from].entry[AT];
    let end = from;
    while (end < entries.length && entries[end].entry[AT] === moment) end += 1;
    for (let at = from; at < end; at += 1) places[at] = moment + (0.9 * (at - from)) / (end - from);
    from = end;
  }
  const end = places.length ? Math.max(places[places.length - 1], 1) : 1;
  return { places, end: end * 1.02, ticks: timeTicks, unitMax: 500, mode: "time" };
}

// By order: each entry takes one unit, and a wait takes a few more, as many for a second as for a week.
const WAIT = 3;

export function byOrder(entries) {
  const places = new Float64Array(entries.length);
  const moments = [];
  let place = 0;
  entries.forEach(({ entry }, at) => {
    if (at > 0 && entry[AT] !== entries[at - 1].entry[AT]) place += WAIT;
    if (at === 0 || entry[AT] !== entries[at - 1].entry[AT]) moments.push([place, entry[AT]]);
    places[at] = place;
    place += 1;
  });
  return { places, end: Math.max(place, 1), ticks: () => momentTicks(moments), unitMax: 80, mode: "order" };
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 120000, 300000, 600000, 1800000,
  3600000, 7200000, 21600000, 43200000, 86400000, 172800000, 604800000, 2592000000, 31536000000];

// How far apart ticks are, in pixels.
const APART = 90;

function timeTicks(view) {
  const step = STEPS.find((size) => size * view.pixelsPerUnit >= APART) ?? STEPS[STEPS.length - 1];
  const ticks = [];
  for (let n = Math.max(0, Math.ceil(view.from / step)); n * step <= view.to && ticks.length < 200; n += 1) ticks.push([n * step, n * step]);
  return ticks;
}

function momentTicks(moments) {
  return moments;
}
