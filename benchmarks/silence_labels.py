"""Families with labels: discrete columns, labels beside numbers, and rows that are not independent."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import xlogy
from silence_family import Family, Floats, gaussian_mixture_entropy

from synthetic import ModularShift

Rows = dict[str, npt.NDArray[Any]]
Random = np.random.Generator

_BUMPS = np.linspace(-2, 2, 50)


def _bumps_truth() -> float:
    return gaussian_mixture_entropy(_BUMPS, 0.3) - 0.5 * math.log(2 * math.pi * math.e * 0.09)


def _bumps(name: str, called: npt.NDArray[Any]) -> Family:
    """Fifty overlapping classes on a line; what they are called changes nothing."""

    def draw(rng: Random, n: int) -> Rows:
        a = rng.integers(50, size=n)
        return {"A": called[a], "Z": _BUMPS[a] + 0.3 * rng.standard_normal(n)}

    return Family(name, "I(A;Z)", _bumps_truth, draw, (300, 1_000, 5_000))


def _named_bumps() -> list[Family]:
    names = np.array([f"c{i:04d}" for i in range(50)])
    shuffled = np.random.default_rng(0).permutation(50)
    return [
        _bumps("50 classes, integers in order", np.arange(50)),
        _bumps("50 classes, integers shuffled", shuffled),
        _bumps("50 classes, names in order", names),
        _bumps("50 classes, names shuffled", names[shuffled]),
    ]


def _shifted(classes: int, d: int, shift: float) -> Family:
    """Equal classes along one of d coordinates with unit noise."""
    means = shift * (np.arange(classes) - (classes - 1) / 2)

    def truth() -> float:
        return gaussian_mixture_entropy(means, 1.0) - 0.5 * math.log(2 * math.pi * math.e)

    def draw(rng: Random, n: int) -> Rows:
        a = rng.integers(classes, size=n)
        z = rng.standard_normal((n, d))
        z[:, 0] += means[a]
        return {"A": a, "Z": z}

    return Family(f"{classes} classes in {d} dimensions, {shift} apart", "I(A;Z)", truth, draw)


def _synergy_in_16() -> Family:
    """Z says the sum of A and C through the corners of a simplex in 3 of 16 dimensions."""
    corners = 2.0 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    axes = np.linalg.qr(np.random.default_rng(1).standard_normal((16, 16)))[0][:3]

    def truth() -> float:
        """The mean log posterior over a fixed million draws: standard error below 2e-4."""
        rng = np.random.default_rng(0)
        b = rng.integers(4, size=1_000_000)
        z = corners[b] + 2.0 * rng.standard_normal((len(b), 3))
        logits = z @ corners.T / 4.0
        top = logits.max(axis=1, keepdims=True)
        log_sum = top[:, 0] + np.log(np.exp(logits - top).sum(axis=1))
        return float(math.log(4) + (logits[np.arange(len(b)), b] - log_sum).mean())

    def draw(rng: Random, n: int) -> Rows:
        a, c = rng.integers(4, size=(2, n))
        z = corners[(a + c) % 4] @ axes + 2.0 * rng.standard_normal((n, 16))
        return {"A": a, "C": c, "Z": z}

    return Family("synergy in 16 dimensions", "I(A;Z|C)", truth, draw, (300, 1_000))


def _independent(name: str, labels: Callable[[Random, int], npt.NDArray[Any]], d: int, *sizes: int) -> Family:
    """Labels that were drawn without a look at Z."""

    def draw(rng: Random, n: int) -> Rows:
        return {"A": labels(rng, n), "Z": rng.standard_normal((n, d) if d > 1 else n)}

    return Family(f"{name}, {d}-d", "I(A;Z)", lambda: 0.0, draw, sizes)


def _strange_labels() -> list[Family]:
    def rare(rng: Random, n: int) -> npt.NDArray[Any]:
        return (rng.random(n) < 0.02).astype(np.int64)

    def pairs(rng: Random, n: int) -> npt.NDArray[Any]:
        return rng.permutation(np.arange(n) // 2)

    def singles(rng: Random, n: int) -> npt.NDArray[Any]:
        a = rng.integers(2, size=n)
        alone = rng.random(n) < 0.075
        return np.where(alone, 2 + np.arange(n), a)

    def distinct(rng: Random, n: int) -> npt.NDArray[Any]:
        return rng.permutation(4 * n)[:n] + 10_000

    kinds = {"rare label": rare, "classes of two rows": pairs, "labels of one row": singles}
    found = [_independent(name, kind, d, 200, 1_000) for name, kind in kinds.items() for d in (1, 5)]
    return [*found, *(_independent("all labels distinct", distinct, d, 200, 1_000) for d in (1, 5))]


def _numbers_as_integers(rng: Random, n: int) -> Rows:
    return {"X": rng.integers(10**6, size=n), "Y": rng.integers(10**6, size=n)}


def _linked_integers(rng: Random, n: int) -> Rows:
    """Rounded to a grid so fine that ties are rare: the information is a Gaussian's up to rounding."""
    x = rng.standard_normal(n)
    y = 0.8 * x + 0.6 * rng.standard_normal(n)
    return {"X": np.rint(1e5 * x).astype(np.int64), "Y": np.rint(1e5 * y).astype(np.int64)}


