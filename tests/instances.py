"""Random processes, policies and values for the checks of theorems."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rlcore import FiniteMDP


def random_mdp(rng: np.random.Generator, *, terminal: bool, gamma: float | None = None) -> FiniteMDP:
    """2 to 6 states, 1 to 4 actions, rows from nearly deterministic to nearly uniform, some actions infeasible."""
    S, A = int(rng.integers(2, 7)), int(rng.integers(1, 5))
    p = rng.dirichlet(np.full(S, 10 ** rng.uniform(-1.5, 0.5)), size=(S, A))
    r = rng.normal(size=(S, A)) * 10 ** rng.uniform(-1, 1)
    r[:, 1:][rng.random((S, A - 1)) < 0.2] = -np.inf
    ended = np.zeros(S, dtype=bool)
    if terminal:
        ended[rng.integers(S)] = True
        r[ended], p[ended] = 0.0, 0.0
    gamma = float(rng.choice([0.0, rng.uniform(0.05, 0.97)], p=[0.05, 0.95])) if gamma is None else gamma
    return FiniteMDP.from_arrays(p, r, gamma, terminal=ended)


def instances(
    seed: int, n: int = 120, *, terminal: bool | None = None, gamma: float | None = None
) -> Iterator[tuple[FiniteMDP, np.random.Generator]]:
    """`n` processes, each with a generator of its own; every second one can end, unless `terminal` says otherwise."""
    for i, rng in enumerate(np.random.default_rng(seed).spawn(n)):
        yield random_mdp(rng, terminal=bool(i % 2) if terminal is None else terminal, gamma=gamma), rng


def random_policy(mdp: FiniteMDP, rng: np.random.Generator) -> np.ndarray:
    """(S, A) probabilities on the feasible actions."""
    weights = rng.exponential(size=(mdp.S, mdp.A)) * mdp.feasible
    return weights / weights.sum(axis=1, keepdims=True)


def random_actions(mdp: FiniteMDP, rng: np.random.Generator) -> np.ndarray:
    """(S,) feasible actions."""
    return np.where(mdp.feasible, rng.random((mdp.S, mdp.A)), -1).argmax(axis=1)


def random_values(mdp: FiniteMDP, rng: np.random.Generator) -> np.ndarray:
    """(S,) values, zero where the process has ended."""
    return rng.normal(size=mdp.S) * 10 ** rng.uniform(-1, 1.5) * ~mdp.terminal


def random_chain(rng: np.random.Generator, *, irreducible: bool = False) -> np.ndarray:
    """A chain of 2 to 6 states, one to three steps from each; often reducible or periodic, unless a cycle is added."""
    S = int(rng.integers(2, 7))
    P = np.zeros((S, S))
    for i in range(S):
        targets = rng.integers(S, size=rng.integers(1, 4))
        np.add.at(P[i], targets, rng.uniform(0.2, 1.0, size=len(targets)))
    if irreducible:
        order = rng.permutation(S)
        P[order, np.roll(order, 1)] += rng.uniform(0.2, 1.0, size=S)
    return P / P.sum(axis=1, keepdims=True)


def chains(seed: int, n: int = 120, *, irreducible: bool = False) -> Iterator[tuple[np.ndarray, np.random.Generator]]:
    """`n` random chains, each with a generator of its own."""
    for rng in np.random.default_rng(seed).spawn(n):
        yield random_chain(rng, irreducible=irreducible), rng
