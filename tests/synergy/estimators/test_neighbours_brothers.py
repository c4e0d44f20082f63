"""What neighbours, their references and their parts cannot tell is refused, warned of, or left out."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from scipy.special import digamma

from synergy import estimate, independence_test
from synergy.estimators.columns import named_slots, scaled, without_repeats
from synergy.estimators.neighbours import copula_knn, knn, mixed
from synergy.estimators.neighbours.reference import GaussianReference
from synergy.estimators.neighbours.students import StudentReference
from synergy.estimators.neighbours.subsamples import Thinned, subsampled

Floats = np.ndarray


def holds(found, truth: float) -> bool:
    return found.interval[0] <= truth <= found.interval[1]


# Columns of one slot that fix each other.


def shares(rng: np.random.Generator, n: int) -> Floats:
    """Three shares of a whole, shape (n, 3)."""
    return rng.dirichlet([2.0, 2.0, 2.0], n)


def parts_and_total(rng: np.random.Generator, n: int) -> Floats:
    parts = rng.gamma(3.0, size=(n, 2))
    return np.column_stack([parts, parts.sum(axis=1)])


def two_units(rng: np.random.Generator, n: int) -> Floats:
    metres = rng.standard_normal((n, 1))
    return np.hstack([metres, metres / 0.0254 + 3.0])


def a_cube(rng: np.random.Generator, n: int) -> Floats:
    x = rng.standard_normal((n, 1))
    return np.hstack([x, x**3])


REPEATS = {f.__name__: f for f in (shares, parts_and_total, two_units, a_cube)}


@pytest.mark.parametrize("draw", REPEATS.values(), ids=REPEATS.keys())
def test_a_column_that_the_others_fix_changes_nothing(draw):
    """I(X, f(X); Y) = I(X; Y), to the digit: the column is left out, and a note names it."""
    rng = np.random.default_rng(0)
    x = draw(rng, 300)
    y = (x[:, 0] - x[:, 0].mean()) / x[:, 0].std() + rng.standard_normal(300)
    whole, less = copula_knn(x, y), copula_knn(x[:, :-1], y)
    assert whole.value == pytest.approx(less.value, abs=1e-12)
    assert whole.interval == pytest.approx(less.interval, abs=1e-12)
    assert any(
        f"column {x.shape[1] - 1} of x is a function of the columns beside it" in n for n in whole.notes
    )


@pytest.mark.parametrize("noise", [1e-3, 0.1])
def test_a_column_that_differs_by_noise_stays(noise):
    """The control: noise may be what Y depends on."""
    rng = np.random.default_rng(0)
    x = parts_and_total(rng, 300)
    x[:, 2] += noise * rng.standard_normal(300)
    kept, notes = without_repeats(named_slots(x, rng.standard_normal(300), None))
    assert (kept[0].width, notes) == (3, [])


def test_one_giant_row_hides_no_noise():
    """The control: beside 1e9 in one row noise of 1 is rounding, and in all others it is not."""
    rng = np.random.default_rng(0)
    x, noise = rng.standard_normal((2, 300))
    x[0] = 1e9
    assert without_repeats(named_slots(np.column_stack([x, x + noise]), noise, None))[0][0].width == 2


def test_a_column_that_the_condition_and_another_fix_is_left_out():
    """I(X, X + Z; Y | Z) = I(X; Y | Z)."""
    rng = np.random.default_rng(1)
    x, z, noise = rng.standard_normal((3, 400))
    y = x + z + noise
    whole, less = copula_knn(np.column_stack([x, x + z]), y, z), copula_knn(x, y, z)
    assert whole.value == pytest.approx(less.value, abs=1e-12)
    assert holds(whole, 0.5 * math.log(2))


def test_many_columns_are_seen_through_at_once_and_more_than_rows_say_nothing():
    rng = np.random.default_rng(3)
    wide = rng.standard_normal((2_000, 200))
    wide[:, 150] = wide[:, :100] @ rng.standard_normal(100)
    kept, notes = without_repeats(named_slots(wide, rng.standard_normal(2_000), None))
    assert (kept[0].width, len(notes)) == (199, 1)
    more = rng.standard_normal((30, 60))
    assert without_repeats(named_slots(more, rng.standard_normal(30), None))[0][0].width == 60


def test_labels_beside_numbers_stay_as_they_are():
    rng = np.random.default_rng(2)
    label = rng.integers(2, size=100)
    slots = named_slots(
        np.column_stack([label, 2.0 * label]), rng.standard_normal(100), None, (), ([1, 0], None)
    )
    assert without_repeats(slots)[0][0].width == 2


def test_shares_of_a_whole_that_are_independent_of_the_other_side_have_no_information():
    """Without it the value was 2.2 to 2.7 nats, silently, in 3 of 30 data sets."""
    found = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        found.append(estimate({"V": shares(rng, 300), "W": rng.standard_normal(300)}, "I(V;W)"))
    # binomial(10, 0.05) exceeds 3 with probability 1e-3
    assert sum(not holds(f, 0.0) for f in found) <= 3
    assert max(f.value for f in found) < 0.5


@pytest.mark.parametrize("noise", [0.01, 1e-3])
def test_a_sum_that_is_nearly_exact_gives_no_information_of_its_own(noise):
    """I = 1/2 log 3. The third column is too near the sum to be told from it: without the mend 0.5 to 1.3
    nats more, silently, in 3 of 8 data sets."""
    truth, found = 0.5 * math.log(3), []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        v = rng.standard_normal((300, 2))
        total = v.sum(axis=1)
        v = np.column_stack([v, total + noise * rng.standard_normal(300)])
        found.append(estimate({"V": v, "W": total + rng.standard_normal(300)}, "I(V;W)"))
    assert sum(not holds(f, truth) and not f.warnings for f in found) <= 3
    # the standard error of the Gaussian's own estimate is about 0.05
    assert max(abs(f.value - truth) for f in found) < 5 * 0.05


# References that the rows cannot tell.


def test_rank_correlations_that_no_distribution_has_are_no_reference():
    """Kendall's correlations of columns that sum up make a matrix that is singular or worse."""
    rng = np.random.default_rng(0)
    reference = StudentReference(lambda table: 0.0, (3, 1, 0), rows=300, draws=2, seed=0)
    for draw in (shares, parts_and_total):
        table = scaled(np.column_stack([draw(rng, 300), rng.standard_normal(300)]), "copula")
        measured = reference.measure(table, 0.0, 1e-3)
        assert (measured.fits, measured.bias, measured.copula.found) == (False, 0.0, False)


