"""Jack's car rental against its description, the published policy, and bad parameters."""

import math

import numpy as np
import pytest

from rlcore import worlds
from rlcore.planning.discounted import evaluate, policy_iteration


def poisson(mean, k):
    return math.exp(-mean) * mean**k / math.factorial(k)


def test_laws_and_rewards_are_sums_over_poisson_numbers():
    """One state and action, summed over all four numbers of a day, far into their tails."""
    requests, returns = (0.7, 1.2), (0.5, 0.4)
    mdp = worlds.car_rental(2, requests=requests, returns=returns, most_moved=1, income=3.0, move_cost=0.5)
    s, a = mdp.labels.index((2, 0)), mdp.action_labels.index(1)
    law, earned = np.zeros((3, 3)), 0.0
    for numbers in np.ndindex(14, 14, 14, 14):
        p = math.prod(poisson(mean, k) for mean, k in zip((*requests, *returns), numbers, strict=True))
        rented = [min(1, numbers[0]), min(1, numbers[1])]  # one car was moved, so each place has one
        law[min(1 - rented[0] + numbers[2], 2), min(1 - rented[1] + numbers[3], 2)] += p
        earned += 3.0 * p * sum(rented)
    np.testing.assert_allclose(mdp.P[a * mdp.S + s].reshape(3, 3), law, atol=1e-12)
    assert mdp.r[s, a] == pytest.approx(earned - 0.5, abs=1e-9)


def test_no_more_cars_are_moved_than_are_there():
    mdp = worlds.car_rental(3, most_moved=2)
    allowed = {
        label: np.array(mdp.action_labels)[np.isfinite(row)].tolist()
        for label, row in zip(mdp.labels, mdp.r, strict=True)
    }
    assert allowed[0, 0] == [0]
    assert allowed[1, 0] == [0, 1]
    assert allowed[3, 1] == [-1, 0, 1, 2]


def test_cars_that_find_no_room_leave():
    mdp = worlds.car_rental(2, requests=(1e-9, 1e-9), returns=(1e-9, 1e-9), most_moved=1)
    s, a = mdp.labels.index((1, 2)), mdp.action_labels.index(1)
    assert mdp.P[a * mdp.S + s, mdp.labels.index((0, 2))] == pytest.approx(1.0, abs=1e-7)


def test_the_published_policies():
    """Sutton and Barto (2018), figure 4.2: optimal after four improvements of "never move a car"."""
    mdp = worlds.car_rental()
    never = np.full(mdp.S, mdp.action_labels.index(0))
    solution = policy_iteration(mdp, v0=evaluate(mdp, never))
    best = np.array(mdp.action_labels)[solution.pi].reshape(21, 21)
    assert len(solution.history["residual"]) == 4  # the policies 1 to 4 are evaluated
    assert best[20, 0] == 5
    assert best[0, 20] == -4
    assert (np.diff(best, axis=0) >= 0).all()  # the more cars, the more are moved away
    assert (np.diff(best, axis=1) <= 0).all()


def test_the_gain_of_moving_cars_by_simulation():
    """The value of the start with all cars at one place, against 4,000 simulated weeks of the description."""
    mdp, rng, runs = worlds.car_rental(gamma=0.5), np.random.default_rng(7), 4000
    pi = policy_iteration(mdp).pi
    cars, total = np.tile([20, 0], (runs, 1)), np.zeros(runs)
    for t in range(25):
        moved = pi[cars[:, 0] * 21 + cars[:, 1]] - 5
        cars = np.minimum(cars + np.stack([-moved, moved], axis=1), 20)
        rented = np.minimum(rng.poisson((3, 4), size=(runs, 2)), cars)
        total += 0.5**t * (10 * rented.sum(axis=1) - 2 * np.abs(moved))
        cars = np.minimum(cars - rented + rng.poisson((3, 2), size=(runs, 2)), 20)
    half = 4 * total.std() / math.sqrt(runs)
    assert abs(total.mean() - evaluate(mdp, pi)[20 * 21]) < half


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 0}, r"capacity = 0.*holds at least 1 car"),
        ({"most_moved": 0}, r"most_moved = 0.*at least 1 car"),
        ({"requests": 3.0}, r"requests = 3.0.*two positive means"),
        ({"returns": (1.0, 2.0, 3.0)}, r"returns = .*two positive means"),
        ({"requests": (3.0, -1.0)}, r"requests = -1.0.*positive mean"),
        ({"income": -1.0}, r"income = -1.0.*at least 0"),
        ({"move_cost": math.inf}, r"move_cost = inf.*finite"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.car_rental(**arguments)
