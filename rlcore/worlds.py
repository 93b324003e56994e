"""The worlds that run through the book, each a function that returns a `FiniteMDP`.

Rewards are expected rewards per step, in the unit that the world names; costs are negative rewards.
Impossible parameters raise a ValueError that names the parameter, its value and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from rlcore._car_rental import car_rental
from rlcore._gambling import gambler
from rlcore._moves import count_of, from_moves, need, number_of
from rlcore._operations import admission_control, inventory, machine_replacement
from rlcore._two_state import greedy_loss_example, two_state, two_state_values
from rlcore.mdp import FiniteMDP

__all__ = [
    "GRID_REWARDS",
    "SMALL_GRID",
    "admission_control",
    "car_rental",
    "chain",
    "gambler",
    "garnet",
    "greedy_loss_example",
    "grid",
    "inventory",
    "machine_replacement",
    "two_state",
    "two_state_values",
]

SMALL_GRID = (
    "...#..G",
    ".#....X",
    ".#.##..",
    "....#..",
    "S.#....",
)
GRID_REWARDS: Mapping[str, float] = MappingProxyType({"G": 1.0, "X": -1.0})
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}  # clockwise


def grid(
    layout: Sequence[str] = SMALL_GRID,
    *,
    rewards: Mapping[str, float] = GRID_REWARDS,
    step_reward: float = 0.0,
    slip: float = 0.2,
    gamma: float = 0.95,
) -> FiniteMDP:
    """A walk on a grid with walls, where the floor is slippery.

    Parameters
    ----------
    layout : rows of equal length, of the characters
        `#` wall, `.` free, `S` free and a start, and the keys of `rewards`: cells that end the walk.
    rewards : mapping of a letter to a number
        What entering such a cell pays, on top of `step_reward`, which every step pays.
    slip : float
        The move goes as intended with probability 1 - slip, and to each side (at a right angle) with slip/2.
        A move into a wall or over the border stays where it is.

    Returns
    -------
    FiniteMDP
        States are the cells that are no walls, in reading order, labelled `(row, column)`; actions are
        up, right, down, left; the cells of `rewards` are terminal; the first state is uniform over the `S`,
        or over all free cells where there is no `S`.

    Raises ValueError for rows of unequal length, an unknown character, no free cell, slip outside [0, 1], or
    a reward that is not finite or whose key is not one letter.
    Source: Russell and Norvig (2010), Artificial Intelligence, section 17.1, whose 4x3 world has slip = 0.2.
    """
    cells = _grid_cells(layout, rewards)
    need(0 <= number_of("slip", slip) <= 1, "slip", slip, "choose a probability in [0, 1]")
    need(np.isfinite(number_of("step_reward", step_reward)), "step_reward", step_reward, "give a finite number")
    index = {cell: s for s, cell in enumerate(cells)}
    names = list(cells.values())
    S, A = len(cells), len(MOVES)
    entry = np.array([rewards.get(name, 0.0) for name in names])
    terminal = np.array([name in rewards for name in names])
    target = np.array(  # (S, A): where a step in each direction leads
        [[index.get((i + di, j + dj), s) for di, dj in MOVES.values()] for s, (i, j) in enumerate(cells)]
    )
    transitions = [
        (s, a, target[s, (a + turn) % A], p)
        for s in np.flatnonzero(~terminal)
        for a in range(A)
        for turn, p in ((0, 1 - slip), (1, slip / 2), (-1, slip / 2))
    ]
    s, a, s_next = np.array([t[:3] for t in transitions], dtype=int).T
    p = np.array([t[3] for t in transitions])
    start = np.array([name == "S" for name in names])
    return FiniteMDP.from_transitions(
        *(S, A, s, a, s_next, p, step_reward + entry[s_next], gamma),
        terminal=terminal,
        mu=start / start.sum() if start.any() else None,
        labels=list(cells),
        action_labels=tuple(MOVES),
    )


def _grid_cells(layout: Sequence[str], rewards: Mapping[str, float]) -> dict[tuple[int, int], str]:
    """The cells that are no walls, in reading order, with their characters; checks the layout."""
    remedy = "give a mapping of letters to numbers, such as {'G': 1.0}"
    need(isinstance(rewards, Mapping), "rewards", rewards, remedy)
    for key, value in rewards.items():
        if not isinstance(key, str) or len(key) != 1 or not key.isalpha() or key == "S":
            raise ValueError(f"rewards has the key {key!r}: use one letter, other than S, which marks the start.")
        name = f"rewards[{key!r}]"
        need(np.isfinite(number_of(name, value)), name, value, "give a finite number")
    if isinstance(layout, str):
        raise ValueError(f"layout is one string, {layout!r}: give a list of rows, such as layout.split().")
    rows = np.iterable(layout) and all(isinstance(row, str) for row in layout)
    need(rows, "layout", layout, "give a list of rows, each a string")
    if len({len(row) for row in layout}) > 1:
        raise ValueError(f"layout has rows of lengths {[len(row) for row in layout]}: make them equal, with '#'.")
    cells = {(i, j): c for i, row in enumerate(layout) for j, c in enumerate(row) if c != "#"}
    for (i, j), c in cells.items():
        if c not in {".", "S", *rewards}:
            raise ValueError(
                f"layout has {c!r} in row {i}, column {j}: use '#', '.', 'S' or a key of rewards {sorted(rewards)}."
            )
    if not any(c in ".S" for c in cells.values()):
        raise ValueError(f"layout {list(layout)} has no free cell: mark at least one with '.' or 'S'.")
    return cells


def chain(
    n: int = 6,
    *,
    forward: float = 0.3,
    back: float = 0.1,
    small: float = 5.0,
    large: float = 10_000.0,
    gamma: float = 0.95,
) -> FiniteMDP:
    """RiverSwim: n places along a river; swimming against the stream mostly fails, and pays only at its end.

    States 0 (downstream) to n - 1. Action 0, left, moves to s - 1 for sure; in state 0 it stays there and pays
    `small`. Action 1, right, moves to s + 1 with probability `forward`, to s - 1 with probability `back`, and
    stays otherwise, with two exceptions: state 0 has no place behind it, so it stays with probability
    1 - forward; state n - 1 stays with probability `forward`, which pays `large`, and is carried back otherwise.
    Nothing else pays. The first state is 1 or 2, each with probability 1/2 (1 where n = 2).

    Raises ValueError for n < 2, forward and back that are no probabilities with a sum of at most 1, or rewards
    that are not finite.
    Source: Strehl and Littman (2008), An analysis of model-based interval estimation for Markov decision
    processes, whose six states, probabilities and rewards are the defaults.
    """
    need(count_of("n", n) >= 2, "n", n, "a chain needs at least 2 states")
    need(0 <= number_of("forward", forward) <= 1, "forward", forward, "choose a probability in [0, 1]")
    remedy = f"choose it in [0, 1 - forward] = [0, {1 - forward:.4g}]"
    need(0 <= number_of("back", back) <= 1 - forward + 1e-12, "back", back, remedy)
    need(np.isfinite(number_of("small", small)), "small", small, "give a finite number")
    need(np.isfinite(number_of("large", large)), "large", large, "give a finite number")
    s = np.arange(n)
    behind, ahead, last = np.maximum(s - 1, 0), np.minimum(s + 1, n - 1), n - 1
    p_back = np.where(s == last, 1 - forward, np.where(s == 0, 0.0, min(back, 1 - forward)))
    moves = [  # action, next state, probability, reward
        (0, behind, 1.0, small * (s == 0)),
        (1, ahead, forward, large * (s == last)),
        (1, behind, p_back, 0.0),
        (1, s, 1 - forward - p_back, 0.0),
    ]
    mu = np.isin(s, (1, 2)) / np.isin(s, (1, 2)).sum()
    return from_moves(n, 2, [(s, *move) for move in moves], gamma, mu=mu, action_labels=("left", "right"))


def garnet(
    S: int, A: int, branching: int, *, gamma: float = 0.95, rng: int | np.random.Generator | None = None
) -> FiniteMDP:
    """A random process of S states and A actions, each pair leading to `branching` different states.

    The next states are a uniform sample without replacement, their probabilities the lengths of the pieces into
    which branching - 1 uniform points cut [0, 1], the rewards r(s, a) uniform on [0, 1]. Small processes are
    dense, others CSR; 100,000 states take about a second. `rng` is a seed, a generator or None.

    Raises ValueError for S or A below 1, or branching outside 1..S.
    Source: Archibald, McKinnon and Thomas (1995), On the generation of Markov decision processes.
    """
    need(count_of("S", S) >= 1, "S", S, "use at least 1 state")
    need(count_of("A", A) >= 1, "A", A, "use at least 1 action")
    need(1 <= count_of("branching", branching) <= S, "branching", branching, f"choose it in 1..S = 1..{S}")
    rng = np.random.default_rng(rng)
    rows = np.arange(A * S)[:, None]
    cuts = np.sort(rng.random((A * S, branching - 1)), axis=1)
    p = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    s_next = np.empty((A * S, branching), dtype=np.int64)
    for k, top in enumerate(range(S - branching, S)):  # Floyd's sampling without replacement, all rows at once
        draw = rng.integers(top + 1, size=A * S)
        s_next[:, k] = np.where((s_next[:, :k] == draw[:, None]).any(axis=1), top, draw)
    r = rng.random((A * S, 1))
    return from_moves(S, A, [(rows % S, rows // S, s_next, p, r)], gamma)
