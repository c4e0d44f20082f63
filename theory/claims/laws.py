"""Claims that say more than one linear statement can: scaling laws, groups, forced information.

Each carries the part that is linear in entropies as its statement, the rest in words as its `law`, and a
check for each world in which the law is judged. `theory.forced` has the proofs of the laws J1 to J5.
"""

from __future__ import annotations

from theory.claims import checks, formal
from theory.claims.essl import OURS
from theory.claims.registry import Claim
from theory.diagrams import Diagram
from theory.forced import disagreements, with_statistic
from theory.joints import Joint

__all__ = [
    "FORCED",
    "GUARANTEE",
    "LOSSY_LAWS",
    "SHORTCUT_LAWS",
    "SPECTRUM",
]

ERASED = Diagram.parse("C->X, A->X, X->Y", name="erased input")
"""Y is X with some of it erased."""

WATERMARKED = Diagram.parse("C->X, A->X, A->M", name="watermarked input")
"""The input comes with a mark M made from A."""

POSTERIOR = Diagram.parse("C->R, S->R, V->R, R->X, A->X, X->Z, X=>T", name="E-SSL diagram with T")
"""T = p(A|X) is a function of the input."""

FINER = Diagram.parse("C->R, S->R, V->R, R->X, B->X, B=>A, X=>TB, TB=>TA", name="posteriors of B and A")
"""A is a function of B, and so is its posterior of B's posterior."""


def _synergy_without_forced() -> Joint:
    return with_statistic(disagreements()[0].joint)


def _forced_without_synergy() -> Joint:
    return with_statistic(disagreements()[1].joint)


LOSSY_LAWS = (
    Claim(
        "L3",
        "Lossy is necessary, not sufficient",
        "H(A|Y) >= H(A|X)",
        "true",
        ERASED,
        prose="Erasing the input with probability d multiplies the synergy by 1 - d while the transformation "
        "gets harder to read; in families that start lossless the most synergy lies at a moderate noise.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "symbolic", "exact"),
        ours=True,
        law="I(A;C|Y) = (1-d) I(A;C|X) where Y is X erased with probability d",
        checks={"symbolic": formal.erasure_is_formal, "exact": checks.erasure_scales},
    ),
)
"""What Principle I does not say."""

SHORTCUT_LAWS = (
    Claim(
        "P2",
        "Watermarks cost synergy",
        "I(A;C|X,M) <= I(A;C|X)",
        "true",
        WATERMARKED,
        prose="A mark made from the transformation never adds synergy, and one that shows it with "
        "probability g multiplies the synergy by 1 - g.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "symbolic", "exact"),
        ours=True,
        law="I(A;C|X,M) = (1-g) I(A;C|X) where M shows A with probability g",
        checks={"symbolic": formal.watermark_is_formal, "exact": checks.watermark_scales},
    ),
)
"""What shortcuts cost."""

SPECTRUM = (
    Claim(
        "V2",
        "From invariance to equivariance",
        "I(A;Z|R) <= H(A)",
        "true",
        prose="What an equivariant map of a group's action keeps of the transformation is the mean "
        "logarithm of the index of the stabiliser: 0 if it is invariant, log |G| on free orbits.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "symbolic", "exact"),
        ours=True,
        law="I(A;f(X)|R) = E log [G : Stab f(R)] for A uniform on G and f equivariant",
        checks={"symbolic": formal.index_formula_in_closed_form, "exact": checks.index_formula},
    ),
)
"""Between invariance and equivariance."""

GUARANTEE = (
    Claim(
        "G1",
        "Pretext loss bounds class uncertainty",
        "H(C|Z) <= H(C|Z,A) + H(A|Z)",
        "true",
        prose="The class uncertainty left in a representation is at most what knowing the transformation "
        "would leave, plus the pretext loss; half of that, in bits, bounds the downstream Bayes error.",
        reference="this project; the Bayes error by Hellman and Raviv (1970)",
        chapter="paper",
        worlds=("proof", "symbolic", "exact", "sample", "learned"),
        ours=True,
        bounds_error=True,
        law="Bayes error of C from Z <= (H(C|Z,A) + H(A|Z)) / (2 log 2)",
        checks={"exact": checks.bayes_error_is_bounded},
    ),
)
"""What a pretext loss promises of the class."""

FORCED = (
    Claim(
        "J1",
        "Optimal solvers know the posterior",
        "I(C;Z) >= I(C;T) and I(S;Z) >= I(S;T) and I(A;T) == I(A;X)",
        "true",
        POSTERIOR,
        ("I(A;X|T) == 0", "H(T|Z) == 0"),
        prose="Every representation that is optimal for the pretext task determines T = p(A|X), so it knows "
        "at least the forced class information J = I(C;T), which T itself attains.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact"),
        ours=True,
        law="I(A;Z) = I(A;X) exactly when Z determines T = p(A|X), so that I(C;Z) >= J = I(C;T)",
        checks={"exact": checks.optimal_solvers_know_the_posterior},
    ),
    Claim(
        "J2",
        "The principles, through forced information",
        "I(C;TB) >= I(C;TA)",
        "true",
        FINER,
        prose="Lossless transformations and separate coordinates force no class information, a watermark "
        "takes its share of it, finer and several transformations force more.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact"),
        ours=True,
        law="J = 0 if lossless or separate, J' <= (1-g) J under a watermark, J_B >= J_A if A = f(B), "
        "J_(A,B) >= max(J_A, J_B)",
        checks={"exact": checks.designs_order_forced_information},
    ),
    Claim(
        "J3",
        "Synergy without forced information",
        "I(A;C|X) > 0 and H(T) == 0",
        "exists",
        POSTERIOR,
        ("I(A;X|T) == 0",),
        prose="Where X = A + C mod n the synergy is log n and yet nothing about the class is forced.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact"),
        ours=True,
        law="found by a search through all small deterministic worlds",
        witness=_synergy_without_forced,
        checks={"exact": checks.synergy_without_forced},
    ),
    Claim(
        "J3b",
        "Forced information without synergy",
        "I(C;T) > 0 and I(A;C|X) == 0",
        "exists",
        POSTERIOR,
        ("I(A;X|T) == 0",),
        prose="Where the input shows the class always and the transformation only for some classes, class "
        "information is forced although there is no synergy.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact"),
        ours=True,
        law="with T = p(A|X), found by a search through all small deterministic worlds",
        witness=_forced_without_synergy,
        checks={"exact": checks.forced_without_synergy},
    ),
    Claim(
        "J4",
        "Near-optimal solvers nearly know the posterior",
        "I(A;X) - I(A;Z) == I(A;X|Z)",
        "true",
        prose="If a representation is within e of optimal, the posterior T can be read from it within "
        "sqrt(2e) in mean L1 distance.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact"),
        ours=True,
        law="E KL(p(A|X) || p(A|Z)) = I(A;X) - I(A;Z), and E |p(A|X) - p(A|Z)|_1 <= sqrt(2e)",
        checks={"exact": checks.near_optimal_shows_the_posterior},
    ),
    Claim(
        "J5",
        "Avoiding the class has a price",
        "I(A;Z) <= I(A;X)",
        "true",
        prose="The best solver with at most b of class information is optimal exactly when b is at least "
        "J, and avoiding the class is free exactly when J = 0.",
        reference=OURS,
        chapter="paper",
        worlds=("exact",),
        ours=True,
        law="F(b) = max I(A;Z) subject to I(C;Z) <= b is I(A;X) exactly when b >= J, and F(0) = I(A;X) "
        "exactly when J = 0",
        checks={"exact": checks.avoidance_has_a_price},
    ),
)
"""What every optimal solver must know."""
