"""Pixels: a slow reference, exact symmetries, and what each latent does."""

import colorsys
import itertools
import math

import numpy as np
import pytest
import torch

from synthetic.images.glyphs import GLYPH_SETS, GLYPHS, Glyph
from synthetic.images.glyphs.renderer import TURNS, Latents, Renderer
from synthetic.images.glyphs.tables import EXTENT
from synthetic.transformations import transformation

CPU = torch.device("cpu")


def latents(
    glyph, *, pose=None, hue=0.3, background=0.25, stroke=0.25, scale=0.8, position=(0.0, 0.0), texture=0.0
):
    n = len(glyph)

    def spread(value: float) -> torch.Tensor:
        return torch.full((n,), float(value))

    return Latents(
        glyph=torch.tensor(glyph),
        pose=torch.zeros(n, dtype=torch.long) if pose is None else torch.tensor(pose),
        hue=spread(hue),
        background=spread(background),
        stroke=spread(stroke),
        scale=spread(scale),
        position=torch.tensor(position, dtype=torch.float32).expand(n, 2),
        texture=spread(texture),
    )


def renderer(names, *, poses=(0.0,), size=32, channels=3, plain=True) -> Renderer:
    glyphs = tuple(GLYPHS[n] for n in names)
    return Renderer(glyphs, poses, size=size, channels=channels, plain=plain, device=CPU)


def slow_coverage(glyph: Glyph, size: int, stroke: float, scale: float, position) -> np.ndarray:
    """Pixel by pixel, from the definition, without tables."""
    result = np.zeros((size, size))
    per_unit = scale * size / 2
    for i, j in itertools.product(range(size), range(size)):
        x = (j - (size - 1) / 2 - position[0] * size) / per_unit
        y = (i - (size - 1) / 2 - position[1] * size) / per_unit
        gap = float(glyph.distance(np.array(x), np.array(y)))
        result[i, j] = min(1.0, max(0.0, (stroke / 2 - gap) * per_unit + 0.5))
    return result


@pytest.mark.parametrize("name", ["F", "6", "saw", "percent"])
@pytest.mark.parametrize(
    ("size", "stroke", "scale", "position"), [(16, 0.3, 0.9, (0.0, 0.0)), (24, 0.12, 0.55, (0.1, -0.2))]
)
def test_coverage_agrees_with_a_loop_over_pixels(name, size, stroke, scale, position):
    drawn = renderer([name], size=size).shapes(latents([0], stroke=stroke, scale=scale, position=position))
    found = drawn[0][0].numpy() / 256
    expected = slow_coverage(GLYPHS[name], size, stroke, scale, position)
    per_unit = scale * size / 2
    # Distance is 1-Lipschitz: half a diagonal of the table's step, then rounding to 1/256.
    tolerance = math.sqrt(0.5) * EXTENT / (2 * size) * per_unit + 0.5 / 256 + 1e-4
    assert np.abs(found - expected).max() <= tolerance
    assert np.abs(found - expected).mean() <= tolerance / 8


def test_colours_are_those_of_the_standard_library():
    hues = torch.linspace(0, 1, 50)
    found = renderer(["F"]).colours(hues).numpy()
    for hue, colour in zip(hues.tolist(), found, strict=True):
        assert np.abs(colour - colorsys.hsv_to_rgb(hue % 1, 0.85, 1.0)).max() <= 0.5 / 256 + 1e-5


@pytest.mark.parametrize("size", [16, 17, 32, 64])
@pytest.mark.parametrize("texture", [0.0, 0.7])
def test_symmetric_glyphs_make_symmetric_images_to_the_bit(size: int, texture: float):
    names = (*GLYPH_SETS["four-fold"], *GLYPH_SETS["two-fold"])
    n = len(names)
    images = renderer(names, size=size, plain=False).draw(
        latents(list(range(n)), scale=0.73, texture=texture)
    )
    turns = transformation("rotation")
    half = turns.apply(images, torch.full((n,), 2))
    assert torch.equal(half, images)
    quarter = turns.apply(images, torch.ones(n, dtype=torch.long))
    assert torch.equal(quarter[:8], images[:8])
    for k in range(8, n):
        assert not torch.equal(quarter[k], images[k])


@pytest.mark.parametrize("scale", [0.61, 0.8, 0.97])
@pytest.mark.parametrize("texture", [0.0, 0.4])
def test_turned_glyphs_make_turned_images_to_the_bit(scale: float, texture: float):
    names = ("6", "9", "b", "q", "d", "p", "u", "n", *GLYPH_SETS["arrows"])
    images = renderer(names, plain=False).draw(latents(list(range(12)), scale=scale, texture=texture))
    turns = transformation("rotation")
    half = turns.apply(images, torch.full((12,), 2))
    for k in range(0, 8, 2):
        assert torch.equal(half[k], images[k + 1])
    for k in range(4):
        assert torch.equal(turns.apply(images[8:9], torch.tensor([k]))[0], images[8 + k])
    mirrored = transformation("horizontal-flip").apply(images, torch.ones(12, dtype=torch.long))
    assert torch.equal(mirrored[2], images[4])  # b and d


def test_a_position_turns_with_the_image_to_the_bit():
    draw = renderer(("6", "9", "ring"))
    right = draw.draw(latents([0, 1, 2], position=(0.13, 0.06)))
    opposite = draw.draw(latents([1, 0, 2], position=(-0.13, -0.06)))
    assert torch.equal(transformation("rotation").apply(right, torch.full((3,), 2)), opposite)
    up = draw.draw(latents([2], position=(0.06, -0.13)))
    assert torch.equal(transformation("rotation").apply(right[2:], torch.tensor([1])), up)


