// A search tree that grows by UCT: the controls, and the figure put together.
import { connect, h, range, short, slider } from "./shared.js";
import { createTreeBoard, describeActions, describeNode } from "./tree_board.js";
import { toPythonSearch } from "./tree_model.js";
import { TreeState } from "./tree_state.js";

const KEY = "▸ most visited, ★ exact best. In the tree: orange lines, the last simulation; large, many visits; number and colour, the mean (orange below 0); square, the end; diamond, chance.";
const WEIGHTS = range(0, 3, 0.1);

/** The examples, of which one is chosen. */
function createChoice(figure) {
  const group = `rl-example-${Math.random().toString(36).slice(2)}`;
  const names = Object.keys(figure.examples);
  const inputs = names.map((name) => h("input", { type: "radio", name: group, value: name, onchange: () => figure.set({ example: name, simulations: 0 }) }));
  const chip = (name, i) => h("label", { class: "rl-chip" }, inputs[i], h("span", {}, name));
  const element = h("div", { class: "rl-chips", role: "radiogroup", "aria-label": "Example" }, ...names.map(chip));
  return { element, update: () => inputs.forEach((input) => { input.checked = input.value === figure.example; }) };
}

function createButtons(figure) {
  const button = (text, title, onclick) => h("button", { type: "button", title, onclick }, text);
  const play = button("Play", "Simulate again and again, faster and faster", () => (figure.playing ? figure.pause() : figure.play()));
  const element = h(
    "div", { class: "rl-buttons" },
    button("One", "One simulation", () => figure.advance(1)),
    button("Ten", "Ten simulations", () => figure.advance(10)),
    button("Hundred", "A hundred simulations", () => figure.advance(100)), play,
    button("Reset", "Only the root", () => figure.reset()),
    button("New luck", "As many simulations with other random numbers", () => figure.set({ seed: (figure.run.seed + 1) % 2 ** 32 }, `Seed ${figure.run.seed + 1}. `)),
  );
  return { element, update: () => { play.textContent = figure.playing ? "Pause" : "Play"; } };
}

/** The root's actions: what the search says, beside the truth. */
function createTable() {
  const body = h("tbody");
  const heads = ["action", "visits", "mean", "exact"].map((text) => h("th", { scope: "col" }, text));
  const element = h("table", { class: "rl-table", "aria-label": "The actions at the root" }, h("thead", {}, h("tr", {}, ...heads)), body);
  const row = ({ name, visits, estimate, exact, chosen, best }) => h(
    "tr", { class: chosen ? "rl-best" : null }, h("th", { scope: "row" }, `${chosen ? "▸ " : ""}${name}`),
    h("td", {}, String(visits)), h("td", {}, visits ? short(estimate) : "–"), h("td", {}, `${short(exact)}${best ? " ★" : ""}`),
  );
  return { element, update: (actions) => body.replaceChildren(...actions.map(row)) };
}

function createControls(figure) {
  const [buttons, table] = [createButtons(figure), createTable()];
  const weight = slider({ label: "weight c of the bonus", title: "0 is greedy; larger explores more", stops: WEIGHTS, value: figure.run.c, oninput: (c) => figure.set({ c }, `c = ${c}${c === 0 ? ", greedy" : ""}: as many simulations again. `) });
  const key = h("p", { class: "rl-key" }, KEY);
  const element = h("div", { class: "rl-controls" }, h("div", {}, buttons.element, weight.element), h("div", {}, table.element, key));
  const update = () => {
    buttons.update();
    weight.set(figure.run.c);
    table.update(figure.actions);
  };
  return { element, update };
}

/** What the search knows at the selected node. */
function inspect({ run, selected }) {
  const actions = describeActions(run, selected);
  const parts = actions.map(({ text, best }) => h("span", { class: best ? "rl-best" : null }, text));
  const rule = parts.length ? [h("p", { class: "rl-actions" }, "mean + bonus:", ...parts)] : [];
  return [h("p", {}, `Selected: ${describeNode(run, selected)}.`), ...rule];
}

function render({ model, el }) {
  if (!el.closest(".rl-figure")) el.classList.add("rl-figure"); // JupyterLab has no <figure> around it
  const figure = new TreeState(structuredClone(model.get("examples")), structuredClone(model.get("world")), refresh);
  const receive = (world) => figure.set(world, "Set from Python. ");
  const kernel = connect(model, "world", () => figure.world, receive);
  const pick = (id) => {
    figure.selected = id;
    refresh();
  };
  const [choice, board, controls] = [createChoice(figure), createTreeBoard({ onpick: pick }), createControls(figure)];
  const count = h("span", { class: "rl-count" });
  const about = h("p", { class: "rl-legend" });
  const status = h("p", { class: "rl-status", role: "status", "aria-live": "polite" });
  const inspector = h("div", { class: "rl-inspect" });
  const code = h("pre");
  const python = h("details", { class: "rl-code" }, h("summary", {}, "This search in Python"), code);
  const tools = h("div", { class: "rl-tools" }, choice.element, count);
  // Without the attribute, JupyterLab would take the arrow keys for commands of its own.
  el.append(h("div", { class: "rl-tree", "data-lm-suppress-shortcuts": "true" }, tools, board.element, about, status, controls.element, inspector, python));

  function refresh(message = null) {
    const { run, selected, last } = figure;
    board.update({ run, selected, path: last.path, fresh: last.grown ? last.path.at(-1) : -1 });
    const [all, drawn] = [run.nodes.length, run.nodes.length - board.hidden];
    count.textContent = `n = ${figure.count}; ${board.hidden ? `${drawn} of ${all} nodes drawn` : all === 1 ? "1 node" : `${all} nodes`}`;
    count.title = board.hidden ? "The most visited nodes are drawn" : "";
    about.textContent = run.example.about;
    choice.update();
    controls.update();
    inspector.replaceChildren(...inspect(figure));
    code.textContent = toPythonSearch(run);
    if (message !== null) status.textContent = message;
    if (!figure.playing) kernel.write(); // a kernel need not follow each frame
  }

  refresh(figure.story);
  el.rlFigure = figure;
  return () => {
    figure.stop();
    board.release();
    kernel.release();
  };
}

export default { render };
