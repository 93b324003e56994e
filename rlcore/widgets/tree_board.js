// Draws a search tree: the root on top, circles as large as their visits are many, squares where the process has ended.
import { actionTo, mostVisited, placeNodes, scores, worth } from "./tree_model.js";
import { h, short, svg } from "./shared.js";

// All as in rlcore/widgets/tree.py, so that the still picture and the live one look alike.
const DRAWN = 200; // nodes
const [LEFT, RIGHT, TOP, BOTTOM] = [26, 60, 20, 20];
const [FAINTEST, FULLEST] = [0.1, 0.7]; // opacity of the values 0 and the largest
const [LARGE, LITTLE, LARGEST] = [13, 1.6, 3.5]; // radii of nodes, and of a diamond
const [LETTER, LINES] = [6.6, 26]; // what a letter and a label of two lines need

/** Where everything is: for each node shown { id, x, y, radius, chance: [x, y] or null, label }, and the lines. */
export function layoutTree(run, width, height) {
  const shown = mostVisited(run, DRAWN);
  const { x, leaves, below } = placeNodes(run, shown);
  const levels = Math.max(...shown.map((id) => run.nodes[id].depth));
  const across = (width - LEFT - RIGHT) / Math.max(1, leaves - 1);
  const down = (height - TOP - BOTTOM) / Math.max(1, levels);
  const at = (id) => [leaves > 1 ? LEFT + across * x.get(id) : width / 2, TOP + down * run.nodes[id].depth];
  const gap = gaps(shown.map((id) => ({ id, x: at(id)[0], level: run.nodes[id].depth })));
  const share = (id) => run.nodes[id].visits / Math.max(1, run.nodes[0].visits);
  const radius = (id) => Math.max(LITTLE, Math.min(LARGE * Math.sqrt(share(id)), 0.48 * gap.get(id), 0.4 * down));
  const joint = (id) => { // of an action with several outcomes, above the middle of those that are drawn
    const { parent, option } = run.nodes[id];
    if (parent < 0 || run.nodes[parent].options[option].support.length < 2) return null;
    const siblings = below.get(parent).filter((other) => run.nodes[other].option === option).map((other) => at(other)[0]);
    const middle = (Math.min(...siblings) + Math.max(...siblings)) / 2;
    return [(at(parent)[0] + 2 * middle) / 3, (at(id)[1] + at(parent)[1]) / 2];
  };
  const places = shown.map((id) => ({ id, x: at(id)[0], y: at(id)[1], radius: radius(id), chance: joint(id), label: [] }));
  label(run, places, down, width);
  return { places, below, hidden: run.nodes.length - shown.length, diamond: Math.min(LARGEST, Math.max(LITTLE, 0.2 * across)) };
}

/** How far the next node on the same level is from each. */
function gaps(places) {
  const sorted = [...places].sort((a, b) => a.level - b.level || a.x - b.x);
  const between = (a, b) => (a && b && a.level === b.level ? Math.abs(a.x - b.x) : Infinity);
  return new Map(sorted.map((place, i) => [place.id, Math.min(between(place, sorted[i - 1]), between(place, sorted[i + 1]))]));
}

/** Names and numbers where there is room for them, to the right of a node. */
function label(run, places, down, width) {
  const levels = new Map();
  places.forEach((place) => levels.set(place.y, [...(levels.get(place.y) ?? []), place]));
  for (const level of levels.values()) {
    level.sort((a, b) => a.x - b.x);
    level.forEach((place, i) => {
      const node = run.nodes[place.id];
      const lines = [...(node.parent < 0 ? [] : [actionTo(run, node)]), short(worth(run, node))];
      const end = i + 1 < level.length ? level[i + 1].x - level[i + 1].radius : width;
      const need = LETTER * Math.max(...lines.map((line) => line.length)) + 8;
      if (node.visits && down >= LINES && end - place.x - place.radius >= need) place.label = lines;
    });
  }
}

/** What there is to know of a node, in words. */
export function describeNode(run, id) {
  const node = run.nodes[id];
  const how = node.parent < 0 ? "root" : `${actionTo(run, node)}, to ${run.example.states[node.state]}`;
  const when = node.parent < 0 ? "" : `, added in simulation ${node.born}`;
  return `${how}${node.ended ? ", the end" : ""}${when}: ${node.visits} ${node.visits === 1 ? "visit" : "visits"}, mean ${short(worth(run, node))}`;
}

/** The actions of a node, as the rule that selects sees them. */
export function describeActions(run, id) {
  const node = run.nodes[id];
  const all = scores(run, node);
  return node.options.map(({ action }, i) => {
    const bonus = node.n[i] ? `${short(node.q[i])} + ${short(all[i] - node.q[i])} = ${short(all[i])}` : "untried";
    return { text: `${run.example.actions[action]}: ${bonus}`, best: all[i] === Math.max(...all) };
  });
}

