"""Gymnasium both ways: a table from an environment, and environments from a table.

Nothing else in rlcore imports Gymnasium. What Gymnasium calls `terminated` ends the process, so that nothing
follows in value; what it calls `truncated` (a time limit) does not, and the tables know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.toy_text.blackjack import BlackjackEnv

from rlcore._blackjack import END, blackjack
from rlcore._checks import ROW_SUM_TOLERANCE, is_number
from rlcore._table_env import TableEnv, TableVectorEnv
from rlcore.mdp import FiniteMDP

__all__ = ["TableEnv", "TableVectorEnv", "from_gym", "to_gym", "to_vector_gym"]

Outcomes = Iterable[tuple[float, Any, float, bool]]
Model = Callable[[Any, int], Outcomes]
StartLaw = Sequence[tuple[float, Any]]
FORM = "(probability, next_state, reward, terminated)"


def from_gym(
    env: gymnasium.Env, gamma: float, *, model: Model | None = None, start: StartLaw | None = None
) -> FiniteMDP:
    """The exact `FiniteMDP` of a tabular Gymnasium environment.

    Parameters
    ----------
    env : environment whose actions are Discrete, and whose observations are Discrete or a Tuple of Discrete
        Its table is `env.unwrapped.P[s][a]`, a list of (probability, next state, reward, terminated), with the
        start law `env.unwrapped.initial_state_distrib`: FrozenLake, CliffWalking, Taxi. Blackjack has no table;
        its exact model is built in. A time limit is truncation, and left out.
    gamma : float
        Discount factor; environments do not have one.
    model : callable (state, action) -> list of (probability, next state, reward, terminated), optional
        In place of a table; an empty list marks an infeasible action. The states are those reached from `start`.
    start : list of (probability, state), optional
        The law of the first state; needed with a model, and by tables that come without one.

    Returns
    -------
    FiniteMDP
        Labels are the observations; with a table, state s is observation s. A state that is only ever entered
        with terminated=True is terminal; where a transition terminates in a state that others pass through, it
        leads to one extra terminal state, labelled "end". With Blackjack's options natural or sab, an opening
        21 is a state of its own, (21, card, 1, "natural"), which the observation does not show.

    Raises TypeError for what is no environment, and ValueError for one without a table or a start law, other
    spaces, a wrapper that changes observations, actions or rewards, a table or a model that leaves the
    observation space, a table without an entry for some pair, or outcomes of another form.
    Source: Gymnasium documentation, Toy Text environments; Sutton and Barto (2018), example 5.1.
    """
    _check_spaces(env)
    base: Any = env.unwrapped
    actions = _members(base.action_space)
    if model is None and isinstance(base, BlackjackEnv):
        model, start = blackjack(base.natural, base.sab)
        states, table = _explore(model, start, actions, None)
    elif model is not None:
        start = _start_law(base, start)
        states, table = _explore(model, start, actions, base.observation_space)
    else:
        _check_table(base)
        start = _start_law(base, start)
        states = _members(base.observation_space)
        table = _read_table(base, states, actions)
    return _from_table(states, actions, table, start, gamma)


def _check_spaces(env: gymnasium.Env) -> None:
    changing = (gymnasium.ObservationWrapper, gymnasium.ActionWrapper, gymnasium.RewardWrapper)
    if not isinstance(env, gymnasium.Env):
        raise TypeError(f"env = {env!r} is no environment: pass one, such as gymnasium.make('FrozenLake-v1').")
    layer = env
    while isinstance(layer, gymnasium.Wrapper):
        if isinstance(layer, changing):
            raise ValueError(f"The wrapper {type(layer).__name__} changes what the table says: pass env.unwrapped.")
        layer = layer.env
    seen, acted = layer.observation_space, layer.action_space
    parts = seen.spaces if isinstance(seen, spaces.Tuple) else [seen]
    if not isinstance(acted, spaces.Discrete) or not all(isinstance(part, spaces.Discrete) for part in parts):
        raise ValueError(
            f"{_name(layer)} has observations {seen} and actions {acted}: from_gym needs Discrete actions, and "
            "observations that are Discrete or a Tuple of Discrete. Discretise it with a wrapper of your own."
        )


def _check_table(base: Any) -> None:
    if not hasattr(base, "P") or not isinstance(base.observation_space, spaces.Discrete):
        raise ValueError(
            f"{_name(base)} has no table env.unwrapped.P: pass model=f, with f(state, action) a list of "
            "(probability, next_state, reward, terminated), and start=[(probability, state), ...]."
        )
    if getattr(base, "fickle_passenger", False):
        raise ValueError(
            "Taxi with fickle_passenger=True changes the destination by a rule that its table and its "
            "observations leave out: make it with fickle_passenger=False."
        )


def _outcomes(outcomes: Any, s: Any, a: int):
    """What a table or a model says of one pair, checked."""
    if not np.iterable(outcomes):
        raise ValueError(f"State {s!r}, action {a}: {outcomes!r} is no list of outcomes {FORM}.")
    for outcome in outcomes:
        if not isinstance(outcome, tuple | list) or len(outcome) != 4:
            raise ValueError(f"State {s!r}, action {a}: {outcome!r} is no outcome {FORM}.")
        p, _, r, _ = outcome
        if not (is_number(p) and 0 <= p <= 1 + ROW_SUM_TOLERANCE):
            raise ValueError(f"State {s!r}, action {a}: the outcome {outcome!r} needs a probability in [0, 1].")
        if not (is_number(r) and np.isfinite(r)):
            raise ValueError(f"State {s!r}, action {a}: the outcome {outcome!r} needs a finite reward.")
        yield outcome


def _read_table(base: Any, states: list[int], actions: list[int]) -> list:
    known, table = set(states), []
    for s, a in product(states, actions):
        try:
            outcomes = base.P[s][a]
        except (KeyError, IndexError):
            raise ValueError(
                f"The table env.unwrapped.P has no entry for state {s}, action {a}: add the list of its outcomes "
                f"{FORM}, empty where the action is infeasible."
            ) from None
        for p, s_next, r, terminated in _outcomes(outcomes, s, a):
            if s_next not in known:
                raise ValueError(
                    f"The table env.unwrapped.P leads from state {s}, action {a} to {s_next!r}: "
                    f"correct it, or enlarge {base.observation_space}."
                )
            table.append((s, a, p, s_next, r, terminated))
    return table


def _start_law(base: Any, start: StartLaw | None) -> StartLaw:
    if start is not None:
        return start
    law = getattr(base, "initial_state_distrib", None)
    if law is None:
        raise ValueError(f"{_name(base)} does not say where it starts: pass start=[(probability, state), ...].")
    return [(p, s) for s, p in zip(_members(base.observation_space), law, strict=True) if p > 0]


def _members(space: spaces.Discrete) -> list[int]:
    return [int(space.start) + i for i in range(int(space.n))]


def _name(base: Any) -> str:
    return base.spec.id if base.spec is not None else type(base).__name__


def _explore(model: Model, start: StartLaw, actions: list[int], space: spaces.Space | None):
    """The states that can be reached without terminating, in the order of discovery, and all their transitions."""
    states = list(dict.fromkeys(s for _, s in start))
    known, table = set(states), []
    for s in states:  # grows as it runs
        if space is not None and not space.contains(s):
            raise ValueError(f"The model or the start law names the state {s!r}, which is not in {space}.")
        for a in actions:
            for p, s_next, r, terminated in _outcomes(model(s, a), s, a):
                table.append((s, a, p, s_next, r, terminated))
                if not terminated and s_next not in known:
                    known.add(s_next)
                    states.append(s_next)
    return states, table


def _from_table(states: list, actions: list[int], table: list, start: StartLaw, gamma: float) -> FiniteMDP:
    passed = {s for p, s in start if p > 0}
    passed |= {s_next for s, _, p, s_next, _, terminated in table if p > 0 and not terminated and s_next != s}
    closed = {s_next for _, _, p, s_next, _, terminated in table if p > 0 and terminated} - passed
    rows = [  # what leaves a terminal state, or never happens, is no part of the process
        (s, a, p, END if terminated and s_next in passed else s_next, r)
        for s, a, p, s_next, r, terminated in table
        if s not in closed and p != 0
    ]
    index: dict[Hashable, int] = {s: i for i, s in enumerate(states)}
    for *_, s_next, _ in rows:
        index.setdefault(s_next, len(index))
    closed.add(END)
    if not rows:
        raise ValueError(f"No state has an outcome: give at least one, {FORM}.")
    s, a, p, s_next, r = zip(*rows, strict=True)
    mu = np.zeros(len(index))
    for probability, state in start:
        if state not in index:
            raise ValueError(f"start names the state {state!r}, which is not among the environment's: {states[:5]}...")
        mu[index[state]] += probability
    return FiniteMDP.from_transitions(
        *(len(index), len(actions), [index[x] for x in s], [x - actions[0] for x in a]),
        *([index[x] for x in s_next], np.array(p, dtype=float), np.array(r, dtype=float), gamma),
        terminal=np.array([state in closed for state in index]),
        mu=mu,
        labels=list(index),
        action_labels=actions,
    )


def to_gym(mdp: FiniteMDP) -> TableEnv:
    """A Gymnasium environment that behaves as `mdp`, with states and actions as integers.

    Rewards are the expected r(s, a). `terminated` is true on entering a terminal state; there is no truncation.
    An infeasible action raises ValueError; `info["action_mask"]` (A,) int8 says what is feasible, in the form
    that `action_space.sample` takes. Stepping an ended process raises ResetNeeded. The discount factor is
    `env.mdp.gamma`. Raises ValueError if mu starts in a terminal state. Source: Gymnasium documentation, Env.
    """
    return TableEnv(mdp)


def to_vector_gym(mdp: FiniteMDP, num_envs: int) -> TableVectorEnv:
    """`num_envs` independent copies of `mdp`, stepped together by NumPy.

    As `SyncVectorEnv` over `to_gym(mdp)`, but with one generator, so a seed is one integer. Autoreset is
    next-step: the step after a termination ignores the action, returns a first state with reward 0, and is no
    transition of the process. Raises ValueError for num_envs < 1, actions of another shape or infeasible, or a mu
    that starts in a terminal state. Source: Gymnasium documentation, VectorEnv, AutoresetMode.NEXT_STEP.
    """
    return TableVectorEnv(mdp, num_envs)
