"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer

OTHER = "someone else"


def theirs(name):
    """The instance of the id and ticket that the notebook names, whoever is graded."""
    return f"problems.{name}(paper, as_typed=True)"


def network(name, misconception, fails, says, to_go="left", total="starts.min()", path="path", m="mine_network"):
    source = f"""def network():
    m = {m}
    left, reach, near = [np.array(m["last"])], [np.array(m["first"])], [np.array(m["last"])]
    for roads in (np.array(m["third"]), np.array(m["second"])):
        left.insert(0, (roads + left[0]).min(axis=1))
        near.insert(0, roads[range(3), roads.argmin(axis=1)] + near[0][roads.argmin(axis=1)])
    for roads in (m["second"], m["third"]):
        reach.append((reach[-1][:, None] + np.array(roads)).min(axis=0))
    starts = np.array(m["first"]) + left[0]
    path, short = [int(starts.argmin())], [int(np.argmin(m["first"]))]
    for roads, rest in zip((m["second"], m["third"]), left[1:]):
        path.append(int((np.array(roads[path[-1]]) + rest).argmin()))
        short.append(int(np.argmin(roads[short[-1]])))
    return {to_go}, {total}, {path}
"""
    return WrongAnswer(name, misconception, source, fails, says, OTHER if m != "mine_network" else None)


NETWORK_TESTS = ("network-lengths", "network-path")
NETWORK = [
    network("forward", "lengths from the start", NETWORK_TESTS[:1], "count from the start", to_go="reach"),
    network("nearest", "the shortest next road is best", NETWORK_TESTS[:1], "shortest next road", to_go="near"),
    network("no start", "the first road is free", NETWORK_TESTS[:1], "road from the start", total="left[0].min()"),
    network("nearest path", "the shortest next road is best", NETWORK_TESTS[1:], "shortest next road", path="short"),
    network("from 1", "towns are counted from 1", NETWORK_TESTS[1:], "towns are 0, 1 and 2", path="[3, 3, 3]"),
    network("another id", "a neighbour's network", NETWORK_TESTS, "you are graded as", m=theirs("network")),
]


def regulator(name, misconception, fails, says, p="p", k="k", cost="p[0] * x0**2", m="mine_regulator", end="f"):
    source = f"""def regulator():
    m = {m}
    a, b, q, r, f, x0 = (m[name] for name in ("a", "b", "q", "r", "f", "x0"))
    alone = [q + a**2 * (q + a**2 * f), q + a**2 * f, f]

    def solve(end):
        p, k = [end], []
        for _ in range(2):
            k.insert(0, a * b * p[0] / (r + b**2 * p[0]))
            p.insert(0, q + a**2 * p[0] - a * b * p[0] * k[0])
        return p, k

    p, k = solve(f)
    return {p}, {k}, {cost}
"""
    return WrongAnswer(name, misconception, source, fails, says, OTHER if m != "mine_regulator" else None)


REGULATOR_TESTS = tuple(f"regulator-{part}" for part in ("values", "gains", "cost"))
REGULATOR = [
    regulator("end q", "the last weight is q", REGULATOR_TESTS[:1], "at time 2 the weight is f", p="solve(q)[0]"),
    regulator("alone", "the control saves nothing", REGULATOR_TESTS[:1], "left alone", p="alone"),
    regulator("sign", "u is plus k x", REGULATOR_TESTS[1:2], "the other sign", k="[-k[0], -k[1]]"),
    regulator(
        "same time",
        "the gain uses the cost from now on",
        REGULATOR_TESTS[1:2],
        "from time t + 1 on",
        k="[a * b * x / (r + b**2 * x) for x in p[:2]]",
    ),
    regulator("no square", "the cost is linear", REGULATOR_TESTS[2:], "The square is missing", cost="p[0] * x0"),
    regulator("half", "costs carry a half", REGULATOR_TESTS[2:], "half of it", cost="p[0] * x0**2 / 2"),
    regulator("another id", "a neighbour's regulator", REGULATOR_TESTS, "you are graded as", m=theirs("regulator")),
]


def chain(name, misconception, fails, says, law="law", steps="N.sum(axis=1)", m="mine_chain"):
    source = f"""def chain():
    P = np.array({m}["P"])
    law = np.linalg.matrix_power(P, 5000)[0]
    N = np.linalg.inv(np.eye(2) - P[1:, 1:])
    return {law}, {steps}
"""
    return WrongAnswer(name, misconception, source, fails, says, OTHER if m != "mine_chain" else None)


CHAIN_TESTS = ("chain-law", "chain-steps")
CHAIN = [
    chain("right side", "P mu = mu", CHAIN_TESTS[:1], "stands on the left", law="np.full(3, 1 / 3)"),
    chain("one step", "one step is enough", CHAIN_TESTS[:1], "after one step", law="P[0]"),
    chain("mean row", "a uniform start is at rest", CHAIN_TESTS[:1], "mean of the rows", law="P.mean(axis=0)"),
    chain("direct", "only a direct move counts", CHAIN_TESTS[1:], "wait for a direct move", steps="1 / P[1:, 0]"),
    chain("columns", "sums of columns", CHAIN_TESTS[1:], "sums of columns", steps="N.sum(axis=0)"),
    chain("start counts", "the start is a step", CHAIN_TESTS[1:], "count the start", steps="N.sum(axis=1) + 1"),
    chain("another id", "a neighbour's chain", CHAIN_TESTS, "you are graded as", m=theirs("chain")),
]


