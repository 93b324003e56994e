"""Discounted Markov decision processes: value iteration, policy iteration and their relatives.

Every solver returns a `Solution`, with bounds recomputed from the values it returns; `tol` always means the
half-span of Tv - v (see `rlcore.planning.certificates`), where T is the Bellman operator,
(Tv)(s) = max_a q(v)[s, a].

Sources: Puterman (1994), chapter 6; Bertsekas (2012), volume II, chapter 2.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import count

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP, greedy
from rlcore.planning._linear import solve_chain
from rlcore.planning.certificates import (
    Progress,
    Solution,
    certify,
    half_span,
    macqueen_bounds,
    need_discounting,
    shifted,
    start,
)

__all__ = [
    "Solution",
    "action_elimination",
    "asynchronous",
    "certify",
    "evaluate",
    "gauss_seidel",
    "half_span",
    "macqueen_bounds",
    "modified_policy_iteration",
    "policy_iteration",
    "prioritized",
    "solve",
    "value_iteration",
]


def evaluate(mdp: FiniteMDP, pi: np.ndarray) -> np.ndarray:
    """Values (S,) of a stationary policy, by solving (I - gamma P_pi) v = r_pi.

    `pi` is (S,) actions or (S, A) probabilities. Raises ValueError for gamma = 1 or an invalid policy.
    Source: Puterman (1994), theorem 6.1.1.
    """
    need_discounting(mdp)
    P, r = mdp.induced(pi)
    return solve_chain(P, mdp.gamma, r)


def value_iteration(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Repeat v <- Tv until the half-span of Tv - v is at most tol. Cost of a sweep: one product with P.

    Takes a start `v0` (S,), zeros by default; returns a `Solution`. Raises ValueError for gamma = 1 or an
    invalid argument; warns at max_iter. Source: Puterman (1994), section 6.3.2, stop of section 6.6.3.
    """
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    while True:
        tv = mdp.q(v).max(axis=1)
        if progress.done(half_span(tv - v), mdp.S * mdp.A, tv):
            return progress.solution(shifted(mdp, v, tv), "value iteration")
        v = tv


