"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def changed(source, changes):
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


RICCATI_TESTS = ("riccati-gains", "riccati-values")


def riccati(name, misconception, fails, says, *changes):
    source = """def riccati(A, B, Q, R, P_end, H):
    P, K = [P_end], []
    for _ in range(H):
        K.append(np.linalg.solve(R + B.T @ P[-1] @ B, B.T @ P[-1] @ A))
        M = A - B @ K[-1]
        P.append(Q + K[-1].T @ R @ K[-1] + M.T @ P[-1] @ M)
    return np.array(K[::-1]), np.array(P[::-1])
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


RICCATI = [
    riccati("sign", "u = Kx", RICCATI_TESTS[:1], "the other sign", ("np.array(K", "-np.array(K")),
    riccati("no last cost", "nothing is paid at the end", RICCATI_TESTS, "starts from 0", ("[P_end]", "[0 * P_end]")),
    riccati("starts from Q", "the end costs Q", RICCATI_TESTS, "starts from Q", ("[P_end]", "[Q]")),
    riccati(
        "R forgotten",
        "the control is free in the inverse",
        RICCATI_TESTS,
        "R is missing in the inverse",
        ("np.linalg.solve(R + B.T @ P[-1] @ B, B", "np.linalg.pinv(B.T @ P[-1] @ B) @ (B"),
    ),
    riccati(
        "late gain",
        "K[t] belongs to P[t]",
        RICCATI_TESTS[:1],
        "looks at P[t]",
        (
            "    return np.array(K[::-1])",
            "    K = [np.linalg.solve(R + B.T @ p @ B, B.T @ p @ A) for p in P[1:]]\n    return np.array(K[::-1])",
        ),
    ),
    riccati(
        "free controls", "only the state is paid for", RICCATI_TESTS, "K'RK is missing", ("+ K[-1].T @ R @ K[-1] ", "")
    ),
    riccati(
        "transposed",
        "the order does not matter",
        RICCATI_TESTS,
        "products are transposed",
        ("M.T @ P[-1] @ M", "M @ P[-1] @ M.T"),
    ),
    riccati("plus", "the loop is A + BK", RICCATI_TESTS, "it is (A - BK)x", ("A - B @ K", "A + B @ K")),
    riccati("backwards", "the first found comes first", RICCATI_TESTS, "from the end", ("[::-1]", "")),
]


MODES_TESTS = ("modes-moved", "modes-seen")


def modes(name, misconception, fails, says, *changes):
    source = """def modes(A, B, Q):
    def fine(A, B):
        for z in np.linalg.eigvals(A):
            columns = np.hstack([A - z * np.eye(len(A)), B])
            if abs(z) > 1 - 1e-9 and np.linalg.svd(columns, compute_uv=False)[-1] < 1e-9:
                return False
        return True

    return fine(A, B), fine(A.T, Q)
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


VECTORS = """def modes(A, B, Q):
    def fine(A, B):
        values, w = np.linalg.eig({0})
        return not ((abs(values) > 1 - 1e-9) & (abs(w.T @ B).max(axis=1) < 1e-9)).any()

    return fine(A, B), fine(A.T, Q)
"""

MODES = [
    modes("every mode", "stabilisable is reachable", MODES_TESTS, "dies out by itself", ("abs(z) > 1 - 1e-9 and ", "")),
    modes(
        "stable A",
        "only a stable A will do",
        MODES_TESTS,
        "a mode that grows may be",
        (" and np.linalg.svd(columns, compute_uv=False)[-1] < 1e-9", ""),
    ),
    modes("modulus 1", "a mode that stays does no harm", MODES_TESTS, "does not die out", ("1 - 1e-9", "1 + 1e-9")),
    modes(
        "not the modulus",
        "eigenvalues are positive",
        MODES_TESTS,
        "one below -1 grows",
        ("abs(z) >", "abs(z.imag) < 1e-9 and z.real >"),
    ),
    modes("one vector", "an eigenvalue has one eigenvector", MODES_TESTS, "a double one has more")._replace(
        source=VECTORS.format("A.T")
    ),
    modes("wrong side", "left and right are the same", MODES_TESTS, "you took the wrong one")._replace(
        source=VECTORS.format("A")
    ),
    modes(
        "not transposed",
        "detectable is the same rank",
        MODES_TESTS[1:],
        "about the control, Av = z v about",
        ("fine(A.T, Q)", "fine(A, Q)"),
    ),
]


REGULATOR_TESTS = tuple(f"regulator-{part}" for part in ("value", "gain", "slow"))


