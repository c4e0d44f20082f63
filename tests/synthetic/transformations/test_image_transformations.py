"""The laws that each transformation claims, on random pixels and random labels."""

import itertools
import math

import numpy as np
import pytest
import torch

from synthetic.transformations import (
    TRANSFORMATIONS,
    Blur,
    ContinuousRotation,
    HueShift,
    Jigsaw,
    PixelPermutation,
    Transformation,
    on_grid,
    transformation,
)

EXACT = [name for name, kind in TRANSFORMATIONS.items() if kind.exactness == "exact"]
SEVEN = ["rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur"]


def noise(n: int, channels: int = 3, side: int = 12, seed: int = 0) -> torch.Tensor:
    return on_grid(torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(seed)))


def test_registry_has_the_papers_seven_and_the_continuous_two():
    assert set(TRANSFORMATIONS) == {*SEVEN, "continuous-rotation", "hue-shift"}
    assert set(EXACT) == {"rotation", "horizontal-flip", "vertical-flip", "inversion", "jigsaw"}
    assert {n for n, t in TRANSFORMATIONS.items() if t.exactness == "not invertible"} == {"grayscale", "blur"}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("channels", [1, 3])
def test_exact_actions_compose_to_the_bit(name: str, channels: int):
    action = transformation(name)
    group = action.group
    assert group is not None
    assert group.order == action.cardinality
    pairs = torch.tensor(list(itertools.product(range(group.order), repeat=2)))
    images = noise(len(pairs), channels)
    g, h = pairs[:, 0], pairs[:, 1]
    twice = action.apply(action.apply(images, h), g)
    once = action.apply(images, torch.from_numpy(group.multiply(g.numpy(), h.numpy())))
    assert torch.equal(twice, once)
    identity = torch.full((len(images),), group.identity)
    assert torch.equal(action.apply(images, identity), images)


@pytest.mark.parametrize("name", EXACT)
def test_exact_actions_are_faithful(name: str):
    action = transformation(name)
    one = noise(1).expand(action.cardinality, -1, -1, -1)
    results = action.apply(one, torch.arange(action.cardinality))
    assert len(torch.unique(results.flatten(1), dim=0)) == action.cardinality


def test_the_composition_test_can_fail():
    """Negative control: with the factors in the wrong order jigsaw, which is not abelian, fails."""
    action = Jigsaw()
    pairs = torch.tensor(list(itertools.product(range(24), repeat=2)))
    images = noise(len(pairs), 1)
    wrong = torch.from_numpy(action.group.multiply(pairs[:, 1].numpy(), pairs[:, 0].numpy()))
    assert not torch.equal(
        action.apply(action.apply(images, pairs[:, 1]), pairs[:, 0]), action.apply(images, wrong)
    )


@pytest.mark.parametrize("name", sorted(set(TRANSFORMATIONS) - set(EXACT)))
def test_inexact_transformations_claim_no_group(name: str):
    action = transformation(name)
    assert action.group is None
    assert len(action.statement) > 20


def test_inversion_is_not_exact_off_the_grid():
    """Why `on_grid` exists: float32 cannot hold 1 - x for every float32 x."""
    image = torch.full((1, 1, 2, 2), 1e-9)
    action, one = transformation("inversion"), torch.tensor([1])
    assert not torch.equal(action.apply(action.apply(image, one), one), image)
    assert (action.apply(action.apply(image, one), one) - image).abs().max() <= 2**-25


