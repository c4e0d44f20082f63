"""The verifier: true claims pass, false claims and wrong worlds are caught."""

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from synergy.statistics.errors import clustered_error
from synergy.verification import CASES, Case, Settings, render, verify, write
from synergy.verification.cases import thumbnail
from synergy.verification.controls import CONTROL, Confounded
from synthetic import ModularShift, ReducedShift
from theory import Claim, Diagram

TINY = Settings(
    table_rows=4000, number_rows=600, image_rows=600, vector_rows=600, train_rows=1200, judge_rows=600,
    epochs=20, folds=2, quality="quick", models=20, features=8, device="cpu",
)  # fmt: skip
SHIFT = tuple(case for case in CASES if case.name.startswith("modular-shift"))


def judgements(report):
    return {(v.claim, v.world, v.case): v.judgement for v in report.verdicts}


@pytest.fixture(scope="module")
def shift_report():
    worlds = ("proof", "symbolic", "exact", "sample")
    return verify(
        ["E1", "E2", "L1", "L2", "D1", "D4", CONTROL],
        worlds=worlds,
        cases=(*CASES[:2], *(case for case in CASES if case.name == "confounded-shift")),
        settings=TINY,
    )


def test_every_claim_comes_out_as_the_registry_expects(shift_report):
    assert set(shift_report.standings().values()) == {"as expected"}
    assert shift_report.exit_status == 0


@pytest.mark.parametrize("claim", ["E1", "E2", "L1", "L2", "D1"])
def test_true_claims_are_proved(shift_report, claim):
    assert judgements(shift_report)[claim, "proof", "any model"] == "proved"


def test_the_false_claim_is_refuted_in_every_world(shift_report):
    found = judgements(shift_report)
    assert found["D4", "proof", "any model"] == "refuted"
    for world in ("symbolic", "exact", "sample"):
        assert found["D4", world, "modular-shift: lossless"] == "violated"


def test_what_a_world_cannot_contradict_is_by_construction(shift_report):
    found = judgements(shift_report)
    assert found["L1", "exact", "modular-shift"] == "by construction"
    assert found["L1", "sample", "modular-shift"] == "by construction"
    assert found["E1", "exact", "modular-shift"] == "verified"


def test_a_premise_that_fails_makes_a_claim_inapplicable(shift_report):
    found = judgements(shift_report)
    assert found["L2", "sample", "modular-shift"] == "not applicable"
    assert found["L2", "symbolic", "modular-shift: lossless"] == "verified"


def test_plug_in_entropies_say_what_they_test(shift_report):
    verdict = next(
        v for v in shift_report.verdicts if (v.claim, v.world, v.case) == ("E1", "sample", "modular-shift")
    )
    assert "H(A,C)" in verdict.note
    assert "Z" not in verdict.note


def test_the_negative_control_is_caught(shift_report):
    found = judgements(shift_report)
    assert found[CONTROL.id, "proof", "any model"] == "refuted"
    assert found[CONTROL.id, "exact", "confounded-shift"] == "violated"
    assert found[CONTROL.id, "sample", "confounded-shift"] == "violated"


@dataclass(frozen=True)
class Mislabelled(Confounded):
    """A confounded shift that claims to have no confounder."""

    family: ClassVar[str] = "mislabelled"

    @property
    def diagram(self):
        return Diagram.parse("C->X, A->X")


def test_explaining_away_is_violated_where_the_class_chooses_the_transformation():
    case = Case("mislabelled", Mislabelled(strength=0.3), "C -> A, which its diagram does not say")
    report = verify(
        ["E1"], worlds=["exact", "sample"], cases=[case], settings=TINY, generators=["mislabelled"]
    )
    assert {v.judgement for v in report.verdicts} == {"violated"}
    assert report.exit_status == 1


def test_a_claim_is_not_judged_where_its_diagram_does_not_hold():
    case = Case("confounded-shift", Confounded(strength=0.3), "C -> A")
    options = {"worlds": ["exact", "sample"], "cases": [case], "settings": TINY}
    report = verify(["E1"], generators=["confounded-shift"], **options)
    assert {v.judgement for v in report.verdicts} == {"not applicable"}
    assert {v.note for v in report.verdicts} == {"C _||_ A in the claim's diagram, and not here"}
    assert report.exit_status == 3


@dataclass(frozen=True)
class WrongFactor(ModularShift):
    """A modular shift whose closed form of the synergy is off by a factor."""

    family: ClassVar[str] = "wrong-factor"

    def predict(self, expression):
        return super().predict(expression) * 1.01


