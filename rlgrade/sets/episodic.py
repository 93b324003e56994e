"""What the test cells of the problem set on shortest paths share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). None of them holds a right answer. Arrays are P (S, A, S), r (S, A),
terminal (S,) of bools, where P and r are 0 in the rows of terminal states; a policy pi (S,) is one action a state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rlgrade.instances import Draw, for_another_id, student_id
from rlgrade.paths import factor, reach

__all__ = [
    "ends",
    "evaluate",
    "killed",
    "street",
    "street_slips",
    "unrolled",
    "value_iteration",
    "weights",
]

# ---------------------------------------------------------------------- misconceptions


def ends(P, terminal, pi) -> dict[str, np.ndarray]:
    """Other sets of states: sentences to bools (S,). Source: this book."""
    P_pi = _chain(P, pi)
    absorbing = P_pi + np.diag(terminal)
    late: Callable = lambda n: np.linalg.matrix_power(absorbing, n)[:, terminal].sum(axis=1)  # noqa: E731
    can = reach(P_pi, terminal)
    sure = ~reach(P_pi, ~can)
    return {
        "You mark the states that can end: to end for sure, they must also be unable to reach a trap.": can,
        "You mark the states that can end in one step: the walk may take longer.": terminal | (late(1) > 0),
        "Terminal states are missing: there the walk has ended already.": sure & ~terminal,
        "You mark the states that never end: true is asked for where the walk ends for sure.": ~sure,
        "You ask whether the walk has ended after many steps, and a rare exit takes more: look at which "
        "probabilities are positive, not at how large they are.": late(10_000) > 0.999,
        "You mark the states that have ended for sure after S steps: the walk may take longer.": late(len(pi))
        > 1 - 1e-9,
    }


def evaluate(P, r, terminal, pi) -> dict[str, dict[str, np.ndarray]]:
    """Misread evaluations: for "visits", "steps" and "v", sentences to arrays. Source: this book."""
    S, alive = len(pi), ~terminal
    own, P_pi, r_pi = np.diag(alive.astype(float)), _chain(P, pi), r[np.arange(len(pi)), pi]
    inside = P_pi * alive
    N = np.linalg.inv(np.eye(S) - inside) - np.diag(terminal)
    with_end = np.linalg.inv(np.eye(S) - P_pi)
    return {
        "visits": {
            "Your visits leave out the start: the walk is in s at time 0, and that counts.": N - own,
            "Your visits are transposed: row s belongs to the walk that starts in s.": N.T,
            "Your visits count terminal states: there the walk is over.": with_end,
            "Your visits count terminal states as starts: there the walk is over.": N + np.diag(terminal),
            "Your visits match those of the first two moments only: add up all powers.": own + inside,
        },
        "steps": {
            "Your steps count the arrival as one more: the last step is the one that enters a terminal state.": (
                with_end.sum(axis=1)
            ),
            "Your steps leave out the first one.": (N.sum(axis=1) - 1) * alive,
            "Your steps are sums of columns: those count how often a state is visited, from all starts.": N.sum(axis=0),
        },
        "v": {
            "Your values match the expected reward of one step: the rest of the walk is missing.": r_pi,
            "Your values leave out the first reward.": (N - own) @ r_pi,
            "Your values match those of the transposed chain.": N.T @ r_pi,
            "Your values match steps times the mean reward of the states: some states are visited more often.": (
                N.sum(axis=1) * r_pi[alive].mean()
            ),
        },
    }


def weights(P, terminal) -> dict[str, np.ndarray]:
    """Weights that need not do: sentences to arrays (S,). Source: this book."""
    alive = (~terminal).astype(float)
    mean = np.linalg.solve(np.eye(len(alive)) - P.mean(axis=1) * alive, alive)
    fewest = np.zeros(len(alive))
    for _ in range(5000):
        fewest = alive * (1 + (P @ fewest).min(axis=1))
    return {
        "With equal weights this is the sup norm: a step that cannot end keeps all of it.": alive,
        "Your weights match the expected steps of a policy that chooses at random: the worst action counts.": mean,
        "Your weights match the fewest expected steps: take the actions that last longest.": fewest,
    }


def value_iteration(P, r, terminal, w, epsilon) -> dict[str, tuple[np.ndarray, int]]:
    """Value iterations with another stop: sentences to (v, sweeps). Source: this book."""
    rho, alive, top = factor(P, terminal, w), ~terminal, w.max()
    scale = rho / (1 - rho)
    weighted: Callable = lambda d: (d[alive] / w[alive]).max()  # noqa: E731
    rule = list(_runs(P, r, lambda d: scale * top * weighted(d), epsilon))
    (v, sweeps) = rule[-1]
    return {
        "You stop when the change is below epsilon itself: what is still to come may add up to more.": (
            *_runs(P, r, np.max, epsilon),
        )[-1],
        "The largest weight is missing: the rule bounds the error divided by w, and epsilon is about the error.": (
            *_runs(P, r, lambda d: scale * weighted(d), epsilon),
        )[-1],
        "You measure the change in the sup norm: divide it by w, state by state.": (
            *_runs(P, r, lambda d: scale * d.max(), epsilon),
        )[-1],
        "You measure the change in the sup norm and then multiply by the largest weight.": (
            *_runs(P, r, lambda d: scale * top * d.max(), epsilon),
        )[-1],
        "The count is one too small: the sweep that meets the rule counts too.": (rule[-2:][0][0], sweeps - 1),
        "You sweep once more than needed: the factor is rho/(1 - rho); the sweep that meets the rule is the last.": (
            v,
            sweeps + 1,
        ),
        "Your factor is 1/(1 - rho): behind the last change come rho, rho^2, ... of it.": (
            *_runs(P, r, lambda d: top * weighted(d) / (1 - rho), epsilon),
        )[-1],
    }


def killed(P, r, gamma) -> dict[str, dict[str, np.ndarray]]:
    """Other processes that end by chance: for "P" and "r", sentences to arrays. Source: this book."""

    def with_exit(stay: float, leave: float) -> np.ndarray:
        wide = np.zeros((len(r) + 1, r.shape[1], len(r) + 1))
        wide[:-1, :, :-1], wide[:-1, :, -1] = stay * P, leave
        return wide

    absorbing = with_exit(gamma, 1 - gamma)
    absorbing[-1, :, -1] = 1
    return {
        "P": {
            "The walk ends with probability gamma in your P: it goes on with probability gamma.": with_exit(
                1 - gamma, gamma
            ),
            "The exits are missing: your rows sum to gamma.": with_exit(gamma, 0),
            "Nothing was taken off P: your rows sum to 2 - gamma.": with_exit(1, 1 - gamma),
            "Your terminal state leads to itself: its rows are 0 in this set.": absorbing,
        },
        "r": {
            "You discount the rewards too: the step is paid before the coin is tossed.": gamma
            * np.pad(r, ((0, 1), (0, 0)))
        },
    }


def unrolled(P, r, H) -> dict[str, dict[str, np.ndarray]]:
    """Other processes over time: for "P" and "r", sentences to arrays. Source: this book."""
    S, A = r.shape
    time, state = np.divmod(np.arange(H * S), S)
    late, back, other = (np.zeros((H * S + 1, A, H * S + 1)) for _ in range(3))
    for i, (t, s) in enumerate(zip(time, state, strict=True)):
        if t + 1 < H:
            late[i, :, (t + 1) * S : (t + 2) * S] = P[s]
            other[s * H + t, :, t + 1 : H * S : H] = P[s]
        else:
            other[s * H + t, :, -1] = 1
        back[i, :, t * S : (t + 1) * S] = P[s]
    rewards = np.pad(np.tile(r, (H, 1)), ((0, 1), (0, 0)))
    unpaid = rewards.copy()
    unpaid[(H - 1) * S :] = 0
    return {
        "P": {
            "The last step leads nowhere in your P: it leads to the terminal state.": late,
            "Time does not pass in your P: a step leads from time t to t + 1.": back,
            "Your states are numbered s H + t: number them t S + s.": other,
        },
        "r": {
            "The last step is not paid in your r: all H steps are.": unpaid,
            "Your states are numbered s H + t: number them t S + s.": np.pad(np.repeat(r, H, 0), ((0, 1), (0, 0))),
        },
    }


# ---------------------------------------------------------------------- the individual street


def street(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own street, as plain numbers: four places to park on a ring, in the order in which one passes them.

    `walk` (4,) minutes on foot, `free` (4,) probabilities, `drive` minutes to the next place. With `as_typed`, that of
    the id in the notebook even while nbgrader grades another. Raises `Wrong` if no id is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "episodic/street")
    walk = (draw.integer(25, 33), draw.integer(6, 14), draw.integer(1, 4), draw.integer(9, 19))
    free = tuple(draw.integer(low, high) / 100 for low, high in ((40, 90), (25, 60), (10, 40), (40, 90)))
    return {"walk": walk, "free": free, "drive": draw.integer(1, 3)}


def street_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a street, gives for a misread street or the street of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = street(typed)
    return {
        for_another_id(typed, "street"): answer(street(typed, as_typed=True)),
        "Your answer matches a street whose probabilities are those of being taken, not of being free.": answer(
            {**m, "free": tuple(1 - f for f in m["free"])}
        ),
        "Your answer matches a street where driving on takes no time.": answer({**m, "drive": 0}),
        "Your answer matches a street driven through the other way round: after place 0 comes place 1.": _backwards(
            answer, m
        ),
    }


def _backwards(answer: Callable, m: dict[str, Any]) -> Any:
    turned = answer({"walk": m["walk"][::-1], "free": m["free"][::-1], "drive": m["drive"]})
    return np.asarray(turned)[::-1]


# ---------------------------------------------------------------------- sweeps with a chosen stop


def _chain(P, pi) -> np.ndarray:
    return P[np.arange(len(pi)), pi]


def _runs(P, r, size, epsilon) -> Iterator[tuple[np.ndarray, int]]:
    """Sweep from zero until `size` of the absolute changes is at most `epsilon`: each iterate with its number."""
    v = np.zeros(len(r))
    for sweeps in range(1, 100_000):
        new = (r + P @ v).max(axis=1)
        change, v = np.abs(new - v), new
        yield v, sweeps
        if size(change) <= epsilon:
            return
