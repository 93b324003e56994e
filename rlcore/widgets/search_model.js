// Best-first search on a grid with walls, with the semantics and the ties of rlcore.planning.deterministic, and
// nothing about drawing.
//
// A world is { layout, weight }. In the layout, # is a wall, S the start, G the goal, . a free cell, and a digit a cell
// that costs so much to enter; the others cost 1. Nodes are the cells that are no walls, in reading order. The guess
// of the distance to go is `weight` times the Manhattan distance; with weight 0, A* is Dijkstra's algorithm.

const STEPS = [[-1, 0], [0, 1], [1, 0], [0, -1]]; // up, right, down, left: the order in which edges leave a cell

export const isWall = (char) => char === "#";
export const costOf = (char) => (/[1-9]/.test(char) ? Number(char) : 1);

/** { cells, node, out, start, goal }: node("row,column") is a number; out[u] lists the edges { to, weight } of u. */
export function buildGraph(layout) {
  const cells = layout.flatMap((line, row) => [...line].map((char, column) => ({ row, column, char }))).filter(({ char }) => !isWall(char));
  const index = new Map(cells.map(({ row, column }, u) => [`${row},${column}`, u]));
  const node = (row, column) => index.get(`${row},${column}`);
  const edges = ({ row, column }) => STEPS.map(([down, right]) => node(row + down, column + right)).filter((to) => to !== undefined);
  const out = cells.map((cell) => edges(cell).map((to) => ({ to, weight: costOf(cells[to].char) })));
  const find = (char) => cells.findIndex((cell) => cell.char === char);
  return { cells, node, out, start: find("S"), goal: find("G") };
}

/** Rows plus columns between each cell and the goal. */
export function manhattan({ cells, goal }) {
  return cells.map(({ row, column }) => Math.abs(row - cells[goal].row) + Math.abs(column - cells[goal].column));
}

/** Whether h(u) <= w(u, v) + h(v) on every edge, but for rounding. */
export function consistent({ out }, h) {
  const tolerance = (x, y) => 8 * Number.EPSILON * (x + y);
  return out.every((edges, u) => edges.every(({ to, weight }) => h[u] <= weight + h[to] + tolerance(weight + h[to], weight)));
}

// ---------------------------------------------------------------- a search, as a run that can be watched

/** A search that has expanded nothing yet. `before` holds the node before each on its path, -1 where there is none. */
export function begin(graph, h) {
  const n = graph.cells.length;
  const run = { graph, h, distance: new Array(n).fill(Infinity), before: new Array(n).fill(-1), done: new Array(n).fill(false), order: [] };
  run.distance[graph.start] = 0;
  return run;
}

/** The nodes that wait to be expanded. */
export const frontier = ({ distance, done }) => distance.flatMap((d, u) => (d < Infinity && !done[u] ? [u] : []));

export const found = ({ done, graph }) => done[graph.goal];
export const ended = (run) => found(run) || frontier(run).length === 0;

/** The waiting node where distance + h is least. Ties: the smaller h, then the lowest node. */
export function choose(run) {
  const { distance, h } = run;
  const better = (u, v) => (distance[u] + h[u] - (distance[v] + h[v]) || h[u] - h[v] || u - v) < 0;
  return frontier(run).reduce((best, u) => (better(u, best) ? u : best));
}

/** Expand one node, unless the search has ended. A node whose distance falls waits again. */
export function step(run) {
  if (ended(run)) return run;
  const { graph, distance, before, done, order } = run;
  const u = choose(run);
  done[u] = true;
  order.push(u);
  if (u === graph.goal) return run;
  for (const { to, weight } of graph.out[u]) {
    if (distance[u] + weight < distance[to]) {
      distance[to] = distance[u] + weight;
      before[to] = u;
      done[to] = false;
    }
  }
  return run;
}

export function finish(run) {
  while (!ended(run)) step(run);
  return run;
}

/** The nodes of the path to the goal; none while it has not been found. */
export function pathOf(run) {
  if (!found(run)) return [];
  const path = [run.graph.goal];
  while (run.before[path[0]] >= 0) path.unshift(run.before[path[0]]);
  return path;
}

// ---------------------------------------------------------------- edits

const put = (layout, row, column, char) => layout.map((line, i) => (i === row ? line.slice(0, column) + char + line.slice(column + 1) : line));

/** A copy of the layout with `char` at a cell. S and G move there. Null where one of them would be painted over. */
export function paint(layout, row, column, char) {
  const old = layout[row][column];
  if (old === char) return layout;
  if (old === "S" || old === "G") return null;
  const free = /[SG]/.test(char) ? layout.map((line) => line.replace(char, ".")) : layout;
  return put(free, row, column, char);
}

/** The A* search of the world as the code that runs it in Python. */
export function toPython({ layout, weight }) {
  const lines = layout.map((line) => `    "${line}",`).join("\n");
  const { cells, start, goal } = buildGraph(layout);
  const at = (u) => `graph.node((${cells[u].row}, ${cells[u].column}))`;
  return [
    `graph = deterministic.Graph.from_grid([\n${lines}\n])`,
    `start, goal = ${at(start)}, ${at(goal)}`,
    `h = ${weight} * deterministic.manhattan(graph, goal)`,
    "found = deterministic.a_star(\n    graph, start, goal, h, check=False, reopen=True\n)",
  ].join("\n");
}
