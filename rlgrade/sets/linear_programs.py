"""What the test cells of the problem set on linear programs share: misconceptions and individual instances.

Each function named after a problem returns a map from a sentence to what an answer with that misconception gives on the
given instance (see `rlgrade.check.close`). None of them holds a right answer. Arrays are P (S, A, S), r (S, A),
mu (S,), pi (S, A) probabilities, x (S, A) discounted visits; the pair (s, a) has the number s A + a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlgrade.check import demand, numbers
from rlgrade.instances import Draw, for_another_id, student_id

__all__ = [
    "certificate",
    "constrained",
    "draws",
    "model",
    "occupancy",
    "policy",
    "programs",
    "well",
    "well_slips",
]

# ---------------------------------------------------------------------- misconceptions


def occupancy(P, gamma, mu, pi) -> dict[str, np.ndarray]:
    """Other visits: sentences to arrays (S, A). Source: this book."""
    S, A = pi.shape
    chain = np.einsum("sa,sat->st", pi, P)
    step = np.eye(S) - gamma * chain
    x = np.linalg.solve(step.T, mu)[:, None] * pi
    return {
        "You solve with P_pi where its transpose is needed: values flow back, visits flow forward.": np.linalg.solve(
            step, mu
        )[:, None]
        * pi,
        "Your visits are multiplied by 1 - gamma: as defined here, they sum to 1/(1 - gamma).": (1 - gamma) * x,
        "The first step is missing: the state at time 0 is visited too, and counts in full.": x - mu[:, None] * pi,
        "You start in every state with the same probability: mu is forgotten.": (
            np.linalg.solve(step.T, np.full(S, 1 / S))[:, None] * pi
        ),
        "Your visits are those of the states: the share of each action is missing.": x.sum(1, keepdims=True)
        * np.ones(A),
        "The factor gamma is missing from the first step on: only one step is discounted.": (mu + gamma * mu @ chain)[
            :, None
        ]
        * pi,
    }


def policy(x) -> dict[str, np.ndarray]:
    """Other policies: sentences to arrays (S, A). Source: this book."""
    A = x.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        right = np.where(x.sum(1, keepdims=True) > 0, x / x.sum(1, keepdims=True), 1 / A)
        columns = x / x.sum(axis=0)
    rare = x.sum(1, keepdims=True) < 1e-4
    return {
        "You divide by all visits: divide by those of the state, so that each row sums to 1.": x / x.sum(),
        "You divide by the sums over states: divide by those over actions.": columns,
        "You keep the most frequent action only: a share is asked for.": np.eye(A)[x.argmax(axis=1)],
        "Your rows are 0 where nothing is visited: a policy needs probabilities there too.": right
        * (x.sum(1, keepdims=True) > 0),
        "You treat a rare visit as none: however small x is, its shares are what counts.": np.where(rare, 1 / A, right),
    }


def programs(P, r, gamma, mu) -> dict[str, dict[str, np.ndarray]]:
    """Other programs: for "A_ub", "b_ub", "c_v", "A_eq", "b_eq" and "c_x", sentences to arrays. Source: this book."""
    S, A = r.shape
    stay, law = np.repeat(np.eye(S), A, axis=0), P.reshape(S * A, S)
    rows = gamma * law - stay
    forgot = "mu is forgotten: you weigh all states equally."
    scaled = "You multiply mu by 1 - gamma: that is the program of normalised visits, not of these."
    return {
        "A_ub": {
            "Your rows are turned round, to say v <= Tv: `linprog` reads <=, so v(s) has a minus sign.": -rows,
            "gamma is missing in your rows.": law - stay,
            "v(s) itself is missing in your rows.": gamma * law,
            "Your rows are numbered a S + s: number the pairs s A + a.": rows.reshape(S, A, S)
            .transpose(1, 0, 2)
            .reshape(S * A, S),
        },
        "b_ub": {
            "Your right sides have the wrong sign: gamma p.v - v(s) <= -r(s, a).": r.reshape(-1),
            "Your right sides are numbered a S + s: number the pairs s A + a.": -r.T.reshape(-1),
        },
        "c_v": {
            "You maximise the values: nothing bounds them from above, so this program is unbounded.": -mu,
            forgot: np.ones(S),
            scaled: (1 - gamma) * mu,
        },
        "A_eq": {
            "gamma is missing in the flow.": (stay - law).T,
            "What flows into a state is added to its visits: visits less inflow is what starts there.": (
                stay + gamma * law
            ).T,
            "Your flow uses p(s | t, a) where it needs p(t | s, a): row t collects what leads to t.": stay.T
            - gamma * P.transpose(0, 2, 1).reshape(S, S * A),
            "Your columns are numbered a S + s: number the pairs s A + a.": (stay - gamma * law)
            .T.reshape(S, S, A)
            .transpose(0, 2, 1)
            .reshape(S, S * A),
        },
        "b_eq": {
            forgot: np.ones(S),
            scaled: (1 - gamma) * mu,
            "The right side is 0 in your flow, as for a chain that never started.": 0 * mu,
        },
        "c_x": {
            "You minimise the reward: `linprog` minimises, so c is minus the reward.": r.reshape(-1),
            "Your costs are numbered a S + s: number the pairs s A + a.": -r.T.reshape(-1),
        },
    }


def certificate(P, r, gamma, mu, v) -> dict[str, dict[str, Any]]:
    """Other bounds: for "upper", "lower" and "losses", sentences to values. Source: this book."""
    S, A = r.shape
    q = r + gamma * P @ v
    change, pi = q.max(axis=1) - v, np.eye(A)[q.argmax(axis=1)]
    chain, lift = np.einsum("sa,sat->st", pi, P), change.max() / (1 - gamma)
    values = np.linalg.solve(np.eye(S) - gamma * chain, (pi * r).sum(axis=1))
    x = np.linalg.solve((np.eye(S) - gamma * chain).T, mu)[:, None] * pi
    raised, base = (v[:, None] - q) + (1 - gamma) * lift, float(mu @ v)
    return {
        "upper": {
            "You raise v and never lower it: where v > Tv everywhere, a smaller v is feasible.": base + max(lift, 0.0),
            "Your upper bound is mu v: v need not satisfy v >= Tv, so first raise or lower it.": base,
            "The division by 1 - gamma is missing: raising v by k raises Tv by gamma k too.": base + change.max(),
            "You raise by the smallest change: that gives a lower bound, the largest is needed.": base
            + change.min() / (1 - gamma),
            "You raise by the size of the change: its sign matters.": base + np.abs(change).max() / (1 - gamma),
            "You raise by gamma/(1 - gamma) times the change: that bounds Tv, not v.": base + gamma * lift,
        },
        "lower": {
            "Your lower bound is mu v: it must be the value of a policy.": base,
            "Your lower bound is mu Tv: it must be the value of a policy, not of one step.": float(mu @ q.max(axis=1)),
            "mu is forgotten in your lower bound: it is the mean over all states.": float(values.mean()),
            "Your lower bound is that of the policy that is greedy for the rewards of one step.": _worth(
                P, r, gamma, mu, np.eye(A)[r.argmax(axis=1)]
            ),
        },
        "losses": {
            "Your losses use v where the raised u is needed: their sum is then not the gap.": x * (v[:, None] - q),
            "Your losses are not multiplied by the visits.": pi * raised,
            "Your losses are those of single steps at all pairs: multiply by the visits x.": raised,
            "Your losses have the wrong sign: u(s) - q_u(s, a) is never negative.": -x * raised,
            "mu is forgotten in your visits.": np.linalg.solve((np.eye(S) - gamma * chain).T, np.full(S, 1 / S))[
                :, None
            ]
            * pi
            * raised,
        },
    }


def constrained(task, solve: Callable) -> dict[str, np.ndarray]:
    """Other policies for `task` = (P, r, gamma, mu, cost, limit): sentences to arrays (S, A), to 6 decimals.

    `solve` returns (pi, mixed) for such a task, or None where no policy keeps the limit. Source: this book.
    """
    P, r, gamma, mu, cost, limit = task
    pi, mixed = solve(*task)
    tasks = {
        "Your policy ignores the limit: it is the best without.": (P, r, gamma, mu, cost, np.inf),
        "Your policy is the best for costs that are at least the limit: <= is turned round.": (
            *task[:4],
            -cost,
            -limit,
        ),
        "mu is forgotten: your policy is right if every state is equally likely at the start.": (
            *task[:3],
            np.full(len(mu), 1 / len(mu)),
            cost,
            limit,
        ),
        "The limit is scaled by 1 - gamma: that is right for visits that sum to 1, and these do not.": (
            *task[:5],
            limit * (1 - gamma),
        ),
        "Your policy is the worst that keeps the limit: `linprog` minimises.": (P, -r, *task[2:]),
    }
    others = {sentence: solve(*other) for sentence, other in tasks.items()}
    found = {
        "You round the coin away: no deterministic policy is best here.": np.eye(pi.shape[1])[pi.argmax(axis=1)],
        "You mix the policies where the visits must be mixed: the policy of a mixture of visits has other odds.": mixed,
        **{sentence: other[0] for sentence, other in others.items() if other is not None},
    }
    return {sentence: np.round(other, 6) for sentence, other in found.items() if np.abs(other - pi).max() > 1e-5}


def draws(P, gamma, mu, pi) -> dict[str, np.ndarray]:
    """Other laws of a drawn pair: sentences to probabilities (S, A). Source: this book."""
    chain = np.einsum("sa,sat->st", pi, P)

    def stopped(factor, law):
        return (1 - factor) * np.linalg.solve((np.eye(len(mu)) - factor * chain).T, law)[:, None] * pi

    late = mu @ np.linalg.matrix_power(chain, round(1 / (1 - gamma)))
    return {
        "They follow the visits from time 1 on: a run stops at once with probability 1 - gamma.": (
            stopped(gamma, mu @ chain)
        ),
        "They follow the visits for 1 - gamma: a run goes on with probability gamma.": stopped(1 - gamma, mu),
        "They follow the law at one fixed time: the time of the stop must be drawn for each run.": late[:, None] * pi,
        "They follow the law of the first pair: the runs never move.": mu[:, None] * pi,
        "They follow runs that start in all states alike: mu is forgotten.": stopped(
            gamma, np.full(len(mu), 1 / len(mu))
        ),
        "They follow the law after a long time: early steps count more.": (
            mu @ np.linalg.matrix_power((np.eye(len(mu)) + chain) / 2, 4000)
        )[:, None]
        * pi,
    }


def _worth(P, r, gamma, mu, pi) -> float:
    chain = np.einsum("sa,sat->st", pi, P)
    return float(mu @ np.linalg.solve(np.eye(len(mu)) - gamma * chain, (pi * r).sum(axis=1)))


# ---------------------------------------------------------------------- what a witness returns


def model(P: Any, r: Any, gamma: Any, S_most: int = 3, A_most: int = 2) -> tuple[np.ndarray, np.ndarray, float]:
    """What an answer returned, as a process with at most `S_most` states and `A_most` actions, |r| <= 10, gamma <= 0.9.

    Probabilities are 0 or at least 0.01. Raises `Wrong` naming what is amiss: a shape, a law, a number out of range.
    Source: this book.
    """
    S, A = np.shape(r) if np.ndim(r) == 2 else (0, 0)
    small = 1 <= S <= S_most and 1 <= A <= A_most
    demand(small, f"r must have shape (S, A) with S <= {S_most} and A <= {A_most}.", what="r", got=r)
    P, r, gamma = numbers(P, (S, A, S), "P"), numbers(r, (S, A), "r"), float(numbers(gamma, (), "gamma"))
    law(P, "P[s, a]")
    demand(np.abs(r).max() <= 10, "some reward is larger than 10 in size.", what="r", got=r)
    demand(0.1 <= gamma <= 0.9, "a number from 0.1 to 0.9 is asked for.", what="gamma", got=gamma)
    return P, r, gamma


def law(p: np.ndarray, what: str) -> None:
    """Raise `Wrong` unless the last axis of `p` (any shape) holds laws whose entries are 0 or at least 0.01.

    Source: this book.
    """
    whole = (p >= 0).all() and np.allclose(p.sum(axis=-1), 1)
    demand(whole, f"{what} must sum to 1 and have no negative entries.", what=what, got=p.sum(axis=-1))
    demand(((p == 0) | (p >= 0.01)).all(), "a probability is either 0 or at least 0.01 here.", what=what, got=p)


# ---------------------------------------------------------------------- the individual well


def well(typed: str, *, as_typed: bool = False) -> dict[str, Any]:
    """The student's own well, as plain numbers.

    `pay` (3,) for pumping at low, middle and high water, `fall` and `rain` probabilities, `gamma`, `limit` on the
    expected discounted number of pumpings. With `as_typed`, that of the id in the notebook even while nbgrader grades
    another. Raises `Wrong` if no id is known. Source: this book.
    """
    draw = Draw(typed if as_typed else student_id(typed), "linear_programs/well")
    low, periods = draw.integer(9, 15), draw.choice((5, 10, 20))
    middle = low + draw.integer(1, 5)
    return {
        "pay": (low, middle, middle + draw.integer(1, 5)),
        "fall": draw.integer(55, 90) / 100,
        "rain": draw.integer(40, 85) / 100,
        "gamma": 1 - 1 / periods,
        "limit": periods * draw.integer(62, 90) / 100,
    }


def well_slips(typed: str, answer: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What `answer`, a function of a well, gives for a misread well or the well of another id.

    Sentences to what `answer` returns (any shape). Source: this book.
    """
    m = well(typed)
    return {
        for_another_id(typed, "well"): answer(well(typed, as_typed=True)),
        "Your answer matches a well where fall and rain are exchanged.": answer(
            {**m, "fall": m["rain"], "rain": m["fall"]}
        ),
        "Your answer matches a well that starts full: all three levels are equally likely at the start.": answer(
            {**m, "start": (0.0, 0.0, 1.0)}
        ),
        "Your answer matches a limit on pumpings a day: the limit is on their discounted sum.": answer(
            {**m, "limit": m["limit"] * (1 - m["gamma"])}
        ),
        "Your answer matches a well where rain also falls on days of pumping.": answer({**m, "wet": True}),
    }
