from __future__ import annotations

import math

import numpy as np
import pytest

from synergy.estimators import estimate
from synthetic import ModularShift, Sample, Variable


def gaussian_pair(n: int, d: int, truth: float, seed: int, *, dz: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    rho = math.sqrt(1 - math.exp(-2 * truth / d))
    x = rng.normal(size=(n, d))
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(n, d))
    if not dz:
        return {"X": x, "Y": y}
    z = rng.normal(size=(n, dz))
    shared = z @ np.ones((dz, d)) / math.sqrt(dz)
    return {"X": x + shared, "Y": y + shared, "Z": z}


@pytest.mark.parametrize(("d", "dz"), [(1, 0), (3, 0), (1, 1), (3, 3)])
def test_gaussian_columns_in_several_dimensions(d, dz):
    found = estimate(gaussian_pair(1200, d, 0.5, 0, dz=dz), "I(X;Y|Z)" if dz else "I(X;Y)")
    assert abs(found.value - 0.5) < 4 * found.standard_error
    assert found.notes[0].startswith("auto chose copula-knn")


def test_monotone_changes_and_units_do_not_matter():
    data = gaussian_pair(800, 2, 0.4, 1, dz=1)
    first = estimate(data, "I(X;Y|Z)").value
    changed = {"X": np.exp(data["X"]), "Y": data["Y"] * 0.1, "Z": data["Z"] ** 3 * 10}
    assert estimate(changed, "I(X;Y|Z)").value == pytest.approx(first, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["ksg1", "ksg2", "frenzel-pompe", "copula-knn", "gaussian", "gaussian-copula"]
)
def test_estimators_of_continuous_columns_by_name(name):
    data = gaussian_pair(1500, 1, 0.5, 2)
    found = estimate(data, "I(X;Y)", estimator=name)
    assert abs(found.value - 0.5) < 4 * found.standard_error


@pytest.mark.parametrize("name", ["ksg1", "frenzel-pompe", "copula-knn", "gaussian"])
def test_an_integer_column_switches_to_the_mixed_estimator(name):
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=1000)
    found = estimate({"A": a, "X": a + 0.05 * rng.normal(size=1000)}, "I(A;X)", estimator=name)
    assert f"A is discrete: switched from {name} to mesner-shalizi" in found.notes[0]
    assert abs(found.value - math.log(2)) < 0.05


@pytest.mark.parametrize("name", ["ksg1", "frenzel-pompe", "copula-knn", "mesner-shalizi"])
def test_neighbours_run_on_a_device_by_name(name):
    data = gaussian_pair(300, 1, 0.5, 2)
    plain = estimate(data, "I(X;Y)", estimator=name)
    tiled = estimate(data, "I(X;Y)", estimator=name, device="cpu")
    assert tiled.value == pytest.approx(plain.value, abs=1e-12)
    with pytest.raises(ValueError, match="unknown device 'nowhere'"):
        estimate(data, "I(X;Y)", estimator=name, device="nowhere")


@pytest.mark.parametrize("name", ["ross", "gao", "mesner-shalizi"])
def test_mixed_estimators_by_name(name):
    rng = np.random.default_rng(1)
    a = rng.integers(2, size=1000)
    found = estimate({"A": a, "X": 20.0 * a + rng.normal(size=1000)}, "I(A;X)", estimator=name)
    assert abs(found.value - math.log(2)) < 0.02


def test_zero_inflated_poisson_meets_the_right_answer():
    """The exact value at p = 0.15 is 0.2298; the formula that papers copy is only an upper bound."""
    rng = np.random.default_rng(3)
    x = rng.exponential(size=4000)
    y = np.where(rng.random(4000) < 0.15, 0, rng.poisson(x))
    found = estimate({"X": x, "Y": y}, "I(X;Y)")
    assert abs(found.value - 0.2298) < 3 * found.standard_error + 0.005
    assert "chose ross" in found.notes[0]


