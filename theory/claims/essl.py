"""The claims about equivariant self-supervised learning that are linear statements on one diagram.

The ideas are those of Wang, Hu, Gupta, Ye, Wang and Jegelka (2024), "Understanding the Role of
Equivariance in Self-supervised Learning", arXiv:2411.06508; the formal versions and their numbering are
ours.
"""

from __future__ import annotations

import numpy as np

from theory.claims import checks, formal
from theory.claims.evidence import World
from theory.claims.exact import random_joint
from theory.claims.registry import Claim
from theory.diagrams import Diagram
from theory.joints import Joint

__all__ = [
    "DATA_PROCESSING",
    "DESIGNS",
    "EXPLAINING_AWAY",
    "GUARANTEES",
    "LOSSY",
    "MULTIVARIATE",
    "RELEVANT",
    "SEPARATE",
    "SHORTCUTS",
]

PAPER = "after Wang et al. (2024), arXiv:2411.06508"
"""The source of the paper's claims."""
SHANNON = "Cover and Thomas (2006), Elements of Information Theory, chapter 2"
"""The source of what every textbook has."""
OURS = "this project"
"""The source of what is stated here for the first time."""

EVERYWHERE: tuple[World, ...] = ("proof", "symbolic", "exact", "sample", "learned")
"""All five worlds."""
MEASURED: tuple[World, ...] = ("proof", "exact", "sample", "learned")
"""Worlds of claims without a closed form."""
KNOWN: tuple[World, ...] = ("proof", "exact")
"""Worlds of claims that no sample can show."""

SEPARATE = Diagram.parse("C->X1, A->X2", name="separate coordinates")
"""A and C reach the input through coordinates of their own: no collider."""

SPLIT = Diagram.parse("C->R, S->R, V->R, R->X, A->X, X->U, X->W", name="split representation")
"""The representation Z = (U, W): a shortcut or style feature U and a class feature W."""

FINE = Diagram.parse("C->R, S->R, V->R, R->X, B->X, X->Z, B=>A", name="fine-grained transformation")
"""The applied transformation B and a coarse label A of it."""

MULTIVARIATE = Diagram.parse("C->R, S->R, V->R, R->X, A->X, B->X, X->Z", name="two transformations")
"""Two independent transformations A and B applied to one image."""


def xor() -> Joint:
    return Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a ^ c})


def _transformation_only() -> Joint:
    return Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: 2 * a + c, "Z": lambda a, c: a})


def _forgetful_xor() -> Joint:
    return Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: 2 * a + c, "Z": lambda a, c: a ^ c})


def _shared_style() -> Joint:
    x = {"X": lambda a, c, s: 2 * (a ^ s) + (c ^ s)}
    return Joint.from_function(("A", "C", "S"), (2, 2, 2), x)


def _two_views_of_the_class() -> Joint:
    z = {"Z": lambda a, b, c: 2 * (a ^ c) + (b ^ c)}
    return Joint.from_function(("A", "B", "C"), (2, 2, 2), z)


def lossless(seed: int) -> Joint:
    """A random joint of A, C and X = (A, Y) with Y drawn from A and C, so that H(A|X) = 0."""
    rng = np.random.default_rng(seed)
    a, c, y = (int(k) for k in rng.integers(2, 4, size=3))
    concentration = float(rng.choice((0.05, 0.3, 1.0)))
    p_a, p_c = rng.dirichlet(np.ones(a)), rng.dirichlet(np.ones(c))
    kernel = rng.dirichlet(np.full(y, concentration), size=(a, c))  # (a, c, y)
    table = np.zeros((a, c, a * y))
    for state in range(a):
        table[state, :, state * y : (state + 1) * y] = p_a[state] * p_c[:, None] * kernel[state]
    return Joint(("A", "C", "X"), table)


def invariant(seed: int) -> Joint:
    """A random joint of A, C, R and a representation Z of R, as read from X = (A, R), so I(A;Z|R) = 0."""
    return random_joint(Diagram.parse("C->R, R->Z, A", name="invariance"), ("A", "C", "R", "Z"), seed)