def test_a_wrong_prediction_is_caught():
    case = Case("wrong-factor", WrongFactor(n=4, classes=2, noise=0.1), "a closed form with a wrong factor")
    report = verify(["E2"], worlds=["symbolic"], cases=[case], settings=TINY, generators=["wrong-factor"])
    (verdict,) = report.verdicts
    assert verdict.judgement == "violated"
    assert "closed form" in verdict.note
    right = Case("right", ModularShift(n=4, classes=2, noise=0.1), "the right closed form")
    report = verify(["E2"], worlds=["symbolic"], cases=[right], settings=TINY, generators=["right"])
    assert report.verdicts[0].judgement == "verified"


def test_a_wrong_estimator_is_caught(monkeypatch):
    """An estimator of entropies that forgets some of its mass violates explaining away."""
    from synergy.verification import measure

    honest = measure.estimate

    def biased(sample, term, **options):
        found = honest(sample, term, **options)
        low, high = found.interval
        return replace(
            found, value=found.value - 0.05, interval=(low - 0.05, high - 0.05), estimator="biased"
        )

    monkeypatch.setattr(measure, "estimate", biased)
    report = verify(["E1"], worlds=["sample"], cases=SHIFT[:1], settings=TINY, generators=["modular-shift"])
    assert [v.judgement for v in report.verdicts] == ["violated"]


def test_learned_representations_of_a_shift():
    report = verify(
        ["E1", "E2", "D1", "D4"],
        worlds=["learned"],
        cases=SHIFT[1:],
        settings=TINY,
        generators=["modular-shift"],
    )
    found = {v.claim: v for v in report.verdicts}
    assert found["D4"].judgement == "violated"
    assert found["D4"].measured == pytest.approx(-np.log(2), abs=0.02)
    assert found["E1"].judgement == "verified"
    assert report.exit_status == 0


def test_learned_claims_on_digits_share_no_losses():
    digits = [case for case in CASES if case.name == "digits"]
    one = replace(TINY, trainings=1)
    report = verify(["E1", "D4"], worlds=["learned"], cases=digits, settings=one, generators=["digits"])
    found = {v.claim: v for v in report.verdicts}
    assert "shared" not in found["E1"].note
    assert "L(C|A,Z)" in found["E1"].note
    assert "L(A|C,Z)" in found["E1"].note
    assert found["D4"].judgement == "violated"


def test_the_same_seed_gives_the_same_table():
    few = replace(TINY, table_rows=1000, vector_rows=200, vector_epochs=5, trainings=2)
    runs = [
        verify(
            ["E1", "D1"],
            worlds=["sample", "learned"],
            cases=SHIFT[:1],
            settings=few,
            generators=["modular-shift"],
        )
        for _ in range(2)
    ]
    assert [v.measured for v in runs[0].verdicts] == [v.measured for v in runs[1].verdicts]


def test_a_claim_of_ones_own():
    mine = Claim(
        "T1",
        "Mine",
        "I(A;Z|C) >= 4 I(A;Z)",
        "true",
        prose="Wrong.",
        reference="a test",
        worlds=("proof", "exact", "sample"),
    )
    report = verify([mine], cases=SHIFT, settings=TINY)
    found = judgements(report)
    assert found["T1", "proof", "any model"] == "refuted"
    assert found["T1", "sample", "modular-shift"] == "violated"
    assert report.exit_status == 1


def test_a_case_without_the_variables_is_not_applicable():
    report = verify(["M1"], worlds=["sample"], cases=SHIFT[:1], settings=TINY, generators=["modular-shift"])
    assert [v.judgement for v in report.verdicts] == ["not applicable"]
    assert "B is not known" in report.verdicts[0].note


def test_the_files_hold_the_table_and_what_made_it(shift_report, tmp_path):
    written = write(shift_report, tmp_path / "results")
    assert {path.name for path in written} >= {
        "verdicts.parquet",
        "verdicts.csv",
        "verdicts.json",
        "verdicts.png",
    }
    table = pd.read_parquet(tmp_path / "results" / "verdicts.parquet")
    assert len(table) == len(shift_report.verdicts)
    told = json.loads((tmp_path / "results" / "verdicts.json").read_text())
    assert told["settings"]["seed"] == TINY.seed
    assert told["versions"]["numpy"] == np.__version__
    assert told["exit_status"] == 0
    assert not list((tmp_path / "results").glob(".*"))
    hidden = sum(
        v.judgement == "not applicable" and not v.note.startswith("the premise")
        for v in shift_report.verdicts
    )
    assert render(shift_report).row_count == len(table) - hidden


