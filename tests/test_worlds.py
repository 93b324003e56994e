"""The worlds against closed forms, against the shapes that their theory predicts, and against bad parameters."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlcore import worlds
from rlcore.mdp import FiniteMDP, greedy
from rlcore.planning.discounted import evaluate, policy_iteration, solve

GAMMAS = [0.0, 0.1, 0.5, 0.9, 10 / 11 - 1e-6, 10 / 11 + 1e-6, 0.95, 0.99, 0.999]


def rows(mdp: FiniteMDP) -> np.ndarray:
    """P as dense (A, S, S)."""
    P = mdp.P if isinstance(mdp.P, np.ndarray) else mdp.P.toarray()
    return P.reshape(mdp.A, mdp.S, mdp.S)


# ---------------------------------------------------------------------- grid


def test_grid_numbers_the_free_cells_in_reading_order():
    mdp = worlds.grid(["S.#", "#.G"], gamma=0.9)
    assert mdp.labels == ((0, 0), (0, 1), (1, 1), (1, 2))
    assert mdp.action_labels == ("up", "right", "down", "left")
    assert mdp.terminal.tolist() == [False, False, False, True]
    assert mdp.mu.tolist() == [1, 0, 0, 0]


def test_grid_moves_slip_to_both_sides_and_bumps():
    mdp = worlds.grid(["...", ".S.", "..."], rewards={}, slip=0.2)
    centre, corner = mdp.labels.index((1, 1)), mdp.labels.index((0, 0))
    targets = {0: (0, 1), 1: (1, 2), 2: (2, 1), 3: (1, 0)}
    for a in range(4):
        law = {mdp.labels[s]: p for s, p in enumerate(rows(mdp)[a, centre]) if p}
        expected = {targets[a]: 0.8, targets[(a + 1) % 4]: 0.1, targets[(a - 1) % 4]: 0.1}
        assert law == pytest.approx(expected)
    up = rows(mdp)[0, corner]  # up and left bump, right moves
    assert up[corner] == pytest.approx(0.9)
    assert up[mdp.labels.index((0, 1))] == pytest.approx(0.1)


def test_grid_pays_on_entry_and_every_step():
    mdp = worlds.grid(["S.G", "..X"], rewards={"G": 2.0, "X": -3.0}, step_reward=-0.1, slip=0.2, gamma=0.9)
    s = mdp.labels.index((0, 1))
    assert mdp.r[s].tolist() == pytest.approx([-0.1 + 0.1 * 2, -0.1 + 0.8 * 2, -0.1 + 0.1 * 2, -0.1])
    below = mdp.labels.index((1, 1))
    assert mdp.r[below, 1] == pytest.approx(-0.1 + 0.8 * -3)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_grid_without_slip_is_a_shortest_path(gamma):
    """Entering the goal after d steps is worth gamma^(d-1): the closed form of a deterministic grid."""
    mdp = worlds.grid(slip=0.0, gamma=gamma)
    cells = {cell: s for s, cell in enumerate(mdp.labels)}
    goal = (0, 6)
    distance, frontier = {goal: 0}, [goal]
    for i, j in frontier:
        for cell in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)):
            if cell in cells and cell not in distance and cell != (1, 6):
                distance[cell] = distance[i, j] + 1
                frontier.append(cell)
    expected = [0.0 if mdp.terminal[s] else gamma ** (distance[cell] - 1) for cell, s in cells.items()]
    np.testing.assert_allclose(solve(mdp).v, expected, atol=1e-10)


def test_small_grid_every_free_cell_can_reach_the_goal():
    assert {len(row) for row in worlds.SMALL_GRID} == {7}
    assert len(worlds.SMALL_GRID) == 5
    text = "".join(worlds.SMALL_GRID)
    assert [text.count(c) for c in "GXS"] == [1, 1, 1]
    mdp = worlds.grid(slip=0.0)
    assert (solve(mdp).v[~mdp.terminal] > 0).all()


def test_russell_and_norvig_world():
    """The utilities printed in Russell and Norvig (2010), figure 17.3: step reward -0.04, no discount.

    Their goal cells hold a utility of +1 and -1, which here is the reward for entering. gamma just below 1 stands
    in for 1; the printed numbers have three digits.
    """
    mdp = worlds.grid(["...G", ".#.X", "S..."], step_reward=-0.04, slip=0.2, gamma=1 - 1e-9)
    v = policy_iteration(mdp).v
    printed = [0.812, 0.868, 0.918, 0.0, 0.762, 0.660, 0.0, 0.705, 0.655, 0.611, 0.388]
    np.testing.assert_allclose(v, printed, atol=6e-4)


def test_several_starts_share_mu_and_none_means_uniform():
    assert worlds.grid(["S.S", "..G"]).mu.tolist() == [0.5, 0, 0.5, 0, 0, 0]
    assert worlds.grid(["..G"]).mu.tolist() == [0.5, 0.5, 0]


@given(st.integers(1, 6), st.integers(1, 6), st.floats(0, 1), st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_any_grid_is_a_process(height, width, slip, seed):
    rng = np.random.default_rng(seed)
    layout = ["".join(rng.choice(list(".#GX"), size=width)) for _ in range(height)]
    layout[0] = "S" + layout[0][1:]
    mdp = worlds.grid(layout, slip=slip)
    assert sum(c != "#" for row in layout for c in row) == mdp.S
    np.testing.assert_allclose(rows(mdp).sum(axis=2)[:, ~mdp.terminal], 1, atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": ["..", "."]}, r"rows of lengths \[2, 1\]"),
        ({"layout": ["S?G"]}, r"'\?' in row 0, column 1: use"),
        ({"layout": ["#G"]}, "no free cell: mark"),
        ({"layout": []}, "no free cell: mark"),
        ({"layout": "S.G"}, "is one string, 'S.G': give a list of rows"),
        ({"slip": -0.1}, r"slip = -0.1: choose a probability in \[0, 1\]"),
        ({"slip": 1.5}, "slip = 1.5"),
        ({"slip": "a"}, "slip = 'a': give a number"),
        ({"rewards": None}, "rewards = None: give a mapping of letters to numbers"),
        ({"rewards": {"G": "x"}}, r"rewards\['G'\] = 'x': give a number"),
        ({"rewards": {1: 1.0}}, "the key 1: use one letter"),
        ({"layout": None}, "layout = None: give a list of rows, each a string"),
        ({"slip": math.nan}, "slip = nan"),
        ({"rewards": {"GG": 1.0}}, "the key 'GG': use one letter"),
        ({"rewards": {"S": 1.0}}, "the key 'S': use one letter"),
        ({"rewards": {"1": 1.0}}, "the key '1': use one letter"),
        ({"rewards": {"G": math.inf}}, r"rewards\['G'\] = inf: give a finite number"),
        ({"step_reward": math.nan}, "step_reward = nan: give a finite number"),
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\]; got 1.5"),
    ],
)
def test_impossible_grids(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.grid(**arguments)


# ---------------------------------------------------------------------- chain


def test_chain_is_the_published_river():
    """Strehl and Littman (2008), figure of RiverSwim."""
    left, right = rows(mdp := worlds.chain())
    assert left.argmax(axis=1).tolist() == [0, 0, 1, 2, 3, 4]
    np.testing.assert_allclose(right[0], [0.7, 0.3, 0, 0, 0, 0])
    np.testing.assert_allclose(right[3], [0, 0, 0.1, 0.6, 0.3, 0])
    np.testing.assert_allclose(right[5], [0, 0, 0, 0, 0.7, 0.3])
    assert mdp.r.tolist() == [[5, 0], *[[0, 0]] * 4, [0, pytest.approx(3000)]]
    assert mdp.mu.tolist() == [0, 0.5, 0.5, 0, 0, 0]


@pytest.mark.parametrize("gamma", [0.3, 0.9, 0.99])
def test_chain_of_two_in_closed_form(gamma):
    """Swimming right in two places: v0 = g(f v1 + (1-f) v0), v1 = f L + g(f v1 + (1-f) v0), so v1 - v0 = f L."""
    f, large = 0.4, 10.0
    mdp = worlds.chain(2, forward=f, small=0.0, large=large, gamma=gamma)
    v0 = gamma * f * f * large / (1 - gamma)
    np.testing.assert_allclose(evaluate(mdp, np.array([1, 1])), [v0, v0 + f * large])
    assert mdp.mu.tolist() == [0, 1]


def test_a_short_sighted_swimmer_stays_downstream():
    assert solve(worlds.chain(gamma=0.1)).pi[0] == 0
    assert (solve(worlds.chain(gamma=0.95)).pi == 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n = 1: a chain needs at least 2"),
        ({"n": 2.5}, "n = 2.5: give an integer"),
        ({"n": True}, "n = True: give an integer"),
        ({"large": None}, "large = None: give a number"),
        ({"forward": 1.1}, "forward = 1.1: choose"),
        ({"forward": 0.8, "back": 0.3}, r"back = 0.3: choose it in \[0, 1 - forward\] = \[0, 0.2\]"),
        ({"back": -0.1}, "back = -0.1"),
        ({"small": math.nan}, "small = nan: give a finite number"),
        ({"large": math.inf}, "large = inf: give a finite number"),
    ],
)
def test_impossible_chains(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.chain(**arguments)


# ---------------------------------------------------------------------- machine replacement


@given(
    st.lists(st.floats(0.05, 1), min_size=1, max_size=5),
    st.floats(0, 5),
    st.floats(0, 50),
    st.floats(0.1, 0.99),
    st.integers(2, 15),
)
@settings(max_examples=100, deadline=None)
def test_replacement_is_a_control_limit(weights, cost, price, gamma, conditions):
    """Puterman (1994), section 4.7.5 (discounted: 6.11): replace from some condition on."""
    wear = np.array(weights) / np.sum(weights)
    mdp = worlds.machine_replacement(conditions, wear=wear, operating_cost=cost, replacement_cost=price, gamma=gamma)
    q = policy_iteration(mdp).q
    gain = q[:, 1] - q[:, 0]
    assert (np.diff(gain) >= -1e-8 * (1 + np.abs(q).max())).all()  # grows with the condition, so changes sign once


def test_replacement_by_default_has_an_interior_limit():
    pi = solve(worlds.machine_replacement()).pi
    assert pi[0] == 0
    assert pi[-1] == 1
    assert (np.diff(pi) >= 0).all()


def test_machine_that_wears_by_one_in_closed_form():
    """Sure wear by one, replaced whenever worn.

    Condition 0: keep earns I and leads to 1; condition 1: replace earns I - R and, wearing in the same period,
    leads to 1 again. So v(1) = (I - R)/(1 - g) and v(0) = I + g v(1).
    """
    income, price, gamma = 10.0, 3.0, 0.9
    mdp = worlds.machine_replacement(2, wear=[0, 1], income=income, replacement_cost=price, gamma=gamma)
    v1 = (income - price) / (1 - gamma)
    np.testing.assert_allclose(evaluate(mdp, np.array([0, 1])), [income + gamma * v1, v1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"conditions": 1}, "conditions = 1: a machine that wears"),
        ({"conditions": 2.5}, "conditions = 2.5: give an integer"),
        ({"wear": "much"}, "wear must be an array of real numbers"),
        ({"wear": [0.5, 0.4]}, r"wear = \[0.5, 0.4\]: give a list of probabilities that sum to 1"),
        ({"wear": [1.5, -0.5]}, r"wear = \[1.5, -0.5\]"),
        ({"operating_cost": -1}, "operating_cost = -1: a cost"),
        ({"replacement_cost": math.nan}, "replacement_cost = nan: a cost"),
        ({"income": math.inf}, "income = inf: give a finite number"),
    ],
)
def test_impossible_machines(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.machine_replacement(**arguments)


# ---------------------------------------------------------------------- inventory


def test_inventory_of_the_textbook():
    """The rewards and transitions tabulated in Puterman (1994), section 3.2.2."""
    mdp = worlds.inventory(3, demand=[0.25, 0.5, 0.25])
    inf = math.inf
    assert mdp.r.tolist() == [[0, -1, -2, -5], [5, 0, -3, -inf], [6, -1, -inf, -inf], [5, -inf, -inf, -inf]]
    law = {0: [1, 0, 0, 0], 1: [0.75, 0.25, 0, 0], 2: [0.25, 0.5, 0.25, 0], 3: [0, 0.25, 0.5, 0.25]}
    P = rows(mdp)
    for s in range(4):
        for a in range(4 - s):
            assert P[a, s].tolist() == law[s + a]


@pytest.mark.parametrize("mean", [0.5, 4.0, 12.0])
def test_inventory_poisson_demand_is_truncated_without_loss(mean):
    """Any longer list of the same law gives the same process."""
    pmf = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(80)]
    short, long = worlds.inventory(10, demand=mean), worlds.inventory(10, demand=np.array(pmf) / sum(pmf))
    np.testing.assert_allclose(rows(short), rows(long), atol=1e-12)
    np.testing.assert_allclose(short.r, long.r, atol=1e-10)


def test_inventory_without_discount_is_a_newsvendor():
    """gamma = 0, no fixed cost: order up to the largest u with P(D >= u) >= (cost + holding) / price."""
    price, unit, hold = 8.0, 2.0, 1.0
    law = np.array([0.1, 0.2, 0.3, 0.2, 0.1, 0.1])
    mdp = worlds.inventory(5, demand=law, price=price, unit_cost=unit, order_cost=0, holding_cost=hold, gamma=0.0)
    tail = law[::-1].cumsum()[::-1]
    up_to = max(u for u in range(6) if u == 0 or tail[u] > (unit + hold) / price)
    assert greedy(mdp.r).tolist() == [max(up_to - s, 0) for s in range(6)]


@pytest.mark.parametrize("order_cost", [0.0, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("mean", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("gamma", [0.5, 0.95])
def test_inventory_policy_is_s_S(order_cost, mean, gamma):
    """Scarf (1960): below s order up to S, at s or more order nothing; without a fixed cost, s = S."""
    pi = solve(worlds.inventory(25, demand=mean, order_cost=order_cost, gamma=gamma)).pi
    ordering = pi > 0
    assert (np.diff(ordering.astype(int)) <= 0).all()
    levels = {int(level) for level in (np.arange(26) + pi)[ordering]}
    assert len(levels) <= 1
    if order_cost == 0 and levels:
        assert ordering.sum() == levels.pop()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 0}, "capacity = 0: stock at least 1"),
        ({"capacity": 2.5}, "capacity = 2.5: give an integer"),
        ({"demand": "many"}, "demand = 'many': give a positive mean, or the law"),
        ({"demand": None}, "demand = None: give a positive mean"),
        ({"demand": [[1.0], [0.5, 0.5]]}, "demand must be an array of real numbers"),
        ({"price": "x"}, "price = 'x': give a number"),
        ({"demand": -1.0}, "demand = -1.0: give a positive mean"),
        ({"demand": math.inf}, "demand = inf: give a positive mean"),
        ({"demand": [0.5, 0.6]}, r"demand = \[0.5, 0.6\]: give a list of probabilities"),
        ({"order_cost": -4}, "order_cost = -4: prices and costs"),
        ({"price": math.nan}, "price = nan: prices and costs"),
        ({"holding_cost": math.inf}, "holding_cost = inf: prices and costs"),
    ],
)
def test_impossible_inventories(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.inventory(**arguments)


# ---------------------------------------------------------------------- queue


@given(st.floats(0.1, 3), st.floats(0.1, 3), st.floats(0, 50), st.floats(0, 5), st.floats(0.1, 0.995))
@settings(max_examples=100, deadline=None)
def test_admission_is_a_threshold(arrival, service, reward, cost, gamma):
    """Stidham (1985): the gain of accepting falls with the queue, so it changes sign at most once."""
    mdp = worlds.admission_control(
        15, arrival_rate=arrival, service_rate=service, reward=reward, holding_cost=cost, gamma=gamma
    )
    q = policy_iteration(mdp).q[:-1]
    gain = q[:, 0] - q[:, 1]
    assert (np.diff(gain) <= 1e-8 * (1 + np.abs(q).max())).all()


def test_admission_by_default_has_an_interior_threshold():
    pi = solve(worlds.admission_control()).pi
    assert pi[0] == 0
    assert pi[-1] == 1
    assert (np.diff(pi) >= 0).all()


def test_empty_queue_in_closed_form():
    """Capacity 1, always accept: two states, solved by hand with p the chance of an arrival.

    v0 = p R + g (p v1 + (1-p) v0);  v1 = -c + g (p v1 + (1-p) v0);  hence v0 - v1 = p R + c.
    """
    p, reward, cost, gamma = 0.25, 6.0, 0.5, 0.9
    mdp = worlds.admission_control(1, arrival_rate=1, service_rate=3, reward=reward, holding_cost=cost, gamma=gamma)
    v0 = (p * reward - gamma * p * (p * reward + cost)) / (1 - gamma)
    np.testing.assert_allclose(evaluate(mdp, np.array([0, 1])), [v0, v0 - p * reward - cost])
    assert not mdp.feasible[1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity": 0}, "capacity = 0: room for at least 1"),
        ({"capacity": 2.5}, "capacity = 2.5: give an integer"),
        ({"arrival_rate": None}, "arrival_rate = None: give a number"),
        ({"arrival_rate": 0}, "arrival_rate = 0: a rate is a positive"),
        ({"service_rate": math.inf}, "service_rate = inf: a rate"),
        ({"holding_cost": -1}, "holding_cost = -1: a cost"),
        ({"reward": math.nan}, "reward = nan: give a finite number"),
    ],
)
def test_impossible_queues(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.admission_control(**arguments)


# ---------------------------------------------------------------------- Garnet


@pytest.mark.parametrize(("S", "A", "b"), [(1, 1, 1), (5, 2, 5), (40, 3, 7), (300, 4, 3)])
def test_garnet_has_the_asked_branching(S, A, b):
    mdp = worlds.garnet(S, A, b, rng=0)
    assert ((rows(mdp) > 0).sum(axis=2) == b).all()
    assert mdp.r.min() >= 0
    assert mdp.r.max() <= 1


def test_garnet_repeats_with_its_seed():
    one, two, other = (worlds.garnet(50, 3, 4, rng=seed) for seed in (7, 7, 8))
    assert (one.P == two.P).all()
    assert (one.r == two.r).all()
    assert not (one.r == other.r).all()


def test_garnet_samples_next_states_uniformly():
    """Each of the C(6, 3) = 20 subsets is as likely: a chi-square test that fails falsely once in 1,000 seeds."""
    from scipy.stats import chisquare

    mdp = worlds.garnet(6, 4000, 3, rng=1)
    codes = (rows(mdp).reshape(-1, 6) > 0) @ (1 << np.arange(6))
    _, counts = np.unique(codes, return_counts=True)
    assert len(counts) == 20
    assert chisquare(counts).pvalue > 1e-3


def test_garnet_probabilities_are_uniform_spacings():
    """A piece of [0, 1] cut at b - 1 uniform points is Beta(1, b - 1). False failures: 1 in 1,000 seeds."""
    from scipy.stats import kstest

    P = worlds.garnet(50, 40, 4, rng=2).P.toarray()
    first = np.take_along_axis(P, (P > 0).argmax(axis=1)[:, None], axis=1).ravel()  # one piece per row: independent
    assert kstest(first, "beta", args=(1, 3)).pvalue > 1e-3


def test_large_garnet_is_sparse_and_quick():
    began = time.process_time()
    mdp = worlds.garnet(100_000, 4, 5, rng=0)
    assert time.process_time() - began < 30  # about a second on an idle machine
    assert mdp.P.nnz == 2_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 1), "S = 0: use at least 1"),
        ((3, 0, 1), "A = 0: use at least 1"),
        ((2.5, 2, 1), "S = 2.5: give an integer"),
        ((3, 2.5, 1), "A = 2.5: give an integer"),
        ((3, 2, 1.5), "branching = 1.5: give an integer"),
        ((3, 2, 4), r"branching = 4: choose it in 1..S = 1..3"),
        ((3, 2, 0), "branching = 0: choose"),
    ],
)
def test_impossible_garnets(arguments, message):
    with pytest.raises(ValueError, match=message):
        worlds.garnet(*arguments)


# ---------------------------------------------------------------------- two states


@pytest.mark.parametrize("gamma", GAMMAS)
def test_two_state_closed_form(gamma):
    """Puterman (1994), example 6.2.1, in both regimes; gamma > 10/11 in the book's own form."""
    mdp = worlds.two_state(gamma)
    solution = policy_iteration(mdp)
    np.testing.assert_allclose(solution.v, worlds.two_state_values(gamma), rtol=1e-9, atol=1e-6)
    assert solution.pi[0] == (1 if gamma < 10 / 11 else 0)
    if gamma > 10 / 11:
        v1 = (5 - 5.5 * gamma) / ((1 - 0.5 * gamma) * (1 - gamma))
        np.testing.assert_allclose(worlds.two_state_values(gamma), [v1, -1 / (1 - gamma)], rtol=1e-9)


