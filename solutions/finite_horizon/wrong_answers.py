"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def backward(
    name,
    misconception,
    fails,
    says,
    last="g",
    q="r + gamma * P @ v[t + 1]",
    best="q.max(axis=1)",
    act="q.argmax(axis=1)",
    back="v, pi",
):
    source = f"""def backward(P, r, H, gamma, g):
    v, pi = np.zeros((H + 1, len(r))), np.zeros((H, len(r)), int)
    v[H] = {last}
    for t in reversed(range(H)):
        q = {q}
        v[t] = {best}
        pi[t] = {act}
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


BACK = ("backward-values", "backward-plan")
BACKWARD = [
    backward("no gamma", "the future is not discounted", BACK, "without the factor gamma", q="r + P @ v[t + 1]"),
    backward("no end", "the last stage pays nothing", BACK, "the final value left out", last="0"),
    backward("stages to go", "the rows count down", BACK, "order of the stages to go", back="v[::-1], pi[::-1]"),
    backward(
        "wrong stage",
        "the values of the same stage decide",
        BACK[1:],
        "looks ahead from v[t]",
        act="(r + gamma * P @ v[t]).argmax(axis=1)",
    ),
    backward(
        "one rule",
        "the first stage's actions are best at every stage",
        BACK[1:],
        "how much time is left",
        back="v, np.tile(pi[0], (H, 1))",
    ),
    backward("from 1", "actions are numbered from 1", BACK[1:], "numbered from 1", back="v, pi + 1"),
]


def evaluate(name, misconception, fails, says, mean="(pi[t] * q[t]).sum(axis=1)", back="v, q", last="g"):
    source = f"""def evaluate(P, r, H, gamma, g, pi):
    v, q = np.zeros((H + 1, len(r))), np.zeros((H, *r.shape))
    v[H] = {last}
    for t in reversed(range(H)):
        q[t] = r + gamma * P @ v[t + 1]
        v[t] = {mean}
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


EVAL = ("evaluate-values", "evaluate-q")
EVALUATE = [
    evaluate("best", "evaluating maximises", EVAL, "of the best plan", mean="q[t].max(axis=1)"),
    evaluate("reverse", "running backwards reverses the policy", EVAL[:1], "in reverse")._replace(
        source="""def _values(P, r, H, gamma, g, rules):
    v = [np.array(g, float)]
    for rule in rules:
        v.insert(0, (rule * (r + gamma * P @ v[0])).sum(axis=1))
    return np.array(v)


def evaluate(P, r, H, gamma, g, pi):
    right = _values(P, r, H, gamma, g, pi[::-1])
    return _values(P, r, H, gamma, g, pi), r + gamma * np.einsum("sau,tu->tsa", P, right[1:])
"""
    ),
    evaluate("weighted", "q holds the probabilities", EVAL[1:], "multiplied by the policy's", back="v, pi * q"),
    evaluate(
        "same stage",
        "q looks at the values of its own stage",
        EVAL[1:],
        "v[t] in place of v[t + 1]",
        back='v, r + gamma * np.einsum("sau,tu->tsa", P, v[:-1])',
    ),
]


