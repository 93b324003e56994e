"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def ends(name, misconception, answer, fails, says):
    source = f"""def ends(P, terminal, pi):
    P_pi = P[np.arange(len(pi)), pi]
    can = np.array(terminal)
    for _ in range(len(pi)):
        can = can | (P_pi[:, can].sum(axis=1) > 0)
    late = np.linalg.matrix_power(P_pi + np.diag(terminal), 10_000)[:, terminal].sum(axis=1)
    return {answer}
"""
    return WrongAnswer(name, misconception, source, fails, says)


ENDS_TESTS = ("ends-sure", "ends-rare")
ENDS = [
    ends("can end", "possible is sure", "can", ENDS_TESTS, "unable to reach a trap"),
    ends(
        "one step", "only the next step counts", "terminal | (P_pi[:, terminal].sum(1) > 0)", ENDS_TESTS, "in one step"
    ),
    ends("large powers", "rare exits do not count", "late > 0.999", ENDS_TESTS[1:], "a rare exit takes more"),
    ends("not written", "the starter's line is left in", "can", ENDS_TESTS, "not written yet")._replace(
        source="def ends(P, terminal, pi):\n    raise NotImplementedError\n"
    ),
]


def evaluate(name, misconception, fails, says, visits="N", steps="N.sum(axis=1)", values="N @ r_pi"):
    source = f"""def evaluate(P, r, terminal, pi):
    S, alive = len(pi), ~terminal
    P_pi, r_pi = P[np.arange(S), pi], r[np.arange(S), pi]
    with_end = np.linalg.inv(np.eye(S) - P_pi)
    N = with_end * alive * alive[:, None]
    return {visits}, {steps}, {values}
"""
    return WrongAnswer(name, misconception, source, fails, says)


EVALUATE_TESTS = tuple(f"evaluate-{part}" for part in ("visits", "steps", "values"))
EVALUATE = [
    evaluate(
        "no start",
        "the walk is not in its start",
        EVALUATE_TESTS[:1],
        "leave out the start",
        "N - np.diag(alive * 1.0)",
    ),
    evaluate("ends visited", "terminal states are visited", EVALUATE_TESTS[:1], "count terminal states", "with_end"),
    evaluate(
        "arrival",
        "the arrival is a step",
        EVALUATE_TESTS[1:2],
        "count the arrival as one more",
        steps="with_end.sum(axis=1)",
    ),
    evaluate("columns", "sums of columns", EVALUATE_TESTS[1:2], "sums of columns", steps="N.sum(axis=0)"),
    evaluate("one step", "the walk is left out", EVALUATE_TESTS[2:], "reward of one step", values="r_pi"),
    evaluate(
        "mean reward",
        "all states are visited equally often",
        EVALUATE_TESTS[2:],
        "steps times the mean reward",
        values="N.sum(axis=1) * r_pi[alive].mean()",
    ),
]


def weights(name, misconception, fails, says, w="longest(np.max)", rho="ratio.max()"):
    source = f"""def weights(P, terminal):
    alive = ~terminal

    def longest(pick):
        w = np.zeros(len(alive))
        for _ in range(5000):
            w = alive * (1 + pick(P @ w, axis=1))
        return w

    w = {w}
    ratio = (P @ w)[alive] / w[alive][:, None]
    return w, {rho}
"""
    return WrongAnswer(name, misconception, source, fails, says)


WEIGHTS = [
    weights("equal", "the sup norm will do", ("weights-contract",), "this is the sup norm", "alive * 1.0"),
    weights(
        "random policy", "the average action decides", ("weights-contract",), "chooses at random", "longest(np.mean)"
    ),
    weights(
        "fewest steps", "the best action decides", ("weights-contract",), "fewest expected steps", "longest(np.min)"
    ),
    weights("mean ratio", "a factor is a mean", ("weights-factor",), "factor is a mean", rho="ratio.mean()"),
    weights(
        "smallest weight",
        "the smallest weight decides",
        ("weights-factor",),
        "the state that shrinks most",
        rho="1 - 1 / w[alive].min()",
    ),
]


