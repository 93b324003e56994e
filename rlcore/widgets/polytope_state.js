// What the polytope's figure knows and can do, apart from drawing.
import { coincide, describe, LETTERS, nearest, policyAt, turned } from "./polytope_model.js";
import { minus } from "./shared.js";

const DURATION = 1800; // ms that the line of equal reward takes through the polytope

/** Two digits after the point, as the picture that sleeps has them; never a negative zero. */
export function worth(x) {
  const text = x.toFixed(Math.abs(x) < 999.995 ? 2 : 0);
  return minus(Number(text) === 0 ? text.replace("-", "") : text);
}

const each = (list, say) => list.map(say).join(list.length > 2 ? ", " : " and ");
const nearly = (x, whole) => Math.abs(x - whole) < 5e-4;
const probability = (x) => (nearly(x, 0) && x > 0 ? "almost 0" : nearly(x, 1) && x < 1 ? "almost 1" : x.toFixed(3));

/** The costs that a limit can be put on, by name; one that is none of them is the process's own. */
export function kindsOfCosts({ states, actions }, own) {
  const kinds = [
    { name: `number of: ${actions[1]}`, costs: [[0, 1], [0, 1]] },
    { name: `visits to: ${states[1]}`, costs: [[0, 0], [1, 1]] },
    { name: `visits to: ${states[0]}`, costs: [[1, 1], [0, 0]] },
  ];
  const known = kinds.some(({ costs }) => JSON.stringify(costs) === JSON.stringify(own));
  return known ? kinds : [{ name: "cost", costs: own }, ...kinds];
}

/** "keep, replace": what a deterministic policy does in the two states. */
export const actionsOf = ({ actions }, pi) => pi.map((one) => actions[one]).join(", ");

const nameOf = (view, one) => LETTERS[view.corners.indexOf(one)];
const called = (view, one) => (one.edge ? `the point between ${LETTERS[one.edge[0]]} and ${LETTERS[one.edge[1]]}` : `${nameOf(view, one)} (${actionsOf(view.process, one.pi)})`);

/** Where the optimum is, in words. */
export function inWords(view) {
  const { process, best, leastCost } = view;
  const { states, actions } = process;
  if (best.length === 0) return `No policy keeps the limit: the least expected cost is ${worth(leastCost)}.`;
  const [one] = best;
  if (best.length > 2) return `All points are tied: each policy${process.limit === null ? "" : " within the limit"} is worth ${worth(one.value)}.`;
  if (best.length === 2) return `A tie: ${each(best, (z) => called(view, z))}, and all between them, are worth ${worth(one.value)}.`;
  if (!one.edge) return `Best: corner ${called(view, one)}, worth ${worth(one.value)}${process.limit === null ? "" : ", keeps the limit"}.`;
  const coin = probability(one.pi[one.state]);
  const other = one.edge.map((k) => view.corners[k].pi)[0][1 - one.state];
  return `Best within the limit: between ${LETTERS[one.edge[0]]} and ${LETTERS[one.edge[1]]}, worth ${worth(one.value)}. When ${states[one.state]}, ${actions[1]} with probability ${coin}; when ${states[1 - one.state]}, ${actions[other]}.`;
}

/** What the reader's point stands for, and what has become of corners that coincide. */
export function pointInWords(view) {
  const { process, here, corners } = view;
  const { states, actions, limit } = process;
  const does = states.map((state, s) => [state, s]).filter(([, s]) => !here.never.includes(s)).map(([state, s]) => `${here.pi[s].toFixed(2)} when ${state}`);
  const unseen = here.never.map((s) => `; ${states[s]} is never visited, any action will do there`);
  const spent = limit === null ? "" : `; cost ${worth(here.cost)}${here.cost > limit + 1e-9 * Math.max(1, Math.abs(limit)) ? ", over the limit" : ""}`;
  const merged = states.map((state, s) => [state, corners.filter(({ never }) => never.includes(s))]).filter(([, list]) => list.length > 0);
  const why = merged.map(([state, list]) => (list.length === 4 ? ` No policy ever visits ${state} from this μ: the polytope is a segment.` : ` ${each(list, (one) => LETTERS[corners.indexOf(one)])} never visit ${state} from this μ, so they are one corner.`));
  return `Your point: ${actions[1]} with probability ${does.join(", ")}${unseen.join("")}. Worth ${worth(here.value)}${spent}.${why.join("")}`;
}

/** `changed()` is called after every action. */
export class PolytopeState {
  constructor(process, changed) {
    this.changed = changed;
    this.timer = 0;
    this.sweeping = null; // how far the line of equal reward has come, from 0 to 1; null: it is at the optimum
    this.own = process.costs;
    this.lastLimit = process.limit;
    this.put(process);
  }

  put(process) {
    this.process = process;
    this.view = describe(process);
  }

  /** Another process. */
  set(process) {
    this.stop();
    this.put(process);
    this.changed();
  }

  change(field, value) {
    this.set({ ...this.process, [field]: value });
  }

  setReward(s, a, value) {
    this.change("r", this.process.r.map((row, i) => row.map((x, k) => (i === s && k === a ? value : x))));
  }

  turn(degrees) {
    this.set(turned(this.process, degrees));
  }

  setPolicy(s, probability) {
    this.change("pi", this.process.pi.map((x, i) => (i === s ? probability : x)));
  }

  /** Move the reader's point to y, or as near as the polytope allows. */
  move(y) {
    const at = nearest(this.process, this.view.corners, y);
    this.change("pi", policyAt(this.process, at, this.process.pi));
  }

  /** Put a limit on these costs that cuts the optimum off, if one can; none where `costs` is null. */
  limitOn(costs) {
    if (costs === null) return this.change("limit", null);
    const free = describe({ ...this.process, costs, limit: null });
    const limit = Number(((free.leastCost + Math.min(...free.free.map(({ cost }) => cost))) / 2).toFixed(1));
    this.set({ ...this.process, costs, limit: limit < free.leastCost ? Number(free.leastCost.toFixed(3)) : limit });
  }

  toBest() {
    if (this.view.best.length) this.change("pi", this.view.best[0].pi);
  }

  /** The level of the line of equal reward, null where there is none. */
  get level() {
    const values = this.view.vertices.map(({ value }) => value);
    if (values.length === 0) return null;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return this.sweeping === null ? high : low + this.sweeping * (high - low);
  }

  /** Let the line of equal reward sweep through the polytope until it leaves it. */
  sweep() {
    this.stop();
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const start = performance.now();
      const tick = (now) => {
        this.sweeping = Math.min(1, Math.max(0, (now - start) / DURATION));
        if (this.sweeping === 1) this.sweeping = null;
        else this.timer = requestAnimationFrame(tick);
        this.changed();
      };
      this.sweeping = 0;
      this.timer = requestAnimationFrame(tick);
    }
    this.changed();
  }

  stop() {
    cancelAnimationFrame(this.timer);
    this.sweeping = null;
  }

  /** What the polytope is, in a word. */
  get shape() {
    const { corners, process } = this.view;
    const count = corners.filter((a, k) => !corners.slice(0, k).some((b) => coincide(process, a, b))).length;
    return ["point", "segment", "triangle", "quadrilateral"][count - 1];
  }
}
