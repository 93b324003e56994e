"""The gambler against closed forms and published figures, and against bad parameters."""

import math

import numpy as np
import pytest

from rlcore import worlds
from rlcore.planning import finite_horizon


def bold(goal, horizon):
    """Stake all, or all that is needed, at every time."""
    capital = np.arange(goal + 1)
    stake = np.minimum(capital, goal - capital)
    return np.stack([np.maximum(stake - 1, 0)] * horizon)


def test_a_small_game_by_hand():
    mdp = worlds.gambler(4, p_heads=0.25)
    P = mdp.P.reshape(2, 5, 5)
    assert mdp.r.tolist() == [[0, 0], [0, -math.inf], [0, 0.25], [0.25, -math.inf], [0, 0]]
    assert P[0, 1].tolist() == [0.75, 0, 0.25, 0, 0]
    assert P[1, 2].tolist() == [0.75, 0, 0, 0, 0.25]
    assert P[0, 3].tolist() == [0, 0, 0.75, 0, 0.25]
    assert mdp.terminal.tolist() == [True, False, False, False, True]
    assert mdp.action_labels == (1, 2)
    assert mdp.gamma == 1.0


def test_values_of_the_published_figure():
    """Sutton and Barto (2018), figure 4.3: from 25, 50 and 75 bold play needs one or two tosses."""
    v = finite_horizon.backward_induction(worlds.gambler(), 100).v[0]
    np.testing.assert_allclose(v[[25, 50, 75]], [0.16, 0.4, 0.64], atol=1e-12)
    assert (np.diff(v[:100]) > 0).all()


@pytest.mark.parametrize("p", [0.1, 0.4, 0.5])
@pytest.mark.parametrize("goal", [2, 37, 64, 100])
def test_bold_play_is_optimal_in_an_unfavourable_game(p, goal):
    """Dubins and Savage (1965); here for each number of tosses."""
    mdp = worlds.gambler(goal, p_heads=p)
    best = finite_horizon.backward_induction(mdp, 40).v
    np.testing.assert_allclose(finite_horizon.evaluate(mdp, bold(goal, 40)), best, atol=1e-12)


def test_timid_play_is_better_in_a_favourable_game():
    """Staking one unit reaches the goal from s with probability (1 - x^s) / (1 - x^goal), x = (1 - p) / p."""
    p, goal, horizon = 0.6, 10, 600
    mdp = worlds.gambler(goal, p_heads=p)
    timid = finite_horizon.evaluate(mdp, np.zeros((horizon, goal + 1), dtype=int))[0]
    x, s = (1 - p) / p, np.arange(1, goal)
    np.testing.assert_allclose(timid[1:-1], (1 - x**s) / (1 - x**goal), atol=1e-9)
    assert (timid >= finite_horizon.evaluate(mdp, bold(goal, horizon))[0]).all()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_coin_without_chance(p):
    v = finite_horizon.backward_induction(worlds.gambler(8, p_heads=p), 10).v[0]
    assert v[1:-1].tolist() == [p] * 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"goal": 1}, "goal = 1: a game needs a goal of at least 2"),
        ({"goal": 2.5}, "goal = 2.5: a game needs"),
        ({"goal": math.nan}, "goal = nan: a game needs"),
        ({"p_heads": -0.1}, "p_heads = -0.1: choose a probability"),
        ({"p_heads": math.nan}, "p_heads = nan: choose a probability"),
    ],
)
def test_impossible_games(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.gambler(**arguments)
