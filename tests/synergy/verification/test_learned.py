"""The learned world: training seeds, exact inputs, shortcuts and what is promised downstream."""

import math
from dataclasses import replace

import numpy as np
import pytest

from synergy.estimators.classifier import CrossFit
from synergy.verification import CASES, Settings, verify
from synergy.verification.bench import Bench, Losses
from synergy.verification.downstream import downstream
from synergy.verification.measure import measure
from synergy.verification.routes import RouteError
from synthetic import Answer, LinearGaussian, ModularShift, Sample, Variable
from theory import parse_statement

TINY = Settings(
    image_rows=600, vector_rows=600, train_rows=2400, judge_rows=1200, epochs=8, trainings=2, folds=2,
    quality="quick", features=8, device="cpu",
)  # fmt: skip
BY_NAME = {case.name: case for case in CASES}


def relation(text):
    return parse_statement(text).relations[0]


def features_of(columns, cardinality):
    return np.eye(cardinality, dtype=np.float32)[columns]


@pytest.fixture(scope="module")
def shift():
    """A modular shift with its input one-hot as Z, so that every entropy is known."""
    world = ModularShift(n=4, noise=0.2)
    sample = world.sample(6000, seed=0)
    z = Variable("Z", "continuous", None, "representation")
    return world, sample.with_column(z, features_of(sample["X"], 4))


@pytest.fixture(scope="module")
def glyphs():
    report = verify(["D1", "D3", "P1", "G1"], worlds=["learned"], generators=["glyphs"], settings=TINY)
    return {v.claim: v for v in report.verdicts}


def test_the_input_of_glyphs_is_the_exact_oracle(glyphs):
    exact = BY_NAME["glyphs"].generator.exact("I(A;X)")
    assert f"+ {exact.value:.4f}, the exact I(A;X)" in glyphs["D1"].note
    assert "L(A|X)" not in glyphs["D1"].note
    assert "only a leak between the folds" in glyphs["D1"].note
    assert "the exact I(A;X) + I(A;C|X)" in glyphs["D3"].note
    assert "only a leak" not in glyphs["D3"].note


def test_a_shortcut_and_a_class_feature_are_judged_by_two_routes(glyphs):
    assert glyphs["P1"].judgement == "verified"
    assert "L(W|A,U)" in glyphs["P1"].note
    assert "L(A|U,W)" in glyphs["P1"].note


def test_the_bound_stands_beside_the_error(glyphs):
    found = glyphs["G1"].evidence
    assert found["trainings"] == 2
    assert found["bound"] == pytest.approx((found["given_a"] + found["pretext"]) / 2)
    assert "Hellman and Raviv" in glyphs["G1"].note


def test_downstream_numbers_are_those_of_the_exact_model(shift):
    """X = A + C + N: given A the class is C + N, and the best guess of C errs as often as of a fair die."""
    world, sample = shift
    found = downstream(sample, Losses(sample, seed=0, folds=4, quality="quick"), ["Z"])
    assert found.given_a == pytest.approx(float(world.exact("H(C|X,A)")) / math.log(2), abs=0.06)
    assert found.pretext == pytest.approx(float(world.exact("H(A|X)")) / math.log(2), abs=0.03)
    assert found.probe_error == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / 6000))
    assert found.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 6000), rel=0.1)


def test_every_training_seed_is_judged_and_one_that_fails_is_enough(monkeypatch):
    """Two networks of which the second is told the answer's complement: the claim must not be verified."""
    case, settings = BY_NAME["modular-shift: lossless"], replace(TINY, epochs=15)
    honest = verify(["D4"], worlds=["learned"], cases=[case], generators=[case.name], settings=settings)
    assert "2 training seeds, each judged alone" in honest.verdicts[0].note
    assert honest.verdicts[0].judgement == "violated"
    whole = Bench.learned.func

    def second_fails(bench):
        sample, _ = whole(bench)
        z2 = Variable("Z2", "continuous", None, "representation")
        mixed = features_of((sample["A"] + sample["C"]) % 2, 2)
        sample = sample.with_column(z2, mixed)
        return sample, bench._crossfit(sample)

    claim = "I(A;C|Z) == 0"
    options = {"worlds": ["learned"], "cases": [case], "generators": [case.name], "settings": settings}
    assert verify(claim, **options).verdicts[0].judgement == "verified"
    monkeypatch.setattr(Bench, "learned", property(second_fails))
    (verdict,) = verify(claim, **options).verdicts
    assert verdict.judgement == "violated"
    assert verdict.p_verify == pytest.approx(1.0, abs=1e-6)