def regulator(name, misconception, fails, says, *changes):
    source = """def regulator(A, B, Q, R, gamma):
    P = np.zeros_like(Q)
    for _ in range(60_000):
        K = np.linalg.solve(R + gamma * B.T @ P @ B, gamma * B.T @ P @ A)
        M = A - B @ K
        new = Q + K.T @ R @ K + gamma * M.T @ P @ M
        if np.abs(new - P).max() <= 1e-12 * np.abs(P).max():
            break
        P = new
    return P, K
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


REGULATOR = [
    regulator("no discount", "gamma does not matter", REGULATOR_TESTS[:2], "discount is missing", ("gamma * ", "")),
    regulator(
        "discount of P only",
        "gamma belongs to the value, not to the gain",
        REGULATOR_TESTS[:2],
        "missing in your gain",
        ("R + gamma * B.T @ P @ B, gamma * B", "R + B.T @ P @ B, B"),
    ),
    regulator(
        "discount before A'PA only",
        "gamma belongs in one place",
        REGULATOR_TESTS[:2],
        "before every P",
        ("R + gamma * B", "R + B"),
    ),
    regulator("sign", "u = Kx", REGULATOR_TESTS[1:2], "the other sign", ("return P, K", "return P, -K")),
    regulator(
        "a hundred steps",
        "a hundred steps are for ever",
        REGULATOR_TESTS[2:],
        "You stop too early",
        ("60_000", "100"),
    ),
    regulator(
        "small change",
        "a small change is a small error",
        REGULATOR_TESTS[2:],
        "You stop too early",
        ("<= 1e-12 * np.abs(P).max()", "<= 1e-8"),
    ),
]


COST_TESTS = tuple(f"cost-{part}" for part in ("total", "average", "better"))


def cost(name, misconception, fails, says, P="P", average="np.trace(P @ W)", better="np.linalg.solve(S, B.T @ P @ A)"):
    source = f"""def cost(A, B, Q, R, K, W):
    def total(pay, M):
        P = 0 * pay
        for _ in range(3000):
            P = pay + M.T @ P @ M
        return P

    M, pay = A - B @ K, Q + K.T @ R @ K
    P, spread = total(pay, M), total(W, M.T)
    S = R + B.T @ P @ B
    return {P}, {average}, {better}
"""
    return WrongAnswer(name, misconception, source, fails, says)


COST = [
    cost("free controls", "only the state is paid for", COST_TESTS[:1], "K'RK is missing", P="total(Q, M)"),
    cost("transposed", "the order does not matter", COST_TESTS[:1], "products are transposed", P="total(pay, M.T)"),
    cost("late", "the first step is free", COST_TESTS[:1], "leaves out the first step", P="M.T @ P @ M"),
    cost("one step", "one step is all", COST_TESTS[:1], "cost of one step", P="pay"),
    cost("trace", "noise has variance 1", COST_TESTS[1:2], "the trace of P", average="np.trace(P)"),
    cost("first push", "a push costs once", COST_TESTS[1:2], "until it has died out", average="np.trace(pay @ W)"),
    cost("variance", "the variance is the cost", COST_TESTS[1:2], "not its cost", average="np.trace(spread)"),
    cost("sign", "u = Kx", COST_TESTS[2:], "the other sign", better="-np.linalg.solve(S, B.T @ P @ A)"),
    cost("same gain", "a gain cannot be improved", COST_TESTS[2:], "the gain that was given", better="K"),
    cost(
        "greedy for Q",
        "one step ahead only Q counts",
        COST_TESTS[2:],
        "if only Q is paid afterwards",
        better="np.linalg.solve(R + B.T @ Q @ B, B.T @ Q @ A)",
    ),
]


GRADIENT_TESTS = ("gradient-cost", "gradient-slope")


def gradient(name, misconception, fails, says, *changes):
    source = """def gradient(step, derivatives, Q, R, P_end, x0, u):
    x = [x0]
    for control in u:
        x.append(step(x[-1], control))
    J = x[-1] @ P_end @ x[-1] + sum(y @ Q @ y + v @ R @ v for y, v in zip(x[:-1], u, strict=True))
    price, g = 2 * P_end @ x[-1], np.zeros(u.shape)
    for t in reversed(range(len(u))):
        f_x, f_u = derivatives(x[t], u[t])
        g[t] = 2 * R @ u[t] + f_u.T @ price
        price = 2 * Q @ x[t] + f_x.T @ price
    return J, g
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