def twin(
    name,
    misconception,
    fails,
    says,
    ask="policy(history)",
    back="d, np.where(total > 0, d / np.where(total > 0, total, 1), 1 / A)",
    count="1.0",
):
    source = f"""def markov_twin(P, start, policy, H):
    S, A, _ = P.shape
    d, plain = np.zeros((H, S, A)), np.zeros((H, S, A))
    now = {{(s,): start[s] for s in range(S) if start[s] > 0}}
    for t in range(H):
        later = {{}}
        for history, weight in now.items():
            s = history[-1]
            law = np.asarray({ask})
            d[t, s] += weight * law
            plain[t, s] += {count} * law
            for a in range(A):
                for u in range(S):
                    if weight * law[a] * P[s, a, u] > 0:
                        later[(*history, a, u)] = weight * law[a] * P[s, a, u]
        now = later
    total = d.sum(axis=2, keepdims=True)
    number = plain.sum(axis=2, keepdims=True)
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


TWIN = ("twin-marginals", "twin-policy")
MARKOV_TWIN = [
    twin("forgets", "the present state is the history", TWIN, "the present state only", ask="policy((s,))"),
    twin("joint", "joint and conditional are confused", TWIN[1:], "divide by that of the state", back="d, d"),
    twin(
        "unweighted",
        "all histories are equally likely",
        TWIN[1:],
        "as if all were equally likely",
        back="d, np.where(number > 0, plain / np.where(number > 0, number, 1), 1 / A)",
    ),
    twin(
        "conditional",
        "d is a law for each state",
        TWIN[:1],
        "not the conditional one",
        back="(np.where(total > 0, d / np.where(total > 0, total, 1), 1 / A),) * 2",
    ),
    twin("nothing there", "0/0 where no one comes", TWIN[1:], "must be a finite number", back="d, d / total"),
]


def made_up(name, misconception, says, pi0="[[0.5, 0.5]]", second="[[0, 1], [1, 0]]", r="[[0, 1]]"):
    source = f"""def made_up():
    second = np.array({second}, float)
    return np.ones((1, 2, 1)), np.array({r}, float), np.ones(1), np.array({pi0}, float), second.reshape(1, 2, 1, 2)
"""
    return WrongAnswer(name, misconception, source, ("variance-witness",), says)


VARIANCE = [
    made_up("same again", "any memory lowers the risk", "varies less", second="[[1, 0], [0, 1]]"),
    made_up("two coins", "a coin is a memory", "varies as much", second="[[0.5, 0.5], [0.5, 0.5]]"),
    made_up("no coin", "the twin of a certain total is risky", "the twin's total is certain too", pi0="[[0, 1]]"),
    made_up("rare", "a little chance is enough", "variance 0.18 only", pi0="[[0.9, 0.1]]"),
    made_up("large", "rewards may be large", "in [0, 1]", r="[[0, 5]]"),
]


def house(
    name,
    misconception,
    fails,
    says,
    waits="P[:m, 1, :m] = law",
    sold="P[m, 1, m] = 1.0",
    money="r[:m, 0], r[:m, 1] = prices, -cost",
    H="n - 1",
    g="np.append(prices, 0.0)",
):
    source = f"""def house(prices, law, cost, n):
    m = len(prices)
    P, r = np.zeros((m + 1, 2, m + 1)), np.zeros((m + 1, 2))
    P[:, 0, m] = 1.0
    {sold}
    {waits}
    {money}
    return P, r, {H}, {g}
"""
    return WrongAnswer(name, misconception, source, fails, says)


SALE = ("house-law", "house-money", "house-horizon")
HOUSE = [
    house("offer stays", "an offer can be kept", SALE[:1], "stays on the table", waits="P[range(m), 1, range(m)] = 1"),
    house("last offer lost", "nothing is paid at the end", SALE[1:2], "Your final value is 0", g="np.zeros(m + 1)"),
    house("one too many", "each offer is a decision", SALE[2:], "one decision for each offer", H="n"),
    house(
        "always pays",
        "accepting costs a week as well",
        SALE[1:2],
        "for accepting too",
        money="r[:m, 0], r[:m, 1] = prices - cost, -cost",
    ),
    house("free", "waiting is free", SALE[1:2], "Your waiting is free", money="r[:m, 0] = prices"),
    house("goes on", "offers never end", SALE[:1], "after the sale", sold="P[m, 1, :m] = law"),
]


def flight(
    name,
    misconception,
    fails,
    says,
    which="mine",
    values="v[1:]",
    rules="np.array(plan)",
    constant="fixed[:, 2].max()",
    typed=None,
):
    source = f"""def my_flight():
    m = {which}
    price, buys, n = np.array(m["prices"]), np.array(m["buys"]), m["periods"]
    v, plan, fixed = np.zeros(3), [], np.zeros((2, 3))
    for _ in range(n):
        q = buys * (price + v[:-1, None]) + (1 - buys) * v[1:, None]
        plan.insert(0, q.argmax(axis=1))
        v = np.append(0.0, q.max(axis=1))
        step = buys[:, None] * (price[:, None] + fixed[:, :-1]) + (1 - buys[:, None]) * fixed[:, 1:]
        fixed = np.column_stack([np.zeros(2), step])
    return {values}, {rules}, {constant}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


