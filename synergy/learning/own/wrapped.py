"""A module of one's own as an encoder that can be trained further."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import nn

from synergy.learning.encoders import build_encoder
from synergy.learning.own.modules import dtype_of, evaluated, home_of, hooked, layer_path, unwrapped
from synergy.learning.own.normalise import Normalise, mean_and_deviation, normalised
from synergy.learning.own.outputs import Pool, chosen_output, feature_rows

__all__ = ["FeatureEncoder", "make_encoder", "weights_digest"]


class FeatureEncoder(nn.Module):
    """A module of one's own whose output, or that of one of its layers, becomes features of shape (n, d).

    The rule is that of `represent`. `train` makes one of every module that it is given; make one yourself to
    choose a layer, an output or a normalisation.

    Args:
        module: A torch module as it comes.
        layer: The layer whose output is taken, or its dotted path, which is kept; None for the module's own.
        output: The key, attribute or place of the representation in what it returns.
        pool: How maps and sequences become one vector an image.
        normalise: The mean and deviation of pixels that it expects, or "imagenet".

    Raises:
        TypeError: If it is no module, or the layer neither a path nor a module.
        ValueError: If the layer does not exist, or normalise is no mean and deviation.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
        >>> FeatureEncoder(net, layer="1")(torch.zeros(5, 1, 8, 8)).shape
        torch.Size([5, 4])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        layer: str | nn.Module | None = None,
        output: str | int | None = None,
        pool: Pool = "mean",
        normalise: Normalise | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(module, nn.Module):
            raise TypeError(f"module must be a torch module, got {type(module).__name__}")
        if normalise is not None:
            mean_and_deviation(normalise)
        self.own = module
        self.layer = None if layer is None else layer_path(module, layer)
        self.output, self.pool, self.normalise = output, pool, normalise
        self.features: int | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map images (n, channels, height, width) to features (n, d).

        Raises:
            TypeError: If the output holds no floats.
            ValueError: If it has no row an image.
        """
        images = x if self.normalise is None else normalised(x, self.normalise)
        context = nullcontext(self.own) if self.layer is None else hooked(self.own, self.layer)
        with context as run:
            found = chosen_output(run(images), self.output, len(images))
        return feature_rows(found, len(images), self.pool)

    def measured(self, shape: tuple[int, ...]) -> FeatureEncoder:
        """The same encoder, that knows its number of features of inputs of a shape.

        Raises:
            ValueError: If it fails on them.
        """
        try:
            shown = torch.full((2, *shape), 0.5, device=home_of((self,)), dtype=dtype_of((self,)))
            with evaluated((self,)):
                self.features = self(shown).shape[1]
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            raise ValueError(
                f"the encoder failed on images of shape {shape}: {type(error).__name__}: {said}"
            ) from error
        return self


def make_encoder(
    encoder: str | nn.Module | Callable[[], nn.Module], shape: tuple[int, ...], *, features: int
) -> nn.Module:
    """The encoder to train, with an attribute `features`: a copy of a module, in single precision.

    Args:
        encoder: A name in `ENCODERS`, a module, or a function that makes one.
        shape: The shape of one input.
        features: The dimension of a named encoder.

    Raises:
        TypeError: If a function makes no module.
        ValueError: If the name is unknown, a module cannot be copied, or the encoder cannot take the inputs.
    """
    if isinstance(encoder, str):
        return build_encoder(encoder, shape, features=features)
    if isinstance(encoder, nn.Module):
        try:
            built = copy.deepcopy(unwrapped(encoder)).cpu().float()
        except (RuntimeError, TypeError) as error:
            raise ValueError(f"encoder cannot be copied, to train the copy: {error}") from error
        return (built if isinstance(built, FeatureEncoder) else FeatureEncoder(built)).measured(shape)
    try:
        made = encoder()
    except TypeError as error:
        raise TypeError(
            f"encoder must be a function without arguments that makes a module, got one that fails: {error}"
        ) from error
    if not isinstance(made, nn.Module):
        raise TypeError(f"encoder must make a torch module, got {type(made).__name__}")
    if isinstance(getattr(made, "features", None), int):
        return made
    return FeatureEncoder(made).measured(shape)


def weights_digest(module: nn.Module) -> str:
    """16 hexadecimal digits that differ from those of any other weights."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
