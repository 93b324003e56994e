// The grid world and value iteration, with the semantics of rlcore.worlds.grid, and nothing about drawing.
//
// A world is { layout, rewards, step_reward, slip, gamma }. States are the cells that are no walls, in reading
// order; actions are up, right, down, left. Terminal cells pay on entering and have value exactly 0.

export const ACTIONS = ["up", "right", "down", "left"];
const MOVES = [[-1, 0], [0, 1], [1, 0], [0, -1]];
const TIE = 1e-12; // as rlcore.mdp.greedy: actions within this fraction of the span of q are tied
const PRECISION = 1e-11; // width at which the bounds count as closed, relative to max(1, |v|)

export const isWall = (char) => char === "#";
export const isTerminal = (char) => char !== "#" && char !== "." && char !== "S";

/** States, and for each pair (s, a), row a*S + s, its expected reward, its three successors and their laws. */
export function buildModel(world) {
  const index = new Map();
  const states = [];
  world.layout.forEach((line, row) => [...line].forEach((char, column) => {
    if (isWall(char)) return;
    index.set(`${row},${column}`, states.length);
    states.push({ row, column, char, terminal: isTerminal(char) });
  }));
  const S = states.length;
  const target = (s, a) => index.get(`${states[s].row + MOVES[a][0]},${states[s].column + MOVES[a][1]}`) ?? s;
  const law = [[0, 1 - world.slip], [1, world.slip / 2], [3, world.slip / 2]]; // turns to the right, probabilities
  const model = { S, states, gamma: world.gamma, endless: !states.some((state) => state.terminal) };
  model.r = new Float64Array(4 * S);
  model.next = new Int32Array(12 * S);
  model.p = new Float64Array(12 * S);
  for (let row = 0; row < 4 * S; row++) {
    const s = row % S;
    if (states[s].terminal) continue;
    model.r[row] = world.step_reward;
    law.forEach(([turn, p], i) => {
      const next = target(s, ((row - s) / S + turn) % 4);
      model.next[3 * row + i] = next;
      model.p[3 * row + i] = p;
      if (states[next].terminal) model.r[row] += p * world.rewards[states[next].char];
    });
  }
  return model;
}

/** q[a*S + s] = r(s, a) + gamma * sum_s' p(s' | s, a) v(s'). */
export function lookAhead({ r, next, p, gamma }, v) {
  return r.map((reward, row) => {
    const i = 3 * row;
    return reward + gamma * (p[i] * v[next[i]] + p[i + 1] * v[next[i + 1]] + p[i + 2] * v[next[i + 2]]);
  });
}

/** (Tv)(s) = max_a q[a*S + s]. */
export function bellman(model, q) {
  const { S } = model;
  return new Float64Array(S).map((_, s) => Math.max(q[s], q[S + s], q[2 * S + s], q[3 * S + s]));
}

const extremes = (x) => [Math.min(...x), Math.max(...x)];

/** (max d - min d) / 2 for d = tv - v. */
export function halfSpan(v, tv) {
  const [low, high] = extremes(tv.map((value, s) => value - v[s]));
  return (high - low) / 2;
}

/** MacQueen's bounds on the optimal values: tv + gamma/(1-gamma) * (min, max) of tv - v, zeros at the end. */
export function macqueenBounds(model, v, tv) {
  const scale = model.gamma / (1 - model.gamma);
  const [low, high] = extremes(tv.map((value, s) => value - v[s]));
  const shifted = (by) => tv.map((value, s) => (model.states[s].terminal ? value : value + scale * by));
  return { lower: shifted(low), upper: shifted(high), width: scale * (high - low) };
}

/** The greedy actions of each state: all those that tie. The first is the policy's. */
export function greedy(model, q) {
  const [low, high] = extremes(q);
  const best = bellman(model, q);
  return model.states.map((_, s) => [0, 1, 2, 3].filter((a) => q[a * model.S + s] >= best[s] - TIE * (high - low)));
}

// ---------------------------------------------------------------- value iteration, as a run that can be watched

