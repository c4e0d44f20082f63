"""Components that say nothing, floors in vectors, short floats, names with accents."""

import unicodedata

import numpy as np
import pandas as pd
import pytest

from synergy import estimate
from synergy.estimators.auto import auto
from synergy.estimators.intake import as_sample
from synergy.estimators.repeats import repeated_rows
from synthetic import Sample
from theory import parse_expression


def linked(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 2))
    return {"X": x, "Y": x[:, 0] + rng.standard_normal(rows), "A": rng.integers(3, size=rows)}


@pytest.mark.parametrize("term", ["I(X;Y)", "I(A;X)", "I(A;X|Y)"])
@pytest.mark.parametrize("more", ["constant", "twice", "in other units"])
def test_a_dimension_that_says_nothing_changes_nothing(term, more):
    data = linked()
    extra = {"constant": np.ones(300), "twice": data["X"][:, 1], "in other units": 3 - 2 * data["X"][:, 0]}[
        more
    ]
    plain, wider = estimate(data, term), estimate(data | {"X": np.column_stack([data["X"], extra])}, term)
    assert (wider.value, wider.interval, wider.estimator) == (plain.value, plain.interval, plain.estimator)
    assert any("component" in note for note in wider.notes)


def test_a_floor_in_vectors_reaches_as_far_as_its_labels():
    """Where both sides are at their floor in all but a few rows, those few say how much is known."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, 2))
    data = {name: np.maximum(v - 1, 0) for name, v in (("X", x), ("Y", 0.8 * x + 0.6 * x[::-1]))}
    labels = {name: 2 * (v[:, 0] > 0) + (v[:, 1] > 0) for name, v in data.items()}
    found, known = estimate(data, "I(X;Y)"), estimate(labels, "I(X;Y)")
    assert found.interval[1] - found.value >= known.interval[1] - known.value - 1e-12
    assert found.value - found.interval[0] >= known.value - known.interval[0] - 1e-12


def shortened(values, digits):
    """Values with so many binary digits, as float64."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(mantissa, digits)), exponent - digits)


@pytest.mark.parametrize("digits", [8, 11])
@pytest.mark.parametrize("twice", [False, True])
def test_short_floats_are_no_copies_and_copies_of_them_are(digits, twice):
    """Of 1,000 normal numbers of 11 binary digits a tenth meets another; of 8 digits most do."""
    columns = {"X": shortened(np.random.default_rng(2).standard_normal(1_000), digits)}
    if twice:
        columns = {
            "X": np.tile(shortened(np.random.default_rng(2).standard_normal((500, 4)), digits), (2, 1))
        }
    assert (repeated_rows(Sample.infer(columns), ["X"]) is not None) == twice


def test_half_precision_is_taken():
    data = {name: v.astype(np.float16) for name, v in linked(1_000).items() if name != "A"}
    assert not estimate(data | {"X": data["X"][:, 0]}, "I(X;Y)").warnings


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("kind", [dict, pd.DataFrame])
def test_accents_are_one_letter_however_they_are_written(form, kind):
    name = "Größe"
    data = linked()
    columns = {unicodedata.normalize(form, name): data["X"][:, 0], "Y": data["Y"]}
    found = [estimate(kind(columns), f"I({unicodedata.normalize(f, name)};Y)") for f in ("NFC", "NFD")]
    assert found[0] == found[1]


def test_names_that_would_become_one_stay_two():
    one, two = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    sample = as_sample({one: [0.1, 0.2], two: [0.3, 0.4]}, [one])
    assert sample[one].tolist() == [0.1, 0.2]


def test_what_counts_of_groups_is_said():
    rng = np.random.default_rng(3)
    sizes = np.repeat(np.arange(60), rng.integers(1, 9, size=60))
    numbers, labels = rng.standard_normal((2, len(sizes))), rng.integers(3, size=(2, len(sizes)))
    for (x, y), words in ((numbers, "every group counts the same"), (labels, "every row counts the same")):
        sample = as_sample({"X": x, "Y": y, "G": sizes}, ["X", "Y"], groups="G")
        notes = auto(sample, parse_expression("I(X;Y)")).notes
        assert sum(words in note for note in notes) == 1


def test_integers_of_several_columns_are_told_what_to_write():
    with pytest.raises(ValueError, match=r"\.astype\(float\)"):
        estimate({"X": np.ones((20, 2), dtype=int), "Y": np.arange(20.0)}, "I(X;Y)")
