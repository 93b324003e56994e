"""The grid world solved sweep by sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import traitlets

from rlcore import worlds
from rlcore.mdp import FiniteMDP
from rlcore.planning.certificates import need_discounting
from rlcore.planning.discounted import Solution, value_iteration
from rlcore.widgets._figure import Figure

SIZE = 64  # side of a cell, as in grid_board.js
STRONGEST = 0.6  # opacity of the largest value, as in grid_board.js
UP, DOWN = "#0072b2", "#d55e00"  # above and below zero, as in figure.css


class GridFigure(Figure):
    """Value iteration on a grid that the reader paints, with sliders for the discount factor and the slip.

    Parameters are those of `rlcore.worlds.grid`, with its defaults; `alt` replaces the text that describes the
    still picture. In a notebook the trait `world`, a dict of those parameters, follows the reader, so that
    `figure.mdp` is the process on the screen; setting it changes the screen.
    Raises ValueError as `worlds.grid` does, and for gamma = 1. Source: Puterman (1994), section 6.3.
    """

    name = "grid"
    world = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        layout: Sequence[str] = worlds.SMALL_GRID,
        *,
        rewards: Mapping[str, float] = worlds.GRID_REWARDS,
        step_reward: float = 0.0,
        slip: float = 0.2,
        gamma: float = 0.95,
        alt: str | None = None,
        **kwargs: Any,
    ) -> None:
        numbers = {"step_reward": step_reward, "slip": slip, "gamma": gamma}
        self._alt = alt
        super().__init__(world={"layout": layout, "rewards": rewards, **numbers}, **kwargs)

    @traitlets.validate("world")
    def _valid(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse what `worlds.grid` or a discounted solver refuses, with its message."""
        world = proposal["value"]
        need_discounting(worlds.grid(**world))
        numbers = {name: float(world[name]) for name in ("step_reward", "slip", "gamma")}
        rewards = {letter: float(reward) for letter, reward in world["rewards"].items()}
        return {"layout": list(world["layout"]), "rewards": rewards, **numbers}

    @property
    def mdp(self) -> FiniteMDP:
        """The process that the figure shows, as it is now. Source: `rlcore.worlds.grid`."""
        return worlds.grid(**self.world)

    @property
    def alt(self) -> str:
        """What the still picture shows, in words. Source: the solution by value iteration."""
        if self._alt is not None:
            return self._alt
        mdp, layout = self.mdp, self.world["layout"]
        v = value_iteration(mdp).v[~mdp.terminal]
        ends = ", ".join(f"{reward:g}" for reward in sorted(set(self._entered()))) or "nothing, as there are none"
        return (
            f"Grid world of {len(layout)} rows and {len(layout[0])} columns with its optimal values and greedy "
            f"actions, for discount factor {mdp.gamma:g} and slip {self.world['slip']:g}. Values of the free cells go "
            f"from {v.min():.2f} to {v.max():.2f}; cells that end the walk pay {ends}."
        )

    def _entered(self) -> list[float]:
        """The rewards of the cells that end the walk."""
        layout, rewards = self.world["layout"], self.world["rewards"]
        return [rewards[char] for line in layout for char in line if char in rewards]

    def still(self) -> str:
        """The solved grid as an SVG of its own, in boxes as large as those of the live figure."""
        return (
            f'<div class="rl-body" style="--rl-columns: {len(self.world["layout"][0])}"><div class="rl-left">'
            '<div class="rl-tools rl-space"></div>'
            f"{self._picture()}"
            '<div class="rl-inspect rl-space"></div><p class="rl-status rl-space"></p>'
            '<div class="rl-code rl-space"></div></div><div class="rl-panel rl-space"></div></div>'
            "<noscript><style>.rl-figure .rl-space { display: none; }</style>"
            '<p class="rl-note">With JavaScript, this figure lets you paint the grid and watch value '
            "iteration solve it.</p></noscript>"
        )

    def _picture(self) -> str:
        mdp, layout = self.mdp, self.world["layout"]
        solution = value_iteration(mdp)
        state = {cell: s for s, cell in enumerate(mdp.labels)}
        largest = max([1e-300, *map(abs, self._entered()), *abs(solution.v)])
        rows, columns = len(layout), len(layout[0])
        cells = (
            f'<g transform="translate({column * SIZE} {row * SIZE})">'
            + self._cell(char, solution, state.get((row, column)), largest)
            + "</g>"
            for row, line in enumerate(layout)
            for column, char in enumerate(line)
        )
        return (
            f'<svg class="rl-board" viewBox="0 0 {columns * SIZE} {rows * SIZE}" role="img" '
            f'style="max-width:{columns * SIZE}px" aria-label="{escape(self.alt)}">{"".join(cells)}</svg>'
        )

    def _cell(self, char: str, solution: Solution, s: int | None, largest: float) -> str:
        if s is None:
            return _face("currentColor", 0.42)
        rewards = self.world["rewards"]
        if char in rewards:
            reward = rewards[char]
            frame = f'<rect class="rl-frame" x="5" y="5" width="{SIZE - 10}" height="{SIZE - 10}" rx="3" fill="none"/>'
            return _shade(reward, largest) + frame + _text(39, _minus(f"{reward:+g}" if reward else "0"), "rl-reward")
        v = float(solution.v[s])
        arrow = (
            '<path class="rl-arrow" d="M0 10V-10M-5 -5L0 -10.5L5 -5" fill="none" stroke="currentColor" '
            f'transform="translate(32 25) rotate({90 * solution.pi[s]})"/>'
        )
        start = (
            '<circle class="rl-start" cx="10" cy="10" r="4" fill="none" stroke="currentColor"/>' if char == "S" else ""
        )
        return _shade(v, largest) + start + arrow + _text(55, short(v), "rl-value")


def _face(colour: str, opacity: float) -> str:
    return (
        f'<rect width="{SIZE}" height="{SIZE}" style="fill:{colour};fill-opacity:{opacity:.3f}" '
        'stroke="currentColor" stroke-opacity="0.22"/>'
    )


def _shade(value: float, largest: float) -> str:
    return _face(DOWN if value < 0 else UP, STRONGEST * abs(value) / largest)


def _text(y: int, string: str, kind: str) -> str:
    return f'<text class="{kind}" x="32" y="{y}" text-anchor="middle" fill="currentColor">{string}</text>'


def _minus(text: str) -> str:
    return text.replace("-", "−")


def short(x: float) -> str:
    """About three digits, as `short` in shared.js writes them. Source: the figure's own style."""
    size = abs(x)
    text = f"{x:.{2 if size < 9.995 else 1 if size < 99.95 else 0}f}"
    return _minus(text if float(text) else text.lstrip("-"))
