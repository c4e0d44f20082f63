"""Families of continuous columns with a known answer that no estimator here was tuned on."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from scipy.integrate import quad
from silence_family import (
    Family,
    Floats,
    additive_information,
    copula_information,
    entropy_on_grid,
    gaussian_information,
    student_entropy,
)

Rows = dict[str, Floats]
Random = np.random.Generator


def _cauchy(scale: float) -> Family:
    """X and N Cauchy, Y = X + scale N: h(Y) - h(Y|X) = log (1 + scale) / scale."""

    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_cauchy(n)
        return {"X": x, "Y": x + scale * rng.standard_cauchy(n)}

    return Family(f"Cauchy with {scale} Cauchy noise", "I(X;Y)", lambda: math.log1p(1 / scale), draw)


def _independent_cauchy(rng: Random, n: int) -> Rows:
    return {"X": rng.standard_cauchy((n, 2)), "Y": rng.standard_cauchy((n, 2))}


def _product_truth() -> float:
    """Y = X E: log 2 for the sign, and log|Y| = log|X| + log E for the rest."""
    grid = np.linspace(-30, 8, 38_001)
    step = grid[1] - grid[0]
    log_normal = 2 * stats.norm.pdf(np.exp(grid)) * np.exp(grid)
    log_exponential = np.exp(grid - np.exp(grid))
    return math.log(2) + additive_information(log_normal, log_exponential, step)


def _product(rng: Random, n: int) -> Rows:
    x = rng.standard_normal(n)
    return {"X": x, "Y": x * rng.exponential(size=n)}


def _product_pair(rng: Random, n: int) -> Rows:
    x = rng.standard_normal((n, 2))
    return {"X": x, "Y": x * rng.exponential(size=(n, 2))}


def _signs_truth(spread: float) -> float:
    """Y = S X + noise: h(Y) is a Gaussian's, h(Y|X=x) that of two bumps at x and -x."""
    grid = np.linspace(-9, 9, 4001)
    step = grid[1] - grid[0]
    x = np.linspace(0, 8, 801)
    inner = [
        entropy_on_grid((stats.norm.pdf(grid, v, spread) + stats.norm.pdf(grid, -v, spread)) / 2, step)
        for v in x
    ]
    mean = float((2 * stats.norm.pdf(x) * inner * np.r_[0.5, np.ones(len(x) - 1)]).sum() * (x[1] - x[0]))
    return 0.5 * math.log(2 * math.pi * math.e * (1 + spread**2)) - mean


def _signs(spread: float, d: int) -> Family:
    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal((n, d))
        sign = rng.choice([-1.0, 1.0], size=(n, d))
        return {"X": x, "Y": sign * x + spread * rng.standard_normal((n, d))}

    return Family(f"signs mixed, noise {spread}, {d}x{d}", "I(X;Y)", lambda: d * _signs_truth(spread), draw)


