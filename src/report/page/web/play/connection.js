// The run behind the page: asks for its scene and its state, hears what is new, and keeps the timeline as it grows.
import { AT, ORDER } from "../run.js";

// With more entries than these the oldest messages are let go.
const ENTRIES_MOST = 14000;
const ENTRIES_KEPT = 10000;

const REOPEN_MS = 1000;

export class RunConnection {
  // `onScene` and `onState` are told what came; `onLost` whether rmqplay answers.
  constructor(told) {
    this.told = told;
    this.scene = null;
    this.sentence = 0;
    this.forget();
  }

  forget() {
    this.timeline = { missing: 0, lanes: [], words: [], messages: [], besides: [] };
    [this.laneAt, this.wordAt, this.messageAt] = [new Map(), new Map(), new Map()];
    [this.entry, this.entries] = [0, 0];
  }

  async begin() {
    try {
      await this.readScene();
      this.listen();
    } catch {
      this.lose();
    }
  }

  async readScene() {
    const answer = await fetch("scene");
    if (!answer.ok) throw new Error((await answer.json()).error);
    const scene = await answer.json();
    if (this.scene?.run !== scene.run) this.forget();
    this.scene = scene;
    this.told.onScene(scene);
  }

  listen() {
    this.source?.close();
    this.source = new EventSource(`events?run=${this.scene.run}&entry=${this.entry}&sentence=${this.sentence}`);
    this.source.onopen = () => this.told.onLost(false);
    this.source.onmessage = (event) => this.take(JSON.parse(event.data));
    this.source.onerror = () => this.lose();
  }

  // The stream ended: rmqplay may be gone, or only the connection.
  lose() {
    this.source?.close();
    this.told.onLost(true);
    clearTimeout(this.again);
    this.again = setTimeout(() => this.begin(), REOPEN_MS);
  }

  async take(state) {
    if (state.run !== this.scene.run || state.scene !== this.scene.scene) {
      this.waiting = this.waiting ?? this.readScene().catch(() => this.lose()).finally(() => (this.waiting = null));
      await this.waiting;
    }
    if (state.run !== this.scene.run) return;
    // After a scene of another run its timeline comes from the beginning.
    const hasGrown = Boolean(state.news) && state.entry > this.entry;
    if (hasGrown) this.grow(state.news, state);
    if (state.said.length) this.sentence = state.said[state.said.length - 1].number;
    this.told.onState(state, hasGrown);
  }

  intern(map, list, key, make) {
    if (!map.has(key)) {
      map.set(key, list.length);
      list.push(make());
    }
    return map.get(key);
  }

  grow(news, state) {
    const { timeline } = this;
    if (state.from > 0) timeline.missing += news.missing;
    else timeline.missing = news.missing;
    const lanes = news.lanes.map((lane) => this.intern(this.laneAt, timeline.lanes, `${lane.is} ${lane.vhost ?? ""} ${lane.name}`, () => ({ is: lane.is, name: lane.name, vhost: lane.vhost })));
    news.lanes.forEach((lane, at) => {
      if (lane.of !== undefined) timeline.lanes[lanes[at]].of ??= lanes[lane.of];
    });
    const words = news.words.map((text) => this.intern(this.wordAt, timeline.words, text, () => text));
    const own = ([at, order, kind, lane, from, word]) => [at, order, kind, lane === null ? null : lanes[lane], from === null ? null : lanes[from], words[word]];
    for (const message of news.messages) {
      const place = this.intern(this.messageAt, timeline.messages, message.name, () => ({ name: message.name, fate: "", entries: [] }));
      const known = timeline.messages[place];
      this.entries += message.entries.length - known.entries.length;
      [known.fate, known.entries] = [message.fate, message.entries.map(own)];
    }
    timeline.besides.push(...news.besides.map(own));
    this.entries += news.besides.length;
    this.entry = state.entry;
    timeline.inOrder = null;
    if (this.entries > ENTRIES_MOST) this.letGo();
  }

  // Lets the messages go to which nothing happened for long.
  letGo() {
    const { timeline } = this;
    const orders = [...timeline.messages.flatMap((message) => message.entries), ...timeline.besides].map((entry) => entry[ORDER]).sort((one, other) => other - one);
    const oldest = orders[ENTRIES_KEPT - 1];
    const isKept = (message) => message.entries.length && message.entries[message.entries.length - 1][ORDER] >= oldest;
    const gone = timeline.messages.filter((message) => !isKept(message));
    timeline.messages = timeline.messages.filter(isKept);
    timeline.besides = timeline.besides.filter((entry) => entry[ORDER] >= oldest);
    timeline.missing += gone.reduce((sum, message) => sum + message.entries.length, 0);
    this.messageAt = new Map(timeline.messages.map((message, place) => [message.name, place]));
    this.entries = timeline.messages.reduce((sum, message) => sum + message.entries.length, timeline.besides.length);
  }

  // The moment of the last entry that is known.
  get lastMoment() {
    const { besides } = this.timeline;
    return besides.length ? besides[besides.length - 1][AT] : 0;
  }

  // Asks for something to be done; returns why it was not, or null.
  async ask(what) {
    try {
      const answer = await fetch("do", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(what) });
      return answer.ok ? null : (await answer.json()).error;
    } catch {
      return "rmqplay does not answer";
    }
  }
}