def test_an_exact_value_replaces_the_terms_of_the_input(shift):
    world, sample = shift
    fit = CrossFit(sample, seed=0, folds=4, quality="quick")
    told = measure(relation("I(A;C|Z) <= I(A;C|X)"), sample, fit, deterministic=False, known=world.exact)
    assert told.gap.value == pytest.approx(0, abs=0.04)
    wrong = measure(
        relation("I(A;C|Z) <= I(A;C|X)"), sample, fit, deterministic=False,
        known=lambda expression: Answer(str(expression), 0.0, 0.5, "a wrong value"),
    )  # fmt: skip
    assert wrong.gap.value == pytest.approx(-float(world.exact("I(A;C|X)")), abs=0.04)
    assert wrong.gap.standard_error > 0.5


def test_an_equality_tells_its_smallest_term(shift):
    """C is uniform, so I(A;X) = 0: within any margin, E1 could not be told from I(A;X|C) = I(A;C|X)."""
    _, sample = shift
    fit = CrossFit(sample, seed=0, folds=4, quality="quick")
    found = measure(relation("I(A;Z|C) == I(A;Z) + I(A;C|Z)"), sample, fit, deterministic=False)
    term, value = found.smallest
    assert term == "I(A;Z)"
    assert value == pytest.approx(0, abs=0.02)
    assert measure(relation("I(A;Z|C) >= I(A;Z)"), sample, fit, deterministic=False).smallest is None


def test_irrelevant_labels_do_not_make_the_synergy_negative():
    """Random C and random Z: the plain losses are worse with C than without, the nested ones are not."""
    rng = np.random.default_rng(0)
    n = 600
    a = rng.integers(4, size=n)
    z = (features_of(a, 4) @ rng.standard_normal((4, 8)) + rng.standard_normal((n, 8))).astype(np.float32)
    variables = [
        Variable("A", "discrete", 4, "transformation"),
        Variable("C", "discrete", 10, "class"),
        Variable("Z", "continuous", None, "representation"),
    ]
    sample = Sample({"A": a, "C": rng.integers(10, size=n), "Z": z}, {v.name: v for v in variables})
    gap = relation("I(A;C|Z) >= 0")
    found = {
        kind: measure(gap, sample, kind(sample, seed=0, folds=4, quality="quick"), deterministic=False).gap
        for kind in (CrossFit, Losses)
    }
    assert abs(found[Losses].value) < abs(found[CrossFit].value)
    assert abs(found[Losses].value) < 3 * found[Losses].standard_error + 10 / n


def test_gaussian_columns_are_judged_by_log_determinants():
    world = LinearGaussian()
    sample = world.sample(20_000, seed=0)
    fit = CrossFit(sample, seed=0)
    for text in ("I(A;X|C) >= I(A;X)", "I(A;X|C) == I(A;X) + I(A;C|X)", "I(A;C|X) >= H(A)"):
        found = measure(relation(text), sample, fit, deterministic=True).gap
        exact = float(world.exact(relation(text).gap))
        assert abs(found.value - exact) < 4 * found.standard_error + 1e-12, text
        assert found.standard_error > 0


def test_gaussian_errors_are_those_of_repeated_samples():
    gap, world = relation("I(A;X|C) >= I(A;X)"), LinearGaussian()
    found = []
    for seed in range(60):
        sample = world.sample(500, seed=seed)
        found.append(measure(gap, sample, CrossFit(sample, seed=0), deterministic=True).gap)
    spread = np.std([g.value for g in found], ddof=1)
    stated = np.mean([g.standard_error for g in found])
    assert stated == pytest.approx(spread, rel=4 / math.sqrt(2 * 59))


def test_a_raw_image_cannot_be_used_for_prediction():
    case = BY_NAME["digits"]
    sample = case.sample(400, seed=0)
    with pytest.raises(RouteError, match="R names the raw input"):
        measure(relation("I(A;Z|R) == 0"), sample, CrossFit(sample, folds=2), deterministic=True)
