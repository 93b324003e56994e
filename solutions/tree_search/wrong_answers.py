"""The catalogue of wrong answers: what each must cost, and what its author must read.

Problem (the id of its answer cell) to wrong answers. Each replaces the source of that cell; the test cells in `fails`,
and no others of the problem, must then score 0, with a message that holds `says`. nbgrader does not copy this file
(see nbgrader_config.py).
"""

from rlgrade.catalogue import WrongAnswer


def sparse(name, misconception, fails, says, *changes):
    source = """def sparse(model, actions, s, H, C):
    q = []
    for a in actions(s):
        draws = [model(s, a) for _ in range(C)]
        total = 0.0
        for after, r, discount in draws:
            ahead = 0.0
            if H > 1 and discount > 0:
                ahead = max(sparse(model, actions, after, H - 1, C))
            total += r + discount * ahead
        q.append(total / C)
    return q
"""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


SPARSE_TESTS = tuple(f"sparse-{part}" for part in ("values", "calls", "chance"))
SPARSE = [
    sparse(
        "no discount",
        "the discount only marks the end",
        SPARSE_TESTS[:1],
        "lack the discount",
        ("discount * ahead", "(discount > 0) * ahead"),
    ),
    sparse(
        "one sample",
        "one draw C times is C draws",
        SPARSE_TESTS[1:],
        "one sample used C times",
        ("[model(s, a) for _ in range(C)]", "[model(s, a)] * C"),
    ),
    sparse(
        "average below",
        "the value of a state is the average over its actions",
        (SPARSE_TESTS[0], SPARSE_TESTS[2]),
        "average over the actions",
        (
            "ahead = max(sparse(model, actions, after, H - 1, C))",
            "ahead = np.mean(sparse(model, actions, after, H - 1, C))",
        ),
    ),
    sparse(
        "shared",
        "one sample serves all actions",
        SPARSE_TESTS,
        "One sample is shared by all actions",
        ("    for a in actions(s):\n        draws = [model(s, a)", "    draws = [model(s, actions(s)[0])"),
        ("        total = 0.0", "    for a in actions(s):\n        total = 0.0"),
    ),
    sparse(
        "beyond the end",
        "the model may be asked after the end",
        SPARSE_TESTS[1:2],
        "after the end",
        ("H > 1 and discount > 0", "H > 1"),
    ),
    sparse(
        "one step too far",
        "the horizon counts the steps after the first",
        SPARSE_TESTS[:2],
        "one step too far",
        ("H > 1 and", "H > 0 and"),
    ),
    sparse(
        "maximum inside",
        "the mean of maxima is the maximum of means",
        SPARSE_TESTS[2:],
        "is the maximum taken inside the mean",
    )._replace(
        source="""def sparse(model, actions, s, H, C):
    def one(s, a, H):
        after, r, discount = model(s, a)
        return r + discount * (value(after, H - 1) if H > 1 and discount > 0 else 0.0)

    def value(s, H):
        return np.mean([max(one(s, a, H) for a in actions(s)) for _ in range(C)])

    return [np.mean([one(s, a, H) for _ in range(C)]) for a in actions(s)]
"""
    ),
]


def maximum(name, misconception, fails, says, two="p*(1 - p)", three="1 - (1 - p)**3 - p", pairs=None):
    pairs = pairs or "(1 - (1 - p**2)**2)/2 + (1 - (1 - p)**4)/2 - p"
    source = f"def maximum():\n    return {two!r}, {three!r}, {pairs!r}\n"
    return WrongAnswer(name, misconception, source, fails, says)


