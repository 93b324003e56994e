"""The bridge to Gymnasium: tables against the environments' own play, and environments against their tables.

Statistical tests use fixed seeds. Each would fail for one seed in a million if the code were right, so a failure
means that the code, or Gymnasium's rules, have changed.
"""

import dataclasses
from collections import Counter

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from scipy.stats import chisquare, ks_2samp

from rlcore import worlds
from rlcore.gym import from_gym, to_gym, to_vector_gym
from rlcore.mdp import FiniteMDP
from rlcore.planning.discounted import evaluate, policy_iteration, solve
from rlcore.simulate import discounted_return, rollout

RARE = 1e-6
TABULAR = [
    ("FrozenLake-v1", {"map_name": "4x4"}),
    ("FrozenLake-v1", {"map_name": "4x4", "is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("CliffWalking-v1", {}),
    ("CliffWalking-v1", {"is_slippery": True}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
    ("Blackjack-v1", {}),
    ("Blackjack-v1", {"sab": False}),
    ("Blackjack-v1", {"sab": False, "natural": True}),
]


def law(mdp: FiniteMDP, s: int, a: int) -> np.ndarray:
    row = mdp.P[[a * mdp.S + s]]
    return (row if isinstance(row, np.ndarray) else row.toarray()).ravel()


def agrees(counts: np.ndarray, p: np.ndarray) -> bool:
    """No impossible outcome, and a chi-square test; outcomes expected fewer than 5 times are pooled."""
    if counts[p == 0].any():
        return False
    n, rare = counts.sum(), (p > 0) & (p * counts.sum() < 5)
    often = (p > 0) & ~rare
    observed, expected = list(counts[often]), list(n * p[often])
    if rare.any() and n * p[rare].sum() >= 1e-9:
        observed.append(counts[rare].sum())
        expected.append(n * p[rare].sum())
    return len(observed) < 2 or chisquare(observed, expected).pvalue > RARE


def index_of(mdp: FiniteMDP, env, observation) -> int:
    """The state of the table that the environment is in; Blackjack's opening 21 may be a state of its own."""
    marked = (*observation, "natural") if isinstance(observation, tuple) else None
    if marked in mdp.labels and len(env.unwrapped.player) == 2:
        return mdp.labels.index(marked)
    return mdp.labels.index(observation)


# ---------------------------------------------------------------------- from_gym


@pytest.mark.parametrize(("name", "options"), TABULAR)
def test_tables_predict_the_environment(name, options):
    """Play at random, then compare every visited pair's next states and rewards with the table."""
    env = gymnasium.make(name, **options)
    mdp = from_gym(env, 0.9)
    rng = np.random.default_rng(0)
    first, moves, pay = np.zeros(mdp.S, dtype=int), Counter(), {}
    s = None
    for episode in range(12_000):
        if s is None:
            observation, _ = env.reset(seed=episode)
            s = index_of(mdp, env, observation)
            first[s] += 1
        a = int(rng.integers(mdp.A))
        observation, reward, terminated, truncated, _ = env.step(a)
        if terminated and observation in mdp.labels and mdp.terminal[mdp.labels.index(observation)]:
            s_next = mdp.labels.index(observation)
        else:
            s_next = mdp.labels.index("end") if terminated else index_of(mdp, env, observation)
        moves[s, a, s_next] += 1
        pay.setdefault((s, a), []).append(reward)
        assert terminated == mdp.terminal[s_next]
        s = None if terminated or truncated else s_next
    assert agrees(first, mdp.mu)
    for s, a in pay:
        counts = np.array([moves[s, a, x] for x in range(mdp.S)])
        assert agrees(counts, law(mdp, s, a)), (mdp.labels[s], a)
    for pair, rewards in pay.items():
        error = abs(np.mean(rewards) - mdp.r[pair])
        if len(rewards) >= 100 and np.std(rewards) > 0:  # 7 standard errors, since small samples are skewed
            assert error < 7 * np.std(rewards) / np.sqrt(len(rewards))
        elif law(mdp, *pair).max() > 1 - 1e-9 and not name.startswith("Blackjack"):  # whose dealer draws in one step
            assert error < 1e-9


def test_sizes_of_the_known_tables():
    lake = from_gym(gymnasium.make("FrozenLake-v1"), 0.9)
    assert (lake.S, lake.A, lake.terminal.sum()) == (16, 4, 5)  # four holes and the goal
    cliff = from_gym(gymnasium.make("CliffWalking-v1"), 0.9)
    assert (cliff.S, cliff.terminal.nonzero()[0].tolist()) == (48, [47])
    taxi = from_gym(gymnasium.make("Taxi-v4"), 0.9)
    assert (taxi.S, taxi.A, taxi.labels[-1], taxi.terminal.sum()) == (501, 6, "end", 1)
    assert taxi.labels[:500] == tuple(range(500))


def test_cliff_walking_has_its_known_shortest_path():
    """Thirteen steps along the cliff: -(1 - gamma^13) / (1 - gamma)."""
    for gamma in (0.9, 0.99):
        mdp = from_gym(gymnasium.make("CliffWalking-v1"), gamma)
        assert mdp.mu @ solve(mdp).v == pytest.approx(-(1 - gamma**13) / (1 - gamma))


def test_frozen_lake_without_slip_is_six_steps():
    mdp = from_gym(gymnasium.make("FrozenLake-v1", is_slippery=False), 0.9)
    assert mdp.mu @ solve(mdp).v == pytest.approx(0.9**5)


def test_frozen_lake_best_success_rate():
    """Without a time limit the 4x4 lake can be crossed with probability 14/17: the policy found with gamma near 1,
    its linear equations without discount then solved in rational numbers."""
    from sympy import Matrix, Rational, eye, zeros

    mdp = from_gym(gymnasium.make("FrozenLake-v1"), 1 - 1e-9)
    solution = policy_iteration(mdp)
    inner = [s for s in range(16) if not mdp.terminal[s]]
    laws = [[Rational(round(3 * p), 3) for p in law(mdp, s, solution.pi[s])] for s in inner]
    among = Matrix([[row[s] for s in inner] for row in laws])
    goal = zeros(len(inner), 1) + Matrix([row[15] for row in laws])
    success = (eye(len(inner)) - among).LUsolve(goal)
    assert success[0] == Rational(14, 17)
    np.testing.assert_allclose(solution.v[inner], np.array(success, dtype=float).ravel(), atol=1e-6)


class Ring(gymnasium.Env):
    """Three places in a ring, two players: a Tuple observation and no table."""

    observation_space = spaces.Tuple((spaces.Discrete(3), spaces.Discrete(2)))
    action_space = spaces.Discrete(2, start=1)


def ring(state, action):
    place, player = state
    if action == 2 and place != 1:
        return []
    if action == 2:
        return [(0.5, (2, 1), 4.0, True), (0.5, (0, 1 - player), 0.0, False)]
    return [(1.0, ((place + 1) % 3, player), -1.0, False)]


def test_a_model_of_your_own():
    mdp = from_gym(Ring(), 0.9, model=ring, start=[(0.25, (0, 0)), (0.75, (1, 0))])
    assert set(mdp.labels) == {(i, j) for i in range(3) for j in range(2)} | {"end"}
    assert mdp.action_labels == (1, 2)
    one = mdp.labels.index((1, 0))
    assert mdp.feasible[:, 1].tolist() == [x in {(1, 0), (1, 1), "end"} for x in mdp.labels]
    assert mdp.r[one].tolist() == [-1.0, 2.0]
    assert {mdp.labels[s]: p for s, p in enumerate(law(mdp, one, 1)) if p} == {"end": 0.5, (0, 1): 0.5}
    assert mdp.mu[[mdp.labels.index((0, 0)), one]].tolist() == [0.25, 0.75]


class Hall(gymnasium.Env):
    """A corridor of three, with a table of the kind that Gymnasium's toy environments have."""

    observation_space = spaces.Discrete(3)
    action_space = spaces.Discrete(1)
    P = {0: {0: [(1.0, 1, 0.0, False)]}, 1: {0: [(1.0, 2, 5.0, True)]}, 2: {0: [(1.0, 2, 0.0, False)]}}  # noqa: RUF012


def test_a_table_with_a_start_of_your_own():
    mdp = from_gym(Hall(), 0.5, start=[(1.0, 0)])
    assert mdp.terminal.tolist() == [False, False, True]
    assert solve(mdp).v.tolist() == [2.5, 5.0, 0.0]


class Line(gymnasium.Env):
    observation_space = spaces.Box(-1, 1)
    action_space = spaces.Discrete(2)


class Shifted(gymnasium.RewardWrapper):
    def reward(self, reward):
        return reward + 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: from_gym(gymnasium.make("CartPole-v1"), 0.9),
            "CartPole-v1 has observations Box.*from_gym needs Discrete",
        ),
        (lambda: from_gym(Line(), 0.9), "Line has observations Box"),
        (lambda: from_gym(Ring(), 0.9), r"Ring has no table env.unwrapped.P: pass model=f, with f\(state, action\)"),
        (lambda: from_gym(Ring(), 0.9, model=ring), r"Ring does not say where it starts: pass start="),
        (lambda: from_gym(Hall(), 0.9), r"Hall does not say where it starts"),
        (lambda: from_gym(Hall(), 0.9, start=[(1.0, 7)]), "start names the state 7, which is not among"),
        (lambda: from_gym(Hall(), 0.9, start=[(0.5, 0)]), "mu must be a probability vector.*sum 0.5"),
        (
            lambda: from_gym(Ring(), 0.9, model=ring, start=[(1.0, (3, 0))]),
            r"names the state \(3, 0\), which is not in Tuple",
        ),
        (
            lambda: from_gym(Ring(), 0.9, model=lambda s, a: [(0.9, s, 0.0, False)], start=[(1.0, (0, 0))]),
            "sums to 0.9",
        ),
        (lambda: from_gym(Shifted(gymnasium.make("FrozenLake-v1")), 0.9), "The wrapper Shifted changes what"),
        (lambda: from_gym(gymnasium.make("Taxi-v4", fickle_passenger=True), 0.9), "fickle_passenger=True changes"),
        (lambda: from_gym(gymnasium.make("FrozenLake-v1"), 1.1), "gamma must lie in"),
    ],
)
def test_environments_without_an_exact_table(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("env", ["FrozenLake-v1", None])
def test_what_is_no_environment_is_refused(env):
    with pytest.raises(TypeError, match=rf"env = {env!r} is no environment: pass one, such as gymnasium.make"):
        from_gym(env, 0.9)


def hall_with(outcomes):
    """The hall with other outcomes in its first state; without any entry there, where they are None."""
    hall = Hall()
    hall.P = {**Hall.P, 0: {} if outcomes is None else {0: outcomes}}
    return hall


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        (None, r"has no entry for state 0, action 0: add the list of its outcomes \(probability, next_state"),
        ([(1.0, 3, 0.0, False)], r"leads from state 0, action 0 to 3: correct it, or enlarge Discrete\(3\)"),
        ([(1.0, 1, 0.0)], r"State 0, action 0: \(1.0, 1, 0.0\) is no outcome \(probability, next_state"),
        (5, "State 0, action 0: 5 is no list of outcomes"),
        ([(np.nan, 1, 0.0, False)], r"State 0, action 0: the outcome \(nan, 1.*needs a probability in \[0, 1\]"),
        ([(1.0, 1, None, False)], r"State 0, action 0: the outcome \(1.0, 1, None, False\) needs a finite reward"),
    ],
)
def test_tables_with_a_wrong_entry(outcomes, message):
    with pytest.raises(ValueError, match=message):
        from_gym(hall_with(outcomes), 0.9, start=[(1.0, 0)])


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        (None, r"State \(0, 0\), action 1: None is no list of outcomes \(probability, next_state"),
        ([(1.0, (0, 0))], r"State \(0, 0\), action 1: \(1.0, \(0, 0\)\) is no outcome"),
        ([1.0], r"State \(0, 0\), action 1: 1.0 is no outcome"),
        ([], "No state has an outcome: give at least one"),
    ],
)
def test_models_with_a_wrong_answer(outcomes, message):
    with pytest.raises(ValueError, match=message):
        from_gym(Ring(), 0.9, model=lambda s, a: outcomes, start=[(1.0, (0, 0))])


