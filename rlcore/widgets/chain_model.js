// A finite Markov chain and its law step by step, as rlcore.planning.markov_chains, and nothing about drawing.
//
// A chain is { P, start, stay, at }: rows P[i] of probabilities, the first state, the probability to stay put that
// comes on top (the chain that walks is stay * I + (1 - stay) * P), and the places [x, y] of the states.

const NEGLIGIBLE = 1e-15; // a distance below it is rounding
export const SETTLED = 1e-12; // a distance at which the law counts as settled

/** stay * I + (1 - stay) * P. */
export const lazy = (P, stay) => P.map((row, i) => row.map((p, j) => (i === j ? stay : 0) + (1 - stay) * p));

/** mu P. */
export const pushLaw = (mu, P) => mu.map((_, j) => mu.reduce((sum, m, i) => sum + m * P[i][j], 0));

/** Half the sum of |mu - nu|. */
export const totalVariation = (mu, nu) => mu.reduce((sum, m, i) => sum + Math.abs(m - nu[i]), 0) / 2;

const gcd = (a, b) => (b ? gcd(b, a % b) : Math.abs(a));

/** Numbers of steps from s to every state, Infinity where s does not lead. */
function levels(P, s) {
  const level = P.map((_, j) => (j === s ? 0 : Infinity));
  const queue = [s];
  for (const i of queue) {
    P[i].forEach((p, j) => {
      if (p === 0 || level[j] < Infinity) return;
      level[j] = level[i] + 1;
      queue.push(j);
    });
  }
  return level;
}

/** The communicating classes, by their first states: { states, closed, period }, period 0 without a way back. */
export function classes(P) {
  const level = P.map((_, i) => levels(P, i));
  const leads = (i, j) => level[i][j] < Infinity;
  const all = P.map((_, i) => P.map((_, j) => j).filter((j) => leads(i, j) && leads(j, i)));
  return all.filter((states, i) => states[0] === i).map((states) => {
    const inside = (j) => states.includes(j);
    let period = 0;
    for (const i of states) for (const j of states) if (P[i][j] > 0) period = gcd(period, level[states[0]][i] + 1 - level[states[0]][j]);
    return { states, closed: states.every((i) => P[i].every((p, j) => p === 0 || inside(j))), period };
  });
}

/** The invariant law of a closed class, by the elimination of Grassmann, Taksar and Heyman: it never subtracts. */
export function invariantLaw(P, states) {
  const A = states.map((i) => states.map((j) => P[i][j]));
  for (let k = A.length - 1; k > 0; k--) {
    const out = A[k].slice(0, k).reduce((sum, p) => sum + p, 0);
    for (let i = 0; i < k; i++) {
      A[i][k] /= out;
      for (let j = 0; j < k; j++) A[i][j] += A[i][k] * A[k][j];
    }
  }
  let nu = [1];
  for (let k = 1; k < A.length; k++) {
    nu.push(nu.reduce((sum, x, i) => sum + x * A[i][k], 0));
    const total = nu.reduce((sum, x) => sum + x, 0);
    nu = nu.map((x) => x / total);
  }
  return P.map((_, i) => (states.includes(i) ? nu[states.indexOf(i)] : 0));
}

/** The probabilities to end in each closed class, from `start`: the transient states are taken out one by one. */
export function absorption(P, found, start) {
  const A = P.map((row) => [...row]);
  const closed = found.filter((c) => c.closed);
  const transient = found.filter((c) => !c.closed).flatMap((c) => c.states);
  if (!transient.includes(start)) return closed.map((c) => (c.states.includes(start) ? 1 : 0));
  const left = new Set(P.keys());
  for (const k of [...transient.filter((s) => s !== start), start]) {
    left.delete(k);
    const out = [...left].reduce((sum, j) => sum + A[k][j], 0);
    for (const j of left) A[k][j] /= out;
    for (const i of left) for (const j of left) A[i][j] += A[i][k] * A[k][j];
  }
  return closed.map((c) => c.states.reduce((sum, j) => sum + A[start][j], 0));
}

// ---------------------------------------------------------------- a run that can be watched

/** Begin in the first state. `limit` is what the averages converge to from there, and the law too if it settles. */
export function begin(chain) {
  const P = lazy(chain.P, chain.stay);
  const found = classes(P);
  const closed = found.filter((c) => c.closed);
  const weights = absorption(P, found, chain.start);
  const invariant = closed.map((c) => invariantLaw(P, c.states));
  const limit = P.map((_, j) => invariant.reduce((sum, nu, k) => sum + weights[k] * nu[j], 0));
  const law = P.map((_, j) => (j === chain.start ? 1 : 0));
  const run = { chain, P, classes: found, closed, weights, invariant, limit, law, sum: law, t: 0, distances: [], averages: [] };
  return note(run);
}

function note(run) {
  run.mean = run.sum.map((x) => x / (run.t + 1));
  for (const [list, law] of [[run.distances, run.law], [run.averages, run.mean]]) {
    const distance = totalVariation(law, run.limit);
    list.push(distance < NEGLIGIBLE ? 0 : distance);
  }
  return run;
}

/** One step: the law becomes law P. `mean` is the average of the laws so far, the first one included. */
export function advance(run) {
  run.law = pushLaw(run.law, run.P);
  run.sum = run.sum.map((x, j) => x + run.law[j]);
  run.t += 1;
  return note(run);
}

/** The closed classes that the start leads to. */
export const ahead = (run) => run.closed.filter((_, k) => run.weights[k] > 0);

/** The largest period ahead: 1 if the law settles for certain. */
export const periodAhead = (run) => Math.max(...ahead(run).map((c) => c.period));

export const settled = (run) => run.distances[run.t] <= SETTLED;

/** P with p(i, j) = x, the rest of row i scaled to 1 - x; a row with no rest stays in i, or if j = i goes on. */
export function setWeight(P, i, j, x) {
  const rest = P[i].reduce((sum, p, k) => (k === j ? sum : sum + p), 0);
  const other = j === i ? (i + 1) % P.length : i;
  if (P.length === 1) return P;
  const scaled = (p, k) => (rest > 0 ? (p * (1 - x)) / rest : k === other ? 1 - x : 0);
  return P.map((row, s) => (s === i ? row.map((p, k) => (k === j ? x : scaled(p, k))) : row));
}

/** The run as a program for rlcore. */
export function toPython({ chain, t }) {
  const rows = chain.P.map((row) => `    [${row.join(", ")}],\n`).join("");
  const stay = chain.stay ? `P = ${chain.stay} * np.eye(${chain.P.length}) + (1 - ${chain.stay}) * P\n` : "";
  return `import numpy as np\nfrom rlcore.planning import markov_chains as mc\n\nP = np.array([\n${rows}])\n${stay}law = mc.evolve(P, ${chain.start}, steps=${t})[-1]\n`;
}
