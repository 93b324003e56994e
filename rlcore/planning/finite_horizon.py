"""Finite-horizon Markov decision processes: evaluation, backward induction, and the laws of what happens.

A decision is made at each of the times 0, ..., H-1, and what has been reached at time H may be paid for once
more. Discounting is allowed and not needed: gamma may be 1. Laws and rewards may change over time: wherever a
function takes a process, it also takes a sequence of H processes, one for each time, of the same shape and with
the same terminal states. The discount between times t and t+1 is then that of the process at time t.

A *history* is the tuple (s_0, a_0, s_1, ..., s_t). A policy is an array if it is Markov, of actions (H, S) or
probabilities (H, S, A), and otherwise a function of the history.

Source: Puterman (1994), chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcore.mdp import FiniteMDP, greedy
from rlcore.planning._histories import HistoryPolicy, Paths, Process, final_value, markov, paths, stages_of, start_of

__all__ = ["Paths", "Plan", "backward_induction", "evaluate", "marginals", "markov_policy", "paths"]


@dataclass(frozen=True, eq=False)
class Plan:
    """The optimum of a finite horizon.

    `v` (H+1, S), where v[t, s] is the best expected sum of what is paid from time t on, discounted to time t;
    `q` (H, S, A), the same with the first action given, `-inf` where it is infeasible; `pi` (H, S), an optimal
    action at each time, the lowest on ties. Values are in the unit of the rewards.
    Source: Puterman (1994), section 4.5.
    """

    v: np.ndarray
    q: np.ndarray
    pi: np.ndarray

    @property
    def horizon(self) -> int:
        """Number H of decisions."""
        return len(self.pi)


def backward_induction(mdp: Process, horizon: int | None = None, *, terminal_value=None) -> Plan:
    """The best way to act for `horizon` steps, from the last step to the first. Cost: one look ahead a step.

    Takes a process, or a sequence of H of them, with which `horizon` may be omitted; `terminal_value` (S,),
    paid at time H, is zero by default. Returns a `Plan`. Raises ValueError for a horizon below 1, processes that do
    not fit together, or final values that are not finite or not 0 on terminal states.
    Source: Puterman (1994), section 4.5, the backward induction algorithm.
    """
    stages = stages_of(mdp, horizon)
    H, S, A = len(stages), stages[0].S, stages[0].A
    v, q = np.empty((H + 1, S)), np.empty((H, S, A))
    v[H] = final_value(stages[-1], terminal_value)
    for t in reversed(range(H)):
        q[t] = stages[t].q(v[t + 1])
        v[t] = q[t].max(axis=1)
    return Plan(v, q, np.array([greedy(q_t) for q_t in q]))


def evaluate(mdp: Process, pi: np.ndarray, horizon: int | None = None, *, terminal_value=None) -> np.ndarray:
    """Values (H+1, S) of a Markov policy: what it is expected to be paid from time t on, discounted to time t.

    `pi` is (H, S) actions or (H, S, A) probabilities; the rest as in `backward_induction`, with H = len(pi) where
    `horizon` is omitted. Raises ValueError as there, and for an invalid policy, naming the time.
    Source: Puterman (1994), section 4.2, the policy evaluation algorithm.
    """
    stages = stages_of(mdp, len(pi) if horizon is None else horizon)
    pi = markov(stages, pi)
    H = len(stages)
    v = np.empty((H + 1, stages[0].S))
    v[H] = final_value(stages[-1], terminal_value)
    for t in reversed(range(H)):
        P, r = stages[t].induced(pi[t])
        v[t] = r + stages[t].gamma * (P @ v[t + 1])
    return v


def marginals(mdp: Process, pi: np.ndarray | HistoryPolicy, horizon: int | None = None, mu=None) -> np.ndarray:
    """The probabilities (H, S, A) of being in state s and taking action a at time t, before the process has ended.

    `pi` is Markov, as in `evaluate`, or a function of the history, as in `paths`, which goes through all
    histories; `mu` (S,) is the law of the first state, that of the process by default. Entries at terminal states
    are 0, so that marginals[t] sums to the probability of not having ended by time t.
    Raises ValueError as `evaluate` and `paths` do. Source: Puterman (1994), section 5.5.
    """
    if callable(pi):
        every = paths(mdp, pi, horizon, mu=mu)
        first = mdp if isinstance(mdp, FiniteMDP) else mdp[0]
        d = np.zeros((every.a.shape[1], first.S, first.A))
        path, time = np.nonzero(every.a >= 0)
        np.add.at(d, (time, every.s[path, time], every.a[path, time]), every.p[path])
        return d
    stages = stages_of(mdp, len(pi) if horizon is None else horizon)
    pi, law = markov(stages, pi), start_of(stages[0], mu)
    d = np.empty((len(stages), stages[0].S, stages[0].A))
    for t, stage in enumerate(stages):
        d[t] = (law * ~stage.terminal)[:, None] * pi[t]
        law = stage.P.T @ d[t].T.ravel()
    return d


def markov_policy(mdp: Process, d: np.ndarray) -> np.ndarray:
    """The Markov policy (H, S, A) with marginals `d` (H, S, A): d[t, s, a] divided by its sum over a.

    Where that sum is 0, because the state is never reached, all feasible actions get the same probability.
    Raises ValueError for another shape, negative entries, or a positive entry at an infeasible action.
    Source: Derman and Strauch (1966); Puterman (1994), theorem 5.5.1.
    """
    d = np.asarray(d, dtype=float)
    stages = stages_of(mdp, len(d))
    shape = (len(stages), stages[0].S, stages[0].A)
    if d.shape != shape or not (d >= 0).all():
        raise ValueError(
            f"Marginals are numbers of at least 0, of shape {shape}; got shape {d.shape}, least {d.min()}."
        )
    feasible = np.array([stage.feasible for stage in stages])
    if d[~feasible].any():
        t, s, a = np.argwhere((d > 0) & ~feasible)[0].tolist()
        raise ValueError(f"The marginals use action {a} in state {s} at time {t}, where it is infeasible (r = -inf).")
    total = d.sum(axis=2, keepdims=True)
    uniform = feasible / feasible.sum(axis=2, keepdims=True)
    return np.where(total > 0, d / np.where(total > 0, total, 1.0), uniform)
