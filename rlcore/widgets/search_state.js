// What the search figure knows and can do, apart from drawing.
import { begin, buildGraph, consistent, ended, finish, found, frontier, manhattan, paint, pathOf, step } from "./search_model.js";

const PAUSE = 60; // ms between expansions

const times = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** `changed(message)` is called after every action; a null message means that nothing need be said. */
export class SearchState {
  constructor(world, changed) {
    this.changed = changed;
    this.tool = "select";
    this.selected = null; // [row, column]
    this.held = null; // S or G, while it is dragged
    this.playing = false;
    this.kept = true; // once the searches have ended, changes of the world are searched at once
    this.timer = 0;
    this.restart(world);
  }

  /** Both searches, before their first expansion. */
  restart(world = this.world) {
    this.world = world;
    this.graph = buildGraph(world.layout);
    const guess = manhattan(this.graph);
    const h = guess.map((steps) => world.weight * steps);
    this.consistent = consistent(this.graph, h);
    this.runs = [begin(this.graph, h.map(() => 0)), begin(this.graph, h)];
    if (this.kept) this.runs.forEach(finish);
  }

  get ended() {
    return this.runs.every(ended);
  }

  /** What is shown: for each search its counts, the cells that wait, and its path. */
  get state() {
    const steps = Math.max(1, ...this.runs.map((run) => run.order.length));
    const show = (run) => ({ ...run, steps, ended: ended(run), found: found(run), frontier: frontier(run), path: pathOf(run), cost: run.distance[this.graph.goal], again: run.order.length - new Set(run.order).size });
    return { world: this.world, selected: this.selected, playing: this.playing, consistent: this.consistent, searches: this.runs.map(show) };
  }

  /** What came out, in a sentence or two. */
  get verdict() {
    const [plain, star] = this.state.searches;
    const counts = `Dijkstra expanded ${times(plain.order.length, "cell")}, A* ${star.order.length}${star.again ? ` (${star.again} of them again)` : ""}`;
    if (!plain.found) return `${counts}. The goal can't be reached: both ran out of cells.`;
    if (star.cost === plain.cost) return `${counts}; both paths cost ${plain.cost}.`;
const more = star.cost - plain.cost;
    return `${counts}. A*'s path costs ${star.cost}, ${more} (${Math.round((100 * more) / plain.cost)} %) more than the shortest.`;
  }

  // -------------------------------------------------------------- running

  step() {
    this.stop();
    if (this.ended) return this.changed(`Both searches have ended; Reset begins again. ${this.verdict}`);
    this.kept = false;
    const name = ({ order }) => `(${this.graph.cells[order.at(-1)].row}, ${this.graph.cells[order.at(-1)].column})`;
    const before = this.runs.map((run) => run.order.length);
    this.runs.forEach(step);
    if (this.ended) return this.end();
    const moved = this.runs.map((run, i) => `${["Dijkstra", "A*"][i]} ${run.order.length > before[i] ? `expands ${name(run)}` : "has ended"}`);
    this.changed(`Step ${Math.max(...this.runs.map((run) => run.order.length))}: ${moved.join(", ")}.`);
  }

  end() {
    this.stop();
    this.runs.forEach(finish);
    this.kept = true;
    this.changed(this.verdict);
  }

  reset() {
    this.stop();
    this.kept = false;
    this.restart();
    this.changed("Nothing is expanded yet; the start waits.");
  }

  play() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.end();
    this.kept = false;
    if (this.ended) this.restart();
    this.playing = true;
    this.timer = setTimeout(() => this.tick(), PAUSE);
    this.changed("Playing.");
  }

  pause() {
    this.stop();
    this.changed(`Paused after ${times(Math.max(...this.runs.map((run) => run.order.length)), "step")}.`);
  }

  stop() {
    this.playing = false;
    clearTimeout(this.timer);
  }

  tick() {
    this.runs.forEach(step);
    if (this.ended) return this.end();
    this.timer = setTimeout(() => this.tick(), PAUSE);
    this.changed(null);
  }

  // -------------------------------------------------------------- the reader's changes

  /** Another world: searches that had ended are made anew at once, others begin again. */
  setWorld(world, message) {
    this.stop();
    this.restart(world);
    this.changed(`${message} ${this.kept ? this.verdict : "The searches begin again."}`);
  }

  weigh(weight) {
    this.setWorld({ ...this.world, weight }, `c = ${weight}.`);
  }

  /** Put a character at a cell: #, a free cell, mud, or the start or the goal, which move there. */
  paint(row, column, char) {
    this.selected = [row, column];
    const layout = paint(this.world.layout, row, column, char);
    if (layout === this.world.layout) return this.changed(null);
    if (!layout) return this.changed("Start and goal can be moved, but not painted over.");
    const what = { "#": "a wall", ".": "a free cell", S: "the start", G: "the goal" }[char] ?? `mud of cost ${char}`;
    this.setWorld({ ...this.world, layout }, `Put ${what} at (${row}, ${column}).`);
  }
}
