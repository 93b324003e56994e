"""Stochastic shortest paths: processes that end, with nothing discounted on the way.

A policy is *proper* if it ends with probability one from every state. With gamma = 1 only proper policies have
values that a linear system gives; with gamma < 1 the solvers take every step to survive with probability gamma, and
every policy will do.

A result is a `Solution`, with these meanings: `residual` is the half-span of Tv - v with the 0 of the end counted,
(max(0, max d) - min(0, min d)) / 2, and `tol` means that; `bounds` enclose the best value that any proper policy has,
and its lower half holds for `pi`; a bound is infinite where nothing better is known. See `bounds`.

Sources: Bertsekas and Tsitsiklis (1991); Bertsekas (2012), volume II, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rlcore.mdp import FiniteMDP, greedy
from rlcore.planning._ends import (
    all_proper,
    ending,
    find_proper,
    name_of,
    proper,
    staying,
    time_augmented,
    with_termination,
)
from rlcore.planning._linear import solve_chain
from rlcore.planning.certificates import Progress, Solution, half_span, values

__all__ = [
    "Solution",
    "all_proper",
    "bounds",
    "evaluate",
    "expected_steps",
    "find_proper",
    "max_steps",
    "policy_iteration",
    "proper",
    "staying",
    "time_augmented",
    "value_iteration",
    "with_termination",
]

# ---------------------------------------------------------------------- one policy


def evaluate(mdp: FiniteMDP, pi: np.ndarray) -> np.ndarray:
    """Values (S,) of a stationary policy, by solving (I - gamma P_pi) v = r_pi.

    `pi` is (S,) actions or (S, A) probabilities. Raises ValueError for an invalid policy and, if gamma = 1, for an
    improper one, naming a state from which it never ends. Source: Bertsekas (2012), volume II, chapter 3.
    """
    return _values_and_steps(mdp, pi)[0]


def expected_steps(mdp: FiniteMDP, pi: np.ndarray) -> np.ndarray:
    """Expected number of steps (S,) to the end, 0 where s is terminal; gamma plays no part.

    `pi` is (S,) actions or (S, A) probabilities. Raises ValueError for an invalid or improper policy.
    Source: Kemeny and Snell (1960), chapter 3.
    """
    return _values_and_steps(replace(mdp, gamma=1.0), pi)[1]


def _values_and_steps(mdp: FiniteMDP, pi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """v^pi and the expected number of steps, if each is survived with probability gamma."""
    P, r = mdp.induced(pi)
    if mdp.gamma == 1 and not (ends := ending(mdp, P)).all():
        raise ValueError(
            f"The policy is improper: from state {name_of(mdp, ~ends)} it never ends, so its values solve no linear "
            "system. Take a proper policy (find_proper gives one), or discount (gamma < 1)."
        )
    right = np.stack([r, ~mdp.terminal], axis=1)
    v, steps = solve_chain(P, mdp.gamma, right).T
    return v, steps


# ---------------------------------------------------------------------- the best policy


def value_iteration(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Repeat v <- Tv until the half-span of Tv - v, the 0 of the end counted, is at most tol.

    Takes a start `v0` (S,), zeros by default; returns a `Solution`. Where a loop is free, the limit may depend on
    the start; `bounds` then show it. Raises ValueError if no policy can end, if values are infinite, if the sweeps
    swing for ever between the same values (free loops again), or for an invalid argument; warns at max_iter.
    Source: Bertsekas and Tsitsiklis (1991).
    """
    v, progress = values(mdp, v0), _Progress(mdp, tol, max_iter)
    stay = staying(mdp)
    if mdp.gamma == 1 and stay.any():
        pi = find_proper(mdp)
        if mdp.r[stay].max() > 0:  # a loop may pay: then policy iteration says so
            list(_rounds(mdp, pi))
    old = v  # the iterate after the last power of two of sweeps (Brent's way to find a cycle)
    while True:
        tv = mdp.q(v).max(axis=1)
        if progress.done(_residual(tv - v), mdp.S * mdp.A, tv):
            return _solution(progress, tv, None, "value iteration")
        sweeps = len(progress.residual)
        if mdp.gamma == 1 and np.abs(tv - old).max() <= progress.rounding(tv) < progress.residual[-1]:
            raise ValueError(
                f"Value iteration swings for ever: after {sweeps} sweeps the values are those of an earlier sweep. "
                "Take policy_iteration, make the loops cost something, or discount (gamma < 1)."
            )
        v, old = tv, tv if sweeps & (sweeps - 1) == 0 else old


def policy_iteration(mdp: FiniteMDP, *, tol: float = 1e-6, pi0=None, max_iter: int | None = None) -> Solution:
    """From a proper policy, evaluate exactly and improve, changing an action only for a better one.

    Starts from `pi0` (S,), `find_proper(mdp)` by default. Ends at a policy that is best among the proper ones,
    which is the `pi` of the `Solution`; `tol` does not stop it early. Raises ValueError if no policy can end, if
    `pi0` is improper, or if a policy is met whose values are infinite; warns at max_iter.
    Source: Bertsekas and Tsitsiklis (1991).
    """
    progress, first = _Progress(mdp, tol, max_iter), _first_policy(mdp) if pi0 is None else np.asarray(pi0)
    if first.shape != (mdp.S,):
        raise ValueError(f"pi0 must hold one action for each state, shape ({mdp.S},); got shape {first.shape}.")
    for pi, v, q in _rounds(mdp, first):  # noqa: B007
        progress.done(_residual(q.max(axis=1) - v), mdp.S * mdp.A, v)
        if len(progress.residual) == max_iter:
            break
    return _solution(progress, v, pi, "policy iteration")


