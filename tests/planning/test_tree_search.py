"""Planning by sampling: models, sparse sampling, rollouts, tree search, and games against exact values.

Exact values come from enumerating policies, from backward recursion written out here, or from plain minimax
without pruning.
"""

from functools import cache
from itertools import pairwise
from math import inf, log, sqrt

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rlcore import FiniteMDP, plot, worlds
from rlcore.planning import tree_search as ts
from tests.instances import instances, random_mdp


def horizon_values(mdp, H):
    """Optimal q (S, A) over H steps, by backward recursion on dense arrays."""
    P = np.asarray(mdp.P).reshape(mdp.A, mdp.S, mdp.S)
    v = np.zeros(mdp.S)
    for _ in range(H):
        q = mdp.r + mdp.gamma * np.einsum("ast,t->sa", P, v)
        v = q.max(axis=1)
    return q


def nothing(s, rng):
    return 0.0


# ---------------------------------------------------------------------- models


def test_the_model_draws_what_the_process_says():
    for mdp, rng in instances(1, n=20):
        model = ts.generative(mdp)
        s = int(np.flatnonzero(~mdp.terminal)[0])
        assert model.legal(s) == np.flatnonzero(mdp.feasible[s]).tolist()
        a = model.legal(s)[-1]
        draws = [model(s, a, rng) for _ in range(400)]
        share = np.bincount([draw[0] for draw in draws], minlength=mdp.S) / 400
        p = np.asarray(mdp.P)[a * mdp.S + s]
        assert np.abs(share - p).max() < 4.5 * 0.5 / np.sqrt(400)
        assert not share[p == 0].any()
        for s_next, r, discount in draws:
            assert r == mdp.r[s, a]
            assert discount == (0.0 if mdp.terminal[s_next] else mdp.gamma)


def test_a_large_sparse_process_has_a_model():
    mdp = worlds.garnet(2000, 3, branching=4, gamma=0.9, rng=0)
    model, rng = ts.generative(mdp), np.random.default_rng(0)
    assert not isinstance(mdp.P, np.ndarray)
    drawn = {model(7, 2, rng)[0] for _ in range(200)}
    assert drawn == set(mdp.P[[2 * mdp.S + 7]].indices.tolist())


def test_the_model_refuses_infeasible_actions_and_ended_states():
    mdp = FiniteMDP([[0, 1], [0, 0], [0, 0], [0, 0]], [[1, -inf], [0, 0]], 0.9, terminal=[False, True])
    model = ts.generative(mdp)
    with pytest.raises(ValueError, match="Action 1 is infeasible in state 0"):
        model(0, 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="State 1 has no legal action"):
        ts.mcts(model, 1, budget=1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"A": 0}, "A must be an integer of at least 1"),
        ({"players": 3}, "players must be 1, or 2"),
        ({"r_max": -1.0}, "r_max must be a finite number of at least 0"),
        ({"r_max": inf}, "r_max must be a finite number of at least 0"),
        ({"gamma": 1.5}, r"gamma must lie in \[0, 1\]"),
    ],
)
def test_models_with_impossible_fields(fields, message):
    with pytest.raises(ValueError, match=message):
        ts.GenerativeModel(lambda s, a, rng: (s, 0.0, 0.0), lambda s: [0], **({"A": 1} | fields))


@pytest.mark.parametrize(
    ("answer", "legal", "message"),
    [
        ((0, 0.0, 1.2), [0], r"discount 1\.2: it must lie in \[0, 1\]"),
        ((0, 0.0, -1.0), [0], r"discount -1\.0: it must lie in \[0, 1\]"),
        ((0, 0.0, float("nan")), [0], "discount nan"),
        ((0, inf, 0.5), [0], "reward inf: it must be finite"),
        ((0, 0.0, 0.5), [], "State 0 has no legal action: allow one"),
        ((0, 0.0, 0.5), [2], r"lists the action 2: actions are integers in 0\.\.1"),
        ((0, 0.0, 0.5), [0.5], r"lists the action 0\.5"),
    ],
)
def test_what_a_model_answers_wrongly(answer, legal, message):
    model = ts.GenerativeModel(lambda s, a, rng: answer, lambda s: legal, 2)
    for plan in (
        lambda: ts.mcts(model, 0, budget=3, evaluate=nothing),
        lambda: ts.sparse_sampling(model, 0, horizon=1, width=1),
        lambda: ts.rollouts(model, 0, runs=1, steps=1),
    ):
        with pytest.raises(ValueError, match=message):
            plan()