FLY = ("flight-values", "flight-plan", "flight-constant")
FLIGHT = [
    flight("kept", "the price never changes", FLY[:1], "one price kept to the end", values="fixed[:, 1:].max(axis=0)"),
    flight("backwards", "the plan counts customers to come", FLY[1:2], "runs backwards", rules="np.array(plan)[::-1]"),
    flight(
        "mean inside",
        "the mean number of buyers fills the seats",
        FLY[2:],
        "inside the minimum",
        constant="max(price * np.minimum(2, n * buys))",
    ),
    flight("changing", "the best plan is a price", FLY[2:], "which may change its price", constant="v[2]"),
    flight("myopic", "each customer is the last", FLY[1:2], "best for one customer alone", rules="np.zeros((5, 2))"),
    flight(
        "another id",
        "answers for the flight of another id",
        (FLY[0], FLY[2]),
        "you are graded as",
        which="problems.flight('someone else', as_typed=True)",
        typed="someone else",
    ),
]


def thresholds(
    name,
    misconception,
    fails,
    says,
    two="(1 + (1/2 - c)**2)/2",
    three="(1 + ((1 + (1/2 - c)**2)/2 - c)**2)/2",
    limit="3/5",
):
    source = f'def thresholds():\n    return "{two}", "{three}", "{limit}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


STEP = tuple(f"thresholds-{part}" for part in ("two", "three", "limit"))
THRESHOLDS = [
    thresholds(
        "free",
        "waiting is free",
        STEP[:2],
        "waiting that is free",
        two="5/8",
        three="(1 + (5/8)**2)/2",
    ),
    thresholds(
        "mean",
        "the threshold is the mean of the next offer",
        STEP[:1],
        "forgets the cost",
        two="3/8 + (1/2 - c)/2",
    ),
    thresholds("other root", "both roots are thresholds", STEP[2:], "other root", limit="7/5"),
    thresholds("income", "income and threshold are confused", STEP[2:], "the limit of the incomes", limit="17/25"),
    thresholds(
        "first paid",
        "the first offer is paid as well",
        STEP[:2],
        "charges c for the first offer",
        two="(1 + (1/2 - c)**2)/2 - c",
        three="(1 + ((1 + (1/2 - c)**2)/2 - c)**2)/2 - c",
    ),
]


def moment(name, misconception, fails, says, jump="[0, 1, 2, 2]", r="[0, 0, 0]", g="[0, 1, 0]", states=3):
    source = f"""def moment(H):
    P, r = np.zeros(({states}, 2, {states})), np.zeros(({states}, 2))
    wait0, jump0, after1, after2 = {jump}
    P[0, 0, wait0] = P[0, 1, jump0] = P[1, :, after1] = P[2:, :, after2] = 1.0
    r[:3] = np.array({r})[:, None]
    return P, r, np.array({g}, float)
"""
    return WrongAnswer(name, misconception, source, fails, says)


CLOCK = ("moment-optimum", "moment-stationary")
MOMENT = [
    moment("prize waits", "a prize that waits", CLOCK[1:], "the stationary policy", jump="[0, 1, 1, 2]"),
    moment("nothing to win", "nothing is earned by anybody", CLOCK, "best plan earns 0", g="[0, 0, 0]"),
    moment("punished", "bad policies are punished", CLOCK, "a reward is negative", r="[0, 0, -1]"),
    moment("wages", "waiting is paid", CLOCK[1:], "the stationary policy", r="[1, 0, 0]"),
    moment("four states", "a clock in the state", CLOCK, "at most 3 states", states=4, g="[0, 1, 0, 0]"),
]


