// What the tree figure knows and can do, apart from drawing.
import { actionTo, beginSearch, preferred, simulate } from "./tree_model.js";
import { short } from "./shared.js";

export const MOST = 3000; // simulations, as in rlcore/widgets/tree.py
const PAUSES = [900, 60]; // ms between simulations while playing: of the first one, and at least

/** `changed(message)` is called after every action; a null message means that nothing need be said. */
export class TreeState {
  constructor(examples, world, changed) {
    this.examples = examples;
    this.changed = changed;
    this.selected = 0; // a node
    this.playing = false;
    this.timer = 0;
    this.restart(world);
  }

  /** A search with these settings, as far as they say. */
  restart({ example, c, seed, simulations }) {
    this.example = example;
    this.selected = 0;
    this.run = beginSearch(this.examples[example], c, seed);
    while (this.count < simulations) simulate(this.run);
  }

  get count() {
    return this.run.history.length;
  }

  get world() {
    return { example: this.example, c: this.run.c, seed: this.run.seed, simulations: this.count };
  }

  /** The root's actions with what the search and what an exact solver say of them, and which each prefers. */
  get actions() {
    const { example, nodes } = this.run;
    const { options, n, q } = nodes[0];
    const [choice, most] = [this.count ? preferred(this.run) : -1, Math.max(...example.exact)];
    return options.map(({ action }, i) => ({
      name: example.actions[action], visits: n[i], estimate: q[i], exact: example.exact[i], chosen: i === choice, best: most - example.exact[i] < 1e-9,
    }));
  }

  /** The last simulation: the nodes on its path, and the node it added, if any. */
  get last() {
    return this.run.history.at(-1) ?? { path: [], grown: false };
  }

  /** What has happened, in words. */
  get story() {
    const list = this.actions;
    const best = list.filter((action) => action.best).map(({ name }) => name).join(" or ");
    if (!this.count) return `Only the root: no simulation yet. Exact best: ${best}.`;
    const { path, grown, evaluation, value } = this.last;
    const names = path.slice(1).map((id) => actionTo(this.run, this.run.nodes[id]));
    const few = names.length > 8 ? [...names.slice(0, 7), `… (${names.length} steps)`] : names;
    const leaf = this.run.nodes[path.at(-1)];
    const how = this.run.example.rollouts ? `, rollout ${short(evaluation)}` : ", counted as 0";
    const end = `${grown ? "a new node" : "an old node"}${leaf.ended ? ", the end" : how}`;
    return `Simulation ${this.count}: took ${few.join(", ")}; ${end}; return ${short(value)}. The root prefers ${list.find(({ chosen }) => chosen).name}; exact best is ${best}.`;
  }

  // -------------------------------------------------------------- running

  advance(times) {
    this.stop();
    if (this.count === MOST) return this.changed(`${MOST} simulations are the most shown here: Reset begins again.`);
    for (let k = 0; k < times && this.count < MOST; k++) simulate(this.run);
    this.changed(this.story);
  }

  reset() {
    this.set({ simulations: 0 });
  }

  play() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.advance(100);
    if (this.count === MOST) this.restart({ ...this.world, simulations: 0 });
    this.playing = true;
    this.started = this.count;
    this.timer = setTimeout(() => this.tick(), 0);
    this.changed("Playing.");
  }

  pause() {
    this.stop();
    this.changed(`Paused. ${this.story}`);
  }

  stop() {
    this.playing = false;
    clearTimeout(this.timer);
  }

  tick() {
    simulate(this.run);
    if (this.count === MOST) {
      this.stop();
      return this.changed(this.story);
    }
    this.timer = setTimeout(() => this.tick(), Math.max(PAUSES[1], PAUSES[0] / (1 + (this.count - this.started) / 4)));
    this.changed(null);
  }

  // -------------------------------------------------------------- the reader's changes

  /** Another weight, example, seed or number of simulations; the search is made anew, with the same number of them. */
  set(changes, said = "") {
    this.stop();
    this.restart({ ...this.world, ...changes });
    this.changed(said + this.story);
  }
}
