// Draws a chain: states as circles that fill with probability, arrows as wide as theirs, and the laws as bars.
import { h, short, svg } from "./shared.js";

const [WIDTH, HEIGHT, RADIUS] = [480, 320, 24]; // as in rlcore/widgets/_chain_still.py: still and live coincide
const [SPREAD_X, SPREAD_Y] = [165, 88]; // the places [-1, 1] x [-1, 1] of the states
const [BARS, FLOOR, CEILING] = [150, 112, 30]; // height of the bars' picture, and where they begin and end
const TOPS = [0.125, 0.25, 0.5, 1];
const MOST_LABELS = 28; // beyond, the weights of the arrows would cover each other

const plus = (a, b, by = 1) => [a[0] + by * b[0], a[1] + by * b[1]];
const unit = ([x, y]) => [x / Math.hypot(x, y), y / Math.hypot(x, y)];
const turned = ([x, y], angle) => [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)];
const written = (...points) => points.map((point) => point.map((x) => x.toFixed(1)).join(" ")).join(" ");

/** Places of S states on an oval, the first at the top. */
export const oval = (S) => Array.from({ length: S }, (_, s) => [Math.sin((2 * Math.PI * s) / S), -Math.cos((2 * Math.PI * s) / S)]);

const placed = ([x, y]) => [WIDTH / 2 + SPREAD_X * x, HEIGHT / 2 + SPREAD_Y * y];

/** An arrow that arrives at `tip` in the direction `way`; `shaft` draws the path to where its head begins. */
function drawArrow(shaft, tip, way, p) {
  const width = 1 + 4 * p;
  const size = 6 + 2 * width;
  const neck = plus(tip, way, -size);
  const side = turned(way, Math.PI / 2);
  const head = written(tip, plus(neck, side, size / 2), plus(neck, side, -size / 2));
  return svg("g", { class: "rl-step" }, svg("path", { d: shaft(neck), "stroke-width": width.toFixed(2) }), svg("polygon", { points: head }));
}

function between(a, b, p) {
  const way = plus(b, a, -1);
  const middle = plus(plus(a, way, 0.5), [way[1], -way[0]], 0.14);
  const arrival = unit(plus(b, middle, -1));
  const start = plus(a, unit(plus(middle, a, -1)), RADIUS);
  const shaft = (neck) => `M${written(start)}Q${written(middle, neck)}`;
  const side = unit([way[1], -way[0]]);
  const label = plus(plus(plus(a, way, 0.5), [way[1], -way[0]], 0.07), side, 13 + 6 * Math.abs(side[0]));
  return [drawArrow(shaft, plus(b, arrival, -RADIUS - 1), arrival, p), label];
}

function loop(a, p) {
  const away = plus(a, [WIDTH / 2, HEIGHT / 2], -1);
  const out = Math.abs(away[1]) < 1 ? [0, -1] : unit(away);
  const [left, right] = [0.6, -0.6].map((angle) => turned(out, angle));
  const far = plus(a, right, RADIUS + 30);
  const tip = plus(a, right, RADIUS + 1);
  const shaft = (neck) => `M${written(plus(a, left, RADIUS))}C${written(plus(a, left, RADIUS + 30), far, neck)}`;
  return [drawArrow(shaft, tip, unit(plus(tip, far, -1)), p), plus(a, out, RADIUS + 33)];
}

/** A probability on an arrow: at most two digits, and none if it is 1. */
const onArrow = (p) => (p === 1 ? "" : String(Number(p.toPrecision(2))));

/** All arrows of P, and their probabilities where there is room. */
function arrowsOf(P, places) {
  const drawn = P.flatMap((row, i) => row.map((p, j) => [i, j, p])).filter(([, , p]) => p > 0);
  const parts = drawn.map(([i, j, p]) => [p, ...(i === j ? loop(places[i], p) : between(places[i], places[j], p))]);
  const labels = parts.length > MOST_LABELS ? [] : parts.map(([p, , [x, y]]) => svg("text", { class: "rl-weight", x: x.toFixed(1), y: (y + 4.5).toFixed(1), "text-anchor": "middle" }, onArrow(p)));
  return [...parts.map(([, arrow]) => arrow), ...labels];
}

