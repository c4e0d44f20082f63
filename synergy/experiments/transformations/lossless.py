r"""Which tasks are lossless, by H(A|X) and its error.

A transformation is lossless where every image shows its label, H(A|X) = 0. Then it has neither synergy nor
forced class information, I(A;C|X) <= H(A|X) (L1). No estimate is exactly 0, so a task is lossless where
H(A|X) is surely small, and lossy where it surely is not:

    lossless   H(A|X) + 2 errors <= 0.02 nats           lossy   H(A|X) - 2 errors > 0.02 nats

and neither where the error leaves it open. On glyphs H(A|X) is exact, up to the error of its draws. On other
images it is the held-out loss of a portfolio of networks, an upper bound: what is called lossless there is,
and what is called lossy is so for these networks.
"""

from __future__ import annotations

import math
from typing import Literal

from theory.checks import number

__all__ = ["LITTLE", "Loss", "loss_of"]

Loss = Literal["lossless", "lossy", "undecided"]
"""Whether images show their label."""

LITTLE = 0.02
"""In nats: by at most so much can the class help where a task is called lossless."""

_SURE = 2.0
"""An H(A|X) is surely on one side of a limit where it is so many standard errors away."""


def loss_of(entropy: float, error: float = 0.0) -> Loss:
    """Whether a task is lossless, lossy or neither for certain.

    Args:
        entropy: H(A|X) in nats, exact or measured.
        error: Its standard error; 0 for an exact one, NaN counts as 0.

    Raises:
        ValueError: If the entropy is not finite, or the error negative.

    Example:
        >>> loss_of(1e-9), loss_of(0.69, 0.02), loss_of(0.03, 0.01)
        ('lossless', 'lossy', 'undecided')
    """
    number("entropy", entropy)
    reach = 0.0 if math.isnan(error) else _SURE * number("error", error, low=0)
    if entropy + reach <= LITTLE:
        return "lossless"
    return "lossy" if entropy - reach > LITTLE else "undecided"
