// Draws the polytope of occupancies in the plane of the second actions' visits, with a point that can be dragged.
import { h, short, svg } from "./shared.js";
import { coincide, LETTERS, plane } from "./polytope_model.js";

const [WIDTH, HEIGHT, LEFT, TOP, SIDE] = [480, 420, 62, 30, 340]; // as in rlcore/widgets/_polytope_still.py
const MARGIN = 0.1; // of the plane around what is drawn
const TOPS = [1, 1.5, 2, 3, 4, 6, 8, 10];
const NEAR = 22; // corners that are nearer, in units of the picture, share a label
const STEP = 0.02; // of the top: what an arrow key moves the point by

/** The end of both axes: the first of TOPS, times a power of ten, that is not below `most`. */
export function axisTop(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return TOPS.map((x) => Number((x * power).toPrecision(3))).find((x) => x >= most * (1 - 1e-9));
}

const fixed = (x) => x.toFixed(1);
const star = ([x, y], radius) => Array.from({ length: 10 }, (_, k) => {
  const [length, angle] = [k % 2 ? 0.42 * radius : radius, (Math.PI * k) / 5];
  return `${fixed(x + length * Math.sin(angle))},${fixed(y - length * Math.cos(angle))}`;
}).join(" ");

/** The two ends in the box [low, high]^2 of the line where constant + slope . y = level; null where there is none. */
export function lineInBox({ constant, slope: [g, h2] }, level, low, high) {
  const right = level - constant;
  const inside = (z) => z >= low - 1e-9 * (high - low) && z <= high + 1e-9 * (high - low);
  const ends = [];
  for (const z of [low, high]) {
    if (h2 !== 0 && inside((right - g * z) / h2)) ends.push([z, (right - g * z) / h2]);
    if (g !== 0 && inside((right - h2 * z) / g)) ends.push([(right - h2 * z) / g, z]);
  }
  if (ends.length < 2) return null;
  const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const other = ends.reduce((a, b) => (far(b, ends[0]) > far(a, ends[0]) ? b : a));
  return [ends[0], other];
}

/** Groups of corners that share a label: { names, at }. */
function labels(view, places) {
  const groups = [];
  places.forEach((place, k) => {
    const group = groups.find(({ at }) => Math.hypot(at[0] - place[0], at[1] - place[1]) < NEAR);
    if (!group) return groups.push({ at: place, members: [k] });
    group.members.push(k);
  });
  return groups.map(({ at, members }) => ({ at, text: members.map((k, i) => (i === 0 ? "" : coincide(view.process, view.corners[members[i - 1]], view.corners[k]) ? " = " : ", ") + LETTERS[k]).join("") }));
}

