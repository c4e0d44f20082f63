"""Closed forms of the synthetic families, one file each."""

from theory.predictions.closed_form import ClosedForm
from theory.predictions.modular_shift import ModularShiftForm

__all__ = ["ClosedForm", "ModularShiftForm"]