def _first_policy(mdp: FiniteMDP) -> np.ndarray:
    return find_proper(mdp) if mdp.gamma == 1 else greedy(mdp.q(np.zeros(mdp.S)))


def _rounds(mdp: FiniteMDP, pi: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Each round's policy, its values and one look ahead, until no action is better by more than rounding."""
    states, rounding = np.arange(mdp.S), _Progress(mdp, 1.0, None).rounding
    while True:
        v, steps = _values_and_steps(mdp, pi)
        q = mdp.q(v)
        yield pi, v, q
        better = q.max(axis=1) - q[states, pi] > rounding(v) * max(1.0, steps.max())
        if not better.any():
            return
        pi = np.where(better, q.argmax(axis=1), pi)
        if mdp.gamma == 1 and not (ends := ending(mdp, mdp.induced(pi)[0])).all():
            raise ValueError(
                f"Values are infinite: from state {name_of(mdp, ~ends)} a policy can go round for ever and earn a "
                "positive reward per step on average. Make the loop cost something, or discount (gamma < 1)."
            )


# ---------------------------------------------------------------------- what is known for sure


def max_steps(mdp: FiniteMDP) -> np.ndarray:
    """The largest expected number of steps (S,) that any policy takes, if each is survived with probability gamma.

    Raises ValueError, naming a state, if gamma = 1 and some policy is improper.
    Source: Bertsekas and Tsitsiklis (1996), section 2.2, the weights of the norm.
    """
    stay = staying(mdp)
    if mdp.gamma == 1 and stay.any():
        raise ValueError(
            f"From state {name_of(mdp, stay.any(axis=1))} some policy never ends, so the expected steps "
            "have no largest value (all_proper says when they have). Remove the loop, or discount (gamma < 1)."
        )
    return _best(mdp, np.where(mdp.feasible & ~mdp.terminal[:, None], 1.0, mdp.r))


def bounds(mdp: FiniteMDP, v: np.ndarray, pi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper bounds (S,), (S,) on the best value of a proper policy, from any v (S,) and policy pi (S,).

    With c the largest fall of v under the policy's operator, v - c * (its expected steps) bounds its value from
    below; -inf if it is improper. With c the largest rise of Tv over v, from above: v + c * max_steps if all
    policies are proper; v + c/(c + delta) * (u - v) with Tu <= u - delta if every action of `staying` costs
    something; otherwise v if c = 0, and inf if not. Raises ValueError for an invalid v or policy.
    Source: Bertsekas (2012), volume II, chapter 3, for bounds of this kind.
    """
    v, open_states = values(mdp, v), ~mdp.terminal
    q, stay = mdp.q(v), staying(mdp)
    fall = float(np.maximum(0, (v - q[np.arange(mdp.S), pi])).max())
    rise = float(np.maximum(0, q.max(axis=1) - v).max())
    if mdp.gamma < 1 or proper(mdp, pi):
        low = v - fall * _values_and_steps(mdp, pi)[1]
    else:
        low = np.where(open_states, -np.inf, 0.0)
    if mdp.gamma < 1 or not stay.any():
        return low, v + rise * max_steps(mdp)
    if rise > 0 and mdp.r[stay].max() < 0:
        u = _best(mdp, np.where(open_states[:, None], mdp.r - mdp.r[stay].max() / 2, 0.0))
        delta = float((u - mdp.q(u).max(axis=1))[open_states].min())
        return low, v + rise / (rise + delta) * (u - v)
    return low, v.copy() if rise == 0 else np.where(open_states, np.inf, 0.0)


def _best(mdp: FiniteMDP, r: np.ndarray) -> np.ndarray:
    """The best values (S,) of proper policies for other rewards (S, A)."""
    other = replace(mdp, r=r)
    return list(_rounds(other, _first_policy(other)))[-1][1]


def _residual(d: np.ndarray) -> float:
    return half_span(np.append(d, 0.0))


class _Progress(Progress):
    """As for discounted processes, but for the rounding, whose 1/(1 - gamma) would be infinite."""

    def rounding(self, values: np.ndarray) -> float:
        P = self.mdp.P
        n = P.shape[1] if isinstance(P, np.ndarray) else int(np.diff(P.indptr).max())
        scale = np.abs(values).max() + np.abs(self.mdp.r[self.mdp.feasible]).max()
        return 16 * np.finfo(float).eps * (n + 2) * float(scale)


def _solution(progress: _Progress, v: np.ndarray, pi: np.ndarray | None, method: str) -> Solution:
    """The result for v and, where the method has no policy of its own, the greedy one."""
    mdp = progress.mdp
    q = mdp.q(v)
    pi = greedy(q) if pi is None else pi
    residual = _residual(q.max(axis=1) - v)
    history = {"residual": np.array(progress.residual), "backups": np.array(progress.backups)}
    converged = progress.passed(residual, method)
    return Solution(v, q, pi, residual, bounds(mdp, v, pi), history, converged, method)
