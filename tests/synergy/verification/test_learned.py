"""The learned world: training seeds, exact inputs, shortcuts and what is promised downstream."""

import math
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pytest

from synergy import estimate
from synergy.estimators.classifier import CrossFit, NestedCrossFit
from synergy.verification import CASES, Settings, verify
from synergy.verification.bench import Bench
from synergy.verification.downstream import downstream
from synergy.verification.measure import measure
from synergy.verification.routes import RouteError
from synthetic import Answer, LinearGaussian, ModularShift, Sample, Variable
from theory import parse_statement

TINY = Settings(
    number_rows=600, image_rows=600, vector_rows=600, train_rows=2400, judge_rows=1200, epochs=8,
    trainings=2, folds=2, quality="quick", features=8, device="cpu",
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
    sample = sample.with_column(z, features_of(sample["X"], 4))
    return world, sample, quickly(sample)


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
    world, sample, fit = shift
    found = downstream(sample, fit(), ["Z"])
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


def quickly(sample, kind=NestedCrossFit):
    """The cross-fitted losses on a sample, made once, when they are asked for."""
    return cache(partial(kind, sample, seed=0, folds=4, quality="quick"))


def test_an_exact_value_replaces_the_terms_of_the_input(shift):
    world, sample, fit = shift
    told = measure(relation("I(A;C|Z) <= I(A;C|X)"), sample, fit, known=world.exact)
    assert told.gap.value == pytest.approx(0, abs=0.04)
    wrong = measure(
        relation("I(A;C|Z) <= I(A;C|X)"), sample, fit,
        known=lambda expression: Answer(str(expression), 0.0, 0.5, "a wrong value"),
    )  # fmt: skip
    assert wrong.gap.value == pytest.approx(-float(world.exact("I(A;C|X)")), abs=0.04)
    assert wrong.gap.standard_error > 0.5


def test_an_equality_tells_its_smallest_term(shift):
    """C is uniform, so I(A;X) = 0: within any margin, E1 could not be told from I(A;X|C) = I(A;C|X)."""
    _, sample, fit = shift
    found = measure(relation("I(A;Z|C) == I(A;Z) + I(A;C|Z)"), sample, fit)
    term, value = found.smallest
    assert term == "I(A;Z)"
    assert value == pytest.approx(0, abs=0.02)
    assert measure(relation("I(A;Z|C) >= I(A;Z)"), sample, fit).smallest is None


@cache
def random_labels(n=600):
    """Labels A in eight numbers Z, and labels C that have nothing to do with them."""
    rng = np.random.default_rng(0)
    a = rng.integers(4, size=n)
    z = (features_of(a, 4) @ rng.standard_normal((4, 8)) + rng.standard_normal((n, 8))).astype(np.float32)
    variables = [
        Variable("A", "discrete", 4, "transformation"),
        Variable("C", "discrete", 10, "class"),
        Variable("Z", "continuous", None, "representation"),
    ]
    return Sample({"A": a, "C": rng.integers(10, size=n), "Z": z}, {v.name: v for v in variables})


@pytest.fixture(scope="module")
def nested():
    """The nested losses on the random labels, each made when it is first asked for."""
    return quickly(random_labels())


def test_irrelevant_labels_do_not_make_the_synergy_negative(nested):
    """Random C and random Z: the plain losses are worse with C than without, the nested ones are not."""
    sample, gap = random_labels(), relation("I(A;C|Z) >= 0")
    plain, found = (measure(gap, sample, fit).gap for fit in (quickly(sample, CrossFit), nested))
    assert abs(found.value) < abs(plain.value)
    assert abs(found.value) < 3 * found.standard_error + 10 / len(sample)


@pytest.mark.parametrize(
    ("text", "predict"),
    [
        ("I(A;Z|C) == I(A;Z) + I(A;C|Z)", {"I(A;C|Z)": "C"}),
        ("I(A;Z|C) >= I(A;Z)", {}),
        ("H(C|Z) <= H(C|Z,A) + H(A|Z)", {}),
    ],
)
def test_a_number_of_classifiers_is_what_estimate_says(nested, text, predict):
    """The same call that a user makes: equal in every digit, with its warnings."""
    sample, asked = random_labels(), relation(text)
    found = measure(asked, sample, nested)
    told = estimate(
        sample, asked.gap, estimator="classifier", nested=True, predict=predict, folds=4, quality="quick"
    )
    assert found.gap.value == told.value
    assert found.warnings == told.warnings


@pytest.mark.parametrize("text", ["I(A;X|C) >= I(A;X)", "I(A;X|C) == I(A;X) + I(A;C|X)"])
def test_a_number_of_gaussian_columns_is_what_estimate_says(text):
    sample, asked = LinearGaussian().sample(2000, seed=0), relation(text)
    found, told = measure(asked, sample, quickly(sample)), estimate(sample, asked.gap)
    assert found.gap.value == told.value
    assert found.warnings == told.warnings
    assert abs(told.value - float(LinearGaussian().exact(asked.gap))) < 4 * found.gap.standard_error


def test_a_number_of_labels_is_what_estimate_says():
    sample, asked = ModularShift(n=4, noise=0.1).sample(2000, seed=0), relation("I(A;X|C) >= I(A;X)")
    assert measure(asked, sample, quickly(sample)).gap.value == estimate(sample, asked.gap).value


def test_entropies_of_numbers_are_not_measured():
    sample = LinearGaussian().sample(500, seed=0)
    with pytest.raises(RouteError, match="differential entropy"):
        measure(relation("I(A;C|X) >= H(A)"), sample, quickly(sample))


def test_constants_decide_nothing():
    """With one transformation only, every term of E1 vanishes: it could not have failed."""
    sample = random_labels()
    one = sample.with_column(Variable("A", "discrete", 1), np.zeros(len(sample), dtype=np.int64))
    assert measure(relation("I(A;Z|C) == I(A;Z) + I(A;C|Z)"), one, quickly(one)).by_construction
    assert not measure(relation("I(C;Z|A) >= 2 I(C;Z) + I(A;C|Z)"), one, quickly(one)).by_construction


def test_a_raw_image_cannot_be_used_for_prediction():
    case = BY_NAME["digits"]
    sample = case.sample(400, seed=0)
    with pytest.raises(RouteError, match="R names the raw input"):
        measure(relation("I(A;Z|R) == 0"), sample, partial(CrossFit, sample, folds=2))
