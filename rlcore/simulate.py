"""Running a known process: many independent runs at once, one row each.

Arrays over runs have shape (runs,), trajectories (runs, steps). Rewards are the *expected* rewards r(s, a) of
the process, since that is what a `FiniteMDP` holds: the noise of a run comes from its states and actions alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rlcore.mdp import FiniteMDP

__all__ = ["Sampler", "Trajectory", "discounted_return", "rollout"]


class Sampler:
    """Draws first states and transitions of a `FiniteMDP`, all runs at once, by inverting distribution functions.

    The rows of P are laid end to end in one increasing sequence, so a single binary search serves every run.
    Construction costs one pass over P. `reset` and `step` take an open `np.random.Generator`, and not a seed,
    which would repeat the same draw at every step. Source: Devroye (1986), section III.2.
    """

    def __init__(self, mdp: FiniteMDP) -> None:
        self.mdp = mdp
        if isinstance(mdp.P, np.ndarray):
            rows, self._states = np.nonzero(mdp.P)
            p = mdp.P[rows, self._states]
            self._ends = np.searchsorted(rows, np.arange(mdp.A * mdp.S + 1))
        else:
            self._states, p, self._ends = mdp.P.indices, mdp.P.data, mdp.P.indptr
        self._levels = np.concatenate([[0.0], np.cumsum(p)])
        self._starts = np.flatnonzero(mdp.mu)
        self._start_levels = np.cumsum(mdp.mu[self._starts])

    def reset(self, runs: int, rng: np.random.Generator) -> np.ndarray:
        """First states (runs,), drawn from mu. Raises ValueError for runs < 1, TypeError for a seed."""
        _check_generator(rng)
        _check_count("runs", runs)
        u = rng.random(runs) * self._start_levels[-1]
        k = np.searchsorted(self._start_levels, u, side="right")
        return self._starts[np.minimum(k, len(self._starts) - 1)]

    def step(self, s: np.ndarray, a: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One transition of every run: states and actions (runs,) to `(r, s_next, discount)`, each (runs,).

        `discount` is gamma, or 0 on entering a terminal state. A run that is in a terminal state already stays
        there, with reward 0 and discount 0. Raises ValueError for a state or an action out of range or
        infeasible, TypeError for a seed in place of a generator.
        """
        _check_generator(rng)
        mdp = self.mdp
        s, a = _indices("states", s, mdp.S), _indices("actions", a, mdp.A)
        if s.ndim != 1 or s.shape != a.shape:
            raise ValueError(f"States {s.shape} and actions {a.shape} need one shape, (runs,).")
        r = mdp.r[s, a]
        if np.isneginf(r).any():
            run = int(np.argmax(np.isneginf(r)))
            raise ValueError(
                f"Run {run} takes action {a[run]} in state {s[run]}, where it is infeasible: "
                f"choose among {np.flatnonzero(mdp.feasible[s[run]]).tolist()} (mdp.feasible)."
            )
        live, u, s_next = ~mdp.terminal[s], rng.random(len(s)), s.copy()
        row = (a * mdp.S + s)[live]
        first, end = self._ends[row], self._ends[row + 1]
        level = self._levels[first] + u[live] * (self._levels[end] - self._levels[first])
        k = np.searchsorted(self._levels, level, side="right") - 1
        s_next[live] = self._states[np.clip(k, first, end - 1)]  # rounding must not leave the row
        return r, s_next, np.where(mdp.terminal[s_next], 0.0, mdp.gamma)


@dataclass(frozen=True, eq=False)
class Trajectory:
    """What happened in each run: arrays of shape (runs, steps).

    `s`, `a`, `r` (expected reward, in the process's unit) and `s_next` of each transition; `discount`, the
    factor on what follows it: gamma, or 0 from the entry into a terminal state on. A run that has ended stays in
    its terminal state with reward 0. Source of the convention: White (2017), Unifying task specification in
    reinforcement learning.
    """

    s: np.ndarray
    a: np.ndarray
    r: np.ndarray
    discount: np.ndarray
    s_next: np.ndarray


def rollout(
    mdp: FiniteMDP,
    pi: np.ndarray,
    *,
    steps: int,
    runs: int = 1,
    rng: int | np.random.Generator | None = None,
    start: int | np.ndarray | None = None,
) -> Trajectory:
    """Follow a stationary policy for `steps` steps, in `runs` independent runs.

    `pi` is (S,) actions or (S, A) probabilities; `start` a state or one per run (runs,), by default drawn from
    mu. `rng` is a seed, a generator or None; the same seed gives the same numbers. Returns a `Trajectory` of
    arrays (runs, steps). Raises ValueError for counts below 1, an invalid policy or start.
    Source: Puterman (1994), section 2.1.6, the process that a policy induces.
    """
    _check_count("steps", steps)
    _check_count("runs", runs)
    rng, sampler = np.random.default_rng(rng), Sampler(mdp)
    levels = np.cumsum(mdp.policy_matrix(pi), axis=1)
    levels /= levels[:, -1:]  # the last action of positive probability reaches 1 exactly
    s = sampler.reset(runs, rng) if start is None else _start_states(start, runs, mdp.S)
    record: dict[str, list[np.ndarray]] = {"s": [], "a": [], "r": [], "discount": [], "s_next": []}
    for _ in range(steps):
        a = (levels[s] <= rng.random(runs)[:, None]).sum(axis=1)
        r, s_next, discount = sampler.step(s, a, rng)
        for name, value in (("s", s), ("a", a), ("r", r), ("discount", discount), ("s_next", s_next)):
            record[name].append(value)
        s = s_next
    return Trajectory(**{name: np.stack(columns, axis=1) for name, columns in record.items()})


def discounted_return(trajectory: Trajectory) -> np.ndarray:
    """Returns (runs,): the sum over t of r_t times the discounts before it, in the unit of the rewards.

    Only the recorded steps count: for a run that has not ended, the rest is at most
    gamma^steps * max |r| / (1 - gamma). Source: Sutton and Barto (2018), section 3.3.
    """
    weight = np.ones_like(trajectory.r)
    weight[:, 1:] = np.cumprod(trajectory.discount[:, :-1], axis=1)
    return (weight * trajectory.r).sum(axis=1)


def _start_states(start, runs: int, S: int) -> np.ndarray:
    s = _indices("start states", start, S)
    if s.shape not in ((), (runs,)):
        raise ValueError(f"start has shape {s.shape}: give one state, or one per run, ({runs},).")
    return np.broadcast_to(s, (runs,))


def _check_generator(rng) -> None:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}: open a generator once, with np.random.default_rng(seed), and pass that.")


def _check_count(name: str, n: int) -> None:
    if n < 1:
        raise ValueError(f"{name} = {n}: ask for at least 1.")


def _indices(name: str, index, size: int) -> np.ndarray:
    index = np.asarray(index)
    if not np.issubdtype(index.dtype, np.integer):
        raise ValueError(f"{name} have dtype {index.dtype}: use integers in 0..{size - 1}.")
    if index.size and (index.min() < 0 or index.max() >= size):
        raise ValueError(f"{name} reach from {index.min()} to {index.max()}: they must lie in 0..{size - 1}.")
    return index.astype(np.intp, copy=False)
