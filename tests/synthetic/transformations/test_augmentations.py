"""Base augmentations: what the uniform numbers do, one at a time, and what always holds."""

import colorsys
import itertools

import numpy as np
import pytest
import torch

from synthetic.transformations.augment import AUGMENTATIONS, Augmentation, augmentation

NUMBERS = AUGMENTATIONS["crop"].numbers


def noise(n: int, channels: int = 3, side: int = 16, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(seed))


def uniform(n: int, seed: int = 0, **fixed: float) -> torch.Tensor:
    u = torch.rand(n, NUMBERS, generator=torch.Generator().manual_seed(seed))
    for column, value in fixed.items():
        u[:, int(column[1:])] = value
    return u


WHOLE = {"u0": 1.0, "u1": 0.5}  # the whole area, aspect ratio 1


def test_none_changes_nothing():
    images = noise(4)
    assert torch.equal(AUGMENTATIONS["none"].apply(images, uniform(4)), images)


@pytest.mark.parametrize("name", ["crop", "crop+flip", "simclr"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_stay_in_range_and_on_the_grid(name: str, channels: int):
    result = AUGMENTATIONS[name].apply(noise(200, channels), uniform(200))
    assert result.shape == (200, channels, 16, 16)
    assert result.min() >= 0
    assert result.max() <= 1
    steps = result.double() * 2**24
    assert torch.equal(steps, steps.round())


@pytest.mark.parametrize("name", ["crop", "crop+flip", "simclr"])
def test_each_image_depends_on_its_own_numbers_alone(name: str):
    images, u = noise(20), uniform(20)
    together = AUGMENTATIONS[name].apply(images, u)
    for k in (0, 7, 19):
        alone = AUGMENTATIONS[name].apply(images[k : k + 1], u[k : k + 1])
        assert torch.allclose(together[k : k + 1], alone, atol=1e-6)
    assert torch.equal(AUGMENTATIONS[name].apply(images, u), together)


@pytest.mark.parametrize("crop", [None, (0.2, 1.0)], ids=["whole", "cropped"])
def test_the_images_that_come_in_are_left_alone(crop: tuple[float, float] | None):
    images = noise(20)
    before = images.clone()
    everything = Augmentation("everything", crop=crop, flip=0.5, jitter=1.0, gray=0.5, blur=1.0)
    assert not torch.equal(everything.apply(images, uniform(20)), before)
    assert torch.equal(images, before)


def test_a_crop_of_the_whole_is_the_image():
    images = noise(3)
    assert torch.allclose(AUGMENTATIONS["crop"].apply(images, uniform(3, **WHOLE)), images, atol=2e-6)


def test_a_crop_of_a_ramp_is_a_part_of_the_ramp():
    """On a linear image bilinear interpolation is exact, so the corners show which box was cut."""
    side = 32
    ramp = ((torch.arange(side) + 0.5) / side).expand(1, 1, side, side)
    u = uniform(400, u1=0.5)
    result = AUGMENTATIONS["crop"].apply(ramp.expand(400, 1, side, side), u)
    width = (result[:, 0, 16, 20] - result[:, 0, 16, 10]) * side / 10  # away from the clamped borders
    expected = torch.sqrt(0.2 + 0.8 * u[:, 0])
    assert torch.allclose(width, expected, atol=1e-4)
    centre = (result[:, 0, 16, 15] + result[:, 0, 16, 16]) / 2
    assert torch.allclose(centre, 0.5 + (u[:, 2] - 0.5) * (1 - expected), atol=1e-4)


@pytest.mark.parametrize("flip", [0.0, 1.0], ids=["straight", "mirrored"])
def test_crops_agree_with_bilinear_sampling_of_torch(flip: float):
    images, u = noise(64, side=20), uniform(64)
    share, aspect = 0.2 + 0.8 * u[:, 0], torch.exp((2 * u[:, 1] - 1) * np.log(4 / 3))
    width, height = torch.sqrt(share * aspect).clamp(max=1), torch.sqrt(share / aspect).clamp(max=1)
    x, y = (2 * u[:, 2] - 1) * (1 - width), (2 * u[:, 3] - 1) * (1 - height)
    zero = torch.zeros(64)
    maps = torch.stack(
        [torch.stack([width * (1 - 2 * flip), zero, x], 1), torch.stack([zero, height, y], 1)], 1
    )
    grid = torch.nn.functional.affine_grid(maps, [64, 3, 20, 20], align_corners=False)
    expected = torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    found = Augmentation("always", crop=(0.2, 1.0), flip=flip).apply(images, u)
    assert torch.allclose(found, expected, atol=1e-5)


def test_aspect_ratios_are_log_uniform_between_three_quarters_and_four_thirds():
    side = 64
    ramp = ((torch.arange(side) + 0.5) / side).expand(1, 1, side, side)
    u = uniform(300, u0=0.3)
    wide = AUGMENTATIONS["crop"].apply(ramp.expand(300, 1, side, side), u)
    tall = AUGMENTATIONS["crop"].apply(ramp.transpose(2, 3).expand(300, 1, side, side), u)
    ratio = (wide[:, 0, 32, 40] - wide[:, 0, 32, 24]) / (tall[:, 0, 40, 32] - tall[:, 0, 24, 32])
    assert torch.allclose(torch.log(ratio), (2 * u[:, 1] - 1) * np.log(4 / 3), atol=1e-3)


def test_half_of_the_images_are_mirrored():
    images = noise(1000)
    result = AUGMENTATIONS["crop+flip"].apply(images, uniform(1000, **WHOLE))
    mirrored = torch.isclose(result, images.flip(3), atol=2e-6).flatten(1).all(1)
    kept = torch.isclose(result, images, atol=2e-6).flatten(1).all(1)
    assert bool((mirrored ^ kept).all())
    assert abs(int(mirrored.sum()) - 500) < 5 * np.sqrt(250)


def test_mirrors_need_no_crop():
    images, u = noise(50), uniform(50)
    expected = torch.where((u[:, 4] < 0.5)[:, None, None, None], images.flip(3), images)
    found = Augmentation("mirror", flip=0.5).apply(images, u)
    assert torch.allclose(found, expected, rtol=0, atol=2**-25)  # rounded to the grid


def test_gray_images_come_as_often_as_they_should():
    only_gray = Augmentation("gray", gray=0.2)
    result = only_gray.apply(noise(2000), uniform(2000))
    gray = (result[:, 0] == result[:, 1]).flatten(1).all(1)
    assert abs(int(gray.sum()) - 400) < 5 * np.sqrt(2000 * 0.2 * 0.8)


def test_the_jitter_agrees_with_the_standard_library():
    jitter = Augmentation("jitter", jitter=1.0)
    image, u = noise(1, side=4), uniform(1, seed=3)
    result = jitter.apply(image, u)[0].double().numpy()
    bright, contrast, saturation = (0.6 + 0.8 * u[0, 6:9]).double().tolist()
    shift = (2 * float(u[0, 9]) - 1) * 0.1
    pixels = np.clip(image[0].double().numpy() * bright, 0, 1)
    luma = np.array([0.299, 0.587, 0.114])
    level = np.tensordot(luma, pixels, 1).mean()
    pixels = np.clip(level + (pixels - level) * contrast, 0, 1)
    gray = np.tensordot(luma, pixels, 1)
    pixels = np.clip(gray + (pixels - gray) * saturation, 0, 1)
    for i, j in itertools.product(range(4), range(4)):
        h, s, v = colorsys.rgb_to_hsv(*pixels[:, i, j])
        np.testing.assert_allclose(result[:, i, j], colorsys.hsv_to_rgb((h + shift) % 1, s, v), atol=5e-6)


def test_blur_keeps_constants_and_smooths_noise():
    blur = Augmentation("blur", blur=1.0)
    flat = torch.full((5, 3, 16, 16), 0.4)
    assert torch.allclose(blur.apply(flat, uniform(5)), flat, atol=1e-6)
    images, u = noise(5), uniform(5, u12=1.0)
    assert (blur.apply(images, u).var(dim=(2, 3)) < images.var(dim=(2, 3))).all()


def test_unknown_names_and_shapes():
    with pytest.raises(ValueError, match=r"unknown augmentation 'cutout': expected one of none, crop"):
        augmentation("cutout")
    with pytest.raises(ValueError, match="1 or 3 channels"):
        AUGMENTATIONS["crop"].apply(noise(2, 2), uniform(2))
    with pytest.raises(ValueError, match=r"uniform must have shape \(2, 14\), got \(3, 14\)"):
        AUGMENTATIONS["crop"].apply(noise(2), uniform(3))


BAD = {
    "a crop below the frame": (
        {"crop": (-0.5, -0.1)},
        ValueError,
        "crop must be shares 0 < low <= high <= 1",
    ),
    "a crop of nothing": ({"crop": (0.0, 0.5)}, ValueError, "crop must be shares"),
    "a crop beyond the frame": ({"crop": (0.5, 1.5)}, ValueError, "crop must be shares"),
    "a crop backwards": ({"crop": (0.9, 0.2)}, ValueError, "crop must be shares"),
    "a crop that is no number": ({"crop": (float("nan"), 1.0)}, ValueError, "crop must be finite"),
    "one share": ({"crop": 0.5}, TypeError, "crop must be a pair of shares"),
    "three shares": ({"crop": (0.1, 0.2, 0.3)}, TypeError, "crop must be a pair of shares"),
    "a negative chance": ({"flip": -0.1}, ValueError, "flip must be a probability between 0 and 1"),
    "a chance above one": ({"jitter": 1.1}, ValueError, "jitter must be a probability"),
    "a chance that is not a number": ({"gray": float("nan")}, ValueError, "gray must be a probability"),
    "a chance as text": ({"blur": "often"}, TypeError, "blur must be a probability"),
    "a name that is none": ({"name": None}, TypeError, "name must be a text"),
    "a change by the name of none": ({"name": "none", "flip": 0.5}, ValueError, "kept for no change"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_augmentations_are_refused(case: str):
    fields, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        Augmentation(**{"name": "bad", **fields})


def test_a_crop_as_a_list_is_the_same():
    assert Augmentation("crop", crop=[0.2, 1]) == AUGMENTATIONS["crop"]
