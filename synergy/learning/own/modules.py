"""The torch modules behind a callable, and what is done to them while they are asked, and undone."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = [
    "Encoder",
    "LayerError",
    "dtype_of",
    "evaluated",
    "find_layer",
    "home_of",
    "hooked",
    "layer_path",
    "modules_of",
    "place",
    "placed",
    "unwrapped",
]

Encoder = Callable[..., Any]
"""Takes a batch of images (n, channels, height, width) and gives features: a module or a function."""

_WRAPPERS = ("_orig_mod", "module")
"""Names under which compiled and parallel modules hold the module that they wrap."""

_SHOWN = 4
"""How many near names an error lists."""


def modules_of(encoder: Encoder) -> tuple[nn.Module, ...]:
    """The modules that a callable runs, as far as they can be seen.

    They are the module itself, that of a bound method, the ones that a function names (those it closes over
    and those of its module), that a partial function holds, or that are attributes of a callable object.

    Example:
        >>> net = nn.Linear(2, 3)
        >>> modules_of(lambda images: net(images.flatten(1))) == (net,)
        True
    """
    found: list[Any] = []
    if isinstance(encoder, nn.Module):
        found = [encoder]
    elif isinstance(encoder, functools.partial):
        found = [encoder.func, *encoder.args, *encoder.keywords.values()]
        found = [m for part in found if callable(part) for m in modules_of(part)]
    elif inspect.ismethod(encoder):
        found = [encoder.__self__] if isinstance(encoder.__self__, nn.Module) else _held(encoder.__self__)
    elif inspect.isfunction(inspect.unwrap(encoder)):
        named = inspect.getclosurevars(inspect.unwrap(encoder))
        found = [*named.nonlocals.values(), *named.globals.values()]
        found += [m.__self__ for m in found if inspect.ismethod(m)]
    else:
        found = _held(encoder)
    modules = {id(m): m for m in found if isinstance(m, nn.Module)}
    return tuple(modules.values())


def _held(thing: object) -> list[Any]:
    return list(getattr(thing, "__dict__", {}).values())


def find_layer(encoder: nn.Module, path: str) -> tuple[nn.Module, nn.Module]:
    """The layer at a dotted path, and the module to run for it.

    Compiled and parallel modules are looked through, since hooks do not see inside them: the module that they
    wrap has the same weights.

    Raises:
        ValueError: If there is no such layer; the message shows near ones.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
        >>> find_layer(net, "1")[0]
        Linear(in_features=4, out_features=2, bias=True)
    """
    encoder = unwrapped(encoder)
    layers = {name: layer for name, layer in encoder.named_modules(remove_duplicate=False) if name}
    if path in layers:
        return layers[path], encoder
    near = difflib.get_close_matches(path, layers, n=_SHOWN, cutoff=0.4)
    near += [name for name in layers if path in name.split(".") and name not in near][:_SHOWN]
    shown = near[:_SHOWN] or list(layers)[:_SHOWN]
    listed = ", ".join(shown) if shown else "no layers"
    raise ValueError(f"layer {path!r} does not exist in {type(encoder).__name__}, which has such as {listed}")


def layer_path(encoder: nn.Module, layer: str | nn.Module) -> str:
    """The dotted path of a layer, which is given by that path or as the module itself.

    Raises:
        TypeError: If it is neither.
        ValueError: If it is no layer of the encoder.

    Example:
        >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
        >>> layer_path(net, "1"), layer_path(net, net[1])
        ('1', '1')
    """
    if isinstance(layer, str):
        find_layer(encoder, layer)
        return layer
    if not isinstance(layer, nn.Module):
        raise TypeError(f"layer must be the dotted path of a layer, or the layer, got {layer!r}")
    parts = unwrapped(encoder).named_modules(remove_duplicate=False)
    names: list[str] = [name for name, part in parts if part is layer and name]
    if not names:
        raise ValueError(
            f"layer must be one of the layers of {type(unwrapped(encoder)).__name__}, got a "
            f"{type(layer).__name__} that is not"
        )
    return names[0]


def unwrapped(module: nn.Module) -> nn.Module:
    """The module within a compiled or parallel one; another is itself."""
    while True:
        children = dict(module.named_children())
        name = next(iter(children), "")
        if len(children) != 1 or name not in _WRAPPERS:
            return module
        module = children[name]


def dtype_of(modules: Sequence[nn.Module]) -> torch.dtype:
    """The type of floats that modules compute with: that of their first weight, or float32."""
    for module in modules:
        for weight in (*module.parameters(), *module.buffers()):
            if weight.is_floating_point():
                return weight.dtype
    return torch.float32


def home_of(modules: Sequence[nn.Module]) -> torch.device:
    """Where modules are: the device of their first weight, or the CPU.

    Raises:
        ValueError: If that weight is on no device.
    """
    for module in modules:
        for weight in (*module.parameters(), *module.buffers()):
            if weight.device.type == "meta":
                raise ValueError("encoder has weights without values (device 'meta'): load them first")
            return weight.device
    return torch.device("cpu")


@contextmanager
def evaluated(modules: Sequence[nn.Module]) -> Iterator[None]:
    """In evaluation mode and without gradients within; afterwards every part is in its mode of before."""
    before = {id(part): (part, part.training) for module in modules for part in module.modules()}
    try:
        with torch.no_grad():
            for module in modules:
                try:
                    module.eval()
                except NotImplementedError:  # exported programs are what they were exported as
                    continue
            yield
    finally:
        for part, training in before.values():
            part.training = training


@contextmanager
def placed(modules: Sequence[nn.Module], device: torch.device) -> Iterator[None]:
    """On a device within; afterwards every module is where it was.

    Raises:
        ValueError: If the weights of a module are on several devices.
    """
    moved: list[tuple[nn.Module, torch.device]] = []
    try:
        for module in modules:
            homes = {weight.device for weight in (*module.parameters(), *module.buffers())}
            if len(homes) > 1:
                listed = ", ".join(sorted(map(str, homes)))
                raise ValueError(f"device must be None for an encoder on several devices ({listed})")
            if homes and homes != {device}:
                moved.append((module, homes.pop()))
                module.to(device)
        yield
    finally:
        for module, home in moved:
            module.to(home)


def place(device: torch.device) -> torch.device:
    """The device with its number, as tensors on it say it."""
    return torch.empty(0, device=device).device


class LayerError(ValueError):
    """A layer that did not run."""


@contextmanager
def hooked(module: nn.Module, path: str) -> Iterator[Encoder]:
    """A function that runs a module and gives the output of one of its layers.

    Where the layer runs several times the last counts. A tensor is copied, since a later layer may change it
    in place, as ReLU does.

    Raises:
        ValueError: If there is no such layer, or it did not run.
    """
    layer, whole = find_layer(module, path)
    seen: list[object] = []

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        del module, inputs
        seen[:] = [output.clone() if isinstance(output, torch.Tensor) else output]

    def run(batch: torch.Tensor) -> object:
        seen.clear()
        whole(batch)
        if not seen:
            raise LayerError(f"layer {path!r} did not run when the encoder was called")
        return seen.pop()

    handle = layer.register_forward_hook(keep)
    try:
        yield run
    finally:
        handle.remove()