def test_continuous_ties_are_stated():
    rng = np.random.default_rng(4)
    x = np.round(rng.normal(size=1500), 1)
    y = x + rng.normal(size=1500)
    found = estimate({"X": x, "Y": y}, "I(X;Y)")
    notes = " ".join(found.notes)
    assert "repeats more than 5 % of its values: switched" in notes
    assert abs(found.value - 0.5 * math.log(2)) < 4 * found.standard_error + 0.01


def test_numbers_that_repeat_few_values_are_labels():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    data = {"X": np.round(x), "Y": np.round(0.8 * x + 0.6 * rng.normal(size=2000))}
    found = estimate(data, "I(X;Y)")
    assert found.notes[0].startswith("auto chose the discrete estimator: the numbers repeat few values (X ")
    named = {name: column.astype(int) for name, column in data.items()}
    assert found.value == pytest.approx(estimate(named, "I(X;Y)").value, abs=1e-12)
    finer = {name: np.round(column + 0.3 * rng.normal(size=2000), 2) for name, column in data.items()}
    assert "discrete estimator" not in estimate(finer, "I(X;Y)").notes[0], "too many states for labels"
    with pytest.raises(ValueError, match="differential entropy"):
        estimate(data, "H(X)")


def test_duplicated_rows_are_stated():
    data = gaussian_pair(600, 1, 0.5, 5)
    twice = {name: np.concatenate([column, column[:20]]) for name, column in data.items()}
    assert any("20 of 620 rows repeat another row" in note for note in estimate(twice, "I(X;Y)").warnings)


def test_edges_are_left_as_they_are():
    rng = np.random.default_rng(13)
    x = rng.random(1500)
    found = estimate({"X": x, "Y": x + rng.uniform(-0.4, 0.4, size=1500)}, "I(X;Y)")
    assert "X ends in edges" in found.notes[0]
    # the truth is width - log(2 width); the edges of the support cost nearest neighbours up to 0.03
    assert abs(found.value - (0.4 - math.log(0.8))) < 4 * found.standard_error + 0.03


def test_strata_of_a_discrete_condition():
    rng = np.random.default_rng(6)
    d, e, f = rng.integers(3, size=2400), *rng.normal(size=(2, 2400))
    rho = np.array([0.0, 0.6, 0.9])[d]
    data = {"X": e + 5 * d, "Y": rho * e + np.sqrt(1 - rho**2) * f - 3 * d, "D": d}
    truth = float(np.mean([0.0, -0.5 * math.log(1 - 0.36), -0.5 * math.log(1 - 0.81)]))
    found = estimate(data, "I(X;Y|D)")
    assert "within the 3 states of D" in found.notes[0]
    assert abs(found.value - truth) < 4 * found.standard_error


def test_many_dimensions_carry_a_warning():
    rng = np.random.default_rng(7)
    found = estimate({"X": rng.normal(size=(300, 6)), "Y": rng.normal(size=(300, 6))}, "I(X;Y)")
    assert any("no estimator is trustworthy in 12 joint dimensions" in note for note in found.warnings)


def test_a_discrete_slot_in_many_dimensions_goes_to_the_classifier():
    rng = np.random.default_rng(8)
    a = rng.integers(2, size=500)
    z = rng.normal(size=(500, 6)) + 3 * a[:, None] / math.sqrt(6)
    found = estimate({"A": a, "Z": z}, "I(A;Z)")
    assert found.estimator == "classifier"
    assert "6 continuous dimensions" in found.notes[0]


def test_the_entropy_of_a_label_given_numbers():
    rng = np.random.default_rng(9)
    a = rng.integers(2, size=500)
    found = estimate({"A": a, "Z": 8.0 * a + rng.normal(size=500)}, "H(A|Z)")
    assert found.value == pytest.approx(0, abs=0.02)
    assert "entropy given continuous" in found.notes[0]


