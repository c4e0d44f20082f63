"""Random models that satisfy a premise by construction: variables put together from parts.

A premise such as I(X1;X2|Z1) == 0 holds for almost no random model. It holds for all of those in which
X1 = (P, Q), the part P carries all that X1 shares with X2, and Z1 keeps P.

Example:
    >>> draw = Composed("W->P, P->Q, W->X2", {"X1": "P,Q", "Z1": "P", "X2": "X2"})
    >>> joint = draw(0)
    >>> joint.names, abs(joint.value("I(X1;X2|Z1)")) < 1e-12
    (('X1', 'Z1', 'X2'), True)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from theory.claims.exact import random_joint
from theory.diagrams import Diagram
from theory.joints import Joint
from theory.support import Support

__all__ = ["Composed"]


@dataclass(frozen=True)
class Composed:
    """Draws a joint of variables that are tuples of the parts of a random model.

    Args:
        parts: The diagram of the parts, as text.
        variables: For each variable its parts, separated by commas.
    """

    parts: str
    variables: Mapping[str, str]

    def __call__(self, seed: int) -> Joint:
        """The joint that a seed fixes.

        Raises:
            ValueError: If a variable names a part that is not in the diagram.
        """
        diagram = Diagram.parse(self.parts, name="diagram of the parts")
        made = {name: tuple(text.split(",")) for name, text in self.variables.items()}
        used = tuple(dict.fromkeys(part for parts in made.values() for part in parts))
        diagram.require(*used)
        drawn = Support.from_joint(random_joint(diagram, used, seed))
        whole = drawn.rename({part: f"{part}_" for part in used})
        for name, parts in made.items():
            size = math.prod(drawn.cardinalities[part] for part in parts)
            whole = whole.with_column(name, size, drawn.codes(parts))
        return whole.joint(tuple(made))