MAXIMUM_TESTS = tuple(f"maximum-{part}" for part in ("two", "three", "pairs"))
MAXIMUM = [
    maximum("unbiased", "a maximum of means is unbiased", MAXIMUM_TESTS, "takes whichever was lucky", "0", "0", "0"),
    maximum(
        "not subtracted",
        "the bias is the estimate",
        MAXIMUM_TESTS[:2],
        "subtract p",
        "1 - (1 - p)**2",
        "1 - (1 - p)**3",
    ),
    maximum("both", "the largest is 1 if all are", MAXIMUM_TESTS[:1], "at least one does", "p**2 - p"),
    maximum("two again", "the number of actions does not matter", MAXIMUM_TESTS[1:2], "two actions", three="p - p**2"),
    maximum(
        "four singles",
        "two samples of two actions are four actions",
        MAXIMUM_TESTS[2:],
        "four actions with one sample",
        pairs="1 - (1 - p)**4 - p",
    ),
    maximum("halves", "a mean of 1/2 counts as 0", MAXIMUM_TESTS[2:], "a mean of 1/2 as 0", pairs="2*p**2 - p**4 - p"),
]


def backward(name, misconception, fails, says, change=("", ""), end="G[::-1]"):
    source = f"""def backward(path, leaf, players):
    G, value, sign = [], leaf, 1 if players == 1 else -1
    for i, (r, discount) in reversed(list(enumerate(path))):
        value = r + sign * discount * value
        G.append(value)
    return {end}
"""
    assert change[0] in source
    return WrongAnswer(name, misconception, source.replace(*change) if change[0] else source, fails, says)


BACKWARD_TESTS = ("backward-one", "backward-two")
BACKWARD = [
    backward("no flip", "both players want the same", BACKWARD_TESTS[1:], "No sign changes", ("else -1", "else 1")),
    backward(
        "wrong player",
        "the leaf's value is that of the last mover",
        BACKWARD_TESTS[1:],
        "backed up to the wrong player",
        ("leaf, 1 if", "(leaf if players == 1 else -leaf), 1 if"),
    ),
    backward(
        "root discount",
        "the discount is applied once",
        BACKWARD_TESTS,
        "at the first step only",
        ("sign * discount", "sign * (discount if i == 0 else 1)"),
    ),
    backward(
        "beyond the end",
        "a discount of 0 is none",
        BACKWARD_TESTS,
        "carry on beyond the end",
        ("sign * discount", "sign * (discount or 1)"),
    ),
    backward(
        "whole return",
        "every step is credited alike",
        BACKWARD_TESTS,
        "the return from the root",
        end="[G[-1]] * len(G)",
    ),
    backward("backwards", "the order does not matter", BACKWARD_TESTS, "last to first", end="G"),
    backward(
        "first player's",
        "values are the first player's",
        BACKWARD_TESTS[1:],
        "All your returns are the first player's",
        end="[g if players == 1 or i % 2 == 0 else -g for i, g in enumerate(G[::-1])]",
    ),
]


def games(
    name,
    misconception,
    fails,
    says,
    best="r - max(below, default=0)",
    chance="r - (sum(random) / len(random) if random else 0)",
):
    source = f"""def games(position):
    q, chance = [], []
    for r, after in position:
        below, random = games(after)
        q.append({best})
        chance.append({chance})
    return q, chance
"""
    return WrongAnswer(name, misconception, source, fails, says)


GAMES_TESTS = ("games-best", "games-chance")
GAMES = [
    games(
        "no flip",
        "both players want the same",
        GAMES_TESTS,
        "No sign changes",
        "r + max(below, default=0)",
        "r + (sum(random) / len(random) if random else 0)",
    ),
    games("one step", "the reply does not matter", GAMES_TESTS, "one step only", "r", "r"),
    games(
        "random opponent",
        "the opponent plays at random",
        GAMES_TESTS[:1],
        "play at random",
        best="r - (sum(below) / len(below) if below else 0)",
    ),
    games(
        "best play twice", "rollouts see best play", GAMES_TESTS[1:], "best play", chance="r - max(below, default=0)"
    ),
]


def select(name, misconception, fails, says, score, untried="return visits.index(0)"):
    source = f"""def select(visits, totals, c):
    if 0 in visits:
        {untried}
    N = sum(visits)
    return int(np.argmax([{score} for n, t in zip(visits, totals)]))
"""
    return WrongAnswer(name, misconception, source, fails, says)


