// What the chain figure knows and can do, apart from drawing.
import { advance, ahead, begin, periodAhead, setWeight, settled } from "./chain_model.js";
import { small } from "./shared.js";

const PAUSE = 300; // ms between steps at the start; later ticks take several steps
const MANY = 2000; // steps that one play takes at most
const ROUNDS = 60; // steps that one play takes where the law need not settle

/** "1 step", "12 steps". */
const counted = (n, thing) => `${n} ${thing}${n === 1 ? "" : "s"}`;

/** What is so, in words. */
export function inWords(run) {
  const { t, chain: { start } } = run;
  const now = `After ${counted(t, "step")}: distance ${small(run.distances[t])}`;
  const period = periodAhead(run);
  const inside = run.closed.some((c) => c.states.includes(start));
  if (period > 1 && inside) return `${now}; period ${period}: the law does not settle, its average does (distance ${small(run.averages[t])}).`;
  if (period > 1) return `${now}; a class of period ${period} lies ahead: the law need not settle, its average does (distance ${small(run.averages[t])}).`;
  const end = settled(run) ? ": settled" : "";
  if (run.closed.length === 1) return `${now} to the invariant law${end}.`;
  const where = ahead(run).length === 1 ? "the invariant law of its class" : `a mixture of ${ahead(run).length} invariant laws`;
  return `${now} to ${where}${end}; ${run.closed.length} closed classes, so the limit depends on the start.`;
}

/** The classes, in words. */
export const classesInWords = ({ classes }) => classes.map(({ states, closed, period }) => {
  const back = period === 0 ? "left at once" : closed && period > 1 ? `closed, period ${period}` : closed ? "closed, aperiodic" : "transient";
  return `{${states.join(", ")}} ${back}`;
}).join(" · ");

/** `changed(message)` is called after every action; a null message while playing. */
export class ChainState {
  constructor(chain, changed) {
    this.run = begin(chain);
    this.changed = changed;
    this.target = 0; // the end of the arrow whose weight can be changed; the start is its beginning
    this.average = false; // whether averages are shown
    this.playing = false;
    this.timer = 0;
    this.aim();
  }

  /** Point at the first arrow that leaves the start. */
  aim() {
    const { P, start } = this.run.chain;
    const other = P[start].findIndex((p, j) => p > 0 && j !== start);
    this.target = other < 0 ? start : other;
  }

  step(times = 1) {
    this.stop();
    for (let k = 0; k < times; k++) advance(this.run);
    this.changed(inWords(this.run));
  }

  reset() {
    this.stop();
    this.run = begin(this.run.chain);
    this.changed(inWords(this.run));
  }

  play() {
    if (settled(this.run)) this.run = begin(this.run.chain);
    this.playing = true;
    this.last = this.run.t + (periodAhead(this.run) > 1 ? ROUNDS : MANY);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      while (this.going) advance(this.run);
      return this.pause();
    }
    this.timer = setTimeout(() => this.tick(), PAUSE);
    this.changed(null);
  }

  pause() {
    this.stop();
    this.changed(inWords(this.run));
  }

  stop() {
    this.playing = false;
    clearTimeout(this.timer);
  }

  get going() {
    return this.run.t < this.last && !settled(this.run);
  }

  tick() {
    const steps = Math.ceil((this.run.t + 1) / 20);
    for (let k = 0; k < steps && this.going; k++) advance(this.run);
    if (!this.going) return this.pause();
    this.timer = setTimeout(() => this.tick(), PAUSE);
    this.changed(null);
  }

  /** Another chain, or another start: the run begins again. */
  setChain(chain) {
    this.stop();
    const moved = chain.start !== this.run.chain.start || chain.P.length !== this.run.chain.P.length;
    this.run = begin(chain);
    if (moved) this.aim();
    this.changed(inWords(this.run));
  }

  /** Change start or stay. */
  change(field, value) {
    this.setChain({ ...this.run.chain, [field]: value });
  }

  /** Change the weight of the arrow from the start to the target. */
  weigh(x) {
    const { P, start } = this.run.chain;
    this.change("P", setWeight(P, start, this.target, x));
  }
}