def joker(name, misconception, fails, says, plain="plain", played="r.max(axis=1) + plain[t + 1].max()", kept="joker"):
    source = f"""def with_joker(P, r, H):
    plain, joker, late = np.zeros((3, H + 1, len(r)))
    for t in reversed(range(H)):
        plain[t] = (r + P @ plain[t + 1]).max(axis=1)
        late[t] = r.max(axis=1) + (P @ late[t + 1]).max(axis=1)
        joker[t] = np.maximum((r + P @ {kept}[t + 1]).max(axis=1), {played})
    return {plain}, joker
"""
    return WrongAnswer(name, misconception, source, fails, says)


JOKER_TESTS = ("joker-plain", "joker-joker")
JOKER = [
    joker("apart", "reward and future have their own maxima", JOKER_TESTS[:1], "reward and future apart", plain="late"),
    joker("reversed", "rows count the steps left", JOKER_TESTS[:1], "row t belongs to time t", plain="plain[::-1]"),
    joker("free", "the joker skips the action", JOKER_TESTS[1:], "skips the reward", played="plain[t + 1].max()"),
    joker(
        "every step",
        "the joker is never used up",
        JOKER_TESTS[1:],
        "at every step",
        played="r.max(axis=1) + joker[t + 1].max()",
    ),
    joker("now or never", "the joker cannot be kept", JOKER_TESTS[1:], "now or never", kept="plain"),
]


def lamp(name, misconception, fails, says, value="(1 - g*(1 - p)*c)/(1 - g*p - g**2*(1 - p))", most="g/(1 - g*p)"):
    return WrongAnswer(name, misconception, f'def lamp():\n    return "{value}", "{most}"\n', fails, says)


LAMP_TESTS = ("lamp-value", "lamp-most")
LAMP = [
    lamp("no day", "a repair takes no day", LAMP_TESTS[:1], "it takes a day", value="(1 - (1 - p)*g*c)/(1 - g)"),
    lamp("never repaired", "a broken lamp is lost", LAMP_TESTS[:1], "never repaired", value="1/(1 - g*p)"),
    lamp(
        "breaking",
        "p is the probability of breaking",
        LAMP_TESTS,
        "for the probability of breaking",
        value="(1 - g*p*c)/(1 - g*(1 - p) - g^2*p)",
        most="g/(1 - g*(1 - p))",
    ),
    lamp("at once", "the lamp works at once", LAMP_TESTS[1:], "discount once more", most="1/(1 - g*p)"),
    lamp("for ever", "a repaired lamp lasts", LAMP_TESTS[1:], "never breaks again", most="g/(1 - g)"),
]


def patience(name, misconception, fails, says, small=0.5, wait="P[0, 1, 1] = 1.0", rich="1.0", more=""):
    source = f"""def patience():
    P, r = np.zeros((5, 2, 5)), np.zeros((5, 2))
    P[0, 0, 4], r[0, 0] = 1.0, {small}
    {wait}
    P[1, :, 2] = P[3, :, 1] = 1.0
    P[2, :, 2], r[2] = 1.0, {rich}
    P[4, :, 4] = 1.0
    {more}
    return P, r, 0.9
"""
    return WrongAnswer(name, misconception, source, fails, says)


PATIENCE_TESTS = ("patience-late", "patience-then")
PATIENCE = [
    patience("too soon", "one step is far ahead", PATIENCE_TESTS[:1], "loses 0 only", wait="P[0, 1, 2] = 1.0"),
    patience("too late", "four steps are two sweeps", PATIENCE_TESTS[1:], "comes too late", wait="P[0, 1, 3] = 1.0"),
    patience("too rich", "any reward will do", PATIENCE_TESTS, "between -1 and 1", small=5, rich="10.0"),
    patience("no law", "rows need not sum to 1", PATIENCE_TESTS, "sum to 1", wait="P[0, 1, 1] = 0.9"),
    patience("tie", "ties decide", PATIENCE_TESTS[:1], "0.01 is needed", small=0.001),
]


def tower(name, misconception, fails, says, climb="value((0, 0, 0))", best="best", cash="cash", m="mine_tower"):
    source = f"""def tower():
    m = {m}
    prize = np.array(m["prize"], dtype=float)

    def value(cash, fall=True, fee=m["fee"]):
        v = prize.copy()
        for _ in range(4000):
            v[:3] = [
                prize[k] if cash[k] else m["luck"][k] * v[k + 1] + fall * (1 - m["luck"][k]) * v[0] - fee
                for k in range(3)
            ]
        return v[:3].copy()

    best, plan = prize.copy(), None
    for _ in range(4000):
        on = np.array([m["luck"][k] * best[k + 1] + (1 - m["luck"][k]) * best[0] - m["fee"] for k in range(3)])
        best = np.append(np.maximum(prize[:3], on), prize[3])
    best, cash = best[:3], (prize[:3] > on + 1e-9).astype(int)
    return {climb}, {best}, {cash}
"""
    return WrongAnswer(name, misconception, source, fails, says, OTHER if m != "mine_tower" else None)