def test_strong_rank_correlations_of_student_rows_are_still_a_reference():
    """The control: a least eigenvalue of 0.04, 3 degrees of freedom."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((300, 4)) / np.sqrt(rng.chisquare(3.0, size=(300, 1)) / 3.0)
    rows[:, 1] = rows[:, 0] + 0.3 * rows[:, 1]
    reference = StudentReference(lambda table: 0.0, (2, 2, 0), rows=300, draws=2, seed=0)
    assert reference.fitted(scaled(rows, "copula")).found


@pytest.mark.parametrize(("noise", "resolved"), [(3e-4, False), (0.1, True), (1.0, True)])
def test_correlations_that_ranks_do_not_resolve_are_no_reference(noise, resolved):
    rng = np.random.default_rng(0)
    z, *others = rng.standard_normal((3, 300))
    table = scaled(np.column_stack([z + noise * others[0], z + noise * others[1], z]), "copula")
    reference = GaussianReference(lambda table: 0.0, (1, 1, 1), rows=300, draws=2, seed=0)
    assert reference.fitted(table).found is resolved


@pytest.mark.parametrize("noise", [1e-3, 3e-4, 1e-4])
def test_sides_that_nearly_are_the_condition_end_in_no_crash_and_no_silence(noise):
    """I(X;Y|Z) = 0 of X = Z + noise and Y alike: in 5 of 18 data sets it was an error."""
    for seed in range(4):
        rng = np.random.default_rng(1000 + seed)
        z = rng.standard_normal(300)
        x, y = z + noise * rng.standard_normal((2, 300))
        found = estimate({"X": x, "Y": y, "Z": z}, "I(X;Y|Z)")
        assert abs(found.value) < 0.1
        assert holds(found, 0.0) or found.warnings


def test_a_part_with_dependent_ranks_takes_no_correction():
    """Two columns of ranks that differ in one place: of half of the rows they are often the same."""
    rng = np.random.default_rng(0)
    z = np.sort(rng.standard_normal(100))
    x = z.copy()
    x[::10] += 1.5 * np.diff(z, append=z[-1] + 1.0)[::10]
    found = copula_knn(np.column_stack([x, rng.standard_normal(100)]), rng.standard_normal(100), z)
    assert all(map(math.isfinite, (found.value, found.standard_error, *found.interval)))


def test_a_correction_that_is_most_of_the_value_is_warned_of():
    """5 + 5 Gaussian columns, correlated by 0.9 in pairs: 4.15 nats, of which neighbours show 2 or so."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 5))
    strong = copula_knn(x, 0.9 * x + math.sqrt(0.19) * rng.standard_normal((300, 5)))
    assert any("most of the value is a correction" in warning for warning in strong.warnings)
    mild = copula_knn(x[:, :2], x[:, :2] + rng.standard_normal((300, 2)))
    assert mild.warnings == ()


