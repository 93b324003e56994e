"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def bellman(name, misconception, q, tv, pi, fails, says):
    source = f"def bellman(P, r, gamma, v):\n    q = {q}\n    return {tv}, {pi}\n"
    return WrongAnswer(name, misconception, source, fails, says)


RIGHT_Q, TV, PI = "r + gamma * P @ v", "q.max(axis=1)", "q.argmax(axis=1)"
BELLMAN = [
    bellman(
        "no gamma",
        "the future is not discounted",
        "r + P @ v",
        TV,
        PI,
        ("bellman-values", "bellman-greedy"),
        "without the factor gamma",
    ),
    bellman(
        "separate maxima",
        "max outside the sum",
        RIGHT_Q,
        "r.max(axis=1) + gamma * (P @ v).max(axis=1)",
        PI,
        ("bellman-values",),
        "chosen separately",
    ),
    bellman(
        "mean",
        "T averages over the actions",
        RIGHT_Q,
        "q.mean(axis=1)",
        PI,
        ("bellman-values",),
        "mean over the actions",
    ),
    bellman(
        "myopic",
        "greedy means best immediate reward",
        RIGHT_Q,
        TV,
        "r.argmax(axis=1)",
        ("bellman-greedy",),
        "immediate reward alone",
    ),
    bellman(
        "not written",
        "the starter's line is left in",
        "gamma",
        "r",
        PI,
        ("bellman-values", "bellman-greedy"),
        "not written yet",
    )._replace(source="def bellman(P, r, gamma, v):\n    raise NotImplementedError\n"),
]


def evaluate(name, misconception, matrix, answer, fails, says):
    source = f"""def evaluate(P, r, gamma, pi):
    P_pi, r_pi, eye = {matrix}, (pi * r).sum(axis=1), np.eye(len(r))
    return {answer}
"""
    return WrongAnswer(name, misconception, source, fails, says)


RIGHT_MATRIX, RIGHT_SOLVE = "np.einsum('sa,sat->st', pi, P)", "np.linalg.solve(eye - gamma * P_pi, r_pi)"
EVALUATE = [
    evaluate(
        "transposed",
        "P_pi is the wrong way round",
        f"{RIGHT_MATRIX}.T",
        RIGHT_SOLVE,
        ("evaluate-deterministic", "evaluate-randomised"),
        "transposed chain",
    ),
    evaluate(
        "one gamma too many",
        "the first reward is discounted",
        RIGHT_MATRIX,
        f"gamma * {RIGHT_SOLVE}",
        ("evaluate-deterministic", "evaluate-randomised"),
        "first reward already discounted",
    ),
    evaluate(
        "most probable action",
        "a randomised policy is read as a deterministic one",
        RIGHT_MATRIX,
        "0",
        ("evaluate-randomised",),
        "most probable actions",
    )._replace(
        source="""def evaluate(P, r, gamma, pi):
    states, best = np.arange(len(r)), pi.argmax(axis=1)
    return np.linalg.solve(np.eye(len(r)) - gamma * P[states, best], r[states, best])
"""
    ),
    evaluate(
        "one step",
        "the future is left out",
        RIGHT_MATRIX,
        "r_pi",
        ("evaluate-deterministic", "evaluate-randomised"),
        "future is missing",
    ),
]


def kiosk(
    name,
    misconception,
    fails,
    says,
    evening="y - sold",
    income="price * sold * q",
    gamma="(1 - closing) / (1 + interest)",
):
    source = f"""def kiosk(C, demand, price, cost, closing, interest):
    P, r = np.zeros((C + 1, C + 1, C + 1)), np.zeros((C + 1, C + 1))
    mean = sum(d * q for d, q in enumerate(demand))
    for s in range(C + 1):
        for a in range(C + 1):
            y = min(s + a, C)
            r[s, a] -= cost * (y - s)
            for d, q in enumerate(demand):
                sold = min(y, d)
                if {evening} >= 0:
                    P[s, a, {evening}] += q
                r[s, a] += {income}
    return P, r, {gamma}
"""
    return WrongAnswer(name, misconception, source, fails, says)


