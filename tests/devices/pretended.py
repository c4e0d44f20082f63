"""A pretended CUDA device, for machines that have none.

Within `pretend()` torch says that there is one CUDA device. Tensors that are moved there, or made there, are
`OnDevice`: they hold real values in ordinary memory, and say `cuda:0`. What a device refuses is refused:

- an operation on tensors of both devices, numbers of no dimension and indices apart, as torch allows them;
- a generator of the other device;
- `.numpy()`, and what numpy makes of a tensor.

What a device makes slow is counted, by the line of the project that asked for it (`Traffic`): uploads,
downloads and synchronisations, the moments in which the host waits for the device. A blocking copy to or from
the device is a synchronisation too, and so are `.item()`, `bool(tensor)`, `nonzero`, indexing by a mask,
`unique`, `torch.equal` and their like. An upload from pinned memory with `non_blocking=True` is none.

The device has a generator of its own: dropout there, or `torch.rand(.., device="cuda")` without a generator,
draws from it, and `torch.cuda.get_rng_state` tells its state.

How it works: a `TorchFunctionMode` sees every call of torch from Python and decides where results are; a
`TorchDispatchMode` sees the operations within, and counts. What it cannot tell: time, memory, kernels that
round otherwise, and whether a kernel is deterministic; `torch.compile` does nothing, mixed precision is that
of the CPU, gradients within a custom `autograd.Function` are on no device. Tests marked gpu are for these.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode  # the documented place of this class

__all__ = ["DEVICE", "OnDevice", "Traffic", "pretend"]

DEVICE = torch.device("cuda", 0)
"""What tensors on the pretended device say."""

_ROOT = Path(__file__).parents[2]
_PACKAGES = tuple(str(_ROOT / name) for name in ("theory", "synthetic", "synergy"))
"""Lines within these are told; where a test itself asks, the line of the test."""

_MEMORY = 8 * 2**30
"""The bytes that the device has, all of them free."""

aten = torch.ops.aten
_WAITING = {
    aten._local_scalar_dense.default,
    aten.bincount.default,
    aten.equal.default,
    aten.masked_select.default,
    aten.nonzero.default,
    aten.repeat_interleave.Tensor,
    aten._unique2.default,
    aten.unique_consecutive.default,
    aten.unique_dim.default,
}
"""Operations whose result, or the shape of it, the host has to know."""
_INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
"""Operations that wait where an index is a mask."""

_INDEXING = {torch.Tensor.__getitem__, torch.Tensor.__setitem__, torch.Tensor.index_put_}
"""Calls that take indices from the host."""
_FROM_DATA = {torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor}
"""Calls that copy data of the host."""
_ASKING = {"_has_compatible_shallow_copy_type"}
"""What `Module.to` asks of two tensors, without computing with them."""
_STRICT = {torch.cat, torch.stack, torch.matmul, torch.mm, torch.Tensor.index_select, torch.index_select}
"""Calls that take no number of no dimension from the host either."""


@dataclass
class Traffic:
    """What the host and the device had to do with each other, counted by the line that asked for it."""

    synchronisations: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    downloads: Counter[str] = field(default_factory=Counter)

    def uploaded(self, *, blocking: bool) -> None:
        place = _place()
        self.uploads[place] += 1
        self.synchronisations[place] += blocking

    def downloaded(self) -> None:
        place = _place()
        self.downloads[place] += 1
        self.synchronisations[place] += 1

    def waited(self) -> None:
        self.synchronisations[_place()] += 1

    def clear(self) -> None:
        for counter in (self.synchronisations, self.uploads, self.downloads):
            counter.clear()


class OnDevice(torch.Tensor):
    """A tensor that says that it is on the device."""

    def __deepcopy__(self, memo):
        copied = self.detach().clone().requires_grad_(self.requires_grad)
        if isinstance(self, nn.Parameter):
            copied = nn.Parameter(copied, self.requires_grad)
        memo[id(self)] = copied
        return copied


@contextmanager
def pretend() -> Iterator[Traffic]:
    """Torch has a CUDA device within, whose traffic is what the context gives."""
    traffic = Traffic()
    device = _Device(traffic)
    kept = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # else parameters keep their class
    try:
        with ExitStack() as stack:
            for owner, changes in _patches(device).items():
                for name, value in changes.items():
                    stack.enter_context(patch.object(owner, name, value))
            stack.enter_context(_Operations(device))
            stack.enter_context(_Calls(device))
            yield traffic
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(kept)


class _Device:
    """The device's own generator, and whether a call on it is going on."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.generator = torch.Generator()
        self.depth = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    @contextmanager
    def own_numbers(self) -> Iterator[None]:
        """What draws from torch's generator within draws from the device's."""
        host = torch.default_generator.get_state()
        torch.default_generator.set_state(self.generator.get_state())
        try:
            yield
        finally:
            self.generator.set_state(torch.default_generator.get_state())
            torch.default_generator.set_state(host)