def _rotated(degrees: float) -> Family:
    """A square turned by an angle: both sides are sums of uniforms, the joint has entropy 0."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def draw(rng: Random, n: int) -> Rows:
        u, v = rng.random((2, n))
        return {"X": c * u - s * v, "Y": s * u + c * v}

    return Family(
        f"square turned by {degrees} degrees", "I(X;Y)", lambda: 2 * (math.log(c) + s / (2 * c)), draw
    )


def _ring(spread: float) -> Family:
    """A circle of radius 1 with Gaussian noise in both coordinates, on a grid of the plane."""

    def truth() -> float:
        grid = np.linspace(-1 - 8 * spread, 1 + 8 * spread, 1201)
        step = grid[1] - grid[0]
        joint = np.zeros((grid.size, grid.size))
        for angle in np.linspace(0, 2 * math.pi, 240, endpoint=False):
            x = stats.norm.pdf(grid, math.cos(angle), spread)
            joint += np.outer(x, stats.norm.pdf(grid, math.sin(angle), spread)) / 240
        return 2 * entropy_on_grid(joint.sum(axis=1) * step, step) - entropy_on_grid(joint, step * step)

    def draw(rng: Random, n: int) -> Rows:
        angle = rng.uniform(0, 2 * math.pi, n)
        noise = spread * rng.standard_normal((2, n))
        return {"X": np.cos(angle) + noise[0], "Y": np.sin(angle) + noise[1]}

    return Family(f"ring with noise {spread}", "I(X;Y)", truth, draw)


def _clayton(theta: float) -> Family:
    def log_density(u: Floats, v: Floats) -> Floats:
        inner = np.log(np.exp(-theta * np.log(u)) + np.exp(-theta * np.log(v)) - 1)
        return math.log1p(theta) - (1 + theta) * (np.log(u) + np.log(v)) - (2 + 1 / theta) * inner

    def draw(rng: Random, n: int) -> Rows:
        u, w = rng.random((2, n))
        v = (u**-theta * (w ** (-theta / (1 + theta)) - 1) + 1) ** (-1 / theta)
        return {"X": stats.norm.ppf(u), "Y": -np.log(v)}

    return Family(f"Clayton copula {theta}", "I(X;Y)", lambda: copula_information(log_density), draw)


def _frank(theta: float) -> Family:
    def log_density(u: Floats, v: Floats) -> Floats:
        base = -math.expm1(-theta)
        bottom = base - np.expm1(-theta * u) * np.expm1(-theta * v)
        return math.log(theta * base) - theta * (u + v) - 2 * np.log(bottom)

    def draw(rng: Random, n: int) -> Rows:
        u, w = rng.random((2, n))
        t = np.exp(-theta * u)
        v = -np.log1p(w * math.expm1(-theta) / (w + (1 - w) * t)) / theta
        return {"X": u**3, "Y": stats.t.ppf(v, 3)}

    return Family(f"Frank copula {theta}", "I(X;Y)", lambda: copula_information(log_density), draw)


def _changing_spread(power: float) -> Family:
    """Y = exp(power X) N with X and N normal."""

    def truth() -> float:
        grid = np.linspace(-60, 60, 120_001)
        step = grid[1] - grid[0]
        x, weight = np.polynomial.hermite_e.hermegauss(120)
        density = sum(
            w * stats.norm.pdf(grid, 0, math.exp(power * v)) for v, w in zip(x, weight, strict=True)
        ) / math.sqrt(2 * math.pi)
        return entropy_on_grid(density, step) - 0.5 * math.log(2 * math.pi * math.e)

    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal(n)
        return {"X": x, "Y": np.exp(power * x) * rng.standard_normal(n)}

    return Family(f"spread exp({power} X)", "I(X;Y)", truth, draw)


def _wave(turns: float, spread: float) -> Family:
    """Y = sin(2 pi turns X) + noise, X uniform: the density of a sine's value is 1 / (pi sqrt(1 - y^2))."""

    def truth() -> float:
        angle = (np.arange(20_000) + 0.5) / 20_000 * math.pi
        grid = np.linspace(-1 - 8 * spread, 1 + 8 * spread, 2001)
        density = np.array([stats.norm.pdf(g - np.sin(angle - math.pi / 2), 0, spread).mean() for g in grid])
        noise = 0.5 * math.log(2 * math.pi * math.e * spread**2)
        return entropy_on_grid(density, float(grid[1] - grid[0])) - noise

    def draw(rng: Random, n: int) -> Rows:
        x = rng.random(n)
        return {"X": x, "Y": np.sin(2 * math.pi * turns * x) + spread * rng.standard_normal(n)}

    return Family(f"sine of {turns:g} turns, noise {spread}", "I(X;Y)", truth, draw)


def _saw(teeth: int, width: float) -> Family:
    """Y = teeth X + width U mod 1: Y is uniform, and uniform on a share `width` of the circle given X."""

    def draw(rng: Random, n: int) -> Rows:
        x = rng.random(n)
        return {"X": x, "Y": (teeth * x + width * rng.random(n)) % 1.0}

    return Family(f"saw of {teeth} teeth, noise {width}", "I(X;Y)", lambda: -math.log(width), draw)


def _student_given(d: int, dof: int) -> Family:
    """Spherical Student columns X, Y, Z: independent directions, one common scale."""

    def truth() -> float:
        h = [student_entropy(dof, k * d) for k in (1, 2, 3)]
        return 2 * h[1] - h[0] - h[2]

    def draw(rng: Random, n: int) -> Rows:
        rows = rng.standard_normal((n, 3 * d)) / np.sqrt(rng.chisquare(dof, size=(n, 1)) / dof)
        return {"X": rows[:, :d], "Y": rows[:, d : 2 * d], "Z": rows[:, 2 * d :]}

    return Family(f"Student {d}x{d} given {d} dof {dof}", "I(X;Y|Z)", truth, draw)