SELECT_TESTS = ("select-tried", "select-untried")
UCB = "t / n + c * np.sqrt(np.log(N) / n)"
SELECT = [
    select(
        "own count",
        "the log is of the action's count",
        SELECT_TESTS[:1],
        "action's own count",
        UCB.replace("(N)", "(n)"),
    ),
    select(
        "untried last",
        "an untried action has no bonus",
        SELECT_TESTS[1:],
        "has the bonus 0",
        f"{UCB} if n else 0.0",
        "pass",
    ),
    select("greedy", "the best mean is chosen", SELECT_TESTS[:1], "the mean alone", "t / n"),
    select(
        "sums", "the bonus belongs to the sum", SELECT_TESTS[:1], "the sum of the returns", UCB.replace("t / n", "t")
    ),
    select("no weight", "c is always 1", SELECT_TESTS[:1], "The weight c is missing", UCB.replace("c * ", "")),
]


def uct(name, misconception, fails, says, *changes):
    source = """def uct(model, actions, s, budget, c, evaluate, players):
    nodes = {(): [s, {}]}
    sign = 1 if players == 1 else -1
    for _ in range(budget):
        place, path, value = (), [], 0.0
        while True:
            state, known = nodes[place]
            legal = actions(state)
            N = sum(n for n, _ in known.values())

            def score(a):
                if a not in known:
                    return np.inf
                n, total = known[a]
                return total / n + c * np.sqrt(np.log(N) / n)

            a = max(legal, key=score)
            after, r, discount = model(state, a)
            path.append((known, a, r, discount))
            place = (*place, a, after)
            if discount == 0:
                break
            if place not in nodes:
                nodes[place] = [after, {}]
                value = evaluate(after)
                break
        for known, a, r, discount in reversed(path):
            value = r + sign * discount * value
            n, total = known.get(a, (0, 0.0))
            known[a] = (n + 1, total + value)
    known = nodes[()][1]
    visits = [known.get(a, (0, 0))[0] for a in actions(s)]
    means = [known[a][1] / known[a][0] if a in known else 0.0 for a in actions(s)]
    best = max(range(len(visits)), key=lambda k: (visits[k], means[k]))
    return actions(s)[best], visits, means
"""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return WrongAnswer(name, misconception, source, fails, says)


UCT_TESTS = tuple(f"uct-{part}" for part in ("counts", "game", "value", "best"))
UCT = [
    uct("no flip", "both players want the same", UCT_TESTS[1:2], "sign", ("else -1", "else 1")),
    uct(
        "own count", "the log is of the action's count", UCT_TESTS[:3], "action's own count", ("np.log(N)", "np.log(n)")
    ),
    uct(
        "one child",
        "an action has one child",
        UCT_TESTS[:3],
        "one child an action",
        ("place = (*place, a, after)", "place = (*place, a)"),
    ),
    uct(
        "root only",
        "only the root learns",
        UCT_TESTS[:3],
        "Only the root learns",
        (
            "            n, total = known.get(a",
            "            if known is not nodes[()][1]:\n                continue\n            n, total = known.get(a",
        ),
    ),
    uct(
        "final by value",
        "the largest mean is the best move",
        UCT_TESTS[3:],
        "The most visited one is asked for",
        ("key=lambda k: (visits[k], means[k])", "key=lambda k: means[k]"),
    ),
    uct(
        "no leaf",
        "a new leaf is worth nothing",
        UCT_TESTS[:2],
        "new leaves are not used",
        ("value = evaluate(after)", "evaluate(after)"),
    ),
]


def choose(name, misconception, fails, says, n, best="np.argmax([np.mean(x) for x in seen])"):
    source = f"""def choose(rollout, A, width, gap, delta):
    n = int(np.ceil({n}))
    seen = [[rollout(a) for _ in range(n)] for a in range(A)]
    return int({best})
"""
    return WrongAnswer(name, misconception, source, fails, says)


