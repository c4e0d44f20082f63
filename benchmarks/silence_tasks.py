"""The 40 tasks of benchmark-mi, drawn from their definitions, with their published truths.

P. Czyz, F. Grabowski, J. Vogt, N. Beerenwinkel, A. Marx (2023), "Beyond normal: on the evaluation of mutual
information estimators", NeurIPS, arXiv:2306.11078. Every task is a base (Gaussian, Student or additive
uniform noise, whose information is known in closed form) under maps of X and of Y that are one to one and
change no information.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats
from silence_family import Draw, Family, Floats, gaussian_information, student_entropy

Change = Callable[[Floats], Floats]


def _pair_covariance(d: int) -> Floats:
    """Two pairs of coordinates with correlation 4/5, all others independent."""
    covariance = np.eye(2 * d)
    for i in range(2):
        covariance[i, d + i] = covariance[d + i, i] = 0.8
    return covariance


def _dense_covariance(d: int) -> Floats:
    return np.full((2 * d, 2 * d), 0.5) + 0.5 * np.eye(2 * d)


def _of(covariance: Floats, change_x: Change | None = None, change_y: Change | None = None) -> Draw:
    root = np.linalg.cholesky(covariance)
    dx = len(covariance) // 2

    def draw(rng: np.random.Generator, n: int) -> dict[str, Floats]:
        rows = rng.standard_normal((n, 2 * dx)) @ root.T
        x, y = rows[:, :dx], rows[:, dx:]
        return {"X": change_x(x) if change_x else x, "Y": change_y(y) if change_y else y}

    return draw


def _student(d: int, dof: int, change: Change | None = None) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> dict[str, Floats]:
        rows = rng.standard_normal((n, 2 * d)) / np.sqrt(rng.chisquare(dof, size=(n, 1)) / dof)
        rows = change(rows) if change else rows
        return {"X": rows[:, :d], "Y": rows[:, d:]}

    return draw


def _additive(width: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> dict[str, Floats]:
        x = rng.random((n, 1))
        return {"X": x, "Y": x + rng.uniform(-width, width, size=(n, 1))}

    return draw


def half_cube(x: Floats) -> Floats:
    return x * np.sqrt(np.abs(x))


def wiggly_x(x: Floats) -> Floats:
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def wiggly_y(y: Floats) -> Floats:
    return y - 0.4 * np.sin(0.4 * y) + 0.17 * np.sin(1.3 * y + 3.5) + 0.02 * np.sin(4.3 * y - 2.5)


def spiral(first: int, second: int) -> Change:
    """The turn by |x|^2 / d in the plane of two coordinates."""

    def change(x: Floats) -> Floats:
        angle = (x**2).sum(axis=1) / x.shape[1]
        turned = x.copy()
        a, b = x[:, first], x[:, second]
        turned[:, first] = np.cos(angle) * a - np.sin(angle) * b
        turned[:, second] = np.sin(angle) * a + np.cos(angle) * b
        return turned

    return change


def bimodal(weight: float, low: float, high: float) -> Change:
    """The monotone map of a standard normal onto weight N(low, 1) + (1 - weight) N(high, 1)."""
    grid = np.linspace(-10, 14, 60_001)
    cdf = weight * stats.norm.cdf(grid - low) + (1 - weight) * stats.norm.cdf(grid - high)
    return lambda x: np.interp(stats.norm.cdf(x), cdf, grid)


def _swiss_roll(rng: np.random.Generator, n: int) -> dict[str, Floats]:
    rows = _of(np.array([[1.0, 0.75], [0.75, 1.0]]))(rng, n)
    x, y = stats.norm.cdf(rows["X"]), stats.norm.cdf(rows["Y"])
    angle = 1.5 * np.pi * (1 + 2 * x)
    return {"X": np.hstack([angle * np.cos(angle), angle * np.sin(angle)]) / 21, "Y": y}


def tasks() -> list[Family]:
    """The 40 families."""
    pair = np.array([[1.0, 0.75], [0.75, 1.0]])
    normal = -0.5 * math.log(1 - 0.75**2)
    cdf: Change = stats.norm.cdf

    def family(name: str, truth: float, draw: Draw) -> Family:
        return Family(f"bmi: {name}", "I(X;Y)", lambda: truth, draw)

    def student(d: int, dof: int, change: Change | None, name: str) -> Family:
        return family(
            name, 2 * student_entropy(dof, d) - student_entropy(dof, 2 * d), _student(d, dof, change)
        )

    found = [
        family("normal 1x1", normal, _of(pair)),
        family("normal CDF 1x1", normal, _of(pair, cdf, cdf)),
        family("additive uniform 0.1", 0.1 - math.log(0.2), _additive(0.1)),
        family("additive uniform 0.75", 1 / 3, _additive(0.75)),
        family("bimodal 1x1", normal, _of(pair, bimodal(0.3, 0, 5), bimodal(0.5, -1, 3))),
        family("wiggly 1x1", normal, _of(pair, wiggly_x, wiggly_y)),
        family("half-cube 1x1", normal, _of(pair, half_cube, half_cube)),
        student(1, 1, None, "Student 1x1 dof 1"),
        student(1, 1, np.arcsinh, "asinh Student 1x1 dof 1"),
        family("Swiss roll 2x1", normal, _swiss_roll),
    ]
    for d in (2, 3, 5, 25, 50):
        covariance = _dense_covariance(d)
        found.append(family(f"dense normal {d}x{d}", gaussian_information(covariance, d), _of(covariance)))
    sparse = -math.log(1 - 0.8**2)
    found += [family(f"2-pair normal {d}x{d}", sparse, _of(_pair_covariance(d))) for d in (2, 3, 5, 25)]
    for d, dof in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3)):
        found.append(student(d, dof, None, f"Student {d}x{d} dof {dof}"))
    for d in (3, 5, 25):
        covariance, x, y = _pair_covariance(d), spiral(0, 1), spiral(1, 2)
        found += [
            family(f"normal CDF of 2-pair {d}x{d}", sparse, _of(covariance, cdf, cdf)),
            family(f"half-cube of 2-pair {d}x{d}", sparse, _of(covariance, half_cube, half_cube)),
            family(f"spiral of 2-pair {d}x{d}", sparse, _of(covariance, x, y)),
            family(
                f"spiral of normal CDF of 2-pair {d}x{d}",
                sparse,
                _of(covariance, lambda v: spiral(0, 1)(cdf(v)), lambda v: spiral(1, 2)(cdf(v))),
            ),
        ]
    for d, dof in ((2, 1), (3, 2), (5, 2)):
        found.append(student(d, dof, np.arcsinh, f"asinh Student {d}x{d} dof {dof}"))
    return found