def value_iteration(name, misconception, fails, says, bound, count="sweeps"):
    source = f"""def value_iteration(P, r, terminal, w, epsilon):
    alive = ~terminal
    rho = ((P @ w).max(axis=1)[alive] / w[alive]).max()
    v, sweeps, bound, scale = np.zeros(len(r)), 0, np.inf, rho / (1 - rho)
    while bound > epsilon:
        tv = (r + P @ v).max(axis=1)
        change = np.abs(tv - v)[alive]
        bound = {bound}
        v, sweeps = tv, sweeps + 1
    return v, {count}
"""
    return WrongAnswer(name, misconception, source, fails, says)


VI = ("value-iteration-values", "value-iteration-sweeps")
VALUE_ITERATION = [
    value_iteration("plain change", "a small change is a small error", VI, "below epsilon itself", "change.max()"),
    value_iteration(
        "no largest weight",
        "the weighted error is the error",
        VI,
        "The largest weight is missing",
        "scale * (change / w[alive]).max()",
    ),
    value_iteration(
        "sup norm", "the norm does not matter", VI[1:], "in the sup norm", "scale * w.max() * change.max()"
    ),
    value_iteration(
        "count",
        "the last sweep does not count",
        VI[1:],
        "one too small",
        "scale * w.max() * (change / w[alive]).max()",
        "sweeps - 1",
    ),
]


def policy_iteration(name, misconception, fails, says, start="backwards()", better="gain > 1e-9", rounds=1000):
    source = f"""def policy_iteration(P, r, terminal):
    S, states = len(r), np.arange(len(r))

    def backwards():
        pi, known = np.zeros(S, int), np.array(terminal)
        for _ in range(S):
            leads = (P[:, :, known].sum(axis=2) > 0) & ~known[:, None]
            pi[leads.any(axis=1)] = leads.argmax(axis=1)[leads.any(axis=1)]
            known = known | leads.any(axis=1)
        return pi

    pi = {start}
    visited = [pi]
    for _ in range({rounds}):
        v = np.linalg.solve(np.eye(S) - P[states, pi], r[states, pi])
        q = r + P @ v
        gain = q.max(axis=1) - q[states, pi]
        pi = np.where({better}, q.argmax(axis=1), pi)
        if (pi == visited[-1]).all():
            break
        visited.append(pi)
    return visited
"""
    return WrongAnswer(name, misconception, source, fails, says)


PI_TESTS = tuple(f"policy-iteration-{part}" for part in ("start", "best", "free"))
POLICY_ITERATION = [
    policy_iteration("any start", "any policy will do", PI_TESTS, "makes I - Q singular", start="np.zeros(S, int)"),
    policy_iteration(
        "cheapest step", "the start follows the rewards", PI_TESTS, "makes I - Q singular", start="r.argmax(axis=1)"
    ),
    policy_iteration(
        "nearly one",
        "a discount factor near 1 makes the start harmless",
        (PI_TESTS[0], PI_TESTS[2]),
        "this policy is improper",
        start="np.zeros(S, int)",
    ),
    policy_iteration("one round", "one improvement is enough", PI_TESTS[1:], "could still improve", rounds=1),
    policy_iteration("first maximum", "ties do not matter", PI_TESTS[2:], "makes I - Q singular", better="gain >= 0"),
]
POLICY_ITERATION[2] = POLICY_ITERATION[2]._replace(
    source=POLICY_ITERATION[2].source.replace("np.eye(S) - P", "np.eye(S) - 0.999999 * P")
)


def convert(name, misconception, fails, says, *changes):
    source = """def killed(P, r, gamma):
    S, A = r.shape
    wide = np.zeros((S + 1, A, S + 1))
    wide[:S, :, :S], wide[:S, :, S] = gamma * P, 1 - gamma
    pay = np.vstack([r, np.zeros(A)])
    return wide, pay, np.arange(S + 1) == S


def unrolled(P, r, H):
    S, A = r.shape
    n = H * S
    number = np.arange(n).reshape(H, S)
    wide, pay = np.zeros((n + 1, A, n + 1)), np.zeros((n + 1, A))
    for t in range(H):
        for s in range(S):
            pay[number[t, s]] = r[s]
            if t < H - 1:
                wide[number[t, s]][:, number[t + 1]] = P[s]
            else:
                wide[number[t, s], :, n] = 1.0
    return wide, pay, np.arange(n + 1) == n


def discounted(P, r, terminal, w, rho):
    end, unit = np.flatnonzero(terminal), np.where(terminal, 1.0, w)
    pay = r / unit[:, None]
    law = P * w / (rho * unit[:, None, None])
    law[:, :, end[0]] += 1 - law.sum(axis=2)
    law[end] = 0.0
    law[end, :, end] = 1.0
    return law, pay, rho
"""
    for old, new in changes:
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


