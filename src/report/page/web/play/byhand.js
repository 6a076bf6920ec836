// What can be done by hand: parts that join, a publish, a policy, a purge, a restart of the broker. Each form says at its own place
// what was wrong with it.
import { element, refill } from "../elements.js";

function fieldOf(id, label, input, hint = null) {
  input.id = id;
  return element("div", { class: "field" }, element("label", { for: id }, label), input, hint ? element("span", { class: "dim hint" }, hint) : null);
}

function inputOf(traits = {}) {
  return element("input", { type: "text", autocomplete: "off", ...traits });
}

function choiceOf(pairs, traits = {}) {
  return element("select", traits, pairs.map(([value, text]) => element("option", { value }, text)));
}

// A form that asks for what `read` returns; `read` throws what is wrong in words.
function formOf(id, title, fields, submit, read, ask, isOpen) {
  const told = element("p", { class: "told", role: "status" });
  const onsubmit = async (event) => {
    event.preventDefault();
    let why = null;
    try {
      why = await ask(read());
    } catch (error) {
      why = error.message;
    }
    told.textContent = why ?? "done";
    told.className = `told ${why ? "found" : "expected"}`;
  };
  const form = element("form", { id, onsubmit, autocomplete: "off" }, fields, element("div", { class: "bar" }, element("button", { type: "submit", class: "main" }, submit), told));
  return element("details", { class: "hand", open: isOpen }, element("summary", {}, title), form);
}

function jsonOf(text, what) {
  if (!text.trim()) return {};
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${what} is no JSON: {"tries": 3}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error(`${what} is a JSON object: {"tries": 3}`);
  return value;
}

// The value of a variable as somebody typed it, of the kind that the file has.
function valueOf(usual, input) {
  if (typeof usual === "boolean") return input.checked;
  const text = input.value.trim();
  if (Array.isArray(usual)) {
    const isNumbers = usual.length > 0 && usual.every((one) => typeof one === "number");
    return text.split(",").map((part) => part.trim()).filter(Boolean).map((part) => (isNumbers ? Number(part) : part));
  }
  if (typeof usual === "number") {
    if (text === "" || Number.isNaN(Number(text))) throw new Error(`\`${text}\` is no number`);
    return Number(text);
  }
  if (usual !== null && typeof usual === "object") return jsonOf(text, "the value");
  return text;
}

function partForm(part, number, ask, isOpen) {
  const inputs = part.fields.map(({ value }) => {
    if (typeof value === "boolean") return element("input", { type: "checkbox", checked: value });
    const text = Array.isArray(value) ? value.join(", ") : value !== null && typeof value === "object" ? JSON.stringify(value) : String(value ?? "");
    return inputOf({ value: text, inputmode: typeof value === "number" ? "decimal" : null });
  });
  const fields = part.fields.map(({ name, value }, at) => fieldOf(`part-${number}-${name}`, name.replaceAll("_", " "), inputs[at], Array.isArray(value) ? "separated by commas" : null));
  const read = () => ({ do: "join", part: number, vars: Object.fromEntries(part.fields.map(({ name, value }, at) => [name, valueOf(value, inputs[at])])) });
  return formOf(`part-${number}`, part.title, fields, "Join", read, ask, isOpen);
}

export class ByHand {
  constructor(ask) {
    this.ask = ask;
    this.root = element("div", { class: "byhand" });
  }

  // Draws the forms anew when the scene has other names or parts; what was typed is lost only then.
  show(scene) {
    const key = JSON.stringify([scene.parts, scene.vhosts, scene.exchanges, scene.policies]);
    if (key === this.key) return;
    const isOpen = (id) => document.getElementById(id)?.closest("details").open ?? false;
    const open = new Map(["publish", "policy", "broker"].map((id) => [id, isOpen(id)]));
    this.key = key;
    const parts = scene.parts.map((part, number) => partForm(part, number, this.ask, document.getElementById(`part-${number}`)?.closest("details").open ?? true));
    refill(this.root, parts.length ? element("h2", {}, "Join") : null, parts, element("h2", {}, "By hand"),
      this.publishForm(scene, open.get("publish")), this.policyForm(scene, open.get("policy")), this.brokerForm(scene, open.get("broker")));
  }

  vhostField(id, scene) {
    const choice = choiceOf(scene.vhosts.map((vhost) => [vhost, vhost]));
    return { choice, fields: scene.vhosts.length > 1 ? [fieldOf(`${id}-vhost`, "vhost", choice)] : [], vhost: () => choice.value || scene.vhosts[0] };
  }

