"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def occupancy(name, misconception, fails, says, x="visits[:, None] * pi", system="step.T", start="mu", back=None):
    back = back or "np.where(total > 0, x / np.where(total > 0, total, 1), 1 / x.shape[1])"
    source = f"""def occupancy(P, gamma, mu, pi):
    chain = np.einsum("sa,sat->st", pi, P)
    step = np.eye(len(mu)) - gamma * chain
    visits = np.linalg.solve({system}, {start})
    return {x}


def policy(x):
    total = x.sum(axis=1, keepdims=True)
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


OCC = tuple(f"occupancy-{part}" for part in ("visits", "back", "unvisited"))
OCCUPANCY = [
    occupancy("transposed", "visits flow back", OCC[:1], "its transpose is needed", system="step"),
    occupancy("no mu", "the start does not matter", OCC[:1], "mu is forgotten", start="np.full(len(mu), 1 / len(mu))"),
    occupancy(
        "normalised",
        "visits are probabilities",
        OCC[:1],
        "multiplied by 1 - gamma",
        x="(1 - gamma) * visits[:, None] * pi",
    ),
    occupancy("no start", "time starts at 1", OCC[:1], "first step is missing", x="(visits - mu)[:, None] * pi"),
    occupancy("columns", "rows and columns", OCC[1:], "divide by those over actions", back="x / x.sum(axis=0)"),
    occupancy("all visits", "shares of all visits", OCC[1:], "divide by all visits", back="x / x.sum()"),
    occupancy(
        "zeros",
        "no visits, no policy",
        OCC[2:],
        "Your rows are 0",
        back="np.where(total > 0, x / np.where(total > 0, total, 1), 0)",
    ),
    occupancy("0/0", "every state is visited", OCC[2:], "0/0 is no number", back="x / total"),
    occupancy(
        "threshold",
        "small is zero",
        OCC[2:],
        "treat a rare visit as none",
        back="np.where(total > 1e-4, x / np.where(total > 1e-4, total, 1), 1 / x.shape[1])",
    ),
]


def programs(name, misconception, fails, says, *changes):
    source = """def values_program(P, r, gamma, mu):
    S, A = r.shape
    stay = np.repeat(np.eye(S), A, axis=0)
    rows = gamma * P.reshape(S * A, S) - stay
    return mu, rows, -r.reshape(-1)


def visits_program(P, r, gamma, mu):
    S, A = r.shape
    stay = np.repeat(np.eye(S), A, axis=0)
    flow = (stay - gamma * P.reshape(S * A, S)).T
    return -r.reshape(-1), flow, mu