# ---------------------------------------------------------------------- Blackjack


def backward(mdp: FiniteMDP) -> np.ndarray:
    """Optimal q at gamma = 1. A hand draws at most 21 cards, so 22 sweeps are exact: backward induction."""
    v = np.zeros(mdp.S)
    for _ in range(22):
        v = mdp.q(v).max(axis=1)
    q = mdp.q(v)
    np.testing.assert_array_equal(q.max(axis=1), v)
    return q


def lowest_stick(mdp: FiniteMDP, q: np.ndarray, dealer: int, ace: int) -> int:
    """The sum from which the optimal policy sticks; asserts that it is a threshold."""
    sums = range(12 if ace else 11, 22)
    sticks = [q[mdp.labels.index((total, dealer, ace))].argmax() == 0 for total in sums]
    assert sticks == sorted(sticks)
    return sums[sticks.index(True)]


@pytest.mark.parametrize("options", [{}, {"sab": False}, {"sab": False, "natural": True}])
def test_blackjack_basic_strategy(options):
    """Sutton and Barto (2018), figure 5.2, and Thorp (1966), for every hand that the figure shows: sums from 11.

    No usable ace: stick on 17 and more; from 13 against 2 and 3; from 12 against 4, 5, 6; otherwise hit.
    Usable ace: stick on 19 and more, and on 18 unless the dealer shows 9, 10 or an ace.
    What differs: Thorp's casino, with real decks, sticks on soft 18 against an ace; the book's figure hits (the
    "notch" that its caption names), and so does the exact solution here. The book's rules are sab=True; the other
    options change what a natural pays, and so the value of the game, but no decision shown in the figure.
    """
    mdp = from_gym(gymnasium.make("Blackjack-v1", **options), 1.0)
    q = backward(mdp)
    hard = {1: 17, 2: 13, 3: 13, 4: 12, 5: 12, 6: 12, 7: 17, 8: 17, 9: 17, 10: 17}
    soft = {1: 19, 2: 18, 3: 18, 4: 18, 5: 18, 6: 18, 7: 18, 8: 18, 9: 19, 10: 19}
    assert {dealer: lowest_stick(mdp, q, dealer, 0) for dealer in range(1, 11)} == hard
    assert {dealer: lowest_stick(mdp, q, dealer, 1) for dealer in range(1, 11)} == soft


