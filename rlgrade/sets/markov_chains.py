"""What the test cells of the problem set on Markov chains share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). A chain is an array P (n, n) whose row i is the law of the next state.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Any

import numpy as np

from rlgrade import chains, paths
from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "classify",
    "hitting",
    "invariant",
    "mixing",
    "parcel",
    "parcel_slips",
    "weather",
    "weather_slips",
]


# ---------------------------------------------------------------------- misconceptions


def classify(P) -> dict[str, dict[str, np.ndarray]]:
    """Misread classes: for "classes", "recurrent", "period", sentences to whole numbers (n,). Source: this book."""
    n, step = len(P), P > 0
    reach = np.array([paths.reach(P, goal) for goal in np.eye(n, dtype=bool)]).T  # reach[i, j]: i leads to j
    near = (step & step.T) | np.eye(n, dtype=bool)
    weak = np.linalg.matrix_power((np.eye(n) + step + step.T).astype(bool).astype(object), n) > 0
    late = np.linalg.matrix_power(0.5 * (P + np.eye(n)), 10_000)
    back, walks = [], step
    for _ in range(n):
        back.append(walks.diagonal())
        walks = walks @ step
    times = [[k + 1 for k in range(n) if back[k][i]] for i in range(n)]
    return {
        "classes": {
            "Your classes hold all that a state leads to: to communicate, the way back is needed too.": reach.argmax(1),
            "Your classes look at single steps only: the way may be longer.": near.argmax(axis=1),
            "Your classes ignore in which direction one can go.": weak.argmax(axis=1),
        },
        "recurrent": {
            "You judge by the size of P^n(i, i) for one large n: a way out that is rarely taken is still a way out.": (
                late.diagonal() > 1e-6
            ).astype(int),
            "You mark the states that can come back: recurrent ones come back for sure.": np.array(
                [any(step[i] & reach[:, i]) for i in range(n)]
            ).astype(int),
            "You mark absorbing states only: a recurrent state may be left, if the way back is sure.": (
                P.diagonal() == 1
            ).astype(int),
        },
        "period": {
            "Your period is the length of the shortest way back: take the greatest common divisor of all lengths.": (
                np.array([min(t, default=0) for t in times])
            ),
            "Your period looks at the first n steps only: a longer way back may lower the divisor.": np.array(
                [gcd(*t) for t in times]
            ),
            "Your period is 1 where a state can stay, and its shortest way back elsewhere.": np.array(
                [1 if step[i, i] else min(t, default=0) for i, t in enumerate(times)]
            ),
        },
    }


def hitting(P, target) -> dict[str, dict[str, np.ndarray]]:
    """Misread hitting: for "chance" and "time", sentences to arrays (n,). Source: this book."""
    n = len(P)
    goal = np.isin(np.arange(n), target)
    stop = np.where(goal[:, None], np.eye(n), P)
    within = [np.linalg.matrix_power(stop, k)[:, goal].sum(axis=1) for k in (1, n)]
    can = paths.reach(P, goal)
    return {
        "chance": {
            "You mark from where the target can be reached: with which probability?": can.astype(float),
            "Your chances solve the equations, but are not their smallest solution: a state that cannot reach the "
            "target has chance 0.": np.ones(n),
            "Your chances stop after one step: the walk goes on until it hits.": within[0],
            "Your chances stop after n steps: the walk goes on until it hits.": within[1],
            "Your chances are to be in the target after exactly one step.": P[:, goal].sum(axis=1),
        },
        "time": {
            "Your times are lengths of shortest ways: the mean over all ways is asked for.": _shortest(P, goal),
            "Your times are reciprocals of the chances of a single step: the chance changes from state to state.": (
                np.where(goal, 0, 1 / np.maximum(P[:, goal].sum(axis=1), 1e-300))
            ),
        },
    }


def invariant(P) -> dict[str, np.ndarray]:
    """Misread invariant laws: sentences to laws (n,). Source: this book."""
    n = len(P)
    return {
        "Your law is uniform, the solution of P x = x (every constant x solves it): rows and columns are exchanged. "
        "The law is a row, and solves nu P = nu.": np.full(n, 1 / n),
        "Your law is that after many steps from state 0: if the chain has a period, it goes round for ever.": (
            np.linalg.matrix_power(P, 1000)[0]
        ),
        "Your law is one step away from the uniform law: column sums of P, not more.": P.sum(axis=0) / n,
        "Your law is proportional to how long a state is kept, 1/(1 - P[i, i]): it matters too how often it is entered.": (  # noqa: E501
            _normal(1 / np.maximum(1 - P.diagonal(), 1e-300))
        ),
    }


def mixing(P, epsilon) -> dict[str, dict[str, Any]]:
    """Misread mixing: for "kappa" a number, for "time" whole numbers, by sentence. Source: this book."""
    law = np.array([float(x) for x in chains.law(P)])
    gap: Callable = lambda A: np.abs(A[:, None] - A[None]).sum(axis=-1)  # noqa: E731
    kappa = float(gap(P).max()) / 2
    return {
        "kappa": {
            "Your coefficient is the sum of the absolute differences: the total variation is half of it.": 2 * kappa,
            "Your coefficient is the overlap of the rows: the distance is 1 minus that.": 1 - kappa,
            "Your coefficient compares columns: the laws are the rows.": float(gap(P.T).max()) / 2,
            "Your coefficient is the distance of the rows to the invariant law, not to each other.": float(
                np.abs(P - law).sum(axis=1).max() / 2
            ),
            "Your coefficient is the largest difference of two single entries: add the differences up, and halve.": (
                float(np.abs(P[:, None] - P[None]).max())
            ),
        },
        "time": {
            "Your time measures by the sum of the absolute differences: the total variation is half of it.": _first(
                P, law, lambda d: d.max() <= epsilon / 2
            ),
            "Your time takes the mean over the starts: the worst start counts.": _first(
                P, law, lambda d: d.mean() <= epsilon
            ),
            "Your time is that from state 0: the worst start counts.": _first(P, law, lambda d: d[0] <= epsilon),
            "Your time is what the contraction guarantees, kappa^t <= epsilon: the chain may be faster.": (
                int(np.ceil(np.log(epsilon) / np.log(kappa))) if 0 < kappa < 1 else 0
            ),
            "Your time compares with the uniform law: compare with the invariant one.": _first(
                P, np.full(len(P), 1 / len(P)), lambda d: d.max() <= epsilon
            ),
            "Your time is one too large: P itself is one step.": 1 + _first(P, law, lambda d: d.max() <= epsilon),
            "Your time is one too small: the law of the start, before any step, is time 0.": (
                _first(P, law, lambda d: d.max() <= epsilon) - 1
            ),
        },
    }


# ---------------------------------------------------------------------- individual instances


def parcel(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own parcel service, as plain numbers: four depots, `moves` (4, 4), `delivered` and `lost` (4,).

    With `as_typed`, that of the id in the notebook even while nbgrader grades another. Raises `Wrong` if no id is
    known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "markov_chains/parcel")
    moves, delivered, lost = [], [], []
    ends = ((25, 40), (1, 3)), ((15, 30), (2, 6)), ((10, 20), (5, 10)), ((5, 10), (15, 25))  # a long way is a risk
    for i, chances in enumerate(ends):
        home, gone = (draw.integer(*chance) for chance in chances)
        first, second = draw.integer(10, 25), draw.integer(5, 20)
        others = [first, second, 100 - home - gone - first - second]
        delivered.append(home / 100)
        lost.append(gone / 100)
        moves.append(tuple(x / 100 for x in (*others[:i], 0, *others[i:])))
    return {"moves": tuple(moves), "delivered": tuple(delivered), "lost": tuple(lost)}


def parcel_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a service, gives for a misread service or that of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = parcel(typed)
    turned = tuple(zip(*m["moves"], strict=True))
    return {
        for_another_id(typed, "service"): answer(parcel(typed, as_typed=True)),
        "Your answer exchanges rows and columns: moves[i][j] leads from depot i to depot j.": answer(
            {**m, "moves": turned}
        ),
        "Your answer matches a service that exchanges delivered and lost.": answer(
            {**m, "delivered": m["lost"], "lost": m["delivered"]}
        ),
    }


def weather(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own weather, as plain numbers: `P` (4, 4), no entry 0. Arguments as those of `parcel`.

    Raises `Wrong` if no id is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "markov_chains/weather")
    rows = []
    for i in range(4):
        others = [draw.integer(4, 30) for _ in range(3)]
        rows.append(tuple(x / 100 for x in (*others[:i], 100 - sum(others), *others[i:])))
    return {"P": tuple(rows)}


def weather_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a weather, gives for that of another id. As `parcel_slips`. Source: this book."""
    return {for_another_id(typed, "weather"): answer(weather(typed, as_typed=True))}


# ---------------------------------------------------------------------- parts of the above


def _first(P, law, small) -> int:
    """The first time t at which the distances (n,) of the rows of P^t to `law` are `small`; at most 2,000."""
    now = np.eye(len(P))
    for t in range(2000):
        if small(np.abs(now - law).sum(axis=1) / 2):
            return t
        now = now @ P
    return 2000


def _shortest(P, goal) -> np.ndarray:
    """Least numbers of steps (n,) to `goal`, and -1 where there is no way."""
    found = np.where(goal, 0.0, -1.0)
    for k in range(1, len(P)):
        new = (P[:, found == k - 1] > 0).any(axis=1) & (found < 0)
        found[new] = k
    return found


def _normal(weights) -> np.ndarray:
    return weights / weights.sum()
