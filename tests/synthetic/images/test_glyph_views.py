"""Two views of a glyph: enumeration against plain loops, Monte Carlo against enumeration and pixels, laws."""

import itertools
import json
import math
from collections import Counter

import numpy as np
import pytest

from synthetic import Glyphs, GlyphViews, NoExactAnswerError, load_generator, make_generator

LOG2 = math.log(2)
ROUNDING = 1e-11
"""Entropies of some hundred states add up to less rounding."""

SMALL = {"glyphs": ("6", "9", "T"), "size": 16, "hue": [0.0, 0.4]}
TERMS = (
    "I(X1;X2)",
    "I(C;X1)",
    "I(C;X1,X2)",
    "I(A1;X1)",
    "I(X1;X2|C)",
    "I(A1;A2|X1,X2)",
    "I(A1,A2;X1,X2)",
)


def entropy(counts: Counter) -> float:
    p = np.array(list(counts.values()), dtype=float)
    p /= p.sum()
    return -float((p * np.log(p)).sum())


def entropies_of_rows(rows: list[dict], weights: list[float]):
    """H of any variables of rows with weights, by counting."""

    def of(names: str) -> float:
        counts: Counter = Counter()
        for row, weight in zip(rows, weights, strict=True):
            counts[tuple(row[k] for k in names.split(","))] += weight
        return entropy(counts)

    return of


def by_hand(h) -> dict[str, float]:
    return {
        "I(X1;X2)": h("X1") + h("X2") - h("X1,X2"),
        "I(C;X1)": h("C") + h("X1") - h("C,X1"),
        "I(C;X1,X2)": h("C") + h("X1,X2") - h("C,X1,X2"),
        "I(A1;X1)": h("A1") + h("X1") - h("A1,X1"),
        "I(X1;X2|C)": h("C,X1") + h("C,X2") - h("C,X1,X2") - h("C"),
        "I(A1;A2|X1,X2)": h("A1,X1,X2") + h("A2,X1,X2") - h("A1,A2,X1,X2") - h("X1,X2"),
        "I(A1,A2;X1,X2)": h("A1,A2") + h("X1,X2") - h("A1,A2,X1,X2"),
    }


@pytest.mark.parametrize("prior", [None, (0.5, 0.2, 0.3)])
@pytest.mark.parametrize("transformation", ["rotation", "horizontal-flip"])
def test_enumeration_is_a_plain_loop_over_images(prior, transformation: str):
    """The images are drawn by the sampler of `Glyphs`, and told apart by their bytes."""
    world = GlyphViews(**SMALL, prior=prior, transformation=transformation)
    drawn = Glyphs(**SMALL, transformation=transformation).sample(600, seed=0)
    image = {}
    for c, hue, a, x in zip(drawn["C"], drawn["hue"], drawn["A"], drawn["X"], strict=True):
        image[int(c), int(hue), int(a)] = x.tobytes()
    labels = 4 if transformation == "rotation" else 2
    assert len(image) == 3 * 2 * labels
    rows, weights = [], []
    for c, s, a1, a2 in itertools.product(range(3), range(2), range(labels), range(labels)):
        rows.append({"C": c, "A1": a1, "A2": a2, "X1": image[c, s, a1], "X2": image[c, s, a2]})
        weights.append(1.0 if prior is None else prior[c])
    for term, value in by_hand(entropies_of_rows(rows, weights)).items():
        answer = world.exact(term)
        assert answer.value == pytest.approx(value, abs=ROUNDING), term
        assert answer.method == "enumeration"


def test_closed_forms_by_hand():
    """6 and 9 share an orbit: a view shows the orbit and the hue, and which image of its orbit it is."""
    world = GlyphViews(**SMALL)
    orbit = math.log(3) - 2 / 3 * LOG2
    assert float(world.exact("I(X1;X2)")) == pytest.approx(orbit + LOG2, abs=ROUNDING)
    assert float(world.exact("I(C;X1)")) == pytest.approx(orbit, abs=ROUNDING)
    # A1 - A2 is shown up to nothing, while C (6 or 9) and a common half-turn are confused
    assert float(world.exact("I(C;X1,X2)")) == pytest.approx(orbit, abs=ROUNDING)
    assert float(world.exact("I(A1;A2|X1,X2)")) == pytest.approx(2 / 3 * LOG2, abs=ROUNDING)


