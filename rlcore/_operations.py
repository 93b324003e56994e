"""Three worlds from operations research, whose optimal policies have a known shape. Public through `rlcore.worlds`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rlcore._checks import is_number
from rlcore._moves import count_of, from_moves, law_of, need, number_of
from rlcore.mdp import FiniteMDP


def machine_replacement(
    conditions: int = 10,
    *,
    wear: Sequence[float] = (0.4, 0.4, 0.2),
    income: float = 10.0,
    operating_cost: float = 1.0,
    replacement_cost: float = 8.0,
    gamma: float = 0.95,
) -> FiniteMDP:
    """A machine that wears out, and the decision each period to keep or to replace it.

    States 0 (as new) to conditions - 1 (worst). In a period the condition grows by j with probability
    `wear[j]`, and stops at the worst. Keep pays income - operating_cost * s. Replace pays
    income - replacement_cost: a new machine is installed at once, and wears in the same period from
    condition 0. Money is in one unit per period. An optimal policy is a control limit: replace from some
    condition on.

    Raises ValueError for fewer than 2 conditions, a `wear` that is no law, or negative costs.
    Source: Puterman (1994), section 4.7.5, the equipment replacement model with h(s) proportional to s.
    """
    need(count_of("conditions", conditions) >= 2, "conditions", conditions, "a machine that wears needs at least 2")
    law = law_of("wear", wear)
    need(np.isfinite(number_of("income", income)), "income", income, "give a finite number")
    for name, cost in (("operating_cost", operating_cost), ("replacement_cost", replacement_cost)):
        need(0 <= number_of(name, cost) < np.inf, name, cost, "a cost is a finite number of at least 0")
    s, j = np.arange(conditions)[:, None], np.arange(len(law))
    worst = conditions - 1
    moves = [
        (s, 0, np.minimum(s + j, worst), law, income - operating_cost * s),
        (s, 1, np.minimum(j, worst), law, income - replacement_cost),
    ]
    return from_moves(conditions, 2, moves, gamma, action_labels=("keep", "replace"))


def inventory(
    capacity: int = 20,
    *,
    demand: float | Sequence[float] = 5.0,
    price: float = 8.0,
    unit_cost: float = 2.0,
    order_cost: float = 4.0,
    holding_cost: float = 1.0,
    gamma: float = 0.95,
) -> FiniteMDP:
    """A shop that orders once a month, with a fixed cost per order; unmet demand is lost.

    State s, the units in stock at the start of a month, 0 to `capacity`. Action a, the units ordered, which
    arrive at once: s + a may not exceed the capacity (infeasible, -inf). Then the demand D is drawn, the
    units min(D, s + a) are sold at `price`, and the rest, s' = max(s + a - D, 0), is kept. The expected reward is

        r(s, a) = price * E min(D, s + a) - (order_cost + unit_cost * a) [a > 0] - holding_cost * (s + a).

    `demand` is the mean of a Poisson law, or the law itself, demand[k] = P(D = k). Demand beyond the capacity
    changes nothing, so the Poisson law is truncated there without loss. Money is in one unit per month.
    With the defaults an optimal policy is (s, S): order up to S whenever the stock is below s. (Scarf proves this
    form where unmet demand waits; here it is lost.)

    Raises ValueError for a capacity below 1, a demand that is neither a positive mean nor a law, or negative costs.
    Source: Puterman (1994), section 3.2; for (s, S), Scarf (1960).
    """
    need(count_of("capacity", capacity) >= 1, "capacity", capacity, "stock at least 1 unit")
    costs = {"price": price, "unit_cost": unit_cost, "order_cost": order_cost, "holding_cost": holding_cost}
    for name, value in costs.items():
        need(0 <= number_of(name, value) < np.inf, name, value, "prices and costs are finite numbers of at least 0")
    law = demand_law("demand", demand, capacity)
    d = np.arange(len(law))
    s, a = np.nonzero(np.add.outer(np.arange(capacity + 1), np.arange(capacity + 1)) <= capacity)
    s, a = s[:, None], a[:, None]
    stock = s + a
    sales = (np.minimum(d, stock) * law).sum(axis=1, keepdims=True)
    reward = price * sales - (order_cost + unit_cost * a) * (a > 0) - holding_cost * stock
    moves = [(s, a, np.maximum(stock - d, 0), law, reward)]
    return from_moves(capacity + 1, capacity + 1, moves, gamma)


def demand_law(name: str, demand: float | Sequence[float], capacity: int) -> np.ndarray:
    """P(D = k), k = 0..capacity, where demand beyond the capacity counts as the capacity; see `inventory`."""
    if np.iterable(demand) and not isinstance(demand, str):
        return law_of(name, demand)
    remedy = "give a positive mean, or the law as a list of probabilities"
    need(is_number(demand) and 0 < demand < np.inf, name, demand, remedy)  # type: ignore[operator]
    mean = float(demand)  # type: ignore[arg-type]
    k = np.arange(capacity)
    pmf = np.exp(k * math.log(mean) - mean - np.array([math.lgamma(i + 1) for i in k]))
    return np.append(pmf, max(1 - pmf.sum(), 0.0))


def admission_control(
    capacity: int = 20,
    *,
    arrival_rate: float = 0.9,
    service_rate: float = 1.0,
    reward: float = 10.0,
    holding_cost: float = 1.0,
    gamma: float = 0.99,
) -> FiniteMDP:
    """A queue with one server whose gate is open or shut: which customers to admit?

    A step is one event of a Poisson clock of rate arrival_rate + service_rate (uniformisation). State x, the
    number of customers present, 0 to `capacity`. Action 0, accept, or 1, reject, says what to do if the event is
    an arrival, which it is with probability p = arrival_rate / (arrival_rate + service_rate); since nothing
    happens in between, this is the same as deciding once the customer is there. An arrival that is accepted
    leads to x + 1 and pays `reward`; the other events are services, to max(x - 1, 0). Each customer present
    costs `holding_cost` per step. So r(x, accept) = p * reward - holding_cost * x and r(x, reject) =
    -holding_cost * x; accepting at the capacity is infeasible (-inf). Interest at rate alpha in continuous
    time is gamma = Lambda / (Lambda + alpha), with Lambda the clock's rate. An optimal policy is a threshold:
    accept while fewer than some number are present.

    Raises ValueError for a capacity below 1, rates that are not positive, or a negative cost.
    Source: Naor (1969); Lippman (1975) for uniformisation; Stidham (1985) for the threshold.
    """
    need(count_of("capacity", capacity) >= 1, "capacity", capacity, "room for at least 1 customer")
    for name, rate in (("arrival_rate", arrival_rate), ("service_rate", service_rate)):
        need(0 < number_of(name, rate) < np.inf, name, rate, "a rate is a positive number of events per unit of time")
    need(np.isfinite(number_of("reward", reward)), "reward", reward, "give a finite number")
    need(
        0 <= number_of("holding_cost", holding_cost) < np.inf,
        "holding_cost",
        holding_cost,
        "a cost is a finite number of at least 0",
    )
    p, x = arrival_rate / (arrival_rate + service_rate), np.arange(capacity + 1)
    open_, served = x[:-1], np.maximum(x - 1, 0)
    moves = [
        (open_, 0, open_ + 1, p, reward - holding_cost * open_),
        (open_, 0, served[:-1], 1 - p, -holding_cost * open_),
        (x, 1, x, p, -holding_cost * x),
        (x, 1, served, 1 - p, -holding_cost * x),
    ]
    return from_moves(capacity + 1, 2, moves, gamma, action_labels=("accept", "reject"))