TOWER_TESTS = tuple(f"tower-{part}" for part in ("climb", "best", "cash"))
TOWER = [
    tower("fatal", "a fall ends the game", TOWER_TESTS[:1], "over after a fall", climb="value((0, 0, 0), False)"),
    tower("no fee", "the fee is forgotten", TOWER_TESTS[:1], "leave out the fees", climb="value((0, 0, 0), fee=0)"),
    tower(
        "never cash in",
        "the top is always worth it",
        TOWER_TESTS[1:2],
        "match always climbing",
        best="value((0, 0, 0))",
    ),
    tower("reversed", "1 is to climb", TOWER_TESTS[2:], "the wrong way round", cash="1 - cash"),
    tower("another id", "a neighbour's game", TOWER_TESTS, "you are graded as", m=theirs("tower")),
]


def rollouts(name, misconception, fails, says, steps="H", first="first", mean="x.mean()", error="x.std() / n**0.5"):
    source = f"""def rollouts(step, state, H, rng):
    n, means, errors = 600, [], []
    for first in range(2):
        x = np.zeros(n)
        for walk in range(n):
            s, a = state, {first}
            for _ in range({steps}):
                reward, s = step(s, a, rng)
                x[walk] += reward
                a = int(rng.integers(2))
        means.append({mean})
        errors.append({error})
    return means, errors
"""
    return WrongAnswer(name, misconception, source, fails, says)


ROLLOUT_TESTS = ("rollouts-means", "rollouts-errors")
ROLLOUTS = [
    rollouts("one more", "the first action is extra", ROLLOUT_TESTS[:1], "one step too many", steps="H + 1"),
    rollouts(
        "random first", "the first action is random", ROLLOUT_TESTS[:1], "random too", first="int(rng.integers(2))"
    ),
    rollouts(
        "per step",
        "a return is a mean",
        ROLLOUT_TESTS[:1],
        "divided by H",
        mean="x.mean() / H",
        error="x.std() / H / n**0.5",
    ),
    rollouts("one walk", "the spread of one walk", ROLLOUT_TESTS[1:], "at most 0.15", error="x.std()"),
    rollouts("by n", "divided by the number", ROLLOUT_TESTS[1:], "errors are too small", error="x.std() / n"),
    rollouts("bound", "the bound is the error", ROLLOUT_TESTS[1:], "errors are too large", error="0.15"),
]


def occupancy(name, misconception, fails, says, x="x", value="(x * m['r']).sum()", m="mine_occupancy"):
    source = f"""def occupancy():
    m = {m}
    gamma, start = m["gamma"], np.array([m["start0"], 1 - m["start0"]])

    def measure(one, start=start):
        pi = np.column_stack([1 - np.array(one), one])
        to0 = (pi * m["to0"]).sum(axis=1)
        d = np.linalg.solve(np.eye(2) - gamma * np.array([to0, 1 - to0]), start)
        return d[:, None] * pi

    x = measure(m["one"])
    best = max((measure(one) * m["r"]).sum() for one in np.ndindex(2, 2))
    return {x}, {value}
"""
    return WrongAnswer(name, misconception, source, fails, says, OTHER if m != "mine_occupancy" else None)


OCCUPANCY_TESTS = ("occupancy-measure", "occupancy-value")
OCCUPANCY = [
    occupancy("law", "x is a probability law", OCCUPANCY_TESTS[:1], "sums to 1", x="(1 - gamma) * x"),
    occupancy(
        "start", "the start is turned", OCCUPANCY_TESTS[:1], "starts in state 1", x="measure(m['one'], start[::-1])"
    ),
    occupancy("states", "visits to states", OCCUPANCY_TESTS[:1], "twice", x="x.sum(axis=1)[:, None] * np.ones(2)"),
    occupancy("best", "the optimal value", OCCUPANCY_TESTS[1:], "that of the best policy", value="best"),
    occupancy(
        "scaled", "values are averages", OCCUPANCY_TESTS[1:], "1 - gamma", value="(1 - gamma) * (x * m['r']).sum()"
    ),
    occupancy("another id", "a neighbour's process", OCCUPANCY_TESTS, "you are graded as", m=theirs("occupancy")),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "network": NETWORK,
    "regulator": REGULATOR,
    "chain": CHAIN,
    "joker": JOKER,
    "lamp": LAMP,
    "patience": PATIENCE,
    "tower": TOWER,
    "rollouts": ROLLOUTS,
    "occupancy": OCCUPANCY,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"chain": "direct", "joker": "free"}