SLOPE = GRADIENT_TESTS[1:]
GRADIENT = [
    gradient(
        "no last cost",
        "the end is free",
        GRADIENT_TESTS[:1],
        "leaves out the last state",
        ("x[-1] @ P_end @ x[-1] + ", ""),
    ),
    gradient(
        "half a cost",
        "costs have a half in front",
        GRADIENT_TESTS[:1],
        "has halves in it",
        ("    price, g", "    J = J / 2\n    price, g"),
    ),
    gradient(
        "Q at the end",
        "the last state costs Q",
        GRADIENT_TESTS[:1],
        "Your J pays Q",
        ("x[-1] @ P_end @ x[-1] +", "x[-1] @ Q @ x[-1] +"),
    ),
    gradient("only states", "controls are free", GRADIENT_TESTS[:1], "what the controls cost", (" + v @ R @ v", "")),
    gradient("halves", "the derivative of a square", SLOPE, "half of what it should be", ("J, g", "J, g / 2")),
    gradient(
        "no last price", "prices start from 0", SLOPE, "leaves out the last state", ("2 * P_end @ x[-1]", "0 * x0")
    ),
    gradient("not transposed", "f_x works in both directions", SLOPE, "not transposed", ("f_x.T @", "f_x @")),
    gradient("no direct term", "controls cost nothing", SLOPE, "u'Ru is missing", ("2 * R @ u[t] + ", "")),
    gradient("direct term only", "a control costs only itself", SLOPE, "that of u'Ru alone", (" + f_u.T @ price", "")),
    gradient(
        "late price",
        "the price at the same time",
        SLOPE,
        "uses the price of the state x_t",
        (
            "        g[t] = 2 * R @ u[t] + f_u.T @ price\n        price = 2 * Q @ x[t] + f_x.T @ price\n",
            "        price = 2 * Q @ x[t] + f_x.T @ price\n        g[t] = 2 * R @ u[t] + f_u.T @ price\n",
        ),
    ),
    gradient(
        "finite differences",
        "a slope is a quotient",
        SLOPE,
        "called more than 3 H times",
        (
            "    return J, g",
            "    for t in range(len(u) * 4 + 1):\n        step(x0, u[0])\n    return J, g",
        ),
    ),
]
GRADIENT[-1] = GRADIENT[-1]._replace(fails=GRADIENT_TESTS)


ANSWERS_TESTS = ("two-answers-cheap", "two-answers-safe")


def two_answers(name, misconception, fails, says, *changes):
    source = """def two_answers():
    A, B, Q, R = np.diag([2.0, 0.5]), np.array([[1.0], [1.0]]), np.diag([0.0, 1.0]), np.eye(1)

    def run(P, steps=200):
        for _ in range(steps):
            K = np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)
            P = Q + K.T @ R @ K + (A - B @ K).T @ P @ (A - B @ K)
        return P

    return A, B, Q, R, run(np.zeros((2, 2))), run(np.eye(2))
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


TWO_ANSWERS = [
    two_answers(
        "all seen", "any system has two", ANSWERS_TESTS[:1], "that Q does not see", ("diag([0.0, 1.0])", "eye(2)")
    ),
    two_answers(
        "exchanged",
        "the larger is the cheap one",
        ANSWERS_TESTS,
        "exchange them",
        ("run(np.zeros((2, 2))), run(np.eye(2))", "run(np.eye(2)), run(np.zeros((2, 2)))"),
    ),
    two_answers(
        "nothing costs", "Q may be 0", ANSWERS_TESTS, "the trace is below 1", ("diag([0.0, 1.0])", "zeros((2, 2))")
    ),
    two_answers(
        "not moved",
        "every system has a safe one",
        ANSWERS_TESTS[1:],
        "Can the control move",
        ("[[1.0], [1.0]]", "[[0.0], [1.0]]"),
        ("run(np.eye(2))", "run(np.zeros((2, 2)))"),
    ),
    two_answers("too early", "three steps are enough", ANSWERS_TESTS, "equation fails", ("steps=200", "steps=3")),
    two_answers(
        "scaled",
        "multiples of a solution solve",
        ANSWERS_TESTS[1:],
        "equation fails",
        ("run(np.eye(2))", "2 * run(np.eye(2))"),
    ),
]


GREEDY_TESTS = ("greedy-alone", "greedy-explodes")


def greedy(
    name, misconception, fails, says, A="[[-1.0, 1.0], [-1.2, 1.2]]", B="[[1.0], [0.0]]", Q="np.eye(2)", R="[[0.01]]"
):
    source = f"def greedy():\n    return np.array({A}), np.array({B}), {Q}, np.array({R})\n"
    return WrongAnswer(name, misconception, source, fails, says)


GREEDY = [
    greedy(
        "unstable alone", "the system may grow", GREEDY_TESTS, "if nobody does anything", A="[[0.5, 0.0], [0.0, 1.2]]"
    ),
    greedy(
        "no growth",
        "any stable system does it",
        GREEDY_TESTS[1:],
        "may let it grow at first",
        A="[[0.5, 0.1], [0.1, 0.8]]",
    ),
    greedy("price too high", "greed at any price", GREEDY_TESTS[1:], "keeps the other in check", R="[[50.0]]"),
    greedy(
        "one state",
        "one state is enough",
        GREEDY_TESTS[1:],
        "may let it grow at first",
        A="[[-0.9]]",
        B="[[10.0]]",
        Q="np.eye(1)",
    ),
    greedy("free control", "R may be 0", GREEDY_TESTS, "at least 0.01 is asked for", R="[[0.0]]"),
]


GAINS_TESTS = ("two-gains-good", "two-gains-average")


def two_gains(name, misconception, fails, says, c="0.9", K2="[[c**3, 3 * c**2, 3 * c]]", n="3", back="K1, K2"):
    source = f"""def two_gains():
    c, n = {c}, {n}
    A, B = np.diag(np.ones(n - 1), 1), np.eye(n)[:, -1:]
    K1, K2 = np.array([[-(c**3), 3 * c**2, -3 * c]]), np.array({K2})
    return A, B, {back}
