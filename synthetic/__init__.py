"""The synthetic storey: generators whose class, style, pose and transformation latents are known."""

from synthetic.generator import Answer, Generator, NoExactAnswerError
from synthetic.images import Digits, RealImages, from_arrays, from_dataset
from synthetic.modular_shift import ModularShift
from synthetic.sample import Sample, Variable

GENERATORS: dict[str, type[Generator]] = {g.family: g for g in (ModularShift, Digits)}
"""The families by their name on the command line."""

__all__ = [
    "GENERATORS",
    "Answer",
    "Digits",
    "Generator",
    "ModularShift",
    "NoExactAnswerError",
    "RealImages",
    "Sample",
    "Variable",
    "from_arrays",
    "from_dataset",
]
