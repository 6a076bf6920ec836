// The playground: files on the one side, what comes of them on the other. All is done in this browser, by simulators in workers.
import { duration, element, refill } from "./elements.js";
import { themeSwitch } from "./theme.js";
import { Page } from "./page.js";
import { Editor } from "./editor.js";
import { Explained, columnsOf, explainable } from "./explained.js";
import { Problems, countOf, inWords, problemsIn } from "./problems.js";
import { LINK_LONG, isLink, linkOf, workOf } from "./link.js";
import { keep, lastWork, workBefore } from "./kept.js";
import { STOPPED, SimulatorWorker, compiled } from "./workers.js";

// What is shown to who comes for the first time.
const FIRST = "scenarios/poison-dlq.yaml";

// How long a text rests before it is checked.
const REST_MS = 200;

const EMPTY = {
  "scenario.yaml": "scenario: what is published is worked on\ntopology: topology.yaml\n\nconsumers:\n  worker:\n    queue: work\n    on_message: [{do: ack}]\n\nsteps:\n  - publish: {routing_key: work, id: job, body: hello}\n\nat_end:\n  - expect: {consumer: worker, acked: [job]}\n",
  "topology.yaml": "queues:\n  - name: work\n",
};

const find = (selector) => document.querySelector(selector);

class Playground {
  constructor(about, shelf, module) {
    Object.assign(this, { shelf, checked: [], data: null });
    [this.player, this.helper] = [new SimulatorWorker(module), new SimulatorWorker(module)];
    this.explained = new Explained(find("#explained"), this.helper);
    const explain = (name) => this.explained.show(name);
    this.editor = new Editor(find("#editor"), {
      onInput: (text) => this.edit(text), onLine: (line) => this.problems.showLine(this.file, line),
      complete: (text, at) => this.helper.ask("complete", { files: { ...this.work.files, [this.file]: text }, play: this.work.play, file: this.file, at }),
    });
    this.problems = new Problems(find("#problems"), (file, at) => this.goTo(file, at), explain);
    this.explain = explain;
    for (const [id, profile] of [["#profile", about.newest], ["#other", about.profiles[0]]]) {
      refill(find(id), [...about.profiles].reverse().map((name) => element("option", { value: name, selected: name === profile }, name)));
    }
    themeSwitch(find("#theme"), () => this.page?.recolour());
    const on = (id, what, act) => find(id).addEventListener(what, act);
    on("#run", "click", () => this.play("run", true));
    on("#compare", "click", () => this.play("compare", true));
    on("#stop", "click", () => this.player.restart());
    on("#share", "click", () => this.share());
    on("#shelf", "change", () => {
      this.forgetLink();
      this.choose(find("#shelf").value);
    });
    on("#profile", "change", () => this.changeProfile("run"));
    on("#other", "change", () => this.changeProfile("compare"));
    on("#files", "keydown", (event) => this.onTabKey(event));
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("hashchange", () => isLink(location.hash) && this.openLink());
  }

  async begin() {
    if (isLink(location.hash) && await this.openLink()) return;
    const last = lastWork();
    if (last) this.open(last, "last");
    else this.choose(FIRST);
  }

  // Opens what a link holds; where it cannot be read, that is told and all stays as it is.
  async openLink() {
    const { hash } = location;
    try {
      const work = await workOf(hash);
      this.open({ ...work, begun: hash }, "link");
      this.tell(null);
      return true;
    } catch (error) {
      this.tell(`${error.message} ${this.work || lastWork() ? "What you wrote is still here." : ""}`);
      return false;
    }
  }

  // The address names a link as long as the files are those of the link.
  forgetLink() {
    if (isLink(location.hash)) history.replaceState(null, "", location.pathname + location.search);
  }

  tell(text) {
    refill(find("#banner"), text ? element("p", { class: "found" }, text, " ", element("button", { type: "button", class: "small", onclick: () => this.tell(null) }, "Close")) : null);
  }

  // Takes a word of the shelf.
  choose(name) {
    const begun = `${name} ${Date.now()}`;
    const kept = { last: lastWork, before: workBefore }[name]?.();
    const example = this.shelf.examples.find(({ path }) => path === name);
    if (kept) this.open(kept, name);
    else if (example) this.open({ files: Object.fromEntries(example.reads.map((path) => [path, this.shelf.files[path]])), play: name, begun }, name);
    else this.open({ files: EMPTY, play: "scenario.yaml", begun }, "empty");
  }