# ---------------------------------------------------------------------- sparse sampling and rollouts


def test_without_chance_sparse_sampling_is_backward_recursion():
    rng = np.random.default_rng(3)
    for _ in range(30):
        S, A = 4, 3
        p = np.eye(S)[rng.integers(S, size=(S, A))]
        mdp = FiniteMDP.from_arrays(p, rng.normal(size=(S, A)), 0.8)
        look = ts.sparse_sampling(ts.generative(mdp), 0, horizon=4, width=1, rng=rng)
        expected = horizon_values(mdp, 4)[0]
        np.testing.assert_allclose(look.q, expected, rtol=0, atol=1e-12)
        assert look.value == pytest.approx(expected.max())
        assert look.action == expected.argmax()


def test_sparse_sampling_approaches_the_value_over_the_horizon():
    mdp = random_mdp(np.random.default_rng(5), terminal=False, gamma=0.7)
    expected = horizon_values(mdp, 2)[0]
    scale = np.abs(mdp.r[mdp.feasible]).max()
    look = ts.sparse_sampling(ts.generative(mdp), 0, horizon=2, width=120, rng=0)
    allowed = np.isfinite(expected)
    assert np.abs(look.q - expected)[allowed].max() < 0.35 * scale
    assert (look.q[~allowed] == -inf).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: ts.sparse_sampling(m, 0, horizon=0, width=1), "horizon must be an integer of at least 1"),
        (lambda m: ts.sparse_sampling(m, 0, horizon=1, width=1.5), "width must be an integer of at least 1"),
        (lambda m: ts.rollouts(m, 0, runs=0, steps=1), "runs must be an integer of at least 1"),
        (lambda m: ts.rollouts(m, 0, runs=1, steps=0), "steps must be an integer of at least 1"),
        (lambda m: ts.rollouts(m, 0, lambda s, rng: 9, runs=1, steps=2), "rollout policy takes action 9 in state"),
        (lambda m: ts.sparse_parameters(m, 0.0), "epsilon must be a positive number"),
        (lambda m: ts.sparse_failure(m, horizon=1, width=1, accuracy=-1), "accuracy must be a positive number"),
        (lambda m: ts.random_rollout(m, steps=0), "steps must be an integer of at least 1"),
    ],
)
def test_bad_parameters_of_fixed_samples(call, message):
    with pytest.raises(ValueError, match=message):
        call(ts.generative(worlds.garnet(4, 2, branching=2, gamma=0.9, rng=0)))


def test_guarantees_need_a_scale():
    model = ts.generative(worlds.garnet(4, 2, branching=2, gamma=0.9, rng=0))
    no_range = ts.GenerativeModel(model.step, model.actions, 2, gamma=0.9)
    no_gamma = ts.GenerativeModel(model.step, model.actions, 2, r_max=1.0)
    undiscounted = ts.GenerativeModel(model.step, model.actions, 2, r_max=1.0, gamma=1.0)
    for wrong, message in ((no_range, "needs r_max"), (no_gamma, "needs gamma, "), (undiscounted, "needs gamma < 1")):
        with pytest.raises(ValueError, match=message):
            ts.sparse_parameters(wrong, 0.1)
        with pytest.raises(ValueError, match=message):
            ts.sparse_failure(wrong, horizon=1, width=1, accuracy=0.1)
    free = ts.GenerativeModel(model.step, model.actions, 2, r_max=0.0, gamma=0.9)
    assert ts.sparse_parameters(free, 0.1) == (1, 1)
    assert ts.sparse_failure(free, horizon=1, width=1, accuracy=0.1) == 0.0


def test_sparse_sampling_is_for_one_player():
    with pytest.raises(ValueError, match="plans for one player; for a game use mcts or minimax"):
        ts.sparse_sampling(ts.TIC_TAC_TOE.model, ts.TIC_TAC_TOE.start, horizon=1, width=1)


def test_rollouts_estimate_the_policys_values_within_their_errors():
    """Twenty processes and their actions: normalised errors have about unit variance, and none is wild."""
    z = []
    for mdp, rng in instances(11, n=20, terminal=True, gamma=0.8):
        uniform = mdp.feasible / mdp.feasible.sum(axis=1, keepdims=True)
        P, r = mdp.induced(uniform)
        v, s = np.zeros(mdp.S), int(np.flatnonzero(~mdp.terminal)[0])
        for _ in range(29):
            v = r + mdp.gamma * (P @ v)
        q = mdp.q(v)[s]
        look = ts.rollouts(ts.generative(mdp), s, runs=300, steps=30, rng=rng)
        known = mdp.feasible[s]
        assert (look.q[~known] == -inf).all()
        safe = known & (look.std_error > 1e-9)
        z += ((look.q[safe] - q[safe]) / look.std_error[safe]).tolist()
    assert len(z) > 20
    assert np.abs(z).max() < 5
    assert 0.5 < np.mean(np.square(z)) < 1.7