# Labels that are all but distinct.


def names(rng: np.random.Generator, n: int, ties: int) -> Floats:
    """n names, of which 2 ties are in pairs."""
    codes = np.arange(n)
    codes[1 : 2 * ties : 2] = codes[0 : 2 * ties : 2]
    return np.array([f"s{code}" for code in codes])[rng.permutation(n)]


@pytest.mark.parametrize("ties", [0, 1, 5])
@pytest.mark.parametrize("term", ["I(S;X)", "I(X;Y|S)", "I(X;A|S)"])
def test_names_that_hardly_repeat_are_refused(ties, term):
    rng = np.random.default_rng(ties)
    data = {"S": names(rng, 200, ties), "X": rng.standard_normal(200), "Y": rng.standard_normal(200)}
    data["A"] = rng.integers(2, size=200)
    with pytest.raises(
        ValueError, match=rf"all but distinct: {0 if '|' in term else 2 * ties} of 200 rows share"
    ):
        estimate(data, term)


@pytest.mark.parametrize("ties", [10, 20, 40])
def test_a_few_more_give_a_wide_interval_and_a_warning(ties):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        found = estimate({"S": names(rng, 200, ties), "X": rng.standard_normal(200)}, "I(S;X)")
        assert holds(found, 0.0)
        assert any(f"the value is of {2 * ties} of 200 rows" in warning for warning in found.warnings)
        json.dumps([found.value, found.standard_error, *found.interval], allow_nan=False)


def test_pairs_as_conditions_are_refused_because_every_term_of_a_pair_is_0():
    """Y is X and little noise in every pair, and yet each term is psi(1) - psi(1) - psi(1) + psi(1)."""
    rng = np.random.default_rng(0)
    x, pair = rng.standard_normal(100), np.repeat(np.arange(50), 2)
    y = x + 0.1 * rng.standard_normal(100)
    with pytest.raises(ValueError, match="0 of 100 rows share theirs with two others"):
        mixed(x, y, pair, discrete_z=[True])
    assert mixed(x, y, np.repeat(np.arange(5), 20), discrete_z=[True]).value > 0.3, "the control"