@pytest.mark.parametrize("texture", [0.0, 0.55])
def test_pixels_are_multiples_of_two_to_the_minus_24_in_the_unit_interval(texture: float):
    names = tuple(GLYPHS)
    images = renderer(names, plain=texture == 0).draw(
        latents(list(range(len(names))), texture=texture, hue=0.137, background=0.31)
    )
    steps = images.double() * 2**24
    assert torch.equal(steps, steps.round())
    assert images.min() >= 0
    assert images.max() <= 1
    inverted = transformation("inversion")
    one = torch.ones(len(names), dtype=torch.long)
    assert torch.equal(inverted.apply(inverted.apply(images, one), one), images)


def test_the_plain_path_is_the_textured_path_without_texture():
    many = latents(list(range(5)), hue=0.7, background=0.4)
    names = GLYPH_SETS["mixed"]
    assert torch.equal(renderer(names).draw(many), renderer(names, plain=False).draw(many))


def test_quarter_turn_poses_are_quarter_turns_to_the_bit():
    draw = renderer(("F", "6"), poses=(0.0, 1.0, 2.0, 3.0))
    upright = draw.draw(latents([0, 1]))
    for k in range(4):
        turned = draw.draw(latents([0, 1], pose=[k, k]))
        assert torch.equal(turned, transformation("rotation").apply(upright, torch.full((2,), k)))


@pytest.mark.parametrize("angle", [0.0, 0.21, -0.4, 1.3])
def test_continuous_poses_agree_with_tables_in_that_pose(angle: float):
    size = 32
    tilted = renderer(("F", "G"), poses=None, size=size)
    fixed = renderer(("F", "G"), poses=(angle,), size=size)
    one = tilted.shapes(latents([0, 1], pose=[angle, angle]))[0] / 256
    other = fixed.shapes(latents([0, 1]))[0] / 256
    step = EXTENT / (2 * size) * 0.8 * size / 2  # pixels; each side is off by half a diagonal
    assert (one - other).abs().max() <= 2 * math.sqrt(0.5) * step + 1 / 256 + 1e-3


def test_one_channel_is_white_on_gray():
    image = renderer(("ring",), channels=1).draw(latents([0], background=0.25))
    assert image.shape == (1, 1, 32, 32)
    assert image.max() == 1
    assert image.min() == 0.25


def test_each_latent_changes_the_image():
    base = {
        "hue": 0.3,
        "background": 0.25,
        "stroke": 0.25,
        "scale": 0.8,
        "position": (0.0, 0.0),
        "texture": 0.0,
    }
    draw = renderer(("F",), plain=False)
    reference = draw.draw(latents([0], **base))
    for name, value in {
        "hue": 0.5,
        "background": 0.4,
        "stroke": 0.3,
        "scale": 0.7,
        "position": (0.05, 0.0),
        "texture": 0.3,
    }.items():
        assert not torch.equal(draw.draw(latents([0], **{**base, name: value})), reference), name


def test_a_wider_pen_covers_more_and_a_larger_scale_too():
    draw = renderer(("G",))
    covers = [float(draw.shapes(latents([0], stroke=s))[0].sum()) for s in (0.1, 0.2, 0.3, 0.4)]
    assert covers == sorted(covers)
    covers = [float(draw.shapes(latents([0], scale=s))[0].sum()) for s in (0.4, 0.6, 0.8, 1.0)]
    assert covers == sorted(covers)


def test_position_moves_the_centre_of_mass():
    draw = renderer(("ring",))
    grid = torch.arange(32.0)
    for x, y in ((0.0, 0.0), (0.125, 0.0), (-0.0625, 0.125)):
        cover = draw.shapes(latents([0], scale=0.5, position=(x, y)))[0][0]
        column = float((cover.sum(0) * grid).sum() / cover.sum()) - 15.5
        row = float((cover.sum(1) * grid).sum() / cover.sum()) - 15.5
        assert column == pytest.approx(32 * x, abs=0.05)
        assert row == pytest.approx(32 * y, abs=0.05)


@pytest.mark.parametrize("name", sorted(TURNS))
@pytest.mark.parametrize("tilted", [False, True], ids=["upright", "tilted"])
@pytest.mark.parametrize("texture", [0.0, 0.5], ids=["plain", "texture"])
def test_turning_the_lookup_is_turning_the_image_to_the_bit(name: str, tilted: bool, texture: float):
    """The fast path of sampling: the action moves lookups instead of pixels."""
    action = transformation(name)
    labels = torch.arange(action.cardinality)
    n = len(labels)
    draw = renderer(("F", "G"), poses=None if tilted else (0.0, 0.3), size=21, plain=texture == 0)
    pose = [0.17] * n if tilted else [1] * n
    what = latents([1] * n, pose=pose, position=(0.07, -0.11), scale=0.77, texture=texture)
    turned = draw.draw(what, turn=torch.tensor(TURNS[name])[labels])
    assert torch.equal(turned, action.apply(draw.draw(what), labels))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("texture", [0.0, 0.5])
def test_the_device_changes_no_pixel_of_an_upright_glyph(texture: float):
    names = tuple(GLYPHS)
    glyphs = tuple(GLYPHS[n] for n in names)
    what = latents(list(range(len(names))), texture=texture, position=(0.06, -0.03))
    there = Renderer(glyphs, (0.0,), size=32, channels=3, plain=False, device=torch.device("cuda"))
    moved = Latents(**{k: v.cuda() for k, v in vars(what).items()})
    assert torch.equal(there.draw(moved).cpu(), renderer(names, plain=False).draw(what))
