// Occupancies as a polytope: the controls, and the figure put together.
import { createPlane } from "./polytope_board.js";
import { LETTERS, toPython } from "./polytope_model.js";
import { actionsOf, inWords, kindsOfCosts, pointInWords, PolytopeState, worth } from "./polytope_state.js";
import { connect, h, range, same, slider } from "./shared.js";

const DISCOUNTS = [...range(0, 0.9, 0.05), 0.95, 0.98];
const SHARES = range(0, 1, 0.05);
const TURN = range(-180, 180, 5);
const LIMITS = [...range(0, 3, 0.1), ...range(3.5, 10, 0.5), ...range(11, 50, 1)];
const OWN = "your own";
const NONE = "none";

const option = (name, disabled = false) => h("option", { value: name, disabled }, name);

function createPresets(figure, presets) {
  const choose = () => {
    const preset = presets.find(({ name }) => name === select.value);
    if (preset) figure.set(structuredClone(preset.process));
  };
  const select = h("select", { onchange: choose }, ...presets.map(({ name }) => option(name)), option(OWN, true));
  const matches = ({ process }) => ["p", "r", "gamma", "mu", "states", "actions"].every((field) => same(process[field], figure.process[field]));
  const update = () => { select.value = presets.find(matches)?.name ?? OWN; };
  return { element: h("div", { class: "rl-tools" }, h("label", { class: "rl-number" }, "process", select), h("p", { class: "rl-hint" }, "Drag the point.")), update };
}

/** The four deterministic policies with their values; choosing one moves the point there. */
function createTable(figure) {
  const head = h("tr");
  const rows = LETTERS.split("").map((letter, k) => {
    const button = h("button", { type: "button", onclick: () => figure.change("pi", figure.view.corners[k].pi) });
    const [cells, row] = [[0, 1, 2, 3].map(() => h("td")), h("tr")];
    row.append(h("th", { scope: "row" }, button), ...cells);
    return { letter, button, cells, row };
  });
  const element = h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows.map(({ row }) => row)));
  const update = () => {
    const { process, corners, best } = figure.view;
    const titles = ["policy", `v(${process.states[0]})`, `v(${process.states[1]})`, "worth", "cost"];
    head.replaceChildren(...titles.map((title) => h("th", { scope: "col" }, title)));
    rows.forEach(({ letter, button, cells, row }, k) => {
      const { pi, v, value, cost, x } = corners[k];
      const wins = best.some((one) => !one.edge && same(one.x, x));
      button.textContent = `${letter} ${actionsOf(process, pi)}`;
      button.setAttribute("title", "Move your point to this corner");
      [...v, value].forEach((number, i) => { cells[i].textContent = worth(number); });
      cells[2].textContent += wins ? "★" : "";
      cells[3].textContent = worth(cost);
      row.className = wins ? "rl-wins" : process.limit !== null && cost > process.limit + 1e-9 ? "rl-out" : "";
    });
  };
  return { element: h("div", { class: "rl-policies" }, element), update };
}

/** Two columns of sliders, one for each state: rewards and the policy at the point. */
function createStates(figure) {
  let drawn = null;
  let reach = 0;
  const element = h("div", { class: "rl-columns" });
  let sliders = [];

  function build({ states, actions }) {
    const stops = range(-reach, reach, reach / 20);
    sliders = states.map((state, s) => [
      ...actions.map((action, a) => slider({ label: `r(${action})`, name: `r(${action}) when ${state}`, title: `reward r(${state}, ${action})`, stops, value: 0, oninput: (x) => figure.setReward(s, a, x) })),
      slider({ label: `π(${actions[1]})`, name: `π(${actions[1]}) when ${state}`, title: `probability of ${actions[1]} when ${state}, at your point`, stops: SHARES, value: 0, oninput: (x) => figure.setPolicy(s, x) }),
    ]);
    element.replaceChildren(...states.map((state, s) => h("div", { role: "group", "aria-label": `when ${state}` }, h("p", { class: "rl-heading" }, `when ${state}`), ...sliders[s].map((one) => one.element))));
  }

  const update = () => {
    const { process } = figure;
    const most = Math.max(1, ...process.r.flat().map(Math.abs));
    const power = 10 ** Math.floor(Math.log10(most));
    const needed = [1, 2, 5, 10].map((x) => x * power).find((x) => x >= most);
    const names = JSON.stringify([process.states, process.actions]);
    if (names !== drawn || needed > reach) {
      [drawn, reach] = [names, needed];
      build(process);
    }
    sliders.forEach(([first, second, share], s) => {
      first.set(process.r[s][0]);
      second.set(process.r[s][1]);
      share.set(Number(process.pi[s].toFixed(3)));
    });
  };
  return { element, update };
}