def test_a_policy_is_followed_and_calls_are_counted():
    chain = ts.generative(ts.trap_chain(5))
    stay = ts.rollouts(chain, 0, lambda s, rng: 1, runs=2, steps=10, rng=0)
    assert stay.q.tolist() == [0.8, 1.0]
    assert stay.calls == 2 * 1 + 2 * 5
    cut = ts.rollouts(chain, 0, lambda s, rng: 1, runs=2, steps=3, rng=0)
    assert cut.q.tolist() == [0.8, 0.0]
    assert np.isnan(ts.rollouts(chain, 0, runs=1, steps=3, rng=0).std_error).all()


# ---------------------------------------------------------------------- the tree


def searched(seed=0, **settings):
    mdp = worlds.garnet(5, 3, branching=3, gamma=0.9, rng=2)
    return ts.mcts(ts.generative(mdp), 0, budget=300, rng=seed, max_depth=4, **settings)


@pytest.mark.parametrize("rule", ["uct", "polynomial", "puct"])
def test_the_tree_adds_up(rule):
    """Visits and means of each node are those of its actions and of the single return that expanded it."""
    tree = searched(rule=rule)
    assert tree.node_visits[0] == len(tree.history) == 300
    assert tree.parent[0] == tree.action[0] == -1
    assert tree.root_value == pytest.approx(np.mean([value for _, value in tree.history]))
    inner = 0
    for node in range(1, tree.N):
        parent, a = tree.parent[node], tree.action[node]
        assert tree.legal[parent, a]
        assert tree.children[parent, a, tree.state[node]] == node
        assert tree.born[node] > tree.born[parent]
        assert node in tree.history[tree.born[node] - 1][0]
    for node in range(tree.N):
        taken = tree.action_visits[node].sum()
        own = tree.node_visits[node] - taken
        assert own == (0 if node == 0 else 1) or taken == 0
        for a in np.flatnonzero(tree.action_visits[node]):
            below = [child for (n, b, _), child in tree.children.items() if (n, b) == (node, a)]
            assert tree.node_visits[below].sum() == tree.action_visits[node, a]
            inner += 1
    assert inner > 20


def test_the_same_seed_grows_the_same_tree():
    one, two, other = searched(3), searched(3), searched(4)
    assert one.history == two.history
    assert one.history != other.history


def test_growing_shows_every_simulation():
    model = ts.generative(worlds.garnet(5, 3, branching=3, gamma=0.9, rng=2))
    sizes = []
    for n, tree in enumerate(ts.grow(model, 0, rng=1), start=1):
        assert len(tree.history) == n
        sizes.append(tree.N)
        if n == 50:
            break
    assert (np.diff(sizes) == 1).all(), "a process without an end adds a node with every simulation"
    assert tree.N > 32, "the arrays have grown twice"
    assert tree.node_visits[: tree.N].min() >= 1


def test_the_score_formulas():
    q, n, prior = np.array([0.2, 0.5]), np.array([3, 5]), np.array([0.75, 0.25])
    np.testing.assert_allclose(
        ts.uct_scores(q, n, 8, prior, 2.0), [0.2 + 2 * sqrt(log(8) / 3), 0.5 + 2 * sqrt(log(8) / 5)]
    )
    np.testing.assert_allclose(ts.polynomial_scores(q, n, 16, prior, 2.0), [0.2 + 4 / sqrt(3), 0.5 + 4 / sqrt(5)])
    np.testing.assert_allclose(ts.puct_scores(q, n, 16, prior, 2.0), [0.2 + 6 / 4, 0.5 + 2 / 6])