  publishForm(scene, isOpen) {
    const vhost = this.vhostField("publish", scene);
    const names = [["", "(default exchange)"], ...[...new Set(scene.exchanges.map(([, name]) => name))].map((name) => [name, name])];
    const exchange = choiceOf(names);
    const [key, id, count, every] = [inputOf(), inputOf(), inputOf({ inputmode: "numeric", value: "1" }), inputOf({ placeholder: "0s" })];
    const body = element("textarea", { rows: "3", spellcheck: "false" });
    const headers = inputOf({ placeholder: "{\"tries\": 3}", spellcheck: "false" });
    const fields = [...vhost.fields, fieldOf("publish-exchange", "exchange", exchange), fieldOf("publish-key", "routing key", key), fieldOf("publish-id", "id", id, "names the message"),
      fieldOf("publish-body", "body", body), fieldOf("publish-headers", "headers", headers, "a JSON object"), fieldOf("publish-count", "count", count), fieldOf("publish-every", "every", every)];
    const read = () => ({ do: "publish", vhost: vhost.vhost(), exchange: exchange.value, routing_key: key.value, id: id.value.trim(), body: body.value, headers: jsonOf(headers.value, "headers"), count: valueOf(1, count), every: every.value });
    return formOf("publish", "Publish a message", fields, "Publish", read, this.ask, isOpen);
  }

  policyForm(scene, isOpen) {
    const vhost = this.vhostField("policy", scene);
    const what = choiceOf([["set_policy", "set"], ["clear_policy", "clear"]]);
    const name = inputOf({ list: "policy-names", required: true });
    const names = element("datalist", { id: "policy-names" }, scene.policies.map(([, known]) => element("option", { value: known })));
    const [pattern, priority] = [inputOf({ value: ".*" }), inputOf({ value: "0", inputmode: "numeric" })];
    const applyTo = choiceOf(["queues", "classic_queues", "quorum_queues", "streams", "exchanges", "all"].map((word) => [word, word]));
    const definition = inputOf({ placeholder: "{\"message-ttl\": 5000}", spellcheck: "false" });
    const fields = [...vhost.fields, fieldOf("policy-what", "do", what), fieldOf("policy-name", "name", name), names, fieldOf("policy-pattern", "pattern", pattern), fieldOf("policy-to", "apply to", applyTo),
      fieldOf("policy-priority", "priority", priority), fieldOf("policy-definition", "definition", definition, "a JSON object")];
    const read = () => (what.value === "clear_policy"
      ? { do: "clear_policy", vhost: vhost.vhost(), name: name.value }
      : { do: "set_policy", vhost: vhost.vhost(), name: name.value, pattern: pattern.value, "apply-to": applyTo.value, priority: valueOf(0, priority), definition: jsonOf(definition.value, "the definition") });
    return formOf("policy", "Change a policy", fields, "Apply", read, this.ask, isOpen);
  }

  brokerForm(scene, isOpen) {
    const vhost = this.vhostField("broker", scene);
    this.queue = choiceOf([], { "aria-label": "queue to purge" });
    const told = element("p", { class: "told", role: "status" });
    const tell = async (what) => {
      const why = await this.ask(what);
      told.textContent = why ?? "done";
      told.className = `told ${why ? "found" : "expected"}`;
    };
    const restart = element("button", { type: "button", id: "restart-broker", onclick: () => tell({ do: "restart_broker" }) }, "Restart the broker");
    const purge = element("button", { type: "button", id: "purge", onclick: () => tell({ do: "purge", vhost: this.queueVhosts?.get(this.queue.value) ?? vhost.vhost(), queue: this.queue.value }) }, "Purge");
    return element("details", { class: "hand", open: isOpen }, element("summary", {}, scene.live && !scene.served ? "Purge a queue" : "Purge a queue, restart the broker"),
      element("div", { id: "broker" }, element("div", { class: "bar" }, this.queue, purge), scene.live && !scene.served ? null : element("div", { class: "bar" }, restart), told));
  }

  // Names the queues that can be purged.
  showQueues(queues) {
    const names = queues.map((queue) => queue.name).join("\n");
    if (!this.queue || names === this.queueNames) return;
    [this.queueNames, this.queueVhosts] = [names, new Map(queues.map((queue) => [queue.name, queue.vhost]))];
    const before = this.queue.value;
    refill(this.queue, queues.map((queue) => element("option", { value: queue.name }, queue.name)));
    if (before) this.queue.value = before;
  }
}
