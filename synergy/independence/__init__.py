"""Tests of conditional independence that hold their level.

Local permutation rejects true independences when X and Y both depend strongly on a Z that the rows fill
sparsely, because neighbours in Z are then not exchangeable; so do tests on bootstrapped neighbour
estimates. The default for continuous columns therefore regresses both sides on Z and tests what is left
(Shah and Peters 2020, "The hardness of conditional independence testing and the generalised covariance
measure", Annals of Statistics 48), whose level needs only that the product of the two regressions' biases
is small: the regressions are undersmoothed, what they miss is differenced away between neighbours in Z,
they learn along which directions of Z a column varies and how fast (`metric`), and where X or Y jumps at a
threshold the regression goes on either side of it (`jumps`). Where all conditions are discrete, rows are
exchanged within their states instead, which is exact.

No test holds its level everywhere (their theorem 2; `benchmarks/independence.py`). So a small p-value comes
with `warnings` where the regressions are expected to have missed enough of Z to explain it, where what is
left of one row is related to what is left of other rows near it in Z (`hidden`), where both sides follow
functions that are too rough for the rows and are learnt in part, or where Z has too many columns for the rows
to tell. A rough function of which nothing is learnt is still taken for dependence without a warning. A side
that Z fixes, a constant and too few rows can be tested by nothing: there is no p-value then.

Dependent rows need `groups` or `blocks`: where both sides follow their own past and there are none, or rows
repeat others in every digit, there is a warning (`order`).
"""

from synergy.independence.front import IndependenceMethod, independence_test
from synergy.independence.result import IndependenceResult

__all__ = ["IndependenceMethod", "IndependenceResult", "independence_test"]
