"""What the test cells of the problem set on finite horizons share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). Arrays are P (S, A, S), r (S, A), the final value g (S,); the horizon H is
the number of decisions, and values have a row for each of the stages 0..H.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "backward",
    "evaluate",
    "flight",
    "flight_arrays",
    "flight_slips",
    "house",
    "plan",
    "remembering",
    "twin",
    "unrolled",
]


def unrolled(P, r, H, g) -> tuple[np.ndarray, np.ndarray]:
    """One state for each stage and state, as P ((H+1)S, A, (H+1)S) and r ((H+1)S, A), for `rlgrade.certificates`.

    The last stage pays g and its rows are empty, so that I - gamma P has an inverse for gamma = 1 as well.
    Source: Puterman (1994), section 4.2, read as one linear system.
    """
    S, A = r.shape
    law = np.zeros((H + 1, S, A, H + 1, S))
    for t in range(H):
        law[t, :, :, t + 1] = P
    rewards = np.concatenate([np.tile(r, (H, 1)), np.repeat(np.asarray(g, float)[:, None], A, axis=1)])
    return law.reshape((H + 1) * S, A, (H + 1) * S), rewards


def backward(P, r, H, gamma, g) -> dict[str, np.ndarray]:
    """Misread recursions for the optimum: sentences to values (H + 1, S). Source: this book."""
    return {
        "Your values match those without the factor gamma.": _stages(P, r, H, 1.0, g),
        "Your values match those with the final value left out: the last row is g, and the others build on it.": (
            _stages(P, r, H, gamma, 0 * g)
        ),
        "Your rows are in the order of the stages to go: v[t] belongs to stage t, and v[H] is g.": _stages(
            P, r, H, gamma, g
        )[::-1],
        "Your values match the mean over the actions: the best plan takes the maximum.": _stages(
            P, r, H, gamma, g, lambda t, q: q.mean(axis=1)
        ),
        "Your values match the best reward and the best future chosen separately: "
        "the maximum is over their sum, for one and the same action.": _stages(
            P, r, H, gamma, g, lambda t, q: r.max(axis=1) + (q - r).max(axis=1)
        ),
        "Your values match those with P[u, a, s] in place of P[s, a, u]: you sum over the state that is left.": _stages(
            np.transpose(P, (2, 1, 0)), r, H, gamma, g
        ),
    }


def plan(P, r, H, gamma, g) -> dict[str, np.ndarray]:
    """Misread plans: sentences to actions (H, S). Source: this book."""
    v = _stages(P, r, H, gamma, g)
    late, right = (np.array([(r + gamma * P @ v[t + k]).argmax(axis=1) for t in range(H)]) for k in (0, 1))
    no_gamma, no_end = _stages(P, r, H, 1.0, g), _stages(P, r, H, gamma, 0 * g)
    return {
        "Your plan matches the one without the factor gamma.": (r + _ahead(P, no_gamma)).argmax(axis=2),
        "Your plan matches the one with the final value left out.": (r + gamma * _ahead(P, no_end)).argmax(axis=2),
        "Your plan looks ahead from v[t] in place of v[t + 1]: the values of the next stage decide.": late,
        "Your rows are in the order of the stages to go: pi[t] belongs to stage t.": right[::-1],
        "Your plan takes the actions of the first stage at every stage: the best action depends on how much time "
        "is left.": np.tile(right[0], (H, 1)),
        "Your plan takes the actions of the last stage at every stage: the best action depends on how much time "
        "is left.": np.tile(right[-1], (H, 1)),
        "Your plan is best for the immediate reward alone: the future counts too.": np.tile(r.argmax(axis=1), (H, 1)),
        "Your actions are numbered from 1: the first action is 0.": right + 1,
    }


def evaluate(P, r, H, gamma, g, pi) -> dict[str, dict[str, np.ndarray]]:
    """Misread evaluations of `pi` (H, S, A): for "v" and "q", sentences to arrays. Source: this book."""
    mean: Callable = lambda t, q: (pi[t] * q).sum(axis=1)  # noqa: E731
    v, best = _stages(P, r, H, gamma, g, mean), _stages(P, r, H, gamma, g)
    look: Callable = lambda v, k=1: np.array([r + gamma * P @ v[t + k] for t in range(H)])  # noqa: E731
    q = look(v)
    return {
        "v": {
            "Your values match those of the best plan: evaluating a policy takes no maximum.": best,
            "Your values match those without the factor gamma.": _stages(P, r, H, 1.0, g, mean),
            "Your values match a policy that acts at every stage as at the first: use pi[t] at stage t.": _stages(
                P, r, H, gamma, g, lambda t, q: (pi[0] * q).sum(axis=1)
            ),
            "Your values use the stages of the policy in reverse: the recursion that runs backwards still needs pi[t] "
            "at stage t.": _stages(P, r, H, gamma, g, lambda t, q: (pi[H - 1 - t] * q).sum(axis=1)),
            "Your values match those with the final value left out.": _stages(P, r, H, gamma, 0 * g, mean),
            "Your rows are in the order of the stages to go: v[t] belongs to stage t, and v[H] is g.": v[::-1],
        },
        "q": {
            "Your q looks ahead to v[t] in place of v[t + 1].": look(v, 0),
            "Your q is that of the best plan: here the policy pi goes on after the action.": look(best),
            "Your q is multiplied by the policy's probabilities: q is what an action is worth once taken.": pi * q,
            "Your q leaves out the factor gamma.": r + (q - r) / gamma if gamma else q,
        },
    }


def remembering(seed: int, A: int = 2) -> Callable[[tuple], np.ndarray]:
    """A random policy that looks at the whole history: a function of (s0, a0, s1, ..., st) to probabilities (A,).

    The same history always gives the same law. Source: this book.
    """

    def policy(history):
        weights = np.random.default_rng([seed, len(history), *map(int, history)]).integers(1, 9, size=A)
        return weights / weights.sum()

    return policy


def twin(P, start, policy, H) -> dict[str, np.ndarray]:
    """Markov policies that are no twins of `policy`: sentences to (H, S, A). Source: this book."""
    S, A, _ = P.shape
    plain, total = np.full((H, S, A), 1 / A), np.zeros((H, S, A))
    states, actions = range(S), range(A)
    for t in range(H):
        for *path, s in product(*([states, actions] * t), states):
            history = (*path, s)
            moves = zip(history[0:-2:2], history[1:-1:2], history[2::2], strict=True)
            if start[history[0]] > 0 and all(P[a, b, c] > 0 for a, b, c in moves):
                total[t, s] += policy(history)
        rows = total[t].sum(axis=1) > 0
        plain[t, rows] = total[t, rows] / total[t, rows].sum(axis=1, keepdims=True)
    return {
        "You ask the policy with the present state only, as if the process had just begun: hand it the whole "
        "history.": np.array([[policy((s,)) for s in states]] * H),
        "You average over the histories as if all were equally likely: each counts with its probability.": plain,
    }


def house(prices, law, cost, n) -> dict[str, dict[str, Any]]:
    """Misread sales of a house: for "P", "money" (r, with g as its last column) and "H". Source: this book."""
    m = len(prices)
    P, r = np.zeros((m + 1, 2, m + 1)), np.zeros((m + 1, 2))
    P[:, 0, m] = P[m, 1, m] = 1.0
    P[:m, 1, :m] = law
    r[:m, 0], r[:m, 1] = prices, -cost
    final = np.append(prices, 0.0)
    stays, returns, goes_on = P.copy(), P.copy(), P.copy()
    stays[:m, 1] = np.eye(m + 1)[:m]
    returns[m, 1, :] = np.append(law, 0.0)
    goes_on[:m, 0] = np.append(law, 0.0)
    money: Callable = lambda r, g: np.column_stack([r, g])  # noqa: E731
    upkeep = np.where(np.arange(m + 1)[:, None] < m, cost, 0.0)
    return {
        "P": {
            "In your process an offer stays on the table while you wait: it is gone, and a new one comes.": stays,
            "In your process offers come in after the sale: a house that is sold stays sold.": returns,
            "In your process accepting leads to the next offer: it ends the sale.": goes_on,
            "Your actions are exchanged: 0 accepts, 1 waits.": P[:, ::-1],
        },
        "money": {
            "Your final value is 0: the last offer is taken, so it is paid.": money(r, 0 * final),
            "Your waiting is free: each further offer costs something.": money(np.maximum(r, 0), final),
            "Your rewards charge the cost for accepting too: only waiting costs.": money(
                r - upkeep * [1.0, 0.0], final
            ),
            "Your rewards charge for waiting after the sale.": money(
                r - np.where(np.arange(m + 1)[:, None] == m, cost, 0.0) * [0.0, 1.0], final
            ),
            "Your final value charges the cost once more.": money(r, final - upkeep[:, 0]),
        },
        "H": {
            "You count one decision for each offer: the last offer leaves nothing to decide.": n,
            "You count one decision too few: all offers but the last leave a choice.": n - 2,
        },
    }


# ---------------------------------------------------------------------- the individual flight


def flight(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own flight, as plain numbers: `prices` (low, high), `buys` (2,) probabilities, seats, periods.

    With `as_typed`, that of the id in the notebook even while nbgrader grades another. Raises `Wrong` if no id is
    known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "finite_horizon/flight")
    low, often, rarely = draw.integer(60, 99), draw.integer(60, 80), draw.integer(25, 38)
    high = low * often * draw.integer(72, 95) // (100 * rarely)  # less a customer than the low price
    return {"prices": (low, high), "buys": (often / 100, rarely / 100), "seats": 2, "periods": 5}


def flight_arrays(m: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """P (seats + 1, 2, seats + 1) and r (seats + 1, 2) of a flight; the state is the seats left. Source: this book."""
    S = m["seats"] + 1
    P, r = np.zeros((S, 2, S)), np.zeros((S, 2))
    for a, (price, buys) in enumerate(zip(m["prices"], m["buys"], strict=True)):
        P[0, a, 0] = 1.0
        for s in range(1, S):
            P[s, a, s - 1], P[s, a, s], r[s, a] = buys, 1 - buys, buys * price
    return P, r


def flight_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a flight, gives for a misread flight or the flight of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m, typed_flight = flight(typed), flight(typed, as_typed=True)
    return {
        for_another_id(typed, "flight"): answer(typed_flight),
        "Your answer matches a flight whose two probabilities are exchanged: few buy at the high price.": answer(
            {**m, "buys": m["buys"][::-1]}
        ),
        "Your answer matches a flight with one seat more.": _rows(answer, m, "seats", 1),
        "Your answer matches a flight with one customer less.": _rows(answer, m, "periods", -1),
    }


def _rows(answer: Callable, m: dict[str, Any], key: str, change: int) -> Any:
    """The answer for a flight with another number of seats or customers, cut to the shape of the true one."""
    want, other = np.asarray(answer(m)), np.asarray(answer({**m, key: m[key] + change}))
    return other if other.ndim != 1 else other[-len(want) :]


# ---------------------------------------------------------------------- stages with a chosen mistake


def _ahead(P, v) -> np.ndarray:
    """Expected values (H, S, A) of the next stage, from values (H + 1, S)."""
    return np.einsum("sau,tu->tsa", P, v[1:])


def _stages(P, r, H, gamma, g, choose: Callable = lambda t, q: q.max(axis=1)) -> np.ndarray:
    """Values (H + 1, S) from g backwards, where `choose(t, q)` makes one row (S,) of the action values (S, A)."""
    v = np.zeros((H + 1, len(r)))
    v[H] = g
    for t in reversed(range(H)):
        v[t] = choose(t, r + gamma * P @ v[t + 1])
    return v