def test_the_empirical_plug_in_covers_the_exact_value():
    """Four standard errors of a mean of bounded log-ratios, and the bias of a table of so many cells."""
    world, n = GlyphViews(**SMALL), 20_000
    sample = world.sample(n, seed=11)
    images = {k: [x.tobytes() for x in sample[k]] for k in ("X1", "X2")}
    columns = {**images, **{k: sample[k].tolist() for k in ("C", "A1", "A2")}}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    measured = by_hand(entropies_of_rows(rows, [1.0] * n))
    joint = world.joint(("C", "A1", "A2", "X1", "X2")).probabilities
    cells = int(np.count_nonzero(joint))
    for term, value in measured.items():
        exact = float(world.exact(term))
        spread = math.log(cells) / math.sqrt(n)  # twice the standard error, at most
        bias = cells / (2 * n)
        assert abs(value - exact) <= 4 * spread / 2 + bias, term
    assert measured["I(X1;X2)"] > 1.0  # the control: far from the independent views of other rows
    shifted = [{**row, "X2": rows[k - 1]["X2"]} for k, row in enumerate(rows)]
    assert by_hand(entropies_of_rows(shifted, [1.0] * n))["I(X1;X2)"] < 0.05


def test_tiny_noise_is_no_noise():
    clear, noisy = GlyphViews(**SMALL), GlyphViews(**SMALL, noise=0.01)
    for term in TERMS:
        answer = noisy.exact(term)
        assert "Monte Carlo" in answer.method
        assert abs(answer.value - float(clear.exact(term))) <= 4 * answer.standard_error + 1e-9, term


