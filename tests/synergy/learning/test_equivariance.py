"""The encoders of C4 and D4 commute with the exact group actions on pixels, to rounding."""

import itertools

import pytest
import torch

from synergy.learning.encoders import (
    ConvEncoder,
    EquivariantEncoder,
    GroupConv2d,
    LiftingConv2d,
    act,
    build_encoder,
    count_parameters,
    plane_group,
    regular_action,
    stem_stride,
)
from synergy.learning.encoders.pooling import symmetric_pool
from synthetic.transformations import HorizontalFlip, Rotation, VerticalFlip

GROUPS = ["C4", "D4"]
SIDES = [7, 8, 9, 12]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def noise(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def pairs(group: str) -> list[tuple[int, int]]:
    return list(itertools.product(range(plane_group(group).order), repeat=2))


def test_the_action_is_that_of_the_transformations():
    images = noise(2, 3, 6, 6)
    label = torch.ones(2, dtype=torch.int64)
    for k in range(4):
        assert torch.equal(act("D4", k, images), Rotation().apply(images, k * label))
        mirrored = HorizontalFlip().apply(images, label)
        assert torch.equal(act("D4", 4 + k, images), Rotation().apply(mirrored, k * label))
    assert torch.equal(act("D4", 6, images), VerticalFlip().apply(images, label))


@pytest.mark.parametrize("group", GROUPS)
def test_the_actions_compose_as_the_group_says(group: str):
    images, maps = noise(1, 1, 5, 5), noise(1, 2, plane_group(group).order, 5, 5)
    for g, h in pairs(group):
        product = int(plane_group(group).multiply(g, h))
        assert torch.equal(act(group, g, act(group, h, images)), act(group, product, images))
        twice = regular_action(group, g, regular_action(group, h, maps))
        assert torch.equal(twice, regular_action(group, product, maps))


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("group", GROUPS)
@torch.no_grad()
def test_layers_and_encoder_are_equivariant(group: str, side: int, dtype: torch.dtype):
    torch.manual_seed(0)
    order = plane_group(group).order
    lift = LiftingConv2d(group, 2, 3, 3, padding=1).to(dtype)
    convolution = GroupConv2d(group, 3, 2, 3, padding=1).to(dtype)
    last = GroupConv2d(group, 3, 2, side).to(dtype)
    encoder = EquivariantEncoder(group, 2, 16).to(dtype)
    images = noise(3, 2, side, side, dtype=dtype)
    maps = noise(3, 3, order, side, side, dtype=dtype, seed=1)
    for h in range(order):
        turned, moved = act(group, h, images), regular_action(group, h, maps)
        found = {
            "lifting": error(lift(turned), regular_action(group, h, lift(images))),
            "group convolution": error(convolution(moved), regular_action(group, h, convolution(maps))),
            "full window": error(last(moved), regular_action(group, h, last(maps))),
            "pooling": error(
                symmetric_pool(turned, side // 2), act(group, h, symmetric_pool(images, side // 2))
            ),
            "encoder": error(
                encoder(turned).reshape(3, -1, order),
                regular_action(group, h, encoder(images).reshape(3, -1, order)),
            ),
        }
        assert all(worst <= TOLERANCE[dtype] for worst in found.values()), found


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("side", [24, 26])
@pytest.mark.parametrize("group", GROUPS)
@torch.no_grad()
def test_encoders_that_halve_large_images_are_equivariant(group: str, side: int, dtype: torch.dtype):
    torch.manual_seed(0)
    order = plane_group(group).order
    encoder = build_encoder(group.lower(), (2, side, side), features=16).to(dtype)
    assert encoder.lift.stride == 2
    images = noise(3, 2, side, side, dtype=dtype)
    still = encoder(images).reshape(3, -1, order)
    for h in range(order):
        turned = encoder(act(group, h, images)).reshape(3, -1, order)
        assert error(turned, regular_action(group, h, still)) <= TOLERANCE[dtype]


@torch.no_grad()
def test_halving_is_for_large_images_of_even_side():
    """Negative control: on an odd side the places of the filters are not symmetric."""
    strides = {side: stem_stride((3, side, side)) for side in (8, 16, 23, 24, 25, 28, 32)}
    assert strides == {8: 1, 16: 1, 23: 1, 24: 2, 25: 1, 28: 2, 32: 2}
    torch.manual_seed(0)
    lift = LiftingConv2d("C4", 2, 3, 4, padding=1, stride=2).double()
    images = noise(1, 2, 9, 9)
    assert error(lift(act("C4", 1, images)), regular_action("C4", 1, lift(images))) > 1e-2
    with pytest.raises(ValueError, match="stride 2 needs images of even side, got 9 pixels"):
        EquivariantEncoder("C4", 2, 16, stride=2)(torch.zeros(1, 2, 9, 9))


@torch.no_grad()
def test_a_plain_encoder_is_not_equivariant():
    """Negative control: no permutation of the plain network's features undoes a quarter-turn."""
    torch.manual_seed(0)
    encoder = ConvEncoder(2, 16).double()
    images = noise(3, 2, 8, 8)
    turned, still = encoder(act("C4", 1, images)), encoder(images)
    assert error(turned.sort(dim=1).values, still.sort(dim=1).values) > 1e-3


@torch.no_grad()
def test_a_window_that_drops_the_last_row_is_not_symmetric():
    """Negative control of the pooling law, and why the usual 2x2 pooling is not used."""
    images = noise(1, 1, 9, 9)
    pooled = torch.nn.functional.avg_pool2d(images, 2)
    assert error(torch.nn.functional.avg_pool2d(act("C4", 1, images), 2), act("C4", 1, pooled)) > 1e-2


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("side", SIDES)
def test_pooling_is_adaptive_average_pooling(side: int, layout: torch.memory_format):
    images = noise(2, 3, side, side).contiguous(memory_format=layout).requires_grad_()
    for size in (2, 3, 4, side - 1, (2, side - 1), (side, 3)):
        expected = torch.nn.functional.adaptive_avg_pool2d(images, size)
        found = symmetric_pool(images, size)
        torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)
        weights = noise(*expected.shape, seed=1)
        slopes = [torch.autograd.grad((pooled * weights).sum(), images)[0] for pooled in (found, expected)]
        torch.testing.assert_close(*slopes, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [8, 17, 28])
def test_how_images_lie_in_memory_changes_no_value(side: int, channels: int):
    torch.manual_seed(0)
    encoder = build_encoder("cnn", (channels, side, side), features=16).double()
    images = noise(3, channels, side, side)
    found = encoder(images)
    for layout in (torch.contiguous_format, torch.channels_last):
        given = images.contiguous(memory_format=layout)
        torch.testing.assert_close(encoder(given), found, rtol=1e-12, atol=1e-12)
    cut = noise(3, channels, side + 2, side + 1)
    cut[:, :, 1:-1, 1:] = images
    torch.testing.assert_close(encoder(cut[:, :, 1:-1, 1:]), found, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(encoder.layers(images), found, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_convolution_is_its_defining_sum(group: str):
    """Slow reference: conv(F)[g] = sum over u of F[u] correlated with T_g w[g^-1 u], loop by loop."""
    torch.manual_seed(0)
    members = plane_group(group)
    layer = GroupConv2d(group, 2, 3, 3, padding=1).double()
    maps = noise(2, 2, members.order, 5, 5)
    found = layer(maps)
    weight = layer.weight.detach().reshape(3, 2, members.order, 3, 3)
    for g in range(members.order):
        expected = layer.bias.detach()[None, :, None, None].expand(2, 3, 5, 5).clone()
        for u in range(members.order):
            turned = act(group, g, weight[:, :, int(members.multiply(members.inverse(g), u))])
            expected += torch.nn.functional.conv2d(maps[:, :, u], turned, padding=1)
        torch.testing.assert_close(found[:, :, g].detach(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("features", [16, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 32])
def test_parameter_counts_are_matched_within_two_per_cent(features: int, channels: int, side: int):
    counts = {
        name: count_parameters(build_encoder(name, (channels, side, side), features=features))
        for name in ("cnn", "c4", "d4")
    }
    assert abs(counts["c4"] / counts["cnn"] - 1) < 0.02, counts
    assert abs(counts["d4"] / counts["cnn"] - 1) < 0.02, counts


def test_equivariant_encoders_learn():
    """The gradient reaches every weight, the spread filters included."""
    torch.manual_seed(0)
    encoder = EquivariantEncoder("D4", 1, 8)
    encoder(noise(4, 1, 8, 8, dtype=torch.float32)).square().sum().backward()
    assert all(bool((p.grad != 0).any()) for p in encoder.parameters())