KIOSK = [
    kiosk(
        "sells first",
        "the order arrives after the sales",
        ("kiosk-law",),
        "sells before the order arrives",
        evening="min(max(s - d, 0) + a, C)",
    ),
    kiosk(
        "mean demand",
        "the mean goes inside the minimum",
        ("kiosk-income",),
        "mean demand inside the minimum",
        income="price * min(y, mean) * q",
    ),
    kiosk(
        "interest only",
        "the risk of closing is forgotten",
        ("kiosk-gamma",),
        "may close for good",
        gamma="1 / (1 + interest)",
    ),
    kiosk(
        "lost customers",
        "demand beyond the stock vanishes from the law",
        ("kiosk-law",),
        "sum to less than 1",
        evening="y - d",
    ),
    kiosk(
        "rates added",
        "discounting and survival add up",
        ("kiosk-gamma",),
        "adds the two rates",
        gamma="1 - closing - interest",
    ),
]


def value_iteration(
    name, misconception, fails, says, threshold="(1 - gamma) / (2 * gamma) * epsilon", update="both", back="sweeps"
):
    body = {
        "both": "        tv = (r + gamma * P @ v).max(axis=1)\n",
        "in place": "        tv = v.copy()\n        for s in range(len(r)):\n"
        "            tv[s] = (r[s] + gamma * P[s] @ tv).max()\n",
    }[update]
    source = f"""def value_iteration(P, r, gamma, epsilon):
    v, sweeps, change = np.zeros(len(r)), 0, np.inf
    while change > {threshold}:
{body}        change, v, sweeps = np.abs(tv - v).max(), tv, sweeps + 1
    return v, (r + gamma * P @ v).argmax(axis=1), {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


VI = tuple(f"value-iteration-{part}" for part in ("values", "policy", "sweeps"))
VALUE_ITERATION = [
    value_iteration(
        "stops at epsilon", "a small change means a small error", VI, "below epsilon itself", threshold="epsilon"
    ),
    value_iteration(
        "factor 2",
        "the greedy policy's second error is forgotten",
        (VI[0], VI[2]),
        "The factor 2 of the rule",
        threshold="(1 - gamma) / gamma * epsilon",
    ),
    value_iteration("counts from 0", "the last sweep is not counted", (VI[2],), "one too small", back="sweeps - 1"),
    value_iteration("in place", "new values are used at once", (VI[2],), "this is Gauss-Seidel", update="in place"),
]


def bounds(name, misconception, pair, fails, says):
    source = f"""def bounds(P, r, gamma, v):
    tv = (r + gamma * P @ v).max(axis=1)
    d, scale = tv - v, gamma / (1 - gamma)
    return {pair}
"""
    return WrongAnswer(name, misconception, source, fails, says)


BOUNDS = [
    bounds(
        "sup norm",
        "the sign of the change is thrown away",
        "tv - scale * abs(d).max(), tv + scale * abs(d).max()",
        ("bounds-tight",),
        "those of the sup norm",
    ),
    bounds(
        "exchanged",
        "lower and upper are confused",
        "tv + scale * d.max(), tv + scale * d.min()",
        ("bounds-hold", "bounds-tight"),
        "exchanged",
    ),
    bounds(
        "around v",
        "the bounds around v are as good",
        "v + d.min() / (1 - gamma), v + d.max() / (1 - gamma)",
        ("bounds-tight",),
        "those around Tv are tighter",
    ),
    bounds(
        "wrong factor",
        "1/(1 - gamma) around Tv",
        "tv + d.min() / (1 - gamma), tv + d.max() / (1 - gamma)",
        ("bounds-hold", "bounds-tight"),
        "around Tv the factor is gamma/(1 - gamma)",
    ),
]


def policy_iteration(
    name,
    misconception,
    fails,
    says,
    better="q.max(axis=1) > q[states, pi] + 1e-9",
    back="visited",
    values="np.linalg.solve(np.eye(len(r)) - gamma * P[states, pi], r[states, pi])",
):
    source = f"""def policy_iteration(P, r, gamma, pi0):
    states, visited = np.arange(len(r)), [np.array(pi0)]
    while len(visited) < {10**9 if name == "argmax" else 60}:
        pi = visited[-1]
        v = {values}
        q = r + gamma * P @ v
        better = {better}
        new = np.where(better, q.argmax(axis=1), pi)
        if (new == pi).all():
            break
        visited.append(new)
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