"""
    return WrongAnswer(name, misconception, source, fails, says)


TWO_GAINS = [
    two_gains("sign", "u = Kx", GAINS_TESTS, "With A + BK it is smaller", back="-K1, -K2"),
    two_gains("same side", "any two gains do it", GAINS_TESTS[1:], "How far apart are the roots", K2="-K1 * 0"),
    two_gains("near 0", "any two opposite polynomials do it", GAINS_TESTS[1:], "How far apart are the roots", c="0.5"),
    two_gains("too far", "stable up to 1", GAINS_TESTS, "a radius of at most 0.95", c="0.98"),
    two_gains(
        "two states",
        "two states are enough",
        GAINS_TESTS[1:],
        "the stable polynomials fill a triangle",
        n="2",
        back="np.array([[0.81, 1.8]]), np.array([[0.81, -1.8]])",
    ),
    two_gains(
        "two controls",
        "the number of controls does not matter",
        GAINS_TESTS,
        "one control",
        n="2",
        back="np.eye(2), np.eye(2)",
    )._replace(
        source="def two_gains():\n    K = np.array([[0.0, 4.0], [0.0, 0.0]])\n"
        "    return np.zeros((2, 2)), np.eye(2), K, K.T\n"
    ),
]
TWO_GAINS[1] = TWO_GAINS[1]._replace(source=TWO_GAINS[1].source.replace("np.array(-K1 * 0)", "np.zeros((1, 3))"))


def scalars(
    name, misconception, fails, says, steps="q + a**2*q*r/(r + b**2*q)", loop="1/a", threshold="b**2/(a**2 - 1)"
):
    source = f'def scalars():\n    return "{steps}", "{loop}", "{threshold}"\n'
    return WrongAnswer(name, misconception, source, fails, says)


SCALARS_TESTS = tuple(f"scalars-{part}" for part in ("steps", "loop", "threshold"))
SCALARS = [
    scalars("no control", "the first control is worth nothing", SCALARS_TESTS[:1], "without control", "q + a**2*q"),
    scalars("no b", "b is 1", SCALARS_TESTS[:1], "leaves out b", "q + a**2*q*r/(r + q)"),
    scalars("free start", "the first state is free", SCALARS_TESTS[:1], "costs at first", "a**2*q*r/(r + b**2*q)"),
    scalars("idle", "0 solves the equation", SCALARS_TESTS[1:2], "does not stabilise", loop="a"),
    scalars("at once", "the best control goes to 0", SCALARS_TESTS[1:2], "at once", loop="0"),
    scalars("the gain", "the gain is the loop", SCALARS_TESTS[1:2], "is the gain K", loop="(a**2 - 1)/(a*b)"),
    scalars("without b", "b does not matter", SCALARS_TESTS[2:], "a stronger actuator", threshold="1/(a**2 - 1)"),
    scalars("first moment", "means grow by a", SCALARS_TESTS[2:], "a instead of a^2", threshold="b**2/(a - 1)"),
    scalars("to zero", "the best gain is a/b", SCALARS_TESTS[2:], "a smaller gain tolerates", threshold="b**2/a**2"),
]


def greenhouse(
    name, misconception, fails, says, gain="K[0]", least="x @ P @ x", hourly="P[0, 0] * g**2", which="mine", typed=None
):
    source = f"""def my_greenhouse():
    m = {which}
    A, B, Q, R = np.array(m["A"]), np.array(m["B"]), np.diag(m["q"]), np.array([[m["r"]]])
    P, x, g = np.zeros((2, 2)), np.array(m["start"]), m["gust"]
    for _ in range(3000):
        K = np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)
        P = Q + K.T @ R @ K + (A - B @ K).T @ P @ (A - B @ K)
    return {gain}, {least}, {hourly}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