def _entropy(p: Floats) -> float:
    return -float(xlogy(p, p).sum())


def _unseen(name: str, p: Floats, *sizes: int) -> Family:
    p = p / p.sum()

    def draw(rng: Random, n: int) -> Rows:
        return {"X": rng.choice(len(p), size=n, p=p)}

    return Family(name, "H(X)", lambda: _entropy(p), draw, sizes)


def _unseen_given_a_coin(name: str, p: Floats, *sizes: int) -> Family:
    """H(X|Y), Y a coin: X has the probabilities p in one order where it is heads and in another else."""
    p = p / p.sum()
    other = p[np.random.default_rng(0).permutation(len(p))]

    def draw(rng: Random, n: int) -> Rows:
        y = rng.integers(2, size=n)
        heads, tails = (rng.choice(len(p), size=n, p=q) for q in (p, other))
        return {"X": np.where(y, heads, tails), "Y": y}

    return Family(f"{name}, given a coin", "H(X|Y)", lambda: _entropy(p), draw, sizes)


def _noisy_copy(states: int, keep: float, *sizes: int) -> Family:
    table = keep * np.eye(states) / states + (1 - keep) / states**2

    def draw(rng: Random, n: int) -> Rows:
        x = rng.integers(states, size=n)
        return {"X": x, "Y": np.where(rng.random(n) < keep, x, rng.integers(states, size=n))}

    return Family(
        f"copy {keep} of {states} states",
        "I(X;Y)",
        lambda: 2 * math.log(states) - _entropy(table),
        draw,
        sizes,
    )


def _columns_of_one(term: str, name: str) -> Family:
    """Eight columns that are functions of one variable of ten states."""
    coded = np.random.default_rng(3).integers(10, size=(8, 10))
    coded[0] = np.arange(10)

    def draw(rng: Random, n: int) -> Rows:
        state = rng.integers(10, size=n)
        columns = {f"X{i}": coded[i][state] for i in range(8)}
        return {**columns, "Y": np.where(rng.random(n) < 0.5, state, rng.integers(10, size=n))}

    table = 0.5 * np.eye(10) / 10 + 0.5 / 100
    truth = math.log(10) if term.startswith("H") else 2 * math.log(10) - _entropy(table)
    return Family(name, term, lambda: truth, draw)


def _shift(noise: float) -> Family:
    family = ModularShift(n=4, noise=noise)

    def draw(rng: Random, n: int) -> Rows:
        rows = family.sample(n, seed=int(rng.integers(2**31)))
        return {name: rows[name] for name in ("A", "C", "X")}

    return Family(f"modular shift, noise {noise}", "I(A;C|X)", lambda: family.exact("I(A;C|X)").value, draw)


def _walk(rng: Random, n: int, keep: float) -> Floats:
    """A stationary autoregression of unit variance."""
    noise = rng.standard_normal(n)
    x = np.empty(n)
    x[0] = noise[0]
    for t in range(1, n):
        x[t] = keep * x[t - 1] + math.sqrt(1 - keep**2) * noise[t]
    return x


def _chain(rng: Random, n: int, states: int, stay: float) -> npt.NDArray[np.int64]:
    """A chain that keeps its state with probability `stay` and else draws anew."""
    fresh = rng.random(n) >= stay
    fresh[0] = True
    drawn = rng.integers(states, size=n)
    return np.asarray(drawn[np.maximum.accumulate(np.where(fresh, np.arange(n), 0))])


