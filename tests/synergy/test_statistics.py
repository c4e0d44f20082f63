"""Standard errors of means of dependent rows: one rule, wherever they are asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.statistics.errors import clustered_error
from synergy.statistics.intervals import cluster_variance
from synergy.statistics.paired import paired_estimate


def test_clustered_errors_agree_with_their_formula():
    """sqrt(G / (G - 1) sum_g (sum of the centred scores of g)^2) / n, with any labels of the groups."""
    rng = np.random.default_rng(0)
    scores, groups = rng.standard_normal(100), rng.integers(0, 9, 100)
    centred = scores - scores.mean()
    squares = sum(centred[groups == g].sum() ** 2 for g in np.unique(groups))
    known = math.sqrt(9 / 8 * squares) / 100
    assert clustered_error(scores, groups * 7 - 3) == pytest.approx(known, rel=1e-12)
    assert math.sqrt(cluster_variance(scores, groups)[0] / 100) == pytest.approx(known, rel=1e-12)
    paired = paired_estimate(scores, term="", estimator="", groups=groups)
    assert paired.standard_error == pytest.approx(known, rel=1e-12)


def test_without_groups_every_row_is_its_own():
    scores = np.random.default_rng(1).standard_normal(50)
    assert clustered_error(scores, None) == pytest.approx(scores.std(ddof=1) / math.sqrt(50), rel=1e-12)


@pytest.mark.parametrize(
    ("scores", "groups"),
    [
        pytest.param(np.arange(10.0), np.zeros(10, dtype=np.int64), id="one group"),
        pytest.param(np.ones(1), None, id="one row"),
    ],
)
def test_one_group_has_no_standard_error(scores, groups):
    with pytest.raises(ValueError, match="at least 2 independent rows or groups, got 1"):
        clustered_error(scores, groups)
    with pytest.raises(ValueError, match="at least 2 independent rows or groups, got 1"):
        cluster_variance(scores, np.zeros(len(scores), dtype=np.int64))
    with pytest.raises(ValueError, match="at least 2 independent rows or groups, got 1"):
        paired_estimate(scores, term="", estimator="", groups=groups)