GREENHOUSE_TESTS = tuple(f"greenhouse-{part}" for part in ("gain", "least", "hourly"))
GREENHOUSE = [
    greenhouse("sign", "u = Kx", GREENHOUSE_TESTS[:1], "the other sign", gain="-K[0]"),
    greenhouse("diagonal", "P is diagonal", GREENHOUSE_TESTS[1:2], "off its diagonal", least="np.diag(P) @ x**2"),
    greenhouse("deviation", "a deviation is a variance", GREENHOUSE_TESTS[2:], "square it", hourly="P[0, 0] * g"),
    greenhouse(
        "another id",
        "answers for the greenhouse of another id",
        GREENHOUSE_TESTS,
        "you are graded as",
        which="problems.greenhouse('someone else', as_typed=True)",
        typed="someone else",
    ),
    greenhouse(
        "late", "the first hour is free", GREENHOUSE_TESTS[1:2], "leaves out the first hour", least="x @ (P - Q) @ x"
    ),
    greenhouse("both gusts", "noise everywhere", GREENHOUSE_TESTS[2:], "only the air", hourly="np.trace(P) * g**2"),
    greenhouse(
        "one hour",
        "greedy is best",
        GREENHOUSE_TESTS[:1],
        "only one more hour",
        gain="np.linalg.solve(R + B.T @ Q @ B, B.T @ Q @ A)[0]",
    ),
]


def learn(name, misconception, fails, says, *changes):
    source = """def learn(step, n, m, Q, R):
    tried = np.random.default_rng(0).uniform(-5, 5, size=(20_000, n + m))
    reached = step(tried[:, :n], tried[:, n:])
    law = np.linalg.lstsq(tried, reached)[0].T
    A, B, P = law[:, :n], law[:, n:], np.zeros((n, n))
    for _ in range(1000):
        K = np.linalg.solve(R + B.T @ P @ B, B.T @ P @ A)
        P = Q + K.T @ R @ K + (A - B @ K).T @ P @ (A - B @ K)
    return K
"""
    return WrongAnswer(name, misconception, changed(source, changes), fails, says)


LEARN_TESTS = ("learn-stable", "learn-near")
LEARN = [
    learn("sign", "u = Kx", LEARN_TESTS, "had the other sign", ("return K", "return -K")),
    learn(
        "no control tried",
        "watching is enough",
        LEARN_TESTS,
        "cannot be told apart",
        ("    reached", "    tried[:, n:] = 0.0\n    reached"),
    ),
    learn(
        "free controls",
        "only the state is paid for",
        LEARN_TESTS[1:],
        "R is missing",
        ("    A, B, P", "    R = 1e-9 * R\n    A, B, P"),
    ),
    learn("greedy", "the next state is all", LEARN_TESTS, "only the next state counted", ("range(1000)", "range(2)")),
    learn(
        "few data",
        "two hundred moves are enough",
        LEARN_TESTS[1:],
        "the estimates are noisy",
        ("20_000", "200"),
        ("(-5, 5", "(-1, 1"),
    ),
    learn("too many", "data are free", LEARN_TESTS, "more than 20,000", ("20_000", "20_001")),
]


WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "riccati": RICCATI,
    "modes": MODES,
    "regulator": REGULATOR,
    "cost": COST,
    "gradient": GRADIENT,
    "two-answers": TWO_ANSWERS,
    "greedy": GREEDY,
    "two-gains": TWO_GAINS,
    "scalars": SCALARS,
    "greenhouse": GREENHOUSE,
    "learn": LEARN,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"riccati": "sign", "modes": "modulus 1"}