PI_TESTS = tuple(f"policy-iteration-{part}" for part in ("optimal", "rounds", "ties"))
POLICY_ITERATION = [
    policy_iteration(
        "argmax",
        "a tie is an improvement",
        PI_TESTS[2:],
        "compares floats exactly",
        better="q.max(axis=1) >= q[states, pi]",
    ),
    policy_iteration(
        "one round short", "stops before nothing improves", PI_TESTS[:2], "optimal", back="visited[:-1] or visited"
    ),
    policy_iteration(
        "one state at a time",
        "one change a round is Howard's rule",
        PI_TESTS[1:2],
        "only one state changed",
        better="(q.max(axis=1) > q[states, pi] + 1e-9) & (states == (q.max(axis=1) - q[states, pi]).argmax())",
    ),
    policy_iteration(
        "no solve",
        "rough values are good enough",
        PI_TESTS[1:2],
        "exact values",
        values="np.linalg.solve(np.eye(len(r)) - 0.7 * gamma * P[states, pi], r[states, pi])",
    ),
]


def gauss_seidel(
    name, misconception, fails, says, order="range(len(r))", look="v", change="np.abs(v - old).max()", back="sweeps"
):
    source = f"""def gauss_seidel(P, r, gamma, tol):
    v, sweeps, change = np.zeros(len(r)), 0, np.inf
    while change > tol:
        old = v.copy()
        for s in {order}:
            v[s] = (r[s] + gamma * P[s] @ {look}).max()
        change, sweeps = {change}, sweeps + 1
    return v, {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


GS = ("gauss-seidel-values", "gauss-seidel-sweeps")
GAUSS_SEIDEL = [
    gauss_seidel("old values", "the sweep reads a copy", GS, "from the old values", look="old"),
    gauss_seidel("last state", "the last change decides", GS, "last state only", change="abs(v[-1] - old[-1])"),
    gauss_seidel(
        "backwards", "the order does not matter", GS, "from the last state to the first", order="range(len(r))[::-1]"
    ),
    gauss_seidel("counts from 0", "the last sweep is not counted", GS[1:], "one too small", back="sweeps - 1"),
]


def courier(
    name,
    misconception,
    fails,
    says,
    good="(4 - 2*gamma)/((1 - gamma)*(4 + gamma))",
    broken="-2 + gamma*(4 - 2*gamma)/((1 - gamma)*(4 + gamma))",
    threshold="4/5",
):
    source = f'def courier():\n    return "{good}", "{broken}", "{threshold}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


TWO = tuple(f"two-states-{part}" for part in ("good", "broken", "threshold"))
TWO_STATES = [
    courier(
        "risk for safety",
        "1/4 is read as staying good",
        TWO[:2],
        "stays good with probability 1/4",
        good="(1 - 3*gamma/2)/(1 - gamma/4 - 3*gamma**2/4)",
        broken="-2 + gamma*(1 - 3*gamma/2)/(1 - gamma/4 - 3*gamma**2/4)",
    ),
    courier(
        "first day discounted",
        "the first reward comes a day late",
        TWO[:2],
        "first day already discounted",
        good="gamma*(4 - 2*gamma)/((1 - gamma)*(4 + gamma))",
        broken="gamma*(-2 + gamma*(4 - 2*gamma)/((1 - gamma)*(4 + gamma)))",
    ),
    courier("repaired for ever", "a repaired bicycle never breaks", TWO[2:], "never breaks again", threshold="2/3"),
    courier(
        "instant repair",
        "the repair takes no time",
        TWO[:2],
        "takes no time",
        good="(1 - gamma/2)/(1 - gamma)",
        broken="(1 - gamma/2)/(1 - gamma) - 2",
    ),
    courier("no text", "a number in place of a formula", TWO[2:], "as text", threshold="0.8")._replace(
        source='def courier():\n    return "(4 - 2*gamma)/((1 - gamma)*(4 + gamma))", '
        '"-2 + gamma*(4 - 2*gamma)/((1 - gamma)*(4 + gamma))", 0.8\n'
    ),
]


def machine(
    name,
    misconception,
    fails,
    says,
    which="mine",
    values="until_broken(gamma)",
    worn="q[1]",
    threshold="cross(1)",
    typed=None,
):
    source = f"""def my_machine():
    from scipy.optimize import brentq

    m = {which}
    P, r = problems.machine_arrays(m)
    gamma, (new, old) = m["gamma"], m["earns"]
    v = np.zeros(3)
    for _ in range(2000):
        v = (r + gamma * P @ v).max(axis=1)
    q = r + gamma * P @ v

    def until_broken(g):
        P_pi, r_pi = np.array([P[0, 0], P[1, 0], P[2, 1]]), np.array([new, old, -m["price"]])
        return np.linalg.solve(np.eye(3) - g * P_pi, r_pi)

    def cross(days, m=m):
        (new, old), w, b = m["earns"], m["wears"], m["breaks"]
        earned = lambda x: (new + x * w * old / (1 - x * (1 - b))) / (1 - x * (1 - w))
        return brentq(lambda x: x**days * earned(x) - m["price"], 1e-9, 1 - 1e-9)

    return {values}, {worn}, {threshold}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


