"""The checker's rules for copies (Zhang and Yeung 1998; Dougherty, Freiling and Zeger 2011, lemma 2).

For any variables W, and any sets C and K of them, there is a joint distribution of W and new variables C'
with

    (C', K) distributed as (C, K),        I(C'; W | K) = 0:

draw C' from p(C | K) with a noise of its own. The distribution of W stays what it was. So a proof may add C'
to the variables, use both facts, and conclude anything that speaks of W alone. Copies may follow one another;
each is independent of all that was there before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from theory.expressions import Expression, Term
from theory.prover.proof.certificate import Copy

__all__ = ["Copies"]


class CopyError(ValueError):
    """A copy that the lemma does not allow, or a fact that does not follow from it."""


@dataclass(frozen=True)
class Copies:
    """The copies of one part, checked.

    Args:
        copies: In the order in which they are made.
        before: For each of them all variables that were there before it.
    """

    copies: tuple[Copy, ...]
    before: tuple[frozenset[str], ...]

    @classmethod
    def checked(cls, copies: tuple[Copy, ...], known: Collection[str]) -> Copies:
        """The copies, each of variables that are there, under names that are new.

        Args:
            copies: What the part says.
            known: All variables of the statement, the given statements and the diagram.

        Raises:
            CopyError: If a copy has no such form.
        """
        present = frozenset(known)
        before = []
        if type(copies) is not tuple or any(type(copy) is not Copy for copy in copies):
            raise CopyError(f"the copies of a part must be a tuple of Copy, got {copies!r}")
        for copy in copies:
            for group in (copy.copied, copy.over, copy.names):
                if type(group) is not tuple or any(type(name) is not str for name in group):
                    raise CopyError(f"a copy holds its variables as text, got {group!r}")
                if len(set(group)) != len(group):
                    raise CopyError(f"a copy names each variable once, got {', '.join(group)}")
            if not copy.copied or len(copy.names) != len(copy.copied):
                raise CopyError(f"a copy needs one new name for each variable, got {copy}")
            if set(copy.copied) & set(copy.over):
                raise CopyError(f"what is copied must not be what it is copied over, got {copy}")
            unknown = {*copy.copied, *copy.over} - present
            if unknown:
                raise CopyError(f"{copy} names {', '.join(sorted(unknown))}, which is not there before it")
            taken = present & set(copy.names)
            if taken:
                raise CopyError(
                    f"{copy} must have new names, and {', '.join(sorted(taken))} is there already"
                )
            before.append(present)
            present |= set(copy.names)
        return cls(copies, tuple(before))

    def _number(self, index: int | None) -> int:
        if index is None or not 0 <= index < len(self.copies):
            raise CopyError(f"there is no copy number {index}")
        return index

    def require_same_law(self, quantity: Expression, index: int | None) -> None:
        """H(S) - H(T) is zero where T is S with every copy replaced by what it is a copy of.

        Raises:
            CopyError: If the quantity is not of this form.
        """
        copy = self.copies[self._number(index)]
        fits = [c for c, _ in quantity.summands] == [1, -1] and all(
            len(term.groups) == 1 and not term.given for _, term in quantity.summands
        )
        if fits:
            first, second = (set(term.groups[0]) for _, term in quantity.summands)
            original = dict(zip(copy.names, copy.copied, strict=True))
            fits = first <= {*copy.names, *copy.over} and {original.get(v, v) for v in first} == second
        if not fits:
            raise CopyError(
                f"{quantity} == 0 does not follow: it is no entropy minus that of the copy {copy}"
            )

    def require_independent(self, term: Term, index: int | None) -> None:
        """I(S;T|K) is zero where S is copies over K and T was there before them.

        Raises:
            CopyError: If the term is not of this form.
        """
        number = self._number(index)
        copy = self.copies[number]
        fits = (
            len(term.groups) == 2
            and set(term.groups[0]) <= set(copy.names)
            and set(term.groups[1]) <= self.before[number]
            and set(term.given) == set(copy.over)
        )
        if not fits:
            raise CopyError(f"{term} == 0 does not follow from the copy {copy}")