def sensor(
    name,
    misconception,
    fails,
    says,
    seen="[0, 1, 2, 2]",
    start="[0.5, 0.5, 0, 0]",
    r="[[0, 0], [0, 0], [2, 0], [0, 2]]",
):
    source = f"""def sensor():
    P = np.zeros((4, 2, 4))
    P[0, :, 2] = P[1, :, 3] = P[2, :, 2] = P[3, :, 3] = 1.0
    return P, np.array({r}, float), np.array({start}, float), np.array({seen})
"""
    return WrongAnswer(name, misconception, source, fails, says)


SENSE = ("sensor-gap", "sensor-half")
SENSOR = [
    sensor("all seen", "every state is hidden", SENSE, "every state looks different", seen="[0, 1, 2, 3]"),
    sensor("blind", "the less is seen, the more memory helps", SENSE, "all states look alike", seen="[0, 0, 0, 0]"),
    sensor(
        "same pay",
        "hidden states pay alike",
        SENSE,
        "do not depend on the action",
        r="[[0, 0], [0, 0], [1, 1], [1, 1]]",
    ),
    sensor("uneven", "any gap is half", SENSE[1:], "equally likely", start="[0.8, 0.2, 0, 0]"),
    sensor("at first", "what was seen first is hidden too", SENSE, "what is seen first", seen="[0, 0, 1, 1]"),
]


def reach(
    name, misconception, fails, says, aim="target", back="chance[:, 0], q[:, :, 0].argmax(axis=1)", before="pass"
):
    source = f"""def reach(P, r, H, target):
    S, A = r.shape
    {before}
    aim = {aim}
    chance = np.zeros((S, aim + 1))
    chance[:, aim] = 1.0
    for _ in range(H):
        q = np.zeros((S, A, aim + 1))
        for s, a, k in np.ndindex(q.shape):
            q[s, a, k] = P[s, a] @ chance[:, min(k + r[s, a], aim)]
        chance = q.max(axis=1)
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


MEAN = """def plan(P, r, H):
    v, rules = np.zeros(len(r)), []
    for _ in range(H):
        q = r + P @ v
        v, rules = q.max(axis=1), [q.argmax(axis=1), *rules]
    return v, rules


def reach(P, r, H, target):
    states, chance = np.arange(len(r)), np.zeros((len(r), target + 1))
    chance[:, target] = 1.0
    for rule in reversed(plan(P, r, H)[1]):
        after = np.zeros_like(chance)
        for s, k in np.ndindex(chance.shape):
            after[s, k] = P[s, rule[s]] @ chance[:, min(k + r[s, rule[s]], target)]
        chance = after
    return chance[:, 0], rule
"""
GOAL = ("reach-chance", "reach-first")
REACH = [
    reach("more", "at least is more than", GOAL, "more than the target", aim="target + 1"),
    reach("mean", "the largest mean is the best chance", GOAL, "largest expected total")._replace(source=MEAN),
    reach(
        "Markov",
        "an upper bound is the answer",
        GOAL[:1],
        "Markov's inequality",
        back="np.minimum(1, v / target), q[:, :, 0].argmax(axis=1)",
        before="v = np.zeros(S)\n    for _ in range(H):\n        v = (r + P @ v).max(axis=1)",
    ),
    reach("one short", "the last stage does not count", GOAL[:1], "one stage too few")._replace(
        source="""def best(P, r, H, target):
    chance = np.zeros((len(r), target + 1))
    chance[:, target] = 1.0
    for _ in range(H):
        q = np.zeros((*r.shape, target + 1))
        for s, a, k in np.ndindex(q.shape):
            q[s, a, k] = P[s, a] @ chance[:, min(k + r[s, a], target)]
        chance = q.max(axis=1)
    return chance[:, 0], q[:, :, 0].argmax(axis=1)


def reach(P, r, H, target):
    return best(P, r, H - 1, target)[0], best(P, r, H, target)[1]
"""
    ),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "backward": BACKWARD,
    "evaluate": EVALUATE,
    "markov-twin": MARKOV_TWIN,
    "made-up": VARIANCE,
    "house": HOUSE,
    "flight": FLIGHT,
    "thresholds": THRESHOLDS,
    "moment": MOMENT,
    "sensor": SENSOR,
    "reach": REACH,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"backward": "no gamma", "house": "last offer lost"}