def test_blackjack_values_and_options():
    """A natural pays more the kinder the rules are, and its chance is 2 (1/13)(4/13)."""
    plain, book, casino = (
        from_gym(gymnasium.make("Blackjack-v1", **options), 1.0)
        for options in ({"sab": False}, {"sab": True}, {"sab": False, "natural": True})
    )
    values = [mdp.mu @ backward(mdp).max(axis=1) for mdp in (plain, book, casino)]
    assert values[0] < values[1] < values[2] < 0
    assert plain.S == 281
    assert book.S == casino.S == 291
    chance = sum(p for label, p in zip(book.labels, book.mu, strict=True) if label[3:] == ("natural",))
    assert chance == pytest.approx(2 * 4 / 13**2)
    near_one = from_gym(gymnasium.make("Blackjack-v1", sab=False), 0.999999)
    assert near_one.mu @ solve(near_one).v == pytest.approx(values[0], abs=1e-5)


def test_blackjack_naturals_by_hand():
    """sab: a natural wins unless the dealer completes one, by a ten (4/13) under an ace or an ace (1/13) under a ten.
    natural: it beats what any 21 beats, and pays 3/2."""
    book, casino = (
        from_gym(gymnasium.make("Blackjack-v1", **options), 1.0)
        for options in ({"sab": True}, {"sab": False, "natural": True})
    )
    for dealer in range(1, 11):
        stick = book.r[book.labels.index((21, dealer, 1, "natural")), 0]
        assert stick == pytest.approx(1 - {1: 4 / 13, 10: 1 / 13}.get(dealer, 0.0))
        plain, paid = (casino.r[casino.labels.index(hand), 0] for hand in ((21, dealer, 1), (21, dealer, 1, "natural")))
        assert paid == pytest.approx(1.5 * plain)


