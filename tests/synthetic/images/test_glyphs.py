"""Samples of glyphs: latents have their priors, pixels follow from latents, seeds fix everything."""

import json
import math

import numpy as np
import pytest
import torch
from scipy import stats

from synthetic import Glyphs, NoExactAnswerError, load_generator, make_generator
from synthetic.images.glyphs import Choice, Triangular, Uniform
from synthetic.images.glyphs.drawing import patches
from synthetic.transformations import TRANSFORMATIONS, Blur

EVERYTHING = {
    "glyphs": "mixed",
    "hue": {"low": 0.0, "high": 1.0},
    "background": [0.0, 0.2, 0.4],
    "stroke": {"low": 0.15, "high": 0.35},
    "scale": {"low": 0.5, "mode": 0.7, "high": 0.9},
    "position": {"low": -0.1, "high": 0.1},
    "texture": [0.0, 0.5],
    "pose": {"low": -0.2, "high": 0.2},
    "noise": 0.05,
    "occlusion": 0.3,
}


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    world = Glyphs(**EVERYTHING)
    one, two, other = (world.sample(40, seed=s) for s in (3, 3, 4))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
        assert not np.array_equal(one[name], other[name]), name


@pytest.mark.parametrize("augmentation", ["none", "simclr"])
def test_a_larger_sample_begins_with_the_smaller(augmentation: str):
    world = Glyphs(**EVERYTHING, augmentation=augmentation, size=16)
    small, large = world.sample(30, seed=1), world.sample(2500, seed=1)  # more than one chunk
    for name in small:
        np.testing.assert_allclose(large[name][:30], small[name], rtol=0, atol=1e-6)
    assert np.array_equal(large["C"][:30], small["C"])


def test_shards_depend_on_seed_and_number_alone():
    world = Glyphs(size=16)
    stream = world.stream(7, seed=5)
    batches = [next(stream) for _ in range(4)]
    np.testing.assert_array_equal(batches[3]["X"], world.shard(3, 7, seed=5)["X"])
    assert not np.array_equal(batches[2]["X"], batches[3]["X"])


def test_columns_and_roles():
    sample = Glyphs(**EVERYTHING).sample(6, seed=0)
    assert sample["X"].shape == (6, 3, 32, 32)
    assert sample["X"].dtype == np.float32
    assert sample["S"].shape == (6, 7)  # six factors, the position has two coordinates
    assert sample["position"].shape == (6, 2)
    assert sample.variables["V"].kind == "continuous"
    assert sample.variables["background"].cardinality == 3
    roles = {n: v.role for n, v in sample.variables.items()}
    assert [n for n, r in roles.items() if r == "style"] == [
        "S",
        "hue",
        "background",
        "stroke",
        "scale",
        "position",
        "texture",
    ]
    assert (roles["C"], roles["V"], roles["A"], roles["X"]) == ("class", "pose", "transformation", "input")
    assert "R" not in sample.variables


def test_discrete_worlds_have_the_number_of_the_raw_image():
    world = Glyphs(("F", "plus"), pose=[0, 1], hue=[0.0, 0.5], size=16)
    sample = world.sample(300, seed=0)
    assert sample.variables["R"].role == "raw"
    assert sample.variables["R"].cardinality == 6  # F has two poses, plus looks the same in both
    raw = world.states.raw_images[sample["R"]]
    np.testing.assert_array_equal(sample["X"], world.action.apply(raw, torch.from_numpy(sample["A"])).numpy())


def test_the_style_is_the_tuple_of_its_factors():
    sample = Glyphs(hue=[0.0, 0.3, 0.6], scale=[0.6, 0.8], size=16).sample(200, seed=0)
    np.testing.assert_array_equal(sample["S"], sample["hue"] * 2 + sample["scale"])
    continuous = Glyphs(hue={"low": 0, "high": 1}, scale=[0.6, 0.8], size=16).sample(200, seed=0)
    np.testing.assert_array_equal(continuous["S"][:, 0], continuous["hue"])
    np.testing.assert_allclose(continuous["S"][:, 1], np.array([0.6, 0.8])[continuous["scale"]], rtol=1e-6)


