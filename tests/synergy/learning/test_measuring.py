"""Probes, the measured terms, the random-label control, and an adversary that really eliminates."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from synergy.learning import (
    DEFAULT_TERMS,
    Eliminate,
    ImageSet,
    Measured,
    PredictTransformation,
    Trained,
    Training,
    measure_representation,
    over_seeds,
    probe,
    probes,
    train,
)
from synergy.statistics.folds import make_splits
from synthetic import Digits, ModularShift, Sample, Variable


def with_z(sample: Sample, z: np.ndarray) -> Sample:
    return sample.with_column(Variable("Z", "continuous", None, "representation"), z.astype(np.float32))


def one_hot_shift(n: int, *, noise: float = 0.0, seed: int = 0) -> tuple[ModularShift, Sample]:
    shift = ModularShift(n=4, noise=noise)
    sample = shift.sample(n, seed=seed)
    return shift, with_z(sample, np.eye(4)[sample["X"]])


def test_a_linear_probe_agrees_with_scikit_learns():
    rng = np.random.default_rng(0)
    c = rng.integers(3, size=600)
    z = rng.normal(size=(600, 5)) + np.eye(3)[c] @ rng.normal(size=(3, 5))
    sample = with_z(Sample({"C": c}, {"C": Variable("C", "discrete", 3, "class")}), z)
    found = probe(sample, "C")
    right = np.zeros(600)
    for split in make_splits(600, 5, seed=0):
        rows = np.concatenate([split.fit, split.tune])
        model = LogisticRegression(C=10.0, max_iter=1000).fit(sample["Z"][rows], c[rows])
        right[split.test] = model.predict(sample["Z"][split.test]) == c[split.test]
    difference = found.scores - right
    assert abs(difference.mean()) < 3 * max(difference.std() / 600**0.5, 1 / 600)
    assert found.interval[0] < right.mean() < found.interval[1]


def test_probes_of_noise_are_at_chance_and_of_the_target_itself_perfect():
    rng = np.random.default_rng(1)
    c, s = rng.integers(4, size=800), rng.normal(size=800)
    columns = {"C": c, "S": s, "V": rng.integers(2, size=800)}
    variables = {
        "C": Variable("C", "discrete", 4, "class"),
        "S": Variable("S", "continuous", None, "style"),
        "V": Variable("V", "discrete", 2, "pose"),
    }
    z = np.column_stack([np.eye(4)[c], s])
    table = probes(with_z(Sample(columns, variables), z), folds=4).set_index(["target", "method"])
    assert table.loc[("C", "linear"), "score"] > 0.99
    assert table.loc[("S", "linear"), "score"] > 0.99
    for method in ("linear", "knn"):
        row = table.loc[("V", method)]
        assert abs(row["score"] - 0.5) < 4 * 0.5 / 800**0.5
        noise = probe(with_z(Sample(columns, variables), rng.normal(size=(800, 3))), "S", method=method)
        assert noise.score < 0.05
        assert noise.chance == 0


def test_knn_reads_what_a_line_cannot():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(1000, 2))
    sample = with_z(Sample({"C": (z.prod(axis=1) > 0).astype(int)}, {"C": Variable("C", "discrete", 2)}), z)
    assert probe(sample, "C", method="knn").score > 0.9
    assert probe(sample, "C", method="linear").score < 0.65


def test_probes_never_divide_a_group():
    """Views of one raw image are near one another: with divided groups k-NN would read labels by heart."""
    rng = np.random.default_rng(3)
    centres, labels = rng.normal(size=(100, 8)), rng.integers(2, size=100)
    raw = np.repeat(np.arange(100), 4)
    z = centres[raw] + 0.01 * rng.normal(size=(400, 8))
    variables = {"C": Variable("C", "discrete", 2), "R": Variable("R", "discrete", 100)}
    columns = {"C": labels[raw], "R": raw}
    grouped = probe(with_z(Sample(columns, variables, "R"), z), "C", method="knn")
    divided = probe(with_z(Sample(columns, variables), z), "C", method="knn")
    assert divided.score > 0.95
    assert grouped.interval[0] < 0.55
    assert grouped.standard_error > 1.5 * divided.standard_error


def test_the_share_of_variance_has_the_standard_error_of_a_ratio():
    """Against a bootstrap of the same held-out residuals."""
    rng = np.random.default_rng(4)
    s = rng.normal(size=500)
    z = np.column_stack([s + rng.normal(size=500), rng.normal(size=500)])
    found = probe(with_z(Sample({"S": s}, {"S": Variable("S", "continuous")}), z), "S")
    assert found.score == pytest.approx(0.5, abs=5 * found.standard_error)
    drawn = [found.scores[rng.integers(500, size=500)].mean() for _ in range(2000)]
    assert found.standard_error == pytest.approx(np.std(drawn), rel=0.1)


@pytest.fixture(scope="module")
def measured_shift() -> tuple[ModularShift, Measured]:
    shift, sample = one_hot_shift(3000, noise=0.1)
    return shift, measure_representation(sample, quality="quick", folds=3)


def test_measured_terms_meet_enumeration(measured_shift: tuple[ModularShift, Measured]):
    shift, measured = measured_shift
    table = measured.to_pandas()
    assert set(table["term"]) == set(DEFAULT_TERMS)
    for (term, _), estimate in measured.estimates.items():
        exact = shift.exact(term.replace("Z", "X")).value
        assert abs(estimate.value - exact) < 4 * estimate.standard_error + 0.02, (term, exact, estimate)
    beside = measured.to_pandas(source=shift).set_index("term")["at_input"]
    assert beside["I(A;C|Z)"].iloc[0] == shift.exact("I(A;C|X)").value
    assert measured.to_pandas(source=Digits())["at_input"].isna().all()
    assert sorted(p for t, p in measured.estimates if t == "I(A;C|Z)") == ["A", "C"]
    assert measured["I(A;C|Z)"] is measured.estimates["I(A;C|Z)", "C"]
    with pytest.raises(ValueError, match=r"H\(A,C\) was not measured"):
        measured["H(A,C)"]


def test_the_gap_of_e1_on_independent_routes_covers_zero(measured_shift: tuple[ModularShift, Measured]):
    _, measured = measured_shift
    gap = measured.gap([("I(A;Z|C)", "A")], [("I(A;Z)", "A"), ("I(A;C|Z)", "C")])
    assert abs(gap.value) < 4 * gap.standard_error + 0.01
    same_route = measured.gap([("I(A;Z|C)", "A")], [("I(A;Z)", "A"), ("I(A;C|Z)", "A")])
    assert abs(same_route.value) < 0.01
    wrong = measured.gap([("I(A;Z|C)", "A")], [("I(A;Z)", "A")])
    assert wrong.interval[0] > 0
    with pytest.raises(ValueError, match="was not measured"):
        measured.gap([("I(A;S)", "A")], [])


def test_every_style_is_measured():
    rng = np.random.default_rng(5)
    columns = {name: rng.integers(2, size=600) for name in ("A", "C", "hue")}
    roles = {"A": "transformation", "C": "class", "hue": "style"}
    variables = {name: Variable(name, "discrete", 2, roles[name]) for name in columns}
    z = np.column_stack([columns["hue"] + 0.1 * rng.normal(size=600), rng.normal(size=600)])
    measured = measure_representation(with_z(Sample(columns, variables), z), quality="quick", folds=3)
    assert measured["I(hue;Z)"].value == pytest.approx(math.log(2), abs=0.05)
    assert measured["I(C;Z)"].interval[0] < 0.01


def test_another_column_can_stand_for_z():
    _, sample = one_hot_shift(200)
    renamed = sample.with_column(Variable("W", "continuous"), sample["Z"])
    first = measure_representation(sample, terms=["I(A;Z|C)"], quality="quick", folds=3)
    second = measure_representation(renamed, terms=["I(A;Z|C)"], representation="W", quality="quick", folds=3)
    assert first["I(A;Z|C)"].value == second["I(A;Z|C)"].value


def test_intervals_over_seeds_are_students():
    runs = [
        measure_representation(
            one_hot_shift(200, noise=0.2, seed=s)[1], terms=["I(A;Z|C)"], quality="quick", folds=3
        )
        for s in range(4)
    ]
    table = over_seeds(runs)
    values = np.array([run["I(A;Z|C)"].value for run in runs])
    half = 3.182446 * values.std(ddof=1) / 2  # Student's t with 3 degrees of freedom
    assert table["low"][0] == pytest.approx(values.mean() - half, rel=1e-5)
    assert table["high"][0] == pytest.approx(values.mean() + half, rel=1e-5)
    single = over_seeds(runs[:1])
    assert single["low"][0] < single["value"][0] < single["high"][0]
    with pytest.raises(ValueError, match="at least one run"):
        over_seeds([])


OPTIONS = Training(epochs=10, batch_size=64, device="cpu")


@pytest.fixture(scope="module")
def digits() -> tuple[ImageSet, ImageSet]:
    return ImageSet.from_generator(Digits(classes=(0, 1, 4, 7))).split(0.5, seed=0)


def learn(task: object, images: ImageSet, options: Training = OPTIONS) -> Trained:
    return train(task, images, seed=0, encoder="mlp", features=8, options=options)


def test_random_labels_have_no_synergy(digits: tuple[ImageSet, ImageSet]):
    """Negative control: with labels that have nothing to do with the images, by both routes."""
    trained = learn(PredictTransformation("rotation"), digits[0])
    sample = trained.represented(digits[1].transformed("rotation", copies=2, seed=1))
    classes = np.random.default_rng(0).integers(4, size=int(sample["R"].max()) + 1)[sample["R"]]
    random = sample.with_column(sample.variables["C"], classes)
    measured = measure_representation(random, terms=["I(A;C|Z)", "I(C;Z)"], quality="quick", folds=3)
    weights_per_group = 2 / (2 * (1 - 1 / 3) * len(np.unique(sample["R"])))  # the cost of calibration
    for estimate in measured.estimates.values():
        low, high = estimate.interval
        assert low - weights_per_group <= 0 <= high + weights_per_group, estimate
    real = measure_representation(sample, terms=["I(C;Z)"], quality="quick", folds=3)
    assert real["I(C;Z)"].interval[0] > 0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_a_random_transformation_has_no_synergy_with_a_noisy_representation(seed: int):
    """Negative control: Z shows C through so much noise that a classifier of one fixed ridge would fit it.

    Then A, which is independent of both, smooths the fit, and the loss of C falls without information.
    """
    rng = np.random.default_rng(seed)
    n, states = 1500, 10
    columns = {"A": rng.integers(4, size=n), "C": rng.integers(states, size=n)}
    z = np.eye(states)[columns["C"]] + rng.standard_normal((n, states))
    variables = {
        "A": Variable("A", "discrete", 4, "transformation"),
        "C": Variable("C", "discrete", states, "class"),
        "Z": Variable("Z", "continuous", None, "representation"),
    }
    sample = Sample({**columns, "Z": z.astype(np.float32)}, variables)
    measured = measure_representation(sample, terms=["I(A;C|Z)"], quality="quick", folds=3)
    weights_per_row = 2 / (2 * (1 - 1 / 3) * n)  # the cost of calibration
    for estimate in measured.estimates.values():
        low, high = estimate.interval
        assert low - weights_per_row <= 0 <= high + weights_per_row, estimate


def test_the_adversary_lowers_class_information_for_fresh_probes(digits: tuple[ImageSet, ImageSet]):
    task = PredictTransformation("rotation")
    options = Training(epochs=120, batch_size=128, device="cpu")
    plain = learn(task, digits[0])
    blind = learn(Eliminate(task, weight=1.0), digits[0], options)
    judged = digits[1].transformed("rotation", copies=2, seed=1)
    found = []
    for trained in (plain, blind):
        sample = trained.represented(judged)
        measured = measure_representation(sample, terms=["I(C;Z)", "I(A;Z)"], quality="quick", folds=3)
        found.append((measured["I(C;Z)"], measured["I(A;Z)"], probe(sample, "C", method="knn", folds=3)))
    (full, knows, reads), (little, still_knows, guesses) = found
    assert full.interval[0] > 2 * little.interval[1]
    assert guesses.score < reads.score - 4 * math.hypot(reads.standard_error, guesses.standard_error)
    assert still_knows.value > 0.75 * knows.value


def test_a_weightless_adversary_eliminates_nothing(digits: tuple[ImageSet, ImageSet]):
    """Negative control: the critic looks on, and the class stays."""
    trained = learn(Eliminate(PredictTransformation("rotation"), weight=0.0), digits[0])
    sample = trained.represented(digits[1].transformed("rotation", copies=3, seed=1))
    measured = measure_representation(sample, terms=["I(C;Z)"], quality="quick", folds=3)
    assert measured["I(C;Z)"].interval[0] > 0.5


BAD = {
    "an unknown probe": (
        lambda s: probe(s, "C", method="svm"),
        "method must be one of linear, knn, got 'svm'",
    ),
    "an unknown target": (lambda s: probe(s, "S"), "unknown variable 'S'"),
    "an unknown representation": (lambda s: probe(s, "C", representation="W"), "unknown variable 'W'"),
    "a probe of the representation": (lambda s: probe(s, "Z"), "reads a discrete or continuous variable"),
    "too few rows": (lambda s: probe(s.rows(slice(0, 8)), "C"), "needs at least 10 rows"),
    "a term without anything discrete": (
        lambda s: measure_representation(s, terms=["H(Z)"], quality="quick"),
        "needs a slot of discrete variables",
    ),
    "a term with an unknown variable": (
        lambda s: measure_representation(s, terms=["I(S;Z)"], quality="quick"),
        "unknown variable 'S'",
    ),
    "a sample without Z": (
        lambda s: measure_representation(ModularShift(n=4).sample(100, seed=0)),
        "unknown variable 'Z'",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_refused(case: str):
    call, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        call(one_hot_shift(200)[1])


def test_tables_are_tables():
    _, sample = one_hot_shift(200)
    assert isinstance(probes(sample, ["C"], folds=3), pd.DataFrame)
    assert torch.is_tensor(ImageSet.from_sample(sample, image="Z").images)


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_measuring_on_a_device_that_is_absent_says_so(device: str):
    rng = np.random.default_rng(0)
    sample = Sample({"A": rng.integers(2, size=60)}, {"A": Variable("A", "discrete", 2, "transformation")})
    with pytest.raises(ValueError, match="no CUDA device is available; use 'cpu'"):
        measure_representation(with_z(sample, rng.normal(size=(60, 3))), terms=["I(A;Z)"], device=device)
