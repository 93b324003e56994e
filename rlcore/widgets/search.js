// Dijkstra's algorithm and A*, side by side on a grid that the reader paints: the controls, and the figure put together.
import { createSearchBoard, describe } from "./search_board.js";
import { isWall, toPython } from "./search_model.js";
import { SearchState } from "./search_state.js";
import { chips, connect, h, range, slider } from "./shared.js";

const TOOLS = ["select", "wall", "mud", "free", "start", "goal"];
const CHARS = { wall: "#", mud: "5", free: ".", start: "S", goal: "G" };
const KEY_CHARS = { w: "#", "#": "#", m: "5", f: ".", ".": ".", 1: ".", Delete: ".", Backspace: ".", s: "S", g: "G" };
const WEIGHTS = range(0, 3, 0.25);
const NAMES = ["Dijkstra", "A*"];
const LEGEND = "Blue: expanded, the later the stronger. Dashed: waiting. A digit: mud, costs that much to enter."; // as in search.py

/** What the guess promises. */
function promise({ world: { weight }, consistent }) {
  if (weight === 0) return "No guess: A* is Dijkstra's algorithm.";
  if (consistent) return "Consistent: the path is a shortest one.";
  return `Inconsistent: the path may be too long, by a factor of ${weight} at most.`;
}

/** One search: its name, its counts and its board. */
function createSide(name, handlers) {
  const counts = h("span");
  const board = createSearchBoard({ name, ...handlers });
  const update = (state, search) => {
    const cost = search.found ? `, cost ${search.cost}` : search.ended ? ", no path" : "";
    counts.textContent = `${search.order.length} expanded, ${search.frontier.length} waiting${cost}`;
    board.update(state, search);
  };
  return { element: h("div", {}, h("p", { class: "rl-counts" }, h("b", {}, name), counts), board.element), update };
}

function createButtons(figure) {
  const button = (text, title, onclick) => h("button", { type: "button", title, onclick }, text);
  const play = button("Play", "Expand cell after cell", () => (figure.playing ? figure.pause() : figure.play()));
  const element = h(
    "div", { class: "rl-buttons" },
    button("Step", "Each search expands one cell", () => figure.step()), play,
    button("To the end", "Finish both searches at once, and again after every change", () => figure.end()),
    button("Reset", "Begin both searches again", () => figure.reset()),
  );
  return { element, update: () => { play.textContent = figure.playing ? "Pause" : "Play"; } };
}

function createControls(figure) {
  const buttons = createButtons(figure);
  const guess = slider({ label: "c in h = c × Manhattan distance", title: "0 is no guess; above 1 the guess is too high", stops: WEIGHTS, value: figure.world.weight, oninput: (x) => figure.weigh(x) });
  const says = h("p", { class: "rl-promise" });
  const element = h("div", { class: "rl-controls" }, buttons.element, h("div", {}, guess.element, says));
  const update = (state) => {
    buttons.update();
    guess.set(state.world.weight);
    says.textContent = promise(state);
    says.classList.toggle("rl-warns", !state.consistent);
  };
  return { element, update };
}

/** What both searches know of the selected cell. */
function inspect({ world, selected, searches }) {
  if (!selected) return [h("p", {}, "Select a cell, or choose a tool and paint. Start and goal can be dragged.")];
  const where = `(${selected.join(", ")})`;
  const [row, column] = selected;
  if (!world.layout[row]?.[column] || isWall(world.layout[row][column])) return [h("p", {}, `Cell ${where}: a wall.`)];
  return searches.map((search, i) => h("p", {}, `${NAMES[i]} at ${where}: ${describe(search, search.graph.node(row, column))}`));
}

// ---------------------------------------------------------------- what the reader does on the boards

function handlers(figure, refresh) {
  const pick = (row, column, how) => {
    const char = figure.world.layout[row][column];
    if (how === "click") figure.held = figure.tool === "select" && "SG".includes(char) ? char : null;
    if (how === "drag" && figure.held) return isWall(char) || "SG".includes(char) || figure.paint(row, column, figure.held);
    if (how !== "move" && figure.tool !== "select") return figure.paint(row, column, CHARS[figure.tool]);
    if (how === "drag") return;
    figure.selected = [row, column];
    refresh();
  };
  const press = (key, row, column) => {
    const char = KEY_CHARS[key] ?? KEY_CHARS[key.toLowerCase()] ?? (/^[2-9]$/.test(key) ? key : null);
    if (char) figure.paint(row, column, char);
    return Boolean(char);
  };
  return { onpick: pick, onkey: press };
}

function render({ model, el }) {
  if (!el.closest(".rl-figure")) el.classList.add("rl-figure"); // JupyterLab has no <figure> around it
  const figure = new SearchState(structuredClone(model.get("world")), refresh);
  const receive = (world) => figure.setWorld(world, "The world was set from Python.");
  const kernel = connect(model, "world", () => figure.world, receive);
  const choose = (tool) => {
    figure.tool = tool;
    refresh();
  };
  const tools = h("div", { class: "rl-tools" }, chips(TOOLS, figure.tool, choose));
  const sides = NAMES.map((name) => createSide(name, handlers(figure, refresh)));
  const pair = h("div", { class: "rl-pair" }, ...sides.map(({ element }) => element));
  const status = h("p", { class: "rl-status", role: "status", "aria-live": "polite" });
  const legend = h("p", { class: "rl-legend" }, LEGEND);
  const controls = createControls(figure);
  const inspector = h("div", { class: "rl-inspect" });
  const code = h("pre");
  const python = h("details", { class: "rl-code" }, h("summary", {}, "This search in Python"), code);
  // Without the attribute, JupyterLab would take the keys that paint for commands of its own.
  el.append(h("div", { class: "rl-search", "data-lm-suppress-shortcuts": "true" }, tools, pair, legend, status, controls.element, inspector, python));

  function refresh(message = null) {
    const state = figure.state;
    pair.dataset.tool = figure.tool;
    sides.forEach((side, i) => side.update(state, state.searches[i]));
    controls.update(state);
    inspector.replaceChildren(...inspect(state));
    code.textContent = toPython(state.world);
    if (message !== null) status.textContent = message;
    kernel.write();
  }

  refresh(figure.verdict);
  el.rlFigure = figure;
  return () => {
    figure.stop();
    kernel.release();
  };
}

export default { render };
