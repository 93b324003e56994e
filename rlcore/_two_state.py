"""Two states, and answers in closed form. Public through `rlcore.worlds`."""

from __future__ import annotations

import numpy as np

from rlcore._moves import need, number_of
from rlcore.mdp import FiniteMDP


def two_state(gamma: float = 0.95) -> FiniteMDP:
    """A good state with a choice, and a bad one without a way out.

    In s1, action a1 pays 5 and stays or leads to s2, each with probability 1/2; a2 pays 10 and leads to s2. In
    s2, a1 pays -1 and stays; a2 is infeasible. The first state is s1. `two_state_values` gives the optimum.
    Raises ValueError for gamma outside [0, 1]. Source: Puterman (1994), example 3.1.1.
    """
    p = [[[0.5, 0.5], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]]
    r = [[5.0, 10.0], [-1.0, -np.inf]]
    return FiniteMDP.from_arrays(p, r, gamma, mu=[1.0, 0.0], labels=("s1", "s2"), action_labels=("a1", "a2"))


def two_state_values(gamma: float) -> np.ndarray:
    """Optimal values (2,) of `two_state`, in closed form.

    v(s2) = -1/(1 - gamma) always. In s1, taking a1 for ever is worth x = 5 + gamma (x + v(s2)) / 2, that is
    (5 - 5.5 gamma) / ((1 - gamma/2)(1 - gamma)); taking a2 is worth 10 + gamma v(s2) = (10 - 11 gamma) / (1 - gamma).
    The first is the second divided by 2 - gamma, a number above 1: so a2 is optimal while its worth is positive,
    gamma < 10/11, and a1 beyond, gamma > 10/11; at 10/11 both are worth 0.

    Raises ValueError unless 0 <= gamma < 1.
    Source: Puterman (1994), example 6.2.1, which treats gamma > 10/11; the other regime is derived above.
    """
    need(
        0 <= number_of("gamma", gamma) < 1, "gamma", gamma, "the values are finite for gamma in [0, 1); choose it there"
    )
    a2 = (10 - 11 * gamma) / (1 - gamma)
    return np.array([max(a2, a2 / (2 - gamma)), -1 / (1 - gamma)])


def greedy_loss_example(gamma: float = 0.9, epsilon: float = 1.0) -> tuple[FiniteMDP, np.ndarray]:
    """A process and values v, off by epsilon, whose greedy policy loses all that the bound allows.

    In state 0, stay (action 0) pays -2 gamma epsilon, and leave (action 1) pays 0 and leads to state 1, which
    keeps the process at reward 0 (leave is infeasible there). So v* = (0, 0). The values are
    v = (epsilon, -epsilon), at distance epsilon from v*. One look ahead in state 0:

        stay:   -2 gamma epsilon + gamma epsilon = -gamma epsilon,        leave:   0 + gamma (-epsilon).

    Both are greedy, and the lowest index stays for ever, at -2 gamma epsilon / (1 - gamma): the bound
    2 gamma / (1 - gamma) ||v - v*|| is attained. A tie is unavoidable: a policy that attains the bound makes
    every inequality in its proof an equality.

    Returns the process and v (2,). Raises ValueError unless 0 <= gamma < 1 and epsilon is positive and finite.
    Source: Bertsekas and Tsitsiklis (1996), section 6.1; the bound, Singh and Yee (1994).
    """
    need(0 <= number_of("gamma", gamma) < 1, "gamma", gamma, "the bound needs gamma in [0, 1); choose it there")
    need(0 < number_of("epsilon", epsilon) < np.inf, "epsilon", epsilon, "the error of v is a positive, finite number")
    p = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 0.0]]]
    r = [[-2 * (gamma * epsilon), 0.0], [0.0, -np.inf]]
    mdp = FiniteMDP.from_arrays(p, r, gamma, mu=[1.0, 0.0], action_labels=("stay", "leave"))
    return mdp, np.array([epsilon, -epsilon])