function createLimit(figure) {
  const choose = () => figure.limitOn(select.value === NONE ? null : kinds.find(({ name }) => name === select.value).costs);
  const select = h("select", { onchange: choose });
  const bound = slider({ label: "at most", title: "limit on the expected discounted cost", stops: LIMITS, value: 0, oninput: (x) => figure.change("limit", x) });
  bound.element.classList.add("rl-limit-slider");
  let kinds = [];
  const update = () => {
    const { process } = figure;
    kinds = kindsOfCosts(process, process.limit === null ? figure.own : process.costs);
    const names = [NONE, ...kinds.map(({ name }) => name)];
    if (!same(names, [...select.options].map(({ value }) => value))) select.replaceChildren(...names.map((name) => option(name)));
    select.value = process.limit === null ? NONE : kinds.find(({ costs }) => same(costs, process.costs)).name;
    bound.element.style.visibility = process.limit === null ? "hidden" : "visible";
    if (process.limit !== null) bound.set(process.limit);
  };
  return { elements: [h("label", { class: "rl-number" }, "limit on", select), bound.element], update };
}

function createPanel(figure) {
  const { process } = figure;
  const [states, limit] = [createStates(figure), createLimit(figure)];
  const turn = slider({ label: "direction of the reward, °", title: "degrees; changes the rewards of the second action", stops: TURN, value: 0, oninput: (x) => figure.turn(x) });
  const gamma = slider({ label: "γ", name: "discount factor γ", title: "discount factor", stops: DISCOUNTS, value: process.gamma, oninput: (x) => figure.change("gamma", x) });
  const law = h("span");
  const start = slider({ label: law, name: "law μ of the first state", title: "probability to start in the first state", stops: SHARES, value: process.mu[0], oninput: (x) => figure.change("mu", [x, Number((1 - x).toFixed(12))]) });
  const button = (text, title, onclick) => h("button", { type: "button", title, onclick }, text);
  const buttons = h("div", { class: "rl-buttons" }, button("Sweep", "Let the line of equal reward sweep through the polytope", () => figure.sweep()), button("To the best", "Move your point to the optimum", () => figure.toBest()));
  const element = h("div", { class: "rl-panel" }, states.element, turn.element, h("div", { class: "rl-columns" }, gamma.element, start.element), ...limit.elements, buttons);
  const update = () => {
    const { slope } = figure.view.objective;
    [states, limit].forEach((part) => part.update());
    turn.set(Math.round((Math.atan2(slope[1], slope[0]) * 180) / Math.PI) + 0);
    gamma.set(figure.process.gamma);
    law.textContent = `μ(${figure.process.states[0]})`;
    start.set(Number(figure.process.mu[0].toFixed(4)));
  };
  return { element, update };
}

function render({ model, el }) {
  if (!el.closest(".rl-figure")) el.classList.add("rl-figure"); // JupyterLab has no <figure> around it
  const figure = new PolytopeState(structuredClone(model.get("process")), refresh);
  const kernel = connect(model, "process", () => figure.process, (process) => figure.set(process));
  const plane = createPlane({ onmove: (y) => figure.move(y) });
  const parts = [createPresets(figure, model.get("presets")), createTable(figure), createPanel(figure)];
  const [presets, table, panel] = parts;
  const inspector = h("p", { class: "rl-inspect", "aria-live": "polite" });
  const status = h("p", { class: "rl-status", role: "status" });
  const code = h("pre");
  const python = h("details", { class: "rl-code" }, h("summary", {}, "This process in Python"), code);
  const left = h("div", { class: "rl-left" }, presets.element, plane.element, status, table.element, inspector, python);
  // Without the attribute, JupyterLab would take some keys for commands of its own.
  el.append(h("div", { class: "rl-body rl-polytope", "data-lm-suppress-shortcuts": "true" }, left, panel.element));

  function refresh() {
    plane.update(figure.view, figure.level);
    if (figure.sweeping !== null) return; // only the line moves
    parts.forEach((part) => part.update());
    inspector.textContent = pointInWords(figure.view);
    const text = inWords(figure.view);
    if (status.textContent !== text) status.textContent = text; // so that a moved point is not read out as a new optimum
    code.textContent = toPython(figure.process);
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
