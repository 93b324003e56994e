"""What the test cells of the problem set on deterministic processes share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). None of them holds a right answer. A process is nxt (S, A), the next states,
and cost (S, A); a graph is C (n, n), infinite where there is no edge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "at_most",
    "backward",
    "mean_cycle",
    "orders",
    "orders_slips",
    "passages",
    "repair",
]

# ---------------------------------------------------------------------- misconceptions


def backward(nxt, cost, g, T) -> dict[str, dict[str, np.ndarray]]:
    """Misread recursions: for "v" and "plan", sentences to arrays (T + 1, S) and (T, S). Source: this book."""
    v, plan = _sweep(nxt, cost, g, T, np.min)
    hasty = np.array([g] * (T + 1), dtype=float)
    first, rows = cost.argmin(axis=1), np.arange(len(g))
    for t in range(T - 1, -1, -1):
        hasty[t] = cost[rows, first] + hasty[t + 1][nxt[rows, first]]
    return {
        "v": {
            "The final costs g are missing: they are paid after the last step.": _sweep(nxt, cost, 0 * g, T, np.min)[0],
            "You maximise: these are costs, and the least is asked for.": _sweep(nxt, cost, g, T, np.max)[0],
            "Your values match taking the cheapest step each time: where it leads counts as well.": hasty,
            "Your rows are in the wrong order: row t belongs to time t, so g is the last row.": v[::-1],
            "Your values leave out what the next steps cost.": np.vstack([[cost.min(axis=1)] * T, [g]]),
        },
        "plan": {
            "Your plan takes the cheapest step each time: where it leads counts as well.": np.array([first] * T),
            "Your plan is in the wrong order: row t is used at time t.": plan[::-1],
            "Your plan uses the actions of time 0 at all times: near the end others are better.": plan[[0] * T],
            "Your plan leaves out the final costs g.": _sweep(nxt, cost, 0 * g, T, np.min)[1],
            "Your plan maximises: these are costs.": _sweep(nxt, cost, g, T, np.max)[1],
        },
    }


def at_most(C, source) -> dict[str, np.ndarray]:
    """Other rounds of relaxation: sentences to arrays (n, n). Source: this book."""
    n = len(C)
    start = np.where(np.arange(n) == source, 0.0, np.inf)
    by_tail, by_head, exactly, against = [start], [start], [start], [start]
    for _ in range(n - 1):
        row = by_tail[-1].copy()
        for s in range(n):
            row = np.minimum(row, row[s] + C[s])
        by_tail.append(row)
        row = by_head[-1].copy()
        for t in range(n):
            row[t] = min(row[t], (row + C[:, t]).min())
        by_head.append(row)
        exactly.append((exactly[-1][:, None] + C).min(axis=0))
        against.append(np.minimum(against[-1], (C + against[-1]).min(axis=1)))
    early = (
        "A round uses what the same round has found, so walks of more than k edges creep into row k: "
        "compute row k from row k - 1 alone."
    )
    return {
        early: np.array(by_tail),
        early + " ": np.array(by_head),
        "Row k holds walks of exactly k edges: fewer are allowed too.": np.array(exactly),
        "Your edges run the wrong way: C[s, t] leads from s to t.": np.array(against),
        "Every row holds the last one: row k may use k edges only.": np.array([by_tail[-1]] * n),
    }


def repair(C, h) -> dict[str, np.ndarray]:
    """Functions that are not the least consistent one above h: sentences to arrays (n,). Source: this book."""
    up, down, turned = h.astype(float), h.astype(float), h.astype(float)
    once = np.maximum(up, (up[:, None] - C).max(axis=0))
    for _ in range(len(C)):
        down = np.minimum(down, (C + down).min(axis=1))
        turned = np.maximum(turned, (turned - C).max(axis=1))
    return {
        "You went over the edges once: a value that was raised may force others up.": once,
        "You lowered the values that are too high: raise those that are too low.": down,
        "Your edges run the wrong way: an edge from s to t forces up the value of t.": turned,
        "You return h as it was given.": h.astype(float),
    }


def mean_cycle(C) -> dict[str, float]:
    """Other numbers made of the same walks: sentences to numbers. Source: this book."""
    n = len(C)
    with np.errstate(invalid="ignore"):
        D, E = [np.zeros(n)], [np.where(np.arange(n) == 0, 0.0, np.inf)]
        for _ in range(n):
            D.append((D[-1][:, None] + C).min(axis=0))
            E.append((E[-1][:, None] + C).min(axis=0))
        below = n - np.arange(n)[:, None]
        ratio, from_0 = (D[n] - np.array(D[:n])) / below, (E[n] - np.array(E[:n])) / below
    ratio[:, np.isinf(D[n])] = np.inf  # no walk of n edges ends there
    from_0[:, np.isinf(E[n])] = np.inf
    named = {
        "You take the least over k too: it is the largest over k, then the least over the nodes.": ratio.min(),
        "You take the largest over the nodes too: the least over the nodes is meant.": ratio[np.isfinite(ratio)].max(),
        "Your walks all start in node 0, from where the best cycle cannot be reached.": from_0.max(axis=0).min(),
        "You divide the cheapest walk of n edges by n: it may hold edges that are on no cycle.": D[n].min() / n,
        "Your number is the cheapest edge: a cycle must close.": C.min(),
        "The division is missing: your number is a sum of costs.": (ratio * below).max(axis=0).min(),
    }
    return {text: float(value) for text, value in named.items() if np.isfinite(value)}


def passages(n) -> dict[str, float]:
    """Means of other experiments on the same graph: sentences to numbers. Source: Janson (1999), section 2."""
    harmonic = sum(1 / k for k in range(1, n))
    return {
        "Your mean is that of a single edge: paths of several edges may be cheaper.": 1.0,
        "Your mean is that of the cheapest edge out of node 0: the distance to node n - 1 is asked for.": 1 / (n - 1),
        "Your mean is that of the distance to the farthest node: it is node n - 1 that counts.": 2 * harmonic / n,
        "Your mean counts node 0 itself as a target, at distance 0.": harmonic / n,
    }


# ---------------------------------------------------------------------- the individual orders


def orders(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own shop, as plain numbers: what six weeks demand, what an order and a week in store cost.

    `demand` (6,) pieces, `order` for each order, `hold` a piece a week. With `as_typed`, that of the id in the notebook
    even while nbgrader grades another. Raises `Wrong` if no id is known.
    Source: after Wagner and Whitin (1958).
    """
    draw = Draw(typed if as_typed else student_id(typed), "deterministic/orders")
    demand = tuple(draw.integer(low, high) for low, high in ((20, 60), (5, 30), (30, 80), (10, 40), (40, 90), (15, 50)))
    return {"demand": demand, "order": draw.integer(75, 125), "hold": draw.integer(1, 3)}


def orders_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a shop, gives for a misread shop or the shop of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = orders(typed)
    return {
        for_another_id(typed, "shop"): answer(orders(typed, as_typed=True)),
        "Your answer matches a shop where storing is free.": answer({**m, "hold": 0}),
        "Your answer matches a shop where orders are free of charge.": answer({**m, "order": 0}),
    }


# ---------------------------------------------------------------------- sweeps


def _sweep(nxt, cost, g, T, pick) -> tuple[np.ndarray, np.ndarray]:
    v, plan = np.array([g] * (T + 1), dtype=float), np.zeros((T, len(g)), dtype=int)
    for t in range(T - 1, -1, -1):
        q = cost + v[t + 1][nxt]
        v[t] = pick(q, axis=1)
        plan[t] = q.argmin(axis=1) if pick is np.min else q.argmax(axis=1)
    return v, plan