"""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


PROGRAMS_TESTS = ("programs-values", "programs-visits")
PROGRAMS = [
    programs(
        "turned round",
        "v <= Tv",
        PROGRAMS_TESTS[:1],
        "to say v <= Tv",
        ("rows = gamma * P.reshape(S * A, S) - stay", "rows = stay - gamma * P.reshape(S * A, S)"),
    ),
    programs(
        "maximise",
        "optimal values are large",
        PROGRAMS_TESTS[:1],
        "You maximise the values",
        ("return mu, rows", "return -mu, rows"),
    ),
    programs("no gamma", "the step is not discounted", PROGRAMS_TESTS, "gamma is missing in", ("gamma * P.re", "P.re")),
    programs(
        "equal weights",
        "mu does not matter",
        PROGRAMS_TESTS[:1],
        "mu is forgotten",
        ("return mu, ", "return np.ones(S), "),
    ),
    programs(
        "right side",
        "the sign of the reward",
        PROGRAMS_TESTS[:1],
        "right sides have the wrong sign",
        ("rows, -r.reshape", "rows, r.reshape"),
    ),
    programs(
        "rows and columns", "a row for each pair", PROGRAMS_TESTS[1:], "rows and columns are exchanged", (".T\n", "\n")
    ),
    programs(
        "normalised",
        "visits are probabilities",
        PROGRAMS_TESTS[1:],
        "multiply mu by 1 - gamma",
        ("flow, mu", "flow, (1 - gamma) * mu"),
    ),
    programs(
        "inflow added",
        "what flows in is added",
        PROGRAMS_TESTS[1:],
        "What flows into a state is added",
        ("(stay - gamma", "(stay + gamma"),
    ),
    programs(
        "backward flow",
        "from and to",
        PROGRAMS_TESTS[1:],
        "row t collects what leads to t",
        ("(stay - gamma * P.reshape(S * A, S)).T", "stay.T - gamma * P.transpose(0, 2, 1).reshape(S, S * A)"),
    ),
    programs(
        "minimise",
        "linprog maximises",
        PROGRAMS_TESTS[1:],
        "You minimise the reward",
        ("return -r.reshape(-1), flow", "return r.reshape(-1), flow"),
    ),
]


def certificate(name, misconception, fails, says, upper="mu @ u", lower="mu @ values", losses="x * (u[:, None] - q_u)"):
    source = f"""def certificate(P, r, gamma, mu, v):
    q, states = r + gamma * P @ v, np.arange(len(v))
    change, pi = q.max(axis=1) - v, q.argmax(axis=1)
    u = v + change.max() / (1 - gamma)
    q_u = r + gamma * P @ u
    step = np.eye(len(v)) - gamma * P[states, pi]
    values = np.linalg.solve(step, r[states, pi])
    x = np.linalg.solve(step.T, mu)[:, None] * np.eye(r.shape[1])[pi]
    return {upper}, {lower}, {losses}
"""
    return WrongAnswer(name, misconception, source, fails, says)


CERTIFICATE_TESTS = tuple(f"certificate-{part}" for part in ("upper", "lower", "losses"))
CERTIFICATE = [
    certificate("not raised", "any v is a bound", CERTIFICATE_TESTS[:1], "Your upper bound is mu v", upper="mu @ v"),
    certificate(
        "no division",
        "Tv moves as v does not",
        CERTIFICATE_TESTS[:1],
        "division by 1 - gamma is missing",
        upper="mu @ v + change.max()",
    ),
    certificate(
        "never lowered",
        "v is too low",
        CERTIFICATE_TESTS[:1],
        "never lower it",
        upper="mu @ v + max(0, change.max()) / (1 - gamma)",
    ),
    certificate(
        "one step", "Tv is the value of a policy", CERTIFICATE_TESTS[1:2], "not of one step", lower="mu @ q.max(axis=1)"
    ),
    certificate("mean", "mu does not matter", CERTIFICATE_TESTS[1:2], "mean over all states", lower="values.mean()"),
    certificate(
        "v for u", "the gap is that of v", CERTIFICATE_TESTS[2:], "where the raised u", losses="x * (v[:, None] - q)"
    ),
    certificate(
        "no visits",
        "a loss counts once",
        CERTIFICATE_TESTS[2:],
        "not multiplied by the visits",
        losses="(x > 0) * (u[:, None] - q_u)",
    ),
    certificate(
        "all pairs", "every pair loses", CERTIFICATE_TESTS[2:], "single steps at all pairs", losses="u[:, None] - q_u"
    ),
    certificate("sign", "a loss is negative", CERTIFICATE_TESTS[2:], "wrong sign", losses="x * (q_u - u[:, None])"),
]


def simplex(
    name, misconception, fails, says, change="pi[s] = a", pick="advantage.argmax()", stop="<= 1e-9", rounds=300
):
    source = f"""def simplex(P, r, gamma):
    states, pi, visited = np.arange(len(r)), np.zeros(len(r), int), []
    for _ in range({rounds}):
        visited.append(pi.copy())
        v = np.linalg.solve(np.eye(len(r)) - gamma * P[states, pi], r[states, pi])
        advantage = r + gamma * P @ v - v[:, None]
        if advantage.max() {stop}:
            break
        s, a = np.unravel_index({pick}, r.shape)
        {change}
    return visited
