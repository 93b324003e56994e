"""The occupancies of a small process, as a polygon."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import traitlets

from rlcore import worlds
from rlcore._checks import is_number, real_array
from rlcore.mdp import FiniteMDP
from rlcore.planning import linear_programs as lp
from rlcore.planning.certificates import need_discounting
from rlcore.planning.discounted import evaluate
from rlcore.widgets._figure import Figure
from rlcore.widgets._polytope_still import draw_polytope, draw_table

LONGEST = 8  # letters of a name, so that the table and the sliders have room
RING = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])  # the deterministic policies A to D, neighbours next to each other
CLOSE = 1e-9  # what differs by less, relative to the largest, counts as equal
SECOND_ACTION = [[0.0, 1.0], [0.0, 1.0]]  # the cost that counts how often it is taken


def _machine(operating_cost: float, replacement_cost: float) -> FiniteMDP:
    costs = {"operating_cost": operating_cost, "replacement_cost": replacement_cost}
    return worlds.machine_replacement(2, wear=(0.5, 0.5), gamma=0.8, **costs)


def _one_way(mu: list[float]) -> FiniteMDP:
    """A place that one may leave and never finds again."""
    p = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    return FiniteMDP.from_arrays(
        p, [[2, 0], [3, 1]], 0.8, mu=mu, labels=("here", "there"), action_labels=("stay", "go")
    )


class PolytopeFigure(Figure):
    """The occupancies of a process of two states and two actions as a polygon, in which the reader drags a policy.

    `mdp` is a `FiniteMDP` of two states, none terminal, and two actions, all feasible, with gamma < 1, by default a
    machine that may be replaced; `states` names its states; `costs` (2, 2) is what a `limit` is on (None: no limit),
    by default the number of times that the second action is taken; `pi` (2,) holds the probabilities of the second
    action at the reader's point; `alt` replaces the text that describes the still picture. In a notebook the trait
    `process`, a dict, follows the reader, so that `figure.mdp` and `figure.policy` are those on the screen; setting
    it changes the screen. Raises ValueError for other processes, and for names of more than 8 letters.
    Source: Puterman (1994), section 6.9; Altman (1999), chapter 3, for limits.
    """

    name = "polytope"
    process = traitlets.Dict().tag(sync=True)
    presets: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(
        self, mdp=None, *, states=None, costs=None, limit=None, pi=(0.5, 0.5), alt: str | None = None, **kwargs: Any
    ) -> None:
        self._alt = alt
        examples = {
            "machine": (_machine(4, 6), ("new", "worn")),
            "machine, tied": (_machine(3, 5), ("new", "worn")),
            "one way": (_one_way([1.0, 0.0]), None),
        }
        presets = [{"name": name, "process": _process(*example)} for name, example in examples.items()]
        if mdp is None:
            mdp, default = examples["machine"]
            states = default if states is None else states
        process = _process(mdp, states, costs=costs, limit=limit, pi=pi)
        super().__init__(process=process, presets=presets, **kwargs)

    @traitlets.validate("process")
    def _valid(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is no process of two states and two actions."""
        return _checked(**proposal["value"])

    @property
    def mdp(self) -> FiniteMDP:
        """The process on the screen. Source: Puterman (1994), section 2.1."""
        return _mdp(self.process)

    @property
    def policy(self) -> np.ndarray:
        """The policy (2, 2) at the reader's point, as probabilities. Source: Puterman (1994), section 6.9.2."""
        pi = np.array(self.process["pi"])
        return np.column_stack([1 - pi, pi])

    @property
    def corners(self) -> np.ndarray:
        """Occupancies (4, 2, 2) of the deterministic policies A to D. Source: Puterman (1994), section 6.9.2."""
        return np.array([lp.occupancy(self.mdp, pi) for pi in RING])

    @property
    def best(self) -> np.ndarray | None:
        """Occupancy (2, 2) of an optimal policy within the limit, if there is one.

        None where no policy keeps the limit. Source: Altman (1999), chapter 3.
        """
        mdp, limit, costs = self.mdp, self.process["limit"], np.array(self.process["costs"])
        if limit is None:
            return lp.dual(mdp, weights=mdp.mu).occupancy
        if (self.corners * costs).sum(axis=(1, 2)).min() > limit:
            return None
        return lp.constrained(mdp, costs, limit).occupancy

    @property
    def alt(self) -> str:
        """What the still picture shows, in words. Source: the process's policies and optimum."""
        if self._alt is not None:
            return self._alt
        mdp, process, best, corners = self.mdp, self.process, self.best, self.corners
        new, worn = process["states"]
        count = 1 + sum(not np.allclose(a, b, atol=CLOSE) for a, b in pairwise([*corners]))
        count -= count > 1 and np.allclose(corners[0], corners[-1], atol=CLOSE)
        values = [f"{name} {mdp.mu @ evaluate(mdp, pi):.2f}" for name, pi in zip(self._names(), RING, strict=True)]
        text = (
            f"Polygon with {count} corners in the plane of x({new}, {process['actions'][1]}) and "
            f"x({worn}, {process['actions'][1]}); worth of the deterministic policies: {'; '.join(values)}."
        )
        limit = "" if process["limit"] is None else f" A limit of {process['limit']:g} on the cost cuts it."
        if best is None:
            return f"{text}{limit} No policy keeps the limit."
        return (
            f"{text}{limit} The best point is ({best[0, 1]:.2f}, {best[1, 1]:.2f}), worth {(best * mdp.r).sum():.2f}."
        )

    def _names(self) -> list[str]:
        actions = self.process["actions"]
        return [f"{letter} {actions[a]}, {actions[b]}" for letter, (a, b) in zip("ABCD", RING, strict=True)]

    def still(self) -> str:
        """The polygon and the table of its corners, in boxes as large as those of the live figure."""
        mdp, process, corners = self.mdp, self.process, self.corners
        costs = np.array(process["costs"])
        values = [evaluate(mdp, pi) for pi in RING]
        lines = [mdp.mu @ values[0], mdp.q(values[0])[:, 1] - values[0]]
        spending = _priced_as(mdp, costs)
        spent = evaluate(spending, RING[0])
        limits = [mdp.mu @ spent, spending.q(spent)[:, 1] - spent]
        here = lp.occupancy(mdp, self.policy)
        picture = draw_polytope(corners, here, self.best, lines, limits, process, self.alt)
        numbers = [[*v, mdp.mu @ v, (x * costs).sum()] for v, x in zip(values, corners, strict=True)]
        return (
            '<div class="rl-body rl-polytope"><div class="rl-left"><div class="rl-tools rl-space"></div>'
            f'{picture}<p class="rl-status rl-space"></p>{draw_table(self._names(), process["states"], numbers)}'
            '<div class="rl-inspect rl-space"></div><div class="rl-code rl-space"></div></div>'
            '<div class="rl-panel rl-space"></div></div>'
            "<noscript><style>.rl-figure .rl-space { display: none; }</style>"
            '<p class="rl-note">With JavaScript, this figure lets you turn the reward, drag a policy through the '
            "polygon, and cut it by a limit.</p></noscript>"
        )


