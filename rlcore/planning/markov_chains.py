"""Markov chains with finitely many states: their classes, invariant laws, hitting times and speed.

A chain is its transition matrix P (S, S): row i is the law of the next state. Everything here works on dense arrays,
S^2 numbers and up to S^3 operations: right for some thousand states. Sparse input is accepted and made dense. Laws are
rows, so one step takes mu to mu @ P.

Sources: Norris (1997); Levin and Peres (2017).
"""

from __future__ import annotations

import numpy as np

from rlcore._checks import ROW_SUM_TOLERANCE, is_integer, is_number, real_array
from rlcore.mdp import FiniteMDP
from rlcore.planning._chain_graph import (
    CommunicatingClass,
    classes,
    first_law,
    is_irreducible,
    need_irreducible,
    need_one_closed_class,
    period,
    reaching,
    subset,
    transition_matrix,
)
from rlcore.planning._elimination import solve_leaving
from rlcore.planning._mixing import (
    _check_steps,
    distances,
    dobrushin,
    doeblin,
    mixing_time,
    spectral_gap,
    total_variation,
)

__all__ = [
    "CommunicatingClass",
    "absorption_probabilities",
    "chain_of",
    "classes",
    "distances",
    "dobrushin",
    "doeblin",
    "evolve",
    "gain",
    "hitting_probabilities",
    "hitting_times",
    "invariant_law",
    "is_irreducible",
    "is_reversible",
    "mixing_time",
    "period",
    "return_times",
    "reversal",
    "simulate",
    "spectral_gap",
    "total_variation",
    "transition_matrix",
]


def chain_of(mdp: FiniteMDP, pi) -> tuple[np.ndarray, np.ndarray]:
    """The chain (S, S) and the rewards (S,) of a stationary policy, (S,) actions or (S, A) probabilities.

    Terminal states stay for ever and pay nothing. Raises ValueError for an invalid policy.
    Source: Puterman (1994), section 5.6 and appendix A.
    """
    P, r = mdp.induced(pi)
    P = np.array(P.toarray() if hasattr(P, "toarray") else P)
    P[mdp.terminal, mdp.terminal] = 1.0
    return P, r


# ---------------------------------------------------------------------- laws and their evolution


def evolve(P, mu, steps: int) -> np.ndarray:
    """The laws mu, mu P, ..., mu P^steps, as rows (steps + 1, S).

    `mu` is a law (S,), or the number of a state. Raises ValueError for an invalid matrix or law, or steps < 0.
    Source: Norris (1997), section 1.1.
    """
    P = transition_matrix(P)
    _check_steps(steps)
    laws = [first_law(mu, len(P))]
    for _ in range(steps):
        laws.append(laws[-1] @ P)
    return np.array(laws)


def simulate(P, mu, steps: int, *, runs: int = 1, rng: int | np.random.Generator | None = None) -> np.ndarray:
    """States of independent runs, integers (runs, steps + 1), all runs stepped together.

    `mu` is the law (S,) of the first state, or a state; `rng` a seed, a generator or None. Raises ValueError for an
    invalid matrix, law or count. Source: Norris (1997), section 1.3; by inversion, Devroye (1986), section III.2.
    """
    P = transition_matrix(P)
    _check_steps(steps)
    if not is_integer(runs) or runs < 1:
        raise ValueError(f"runs = {runs!r}: simulate at least 1 run, an integer.")
    rng, levels = np.random.default_rng(rng), np.cumsum(P, axis=1)
    last = P.shape[1] - 1 - (P[:, ::-1] > 0).argmax(axis=1)  # rounding must not lead beyond it
    mu = first_law(mu, len(P))
    first = np.cumsum(mu)
    s = np.empty((runs, steps + 1), dtype=int)
    s[:, 0] = np.searchsorted(first, rng.random(runs) * first[-1], side="right")
    s[:, 0] = np.minimum(s[:, 0], np.flatnonzero(mu)[-1])
    for t in range(steps):
        now = s[:, t]
        u = rng.random(runs) * levels[now, -1]
        s[:, t + 1] = np.minimum((levels[now] <= u[:, None]).sum(axis=1), last[now])
    return s


def invariant_law(P) -> np.ndarray:
    """The invariant law nu (S,), nu P = nu, by the elimination of Grassmann, Taksar and Heyman (GTH).

    It neither subtracts nor uses the diagonal, so that every entry, however small, is accurate to nearly all digits.
    Transient states get 0. Raises ValueError for an invalid matrix, and for several closed classes, which it names:
    each has an invariant law, and all mixtures are invariant too. Source: Grassmann, Taksar and Heyman (1985).
    """
    P = transition_matrix(P)
    only = need_one_closed_class(P, "it has many invariant laws, at least one for each")
    A = P[np.ix_(only.states, only.states)]
    for k in range(len(A) - 1, 0, -1):  # take out state k: watch the chain only while it is in 0..k-1
        A[:k, k] /= A[k, :k].sum()  # the way out of k, which is 1 - A[k, k] without a subtraction
        A[:k, :k] += np.outer(A[:k, k], A[k, :k])
    nu = np.ones(len(A))
    for k in range(1, len(A)):  # and put it back
        nu[k] = nu[:k] @ A[:k, k]
        nu[: k + 1] /= nu[: k + 1].sum()  # not in the source: keeps very uneven laws from overflowing
    whole = np.zeros(len(P))
    whole[only.states] = nu
    return whole