def test_expressions_and_co_information_of_continuous_columns():
    data = gaussian_pair(1000, 1, 0.5, 10, dz=1)
    parts = [estimate(data, t) for t in ("I(X;Y)", "I(X;Y|Z)")]
    both = estimate(data, "I(X;Y) - I(X;Y|Z)")
    assert both.value == pytest.approx(parts[0].value - parts[1].value, abs=1e-12)
    assert estimate(data, "I(X;Y;Z)").value == pytest.approx(both.value, abs=1e-12)
    assert both.standard_error == pytest.approx(sum(p.standard_error for p in parts))
    assert any("added, not paired" in note for note in both.notes)


def test_images_without_a_label_get_a_bound_and_a_warning():
    rng = np.random.default_rng(11)
    z = rng.normal(size=150)
    images = (0.5 + 0.1 * z[:, None, None, None] * np.ones((1, 1, 3, 3))).clip(0, 1)
    found = estimate({"X": images, "Z": z}, "I(X;Z)")
    assert found.estimator == "infonce"
    assert any("trustworthy" in note for note in found.warnings)


def test_an_image_with_a_label_goes_to_the_classifier():
    sample = ModularShift(n=3).sample(300, seed=0)
    images = np.zeros((300, 1, 3, 3), dtype=np.float32)
    images[np.arange(300), 0, sample["X"]] = 1
    found = estimate(sample.with_column(Variable("X", "image"), images), "I(A;C|X)")
    assert found.notes[0] == "auto chose the classifier: X is an image"
    assert abs(found.value - math.log(3)) < 0.1


def test_groups_reach_the_neighbours():
    data = gaussian_pair(300, 1, 0.5, 12)
    index = np.repeat(np.arange(300), 3)
    jitter = np.random.default_rng(0).normal(size=(2, 900, 1)) * 0.3
    columns = {"X": data["X"][index] + jitter[0], "Y": data["Y"][index] + jitter[1], "G": index}
    variables = {"X": Variable("X", "continuous"), "Y": Variable("Y", "continuous")}
    sample = Sample(columns, {**variables, "G": Variable("G", "discrete", 300)}, "G")
    clustered = estimate(sample, "I(X;Y)", estimator="gaussian")
    naive = estimate({k: columns[k] for k in "XY"}, "I(X;Y)", estimator="gaussian")
    assert clustered.standard_error > 1.3 * naive.standard_error


BAD = {
    "fewer rows than neighbours": (
        {"X": np.arange(4.0), "Y": np.arange(4.0)[::-1]},
        "I(X;Y)",
        {},
        "20 rows, got 4",
    ),
    "an image among neighbours": (
        {"X": np.random.default_rng(0).random((50, 1, 2, 2)), "Y": np.linspace(0, 1, 50)},
        "I(X;Y)",
        {"estimator": "ksg1"},
        "cannot take the image column 'X'",
    ),
    "a constant column": (
        {"X": np.ones(50), "Y": np.linspace(0, 1, 50)},
        "I(X;Y)",
        {},
        "X of .* is constant",
    ),
    "a differential entropy": ({"X": np.linspace(0, 1, 50)}, "H(X)", {}, "differential entropy"),
    "no neighbours": (
        {"X": np.linspace(0, 1, 50), "Y": np.linspace(0, 1, 50) ** 2},
        "I(X;Y)",
        {"estimator": "ksg1", "k": 0},
        "k must be at least 1, got 0",
    ),
    "two terms for one estimator": (
        {"X": np.linspace(0, 1, 50), "Y": np.linspace(0, 1, 50) ** 2},
        "2 I(X;Y)",
        {"estimator": "ksg1"},
        "one term at a time",
    ),
}


@pytest.mark.parametrize(("data", "term", "options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_columns_are_named(data, term, options, message):
    with pytest.raises(ValueError, match=message):
        estimate(data, term, **options)
