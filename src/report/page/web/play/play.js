// The page of a run that somebody plays: what came from the run goes to its parts, and what is pressed goes to the run.
import { element, plural, refill } from "../elements.js";
import { themeSwitch } from "../theme.js";
import { RunConnection } from "./connection.js";
import { Transport } from "./transport.js";
import { Actors } from "./actors.js";
import { ByHand } from "./byhand.js";
import { Views } from "./views.js";

class PlayPage {
  constructor() {
    const find = (selector) => document.querySelector(selector);
    this.connection = new RunConnection({
      onScene: (scene) => this.showScene(scene), onState: (state, hasGrown) => this.showState(state, hasGrown), onLost: (isLost) => this.showLost(isLost),
    });
    const ask = (what) => this.connection.ask(what);
    this.transport = new Transport(find("#transport"), ask);
    this.actors = new Actors(ask);
    this.byHand = new ByHand(ask);
    this.views = new Views(find("#views"), this.connection);
    [this.banner, this.played] = [find("#banner"), find("#played")];
    refill(find("#actors"), this.actors.root);
    refill(find("#hands"), this.byHand.root);
    themeSwitch(find("#theme"), () => this.views.recolour());
    document.addEventListener("keydown", (event) => this.onKey(event));
    this.connection.begin();
  }

  showScene(scene) {
    const isOther = this.run !== undefined && this.run !== scene.run;
    this.run = scene.run;
    document.title = `rmqplay: ${scene.name}`;
    this.transport.setLive(scene);
    if (scene.live) document.querySelector("footer").textContent = "Keys: arrows move in the tabs and in the diagram.";
    this.byHand.show(scene);
    if (isOther) this.views.forget();
    else this.views.draw();
  }

  showState(state, hasGrown) {
    const { scene } = this.connection;
    const watched = state.watchers > 1 ? ` · ${state.watchers} pages follow this run` : "";
    this.played.textContent = `${scene.name} on ${scene.broker}: ${scene.title}${watched}`;
    this.transport.show(state);
    this.actors.show(state);
    this.byHand.showQueues(state.queues);
    this.views.say(state.said);
    this.views.show(state, hasGrown);
    if (!this.isLost) this.showBanner(state);
  }

  showBanner(state) {
    const failed = state.failures.length ? `${plural(state.failures.length, "failure")}: ${state.failures[0].message}` : null;
    const over = state.place === "done" && !failed ? "The run is over, and all that was expected came true." : null;
    const told = [state.changed ? "changed" : "", failed, over].join("|");
    if (told === this.bannerTold) return;
    this.bannerTold = told;
    const reload = element("button", { type: "button", id: "reload", onclick: () => this.connection.ask({ do: "reload" }) }, "Reload");
    refill(this.banner,
      state.changed ? element("p", { class: "odd" }, "A file of this run has changed on disk. What plays is as it was read. ", reload) : null,
      failed ? element("p", { class: "found" }, failed) : null, over ? element("p", { class: "expected" }, over) : null);
  }

  showLost(isLost) {
    if (isLost === Boolean(this.isLost)) return;
    [this.isLost, this.bannerTold] = [isLost, null];
    document.body.classList.toggle("lost", isLost);
    refill(this.banner, isLost ? element("p", { class: "found" }, "rmqplay does not answer: it may have ended. What is shown is what was last known.") : null);
  }

  onKey(event) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea")) return;
    const isControl = target.matches("button, summary, a");
    const keys = { s: "#step", m: "#next", "[": -1, "]": 1 };
    if (this.connection.scene?.live) return;
    if (event.key === " " && !isControl) this.transport.toggle();
    else if (typeof keys[event.key] === "string") document.querySelector(keys[event.key]).click();
    else if (keys[event.key]) this.transport.shift(keys[event.key]);
    else return;
    event.preventDefault();
  }
}

new PlayPage();
