"""Averages and convolutions over windows side by side are torch's own, and so are all their derivatives."""

import pytest
import torch
from torch.nn import functional

from synergy.learning import build_encoder
from synergy.learning.encoders.pooling import symmetric_pool
from synergy.learning.encoders.windows import WindowConv2d, window_conv2d, window_means

SIZES = [(1, 2), (2, 2), (3, 3), (2, 4)]
"""Heights and widths of windows."""


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)
    return drawn.contiguous(memory_format=torch.channels_last) if drawn.ndim == 4 else drawn


def layer(size: tuple[int, int], dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    """Images of 2 x 3 windows, filters and biases, which all need gradients."""
    images = noise(5, 4, 2 * size[0], 3 * size[1], dtype=dtype)
    filters, biases = noise(6, 4, *size, seed=1, dtype=dtype), noise(6, seed=2, dtype=dtype)
    return tuple(tensor.requires_grad_() for tensor in (images, filters, biases))


def convolved(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    return functional.conv2d(x, weight, bias, (weight.shape[2], weight.shape[3]))


@pytest.mark.parametrize(
    ("window", "dtype"),
    [
        *(
            (window, dtype)
            for window in (2, 3, 4)
            for dtype in (torch.bfloat16, torch.float32, torch.float64)
        ),
        # 41 * (1 / 41) is below 1 in float32; torch rounds the number of pixels to bfloat16 beyond 256
        *((window, dtype) for window in (41, 49) for dtype in (torch.float32, torch.float64)),
    ],
    ids=str,
)
def test_the_gradient_of_means_has_the_bits_of_torchs_own(window: int, dtype: torch.dtype):
    images = noise(5, 6, 4 * window, 4 * window, dtype=dtype).requires_grad_()
    found, expected = symmetric_pool(images, 4), functional.avg_pool2d(images, window)
    assert type(found.grad_fn) is not type(expected.grad_fn)
    assert torch.equal(found, expected)
    weights = noise(5, 6, 4, 4, seed=1, dtype=dtype)
    slopes = [torch.autograd.grad((pooled * weights).sum(), images)[0] for pooled in (found, expected)]
    assert torch.equal(*slopes)
    assert slopes[0].stride() == images.stride()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_convolution_and_its_gradients_are_torchs_own(size: tuple[int, int], dtype: torch.dtype):
    given = layer(size, dtype)
    found, expected = window_conv2d(*given), convolved(*given)
    assert type(found.grad_fn) is not type(expected.grad_fn)
    assert torch.equal(found, expected)
    weights = noise(5, 6, 2, 3, seed=3, dtype=dtype)
    own, torchs = (torch.autograd.grad((y * weights).sum(), given) for y in (found, expected))
    assert own[0].stride() == given[0].stride()
    # an entry sums at most 5 * 2 * 3 products, of which none exceeds 16 here
    assert max(float(t.detach().abs().max()) for t in (*given, weights)) < 4
    for one, other in zip(own, torchs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=30 * 16 * torch.finfo(dtype).eps)


def test_rounded_as_convolutions_are_where_training_is_mixed():
    given = layer((2, 2), torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = window_conv2d(*given), convolved(*given)
    assert found.dtype == expected.dtype == torch.bfloat16
    assert torch.equal(found, expected)
    own, torchs = (torch.autograd.grad(y.float().sum(), given) for y in (found, expected))
    for one, other in zip(own, torchs, strict=True):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=torch.finfo(torch.bfloat16).eps, atol=2**-6)


def test_doubles_stay_what_they_are_where_training_is_mixed():
    given = layer((2, 2))
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = window_conv2d(*given), convolved(*given)
    assert found.dtype == expected.dtype == torch.float64
    assert torch.equal(found, expected)


def test_what_is_left_at_the_border_is_not_looked_at():
    images = noise(2, 4, 5, 7).requires_grad_()
    filters, biases = noise(6, 4, 2, 2, seed=1), noise(6, seed=2)
    for found, expected in (
        (window_conv2d(images, filters, biases), convolved(images, filters, biases)),
        (window_means(images, (2, 2)), functional.avg_pool2d(images, 2)),
    ):
        assert torch.equal(found, expected)
        slopes = [torch.autograd.grad(y.square().sum(), images)[0] for y in (found, expected)]
        assert torch.equal(*slopes)
        assert not slopes[0][:, :, 4:].any()


@pytest.mark.parametrize("frozen", [0, 1, 2], ids=["images", "filters", "biases"])
def test_what_needs_no_gradient_gets_none(frozen: int):
    given = list(layer((2, 2)))
    given[frozen] = given[frozen].detach()
    window_conv2d(*given).square().sum().backward()
    found = [tensor.grad for tensor in given]
    again = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in given]
    convolved(*again).square().sum().backward()
    for place, tensor in enumerate(again):
        if place == frozen:
            assert found[place] is None
            assert tensor.grad is None
        else:
            torch.testing.assert_close(found[place], tensor.grad, rtol=1e-12, atol=1e-12)


def test_only_channels_side_by_side_take_the_quicker_gradients():
    images, filters, biases = layer((2, 2))
    spread = images.contiguous(memory_format=torch.contiguous_format)
    assert not spread.is_contiguous(memory_format=torch.channels_last)
    convolution, means = (
        convolved(images, filters, biases).grad_fn,
        functional.avg_pool2d(images, 2).grad_fn,
    )
    assert type(window_conv2d(spread, filters, biases).grad_fn) is type(convolution)
    assert type(window_means(spread, (2, 2)).grad_fn) is type(means)


def test_the_small_cnn_takes_them():
    encoder = build_encoder("cnn", (3, 16, 16), features=8)
    (halving,) = (part for part in encoder.layers if isinstance(part, WindowConv2d))
    reached = []
    halving.register_forward_hook(lambda *call: reached.append(type(call[2].grad_fn).__name__))
    encoder(torch.rand(2, 3, 16, 16)).sum().backward()
    assert reached == ["_ConvolutionBackward"]


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch calls it itself
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_both_can_be_differentiated_in_every_way(size: tuple[int, int]):
    images, filters, biases = layer(size)

    def means(x: torch.Tensor) -> torch.Tensor:
        return window_means(x, size)

    for function, given in ((means, (images,)), (window_conv2d, (images, filters, biases))):
        assert torch.autograd.gradcheck(function, given, check_forward_ad=True, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(function, given)
    still = tuple(tensor.detach() for tensor in (images, filters, biases))
    places = (0, 1, 2)
    for derivative in (torch.func.jacrev, torch.func.jacfwd):
        averaged = derivative(lambda x: functional.avg_pool2d(x, size))(still[0])
        torch.testing.assert_close(derivative(means)(still[0]), averaged)
        found = derivative(window_conv2d, argnums=places)(*still)
        for one, other in zip(found, derivative(convolved, argnums=places)(*still), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_no_images_have_no_gradient():
    images = noise(0, 4, 6, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    filters, biases = noise(6, 4, 2, 2), noise(6)
    window_conv2d(images, filters, biases).sum().backward()
    assert images.grad is not None
    assert images.grad.shape == images.shape
