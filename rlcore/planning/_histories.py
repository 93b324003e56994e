"""The tree of histories of a finite horizon, and the arguments that say what the horizon is.

Public through `rlcore.planning.finite_horizon`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP

Process = FiniteMDP | Sequence[FiniteMDP]
HistoryPolicy = Callable[[tuple[int, ...]], "int | np.ndarray"]
MAX_PATHS = 1 << 20  # held in memory at once, some hundred bytes each


@dataclass(frozen=True, eq=False)
class Paths:
    """All that can happen: n paths of positive probability.

    `p` (n,) probabilities; `s` (n, H+1) states, where the terminal state is repeated once it is reached; `a`
    (n, H) actions, -1 from then on; `returns` (n,) the sum of gamma^t r(s_t, a_t) and of the discounted final
    value along each path. Source: Puterman (1994), section 2.1.6.
    """

    p: np.ndarray
    s: np.ndarray
    a: np.ndarray
    returns: np.ndarray


def paths(
    mdp: Process, policy: np.ndarray | HistoryPolicy, horizon: int | None = None, *, mu=None, terminal_value=None
) -> Paths:
    """Every path of positive probability, by going through the tree of histories: for small processes only.

    `policy` is Markov, as in `evaluate`, or a function that takes a history (s_0, a_0, ..., s_t) and returns an
    action or probabilities (A,); `mu` (S,) and `terminal_value` (S,) as in `marginals` and `backward_induction`.
    Raises ValueError as those do, for an invalid choice, naming the history, and for more than 2^20 paths.
    Source: Puterman (1994), section 2.1.6.
    """
    stages = stages_of(mdp, len(policy) if horizon is None and not callable(policy) else horizon)
    if not callable(policy):
        pi = markov(stages, policy)
        policy = lambda h: pi[len(h) // 2, h[-1]]  # noqa: E731
    law = start_of(stages[0], mu)
    level = [(float(law[s]), (int(s),), 0.0) for s in np.flatnonzero(law)]
    discount = 1.0
    for stage in stages:
        level = [child for node in level for child in _children(stage, policy, discount, *node)]
        discount *= stage.gamma
        if len(level) > MAX_PATHS:
            raise ValueError(f"There are more than {MAX_PATHS:,} paths: use a smaller process, or a shorter horizon.")
    h = np.array([node[1] for node in level])
    p, paid = np.array([[node[0], node[2]] for node in level]).T
    final = final_value(stages[-1], terminal_value)
    return Paths(p, h[:, ::2], h[:, 1::2], paid + discount * final[h[:, -1]])


def _children(stage: FiniteMDP, policy: HistoryPolicy, discount: float, p: float, h: tuple[int, ...], paid: float):
    """What one step makes of a path of probability p."""
    s = h[-1]
    if stage.terminal[s]:
        yield p, (*h, -1, s), paid
        return
    weights = _choice(stage, policy(h), h)
    for a in np.flatnonzero(weights).tolist():
        row = stage.P[[a * stage.S + s]]
        row = (row if isinstance(row, np.ndarray) else row.toarray())[0]
        for s_next in np.flatnonzero(row).tolist():
            yield p * weights[a] * row[s_next], (*h, a, s_next), paid + discount * stage.r[s, a]


def _choice(stage: FiniteMDP, choice, h: tuple[int, ...]) -> np.ndarray:
    """What a policy answers to a history, as probabilities (A,), checked."""
    choice = np.asarray(choice)
    if choice.ndim == 0 and np.issubdtype(choice.dtype, np.integer) and 0 <= choice < stage.A:
        choice = np.eye(stage.A)[choice]
    proper = choice.shape == (stage.A,) and (choice >= 0).all() and abs(choice.sum() - 1) <= checks.ROW_SUM_TOLERANCE
    if not proper or choice[~stage.feasible[h[-1]]].any():
        raise ValueError(
            f"The policy answers {choice} to the history {h}: it must be a feasible action in 0..{stage.A - 1}, "
            f"or probabilities of shape ({stage.A},) on feasible actions."
        )
    return choice


# ---------------------------------------------------------------------- arguments


def stages_of(mdp: Process, horizon: int | None) -> list[FiniteMDP]:
    """The process at each time."""
    stages = [mdp] if isinstance(mdp, FiniteMDP) else list(mdp)
    if horizon is None and isinstance(mdp, FiniteMDP):
        raise ValueError("horizon is missing: say how many decisions there are, or give one process for each time.")
    H = len(stages) if horizon is None else horizon
    if isinstance(H, bool) or not isinstance(H, (int, np.integer)) or H < 1:
        raise ValueError(f"horizon = {H}: plan at least 1 decision, a whole number.")
    if isinstance(mdp, FiniteMDP):
        return stages * int(H)
    if len(stages) != H:
        raise ValueError(f"There are {len(stages)} processes for {H} decisions: give one for each time.")
    for t, stage in enumerate(stages):
        if stage.r.shape != stages[0].r.shape or (stage.terminal != stages[0].terminal).any():
            raise ValueError(
                f"The process at time {t} has {stage.S} states and {stage.A} actions, terminal states "
                f"{np.flatnonzero(stage.terminal).tolist()}; make it agree with that at time 0, which has "
                f"{stages[0].S}, {stages[0].A} and {np.flatnonzero(stages[0].terminal).tolist()}."
            )
    return stages


def markov(stages: list[FiniteMDP], pi) -> np.ndarray:
    """A Markov policy as probabilities (H, S, A), checked."""
    pi = np.asarray(pi)
    if pi.ndim not in (2, 3) or len(pi) != len(stages):
        H, (S, A) = len(stages), stages[0].r.shape
        raise ValueError(
            f"A Markov policy has shape ({H}, {S}) or ({H}, {S}, {A}), time first; got {pi.shape}. "
            f"Repeat a stationary one by np.stack([pi] * {H})."
        )
    weights = []
    for t, stage in enumerate(stages):
        try:
            weights.append(stage.policy_matrix(pi[t]))
        except ValueError as error:
            raise ValueError(f"At time {t}: {error}") from None
    return np.array(weights)


def final_value(last: FiniteMDP, terminal_value) -> np.ndarray:
    v = np.zeros(last.S) if terminal_value is None else np.array(terminal_value, dtype=float)
    if v.shape != (last.S,) or not np.isfinite(v).all():
        raise ValueError(f"terminal_value must be a finite array of shape ({last.S},); got shape {v.shape}.")
    if v[last.terminal].any():
        s = int(np.argmax(last.terminal & (v != 0)))
        raise ValueError(f"terminal_value[{s}] = {v[s]}: state {s} is terminal, and nothing is paid there; make it 0.")
    return v


def start_of(first: FiniteMDP, mu) -> np.ndarray:
    return first.mu if mu is None else checks.start_law(mu, first.terminal)
