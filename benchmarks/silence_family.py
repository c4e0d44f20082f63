"""What a family of the table of silence is, and the quadratures behind the truths."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.signal import fftconvolve
from scipy.special import digamma, gammaln, xlogy

Floats = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Mapping[str, npt.NDArray[Any]]]

SIZES = (100, 300, 1_000, 5_000)


@dataclass(frozen=True)
class Family:
    """One family of data with a known answer.

    Args:
        name: Its rows in the table; the half that it belongs to follows from it.
        term: What is estimated.
        truth: The value in nats, computed when it is asked for.
        draw: Columns of n rows.
        sizes: The numbers of rows.
        groups: The column that marks dependent rows, where the user names one.
    """

    name: str
    term: str
    truth: Callable[[], float]
    draw: Draw
    sizes: tuple[int, ...] = SIZES
    groups: str | None = None

    @property
    def half(self) -> str:
        """`choose` where the first byte of the name's SHA-256 is even, else `judge`."""
        return "choose" if hashlib.sha256(self.name.encode()).digest()[0] % 2 == 0 else "judge"


def entropy_on_grid(density: Floats, step: float) -> float:
    """-integral p log p by the trapezoid rule, exact to rounding where a smooth density vanishes."""
    return -float(xlogy(density, density).sum()) * step


def copula_information(log_density: Callable[[Floats, Floats], Floats], *, points: int = 2001) -> float:
    """The integral of c log c over the unit square, on a grid of normal scores from -7 to 7."""
    score = np.linspace(-7, 7, points)
    step = score[1] - score[0]
    weight = stats.norm.pdf(score) * step
    u = stats.norm.cdf(score)
    log_c = log_density(u[:, None], u[None, :])
    return float(weight @ (np.exp(log_c) * log_c) @ weight)


def student_entropy(dof: float, k: int) -> float:
    """The entropy of a k-dimensional Student distribution with identity dispersion."""
    shape = gammaln(dof / 2) - gammaln((dof + k) / 2) + k / 2 * math.log(dof * math.pi)
    return float(shape + (dof + k) / 2 * (digamma((dof + k) / 2) - digamma(dof / 2)))


def additive_information(signal: Floats, noise: Floats, step: float) -> float:
    """I(X; f(X) + N) = h(f(X) + N) - h(N) from the densities of f(X) and of N on grids of one step."""
    total = np.maximum(fftconvolve(signal, noise) * step, 0.0)
    return entropy_on_grid(total, step) - entropy_on_grid(noise, step)


def gaussian_mixture_entropy(means: Floats, spread: float) -> float:
    """The entropy of an equal mixture of one-dimensional Gaussians."""
    grid = np.linspace(means.min() - 9 * spread, means.max() + 9 * spread, 20_001)
    density = np.zeros_like(grid)
    for mean in means:
        density += stats.norm.pdf(grid, mean, spread) / len(means)
    return entropy_on_grid(density, float(grid[1] - grid[0]))


def gaussian_information(covariance: Floats, dx: int) -> float:
    """I(X;Y) of jointly Gaussian columns, the first dx of them X."""
    return 0.5 * float(
        np.linalg.slogdet(covariance[:dx, :dx])[1]
        + np.linalg.slogdet(covariance[dx:, dx:])[1]
        - np.linalg.slogdet(covariance)[1]
    )
