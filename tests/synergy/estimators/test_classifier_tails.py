"""The default classifier on numbers with heavy tails, and on classes that differ by more than their means."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi2, norm, special_ortho_group
from scipy.stats import t as student

from synergy import estimate
from synergy.estimators.classifier import classifier
from synergy.estimators.classifier.linear import LinearClassifier
from synthetic import Sample, Variable

ROWS, COLUMNS, SHIFT, RATIO = 1_000, 5, 1.5, 2.0
FREEDOM = 1.5
"""Of Student's t: no variance."""


def shifted(seed):
    """Two classes of standard normal rows whose means are SHIFT apart."""
    rng = np.random.default_rng(seed)
    c = rng.integers(2, size=ROWS)
    return c, rng.standard_normal((ROWS, COLUMNS)) + SHIFT / math.sqrt(COLUMNS) * c[:, None]


def wider(seed):
    """Two classes of normal rows around 0, of standard deviations 1 and RATIO."""
    rng = np.random.default_rng(seed)
    c = rng.integers(2, size=ROWS)
    return c, rng.standard_normal((ROWS, COLUMNS)) * np.where(c, RATIO, 1.0)[:, None]


def heavy(seed):
    """Two classes of independent Student columns; the first of the second class is moved by 2 SHIFT."""
    rng = np.random.default_rng(seed)
    c = rng.integers(2, size=ROWS)
    x = rng.standard_t(FREEDOM, size=(ROWS, COLUMNS))
    x[:, 0] += 2 * SHIFT * c
    return c, x


def information(first, second, low, high):
    """I(C;T) of a fair C from the densities of T in the classes; log 2 less the mean entropy of C given T."""

    def integrand(t):
        p, q = first(t), second(t)
        both = p + q
        return 0.5 * sum(x * math.log(2 * x / both) for x in (p, q) if x > 0)

    return quad(integrand, low, high, limit=200)[0]


SHIFTED = information(norm.pdf, lambda t: norm.pdf(t - SHIFT), -12, 14)
"""T is the row along the shift."""

WIDER = information(chi2(COLUMNS).pdf, lambda t: chi2(COLUMNS).pdf(t / RATIO**2) / RATIO**2, 0, 200)
"""T is the squared length of the row."""


MOVED = information(student(FREEDOM).pdf, student(FREEDOM, 2 * SHIFT).pdf, -1e3, 1e3)
"""T is the first column; beyond a thousand both densities are one to 0.5 %, and hold 3e-5 of the rows."""

TURN = special_ortho_group(COLUMNS, seed=0).rvs()


def sample_of(c, x):
    return Sample({"C": c, "X": x}, {"C": Variable("C", "discrete", 2), "X": Variable("X", "continuous")})


def test_what_is_heavy_tailed_tells_as_much():
    """exp is monotone in every column, so the information is that of the normal rows."""
    c, x = shifted(0)
    found = estimate({"C": c, "X": np.exp(2 * x)}, "I(C;X)")
    assert found.estimator == "classifier"
    assert found.interval[0] <= SHIFTED <= found.interval[1]


def test_two_heavy_tailed_units_of_a_column_give_the_same_bits():
    c, x = shifted(1)
    one, other = (classifier(sample_of(c, np.exp(a * x)), "I(C;X)", quality="quick") for a in (2.0, 3.0))
    np.testing.assert_array_equal(one.scores, other.scores)


def test_classes_that_differ_by_their_spread_alone():
    c, x = wider(0)
    found = estimate({"C": c, "X": x}, "I(C;X)")
    assert found.interval[0] <= WIDER <= found.interval[1]


def test_heavy_tails_that_were_mixed():
    c, x = heavy(0)
    found = estimate({"C": c, "X": x @ TURN}, "I(C;X)")
    assert found.interval[0] <= MOVED <= found.interval[1]


def test_sources_are_found_again():
    """Mixtures of independent columns tell as much as these do."""
    c, x = heavy(1)
    model = LinearClassifier(bends=(-1.0, 0.0, 1.0), sources=True)
    plain, mixed = (classifier(sample_of(c, table), "I(C;X)", model=model) for table in (x, x @ TURN))
    apart = plain.scores - mixed.scores
    assert abs(apart.mean()) < 4 * apart.std(ddof=1) / math.sqrt(ROWS)
    assert mixed.value > MOVED - 4 * mixed.standard_error


@pytest.mark.parametrize("extra", [[], [0], [0, 1]], ids=["a constant", "a copy", "two copies"])
def test_columns_that_are_functions_of_others_have_fewer_sources(extra):
    c, x = heavy(2)
    few = x[:300, :2]
    table = np.hstack([few, few[:, extra], np.zeros((300, 1))])
    model = LinearClassifier(penalties=(0.3,), bends=(0.0,), sources=True)
    plain, more = (classifier(sample_of(c[:300], z), "I(C;X)", model=model) for z in (few, table))
    apart = plain.scores - more.scores
    assert abs(apart.mean()) <= 4 * apart.std(ddof=1) / math.sqrt(300)


@pytest.mark.parametrize("more", [{"products": True}, {"bends": (-1.0, 0.0, 1.0)}])
def test_a_line_knows_no_spread_and_products_and_bends_do(more):
    c, x = wider(1)
    line, bent = (
        classifier(sample_of(c, x), "I(C;X)", model=LinearClassifier(**options)) for options in ({}, more)
    )
    assert abs(line.value) < 4 * line.standard_error
    assert bent.value > 4 * bent.standard_error
    assert bent.value < WIDER + 4 * bent.standard_error


def test_a_model_of_the_callers_sees_the_columns_as_they_are():
    seen = []

    class Looks(LinearClassifier):
        def fit_predict(self, design, *rest, **options):
            seen.append(design.matrix)
            return super().fit_predict(design, *rest, **options)

    c, x = shifted(2)
    classifier(sample_of(c, np.exp(2 * x)), "I(C;X)", model=Looks())
    np.testing.assert_allclose(seen[-1], np.exp(2 * x).astype(np.float32))