def test_discrete_latents_have_their_priors_and_are_independent():
    world = Glyphs(
        ("F", "6", "9"),
        prior=[0.5, 0.3, 0.2],
        hue={"values": [0.0, 0.5], "weights": [0.8, 0.2]},
        pose={"values": [0, 2], "weights": [0.25, 0.75]},
        occlusion=0.4,
        size=16,
    )
    n = 20_000
    sample = world.sample(n, seed=0)
    shape = [world.states.support.cardinalities[v] for v in ("C", "S", "V", "A", "occlusion")]
    counts = np.zeros(shape)
    np.add.at(counts, tuple(sample[v] for v in ("C", "S", "V", "A", "occlusion")), 1)
    expected = world.joint(["C", "S", "V", "A", "occlusion"]).probabilities * n
    kept = expected > 5
    statistic = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert stats.chi2(kept.sum() - 1).sf(statistic) > 1e-3


def test_images_have_the_frequencies_of_the_exact_joint():
    world = Glyphs(("6", "9", "plus"), prior=[0.2, 0.3, 0.5], hue=[0.0, 0.5], size=16)
    n = 10_000
    sample = world.sample(n, seed=2)
    numbers = {image.numpy().tobytes(): k for k, image in enumerate(world.states.images)}
    x = np.array([numbers[image.tobytes()] for image in sample["X"]])
    counts = np.zeros((3, 2, 4, len(numbers)))
    np.add.at(counts, (sample["C"], sample["S"], sample["A"], x), 1)
    expected = world.joint(["C", "S", "A", "X"]).probabilities * n
    assert counts[expected == 0].sum() == 0
    kept = expected > 0
    statistic = ((counts - expected)[kept] ** 2 / expected[kept]).sum()
    assert stats.chi2(kept.sum() - 1).sf(statistic) > 1e-3


def test_continuous_latents_have_their_priors():
    sample = Glyphs(**{**EVERYTHING, "noise": 0.0, "size": 16, "transformation": "hue-shift"}).sample(
        5000, seed=0
    )
    laws = {
        "hue": stats.uniform(0, 1),
        "stroke": stats.uniform(0.15, 0.2),
        "scale": stats.triang(0.5, 0.5, 0.4),
        "V": stats.uniform(-0.2, 0.4),
        "A": stats.uniform(0, 2 * math.pi),
    }
    for name, law in laws.items():
        assert stats.kstest(sample[name], law.cdf).pvalue > 1e-3, name
    for k in range(2):
        assert stats.kstest(sample["position"][:, k], stats.uniform(-0.1, 0.2).cdf).pvalue > 1e-3
    drawn = np.column_stack([sample[name] for name in laws])
    correlations = np.corrcoef(drawn.T) - np.eye(len(laws))
    assert np.abs(correlations).max() < 4.5 / math.sqrt(5000)


def test_noise_is_gaussian_and_unclipped():
    quiet = Glyphs(size=16).sample(200, seed=0)
    noisy = Glyphs(size=16, noise=0.3).sample(200, seed=0)
    np.testing.assert_array_equal(quiet["C"], noisy["C"])
    residual = ((noisy["X"] - quiet["X"]) / 0.3).ravel().astype(np.float64)
    n = len(residual)
    assert stats.kstest(residual[:20_000], stats.norm.cdf).pvalue > 1e-3
    assert abs(residual.var() - 1) < 5 * math.sqrt(2 / n)
    assert noisy["X"].min() < 0
    assert noisy["X"].max() > 1


def test_the_patch_hides_what_is_below_it():
    world = Glyphs(occlusion=1.0, occlusion_size=0.25, size=16)
    sample = world.sample(100, seed=0)
    clear = Glyphs(size=16).sample(100, seed=0)
    masks = patches(world, torch.device("cpu")).numpy()
    assert not masks[0].any()
    assert (masks[1:].sum(axis=(1, 2)) == 16).all()
    assert sample["occlusion"].min() >= 1
    hidden = masks[sample["occlusion"]][:, None]
    np.testing.assert_array_equal(sample["X"], np.where(hidden, np.float32(0.5), clear["X"]))