EXPLAINING_AWAY = (
    Claim(
        "E1",
        "Explaining away",
        "I(A;Z|C) == I(A;Z) + I(A;C|Z)",
        "true",
        prose="Knowing the class helps equivariant prediction by exactly the synergy.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "E2",
        "Explaining away never hurts",
        "I(A;Z|C) >= I(A;Z)",
        "true",
        prose="Class information can only help to predict the transformation, and helps nothing exactly "
        "when the synergy is zero.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "E3",
        "The synergy helps classification",
        "I(C;Z|A) == I(C;Z) + I(A;C|Z)",
        "true",
        prose="Knowing the transformation helps classification by the same synergy.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "E4",
        "Explaining away happens",
        "I(A;C) == 0 and I(A;C|X) > 0",
        "exists",
        prose="Class and transformation, though independent, can become dependent once the input is seen, "
        "and in almost every model they do.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
        law="the synergy of a randomly drawn model is positive almost surely",
        witness=xor,
        checks={"symbolic": formal.shifts_explain_away, "exact": checks.synergy_is_common},
    ),
    Claim(
        "U1",
        "Useless equivariance",
        "H(A|Z) == 0 and H(A) > 0 and I(C;X) > 0 and I(C;Z) == 0",
        "exists",
        prose="Perfect equivariance is possible without learning anything about the class.",
        reference=PAPER,
        chapter="paper",
        worlds=MEASURED,
        witness=_transformation_only,
    ),
)
"""Claims about dependence through a common effect."""

DATA_PROCESSING = (
    Claim(
        "D1",
        "Data processing",
        "I(A;Z) <= I(A;X)",
        "true",
        prose="No representation tells more about the transformation than the input does.",
        reference=SHANNON,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "D2",
        "Data processing, class known",
        "I(A;Z|C) <= I(A;X|C)",
        "true",
        prose="The same holds when the class is known.",
        reference=SHANNON,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "D3",
        "One budget",
        "I(A;Z) + I(A;C|Z) <= I(A;X) + I(A;C|X)",
        "true",
        prose="Equivariant information and synergy share one budget, I(A;X|C).",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "D4",
        "Synergy is not monotone",
        "I(A;C|Z) <= I(A;C|X)",
        "false",
        prose="Processing can create synergy: where X shows A and C, Z = A xor C has more of it than X.",
        reference=OURS,
        chapter="paper",
        worlds=EVERYWHERE,
        witness=_forgetful_xor,
    ),
)
"""Claims about what a representation cannot add."""

LOSSY = (
    Claim(
        "L1",
        "Only lossy transformations have synergy",
        "I(A;C|Z) <= H(A|Z) and I(A;C|Z) <= H(C|Z) and I(A;C|X) <= H(A|X) and I(A;C|X) <= H(C|X)",
        "true",
        prose="The synergy is at most the uncertainty that is left about the transformation, and about the "
        "class, in the input as in the representation.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
    ),
    Claim(
        "L2",
        "Lossless means no synergy",
        "I(A;C|X) == 0",
        "true",
        given=("H(A|X) == 0",),
        prose="A transformation that can be read off the input has no synergy with the class.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
        draw=lossless,
        checks={"symbolic": formal.free_orbits_have_no_synergy},
    ),
)
"""Principle I, lossy transformations."""

RELEVANT = (
    Claim(
        "R1",
        "Separate coordinates have no synergy",
        "I(A;C|X1,X2) == 0",
        "true",
        SEPARATE,
        prose="Where transformation and class reach the input through separate coordinates there is no "
        "collider and no synergy.",
        reference=PAPER,
        chapter="paper",
        worlds=("proof", "symbolic", "exact", "sample"),
        checks={"symbolic": formal.separate_factors_have_no_synergy},
    ),
    Claim(
        "R2",
        "The raw input bounds the class",
        "I(A;C|X) <= I(A;R|X) == I(A;X|R) - I(A;X)",
        "true",
        prose="The class can explain no more of the transformation than the raw input does.",
        reference=PAPER,
        chapter="paper",
        worlds=KNOWN,
    ),
)
"""Principle II, class relevance."""