def test_two_state_is_indifferent_where_the_regimes_meet():
    gamma = 10 / 11
    q = worlds.two_state(gamma).q(worlds.two_state_values(gamma))
    np.testing.assert_allclose(q[0], [0, 0], atol=1e-12)
    assert q[1, 1] == -math.inf


@given(st.floats(0, 0.999), st.floats(1e-6, 1e6))
@settings(max_examples=200, deadline=None)
def test_greedy_loss_is_all_that_the_bound_allows(gamma, epsilon):
    """Singh and Yee (1994): the loss is at most 2 gamma / (1 - gamma) ||v - v*||, and here it is that."""
    mdp, v = worlds.greedy_loss_example(gamma, epsilon)
    best = policy_iteration(mdp).v
    np.testing.assert_array_equal(best, 0)
    assert np.abs(v - best).max() == epsilon
    pi = greedy(mdp.q(v))
    loss = (best - evaluate(mdp, pi)).max()
    assert loss == pytest.approx(2 * gamma * epsilon / (1 - gamma), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: worlds.two_state(-0.1), "gamma must lie in"),
        (lambda: worlds.two_state_values(1.0), r"gamma = 1.0: the values are finite for gamma in \[0, 1\)"),
        (lambda: worlds.two_state_values(None), "gamma = None: give a number"),
        (lambda: worlds.greedy_loss_example(1.0), "gamma = 1.0: the bound needs"),
        (lambda: worlds.greedy_loss_example(0.9, 0.0), "epsilon = 0.0: the error"),
        (lambda: worlds.greedy_loss_example(0.9, math.inf), "epsilon = inf: the error"),
    ],
)
def test_impossible_two_states(call, message):
    with pytest.raises(ValueError, match=message):
        call()