MACHINE_TESTS = tuple(f"machine-{part}" for part in ("values", "worn", "threshold"))
MACHINE = [
    machine(
        "optimal values", "the optimal policy is evaluated", MACHINE_TESTS[:1], "match the optimal policy", values="v"
    ),
    machine("other order", "replace comes first", MACHINE_TESTS[1:2], "in the other order", worn="q[1, ::-1]"),
    machine(
        "earns at once",
        "a new machine earns on the day of replacing",
        MACHINE_TESTS[2:],
        "on the day of replacing",
        threshold="cross(0)",
    ),
    machine(
        "another id",
        "answers for the machine of another id",
        MACHINE_TESTS,
        "you are graded as",
        which="problems.machine('someone else', as_typed=True)",
        typed="someone else",
    ),
    machine(
        "swapped",
        "wears and breaks are exchanged",
        MACHINE_TESTS[:2],
        "wears with the probability of breaking",
        threshold="cross(1, mine)",
        which='{**mine, "wears": mine["breaks"], "breaks": mine["wears"]}',
    ),
]


def euclid(name, misconception, says, P="[[1, 0], [1, 0]]", gamma="0.9"):
    source = f"def driven_apart():\n    return np.array({P}, float), {gamma}, np.array([1.0, 0.0]), np.zeros(2)\n"
    return WrongAnswer(name, misconception, source, ("euclid-witness",), says)


EUCLID = [
    euclid("doubly stochastic", "any chain will do", "doubly stochastic", P="[[0, 1], [1, 0]]"),
    euclid("small gamma", "any discount factor will do", "the root of 2", gamma="0.6"),
    euclid("columns", "laws are columns", "columns sum to 1", P="[[1, 1], [0, 0]]"),
    euclid("gamma 1", "without discounting it is easy", "outside (0, 1)", gamma="1.0"),
]


def patience(
    name,
    misconception,
    says,
    P="[[[0, 0, 1], [0, 1, 0]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]",
    r="[[2, 0], [1, 0], [0, -1]]",
    factors="0.5, 0.9",
):
    source = f"def patience():\n    return np.array({P}, float), np.array({r}, float), {factors}\n"
    return WrongAnswer(name, misconception, source, ("patience-witness",), says)


PATIENCE = [
    patience(
        "both patient", "any two discount factors differ", "both discount factors have the same", factors="0.8, 0.9"
    ),
    patience(
        "tie", "a tie counts as two policies", "change a reward so that one wins clearly", r="[[2, 0], [1, 1], [0, -1]]"
    ),
    patience(
        "rewards only",
        "gamma scales the rewards",
        "only their rewards differ",
        P="[[[1, 0, 0]] * 2, [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]",
        r="[[2, 1], [1, 0], [0, -1]]",
    ),
    patience("reversed", "gamma is the interest", "0 < low < high < 1", factors="0.9, 0.5"),
]


def worst(name, misconception, fails, says, P, r, v, pi):
    source = f"""def worst_greedy(gamma, epsilon):
    P, r = np.zeros((3, 2, 3)), np.zeros((3, 2))
    P[1, :, 1] = P[2, :, 2] = 1.0
    P[0, 0, {P[0]}] = P[0, 1, {P[1]}] = 1.0
    r[0, 0] = {r}
    return P, r, np.array([{v}]), np.array([{pi}, 0, 0])
"""
    return WrongAnswer(name, misconception, source, fails, says)


