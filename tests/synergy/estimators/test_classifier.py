from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import log_softmax
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from synergy.estimators.classifier import (
    CrossFit,
    KernelClassifier,
    NetworkClassifier,
    TableClassifier,
    classifier,
    conditional_entropy_scores,
    decompose,
)
from synergy.estimators.classifier.kernel import _fit_logistic
from synergy.statistics.folds import make_splits
from synergy.statistics.paired import paired_estimate
from synthetic import ModularShift, Sample, Variable


def drawn_as_images(sample: Sample, *, noise: float, seed: int) -> Sample:
    """X becomes an image of 4 by 4 pixels whose brightest column is the state: a one-to-one drawing."""
    rng = np.random.default_rng(seed)
    images = np.zeros((len(sample), 1, 4, 4), dtype=np.float32)
    images[np.arange(len(sample)), 0, :, sample["X"]] = 1
    images = (images + noise * rng.random(images.shape)) / (1 + noise)
    return sample.with_column(Variable("X", "image"), images.astype(np.float32))


def two_gaussians(n: int, shift: float, seed: int) -> Sample:
    rng = np.random.default_rng(seed)
    a = rng.integers(2, size=n)
    return Sample(
        {"A": a, "Z": rng.normal(size=n) + shift * (2 * a - 1)},
        {"A": Variable("A", "discrete", 2), "Z": Variable("Z", "continuous")},
    )


def two_gaussians_information(shift: float) -> float:
    """I(A;Z) = h(Z) - h(N(0, 1)) by quadrature."""

    def integrand(z: float) -> float:
        p = 0.5 * norm.pdf(z, shift) + 0.5 * norm.pdf(z, -shift)
        return -p * math.log(p) if p > 0 else 0.0

    return quad(integrand, -shift - 10, shift + 10, limit=200)[0] - norm.entropy()


@pytest.fixture(scope="module")
def shift() -> ModularShift:
    return ModularShift(n=4, noise=0.1)


@pytest.fixture(scope="module")
def discrete(shift: ModularShift) -> Sample:
    return shift.sample(6000, seed=1)


@pytest.mark.parametrize("predict", ["A", "C"])
@pytest.mark.parametrize("term", ["I(A;C|X)", "I(A;C;X)", "I(A;X|C)"])
def test_discrete_terms_agree_with_enumeration(shift, discrete, term, predict):
    if term == "I(A;X|C)" and predict == "C":
        predict = "X"
    found = classifier(discrete, term, predict=predict)
    # a table with 16 x 3 free frequencies fitted on 4,800 rows costs at most about 48 / 9,600 nats
    assert abs(found.value - float(shift.exact(term))) < 4 * found.standard_error + 0.005


@pytest.mark.parametrize("predict", ["A", "C"])
def test_images_keep_the_synergy_of_what_they_draw(shift, discrete, predict):
    images = drawn_as_images(discrete.rows(slice(1000)), noise=0.3, seed=0)
    fit = CrossFit(images, quality="quick")
    found = classifier(images, "I(A;C|X)", predict=predict, fit=fit)
    assert abs(found.value - float(shift.exact("I(A;C|X)"))) < 4 * found.standard_error + 0.01


def test_default_quality_reads_images_with_mixed_conditions(shift):
    sample = drawn_as_images(shift.sample(500, seed=2), noise=0.3, seed=0)
    found = classifier(sample, "I(A;X|C)")
    assert abs(found.value - float(shift.exact("I(A;X|C)"))) < 4 * found.standard_error + 0.02


@pytest.mark.parametrize("model", ["auto", "quick", "logistic", "bayes"])
def test_two_gaussians_agree_with_quadrature(model):
    sample, truth = two_gaussians(800, 1.0, 3), two_gaussians_information(1.0)
    models = {"logistic": LogisticRegression(), "bayes": GaussianNB()}
    found = classifier(
        sample,
        "I(A;Z)",
        model=models.get(model, "auto"),
        quality="quick" if model == "quick" else "default",
    )
    assert abs(found.value - truth) < 4 * found.standard_error