class _Operations(TorchDispatchMode):
    """Counts what waits, and draws from the device's generator, within calls on the device."""

    def __init__(self, device: _Device) -> None:
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if not self.device.depth:
            return func(*args, **kwargs)
        if func in _WAITING or (func in _INDEXED and _by_mask(func, args)):
            self.device.traffic.waited()
        if torch.Tag.nondeterministic_seeded in func.tags and not any(
            isinstance(v, torch._C.Generator) for v in (*args, *kwargs.values())
        ):
            with self.device.own_numbers():
                return func(*args, **kwargs)
        return func(*args, **kwargs)


class _Calls(TorchFunctionMode):
    """Decides where the result of a call is, and refuses what a device refuses."""

    def __init__(self, device: _Device) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in _SPECIAL:
            return _SPECIAL[func](self.device, func, *args, **kwargs)
        given = _tensors((args, kwargs))
        ours = [t for t in given if isinstance(t, OnDevice)]
        host = [t for t in given if not isinstance(t, OnDevice)]
        asked = kwargs.get("device")
        there = _is_cuda(asked) if asked is not None else bool(ours)
        if asked is not None and (there or ours):
            kwargs["device"] = "cpu"
        if (there or ours) and func in _FROM_DATA:
            if args and isinstance(args[0], OnDevice) and func is not torch.Tensor.new_tensor:
                return _move(self.device, torch.Tensor.to, args[0], device=asked, dtype=kwargs.get("dtype"))
            self.device.traffic.uploaded(blocking=True)
        elif ours or there:
            self._check(func, host, args)
        _check_generator(func, kwargs.get("generator"), there or bool(ours))
        if not (there or ours):
            return func(*args, **kwargs)
        learned = kwargs.pop("requires_grad", False)
        with self.device.busy():
            found = func(*args, **kwargs)
        if asked is not None and not there:
            found = _stripped(found)
        elif isinstance(found, torch.Tensor) and not ours:
            found = found.as_subclass(OnDevice)
        return found.requires_grad_() if learned else found  # so that it is a leaf

    def _check(self, func, host, args) -> None:
        if getattr(func, "__name__", "") in _ASKING:
            return
        indexed = func in _INDEXING and isinstance(args[0], OnDevice)
        for tensor in host:
            copied = func is torch.Tensor.__setitem__ and tensor is args[-1]
            if indexed and (not copied or not _tensors(args[1])):  # an index, or what slices are set to
                self.device.traffic.uploaded(blocking=True)
            elif tensor.dim() or func in _STRICT:
                raise RuntimeError(
                    "Expected all tensors to be on the same device, but found at least two devices, cuda:0 "
                    f"and cpu! (shape {tuple(tensor.shape)}, {getattr(func, '__name__', func)}, {_place()})"
                )


class _Generator(torch.Generator):
    """A generator of the CPU, or one of the device, which says so."""

    def __new__(cls, device="cpu"):
        made = super().__new__(cls, "cpu")
        made.there = _is_cuda(device)
        return made

    def __init__(self, device="cpu") -> None:
        pass

    @property
    def device(self):
        return DEVICE if self.there else torch.device("cpu")


class _Autocast(torch.autocast):
    """Mixed precision, for the device by the kernels of the CPU."""

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None) -> None:
        super().__init__("cpu" if _is_cuda(device_type) else device_type, dtype, enabled, cache_enabled)


def _patches(device: _Device):
    """What is put in place of torch's own, by the module that it belongs to."""
    enabled = torch.is_autocast_enabled

    def seed(number: int) -> None:
        device.generator.manual_seed(number)

    return {
        torch: {
            "Generator": _Generator,
            "autocast": _Autocast,
            "is_autocast_enabled": lambda kind="cpu": enabled("cpu" if _is_cuda(kind) else kind),
            "compile": lambda module, **_: module,
        },
        torch.cuda: {
            "is_available": lambda: True,
            "is_initialized": lambda: True,
            "device_count": lambda: 1,
            "current_device": lambda: 0,
            "device": lambda index: nullcontext(),
            "is_bf16_supported": lambda *_, **__: True,
            "mem_get_info": lambda *_: (_MEMORY, _MEMORY),
            "synchronize": lambda *_: device.traffic.waited(),
            "manual_seed": seed,
            "manual_seed_all": seed,
            "get_rng_state": lambda *_: device.generator.get_state(),
            "set_rng_state": lambda state, *_: device.generator.set_state(state),
        },
        nn.utils: {"clip_grad_norm_": _clip_grad_norm},
    }


