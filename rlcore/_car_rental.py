"""Cars moved overnight between two places. Public through `rlcore.worlds`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlcore._moves import count_of, need, number_of
from rlcore._operations import demand_law
from rlcore.mdp import FiniteMDP


def car_rental(
    capacity: int = 20,
    *,
    requests: Sequence[float] = (3.0, 4.0),
    returns: Sequence[float] = (3.0, 2.0),
    income: float = 10.0,
    move_cost: float = 2.0,
    most_moved: int = 5,
    gamma: float = 0.9,
) -> FiniteMDP:
    """Jack's car rental: two places that rent out cars, which may be moved from one to the other overnight.

    State (i, j), the cars at the first and the second place in the evening, each 0 to `capacity`; they are the
    `labels`. Action a moves a - most_moved cars from the first place to the second (the `action_labels`; negative
    numbers move cars back), at `move_cost` a car; no more can be moved than are there (otherwise infeasible, -inf).
    On the next day each place gets Poisson many requests, of mean `requests[k]`, and rents out what it has, at
    `income` a car; then Poisson many cars come back, of mean `returns[k]`. Cars beyond the capacity leave the
    process. Laws and rewards are exact: what lies beyond the stock or the capacity is lumped there.

    Raises ValueError for a capacity or `most_moved` below 1, means that are not positive, or negative money.
    Source: Sutton and Barto (2018), example 4.2.
    """
    need(count_of("capacity", capacity) >= 1, "capacity", capacity, "a place holds at least 1 car")
    need(count_of("most_moved", most_moved) >= 1, "most_moved", most_moved, "let at least 1 car be moved")
    for name, means in (("requests", requests), ("returns", returns)):
        pair = np.iterable(means) and not isinstance(means, str) and len(means) == 2
        need(pair, name, means, "give two positive means, one a place")
    for name, money in (("income", income), ("move_cost", move_cost)):
        need(0 <= number_of(name, money) < np.inf, name, money, "prices and costs are finite numbers of at least 0")
    n = capacity + 1
    places = [_day(capacity, *pair) for pair in zip(requests, returns, strict=True)]
    night = np.kron(places[0][0], places[1][0])  # from the stocks of a morning to those of its evening
    earned = income * np.add.outer(places[0][1], places[1][1]).ravel()
    i, j, moved = np.indices((n, n, 2 * most_moved + 1)).reshape(3, n * n, -1)
    moved = moved - most_moved
    feasible = (moved <= i) & (moved >= -j)
    morning = np.clip(i - moved, 0, capacity) * n + np.clip(j + moved, 0, capacity)
    P = np.where(feasible.T[..., None], night[morning.T], 0.0)
    r = np.where(feasible, earned[morning] - move_cost * np.abs(moved), -np.inf)
    labels = [(int(a), int(b)) for a, b in np.ndindex(n, n)]
    names = tuple(range(-most_moved, most_moved + 1))
    return FiniteMDP(P.reshape(-1, n * n), r, gamma, labels=labels, action_labels=names)


def _day(capacity: int, requests: float, returns: float) -> tuple[np.ndarray, np.ndarray]:
    """One place by day: the law of its evening stock, (morning, evening), and the expected rentals, (morning,)."""
    stock, n = np.arange(capacity + 1), capacity + 1
    wanted, back = demand_law("requests", requests, capacity), demand_law("returns", returns, capacity)
    rented = np.zeros((n, n))  # (morning, left over)
    refilled = np.zeros((n, n))  # (left over, evening)
    for x in stock:
        np.add.at(rented[x], np.maximum(x - stock, 0), wanted)
        np.add.at(refilled[x], np.minimum(x + stock, capacity), back)
    return rented @ refilled, np.minimum.outer(stock, stock) @ wanted