@pytest.mark.parametrize("quality", ["quick", "default"])
def test_nothing_to_learn_costs_nothing(quality):
    rng = np.random.default_rng(0)
    sample = Sample(
        {"A": rng.integers(4, size=800), "Z": rng.normal(size=(800, 20))},
        {"A": Variable("A", "discrete", 4), "Z": Variable("Z", "continuous")},
    )
    found = classifier(sample, "I(A;Z)", quality=quality)
    assert abs(found.value) < 0.01


def test_calibration_repairs_an_overconfident_classifier():
    sample = two_gaussians(2000, 0.5, 4)
    wide = Sample(
        {"A": sample["A"], "Z": np.repeat(sample["Z"][:, None], 30, axis=1)},
        {"A": Variable("A", "discrete", 2), "Z": Variable("Z", "continuous")},
    )
    found = classifier(wide, "I(A;Z)", model=GaussianNB())
    assert abs(found.value - two_gaussians_information(0.5)) < 4 * found.standard_error
    raw = GaussianNB().fit(wide["Z"][:1000], wide["A"][:1000]).predict_log_proba(wide["Z"][1000:])
    assert -raw[np.arange(1000), wide["A"][1000:]].mean() > math.log(2)


def test_a_classifier_without_probabilities_is_calibrated():
    sample = two_gaussians(3000, 1.0, 5)
    found = classifier(sample, "I(A;Z)", model=LinearSVC())
    assert abs(found.value - two_gaussians_information(1.0)) < 4 * found.standard_error


def test_a_torch_module_sees_images_with_their_shape(shift):
    sample = drawn_as_images(shift.sample(1200, seed=6), noise=0.1, seed=0)
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(128, 4)
    )
    copied = CrossFit(sample.with_column(Variable("D", "discrete", 4), discrete_of(sample)), model=module)
    assert copied.losses("D", "X").mean() < 0.15


def discrete_of(sample: Sample) -> np.ndarray:
    return sample["X"].mean(axis=(1, 2)).argmax(axis=1)


def test_a_module_of_the_wrong_width_is_named():
    sample = two_gaussians(200, 1.0, 7)
    with pytest.raises(ValueError, match=r"logits of shape \(batch, 2\), got"):
        classifier(sample, "I(A;Z)", model=torch.nn.Linear(1, 3))


def test_terms_from_one_fit_are_paired_row_by_row(discrete):
    fit = CrossFit(discrete)
    total = classifier(discrete, "I(A;X,C)", fit=fit, predict="A")
    parts = [classifier(discrete, term, fit=fit, predict="A") for term in ("I(A;C)", "I(A;X|C)")]
    np.testing.assert_allclose(total.scores, parts[0].scores + parts[1].scores, atol=1e-12)
    whole = classifier(discrete, "I(A;X,C) - I(A;C) - I(A;X|C)", fit=fit, predict="A")
    assert whole.value == 0
    assert whole.standard_error == 0


def test_scores_are_the_losses(discrete):
    scores = conditional_entropy_scores(discrete, "A", ["X", "C"])
    assert scores.shape == (len(discrete),)
    assert classifier(discrete, "H(A|X,C)").value == pytest.approx(scores.mean())


def test_joint_targets_are_predicted_together():
    shift = ModularShift(n=3, noise=0.2)
    found = classifier(shift.sample(5000, seed=8), "H(A,C|X)")
    assert abs(found.value - float(shift.exact("H(A,C|X)"))) < 4 * found.standard_error + 0.005