def test_every_selection_has_the_largest_score():
    """A tree replayed from its history: each chosen action was untried, or had the largest UCT score."""
    c, tree = 0.7, searched(c=0.7, evaluate=nothing)
    n, total = np.zeros((tree.N, tree.A)), np.zeros((tree.N, tree.A))
    mdp = worlds.garnet(5, 3, branching=3, gamma=0.9, rng=2)
    scored = 0
    for path, root_return in tree.history:
        steps, value = [(node, tree.action[child]) for node, child in pairwise(path)], 0.0
        for node, a in steps:
            if n[node].all():
                scores = total[node] / n[node] + c * np.sqrt(np.log(n[node].sum()) / n[node])
                assert scores[a] >= scores.max() - 1e-9
                scored += 1
            else:
                assert n[node, a] == 0
        for node, a in reversed(steps):
            value = mdp.r[tree.state[node], a] + mdp.gamma * value
            n[node, a] += 1
            total[node, a] += value
        assert value == pytest.approx(root_return)
    assert scored > 300


def test_puct_follows_its_prior_before_it_has_tried_everything():
    mdp = worlds.garnet(5, 3, branching=3, gamma=0.9, rng=2)
    sure = ts.mcts(
        ts.generative(mdp), 0, budget=20, rule="puct", c=100.0, prior=lambda s: np.array([0.0, 1.0, 0.0]), rng=0
    )
    assert sure.action_visits[0].tolist() == [0, 20, 0]
    assert sure.best_action == 1
    even = searched(rule="puct", c=1e6)
    assert np.ptp(even.action_visits[0]) <= 1


def test_a_greater_depth_than_allowed_is_never_reached():
    tree = searched()
    assert max(len(path) for path, _ in tree.history) == 5
    chain = ts.mcts(
        ts.generative(ts.trap_chain(6)), 0, budget=200, max_depth=1, evaluate=lambda s, rng: float(s), rng=0
    )
    assert chain.N == 3
    assert chain.action_values[0].tolist() == pytest.approx([5 / 6, 1.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budget": 0}, "budget must be an integer of at least 1; got 0"),
        ({"budget": 2.5}, r"budget must be an integer of at least 1; got 2\.5"),
        ({"c": -0.1}, r"c must be a finite number of at least 0; got -0\.1"),
        ({"c": float("nan")}, "c must be a finite number of at least 0; got nan"),
        ({"rule": "ucb"}, "rule must be one of .*'uct'.*; got 'ucb'"),
        ({"max_depth": 0}, "max_depth must be an integer of at least 1"),
        ({"prior": lambda s: np.ones(2) / 2}, 'Only rule="puct" looks at a prior'),
        ({"rule": "puct", "prior": lambda s: np.ones(2)}, "The prior in state 0 is .*give 2 probabilities"),
        ({"rule": "puct", "prior": lambda s: np.ones(3) / 3}, "The prior in state 0 is .*give 2 probabilities"),
        ({"evaluate": lambda s, rng: float("nan")}, "evaluate returns nan in state"),
    ],
)
def test_bad_settings_of_a_search(settings, message):
    model = ts.generative(worlds.garnet(4, 2, branching=2, gamma=0.9, rng=0))
    with pytest.raises(ValueError, match=message):
        ts.mcts(model, 0, **({"budget": 5} | settings))


def test_a_state_must_say_whether_it_is_an_end():
    model = ts.GenerativeModel(lambda s, a, rng: (1, 0.0, float(rng.random() < 0.5)), lambda s: [0], 1)
    with pytest.raises(ValueError, match="enters state 1 with discount 0 at one time and not at another"):
        ts.mcts(model, 0, budget=50, evaluate=nothing, rng=0)


# ---------------------------------------------------------------------- convergence


@pytest.mark.parametrize("rule", ["uct", "polynomial", "puct"])
def test_the_root_converges_to_the_optimal_value(rule):
    """On eight small processes the error over 3 steps shrinks, and ends within a tenth of the values' scale."""
    for mdp, _ in instances(21, n=8, gamma=0.9):
        s = int(np.flatnonzero(~mdp.terminal)[0])
        q = horizon_values(mdp, 3)[s]
        scale = np.abs(mdp.r[mdp.feasible]).max() * (1 + 0.9 + 0.81)
        settings = dict(rule=rule, c=scale / 2, max_depth=3, evaluate=nothing, rng=1)
        tree = ts.mcts(ts.generative(mdp), s, budget=2000, **settings)
        assert abs(tree.best_value - q.max()) < 0.12 * scale
        assert q[tree.best_action] > q.max() - 0.12 * scale


