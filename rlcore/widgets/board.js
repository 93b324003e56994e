// A board of square cells that can be seen, focused with the keyboard and painted with a pointer; what is in the
// cells is for the figure to draw.
import { h, svg } from "./shared.js";

const KEYS = { ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowDown: [1, 0], ArrowLeft: [0, -1] };

/**
 * A board whose cells have sides of `size` units and are at most `size` pixels wide. `onpick(row, column, how)` hears
 * of clicks, drags, moves and the Enter key; `onkey(key, row, column)` of other keys, and says whether they meant
 * something. Returns { element, over, cells(layout) }: `over` is drawn above the cells; `cells` gives the parts of
 * each cell, { cell, face, ink }, in rows, and builds them where the shape is new.
 */
export function createCells({ label, size, onpick, onkey }) {
  const root = svg("svg", { class: "rl-board", role: "grid", "aria-label": label });
  const over = svg("g", { "aria-hidden": "true", "pointer-events": "none" });
  let cells = [];
  let focus = [0, 0];
  let dragged = null;

  function build(layout) {
    const [rows, columns] = [layout.length, layout[0].length];
    root.setAttribute("viewBox", `0 0 ${columns * size} ${rows * size}`);
    root.style.maxWidth = `${columns * size}px`;
    focus = focus.map((i, axis) => Math.min(i, [rows, columns][axis] - 1));
    cells = layout.map((line, row) => [...line].map((_, column) => {
      const face = svg("rect", { class: "rl-face", width: size, height: size });
      const ink = svg("g", { "aria-hidden": "true" });
      const cell = svg("g", { role: "gridcell", class: "rl-cell", transform: `translate(${column * size} ${row * size})`, "data-row": row, "data-column": column }, face, ink, svg("rect", { class: "rl-ring", x: 2, y: 2, width: size - 4, height: size - 4, rx: 2 }));
      return { cell, face, ink };
    }));
    root.replaceChildren(...cells.map((line) => svg("g", { role: "row" }, ...line.map(({ cell }) => cell))), over);
    moveTo(...focus);
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

  return {
    element: h("div", { class: "rl-frame-of-board" }, root),
    over,
    cells(layout) {
      if (cells.length !== layout.length || cells[0].length !== layout[0].length) build(layout);
      return cells;
    },
  };
}
