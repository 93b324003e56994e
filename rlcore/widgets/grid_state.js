// What the grid figure knows and can do, apart from drawing.
import { begin, carryOver, converged, greedy, isTerminal, macqueenBounds, paint, paintReward, settle, solve, sweep } from "./grid_model.js";
import { small } from "./shared.js";

const PAUSE = 160; // ms between sweeps at the start; later ticks take several sweeps

/** `changed(message)` is called after every action; a null message means that nothing need be said. */
export class GridState {
  constructor(world, changed) {
    const rewards = Object.values(world.rewards);
    this.run = begin(world);
    this.changed = changed;
    this.tool = "select";
    this.brush = { goal: Math.max(...rewards) > 0 ? Math.max(...rewards) : 1, pit: Math.min(...rewards) < 0 ? Math.min(...rewards) : -1 };
    this.selected = null; // [row, column]
    this.playing = false;
    this.kept = false; // once solved, changes of the world are solved at once
    this.timer = 0;
  }

  /** Everything that is shown, computed from the current values. */
  get state() {
    const { run } = this;
    return { ...run, choices: greedy(run.model, run.q), bounds: macqueenBounds(run.model, run.v, run.tv), converged: converged(run) };
  }

  sweep(times = 1) {
    this.stop();
    for (let k = 0; k < times; k++) sweep(this.run);
    this.changed(`Sweep ${this.run.sweeps}: half-span ${small(this.run.residual)}.`);
  }

  solve() {
    this.stop();
    solve(this.run);
    this.kept = true;
    this.changed(`Solved in ${this.run.sweeps} sweeps.`);
  }

  reset() {
    this.stop();
    this.kept = false;
    this.run = begin(this.run.world);
    this.changed("All values are zero again.");
  }

  play() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return this.solve();
    if (converged(this.run)) this.run = begin(this.run.world);
    this.kept = false;
    this.playing = true;
    this.timer = setTimeout(() => this.tick(), PAUSE);
    this.changed("Playing.");
  }

  pause() {
    this.stop();
    this.changed(`Paused after ${this.run.sweeps} sweeps.`);
  }

  stop() {
    this.playing = false;
    clearTimeout(this.timer);
  }

  tick() {
    const sweeps = Math.ceil((this.run.sweeps + 1) / 15);
    for (let k = 0; k < sweeps && !converged(this.run); k++) sweep(this.run);
    if (!converged(this.run)) {
      this.timer = setTimeout(() => this.tick(), PAUSE);
      return this.changed(null);
    }
    this.stop();
    settle(this.run);
    this.kept = true;
    this.changed(`Converged after ${this.run.sweeps} sweeps.`);
  }

  /** Another world: the values of its cells are kept, and counting starts again. */
  setWorld(world, message) {
    this.run = begin(world, carryOver(this.run, world));
    if (this.kept) solve(this.run);
    this.changed(message);
  }

  /** Change gamma, slip or step_reward. */
  change(field, value) {
    this.setWorld({ ...this.run.world, [field]: value }, `Set ${field} = ${value}.`);
  }

  /** Paint a cell with a tool: wall, free, goal or pit. */
  paint(row, column, tool, reward = this.brush[tool]) {
    const { world } = this.run;
    const next = tool in this.brush ? paintReward(world, row, column, reward) : paint(world, row, column, tool === "wall" ? "#" : ".");
    this.selected = [row, column];
    if (next) this.setWorld(next, `Painted ${tool === "free" ? "a free cell" : `a ${tool}`} at (${row}, ${column}).`);
    else this.changed("One cell must stay free.");
  }

  /** The reward of the selected cell, null if it does not end the walk. */
  get selectedReward() {
    const [row, column] = this.selected ?? [];
    const char = this.run.world.layout[row]?.[column];
    return char !== undefined && isTerminal(char) ? this.run.world.rewards[char] : null;
  }

  /** The reward that the field shows: what the tool paints, or else what the selected cell pays. */
  get reward() {
    return this.brush[this.tool] ?? this.selectedReward;
  }

  set reward(value) {
    const [before, end] = [this.brush[this.tool], this.selectedReward];
    if (before !== undefined) this.brush[this.tool] = value;
    if (end !== null && (before === undefined || end === before)) this.paint(...this.selected, value < 0 ? "pit" : "goal", value);
    else this.changed(`The ${this.tool} tool now paints the reward ${value}.`);
  }
}