def test_parts_without_an_estimate_are_left_out_and_never_all():
    thinned = Thinned(np.arange(40), seed=0)
    rng = np.random.default_rng(0)
    values = rng.standard_normal(40)
    error = subsampled(thinned, lambda rows: float(values[rows].mean()), 0.0, 5)[0]
    some = subsampled(
        thinned, lambda rows: float(values[rows].mean()) if 0 in rows or 1 in rows else math.nan, 0.0, 5
    )[0]
    assert math.isfinite(error)
    assert some == pytest.approx(error, rel=1)
    with pytest.raises(ValueError, match="no two rows of a random part"):
        subsampled(thinned, lambda rows: math.nan, 0.0, 5)


# Few groups.


@pytest.mark.parametrize("groups", [1, 4, 6, 9])
@pytest.mark.parametrize("term", ["I(X;Y)", "I(A;X)", "I(X;Y|Z)"])
def test_neighbours_ask_for_groups(groups, term):
    rng = np.random.default_rng(0)
    data = {name: rng.standard_normal(200) for name in "XYZ"}
    data |= {"A": rng.integers(2, size=200), "G": np.arange(200) % groups}
    with pytest.raises(
        ValueError, match=f"5 neighbours need at least 10 groups of dependent rows, got {groups}"
    ):
        estimate(data, term, groups="G")


def test_blocks_are_groups():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 200))
    with pytest.raises(ValueError, match="at least 10 groups of dependent rows, got 4"):
        estimate({"X": x, "Y": y}, "I(X;Y)", blocks=50)


def test_fewer_neighbours_need_fewer_groups_and_enough_groups_cover():
    rng = np.random.default_rng(0)
    groups = np.arange(200) % 12
    missed = 0
    for _ in range(6):
        x = rng.standard_normal(200)
        y = 0.9 * x + math.sqrt(0.19) * rng.standard_normal(200)
        missed += not holds(knn(x, y, groups=groups), -0.5 * math.log(0.19))
        assert math.isfinite(knn(x, y, groups=np.arange(200) % 8, k=2).standard_error)
    # binomial(6, 0.05) exceeds 2 with probability 2e-3
    assert missed <= 2


@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("statement", ["X _||_ Y", "X _||_ Y | Z", "A _||_ B"])
def test_groups_of_which_no_p_value_could_be_small_are_not_tested(groups, statement):
    """Y is X and little noise, and with three groups p could not be below P(|g| > 3^(1/2)) = 0.083."""
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((2, 200))
    data = {"X": x, "Y": x + 0.1 * rng.standard_normal(200), "Z": z, "G": np.arange(200) % groups}
    data |= {"A": (x > 0).astype(int), "B": (x > 0.1).astype(int)}
    found = independence_test(data, statement, groups="G")
    assert found.p_value is None
    assert any(f"groups, {groups} in number, are too few" in warning for warning in found.warnings)
    json.dumps(asdict(found), allow_nan=False)


def test_a_condition_needs_more_groups_for_its_many_functions_and_enough_still_reject():
    rng = np.random.default_rng(0)
    x, z = rng.standard_normal((2, 200))
    data = {"X": x, "Y": x + 0.1 * rng.standard_normal(200), "Z": z}
    tested = {
        (statement, g): independence_test(data | {"G": np.arange(200) % g}, statement, groups="G").p_value
        for statement, g in (("X _||_ Y | Z", 6), ("X _||_ Y | Z", 20), ("X _||_ Y", 6))
    }
    assert tested.pop(("X _||_ Y | Z", 6)) is None
    assert all(p is not None and p <= 0.05 for p in tested.values())


def test_the_scale_of_what_neighbours_can_show():
    """psi(n) - psi(k): with 300 rows and 5 neighbours 4.2 nats, beyond which no value stays silent."""
    assert digamma(300) - digamma(5) == pytest.approx(4.196, abs=1e-3)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 5))
    found = copula_knn(x, x + 0.05 * rng.standard_normal((300, 5)))
    assert found.value > 4.196
    assert found.warnings