def policy_iteration(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Evaluate the policy exactly, improve it greedily, until no state changes its action.

    Starts from the greedy policy of `v0` (S,), zeros by default; keeps an action unless another is better by
    more than rounding. Returns a `Solution`; raises and warns as `value_iteration` does, except that `tol` does
    not stop it early. Source: Howard (1960); Puterman (1994), section 6.4.1.
    """
    pi, progress = greedy(mdp.q(start(mdp, v0))), Progress(mdp, tol, max_iter)
    states = np.arange(mdp.S)
    while True:
        v = evaluate(mdp, pi)
        q = mdp.q(v)
        gain = q.max(axis=1) - q[states, pi]
        better = gain > progress.rounding(v)  # what the linear solve leaves is no improvement
        progress.done(half_span(q.max(axis=1) - v), mdp.S * mdp.A, v)
        if not better.any() or progress.stalled or len(progress.residual) == max_iter:
            return progress.solution(v, "policy iteration")
        pi = np.where(better, greedy(q), pi)


def modified_policy_iteration(
    mdp: FiniteMDP, *, sweeps: int = 20, tol: float = 1e-6, v0=None, max_iter: int | None = None
) -> Solution:
    """After each greedy step, `sweeps` applications of that policy's operator instead of an exact evaluation.

    sweeps = 0 is value iteration; sweeps -> infinity is policy iteration. Takes `v0` (S,), zeros by default;
    returns a `Solution`; raises and warns as `value_iteration` does. Source: Puterman and Shin (1978).
    """
    if not (checks.is_integer(sweeps) and sweeps >= 0):
        raise ValueError(f"sweeps must be an integer of at least 0; got {sweeps!r}.")
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    while True:
        q = mdp.q(v)
        tv = q.max(axis=1)
        if progress.done(half_span(tv - v), mdp.S * (mdp.A + sweeps), tv):
            return progress.solution(shifted(mdp, v, tv), "modified policy iteration")
        P, r = mdp.induced(q.argmax(axis=1))
        v = tv
        for _ in range(sweeps):
            v = r + mdp.gamma * (P @ v)


def asynchronous(
    mdp: FiniteMDP,
    *,
    order: Iterable[int] | None = None,
    rng: np.random.Generator | int | None = None,
    tol: float = 1e-6,
    v0=None,
    max_iter: int | None = None,
) -> Solution:
    """Update one state at a time, in place, in the order of the iterable `order`, or uniformly at random.

    Converges if the order names each state again and again. The residual is measured by a full sweep after
    every S updates, which together are one iteration. Takes `v0` (S,), zeros by default; returns a `Solution`;
    raises and warns as `value_iteration` does, and ValueError if the order ends early or names no state.
    Source: Bertsekas (1982); Bertsekas (2012), volume II, section 2.6.
    """
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    if order is None:
        generator = np.random.default_rng(rng)
        order = (int(s) for _ in count() for s in generator.integers(mdp.S, size=mdp.S))
    v = _one_at_a_time(mdp, _states(order, mdp.S), v, progress)
    return progress.solution(v, "asynchronous value iteration")


def gauss_seidel(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Sweep through the states in their order, each update seeing the ones before it in the same sweep.

    Takes `v0` (S,), zeros by default; returns a `Solution`; raises and warns as `value_iteration` does.
    Source: Puterman (1994), section 6.3.3.
    """
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    v = _one_at_a_time(mdp, (s for _ in count() for s in range(mdp.S)), v, progress)
    return progress.solution(v, "Gauss-Seidel value iteration")


def prioritized(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Update the state with the largest |Tv - v| first, then bring its predecessors' priorities up to date.

    S updates are one iteration; stops when no |Tv - v| exceeds tol, which implies the half-span's tol, and the
    history's residual is that sup norm.
    Takes `v0` (S,), zeros by default; returns a `Solution`; raises and warns as `value_iteration` does.
    Source: Moore and Atkeson (1993), with a known model.
    """
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    backup, predecessors = _state_backup(mdp), _predecessors(mdp)
    tv = mdp.q(v).max(axis=1)
    queue = [(-abs(tv[s] - v[s]), s) for s in range(mdp.S)]
    heapq.heapify(queue)
    work = mdp.S * mdp.A
    while True:
        for _ in range(mdp.S):
            while queue and -queue[0][0] != abs(tv[queue[0][1]] - v[queue[0][1]]):
                heapq.heappop(queue)  # an entry made before its state's priority changed
            if not queue or -queue[0][0] <= tol:
                break
            s = heapq.heappop(queue)[1]
            v[s] = tv[s]
            for u in predecessors[s]:
                tv[u] = backup(v, u)
                heapq.heappush(queue, (-abs(tv[u] - v[u]), u))
            work += len(predecessors[s]) * mdp.A
        if progress.done(float(np.abs(tv - v).max()), work, tv):
            return progress.solution(shifted(mdp, v, tv), "prioritized sweeping")
        work = 0


def action_elimination(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Value iteration that drops for good each action which the bounds prove to be worse than the best.

    Action a goes from state s once Tv(s) - q(v)[s, a] > gamma/(1-gamma) * (max - min of Tv - v). Returns a
    `Solution` whose history also counts the pairs still `active`; raises and warns as `value_iteration` does.
    Source: MacQueen (1967); Puterman (1994), section 6.7.2.
    """
    v, progress = start(mdp, v0), Progress(mdp, tol, max_iter)
    states, actions = np.nonzero(mdp.feasible)  # sorted by state, so one reduceat takes every maximum
    rows, r = actions * mdp.S + states, mdp.r[mdp.feasible]
    P, active = mdp.P[rows], []
    while True:
        q = r + mdp.gamma * (P @ v)
        tv = np.maximum.reduceat(q, np.searchsorted(states, np.arange(mdp.S)))
        active.append(len(q))
        gap = 2 * half_span(tv - v)
        if progress.done(gap / 2, len(q), tv):
            solution = progress.solution(shifted(mdp, v, tv), "value iteration with action elimination")
            solution.history["active"] = np.array(active)
            return solution
        keep = tv[states] - q <= mdp.gamma / (1 - mdp.gamma) * gap
        if keep.sum() < 0.9 * len(q):  # copying the rows costs about a sweep
            P, r, states = P[keep], r[keep], states[keep]
        v = tv


def solve(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """Solve with a method that suits the size; `Solution.method` says which.

    Policy iteration for up to 500 states, whose linear systems are cheap and whose answer is exact up to
    rounding; modified policy iteration beyond. Takes `v0` (S,); returns, raises and warns as they do.
    Source: Puterman (1994), sections 6.4 and 6.5.
    """
    method: Callable[..., Solution] = policy_iteration if mdp.S <= 500 else modified_policy_iteration
    return method(mdp, tol=tol, v0=v0, max_iter=max_iter)


# ---------------------------------------------------------------------- one state at a time


def _states(order: Iterable[int], S: int) -> Iterator[int]:
    for s in order:
        if not (checks.is_integer(s) and 0 <= s < S):
            raise ValueError(f"The order of updates names {s!r}: states are the integers 0..{S - 1}.")
        yield s


def _one_at_a_time(mdp: FiniteMDP, states: Iterator[int], v: np.ndarray, progress: Progress) -> np.ndarray:
    """Update v in place, one of `states` at a time, with a full sweep after every S updates, until done."""
    backup = _state_backup(mdp)
    while True:
        for updates in range(mdp.S):
            s = next(states, None)
            if s is None:
                raise ValueError(
                    f"The order of updates ended after {updates} of {mdp.S} in a round; it must go on for ever."
                )
            v[s] = backup(v, s)
        tv = mdp.q(v).max(axis=1)
        if progress.done(half_span(tv - v), 2 * mdp.S * mdp.A, tv):
            return shifted(mdp, v, tv)


def _state_backup(mdp: FiniteMDP) -> Callable[[np.ndarray, int], float]:
    """A function (v, s) -> (Tv)(s), from rows regrouped by state."""
    if isinstance(mdp.P, np.ndarray):
        blocks = mdp.P.reshape(mdp.A, mdp.S, mdp.S)
        return lambda v, s: float((mdp.r[s] + mdp.gamma * (blocks[:, s] @ v)).max())
    by_state = mdp.P[np.arange(mdp.A * mdp.S).reshape(mdp.A, mdp.S).T.ravel()]  # row s*A + a
    rows = [by_state[s * mdp.A : (s + 1) * mdp.A] for s in range(mdp.S)]
    return lambda v, s: float((mdp.r[s] + mdp.gamma * (rows[s] @ v)).max())


def _predecessors(mdp: FiniteMDP) -> list[list[int]]:
    """For each state, the states from which some action can lead to it."""
    lists: list[set[int]] = [set() for _ in range(mdp.S)]
    rows, columns = mdp.P.nonzero()
    for s, s_next in zip((rows % mdp.S).tolist(), columns.tolist(), strict=True):
        lists[s_next].add(s)
    return [sorted(sources) for sources in lists]
