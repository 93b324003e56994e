"""Gymnasium environments that behave as a given table. Public through `rlcore.gym`."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from rlcore.mdp import FiniteMDP
from rlcore.simulate import Sampler


class TableEnv(gymnasium.Env):
    """A `FiniteMDP` as a Gymnasium environment; made by `to_gym`, which says how it behaves.

    Observations are states 0..S-1, actions 0..A-1. Source: Gymnasium documentation, Env.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own declaration)

    def __init__(self, mdp: FiniteMDP) -> None:
        _check_start(mdp)
        self.mdp, self._sampler = mdp, Sampler(mdp)
        self.observation_space, self.action_space = spaces.Discrete(mdp.S), spaces.Discrete(mdp.A)
        self._s: np.ndarray | None = None

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[int, dict[str, Any]]:
        """A first state drawn from mu, and `info` with its `action_mask` (A,)."""
        super().reset(seed=seed)
        self._s = self._sampler.reset(1, self.np_random)
        return int(self._s[0]), {"action_mask": _mask(self.mdp, self._s)[0]}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """`(s', r(s, a), terminated, False, info)`. Raises ValueError for an infeasible action."""
        if self._s is None or self.mdp.terminal[self._s[0]]:
            raise ResetNeeded("The process has not started, or has ended: call env.reset() first.")
        r, self._s, _ = self._sampler.step(self._s, np.array([action]), self.np_random)
        done = bool(self.mdp.terminal[self._s[0]])
        return int(self._s[0]), float(r[0]), done, False, {"action_mask": _mask(self.mdp, self._s)[0]}


class TableVectorEnv(gymnasium.vector.VectorEnv):
    """Independent copies of a `FiniteMDP`, stepped together; made by `to_vector_gym`.

    Arrays over copies have shape (num_envs,). Source: Gymnasium documentation, VectorEnv and AutoresetMode.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012

    def __init__(self, mdp: FiniteMDP, num_envs: int) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs = {num_envs}: ask for at least 1 copy.")
        _check_start(mdp)
        self.mdp, self.num_envs, self._sampler = mdp, num_envs, Sampler(mdp)
        self.single_observation_space, self.single_action_space = spaces.Discrete(mdp.S), spaces.Discrete(mdp.A)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._s: np.ndarray | None = None

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        """First states (num_envs,) drawn from mu, of all copies, or of those in `options["reset_mask"]`."""
        super().reset(seed=seed)
        mask = np.asarray((options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool)))
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(f"reset_mask is {mask}: give a bool per copy, ({self.num_envs},), not all false.")
        if self._s is None and not mask.all():
            raise ResetNeeded("The processes have not started: reset all of them first.")
        s = np.zeros(self.num_envs, dtype=np.int64) if self._s is None else self._s.copy()
        s[mask] = self._sampler.reset(int(mask.sum()), self.np_random)
        self._s = s
        return s.copy(), self._info(s, mask)

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """`(s', r, terminated, truncated, info)`, each (num_envs,); copies that have ended are reset instead."""
        actions = np.asarray(actions)
        if self._s is None:
            raise ResetNeeded("The processes have not started: call envs.reset() first.")
        if actions.shape != (self.num_envs,):
            raise ValueError(f"actions have shape {actions.shape}: give one per copy, ({self.num_envs},).")
        ended = self.mdp.terminal[self._s]
        r, s_next, _ = self._sampler.step(self._s, np.where(ended, 0, actions), self.np_random)
        if ended.any():
            s_next[ended] = self._sampler.reset(int(ended.sum()), self.np_random)
        self._s = s_next
        every = np.ones(self.num_envs, dtype=bool)
        return s_next.copy(), r, self.mdp.terminal[s_next], ~every, self._info(s_next, every)

    def _info(self, s: np.ndarray, known: np.ndarray) -> dict[str, Any]:
        return {"action_mask": _mask(self.mdp, s) * known[:, None], "_action_mask": known}


def _check_start(mdp: FiniteMDP) -> None:
    if mdp.mu[mdp.terminal].any():
        s = int(np.argmax(mdp.terminal & (mdp.mu > 0)))
        raise ValueError(
            f"mu starts in the terminal state {s} with probability {mdp.mu[s]:.4g}: an environment cannot "
            "begin at its end. Give the process another mu with dataclasses.replace(mdp, mu=...)."
        )


def _mask(mdp: FiniteMDP, s: np.ndarray) -> np.ndarray:
    return mdp.feasible[s].astype(np.int8)