CHOOSE_TESTS = ("rollouts-budget", "rollouts-errors")
HOEFFDING = "2 * width**2 / gap**2 * np.log(2 * A / delta)"
CHOOSE = [
    choose("one each", "one rollout tells", CHOOSE_TESTS[1:], "grow like (width/gap)**2", "1"),
    choose(
        "gap not squared",
        "half the gap needs twice the samples",
        CHOOSE_TESTS[1:],
        "grow like (width/gap)**2",
        "2 * width / gap * np.log(2 * A / delta)",
    ),
    choose(
        "no width",
        "returns lie in [0, 1]",
        CHOOSE_TESTS[1:],
        "grow like (width/gap)**2",
        "2 / gap**2 * np.log(2 * A / delta)",
    ),
    choose(
        "best return",
        "the largest return is the best action's",
        CHOOSE_TESTS[1:],
        "largest single return",
        HOEFFDING,
        "np.argmax([max(x) for x in seen])",
    ),
    choose(
        "smallest",
        "the returns are costs",
        CHOOSE_TESTS,
        "the largest mean is asked for",
        HOEFFDING,
        "np.argmin([np.mean(x) for x in seen])",
    ),
    choose(
        "Chebyshev",
        "1/delta instead of a logarithm",
        CHOOSE_TESTS,
        "ln(2A/delta) is enough",
        "width**2 * A / gap**2 / delta",
    ),
]


def favourite(name, misconception, fails, says, refuted, lone):
    source = f"def favourite():\n    return [(0, {refuted}), (0, {lone})]\n"
    return WrongAnswer(name, misconception, source, fails, says)


FAVOURITE_TESTS = ("favourite-best", "favourite-rollouts")
MIXED = "[(1, []), (-1, []), (-1, []), (-1, [])]"
FAVOURITE = [
    favourite(
        "no blunders",
        "a losing move looks bad",
        FAVOURITE_TESTS[1:],
        "random play is worth",
        "[(1, [])]",
        "[(-1, [])]",
    ),
    favourite(
        "first player's rewards",
        "all rewards are the first player's",
        FAVOURITE_TESTS[1:],
        "they are the mover's",
        "[(-1, []), (1, []), (1, []), (1, [])]",
        "[(0, [(1, []), (-1, []), (-1, []), (-1, [])])]",
    ),
    favourite(
        "too few",
        "a small difference will do",
        FAVOURITE_TESTS[1:],
        "More replies that are blunders",
        "[(1, []), (-1, []), (-1, [])]",
        "[(0, [(1, []), (-1, []), (-1, [])])]",
    ),
    favourite(
        "not refuted",
        "unlikely is impossible",
        FAVOURITE_TESTS[:1],
        "move 0 does not lose 1",
        "[(-1, [])]",
        f"[(0, {MIXED})]",
    ),
    favourite(
        "not winning",
        "the reply may be hoped for",
        FAVOURITE_TESTS[:1],
        "move 1 does not win 1",
        MIXED,
        "[(-1, []), (1, []), (1, []), (1, [])]",
    ),
]


def trap(name, misconception, fails, says, leaves, last=1):
    source = f"""def trap():
    position = [(0, []), ({last}, [])]
    for leave in {leaves}:
        position = [(leave, []), (0, position)]
    return position
"""
    return WrongAnswer(name, misconception, source, fails, says)


TRAP_TESTS = ("trap-game", "trap-search")
TRAP = [
    trap(
        "the chapter's chain",
        "the chapter's chain is deep enough",
        TRAP_TESTS[1:],
        "found what lies behind",
        "(0.25, 0.5, 0.75)",
    ),
    trap("shallow", "two steps are a trap", TRAP_TESTS[1:], "found what lies behind", "(0, 0.75)"),
    trap("small gap", "a small loss will do", TRAP_TESTS, "behind move 0", "(0, 0, 0, 0.9)"),
    trap("exchanged", "move 0 is the good one", TRAP_TESTS, "Exchange the two moves", "(0, 0, 0, 0.5)", 0.2),
    trap("too deep", "deeper is better", TRAP_TESTS, "the trap is too deep", "(0, 0, 0, 0, 0.75)"),
    trap("poor bait", "any reward is a bait", TRAP_TESTS[1:], "UCT tries move 0 only", "(0, 0, 0, 0.05)"),
    trap("wide", "wide is deep", TRAP_TESTS[1:], "found what lies behind", "()")._replace(
        source="def trap():\n    return [(0.75, []), (0, [(0, [])] * 8 + [(1, [])])]\n"
    ),
]


