"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def backward(name, misconception, fails, says, last="g", best="min", row="[t]", values="v", plan="plan"):
    source = f"""def backward(nxt, cost, g, T):
    v, plan = np.zeros((T + 1, len(g))), np.zeros((T, len(g)), int)
    hasty = np.zeros((T + 1, len(g)))
    v[T] = hasty[T] = {last}
    first, rows = cost.argmin(axis=1), np.arange(len(g))
    for t in reversed(range(T)):
        q = cost + v[t + 1][nxt]
        v[t], plan[t] = q.{best}(axis=1), q.arg{best}(axis=1)
        hasty[t] = cost[rows, first] + hasty[t + 1][nxt[rows, first]]
    return {values}, {plan}
"""
    return WrongAnswer(name, misconception, source, fails, says)


BACKWARD_TESTS = ("backward-values", "backward-plan")
BACKWARD = [
    backward("no end", "only the steps cost something", BACKWARD_TESTS, "final costs g", last="0"),
    backward("maximises", "costs are rewards", BACKWARD_TESTS, "maximise", best="max"),
    backward(
        "myopic",
        "the cheapest step is the best",
        BACKWARD_TESTS,
        "cheapest step each time",
        values="hasty",
        plan="np.array([first] * T)",
    ),
    backward("reversed", "row 0 is the end", BACKWARD_TESTS, "in the wrong order", values="v[::-1]", plan="plan[::-1]"),
    backward(
        "stationary",
        "the best action does not depend on the time",
        BACKWARD_TESTS[1:],
        "actions of time 0 at all times",
        plan="plan[[0] * T]",
    ),
]


def orders(
    name, misconception, fails, says, best="price(plans[0])", plan="plans[0]", two="least(2)", which="mine", typed=None
):
    source = f"""def my_orders():
    m = {which}

    def price(plan, late=0):
        total = 0
        for week in range(6):
            since = max(k for k in range(week + 1) if plan[k])
            total += m["order"] * plan[week] + m["hold"] * (week - since + late) * m["demand"][week]
        return total

    def least(most):
        return min(price(plan) for plan in plans if sum(plan) <= most)

    plans = sorted([(1, *rest) for rest in np.ndindex(2, 2, 2, 2, 2)], key=price)
    return {best}, {plan}, {two}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


ORDERS_TESTS = tuple(f"orders-{part}" for part in ("best", "plan", "two"))
ORDERS = [
    orders("every week", "storing never pays", ORDERS_TESTS[:1], "an order in each week", best="price((1,) * 6)"),
    orders(
        "week of arrival",
        "storage is paid from the arrival on",
        ORDERS_TESTS[:1],
        "the week of arrival too",
        best="min(price(plan, 1) for plan in plans)",
    ),
    orders("one order", "orders never pay", ORDERS_TESTS[1:2], "storing is free", plan="(1, 0, 0, 0, 0, 0)"),
    orders(
        "another id",
        "answers for the shop of another id",
        ORDERS_TESTS,
        "you are graded as",
        which="problems.orders('someone else', as_typed=True)",
        typed="someone else",
    ),
    orders("no bound", "the bound does not bind", ORDERS_TESTS[2:], "without the bound", two="least(6)"),
    orders("exactly one", "two orders are one and the next", ORDERS_TESTS[2:], "matches one order", two="least(1)"),
]


def at_most(name, misconception, fails, says, start="D[k - 1].copy()", relax="D[k - 1][s] + C[s, t]", then=""):
    source = f"""def at_most(C, source):
    n = len(C)
    D = np.full((n, n), np.inf)
    D[0, source] = 0.0
    for k in range(1, n):
        D[k] = {start}
        for s in range(n):
            for t in range(n):
                D[k, t] = min(D[k, t], {relax})
{then}    return D
"""
    return WrongAnswer(name, misconception, source, fails, says)


AT_MOST_TESTS = ("at-most-rows", "at-most-negative")
AT_MOST = [
    at_most("in place", "newer is always better", AT_MOST_TESTS, "same round has found", relax="D[k, s] + C[s, t]"),
    at_most("exactly", "at most k is exactly k", AT_MOST_TESTS, "exactly k edges", start="np.inf"),
    at_most("turned", "C[s, t] leads to s", AT_MOST_TESTS, "run the wrong way", relax="D[k - 1][s] + C[t, s]"),
    at_most(
        "source at 0",
        "going nowhere is best at the source",
        AT_MOST_TESTS[1:],
        "too large",
        then="        D[k, source] = 0.0\n",
    ),
]


def cycle(name, misconception, fails, says, start="np.zeros(n)", slack="", back="n", give="walk"):
    source = f"""def negative_cycle(C):
    n = len(C)
    d, before = {start}, np.arange(n)
    for _ in range(n):
        through = d[:, None] + C{slack}
        better = through.min(axis=0) < d
        before[better] = through.argmin(axis=0)[better]
        d = np.minimum(d, through.min(axis=0))
    if not better.any():
        return []
    node = int(np.flatnonzero(better)[-1])
    for _ in range({back}):
        node = int(before[node])
    walk, at = [node], int(before[node])
    while at not in walk:
        walk, at = [at, *walk], int(before[at])
    return {give}
