// What the figures share: elements, numbers, sliders on given stops, a plot on a logarithmic scale, and the tie to
// anywidget's model.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** An HTML element: h("button", { type: "button", onclick }, "Play"). */
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** A number as text, with a sign as long as a plus. */
export const minus = (text) => text.replace("-", "−");

/** About three digits: 0.71, 12.3, 456; never a negative zero. */
export function short(x) {
  const size = Math.abs(x);
  const text = x.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

/** A reward, as few digits as it has, with its sign. */
export const signed = (x) => (x > 0 ? "+" : "") + minus(String(x));

/** A small positive number: 0, 0.42 or 3.1 · 10⁻⁵. */
export function small(x) {
  if (x === 0 || x >= 0.01) return x === 0 ? "0" : x.toPrecision(2);
  const [digits, power] = x.toExponential(1).split("e");
  return `${digits} · ${tenTo(Number(power))}`;
}

/** 10 with a raised exponent. */
export const tenTo = (power) => "10" + [...String(power)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("");

/** Tools of which one is chosen, as a group of radio buttons. */
export function chips(tools, chosen, onchoose) {
  const group = `rl-tool-${Math.random().toString(36).slice(2)}`; // JupyterLab may load this module once per figure
  const chip = (tool) => {
    const input = h("input", { type: "radio", name: group, value: tool, checked: tool === chosen, onchange: () => onchoose(tool) });
    return h("label", { class: `rl-chip rl-chip-${tool}` }, input, h("span", {}, tool));
  };
  return h("div", { class: "rl-chips", role: "radiogroup", "aria-label": "Tool" }, ...tools.map(chip));
}

/**
 * A labelled slider that runs over `stops` (and any other value it is set to); `name` is what a screen reader says
 * where the label alone, beside others, would not do. Returns { element, set }.
 */
export function slider({ label, name = null, title, stops, value, oninput }) {
  let values = [];
  const shown = h("b", { "aria-hidden": "true" }); // an <output> would take the label away from the slider
  const input = h("input", { type: "range", min: 0, step: 1, title, "aria-label": name, oninput: () => { show(values[input.value]); oninput(values[input.value]); } });
  const show = (x) => {
    shown.textContent = String(x);
    input.setAttribute("aria-valuetext", String(x));
    input.style.setProperty("--rl-filled", `${(100 * input.value) / (values.length - 1)}%`);
  };
  const set = (x) => {
    values = [...new Set([...stops, x])].sort((a, b) => a - b);
    input.max = values.length - 1;
    input.value = values.indexOf(x);
    show(x);
  };
  set(value);
  return { element: h("label", { class: "rl-slider" }, h("span", {}, label), shown, input), set };
}

/** The numbers from, from + step, ..., to. */
export const range = (from, to, step) => Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(3)));

/** Whether two values that JSON can write are equal. */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * Keep what `current()` returns and a trait of anywidget's model, which a kernel may share, in step: `receive(value)`
 * hears of what comes from there. Returns { write, release }.
 */
export function connect(model, trait, current, receive) {
  const read = () => {
    const value = model.get(trait);
    if (!same(value, current())) receive(structuredClone(value));
  };
  const write = () => {
    if (same(model.get(trait), current())) return;
    model.set(trait, structuredClone(current()));
    model.save_changes();
  };
  model.on(`change:${trait}`, read);
  return { write, release: () => model.off(`change:${trait}`, read) };
}

const NICE = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000];

/** A plot of positive numbers against their index on a logarithmic scale, beside first * rate^k or other numbers. */
export function decayPlot({ label, legend, axis = "sweep k" }) {
  const [width, height, left, right, top, bottom] = [300, 170, 40, 8, 24, 30];
  const drawing = svg("g");
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "rl-plot", role: "img", "aria-label": label }, drawing);
  const text = (x, y, string, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, string);

  function update(numbers, rate, others = []) {
    const [ys, zs] = [numbers, others].map((list) => list.map((y) => (y > 0 ? Math.log10(y) : -Infinity)));
    const seen = [...ys, ...zs].filter(Number.isFinite);
    const high = seen.length ? Math.ceil(Math.max(...seen.slice(0, 1), seen.reduce((a, b) => Math.max(a, b)))) : 0;
    const low = Math.min(high - 3, seen.length ? Math.floor(seen.reduce((a, b) => Math.min(a, b))) : 0);
    const last = NICE.find((n) => n >= numbers.length - 1) ?? numbers.length;
    const px = (k) => left + ((width - left - right) * k) / last;
    const py = (y) => top + ((height - top - bottom) * (high - y)) / (high - low);
    drawing.replaceChildren(...axes(px, py, last, low, high), ...legends(rate > 0 || others.length > 0));
    if (!seen.length || !Number.isFinite(ys[0])) return;
    const slope = Math.log10(rate);
    const end = Math.min(last, (low - ys[0]) / slope);
    if (rate > 0) drawing.append(svg("line", { class: "rl-bound", x1: px(0), y1: py(ys[0]), x2: px(end), y2: py(ys[0] + end * slope) }));
    if (others.length) drawing.append(line("rl-bound", thinned(zs), px, py));
    drawing.append(...curve(ys, px, py));
  }

  function axes(px, py, last, low, high) {
    const every = Math.ceil((high - low) / 4);
    const decades = [];
    for (let y = high; y >= low; y -= every) decades.push(y);
    return [
      ...decades.map((y) => svg("line", { class: "rl-rule", x1: left, x2: width - right, y1: py(y), y2: py(y) })),
      ...decades.map((y) => text(left - 5, py(y) + 4, tenTo(y), "end")),
      ...[0, last / 2, last].map((k) => text(px(k) - (k === last ? 2 : 0), height - bottom + 14, String(k), k === last ? "end" : "middle")),
      text((left + width - right) / 2, height - 3, axis),
    ];
  }

  function legends(both) {
    const first = [svg("line", { class: "rl-curve", x1: left, x2: left + 16, y1: 9, y2: 9 }), text(left + 20, 13, legend[0], "start")];
    return both ? [...first, svg("line", { class: "rl-bound", x1: 186, x2: 204, y1: 9, y2: 9 }), text(208, 13, legend[1], "start")] : first;
  }

  /** At most some 300 points of those that are finite, the last one always. */
  function thinned(ys) {
    const stride = Math.max(1, Math.floor(ys.length / 300));
    return ys.map((y, k) => [k, y]).filter(([k, y]) => Number.isFinite(y) && (k % stride === 0 || k === ys.length - 1));
  }

  const line = (kind, points, px, py) => svg("polyline", { class: kind, fill: "none", points: points.map(([k, y]) => `${px(k).toFixed(1)},${py(y).toFixed(1)}`).join(" ") });

  function curve(ys, px, py) {
    const points = thinned(ys);
    const dots = points.length > 25 ? points.slice(-1) : points;
    return [
      line("rl-curve", points, px, py),
      ...dots.map(([k, y]) => svg("circle", { class: "rl-dot", cx: px(k), cy: py(y), r: 2.2 })),
    ];
  }

  return { element: root, update };
}