# ---------------------------------------------------------------------- hitting and absorption


def hitting_probabilities(P, target) -> np.ndarray:
    """The probabilities (S,) ever to be in `target`, a state, a list of states or flags (S,); 1 inside it.

    Raises ValueError for an invalid matrix, or a target that is empty or out of range.
    Source: Norris (1997), theorem 1.3.2, the least non-negative solution.
    """
    P = transition_matrix(P)
    inside = subset(target, len(P))
    between = reaching(P, inside) & ~inside  # elsewhere it is 1 or 0, and the system is regular
    h = inside.astype(float)
    into = P[np.ix_(between, inside)].sum(axis=1)
    h[between] = np.minimum(_solve(P, between, into[:, None])[:, 0], 1.0)
    return h


def hitting_times(P, target) -> np.ndarray:
    """The expected number of steps (S,) until the chain is in `target`; 0 inside, inf where it may never come there.

    `target` and errors as for `hitting_probabilities`. Source: Norris (1997), theorem 1.3.5.
    """
    P = transition_matrix(P)
    inside = subset(target, len(P))
    stopped = np.where(inside[:, None], np.eye(len(P)), P)
    lost = reaching(stopped, ~reaching(P, inside))
    between = ~inside & ~lost
    k = np.where(lost, np.inf, 0.0)
    k[between] = _solve(P, between, np.ones((between.sum(), 1)))[:, 0]
    return k


def return_times(P) -> np.ndarray:
    """The expected numbers of steps (S,) after which the chain, started in i, is in i again; inf if transient.

    One linear system for each state, S^4 operations. Raises ValueError for an invalid matrix.
    Source: Norris (1997), section 1.7.
    """
    P = transition_matrix(P)
    times = np.empty(len(P))
    for i, row in enumerate(P):
        leads = row > 0
        times[i] = 1 + row[leads] @ hitting_times(P, i)[leads]
    return times


def absorption_probabilities(P) -> np.ndarray:
    """The probabilities (S, K) to end in each of the K closed classes, in the order of `classes`; rows sum to 1.

    Raises ValueError for an invalid matrix. Source: Kemeny and Snell (1960), chapter 3.
    """
    P = transition_matrix(P)
    closed = [c for c in classes(P) if c.recurrent]
    inside = np.zeros((len(P), len(closed)))
    for k, c in enumerate(closed):
        inside[c.states, k] = 1.0
    transient = ~inside.any(axis=1)
    inside[transient] = np.minimum(_solve(P, transient, P[transient] @ inside), 1.0)
    return inside


def _solve(P: np.ndarray, between, right: np.ndarray) -> np.ndarray:
    """x with (I - Q) x = right, for Q the block of P on states (S,) bool that all lead out of them."""
    return solve_leaving(P[np.ix_(between, between)], P[np.ix_(between, ~between)].sum(axis=1), right)


def gain(P, r) -> np.ndarray:
    """The long-run average reward per step (S,), lim (1/n) sum_{t<n} P^t r, in the unit of the rewards r (S,).

    For every finite chain, periodic and reducible ones included: each closed class has the mean of r under its
    invariant law, weighted by the probability to end there. Raises ValueError for an invalid matrix or r.
    Source: Puterman (1994), appendix A.4 and section 8.2.
    """
    P, r = transition_matrix(P), real_array("r", r)
    if r.shape != (len(P),) or not np.isfinite(r).all():
        raise ValueError(f"r must hold a finite reward for each of the {len(P)} states; got shape {r.shape}.")
    closed = [c.states for c in classes(P) if c.recurrent]
    means = [invariant_law(P[np.ix_(states, states)]) @ r[states] for states in closed]
    return absorption_probabilities(P) @ means


# ---------------------------------------------------------------------- time reversed


def reversal(P) -> np.ndarray:
    """The chain (S, S) seen backwards in time in equilibrium: nu_j p(j, i) / nu_i from i to j.

    Raises ValueError for an invalid or reducible matrix. Source: Norris (1997), theorem 1.9.1.
    """
    P = transition_matrix(P)
    need_irreducible(P, "its invariant law does not charge every state, and there is no reversal")
    nu = invariant_law(P)
    return P.T * nu / nu[:, None]


def is_reversible(P, tol: float = ROW_SUM_TOLERANCE) -> bool:
    """Whether nu_i p(i, j) = nu_j p(j, i) for all i and j, up to a relative error of `tol`.

    Raises ValueError for an invalid or reducible matrix, or tol < 0. Source: Norris (1997), section 1.9.
    """
    P = transition_matrix(P)
    if not (is_number(tol) and tol >= 0):
        raise ValueError(f"tol = {tol!r}: give a relative error of at least 0, such as {ROW_SUM_TOLERANCE:g}.")
    need_irreducible(P, "detailed balance does not speak of every state")
    flow = invariant_law(P)[:, None] * P
    return bool((np.abs(flow - flow.T) <= tol * np.maximum(flow, flow.T)).all())
