// A distribution that walks to its limit: the controls, and the figure put together.
import { createBars, createGraph } from "./chain_board.js";
import { toPython } from "./chain_model.js";
import { ChainState, classesInWords, inWords } from "./chain_state.js";
import { connect, decayPlot, h, range, same, slider, small } from "./shared.js";

const STAYS = range(0, 0.95, 0.05);
const WEIGHTS = [0, 0.001, 0.01, 0.02, ...range(0.05, 0.95, 0.05), 0.98, 0.99, 1];
const OWN = "your own";

function createPresets(figure, presets) {
  const names = [...presets.map(({ name }) => name), OWN];
  const choose = () => {
    const preset = presets.find(({ name }) => name === select.value);
    if (preset) figure.setChain(structuredClone(preset.chain));
  };
  const select = h("select", { onchange: choose }, ...names.map((name) => h("option", { value: name, disabled: name === OWN }, name)));
  const matches = ({ P }) => same(P, figure.run.chain.P);
  const update = () => { select.value = presets.find(({ chain }) => matches(chain))?.name ?? OWN; };
  const label = h("label", { class: "rl-number" }, "chain", select);
  return { element: h("div", { class: "rl-tools" }, label, h("p", { class: "rl-hint" }, "Pick a starting state.")), update };
}

function createButtons(figure) {
  const button = (text, title, onclick) => h("button", { type: "button", title, onclick }, text);
  const play = button("Play", "Step until the law has settled", () => (figure.playing ? figure.pause() : figure.play()));
  const element = h(
    "div", { class: "rl-buttons" },
    button("One step", "the law μ becomes μP", () => figure.step()), play,
    button("Ten", "Ten steps", () => figure.step(10)),
    button("Reset", "Back to the start", () => figure.reset()),
  );
  return { element, update: () => { play.textContent = figure.playing ? "Pause" : "Play"; } };
}

function createReadout() {
  const titles = ["steps t", "distance to the limit", "shrunk by the last step to", "distance of the average"];
  const cells = titles.map(() => h("dd"));
  const element = h("dl", {}, ...titles.map((title, i) => h("div", {}, h("dt", {}, title), cells[i])));
  const update = ({ t, distances, averages }) => {
    const factor = t > 0 && distances[t] > 1e-13 ? `${((100 * distances[t]) / distances[t - 1]).toFixed(1)} %` : "–";
    [t, small(distances[t]), factor, small(averages[t])].forEach((text, i) => { cells[i].textContent = text; });
  };
  return { element, update };
}

/** The weight of one arrow that leaves the start. */
function createWeight(figure) {
  const aim = () => {
    figure.target = Number(target.value);
    update();
  };
  const from = h("span");
  const target = h("select", { onchange: aim });
  const weight = slider({ label: "its weight", title: "probability of that step, before staying put", stops: WEIGHTS, value: 0, oninput: (x) => figure.weigh(x) });
  const update = () => {
    const { P, start } = figure.run.chain;
    from.textContent = `arrow from ${start} to`;
    if (target.options.length !== P.length) target.replaceChildren(...P.map((_, j) => h("option", { value: j }, String(j))));
    target.value = figure.target;
    weight.set(Number(P[start][figure.target].toFixed(4)));
  };
  return { elements: [h("label", { class: "rl-number" }, from, target), weight.element], update };
}

function createPanel(figure, refresh) {
  const stays = slider({ label: "stay with probability", title: "the lazy chain: stay put with this probability", stops: STAYS, value: figure.run.chain.stay, oninput: (x) => figure.change("stay", x) });
  const weight = createWeight(figure);
  const toggle = (event) => {
    figure.average = event.target.checked;
    refresh();
  };
  const average = h("label", { class: "rl-check" }, h("input", { type: "checkbox", onchange: toggle }), "show the average over time");
  const plot = decayPlot({ label: "Total variation distance to the limit after each step, on a logarithmic scale", legend: ["distance of the law", "average"], axis: "step t" });
  const [buttons, readout] = [createButtons(figure), createReadout()];
  const element = h("div", { class: "rl-panel" }, stays.element, ...weight.elements, buttons.element, readout.element, average, plot.element);
  const update = () => {
    stays.set(figure.run.chain.stay);
    [weight, buttons].forEach((part) => part.update());
    readout.update(figure.run);
    plot.update(figure.run.distances, 0, figure.average ? figure.run.averages : []);
  };
  return { element, update };
}

function render({ model, el }) {
  if (!el.closest(".rl-figure")) el.classList.add("rl-figure"); // JupyterLab has no <figure> around it
  const figure = new ChainState(structuredClone(model.get("chain")), refresh);
  const kernel = connect(model, "chain", () => figure.run.chain, (chain) => figure.setChain(chain));
  const presets = createPresets(figure, model.get("presets"));
  const [graph, bars, panel] = [createGraph({ onstart: (s) => figure.change("start", s) }), createBars(), createPanel(figure, refresh)];
  const inspector = h("p", { class: "rl-inspect" });
  const status = h("p", { class: "rl-status", role: "status" });
  const code = h("pre");
  const python = h("details", { class: "rl-code" }, h("summary", {}, "This walk in Python"), code);
  const left = h("div", { class: "rl-left" }, presets.element, graph.element, bars.element, inspector, status, python);
  // Without the attribute, JupyterLab would take some keys for commands of its own.
  el.append(h("div", { class: "rl-body rl-chain", "data-lm-suppress-shortcuts": "true" }, left, panel.element));

  function refresh() {
    const { run } = figure;
    graph.update(run);
    bars.update(run, figure.average);
    presets.update();
    panel.update();
    inspector.textContent = `Classes: ${classesInWords(run)}.`;
    status.setAttribute("aria-live", figure.playing ? "off" : "polite"); // or every step of a play would be read out
    status.textContent = inWords(run);
    code.textContent = toPython(run);
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
