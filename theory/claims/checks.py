"""The exact checks of laws: each goes through many worlds and says how close any of them came to failing.

They compare two routes that share no formula: joint entropies of an enumerated distribution against what
the law says.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from theory.claims.evidence import Evidence, in_nats
from theory.claims.exact import TOLERANCE, random_joint
from theory.claims.formal import group_worlds
from theory.diagrams import ESSL, Diagram
from theory.forced import (
    disagreements,
    forced_information,
    posterior_gap,
    price_of_avoidance,
    random_refinement,
    with_statistic,
)
from theory.joints import Joint
from theory.models import Model

__all__ = [
    "avoidance_has_a_price",
    "bayes_error_is_bounded",
    "designs_order_forced_information",
    "erasure_scales",
    "forced_without_synergy",
    "index_formula",
    "near_optimal_shows_the_posterior",
    "optimal_solvers_know_the_posterior",
    "synergy_is_common",
    "synergy_without_forced",
    "watermark_scales",
]

COLLIDER = Diagram.parse("C->X, A->X", name="collider")
"""Two independent causes of one input."""

_WORLDS = 20
"""The number of random worlds that a claim without a generator is computed in."""
_LIMIT = 1e-3
"""Gap up to which the price of avoidance is bounded, in nats."""


def _evidence(margins: Sequence[float], what: str, tolerance: float = TOLERANCE) -> Evidence:
    worst = min(margins)
    failed = sum(margin < -tolerance for margin in margins)
    summary = f"{failed} of {len(margins)} {what} fail, smallest slack {in_nats(worst)}"
    return Evidence("exact", not failed, worst, tolerance, len(margins), summary)


def _seeds(seed: int, count: int = _WORLDS) -> list[int]:
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(count)]


def counted_joint(diagram: Diagram, sizes: dict[str, int], seed: int, keep: tuple[str, ...]) -> Joint:
    """A random model with probabilities k/6: different posteriors differ by far more than rounding."""
    rng = np.random.default_rng(seed)
    tables: dict[str, npt.NDArray[np.float64]] = {}
    for v in diagram.order:
        shape = tuple(sizes[parent] for parent in diagram.parents(v))
        if v in diagram.deterministic:
            tables[v] = np.eye(sizes[v])[rng.integers(sizes[v], size=shape)]
        else:
            spread = float(rng.choice((0.1, 0.3, 1.0)))
            tables[v] = rng.multinomial(6, rng.dirichlet(np.full(sizes[v], spread), size=shape)) / 6
    return Model(diagram, tables).joint(keep)


def _worlds(seed: int, count: int = _WORLDS) -> list[Joint]:
    joints = []
    for s in _seeds(seed, count):
        sizes = np.random.default_rng(s).integers(2, 5, size=3)
        joints.append(
            counted_joint(COLLIDER, dict(zip("ACX", map(int, sizes), strict=True)), s, ("A", "C", "X"))
        )
    return joints


def synergy_is_common(seed: int) -> Evidence:
    """E4: random models on the E-SSL diagram have positive synergy, decided in exact rationals.

    The synergy is 0 exactly where p(a,c,x) p(x) = p(a,x) p(c,x) for all states, which is a polynomial
    equation in the tables, so that almost no model satisfies it.
    """
    synergies, dependent = [], 0
    for s in _seeds(seed, 100):
        joint = Model.random_exact(ESSL, 2, seed=s, denominator=1000).joint(("A", "C", "X"))
        p = joint.probabilities
        products = p.sum(axis=1)[:, None] * p.sum(axis=0)
        dependent += bool((p * p.sum(axis=(0, 1)) != products).any())
        synergies.append(joint.value("I(A;C|X)"))
    summary = f"{dependent} of 100 random models have synergy, the least {in_nats(min(synergies))}"
    return Evidence("exact", dependent == 100, min(synergies), 0.0, 100, summary)


def erasure_scales(seed: int) -> Evidence:
    """L3: erasing X with probability d multiplies the synergy by 1 - d and lifts H(A|X)."""
    margins = []
    for joint, d in product(_worlds(seed), (0.0, 0.3, 1.0)):
        k = joint.cardinalities["X"]
        erased = joint.channel("X", "Y", np.hstack([(1 - d) * np.eye(k), np.full((k, 1), d)]))
        margins.append(-abs(erased.value("I(A;C|Y)") - (1 - d) * joint.value("I(A;C|X)")))
        margins.append(erased.value("H(A|Y) - H(A|X)") - d * joint.value("I(A;X)") + TOLERANCE / 2)
    return _evidence(margins, "scalings")


def watermark_scales(seed: int) -> Evidence:
    """P2: a watermark that shows A with probability g multiplies the synergy by 1 - g."""
    margins = []
    for joint, g in product(_worlds(seed), (0.0, 0.25, 1.0)):
        k = joint.cardinalities["A"]
        marked = joint.channel("A", "M", np.hstack([g * np.eye(k), np.full((k, 1), 1 - g)]))
        margins.append(-abs(marked.value("I(A;C|X,M)") - (1 - g) * joint.value("I(A;C|X)")))
    return _evidence(margins, "scalings")


def index_formula(seed: int) -> Evidence:
    """V2: I(A;f(X)|R) = E log [G : Stab f(R)], the left side from the enumerated joint of A, R and Z.

    R is uniform on several free orbits, that is X = A . R with free action, and f sends the point h of the
    orbit i to h . z_i, which is equivariant; the z_i have stabilisers of every kind.
    """
    rng = np.random.default_rng(seed)
    margins = []
    for action in group_worlds().values():
        rows = np.array(action)  # (order, points)
        images = rng.choice(rows.shape[1], size=3, replace=False)
        order = len(rows)
        table = np.zeros((order, 3 * order, rows.shape[1]))
        composed = {tuple(row): g for g, row in enumerate(rows)}
        indices = []
        for i, z in enumerate(images):
            for h in range(order):
                for a in range(order):
                    ah = composed[tuple(rows[a][rows[h]])]
                    table[a, i * order + h, rows[ah][z]] += 1 / (order * 3 * order)
                stabiliser = sum(row[rows[h][z]] == rows[h][z] for row in rows)
                indices.append(np.log(order / stabiliser))
        joint = Joint(("A", "R", "Z"), table)
        margins.append(-abs(joint.value("I(A;Z|R)") - float(np.mean(indices))))
    return _evidence(margins, "groups")


def bayes_error_is_bounded(seed: int) -> Evidence:
    """G1: the Bayes error of C from Z is at most (H(C|Z,A) + H(A|Z)) / 2, in bits."""
    margins = []
    for s in _seeds(seed, 50):
        joint = random_joint(ESSL, ("A", "C", "Z"), s)
        margins.append(joint.value("H(C|Z,A) + H(A|Z) - H(C|Z)"))
        pairs = joint.marginal(("C", "Z")).probabilities.astype(np.float64)
        error = 1 - float(pairs.max(axis=0).sum())
        margins.append(joint.value("H(C|Z,A) + H(A|Z)") / (2 * float(np.log(2))) - error)
    return _evidence(margins, "bounds")


def optimal_solvers_know_the_posterior(seed: int) -> Evidence:
    """J1: random refinements of T are optimal, determine T and know at least J; others lose something."""
    margins = []
    rng = np.random.default_rng(seed)
    for joint, s in zip(_worlds(seed), _seeds(seed + 1), strict=True):
        forced = forced_information(joint)
        world = with_statistic(random_refinement(joint, seed=s))
        margins.append(-abs(world.value("I(A;X) - I(A;Z)")))
        margins.append(-world.value("H(T|Z)"))
        margins.append(world.value("I(C;Z)") - forced)
        margins.append(-abs(world.value("I(A;T) - I(A;X)")))
        k = joint.cardinalities["X"]
        mixed = with_statistic(joint).channel("X", "Z", rng.dirichlet(np.ones(3), size=k))
        forgotten, lost = mixed.value("H(T|Z)"), mixed.value("I(A;X) - I(A;Z)")
        margins.append(lost if forgotten > _LIMIT else -abs(lost))
    return _evidence(margins, "relations on optimal and other representations")


def designs_order_forced_information(seed: int) -> Evidence:
    """J2: lossless, separate, watermarked, fine-grained and multivariate worlds."""
    margins = []
    rng = np.random.default_rng(seed)
    for joint, s in zip(_worlds(seed), _seeds(seed + 1), strict=True):
        k = joint.cardinalities["A"]
        shown = joint.channel("A", "M", np.eye(k))
        margins.append(-abs(forced_information(shown, inputs=("X", "M"))))
        g = float(rng.random())
        marked = joint.channel("A", "M", np.hstack([g * np.eye(k), np.full((k, 1), 1 - g)]))
        margins.append((1 - g) * forced_information(joint) - forced_information(marked, inputs=("X", "M")))
        apart = counted_joint(
            Diagram.parse("C->X1, A->X2"), dict.fromkeys(("C", "X1", "A", "X2"), 3), s, ("A", "C", "X1", "X2")
        )
        margins.append(-abs(forced_information(apart, inputs=("X1", "X2"))))
        sizes = {"C": 2, "A": 2, "B": 4, "X": 5}
        fine = counted_joint(Diagram.parse("C->X, B->X, B=>A"), sizes, s, ("A", "B", "C", "X"))
        margins.append(forced_information(fine, transformation="B") - forced_information(fine))
        pair = counted_joint(Diagram.parse("C->X, A->X, B->X"), sizes, s, ("A", "B", "C", "X"))
        both = forced_information(pair, transformation=("A", "B"))
        margins.append(both - forced_information(pair))
        margins.append(both - forced_information(pair, transformation="B"))
    return _evidence(margins, "relations")


def synergy_without_forced(seed: int) -> Evidence:
    """J3: the search finds a world with synergy where nothing is forced."""
    found, _ = disagreements()
    summary = f"world {found.tried} of the search: synergy {found.synergy:.4f}, J = {found.forced:.4f} nats"
    holds = found.synergy > TOLERANCE and abs(found.forced) <= TOLERANCE
    return Evidence("exact", holds, found.synergy, TOLERANCE, found.tried, summary)


def forced_without_synergy(seed: int) -> Evidence:
    """J3: and one without synergy where class information is forced."""
    _, found = disagreements()
    summary = f"world {found.tried} of the search: synergy {found.synergy:.4f}, J = {found.forced:.4f} nats"
    holds = found.forced > TOLERANCE and abs(found.synergy) <= TOLERANCE
    return Evidence("exact", holds, found.forced, TOLERANCE, found.tried, summary)


def near_optimal_shows_the_posterior(seed: int) -> Evidence:
    """J4: E KL(p(A|X) || p(A|Z)) is the excess e, and the mean L1 distance is at most sqrt(2e)."""
    margins = []
    rng = np.random.default_rng(seed)
    for joint in _worlds(seed):
        kernel = rng.dirichlet(np.full(3, 0.3), size=joint.cardinalities["X"])
        gap = posterior_gap(joint.channel("X", "Z", kernel))
        margins.append(-abs(gap.excess - gap.divergence))
        # compared squared: the root of a rounding error of 1e-16 is 1e-8
        margins.append(2 * gap.excess - gap.distance**2)
    return _evidence(margins, "relations")


def avoidance_has_a_price(seed: int) -> Evidence:
    """J5: F reaches I(A;X) exactly from J on, and costs nothing exactly where J = 0.

    The half-symmetric world has the closed form F(0) = log 4 - H(5/8, 1/8, 1/8, 1/8); the others are random.
    """
    half = Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a})
    curve = price_of_avoidance(half, [0.0, float(np.log(2)) / 2, float(np.log(2))], tolerance=_LIMIT)
    p = np.array([5, 1, 1, 1]) / 8
    margins = [
        -abs(curve.free - float(np.log(4) + (p * np.log(p)).sum())),
        -abs(curve.ceiling - float(np.log(4)) / 2),
        curve.ceiling - curve.upper[1],
        _LIMIT - curve.gap,
    ]
    for s in _seeds(seed, 6):
        joint = counted_joint(COLLIDER, {"A": 2, "C": 2, "X": 3}, s, ("A", "C", "X"))
        forced = forced_information(joint)
        curve = price_of_avoidance(joint, [0.0, max(forced, 0.0)], tolerance=_LIMIT)
        margins.append(curve.price if forced > _LIMIT else -abs(curve.price))
        margins.append(-abs(curve.lower[1] - curve.ceiling))
    # the linear program is solved to 1e-7
    return _evidence(margins, "relations", 1e-6)
