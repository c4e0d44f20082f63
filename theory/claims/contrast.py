"""The chapter of contrast: two views of one input, and what comparing them can know of the class.

The ideas are those of the works named with each claim; the forms and their numbering are ours.
"""

from __future__ import annotations

from theory.claims.composed import Composed
from theory.claims.evidence import World
from theory.claims.registry import Claim
from theory.diagrams import GIVEN_CLASS, TWO_VIEWS
from theory.joints import Joint

__all__ = ["CONTRAST"]

_CHAPTER = "contrast"
"""The chapter that these claims stand in."""
_CPC = (
    "after van den Oord, Li and Vinyals (2018), arXiv:1807.03748, and Poole et al. (2019), arXiv:1905.06922"
)
"""The sources of InfoNCE and its bounds."""
_SAUNSHI = "after Saunshi et al. (2019), arXiv:1902.09229"
"""A source."""
_TIAN = "after Tian et al. (2020), arXiv:2005.10243"
"""A source."""
_OURS = "this project"
"""The source of what is stated here for the first time."""
_KNOWN: tuple[World, ...] = ("proof", "symbolic", "exact", "sample")
"""Worlds without training."""

_SUFFICIENT = "R->P, P->Q, O->Q, P->E, Q->E, R->B, B->D, V->D, B->F, D->F"
"""X1 = (P, Q) shares with X2 = (B, D) no more than P does, and no more than B does."""


def _shared_without_class() -> Joint:
    same = {"X1": lambda c, r: r, "X2": lambda c, r: r}
    return Joint.from_function(("C", "R"), (2, 2), same)


def _class_in_both_together() -> Joint:
    views = {"Z1": lambda c, s: s, "Z2": lambda c, s: c ^ s}
    return Joint.from_function(("C", "S"), (2, 2), views).marginal(("C", "Z1", "Z2"))


CONTRAST = (
    Claim(
        "K1",
        "Contrast sees what the views share",
        "I(Z1;Z2) <= I(X1;X2)",
        "true",
        TWO_VIEWS,
        prose="Representations of two views share no more than the views do, which is what a contrastive "
        "bound estimates from below.",
        reference=_CPC,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K2",
        "Contrast sees no more than the raw input",
        "I(Z1;Z2) <= H(R)",
        "true",
        TWO_VIEWS,
        prose="Two views share no more than there is in the raw input that both were made from.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K3",
        "Contrast knows the class",
        "I(X1;X2) <= I(X1;C)",
        "true",
        GIVEN_CLASS,
        prose="Where two views are independent given the class, all that they share is about the class.",
        reference=_SAUNSHI,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K3f",
        "Contrast knows more than the class",
        "I(X1;X2) <= I(X1;C)",
        "false",
        TWO_VIEWS,
        prose="Views of one raw input share its style as well, so that independence given the class is what "
        "the bound by the class rests on.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_shared_without_class,
    ),
    Claim(
        "K4",
        "A sufficient encoder loses nothing shared",
        "I(Z1;X2) == I(X1;X2)",
        "true",
        TWO_VIEWS,
        ("I(X1;X2|Z1) == 0",),
        prose="An encoder that is sufficient for the other view keeps all that the views share.",
        reference=_TIAN,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_SUFFICIENT, {"X1": "P,Q", "X2": "B", "Z1": "P,E"}),
    ),
    Claim(
        "K5",
        "Two sufficient encoders share what the views share",
        "I(Z1;Z2) == I(X1;X2)",
        "true",
        TWO_VIEWS,
        ("I(X1;X2|Z1) == 0", "I(X1;X2|Z2) == 0"),
        prose="Where both encoders are sufficient for the other view, the contrastive optimum is reached.",
        reference=_TIAN,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed(_SUFFICIENT, {"X1": "P,Q", "X2": "B,D", "Z1": "P,E", "Z2": "B,F"}),
    ),
    Claim(
        "K6",
        "What contrast earns for the class",
        "I(Z1;C) >= I(Z1;X2) - I(Z1;X2|C)",
        "true",
        TWO_VIEWS,
        prose="A representation knows the class at least as well as it knows the other view, less what it "
        "knows of that view beyond the class.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K7",
        "What contrast earns for the class, in full",
        "I(Z1;C) == I(Z1;X2) - I(Z1;X2|C) + I(Z1;C|X2)",
        "true",
        TWO_VIEWS,
        prose="The class information of a representation is what it shares with the other view about the "
        "class, plus what it knows of the class that the other view does not show.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K8",
        "Augmentation adds no class information",
        "I(C;X1) <= I(C;R)",
        "true",
        TWO_VIEWS,
        prose="A view tells no more of the class than the raw input that it was made from.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "K9",
        "Label-preserving augmentation loses none",
        "I(C;X1) == I(C;R)",
        "true",
        TWO_VIEWS,
        ("H(C|X1) == 0",),
        prose="Where the class can be read off the view, the augmentation lost no class information.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        draw=Composed("C->K, C->N, K->N", {"C": "C", "R": "C,K", "X1": "C,N"}),
    ),
    Claim(
        "N1",
        "Two representations know no less than one",
        "I(C;Z1,Z2) >= I(C;Z1)",
        "true",
        TWO_VIEWS,
        prose="The features of two objectives together tell at least as much of the class as those of one.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
    Claim(
        "N2f",
        "Two representations can know more than their sum",
        "I(C;Z1,Z2) <= I(C;Z1) + I(C;Z2)",
        "false",
        TWO_VIEWS,
        prose="Two representations can tell the class together though neither tells anything of it alone: "
        "one shows the style, the other the class masked by the style.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
        witness=_class_in_both_together,
    ),
    Claim(
        "N2",
        "Independent given the class, they know no more than their sum",
        "I(C;Z1,Z2) <= I(C;Z1) + I(C;Z2)",
        "true",
        GIVEN_CLASS,
        prose="Where the views are independent given the class, two representations tell no more of it than "
        "the sum of what each tells.",
        reference=_OURS,
        chapter=_CHAPTER,
        worlds=_KNOWN,
    ),
)
"""Claims about contrastive learning."""
