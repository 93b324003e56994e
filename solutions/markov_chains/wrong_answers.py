"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def classify(
    name,
    misconception,
    fails,
    says,
    classes="both.argmax(axis=1)",
    recurrent="(reach <= both).all(axis=1).astype(int)",
    period="period",
    start="step",
    last="3 * n",
    reach="reach",
    join="np.gcd(period, t)",
):
    source = f"""def classify(P):
    n, step = len(P), P > 0
    reach = np.eye(n, dtype=bool)
    for _ in range(n):
        reach = reach | (reach @ step)
    both = reach & reach.T
    period, walk = np.zeros(n, int), {start}
    for t in range(1, {last}):
        period = np.where(walk.diagonal(), {join}, period)
        walk = walk @ step
    return {classes}, {recurrent}, {period}
"""
    return WrongAnswer(name, misconception, source, fails, says)


CLASS = ("classify-classes", "classify-recurrent", "classify-period")
CLASSIFY = [
    classify("one way", "leading to is communicating", CLASS[:1], "the way back", classes="reach.argmax(axis=1)"),
    classify(
        "neighbours",
        "a class is what can be reached in one step",
        CLASS[:1],
        "single steps only",
        classes="((step & step.T) | np.eye(n, dtype=bool)).argmax(axis=1)",
    ),
    classify(
        "numbered",
        "classes are numbered in their order",
        CLASS[:1],
        "right as sets",
        classes="np.unique(both.argmax(axis=1), return_inverse=True)[1]",
    ),
    classify(
        "can return",
        "recurrent is able to return",
        CLASS[1:2],
        "come back for sure",
        recurrent="np.array([(step[i] & reach[:, i]).any() for i in range(n)]).astype(int)",
    ),
    classify(
        "large power",
        "a small probability is none",
        CLASS[1:2],
        "rarely taken",
        recurrent="(np.linalg.matrix_power((P + np.eye(n)) / 2, 5000).diagonal() > 1e-9).astype(int)",
    ),
    classify(
        "absorbing",
        "recurrent is absorbing",
        CLASS[1:2],
        "absorbing states only",
        recurrent="(P.diagonal() == 1).astype(int)",
    ),
    classify(
        "shortest",
        "the period is the shortest way back",
        CLASS[2:],
        "length of the shortest way back",
        join="np.where(period > 0, period, t)",
    ),
    classify("n steps", "n steps show every way back", CLASS[2:], "first n steps only", last="n + 1"),
    classify(
        "never",
        "a state that never returns has period 1",
        CLASS[2:],
        "never comes back is 1",
        period="np.maximum(period, 1)",
    ),
]


def clockwork(name, misconception, fails, says, P):
    source = f"def clockwork(d):\n    P = {P}\n    return P / P.sum(axis=1, keepdims=True)\n"
    return WrongAnswer(name, misconception, source, fails, says)


CLOCK = ("clockwork-period", "clockwork-late")
RING = "np.roll(np.eye({0} * d), 1, axis=1)"
CLOCKWORK = [
    clockwork("ring", "the period is the shortest way back", CLOCK[1:], "not the shortest way", RING.format(1)),
    clockwork("two rounds", "a longer ring will do", CLOCK[:1], "larger divisor", RING.format(2)),
    clockwork(
        "doors",
        "states in d layers return late",
        CLOCK[1:],
        "can come back after",
        "np.kron(np.roll(np.eye(d), 1, axis=1), np.ones((2, 2)))",
    ),
    clockwork(
        "odd short cut",
        "the longest way sets the period",
        CLOCK[:1],
        "no multiple of d",
        RING.format(3) + "\n    P[2 * d, 0] = 1",
    ),
    clockwork(
        "apart", "two rings side by side", CLOCK, "not irreducible", "np.kron(np.eye(2), " + RING.format(2) + ")"
    ),
]


def hitting(name, misconception, fails, says, chance="chance", time="time", sure="~leads_to(stopped, ~can)"):
    source = f"""def hitting(P, target):
    n = len(P)
    goal = np.isin(np.arange(n), target)

    def leads_to(P, there):
        for _ in range(n):
            there = there | ((P > 0) @ there)
        return there

    can = leads_to(P, goal)
    free = can & ~goal
    chance = goal.astype(float)
    Q = P[np.ix_(free, free)]
    chance[free] = np.linalg.solve(np.eye(len(Q)) - Q, P[np.ix_(free, goal)].sum(axis=1))
    stopped = np.where(goal[:, None], 0, P)
    sure = {sure}
    time = np.where(sure, 0.0, -1.0)
    inner = sure & ~goal
    Q = P[np.ix_(inner, inner)]
    time[inner] = np.linalg.solve(np.eye(len(Q)) - Q, np.ones(len(Q)))
    walk = np.where(goal[:, None], np.eye(n), P)
    return {chance}, {time}
"""
    return WrongAnswer(name, misconception, source, fails, says)


