"""Recognising vectors that are one information quantity, and joining several into one."""

from __future__ import annotations

from fractions import Fraction

from theory.prover.lattice import Vector, add_to, information

__all__ = ["as_function", "as_independence", "as_quantity", "merged"]

Name = tuple[int, int, int]
_MOST = 80


def as_function(vector: Vector) -> tuple[int, int] | None:
    """(source, target) if the vector is a multiple of H(target|source), else None."""
    if len(vector) == 1:
        ((mask, _),) = vector.items()
        return 0, mask
    if len(vector) == 2:
        (small, a), (large, b) = sorted(vector.items(), key=lambda item: item[0].bit_count())
        if small & large == small and a == -b:
            return small, large & ~small
    return None


def as_independence(vector: Vector) -> tuple[int, int, int] | None:
    """(left, right, condition) if the vector is a multiple of I(left;right|condition), else None."""
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
    return left, right, condition


def as_quantity(vector: Vector) -> tuple[Name, Fraction] | None:
    """The name and weight of a vector that is a multiple of one H(..|..) or I(..;..|..), else None."""
    function = as_function(vector)
    if function is not None:
        source, target = function
        return (target, target, source), vector[source | target]
    found = as_independence(vector)
    if found is None:
        return None
    left, right, condition = found
    return (left, right, condition), -vector[left | right | condition]


def merged(inequalities: dict[Name, Fraction]) -> dict[Name, Fraction]:
    """The same sum in fewer quantities: pairs that the chain rule joins into one are joined.

    For instance I(X;Y|W) + I(X;Z|W,Y) = I(X;Y,Z|W) and H(X|W) + H(Y|W,X) = H(X,Y|W).
    """
    current = dict(inequalities)
    if len(current) > _MOST:
        return current
    while True:
        names = list(current)
        for i, a in enumerate(names):
            for b in names[i + 1 :]:
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
