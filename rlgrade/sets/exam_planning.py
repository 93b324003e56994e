"""What the test cells of the exam on planning share: individual instances and misconceptions.

Each instance is a dict of plain numbers, drawn from id and ticket (`rlgrade.tickets.Paper`). `SPACE` counts the
instances that are possible. Each map of misconceptions goes from a sentence to what an answer with that misconception
gives on the given instance (see `rlgrade.check.close`). None of them holds a right answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlgrade.check import Wrong
from rlgrade.instances import normal, student_id
from rlgrade.tickets import Paper

__all__ = [
    "SPACE",
    "chain",
    "formulas",
    "joker",
    "network",
    "network_slips",
    "occupancy",
    "regulator",
    "slips",
    "tower",
    "where",
]

Instance = dict[str, Any]

# ---------------------------------------------------------------------- individual instances

SPACE = {
    "network": 40**24,
    "regulator": 101**2 * 9**2 * 20 * 9,
    "chain": 171**3,
    "tower": 51**3 * 26 * 26 * 56 * 61 * 71,
    "occupancy": 5 * 9 * 9**4 * 9**2 * 19**4,
}


def network(paper: Paper, *, as_typed: bool = False) -> Instance:
    """Lengths of the roads from a start over three layers of three towns to a goal, whole numbers from 1 to 40.

    `first` (3,), `second` and `third` (3, 3) with row i for the roads that leave town i, `last` (3,). As the other
    instances, raises `Wrong` where id or ticket do not fit; with `as_typed`, draws for what is typed in the notebook
    even while nbgrader grades another id. Source: this book.
    """
    draw = paper.draw("network", as_typed=as_typed)
    row: Callable = lambda: tuple(draw.integer(1, 40) for _ in range(3))  # noqa: E731
    first, second, third = row(), (row(), row(), row()), (row(), row(), row())
    return {"first": first, "second": second, "third": third, "last": row()}


def regulator(paper: Paper, *, as_typed: bool = False) -> Instance:
    """A scalar regulator over two steps: a, b in hundredths, whole q, r, f and x0. Raises as `network`."""
    draw = paper.draw("regulator", as_typed=as_typed)
    a, b = draw.integer(50, 150) / 100, draw.integer(50, 150) / 100
    q, r, f = draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 20)
    return {"a": a, "b": b, "q": q, "r": r, "f": f, "x0": draw.integer(3, 11)}


def chain(paper: Paper, *, as_typed: bool = False) -> Instance:
    """The transition matrix `P` (3, 3) of a chain, in twentieths, all positive. Raises as `network`."""
    draw = paper.draw("chain", as_typed=as_typed)
    thirds = [(i, j, 20 - i - j) for i in range(1, 19) for j in range(1, 20 - i)]
    return {"P": tuple(tuple(part / 20 for part in draw.choice(thirds)) for _ in range(3))}


def tower(paper: Paper, *, as_typed: bool = False) -> Instance:
    """A climb with three levels: `luck` (3,) in hundredths, whole `fee`, and `prize` (4,). Raises as `network`."""
    draw = paper.draw("tower", as_typed=as_typed)
    luck = tuple(draw.integer(40, 90) / 100 for _ in range(3))
    fee = draw.integer(5, 30)
    prize = tuple(draw.integer(low, high) for low, high in ((0, 25), (15, 70), (30, 90), (80, 150)))
    return {"luck": luck, "fee": fee, "prize": prize}


def occupancy(paper: Paper, *, as_typed: bool = False) -> Instance:
    """Two states and two actions, a start law and a policy, all in tenths; whole rewards. Raises as `network`.

    `to0` (2, 2) is p(0 | s, a), `start0` the probability of starting in 0, `one` (2,) that of action 1 in each state.
    """
    draw = paper.draw("occupancy", as_typed=as_typed)
    tenth: Callable = lambda: draw.integer(1, 9) / 10  # noqa: E731
    gamma, start0 = draw.integer(5, 9) / 10, tenth()
    to0, one = ((tenth(), tenth()), (tenth(), tenth())), (tenth(), tenth())
    r = tuple(tuple(draw.integer(-9, 9) for _ in range(2)) for _ in range(2))
    return {"gamma": gamma, "start0": start0, "to0": to0, "one": one, "r": r}


# ---------------------------------------------------------------------- whose instance


def where(paper: Paper, name: str) -> str:
    """The line that shows an instance again, and what does not fit in the notebook's id or ticket. (No arrays.)"""
    said = paper.mismatch()
    return f"problems.{name}(paper), with your id and ticket at the top" + (f". {said}" if said else "")