"""
    return WrongAnswer(name, misconception, source, fails, says)


CYCLE_TESTS = ("cycle-found", "cycle-none")
CYCLE = [
    cycle(
        "from node 0",
        "every cycle can be reached from node 0",
        CYCLE_TESTS[:1],
        "start at every node",
        start="np.where(np.arange(n) == 0, 0.0, np.inf)",
    ),
    cycle(
        "no way back",
        "a node that still falls lies on the cycle",
        CYCLE_TESTS[:1],
        "nothing before the cycle",
        back="0",
    ),
    cycle("turned", "predecessors come in the order of travel", CYCLE_TESTS[:1], "turn the list", give="walk[::-1]"),
    cycle(
        "rounding",
        "a little slack does no harm",
        CYCLE_TESTS[1:],
        "no cycle of this graph is negative",
        slack=" - 1e-3",
    ),
]


def a_star(name, misconception, fails, says, key="g[u] + h[u]", falls="g[s] + C[s] < g", stop="goal not in taken"):
    source = f"""def a_star(C, h, source, goal):
    g, before, is_open, taken = np.full(len(C), np.inf), {{}}, {{source}}, []
    g[source] = 0.0
    while {stop}:
        s = min(is_open, key=lambda u: {key})
        is_open.remove(s)
        taken.append(s)
        for t in np.flatnonzero({falls}):
            g[t], before[int(t)] = g[s] + C[s, t], s
            is_open.add(int(t))
    path = [goal]
    while path[0] != source:
        path = [before[path[0]], *path]
    return path, taken + [goal] * (taken[-1] != goal)
"""
    return WrongAnswer(name, misconception, source, fails, says)


A_STAR_TESTS = ("a-star-path", "a-star-taken", "a-star-reopen")
A_STAR = [
    a_star("Dijkstra", "the guess is not needed", A_STAR_TESTS[1:2], "Dijkstra takes it", key="g[u]"),
    a_star("guess alone", "the node that seems nearest is next", A_STAR_TESTS, "Is the key g + h", key="h[u]"),
    a_star(
        "stops early",
        "the goal is reached when it is seen",
        A_STAR_TESTS,
        "Is the key g + h",
        stop="not np.isfinite(g[goal])",
    ),
    a_star(
        "closed for ever",
        "a node that was taken is done",
        A_STAR_TESTS[2:],
        "opened again when its g falls",
        falls="(g[s] + C[s] < g) & ~np.isin(np.arange(len(C)), taken)",
    ),
    a_star("guess twice", "more guessing is faster", A_STAR_TESTS, "Is the key g + h", key="g[u] + 3 * h[u]"),
]


def repair(name, misconception, fails, says, answer):
    source = f"""def repair(C, h):
    n, h = len(C), h.astype(float)
    D = np.where(np.eye(n) > 0, 0.0, C)
    for k in range(n):
        D = np.minimum(D, D[:, k : k + 1] + D[k])
    return {answer}
"""
    return WrongAnswer(name, misconception, source, fails, says)


REPAIR_TESTS = ("repair-consistent", "repair-least")
REPAIR = [
    repair(
        "one round",
        "each edge need be looked at once",
        REPAIR_TESTS,
        "over the edges once",
        "np.maximum(h, (h[:, None] - C).max(axis=0))",
    ),
    repair("lowered", "too high a guess is lowered", REPAIR_TESTS, "You lowered", "(D + h).min(axis=1)"),
    repair("turned", "the start of the edge is raised", REPAIR_TESTS, "run the wrong way", "(h - D).max(axis=1)"),
    repair("exact", "any consistent function will do", REPAIR_TESTS[1:], "true distances", "D[:, -1]"),
    repair("constant", "equal guesses are consistent", REPAIR_TESTS[1:], "a constant", "np.full(n, h.max())"),
]


def wrong_turn(name, misconception, fails, says, edges):
    source = f"""def wrong_turn():
    C = np.full((4, 4), np.inf)
    for s, t, cost in {edges}:
        C[s, t] = cost
    return C