def test_a_report_saves_itself_and_shows_itself(shift_report, tmp_path):
    written = shift_report.save(tmp_path / "all")
    assert sorted(path.name for path in written) == sorted(path.name for path in (tmp_path / "all").iterdir())
    assert {"report.html", "verdicts.csv", "proofs.json"} <= {path.name for path in written}
    shown = shift_report._repr_html_()
    assert shift_report.summary() in shown
    assert shown.count("<tr") == 1 + len(shift_report.verdicts)
    data = json.loads(json.dumps(shift_report.to_dict()))
    assert len(data["verdicts"]) == len(shift_report.to_pandas())
    assert data["exit_status"] == shift_report.exit_status
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="must be a folder, got the file"):
        shift_report.save(tmp_path / "file")


def test_the_control_is_judged_by_its_name():
    report = verify(["E1-control"], worlds=["proof"], settings=TINY)
    assert [(v.claim, v.judgement) for v in report.verdicts] == [(CONTROL.id, "refuted")]
    assert report.exit_status == 0


def test_rows_without_a_number_are_counted_and_not_shown():
    report = verify(["M1"], worlds=["proof", "sample"], cases=SHIFT[:1], settings=TINY)
    shown = render(report)
    assert (shown.row_count, len(report.verdicts)) == (1, 2)
    assert "not shown: 1" in str(shown.caption)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"claims": ["E9"]}, "unknown claim 'E9'", id="claim"),
        pytest.param({"worlds": ["dream"]}, "unknown world 'dream'.*proof", id="world"),
        pytest.param({"generators": ["torus"]}, "no case for generator 'torus'.*digits", id="generator"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        verify(arguments.pop("claims", ()), settings=TINY, **arguments)


def test_clustered_errors_count_groups_and_not_rows():
    scores = np.random.default_rng(0).standard_normal(500)
    once = clustered_error(scores, None)
    assert clustered_error(np.repeat(scores, 4), np.repeat(np.arange(500), 4)) == pytest.approx(
        once, rel=0.01
    )
    assert clustered_error(np.repeat(scores, 4), None) == pytest.approx(once / 2, rel=0.01)


def test_a_thumbnail_averages_quadrants_and_turns_with_the_image():
    images = np.random.default_rng(0).random((5, 1, 8, 8), dtype=np.float32)
    small = thumbnail(images)
    assert small.shape == (5, 4)
    assert small[0, 0] == pytest.approx(images[0, 0, :4, :4].mean(), rel=1e-6)
    turned = thumbnail(np.ascontiguousarray(np.rot90(images, axes=(2, 3))))
    assert np.allclose(turned, small[:, [1, 3, 0, 2]], atol=1e-6)


@pytest.mark.parametrize(
    "settings", [(6, 2, 0.1, None, 3), (6, 2, 0.0, 2, 2), (12, 3, 0.3, 4, 6), (8, 4, 1.0, 4, 4)]
)
def test_reduced_shift_agrees_with_enumeration(settings):
    n, classes, noise, shifts, modulus = settings
    world = ReducedShift(n=n, classes=classes, noise=noise, shifts=shifts, modulus=modulus)
    for term in ("I(A;C|Z)", "I(A;C|X)", "I(A;Z)", "I(C;Z|A)", "H(A|Z)", "H(C|X)", "I(X;Z)", "H(A,C,X,Z)"):
        assert world.predicted(term) == pytest.approx(float(world.exact(term)), abs=1e-12)


def test_an_interrupted_verification_goes_on_where_it_stopped(tmp_path):
    """Ctrl-C after the first task keeps it; the next run gives the table of an uninterrupted one."""
    arguments = {
        "worlds": ["exact", "sample"],
        "cases": SHIFT,
        "settings": TINY,
        "generators": ["modular-shift"],
    }
    whole = verify(["E2", "D4"], **arguments)
    seen = []

    def interrupt(done, total, what):
        seen.append((done, total, what))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(["E2", "D4"], partial=tmp_path / "kept", progress=interrupt, **arguments)
    assert len(list((tmp_path / "kept").glob("*.json"))) == 1
    told = []
    again = verify(
        ["E2", "D4"], partial=tmp_path / "kept", progress=lambda *job: told.append(job), **arguments
    )
    assert told[0][2] == "1 resumed"
    assert [(v.claim, v.world, v.case, v.judgement, v.measured) for v in again.verdicts] == [
        (v.claim, v.world, v.case, v.judgement, v.measured) for v in whole.verdicts
    ]


def test_other_settings_do_not_resume(tmp_path):
    arguments = {
        "worlds": ["exact"],
        "cases": SHIFT[:1],
        "generators": ["modular-shift"],
        "partial": tmp_path,
    }
    verify(["E2"], settings=TINY, **arguments)
    told = []
    verify(["D1"], settings=TINY, progress=lambda *job: told.append(job), **arguments)
    assert all("resumed" not in what for _, _, what in told)


def test_a_damaged_file_is_computed_again(tmp_path):
    arguments = {
        "worlds": ["exact"],
        "cases": SHIFT[:1],
        "generators": ["modular-shift"],
        "partial": tmp_path,
    }
    first = verify(["E2"], settings=TINY, **arguments)
    for path in tmp_path.glob("*.json"):
        path.write_text("{")
    assert verify(["E2"], settings=TINY, **arguments).verdicts[0].measured == first.verdicts[0].measured


def test_a_claim_that_nothing_decides_is_not_as_expected(tmp_path):
    report = verify("R2", worlds=["learned"], settings=TINY)
    assert report.verdicts == ()
    assert report.undecided == ("R2",)
    assert report.exit_status == 3
    assert "nothing decides R2" in report.summary()
    write(report, tmp_path)
    assert list(pd.read_parquet(tmp_path / "verdicts.parquet").columns)[:2] == ["claim", "world"]


def test_what_cannot_fail_decides_nothing():
    report = verify("L1", worlds=["exact"], cases=SHIFT[:1], settings=TINY, generators=["modular-shift"])
    assert {v.judgement for v in report.verdicts} == {"by construction"}
    assert report.exit_status == 3


def test_random_models_that_break_an_identity_are_reported(monkeypatch):
    """A planted error in the exact entropies must show, also for claims that no entropies can contradict."""
    from theory import Joint

    honest = Joint.value
    monkeypatch.setattr(Joint, "value", lambda self, expression: honest(self, expression) - 5.0)
    report = verify("G2", worlds=["exact"], cases=(), settings=TINY)
    assert [v.judgement for v in report.verdicts] == ["violated"]


def test_a_claim_without_models_to_judge_does_not_stop_the_others():
    mine = Claim(
        "T2", "Mine", "I(A;C|X) == 0", "true", given=("H(A) == 2 H(C)",), prose="L2.", reference="a test",
        worlds=("proof", "exact"),
    )  # fmt: skip
    report = verify([mine, "E1"], worlds=["proof", "exact"], cases=(), settings=TINY)
    assert judgements(report)["T2", "exact", "random models"] == "not applicable"
    note = next(v.note for v in report.verdicts if (v.claim, v.world) == ("T2", "exact"))
    assert "no model that satisfies H(A) == 2 H(C) was found" in note
    assert judgements(report)["E1", "proof", "any model"] == "proved"


def test_premises_are_satisfied_by_construction():
    mine = Claim("T3", "Mine", "I(A;C|X) == 0", "true", given=("H(A|X) == 0",), worlds=("proof", "exact"))
    report = verify([mine], worlds=["proof", "exact"], cases=(), settings=TINY)
    assert judgements(report) == {
        ("T3", "proof", "any model"): "proved",
        ("T3", "exact", "random models"): "by construction",
    }


@pytest.mark.parametrize("jobs", [0, -1, "x", True])
def test_bad_jobs(jobs):
    with pytest.raises(ValueError, match="jobs must be at least 1"):
        verify("E1", worlds=["proof"], settings=TINY, jobs=jobs)


def test_a_statement_in_place_of_a_claim():
    report = verify("I(A;Z|C) >= 4 I(A;Z)", worlds=["proof", "exact"], cases=SHIFT[:1], settings=TINY)
    assert report.exit_status == 1
    assert {v.judgement for v in report.verdicts} >= {"refuted", "violated"}
    assert verify("I(A;Z) <= I(A;X)", worlds=["proof"], cases=(), settings=TINY).exit_status == 0
    with pytest.raises(ValueError, match="unknown variable 'Q'"):
        verify("I(A;Q) >= 0", settings=TINY)
