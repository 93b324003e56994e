// Wakes the figures of a static page: <figure data-rl-figure="NAME"> holds a still picture and its data as JSON;
// NAME.js beside this file draws the live figure, the same module that JupyterLab gets through anywidget.

/** The part of anywidget's model that the figures use, without a kernel behind it. */
function localModel(data) {
  const listeners = new Map();
  const tell = (event) => [...(listeners.get(event) ?? [])].forEach((listener) => listener());
  return {
    get: (name) => data[name],
    set(name, value) {
      data[name] = value;
      tell(`change:${name}`);
      tell("change");
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    off(event, listener) {
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => listener && other !== listener));
    },
    save_changes() {},
  };
}

async function wake(figure) {
  const name = figure.dataset.rlFigure;
  if (!/^\w+$/.test(name) || figure.classList.contains("rl-awake")) return;
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const { default: widget } = await import(`./${name}.js`);
  const el = document.createElement("div");
  el.className = "rl-live";
  figure.append(el); // CSS hides it until the figure is awake
  await widget.render({ model: localModel(data), el });
  figure.classList.add("rl-awake"); // the still picture stays for print
}

/** Wake every figure under `root`. One that fails keeps its still picture. */
export function boot(root = document) {
  const figures = [...root.querySelectorAll("[data-rl-figure]")];
  return Promise.all(figures.map((figure) => wake(figure).catch((error) => console.error(figure, error))));
}

boot();