"""
    return WrongAnswer(name, misconception, source, fails, says)


WRONG_TURN_TESTS = ("wrong-turn-dijkstra", "wrong-turn-shift")
WRONG_TURN = [
    wrong_turn(
        "no negative edge",
        "a long detour is enough",
        WRONG_TURN_TESTS,
        "no cost is negative",
        [(0, 1, 3), (0, 2, 1), (2, 1, 1), (1, 3, 1)],
    ),
    wrong_turn(
        "negative cycle",
        "the more negative the better",
        WRONG_TURN_TESTS,
        "a cycle has negative cost",
        [(0, 1, 1), (1, 3, 1), (0, 2, 2), (2, 1, -2), (1, 2, 1)],
    ),
    wrong_turn(
        "negative start",
        "any negative edge misleads the search",
        WRONG_TURN_TESTS[:1],
        "which is right",
        [(0, 1, 1), (1, 3, 1), (0, 2, -2), (2, 1, 2)],
    ),
    wrong_turn(
        "equal length",
        "a constant always changes the order",
        WRONG_TURN_TESTS[1:],
        "equally many edges",
        [(0, 1, 2), (1, 3, 0), (0, 2, 3), (2, 3, -2)],
    ),
]


def astray(name, misconception, fails, says, direct=98, step=1, rest=98, h=(0, 99, 0, 0)):
    source = f"""def astray():
    C = np.full((4, 4), np.inf)
    C[0, 2], C[0, 1], C[1, 2], C[2, 3] = {direct}, 1, {step}, {rest}
    return C, np.array({list(h)}, dtype=float)
"""
    return WrongAnswer(name, misconception, source, fails, says)


ASTRAY_TESTS = ("astray-heuristic", "astray-path")
ASTRAY = [
    astray("too much", "a heuristic may exaggerate", ASTRAY_TESTS, "not admissible", h=(0, 150, 0, 0)),
    astray("consistent", "admissible is enough", ASTRAY_TESTS, "consistent", h=(0, 0, 0, 0)),
    astray("too little", "any loss is a large one", ASTRAY_TESTS[1:], "not far enough", 8, 1, 20, (0, 21, 0, 0)),
    astray("no trap", "inconsistent is wrong at once", ASTRAY_TESTS[1:], "It goes right", 98, 1, 98, (100, 50, 0, 0)),
    astray("negative", "costs may be negative", ASTRAY_TESTS, "some cost is negative", step=-1),
]


def slow(name, misconception, fails, says, nodes="2 * m + 1", save="2 ** (m - k)", wait="m - k", loop=""):
    source = f"""def slow(m):
    C = np.full(({nodes}, {nodes}), np.inf)
    for k in range(m):
        gate, detour, inner = 2 * k, 2 * k + 1, 2 * k + 2
        C[gate, inner], C[gate, detour] = 0, {wait}
        C[detour, inner] = -({wait}) - {save}
{loop}    return C
"""
    return WrongAnswer(name, misconception, source, fails, says)


SLOW_TESTS = ("slow-often", "slow-exponential")
SLOW = [
    slow("same saving", "any saving starts all over", SLOW_TESTS[1:], "the number must double", save="1"),
    slow("small first", "the order of the savings does not matter", SLOW_TESTS[1:], "must double", save="2 ** k"),
    slow("no saving", "detours alone are enough", SLOW_TESTS, "no cost is negative", save="-2 * (m - k)"),
    slow("too large", "the size does not matter", SLOW_TESTS, "with n from 2 to", nodes="3 * m + 1"),
    slow("round and round", "cycles may earn", SLOW_TESTS, "negative cost", loop="    C[2, 0] = 1\n"),
]


def mean(name, misconception, fails, says, start="np.zeros(n)", value="ratio.max(axis=0).min()", give="walk"):
    source = f"""def cheapest_round(C):
    n = len(C)
    D, before = [{start}], []
    for _ in range(n):
        through = D[-1][:, None] + C
        D.append(through.min(axis=0))
        before.append(through.argmin(axis=0))
    below = n - np.arange(n)[:, None]
    ends = np.isfinite(D[n])
    ratio = (D[n] - np.array(D[:n]))[:, ends] / below
    walk = [int(np.flatnonzero(ends)[ratio.max(axis=0).argmin()])]
    whole = list(walk)
    for row in reversed(before):
        whole = [int(row[whole[0]]), *whole]
        if walk[0] not in walk[1:]:
            walk = [int(row[walk[0]]), *walk]
    walk = walk[: walk.index(walk[0], 1)]
    return {value}, {give}
