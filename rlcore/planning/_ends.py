"""Who comes to the end: a question about graphs; and processes turned into ones that end. Public in `episodic`."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from rlcore.mdp import DENSE_ENTRIES, FiniteMDP


def proper(mdp: FiniteMDP, pi: np.ndarray) -> bool:
    """Whether a policy, (S,) actions or (S, A) probabilities, ends with probability one from every state.

    Only the graph of the policy's chain matters, and gamma not at all. Raises ValueError for an invalid policy.
    Source: Bertsekas and Tsitsiklis (1991).
    """
    return bool(ending(mdp, mdp.induced(pi)[0]).all())


def ending(mdp: FiniteMDP, P_pi) -> np.ndarray:
    """(S,) bool: the states from which the chain can end."""
    ends, before = mdp.terminal, -1
    while ends.sum() > before:
        before, ends = ends.sum(), ends | (P_pi @ ends.astype(float) > 0)
    return ends


def find_proper(mdp: FiniteMDP) -> np.ndarray:
    """A proper policy, (S,) actions: each leads nearer to the end, in steps, with positive probability.

    Raises ValueError, naming a state, if no policy can end from there.
    Source: Bertsekas and Tsitsiklis (1991).
    """
    pi, ends, before = np.zeros(mdp.S, dtype=int), mdp.terminal, -1
    while ends.sum() > before:
        before = ends.sum()
        nearer = (mdp.P @ ends.astype(float)).reshape(mdp.A, mdp.S).T > 0
        new = nearer.any(axis=1) & ~ends
        pi[new], ends = nearer[new].argmax(axis=1), ends | new
    if not ends.all():
        raise ValueError(
            f"No policy can end from state {name_of(mdp, ~ends)}: give it a way to a terminal state, "
            "mark a terminal state, or discount (gamma < 1)."
        )
    return pi


def staying(mdp: FiniteMDP) -> np.ndarray:
    """(S, A) bool: the actions with which one can keep away from the end for ever, with certainty.

    They are the actions that keep to the largest set of states in each of which some action keeps to the set.
    What an improper policy does where it can no longer end consists of them. Source: de Alfaro (1997), on end
    components, which are the strongly connected parts.
    """
    inside, before = ~mdp.terminal, -1
    while True:
        leaves = (mdp.P @ (~inside).astype(float)).reshape(mdp.A, mdp.S).T > 0
        stay = mdp.feasible & ~leaves & inside[:, None]
        before, inside = inside.sum(), stay.any(axis=1)
        if inside.sum() == before:
            return stay


def all_proper(mdp: FiniteMDP) -> bool:
    """Whether every stationary policy is proper: whether no set of states, (S,) at most, can be kept to for ever.

    Raises nothing. Source: de Alfaro (1997), on end components.
    """
    return not staying(mdp).any()


# ---------------------------------------------------------------------- processes that end


def with_termination(mdp: FiniteMDP) -> FiniteMDP:
    """The process with gamma = 1 in which each step ends, with probability 1 - gamma, in a new last state "end".

    S + 1 states; rewards (S, A) and values are the same. With gamma = 1 there is nothing to do, and `mdp` itself is
    returned. Raises nothing. Source: Shapley (1953); Puterman (1994), section 5.3.
    """
    if mdp.gamma == 1:
        return mdp
    S, A = mdp.S, mdp.A
    rows, columns = mdp.P.nonzero()
    used = np.flatnonzero((mdp.feasible & ~mdp.terminal[:, None]).T)  # rows a*S + s
    p = np.r_[mdp.gamma * np.asarray(mdp.P[rows, columns]), np.full(len(used), 1 - mdp.gamma)]
    rows, columns = np.r_[rows, used], np.r_[columns, np.full(len(used), S)]
    end = "end" if "end" not in mdp.labels else ("end", S)
    return FiniteMDP(
        _rows_of(S + 1, A, rows % S, rows // S, columns, p),
        np.vstack([mdp.r, np.zeros((1, A))]),
        gamma=1.0,
        terminal=np.append(mdp.terminal, True),
        mu=np.append(mdp.mu, 0.0),
        labels=(*mdp.labels, end),
        action_labels=mdp.action_labels,
    )


def time_augmented(mdp: FiniteMDP, horizon: int) -> FiniteMDP:
    """The process that stops after `horizon` steps, with the time as a part of the state.

    State (t, s) has index t*S + s and label (t, label of s), for t = 0, ..., horizon, so that values v of the result
    are `v.reshape(horizon + 1, S)`; all states at t = horizon are terminal. It starts at t = 0; gamma is kept.
    Raises ValueError for horizon < 1. Source: Bertsekas and Tsitsiklis (1991).
    """
    if horizon < 1:
        raise ValueError(f"horizon = {horizon}: take at least 1 step.")
    S, A = mdp.S, mdp.A
    rows, columns = mdp.P.nonzero()
    p = np.asarray(mdp.P[rows, columns])
    t = np.arange(horizon)[:, None] * S
    s, a, s_next = (t + rows % S).ravel(), np.tile(rows // S, horizon), (t + S + columns).ravel()
    last = np.ones(S, dtype=bool)
    return FiniteMDP(
        _rows_of((horizon + 1) * S, A, s, a, s_next, np.tile(p, horizon)),
        np.vstack([mdp.r] * horizon + [np.zeros((S, A))]),
        mdp.gamma,
        terminal=np.concatenate([mdp.terminal] * horizon + [last]),
        mu=np.append(mdp.mu, np.zeros(horizon * S)),
        labels=[(time, label) for time in range(horizon + 1) for label in mdp.labels],
        action_labels=mdp.action_labels,
    )


def _rows_of(S: int, A: int, s, a, s_next, p):
    """P of shape (A*S, S) from transitions, dense where it is small."""
    if A * S * S <= DENSE_ENTRIES:
        P = np.zeros((A * S, S))
        P[a * S + s, s_next] = p
        return P
    from scipy.sparse import csr_array

    return csr_array((p, (a * S + s, s_next)), shape=(A * S, S))


def name_of(mdp: FiniteMDP, states) -> Hashable:
    """The label of the first of some states (S,) bool."""
    return mdp.labels[int(np.argmax(states))]