def slips(
    paper: Paper,
    instance: Callable[..., Instance],
    rule: Callable[[Instance], Any],
    misread: Mapping[str, Callable[[Instance], Instance]],
) -> dict[str, Any]:
    """What `rule`, a function of an instance, gives for a misread one, and for that of another id or ticket.

    Sentences to what `rule` returns (any shape). Source: this book.
    """
    true = instance(paper)
    found = {sentence: rule(change(true)) for sentence, change in misread.items()}
    try:
        typed = instance(paper, as_typed=True)
    except Wrong:
        return found
    if typed == true:
        return found
    graded = student_id(paper.student)
    if normal(paper.student) == graded:
        text = f"Your answer is right for the ticket typed at the top, which is not that of {graded!r}"
    else:
        text = f"Your answer is right for the id {str(paper.student)!r} at the top, but you are graded as {graded!r}"
    return {f"{text}: answer for your own instance.": rule(typed), **found}


# ---------------------------------------------------------------------- misconceptions


def network_slips(m: Instance) -> dict[str, dict[str, Any]]:
    """Misread networks: for "to_go" (3, 3) and "path" (3,), sentences to answers. Source: this book."""
    nearest = _nearest(m)
    reach = [np.array(m["first"])]
    for roads in (m["second"], m["third"]):
        reach.append((reach[-1][:, None] + np.array(roads)).min(axis=0))
    return {
        "to_go": {
            "You count from the start to each town: what is left from there to the goal is asked for.": np.array(reach),
            "You always take the shortest next road: a longer one may lead to a better place.": nearest,
        },
        "path": {
            "You always take the shortest next road: a longer one may lead to a better place.": _nearest_path(m),
        },
    }


def joker(P, r, H) -> dict[str, dict[str, np.ndarray]]:
    """Misread plans: for "plain" and "joker", sentences to values (H + 1, S). Source: this book."""
    S = len(r)
    late, free, every, after = (np.zeros((H + 1, S)) for _ in range(4))
    plain = np.zeros((H + 1, S))
    for t in reversed(range(H)):
        plain[t] = (r + P @ plain[t + 1]).max(axis=1)
        late[t] = r.max(axis=1) + (P @ late[t + 1]).max(axis=1)
        every[t] = r.max(axis=1) + every[t + 1].max()
        free[t] = np.maximum((r + P @ free[t + 1]).max(axis=1), plain[t + 1].max())
        after[t] = np.maximum((r + P @ plain[t + 1]).max(axis=1), r.max(axis=1) + plain[t + 1].max())
    mean = np.zeros((H + 1, S))
    for t in reversed(range(H)):
        mean[t] = (r + P @ mean[t + 1]).mean(axis=1)
    return {
        "plain": {
            "You maximise reward and future apart: one action decides both.": late,
            "Your values match a policy that chooses at random: take the maximum over actions.": mean,
            "Your first row holds the values with no step left: row t belongs to time t.": plain[::-1],
        },
        "joker": {
            "You play the joker at every step: there is one.": every,
            "Your joker skips the reward: only the next state is chosen, and the action is still paid.": free,
            "You play the joker now or never: it can be kept for later.": after,
        },
    }


def formulas() -> dict[str, dict[str, Callable]]:
    """Wrong formulas for the lamp: for "value" (of g, p, c) and "most" (of g, p), sentences to rules. (No arrays.)"""
    return {
        "value": {
            "Your formula forgets that the day of the repair is discounted too: it takes a day.": lambda g, p, c: (
                (1 - (1 - p) * g * c) / (1 - g)
            ),
            "Your formula matches a lamp that is never repaired.": lambda g, p, c: 1 / (1 - g * p),
            "Your formula takes p for the probability of breaking.": lambda g, p, c: (
                (1 - g * p * c) / (1 - g * (1 - p) - g**2 * p)
            ),
            "Your formula pays the repair on the day on which the lamp breaks: it is paid a day later.": (
                lambda g, p, c: (1 - (1 - p) * c) / (1 - g * p - g**2 * (1 - p))
            ),
        },
        "most": {
            "Your formula forgets that the lamp works only on the day after: discount once more.": lambda g, p: (
                1 / (1 - g * p)
            ),
            "Your formula compares with a lamp that never breaks again.": lambda g, p: g / (1 - g),
            "Your formula takes p for the probability of breaking.": lambda g, p: g / (1 - g * (1 - p)),
        },
    }


def _nearest(m: Instance) -> np.ndarray:
    """Lengths (3, 3) left from each town if the shortest next road is always taken."""
    left = [np.array(m["last"])]
    for roads in (np.array(m["third"]), np.array(m["second"])):
        on = roads.argmin(axis=1)
        left.insert(0, roads[np.arange(3), on] + left[0][on])
    return np.array(left)


def _nearest_path(m: Instance) -> np.ndarray:
    """The towns (3,) that are passed if the shortest next road is always taken."""
    towns = [int(np.argmin(m["first"]))]
    for roads in (m["second"], m["third"]):
        towns.append(int(np.argmin(roads[towns[-1]])))
    return np.array(towns)
