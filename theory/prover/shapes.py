"""Recognising vectors that are one information quantity, and joining several into one."""

from __future__ import annotations

from fractions import Fraction

from theory.prover.lattice import Quantity, Vector, add_to, information

__all__ = ["as_function", "as_independence", "as_quantity", "merged"]

_MOST_MERGED = 80
"""Longer sums are left as they are: comparing all pairs would take longer than the proof."""


def as_function(vector: Vector) -> Quantity | None:
    """H(target | source) if the vector is a multiple of it, else None."""
    if len(vector) == 1:
        ((mask, _),) = vector.items()
        return Quantity(mask, mask, 0)
    if len(vector) == 2:
        (small, a), (large, b) = sorted(vector.items(), key=lambda item: item[0].bit_count())
        if small & large == small and a == -b:
            return Quantity(large & ~small, large & ~small, small)
    return None


def as_independence(vector: Vector) -> Quantity | None:
    """I(left; right | condition) if the vector is a multiple of it, else None."""
    if len(vector) not in (3, 4) or len({abs(c) for c in vector.values()}) != 1:
        return None
    whole = max(vector, key=lambda mask: (mask.bit_count(), mask))
    same = [mask for mask, c in vector.items() if c == vector[whole] and mask != whole]
    sides = [mask for mask, c in vector.items() if c != vector[whole]]
    if len(sides) != 2 or len(same) > 1:
        return None
    condition = same[0] if same else 0
    left, right = sides[0] & ~condition, sides[1] & ~condition
    if information(left, right, condition) != {m: c / -vector[whole] for m, c in vector.items()}:
        return None
    return Quantity(left, right, condition)


def as_quantity(vector: Vector) -> tuple[Quantity, Fraction] | None:
    """The quantity H(..|..) or I(..;..|..) that a vector is a multiple of, and the factor; else None."""
    function = as_function(vector)
    if function is not None:
        return function, vector[function.left | function.condition]
    independence = as_independence(vector)
    if independence is None:
        return None
    left, right, condition = independence
    return independence, -vector[left | right | condition]


def merged(inequalities: dict[Quantity, Fraction]) -> dict[Quantity, Fraction]:
    """The same sum in fewer quantities: pairs that the chain rule joins into one are joined.

    For instance I(X;Y|W) + I(X;Z|W,Y) = I(X;Y,Z|W) and H(X|W) + H(Y|W,X) = H(X,Y|W).
    """
    current = dict(inequalities)
    if len(current) > _MOST_MERGED:
        return current
    while True:
        quantities = list(current)
        for i, a in enumerate(quantities):
            for b in quantities[i + 1 :]:
                if current[a] != current[b]:
                    continue
                total = information(*a)
                add_to(total, information(*b))
                joined = as_quantity(total)
                if joined is not None and joined[1] > 0:
                    weight = current.pop(a) * joined[1]
                    del current[b]
                    current[joined[0]] = current.get(joined[0], Fraction(0)) + weight
                    break
            else:
                continue
            break
        else:
            return current
