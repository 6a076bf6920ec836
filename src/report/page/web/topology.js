// The topology as a picture: laid out by dagre, with what queues hold at the end and what the run came through.
import { element, svgElement } from "./elements.js";

const [NAME_LINE, LINE, LABEL_MAX] = [17, 14, 44];

const measured = document.createElement("canvas").getContext("2d");

function widthOf(text, font) {
  measured.font = font;
  return measured.measureText(text).width;
}

// Draws all vhosts of a graph. `held` is what queues held at the end, or null.
export function topologyOf(graph, held) {
  const several = graph.vhosts.length > 1;
  return graph.vhosts.map((vhost) => element("figure", { class: "graph" },
    several ? element("figcaption", {}, `vhost ${vhost.vhost}`) : null, drawn(vhost, heldIn(vhost, held))));
}

function heldIn(vhost, held) {
  return new Map((held ?? []).filter((queue) => queue.vhost === vhost.vhost).map((queue) => [queue.name, queue]));
}

// Writes what queues hold now into a picture that is drawn: nothing moves in it.
export function recount(figures, graph, held) {
  graph.vhosts.forEach((vhost, at) => {
    const counts = heldIn(vhost, held);
    const picture = figures[at].querySelector("svg");
    picture.setAttribute("aria-label", described(vhost, counts));
    for (const group of picture.querySelectorAll("g[data-queue]")) {
      const of = counts.get(group.dataset.queue) ?? { ready: 0, unacked: 0 };
      group.querySelector(".told").textContent = countsOf(of);
      group.querySelector(".count").classList.toggle("some", of.ready + of.unacked > 0);
    }
  });
}

function drawn(vhost, held) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 26, edgesep: 14, ranksep: 64, marginx: 10, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  const nodes = vhost.nodes.map((node) => sized(node, held.get(node.name)));
  const joined = new Set(vhost.edges.flatMap((edge) => [edge.from, edge.to]));
  nodes.forEach((node, at) => joined.has(at) && graph.setNode(String(at), { width: node.width, height: node.height }));
  vhost.edges.forEach((edge, at) => {
    const lines = edge.lines.flatMap(wrapped);
    const width = lines.length ? Math.max(...lines.map((line) => widthOf(line, "11px sans-serif"))) + 10 : 0;
    graph.setEdge(String(edge.from), String(edge.to), { width, height: lines.length * LINE + 4, labelpos: "c", lines, weight: edge.is === "binding" ? 3 : 1 }, String(at));
  });
  dagre.layout(graph);
  const laid = joined.size ? graph.graph() : { width: 0, height: 0 };
  const { width, height, places } = placeLonely(nodes.filter((_, at) => !joined.has(at)), laid);
  const picture = svgElement("svg", {
    class: "topology", viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, width: Math.ceil(width), height: Math.ceil(height),
    role: "img", "aria-label": described(vhost, held),
  });
  vhost.edges.forEach((edge, at) => picture.append(edgeOf(edge, graph.edge(String(edge.from), String(edge.to), String(at)))));
  // Smaller than this its text could not be read: then it is moved instead.
  picture.style.minWidth = `${Math.ceil(width * 0.72)}px`;
  nodes.forEach((node, at) => picture.append(nodeOf(node, joined.has(at) ? graph.node(String(at)) : places.get(node))));
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": `topology of vhost ${vhost.vhost}` }, picture);
}

const LONELY_APART = 26;
const LONELY_ROW_MIN = 640;

// Places what no edge leads to or from, in rows below the others: between them it would lie on edges.
function placeLonely(nodes, laid) {
  const most = Math.max(laid.width, LONELY_ROW_MIN);
  const places = new Map();
  let [x, y, row, width] = [10, laid.height + (laid.height ? LONELY_APART : 10), 0, laid.width];
  for (const node of nodes) {
    if (x > 10 && x + node.width > most) [x, y, row] = [10, y + row + LONELY_APART, 0];
    places.set(node, { x: x + node.width / 2, y: y + node.height / 2 });
    x += node.width + LONELY_APART;
    row = Math.max(row, node.height);
    width = Math.max(width, x - LONELY_APART + 10);
  }
  return { width, height: nodes.length ? y + row + 10 : laid.height, places };
}

// Says in words what the picture shows.
function described(vhost, held) {
  const nodes = vhost.nodes.map((node) => {
    const counts = held.get(node.name);
    const used = node.mark === "unused" ? ", not used" : "";
    return `${node.name || "default exchange"} (${node.lines.join(", ")}${counts ? `, ${countsOf(counts)}` : ""}${used})`;
  });
  const edges = vhost.edges.map((edge) => `${vhost.nodes[edge.from].name || "default exchange"} to ${vhost.nodes[edge.to].name || "default exchange"}: ${edge.lines.join(", ") || edge.is}`);
  return `${nodes.join("; ")}. ${edges.join("; ")}`;
}

