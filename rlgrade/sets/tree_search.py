"""What the test cells of the problem set on planning by sampling share: trees, misconceptions, individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). A model is a function `model(s, a)` that draws `(s_next, r, discount)`. A
game is nested tuples: a position is a tuple of moves, a move is `(reward, position)`, and () is an end; the reward is
the mover's. No arrays but P (S, A, S), r (S, A), and those that are said to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf, log, log10, sqrt
from typing import Any

import numpy as np

from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "backward",
    "final",
    "games",
    "node",
    "node_slips",
    "scores",
    "search",
    "select",
    "sparse",
    "uct",
]

# ---------------------------------------------------------------------- misconceptions


def sparse(P, r, gamma, s: int, H: int) -> dict[str, np.ndarray]:
    """Misread look-aheads in a process without chance: sentences to arrays (A,). Source: this book."""
    ends = np.arange(len(r)) == len(r) - 1

    def look(h, pay=r, first=gamma, later=gamma, pick=np.max, alive=~ends, law=P):
        v = np.zeros(len(r))
        for _ in range(h - 1):
            v = pick(pay + later * (law @ (alive * v)), axis=1)
        return (pay + first * (law @ (alive * v)))[s]

    same = [0] * r.shape[1]

    return {
        "Your values look one step too far: with H = 1 there is nothing behind the first reward.": look(H + 1),
        "Your values look one step too short: with H = 1 the first reward is there.": look(H - 1)
        if H > 1
        else 0 * r[s],
        "Your values lack the discount: the model returns it with each step.": look(H, first=1.0, later=1.0),
        "Your values are discounted at the root only: each step has its factor.": look(H, later=1.0),
        "Your values discount the first reward too.": look(H, pay=gamma * r),
        "Your values average over the actions below: the maximum is asked for.": look(H, pick=np.mean),
        "Your values take the worst action below: the maximum is asked for.": look(H, pick=np.min),
        "Your values go on beyond the end: a discount of 0 says that nothing follows.": look(H, alive=np.ones(len(r))),
        "One sample is shared by all actions: each needs its own.": look(H, pay=r[:, same], law=P[:, same]),
    }


def backward(path: Sequence, leaf: float, players: int) -> dict[str, np.ndarray]:
    """Other returns along a path of (reward, discount): sentences to arrays, one entry a step. Source: this book."""
    sign = 1 if players == 1 else -1

    def back(start=leaf, flip=sign, pay=1.0, factor=lambda i, d: d):
        G, found = start, []
        for i, (r, d) in reversed(list(enumerate(path))):
            G = pay * r + flip * factor(i, d) * G
            found.append(G)
        return np.array(found[::-1])

    G = back()
    slips = {
        "Your returns are discounted at the first step only: each step has its own factor.": back(
            factor=lambda i, d: d if i == 0 else 1.0
        ),
        "Your returns lack the discount.": back(factor=lambda i, d: 1.0),
        "Your returns carry on beyond the end: where the discount is 0, nothing follows.": back(
            factor=lambda i, d: d or 1.0
        ),
        "Your returns leave out the leaf's value.": back(start=0.0),
        "You give every step the return from the root: each is credited with what follows from its own position.": (
            np.full(len(path), G[0])
        ),
        "Your returns are in the order last to first.": G[::-1],
    }
    if players == 2:
        slips |= {
            "No sign changes between the players: what the next one gains, the mover loses.": back(flip=1),
            "Your values are backed up to the wrong player: the leaf's value is that of whoever moves there.": back(
                start=-leaf
            ),
            "All your returns are the first player's: each is asked for the mover of its step.": (
                G * (-1.0) ** np.arange(len(path))
            ),
        }
    return slips


def games(position: tuple) -> dict[str, dict[str, np.ndarray]]:
    """Misread games: for "q" and "chance", sentences to arrays, one entry a move. Source: this book."""

    def values(position, sign, pick):
        return np.array([r + sign * (pick(values(after, sign, pick)) if after else 0.0) for r, after in position])

    first = np.array([r for r, _ in position], dtype=float)
    worst = np.array([r - (min(values(p, -1, max)) if p else 0.0) for r, p in position])
    return {
        "q": {
            "No sign changes between the players: what the opponent gains, you lose.": values(position, 1, max),
            "Your values see one step only: the reply is missing.": first,
            "Your opponent plays the move that is worst for the opponent.": worst,
            "Your values are those of play at random: both choose as well as they can.": values(position, -1, np.mean),
        },
        "chance": {
            "No sign changes between the players: what the opponent gains, you lose.": values(position, 1, np.mean),
            "Your values see one step only: the rest of the game is missing.": first,
            "Your values are those of best play: here all moves are equally likely.": values(position, -1, max),
            "Your values weigh all ways to end the game alike: a short game is likelier than a long one.": np.array(
                [np.mean(list(_ends(after, -1, float(r)))) for r, after in position]
            ),
        },
    }


def select(cases: Sequence[tuple]) -> dict[str, np.ndarray]:
    """Other rules of selection: sentences to arrays (len(cases),) of the actions they take. Source: this book."""

    def by(score, first=inf):
        return np.array(
            [
                int(np.argmax([score(t / n, n, sum(N), c, t) if n else first for n, t in zip(N, total, strict=True)]))
                for N, total, c in cases
            ]
        )

    def ucb(q, n, N, c, t):
        return q + c * sqrt(log(N) / n)

    return {
        "The logarithm is that of the action's own count: it belongs to the visits of the node.": by(
            lambda q, n, N, c, t: q + c * sqrt(log(n) / n)
        ),
        "An untried action has the bonus 0: it comes before all others.": by(ucb, first=0.0),
        "You add the bonus to the sum of the returns: it belongs to their mean.": by(
            lambda q, n, N, c, t: t + c * sqrt(log(N) / n)
        ),
        "You choose by the mean alone: where is the bonus?": by(lambda q, n, N, c, t: q),
        "The weight c is missing.": by(lambda q, n, N, c, t: q + sqrt(log(N) / n)),
        "The square root is missing.": by(lambda q, n, N, c, t: q + c * log(N) / n),
        "You subtract the bonus: that avoids what is unknown.": by(lambda q, n, N, c, t: q - c * sqrt(log(N) / n)),
    }


MISTAKES = {
    "flip": "No sign changes between the players: what the next one gains, the mover loses.",
    "own": "The logarithm is that of the action's own count: it belongs to the visits of the node.",
    "chance": "Your tree has one child an action: another next state needs a child of its own.",
    "discount": "Your returns lack the discount.",
    "root": "Only the root learns: add the return to every node on the path.",
    "whole": "You add the return from the root everywhere: a node is credited with what follows from it.",
    "leaf": "The values of new leaves are not used.",
    "again": "A new node is not passed on the way: stop there, and select in it at its next visit only.",
}


def search(model, actions, s, budget: int, c: float, evaluate, players: int = 1, mistake: str = "") -> np.ndarray:
    """Visits and mean returns (2, A) at the root of a tree search that makes the `mistake`, a key of MISTAKES, or none.

    Source: Kocsis and Szepesvari (2006).
    """
    state: dict[tuple, Any] = {(): s}
    stats: dict[tuple, tuple[int, float]] = {}
    sign = 1 if players == 1 or mistake == "flip" else -1

    def score(node: tuple, a: Any, N: int) -> float:
        n, total = stats.get((node, a), (0, 0.0))
        return total / n + c * sqrt(log(n if mistake == "own" else N) / n) if n else inf

    for _ in range(budget):
        node: tuple = ()
        path: list[tuple] = []
        G = None
        while G is None:
            N = sum(stats.get((node, a), (0,))[0] for a in actions(state[node]))
            a = max(actions(state[node]), key=partial(score, node, N=N))
            after, r, d = model(state[node], a)
            path.append((node, a, r, 1.0 if mistake == "discount" else d))
            node = (*node, a if mistake == "chance" else (a, after))
            if d == 0:
                G = 0.0
            elif node not in state:
                state[node] = after
                passes = mistake == "again" and len(path) < 2
                G = None if passes else 0.0 if mistake == "leaf" else evaluate(after)
        credit = []
        for at, a, r, d in reversed(path):
            G = r + sign * d * G
            credit.append((at, a, G))
        for at, a, own in credit[-1:] if mistake == "root" else credit:
            n, total = stats.get((at, a), (0, 0.0))
            stats[at, a] = (n + 1, total + (G if mistake == "whole" else own))
    found = np.array([stats.get(((), a), (0, 0.0)) for a in actions(s)])
    return np.array([found[:, 0], found[:, 1] / np.maximum(found[:, 0], 1)])


def uct(world: Callable[[], tuple]) -> dict[str, np.ndarray]:
    """Searches with a mistake: sentences to arrays (2, A); `world()` gives the arguments afresh. Source: this book."""
    return {sentence: search(*(*world(), mistake)) for mistake, sentence in MISTAKES.items()}


def final(visits: np.ndarray, means: np.ndarray) -> dict[str, float]:
    """Other moves to make in the end: sentences to an action. Source: this book."""
    return {
        "You take the action of largest mean: a mean of few visits is luck. The most visited one is asked for.": float(
            np.argmax(means)
        ),
        "You take the action visited least.": float(np.argmin(visits)),
        "You take the first action.": 0.0,
    }


# ---------------------------------------------------------------------- the individual node


def node(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own node of a search and own game, as plain numbers.

    `visits` and `totals` (3,) of a node, returns in [0, 1], the weight `c`; and `game`, two moves with three replies
    each. With `as_typed`, those of the id in the notebook. Raises `Wrong` if no id is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "tree_search/node")
    visits = (draw.integer(15, 30), draw.integer(31, 60), draw.integer(8, 14))
    totals = tuple(
        n * draw.integer(low, high) // 100
        for n, (low, high) in zip(visits, ((30, 45), (60, 80), (15, 35)), strict=True)
    )
    game = tuple(
        (draw.integer(-4, 4), tuple((draw.integer(low, high), ()) for low, high in ((-9, -4), (-3, 2), (3, 9))))
        for _ in range(2)
    )
    return {"visits": visits, "totals": totals, "c": draw.integer(3, 8) / 10, "game": game}


def node_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a node, gives for that of another id: sentence to its answer. Source: this book."""
    return {
        for_another_id(typed, "node"): answer(node(typed, as_typed=True)),
    }


def scores(m: dict[str, Any]) -> dict[str, np.ndarray]:
    """Other scores of the three actions: sentences to arrays (3,). Source: this book."""
    n, total, c = np.array(m["visits"], dtype=float), np.array(m["totals"], dtype=float), m["c"]
    N, q = n.sum(), total / n
    return {
        "The logarithm is that of the action's own count: it belongs to the visits of the node.": q
        + c * np.sqrt(np.log(n) / n),
        "Your logarithm has the base 10: the natural one is meant.": q + c * np.sqrt(log10(N) / n),
        "The weight c is missing.": q + np.sqrt(log(N) / n),
        "The square root is missing.": q + c * log(N) / n,
        "The square root covers the logarithm only: it goes over the whole fraction.": q + c * sqrt(log(N)) / n,
        "You add the bonus to the sum of the returns: it belongs to their mean.": total + c * np.sqrt(log(N) / n),
    }


def _ends(position: tuple, sign: int, total: float):
    if not position:
        yield total
    for r, after in position:
        yield from _ends(after, -sign, total + sign * r)
