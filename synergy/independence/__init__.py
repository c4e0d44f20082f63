"""Tests of conditional independence that hold their level.

Local permutation rejects true independences when X and Y both depend strongly on a Z that the rows fill
sparsely, because neighbours in Z are then not exchangeable; so do tests on bootstrapped neighbour
estimates. The default for continuous columns therefore regresses both sides on Z and tests what is left
(Shah and Peters 2020, "The hardness of conditional independence testing and the generalised covariance
measure", Annals of Statistics 48), whose level needs only that the product of the two regression errors
is small. No test holds its level everywhere (their theorem 2): where X and Y are the same rough function of
Z with a tenth of its size as noise, the regression is not good enough with 500 rows, and this one too
rejects too often (13 % at nominal 5 %, against all data sets for local permutation on easier functions;
`benchmarks/independence.py`).
"""

from synergy.independence.front import Method, independence_test
from synergy.independence.result import IndependenceResult

__all__ = ["IndependenceResult", "Method", "independence_test"]