def test_root_means_lie_within_their_interval():
    """Over 30 runs, the 95 % interval of the best action's mean, widened by UCT's small bias, holds the value."""
    mdp = worlds.garnet(4, 2, branching=2, gamma=0.9, rng=4)
    best = horizon_values(mdp, 2)[0].max()
    runs = [
        ts.mcts(ts.generative(mdp), 0, budget=800, c=1.0, max_depth=2, evaluate=nothing, rng=i).best_value
        for i in range(30)
    ]
    half = 2.05 * np.std(runs, ddof=1) / np.sqrt(30)
    assert abs(np.mean(runs) - best) < half + 0.02
    assert half < 0.05


# ---------------------------------------------------------------------- games


def plain_minimax(model):
    """The mover's value of every position, by plain recursion without pruning."""

    @cache
    def value(s):
        best = -inf
        for a in model.actions(s):
            s_next, r, discount = model(s, a, None)
            best = max(best, r if discount == 0 else r - discount * value(s_next))
        return best

    return value


@pytest.mark.parametrize("size", [(3, 3, 3, False), (3, 3, 3, True), (2, 4, 3, False), (3, 4, 3, True)])
def test_alpha_beta_agrees_with_plain_minimax(size):
    game, rng = ts.LineGame(*size), np.random.default_rng(0)
    value, table = plain_minimax(game.model), {}
    for _ in range(60):
        s, discount = game.start, 1.0
        for _ in range(int(rng.integers(0, 6))):
            s_next, _, discount = game.model(s, int(rng.choice(game.actions(s))), rng)
            if discount == 0:
                break
            s = s_next
        fresh, shared = ts.minimax(game.model, s), ts.minimax(game.model, s, table)
        np.testing.assert_array_equal(fresh.q, shared.q)
        assert fresh.value == value(s)
        for a in range(game.model.A):
            if a not in game.actions(s):
                assert fresh.q[a] == -inf
                continue
            s_next, r, discount = game.model(s, a, rng)
            assert fresh.q[a] == (r if discount == 0 else -value(s_next))


def test_discounted_alpha_beta_prefers_the_quicker_win():
    quick = ts.LineGame(3, 3, 3)

    def step(s, a, rng):
        s_next, r, discount = quick.model(s, a, rng)
        return s_next, r, 0.5 * discount

    model = ts.GenerativeModel(step, quick.actions, 9, players=2)
    value = plain_minimax(model)
    for s in ("XX.O.O...", "X...O....", "XO......."):
        assert ts.minimax(model, s).value == value(s)
    solved = ts.minimax(model, "XX.O.O...")  # X wins at once in cell 2, and later elsewhere
    assert solved.best.tolist() == [2]
    assert ts.minimax(model, "XO.......").value == 1 / 16, "a win in the third move from here, four moves later"


def test_known_results_of_small_games():
    """Tic-tac-toe is a draw from every first move; three in a line on 4 x 4 with gravity is won by the first."""
    noughts = ts.minimax(ts.TIC_TAC_TOE.model, ts.TIC_TAC_TOE.start)
    assert noughts.q.tolist() == [0.0] * 9
    easy = ts.LineGame(4, 4, 3, gravity=True)
    assert ts.minimax(easy.model, easy.start).value == 1.0
    assert ts.minimax(ts.CONNECT.model, ts.CONNECT.start).value == 0.0


def test_marks_fall_and_lines_win():
    game = ts.LineGame(3, 4, 3, gravity=True)
    s, rng = game.start, np.random.default_rng(0)
    for a, r in ((1, 0), (1, 0), (0, 0), (3, 0), (2, 1)):
        s, reward, discount = game.model(s, a, rng)
        assert (reward, discount) == (r, 1.0 - r)
    assert game.show(s) == "....\n.O..\nXXXO"
    assert game.mover(s) == "O"
    full = ts.LineGame(1, 2, 2)
    assert full.model(".X"[::-1], 1, rng) == ("XO", 0.0, 0.0)


@pytest.mark.parametrize(
    ("size", "message"),
    [((0, 3, 1), "rows must be an integer of at least 1"), ((3, 3, 4), "no such line fits on a board of 3 x 3")],
)
def test_impossible_boards(size, message):
    with pytest.raises(ValueError, match=message):
        ts.LineGame(*size)


def test_minimax_is_for_two_players():
    with pytest.raises(ValueError, match="minimax solves games of two players"):
        ts.minimax(ts.generative(ts.trap_chain(2)), 0)


