"""The networks of the variational estimators: a shared trunk, a critic on it, a density on it."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["Categorical", "Critic", "MixtureDensity"]


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden),
        nn.SiLU(),
        nn.Linear(hidden, hidden),
        nn.SiLU(),
        nn.Linear(hidden, outputs),
    )


class Trunk(nn.Module):
    """Features of (Y, Z) or of Z alone from one network: Y is masked out, and the mask is an input.

    Args:
        y: The number of columns of Y.
        z: The number of columns of Z, 0 without conditions.
        hidden: Units in each hidden layer.
        features: The number of outputs.
    """

    def __init__(self, y: int, z: int, hidden: int, features: int) -> None:
        super().__init__()
        self.net = _mlp(y + z + 1, hidden, features)

    def forward(self, y: torch.Tensor, z: torch.Tensor, *, see_y: bool) -> torch.Tensor:
        """Shape (rows, features)."""
        mask = torch.full((len(y), 1), float(see_y), device=y.device, dtype=y.dtype)
        out: torch.Tensor = self.net(torch.cat([y * mask, z, mask], dim=1))
        return out


class Critic(nn.Module):
    """A separable critic T(x, w) = f(x) . h(w) / sqrt(d) + a(x) + b(w), with w = (y, z) or z.

    Args:
        x: The number of columns of X.
        y: The number of columns of Y.
        z: The number of columns of Z.
        hidden: Units in each hidden layer.
        embed: The dimension d of the embeddings.
    """

    def __init__(self, x: int, y: int, z: int, *, hidden: int, embed: int) -> None:
        super().__init__()
        self.embed = embed
        self.left = _mlp(x, hidden, embed + 1)
        self.right = Trunk(y, z, hidden, embed + 1)

    def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, *, see_y: bool) -> torch.Tensor:
        """All pairs: entry (i, j) is T(x_i, w_j), of shape (rows, rows)."""
        left, right = self.left(x), self.right(y, z, see_y=see_y)
        scores = left[:, :-1] @ right[:, :-1].T / self.embed**0.5
        out: torch.Tensor = scores + left[:, -1:] + right[:, -1:].T
        return out


class MixtureDensity(nn.Module):
    """A mixture of Gaussians with full covariance (diagonal beyond `full` dimensions) over X given w.

    Bishop 1994, "Mixture density networks".

    Args:
        x: The number of columns of X.
        y: The number of columns of Y.
        z: The number of columns of Z.
        hidden: Units in each hidden layer.
        components: The number of Gaussians.
        full: The largest dimension with full covariances.
    """

    def __init__(self, x: int, y: int, z: int, *, hidden: int, components: int = 6, full: int = 12) -> None:
        super().__init__()
        self.x, self.components = x, components
        lower = x * (x - 1) // 2 if x <= full else 0
        self.sizes = [components, components * x, components * x, components * lower]
        self.trunk = Trunk(y, z, hidden, sum(self.sizes))
        self.register_buffer("rows", torch.tril_indices(x, x, -1))
        spread = torch.randn(components, x) * 0.5
        self.centres = nn.Parameter(spread)

    def log_density(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, *, see_y: bool) -> torch.Tensor:
        """Log q(x | w) of shape (rows,)."""
        n, k, d = len(x), self.components, self.x
        weights, means, scales, lower = self.trunk(y, z, see_y=see_y).split(self.sizes, dim=1)
        centred = x[:, None, :] - means.reshape(n, k, d) - self.centres  # (n, k, d)
        log_precision = scales.reshape(n, k, d).clamp(-6, 6)
        white = centred * log_precision.exp()
        if lower.shape[1]:
            factor = torch.zeros(n, k, d, d, device=x.device, dtype=x.dtype)
            rows = self.get_buffer("rows")
            factor[:, :, rows[0], rows[1]] = lower.reshape(n, k, -1)
            white = white + (factor @ centred[..., None])[..., 0]
        log_q = -0.5 * (white**2).sum(2) + log_precision.sum(2) - 0.5 * d * math.log(2 * math.pi)
        return torch.logsumexp(log_q + torch.log_softmax(weights, dim=1), dim=1)


class Categorical(nn.Module):
    """A softmax over the joint states of a discrete X given w.

    Args:
        states: The number of states.
        y: The number of columns of Y.
        z: The number of columns of Z.
        hidden: Units in each hidden layer.
    """

    def __init__(self, states: int, y: int, z: int, *, hidden: int) -> None:
        super().__init__()
        self.trunk = Trunk(y, z, hidden, states)

    def log_density(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, *, see_y: bool) -> torch.Tensor:
        """Log q(x | w) of shape (rows,), for one-hot x."""
        return (torch.log_softmax(self.trunk(y, z, see_y=see_y), dim=1) * x).sum(dim=1)
