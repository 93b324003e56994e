// Value iteration on a grid world that the reader paints: the controls, and the figure put together.
import { createBoard } from "./grid_board.js";
import { ACTIONS, converged, settled, toPython } from "./grid_model.js";
import { GridState } from "./grid_state.js";
import { chips, connect, decayPlot, h, range, short, slider, small } from "./shared.js";

const TOOLS = ["select", "wall", "free", "goal", "pit"];
const KEY_TOOLS = { w: "wall", "#": "wall", f: "free", ".": "free", Delete: "free", Backspace: "free", g: "goal", p: "pit", x: "pit" };
const GAMMAS = [...range(0, 0.9, 0.05), ...range(0.91, 0.99, 0.01), 0.995, 0.999];
const SLIPS = range(0, 1, 0.05);

function createToolbar(figure, refresh) {
  const choose = (tool) => {
    figure.tool = tool;
    refresh();
  };
  const commit = () => {
    if (Number.isFinite(field.valueAsNumber)) figure.reward = field.valueAsNumber;
    else refresh("A reward is a finite number.");
  };
  const field = h("input", { type: "number", step: "any", onchange: commit });
  const update = () => {
    const { reward } = figure;
    field.disabled = reward === null;
    if (document.activeElement !== field) field.value = reward ?? "";
  };
  return { element: h("div", { class: "rl-tools" }, chips(TOOLS, figure.tool, choose), h("label", { class: "rl-number" }, "reward", field)), update, field };
}

/** What there is to know about the selected cell. */
function inspect({ model, selected, q, v, choices }) {
  const s = model.states.findIndex((state) => state.row === selected?.[0] && state.column === selected?.[1]);
  if (s < 0) return [h("p", {}, selected ? "A wall: no state." : "Select a cell to see its action values, or choose a tool and paint. Keys: arrows move; W, F, G, P paint.")];
  if (model.states[s].terminal) return [h("p", {}, "The walk ends here. Entering pays the reward; the value is 0.")];
  const value = (action, a) => h("span", { class: choices[s].includes(a) ? "rl-best" : null, title: action }, `${"↑→↓←"[a]} ${short(q[a * model.S + s])}`);
  return [
    h("p", {}, `Cell (${selected.join(", ")}): v = ${short(v[s])}; one look ahead:`),
    h("p", { class: "rl-actions" }, "q =", ...ACTIONS.map(value)),
  ];
}

function createButtons(figure) {
  const button = (text, title, onclick) => h("button", { type: "button", title, onclick }, text);
  const play = button("Play", "Sweep until converged", () => (figure.playing ? figure.pause() : figure.play()));
  const element = h(
    "div", { class: "rl-buttons" },
    button("One sweep", "v ← Tv in every cell", () => figure.sweep()), play,
    button("Solve", "Sweep to convergence at once, and again after every change", () => figure.solve()),
    button("Reset", "Set all values to zero", () => figure.reset()),
  );
  return { element, update: () => { play.textContent = figure.playing ? "Pause" : "Play"; } };
}

function createReadout() {
  const titles = ["sweeps k", "half-span of Tv − v", "width of the bounds on v*", "converged"];
  const cells = titles.map(() => h("dd"));
  const element = h("dl", {}, ...titles.map((title, i) => h("div", {}, h("dt", {}, title), cells[i])));
  const update = (state) => {
    const answer = settled(state) ? "yes" : converged(state) ? "up to a constant" : "not yet";
    [state.sweeps, small(state.residual), small(state.bounds.width), answer].forEach((text, i) => { cells[i].textContent = text; });
  };
  return { element, update };
}

function createPanel(figure) {
  const { gamma, slip } = figure.run.world;
  const gammas = slider({ label: "discount γ", title: "discount factor", stops: GAMMAS, value: gamma, oninput: (x) => figure.change("gamma", x) });
  const slips = slider({ label: "slip", title: "probability of a step to the side", stops: SLIPS, value: slip, oninput: (x) => figure.change("slip", x) });
  const commit = () => Number.isFinite(step.valueAsNumber) && figure.change("step_reward", step.valueAsNumber);
  const step = h("input", { type: "number", step: "any", onchange: commit });
  const plot = decayPlot({ label: "Half-span of Tv − v at each sweep, on a logarithmic scale, beside its bound", legend: ["half-span of Tv − v", "first × γᵏ"] });
  const [buttons, readout] = [createButtons(figure), createReadout()];
  const payment = h("label", { class: "rl-number" }, "each step pays", step);
  const element = h("div", { class: "rl-panel" }, gammas.element, slips.element, payment, buttons.element, readout.element, plot.element);
  const update = (state) => {
    gammas.set(state.world.gamma);
    slips.set(state.world.slip);
    if (document.activeElement !== step) step.value = state.world.step_reward;
    buttons.update();
    readout.update(state);
    plot.update(state.history, state.world.gamma);
  };
  return { element, update };
}

// ---------------------------------------------------------------- the figure

function render({ model, el }) {
  if (!el.closest(".rl-figure")) el.classList.add("rl-figure"); // JupyterLab has no <figure> around it
  const figure = new GridState(structuredClone(model.get("world")), refresh);
  const receive = (world) => figure.setWorld(world, "The world was set from Python.");
  const kernel = connect(model, "world", () => figure.run.world, receive);
  const pick = (row, column, how) => {
    if (how !== "move" && figure.tool !== "select") return figure.paint(row, column, figure.tool);
    if (how === "drag") return;
    figure.selected = [row, column];
    refresh();
    if (how === "enter" && figure.selectedReward !== null) toolbar.field.focus();
  };
  const press = (key, row, column) => {
    const tool = KEY_TOOLS[key] ?? KEY_TOOLS[key.toLowerCase()];
    if (tool) figure.paint(row, column, tool);
    return Boolean(tool);
  };
  const [toolbar, board, panel] = [createToolbar(figure, refresh), createBoard({ onpick: pick, onkey: press }), createPanel(figure)];
  const inspector = h("div", { class: "rl-inspect" });
  const status = h("p", { class: "rl-status", role: "status", "aria-live": "polite" });
  const code = h("pre");
  const python = h("details", { class: "rl-code" }, h("summary", {}, "This world in Python"), code);
  const left = h("div", { class: "rl-left" }, toolbar.element, board.element, inspector, status, python);
  // Without the attribute, JupyterLab would take the keys that paint for commands of its own.
  const body = h("div", { class: "rl-body", "data-lm-suppress-shortcuts": "true" }, left, panel.element);
  el.append(body);

  function refresh(message = null) {
    const state = { ...figure.state, selected: figure.selected };
    body.style.setProperty("--rl-columns", state.world.layout[0].length);
    board.element.dataset.tool = figure.tool;
    board.update(state);
    toolbar.update();
    panel.update(state);
    inspector.replaceChildren(...inspect(state));
    code.textContent = toPython(state.world);
    if (message !== null) status.textContent = message;
    kernel.write();
  }

  refresh();
  el.rlFigure = figure;
  return () => {
    figure.stop();
    kernel.release();
  };
}

export default { render };