  // Shows files, and plays them.
  open(work, name) {
    this.work = { ...work, files: { ...work.files }, profile: undefined, other: undefined };
    for (const [id, profile] of [["#profile", work.profile], ["#other", work.other]]) {
      if ([...find(id).options].some((option) => option.value === profile)) find(id).value = profile;
    }
    this.file = this.work.play;
    this.fillShelf(name);
    this.showFile(this.file);
    this.hideLink();
    this.check();
    this.play("run");
  }

  fillShelf(name) {
    const option = (value, text) => element("option", { value, selected: value === name }, text);
    const folders = new Map();
    for (const { path, title } of this.shelf.examples) {
      const [folder, file] = [path.split("/").slice(1, -1).join("/") || "first steps", path.split("/").pop().replace(/\.ya?ml$/, "")];
      folders.set(folder, [...(folders.get(folder) ?? []), option(path, `${file}: ${title}`)]);
    }
    const own = [name === "link" ? option("link", "From the link") : null, lastWork() ? option("last", "What you wrote last") : null,
      workBefore() ? option("before", "What you wrote before that") : null, option("empty", "A first queue")];
    refill(find("#shelf"), own, [...folders].map(([folder, options]) => element("optgroup", { label: folder }, options)));
  }

  showFile(file) {
    this.file = file;
    this.editor.show(this.work.files[file], file);
    this.showChecked();
  }

  // Shows what is wrong with the files: at their tabs, in the text, and as a list.
  showChecked() {
    const { file } = this;
    const paths = Object.keys(this.work.files).sort((one, other) => (other === this.work.play) - (one === this.work.play));
    refill(find("#files"), paths.map((path) => {
      const errors = countOf(this.checked.filter(({ labels }) => labels[0]?.file === path), "error");
      return element("button", {
        type: "button", role: "tab", id: `file-${paths.indexOf(path)}`, "aria-controls": "editor", "aria-selected": String(path === file), tabindex: path === file ? "0" : "-1",
        "data-file": path, title: path, onclick: () => this.showFile(path),
      }, nameOf(path, paths), errors ? element("span", { class: "found", role: "img", "aria-label": "has errors" }, " ✗") : null);
    }));
    find("#editor").setAttribute("aria-labelledby", `file-${paths.indexOf(file)}`);
    this.editor.showProblems(problemsIn(this.checked, file));
    this.problems.show(this.checked, file);
  }

  goTo(file, at) {
    if (file !== this.file) this.showFile(file);
    this.editor.goTo(at);
  }

