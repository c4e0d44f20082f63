"""How much a batch of representations depends on a label, without a critic."""

from __future__ import annotations

import torch

__all__ = ["dependence"]

_WIDTHS = (0.1, 0.5, 2.0)
"""The widths of the Gaussian kernel, in units of the mean squared distance of two rows."""

_TINY = 1e-12
"""Keeps ratios and their gradients finite where all rows or all labels are the same."""


def dependence(z: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """The normalised Hilbert-Schmidt independence criterion of a representation and a label, from 0 to 1.

    With kernel matrices K of the representations (Gaussian, of several widths) and L of the labels (1 for
    equal ones), both centred, it is <K, L> / (|K| |L|). Of independent rows it goes to 0 as they become many;
    in a batch of n it is about the root of the number of labels over n.

    Args:
        z: Representations of shape (n, d); each feature is standardised in the batch.
        label: Integers of shape (n,).

    Source:
        Gretton, Bousquet, Smola, Schoelkopf 2005, "Measuring statistical dependence with Hilbert-Schmidt
        norms", ALT; normalised as the kernel alignment of Cortes, Mohri, Rostamizadeh 2012 (JMLR 13).

    Example:
        >>> label = torch.tensor([0, 0, 1, 1])
        >>> same = dependence(torch.tensor([[0.0], [0.0], [1.0], [1.0]]), label)
        >>> apart = dependence(torch.tensor([[0.0], [1.0], [0.0], [1.0]]), label)
        >>> round(float(same), 3), round(float(apart), 3)
        (1.0, 0.0)
    """
    z = z.float()
    scaled = (z - z.mean(dim=0)) / (z.var(dim=0) + _TINY).sqrt()  # a root of 0 has no gradient
    squares = (scaled[:, None] - scaled[None]).square().sum(dim=2) / (2 * scaled.shape[1])
    kernel = torch.stack([torch.exp(-squares / width) for width in _WIDTHS]).sum(dim=0)
    equal = (label[:, None] == label[None]).float()
    k, c = _centred(kernel), _centred(equal)
    sizes = (k.square().sum() + _TINY) * (c.square().sum() + _TINY)
    return (k * c).sum() / sizes.sqrt()


def _centred(matrix: torch.Tensor) -> torch.Tensor:
    return matrix - matrix.mean(dim=0) - matrix.mean(dim=1, keepdim=True) + matrix.mean()
