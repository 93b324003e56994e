// Occupancies, values and the best point of a process of two states and two actions, with a limit on a cost or
// without, as rlcore.planning.linear_programs, and nothing about drawing.
//
// A process is { p, r, gamma, mu, costs, limit, pi, states, actions }: laws p[s][a], rewards r[s][a], costs[s][a], the
// limit on their expected discounted sum (or null), and pi[s], the probability of the second action in state s. The
// plane has the coordinates y[s] = x(s, second action).

export const RING = [[0, 0], [1, 0], [1, 1], [0, 1]]; // the deterministic policies, neighbours next to each other
export const LETTERS = "ABCD"; // their names
const CLOSE = 1e-9; // what differs by less, relative to the largest, counts as equal

const STATES = [0, 1];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1];
const total = (x, c) => dot(x[0], c[0]) + dot(x[1], c[1]);
const size = (values) => Math.max(0, ...values.flat().map(Math.abs));

/** The solution of [[a, b], [c, d]] z = [e, f]. */
function solve([[a, b], [c, d]], [e, f]) {
  const determinant = a * d - b * c;
  return [(e * d - b * f) / determinant, (a * f - e * c) / determinant];
}

/** The matrix I - gamma P of a policy. */
const without = ({ p, gamma }, pi) => STATES.map((s) => STATES.map((j) => (s === j ? 1 : 0) - gamma * ((1 - pi[s]) * p[s][0][j] + pi[s] * p[s][1][j])));

/** The values of a policy for the rewards r. */
export const evaluate = (process, pi, r = process.r) => solve(without(process, pi), STATES.map((s) => (1 - pi[s]) * r[s][0] + pi[s] * r[s][1]));

/** The occupancy x[s][a] of a policy. */
export function occupancy(process, pi) {
  const [[a, b], [c, d]] = without(process, pi);
  const visits = solve([[a, c], [b, d]], process.mu).map((x) => Math.max(x, 0));
  return STATES.map((s) => [visits[s] * (1 - pi[s]), visits[s] * pi[s]]);
}

/** A policy with all that the figure says of it. `edge` says between which corners it lies, if at none. */
function point(process, pi, edge = null) {
  const [x, v] = [occupancy(process, pi), evaluate(process, pi)];
  return { pi, edge, x, v, value: dot(process.mu, v), cost: total(x, process.costs), never: STATES.filter((s) => x[s][0] + x[s][1] === 0) };
}

/** The affine function of y that sum r x is on the plane: { constant, slope }, the slope the advantages at A. */
export function objective(process, r = process.r) {
  const v = evaluate(process, [0, 0], r);
  return { constant: dot(process.mu, v), slope: STATES.map((s) => r[s][1] + process.gamma * dot(process.p[s][1], v) - v[s]) };
}

/** The visits to (s, first action) that balance those, y, to (s, second action). */
function rest(process, y) {
  const { p, gamma, mu } = process;
  const [[a, b], [c, d]] = without(process, [0, 0]);
  const start = STATES.map((j) => mu[j] - y[j] + gamma * (y[0] * p[0][1][j] + y[1] * p[1][1][j]));
  return solve([[a, c], [b, d]], start);
}

export const plane = ({ x }) => [x[0][1], x[1][1]];

/** The point of the polytope that is nearest to y. */
export function nearest(process, corners, y) {
  if (Math.min(...y, ...rest(process, y)) >= 0) return y;
  const candidates = corners.map((corner, k) => {
    const [from, to] = [plane(corner), plane(corners[(k + 1) % corners.length])];
    const way = [to[0] - from[0], to[1] - from[1]];
    const length = dot(way, way);
    const t = length > 0 ? Math.min(1, Math.max(0, dot([y[0] - from[0], y[1] - from[1]], way) / length)) : 0;
    return [from[0] + t * way[0], from[1] + t * way[1]];
  });
  const far = (z) => Math.hypot(z[0] - y[0], z[1] - y[1]);
  return candidates.reduce((a, b) => (far(b) < far(a) ? b : a));
}