def test_on_grid_moves_pixels_by_at_most_half_a_step():
    pixels = torch.rand(1000, 1, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert (on_grid(pixels).double() - pixels).abs().max() <= 2**-25
    levels = on_grid(torch.arange(256).double() / 255)
    for half in (pixels.half(), pixels.bfloat16()):
        assert torch.equal(on_grid(half), on_grid(half.double()))
    assert len(torch.unique(levels)) == 256
    assert levels[0] == 0
    assert levels[-1] == 1


def loop_reference(action: Transformation, image: np.ndarray, label: int) -> np.ndarray:
    """One pixel at a time, in plain Python."""
    _, height, width = image.shape
    result = np.empty_like(image)
    for i, j in itertools.product(range(height), range(width)):
        if action.name == "rotation":
            y, x = i, j
            for _ in range(label):
                y, x = x, width - 1 - y
            result[:, i, j] = image[:, y, x]
        elif action.name == "horizontal-flip":
            result[:, i, j] = image[:, i, width - 1 - j] if label else image[:, i, j]
        elif action.name == "vertical-flip":
            result[:, i, j] = image[:, height - 1 - i, j] if label else image[:, i, j]
        elif action.name == "jigsaw":
            places = list(itertools.permutations(range(4)))[label]
            tile = 2 * (i >= height // 2) + (j >= width // 2)
            target = places[tile]
            y = i % (height // 2) + (target // 2) * (height // 2)
            x = j % (width // 2) + (target % 2) * (width // 2)
            result[:, y, x] = image[:, i, j]
    return result


@pytest.mark.parametrize("name", ["rotation", "horizontal-flip", "vertical-flip", "jigsaw"])
def test_pixel_permutations_agree_with_a_loop(name: str):
    action = transformation(name)
    labels = torch.arange(action.cardinality)
    images = noise(len(labels), 3, 6)
    results = action.apply(images, labels).numpy()
    for label in range(action.cardinality):
        np.testing.assert_array_equal(results[label], loop_reference(action, images[label].numpy(), label))


def test_flips_and_jigsaw_accept_oblong_images():
    image = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0))
    for name in ("horizontal-flip", "vertical-flip", "jigsaw", "inversion", "blur"):
        assert transformation(name).apply(image, torch.tensor([1])).shape == image.shape


def test_grayscale_is_a_projection_that_loses_colour():
    action, images = transformation("grayscale"), noise(5)
    one = torch.ones(5, dtype=torch.long)
    gray = action.apply(images, one)
    assert torch.equal(gray[:, 0], gray[:, 1])
    assert torch.allclose(action.apply(gray, one), gray, atol=1e-6)
    expected = 0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2]
    assert torch.allclose(gray[:, 2], expected, atol=1e-6)


def test_blur_agrees_with_scipy_and_keeps_the_mean():
    from scipy.ndimage import gaussian_filter

    action = Blur(sigmas=(0.0, 0.7, 1.5))
    images = noise(3, 2, 16)
    results = action.apply(images, torch.tensor([0, 1, 2]))
    assert torch.equal(results[0], images[0])
    for i, sigma in ((1, 0.7), (2, 1.5)):
        reach = math.ceil(4 * sigma)
        for channel in range(2):
            expected = gaussian_filter(
                images[i, channel].double().numpy(), sigma, mode="reflect", truncate=reach / sigma
            )
            np.testing.assert_allclose(results[i, channel].numpy(), expected, atol=2e-6)
    assert torch.allclose(results.mean(dim=(2, 3)), images.mean(dim=(2, 3)), atol=1e-6)


@pytest.mark.parametrize("quarter", range(4))
def test_continuous_rotation_meets_the_quarter_turns(quarter: int):
    images = noise(4)
    angles = torch.full((4,), quarter * math.pi / 2)
    exact = transformation("rotation").apply(images, torch.full((4,), quarter))
    assert torch.allclose(ContinuousRotation().apply(images, angles), exact, atol=1e-5)
    stepped = ContinuousRotation(steps=8).apply(images, torch.full((4,), 2 * quarter))
    assert torch.allclose(stepped, exact, atol=1e-5)


def test_continuous_rotation_is_only_approximate():
    images = noise(4)
    eighth = torch.full((4,), math.pi / 4)
    twice = ContinuousRotation().apply(ContinuousRotation().apply(images, eighth), eighth)
    assert (twice - ContinuousRotation().apply(images, 2 * eighth)).abs().max() > 0.05


def test_hue_shift_agrees_with_the_standard_library():
    import colorsys

    images = noise(1, 3, 6)
    shift = 1.0
    result = HueShift().apply(images, torch.tensor([shift]))[0].double().numpy()
    for i, j in itertools.product(range(6), range(6)):
        h, s, v = colorsys.rgb_to_hsv(*images[0, :, i, j].double().tolist())
        np.testing.assert_allclose(
            result[:, i, j], colorsys.hsv_to_rgb((h + shift / (2 * math.pi)) % 1, s, v), atol=3e-6
        )


def test_a_third_of_a_turn_permutes_the_channels_of_any_pixel():
    """Also where noise has made all channels of a pixel negative, whose saturation is undefined."""
    pixels = 0.15 * torch.randn(200, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert (pixels.amax(dim=1) < 0).sum() > 100
    turned = HueShift(steps=3).apply(pixels, torch.ones(200, dtype=torch.long))
    scale = float(pixels.abs().max())
    torch.testing.assert_close(turned, pixels[:, [2, 0, 1]], rtol=0, atol=16 * 2**-24 * scale)


def test_hue_shifts_add_up_within_rounding():
    images = noise(50)
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(HueShift().draw(50, rng)) for _ in range(2))
    twice = HueShift().apply(HueShift().apply(images, b), a)
    once = HueShift().apply(images, torch.remainder(a + b, 2 * math.pi))
    assert torch.allclose(twice, once, atol=1e-5)


def test_hue_shift_by_thirds_permutes_the_channels():
    images = noise(3)
    shifted = HueShift(steps=3).apply(images, torch.tensor([1, 1, 1]))
    assert torch.allclose(shifted, images[:, [2, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_labels_are_drawn_uniformly_and_reproducibly(name: str):
    action = transformation(name)
    labels = action.draw(24_000, np.random.default_rng(3))
    np.testing.assert_array_equal(labels, action.draw(24_000, np.random.default_rng(3)))
    states = action.cardinality or 12
    bins = labels if action.cardinality else (labels / (2 * np.pi) * states).astype(int)
    counts = np.bincount(bins, minlength=states)
    assert len(counts) == states
    expected = 24_000 / states
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert abs(statistic - (states - 1)) < 5 * math.sqrt(2 * (states - 1))  # five sigmas of chi-square


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_each_image_is_transformed_by_its_own_label_alone(name: str):
    action = transformation(name)
    images = noise(9)
    labels = torch.from_numpy(action.draw(9, np.random.default_rng(1)))
    together = action.apply(images, labels)
    for i in range(9):
        alone = action.apply(images[i : i + 1], labels[i : i + 1])
        assert torch.allclose(together[i : i + 1], alone, atol=1e-6)


@pytest.mark.parametrize("name", sorted(TRANSFORMATIONS))
def test_apply_does_not_change_its_input(name: str):
    action, images = transformation(name), noise(4)
    before = images.clone()
    action.apply(images, torch.from_numpy(action.draw(4, np.random.default_rng(0)))).zero_()
    assert torch.equal(images, before)


def test_a_description_survives_json():
    import json

    made = transformation(json.loads(json.dumps({"name": "blur", "sigmas": [0, 3]})))
    assert made == Blur(sigmas=(0, 3))
    assert json.loads(json.dumps(made.parameters)) == {"sigmas": [0.0, 3.0]}


BAD_SPECS = {
    "unknown name": ("blurr", ValueError, "unknown transformation 'blurr'.*rotation"),
    "no name": ({"sigmas": [0, 1]}, ValueError, "unknown transformation None"),
    "unknown parameter": ({"name": "blur", "sigma": 1}, ValueError, "blur has no parameter 'sigma'.*sigmas"),
    "parameter of a plain one": (
        {"name": "rotation", "steps": 8},
        ValueError,
        "rotation has no parameter 'steps': it has none",
    ),
    "a number": (4, TypeError, "transformation must be a name.*got 4"),
    "one strength": ({"name": "blur", "sigmas": [1]}, ValueError, "at least two strengths"),
    "negative strength": ({"name": "blur", "sigmas": [0, -1]}, ValueError, "not negative"),
    "equal strengths": ({"name": "blur", "sigmas": [1, 1]}, ValueError, "must differ"),
    "infinite strength": ({"name": "blur", "sigmas": [0, math.inf]}, ValueError, "finite"),
    "one hue": ({"name": "hue-shift", "steps": 1}, ValueError, "steps must be at least 2"),
    "no angle": ({"name": "continuous-rotation", "steps": 0}, ValueError, "steps must be at least 2"),
}


@pytest.mark.parametrize("case", BAD_SPECS)
def test_bad_descriptions(case: str):
    spec, error, message = BAD_SPECS[case]
    with pytest.raises(error, match=message):
        transformation(spec)


BAD_CALLS = {
    "integer pixels": ("rotation", torch.zeros(1, 1, 4, 4, dtype=torch.uint8), [0], TypeError, "floats"),
    "one image without batch": ("rotation", torch.zeros(1, 4, 4), [0], ValueError, "shape \\(n, channels"),
    "too few labels": ("rotation", torch.zeros(2, 1, 4, 4), [0], ValueError, "labels must have shape"),
    "label too large": ("rotation", torch.zeros(1, 1, 4, 4), [4], ValueError, "0..3, got 4..4"),
    "negative label": ("jigsaw", torch.zeros(1, 1, 4, 4), [-1], ValueError, "0..23, got -1"),
    "angle for a number": ("rotation", torch.zeros(1, 1, 4, 4), [0.5], TypeError, "must be integers"),
    "oblong rotation": ("rotation", torch.zeros(1, 1, 4, 6), [0], ValueError, "square images, got 4 x 6"),
    "oblong angle": ("continuous-rotation", torch.zeros(1, 1, 4, 6), [0.0], ValueError, "square images"),
    "odd jigsaw": ("jigsaw", torch.zeros(1, 1, 5, 5), [0], ValueError, "even height and width"),
    "gray grayscale": ("grayscale", torch.zeros(1, 1, 4, 4), [0], ValueError, "3 channels, got 1"),
    "gray hue": ("hue-shift", torch.zeros(1, 1, 4, 4), [0.0], ValueError, "3 channels, got 1"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(case: str):
    name, images, labels, error, message = BAD_CALLS[case]
    with pytest.raises(error, match=message):
        transformation(name).apply(images, torch.tensor(labels))


def test_supports_agrees_with_check():
    assert not transformation("grayscale").supports((1, 8, 8))
    assert transformation("grayscale").supports((3, 8, 8))
    assert not transformation("rotation").supports((3, 8, 10))


class Listed(PixelPermutation):
    """A table of one's own, such as a user may write."""

    name = "listed"
    statement = "none"
    cardinality = 2

    def __init__(self, table: np.ndarray) -> None:
        object.__setattr__(self, "table", table)

    def __hash__(self) -> int:
        return hash(self.table.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Listed) and np.array_equal(self.table, other.table)

    def sources(self, height: int, width: int) -> np.ndarray:
        return self.table


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint8, np.int64])
def test_tables_of_any_integers_are_read(dtype: type):
    images, labels = torch.rand(20, 3, 4, 4), torch.arange(20) % 2
    chosen = Listed(np.stack([np.arange(16), np.arange(16)[::-1]]).astype(dtype))
    found = chosen.transform(images, labels)
    assert torch.equal(found[labels == 1], images[labels == 1].flip(2, 3))
    assert torch.equal(found[labels == 0], images[labels == 0])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.full((2, 16), 16), "must be pixels in 0 .. 15"),
        (np.full((2, 16), -1), "must be pixels in 0 .. 15"),
        (np.zeros((2, 16)), "must be integers"),
        (np.zeros((3, 16), int), "of shape .2, 16."),
        (np.zeros((2, 9), int), "of shape .2, 16."),
    ],
)
def test_tables_that_point_elsewhere_are_refused(table: np.ndarray, message: str):
    with pytest.raises(ValueError, match=message):
        Listed(table).transform(torch.rand(2, 1, 4, 4), torch.arange(2))


@pytest.mark.parametrize("label", [-1, 4, 2**40])
def test_a_label_that_no_order_belongs_to_is_refused(label: int):
    with pytest.raises(IndexError, match="out of range"):
        transformation("rotation").transform(torch.rand(3, 1, 8, 8), torch.tensor([0, label, 1]))
