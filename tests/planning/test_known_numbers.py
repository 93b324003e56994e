"""Values that are printed in textbooks, which correct solvers reproduce. Others stand with their worlds' tests."""

import numpy as np

from rlcore import FiniteMDP, worlds
from rlcore.planning import discounted, episodic

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))


def field(n, gamma, step, terminal=()):
    """A square of cells in which moves over the border stay; `step(cell, inside)` is (reward, next cell or None)."""
    cells = list(np.ndindex(n, n))
    rows = []
    for s, cell in enumerate(cells):
        for a, move in enumerate(MOVES):
            to = tuple(np.add(cell, move))
            inside = to in cells
            reward, jump = step(cell, inside)
            rows.append((s, a, cells.index(jump or (to if inside else cell)), 1.0, reward))
    s, a, s_next, p, r = (np.array(column) for column in zip(*rows, strict=True))
    ends = np.isin(np.arange(n * n), [cells.index(cell) for cell in terminal])
    keep = ~ends[s]
    return FiniteMDP.from_transitions(n * n, 4, s[keep], a[keep], s_next[keep], p[keep], r[keep], gamma, terminal=ends)


def two_jumps():
    """Sutton and Barto (2018), example 3.5: all moves from A pay 10 and lead to A', all from B pay 5 and lead to B'."""
    jumps = {(0, 1): (10.0, (4, 1)), (0, 3): (5.0, (2, 3))}
    return field(5, 0.9, lambda cell, inside: jumps.get(cell, (0.0 if inside else -1.0, None)))


def test_the_field_with_two_jumps_under_chance():
    """Sutton and Barto (2018), figure 3.2."""
    mdp = two_jumps()
    v = discounted.evaluate(mdp, np.full((25, 4), 0.25)).reshape(5, 5)
    printed = [
        [3.3, 8.8, 4.4, 5.3, 1.5],
        [1.5, 3.0, 2.3, 1.9, 0.5],
        [0.1, 0.7, 0.7, 0.4, -0.4],
        [-1.0, -0.4, -0.4, -0.6, -1.2],
        [-1.9, -1.3, -1.2, -1.4, -2.0],
    ]
    np.testing.assert_allclose(v, printed, atol=0.0501)


def test_the_field_with_two_jumps_at_its_best():
    """Sutton and Barto (2018), figure 3.5."""
    v = discounted.policy_iteration(two_jumps()).v.reshape(5, 5)
    printed = [
        [22.0, 24.4, 22.0, 19.4, 17.5],
        [19.8, 22.0, 19.8, 17.8, 16.0],
        [17.8, 19.8, 17.8, 16.0, 14.4],
        [16.0, 17.8, 16.0, 14.4, 13.0],
        [14.4, 16.0, 14.4, 13.0, 11.7],
    ]
    np.testing.assert_allclose(v, printed, atol=0.0501)


def test_a_random_walk_to_two_corners():
    """Sutton and Barto (2018), figure 4.1, in the limit."""
    mdp = field(4, 1.0, lambda cell, inside: (-1.0, None), terminal=[(0, 0), (3, 3)])
    v = episodic.evaluate(mdp, np.full((16, 4), 0.25)).reshape(4, 4)
    printed = [[0, -14, -20, -22], [-14, -18, -20, -20], [-20, -20, -18, -14], [-22, -20, -14, 0]]
    np.testing.assert_allclose(v, printed, atol=1e-9)


def test_two_states_in_closed_form():
    """Puterman (1994), example 6.2.1, at the discount factor 0.95 of its tables."""
    mdp = worlds.two_state(gamma=0.95)
    np.testing.assert_allclose(discounted.policy_iteration(mdp).v, worlds.two_state_values(0.95), rtol=1e-9)
    np.testing.assert_allclose(
        discounted.policy_iteration(mdp).v, [(5 - 5.5 * 0.95) / ((1 - 0.475) * 0.05), -1 / 0.05], rtol=1e-9
    )
