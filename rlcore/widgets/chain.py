"""A distribution that walks to its limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets

from rlcore._checks import is_integer, is_number, real_array
from rlcore.planning.markov_chains import (
    absorption_probabilities,
    classes,
    evolve,
    invariant_law,
    total_variation,
    transition_matrix,
)
from rlcore.widgets._chain_still import draw_chain, oval
from rlcore.widgets._figure import Figure

LARGEST = 8  # more circles and arrows would cover each other
STEPS = 5  # that the still picture shows


def _ring(S: int, forth: float, back: float) -> np.ndarray:
    """A walk round S states, that stays with the probability that is left."""
    stay = round(1 - forth - back, 12)  # no rounding error may make a way back
    return forth * np.roll(np.eye(S), 1, axis=1) + back * np.roll(np.eye(S), -1, axis=1) + stay * np.eye(S)


def _sticky_ring() -> np.ndarray:
    P = _ring(5, 0.5, 0.25)
    P[3, [2, 3, 4]] = 0.1, 0.7, 0.2
    return P


def _two_closed_classes() -> np.ndarray:
    P = np.zeros((6, 6))
    P[0, [0, 1]] = P[4, [5, 4]] = 0.3, 0.7
    P[1, [0, 1]] = P[5, [4, 5]] = 0.6, 0.4
    P[2, [0, 3]] = P[3, [5, 2]] = 0.4, 0.6
    return P


def _two_rooms() -> np.ndarray:
    """Two rings of four states, with a door between the states 1 and 4 that is wider from one side."""
    P = np.kron(np.eye(2), _ring(4, 0.4, 0.3))
    P[1, [1, 4]] = 0.27, 0.03
    P[4, [4, 1]] = 0.29, 0.01
    return P


_ROOM = np.array([[-0.95, -0.8], [-0.3, -0.8], [-0.3, 0.8], [-0.95, 0.8]])  # clockwise
_PRESETS: dict[str, dict[str, Any]] = {
    "aperiodic": {"P": _sticky_ring()},
    "period 2": {"P": _ring(6, 0.7, 0.3)},
    "two closed classes": {
        "P": _two_closed_classes(),
        "start": 2,
        "at": [[-1, -0.7], [-1, 0.7], [0, -0.7], [0, 0.7], [1, 0.7], [1, -0.7]],
    },
    "two rooms": {"P": _two_rooms(), "at": np.vstack([_ROOM, _ROOM + np.array([1.25, 0])])},
}


class ChainFigure(Figure):
    """A small Markov chain whose law the reader steps from a state of her choice to its limit.

    `P` (S, S), at most 8 states, is a transition matrix, by default the first of some examples; `start` the first
    state; `stay` in [0, 1) the probability to stay put that comes on top of P; `at` (S, 2) the places of the states in
    [-1, 1] x [-1, 1], right and down, on an oval by default; `alt` replaces the text that describes the still picture.
    In a notebook the trait `chain`, a dict of the first four, follows the reader, so that `figure.P` is the chain on
    the screen; setting it changes the screen. Raises ValueError for what is no chain, and for more than 8 states.
    Source: Levin, Peres and Wilmer (2009), sections 1.1 and 4.1.
    """

    name = "chain"
    chain = traitlets.Dict().tag(sync=True)
    presets: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(
        self, P=None, *, start: int = 0, stay: float = 0.0, at=None, alt: str | None = None, **kwargs: Any
    ) -> None:
        self._alt = alt
        presets = [{"name": name, "chain": _checked(**preset)} for name, preset in _PRESETS.items()]
        P = _PRESETS["aperiodic"]["P"] if P is None else P
        super().__init__(chain={"P": P, "start": start, "stay": stay, "at": at}, presets=presets, **kwargs)

    @traitlets.validate("chain")
    def _valid(self, proposal: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is no chain, or too large to draw."""
        return _checked(**proposal["value"])

    @property
    def P(self) -> np.ndarray:
        """The matrix (S, S) of the chain that walks, staying put included. Source: Levin et al. (2009), section 1.3."""
        P, stay = np.array(self.chain["P"]), self.chain["stay"]
        return stay * np.eye(len(P)) + (1 - stay) * P

    @property
    def limit(self) -> np.ndarray:
        """What the averages of the laws (S,) converge to from the start, and the laws too if they settle.

        The invariant laws of the closed classes, weighted by the probabilities to end there.
        Source: Puterman (1994), appendix A.4.
        """
        P = self.P
        closed = [c.states for c in classes(P) if c.recurrent]
        weights = absorption_probabilities(P)[self.chain["start"]]
        limit = np.zeros(len(P))
        for states, weight in zip(closed, weights, strict=True):
            limit[states] = weight * invariant_law(P[np.ix_(states, states)])
        return limit

    @property
    def alt(self) -> str:
        """What the still picture shows, in words. Source: the chain's classes, law and limit."""
        if self._alt is not None:
            return self._alt
        P, start, limit = self.P, self.chain["start"], self.limit
        law = evolve(P, start, STEPS)[-1]
        closed = [c for c in classes(P) if c.recurrent]
        kinds = ", ".join(_kind(c.states, c.period) for c in closed)
        return (
            f"Markov chain of {len(P)} states as circles with arrows; closed classes: {kinds}. Started in state "
            f"{start}, after {STEPS} steps its law is {_list(law)}, at total variation distance "
            f"{total_variation(law, limit):.3f} from the limit {_list(limit)}."
        )

    def still(self) -> str:
        """The chain with its law after some steps, in boxes as large as those of the live figure."""
        P, start = self.P, self.chain["start"]
        law = evolve(P, start, STEPS)[-1]
        picture = draw_chain(P, self.chain["at"], law, self.limit, STEPS, self.alt)
        return (
            '<div class="rl-body rl-chain"><div class="rl-left"><div class="rl-tools rl-space"></div>'
            f"{picture}"
            '<div class="rl-inspect rl-space"></div><p class="rl-status rl-space"></p>'
            '<div class="rl-code rl-space"></div></div><div class="rl-panel rl-space"></div></div>'
            "<noscript><style>.rl-figure .rl-space { display: none; }</style>"
            '<p class="rl-note">With JavaScript, this figure lets you choose a chain and a start, and step the law '
            "to its limit.</p></noscript>"
        )


def _checked(P, start=0, stay=0.0, at=None) -> dict[str, Any]:
    """The chain as JSON can write it."""
    P = transition_matrix(P)
    S = len(P)
    if S > LARGEST:
        raise ValueError(f"P has {S} states: the figure draws at most {LARGEST}. Draw larger chains with plot.lines.")
    if not (is_integer(start) and 0 <= start < S):
        raise ValueError(f"start = {start!r}: give a state, an integer in 0..{S - 1}.")
    if not (is_number(stay) and 0 <= stay < 1):
        raise ValueError(f"stay = {stay!r}: give a probability, at least 0 and below 1, such as 0.5.")
    places = oval(S) if at is None else real_array("at", at)
    if places.shape != (S, 2) or not (np.abs(places) <= 1).all():
        raise ValueError(
            f"at must hold a place in [-1, 1] x [-1, 1] for each of the {S} states; got {places.tolist()}."
        )
    return {"P": P.tolist(), "start": int(start), "stay": float(stay), "at": places.tolist()}


def _kind(states: np.ndarray, period: int) -> str:
    return f"{{{', '.join(map(str, states))}}} {'aperiodic' if period == 1 else f'of period {period}'}"


def _list(law: np.ndarray) -> str:
    return "(" + ", ".join(f"{x:.2f}" for x in law) + ")"