def match(game, mine, budget, rng, table):
    """The score of tree search, which plays `mine`, against a perfect player with random tie-breaks."""
    s, discount, r, mover = game.start, 1.0, 0.0, "X"
    while discount:
        mover = game.mover(s)
        if mover == mine:
            a = ts.mcts(game.model, s, budget=budget, c=1.0, rng=rng).best_action
        else:
            a = int(rng.choice(ts.minimax(game.model, s, table).best))
        s, r, discount = game.model(s, a, rng)
    return r if mover == mine else -r


def test_a_hopeless_budget_loses_to_a_perfect_player():
    rng, table = np.random.default_rng(1), {}
    assert min(match(ts.TIC_TAC_TOE, "O", 5, rng, table) for _ in range(20)) == -1.0


@pytest.mark.slow
@pytest.mark.parametrize("mine", ["X", "O"])
def test_with_enough_budget_tic_tac_toe_is_never_lost(mine):
    rng, table = np.random.default_rng(7), {}
    assert [match(ts.TIC_TAC_TOE, mine, 3000, rng, table) for _ in range(4)] == [0.0] * 4


def test_tree_search_wins_and_defends_at_once():
    """X completes its line; O blocks."""
    game = ts.TIC_TAC_TOE
    for seed in range(10):
        assert ts.mcts(game.model, "XX.OO....", budget=200, c=1.0, rng=seed).best_action == 2
        assert ts.mcts(game.model, "XX..O....", budget=400, c=1.0, rng=seed).best_action == 2


def test_tree_search_finds_best_moves_on_the_connect_board():
    game, rng, table = ts.CONNECT, np.random.default_rng(3), {}
    positions = []
    while len(positions) < 8:
        s = game.start
        for _ in range(8):
            s, _, discount = game.model(s, int(rng.choice(game.actions(s))), rng)
            if discount == 0:
                break
        else:
            solved = ts.minimax(game.model, s, table)
            if len(solved.best) < len(game.actions(s)):
                positions.append((s, solved))
    for s, solved in positions:
        tree = ts.mcts(game.model, s, budget=1500, c=1.0, rng=rng)
        assert tree.best_action in solved.best


# ---------------------------------------------------------------------- bandits, the trap, the figure


def test_ucb_counts_every_play_and_tries_every_arm():
    plays = ts.ucb1([0.2, 0.9, 0.5], steps=50, runs=40, rng=0)
    assert plays.shape == (40, 3)
    assert (plays.sum(axis=1) == 50).all()
    assert plays.min() >= 1
    assert plays[:, 1].mean() > 20
    sure = ts.ucb1([0.0, 1.0], steps=30, c=0.0)
    assert sure.tolist() == [[1, 29]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"means": [0.5, 1.5]}, "means must be a list of probabilities"),
        ({"means": []}, "means must be a list of probabilities"),
        ({"steps": 0}, "steps must be an integer of at least 1"),
        ({"runs": 0}, "runs must be an integer of at least 1"),
        ({"c": -1.0}, "c must be a finite number of at least 0"),
    ],
)
def test_impossible_bandits(arguments, message):
    with pytest.raises(ValueError, match=message):
        ts.ucb1(**({"means": [0.5], "steps": 3} | arguments))


def test_the_trap_pays_one_for_patience():
    chain = ts.trap_chain(4)
    assert chain.r[:4].tolist() == [[0.75, 0.0], [0.5, 0.0], [0.25, 0.0], [0.0, 1.0]]
    assert horizon_values(chain, 4).max(axis=1).tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]
    with pytest.raises(ValueError, match="depth must be an integer of at least 1"):
        ts.trap_chain(0)


def test_the_figure_of_a_tree_shows_what_has_enough_visits():
    tree = ts.mcts(ts.TIC_TAC_TOE.model, "XX.OO....", budget=60, c=1.0, rng=0)
    ax = plot.search_tree(tree, min_visits=3, names=list("123456789"))
    shown = int((tree.node_visits[1 : tree.N] >= 3).sum())
    assert len(ax.collections) == shown + 1
    assert len(ax.lines) == shown
    texts = [text.get_text() for text in ax.texts]
    assert "60" in texts
    assert any(text.startswith("3\n1.00") for text in texts), "the winning cell pays 1"
    plt.close(ax.figure)
    figure, given = plt.subplots()
    before = len(plt.get_fignums())
    assert plot.search_tree(tree, given) is given
    assert len(plt.get_fignums()) == before
    plt.close(figure)
    with pytest.raises(ValueError, match="min_visits = 0"):
        plot.search_tree(tree, min_visits=0)
    with pytest.raises(ValueError, match="names must name 9 actions; got 2"):
        plot.search_tree(tree, names=["a", "b"])