def test_blackjack_optimal_play_in_the_real_environment():
    """20,000 hands of the optimal policy: their mean reward within 4.9 standard errors of the exact value."""
    env = gymnasium.make("Blackjack-v1")
    mdp = from_gym(env, 1.0)
    q = backward(mdp)
    expected, total = mdp.mu @ q.max(axis=1), []
    choice = {label: int(action) for label, action in zip(mdp.labels, q.argmax(axis=1), strict=True)}
    observation, _ = env.reset(seed=0)
    while len(total) < 20_000:
        observation, reward, terminated, _, _ = env.step(choice[observation])
        if terminated:
            total.append(reward)
            observation, _ = env.reset()
    assert abs(np.mean(total) - expected) < 4.9 * np.std(total) / np.sqrt(len(total))


# ---------------------------------------------------------------------- to_gym


@pytest.mark.parametrize("mdp", [worlds.grid(), worlds.chain(), worlds.machine_replacement()])
def test_environments_pass_gymnasiums_own_check(mdp):
    check_env(to_gym(mdp), skip_render_check=True)  # rendering needs a registered environment


def test_there_and_back():
    """FrozenLake's table, played again as an environment: the same spaces and start, and the table's laws."""
    lake = gymnasium.make("FrozenLake-v1")
    mdp = from_gym(lake, 0.9)
    env, rng, counts = to_gym(mdp), np.random.default_rng(0), np.zeros((16, 4, 16), dtype=int)
    assert env.observation_space == lake.observation_space
    assert env.action_space == lake.action_space
    s, _ = env.reset(seed=0)
    assert s == 0
    for _ in range(5000):
        a = int(rng.integers(4))
        s_next, reward, terminated, _, _ = env.step(a)
        assert reward == mdp.r[s, a]
        counts[s, a, s_next] += 1
        s = env.reset()[0] if terminated else s_next
    for s, a in zip(*counts.sum(axis=2).nonzero(), strict=True):
        assert agrees(counts[s, a], law(mdp, s, a))