"""
    return WrongAnswer(name, misconception, source, fails, says)


SIMPLEX_TESTS = tuple(f"simplex-{part}" for part in ("pivots", "best", "ties"))
SIMPLEX = [
    simplex(
        "all at once",
        "policy iteration is Dantzig's rule",
        (SIMPLEX_TESTS[0], SIMPLEX_TESTS[2]),
        "Changing all is policy iteration",
        "pi = np.where(advantage.max(axis=1) > 1e-9, advantage.argmax(axis=1), pi)",
    ),
    simplex(
        "first gain",
        "any gain will do",
        (SIMPLEX_TESTS[0], SIMPLEX_TESTS[2]),
        "not the largest advantage",
        pick="(advantage > 1e-9).argmax()",
    ),
    simplex(
        "reward only",
        "the reward of one step decides",
        (SIMPLEX_TESTS[0], SIMPLEX_TESTS[2]),
        "not the largest advantage",
        pick="np.where(advantage > 1e-9, r - r[states, pi][:, None], -np.inf).argmax()",
    ),
    simplex("one pivot", "one change is enough", SIMPLEX_TESTS[1:], "another pivot would improve it", rounds=2),
    simplex(
        "no tolerance",
        "floats tie exactly",
        (SIMPLEX_TESTS[0], SIMPLEX_TESTS[2]),
        "stop when no advantage exceeds",
        stop="< 0",
    ),
]


def constrained(name, misconception, fails, says, *changes):
    source = """def constrained(P, r, gamma, mu, cost, limit):
    from scipy.optimize import linprog

    S, A = r.shape
    flow = (np.repeat(np.eye(S), A, axis=0) - gamma * P.reshape(S * A, S)).T
    row, right = cost.reshape(1, -1), [limit]
    found = linprog(-r.reshape(-1), A_ub=row, b_ub=right, A_eq=flow, b_eq=mu)
    if found.x is None:
        return None
    x = np.maximum(found.x.reshape(S, A), 0)
    return x / x.sum(axis=1, keepdims=True)
"""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


CONSTRAINED_TESTS = tuple(f"constrained-{part}" for part in ("keeps", "best", "slack", "none"))
GIVE_UP = ("        return None", "        return np.full((S, A), 1 / A)")
CONSTRAINED = [
    constrained(
        "rounded",
        "a deterministic policy is best",
        CONSTRAINED_TESTS[:2],
        "round the coin away",
        ("return x / x.sum(axis=1, keepdims=True)", "return np.eye(A)[x.argmax(axis=1)]"),
    ),
    constrained(
        "ignored",
        "the limit is left out",
        (*CONSTRAINED_TESTS[:2], CONSTRAINED_TESTS[3]),
        "is the limit left out",
        ("A_ub=row, b_ub=right, ", ""),
    ),
    constrained(
        "turned round",
        "the cost is at least the limit",
        CONSTRAINED_TESTS,
        "turned round",
        ("[limit]", "[-limit]"),
        ("row, right = c", "row, right = -c"),
    ),
    constrained(
        "per step",
        "visits sum to 1",
        CONSTRAINED_TESTS[:3],
        "scaled by 1 - gamma",
        ("[limit]", "[limit * (1 - gamma)]"),
    ),
    constrained(
        "equal start",
        "mu does not matter",
        CONSTRAINED_TESTS[:2],
        "mu is forgotten",
        ("b_eq=mu", "b_eq=np.full(S, 1 / S)"),
    ),
    constrained(
        "minimised", "linprog maximises", CONSTRAINED_TESTS[1:3], "minimise the reward", ("linprog(-r", "linprog(r")
    ),
    constrained("any policy", "some policy always keeps it", CONSTRAINED_TESTS[3:], "look at the status", GIVE_UP),
]


def content(
    name,
    misconception,
    fails,
    says,
    r="[[2.0, 0.0], [1.0, 0.0]]",
    mu="[1.0, 0.0]",
    pi="[0, 1]",
    v="[4.0, 5.0]",
    move="1",
):
    source = f"""def content():
    P = np.zeros((2, 2, 2))
    P[0, 0, 0] = P[0, 1, {move}] = P[1, :, 1] = 1.0
    return P, np.array({r}), 0.5, np.array({mu}), np.array({pi}), np.array({v})
