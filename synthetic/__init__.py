"""The synthetic storey: generators whose class, style, pose and transformation latents are known."""

from synthetic.generator import Answer, Generator, NoExactAnswerError
from synthetic.modular_shift import ModularShift
from synthetic.sample import Sample, Variable

GENERATORS: dict[str, type[Generator]] = {g.family: g for g in (ModularShift,)}
"""The families by their name on the command line."""

__all__ = ["GENERATORS", "Answer", "Generator", "ModularShift", "NoExactAnswerError", "Sample", "Variable"]
