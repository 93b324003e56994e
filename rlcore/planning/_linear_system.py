"""Linear dynamics with quadratic costs: the problem, simulated runs of it, and what all arguments must satisfy.

Public through `rlcore.planning.lqr`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlcore import _checks as checks

SYMMETRY = 1e-10  # relative to the largest entry


@dataclass(frozen=True, eq=False)
class LinearQuadratic:
    """A linear system with noise, and a quadratic cost to keep small.

    The state x (n,) and the control u (m,) lead to x' = A x + B u + w, where w has mean 0 and the covariance `W`
    (n, n), none by default; a step costs x'Qx + u'Ru, and the cost t steps ahead counts gamma**t times. `A` is
    (n, n), `B` (n, m), `Q` (n, n) symmetric and positive semidefinite, `R` (m, m) symmetric and positive definite.
    A number stands for a matrix with one entry. A state without a control has no place here: m >= 1.

    Raises ValueError for shapes that disagree, entries that are not finite, a matrix that is not symmetric or not
    (semi)definite, with its name, the place and the value, and for gamma outside [0, 1].
    Source: Kalman (1960); Bertsekas (2017), volume I, section 3.1.
    """

    A: np.ndarray
    B: np.ndarray
    Q: np.ndarray
    R: np.ndarray
    W: np.ndarray = None  # type: ignore[assignment]  # becomes zeros
    gamma: float = 1.0

    def __post_init__(self) -> None:
        A, B = matrix("A", self.A), matrix("B", self.B)
        n, m = len(A), B.shape[1]
        for name, found, shape in (("A", A.shape, (n, n)), ("B", B.shape, (n, m))):
            if found != shape or not n or not m:
                raise ValueError(
                    f"{name} must have shape {shape}, for n = {n} states and m = {m} controls; got {found}."
                )
        W = np.zeros((n, n)) if self.W is None else self.W
        cleaned = {
            "A": A,
            "B": B,
            "Q": definite("Q", self.Q, n),
            "R": definite("R", self.R, m, strictly=True),
            "W": definite("W", W, n),
            "gamma": checks.discount_factor(self.gamma),
        }
        for name, value in cleaned.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        """Number of state variables."""
        return len(self.A)

    @property
    def m(self) -> int:
        """Number of controls."""
        return self.B.shape[1]


def matrix(name: str, values) -> np.ndarray:
    """A finite matrix as floats."""
    array = checks.real_array(name, values)
    if array.ndim == 0:
        array = array.reshape(1, 1)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix; got an array of shape {array.shape}. Reshape it.")
    if not np.isfinite(array).all():
        i, j = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"{name}[{i}, {j}] = {array[i, j]}: give a finite number.")
    return array


def definite(name: str, values, n: int, *, strictly: bool = False) -> np.ndarray:
    """A symmetric matrix (n, n) without negative eigenvalues, or with positive ones only."""
    array = matrix(name, values)
    if array.shape != (n, n):
        raise ValueError(f"{name} must have shape ({n}, {n}); got {array.shape}.")
    apart = np.abs(array - array.T)
    if (apart > SYMMETRY * np.abs(array).max()).any():
        i, j = np.unravel_index(int(apart.argmax()), apart.shape)
        raise ValueError(
            f"{name}[{i}, {j}] = {array[i, j]} but {name}[{j}, {i}] = {array[j, i]}: {name} must be symmetric. "
            f"Take ({name} + {name}.T) / 2, which has the same quadratic form."
        )
    array = (array + array.T) / 2
    eigenvalues, vectors = np.linalg.eigh(array)
    rounding = n * np.finfo(float).eps * np.abs(eigenvalues).max()
    lowest, along = eigenvalues[0], np.array2string(vectors[:, 0], precision=3, suppress_small=True)
    if strictly and lowest <= rounding:
        why = "a control that costs nothing could be used without limit. Add a positive cost"
        raise ValueError(
            f"{name} has the eigenvalue {lowest:.6g} along {along}: it must be positive definite, as {why}."
        )
    if lowest < -max(rounding, SYMMETRY * np.abs(eigenvalues).max()):
        why = "nothing may be earned, or have a negative variance, in any direction"
        raise ValueError(
            f"{name} has the eigenvalue {lowest:.6g} along {along}: it must be positive semidefinite; {why}."
        )
    return array


# ---------------------------------------------------------------------- simulation


@dataclass(frozen=True, eq=False)
class Paths:
    """Independent runs: states `x` (runs, steps+1, n), controls `u` (runs, steps, m), costs `cost` (runs, steps).

    Source: Bertsekas (2017), volume I, section 3.1.
    """

    x: np.ndarray
    u: np.ndarray
    cost: np.ndarray


def simulate(
    problem: LinearQuadratic,
    K,
    x0,
    *,
    steps: int,
    runs: int = 1,
    noise=None,
    rng: np.random.Generator | int | None = None,
) -> Paths:
    """Independent runs of u = -K x, with K (m, n), or u = -K[t] x, with K (steps, m, n), from the state `x0` (n,).

    The noise is normal with covariance W, or given, `noise` (runs, steps, n). Costs are not discounted. Returns
    `Paths`. Raises ValueError for shapes that disagree, or steps or runs below 1.
    Source: Bertsekas (2017), volume I, section 3.1.
    """
    n, m = problem.n, problem.m
    count("steps", steps)
    count("runs", runs)
    K, x0 = checks.real_array("K", K), np.atleast_1d(checks.real_array("x0", x0))
    K = np.broadcast_to(K, (steps, m, n)) if K.shape == (m, n) or (K.ndim == 0 and n == m == 1) else K
    if noise is None:
        scale, axes = np.linalg.eigh(problem.W)
        normal = np.random.default_rng(rng).normal(size=(runs, steps, n))
        noise = normal * np.sqrt(np.maximum(scale, 0.0)) @ axes.T
    noise = checks.real_array("noise", noise)
    for name, array, shape in (("K", K, (steps, m, n)), ("x0", x0, (n,)), ("noise", noise, (runs, steps, n))):
        if array.shape != shape or not np.isfinite(array).all():
            raise ValueError(f"{name} must be a finite array of shape {shape}; got shape {array.shape}.")
    x, u = np.empty((runs, steps + 1, n)), np.empty((runs, steps, m))
    x[:, 0] = x0
    for t in range(steps):
        u[:, t] = -x[:, t] @ K[t].T
        x[:, t + 1] = x[:, t] @ problem.A.T + u[:, t] @ problem.B.T + noise[:, t]
    cost = ((x[:, :-1] @ problem.Q) * x[:, :-1]).sum(axis=2) + ((u @ problem.R) * u).sum(axis=2)
    return Paths(x, u, cost)


# ---------------------------------------------------------------------- arguments


def gain_of(problem: LinearQuadratic, K, name: str = "K") -> np.ndarray:
    K = matrix(name, K)
    if K.shape != (problem.m, problem.n):
        raise ValueError(f"{name} must have shape (m, n) = ({problem.m}, {problem.n}); got {K.shape}.")
    return K


def value_of(problem: LinearQuadratic, P) -> np.ndarray:
    P = matrix("P", P)
    if P.shape != (problem.n, problem.n):
        raise ValueError(f"P must have shape (n, n) = ({problem.n}, {problem.n}); got {P.shape}.")
    return P


def count(name: str, value) -> int:
    if not (checks.is_integer(value) and value >= 1):
        raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
    return int(value)


def need_tolerance(tol: float, max_iter: int) -> None:
    if not (checks.is_number(tol) and tol > 0):
        raise ValueError(f"tol must be a positive number; got {tol!r}.")
    count("max_iter", max_iter)


def stages_of(problem: LinearQuadratic | Sequence[LinearQuadratic], horizon: int | None) -> list[LinearQuadratic]:
    """One problem for each step of the horizon."""
    if isinstance(problem, LinearQuadratic):
        return [problem] * count("horizon", horizon)
    stages = list(problem) if isinstance(problem, Sequence) else [problem]
    if not all(isinstance(stage, LinearQuadratic) for stage in stages):
        raise ValueError(f"Give a LinearQuadratic, or a sequence of them; got {problem!r}.")
    if not stages or (horizon is not None and horizon != len(stages)):
        raise ValueError(f"Give one problem for each step: got {len(stages)} for the horizon {horizon}.")
    for t, stage in enumerate(stages):
        if (stage.n, stage.m) != (stages[0].n, stages[0].m):
            sizes = f"{stage.n} states and {stage.m} controls"
            raise ValueError(f"Problem {t} has {sizes}, problem 0 has {stages[0].n} and {stages[0].m}: take the same.")
    return stages
