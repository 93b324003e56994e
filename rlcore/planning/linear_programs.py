"""Discounted decision processes as linear programs: values, occupancies, and limits on costs.

The *occupancy* of a policy is x(s, a), the expected discounted number of times that it takes action a in state s,
which is not terminal, if the first state has the law mu. Rewards, costs and values are linear in x:

    primal: minimise  mu . v          over v with v(s) >= r(s, a) + gamma sum_s' p(s' | s, a) v(s');
    dual:   maximise  sum r(s, a) x(s, a)   over x >= 0 with flow(x) = mu.

HiGHS's simplex method solves them, so answers are vertices. What is returned is recomputed: the occupancy is that
of the returned policy, by a linear solve, and `gap` is the distance between a feasible point of each program.
Only gamma < 1 is supported: without discounting occupancies need not be finite. See `rlcore.planning.episodic` for
processes that end, and `finite_horizon` below, where gamma may be 1. Programs are for limits and for theory: without
limits, `rlcore.planning.discounted` solves the same processes, and far larger ones.

Sources: d'Epenoux (1963); Puterman (1994), section 6.9; Altman (1999) for constraints.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rlcore import _checks as checks
from rlcore.mdp import FiniteMDP, greedy
from rlcore.planning import finite_horizon as stagewise
from rlcore.planning._histories import Process, final_value, stages_of
from rlcore.planning._linear import solve_chain
from rlcore.planning._programs import costs_of, of_process, of_stages, values_of, weights_of
from rlcore.planning._solutions import ConstrainedSolution, HorizonSolution, LinearSolution
from rlcore.planning.certificates import Progress, Solution, certify, half_span, need_discounting, start
from rlcore.planning.discounted import evaluate

__all__ = [
    "ConstrainedSolution",
    "HorizonSolution",
    "LinearSolution",
    "constrained",
    "dual",
    "finite_horizon",
    "flow",
    "occupancy",
    "policy",
    "priced",
    "primal",
    "simplex",
]


# ---------------------------------------------------------------------- operators


def flow(mdp: FiniteMDP, x: np.ndarray) -> np.ndarray:
    """What starts in each state if `x` (S, A) is to balance: (S,) sum_a x(s, a) - gamma * (what x leads to s).

    For the occupancy of a policy it is the law of the first state; at terminal states it is 0, as nothing is
    decided there. Raises ValueError for another shape. Source: Puterman (1994), section 6.9.1.
    """
    if np.shape(x) != (mdp.S, mdp.A):
        raise ValueError(f"x must have shape ({mdp.S}, {mdp.A}), a number for each pair; got shape {np.shape(x)}.")
    x = np.asarray(x, dtype=float)
    return (x.sum(axis=1) - mdp.gamma * (mdp.P.T @ x.T.ravel())) * ~mdp.terminal


def occupancy(mdp: FiniteMDP, pi: np.ndarray, mu=None) -> np.ndarray:
    """The occupancy (S, A) of a stationary policy, by solving (I - gamma P_pi)^T d = mu; x(s, a) = d(s) pi(a | s).

    `pi` is (S,) actions or (S, A) probabilities; `mu` (S,) is any law of the first state, that of the process by
    default. Raises ValueError for gamma = 1, an invalid policy or law. Source: Puterman (1994), section 6.9.1.
    """
    need_discounting(mdp)
    law = mdp.mu if mu is None else checks.start_law(mu, mdp.terminal)
    return _occupancy(mdp, pi, law)


def _occupancy(mdp: FiniteMDP, pi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    P, _ = mdp.induced(pi)
    visits = solve_chain(P.T, mdp.gamma, weights) * ~mdp.terminal
    return np.maximum(visits, 0.0)[:, None] * mdp.policy_matrix(pi)


def policy(mdp: FiniteMDP, x: np.ndarray, elsewhere: np.ndarray | None = None) -> np.ndarray:
    """The policy (S, A) with occupancy `x` (S, A): x(s, a) divided by its sum over a.

    Where that sum is 0 the state is never visited: there it is `elsewhere`, a policy (S,) or (S, A), or gives all
    feasible actions the same probability. Raises ValueError for another shape, entries that are negative or not
    finite, or positive ones at terminal states or infeasible actions. Source: Puterman (1994), section 6.9.2.
    """
    x = np.asarray(x, dtype=float)
    if x.shape != (mdp.S, mdp.A):
        raise ValueError(f"x must have shape ({mdp.S}, {mdp.A}), a number for each pair; got shape {x.shape}.")
    barred = (x != 0) & ~(mdp.feasible & ~mdp.terminal[:, None])
    bad = ~((x >= 0) & (x < np.inf)) | barred
    if bad.any():
        s, a = np.argwhere(bad)[0]
        why = "the state is terminal or the action infeasible" if barred[s, a] else "visits are numbers of at least 0"
        raise ValueError(f"x[{s}, {a}] = {x[s, a]}: {why}. Set it to 0, or use `occupancy` of a policy.")
    total = x.sum(axis=1, keepdims=True)
    uniform = mdp.feasible / mdp.feasible.sum(axis=1, keepdims=True).clip(min=1)
    rest = uniform if elsewhere is None else mdp.policy_matrix(elsewhere)
    return np.where(total > 0, x / np.where(total > 0, total, 1.0), rest)


def priced(mdp: FiniteMDP, costs: np.ndarray, prices) -> FiniteMDP:
    """The process whose rewards are r - sum_k prices[k] * costs[k]: costs are paid for instead of limited.

    `costs` (m, S, A) and `prices` (m,), or (S, A) and a number. Raises ValueError for other shapes or costs, or a
    price below 0. Source: Altman (1999), chapter 3, the Lagrangian.
    """
    costs, prices = costs_of(mdp, costs, prices, "prices")
    if (prices < 0).any():
        k = int(np.argmax(prices < 0))
        raise ValueError(f"prices[{k}] = {prices[k]}: a limit from above has a price of at least 0.")
    return replace(mdp, r=mdp.r - np.tensordot(prices, costs, axes=1))


# ---------------------------------------------------------------------- programs


def primal(mdp: FiniteMDP, *, weights=None) -> LinearSolution:
    """Minimise weights . v over the v that no action can raise; the occupancy comes from the multipliers.

    `weights` (S,), at least 0, are the same for all states that are not terminal by default. Where they are
    positive, v is the optimal value; states of weight 0 that the optimal policy does not visit may have too high a
    v, which `bounds` then shows. Raises ValueError for gamma = 1, invalid weights or nothing to decide, RuntimeError
    if the solver gives up. Source: d'Epenoux (1963); Puterman (1994), section 6.9.1.
    """
    need_discounting(mdp)
    weights = weights_of(weights, mdp.terminal, ((mdp.S,),))
    program = of_process(mdp, weights)
    v, x, pivots = program.primal()
    return _solution(mdp, weights, values_of(mdp, v)[0], program.array(x)[0], pivots, "primal linear program")


def dual(mdp: FiniteMDP, *, weights=None) -> LinearSolution:
    """Maximise the reward over occupancies from `weights`; the values come from the multipliers.

    Takes, returns and raises the same as `primal`. Source: Puterman (1994), section 6.9.1.
    """
    need_discounting(mdp)
    weights = weights_of(weights, mdp.terminal, ((mdp.S,),))
    program = of_process(mdp, weights)
    x, v, _, pivots = program.dual(np.zeros((0, len(program.r))), np.zeros(0))
    return _solution(mdp, weights, values_of(mdp, v)[0], program.array(x)[0], pivots, "dual linear program")


def _solution(mdp, weights, v, x, pivots: int, method: str) -> LinearSolution:
    """The result, with everything but v recomputed."""
    q, residual, bounds = certify(mdp, v)
    pi = np.where(x.any(axis=1), x.argmax(axis=1), greedy(q))
    rise = float(np.maximum(q.max(axis=1) - v, 0.0).max())
    feasible = v + rise / (1 - mdp.gamma) * ~mdp.terminal
    gap = float(weights @ (feasible - evaluate(mdp, pi)))
    return LinearSolution(v, q, pi, _occupancy(mdp, pi, weights), weights, residual, bounds, gap, pivots, method)


def constrained(mdp: FiniteMDP, costs, limits, *, mu=None) -> ConstrainedSolution:
    """The best policy whose expected discounted costs, from the law `mu` of the first state, keep to the limits.

    `costs` (m, S, A) and `limits` (m,), or (S, A) and a number; entries at infeasible actions are ignored. For a
    limit from below, change both signs. `mu` (S,) is that of the process by default. The answer is a vertex: at
    most m of the visited states are randomized. Raises ValueError for gamma = 1, invalid arguments, or limits that
    no policy keeps, with the least that could be kept; RuntimeError if the solver gives up.
    Source: Altman (1999), chapter 3; Derman (1970) for the program.
    """
    need_discounting(mdp)
    costs, limits = costs_of(mdp, costs, limits)
    law = mdp.mu if mu is None else checks.start_law(mu, mdp.terminal)
    program = of_process(mdp, law)
    _, s, a = program.at
    x, v, prices, pivots = program.dual(costs[:, s, a], limits)
    for_sale, u = priced(mdp, costs, prices), values_of(mdp, v)[0]
    q, _, (_, upper) = certify(for_sale, u)
    pi = policy(mdp, program.array(x)[0], elsewhere=greedy(q))
    x, v = _occupancy(mdp, pi, law), evaluate(mdp, pi)
    value, bound = float(law @ v), float(law @ upper + prices @ limits)
    spent = np.tensordot(costs, x, axes=2)
    return ConstrainedSolution(v, pi, x, value, spent, limits, prices, bound, bound - value, pivots)


def finite_horizon(mdp: Process, horizon: int | None = None, *, terminal_value=None, weights=None) -> HorizonSolution:
    """The optimum over H steps by one program with a value for each time and state; gamma may be 1.

    `mdp`, `horizon` and `terminal_value` as in `finite_horizon.backward_induction`. `weights` (H, S), or (S,) for
    time 0 only, are the same for all times and states that are not terminal by default. Where they are 0 and the
    optimal policy does not come, v may be too high. Raises ValueError as `backward_induction` does and
    for invalid weights, RuntimeError if the solver gives up. Source: Puterman (1994), sections 4.5 and 6.9.
    """
    stages = stages_of(mdp, horizon)
    H, first, final = len(stages), stages[0], final_value(stages[-1], terminal_value)
    weights = weights_of(weights, first.terminal, ((first.S,), (H, first.S)))
    if weights.ndim == 1:
        weights = np.vstack([weights, np.zeros((H - 1, first.S))])
    program = of_stages(stages, weights, final=final)
    v, x, pivots = program.primal()
    v, x = np.vstack([values_of(first, v), final]), program.array(x)
    q = np.array([stage.q(after) for stage, after in zip(stages, v[1:], strict=True)])
    pi = np.where(x.any(axis=2), x.argmax(axis=2), [greedy(q_t) for q_t in q])
    rise = np.maximum(q.max(axis=2) - v[:-1], 0.0).max(axis=1)[::-1].cumsum()[::-1]  # what makes v feasible
    lower = stagewise.evaluate(stages, pi, terminal_value=terminal_value)
    gap = float((weights * ~first.terminal * (v - lower)[:-1]).sum() + rise @ (weights * ~first.terminal).sum(axis=1))
    return HorizonSolution(v, q, pi, _marginals(stages, pi, weights), weights, gap, pivots)


def _marginals(stages, pi: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Discounted marginals (H, S, A) of actions (H, S), where each time adds its weights."""
    x, arriving = np.zeros((len(stages), stages[0].S, stages[0].A)), 0.0
    for t, stage in enumerate(stages):
        x[t] = ((weights[t] + arriving) * ~stage.terminal)[:, None] * stage.policy_matrix(pi[t])
        arriving = stage.gamma * (stage.P.T @ x[t].T.ravel())
    return x


def simplex(mdp: FiniteMDP, *, tol: float = 1e-6, v0=None, max_iter: int | None = None) -> Solution:
    """The simplex method on the dual, with Dantzig's rule: change the one action with the largest advantage.

    A basis is a deterministic policy, and the reduced cost of a pair its advantage q(s, a) - v(s). Takes `v0` (S,),
    whose greedy policy is the first basis; returns a `Solution`, whose iterations are bases; raises and warns as
    `discounted.policy_iteration` does. Source: Dantzig (1963); Ye (2011).
    """
    pi, progress = greedy(mdp.q(start(mdp, v0))), Progress(mdp, tol, max_iter)
    while True:
        v = evaluate(mdp, pi)
        q = mdp.q(v)
        progress.done(half_span(q.max(axis=1) - v), mdp.S * mdp.A, v)
        advantage = q - v[:, None]
        s, a = np.unravel_index(advantage.argmax(), q.shape)
        if advantage[s, a] <= progress.rounding(v) or len(progress.residual) == max_iter:
            return progress.solution(v, "simplex method")
        pi[s] = a