WORST = ("worst-greedy-premises", "worst-greedy-loss")
WORST_GREEDY = [
    worst(
        "one direction",
        "the error misleads on one side only",
        WORST[1:],
        "half of the bound",
        (0, 1),
        "-gamma * epsilon",
        "epsilon, 0, 0",
        0,
    ),
    worst(
        "once",
        "the mistake is made once",
        WORST[1:],
        "made once",
        (1, 2),
        "-2 * gamma * epsilon",
        "0, epsilon, -epsilon",
        0,
    ),
    worst(
        "far",
        "v may be 2 epsilon away",
        WORST,
        "2 times epsilon away",
        (0, 1),
        "-2 * gamma * epsilon",
        "2 * epsilon, 0, 0",
        0,
    ),
    worst(
        "not greedy",
        "any bad policy will do",
        WORST,
        "is not greedy for v",
        (0, 1),
        "-2 * gamma * epsilon",
        "0, 0, 0",
        0,
    ),
    worst(
        "tie the other way",
        "the tie is broken well",
        WORST[1:],
        "nothing is lost",
        (0, 1),
        "-2 * gamma * epsilon",
        "epsilon, -epsilon, 0",
        1,
    ),
]


def slow(name, misconception, fails, says, weights, r, gamma, pi):
    source = f"""def slow():
    weights = np.array({weights}, float)
    return weights / weights.sum(axis=2, keepdims=True), np.array({r}, float), {gamma}, np.array({pi})
"""
    return WrongAnswer(name, misconception, source, fails, says)


SLOW = [
    slow(
        "optimal start",
        "every start is slow",
        ("slow-four", "slow-five"),
        "already optimal",
        [[[1, 0, 0], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]],
        [[1, 0], [1, 0], [1, 0]],
        0.9,
        [0, 0, 0],
    ),
    slow(
        "one round",
        "bad rewards make it slow",
        ("slow-four", "slow-five"),
        "all states improve at once",
        [[[1, 0, 0], [1, 0, 0]], [[0, 1, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 1]]],
        [[0, 1], [0, 1], [0, 1]],
        0.9,
        [0, 0, 0],
    ),
    slow(
        "four",
        "four is the most",
        ("slow-five",),
        "visits 4 policies",
        [[[3, 0, 0], [0, 0, 1]], [[0, 0, 3], [3, 0, 0]], [[0, 0, 2], [2, 0, 0]]],
        [[-4, -8], [-6, 7], [1, -9]],
        0.99,
        [1, 1, 1],
    ),
    slow(
        "four states",
        "more states are allowed",
        ("slow-four", "slow-five"),
        "three states and two actions",
        [[[1, 0, 0, 0]] * 2] * 4,
        [[0, 1]] * 4,
        0.9,
        [0, 0, 0, 0],
    ),
]


def simulation(name, misconception, fails, says, power="k", steps="steps", runs="runs", half="half_width"):
    source = f"""def estimate(sample, s0, gamma, half_width):
    cut = half_width / 50
    steps = int(np.ceil(np.log(cut * (1 - gamma)) / np.log(gamma)))
    runs = int(np.ceil(np.log(2 / 0.05) / (2 * ((half_width - cut) * (1 - gamma)) ** 2)))
    states, total = np.full({runs}, s0), np.zeros({runs})
    for k in range({steps}):
        rewards, states = sample(states)
        total += gamma**({power}) * rewards
    return total.mean() - {half}, total.mean() + {half}
"""
    return WrongAnswer(name, misconception, source, fails, says)


SIM = tuple(f"simulation-{part}" for part in ("width", "coverage", "centre"))
SIMULATION = [
    simulation("first reward discounted", "the sum starts at gamma^1", SIM, "first reward", power="k + 1"),
    simulation("ten steps", "ten steps are long enough", SIM, "cut too early", steps="10"),
    simulation("four runs", "a width is a guarantee", SIM[1:2], "the runs are too few", runs="4"),
    simulation("too wide", "half_width is the width of each half doubled", SIM, "wide", half="2 * half_width"),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "bellman": BELLMAN,
    "evaluate": EVALUATE,
    "kiosk": KIOSK,
    "value-iteration": VALUE_ITERATION,
    "bounds": BOUNDS,
    "policy-iteration": POLICY_ITERATION,
    "gauss-seidel": GAUSS_SEIDEL,
    "two-states": TWO_STATES,
    "machine": MACHINE,
    "euclid": EUCLID,
    "patience": PATIENCE,
    "worst-greedy": WORST_GREEDY,
    "slow": SLOW,
    "simulation": SIMULATION,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"bellman": "separate maxima", "kiosk": "interest only"}
