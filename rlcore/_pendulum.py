"""A pendulum that a motor at its pivot swings up. Public through `rlcore.planning.lqr`."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from rlcore._moves import need, number_of
from rlcore.planning._expansion import Expansion
from rlcore.planning._linear_system import LinearQuadratic

POSITIVE = ("mass", "length", "gravity", "dt", "torque_cost")


@dataclass(frozen=True)
class Pendulum:
    """A rod with a bob, in steps of `dt` seconds: the state is (angle, angular speed), the control a torque.

    The angle is 0 upright and pi hanging, in rad; the speed in rad/s; the torque in N m. With g `gravity`, l
    `length`, m `mass` and b `damping`, a step adds dt (g/l sin(angle) - b speed + u/(m l^2)) to the speed, and then
    dt times the new speed to the angle. A step costs dt (angle_cost (1 - cos(angle)) + speed_cost speed^2 +
    torque_cost u^2), and the last state end_cost (2 (1 - cos(angle)) + speed^2 l/g).

    Raises ValueError for a parameter that is not finite, is negative, or is 0 where that makes no sense.
    Source: the task of Doya (2000); the steps are those of the symplectic Euler method.
    """

    mass: float = 1.0
    length: float = 1.0
    gravity: float = 9.81
    damping: float = 0.1
    dt: float = 0.05
    angle_cost: float = 0.1
    speed_cost: float = 0.01
    torque_cost: float = 0.1
    end_cost: float = 50.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = number_of(field.name, getattr(self, field.name))
            positive = field.name in POSITIVE
            remedy = "give a positive, finite number" if positive else "give a finite number of at least 0"
            need((value > 0 if positive else value >= 0) and value < np.inf, field.name, value, remedy)

    @property
    def hanging(self) -> np.ndarray:
        """The state (2,) at rest below the pivot."""
        return np.array([np.pi, 0.0])

    def step(self, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The next state (..., 2), from x (..., 2) and u (..., 1)."""
        angle, speed = x[..., 0], x[..., 1]
        push = self.gravity / self.length * np.sin(angle) - self.damping * speed + self._lever * u[..., 0]
        speed = speed + self.dt * push
        return np.stack([angle + self.dt * speed, speed], axis=-1)

    def cost(self, x: np.ndarray, u: np.ndarray) -> float:
        """The cost of a step from x (2,) with u (1,)."""
        lift = self.angle_cost * (1 - np.cos(x[..., 0]))
        return self.dt * (lift + self.speed_cost * x[..., 1] ** 2 + self.torque_cost * u[..., 0] ** 2)

    def final_cost(self, x: np.ndarray) -> float:
        """The cost of ending in x (2,)."""
        return self.end_cost * (2 * (1 - np.cos(x[..., 0])) + x[..., 1] ** 2 * self.length / self.gravity)

    def expand(self, x: np.ndarray, u: np.ndarray) -> Expansion:
        """The derivatives of `step` and `cost` at x (2,), u (1,)."""
        dt, pull = self.dt, self.dt * self.gravity / self.length * np.cos(x[0])
        fx = np.array([[1 + dt * pull, dt * (1 - dt * self.damping)], [pull, 1 - dt * self.damping]])
        fu = np.array([[dt * dt * self._lever], [dt * self._lever]])
        lx = dt * np.array([self.angle_cost * np.sin(x[0]), 2 * self.speed_cost * x[1]])
        lxx = dt * np.diag([self.angle_cost * np.cos(x[0]), 2 * self.speed_cost])
        luu = np.array([[2 * dt * self.torque_cost]])
        return Expansion(fx, fu, lx, luu @ u, lxx, np.zeros((1, 2)), luu)

    def expand_final(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (2,) and second derivatives (2, 2) of `final_cost` at x (2,)."""
        turn, scale = 2 * self.end_cost, self.length / self.gravity
        return turn * np.array([np.sin(x[0]), scale * x[1]]), turn * np.diag([np.cos(x[0]), scale])

    def linearized(self) -> LinearQuadratic:
        """The linear-quadratic problem that agrees with this one to second order near the upright rest."""
        at = self.expand(np.zeros(2), np.zeros(1))
        return LinearQuadratic(at.fx, at.fu, at.lxx / 2, at.luu / 2)

    @property
    def _lever(self) -> float:
        return 1 / (self.mass * self.length**2)
