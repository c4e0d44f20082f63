"""Forced class information J = I(C;T), T = p(A|X), and the price of avoiding the class.

`theory.forced.statistic` states the theorems J1, J2 and J4 with their proofs, `search` J3 and `price` J5.
These results are ours; they go beyond Wang et al. (2024).
"""

from theory.forced.price import Price, price_of_avoidance
from theory.forced.refinements import random_refinement
from theory.forced.search import Disagreement, deterministic_worlds, disagreements
from theory.forced.statistic import PosteriorGap, forced_information, posterior_gap, with_statistic

__all__ = [
    "Disagreement",
    "PosteriorGap",
    "Price",
    "deterministic_worlds",
    "disagreements",
    "forced_information",
    "posterior_gap",
    "price_of_avoidance",
    "random_refinement",
    "with_statistic",
]
