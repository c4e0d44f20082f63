r"""Class circle: prototypes on a circle in the plane, turned by A, at a distance S, with Gaussian noise.

X = r_S (cos, sin)(theta_C + A) + sigma N. Given the discrete latents, X is a mixture of round Gaussians, and
its differential entropies are integrals over the plane. The trapezoidal rule on a grid converges
geometrically for such integrands (Trefethen and Weideman 2014, "The exponentially convergent trapezoidal
rule"), so that halving the step until nothing changes gives the value and its error. Two symmetries save
work: given A = a the picture is the one of a = 0 turned by a, and a von Mises angle is itself summed by the
trapezoidal rule on the circle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import i0e, i1e, xlogy

from synthetic.families.continuous import require_finite
from synthetic.families.modular_shift import draw
from synthetic.generator import MOST_STATES, Answer, AnswerKind, Generator, NoExactAnswerError
from synthetic.seeds import Streams
from synthetic.variables import Variable
from theory import Diagram, Expression, Term, parse_expression
from theory.checks import distribution, integer, number

__all__ = ["ClassCircle"]

Floats = npt.NDArray[np.float64]

_MARGIN = 9.0
"""The grid reaches so many standard deviations beyond the circle: less than 1e-17 of the mass is outside."""

_MAX_POINTS = 2**25
"""The most points of a grid, 256 MiB of doubles."""

_GOAL = 1e-11
"""The grid is refined until the value changes by less, in nats."""

_FLOOR = 1e-13
"""Added to the error for the rounding of the sums, in nats."""

_LEVELS = 5
"""The most grids, each with a step smaller by the square root of 2."""


@dataclass(frozen=True)
class ClassCircle(Generator):
    """X in the plane: class C gives an angle, A turns it, style S is the radius, and the noise is Gaussian.

    Args:
        angles: The angle of each class prototype, in degrees.
        prior: The probability of each class; None for a uniform class.
        radii: The radius of each style, positive.
        radius_prior: The probability of each style; None for a uniform style.
        turns: A is uniform on this many equal turns of the circle; None for a von Mises angle in radians.
        concentration: The concentration of the von Mises angle around 0; 0 for the uniform angle.
        noise: The standard deviation of the noise in each coordinate, positive.

    Raises:
        ValueError: If a parameter is out of its range.

    Example:
        >>> world = ClassCircle(angles=(0, 90), turns=4, noise=0.05)
        >>> answer = world.exact("I(A;C|X)")
        >>> round(answer.value, 6), answer.standard_error < 1e-9
        (0.693147, True)
    """

    family: ClassVar[str] = "class-circle"
    answers: ClassVar[tuple[AnswerKind, ...]] = ("quadrature",)
    angles: tuple[float, ...] = (0.0, 30.0, 90.0)
    prior: tuple[float, ...] | None = None
    radii: tuple[float, ...] = (1.0, 2.0)
    radius_prior: tuple[float, ...] | None = None
    turns: int | None = 4
    concentration: float = 0.0
    noise: float = 0.25

    def __post_init__(self) -> None:
        for name, low in (("angles", -math.inf), ("radii", 0.0)):
            values = tuple(getattr(self, name))
            if not values:
                raise ValueError(f"{name} must have at least one entry, got none")
            checked = tuple(number(f"{name}[{i}]", v, low=low, strict=True) for i, v in enumerate(values))
            object.__setattr__(self, name, checked)
        if self.prior is not None:
            object.__setattr__(self, "prior", distribution("prior", self.prior, len(self.angles)))
        if self.radius_prior is not None:
            checked = distribution("radius_prior", self.radius_prior, len(self.radii))
            object.__setattr__(self, "radius_prior", checked)
        if self.turns is not None:
            integer("turns", self.turns, 1, MOST_STATES)
        number("concentration", self.concentration, low=0)
        if self.turns is not None and self.concentration:
            raise ValueError(
                f"concentration is for a von Mises angle, with turns=None, got "
                f"concentration={self.concentration} and turns={self.turns}"
            )
        number("noise", self.noise, low=0, strict=True)

    @property
    def diagram(self) -> Diagram:
        """C -> X, S -> X and A -> X."""
        return Diagram.parse("C->X, S->X, A->X", name="class circle")

    @property
    def variables(self) -> tuple[Variable, ...]:
        """C and S, discrete; A, discrete or an angle; X, of shape (n, 2)."""
        kind: Any = "continuous" if self.turns is None else "discrete"
        return (
            Variable("C", "discrete", len(self.angles), "class"),
            Variable("S", "discrete", len(self.radii), "style"),
            Variable("A", kind, self.turns, "transformation"),
            Variable("X", "continuous", None, "input"),
        )

    @property
    def _class_prior(self) -> Floats:
        m = len(self.angles)
        return np.full(m, 1 / m) if self.prior is None else np.asarray(self.prior)

    @property
    def _style_prior(self) -> Floats:
        m = len(self.radii)
        return np.full(m, 1 / m) if self.radius_prior is None else np.asarray(self.radius_prior)

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw C, S, A and the noise."""
        c, s = draw(self._class_prior, n, streams["C"]), draw(self._style_prior, n, streams["S"])
        if self.turns is None:
            a: npt.NDArray[Any] = streams["A"].vonmises(0.0, self.concentration, n)
            turned = a
        else:
            a = streams["A"].integers(self.turns, size=n)
            turned = 2 * math.pi * a / self.turns
        angle = np.radians(self.angles)[c] + turned
        centre = np.asarray(self.radii)[s][:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return {"C": c, "S": s, "A": a, "X": centre + self.noise * streams["X"].standard_normal((n, 2))}

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The value by quadrature, in nats; `standard_error` bounds what a finer grid changes.

        Raises:
            ValueError: If a variable is unknown.
            NoExactAnswerError: If a term is infinite, such as I(X;X), or the noise is so small that the grid
                would not fit.
        """
        parsed = parse_expression(expression)
        continuous = [v.name for v in self.variables if v.kind != "discrete"]
        require_finite(self.family, parsed, [v.name for v in self.variables], continuous)
        value = error = 0.0
        for subset, coefficient in parsed.entropies().items():
            entropy, uncertainty = self._entropy(subset)
            value += float(coefficient) * entropy
            error += abs(float(coefficient)) * uncertainty
        return Answer(str(parsed), value, error, "quadrature")

    @cached_property
    def _known(self) -> dict[frozenset[str], tuple[float, float]]:
        return {}

    def _entropy(self, names: frozenset[str]) -> tuple[float, float]:
        """H or h of a set of variables, and its error."""
        if names not in self._known:
            discrete = 0.0 if "C" not in names else -float(xlogy(self._class_prior, self._class_prior).sum())
            discrete += 0.0 if "S" not in names else -float(xlogy(self._style_prior, self._style_prior).sum())
            of_a = self._entropy_of_a if "A" in names else 0.0
            if "X" in names:
                value, error = self._integrate(names)
                self._known[names] = (of_a + value, error)
            else:
                self._known[names] = (of_a + discrete, 0.0)
        return self._known[names]

    @property
    def _entropy_of_a(self) -> float:
        if self.turns is not None:
            return math.log(self.turns)
        k = self.concentration
        return math.log(2 * math.pi) + math.log(i0e(k)) + k - k * float(i1e(k) / i0e(k))

    def _integrate(self, names: frozenset[str]) -> tuple[float, float]:
        """h(X, C, S as named) given A = 0 if A is named, else with A mixed in; and its error."""
        previous = self._on_grid(names, 0)
        for level in range(1, _LEVELS):
            value = self._on_grid(names, level)
            error = abs(value - previous)
            if error < _GOAL:
                break
            previous = value
        return value, error + _FLOOR

    def _on_grid(self, names: frozenset[str], level: int) -> float:
        step = self.noise / 2 / 2 ** (level / 2)
        reach = max(self.radii) + _MARGIN * self.noise
        points = 2 * math.ceil(reach / step) + 1
        if points**2 > _MAX_POINTS:
            raise NoExactAnswerError(
                f"the quadrature of class-circle would need {points:,} x {points:,} points for "
                f"noise={self.noise} at radius {max(self.radii)}: take more noise, or estimate from samples"
            )
        axis = np.arange(-(points // 2), points // 2 + 1) * step
        total = 0.0
        for weights, centres in self._groups(names, level):
            scale = 1 / (math.sqrt(2 * math.pi) * self.noise)
            across, up = (
                scale * np.exp(-((axis[None, :] - centres[:, [k]]) ** 2) / (2 * self.noise**2))
                for k in (0, 1)
            )  # (components, points) each
            density = (across * weights[:, None]).T @ up  # (points, points)
            total -= float(xlogy(density, density).sum()) * step**2
        return total

    def _groups(self, names: frozenset[str], level: int) -> list[tuple[Floats, Floats]]:
        """For each state of the named C and S the weights and centres of its Gaussians."""
        turned, weight_a = self._turns(level) if "A" not in names else (np.zeros(1), np.ones(1))
        groups: dict[tuple[int, int], list[tuple[Floats, Floats]]] = {}
        for (c, p), (s, q) in product(enumerate(self._class_prior), enumerate(self._style_prior)):
            angle = math.radians(self.angles[c]) + turned
            centres = self.radii[s] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            key = (c if "C" in names else -1, s if "S" in names else -1)
            groups.setdefault(key, []).append((p * q * weight_a, centres))
        return [
            (np.concatenate([w for w, _ in parts]), np.concatenate([m for _, m in parts]))
            for parts in groups.values()
        ]

    def _turns(self, level: int) -> tuple[Floats, Floats]:
        """The angles that A is summed over, and their weights."""
        if self.turns is not None:
            return 2 * math.pi * np.arange(self.turns) / self.turns, np.full(self.turns, 1 / self.turns)
        width = min(self.noise / max(self.radii), 1 / math.sqrt(1 + self.concentration))
        count = math.ceil(2 * math.pi / width * 2 ** (1 + level / 2))
        angle = 2 * math.pi * np.arange(count) / count - math.pi
        weight = np.exp(self.concentration * (np.cos(angle) - 1))
        return angle, weight / weight.sum()