function look(run, v) {
  const q = lookAhead(run.model, v);
  const tv = bellman(run.model, q);
  const residual = halfSpan(v, tv);
  const scale = Math.max(1, ...extremes(v).map(Math.abs));
  const { gamma } = run.model;
  run.tol = PRECISION * scale * Math.min(1, (1 - gamma) / (2 * gamma)); // then the bounds are PRECISION * scale apart
  return Object.assign(run, { v, q, tv, residual });
}

/** Begin from v0, zeros by default. */
export function begin(world, v0) {
  const model = buildModel(world);
  const run = look({ world, model, sweeps: 0 }, Float64Array.from(v0 ?? new Float64Array(model.S)));
  return Object.assign(run, { history: [run.residual] });
}

/** One sweep: v <- Tv. */
export function sweep(run) {
  look(run, run.tv);
  run.sweeps += 1;
  run.history.push(run.residual);
  return run;
}

export const converged = (run) => run.residual <= run.tol;

/** Whether v itself has settled, and not only its differences (see settle). */
export const settled = (run) => converged(run) && Math.max(...run.tv.map((x, s) => Math.abs(x - run.v[s]))) <= 2 * run.tol;

/** Where nothing ends, constants are left to the bounds: move v to the middle of them, as rlcore's solvers do. */
export function settle(run) {
  if (!run.model.endless || !converged(run)) return run;
  const { lower, upper } = macqueenBounds(run.model, run.v, run.tv);
  return look(run, lower.map((low, s) => (low + upper[s]) / 2));
}

/** Sweep until the half-span is at most run.tol, or only rounding is left. */
export function solve(run) {
  const { gamma } = run.model;
  const ratio = (4 * Math.max(run.residual, run.tol)) / (run.tol * (1 - gamma));
  let left = gamma === 0 ? 2 : 2 + Math.ceil(Math.log(ratio) / -Math.log(gamma));
  while (!converged(run) && left-- > 0) sweep(run);
  return settle(run);
}

// ---------------------------------------------------------------- edits

const LETTERS = [..."GXHYIZJKLMNOPQRTUVWABCDEF"]; // S is the start

/** A copy of the world with `char` at a cell. Returns null where it would leave no cell to move in. */
export function paint(world, row, column, char) {
  const layout = world.layout.map((line, i) => (i === row ? line.slice(0, column) + char + line.slice(column + 1) : line));
  return /[.S]/.test(layout.join("")) ? { ...world, layout } : null;
}

/** A copy of the world with a terminal cell of that reward, under the letter that has it or an unused one. */
export function paintReward(world, row, column, reward) {
  const bare = paint(world, row, column, ".").layout.join("");
  const used = Object.entries(world.rewards).filter(([letter]) => bare.includes(letter));
  const same = Object.entries(world.rewards).find(([, value]) => value === reward);
  const favourite = reward < 0 ? "X" : "G";
  const free = (letter) => !used.some(([other]) => other === letter);
  const letter = same?.[0] ?? (free(favourite) ? favourite : LETTERS.find(free));
  const painted = letter && paint(world, row, column, letter);
  return painted && { ...painted, rewards: { ...Object.fromEntries(used), [letter]: reward } };
}

/** The values of one run carried over to another world's cells; 0 where a cell is new or terminal. */
export function carryOver(run, world) {
  const old = new Map(run.model.states.map((state, s) => [`${state.row},${state.column}`, run.v[s]]));
  return buildModel(world).states.map((state) => (state.terminal ? 0 : old.get(`${state.row},${state.column}`) ?? 0));
}

/** The world as the call that builds it in Python. */
export function toPython(world) {
  const lines = world.layout.map((line) => `    "${line}",`).join("\n");
  const rewards = Object.entries(world.rewards).map(([letter, value]) => `"${letter}": ${value}`).join(", ");
  const numbers = ["step_reward", "slip", "gamma"].map((name) => `${name}=${world[name]}`).join(", ");
  return `mdp = worlds.grid([\n${lines}\n], rewards={${rewards}}, ${numbers})`;
}