def _priced_as(mdp: FiniteMDP, costs: np.ndarray) -> FiniteMDP:
    return FiniteMDP(mdp.P, costs, mdp.gamma, mu=mdp.mu)


def _mdp(process: dict[str, Any]) -> FiniteMDP:
    return FiniteMDP.from_arrays(
        process["p"],
        process["r"],
        process["gamma"],
        mu=process["mu"],
        labels=process["states"],
        action_labels=process["actions"],
    )


def _process(mdp: FiniteMDP, states=None, costs=None, limit=None, pi=(0.5, 0.5)) -> dict[str, Any]:
    """The process as a dict."""
    if (mdp.S, mdp.A) != (2, 2):
        raise ValueError(
            f"The process has {mdp.S} states and {mdp.A} actions: the figure draws two of each, where the occupancies "
            "are a polygon. Use rlcore.planning.linear_programs for others."
        )
    if mdp.terminal.any() or not mdp.feasible.all():
        raise ValueError("A state is terminal or an action infeasible: the figure draws processes with neither.")
    P = np.asarray(mdp.P.toarray() if hasattr(mdp.P, "toarray") else mdp.P)
    names = _named(mdp.labels, "state") if states is None else states
    p, actions = P.reshape(2, 2, 2).transpose(1, 0, 2), _named(mdp.action_labels, "action")
    return _checked(p, mdp.r, mdp.gamma, mdp.mu, costs, limit, pi, names, actions)


def _named(labels, what: str) -> list[str]:
    return [f"{what} {label}" if isinstance(label, int) else str(label) for label in labels]


def _checked(p, r, gamma, mu, costs=None, limit=None, pi=(0.5, 0.5), states=None, actions=None) -> dict[str, Any]:
    """The process as JSON can write it."""
    states = ["state 0", "state 1"] if states is None else states
    actions = ["action 0", "action 1"] if actions is None else actions
    for field, names in (("states", states), ("actions", actions)):
        if len(names) != 2 or not all(isinstance(name, str) and 0 < len(name) <= LONGEST for name in names):
            raise ValueError(f"{field} = {names!r}: give two names of 1 to {LONGEST} letters.")
    p, r = real_array("p", p), real_array("r", r)
    if p.shape != (2, 2, 2) or r.shape != (2, 2) or not np.isfinite(r).all():
        raise ValueError(f"p must have shape (2, 2, 2), and r (2, 2) with finite entries; got {p.shape} and {r.shape}.")
    mdp = FiniteMDP.from_arrays(p, r, gamma, mu=mu)
    need_discounting(mdp)
    costs = real_array("costs", SECOND_ACTION if costs is None else costs)
    if costs.shape != (2, 2) or not np.isfinite(costs).all():
        raise ValueError(f"costs must hold a finite number for each of the 2 x 2 pairs; got {costs.tolist()}.")
    if limit is not None and not (is_number(limit) and np.isfinite(limit)):
        raise ValueError(f"limit = {limit!r}: give a finite number, or None for no limit.")
    shares = real_array("pi", pi)
    if shares.shape != (2,) or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"pi = {pi!r}: give the probability of the second action in each of the two states.")
    return {
        "p": p.tolist(),
        "r": r.tolist(),
        "gamma": float(gamma),
        "mu": mdp.mu.tolist(),
        "costs": costs.tolist(),
        "limit": None if limit is None else float(limit),
        "pi": shares.tolist(),
        "states": list(states),
        "actions": list(actions),
    }