def episode_return(env, pi, gamma, seed):
    s, _ = env.reset(seed=seed)
    total, weight = 0.0, 1.0
    for _ in range(100):
        s, r, terminated, _, _ = env.step(int(pi[s]))
        total, weight = total + weight * r, weight * gamma
        if terminated:
            break
    return total


def test_environment_returns_have_the_exact_mean():
    mdp = worlds.grid(gamma=0.8)
    pi = solve(mdp).pi
    env = to_gym(mdp)
    returns = np.array([episode_return(env, pi, 0.8, seed) for seed in range(2000)])
    error = returns.std() / np.sqrt(len(returns))
    assert abs(returns.mean() - mdp.mu @ evaluate(mdp, pi)) < 4.9 * error


def test_environment_says_what_is_feasible():
    env = to_gym(worlds.inventory(3))
    s, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [int(a <= 3 - s) for a in range(4)]
    for _ in range(50):
        s, _, _, _, info = env.step(env.action_space.sample(info["action_mask"]))
        assert info["action_mask"].sum() == 4 - s
    while s == 0:
        s, *_ = env.step(3)
    with pytest.raises(ValueError, match=f"takes action 3 in state {s}, where it is infeasible"):
        env.step(3)


def test_environment_needs_a_reset():
    env = to_gym(worlds.grid(["SG"], slip=0.0))
    with pytest.raises(ResetNeeded, match="has not started, or has ended"):
        env.step(1)
    env.reset()
    assert env.step(1)[2]
    with pytest.raises(ResetNeeded, match="has not started, or has ended"):
        env.step(1)