/** The graph. `onstart(s)` hears of the state that is chosen, by pointer or by key. */
export function createGraph({ onstart }) {
  const [arrows, states] = [svg("g", { "aria-hidden": "true" }), svg("g")];
  const root = svg("svg", { class: "rl-board", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "radiogroup", "aria-label": "Start: the states of the chain. Arrow keys choose." }, arrows, states);
  let nodes = [];
  let drawn = null;

  function build(count) {
    nodes = Array.from({ length: count }, (_, s) => {
      const [disc, ring] = [svg("circle", { class: "rl-disc" }), svg("circle", { class: "rl-limit" })];
      const node = svg("g", { class: "rl-node", role: "radio", "data-state": s, onclick: () => choose(s) }, svg("circle", { class: "rl-rim", r: RADIUS }), disc, ring, svg("text", { y: 6, "text-anchor": "middle", "aria-hidden": "true" }, String(s)), svg("circle", { class: "rl-halo", r: RADIUS + 5 }));
      return { node, disc, ring };
    });
    states.replaceChildren(...nodes.map(({ node }) => node));
  }

  function choose(s) {
    onstart(s);
    nodes[s].node.focus();
  }

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const s = nodes.findIndex(({ node }) => node === document.activeElement);
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Enter: 0, " ": 0 }[event.key];
    if (s < 0 || move === undefined) return;
    choose((s + move + nodes.length) % nodes.length);
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has commands of its own on these keys
  });

  /** Draw a run. */
  function update({ P, chain, classes, law, limit }) {
    const places = (chain.at?.length === P.length ? chain.at : oval(P.length)).map(placed);
    if (nodes.length !== P.length) build(P.length);
    if (drawn !== P) arrows.replaceChildren(...arrowsOf(P, places));
    drawn = P;
    nodes.forEach(({ node, disc, ring }, s) => {
      const { closed } = classes.find((c) => c.states.includes(s));
      node.setAttribute("transform", `translate(${written(places[s])})`);
      node.setAttribute("class", `rl-node ${closed ? "rl-closed" : "rl-transient"}`);
      node.setAttribute("aria-checked", s === chain.start);
      node.setAttribute("tabindex", s === chain.start ? 0 : -1);
      node.setAttribute("aria-label", `state ${s}, ${closed ? "closed class" : "transient"}: probability ${short(law[s])}, limit ${short(limit[s])}`);
      disc.setAttribute("r", (RADIUS * Math.sqrt(law[s])).toFixed(2));
      ring.setAttribute("r", (RADIUS * Math.sqrt(limit[s])).toFixed(2));
    });
  }

  return { element: h("div", { class: "rl-frame-of-board" }, root), update };
}

/** The law, its limit and, if wanted, the average over time, as bars. */
export function createBars() {
  const root = svg("svg", { class: "rl-board rl-bars", viewBox: `0 0 ${WIDTH} ${BARS}`, role: "img" });
  const text = (x, y, string, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, string);

  function update({ law, limit, mean, t }, average) {
    const shown = [["rl-bar-law", law], ["rl-bar-mean", average ? mean : null], ["rl-bar-limit", limit]].filter(([, values]) => values);
    const most = Math.max(...shown.flatMap(([, values]) => values));
    const top = TOPS.find((x) => x >= most - 1e-9) ?? 1;
    const slot = (WIDTH - 40) / law.length;
    const width = Math.min(18, slot / (shown.length + 1));
    const bar = (kind, value, x) => {
      const height = ((FLOOR - CEILING) * Math.min(value, top)) / top;
      return svg("rect", { class: kind, x: x.toFixed(1), y: (FLOOR - height).toFixed(2), width: width.toFixed(1), height: height.toFixed(2) });
    };
    const group = (s) => shown.map(([kind, values], k) => bar(kind, values[s], 40 + slot * (s + 0.5) + width * (k - shown.length / 2)));
    const names = [["rl-bar-law", `law after ${t}`, 40], ["rl-bar-limit", "limit", 190], ["rl-bar-mean", "average", 280]].filter(([kind]) => shown.some(([other]) => other === kind));
    root.replaceChildren(
      svg("line", { class: "rl-rule", x1: 40, x2: WIDTH, y1: CEILING, y2: CEILING }), svg("line", { class: "rl-rule", x1: 40, x2: WIDTH, y1: FLOOR, y2: FLOOR }),
      text(34, CEILING + 5, String(top), "end"), text(34, FLOOR + 5, "0", "end"),
      ...law.flatMap((p, s) => [...group(s), text(40 + slot * (s + 0.5), FLOOR + 17, `${s}`), svg("text", { class: "rl-weight", x: 40 + slot * (s + 0.5), y: FLOOR + 33, "text-anchor": "middle" }, short(p))]),
      ...names.flatMap(([kind, name, x]) => [svg("rect", { class: kind, x, y: 6, width: 12, height: 12 }), text(x + 18, 17, name, "start")]),
    );
    root.setAttribute("aria-label", `Law after ${t} steps: ${law.map(short).join(", ")}. Limit: ${limit.map(short).join(", ")}.`);
  }

  return { element: root, update };
}