HIT = ("hitting-chance", "hitting-time")
HITTING = [
    hitting("can", "what can happen happens", HIT[:1], "with which probability", chance="can.astype(float)"),
    hitting("ones", "any solution of the equations is right", HIT[:1], "smallest solution", chance="np.ones(n)"),
    hitting("one step", "the next step decides", HIT[:1], "after one step", chance="walk[:, goal].sum(axis=1)"),
    hitting(
        "n steps",
        "n steps are enough",
        HIT[:1],
        "after n steps",
        chance="np.linalg.matrix_power(walk, n)[:, goal].sum(axis=1)",
    ),
    hitting(
        "first step",
        "the first step is free",
        HIT[1:],
        "leaves out the first step",
        time="np.where(time > 0, time - 1, time)",
    ),
    hitting(
        "return",
        "time 0 does not count as a visit",
        HIT[1:],
        "T is 0 there",
        time="np.where(goal & (P @ (time < 0) == 0), 1 + P @ time, time)",
    ),
    hitting(
        "those that hit",
        "the expectation is over the walks that hit",
        HIT[1:],
        "then the expectation is infinite",
        time="np.where(time < 0, n, time)",
    ),
    hitting(
        "shortest",
        "the expected time is the least time",
        HIT[1:],
        "lengths of shortest ways",
        time="np.where(time < 0, -1, [min(t for t in range(n) if not can[i] or "
        "np.linalg.matrix_power(walk, t)[i][goal].sum() > 0) for i in range(n)])",
    ),
]


def parcel(
    name,
    misconception,
    fails,
    says,
    arrives="arrives",
    moves="moves",
    happy="happy",
    which="mine",
    law='np.array(m["moves"])',
    typed=None,
):
    source = f"""def my_parcel():
    m = {which}
    law, home, gone = {law}, np.array(m["delivered"]), np.array(m["lost"])
    arrives = np.linalg.solve(np.eye(4) - law, home)
    moves = np.linalg.solve(np.eye(4) - law, np.ones(4))
    counted = np.linalg.solve(np.eye(4) - law, arrives)
    happy = counted[0] / arrives[0]
    return {arrives}, {moves}, {happy}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


POST = ("parcel-arrives", "parcel-moves", "parcel-happy")
PARCEL = [
    parcel("all", "the delivered are a fair sample", POST[2:], "not a fair sample", happy="moves[0]"),
    parcel("next", "the next move decides", POST[:1], "next move only", arrives="home"),
    parcel("last move", "the last move is none", POST[1:2], "leave out the last move", moves="moves - 1"),
    parcel("undivided", "the lost count as 0 moves", POST[2:], "divide by the probability", happy="counted[0]"),
    parcel("odds", "the depots are alike", POST[:1], "the depots differ", arrives="home / (home + gone)"),
    parcel("reciprocal", "the chance stays the same", POST[1:2], "changes with the depot", moves="1 / (home + gone)"),
    parcel(
        "scaled",
        "condition on each move alone",
        POST[2:],
        "another conditioning",
        happy="np.linalg.solve(np.eye(4) - law / (1 - gone[:, None]), np.ones(4))[0]",
    ),
    parcel(
        "columns", "rows and columns are confused", POST, "exchanges rows and columns", law='np.array(m["moves"]).T'
    ),
    parcel(
        "another id",
        "answers for the service of another id",
        POST,
        "you are graded as",
        which="problems.parcel('someone else', as_typed=True)",
        typed="someone else",
    ),
]


def solve(name, misconception, fails, says, back):
    source = f"""def invariant(P):
    n = len(P)
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


