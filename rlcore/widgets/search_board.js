// Draws one search on its grid: the later a cell was expanded, the stronger its colour.
import { createCells } from "./board.js";
import { costOf, isWall } from "./search_model.js";
import { svg } from "./shared.js";

const SIZE = 32; // as in rlcore/widgets/search.py, so that the still picture and the live one coincide
const [WEAKEST, STRONGEST] = [0.12, 0.6]; // opacity of the first and the last expansion, as there

const TRIM = 0.4; // of the first and the last step of a path is not drawn, as there

const text = (string, kind) => svg("text", { x: SIZE / 2, y: 21.5, class: kind, "text-anchor": "middle" }, string);

function content(char, waits) {
  const ring = waits ? [svg("rect", { class: "rl-waits", x: 3.5, y: 3.5, width: SIZE - 7, height: SIZE - 7, rx: 2 })] : [];
  if (char === "S" || char === "G") return [...ring, text(char, "rl-end")];
  return costOf(char) > 1 ? [...ring, text(char, "rl-mud")] : ring;
}

const digits = (x) => String(Number(x.toFixed(3)));

function kind(char) {
  if (char === "S" || char === "G") return char === "S" ? "start" : "goal";
  return costOf(char) > 1 ? `mud, costs ${char}` : "free";
}

/** What there is to know of node u: its kind, when it was expanded, and its numbers. */
export function describe(search, u) {
  const { graph, order, distance, h, done, path } = search;
  const when = order.flatMap((v, k) => (v === u ? [k + 1] : []));
  const again = done[u] ? "" : ", waits again";
  const fate = when.length ? `expanded at step ${when.join(" and ")}${again}` : distance[u] < Infinity ? "waits" : "not seen";
  const numbers = distance[u] < Infinity ? `, d = ${distance[u]}, h = ${digits(h[u])}, d + h = ${digits(distance[u] + h[u])}` : `, h = ${digits(h[u])}`;
  return `${kind(graph.cells[u].char)}, ${fate}${numbers}${path.includes(u) ? ", on the path" : ""}`;
}

/** The points of a path, from beside the S to beside the G. */
function line({ path, graph }) {
  const places = path.map((u) => [graph.cells[u].column, graph.cells[u].row].map((x) => (x + 0.5) * SIZE));
  const trim = (end, next) => end.map((x, axis) => x + TRIM * (next[axis] - x)); // the letters stay legible
  const inner = places.slice(1, -1);
  return [trim(places[0], places[1]), ...inner, trim(places.at(-1), places.at(-2))].map((place) => place.map((x) => Number(x.toFixed(2))).join(",")).join(" ");
}

/** A board of one search. */
export function createSearchBoard({ name, onpick, onkey }) {
  const label = `${name}. Arrow keys move; W, M and F paint a wall, mud and a free cell, S and G put the start and the goal there; Enter uses the chosen tool.`;
  const board = createCells({ label, size: SIZE, onpick, onkey });

  /** Draw a search of a SearchState's state. */
  function update({ world: { layout }, selected }, search) {
    const rank = new Map(search.order.map((u, k) => [u, k + 1]));
    const waiting = new Set(search.frontier);
    board.cells(layout).forEach((line, row) => line.forEach(({ cell, face, ink }, column) => {
      const u = search.graph.node(row, column);
      const char = layout[row][column];
      cell.classList.toggle("rl-wall", isWall(char));
      cell.classList.toggle("rl-selected", selected?.join() === `${row},${column}`);
      const shade = rank.has(u) ? WEAKEST + ((STRONGEST - WEAKEST) * rank.get(u)) / search.steps : 0;
      face.style.fillOpacity = isWall(char) ? "" : shade;
      ink.replaceChildren(...content(char, waiting.has(u)));
      cell.setAttribute("aria-label", `cell (${row}, ${column}): ${isWall(char) ? "wall" : describe(search, u)}`);
    }));
    board.over.replaceChildren(...(search.path.length ? [svg("polyline", { class: "rl-path", points: line(search) })] : []));
  }

  return { element: board.element, update };
}