def _clip_grad_norm(parameters, max_norm):
    """As torch has it; torch's own asks its C++ core for devices, which knows only the real ones."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    total = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    factor = (max_norm / (total + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor)
    return total


def _move(machine: _Device, func, /, tensor, *args, **kwargs):
    """`tensor.to(..)`, `.cuda(..)`, `.cpu(..)`: uploads and downloads copy."""
    target, options = kwargs.pop("device", None), dict(kwargs)
    if func in (torch.Tensor.cuda, torch.Tensor.cpu):
        target = "cuda" if func is torch.Tensor.cuda else "cpu"
        args = args[1:] if func is torch.Tensor.cuda else args
    flags = iter(("non_blocking", "copy"))
    for value in args:
        if isinstance(value, torch.Tensor):
            target, options["dtype"] = (DEVICE if isinstance(value, OnDevice) else "cpu"), value.dtype
        elif isinstance(value, torch.dtype):
            options["dtype"] = value
        elif isinstance(value, bool):
            options[next(flags)] = value
        elif value is not None:
            target = value
    options = {name: value for name, value in options.items() if value is not None}
    ours, there = isinstance(tensor, OnDevice), _is_cuda(target)
    if target is None or ours == there:
        with machine.busy() if ours else nullcontext():
            return torch.Tensor.to(tensor, **options) if options else tensor
    options["copy"] = True
    if there:
        pinned = getattr(tensor, "pinned", False)
        machine.traffic.uploaded(blocking=not (pinned and options.get("non_blocking")))
        return torch.Tensor.to(tensor, **options).as_subclass(OnDevice)
    machine.traffic.downloaded()
    return torch.Tensor.to(_stripped(tensor), **options)


def _copy(machine: _Device, func, /, target, source, *args, **kwargs):
    """`target.copy_(source)`, the one operation on tensors of both devices."""
    if isinstance(target, OnDevice) and not isinstance(source, OnDevice):
        machine.traffic.uploaded(blocking=not getattr(source, "pinned", False))
    if isinstance(source, OnDevice) and not isinstance(target, OnDevice):
        machine.traffic.downloaded()
        source = _stripped(source)
    return func(target, source, *args, **kwargs)


def _pin(machine: _Device, func, /, tensor, *args):
    if isinstance(tensor, OnDevice):
        raise RuntimeError("cannot pin 'torch.cuda.FloatTensor' only dense CPU tensors can be pinned")
    found = tensor.clone()
    found.pinned = True
    return found


def _read(machine: _Device, func, /, tensor, *args, **kwargs):
    """What only the host can do."""
    if isinstance(tensor, OnDevice):
        raise TypeError(
            "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
            f"memory first. ({_place()})"
        )
    return func(tensor, *args, **kwargs)


def _listed(machine: _Device, func, /, tensor):
    if isinstance(tensor, OnDevice):
        machine.traffic.downloaded()
    return func(tensor)


def _gradient(machine: _Device, func, /, tensor, *args):
    found = func(tensor, *args)
    return found.as_subclass(OnDevice) if isinstance(tensor, OnDevice) and found is not None else found


def _says(on_device):
    """A property that is another one on the device."""

    def read(machine: _Device, func, /, tensor, *args):
        return on_device if isinstance(tensor, OnDevice) else func(tensor, *args)

    return read


_SPECIAL = {
    torch.Tensor.to: _move,
    torch.Tensor.cuda: _move,
    torch.Tensor.cpu: _move,
    torch.Tensor.copy_: _copy,
    torch.Tensor.pin_memory: _pin,
    torch.Tensor.numpy: _read,
    torch.Tensor.__array__: _read,
    torch.Tensor.tolist: _listed,
    torch.Tensor.grad.__get__: _gradient,
    torch.Tensor.device.__get__: _says(DEVICE),
    torch.Tensor.is_cuda.__get__: _says(True),
    torch.Tensor.is_cpu.__get__: _says(False),
    torch.Tensor.get_device: _says(0),
}
"""Calls that are not what they are on the CPU."""


def _tensors(value) -> list[torch.Tensor]:
    """The tensors in nested tuples, lists and dictionaries, in order."""
    found, left = [], [value]
    while left:
        part = left.pop()
        if isinstance(part, torch.Tensor):
            found.append(part)
        elif isinstance(part, (tuple, list)):
            left.extend(reversed(part))
        elif isinstance(part, dict):
            left.extend(reversed(part.values()))
    return found


def _stripped(tensor: torch.Tensor) -> torch.Tensor:
    """The same values, on the host."""
    with torch._C.DisableTorchFunctionSubclass():  # documented in "Extending PyTorch"
        return tensor.as_subclass(torch.Tensor)


def _is_cuda(device) -> bool:
    if isinstance(device, int) and not isinstance(device, bool):
        return True
    return device is not None and torch.device(device).type == "cuda"


def _by_mask(func, args) -> bool:
    """Whether an operation is indexed by a mask; a mask that is set to one number is no wait."""
    masks = any(isinstance(i, torch.Tensor) and i.dtype in (torch.bool, torch.uint8) for i in args[1])
    return masks and (func is aten.index.Tensor or args[2].numel() > 1)


def _check_generator(func, generator, there: bool) -> None:
    if generator is not None and (generator.device.type == "cuda") != there:
        expected = "cuda" if there else "cpu"
        raise RuntimeError(
            f"Expected a '{expected}' device type for generator but found '{generator.device.type}' "
            f"({getattr(func, '__name__', func)}, at {_place()})"
        )


def _place() -> str:
    """The line of the project that is being run, else that of whoever called torch."""
    outside = ""
    for frame, line in traceback.walk_stack(None):
        name = frame.f_code.co_filename
        if name.startswith(_PACKAGES):
            return f"{Path(name).relative_to(_ROOT)}:{line}"
        if not outside and name != __file__ and "torch" not in Path(name).parts:
            outside = f"{Path(name).name}:{line}"
    return outside