CONVERT_TESTS = tuple(f"convert-{part}" for part in ("killed", "unrolled", "discounted"))
CONVERT = [
    convert(
        "rewards discounted",
        "gamma scales the reward",
        CONVERT_TESTS[:1],
        "discount the rewards too",
        ("[r, ", "[gamma * r, "),
    ),
    convert(
        "ends with gamma",
        "gamma is the risk",
        CONVERT_TESTS[:1],
        "ends with probability gamma",
        ("gamma * P, 1 - gamma", "(1 - gamma) * P, gamma"),
    ),
    convert(
        "no exit",
        "the rows need not sum to 1",
        CONVERT_TESTS[:1],
        "exits are missing",
        ("gamma * P, 1 - gamma", "gamma * P, 0"),
    ),
    convert(
        "states first",
        "the order of the pairs does not matter",
        CONVERT_TESTS[1:2],
        "numbered s H + t",
        ("np.arange(n).reshape(H, S)", "np.arange(n).reshape(S, H).T"),
    ),
    convert(
        "last step",
        "the last step only ends",
        CONVERT_TESTS[1:2],
        "last step is not paid",
        ("= r[s]", "= r[s] * (t < H - 1)"),
    ),
    convert(
        "rewards in old units",
        "only the laws change",
        CONVERT_TESTS[2:],
        "not divided by the weights",
        ("pay = r / unit[:, None]", "pay = r"),
    ),
    convert(
        "nothing left over",
        "rows may sum to less",
        CONVERT_TESTS[2:],
        "some rows sum to less than 1",
        ("    law[:, :, end[0]] += 1 - law.sum(axis=2)\n", ""),
    ),
    convert(
        "old laws",
        "the laws stay",
        CONVERT_TESTS[2:],
        "are those of the shortest path",
        ("law = P * w / (rho * unit[:, None, None])", "law = P.copy()"),
    ),
]


def two_solutions(
    name, misconception, fails, says, r="[[0, -1], [0, -2]]", v="[-1, -1, 0]", w="[0, 0, 0]", round_trip="1, 0", end="2"
):
    source = f"""def two_solutions():
    P, r = np.zeros((3, 2, 3)), np.zeros((3, 2))
    P[[0, 1], 0, [{round_trip}]] = P[[0, 1], 1, {end}] = 1.0
    r[:2] = {r}
    return P, r, np.array([False, False, True]), np.array({v}, float), np.array({w}, float)
"""
    return WrongAnswer(name, misconception, source, fails, says)


TWO = ("two-solutions-process", "two-solutions-functions")
TWO_SOLUTIONS = [
    two_solutions("constant", "constants may be added", TWO[1:], "adding a constant", w="[0, 0, 1]"),
    two_solutions("exchanged", "the larger one is proper", TWO[1:], "exchange them", v="[0, 0, 0]", w="[-1, -1, 0]"),
    two_solutions("no end", "no policy need be proper", TWO, "no policy is proper", end="[1, 0]"),
    two_solutions(
        "costly loop",
        "every loop does it",
        TWO[1:],
        "Every step costs something",
        r="[[-1, -1], [-1, -2]]",
        v="[-1, -2, 0]",
    ),
    two_solutions("reward", "rewards may be positive", TWO, "some reward is positive", r="[[1, -1], [0, -2]]"),
    two_solutions("waiting", "only waiting does it", TWO, "can stay in state 0", round_trip="0, 1", v="[-1, -2, 0]"),
]


def no_solution(name, misconception, says, r="[[2, 0], [-1, 0]]", on="1", round_trip="1, 0", end="2"):
    source = f"""def no_solution():
    P, r = np.zeros((3, 2, 3)), np.zeros((3, 2))
    P[[0, 1], 0, [{round_trip}]] = {on}
    P[[0, 1], 0, 2] = 1 - {on}
    P[[0, 1], 1, {end}] = 1.0
    r[:2] = {r}
    return P, r, np.array([False, False, True])
"""
    return WrongAnswer(name, misconception, source, ("no-solution-witness",), says)