@pytest.mark.parametrize("noise", [1.0, 3.0])
def test_views_in_noise_against_brute_force_on_pixels(noise: float):
    """Bayes' rule by hand on drawn pairs of images: the mean log-likelihood ratio is the information."""
    world, n = GlyphViews(("6", "T"), size=16, hue=0.0, noise=noise), 3000
    clean = Glyphs(("6", "T"), size=16, hue=0.0).sample(200, seed=0)
    image = {(int(c), int(a)): x for c, a, x in zip(clean["C"], clean["A"], clean["X"], strict=True)}
    stack = np.array([[image[c, a] for a in range(4)] for c in range(2)]).reshape(8, -1).astype(float)
    sample = world.sample(n, seed=5)

    def fit(view: str) -> np.ndarray:
        """log p(view | C, A) up to a constant, shape (n, 2, 4)."""
        x = sample[view].reshape(n, -1).astype(float)
        return ((x @ stack.T - (stack**2).sum(1) / 2) / noise**2).reshape(n, 2, 4)

    def mean(log_values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        top = log_values.max(axis=axes, keepdims=True)
        return np.squeeze(top, axes) + np.log(np.exp(log_values - top).mean(axis=axes))

    rows, c, a1 = np.arange(n), sample["C"], sample["A1"]
    one, two = fit("X1"), fit("X2")
    class_one, class_two = mean(one, (2,)), mean(two, (2,))
    both = class_one + class_two
    ratios = {
        "I(X1;X2)": mean(both, (1,)) - mean(class_one, (1,)) - mean(class_two, (1,)),
        "I(C;X1)": class_one[rows, c] - mean(class_one, (1,)),
        "I(C;X1,X2)": both[rows, c] - mean(both, (1,)),
        "I(A1;X1)": mean(one[rows, :, a1], (1,)) - mean(one, (1, 2)),
    }
    for term, ratio in ratios.items():
        answer = world.exact(term, tolerance=0.005)
        error = math.hypot(ratio.std(ddof=1) / math.sqrt(n), answer.standard_error)
        assert abs(ratio.mean() - answer.value) <= 4 * error + ROUNDING, term
        assert answer.standard_error <= 0.01, term


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_laws_of_two_views(noise: float):
    world = GlyphViews(**SMALL, noise=noise)

    def at_least(gap: str) -> None:
        answer = world.exact(gap, tolerance=0.005)
        assert answer.value >= -4 * answer.standard_error - 1e-9, gap

    def zero(term: str) -> None:
        answer = world.exact(term, tolerance=0.005)
        assert abs(answer.value) <= 4 * answer.standard_error + 1e-9, term

    at_least("H(R) - I(X1;X2)")  # K2
    at_least("I(R;X1) - I(X1;X2)")  # K1 with Z1 = X1, Z2 = X2 and R in the place of a view
    at_least("I(C;R) - I(C;X1)")  # K8
    at_least("I(C;X1,X2) - I(C;X1)")  # N1
    at_least("I(X1;C) + I(X1;X2|C) - I(X1;X2)")
    zero("I(X1;C) + I(X1;X2|C) - I(X1;X2) - I(X1;C|X2)")  # the chain rule, with draws of three kinds
    zero("I(X1;X2|R)")
    zero("I(C;X1) - I(C;X2)")
    assert float(world.exact("I(X1;X2) - I(C;X1)", tolerance=0.005)) > 0.05  # K3f: the hue is shared
    assert float(world.exact("I(A1;A2)")) == pytest.approx(0, abs=ROUNDING)
    alone = GlyphViews(("F", "6"), size=16, hue=0.0, noise=noise)
    answer = alone.exact("I(X1;X2|C)", tolerance=0.005)
    assert abs(answer.value) <= 4 * answer.standard_error + 1e-9


def test_a_view_alone_is_the_glyph_of_its_world():
    for noise in (0.0, 2.0):
        one, two = Glyphs(**SMALL, noise=noise), GlyphViews(**SMALL, noise=noise)
        for term in ("I(A;X)", "I(C;X)", "I(A;C|X)", "H(X)"):
            here = two.exact(term.replace("A;", "A2;").replace("X", "X2"), tolerance=0.005)
            there = one.exact(term, tolerance=0.005)
            error = math.hypot(here.standard_error, there.standard_error)
            assert abs(here.value - there.value) <= 4 * error + 1e-9, term


def test_each_view_has_a_patch_of_its_own():
    world = GlyphViews(("F", "L"), size=16, hue=0.0, occlusion=0.5, occlusion_size=1.0)
    assert float(world.exact("I(C;X1)")) == pytest.approx(LOG2 / 2, abs=ROUNDING)
    assert float(world.exact("I(C;X1,X2)")) == pytest.approx(LOG2 * 3 / 4, abs=ROUNDING)
    assert float(world.exact("I(occlusion1;occlusion2)")) == pytest.approx(0, abs=ROUNDING)
    assert float(world.exact("I(X1;X2)")) == pytest.approx(LOG2 / 4, abs=ROUNDING)


def test_a_sample_has_independent_views_and_repeats():
    world = GlyphViews(**SMALL, noise=0.1, augmentation="crop", occlusion=0.3)
    sample, again = world.sample(400, seed=3), world.sample(100, seed=3)
    assert list(sample.columns) == [v.name for v in world.variables]
    assert sample["X1"].shape == sample["X2"].shape == (400, 3, 16, 16)
    for name in ("A1", "A2", "X1", "X2", "occlusion1", "occlusion2"):
        np.testing.assert_array_equal(sample[name][:100], again[name])
    same = sample["A1"] == sample["A2"]
    assert 0.25 - 4 * math.sqrt(0.25 * 0.75 / 400) <= same.mean() <= 0.25 + 4 * math.sqrt(0.25 * 0.75 / 400)
    still = GlyphViews(("F", "6"), size=16, noise=0.5)
    drawn, clear = still.sample(50, seed=1), GlyphViews(("F", "6"), size=16).sample(50, seed=1)
    noises = np.stack([(drawn[k] - clear[k]).ravel() for k in ("X1", "X2")])
    assert abs(np.corrcoef(noises)[0, 1]) <= 4 / math.sqrt(noises.shape[1])
    assert noises.std() == pytest.approx(0.5, rel=4 / math.sqrt(2 * noises.size))


def test_text_and_json():
    world = GlyphViews(**SMALL, noise=0.5)
    content = json.loads(json.dumps({"family": "glyph-views", "parameters": world.settings}))
    assert load_generator(content) == world
    assert make_generator("glyph-views", {"noise": "0.5", "size": "16"}) == GlyphViews(noise=0.5, size=16)
    assert str(GlyphViews(noise=1.0).diagram).count("R->X") == 2


BAD = {
    "negative noise": ({"noise": -1.0}, "noise must be at least 0"),
    "one class": ({"glyphs": ["F"]}, "at least two classes"),
    "unknown transformation": ({"transformation": "roll"}, "roll"),
    "small images": ({"size": 8}, "size must"),
    "occlusion above 1": ({"occlusion": 1.5}, "occlusion must"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case: str):
    options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        GlyphViews(**options)


REFUSED = {
    "continuous style": ({"hue": {"low": 0, "high": 1}}, "I(X1;X2)", "hue is continuous"),
    "augmentation": ({"augmentation": "crop"}, "I(X1;X2)", "augmentation='crop'"),
    "infinite": ({"noise": 1.0}, "I(X1;X1)", "X1 is continuous"),
    "pairs": ({"transformation": "jigsaw", "noise": 1.0}, "I(X1;X2)", "8,.* different pairs of images"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused_with_the_reason(case: str):
    options, term, message = REFUSED[case]
    with pytest.raises(NoExactAnswerError, match=message):
        GlyphViews(**{"size": 16, **options}).exact(term)


def test_questions_that_make_no_sense():
    world = GlyphViews(**SMALL, noise=1.0)
    with pytest.raises(ValueError, match=r"unknown variable 'X'.*A1, A2, X1, X2"):
        world.exact("I(C;X)")
    with pytest.raises(NoExactAnswerError, match="no finite joint with X2"):
        world.joint(("C", "X2"))
    with pytest.raises(ValueError, match="tolerance must be above 0"):
        world.exact("I(C;X1)", tolerance=0)
    with pytest.raises(ValueError, match="n must be at least 1"):
        world.sample(0, seed=0)