SHORTCUTS = (
    Claim(
        "P1",
        "Shortcuts leave less to earn",
        "I(A;U,W) - I(A;U) == I(A;W|U) <= H(A|U)",
        "true",
        SPLIT,
        prose="What a shortcut U already explains of the transformation, a class feature W cannot earn.",
        reference=PAPER,
        chapter="paper",
        worlds=MEASURED,
    ),
    Claim(
        "P3",
        "Known style bounds the synergy",
        "I(A;C|X,S) <= H(A|X,S)",
        "true",
        prose="Given the style, the synergy is at most what input and style leave open.",
        reference=PAPER,
        chapter="paper",
        worlds=("proof", "exact", "sample"),
    ),
    Claim(
        "P3b",
        "Known style can remove synergy",
        "I(A;C|X) <= I(A;C|X,S)",
        "false",
        prose="Knowing the style can remove synergy: where X = (A xor S, C xor S), the style explains all.",
        reference=OURS,
        chapter="paper",
        worlds=("proof", "exact", "sample"),
        witness=_shared_style,
    ),
    Claim(
        "P4",
        "Style is paid for too",
        "I(A;C,S|Z) == I(A;C|Z) + I(A;S|Z,C) and I(A;Z|S) == I(A;Z) + I(A;S|Z)",
        "true",
        prose="Explaining away works for the style as for the class: predicting a transformation that "
        "interacts with the style pays for style features.",
        reference=PAPER,
        chapter="paper",
        worlds=MEASURED,
    ),
)
"""Principle III, shortcut pruning."""

DESIGNS = (
    Claim(
        "F1",
        "Finer transformations have more synergy",
        "I(B;C|Z) >= I(A;C|Z)",
        "true",
        FINE,
        prose="A fine-grained transformation B has at least the synergy of any coarse label A of it.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
        checks={"symbolic": formal.coarse_labels_lose_synergy},
    ),
    Claim(
        "M1",
        "Several transformations have more synergy",
        "I(A,B;C|Z) == I(A;C|Z) + I(B;C|Z,A) >= I(A;C|Z) and I(A,B;Z|C) - I(A,B;Z) == I(A,B;C|Z)",
        "true",
        MULTIVARIATE,
        prose="Predicting two independent transformations together has at least the synergy of either.",
        reference=PAPER,
        chapter="paper",
        worlds=EVERYWHERE,
        checks={"symbolic": formal.synergies_of_factors_add_up},
    ),
    Claim(
        "M2",
        "Synergies do not add up",
        "I(A,B;C|Z) >= I(A;C|Z) + I(B;C|Z)",
        "false",
        MULTIVARIATE,
        prose="Two transformations can explain the class twice: where Z = (A xor C, B xor C), either "
        "alone has the synergy of both.",
        reference=OURS,
        chapter="paper",
        worlds=MEASURED,
        witness=_two_views_of_the_class,
    ),
    Claim(
        "V1",
        "Invariance has no synergy",
        "I(A;Z) == 0 and I(A;C|Z) == 0",
        "true",
        given=("I(A;Z|R) == 0",),
        prose="An invariant representation knows nothing about the transformation and has no synergy.",
        reference=OURS,
        chapter="paper",
        worlds=EVERYWHERE,
        ours=True,
        draw=invariant,
        checks={"symbolic": formal.invariance_has_no_synergy},
    ),
)
"""The two designs, fine-grained and multivariate."""

GUARANTEES = (
    Claim(
        "G2",
        "Class information survives",
        "I(C;Z) >= I(C;Z|A) - H(A|Z)",
        "true",
        prose="Class information that can be read when the transformation is known can be read without "
        "it, up to the pretext loss.",
        reference=OURS,
        chapter="paper",
        worlds=EVERYWHERE,
        ours=True,
    ),
)
"""Claims about what a small pretext loss promises."""