/** The policy whose occupancy lies at y in the polytope; where nothing is visited it is that of `elsewhere`. */
export function policyAt(process, y, elsewhere) {
  const first = rest(process, y);
  const least = CLOSE / (1 - process.gamma);
  const clipped = STATES.map((s) => [Math.max(first[s], 0), Math.max(y[s], 0)]);
  return STATES.map((s) => (clipped[s][0] + clipped[s][1] > least ? clipped[s][1] / (clipped[s][0] + clipped[s][1]) : elsewhere[s]));
}

/** Whether two points are one. */
export const coincide = ({ gamma }, a, b) => STATES.every((s) => STATES.every((k) => Math.abs(a.x[s][k] - b.x[s][k]) <= CLOSE / (1 - gamma)));

const distinct = (process, points) => points.filter((a, k) => !points.slice(0, k).some((b) => coincide(process, a, b)));

/** Where the edge from corner k to the next crosses the limit. */
function crossing(process, corners, k) {
  const next = (k + 1) % 4;
  const [a, b] = [corners[k], corners[next]];
  const t = (process.limit - a.cost) / (b.cost - a.cost);
  const s = a.pi[0] === b.pi[0] ? 1 : 0; // the state in which they differ
  const mixed = (action) => (1 - t) * a.x[s][action] + t * b.x[s][action];
  const pi = [...a.pi];
  pi[s] = mixed(1) / (mixed(0) + mixed(1));
  return { ...point(process, pi, [k, next]), state: s };
}

/** The corners of what the limit leaves, in order. */
function kept(process, corners) {
  const { limit, costs, gamma } = process;
  if (limit === null) return distinct(process, corners);
  const slack = (1e-12 * size(costs)) / (1 - gamma);
  const over = corners.map(({ cost }) => cost - limit);
  return distinct(process, corners.flatMap((corner, k) => {
    const [here, there] = [over[k], over[(k + 1) % 4]];
    const crossed = Math.min(here, there) < -slack && Math.max(here, there) > slack;
    return [...(here <= slack ? [corner] : []), ...(crossed ? [crossing(process, corners, k)] : [])];
  }));
}

const bestOf = (points) => {
  const most = Math.max(...points.map(({ value }) => value));
  return points.filter(({ value }) => value >= most - CLOSE * size(points.map((one) => one.value)));
};

/** All that the figure shows: corners A to D, the corners of what the limit leaves, the best of them, your point. */
export function describe(process) {
  const corners = RING.map((pi) => point(process, pi));
  const vertices = kept(process, corners);
  return {
    process, corners, vertices,
    best: vertices.length ? bestOf(vertices) : [],
    free: bestOf(distinct(process, corners)),
    leastCost: Math.min(...corners.map(({ cost }) => cost)),
    here: point(process, process.pi),
    objective: objective(process),
    bound: process.limit === null ? null : objective(process, process.costs),
  };
}

/** The process with the rewards of the second actions changed so that the slope turns to `degrees`, as long as before. */
export function turned(process, degrees) {
  const { slope } = objective(process);
  const length = Math.hypot(...slope) || size(process.r) / 4 || 1;
  const unit = 10 ** (Math.ceil(Math.log10(length)) - 3);
  const angle = (degrees * Math.PI) / 180;
  const change = [length * Math.cos(angle) - slope[0], length * Math.sin(angle) - slope[1]];
  const rounded = (x) => Number((Math.round(x / unit) * unit).toPrecision(12));
  return { ...process, r: process.r.map((row, s) => [row[0], rounded(row[1] + change[s])]) };
}

/** The process and its optimum as a program for rlcore. */
export function toPython({ p, r, gamma, mu, costs, limit }) {
  const fields = `p=${JSON.stringify(p)},\n    r=${JSON.stringify(r)},\n    gamma=${gamma}, mu=${JSON.stringify(mu)},\n`;
  const solved = limit === null ? "best = lp.dual(mdp, weights=mdp.mu)\nvalue = (best.occupancy * mdp.r).sum()" : `best = lp.constrained(mdp, np.array(${JSON.stringify(costs)}), ${limit})\nvalue = best.value`;
  return `import numpy as np\nfrom rlcore import FiniteMDP\nfrom rlcore.planning import linear_programs as lp\n\nmdp = FiniteMDP.from_arrays(\n    ${fields})\n${solved}\nprint(best.pi, value)\n`;
}