"""
    return WrongAnswer(name, misconception, source, fails, says)


CONTENT_TESTS = ("content-policy", "content-values")
CONTENT = [
    content("positive law", "zero weights are not needed", CONTENT_TESTS, "mu > 0", mu="[0.5, 0.5]"),
    content("wrong at the start", "any suboptimal policy", CONTENT_TESTS[:1], "less than the best policy", pi="[1, 0]"),
    content("idle state", "a state that never comes", CONTENT_TESTS, "no policy ever comes to state 1", move="0"),
    content("too little", "any loss is visible", CONTENT_TESTS[:1], "it loses 0.2", r="[[2.0, 0.0], [0.1, 0.0]]"),
    content("too low", "values of a policy are feasible", CONTENT_TESTS[1:], "they are too low", v="[4.0, 0.0]"),
    content("constant", "constants may be added", CONTENT_TESTS[1:], "where mu > 0", v="[5.0, 5.0]"),
    content("optimal", "the program has one solution", CONTENT_TESTS[1:], "make it larger where", v="[4.0, 2.0]"),
    content("too large", "no row bounds it", CONTENT_TESTS[1:], "v >= Tv fails in state 0", v="[4.0, 9.0]"),
]


def corners(name, misconception, says, first="1, 2", second="1, 1", third="2, 1", mu="[1.0, 0.0, 0.0]"):
    source = f"""def corners():
    P = np.zeros((3, 2, 3))
    for s, leads in enumerate([({first}), ({second}), ({third})]):
        P[s, [0, 1], leads] = 1.0
    return P, np.array({mu})
"""
    return WrongAnswer(name, misconception, source, ("corners-count",), says)


CORNERS = [
    corners("full support", "the laws decide", "Every state is visited", mu="[0.5, 0.25, 0.25]"),
    corners("copies", "equal laws are one action", "are still two", first="1, 1", second="2, 2", third="0, 0"),
    corners("idle", "an idle state makes it smaller", "State 2 is never visited", first="0, 1"),
    corners("four", "two branches", "has 4 corners", third="2, 2"),
    corners("six", "both branches go on", "has 6 corners", second="1, 2"),
]


def starts(
    name,
    misconception,
    fails,
    says,
    r="[[0, 1], [0, 0]]",
    cost="r.copy()",
    limit="0.5",
    later="0",
    gamma="0.5",
    first="0",
):
    source = f"""def starts():
    P = np.zeros((2, 2, 2))
    P[0, :, {first}] = P[1, :, {later}] = 1.0
    r = np.array({r}, dtype=float)
    return P, r, {gamma}, {cost}, {limit}