def test_a_custom_glyph_is_a_class():
    arch = {"name": "arch", "strokes": [[[-0.5, 0.8], [-0.5, -0.5], [0.5, -0.5], [0.5, 0.8]]]}
    world = Glyphs(["ring", arch])
    assert world.class_names == ("ring", "arch")
    assert world.predicted("H(A|X)") == pytest.approx(math.log(4) / 2)


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_every_transformation_of_colour_images(name: str):
    world = Glyphs(size=16, transformation=name, background=0.2)
    sample = world.sample(12, seed=0)
    assert sample["X"].min() > -1e-5
    assert sample["X"].max() < 1 + 1e-5
    assert (sample.variables["A"].cardinality is None) == (name in ("continuous-rotation", "hue-shift"))


def test_parameters_survive_json_and_text():
    world = Glyphs(**EVERYTHING, transformation=Blur(sigmas=(0, 2)))
    again = load_generator({"family": "glyphs", "parameters": json.loads(json.dumps(world.settings))})
    assert again == world
    np.testing.assert_array_equal(again.sample(3, seed=0)["X"], world.sample(3, seed=0)["X"])
    typed = make_generator(
        "glyphs", {"glyphs": '["6", "9"]', "hue": "[0, 0.5]", "size": "16", "noise": "0.1"}
    )
    assert typed == Glyphs(("6", "9"), hue=[0, 0.5], size=16, noise=0.1)


def test_diagrams_say_what_causes_what():
    plain = Glyphs().diagram
    assert plain.d_separated({"A"}, {"C", "S", "V", "R"})
    assert plain.d_separated({"X"}, {"C", "S", "V"}, {"R", "A"})
    assert set(plain.deterministic) == {"S", "R", "X"}
    assert set(Glyphs(noise=0.1).diagram.deterministic) == {"S", "R"}
    assert set(Glyphs(augmentation="crop").diagram.deterministic) == {"S", "R"}
    everything = Glyphs(**EVERYTHING)
    assert set(everything.diagram.variables) == {v.name for v in everything.variables}
    assert everything.diagram.parents("X") == ("C", "S", "V", "A", "occlusion")


def test_priors_may_be_given_as_objects():
    world = Glyphs(hue=Uniform(0, 0.5), stroke=Triangular(0.1, 0.2, 0.3), scale=Choice((0.6, 0.8)))
    assert world.continuous_latents == ("hue", "stroke")
    assert world.raw_states is None


