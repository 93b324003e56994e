"""The still picture of a chain: circles that fill with probability, arrows as wide as theirs, and bars."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np

WIDTH, HEIGHT, RADIUS = 480, 320, 24  # this and all below as in chain_board.js: still and live picture coincide
SPREAD = np.array([165, 88])
BARS, FLOOR, CEILING = 150, 112, 30
TOPS = (0.125, 0.25, 0.5, 1)
MOST_LABELS = 28


def oval(S: int) -> np.ndarray:
    """Places (S, 2) on an oval, the first at the top. Source: the figure's own style."""
    angle = 2 * np.pi * np.arange(S) / S
    return np.stack([np.sin(angle), -np.cos(angle)], axis=1)


def draw_chain(P: np.ndarray, at, law: np.ndarray, limit: np.ndarray, t: int, alt: str) -> str:
    """Graph and bars of a law (S,) after t steps beside its limit (S,), as SVG. Source: the figure's own style."""
    centre = np.array([WIDTH, HEIGHT]) / 2
    places = centre + SPREAD * np.array(at)
    steps = [(P[i, j], *_step(places, i, j, P[i, j])) for i, j in np.argwhere(P > 0)]
    arrows = "".join(arrow for _, arrow, _ in steps)
    if len(steps) <= MOST_LABELS:
        arrows += "".join(_text(x, y + 4.5, f"{p:.2g}" if p < 1 else "", "rl-weight") for p, _, (x, y) in steps)
    nodes = "".join(_node(s, places[s], law[s], limit[s]) for s in range(len(P)))
    return (
        f'<svg class="rl-board" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{arrows}{nodes}</svg>"
        f'<svg class="rl-board rl-bars" viewBox="0 0 {WIDTH} {BARS}" aria-hidden="true">{_bars(law, limit, t)}</svg>'
    )


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.hypot(*x)


def _turned(x: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * x[0] - s * x[1], s * x[0] + c * x[1]])


def _written(*points: np.ndarray) -> str:
    return " ".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _arrow(shaft: Callable[[np.ndarray], str], tip: np.ndarray, way: np.ndarray, p: float) -> str:
    width = 1 + 4 * p
    size = 6 + 2 * width
    neck, side = tip - size * way, size / 2 * _turned(way, np.pi / 2)
    return (
        f'<g class="rl-step"><path d="{shaft(neck)}" fill="none" stroke="currentColor" stroke-width="{width:.2f}"/>'
        f'<polygon points="{_written(tip, neck + side, neck - side)}"/></g>'
    )


def _step(places: np.ndarray, i: int, j: int, p: float) -> tuple[str, np.ndarray]:
    """The arrow from i to j, and the place of its label."""
    a, b = places[i], places[j]
    if i == j:
        away = a - np.array([WIDTH, HEIGHT]) / 2
        out = np.array([0.0, -1.0]) if abs(away[1]) < 1 else _unit(away)
        left, right = _turned(out, 0.6), _turned(out, -0.6)
        ends = _written(a + (RADIUS + 30) * left, a + (RADIUS + 30) * right)
        begin = _written(a + RADIUS * left)
        return (
            _arrow(lambda neck: f"M{begin}C{ends} {_written(neck)}", a + (RADIUS + 1) * right, -right, p),
            a + (RADIUS + 33) * out,
        )
    way = b - a
    across = np.array([way[1], -way[0]])
    bend = a + way / 2 + 0.14 * across
    arrival, begin = _unit(b - bend), _written(a + RADIUS * _unit(bend - a))
    return (
        _arrow(lambda neck: f"M{begin}Q{_written(bend, neck)}", b - (RADIUS + 1) * arrival, arrival, p),
        a + way / 2 + 0.07 * across + (13 + 6 * abs(_unit(across)[0])) * _unit(across),
    )


def _node(s: int, place: np.ndarray, p: float, end: float) -> str:
    return (
        f'<g class="rl-closed" transform="translate({_written(place)})">'
        f'<circle class="rl-rim" r="{RADIUS}" fill="none" stroke="currentColor"/>'
        f'<circle class="rl-disc" r="{RADIUS * np.sqrt(p):.2f}" fill="#0072b2"/>'
        f'<circle class="rl-limit" r="{RADIUS * np.sqrt(end):.2f}" fill="none" stroke="#d55e00"/>'
        f"{_text(0, 6, str(s))}</g>"
    )


def _bars(law: np.ndarray, limit: np.ndarray, t: int) -> str:
    most = max(law.max(), limit.max())
    top = next((x for x in TOPS if x >= most - 1e-9), 1)
    slot = (WIDTH - 40) / len(law)
    width = min(18, slot / 3)
    parts = [
        f'<line class="rl-rule" x1="40" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="currentColor"/>'
        + _text(34, y + 5, f"{value:g}", anchor="end")
        for y, value in ((CEILING, top), (FLOOR, 0))
    ]
    for s, values in enumerate(zip(law, limit, strict=True)):
        middle = 40 + slot * (s + 0.5)
        for k, value in enumerate(values):
            height = (FLOOR - CEILING) * min(value, top) / top
            parts.append(_bar(k, middle + width * (k - 1), FLOOR - height, width, height))
        parts += [_text(middle, FLOOR + 17, str(s)), _text(middle, FLOOR + 33, f"{law[s]:.2f}", "rl-weight")]
    for k, (name, x) in enumerate(((f"law after {t}", 40), ("limit", 190))):
        parts += [_bar(k, x, 6, 12, 12), _text(x + 18, 17, name, anchor="start")]
    return "".join(parts)


def _bar(k: int, x: float, y: float, width: float, height: float) -> str:
    style = 'class="rl-bar-limit" fill="none" stroke="#d55e00"' if k else 'class="rl-bar-law" fill="#0072b2"'
    return f'<rect {style} x="{x:.1f}" y="{y:.2f}" width="{width:.1f}" height="{height:.2f}"/>'


def _text(x: float, y: float, string: str, kind: str = "", anchor: str = "middle") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text{style} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{string}</text>'