"""
    return WrongAnswer(name, misconception, source, fails, says)


STARTS_TESTS = ("starts-kept", "starts-plans")
STARTS = [
    starts("slack", "any limit will do", STARTS_TESTS[1:], "The limit binds from neither", limit="5.0"),
    starts("impossible", "a limit can always be kept", STARTS_TESTS, "no policy keeps it", limit="-0.1"),
    starts(
        "ties",
        "one optimum is enough",
        STARTS_TESTS[1:],
        "break the ties",
        r="[[0, 1], [0, 1]]",
        first="1",
    ),
    starts("never there", "state 0 need not come", STARTS_TESTS[1:], "never visits state 0", later="1"),
    starts("too close", "any difference is visible", STARTS_TESTS[1:], "0.1 is asked for", gamma="0.9"),
    starts("negative costs", "costs may pay", STARTS_TESTS, "costs from 0 to 10", cost="-r", limit="-0.5"),
]


def kiln(
    name,
    misconception,
    fails,
    says,
    hot="gamma/(1 - gamma**2)",
    price="1/gamma",
    fire="b*(1 - gamma)/(gamma*(1 - b*(1 - gamma)))",
):
    source = f'def kiln():\n    return "{hot}", "{price}", "{fire}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


KILN_TESTS = tuple(f"kiln-{part}" for part in ("hot", "price", "fire"))
KILN = [
    kiln("cold periods", "the first period is hot", KILN_TESTS[:1], "counts the cold periods", hot="1/(1 - gamma**2)"),
    kiln("always hot", "a kiln stays hot", KILN_TESTS[:1], "every second one is cold", hot="gamma/(1 - gamma)"),
    kiln("share", "visits sum to 1", KILN_TESTS[:1], "the share of hot periods", hot="gamma/(1 + gamma)"),
    kiln(
        "no gamma",
        "a firing is a hot period",
        KILN_TESTS[1:],
        "gamma",
        price="1",
        fire="b*(1 - gamma)/(1 - b*(1 - gamma))",
    ),
    kiln("inverse", "firings and hot periods exchanged", KILN_TESTS[1:2], "turned round", price="gamma"),
    kiln("value", "the price is the value", KILN_TESTS[1:2], "the value, not the price", price="b/gamma"),
    kiln(
        "mixed policies",
        "policies mix as visits do",
        KILN_TESTS[2:],
        "their visits must be mixed",
        fire="b*(1 - gamma**2)/gamma",
    ),
    kiln(
        "all visits",
        "every period is a chance to fire",
        KILN_TESTS[2:],
        "divides by all visits",
        fire="b*(1 - gamma)/gamma",
    ),
]


def well(name, misconception, fails, says, high="high", best="best", plan="plan", which="mine", typed=None):
    source = f"""def my_well():
    m = {which}
    pay, fall, rain, gamma, limit = np.array(m["pay"]), m["fall"], m["rain"], m["gamma"], m["limit"]
    up = np.array([[1 - rain, rain, 0], [0, 1 - rain, rain], [0, 0, 1]])
    down = np.array([[1, 0, 0], [fall, 1 - fall, 0], [0, fall, 1 - fall]])

    def visits(plan):
        chain = np.where(np.array(plan)[:, None] > 0, down, up)
        d = np.linalg.solve((np.eye(3) - gamma * chain).T, np.full(3, 1 / 3))
        return d, np.array(plan) * d

    corners = [(visits(plan), np.array(plan)) for plan in np.ndindex(2, 2, 2)]
    used = np.array([x.sum() for (_, x), _ in corners])
    earned = np.array([x @ pay for (_, x), _ in corners])
    high = np.array([earned[1], used[1]])
    value, i, j, share = max(
        (earned[i] + (limit - used[i]) / (used[j] - used[i]) * (earned[j] - earned[i]), i, j,
         (limit - used[i]) / (used[j] - used[i]))
        for i in range(8) for j in range(8) if used[i] <= limit < used[j]
    )
    best = np.array([value, (earned[j] - earned[i]) / (used[j] - used[i])])
    (d, x), (e, y) = corners[i][0], corners[j][0]
    plan = ((1 - share) * x + share * y) / ((1 - share) * d + share * e)
    return {high}, {best}, {plan}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


