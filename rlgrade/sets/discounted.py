"""What the test cells of the problem set on discounted processes share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). None of them holds a right answer. Arrays are P (S, A, S), r (S, A), v (S,).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlgrade.certificates import policy_values
from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "bellman",
    "bounds",
    "evaluate",
    "gauss_seidel",
    "greedy",
    "kiosk",
    "machine",
    "machine_slips",
    "twins",
    "value_iteration",
]

SAME_ARRAY = (
    "You stop after one sweep: `new = v` makes a second name for the same array, so no change is seen; use v.copy()."
)


def bellman(P, r, gamma, v) -> dict[str, np.ndarray]:
    """Misread Bellman operators: sentences to values (S,). Source: this book."""
    q, future = r + gamma * P @ v, P @ v
    return {
        "Your values match those without the factor gamma.": (r + future).max(axis=1),
        "Your values match those with gamma on the reward as well: only the future is discounted.": (
            gamma * (r + future)
        ).max(axis=1),
        "Your values match those with the best reward and the best future chosen separately: "
        "the maximum is over their sum, for one and the same action.": r.max(axis=1) + gamma * future.max(axis=1),
        "Your values match the mean over the actions: T takes the maximum.": q.mean(axis=1),
        "Your values match the minimum over the actions: T takes the maximum.": q.min(axis=1),
        "Your values match those with P[t, a, s] in place of P[s, a, t]: you sum over the state that is left.": (
            r + gamma * np.einsum("tas,t->sa", P, v)
        ).max(axis=1),
        "You return the actions first: the order is (tv, pi).": q.argmax(axis=1),
        **_square(P, r, gamma, v, np.max),
    }


def greedy(P, r, gamma, v) -> dict[str, np.ndarray]:
    """Misread greedy policies: sentences to actions (S,). Source: this book."""
    q = r + gamma * P @ v
    return {
        "Your actions match those without the factor gamma.": (r + P @ v).argmax(1),
        "Your actions match those best for the immediate reward alone: the future counts too.": r.argmax(1),
        "Your actions match those best for the future alone: a greedy action also counts the reward.": (P @ v).argmax(
            1
        ),
        "Your actions match the worst ones: take the largest of q, not the smallest.": q.argmin(1),
        "Your actions are numbered from 1: the first action is 0.": q.argmax(1) + 1,
        "You return the values second: the order is (tv, pi).": q.max(1),
        **_square(P, r, gamma, v, np.argmax),
    }


def _square(P, r, gamma, v, best: Callable) -> dict[str, np.ndarray]:
    """Slips that have the right shape only where there are as many actions as states."""
    if r.shape[0] != r.shape[1]:
        return {}
    return {
        "You take the best over the states (axis 0), not over the actions (axis 1).": best(r + gamma * P @ v, axis=0),
        "v @ P sums over the actions: P @ v sums over the next states.": best(r + gamma * v @ P, axis=1),
    }


def evaluate(P, r, gamma, pi) -> dict[str, np.ndarray]:
    """Misread policy evaluations, `pi` (S, A): sentences to values (S,). Source: this book."""
    S, A = r.shape
    P_pi, r_pi = np.einsum("sa,sat->st", pi, P), (pi * r).sum(axis=1)
    uniform = np.full((S, A), 1 / A)
    return {
        "Your values match those of the transposed chain: P_pi[s, t] leads from s to t.": np.linalg.solve(
            np.eye(S) - gamma * P_pi.T, r_pi
        ),
        "Your values match those with the first reward already discounted.": gamma * policy_values(P, r, gamma, pi),
        "Your values match those of the policy's most probable actions: average over all its actions.": policy_values(
            P, r, gamma, pi.argmax(axis=1)
        ),
        "Your values match those of the uniform policy: the probabilities pi are not used.": policy_values(
            P, r, gamma, uniform
        ),
        "Your values match the expected reward of one step: the future is missing.": r_pi,
        "Your values match the best of every action: evaluating a policy takes no maximum.": _sweeps(P, r, gamma, 5000),
    }


def kiosk(C, demand, price, cost, closing, interest) -> dict[str, dict[str, Any]]:
    """Misread kiosks: for "P", "r" and "gamma", sentences to arrays. Source: this book."""
    S, D = C + 1, len(demand)
    stock, order, wanted = np.ogrid[:S, :S, :D]
    filled = np.minimum(stock + order, C)
    mean = float(np.dot(np.arange(D), demand))
    sales = (demand * np.minimum(filled, wanted)).sum(axis=2)
    cells: Callable = lambda left: (demand[..., None] * (left[..., None] == np.arange(S))).sum(axis=2)  # noqa: E731
    bought = (filled - stock)[..., 0]
    return {
        "P": {
            "Your probabilities match those of a kiosk that sells before the order arrives.": cells(
                np.minimum(np.maximum(stock - wanted, 0) + order, C)
            ),
            "Some rows sum to less than 1: a demand larger than the stock also leaves 0 umbrellas.": cells(
                filled - wanted
            ),
            "Your probabilities match those of a kiosk that never restocks.": cells(
                np.maximum(stock - wanted, 0) + 0 * order
            ),
        },
        "r": {
            "Your rewards match those with the whole demand sold: no more than the stock can be sold.": price * mean
            - cost * bought,
            "Your rewards match those with the mean demand inside the minimum: "
            "E[min(y, D)] is smaller than min(y, E[D]).": price * np.minimum(filled[..., 0], mean) - cost * bought,
            "Your rewards match those without the cost of the order.": price * sales,
            "Your rewards match those that pay for umbrellas which did not fit.": price * sales - cost * order[..., 0],
            "Your rewards match those that pay again for the umbrellas already there.": price * sales
            - cost * filled[..., 0],
        },
        "gamma": {
            "Your gamma leaves out that the kiosk may close for good.": 1 / (1 + interest),
            "Your gamma leaves out the interest.": 1 - closing,
            "Your gamma adds the two rates up: surviving the night and discounting multiply.": 1 - closing - interest,
            "Your gamma multiplies by 1 - interest: one euro tomorrow is worth 1/(1 + interest) today.": (1 - closing)
            * (1 - interest),
            "Your gamma is the probability of closing: the future counts when the kiosk stays open.": closing,
        },
    }


def value_iteration(P, r, gamma, epsilon) -> dict[str, tuple[np.ndarray, int]]:
    """Value iterations with another stop: sentences to (v, sweeps). Source: this book."""
    rule = (1 - gamma) / (2 * gamma) * epsilon
    v, sweeps = _run(P, r, gamma, rule)
    return {
        "You stop when the change is below epsilon itself: the values may then still be off by "
        "gamma/(1 - gamma) times epsilon.": _run(P, r, gamma, epsilon),
        "The factor 2 of the rule is missing: the error of v enters the greedy policy's loss twice.": _run(
            P, r, gamma, 2 * rule
        ),
        "Your threshold is epsilon (1 - gamma)/gamma^2 or the like: check the rule's powers of gamma.": _run(
            P, r, gamma, 2 * rule / gamma
        ),
        "You measure the change by its mean over the states: the rule needs the largest.": _run(
            P, r, gamma, rule, np.mean
        ),
        "You update in place, so later states already see the new values (this is Gauss-Seidel).": _run(
            P, r, gamma, rule, in_place=True
        ),
        "The count is one too small: the sweep that meets the rule counts too.": (v, sweeps - 1),
        "The count is one too large: no sweep is needed after the one that meets the rule.": (
            _sweeps(P, r, gamma, sweeps + 1),
            sweeps + 1,
        ),
        SAME_ARRAY: _run(P, r, gamma, np.inf, in_place=True),
    }


def bounds(P, r, gamma, v) -> dict[str, np.ndarray]:
    """Other pairs of bounds: sentences to arrays (2, S), lower and upper. Source: this book."""
    tv = (r + gamma * P @ v).max(axis=1)
    d, scale = tv - v, gamma / (1 - gamma)
    pair: Callable = lambda centre, low, high: np.array([centre + low, centre + high])  # noqa: E731
    largest = np.abs(d).max()
    return {
        "Your bounds match those of the sup norm: they hold, but use max|Tv - v| twice "
        "where its smallest and largest entries do better.": pair(tv, -scale * largest, scale * largest),
        "Your bounds match those with 1/(1 - gamma) around Tv: around Tv the factor is gamma/(1 - gamma).": pair(
            tv, d.min() / (1 - gamma), d.max() / (1 - gamma)
        ),
        "Your bounds lie around v, with the factor that belongs around Tv.": pair(v, scale * d.min(), scale * d.max()),
        "Your bounds match those around v: they hold, but those around Tv are tighter.": pair(
            v, d.min() / (1 - gamma), d.max() / (1 - gamma)
        ),
        "Your two bounds are exchanged: the smallest change gives the lower one.": pair(
            tv, scale * d.max(), scale * d.min()
        ),
        "Your bounds match those with v - Tv in place of Tv - v.": pair(tv, -scale * d.max(), -scale * d.min()),
    }


def gauss_seidel(P, r, gamma, tol) -> dict[str, tuple[np.ndarray, int]]:
    """Other sweeps: sentences to (v, sweeps). Source: this book."""
    v, sweeps = _run(P, r, gamma, tol, in_place=True)
    return {
        "You compute every state from the old values: Gauss-Seidel uses the new ones as soon as they exist.": _run(
            P, r, gamma, tol
        ),
        "You sweep from the last state to the first: the order asked for is 0, 1, 2, ...": _run(
            P, r, gamma, tol, in_place=True, backwards=True
        ),
        "You look at the change of the last state only: the rule needs the largest change of the sweep.": _run(
            P, r, gamma, tol, lambda change: change[-1], in_place=True
        ),
        "You look at the smallest change of the sweep: the rule needs the largest.": _run(
            P, r, gamma, tol, np.min, in_place=True
        ),
        "The count is one too small: the sweep that meets the rule counts too.": (v, sweeps - 1),
        "You count single updates: a sweep is one update of every state.": (v, sweeps * len(v)),
        SAME_ARRAY: _run(P, r, gamma, np.inf, in_place=True),
    }


def twins(seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A process (P, r, gamma) of 10 states in which all policies are equally good: the actions lead to twins.

    States 5 to 9 repeat states 0 to 4, and action 1 leads to the twin of where action 0 leads. Source: this book.
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 5, size=(5, 5))
    law = np.tile(weights / weights.sum(axis=1, keepdims=True), (2, 1))
    P = np.zeros((10, 2, 10))
    P[:, 0, :5] = P[:, 1, 5:] = law
    return P, np.tile(rng.integers(-3, 4, size=(5, 1)), (2, 2)).astype(float), float(rng.choice([0.9, 0.95, 0.99]))


# ---------------------------------------------------------------------- the individual machine


def machine(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own machine, as plain numbers: state 0 new, 1 worn, 2 broken; action 0 keep, 1 replace.

    `earns` (2,) a day, `wears` and `breaks` in probability a day, `price`, `gamma`. With `as_typed`, that of the id in
    the notebook even while nbgrader grades another. Raises `Wrong` if no id is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "discounted/machine")
    new, worn = draw.integer(60, 99), draw.integer(5, 24)
    wears, breaks = draw.integer(10, 29), draw.integer(20, 49)
    lifetime = 100 * (new * breaks + worn * wears) // (wears * breaks)  # undiscounted earnings of one machine, rounded
    price = lifetime * draw.integer(15, 55) // 100
    gamma = draw.choice((0.85, 0.9, 0.95))
    return {"earns": (new, worn), "wears": wears / 100, "breaks": breaks / 100, "price": price, "gamma": gamma}


def machine_arrays(m: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """P (3, 2, 3) and r (3, 2) of a machine. Source: this book."""
    P = np.zeros((3, 2, 3))
    P[0, 0, :2] = 1 - m["wears"], m["wears"]
    P[1, 0, 1:] = 1 - m["breaks"], m["breaks"]
    P[2, 0, 2] = 1.0
    P[:, 1, 0] = 1.0
    r = np.full((3, 2), -float(m["price"]))
    r[:, 0] = *m["earns"], 0.0
    return P, r


def machine_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a machine, gives for a misread machine or the machine of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = machine(typed)
    typed_machine = machine(typed, as_typed=True)
    return {
        for_another_id(typed, "machine"): answer(typed_machine),
        "Your answer matches a machine that wears with the probability of breaking, and the other way round.": answer(
            {**m, "wears": m["breaks"], "breaks": m["wears"]}
        ),
        "Your answer matches a machine whose probabilities are those of staying, not of getting worse.": answer(
            {**m, "wears": 1 - m["wears"], "breaks": 1 - m["breaks"]}
        ),
        "Your answer matches a machine that is replaced for nothing: the price is missing.": answer({**m, "price": 0}),
    }


# ---------------------------------------------------------------------- sweeps with a chosen stop


def _sweeps(P, r, gamma, n: int) -> np.ndarray:
    v = np.zeros(len(r))
    for _ in range(n):
        v = (r + gamma * P @ v).max(axis=1)
    return v


def _run(P, r, gamma, threshold, size=np.max, *, in_place=False, backwards=False) -> tuple[np.ndarray, int]:
    """Sweep from zero until `size` of the absolute changes is at most `threshold`: the values, and how many sweeps."""
    v, order = np.zeros(len(r)), range(len(r))[:: -1 if backwards else 1]
    for sweeps in range(1, 100_000):  # noqa: B007 (returned)
        new = v.copy()
        for s in order:
            new[s] = (r[s] + gamma * P[s] @ (new if in_place else v)).max()
        change, v = np.abs(new - v), new
        if size(change) <= threshold:
            break
    return v, sweeps