def _correlated_student(d: int, dof: int, rho: float) -> Family:
    def truth() -> float:
        return -d / 2 * math.log(1 - rho**2) + 2 * student_entropy(dof, d) - student_entropy(dof, 2 * d)

    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal((n, d))
        y = rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))
        scale = np.sqrt(rng.chisquare(dof, size=(n, 1)) / dof)
        return {"X": x / scale, "Y": y / scale}

    return Family(f"correlated Student {d}x{d} dof {dof}", "I(X;Y)", truth, draw)


def _fixed_sides() -> list[Family]:
    """I(X;Y|Z) where Z fixes X or Y: exactly 0."""

    def linked(rng: Random, n: int) -> tuple[Floats, Floats]:
        x = rng.standard_normal(n)
        return x, x + rng.standard_normal(n)

    def double(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n)
        return {"X": x, "Y": y, "Z": 2 * x}

    def cube(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n)
        return {"X": x, "Y": y, "Z": x**3}

    def beside_noise(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n)
        return {"X": x, "Y": y, "Z": np.column_stack([x, rng.standard_normal(n)])}

    def minus(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n)
        return {"X": x, "Y": y, "Z": -y}

    def turned(rng: Random, n: int) -> Rows:
        x = rng.standard_normal((n, 2))
        y = x + rng.standard_normal((n, 2))
        return {"X": x, "Y": y, "Z": x @ np.array([[0.6, -0.8], [0.8, 0.6]])}

    def folded(rng: Random, n: int) -> Rows:
        z = rng.standard_normal(n)
        return {"X": np.abs(z), "Y": z + rng.standard_normal(n), "Z": z}

    draws = {"2X": double, "X^3": cube, "(X, noise)": beside_noise, "-Y": minus, "X turned": turned}
    found = [Family(f"fixed side: Z = {name}", "I(X;Y|Z)", lambda: 0.0, draw) for name, draw in draws.items()]
    return [*found, Family("fixed side: X = |Z|", "I(X;Y|Z)", lambda: 0.0, folded)]


def _common_cause(d: int) -> Family:
    """X and Y are noisy functions of Z: nothing is left given Z."""

    def draw(rng: Random, n: int) -> Rows:
        z = rng.standard_normal((n, d))
        x = z**2 + 0.5 * rng.standard_normal((n, d))
        return {"X": x, "Y": np.sin(2 * z) + 0.5 * rng.laplace(size=(n, d)), "Z": z}

    return Family(f"common cause in {d} dimensions", "I(X;Y|Z)", lambda: 0.0, draw)


def _sign_of_product(rng: Random, n: int) -> Rows:
    x, z, noise = rng.standard_normal((3, n))
    return {"X": x, "Y": np.sign(x * z) * np.abs(noise), "Z": z}


def _square(rest: int) -> Family:
    """Y = X_1^2 + noise, with further columns of X that say nothing."""

    def truth() -> float:
        grid = np.linspace(-4, 60, 64_001)
        step = grid[1] - grid[0]
        t, weight = np.polynomial.hermite_e.hermegauss(200)
        density = sum(w * stats.norm.pdf(grid, v * v, 0.5) for v, w in zip(t, weight, strict=True))
        density = density / math.sqrt(2 * math.pi)
        return entropy_on_grid(density, step) - 0.5 * math.log(2 * math.pi * math.e * 0.25)

    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal((n, 1 + rest))
        return {"X": x, "Y": x[:, 0] ** 2 + 0.5 * rng.standard_normal(n)}

    return Family(f"square of one of {1 + rest}", "I(X;Y)", truth, draw)


def _contaminated() -> Family:
    """Nine rows of ten with correlation 0.9, the tenth wide and independent; on a grid."""

    def joint_density(grid: Floats) -> Floats:
        x, y = np.meshgrid(grid, grid, indexing="ij")
        tight = np.exp(-(x * x - 1.8 * x * y + y * y) / (2 * 0.19)) / (2 * math.pi * math.sqrt(0.19))
        wide = np.outer(stats.norm.pdf(grid, 0, 3), stats.norm.pdf(grid, 0, 3))
        return np.asarray(0.9 * tight + 0.1 * wide)

    def truth() -> float:
        grid = np.linspace(-24, 24, 3201)
        step = grid[1] - grid[0]
        one = 0.9 * stats.norm.pdf(grid) + 0.1 * stats.norm.pdf(grid, 0, 3)
        return 2 * entropy_on_grid(one, step) - entropy_on_grid(joint_density(grid), step * step)

    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal(n)
        y = 0.9 * x + math.sqrt(0.19) * rng.standard_normal(n)
        wide = rng.random(n) < 0.1
        x, y = np.where(wide, 3 * rng.standard_normal(n), x), np.where(wide, 3 * rng.standard_normal(n), y)
        return {"X": x, "Y": y}

    return Family("contaminated Gaussian", "I(X;Y)", truth, draw)