WELL_TESTS = tuple(f"well-{part}" for part in ("high", "best", "plan"))
WELL = [
    well("every day", "pump always", WELL_TESTS[:1], "pumping every day", high="np.array([earned[7], used[7]])"),
    well("means", "visits sum to 1", WELL_TESTS[:1], "multiplied by 1 - gamma", high="(1 - gamma) * high"),
    well(
        "no coin",
        "the best deterministic policy",
        WELL_TESTS[1:2],
        "a coin earns more",
        best="np.array([earned[used <= limit].max(), best[1]])",
    ),
    well(
        "another id",
        "answers for the well of another id",
        WELL_TESTS,
        "you are graded as",
        which="problems.well('someone else', as_typed=True)",
        typed="someone else",
    ),
    well(
        "mean price",
        "a price is a mean",
        WELL_TESTS[1:2],
        "value divided by limit",
        best="np.array([value, value / limit])",
    ),
    well(
        "free", "the limit is left out", WELL_TESTS[1:2], "without the limit", best="np.array([earned.max(), best[1]])"
    ),
    well(
        "mixed policies",
        "policies mix as visits do",
        WELL_TESTS[2:],
        "where their visits must be mixed",
        plan="(1 - share) * corners[i][1] + share * corners[j][1]",
    ),
    well("rounded", "deterministic is enough", WELL_TESTS[2:], "You round the coin", plan="np.round(plan)"),
    well("not pumping", "action 0 is to pump", WELL_TESTS[2:], "probabilities of not pumping", plan="1 - plan"),
]


def draws(name, misconception, fails, says, *changes):
    source = """def draws(step, mu, pi, gamma, n, seed):
    rng = np.random.default_rng(seed)

    def act(states):
        return (rng.random(len(states))[:, None] > pi[states].cumsum(axis=1)[:, :-1]).sum(axis=1)

    start = mu
    states = rng.choice(len(mu), size=n, p=start)
    actions, lengths = act(states), rng.geometric(1 - gamma, size=n) - 1
    for k in range(lengths.max()):
        going = np.flatnonzero(lengths > k)
        states[going] = step(states[going], actions[going])
        actions[going] = act(states[going])
    return np.column_stack([states, actions])
"""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


DRAWS_TESTS = ("draws-law", "draws-independent")
GEOMETRIC = "rng.geometric(1 - gamma, size=n) - 1"
DRAWS = [
    draws("from one on", "every run moves", DRAWS_TESTS[:1], "visits from time 1 on", (GEOMETRIC, GEOMETRIC[:-4])),
    draws(
        "gamma stops", "gamma is the risk", DRAWS_TESTS[:1], "goes on with probability gamma", ("(1 - gamma", "(gamma")
    ),
    draws(
        "fixed time",
        "the expected time will do",
        DRAWS_TESTS,
        "must be drawn for each run",
        (GEOMETRIC, "np.full(n, round(1 / (1 - gamma)))"),
    ),
    draws(
        "equal start",
        "mu does not matter",
        DRAWS_TESTS[:1],
        "mu is forgotten",
        ("start = mu", "start = np.full(len(mu), 1 / len(mu))"),
    ),
    WrongAnswer(
        "one long run",
        "successive visits are independent",
        """def draws(step, mu, pi, gamma, n, seed):
    rng, pairs = np.random.default_rng(seed), []
    states, runs = np.zeros(0, int), n // 20
    states = rng.choice(len(mu), size=runs, p=mu)
    for _ in range(n // runs + 30):
        actions = (rng.random(runs)[:, None] > pi[states].cumsum(axis=1)[:, :-1]).sum(axis=1)
        pairs.append(np.column_stack([states, actions]))
        anew = rng.random(runs) > gamma
        states = np.where(anew, rng.choice(len(mu), size=runs, p=mu), step(states, actions))
    return np.array(pairs[30:]).transpose(1, 0, 2).reshape(-1, 2)[:n]
""",
        DRAWS_TESTS[1:],
        "depend on each other",
    ),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "occupancy": OCCUPANCY,
    "programs": PROGRAMS,
    "certificate": CERTIFICATE,
    "simplex": SIMPLEX,
    "constrained": CONSTRAINED,
    "content": CONTENT,
    "corners": CORNERS,
    "starts": STARTS,
    "kiln": KILN,
    "well": WELL,
    "draws": DRAWS,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"occupancy": "0/0", "certificate": "v for u"}
