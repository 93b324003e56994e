"""The still picture of a polygon of occupancies, with the lines of equal reward and of the limit."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

WIDTH, HEIGHT, LEFT, TOP, SIDE = 480, 420, 62, 30, 340  # this and all below as in polytope_board.js
MARGIN = 0.1
TOPS = (1, 1.5, 2, 3, 4, 6, 8, 10)
ORANGE, BLUE = "#d55e00", "#0072b2"


def axis_top(most: float) -> float:
    """The end of both axes: the first of TOPS, times a power of ten, that is not below `most`.

    Source: the figure's own style.
    """
    power = 10.0 ** np.floor(np.log10(most))
    return float(next(x * power for x in TOPS if x * power >= most * (1 - 1e-9)))


def draw_polytope(corners, here, best, lines, limits, process: dict[str, Any], alt: str) -> str:
    """The plane of the second action's visits, as SVG.

    `corners` (4, 2, 2), `here` (2, 2) and `best` (2, 2) or None are occupancies; `lines` and `limits` are pairs of a
    constant and a slope (2,). Source: the figure's own style.
    """
    top = axis_top(corners[:, :, 1].max())
    states, actions, limit = process["states"], process["actions"], process["limit"]
    kept = corners[:, :, 1] if limit is None else _kept(corners[:, :, 1], limits, limit)
    whole, left = (" ".join(_written(_place(x, top)) for x in polygon) for polygon in (corners[:, :, 1], kept))
    parts = [_axes(top, [f"x({escape(s)}, {escape(actions[1])})" for s in states])]
    parts.append(f'<polygon class="rl-whole" points="{whole}" fill="none" stroke="currentColor"/>')
    parts.append(f'<polygon class="rl-kept" points="{left}" fill="{BLUE}" fill-opacity="0.25" stroke="{BLUE}"/>')
    if best is not None:
        parts.append(_line("rl-level", lines, lines[0] + lines[1] @ best[:, 1], top, ORANGE))
    if limit is not None:
        parts.append(_line("rl-limit-line", limits, limit, top, "currentColor"))
    parts += [_dot("rl-corner", _place(x, top), 5, BLUE) for x in corners[:, :, 1]]
    if best is not None:
        parts.append(_star(_place(best[:, 1], top)))
    parts += _labels(corners, top)
    parts.append(_dot("rl-point", _place(here[:, 1], top), 8, "none"))
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}"'
    return f'<svg class="rl-board" {view}>{"".join(parts)}</svg>'


def draw_table(names: list[str], states: list[str], numbers) -> str:
    """The deterministic policies with values, worth and cost, as HTML. Source: the figure's own style."""
    titles = ["policy", *(f"v({escape(s)})" for s in states), "worth", "cost"]
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    rows = (
        f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{_number(x)}</td>" for x in row)}</tr>'
        for name, row in zip(names, numbers, strict=True)
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f'<div class="rl-policies">{table}</div>'


def _number(x: float) -> str:
    text = f"{x:.{2 if abs(x) < 999.995 else 0}f}"
    return (text if float(text) else text.lstrip("-")).replace("-", "−")  # never a negative zero


def _place(y: np.ndarray, top: float) -> np.ndarray:
    share = (np.asarray(y) / top + MARGIN) / (1 + 2 * MARGIN)
    return np.array([LEFT + SIDE * share[0], TOP + SIDE * (1 - share[1])])


def _written(place: np.ndarray) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"


def _text(x: float, y: float, string: str, style: str = 'text-anchor="middle"') -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="currentColor" {style}>{string}</text>'


def _axes(top: float, names: list[str]) -> str:
    frame = f'<rect class="rl-frame" x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none"/>'
    ticks = ""
    for z in (0, top / 2, top):
        x, y = _place(np.array([z, z]), top)
        ticks += _text(x, TOP + SIDE + 19, f"{z:g}") + _text(LEFT - 7, y + 5, f"{z:g}", 'text-anchor="end"')
    turn = f'text-anchor="middle" transform="rotate(-90 16 {TOP + SIDE / 2:g})"'
    below = _text(LEFT + SIDE / 2, HEIGHT - 10, names[0])
    return frame + ticks + below + _text(16, TOP + SIDE / 2, names[1], turn)


def _kept(points: np.ndarray, affine, limit: float) -> list[np.ndarray]:
    """The polygon of the `points` (n, 2), cut to where constant + slope . y is at most the limit."""
    constant, slope = affine
    over: np.ndarray = constant + points @ slope - limit
    kept = []
    for k, here in enumerate(points):
        after = (k + 1) % len(points)
        if over[k] <= 0:
            kept.append(here)
        if over[k] * over[after] < 0:
            kept.append(here + over[k] / (over[k] - over[after]) * (points[after] - here))
    return kept


def _line(kind: str, affine, level: float, top: float, colour: str) -> str:
    """The part in the frame of the line constant + slope . y = level."""
    constant, slope = affine
    low, high, right = -MARGIN * top, (1 + MARGIN) * top, level - constant
    ends = []
    for z in (low, high):
        for i in (0, 1):
            if slope[1 - i] != 0:
                other = (right - slope[i] * z) / slope[1 - i]
                if low - 1e-9 * top <= other <= high + 1e-9 * top:
                    ends.append(np.array([z, other] if i == 0 else [other, z]))
    if len(ends) < 2:
        return ""
    a, b = ends[0], max(ends, key=lambda end: float(np.hypot(*(end - ends[0]))))
    (x1, y1), (x2, y2) = _place(a, top), _place(b, top)
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _dot(kind: str, place: np.ndarray, radius: float, colour: str) -> str:
    x, y = place
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="currentColor"/>'


def _star(place: np.ndarray) -> str:
    angle = np.pi * np.arange(10) / 5
    radius = np.where(np.arange(10) % 2, 0.42 * 13, 13.0)
    tips = place + radius[:, None] * np.stack([np.sin(angle), -np.cos(angle)], axis=1)
    return f'<polygon class="rl-star" points="{" ".join(map(_written, tips))}" fill="{ORANGE}"/>'


def _labels(corners: np.ndarray, top: float) -> list[str]:
    """Letters beside the corners, away from the middle; those of corners that coincide stand together."""
    places = [_place(x, top) for x in corners[:, :, 1]]
    centre = np.mean(places, axis=0)
    groups: dict[str, np.ndarray] = {}
    for letter, place in zip("ABCD", places, strict=True):
        near = next((name for name, at in groups.items() if np.hypot(*(at - place)) < 22), None)
        if near is None:
            groups[letter] = place
        else:
            groups[f"{near}, {letter}"] = groups.pop(near)
    labels = []
    for name, at in groups.items():
        away = (at - centre) / (np.hypot(*(at - centre)) or 1)
        x, y = at + away * np.array([19 + 6 * (len(name) - 1), 19])
        x = max(x, LEFT + 8 + 5 * len(name))
        labels.append(_text(x, y + 6, name, 'class="rl-name" text-anchor="middle"'))
    return labels
