"""Which tasks are lossless is decided by H(A|X) and its error."""

import numpy as np
import pandas as pd
import pytest

from synergy.experiments import Scale, experiment
from synergy.experiments.show import SHARED
from synergy.experiments.transformations.experiment import LOSS, SEVEN, _tied, _truth, error_of
from synergy.experiments.transformations.lossless import LITTLE, loss_of


@pytest.mark.parametrize(
    ("entropy", "error", "kind"),
    [
        (0.0, 0.0, "lossless"),
        (-0.003, 0.002, "lossless"),
        (LITTLE, 0.0, "lossless"),
        (LITTLE + 1e-9, 0.0, "lossy"),
        (0.015, 0.01, "undecided"),
        (0.1, 0.06, "undecided"),
        (0.1, 0.01, "lossy"),
        (0.5, float("nan"), "lossy"),
    ],
)
def test_the_error_decides(entropy, error, kind):
    assert loss_of(entropy, error) == kind


def test_bad_entropies():
    with pytest.raises(ValueError, match="entropy"):
        loss_of(float("nan"))
    with pytest.raises(ValueError, match="error must be at least 0, got -1"):
        loss_of(0.1, -1.0)


def runs_of(entropies, *, errors=None, images="own", gain=None):
    """Runs whose lossy tasks gain 0.3 and whose other tasks gain 0.1, or what is given."""
    rows = []
    for seed in range(4):
        for name, entropy in entropies.items():
            value = (gain or {}).get(name, 0.3 if entropy > LITTLE else 0.1) + 1e-3 * seed * (1 + entropy)
            row = {"images": images, "transformation": name, "seed": seed, SHARED: 0.0, "gain": value}
            row |= {"accuracy": 0.4 + value, "pretext loss": entropy, "H(A|X)": entropy}
            row |= {"I(A;C|X)": entropy / 2, "J": entropy / 3}
            row |= {error_of(term): (errors or {}).get(name, 0.001) for term in ("H(A|X)", "I(A;C|X)", "J")}
            rows.append(row)
        rows.append({"images": images, "transformation": "random", "seed": seed, SHARED: 0.0})
        rows[-1] |= {"gain": 0.0, "accuracy": 0.4}
    return pd.DataFrame(rows)


def test_tasks_change_sides_with_their_entropy_whatever_their_names():
    conclude = experiment("transformations").conclude
    usual = conclude(runs_of({"rotation": 0.7, "blur": 0.2, "inversion": 0.0}))
    assert "Lossless on own: inversion." in usual.seen
    turned = conclude(runs_of({"rotation": 0.0, "blur": 0.2, "inversion": 0.7}))
    assert "Lossless on own: rotation." in turned.seen
    kinds = turned.table.set_index("transformation")[LOSS].to_dict()
    assert kinds == {"rotation": "lossless", "blur": "lossy", "inversion": "lossy", "random": ""}
    for found in (usual, turned):
        first = found.findings[0]
        assert "lossy transformations less that of the lossless" in first.about
        assert first.spread().mean == pytest.approx(0.2, abs=0.01)
        assert first.verdict() == "agrees"


def test_a_task_that_the_error_leaves_open_is_in_neither_mean():
    entropies, gain = {"rotation": 0.7, "blur": 0.03, "inversion": 0.0}, {"blur": 9.0}
    found = experiment("transformations").conclude(runs_of(entropies, errors={"blur": 0.02}, gain=gain))
    assert "left open: blur." in found.seen
    assert found.findings[0].spread().mean == pytest.approx(0.2, abs=0.01)


def test_without_a_lossless_task_nothing_is_judged():
    found = experiment("transformations").conclude(runs_of({"rotation": 0.7, "blur": 0.2}))
    assert all(f.relation is None for f in found.findings)
    assert "Lossless on own: none." in found.seen
    outcome = experiment("transformations").outcome(runs_of({"rotation": 0.7, "blur": 0.2}), Scale())
    assert outcome.agrees is None
    assert "±" in "".join(outcome.table.columns)
    assert outcome.figure.axes


def test_the_exact_worlds_say_what_the_list_said():
    scale = Scale(tolerance=0.02)
    for name in ("inversion", "grayscale", "rotation", "jigsaw"):
        assert name in SEVEN
        row = _truth(("mixed", name), scale)
        expected = "lossless" if name in ("inversion", "grayscale") else "lossy"
        assert loss_of(row["H(A|X)"], row[error_of("H(A|X)")]) == expected


def test_quantities_are_tied_within_the_error_of_their_difference():
    values = pd.Series([0.30, 0.10, 0.14, 0.101])
    none = _tied(values, pd.Series(0.0, index=values.index))
    assert none.nunique() == 3
    wide = _tied(values, pd.Series(0.04, index=values.index))
    assert wide.nunique() == 2
    assert wide.iloc[1] == pytest.approx(np.mean([0.10, 0.101, 0.14]))
    assert wide.iloc[0] == 0.30