LAW = ("invariant-law", "invariant-digits")
INVARIANT = [
    solve("right", "rows and columns are confused", LAW, "rows and columns are exchanged", "np.ones(n) / n")._replace(
        source="""def invariant(P):
    w, x = np.linalg.eig(P)
    x = x[:, np.argmin(np.abs(w - 1))].real
    return x / x.sum()
"""
    ),
    solve(
        "powers",
        "the powers always converge",
        LAW,
        "goes round for ever",
        "np.linalg.matrix_power(P, 1000)[0]",
    )._replace(fails=LAW),
    solve(
        "solve",
        "any linear solver has the digits",
        LAW[1:],
        "have lost the digits",
        "np.linalg.solve(np.vstack([(P.T - np.eye(n))[:-1], np.ones(n)]), np.eye(n)[-1])",
    ),
    solve("unscaled", "any solution is a law", LAW, "must be scaled", "2 * np.ones(n)")._replace(
        source="""def invariant(P):
    A, n = np.array(P, dtype=float), len(P)
    for k in range(n - 1, 0, -1):
        A[:k, k] /= A[k, :k].sum()
        A[:k, :k] += np.outer(A[:k, k], A[k, :k])
    nu = np.ones(n)
    for k in range(1, n):
        nu[k] = nu[:k] @ A[:k, k]
    return nu
"""
    ),
    solve("one step", "the law of the next state is the limit", LAW, "one step away", "P.sum(axis=0) / n"),
]