"""
    return WrongAnswer(name, misconception, source, fails, says)


MEAN_TESTS = ("mean-value", "mean-cycle")
MEAN = [
    mean("least over k", "both are minima", MEAN_TESTS[:1], "the least over k too", value="ratio.min()"),
    mean(
        "from node 0",
        "all walks start in node 0",
        MEAN_TESTS,
        "start in node 0",
        start="np.where(np.arange(n) == 0, 0.0, np.inf)",
    ),
    mean("divided by n", "the walk is the cycle", MEAN_TESTS[:1], "by n", value="D[n].min() / n"),
    mean("whole walk", "the walk is the cycle", MEAN_TESTS[1:], "listed twice", give="whole"),
    mean("turned", "predecessors come in the order of travel", MEAN_TESTS[1:], "turn the list", give="walk[::-1]"),
]


def loops(
    name,
    misconception,
    fails,
    says,
    cost="(b + gamma*c)/(1 - gamma**2)",
    threshold="(b - a)/(a - c)",
    rest="(b - c)/4",
):
    source = f'def loops():\n    return "{cost}", "{threshold}", "{rest}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


LOOPS_TESTS = tuple(f"loops-{part}" for part in ("cost", "threshold", "rest"))
LOOPS = [
    loops("one step", "a loop is one step", LOOPS_TESTS[:1], "restarts the loop", cost="(b + gamma*c)/(1 - gamma)"),
    loops("not inside", "a loop is paid at once", LOOPS_TESTS[:1], "second step", cost="(b + c)/(1 - gamma**2)"),
    loops("inverse", "saved by paid more", LOOPS_TESTS[1:2], "is the inverse", threshold="(a - c)/(b - a)"),
    loops("one saving", "B costs nothing later", LOOPS_TESTS[1:2], "leaves out the cost", threshold="b/a - 1"),
    loops("mean", "the mean is left", LOOPS_TESTS[2:], "is the mean itself", rest="(b + c)/2"),
    loops("twice", "one minus gamma squared is one minus gamma", LOOPS_TESTS[2:], "twice too large", rest="(b - c)/2"),
]


def passages(name, misconception, fails, says, costs="rng.exponential(size=(runs, n, n))", give="d[:, n - 1]"):
    source = f"""def passages(n, runs, seed):
    rng = np.random.default_rng(seed)
    C = {costs}
    d = C[:, 0].copy()
    d[:, 0] = 0.0
    for _ in range(n - 1):
        d = np.minimum(d, (d[:, :, None] + C).min(axis=1))
    return {give}
"""
    return WrongAnswer(name, misconception, source, fails, says)


PASSAGES_TESTS = ("passages-mean", "passages-law")
PASSAGES = [
    passages("direct", "the direct edge is the cheapest", PASSAGES_TESTS, "a single edge", give="C[:, 0, n - 1]"),
    passages("farthest", "the goal is the last node taken", PASSAGES_TESTS, "the farthest", give="d.max(axis=1)"),
    passages("mean", "an average is as good", PASSAGES_TESTS[1:], "vary too little", give="d[:, 1:].mean(axis=1)"),
    passages("uniform", "the law does not matter", PASSAGES_TESTS, "your", costs="2 * rng.random((runs, n, n))"),
    passages(
        "one graph",
        "the graph is drawn once",
        PASSAGES_TESTS,
        "a graph of its own",
        costs="np.repeat(rng.exponential(size=(1, n, n)), runs, axis=0)",
    ),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "backward": BACKWARD,
    "orders": ORDERS,
    "at-most": AT_MOST,
    "cycle": CYCLE,
    "a-star": A_STAR,
    "repair": REPAIR,
    "wrong-turn": WRONG_TURN,
    "astray": ASTRAY,
    "slow": SLOW,
    "mean": MEAN,
    "loops": LOOPS,
    "passages": PASSAGES,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"backward": "stationary", "cycle": "from node 0"}
