"""Small games on boards, and their exact values. Public through `tree_search`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rlcore.planning._generative import GenerativeModel, State, count

EXACT, AT_LEAST, AT_MOST = 0, 1, 2


@dataclass(frozen=True)
class LineGame:
    """Two players put marks on a board; whoever first has `connect` in a line wins.

    A position is a string of the `rows * columns` cells in reading order: `X` for who moves first, `O`, and `.`
    for empty. With `gravity` an action is a column and the mark falls to its lowest empty cell; otherwise it is a
    cell. `model` pays the mover 1 for a win and 0 otherwise, and ends with a win or a full board.
    Raises ValueError for sizes below 1, or a line that fits nowhere on the board.
    Source: van den Herik, Uiterwijk and van Rijswijck (2002), where these are k-in-a-row games.
    """

    rows: int
    columns: int
    connect: int
    gravity: bool = False

    def __post_init__(self) -> None:
        for name in ("rows", "columns", "connect"):
            count(name, getattr(self, name))
        if self.connect > max(self.rows, self.columns):
            raise ValueError(
                f"connect = {self.connect}: no such line fits on a board of {self.rows} x {self.columns}; shorten it."
            )

    @property
    def start(self) -> str:
        """The empty board."""
        return "." * (self.rows * self.columns)

    @cached_property
    def lines(self) -> list[list[list[int]]]:
        """For each cell, the lines through it, each a list of `connect` cells."""
        through: list[list[list[int]]] = [[] for _ in self.start]
        for i in range(self.rows):
            for j in range(self.columns):
                for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    last_i, last_j = i + (self.connect - 1) * di, j + (self.connect - 1) * dj
                    if last_i < self.rows and 0 <= last_j < self.columns:
                        line = [(i + k * di) * self.columns + j + k * dj for k in range(self.connect)]
                        for cell in line:
                            through[cell].append(line)
        return through

    @cached_property
    def model(self) -> GenerativeModel:
        """The rules as a generative model for two players, without chance."""
        A = self.columns if self.gravity else self.rows * self.columns
        return GenerativeModel(self._step, self.actions, A, players=2, r_max=1.0, gamma=1.0)

    def actions(self, s: str) -> list[int]:
        """The legal actions: columns that are not full, or empty cells."""
        return [a for a in range(self.columns if self.gravity else len(s)) if s[a] == "."]

    def mover(self, s: str) -> str:
        """Whose turn it is, `X` or `O`."""
        return "X" if s.count("X") == s.count("O") else "O"

    def _step(self, s: str, a: int, rng: np.random.Generator) -> tuple[str, float, float]:
        cell, mark = a, self.mover(s)
        if self.gravity:
            while cell + self.columns < len(s) and s[cell + self.columns] == ".":
                cell += self.columns
        s = s[:cell] + mark + s[cell + 1 :]
        if any(all(s[other] == mark for other in line) for line in self.lines[cell]):
            return s, 1.0, 0.0
        return s, 0.0, float("." in s)

    def show(self, s: str) -> str:
        """The position as lines of text."""
        return "\n".join(s[i : i + self.columns] for i in range(0, len(s), self.columns))


TIC_TAC_TOE = LineGame(3, 3, 3)
CONNECT = LineGame(4, 4, 4, gravity=True)  # Connect Four on a small board


@dataclass(frozen=True, eq=False)
class Solved:
    """An exactly solved position: `q` (A,), the mover's value of each action, `-inf` where illegal, in the rewards'
    unit, and `positions`, how many were searched. Source: Knuth and Moore (1975).
    """

    q: np.ndarray
    positions: int

    @property
    def value(self) -> float:
        """What the mover can force."""
        return float(self.q.max())

    @property
    def best(self) -> np.ndarray:
        """All actions that force it."""
        return np.flatnonzero(self.q == self.q.max())


def minimax(model: GenerativeModel, state: State, table: dict | None = None) -> Solved:
    """Solve a game without chance exactly, by alpha-beta search with a table of positions already met.

    `table` is filled and may be passed on to the next call with the same model. Returns a `Solved`. Raises
    ValueError unless there are two players, or for a state without a legal action. The model's
    random generator is None: a model with chance fails. Positions must not repeat within a game.
    Source: Knuth and Moore (1975), section 2; Marsland (1986) for the table.
    """
    if model.players != 2:
        raise ValueError("minimax solves games of two players; for one player use a solver of processes.")
    search, q = _AlphaBeta(model, {} if table is None else table), np.full(model.A, -np.inf)
    for a in model.legal(state):
        q[a] = search.after(state, a, -np.inf, np.inf)
    return Solved(q, search.positions)


class _AlphaBeta:
    def __init__(self, model: GenerativeModel, table: dict) -> None:
        self.model, self.table, self.positions = model, table, 0

    def after(self, s: State, a: int, alpha: float, beta: float) -> float:
        """The mover's value of action a, exact if it lies in (alpha, beta), otherwise a bound on that side."""
        s_next, r, discount = self.model(s, a, None)  # type: ignore[arg-type]
        if discount == 0:
            return r
        return r - discount * self.value(s_next, (r - beta) / discount, (r - alpha) / discount)

    def value(self, s: State, alpha: float, beta: float) -> float:
        known, v = self.table.get(s, (None, 0.0))
        if known == EXACT or (known == AT_LEAST and v >= beta) or (known == AT_MOST and v <= alpha):
            return v
        self.positions += 1
        best, low = -np.inf, alpha
        for a in self.model.legal(s):
            best = max(best, self.after(s, a, low, beta))
            low = max(low, best)
            if best >= beta:
                break
        self.table[s] = (AT_LEAST if best >= beta else AT_MOST if best <= alpha else EXACT, best)
        return best
