"""Tests of conditional independence that hold their level.

Local permutation rejects true independences when X and Y both depend strongly on a Z that the rows fill
sparsely, because neighbours in Z are then not exchangeable; so do tests on bootstrapped neighbour
estimates. The default for continuous columns therefore regresses both sides on Z and tests what is left
(Shah and Peters 2020, "The hardness of conditional independence testing and the generalised covariance
measure", Annals of Statistics 48), whose level needs only that the product of the two regressions' biases is
small: the regressions are undersmoothed, and what they miss is differenced away between neighbours in Z. No
test holds its level everywhere (their theorem 2). Where X and Y are the same step function of Z with a tenth
of its size as noise, 500 rows do not show where the step is, and this test rejects as well. A note says where
Z was not learnt, because what is left of X goes along with what is left of Y in *other* rows; it comes in
about half of those cases, and in one of twenty where all is well (`benchmarks/independence.py`).
"""

from synergy.independence.front import Method, independence_test
from synergy.independence.result import IndependenceResult

__all__ = ["IndependenceResult", "Method", "independence_test"]