const MOVES = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };

/** A tree of nodes that can be focused; `onpick(id)` hears which. Returns { element, update }. */
export function createTreeBoard({ onpick }) {
  const root = svg("svg", { class: "rl-growth", role: "tree", "aria-label": "Search tree. Arrow keys move between parents, children and neighbours." });
  const element = h("div", { class: "rl-canvas" }, root);
  let drawn = null; // the layout
  let items = new Map();
  let current = null; // { run, selected, path }

  const draw = () => current && drawTree(current);
  const observer = new ResizeObserver(draw);
  observer.observe(element);

  function neighbour(id, move) {
    const node = current.run.nodes[id];
    if (move === "up") return node.parent;
    if (move === "down") return drawn.below.get(id)[0];
    const level = drawn.places.filter((place) => current.run.nodes[place.id].depth === node.depth).sort((a, b) => a.x - b.x);
    return level[level.findIndex((place) => place.id === id) + (move === "left" ? -1 : 1)]?.id;
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !MOVES[event.key]) return;
    const next = neighbour(current.selected, MOVES[event.key]);
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has commands of its own on these keys
    if (!items.has(next)) return;
    onpick(next);
    items.get(next).focus();
  });
  root.addEventListener("click", (event) => {
    const item = event.target.closest(".rl-node");
    if (item) onpick(Number(item.dataset.node));
  });

  function drawTree({ run, selected, path, fresh }) {
    const [width, height] = [element.clientWidth || 720, element.clientHeight || 340];
    root.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawn = layoutTree(run, width, height);
    const spot = new Map(drawn.places.map((place) => [place.id, place]));
    const on = new Set(path);
    const lines = drawn.places.slice(1).map(({ id, x, y, chance }) => {
      const from = spot.get(run.nodes[id].parent);
      const points = [[from.x, from.y], ...(chance ? [chance] : []), [x, y]];
      return svg("polyline", { class: on.has(id) ? "rl-edge rl-on" : "rl-edge", points: points.map((point) => point.map((z) => z.toFixed(1)).join(",")).join(" ") });
    });
    const { diamond: d } = drawn;
    const joints = drawn.places.filter(({ chance }) => chance).map(({ chance: [x, y] }) => svg("path", { class: "rl-joint", d: `M${x.toFixed(1)} ${(y - d).toFixed(1)}l${d} ${d}l-${d} ${d}l-${d} -${d}z` }));
    const focused = root.contains(document.activeElement);
    const kept = spot.has(selected) ? selected : 0;
    const scale = Math.max(1e-9, run.example.largest);
    items = new Map(drawn.places.map((place) => [place.id, item(run, place, scale, { kept, on, fresh })]));
    lines.sort((a, b) => a.classList.contains("rl-on") - b.classList.contains("rl-on"));
    root.replaceChildren(svg("g", { "aria-hidden": "true" }, ...lines, ...joints), ...items.values());
    if (focused) items.get(kept).focus();
  }

  function item(run, { id, x, y, radius, label: text }, scale, { kept, on, fresh }) {
    const node = run.nodes[id];
    const value = worth(run, node);
    const classes = ["rl-node", value < 0 && "rl-negative", on.has(id) && "rl-on", id === fresh && "rl-fresh", id === kept && "rl-picked"].filter(Boolean).join(" ");
    const shape = node.ended ? svg("rect", { class: "rl-body-of", x: -radius, y: -radius, width: 2 * radius, height: 2 * radius }) : svg("circle", { class: "rl-body-of", r: radius });
    const paper = shape.cloneNode(); // lines must not shine through
    paper.setAttribute("class", "rl-paper");
    shape.style.fillOpacity = FAINTEST + (FULLEST - FAINTEST) * Math.min(1, Math.abs(value) / scale);
    const first = text.length > 1 ? -2 : 4;
    const words = text.map((line, i) => svg("text", { x: radius + 6, y: first + 12 * i }, line));
    return svg(
      "g", { class: classes, role: "treeitem", "aria-level": node.depth + 1, "aria-selected": id === kept ? "true" : "false", "aria-label": describeNode(run, id), tabindex: id === kept ? 0 : -1, "data-node": id, transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
      svg("circle", { class: "rl-halo", r: Math.max(radius + 3.5, 6) }), paper, shape, ...words,
    );
  }

  return {
    element,
    update(state) {
      current = state;
      draw();
    },
    get hidden() {
      return drawn?.hidden ?? 0;
    },
    release: () => observer.disconnect(),
  };
}
