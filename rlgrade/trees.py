"""Worlds that answers sample from, and games small enough to be known, as plain functions and nested tuples.

A model is a function `model(s, a)` that draws `(s_next, r, discount)`. A position of a game is a tuple of moves, a move
is a pair `(reward, position)`, and () is an end; the reward is the mover's. Arrays are P (S, A, S), r (S, A).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlgrade.check import demand, numbers

__all__ = ["can_force", "outcomes", "process", "random_game", "sampler", "tree", "tree_model"]


def process(seed: int, S: int = 5, A: int = 3, *, sure: bool = False) -> tuple[np.ndarray, np.ndarray, float]:
    """A random process `P, r, gamma` whose last state is an end; rewards are tenths in [0, 1]. With `sure`, no chance.

    Raises what NumPy raises for impossible sizes. Source: this book.
    """
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 5, size=(S, A, S)) * (rng.random((S, A, S)) < 0.5)
    weights[..., 0] += weights.sum(axis=2) == 0
    if sure:
        weights = np.eye(S, dtype=int)[rng.integers(S, size=(S, A))]
    r = rng.integers(0, 11, size=(S, A)) / 10
    return weights / weights.sum(axis=2, keepdims=True), r, float(rng.choice([0.5, 0.8, 0.9]))


def sampler(P: np.ndarray, r: np.ndarray, gamma: float, seed: int = 0, log: list | None = None) -> Callable:
    """A model of a process whose last state is an end, with a stream of chance for each state and action.

    So the k-th draw for a pair does not depend on what else was asked. Calls (s, a) are added to `log`.
    Source: this book.
    """
    streams: dict[tuple[int, int], np.random.Generator] = {}
    levels, last = P.cumsum(axis=2), len(r) - 1

    def model(s, a):
        if log is not None:
            log.append((s, a))
        stream = streams.setdefault((s, a), np.random.default_rng([seed, s, a]))
        after = min(int(np.searchsorted(levels[s, a], stream.random(), side="right")), last)
        return after, float(r[s, a]), 0.0 if after == last else gamma

    return model


def random_game(seed: int, depth: int = 3) -> tuple:
    """A random game, 2 or 3 moves in a position, rewards from -5 to 5, at most `depth` moves. Source: this book."""
    rng = np.random.default_rng(seed)

    def position(left: int) -> tuple:
        if left == 0 or (left < depth and rng.random() < 0.15):
            return ()
        return tuple((int(rng.integers(-5, 6)), position(left - 1)) for _ in range(rng.integers(2, 4)))

    return position(depth)


def tree_model(position: tuple) -> tuple[Callable, Callable]:
    """`model, actions` of nested tuples; a state is the tuple of the moves made, () at first. Source: this book."""

    def at(s):
        here = position
        for a in s:
            here = here[a][1]
        return here

    def model(s, a):
        r, after = at(s)[a]
        return (*s, a), float(r), 1.0 if after else 0.0

    return model, lambda s: list(range(len(at(s))))


def tree(value: Any, most: int, what: str = "the game", depth: int = 40) -> tuple:
    """An answer as nested tuples, with at least one move and `most` at most.

    Raises `Wrong` that names what is amiss. Source: this book.
    """
    count = 0

    def read(position: Any, left: int, place: str) -> tuple:
        nonlocal count
        listed = isinstance(position, (tuple, list)) and left > 0
        demand(listed, f"{place} must be a list of moves, [] at an end.", what=what, got=position)
        moves = []
        for k, move in enumerate(position):
            count += 1
            demand(count <= most, f"there are more than {most} moves in all.", what=what)
            pair = isinstance(move, (tuple, list)) and len(move) == 2
            demand(pair, f"move {k} of {place} must be a pair (reward, position).", what=what, got=move)
            r = float(numbers(move[0], (), f"the reward of move {k} of {place}"))
            moves.append((r, read(move[1], left - 1, f"the position after move {k} of {place}")))
        return tuple(moves)

    read_tree = read(value, depth, "the first position")
    demand(len(read_tree) > 0, "there is no move.", what=what, got=value)
    return read_tree


# ---------------------------------------------------------------------- certificates


def can_force(move: tuple, goal: float) -> bool:
    """Whether whoever makes this `move` of a game for two can be sure of a total of `goal` or more.

    A question instead of a value: for every reply there is an answer to it. Source: Zermelo (1913).
    """

    def holds(position: tuple, side: int, total: float) -> bool:
        if not position:
            return total >= goal
        answers = (holds(after, -side, total + side * r) for r, after in position)
        return any(answers) if side == 1 else all(answers)

    return holds(move[1], -1, move[0])


def outcomes(position: tuple, players: int) -> list[tuple[float, float, tuple[float, ...]]]:
    """All ways to the end if moves are made at random: probability, the first player's total, rewards on the way.

    Rewards are the movers', as in the game. Source: this book.
    """
    found = []

    def walk(here: tuple, weight: float, total: float, rewards: tuple[float, ...]) -> None:
        if not here:
            found.append((weight, total, rewards))
        for r, after in here:
            side = (-1) ** len(rewards) if players == 2 else 1
            walk(after, weight / len(here), total + side * r, (*rewards, r))

    walk(position, 1.0, 0.0, ())
    return found