def test_the_same_seed_gives_the_same_bits():
    sample = two_gaussians(150, 1.0, 9)
    first, again, other = (classifier(sample, "I(A;Z)", seed=s).scores for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_folds_never_divide_a_group():
    groups = np.random.default_rng(0).integers(40, size=300)
    splits = make_splits(300, 5, seed=0, groups=groups)
    np.testing.assert_array_equal(np.sort(np.concatenate([s.test for s in splits])), np.arange(300))
    for split in splits:
        parts = [set(groups[rows]) for rows in (split.fit, split.tune, split.test)]
        assert not parts[0] & parts[1]
        assert not (parts[0] | parts[1]) & parts[2]
        assert len(split.fit) + len(split.tune) + len(split.test) == 300


def test_repeated_rows_do_not_narrow_a_clustered_interval():
    base = two_gaussians(600, 1.0, 10)
    index = np.repeat(np.arange(600), 4)
    columns = {"A": base["A"][index], "Z": base["Z"][index], "G": index}
    variables = {**base.variables, "G": Variable("G", "discrete", 600)}
    alone = classifier(base, "I(A;Z)", quality="quick")
    grouped = classifier(Sample(columns, variables, groups="G"), "I(A;Z)", quality="quick")
    naive = classifier(Sample(columns, variables), "I(A;Z)", quality="quick")
    assert grouped.standard_error == pytest.approx(alone.standard_error, rel=0.15)
    assert naive.standard_error < 0.65 * alone.standard_error
    assert any("clustered by G" in note for note in grouped.notes)


def test_clustered_error_agrees_with_a_slow_reference():
    rng = np.random.default_rng(0)
    scores, groups = rng.normal(size=50), rng.integers(7, size=50)
    found = paired_estimate(scores, term="I(A;Z)", estimator="x", groups=groups)
    mean, total = sum(scores) / 50, 0.0
    for g in set(groups.tolist()):
        total += sum(s - mean for s, h in zip(scores, groups, strict=True) if h == g) ** 2
    assert found.standard_error == pytest.approx(math.sqrt(7 / 6 * total) / 50)
    plain = paired_estimate(scores, term="I(A;Z)", estimator="x")
    assert plain.standard_error == pytest.approx(scores.std(ddof=1) / math.sqrt(50))


def test_the_interval_covers_the_mean_of_skewed_scores():
    rng = np.random.default_rng(0)
    covered = {"ours": 0, "symmetric": 0}
    for _ in range(2000):
        scores = rng.exponential(size=50)
        found = paired_estimate(scores, term="H(A)", estimator="x")
        covered["ours"] += found.interval[0] < 1 < found.interval[1]
        covered["symmetric"] += abs(found.value - 1) < 2.0096 * found.standard_error
    # nominal 1900 of 2000 with a standard error of 10; the symmetric interval is the negative control
    assert covered["ours"] > 1870
    assert covered["symmetric"] < 1870


def test_interval_covers_the_truth_over_replicates():
    truth = two_gaussians_information(0.8)
    covered = 0
    for seed in range(40):
        found = classifier(two_gaussians(1000, 0.8, 100 + seed), "I(A;Z)", model=LogisticRegression())
        covered += found.interval[0] <= truth <= found.interval[1]
    # nominal 38 of 40; a binomial with p = 0.95 falls below 33 with probability under 1e-3
    assert covered >= 33


def test_the_frequency_table_shrinks_towards_the_marginal(discrete):
    fit = CrossFit(discrete.rows(np.arange(40)), model=TableClassifier(), folds=3)
    assert fit.losses("A", ["C", "X"]).mean() < math.log(4)
    assert np.isfinite(fit.losses("A", ["C", "X"])).all()


@pytest.mark.parametrize(
    "model",
    [KernelClassifier(landmarks=100), NetworkClassifier(members=1, passes=12_000)],
    ids=["kernel", "network"],
)
def test_each_model_alone_finds_an_interaction(model):
    rng = np.random.default_rng(1)
    a, z = rng.integers(2, size=1500), rng.normal(size=(1500, 2))
    flipped = a ^ (z[:, 0] * z[:, 1] > 0)
    sample = Sample(
        {"A": a, "C": flipped, "Z": z},
        {
            "A": Variable("A", "discrete", 2),
            "C": Variable("C", "discrete", 2),
            "Z": Variable("Z", "continuous"),
        },
    )
    fit = CrossFit(sample, model=model)
    assert fit.losses("A", "Z").mean() > 0.65
    assert fit.losses("A", ["C", "Z"]).mean() < 0.2


def test_decomposition_predicts_the_slot_that_is_asked_for(discrete):
    parts = decompose("I(A;C|X)", discrete, predict="C")
    shown = {(int(p.coefficient), tuple(sorted(p.target)), tuple(sorted(p.given))) for p in parts}
    assert shown == {(1, ("C",), ("X",)), (-1, ("C",), ("A", "X"))}


BAD = {
    "unknown variable": ({"expression": "I(A;Q)"}, "unknown variable 'Q'"),
    "nothing discrete": ({"expression": "H(Z)"}, "needs a slot of discrete variables"),
    "predicting a continuous slot": ({"expression": "I(A;Z)", "predict": "Z"}, "must be discrete"),
    "predicting what is not there": ({"expression": "I(A;Z)", "predict": "C"}, "must name"),
    "one fold": ({"expression": "I(A;Z)", "folds": 1}, "folds must be at least 2, got 1"),
    "more folds than rows": ({"expression": "I(A;Z)", "folds": 60}, "needs at least 120 rows, got 100"),
    "unknown quality": ({"expression": "I(A;Z)", "quality": "good"}, "quality must be"),
    "confidence of one": ({"expression": "I(A;Z)", "confidence": 1.0}, "confidence must lie strictly"),
}


@pytest.mark.parametrize(("options", "message"), BAD.values(), ids=BAD.keys())
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        classifier(two_gaussians(100, 1.0, 0), **options)


def test_a_model_of_no_known_kind_is_refused():
    with pytest.raises(TypeError, match=r"model must be 'auto', a scikit-learn classifier"):
        classifier(two_gaussians(100, 1.0, 0), "I(A;Z)", model=3)


def test_a_matrix_that_will_not_fit_is_refused_with_the_numbers():
    sample = two_gaussians(5000, 1.0, 0)
    many = sample.with_column(Variable("R", "discrete", 300_000), np.arange(5000))
    with pytest.raises(ValueError, match=r"matrix of 5000 x 300001, 5\.6 GiB"):
        classifier(many, "I(A;R,Z)")


def test_a_fit_on_other_data_is_refused():
    with pytest.raises(ValueError, match="must have been made on the sample"):
        classifier(two_gaussians(100, 1.0, 0), "I(A;Z)", fit=CrossFit(two_gaussians(100, 1.0, 1)))


def test_the_logistic_regression_is_that_of_scikit_learn():
    """The same penalised loss, on uncorrelated features of very different sizes."""
    rng = np.random.default_rng(4)
    n, m, k, inverse_ridge = 600, 12, 3, 3.0
    raw = rng.standard_normal((n, m)) * np.exp(-np.arange(m) / 2)
    y = (raw[:, 0] + 0.5 * rng.standard_normal(n) > 0).astype(np.int64) + (rng.random(n) < 0.3)
    curvature, axes = np.linalg.eigh(raw.T @ raw / n)
    phi = raw @ axes
    weights = _fit_logistic(phi, y, k, inverse_ridge, None, np.maximum(curvature, 0), gtol=1e-5)
    reference = LogisticRegression(C=inverse_ridge, tol=1e-8, max_iter=10_000).fit(phi, y)
    log_p = log_softmax(phi @ weights[:-1] + weights[-1], axis=1)
    # a gradient of 1e-5 and a Hessian of at least a tenth leave 1e-4 in each scaled weight; rows of the
    # scaled features have norms near sqrt(m k^2 / (k - 1)) = 7.3
    np.testing.assert_allclose(log_p, reference.predict_log_proba(phi), atol=2e-3)