def hopeful(name, misconception, says, laws):
    return WrongAnswer(name, misconception, f"def hopeful():\n    return {laws}\n", ("hopeful-excess",), says)


HOPEFUL = [
    hopeful("two coins", "two actions suffice", "More actions would help", "[[(1, 0.5), (0, 0.5)]] * 2"),
    hopeful("sure", "the estimate is too large even without chance", "Nothing is random", "[[(1, 1.0)], [(0, 1.0)]]"),
    hopeful("one action", "a single mean is biased", "One mean is unbiased", "[[(1, 0.5), (0, 0.5)]]"),
    hopeful(
        "one good action",
        "the actions should differ",
        "differ too much",
        "[[(1, 0.9), (0, 0.1)], [(1, 0.1), (0, 0.9)], [(1, 0.1), (0, 0.9)], [(1, 0.1), (0, 0.9)]]",
    ),
    hopeful("turned", "a pair is (probability, reward)", "is the order", "[[(0.4, 1), (0.6, 0)]] * 4"),
]


def node(name, misconception, fails, says, scores="scores", streak="streak", values="[*best, *chance]", typed=None):
    source = f"""def my_node():
    m = {"problems.node('someone else', as_typed=True)" if typed else "mine"}
    n, total, c = np.array(m["visits"], dtype=float), np.array(m["totals"], dtype=float), m["c"]

    def ucb(n):
        return total / n + c * np.sqrt(np.log(n.sum()) / n)

    scores, streak, now = ucb(n), 0, n.copy()
    while ucb(now).argmax() == scores.argmax():
        now[scores.argmax()] += 1
        streak += 1

    def value(position, pick, sign=-1):
        return [r + sign * (pick(value(after, pick, sign)) if after else 0) for r, after in position]

    best, chance = value(m["game"], max), value(m["game"], np.mean)
    return {scores}, {streak}, {values}
"""
    return WrongAnswer(name, misconception, source, fails, says, typed)


NODE_TESTS = tuple(f"node-{part}" for part in ("scores", "streak", "values"))
NODE = [
    node("another id", "answers for the node of another id", NODE_TESTS, "you are graded as", typed="someone else"),
    node(
        "own count",
        "the log is of the action's count",
        NODE_TESTS[:1],
        "action's own count",
        "total / n + c * np.sqrt(np.log(n) / n)",
    ),
    node(
        "one too few", "the next simulation does not count", NODE_TESTS[1:2], "one too few", streak="max(streak - 1, 1)"
    ),
    node(
        "one too many",
        "the simulation that selects another counts",
        NODE_TESTS[1:2],
        "selects another action",
        streak="streak + 1",
    ),
    node(
        "no flip",
        "both players want the same",
        NODE_TESTS[2:],
        "No sign changes",
        values="[*value(m['game'], max, 1), *value(m['game'], np.mean, 1)]",
    ),
    node("random twice", "both choose at random", NODE_TESTS[2:], "play at random", values="[*chance, *chance]"),
    node("exchanged", "random play comes first", NODE_TESTS[2:], "exchanged", values="[*chance, *best]"),
]

WRONG_ANSWERS: dict[str, list[WrongAnswer]] = {
    "sparse": SPARSE,
    "maximum": MAXIMUM,
    "backward": BACKWARD,
    "games": GAMES,
    "select": SELECT,
    "uct": UCT,
    "rollouts": CHOOSE,
    "favourite": FAVOURITE,
    "trap": TRAP,
    "hopeful": HOPEFUL,
    "node": NODE,
}

# what the half-right submission of tests/grading answers wrongly
HALF_RIGHT = {"sparse": "no discount", "select": "own count"}