def _gaussian(name: str, rho: float, d: int, log_normal: bool = False) -> Family:
    def draw(rng: Random, n: int) -> Rows:
        x = rng.standard_normal((n, d))
        y = rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))
        return {"X": np.exp(x), "Y": np.exp(2 * y)} if log_normal else {"X": x, "Y": y}

    return Family(name, "I(X;Y)", lambda: -d / 2 * math.log(1 - rho**2), draw)


def _gaussian_given(dz: int) -> Family:
    def draw(rng: Random, n: int) -> Rows:
        z = rng.standard_normal((n, dz))
        x = rng.standard_normal(n)
        y = 0.6 * x + 0.8 * rng.standard_normal(n)
        shared = z.sum(axis=1) / math.sqrt(dz)
        return {"X": x + shared, "Y": y + shared, "Z": z}

    return Family(f"Gaussian given {dz}", "I(X;Y|Z)", lambda: -math.log(0.8), draw)


def _exponential_lifetimes() -> Family:
    """X exponential, Y exponential with rate X: h(Y|X) = 1 - log X, and Y has the density (1 + y)^-2."""

    def draw(rng: Random, n: int) -> Rows:
        x = rng.exponential(size=n)
        return {"X": x, "Y": rng.exponential(size=n) / x}

    def truth() -> float:
        mean_log = quad(lambda v: math.log(v) * math.exp(-v), 0, math.inf)[0]
        return 2.0 - (1 - mean_log)

    return Family("exponential lifetimes", "I(X;Y)", truth, draw)


def _chain_of_blocks() -> Family:
    """Two clusters in each of two coordinates, linked: the label is log 2, within them nothing."""

    def draw(rng: Random, n: int) -> Rows:
        a = rng.integers(2, size=(n, 1))
        return {"X": 20 * a + rng.standard_normal((n, 2)), "Y": 20 * a + rng.laplace(size=(n, 1))}

    return Family("two far clusters 2x1", "I(X;Y)", lambda: math.log(2), draw)


def continuous() -> list[Family]:
    """Families of continuous columns."""
    covariance = np.array([[1.0, 0.3, 0.5], [0.3, 1.0, 0.5], [0.5, 0.5, 1.0]])
    root = np.linalg.cholesky(covariance)

    def two_to_one(rng: Random, n: int) -> Rows:
        rows = rng.standard_normal((n, 3)) @ root.T
        return {"X": np.sinh(rows[:, :2]), "Y": rows[:, 2]}

    return [
        _cauchy(0.1),
        _cauchy(1.0),
        Family("independent Cauchy 2x2", "I(X;Y)", lambda: 0.0, _independent_cauchy),
        Family("product Y = X E", "I(X;Y)", _product_truth, _product),
        Family("product Y = X E, 2x2", "I(X;Y)", lambda: 2 * _product_truth(), _product_pair),
        _signs(0.3, 1),
        _signs(0.3, 2),
        _signs(1.0, 1),
        _rotated(20.0),
        _rotated(45.0),
        _ring(0.1),
        _ring(0.4),
        _clayton(2.0),
        _frank(8.0),
        _changing_spread(0.5),
        _changing_spread(1.0),
        _wave(1.0, 0.3),
        _wave(3.0, 0.3),
        _saw(2, 0.3),
        _saw(8, 0.3),
        _student_given(1, 3),
        _student_given(2, 3),
        _correlated_student(4, 4, 0.5),
        _correlated_student(2, 3, 0.8),
        *_fixed_sides(),
        _common_cause(1),
        _common_cause(2),
        Family("sign of a product", "I(X;Y|Z)", lambda: math.log(2), _sign_of_product),
        _square(0),
        _square(4),
        _contaminated(),
        _gaussian("independent Gaussian 1x1", 0.0, 1),
        _gaussian("independent Gaussian 5x5", 0.0, 5),
        _gaussian("Gaussian 1x1, 2 nats", math.sqrt(1 - math.exp(-4)), 1),
        _gaussian("log-normal 3x3", 0.6, 3, log_normal=True),
        _gaussian_given(3),
        Family("Gaussian 2x1, sinh", "I(X;Y)", lambda: gaussian_information(covariance, 2), two_to_one),
        _exponential_lifetimes(),
        _chain_of_blocks(),
    ]