def _dependent() -> list[Family]:
    def walks(rng: Random, n: int) -> Rows:
        return {"X": _walk(rng, n, 0.9), "Y": _walk(rng, n, 0.9)}

    def linked_walks(rng: Random, n: int) -> Rows:
        x = _walk(rng, n, 0.9)
        return {"X": x, "Y": 0.6 * x + 0.8 * _walk(rng, n, 0.9)}

    def chains(rng: Random, n: int) -> Rows:
        return {"X": _chain(rng, n, 3, 0.9), "Y": _chain(rng, n, 3, 0.9)}

    def labels_and_walk(rng: Random, n: int) -> Rows:
        return {"X": _chain(rng, n, 2, 0.9), "Y": _walk(rng, n, 0.9)}

    def linked(rng: Random, n: int) -> tuple[Floats, Floats]:
        x = rng.standard_normal(n)
        return x, 0.6 * x + 0.8 * rng.standard_normal(n)

    def repeated(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n // 4)
        order = rng.permutation(np.repeat(np.arange(n // 4), 4))
        return {"X": x[order], "Y": y[order]}

    def repeated_labels(rng: Random, n: int) -> Rows:
        x = rng.integers(4, size=n // 10)
        y = rng.integers(4, size=n // 10)
        return {"X": np.repeat(x, 10), "Y": np.repeat(y, 10)}

    def near_copies(rng: Random, n: int) -> Rows:
        x, y = linked(rng, n // 4)
        g = np.repeat(np.arange(n // 4), 4)
        noise = 0.02 * rng.standard_normal((2, len(g)))
        return {"X": x[g] + noise[0], "Y": y[g] + noise[1], "G": g}

    def grouped_labels(rng: Random, n: int) -> Rows:
        g = np.repeat(np.arange(n // 10), 10)
        x, y = rng.integers(4, size=(2, n // 10))
        return {"X": x[g], "Y": y[g], "G": g}

    gaussian = -math.log(0.8)
    return [
        Family("two walks", "I(X;Y)", lambda: 0.0, walks),
        Family("two linked walks", "I(X;Y)", lambda: gaussian, linked_walks),
        Family("two chains", "I(X;Y)", lambda: 0.0, chains),
        Family("a chain and a walk", "I(X;Y)", lambda: 0.0, labels_and_walk),
        Family("every row four times", "I(X;Y)", lambda: gaussian, repeated),
        Family("every label ten times in a row", "I(X;Y)", lambda: 0.0, repeated_labels),
        Family("near copies, groups given", "I(X;Y)", lambda: gaussian, near_copies, groups="G"),
        Family("copies of labels, groups given", "I(X;Y)", lambda: 0.0, grouped_labels, groups="G"),
    ]


def _counts(rng: Random, n: int) -> Rows:
    x = rng.exponential(size=n)
    return {"X": x, "Y": np.where(rng.random(n) < 0.15, 0, rng.poisson(x))}


def _rounded(rng: Random, n: int) -> Rows:
    x = rng.standard_normal(n)
    return {"X": np.rint(2 * x) / 2, "Y": 0.6 * x + 0.8 * rng.standard_normal(n)}


def _rounded_truth() -> float:
    """I(round(X); Y): a mixture over the rounded values, by quadrature over X in each cell."""
    grid = np.linspace(-8, 8, 4001)
    step = grid[1] - grid[0]
    nodes, weights = np.polynomial.legendre.leggauss(24)
    total, conditional = np.zeros_like(grid), 0.0
    for centre in np.arange(-16, 17) / 2:
        x = centre + 0.25 * nodes
        mass = 0.25 * weights * stats.norm.pdf(x)
        density = (mass[:, None] * stats.norm.pdf(grid[None, :], 0.6 * x[:, None], 0.8)).sum(axis=0)
        share = float(mass.sum())
        total += density
        conditional += share * -float(xlogy(density / share, density / share).sum()) * step
    return -float(xlogy(total, total).sum()) * step - conditional


def labelled() -> list[Family]:
    """Families with labels or dependent rows."""
    zipf = 1 / np.arange(1, 201)
    few = (30, 60, 100, 300, 1_000)
    return [
        *_named_bumps(),
        _shifted(2, 1, 1.5),
        _shifted(2, 8, 1.5),
        _shifted(4, 8, 1.5),
        _synergy_in_16(),
        *_strange_labels(),
        Family("distinct integers, independent", "I(X;Y)", lambda: 0.0, _numbers_as_integers),
        Family("distinct integers, linked", "I(X;Y)", lambda: -math.log(0.6), _linked_integers),
        Family("zero-inflated counts", "I(X;Y)", lambda: 0.2298, _counts),
        Family("one side rounded", "I(X;Y)", _rounded_truth, _rounded),
        _unseen("Zipf over 200", zipf, *few),
        _unseen("uniform over 10000", np.ones(10_000), *few),
        _unseen("uniform over 50", np.ones(50), *few),
        _unseen("geometric", 0.8 ** np.arange(100), *few),
        _unseen("Zipf squared over 1000", np.arange(1, 1001.0) ** -2, *few),
        _unseen("Poisson of mean 5", stats.poisson.pmf(np.arange(40), 5), *few),
        _unseen("negative binomial", stats.nbinom.pmf(np.arange(200), 2, 0.1), *few),
        _unseen("logarithmic series", stats.logser.pmf(np.arange(1, 400), 0.95), *few),
        _unseen("one frequent, nine rare", np.r_[0.9, np.full(9, 0.1 / 9)], *few),
        _unseen("four frequent, forty rare", np.r_[np.full(4, 0.2), np.full(40, 0.2 / 40)], *few),
        _unseen_given_a_coin("geometric", 0.8 ** np.arange(100), *few),
        _unseen_given_a_coin("Zipf squared over 1000", np.arange(1, 1001.0) ** -2, *few),
        _unseen_given_a_coin("Poisson of mean 5", stats.poisson.pmf(np.arange(40), 5), *few),
        _noisy_copy(4, 0.5, 100, 300, 1_000, 5_000),
        _noisy_copy(4, 0.0, 100, 300, 1_000, 5_000),
        _noisy_copy(20, 0.5, 100, 300, 1_000, 5_000),
        _noisy_copy(20, 0.0, 100, 300, 1_000, 5_000),
        _columns_of_one("H(" + ",".join(f"X{i}" for i in range(8)) + ")", "entropy of eight columns of one"),
        _columns_of_one(
            "I(" + ",".join(f"X{i}" for i in range(8)) + ";Y)", "information of eight columns of one"
        ),
        _shift(0.1),
        _shift(0.0),
        *_dependent(),
    ]
