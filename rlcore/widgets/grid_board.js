// Draws the grid world: cells that can be seen, focused with the keyboard and painted with a pointer.
import { ACTIONS, isTerminal, isWall } from "./grid_model.js";
import { h, short, signed, svg } from "./shared.js";

const SIZE = 64; // as in rlcore/widgets/grid.py, so that the still picture and the live one coincide
const STRONGEST = 0.6; // opacity of the largest value: text stays legible on it in light and in dark
const KEYS = { ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1] };

const name = (row, column) => `cell (${row}, ${column})`;

/** The arrows of the actions that tie, or a dot where all do. */
function arrows(actions) {
  if (actions.length === 4) return [svg("circle", { class: "rl-mark", cx: 32, cy: 25, r: 2.5 })];
  const away = actions.length > 1 ? 3 : 10;
  return actions.map((a) => svg("path", { class: "rl-arrow", d: `M0 ${away}V-10M-5 -5L0 -10.5L5 -5`, transform: `translate(32 25) rotate(${90 * a})` }));
}

const label = (x, y, string, kind) => svg("text", { x, y, class: kind, "text-anchor": "middle" }, string);

function content(char, s, { v, choices }, reward) {
  if (isWall(char)) return [];
  if (isTerminal(char)) return [svg("rect", { class: "rl-frame", x: 5, y: 5, width: SIZE - 10, height: SIZE - 10, rx: 3 }), label(32, 39, signed(reward), "rl-reward")];
  const start = char === "S" ? [svg("circle", { class: "rl-start", cx: 10, cy: 10, r: 4 })] : [];
  return [...start, ...arrows(choices[s]), label(32, 55, short(v[s]), "rl-value")];
}

function description(char, s, { v, choices }, reward) {
  if (isWall(char)) return "wall";
  if (isTerminal(char)) return `ends the walk, reward ${reward}`;
  const go = choices[s].length === 4 ? "all actions tie" : choices[s].map((a) => ACTIONS[a]).join(" or ");
  return `${char === "S" ? "start, " : ""}value ${short(v[s])}, ${go}`;
}

/** The board. `onpick(row, column, how)` hears of clicks, drags and keys; `onkey(key, row, column)` of other keys. */
export function createBoard({ onpick, onkey }) {
  const root = svg("svg", { class: "rl-board", role: "grid", "aria-label": "Grid world. Arrow keys move; W, F, G and P paint a wall, a free cell, a goal and a pit; Enter uses the chosen tool." });
  let shape = "";
  let cells = [];
  let focus = [0, 0];
  let dragged = null;

  function build(layout) {
    const [rows, columns] = [layout.length, layout[0].length];
    root.setAttribute("viewBox", `0 0 ${columns * SIZE} ${rows * SIZE}`);
    root.style.maxWidth = `${columns * SIZE}px`;
    focus = focus.map((i, axis) => Math.min(i, [rows, columns][axis] - 1));
    cells = layout.map((line, row) => [...line].map((_, column) => {
      const face = svg("rect", { class: "rl-face", width: SIZE, height: SIZE });
      const ink = svg("g", { "aria-hidden": "true" });
      const cell = svg("g", { role: "gridcell", class: "rl-cell", transform: `translate(${column * SIZE} ${row * SIZE})`, "data-row": row, "data-column": column }, face, ink, svg("rect", { class: "rl-ring", x: 2, y: 2, width: SIZE - 4, height: SIZE - 4, rx: 2 }));
      return { cell, face, ink };
    }));
    root.replaceChildren(...cells.map((line) => svg("g", { role: "row" }, ...line.map(({ cell }) => cell))));
  }

  const at = (element) => {
    const cell = element?.closest?.(".rl-cell");
    return cell && root.contains(cell) ? [Number(cell.dataset.row), Number(cell.dataset.column)] : null;
  };

  function moveTo(row, column) {
    if (!cells[row]?.[column]) return;
    focus = [row, column];
    cells.flat().forEach(({ cell }) => cell.setAttribute("tabindex", at(cell).join() === focus.join() ? 0 : -1));
  }

  root.addEventListener("pointerdown", (event) => {
    const place = at(event.target);
    if (!place || event.button !== 0) return;
    dragged = place.join();
    moveTo(...place);
    onpick(...place, "click");
  });
  root.addEventListener("pointermove", (event) => {
    if (dragged === null || event.buttons === 0) return;
    const place = at(document.elementFromPoint(event.clientX, event.clientY));
    if (!place || place.join() === dragged) return;
    dragged = place.join();
    onpick(...place, "drag");
  });
  for (const end of ["pointerup", "pointercancel"]) root.addEventListener(end, () => { dragged = null; });

  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [row, column] = focus;
    const move = KEYS[event.key];
    if (move) {
      moveTo(row + move[0], column + move[1]);
      cells[focus[0]][focus[1]].cell.focus();
      onpick(...focus, "move");
    } else if (event.key === "Enter" || event.key === " ") onpick(row, column, "enter");
    else if (!onkey(event.key, row, column)) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has commands of its own on these keys
  });

  /** Draw { world, v, choices, selected }. */
  function update(state) {
    const { layout, rewards } = state.world;
    if (shape !== `${layout.length},${layout[0].length}`) {
      build(layout);
      shape = `${layout.length},${layout[0].length}`;
      moveTo(...focus);
    }
    const ends = layout.join("").split("").filter(isTerminal).map((char) => rewards[char]);
    const largest = [...ends, ...state.v].reduce((most, x) => Math.max(most, Math.abs(x)), 1e-300);
    let s = 0;
    layout.forEach((line, row) => [...line].forEach((char, column) => {
      const { cell, face, ink } = cells[row][column];
      const index = isWall(char) ? -1 : s++;
      const value = isTerminal(char) ? rewards[char] : isWall(char) ? 0 : state.v[index];
      cell.classList.toggle("rl-wall", isWall(char));
      cell.classList.toggle("rl-negative", value < 0);
      cell.classList.toggle("rl-selected", state.selected?.join() === `${row},${column}`);
      face.style.fillOpacity = isWall(char) ? "" : (STRONGEST * Math.abs(value)) / largest;
      ink.replaceChildren(...content(char, index, state, value));
      cell.setAttribute("aria-label", `${name(row, column)}: ${description(char, index, state, value)}`);
    }));
  }

  return { element: h("div", { class: "rl-frame-of-board" }, root), update };
}
