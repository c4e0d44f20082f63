"""The pretended device refuses what a device refuses and counts what makes one wait."""

import copy

import numpy as np
import pytest
import torch
from pretended import DEVICE, OnDevice, pretend
from torch import nn


def on_device(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.arange(np.prod(shape), dtype=dtype, device="cuda").reshape(shape)


def test_torch_is_as_it_was_afterwards():
    before = (torch.Generator, torch.autocast, torch.cuda.is_available(), torch.compile)
    with pretend():
        assert torch.cuda.is_available()
        assert isinstance(torch.zeros(2, device="cuda"), OnDevice)
    assert before == (torch.Generator, torch.autocast, torch.cuda.is_available(), torch.compile)
    assert not torch.__future__.get_overwrite_module_params_on_conversion()
    assert type(torch.zeros(2)) is torch.Tensor


def test_tensors_say_where_they_are_and_hold_their_values():
    with pretend():
        host = torch.arange(6.0)
        there = host.to("cuda")
        assert there.device == DEVICE == torch.zeros(1, device="cuda:0").device == there.cuda().device
        assert there.is_cuda
        assert not there.is_cpu
        assert host.device.type == "cpu"
        assert (2 * there + 1).device == DEVICE
        assert there.reshape(2, 3).sum(dim=1).device == DEVICE
        assert all(part.device == DEVICE for part in there.split(2))
        back = (2 * there + 1).cpu()
        assert type(back) is torch.Tensor
        assert back.tolist() == [1, 3, 5, 7, 9, 11]
        there.add_(1)
        assert host[0] == 0


@pytest.mark.parametrize(
    "mixed",
    [
        lambda a, b: a + b,
        lambda a, b: b * a,
        lambda a, b: torch.where(b > 0, a, a),
        lambda a, b: torch.cat([a, b]),
        lambda a, b: torch.stack([a[0], b[0]]),
        lambda a, b: a.index_select(0, b.long()),
        lambda a, b: nn.functional.linear(a, b[None]),
        lambda a, b: nn.functional.cross_entropy(a[None], b.long()[:1]),
        lambda a, b: b[a.long()],
        lambda a, b: a.__setitem__(a >= 0, b),
    ],
    ids=["add", "multiply", "where", "cat", "stack of numbers", "rows", "linear", "loss", "index", "assign"],
)
def test_tensors_of_two_devices_do_not_mix(mixed):
    with pretend():
        a, b = on_device(3), torch.ones(3)
        with pytest.raises(RuntimeError, match="found at least two devices, cuda:0 and cpu"):
            mixed(a, b)
        mixed(a, b.cuda())


def test_a_number_of_no_dimension_mixes_and_a_module_moves():
    with pretend():
        assert (on_device(3) * torch.tensor(2.0)).tolist() == [0, 2, 4]
        layer = nn.Linear(3, 2)
        with pytest.raises(RuntimeError, match="two devices"):
            layer(on_device(1, 3))
        moved = copy.deepcopy(layer.cuda())
        loss = moved(on_device(1, 3)).sum()
        loss.backward()
        assert all(isinstance(p, nn.Parameter) and p.device == DEVICE for p in moved.parameters())
        assert moved.weight.grad.device == DEVICE
        assert torch.zeros(2, device="cuda", requires_grad=True).is_leaf
        assert moved.weight.grad.tolist() == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize("convert", [lambda t: t.numpy(), np.asarray, lambda t: np.stack([t])])
def test_numpy_is_refused(convert):
    with pretend():
        with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
            convert(on_device(3))
        convert(torch.zeros(3))


def test_a_generator_of_the_other_device_is_refused():
    with pretend():
        host, there = torch.Generator(), torch.Generator("cuda").manual_seed(3)
        assert (host.device.type, there.device) == ("cpu", DEVICE)
        with pytest.raises(RuntimeError, match="Expected a 'cuda' device type for generator but found 'cpu'"):
            torch.rand(3, generator=host, device="cuda")
        with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
            torch.rand(3, generator=there)
        with pytest.raises(RuntimeError, match="Expected a 'cuda' device type"):
            on_device(3).uniform_(generator=host)
        assert torch.rand(3, generator=there, device="cuda").device == DEVICE


@pytest.mark.parametrize(
    ("wait", "number"),
    [
        (lambda t: t[0].item(), 1),
        (lambda t: bool((t > 0).all()), 1),
        (lambda t: (t > 0).nonzero(), 1),
        (lambda t: t[t > 0], 1),
        (lambda t: t.unique(), 1),
        (lambda t: t.tolist(), 1),
        (lambda t: t.cpu(), 1),
        (lambda t: torch.equal(t, t), 1),
        (lambda t: t.repeat_interleave(t.long()), 1),
        (lambda t: torch.cuda.synchronize(), 1),
        (lambda t: torch.tensor([1.0, 2.0], device="cuda"), 1),
        (lambda t: t[torch.tensor([0, 1])], 1),
        (lambda t: t.__setitem__(slice(2), torch.zeros(2)), 1),
        (lambda t: torch.ones(3).pin_memory().to("cuda", non_blocking=True), 0),
        (lambda t: t[torch.zeros(2, dtype=torch.int64, device="cuda")], 0),
        (lambda t: torch.where(t > 0, t, 2 * t).masked_fill(t > 1, 0).sum(), 0),
        (lambda t: t.repeat_interleave(2), 0),
        (lambda t: t.__setitem__(t > 0, 0.0), 0),
    ],
)
def test_synchronisations_are_counted(wait, number):
    with pretend() as traffic:
        given = on_device(4)
        traffic.clear()
        wait(given)
        assert traffic.synchronisations.total() == number


def test_copies_are_counted_at_their_lines():
    with pretend() as traffic:
        there = torch.ones(3).to("cuda")
        there.copy_(torch.zeros(3))
        there.cpu()
        assert traffic.uploads.total() == 2
        assert traffic.downloads.total() == 1
        assert traffic.synchronisations.total() == 3
        assert {place.partition(":")[0] for place in traffic.synchronisations} == {"test_pretended.py"}


def test_the_device_draws_from_a_generator_of_its_own():
    with pretend():
        there = on_device(200)
        host, state = torch.get_rng_state(), torch.cuda.get_rng_state()
        dropped = nn.functional.dropout(there + 1, 0.5)
        assert torch.equal(torch.get_rng_state(), host)
        assert not torch.equal(torch.cuda.get_rng_state(), state)
        torch.cuda.set_rng_state(state)
        assert torch.equal(nn.functional.dropout(there + 1, 0.5), dropped)
        torch.rand(3)
        assert not torch.equal(torch.get_rng_state(), host)
        torch.manual_seed(7)
        first = torch.rand(3, device="cuda")
        torch.cuda.manual_seed(7)
        assert torch.equal(torch.rand(3, device="cuda"), first)


def test_mixed_precision_is_that_of_the_device_alone():
    with pretend(), torch.autocast("cuda", torch.bfloat16):
        assert torch.is_autocast_enabled("cuda")
        assert (on_device(2, 2) @ on_device(2, 2)).dtype == torch.bfloat16
