from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from synergy.estimators import ESTIMATORS, Estimate, estimate
from synthetic import ModularShift, Sample, Variable


@pytest.fixture(scope="module")
def shift() -> ModularShift:
    return ModularShift(n=4, noise=0.1)


@pytest.fixture(scope="module")
def sample(shift: ModularShift) -> Sample:
    return shift.sample(8000, seed=0)


def test_the_three_kinds_of_data_give_one_answer(sample):
    columns = {name: sample[name] for name in sample}
    answers = [estimate(data, "I(A;C|X)") for data in (sample, columns, pd.DataFrame(columns))]
    assert len({(a.value, a.standard_error, a.interval) for a in answers}) == 1


def test_labels_do_not_matter(sample):
    words = np.array(["north", "east", "south", "west"])
    renamed = {"A": words[sample["A"]], "C": sample["C"] * 1000 - 7, "X": pd.Categorical(sample["X"])}
    assert estimate(pd.DataFrame(renamed), "I(A;C|X)").value == pytest.approx(
        estimate(sample, "I(A;C|X)").value, abs=1e-12
    )


def test_a_linear_expression_is_paired(sample):
    gain = estimate(sample, "I(A;X|C) - I(A;X)")
    same = estimate(sample, "I(A;C|X) - I(A;C)")
    assert gain.value == pytest.approx(same.value, abs=1e-12)
    assert gain.standard_error == pytest.approx(same.standard_error, rel=1e-9)


def test_bits_are_nats_over_log_two(sample):
    nats, bits = (estimate(sample, "I(A;C|X)", unit=u) for u in ("nats", "bits"))
    assert bits.value == pytest.approx(nats.value / math.log(2))
    assert bits.interval == pytest.approx([v / math.log(2) for v in nats.interval])
    assert bits.unit == "bits"


def negative_case() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    for _ in range(20):
        data = {"A": rng.integers(4, size=300), "C": rng.integers(4, size=300)}
        if estimate(data, "I(A;C)").value < 0:
            return data
    raise AssertionError("no independent pair gave a negative estimate in 20 draws")


def test_a_negative_value_is_returned_and_clipped_only_on_request():
    data = negative_case()
    raw, clipped = (estimate(data, "I(A;C)", clip=c) for c in (False, True))
    assert raw.value < 0
    assert clipped.value == 0
    assert min(clipped.interval) >= 0
    assert f"{raw.value:.6f}" in " ".join(clipped.notes)


def test_what_can_be_negative_is_never_clipped(sample):
    assert estimate(sample, "I(A;C;X)", clip=True).value < -0.5
    assert estimate(sample, "I(A;X) - I(A;X|C)", clip=True).value < -0.5


@pytest.mark.parametrize(
    "name", [n for n in ESTIMATORS if n in ("plug-in", "miller-madow", "nsb", "digamma")]
)
def test_discrete_estimators_by_name(shift, sample, name):
    found = estimate(sample, "I(A;C|X)", estimator=name)
    assert abs(found.value - float(shift.exact("I(A;C|X)"))) < 4 * found.standard_error + 36 / 8000


def test_every_entry_describes_itself():
    for name, entry in ESTIMATORS.items():
        assert entry.name == name
        assert min(len(entry.columns), len(entry.reference), len(entry.description)) > 2
        assert not {"confidence", "seed", "groups", "term", "columns", *entry.fixed} & set(entry.options)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("gao", {"method": "ross"}),
        ("copula-knn", {"scale": None}),
        ("classifier", {"fit": None}),
        ("nwj", {"bound": "smile"}),
    ],
)
def test_what_a_name_stands_for_is_no_option(name, option):
    with pytest.raises(TypeError, match=f"option {next(iter(option))!r} is not one of {name}'s"):
        estimate(GOOD, "I(A;Z)", estimator=name, **option)


def test_notes_say_what_auto_chose(sample):
    assert estimate(sample, "I(A;C|X)").notes[0].startswith("auto chose the discrete estimator")


def test_constant_discrete_columns_are_stated():
    found = estimate({"A": np.arange(100) % 2, "C": np.zeros(100, dtype=int)}, "I(A;C)")
    assert found.value == pytest.approx(0, abs=1e-12)
    assert any("C takes one value only" in note for note in found.notes)


def test_an_estimate_is_immutable_and_prints(sample):
    found = estimate(sample, "I(A;C|X)")
    assert isinstance(found, Estimate)
    assert str(found).startswith("I(A;C|X) = ")
    with pytest.raises(AttributeError):
        found.value = 0.0


GOOD = {"A": np.arange(60) % 2, "C": np.arange(60) % 3, "Z": np.linspace(0, 1, 60)}


def with_entry(name: str, value: float) -> dict[str, np.ndarray]:
    column = GOOD["Z"].copy()
    column[7] = value
    return {**GOOD, name: column}