BAD_WORLDS = {
    "one class": ({"glyphs": ["F"]}, ValueError, "at least two classes, got 1"),
    "no class": ({"glyphs": []}, ValueError, "at least two classes, got 0"),
    "unknown glyph": ({"glyphs": ["F", "Ω"]}, ValueError, "unknown glyph 'Ω'"),
    "unknown set": ({"glyphs": "letters"}, ValueError, "unknown glyph set 'letters'.*half-turn-pairs"),
    "a glyph twice": ({"glyphs": ["F", "F"]}, ValueError, "glyphs must differ"),
    "the same drawing twice": (
        {"glyphs": ["bar", {"name": "I-beam", "strokes": [[[0, 0.85], [0, -0.85]]]}]},
        ValueError,
        "must look different, got 'bar' and 'I-beam'",
    ),
    "glyphs as a number": ({"glyphs": 5}, TypeError, "glyphs must be a list"),
    "prior too long": ({"glyphs": ["F", "6"], "prior": [0.2, 0.3, 0.5]}, ValueError, "must have 2"),
    "prior does not sum to one": ({"glyphs": ["F", "6"], "prior": [0.2, 0.3]}, ValueError, "sum to 1"),
    "unknown transformation": ({"transformation": "shear"}, ValueError, "unknown transformation 'shear'"),
    "size too small": ({"size": 8}, ValueError, "size must be between 16 and 64, got 8"),
    "size too large": ({"size": 65}, ValueError, "size must be between 16 and 64, got 65"),
    "fractional size": ({"size": 20.5}, TypeError, "size must be an integer"),
    "two channels": ({"channels": 2}, ValueError, "channels must be 1 or 3, got 2"),
    "gray with hues": ({"channels": 1, "hue": [0, 0.5]}, ValueError, "hue must be a single value"),
    "gray grayscale": ({"channels": 1, "transformation": "grayscale"}, ValueError, "3 channels, got 1"),
    "odd jigsaw": ({"size": 17, "transformation": "jigsaw"}, ValueError, "even height"),
    "stroke too wide": ({"stroke": 0.8}, ValueError, "stroke must stay between 0.05 and 0.4"),
    "no stroke": ({"stroke": 0}, ValueError, "stroke must stay between"),
    "scale too large": ({"scale": [0.5, 1.5]}, ValueError, "scale must stay between 0.3 and 1"),
    "bright background": ({"background": 0.9}, ValueError, "background must stay between 0 and 0.6"),
    "position off the frame": ({"position": [0.6, 0.0]}, ValueError, "position must stay between"),
    "position as a number": ({"position": 0.1}, ValueError, "position must have values that are pairs"),
    "negative texture": ({"texture": -0.1}, ValueError, "texture must stay between 0 and 1"),
    "pose as text": ({"pose": "upright"}, TypeError, "pose must be a number"),
    "negative noise": ({"noise": -0.1}, ValueError, "noise must be at least 0"),
    "infinite noise": ({"noise": math.inf}, ValueError, "noise must be finite"),
    "occlusion above one": ({"occlusion": 1.5}, ValueError, "occlusion must be a probability"),
    "empty patch": ({"occlusion_size": 0}, ValueError, "occlusion_size must be above 0"),
    "patch beyond the frame": ({"occlusion_size": 1.1}, ValueError, "occlusion_size must be at most 1"),
    "unknown augmentation": ({"augmentation": "mixup"}, ValueError, "unknown augmentation 'mixup'"),
}


@pytest.mark.parametrize("case", BAD_WORLDS)
def test_bad_worlds(case: str):
    options, error, message = BAD_WORLDS[case]
    with pytest.raises(error, match=message):
        Glyphs(**options)


@pytest.mark.parametrize(("n", "seed", "message"), [(0, 0, "n must be at least 1"), (1, -1, "seed must be")])
def test_bad_samples(n: int, seed: int, message: str):
    with pytest.raises(ValueError, match=message):
        Glyphs(size=16).sample(n, seed=seed)


def test_many_styles_can_be_drawn_but_not_enumerated():
    world = Glyphs(hue=list(np.linspace(0, 0.99, 90)), scale=list(np.linspace(0.5, 0.9, 60)))
    assert "R" not in world.sample(5, seed=0).variables
    with pytest.raises(NoExactAnswerError, match=r"27,000 raw images.*256 MiB.*hue, scale"):
        world.exact("I(A;C|X)")


def test_the_number_of_threads_changes_no_bit():
    world = Glyphs(**EVERYTHING, augmentation="crop")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = world.sample(1100, seed=4)  # several chunks
        torch.set_num_threads(3)
        together = world.sample(1100, seed=4)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    for name in alone:
        np.testing.assert_array_equal(alone[name], together[name])


def test_chunks_draw_different_noise():
    world = Glyphs(("plus", "ring"), hue=0.0, noise=0.1)
    images = world.sample(1024, seed=0)["X"].reshape(1024, -1)
    quiet = Glyphs(("plus", "ring"), hue=0.0).sample(1024, seed=0)["X"].reshape(1024, -1)
    residual = (images - quiet).astype(np.float64)
    rows = residual[::64]  # sixteen rows from two chunks
    correlation = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(correlation).max() < 5 / math.sqrt(rows.shape[1])
