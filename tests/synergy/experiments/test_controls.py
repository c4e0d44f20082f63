"""Controls of the experiments: treatments that did not work, and identities that are judged everywhere."""

import numpy as np
import pandas as pd
import pytest

from synergy.experiments import Scale, experiment
from synergy.experiments.class_information.avoidance import conclude
from synergy.experiments.findings import Finding
from synergy.experiments.show import SHARED


def adversaries(left, *, usual=1.3, seeds=4, wild=0.0):
    """Runs on digits whose adversary leaves so much of the class, more or less by so much."""
    rng, rows = np.random.default_rng(1), []
    for seed in range(seeds):
        now = left + wild * (-1) ** seed
        for treatment, weight, kept in (("as usual", 0.0, usual), ("eliminated", 1.0, now)):
            row = {"images": "digits", "treatment": treatment, "weight": weight, "seed": seed, SHARED: 2 / 3}
            row |= {"I(A;Z)": 1.0, "I(A;Z|C)": 1.0, "I(C;Z)": kept, "accuracy of A": 0.9}
            row |= {name: value + 1e-3 * rng.standard_normal() for name, value in row.items() if "I(" in name}
            rows.append({**row, "accuracy of C by k-NN": 0.5, "I(A;C|X)": np.nan})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("left", [0.7, 1.2, 1.4])
def test_where_the_adversary_left_the_class_there_is_no_price_and_it_is_told(left):
    found = {f.about: f.verdict() for f in conclude(adversaries(left)).findings}
    assert set(found.values()) == {"nothing was eliminated"}
    assert any(about.startswith("digits: I(C;Z) with the class eliminated") for about in found)
    assert "the adversary left most of the class" in conclude(adversaries(left)).seen
    outcome = experiment("class-information").outcome(adversaries(left), Scale())
    assert outcome.agrees is None
    assert set(outcome.findings["verdict"]) == {"nothing was eliminated"}
    assert "Of the predictions" not in outcome.told
    assert outcome.figure.axes


@pytest.mark.parametrize("left", [0.0, 0.3, 0.6])
def test_where_it_took_most_of_it_the_price_stands(left):
    conclusion = conclude(adversaries(left))
    assert {f.verdict() for f in conclusion.findings} == {"no prediction"}
    kept = next(f for f in conclusion.findings if "I(C;Z) with" in f.about)
    assert kept.spread().mean == pytest.approx(left, abs=0.01)
    assert "1.30" in kept.about
    assert "left most of the class" not in conclusion.seen
    assert conclusion.seen.startswith(
        "Eliminating the class costs networks, in nats of I(A;Z): 0.000 on digits."
    )


@pytest.mark.parametrize("left", [0.55, 0.75])
@pytest.mark.parametrize("seeds", [1, 2, 4])
def test_where_seeds_leave_open_whether_it_took_most_of_it_that_is_told(left, seeds):
    conclusion = conclude(adversaries(left, seeds=seeds, wild=0.4))
    assert {f.verdict() for f in conclusion.findings} == {"elimination undecided"}
    assert "On digits it is undecided whether the adversary took most of the class." in conclusion.seen
    assert "left most" not in conclusion.seen
    assert "in nats of I(A;Z): not told." in conclusion.seen
    outcome = experiment("class-information").outcome(adversaries(left, seeds=seeds, wild=0.4), Scale())
    assert outcome.agrees is None
    assert "Of the predictions" not in outcome.told


def test_a_void_number_says_nothing_whatever_it_is():
    for values in ((1.0, 1.1, 1.2), (-1.0, -1.1, -1.2), (0.5, 0.5, 0.5)):
        finding = Finding("a price", values, ">", void="nothing was eliminated")
        assert finding.verdict() == "nothing was eliminated"
        assert finding.to_dict()["verdict"] == "nothing was eliminated"
    assert Finding("a price", (1.0, 1.1, 1.2), ">").verdict() == "agrees"