def test_a_start_at_the_end_is_refused():
    mdp = dataclasses.replace(worlds.grid(["SG"]), mu=[0.25, 0.75])
    for make in (to_gym, lambda mdp: to_vector_gym(mdp, 2)):
        with pytest.raises(ValueError, match=r"mu starts in the terminal state 1 with probability 0\.75"):
            make(mdp)


# ---------------------------------------------------------------------- to_vector_gym


def both(mdp, n):
    return to_vector_gym(mdp, n), SyncVectorEnv([lambda: to_gym(mdp) for _ in range(n)])


def test_vector_environment_has_the_interface_of_sync():
    ours, sync = both(worlds.grid(["S.G", "..."], slip=0.1), 5)
    assert ours.metadata["autoreset_mode"] == sync.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    for name in ("num_envs", "single_observation_space", "single_action_space", "observation_space", "action_space"):
        assert getattr(ours, name) == getattr(sync, name)
    results = [env.reset(seed=0) for env in (ours, sync)]
    for _ in range(20):
        (a, info_a), (b, info_b) = results
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert list(info_a) == list(info_b)
        assert all((info_a[k].shape, info_a[k].dtype) == (info_b[k].shape, info_b[k].dtype) for k in info_a)
        steps = [env.step(np.ones(5, dtype=int)) for env in (ours, sync)]
        for a, b in zip(steps[0][:4], steps[1][:4], strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
        results = [(step[0], step[4]) for step in steps]
    ours.close()
    sync.close()


def test_vector_environment_follows_a_deterministic_sync_step_by_step():
    """Without slip there is nothing to draw: terminations, autoresets and rewards must agree exactly."""
    ours, sync = both(worlds.grid(["S.G", "..X"], slip=0.0, step_reward=-0.1), 8)
    rng = np.random.default_rng(0)
    ours.reset(seed=0)
    sync.reset(seed=0)
    for _ in range(300):
        actions = rng.integers(4, size=8)
        mine, theirs = ours.step(actions), sync.step(actions)
        for a, b in zip(mine[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(a, b)
        for key in theirs[4]:
            np.testing.assert_array_equal(mine[4][key], theirs[4][key])


def test_vector_environment_resets_on_the_next_step_and_ignores_that_action():
    mdp = worlds.grid(["S.G"], slip=0.0)
    envs = to_vector_gym(mdp, 2)
    assert envs.reset(seed=0)[0].tolist() == [0, 0]
    envs.step(np.array([1, 0]))
    s, r, terminated, truncated, _ = envs.step(np.array([1, 1]))
    assert (s.tolist(), r.tolist(), terminated.tolist(), truncated.tolist()) == (
        [2, 1],
        [1.0, 0.0],
        [True, False],
        [False, False],
    )
    s, r, terminated, _, _ = envs.step(np.array([1, 1]))
    assert (s.tolist(), r.tolist(), terminated.tolist()) == ([0, 2], [0.0, 1.0], [False, True])


def test_vector_environment_behaves_as_sync_in_law():
    """Episode lengths under a fixed policy: two samples of 1,000, two-sample Kolmogorov-Smirnov test."""
    mdp = worlds.grid(["S..", ".#.", "..G"], slip=0.4)
    pi = solve(mdp).pi
    lengths = []
    for env in both(mdp, 50):
        s, _ = env.reset(seed=1)
        age, found, restart = np.zeros(50, dtype=int), [], np.zeros(50, dtype=bool)
        while len(found) < 1000:
            s, _, terminated, truncated, _ = env.step(pi[s])
            age = np.where(restart, 0, age + 1)
            found += age[terminated].tolist()
            restart = terminated | truncated
        lengths.append(found)
    assert ks_2samp(*lengths).pvalue > RARE


def test_vector_environment_agrees_with_rollouts():
    mdp = worlds.chain(large=10.0, gamma=0.9)
    pi = np.ones(6, dtype=int)
    envs = to_vector_gym(mdp, 4000)
    s, _ = envs.reset(seed=2)
    total = np.zeros(4000)
    for t in range(100):
        s, r, *_ = envs.step(pi[s])
        total += 0.9**t * r
    other = discounted_return(rollout(mdp, pi, steps=100, runs=4000, rng=3))
    error = np.hypot(total.std(), other.std()) / np.sqrt(4000)
    assert abs(total.mean() - other.mean()) < 4.9 * error


def test_vector_environment_works_with_gymnasiums_wrappers():
    envs = gymnasium.wrappers.vector.RecordEpisodeStatistics(to_vector_gym(worlds.grid(["S.G"], slip=0.0), 3))
    envs.reset(seed=0)
    envs.step(np.ones(3, dtype=int))
    info = envs.step(np.ones(3, dtype=int))[4]
    assert info["episode"]["r"].tolist() == [1, 1, 1]
    assert info["episode"]["l"].tolist() == [2, 2, 2]


def test_vector_environment_same_seed_same_numbers_and_fresh_arrays():
    def play(seed):
        envs = to_vector_gym(worlds.grid(), 6)
        s, _ = envs.reset(seed=seed)
        seen = [s]
        for _ in range(40):
            s, *_ = envs.step(np.arange(6) % 4)
            seen.append(s.copy())
            s[:] = 0  # the caller owns what it was given
        return np.array(seen)

    assert (play(5) == play(5)).all()
    assert (play(5) != play(6)).any()


def test_vector_environment_resets_a_part():
    envs, sync = both(worlds.grid(["S..G"], slip=0.0), 3)
    for env in (envs, sync):
        env.reset(seed=0)
        env.step(np.ones(3, dtype=int))
    mask = np.array([True, False, True])
    mine, theirs = (env.reset(options={"reset_mask": mask}) for env in (envs, sync))
    assert mine[0].tolist() == theirs[0].tolist() == [0, 1, 0]
    for key in theirs[1]:
        np.testing.assert_array_equal(mine[1][key], theirs[1][key])


def test_vector_environment_bad_input():
    envs = to_vector_gym(worlds.two_state(), 3)
    with pytest.raises(ResetNeeded, match=r"have not started: call envs.reset\(\) first"):
        envs.step(np.zeros(3, dtype=int))
    with pytest.raises(ResetNeeded, match="reset all of them first"):
        envs.reset(options={"reset_mask": np.array([True, False, False])})
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask is"):
        envs.reset(options={"reset_mask": np.zeros(3, dtype=bool)})
    with pytest.raises(ValueError, match=r"actions have shape \(2,\): give one per copy, \(3,\)"):
        envs.step(np.zeros(2, dtype=int))
    envs.step(np.ones(3, dtype=int))
    with pytest.raises(ValueError, match="takes action 1 in state 1, where it is infeasible"):
        envs.step(np.ones(3, dtype=int))
    with pytest.raises(ValueError, match="num_envs = 0: ask for at least 1"):
        to_vector_gym(worlds.two_state(), 0)