function countsOf(counts) {
  return counts.unacked ? `${counts.ready} ready, ${counts.unacked} unacked` : `${counts.ready} ready`;
}

function sized(node, counts) {
  const name = node.name || "(default exchange)";
  const lines = [...node.lines];
  const told = counts && node.is === "queue" ? countsOf(counts) : null;
  // Counts that change have room for larger ones.
  const widest = told && counts.room ? "8888 ready, 8888 unacked" : told;
  const texts = lines.map((line) => widthOf(line, "11px sans-serif"));
  const inner = Math.max(60, widthOf(name, "bold 13px sans-serif"), told ? widthOf(widest, "bold 12px sans-serif") + 12 : 0, ...texts);
  const height = NAME_LINE + LINE * lines.length + (told ? 20 : 0) + 12;
  return { ...node, name, lines, told, widest, counts, width: Math.ceil(inner) + 36, height };
}

function nodeOf(node, at) {
  const [left, top, right, bottom] = [at.x - node.width / 2, at.y - node.height / 2, at.x + node.width / 2, at.y + node.height / 2];
  const isExchange = node.is === "exchange" || node.is === "missing_exchange";
  const look = node.mark === "unused" ? "unused" : { missing_exchange: "missing", missing_queue: "missing", retries: "retries" }[node.is] ?? node.is;
  const shape = isExchange
    ? svgElement("polygon", { class: "shape", points: `${left},${at.y} ${left + 12},${top} ${right - 12},${top} ${right},${at.y} ${right - 12},${bottom} ${left + 12},${bottom}` })
    : svgElement("rect", { class: "shape", x: left, y: top, width: node.width, height: node.height, rx: node.is === "remote" ? node.height / 2 : 4 });
  const group = svgElement("g", { class: `node node-${look === "retries" ? "ladder" : look}${node.mark === "used" ? " used" : ""}` }, shape);
  let y = top + 6 + NAME_LINE - 4;
  group.append(svgElement("text", { class: "name", x: at.x, y }, node.name));
  for (const line of node.lines) {
    y += LINE;
    group.append(svgElement("text", { x: at.x, y }, line));
  }
  if (node.told) {
    const width = widthOf(node.widest, "bold 12px sans-serif") + 14;
    if (node.counts.room) group.dataset.queue = node.name;
    group.append(
      svgElement("rect", { class: node.counts.ready + node.counts.unacked ? "count some" : "count", x: at.x - width / 2, y: y + 5, width, height: 17, rx: 8.5 }),
      svgElement("text", { class: "told", x: at.x, y: y + 17.5 }, node.told));
  }
  return group;
}

function edgeOf(edge, placed) {
  const more = { used: " used", unused: " faint" }[edge.mark] ?? "";
  const group = svgElement("g", { class: `edge edge-${edge.is}${more}` });
  const { points } = placed;
  const [before, end] = [points[points.length - 2], points[points.length - 1]];
  group.append(svgElement("path", { class: "line", d: rounded(points) }), svgElement("polygon", { class: "tip", points: tipOf(before, end) }));
  if (placed.lines.length) {
    const height = placed.lines.length * LINE + 2;
    group.append(svgElement("rect", { class: "label", x: placed.x - placed.width / 2, y: placed.y - height / 2, width: placed.width, height, rx: 3 }));
    placed.lines.forEach((line, at) => group.append(svgElement("text", { x: placed.x, y: placed.y - height / 2 + LINE * (at + 1) - 2 }, line)));
  }
  return group;
}

// A curve through the points of a layout.
function rounded(points) {
  let path = `M${points[0].x},${points[0].y}`;
  for (let at = 1; at < points.length - 1; at += 1) {
    const middle = { x: (points[at].x + points[at + 1].x) / 2, y: (points[at].y + points[at + 1].y) / 2 };
    path += `Q${points[at].x},${points[at].y} ${middle.x},${middle.y}`;
  }
  const last = points[points.length - 1];
  return `${path}L${last.x},${last.y}`;
}

function tipOf(before, end) {
  const length = Math.hypot(end.x - before.x, end.y - before.y) || 1;
  const [x, y] = [(end.x - before.x) / length, (end.y - before.y) / length];
  const base = { x: end.x - x * 9, y: end.y - y * 9 };
  return `${end.x},${end.y} ${base.x - y * 4},${base.y + x * 4} ${base.x + y * 4},${base.y - x * 4}`;
}

function wrapped(line) {
  const words = line.split(" ");
  const lines = [""];
  for (const word of words) {
    const now = lines[lines.length - 1];
    if (now && now.length + word.length >= LABEL_MAX) lines.push(word);
    else lines[lines.length - 1] = now ? `${now} ${word}` : word;
  }
  return lines.filter(Boolean);
}