NO_SOLUTION = [
    no_solution("costly loop", "an infinite cost is no solution", "makes going round worse", r="[[-1, -2], [-1, -2]]"),
    no_solution("proper", "earning is enough", "can one earn, for ever", on="0.9"),
    no_solution("no end", "a process that never ends", "no policy is proper", end="[1, 0]"),
    no_solution("too little", "any gain is visible", "let the loop earn more", r="[[0.001, 0], [0, 0]]"),
    no_solution("waiting", "only waiting does it", "can stay in state 0", round_trip="0, 1"),
]


def ladder(name, misconception, fails, says, steps="1/p + 1/p**2 + 1/p**3", falls="1/p**3 - 1", threshold="1/2"):
    source = f'def ladder():\n    return "{steps}", "{falls}", "{threshold}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


LADDER_TESTS = tuple(f"ladder-{part}" for part in ("steps", "falls", "threshold"))
LADDER = [
    ladder(
        "stays on the rung",
        "a fall costs one step only",
        LADDER_TESTS,
        "stays on the rung",
        "3/p",
        "3*(1 - p)/p",
        "3/14",
    ),
    ladder("attempts", "an attempt is a step", LADDER_TESTS[:1], "counts attempts", steps="1/p**3"),
    ladder("last attempt", "every attempt falls", LADDER_TESTS[1:2], "the one that succeeds", falls="1/p**3"),
    ladder(
        "three steps an attempt",
        "every attempt takes three steps",
        (LADDER_TESTS[0], LADDER_TESTS[2]),
        "three steps for each attempt",
        steps="3/p**3",
        threshold="0.59838",
    ),
]


def street(
    name, misconception, fails, says, first="value((1, 1, 1, 1))", best="v", takes="plan", which="mine", typed=None
):
    source = f"""def my_street():
    m = {which}
    walk, free, drive = np.array(m["walk"]), np.array(m["free"]), m["drive"]

    def value(takes, walk=walk):
        v, stop = np.zeros(4), free * np.array(takes)
        for _ in range(5000):
            v = stop * walk + (1 - stop) * (drive + np.roll(v, -1))
        return v

    v = np.min([value(takes) for takes in np.ndindex(2, 2, 2, 2) if any(takes)], axis=0)
    plan = (walk < drive + np.roll(v, -1)).astype(int)
    nearest = (np.arange(4) == walk.argmin()).astype(int)
    return {first}, {best}, {takes}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


STREET_TESTS = tuple(f"street-{part}" for part in ("first", "best", "takes"))
STREET = [
    street("optimal first", "the best plan is evaluated", STREET_TESTS[:1], "match the best choice", first="v"),
    street(
        "no walk",
        "parking is the end",
        STREET_TESTS[:1],
        "leave out the walk",
        first="value((1, 1, 1, 1), np.zeros(4))",
    ),
    street("first free", "no place is worth passing", STREET_TESTS[1:2], "first free place", best="value((1,) * 4)"),
    street(
        "another id",
        "answers for the street of another id",
        STREET_TESTS,
        "you are graded as",
        which="problems.street('someone else', as_typed=True)",
        typed="someone else",
    ),
    street(
        "nearest",
        "only the nearest place is worth taking",
        STREET_TESTS[1:2],
        "nearest to the door",
        best="value(nearest)",
    ),
    street("every place", "a free place is taken", STREET_TESTS[2:], "take every free place", takes="np.ones(4)"),
    street("reversed", "1 is to drive on", STREET_TESTS[2:], "the wrong way round", takes="1 - plan"),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "ends": ENDS,
    "evaluate": EVALUATE,
    "weights": WEIGHTS,
    "value-iteration": VALUE_ITERATION,
    "policy-iteration": POLICY_ITERATION,
    "convert": CONVERT,
    "two-solutions": TWO_SOLUTIONS,
    "no-solution": NO_SOLUTION,
    "ladder": LADDER,
    "street": STREET,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"ends": "can end", "weights": "equal"}