  edit(text) {
    this.work.files[this.file] = text;
    this.work.edited = true;
    keep(this.shared);
    this.hideLink();
    this.forgetLink();
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.check(), REST_MS);
    if (this.data) this.say("The files have changed since they were played.");
  }

  get shared() {
    return { ...this.work, profile: find("#profile").value, other: find("#other").value };
  }

  get request() {
    return { files: this.work.files, play: this.work.play };
  }

  async check() {
    const { work } = this;
    const found = await this.helper.ask("check", this.request).catch((error) => ({ problems: [wrong(error)] }));
    if (work !== this.work) return;
    this.checked = found.problems;
    this.showChecked();
  }

  changeProfile(what) {
    if (this.work.edited) keep(this.shared);
    this.hideLink();
    this.play(this.data?.comparison ? "compare" : what);
  }

  async play(what, byHand = false) {
    const [profile, other] = [find("#profile").value, find("#other").value];
    if (what === "compare" && profile === other) {
      this.say(`Choose another version than ${profile} to compare with.`);
      return;
    }
    const { work } = this;
    const began = performance.now();
    this.playing = (this.playing ?? 0) + 1;
    const mine = this.playing;
    this.player.restartIfBusy();
    find("#stop").hidden = false;
    this.say(what === "run" ? `Playing on RabbitMQ ${profile} …` : `Comparing RabbitMQ ${other} with ${profile} …`);
    try {
      const answer = await this.player.ask(what, { ...this.request, profiles: what === "run" ? [profile] : [other, profile], width: columnsOf(find("#results").clientWidth - 32) });
      if (mine !== this.playing || work !== this.work) return;
      this.showPlayed(answer, performance.now() - began, [other, profile]);
      if (byHand && window.innerWidth < 900) find("#results").scrollIntoView();
    } catch (error) {
      if (mine === this.playing) this.say(error.message === STOPPED ? "Stopped. What is shown was played before." : `The simulator gave up: ${error.message}`, true);
    } finally {
      if (mine === this.playing) find("#stop").hidden = true;
    }
  }

  showPlayed(answer, took, [other, profile]) {
    if (!answer.page) {
      this.checked = answer.problems.length > this.checked.length ? answer.problems : this.checked;
      this.showChecked();
      this.say(`Not played: ${inWords(answer.problems) || "nothing is there to play"}.${this.data ? " What is shown was played before." : ""}`, true);
      return;
    }
    this.data = { ...answer, page: { ...answer.page, real_ms: Math.round(took) } };
    const { comparison } = answer;
    refill(find("#comparison"), comparison ? [
      element("h2", {}, comparison.differs ? `RabbitMQ ${other} and ${profile} differ` : `RabbitMQ ${other} and ${profile} do the same`),
      comparison.text ? element("pre", { tabindex: "0" }, explainable(comparison.text, this.explain)) : element("p", { class: "dim" }, "No cell ends otherwise, and the files mean the same."),
    ] : null);
    find("#cells").hidden = false;
    const { page } = this.data;
    if (this.page && this.page.data.cells.length === page.cells.length) this.page.show(page);
    else {
      this.address = "";
      if (this.page) this.page.show(page);
      else this.page = new Page(find("#cells"), page, { read: () => this.address, write: (shown) => (this.address = shown) });
    }
    const told = page.cells.filter(({ verdict }) => verdict === "failed").length;
    this.say(`Played in ${duration(Math.round(took))}: ${told ? `${told} of ${page.cells.length} failed` : "all that was expected came true"}.`, told > 0);
  }

  say(text, isBad = false) {
    const state = find("#state");
    state.className = isBad ? "found" : "dim";
    state.textContent = text;
  }

  async share() {
    const link = new URL(await linkOf(this.shared), location.href).href;
    history.replaceState(null, "", link);
    const field = element("input", { type: "text", readonly: true, value: link, "aria-label": "the link", onfocus: (event) => event.target.select() });
    const told = element("p", { class: "dim", role: "status" });
    refill(find("#link"), field, told);
    find("#link").hidden = false;
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    if (!copied) field.focus();
    const long = link.length > LINK_LONG ? ` It has ${link.length} letters: some programs cut links that long.` : "";
    told.textContent = `${copied ? "The link is copied." : "Copy the link."} All files are in it; no server has them.${long}`;
  }

  hideLink() {
    find("#link").hidden = true;
  }

  onTabKey(event) {
    const tabs = [...find("#files").children];
    const now = tabs.findIndex((tab) => tab.dataset.file === this.file);
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.showFile(tabs[(next + tabs.length) % tabs.length].dataset.file);
    find("#files [aria-selected=true]").focus();
  }

  onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.play("run", true);
    } else if (event.key === "F8" && !event.defaultPrevented) {
      event.preventDefault();
      this.editor.nextProblem();
    }
  }
}

// The name of a file, with its folder where another is called alike.
function nameOf(path, paths) {
  const parts = path.split("/");
  const alike = paths.filter((other) => other.split("/").pop() === parts.at(-1));
  return alike.length > 1 ? parts.slice(-2).join("/") : parts.at(-1);
}

// What went wrong in the simulator itself, as a problem.
function wrong(error) {
  return { code: "", level: "error", message: error.message, help: null, rule: null, labels: [] };
}

async function begin() {
  try {
    const [module, shelf] = await Promise.all([compiled("rmqplay.wasm"), fetch("shelf.json").then((response) => response.json())]);
    const asked = new SimulatorWorker(module);
    const about = await asked.ask("about");
    asked.worker.terminate();
    const playground = new Playground(about, shelf, module);
    await playground.begin();
  } catch (error) {
    find("#state").textContent = `The playground could not begin: ${error.message}`;
    find("#state").className = "found";
  }
}

begin();
