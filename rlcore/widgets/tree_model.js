// UCT with the semantics and the random numbers of rlcore.planning.tree_search, and nothing about drawing.
//
// An example is a table: { rows, players, start, rollouts, ... }. rows[s] lists the legal actions of state s, each
// { action, reward, support, levels, discounts }: a uniform number u leads to support[i], where i counts the levels
// that are <= u; where the discount is 0, the process ends. Without rollouts, a new leaf is worth 0.

// ---------------------------------------------------------------- random numbers: numpy.random.default_rng(seed)

const M64 = (1n << 64n) - 1n;
const M128 = (1n << 128n) - 1n;

/** Four 64-bit integers from a seed below 2^32. Source: NumPy documentation, "SeedSequence"; O'Neill (2015). */
function seedWords(seed) {
  let [constant, factor] = [0x43b0d7e5, 0x931e8875];
  const hash = (value) => {
    let x = value ^ constant;
    constant = Math.imul(constant, factor);
    x = Math.imul(x, constant);
    return x ^ (x >>> 16);
  };
  const mix = (x, y) => {
    const z = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) | 0;
    return z ^ (z >>> 16);
  };
  const pool = [seed, 0, 0, 0].map(hash);
  for (let i = 0; i < 4; i++) for (let j = 0; j < 4; j++) if (i !== j) pool[j] = mix(pool[j], hash(pool[i]));
  [constant, factor] = [0x8b51f9dd, 0x58f38ded];
  const words = Array.from({ length: 8 }, (_, i) => BigInt(hash(pool[i % 4]) >>> 0));
  return [0, 2, 4, 6].map((i) => words[i] | (words[i + 1] << 32n));
}

/** A function that returns the next uniform number in [0, 1). Source: O'Neill (2014), PCG-XSL-RR-128/64. */
export function uniforms(seed) {
  const [a, b, c, d] = seedWords(seed);
  const increment = ((((c << 64n) | d) << 1n) | 1n) & M128;
  const next = (state) => (state * 0x2360ed051fc65da44385df649fccf645n + increment) & M128;
  let state = next((increment + ((a << 64n) | b)) & M128);
  return () => {
    state = next(state);
    const word = (state >> 64n) ^ (state & M64);
    const turn = state >> 122n;
    return Number((((word >> turn) | (word << (64n - turn))) & M64) >> 11n) / 2 ** 53;
  };
}

const BITS = 120n;
const LOGS = [0, 0]; // logarithms of 0 (never asked for), 1, 2, ...
let lastLog = 0n; // the last of them, times 2^120

/** The logarithm of a positive integer, rounded correctly: Math.log may be off in its last digit, and break ties. */
export function logOf(n) {
  while (LOGS.length <= n) { // ln k - ln(k - 1) = 2 artanh(1 / (2k - 1))
    const odd = BigInt(2 * LOGS.length - 1);
    let power = (2n << BITS) / odd;
    for (let i = 1n; power > 0n; i += 2n, power /= odd * odd) lastLog += power / i;
    LOGS.push(Number(lastLog) / 2 ** 120);
  }
  return LOGS[n];
}

// ---------------------------------------------------------------- the search

/** A tree that is only a root. Nodes are rows: lists n and q run over the legal actions of the node's state. */
export function beginSearch(example, c, seed) {
  const run = { example, c, seed, random: uniforms(seed), sign: example.players === 2 ? -1 : 1, nodes: [], history: [] };
  addNode(run, example.start, -1, -1, { ended: false, reward: 0, discount: 1 });
  return run;
}

function addNode(run, state, parent, option, { ended, reward, discount }) {
  const options = ended ? [] : run.example.rows[state];
  const zeros = () => new Array(options.length).fill(0);
  const born = run.history.length + (parent >= 0 ? 1 : 0);
  const depth = parent >= 0 ? run.nodes[parent].depth + 1 : 0;
  run.nodes.push({ state, parent, option, ended, reward, discount, options, born, depth, visits: 0, value: 0, n: zeros(), q: zeros(), children: new Map() });
  return run.nodes.length - 1;
}

const anyOf = (run, places) => (places.length === 1 ? places[0] : places[Math.floor(run.random() * places.length)]);

/** The scores of a node's actions; Infinity where one has never been tried. */
export function scores(run, node) {
  const total = node.n.reduce((a, b) => a + b, 0);
  return node.q.map((q, i) => (node.n[i] ? q + run.c * Math.sqrt(logOf(Math.max(1, total)) / node.n[i]) : Infinity));
}