BAD_VALUES = {
    "NaN": ((with_entry("Z", np.nan), "I(A;Z)"), {}, r"column 'Z' has NaN: 1 of 60 rows .* row 7"),
    "infinity": ((with_entry("Z", np.inf), "I(A;Z)"), {}, r"column 'Z' has infinite values"),
    "unequal lengths": (({"A": [0, 1], "C": [0, 1, 1]}, "I(A;C)"), {}, "same length, got {'A': 2, 'C': 3}"),
    "empty": (({"A": [], "C": []}, "I(A;C)"), {}, "column 'A'"),
    "missing in a table": (
        (pd.DataFrame({"A": pd.array([1, None, 2], dtype="Int64"), "C": [0, 1, 0]}), "I(A;C)"),
        {},
        "1 missing values, the first in row 1",
    ),
    "mixed types": (
        ({"A": np.array([1, "a"], dtype=object), "C": [0, 1]}, "I(A;C)"),
        {},
        "mixes or holds types",
    ),
    "complex numbers": (({"A": np.array([1j, 2.0]), "C": [0, 1]}, "I(A;C)"), {}, "complex128"),
    "unknown variable": ((GOOD, "I(A;Q)"), {}, "unknown variable 'Q': the data has A, C, Z"),
    "a near miss": ((GOOD | {"Angle": GOOD["A"]}, "I(Angel;C)"), {}, "did you mean 'Angle'"),
    "repeated variable": ((GOOD, "I(A;C|A)"), {}, "variable 'A' is repeated in I(A;C|A)"),
    "the same slot twice": ((GOOD, "I(A;A)"), {}, "'A' is repeated"),
    "no quantity": ((GOOD, "0"), {}, "at least one quantity"),
    "not a term": ((GOOD, "I(A;"), {}, "cannot parse"),
    "unknown estimator": ((GOOD, "I(A;C)"), {"estimator": "plugin"}, "did you mean 'plug-in'"),
    "unknown unit": ((GOOD, "I(A;C)"), {"unit": "bans"}, "unit must be"),
    "confidence above one": ((GOOD, "I(A;C)"), {"confidence": 95}, "strictly between 0 and 1, got 95"),
    "floats in a discrete estimator": (
        (GOOD, "I(A;Z)"),
        {"estimator": "plug-in"},
        "'Z', which is continuous",
    ),
    "unknown groups": ((GOOD, "I(A;C)"), {"groups": "G"}, "unknown variable 'G'"),
}


@pytest.mark.parametrize(("call", "options", "message"), BAD_VALUES.values(), ids=BAD_VALUES.keys())
def test_bad_values_are_named(call, options, message):
    with pytest.raises(ValueError, match=message.replace("I(A;C|A)", r"I\(A;C\|A\)")):
        estimate(*call, **options)


BAD_TYPES = {
    "a bare array": (
        (np.zeros((5, 2)), "I(A;C)"),
        {},
        "data must be a Sample, a pandas DataFrame or a mapping",
    ),
    "a number for a term": ((GOOD, 3), {}, "term must be text"),
    "an option of another estimator": ((GOOD, "I(A;C)"), {"estimator": "plug-in", "k": 5}, "option 'k'"),
}


@pytest.mark.parametrize(("call", "options", "message"), BAD_TYPES.values(), ids=BAD_TYPES.keys())
def test_bad_types_are_named(call, options, message):
    with pytest.raises(TypeError, match=message):
        estimate(*call, **options)


def test_columns_that_are_not_named_do_no_harm():
    table = pd.DataFrame({**GOOD, "when": pd.Timestamp("2024-01-01"), "broken": np.nan})
    assert estimate(table, "I(A;C)").samples == 60


def test_an_image_is_read_by_the_classifier():
    rng = np.random.default_rng(0)
    a = rng.integers(2, size=400)
    images = rng.random((400, 1, 4, 4)).astype(np.float32) * 0.3
    images[:, 0, 0, 0] += 0.5 * a
    sample = Sample({"A": a, "X": images}, {"A": Variable("A", "discrete", 2), "X": Variable("X", "image")})
    found = estimate(sample, "I(A;X)", estimator="classifier", quality="quick")
    assert abs(found.value - math.log(2)) < 0.1
    assert any("usable" in note for note in found.notes)


@pytest.mark.parametrize("estimator", ["auto", "frenzel-pompe", "gaussian"])
def test_notes_name_the_columns_of_the_user(estimator):
    rng = np.random.default_rng(0)
    data = {"place": rng.standard_normal((300, 3)), "weight": np.round(rng.standard_normal(300), 0)}
    data["place"][:, 1] = np.round(data["place"][:, 1])
    tied = estimate({**data, "weight": rng.standard_normal(300)}, "I(place;weight)", estimator=estimator)
    assert any(note.startswith("component 1 of place") for note in tied.notes), tied.notes
    data["place"] = rng.standard_normal((300, 3))
    tied = estimate(data, "I(place;weight)", estimator=estimator)
    assert any(note.startswith("weight ") for note in tied.notes), tied.notes
