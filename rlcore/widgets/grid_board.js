// Draws the grid world: what is in its cells, and what a screen reader says of them.
import { createCells } from "./board.js";
import { ACTIONS, isTerminal, isWall } from "./grid_model.js";
import { short, signed, svg } from "./shared.js";

const SIZE = 64; // as in rlcore/widgets/grid.py, so that the still picture and the live one coincide
const STRONGEST = 0.6; // opacity of the largest value: text stays legible on it in light and in dark

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
  const board = createCells({ label: "Grid world. Arrow keys move; W, F, G and P paint a wall, a free cell, a goal and a pit; Enter uses the chosen tool.", size: SIZE, onpick, onkey });

  /** Draw { world, v, choices, selected }. */
  function update(state) {
    const { layout, rewards } = state.world;
    const cells = board.cells(layout);
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

  return { element: board.element, update };
}
