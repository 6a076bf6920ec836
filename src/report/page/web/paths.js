// The ways of messages through lanes, as arrays: stretches along a lane, steps from lane to lane, and marks.
import { FROM, KIND, LANE } from "./run.js";

// How lines are drawn.
export const PLAIN = 0;
export const DEAD = 1;
export const AGAIN = 2;

// Kinds that are marked on the diagram; others only make lines.
export const MARKED = ["delivered", "redelivered", "acked", "rejected", "requeued", "dead_lettered", "dropped", "blocked", "unpublished", "refused", "consumer"];

// Follows all messages; `entries` are in order, `places` are theirs.
export function waysOf(timeline, entries, places, end) {
  const ways = { stretches: [[], [], []], steps: [[], [], []], marks: [], besides: [], ofMessage: timeline.messages.map(() => []) };
  const travels = timeline.messages.map((_, message) => new Travel(ways, message));
  entries.forEach(({ entry, message }, at) => {
    const travel = travels[message];
    if (travel) {
      ways.ofMessage[message].push(at);
      travel.take(entry, places[at]);
    }
    const lane = entry[LANE] ?? travel?.last ?? null;
    if (lane === null) ways.besides.push(at);
    else {
      const sign = MARKED.indexOf(entry[KIND]);
      if (sign >= 0) ways.marks.push({ place: places[at], lane, kind: entry[KIND], sign, message, at });
    }
  });
  travels.forEach((travel) => travel.finish(end));
  const byBegin = (one, other) => one[0] - other[0];
  return {
    ...ways,
    stretches: ways.stretches.map((list) => Float64Array.from(list.sort(byBegin).flat())),
    steps: ways.steps.map((list) => Float64Array.from(list.sort(byBegin).flat())),
  };
}

// Stretches are [from, to, lane, message]; steps are [place, from lane, to lane, message].
export const FIELDS = 4;

// Where the copies of one message are.
class Travel {
  constructor(ways, message) {
    Object.assign(this, { ways, message, standing: new Map(), held: new Map(), source: null, since: 0, style: PLAIN, last: null });
  }

  stretch(from, to, lane, style = this.style) {
    this.ways.stretches[style].push([from, to, lane, this.message]);
  }

  step(place, from, to) {
    if (from !== null && from !== to) this.ways.steps[this.style].push([place, from, to, this.message]);
  }

  // Leaves a lane where it stood or was held.
  leave(of, lane, place) {
    if (!of.has(lane)) return false;
    const { since, style } = of.get(lane);
    this.stretch(since, place, lane, style);
    of.delete(lane);
    return true;
  }

  come(queue, place) {
    if (!this.standing.has(queue)) this.standing.set(queue, { since: place, style: this.style });
  }

  take(entry, place) {
    const [kind, lane] = [entry[KIND], entry[LANE]];
    if (lane === null || lane === undefined) return;
    this.last = lane;
    if (kind === "published") {
      [this.source, this.since, this.style] = [lane, place, PLAIN];
    } else if (kind === "enqueued") {
      if (this.source !== null) this.stretch(this.since, place, this.source);
      this.step(place, this.source, lane);
      this.come(lane, place);
    } else if (kind === "delivered" || kind === "redelivered") {
      this.deliver(lane, entry[FROM], place);
    } else if (kind === "acked" || kind === "rejected") {
      this.settle(lane, place);
    } else if (kind === "requeued") {
      this.requeue(lane, place);
    } else if (kind === "dead_lettered" || kind === "dropped") {
      this.die(lane, place, kind);
    }
  }

  deliver(consumer, queue, place) {
    // A live broker does not tell that it came to the queue.
    if (!this.standing.has(queue)) {
      this.step(this.source === null ? place : this.since, this.source, queue);
      this.come(queue, this.source === null ? place : this.since);
    }
    this.style = this.standing.get(queue).style;
    this.leave(this.standing, queue, place);
    this.step(place, queue, consumer);
    this.held.set(consumer, { since: place, queue, style: this.style });
  }

  settle(consumer, place) {
    if (this.leave(this.held, consumer, place)) [this.source, this.since] = [consumer, place];
  }

  // Either a consumer gives it back, or the broker tells that it is back.
  requeue(lane, place) {
    const held = this.held.get(lane);
    const [consumer, queue] = held ? [lane, held.queue] : [[...this.held].find(([, one]) => one.queue === lane)?.[0] ?? null, lane];
    this.style = AGAIN;
    if (consumer !== null) {
      this.leave(this.held, consumer, place);
      this.step(place, consumer, queue);
    }
    this.come(queue, place);
  }

  die(queue, place, kind) {
    const stood = this.leave(this.standing, queue, place);
    const holder = [...this.held].find(([, one]) => one.queue === queue)?.[0] ?? null;
    if (!stood && holder !== null) this.leave(this.held, holder, place);
    if (!stood) this.step(place, holder ?? this.source, queue);
    if (kind === "dead_lettered") [this.source, this.since, this.style] = [queue, place, DEAD];
  }

  finish(end) {
    for (const lane of [...this.standing.keys()]) this.leave(this.standing, lane, end);
    for (const lane of [...this.held.keys()]) this.leave(this.held, lane, end);
  }
}
