r"""Forced class information: what every optimal solver of the pretext task knows about the class.

Let T = p(A|X) be the posterior of the transformation given the input, as a random vector: the minimal
sufficient statistic of X for A. The forced class information is J = I(C;T). Throughout, (A, C) - X - Z is a
Markov chain: Z is a representation of X, possibly random. Everything is finite and in nats.

**Theorem J1.** I(A;Z) = I(A;X) if and only if Z determines T (almost surely). Hence every optimal Z has
I(C;Z) >= J, and I(S;Z) >= I(S;T) for the style, and Z = T attains both.

*Proof.* I(A;X) - I(A;Z) = I(A;X|Z) = E KL(p(A|X) || p(A|Z)), which is 0 exactly when p(A|X) = p(A|Z) almost
surely, that is when T is the function p(A|Z=.) of Z. Then data processing gives I(C;Z) >= I(C;T). And
p(A|X) depends on X through T only, so I(A;T) = I(A;X). qed

**Theorem J2.** J = 0 where X shows A, and where A and C reach X through separate coordinates. A watermark
that shows A with probability g leaves J' <= (1-g) J. If A is a function of B, then J_B >= J_A; and
J_(A,B) >= max(J_A, J_B).

*Proof.* If X shows A, T is the indicator of A, which is independent of C. With separate coordinates T is a
function of X_2, independent of C. Under a watermark whose flag M is independent of the rest, T' is the
indicator of A if the mark shows and T else, so I(C;T') <= I(C;T',M) = g I(C;A) + (1-g) I(C;T) = (1-g) J.
If A = f(B), p(A|X) is a sum of entries of p(B|X), so T_A is a function of T_B; A is a function of (A,B). qed

**Theorem J4.** If I(A;Z) >= I(A;X) - e, then T can be read from Z within sqrt(2e) in mean L1 distance.

*Proof.* The first equation above says E KL(p(A|X) || p(A|Z)) <= e; Pinsker's inequality bounds each squared
L1 distance by twice the divergence, and Jensen's moves the mean inside the root. qed

Example:
    >>> from theory import Joint
    >>> half = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: 2 if c else a})
    >>> round(forced_information(half), 6)  # class 1 is symmetric, class 0 is not
    0.693147
    >>> shift = Joint.from_function(("A", "C"), (2, 2), {"X": lambda a, c: a ^ c})
    >>> forced_information(shift), round(shift.value("I(A;C|X)"), 6)
    (0.0, 0.693147)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from theory.joints import Joint
from theory.names import variable_names

__all__ = ["PosteriorGap", "forced_information", "posterior_gap", "with_statistic"]

Names = str | Sequence[str]
"""Names of variables, or one text with commas between them."""


def with_statistic(
    joint: Joint,
    *,
    transformation: Names = "A",
    inputs: Names = "X",
    name: str = "T",
    tolerance: float = 1e-9,
) -> Joint:
    """The joint with one more variable: T = p(transformation | inputs), its values numbered.

    Two inputs get the same T when their posteriors are equal: exactly for a joint of Fractions, within
    `tolerance` in every entry for float64. No tolerance can be right for all: J jumps when two posteriors
    become equal, so worlds with posteriors that differ by less need Fractions. Inputs of probability zero
    get T = 0.

    Raises:
        ValueError: If a variable is unknown or named twice, the name is taken, or two posteriors differ by
            more than the tolerance and less than three times it, so that grouping would be arbitrary.
    """
    if name in joint.names:
        raise ValueError(f"name {name!r} is taken: the joint has {', '.join(joint.names)}")
    a, x = _names(transformation), _names(inputs)
    if set(a) & set(x):
        raise ValueError(f"transformation {a} and inputs {x} must be different variables")
    pair = joint.marginal((*x, *a)).probabilities
    shape = pair.shape[: len(x)]
    rows = pair.reshape(int(np.prod(shape)), -1)  # (inputs, transformations)
    groups = _exact_groups(rows) if rows.dtype == object else _close_groups(rows, tolerance)
    kernel = np.eye(max(groups) + 1, dtype=int)[np.array(groups)].reshape(*shape, -1)
    return joint.channel(x, name, kernel)


def forced_information(
    joint: Joint,
    *,
    target: Names = "C",
    transformation: Names = "A",
    inputs: Names = "X",
    tolerance: float = 1e-9,
) -> float:
    """J = I(target; T) with T = p(transformation | inputs), in nats.

    Raises:
        ValueError: As `with_statistic`.
    """
    c, a, x = _names(target), _names(transformation), _names(inputs)
    small = joint.marginal(tuple(dict.fromkeys((*c, *a, *x))))
    name = "T" + "'" * (1 + max(v.count("'") for v in small.names))
    extended = with_statistic(small, transformation=a, inputs=x, name=name, tolerance=tolerance)
    return extended.entropy(c) + extended.entropy((name,)) - extended.entropy((*c, name))


@dataclass(frozen=True)
class PosteriorGap:
    """How far a representation is from optimal, and how well T can be read from it (Theorem J4).

    Args:
        excess: e = I(A;X) - I(A;Z) in nats.
        divergence: E KL(p(A|X) || p(A|Z)) in nats, which equals e.
        distance: E |p(A|X) - p(A|Z)|_1.
        bound: sqrt(2e), which the distance cannot exceed.
    """

    excess: float
    divergence: float
    distance: float
    bound: float


def posterior_gap(
    joint: Joint, *, transformation: str = "A", inputs: str = "X", representation: str = "Z"
) -> PosteriorGap:
    """The two sides of Theorem J4, computed apart: e from entropies, the rest from posteriors."""
    from scipy.special import rel_entr

    table = joint.marginal((inputs, representation, transformation)).probabilities.astype(np.float64)
    p_xz = table.sum(axis=2)
    p_xa, p_za = table.sum(axis=1), table.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        given_x = np.nan_to_num(p_xa / p_xa.sum(axis=1, keepdims=True))
        given_z = np.nan_to_num(p_za / p_za.sum(axis=1, keepdims=True))
    divergences = rel_entr(given_x[:, None], given_z[None]).sum(axis=2)
    distances = np.abs(given_x[:, None] - given_z[None]).sum(axis=2)
    seen = p_xz > 0
    excess = joint.value(f"I({transformation};{inputs}) - I({transformation};{representation})")
    return PosteriorGap(
        excess,
        float((p_xz[seen] * divergences[seen]).sum()),
        float((p_xz * distances).sum()),
        float(np.sqrt(2 * max(excess, 0.0))),
    )


def _names(variables: Names) -> tuple[str, ...]:
    return variable_names("variables", variables)


def _exact_groups(rows: npt.NDArray[Any]) -> list[int]:
    number_of: dict[tuple[Any, ...], int] = {}
    groups = []
    for row in rows:
        mass = sum(row)
        groups.append(number_of.setdefault(tuple(p / mass for p in row), len(number_of)) if mass else 0)
    return groups


def _close_groups(rows: npt.NDArray[np.float64], tolerance: float) -> list[int]:
    masses = rows.sum(axis=1)
    chosen = np.empty((0, rows.shape[1]))
    groups = []
    for row, mass in zip(rows, masses, strict=True):
        if mass <= 0:
            groups.append(0)
            continue
        posterior = row / mass
        distances = np.abs(chosen - posterior).max(axis=1, initial=0.0)
        near = int(distances.argmin()) if len(chosen) else -1
        if near >= 0 and distances[near] <= tolerance:
            groups.append(near)
            continue
        if near >= 0 and distances[near] <= 3 * tolerance:
            raise ValueError(
                f"two posteriors differ by {distances[near]:.3g}, too close to the tolerance {tolerance:.3g} "
                "to tell whether they are equal: change the tolerance or use Fractions"
            )
        groups.append(len(chosen))
        chosen = np.vstack([chosen, posterior])
    return groups
