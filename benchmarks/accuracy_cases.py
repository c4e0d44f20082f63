"""Families with a known answer: how to draw them, and how the answer was computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.integrate import quad
from scipy.special import digamma, gammaln

Floats = npt.NDArray[np.float64]
Draw = Callable[[int, np.random.Generator], tuple[Floats, Floats, Floats | None]]


@dataclass(frozen=True)
class Case:
    """One family.

    Args:
        name: Its row in the table.
        draw: x of shape (n, dx), y of shape (n, dy), and z of shape (n, dz) or None.
        truth: I(X;Y) or I(X;Y|Z) in nats.
        integer: Whether y is an integer column.
    """

    name: str
    draw: Draw
    truth: float
    integer: bool = False


def _rho(truth: float, d: int) -> float:
    return math.sqrt(1 - math.exp(-2 * truth / d))


def gaussian(d: int, truth: float, dz: int = 0) -> Draw:
    """Pairs of coordinates of equal correlation; with dz, both sides carry a linear map of Z."""
    rho = _rho(truth, d)

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x = rng.normal(size=(n, d))
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(n, d))
        if not dz:
            return x, y, None
        z = rng.normal(size=(n, dz))
        shared = z @ (np.ones((dz, d)) / math.sqrt(dz))
        return x + shared, y + shared, z

    return draw


def _transformed(change: Callable[[Floats], Floats], d: int = 1, truth: float = 0.5) -> Draw:
    base = gaussian(d, truth)

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x, y, _ = base(n, rng)
        return change(x), change(y), None

    return draw


def _wiggly(x: Floats) -> Floats:
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def _bimodal(x: Floats) -> Floats:
    """The monotone map that makes a standard normal an equal mixture of N(-2, 1) and N(2, 1)."""
    grid = np.linspace(-9, 9, 40001)
    cdf = 0.5 * (stats.norm.cdf(grid + 2) + stats.norm.cdf(grid - 2))
    return np.interp(stats.norm.cdf(x), cdf, grid)


def _swiss_roll(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
    x, y, _ = gaussian(1, 0.5)(n, rng)
    angle = 1.5 * np.pi * (1 + 2 * stats.norm.cdf(x))
    roll = np.hstack([angle * np.cos(angle), angle * np.sin(angle)]) / 21
    return roll, y, None


def _student(d: int, dof: int, truth: float) -> tuple[Draw, float]:
    """Gaussian pairs divided by one chi; the entropies of the multivariate t give the rest."""
    base = gaussian(d, truth)

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x, y, _ = base(n, rng)
        scale = np.sqrt(rng.chisquare(dof, size=(n, 1)) / dof)
        return x / scale, y / scale, None

    def entropy(k: int) -> float:
        shape = gammaln(dof / 2) - gammaln((dof + k) / 2) + k / 2 * math.log(dof * math.pi)
        return float(shape + (dof + k) / 2 * (digamma((dof + k) / 2) - digamma(dof / 2)))

    return draw, truth + 2 * entropy(d) - entropy(2 * d)


def _additive_noise(width: float) -> tuple[Draw, float]:
    """Y = X + U(-width, width), X uniform on (0, 1), width at most 1/2."""

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x = rng.random((n, 1))
        return x, x + rng.uniform(-width, width, size=(n, 1)), None

    return draw, width - math.log(2 * width)


def _crossed(rho: float) -> tuple[Draw, float]:
    """An equal mixture of two Gaussians with correlations rho and -rho; by quadrature on a grid."""

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        sign = rng.choice([-1.0, 1.0], size=(n, 1))
        x = rng.normal(size=(n, 1))
        return x, sign * rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(n, 1)), None

    grid = np.linspace(-9, 9, 3601)
    step = grid[1] - grid[0]
    one = stats.norm.pdf(grid)
    spread = math.sqrt(1 - rho**2)
    up, down = (stats.norm.pdf((grid[None, :] - s * rho * grid[:, None]) / spread) / spread for s in (1, -1))
    joint = one[:, None] * (up + down) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log(joint / (one[:, None] * one[None, :])), 0.0)
    return draw, float(terms.sum() * step * step)


def _zero_inflated(p: float) -> tuple[Draw, float]:
    """X ~ Exp(1), Y = 0 with probability p, else Poisson(X): h over the exact law of Y.

    I = H(Y) - H(Y|X). The formula (1 - p)(2 log 2 - gamma - ..) that papers copy is an upper bound only,
    because a zero does not say whether it was inflated.
    """

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x = rng.exponential(size=n)
        y = np.where(rng.random(n) < p, 0, rng.poisson(x))
        return x[:, None], y[:, None].astype(float), None

    counts = np.arange(200)
    marginal = (1 - p) * 0.5 ** (counts + 1.0)
    marginal[0] += p
    entropy = -float((marginal * np.log(marginal)).sum())

    def given(x: float) -> float:
        law = (1 - p) * stats.poisson.pmf(counts, x)
        law[0] += p
        law = law[law > 0]
        return -float((law * np.log(law)).sum()) * math.exp(-x)

    return draw, entropy - quad(given, 0, 60, limit=400)[0]


def _rounded(step: float) -> tuple[Draw, float]:
    """Gaussians of correlation 0.8 rounded to multiples of `step`: cell probabilities by quadrature."""
    rho = 0.8

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        x = rng.normal(size=(n, 1))
        y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(n, 1))
        return np.round(x / step) * step, np.round(y / step) * step, None

    edges = (np.arange(-int(8 / step), int(8 / step) + 2) - 0.5) * step
    nodes, weights = np.polynomial.legendre.leggauss(40)
    left, right = edges[:-1, None], edges[1:, None]
    x = (left + right) / 2 + (right - left) / 2 * nodes  # (cells, nodes)
    inside = stats.norm.cdf((edges - rho * x[..., None]) / math.sqrt(1 - rho**2))
    mass = stats.norm.pdf(x) * weights * step / 2
    table = np.einsum("cn,cne->ce", mass, np.diff(inside, axis=-1))
    table /= table.sum()
    product = table.sum(1, keepdims=True) * table.sum(0)
    live = (table > 1e-300) & (product > 1e-300)
    return draw, float((table[live] * np.log(table[live] / product[live])).sum())


def _labels() -> tuple[Draw, float]:
    """Y one of three labels, X a Gaussian around each."""
    centres = np.array([-1.5, 0.0, 1.5])

    def draw(n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats | None]:
        y = rng.integers(3, size=n)
        return (centres[y] + rng.normal(size=n))[:, None], y[:, None].astype(float), None

    def negative_log(x: float) -> float:
        p = float(stats.norm.pdf(x - centres).mean())
        return -p * math.log(p) if p > 0 else 0.0

    return draw, quad(negative_log, -12, 12, limit=400)[0] - float(stats.norm.entropy())


def cases() -> tuple[Case, ...]:
    """All families, in the order of the table."""
    student1, student5 = _student(1, 3, 0.5), _student(2, 3, 0.5)
    noise, cross = _additive_noise(0.3), _crossed(0.9)
    return (
        *(Case(f"Gaussian {d}-d", gaussian(d, 0.5), 0.5) for d in (1, 2, 5, 10)),
        *(Case(f"Gaussian {d}-d given {d}-d", gaussian(d, 0.5, d), 0.5) for d in (1, 2, 5, 10)),
        Case("half-cube", _transformed(lambda x: np.sign(x) * np.abs(x) ** 1.5), 0.5),
        Case("CDF", _transformed(stats.norm.cdf), 0.5),
        Case("asinh", _transformed(np.arcsinh), 0.5),
        Case("wiggly", _transformed(_wiggly), 0.5),
        Case("bimodal", _transformed(_bimodal), 0.5),
        Case("half-cube 3-d", _transformed(lambda x: np.sign(x) * np.abs(x) ** 1.5, d=3), 0.5),
        Case("Student 1-d, 3 dof", *student1),
        Case("Student 2-d, 3 dof", *student5),
        Case("additive uniform noise", *noise),
        Case("swiss roll", _swiss_roll, 0.5),
        Case("mixture of crossed Gaussians", *cross),
        Case("zero-inflated Poisson 0.15", *_zero_inflated(0.15), integer=True),
        Case("zero-inflated Poisson 0.70", *_zero_inflated(0.7), integer=True),
        Case("three labels and a number", *_labels(), integer=True),
        Case("ties: rounded to 0.5", *_rounded(0.5)),
    )