def weather(
    name,
    misconception,
    fails,
    says,
    law="law",
    days="1 / law",
    past="law * P[:, 0] / law[0]",
    which="mine_too",
    typed=None,
):
    source = f"""def my_weather():
    P = np.array({which}["P"])
    law = np.linalg.matrix_power(P, 400)[0]
    return {law}, {days}, {past}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


SKY = ("weather-law", "weather-days", "weather-yesterday")
WEATHER = [
    weather("right", "rows and columns are confused", SKY[:1], "rows and columns are exchanged", law="np.ones(4) / 4"),
    weather("one step", "one step is the limit", SKY[:1], "one step away", law="P.sum(axis=0) / 4"),
    weather("first step", "today is the first step", SKY[1:2], "do not count the first step", days="1 / law - 1"),
    weather("spell", "it is back when it changes", SKY[1:2], "lengths of a spell", days="1 / (1 - P.diagonal())"),
    weather("tomorrow", "backwards is forwards", SKY[2:], "is that of tomorrow", past="P[0]"),
    weather("column", "all pasts are equally likely", SKY[2:], "weigh it with nu", past="P[:, 0] / P[:, 0].sum()"),
    weather("forgets", "today says nothing", SKY[2:], "forgets what is known", past="law"),
    weather(
        "another id",
        "answers for the weather of another id",
        SKY,
        "you are graded as",
        which="problems.weather('someone else', as_typed=True)",
        typed="someone else",
    ),
]


def two(
    name,
    misconception,
    fails,
    says,
    power="(b + a*(1 - a - b)**4)/(a + b)",
    distance="a*(1 - a - b)**3/(a + b)",
    meeting="1/(a + b - 2*a*b)",
):
    source = f'def two_states():\n    return "{power}", "{distance}", "{meeting}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


PAIR = ("two-power", "two-distance", "two-meeting")
TWO = [
    two("stays", "back in 0 is never away", PAIR[:1], "stay in state 0 all the time", power="(1 - a)**4"),
    two("exchanged", "a and b are exchanged", PAIR[:1], "exchanges a and b", power="(a + b*(1 - a - b)**4)/(a + b)"),
    two("limit", "4 steps are the limit", PAIR[:1], "is the limit", power="b/(a + b)"),
    two(
        "not halved",
        "total variation is the sum",
        PAIR[1:2],
        "the total variation is half",
        distance="2*a*(1 - a - b)**3/(a + b)",
    ),
    two("rows", "the rows' distance is that to the law", PAIR[1:2], "two rows of P^3", distance="(1 - a - b)**3"),
    two("best", "every coupling is the best one", PAIR[2:], "best coupling", meeting="1/(a + b)"),
    two("chance", "a chance is a time", PAIR[2:], "the chance to meet", meeting="a + b - 2*a*b"),
    two("first", "the step that meets is free", PAIR[2:], "leaves out the step", meeting="1/(a + b - 2*a*b) - 1"),
]


def mixing(
    name,
    misconception,
    fails,
    says,
    kappa="gaps.max() / 2",
    law="np.linalg.solve(np.vstack([(P.T - np.eye(len(P)))[:-1], np.ones(len(P))]), np.eye(len(P))[-1])",
    size="np.abs(now - law).sum(axis=1).max() / 2",
    back="time",
):
    source = f"""def mixing(P, epsilon):
    gaps = np.abs(P[:, None] - P[None]).sum(axis=2)
    kappa = {kappa}
    law = {law}
    now, time = np.eye(len(P)), 0
    while {size} > epsilon and time < 2000:
        now, time = now @ P, time + 1
    return kappa, {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


MIX = ("mixing-kappa", "mixing-time")
MIXING = [
    mixing("not halved", "total variation is the sum", MIX[:1], "the total variation is half", kappa="gaps.max()"),
    mixing("overlap", "the coefficient is what rows share", MIX[:1], "the overlap", kappa="1 - gaps.max() / 2"),
    mixing(
        "columns",
        "rows and columns are confused",
        MIX[:1],
        "compares columns",
        kappa="np.abs(P.T[:, None] - P.T[None]).sum(axis=2).max() / 2",
    ),
    mixing(
        "entry",
        "the largest entry is the distance",
        MIX[:1],
        "two single entries",
        kappa="np.abs(P[:, None] - P).max()",
    ),
    mixing(
        "sum",
        "total variation is the sum",
        MIX[1:],
        "the total variation is half",
        size="np.abs(now - law).sum(1).max()",
    ),
    mixing(
        "mean", "a typical start counts", MIX[1:], "the worst start", size="np.abs(now - law).sum(axis=1).mean() / 2"
    ),
    mixing("from 0", "all starts are alike", MIX[1:], "that from state 0", size="np.abs(now[0] - law).sum() / 2"),
    mixing(
        "bound",
        "a bound is the time",
        MIX[1:],
        "the chain may be faster",
        back="int(np.ceil(np.log(epsilon) / np.log(kappa))) if 0 < kappa < 1 else 0",
    ),
    mixing("one more", "the start is step 1", MIX[1:], "one too large", back="time + 1"),
    mixing("uniform", "every limit is uniform", MIX[1:], "with the uniform law", law="np.ones(len(P)) / len(P)"),
]


def spectrum(name, misconception, fails, says, body):
    source = f"def nothing_left(n):\n    {body}\n    return P\n"
    return WrongAnswer(name, misconception, source, fails, says)


ZERO = ("spectrum-zero", "spectrum-slow")
SPECTRUM = [
    spectrum(
        "equal rows", "no eigenvalue, no memory", ZERO[1:], "it forgets everything at once", "P = np.ones((n, n)) / n"
    ),
    spectrum(
        "streak",
        "n - 1 steps to the limit are slow",
        ZERO[1:],
        "run it backwards",
        "P = np.eye(n, k=1) / 2\n    P[:, 0] += 0.5\n    P[-1, -1] = 0.5",
    ),
    spectrum(
        "slow ring",
        "slow is enough",
        ZERO,
        "some other eigenvalue is not 0",
        "P = 0.5 * np.eye(n) + 0.5 * np.roll(np.eye(n), 1, axis=1)",
    ),
    spectrum(
        "one way",
        "a line without return has no eigenvalues",
        ZERO,
        "not irreducible",
        "P = np.eye(n, k=-1)\n    P[0, 0] = 1",
    ),
    spectrum(
        "slow walk",
        "a reversible chain will do",
        ZERO,
        "in detailed balance",
        "P = np.eye(n, k=1) / 2 + np.eye(n, k=-1) / 2\n    P[0, 0] = P[-1, -1] = 0.5",
    ),
]


def driven(name, misconception, fails, says, body):
    source = f"def driven(nu):\n    n = len(nu)\n    ring = np.roll(np.eye(n), 1, axis=1)\n    {body}\n    return P\n"
    return WrongAnswer(name, misconception, source, fails, says)


DRIVE = ("driven-law", "driven-flow")
METROPOLIS = "P = np.minimum(1, nu / nu[:, None]) / n\n    P += np.diag(1 - P.sum(axis=1))"
DRIVEN = [
    driven("Metropolis", "invariance is detailed balance", DRIVE[1:], "it looks the same", METROPOLIS),
    driven("fresh", "independence has a direction", DRIVE[1:], "drawn from nu", "P = np.tile(nu, (n, 1))"),
    driven(
        "line",
        "a line has a direction",
        DRIVE[1:],
        "close the line to a ring",
        "up = np.minimum(nu[1:], nu[:-1]) / 4\n    P = np.diag(up / nu[:-1], 1) + np.diag(up / nu[1:], -1)\n"
        "    P += np.diag(1 - P.sum(axis=1))",
    ),
    driven(
        "ring", "any ring keeps any law", DRIVE, "your invariant law is uniform", "P = 0.5 * np.eye(n) + 0.5 * ring"
    ),
    driven(
        "columns",
        "rows and columns are confused",
        DRIVE,
        "Your columns sum to 1",
        "P = (np.diag(1 - min(nu) / 2 / nu) + min(nu) / 2 / nu[:, None] * ring).T",
    ),
]


def labels(name, misconception, fails, says, P, f):
    source = f"def labelled():\n    P = np.array({P}, dtype=float)\n    return P, np.array({f})\n"
    return WrongAnswer(name, misconception, source, fails, says)


LABEL = ("labels-gap", "labels-large")
LABELS = [
    labels("itself", "every chain remembers", LABEL, "a label of its own", "[[0.9, 0.1], [0.1, 0.9]]", "[0, 1]"),
    labels(
        "independent",
        "merging states makes memory",
        LABEL,
        "then Y is a Markov chain too",
        "[[0.2, 0.3, 0.5]] * 3",
        "[0, 0, 1]",
    ),
    labels(
        "symmetric",
        "memory of the chain is memory of the labels",
        LABEL,
        "then Y is a Markov chain too",
        "[[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.01, 0.01, 0.98]]",
        "[0, 0, 1]",
    ),
    labels(
        "noisy",
        "some memory is much",
        LABEL[1:],
        "What did the label before last tell",
        "[[0.2, 0.6, 0.2], [0.2, 0.2, 0.6], [0.6, 0.2, 0.2]]",
        "[0, 0, 1]",
    ),
    labels(
        "rare",
        "rare pasts count too",
        LABEL,
        "too rare to count",
        "[[0.97, 0.01, 0.02], [0.01, 0.01, 0.98], [0.98, 0.01, 0.01]]",
        "[0, 1, 1]",
    ),
    labels(
        "certain",
        "a probability may be 0",
        LABEL,
        "at least 0.01",
        "[[0, 1, 0], [0, 0, 1], [1, 0, 0]]",
        "[0, 0, 1]",
    ),
]


def exact(name, misconception, fails, says, one, back="np.array([one() for _ in range(m)])"):
    source = f"""def exact_draws(update, n, draw, m):
    def one():
{one}
    return {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


PAST = ("exact-law", "exact-pairs")
FORWARD = """        states = np.arange(n)
        while not (states == states[0]).all():
            states = update(states, draw())
        return states[0]
"""
ANEW = """        back = 1
        while True:
            states = np.arange(n)
            for _ in range(back):
                states = update(states, draw())
            if (states == states[0]).all():
                return states[0]
            back = 2 * back
"""
APPENDED = """        numbers = [draw()]
        while True:
            states = np.arange(n)
            for u in numbers:
                states = update(states, u)
            if (states == states[0]).all():
                return states[0]
            numbers += [draw()]
"""
TWO_STEPS = """        states = np.array([0])
        for _ in range(2):
            states = update(states, draw())
        return states[0]
"""
RIGHT = """        past = []
        while True:
            past += [draw() for _ in range(max(1, len(past)))]
            states = np.arange(n)
            for u in reversed(past):
                states = update(states, u)
            if (states == states[0]).all():
                return states[0]
"""
RUN = f"""def exact_draws(update, n, draw, m):
    def one():
{RIGHT}
    states = [one()]
    while len(states) < m:
        states.append(update(np.array(states[-1:]), draw())[0])
    return np.array(states)
"""
EXACT = [
    exact("forward", "the first meeting is in equilibrium", PAST, "state of the first meeting", FORWARD),
    exact("anew", "fresh numbers are as good", PAST, "drawn anew", ANEW),
    exact("appended", "later numbers lengthen the past", PAST, "state of the first meeting", APPENDED),
    exact("two steps", "two steps are the limit", PAST, "after two steps", TWO_STEPS),
    exact("copied", "one draw is as good as many", PAST, "All draws are the same", RIGHT, "np.full(m, one())"),
    exact("one run", "states of one run are independent", PAST[1:], "is it all one run", RIGHT)._replace(source=RUN),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "classify": CLASSIFY,
    "clockwork": CLOCKWORK,
    "hitting": HITTING,
    "parcel": PARCEL,
    "invariant": INVARIANT,
    "weather": WEATHER,
    "two": TWO,
    "mixing": MIXING,
    "spectrum": SPECTRUM,
    "driven": DRIVEN,
    "labels": LABELS,
    "exact": EXACT,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"classify": "shortest", "invariant": "solve"}