function select(run, node) {
  const all = scores(run, node);
  const best = Math.max(...all);
  return anyOf(run, all.flatMap((score, i) => (score === best ? [i] : [])));
}

/** One draw from the model: { state, reward, discount, ended }. */
function draw(run, { reward, support, levels, discounts }) {
  const u = levels.length ? run.random() : 0;
  const i = levels.filter((level) => level <= u).length;
  return { state: support[i], reward, discount: discounts[i], ended: discounts[i] === 0 };
}

/** The return of one run from a state with random actions, cut off after 100 steps. */
function rollout(run, start) {
  let [state, total, weight] = [start, 0, 1];
  for (let step = 0; step < 100 && weight !== 0; step++) {
    const options = run.example.rows[state];
    const move = draw(run, options[Math.floor(run.random() * options.length)]);
    total += weight * move.reward;
    weight *= run.sign * move.discount;
    state = move.state;
  }
  return total;
}

function record(place, value, visits, mean) {
  place[visits] += 1;
  place[mean] += (value - place[mean]) / place[visits];
}

/** One simulation: select, expand, evaluate, backward. */
export function simulate(run) {
  let id = 0;
  let grown = false;
  const path = []; // { id, option, reward, discount }
  while (!grown && !run.nodes[id].ended) {
    const node = run.nodes[id];
    const option = select(run, node);
    const move = draw(run, node.options[option]);
    path.push({ id, option, reward: move.reward, discount: move.discount });
    const key = `${option},${move.state}`;
    grown = !node.children.has(key);
    if (grown) node.children.set(key, addNode(run, move.state, id, option, move));
    id = node.children.get(key);
  }
  const leaf = run.nodes[id];
  let value = leaf.ended || !run.example.rollouts ? 0 : rollout(run, leaf.state);
  const evaluation = value;
  record(leaf, value, "visits", "value");
  for (const step of path.reverse()) {
    const node = run.nodes[step.id];
    value = step.reward + run.sign * step.discount * value;
    record(node, value, "visits", "value");
    node.n[step.option] += 1;
    node.q[step.option] += (value - node.q[step.option]) / node.n[step.option];
  }
  run.history.push({ path: [...path.reverse().map((step) => step.id), id], grown, evaluation, value });
  return run;
}

// ---------------------------------------------------------------- what one may ask of a tree

/** The root's most visited action; among equals, the one of larger mean: its place in the list of options. */
export function preferred(run) {
  const { n, q } = run.nodes[0];
  const most = Math.max(...n);
  return n.reduce((best, visits, i) => (visits === most && (best < 0 || q[i] > q[best]) ? i : best), -1);
}

/** The mean return through a node for whoever moves at its parent; at the root, for whoever moves there. */
export const worth = (run, node) => (node.parent < 0 ? node.value : node.reward + run.sign * node.discount * node.value);

/** The name of the action that leads to a node. */
export const actionTo = (run, node) => run.example.actions[run.nodes[node.parent].options[node.option].action];

/** Up to `limit` nodes, the most visited ones: a node never without its parent. In the order of their birth. */
export function mostVisited(run, limit) {
  const ids = run.nodes.map((_, id) => id);
  return ids.sort((a, b) => run.nodes[b].visits - run.nodes[a].visits || a - b).slice(0, limit).sort((a, b) => a - b);
}

/** Leaves side by side, a parent above the middle of its children: { x: Map of abscissas, leaves, below }. */
export function placeNodes(run, shown) {
  const below = new Map(shown.map((id) => [id, []]));
  shown.slice(1).forEach((id) => below.get(run.nodes[id].parent).push(id));
  below.forEach((children) => children.sort((a, b) => run.nodes[a].option - run.nodes[b].option || a - b));
  const x = new Map();
  let leaves = 0;
  const place = (id) => {
    const children = below.get(id);
    children.forEach(place);
    x.set(id, children.length ? (x.get(children[0]) + x.get(children.at(-1))) / 2 : leaves++);
  };
  place(0);
  return { x, leaves, below };
}

/** The code that grows this tree in Python. */
export function toPythonSearch({ example, c, seed, history }) {
  const leaf = example.rollouts ? "" : "    evaluate=lambda s, rng: 0.0,\n";
  return [
    "from rlcore.planning import tree_search as ts",
    ...example.code,
    `tree = ts.mcts(\n    model, ${example.root},\n    budget=${Math.max(1, history.length)}, c=${c}, rng=${seed},\n${leaf})`,
    "print(tree.action_visits[0], tree.action_values[0])",
  ].join("\n");
}