/** The picture. `onmove(y)` hears of where the reader wants her point. */
export function createPlane({ onmove }) {
  const [back, front] = [svg("g", { "aria-hidden": "true" }), svg("g", { "aria-hidden": "true", "pointer-events": "none" })];
  const handle = svg("g", { class: "rl-handle", role: "application", "aria-roledescription": "point to drag", tabindex: 0 }, svg("circle", { class: "rl-grip", r: 26 }), svg("circle", { class: "rl-point", r: 8 }), svg("circle", { class: "rl-halo", r: 13 }));
  const catcher = svg("rect", { class: "rl-catch", x: LEFT, y: TOP, width: SIDE, height: SIDE });
  const root = svg("svg", { class: "rl-board", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group" }, back, catcher, front, handle);
  let [top, here, dragging] = [1, [0, 0], false];

  const px = (y) => LEFT + (SIDE * (y / top + MARGIN)) / (1 + 2 * MARGIN);
  const py = (y) => TOP + SIDE - (SIDE * (y / top + MARGIN)) / (1 + 2 * MARGIN);
  const place = (y) => [px(y[0]), py(y[1])];
  const list = (points) => points.map((one) => place(plane(one)).map(fixed).join(",")).join(" ");

  function toPlane(event) {
    const box = root.getBoundingClientRect();
    const scale = WIDTH / box.width;
    const [u, w] = [(event.clientX - box.left) * scale - LEFT, SIDE - ((event.clientY - box.top) * scale - TOP)];
    return [u, w].map((z) => top * ((z / SIDE) * (1 + 2 * MARGIN) - MARGIN));
  }

  for (const target of [catcher, handle]) {
    target.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || (target === catcher && event.pointerType === "touch")) return; // a finger there scrolls
      dragging = true;
      target.setPointerCapture(event.pointerId);
      onmove(toPlane(event));
      handle.focus({ preventScroll: true });
      event.preventDefault();
    });
    target.addEventListener("pointermove", (event) => dragging && onmove(toPlane(event)));
    for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, () => { dragging = false; });
  }

  catcher.addEventListener("click", (event) => onmove(toPlane(event)));

  handle.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    onmove([0, 1].map((s) => here[s] + STEP * top * move[s]));
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has commands of its own on these keys
  });

  const text = (x, y, string, attributes = {}) => svg("text", { x: fixed(x), y: fixed(y), "text-anchor": "middle", ...attributes }, string);

  function axes({ states, actions }) {
    const middle = LEFT + SIDE / 2;
    const turn = `rotate(-90 16 ${TOP + SIDE / 2})`;
    return [
      svg("rect", { class: "rl-frame", x: LEFT, y: TOP, width: SIDE, height: SIDE }),
      ...[0, top / 2, top].flatMap((z) => [text(px(z), TOP + SIDE + 19, String(z)), text(LEFT - 7, py(z) + 5, String(z), { "text-anchor": "end" })]),
      text(middle, HEIGHT - 10, `x(${states[0]}, ${actions[1]})`), text(16, TOP + SIDE / 2, `x(${states[1]}, ${actions[1]})`, { transform: turn }),
    ];
  }

  function across(name, affine, level) {
    const ends = lineInBox(affine, level, -MARGIN * top, (1 + MARGIN) * top);
    if (!ends) return [];
    const [[x1, y1], [x2, y2]] = ends.map(place);
    return [svg("line", { class: name, x1: fixed(x1), y1: fixed(y1), x2: fixed(x2), y2: fixed(y2) })];
  }

  /** An arrow beside the frame in the direction in which the reward grows. */
  function direction([g, h2]) {
    const length = Math.hypot(g, h2);
    if (length === 0) return [];
    const [u, w] = [g / length, -h2 / length];
    const [x, y] = [(LEFT + SIDE + WIDTH) / 2, TOP + 32];
    const tip = [x + 28 * u, y + 28 * w];
    const head = [tip, [tip[0] - 11 * u - 5 * w, tip[1] - 11 * w + 5 * u], [tip[0] - 11 * u + 5 * w, tip[1] - 11 * w - 5 * u]];
    return [svg("line", { class: "rl-way", x1: fixed(x - 28 * u), y1: fixed(y - 28 * w), x2: fixed(x + 20 * u), y2: fixed(y + 20 * w) }), svg("polygon", { class: "rl-way-head", points: head.map((z) => z.map(fixed).join(",")).join(" ") }), text(x, y + 48, "reward")];
  }

  const legend = (limited) => {
    const parts = [["best", (x) => svg("polygon", { class: "rl-star", points: star([x, 12], 9) })], ["your point", (x) => svg("circle", { class: "rl-point", cx: x, cy: 12, r: 6 })], ["equal reward", (x) => svg("line", { class: "rl-level", x1: x - 9, x2: x + 9, y1: 12, y2: 12 })]];
    if (limited) parts.push(["limit", (x) => svg("line", { class: "rl-limit-line", x1: x - 9, x2: x + 9, y1: 12, y2: 12 })]);
    const at = [LEFT + 8, LEFT + 74, LEFT + 186, LEFT + 320];
    return parts.flatMap(([name, mark], k) => [mark(at[k]), text(at[k] + 14, 17, name, { "text-anchor": "start" })]);
  };

  /** Draw what `describe` returns, with the line of equal reward at `level`. */
  function update(view, level) {
    const { process, corners, vertices, best, here: mine, bound } = view;
    top = axisTop(Math.max(...corners.flatMap(plane)));
    here = plane(mine);
    const places = corners.map((corner) => place(plane(corner)));
    const centre = [0, 1].map((i) => places.reduce((sum, one) => sum + one[i], 0) / 4);
    back.replaceChildren(...axes(process), ...legend(bound !== null), svg("polygon", { class: "rl-whole", points: list(corners) }), svg("polygon", { class: "rl-kept", points: list(vertices) }));
    front.replaceChildren(
      ...(level === null ? [] : across("rl-level", view.objective, level)), ...(bound ? across("rl-limit-line", bound, process.limit) : []),
      ...(best.length > 1 ? [svg("polygon", { class: "rl-tied", points: list(best) })] : []),
      ...places.map(([x, y]) => svg("circle", { class: "rl-corner", cx: fixed(x), cy: fixed(y), r: 5 })),
      ...best.map((one) => svg("polygon", { class: "rl-star", points: star(place(plane(one)), 13) })),
      ...labels(view, places).map(({ at, text: names }) => {
        const away = [at[0] - centre[0], at[1] - centre[1]];
        const length = Math.hypot(...away) || 1;
        const wide = 6 * (names.length - 1);
        return text(Math.max(at[0] + ((19 + wide) * away[0]) / length, LEFT + 8 + 5 * names.length), at[1] + 6 + (19 * away[1]) / length, names, { class: "rl-name" });
      }),
      ...direction(view.objective.slope),
    );
    handle.setAttribute("transform", `translate(${place(here).map(fixed).join(" ")})`);
    handle.setAttribute("aria-label", `Your point: ${process.actions[1]} ${short(here[0])} times when ${process.states[0]}, ${short(here[1])} times when ${process.states[1]}. Arrow keys move it.`);
    root.setAttribute("aria-label", `Polytope of occupancies with ${vertices.length} corners`);
  }

  return { element: h("div", { class: "rl-frame-of-board" }, root), update };
}
