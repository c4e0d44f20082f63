"""The symbolic checks: a law as an identity between free joint entropies, or in the closed forms of families.

Free joint entropies are symbols, so that an identity between them holds for every distribution. sympy is
imported when a check runs, so that the list of claims does not wait for it.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

from theory.claims.evidence import Evidence

if TYPE_CHECKING:
    import sympy

__all__ = [
    "coarse_labels_lose_synergy",
    "erasure_is_formal",
    "free_orbits_have_no_synergy",
    "group_worlds",
    "index_formula_in_closed_form",
    "invariance_has_no_synergy",
    "separate_factors_have_no_synergy",
    "shifts_explain_away",
    "synergies_of_factors_add_up",
    "watermark_is_formal",
]

_QUARTERS = [[(x + g) % 4 for x in range(4)] for g in range(4)]
"""The quarter turns, acting on four poses."""
_SKEWED = [Fraction(1, k) for k in (2, 4, 8, 8)]
"""A prior of the poses that no symmetry leaves alone."""


def _formal(differences: dict[str, sympy.Expr]) -> Evidence:
    """Identities that hold when each difference is identically zero."""
    import sympy

    wrong = [name for name, d in differences.items() if sympy.simplify(sympy.expand(d)) != 0]
    summary = f"identities: {', '.join(differences)}" + (f"; fail: {', '.join(wrong)}" if wrong else "")
    return Evidence("symbolic", not wrong, -math.inf if wrong else 0.0, 0.0, len(differences), summary)


def group_worlds() -> dict[str, list[list[int]]]:
    """Cyclic and dihedral groups acting on the sets of corners of a polygon, so that stabilisers vary."""

    def on_subsets(corner_action: list[list[int]]) -> list[list[int]]:
        size = len(corner_action[0])
        moved = []
        for row in corner_action:
            moved.append([sum(1 << row[i] for i in range(size) if s >> i & 1) for s in range(2**size)])
        return moved

    found = {}
    for k in (3, 4, 5):
        turns = [[(x + g) % k for x in range(k)] for g in range(k)]
        flips = [[(g - x) % k for x in range(k)] for g in range(k)]
        found[f"cyclic({k})"] = on_subsets(turns)
        found[f"dihedral({k})"] = on_subsets(turns + flips)
    return found


def shifts_explain_away(seed: int) -> Evidence:
    """E4: in the modular shift A and C are independent and the synergy is log n without noise."""
    import sympy

    from theory.predictions.modular_shift import ModularShiftForm, n, noise

    form = ModularShiftForm(all_classes=True)
    synergy = form.predict("I(A;C|X)").subs(noise, 0)
    return _formal({"I(A;C) = 0": form.predict("I(A;C)"), "I(A;C|X) = log n": synergy - sympy.log(n)})


def free_orbits_have_no_synergy(seed: int) -> Evidence:
    """L2: with one free orbit for each class the input shows the transformation, and there is no synergy."""
    import sympy

    from theory.predictions.orbits import OrbitForm

    action = [row + [4 + x for x in row] for row in _QUARTERS]
    form = OrbitForm(action, [0, 4], prior=[sympy.Rational(1, 3), sympy.Rational(2, 3)])
    return _formal({"H(A|X) = 0": form.predict("H(A|X)"), "I(A;C|X) = 0": form.predict("I(A;C|X)")})


def separate_factors_have_no_synergy(seed: int) -> Evidence:
    """R1: X = (X1, X2) with the class in one factor and the transformation in the other."""
    from theory.predictions.products import ProductForm
    from theory.predictions.watermark import FreeForm

    shift = FreeForm("C", "X1")
    other = FreeForm("A", "X2")
    form = ProductForm(shift, other)
    return _formal({"I(A;C|X1,X2) = 0": form.predict("I(A;C|X1,X2)")})


def coarse_labels_lose_synergy(seed: int) -> Evidence:
    """F1: dividing out a subgroup N loses H(C|O_N), the class entropy inside the orbits of N."""
    from theory.predictions.orbits import OrbitForm
    from theory.predictions.quotients import QuotientForm

    fine = QuotientForm(_QUARTERS, range(4), coarse=[0, 1, 0, 1], prior=_SKEWED)
    inside = OrbitForm([_QUARTERS[0], _QUARTERS[2]], range(4), prior=_SKEWED)
    lost = fine.predict("I(B;C|X) - I(A;C|X)")
    return _formal({"I(B;C|X) - I(A;C|X) = H(C|O_N)": lost - inside.predict("H(C|O)")})


def synergies_of_factors_add_up(seed: int) -> Evidence:
    """M1: two transformations on independent factors have the sum of the synergies."""
    from theory.predictions.products import ProductForm
    from theory.predictions.watermark import FreeForm

    form = ProductForm(FreeForm("A", "C", "X"), FreeForm("A", "C", "X", prefix="G").rename({"A": "B"}))
    added = form.predict("I(A,B;C|X) - I(A;C|X) - I(B;C|X)")
    return _formal({"I(A,B;C|X) = I(A;C|X) + I(B;C|X)": added})


def invariance_has_no_synergy(seed: int) -> Evidence:
    """V1: a group that leaves every prototype where it is shows nothing of A."""
    from theory.predictions.orbits import OrbitForm

    form = OrbitForm([[0, 1, 2, 3]] * 4, range(4), prior=_SKEWED)
    return _formal({"I(A;X) = 0": form.predict("I(A;X)"), "I(A;C|X) = 0": form.predict("I(A;C|X)")})


def erasure_is_formal(seed: int) -> Evidence:
    """L3: the factor as an identity, and an interior maximum in a family that starts lossless.

    The family is the modular shift with four states, two shifts and two classes: without noise X shows A
    and C, with nothing but noise it shows neither, and in between the synergy is positive.
    """
    import sympy

    from theory.predictions.erasure import ErasedForm, erasure
    from theory.predictions.modular_shift import ModularShiftForm, n, noise, shifts
    from theory.predictions.watermark import FreeForm

    free = FreeForm("A", "C", "X")
    independent = {sympy.Symbol("H_AC"): sympy.Symbol("H_A") + sympy.Symbol("H_C")}
    erased = ErasedForm(free)
    scaling = erased.predict("I(A;C|X)") - (1 - erasure) * free.predict("I(A;C|X)")
    growth = sympy.diff(erased.predict("H(A|X)"), erasure) - free.predict("I(A;X)")
    half = sympy.Rational(1, 2)
    family = ModularShiftForm(prior=(half, half, 0, 0), subgroup=(4, 2, 2))
    synergy = family.predict("I(A;C|X)").subs({n: 4, shifts: 2})
    formal = _formal(
        {
            "I(A;C|X') = (1-d) I(A;C|X)": scaling.subs(independent),
            "d/dd H(A|X') = I(A;X)": growth,
            "no synergy without noise": synergy.subs(noise, 0),
            "no synergy with noise 1": synergy.subs(noise, 1),
        }
    )
    middle = float(synergy.subs(noise, half))
    summary = f"{formal.summary}; in between, at noise 1/2, {middle:.4f} nats"
    return Evidence("symbolic", formal.holds and middle > 0, middle, 0.0, formal.cases + 1, summary)


def watermark_is_formal(seed: int) -> Evidence:
    """P2: the factor, and the negative slope, for free joint entropies."""
    from theory.predictions.watermark import FreeForm, WatermarkedForm, strength, synergy_slope

    free = FreeForm("A", "C", "X")
    marked = WatermarkedForm(free)
    slope, minus_synergy = synergy_slope()
    return _formal(
        {
            "I(A;C|X') = (1-g) I(A;C|X)": marked.predict("I(A;C|X)")
            - (1 - strength) * free.predict("I(A;C|X)"),
            "d/dg I(A;C|X') = -I(A;C|X)": slope - minus_synergy,
        }
    )


def index_formula_in_closed_form(seed: int) -> Evidence:
    """V2: the closed form of the orbit family is the mean log index, with an orbit of every kind."""
    import sympy

    from theory.predictions.orbits import OrbitForm

    differences: dict[str, sympy.Expr] = {}
    for name, action in group_worlds().items():
        form = OrbitForm(action, range(len(action[0])))
        indices = [sympy.log(sympy.Integer(len(action) // len(k))) for k in form.stabilisers]
        mean = sympy.expand_log(sympy.Add(*indices) / len(indices), factor=True)
        differences[name] = form.predict("I(A;X|C)") - mean
    return _formal(differences)
