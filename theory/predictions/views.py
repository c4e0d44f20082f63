r"""Noisy views of uniform coordinates: the closed form behind two views, signal and task, task and nuisance.

The world has independent coordinates, each uniform on a cyclic group. Latents are sums of coordinates. A
view shows some sums of coordinates, or with probability e a redraw of the whole view, uniform on its
alphabet; a representation of it keeps some of them. At most two views are redrawn, independently.

Given latents K, the unspoilt sums O1 and O2 of the two views are uniform on a coset. Write |T|K| for the
number of states of the sums T that are left given K: the product over the coordinates' groups of their order
to the power rank(T, K) - rank(K). With P = |O1,O2|K| pairs, marginals of w = |O1|K| and v = |O2|K| states,
and alphabets of n and m states, a pair has one of five probabilities:

    possible                P                (1-e)^2/P + e(1-e) (1/(w m) + 1/(v n)) + e^2/(n m)
    both possible alone     w v - P          e(1-e) (1/(w m) + 1/(v n)) + e^2/(n m)
    the first alone         w (m - v)        e(1-e)/(w m) + e^2/(n m)
    the second alone        (n - w) v        e(1-e)/(v n) + e^2/(n m)
    neither                 (n - w)(m - v)   e^2/(n m)

Ranks are those of integer matrices with entries 0 and 1 whose minors are 0, 1 or -1, so that they are the
same over every group.

Example:
    >>> form = two_views_form()
    >>> print(form.predict("I(X1;X2)").subs(noise, 0))
    log(classes) + log(shared)
    >>> print(form.predict("I(X1;X2|C)").subs(noise, 0))
    log(shared)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import sympy

from theory.predictions.closed_form import ClosedForm, entropy_of

__all__ = [
    "NuisanceKept",
    "SignalKept",
    "SignalTask",
    "ViewKept",
    "ViewsForm",
    "classes",
    "noise",
    "nuisance_form",
    "nuisances",
    "other",
    "own",
    "private",
    "shared",
    "signal_form",
    "two_views_form",
]

classes, shared, private, own, other, nuisances = sympy.symbols(
    "classes shared private own other nuisances", integer=True, positive=True
)
"""The numbers of states of the latents."""

noise = sympy.Symbol("noise", nonnegative=True)
"""The probability that a view is drawn anew."""

Sums = tuple[str, ...]
"""Sums of coordinates, each as text such as `L+A1`."""

ViewKept = Literal["input", "content", "class", "style", "mixture", "nothing"]
"""What a representation of a view keeps: all, class and shared style, class, style, their sum, or nothing."""

SignalKept = Literal["input", "shared", "own", "nothing"]
"""What a representation of an input keeps: all, what the signal shows too, what it does not, or nothing."""

SignalTask = Literal["shared", "own", "other", "input"]
"""What the task asks for: what input and signal share, what either shows alone, or all of the input."""

NuisanceKept = Literal["input", "task", "nuisance", "mixture", "nothing"]
"""What a representation keeps: all, the task, the nuisance, or their sum."""


class ViewsForm(ClosedForm):
    """Closed forms of a world of coordinates, latents and at most two noisy views.

    Args:
        orders: The order of the group of each coordinate; a sum may mix coordinates of equal order alone.
        latents: For each latent variable the sums that it shows.
        views: For each view its variables, with the sums that each keeps.

    Raises:
        ValueError: If there are more than two views, or a sum mixes coordinates of different orders.
    """

    def __init__(
        self,
        orders: Mapping[str, sympy.Expr],
        latents: Mapping[str, Sums],
        views: Sequence[Mapping[str, Sums]],
    ) -> None:
        if len(views) > 2:
            raise ValueError(f"there may be at most two views, got {len(views)}")
        self._orders = dict(orders)
        self._latents = dict(latents)
        self._views = [dict(view) for view in views]
        for sums in (*latents.values(), *(kept for view in views for kept in view.values())):
            for text in sums:
                if len({orders[name] for name in text.split("+")}) > 1:
                    raise ValueError(f"the sum {text} mixes coordinates of different orders")
        self.variables = (*latents, *(name for view in views for name in view))

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """H(variables) in nats."""
        known = _union(self._latents[v] for v in sorted(variables & set(self._latents)))
        total = sympy.expand_log(sympy.log(self._states(known, ())), force=True)
        seen = [_union(view[v] for v in sorted(variables & set(view))) for view in self._views]
        seen = [sums for sums in seen if sums]
        if not seen:
            return total
        left = [self._states(sums, known) for sums in seen]
        alphabets = [self._states(sums, ()) for sums in seen]
        if len(seen) == 1:
            return total + _one(left[0], alphabets[0])
        pairs = self._states(_union(seen), known)
        return total + _two(pairs, (left[0], left[1]), (alphabets[0], alphabets[1]))

    def _states(self, sums: Sums, given: Sums) -> sympy.Expr:
        """How many states the sums have, once others are given."""
        number: sympy.Expr = sympy.Integer(1)
        for order in dict.fromkeys(self._orders.values()):
            names = tuple(name for name, own_order in self._orders.items() if own_order == order)
            gained = _rank((*sums, *given), names) - _rank(given, names)
            number *= order**gained
        return number


def _union(parts: Iterable[Sums]) -> Sums:
    return tuple(dict.fromkeys(text for part in parts for text in part))


@lru_cache(maxsize=4096)
def _rank(sums: Sums, names: tuple[str, ...]) -> int:
    rows = [[int(name in text.split("+")) for name in names] for text in sums]
    return int(sympy.Matrix(rows).rank()) if rows else 0


def _one(left: sympy.Expr, alphabet: sympy.Expr) -> sympy.Expr:
    floor = noise / alphabet
    return entropy_of((left, (1 - noise) / left + floor), (alphabet - left, floor))


def _two(
    pairs: sympy.Expr, left: tuple[sympy.Expr, sympy.Expr], alphabets: tuple[sympy.Expr, sympy.Expr]
) -> sympy.Expr:
    (w, v), (n, m) = left, alphabets
    both, one = noise**2 / (n * m), noise * (1 - noise)
    first, second = one / (w * m) + both, one / (v * n) + both
    each = first + second - both
    return entropy_of(
        (pairs, (1 - noise) ** 2 / pairs + each),
        (sympy.expand(w * v - pairs), each),
        (sympy.expand(w * (m - v)), first),
        (sympy.expand((n - w) * v), second),
        (sympy.expand((n - w) * (m - v)), both),
    )


def two_views_form(first: ViewKept = "content", second: ViewKept = "content") -> ViewsForm:
    """Two views of a raw input: class C, style S = (Q, L), augmentations A1 and A2, X_i = (C, Q, L + A_i).

    Where a representation keeps the mixture C + Q, as many styles as classes are shared, and the symbol
    `shared` does not appear.
    """
    mixed = "mixture" in (first, second)

    def kept(kind: ViewKept, position: str) -> Sums:
        sums: dict[ViewKept, Sums] = {
            "input": ("C", "Q", position),
            "content": ("C", "Q"),
            "class": ("C",),
            "style": ("Q", position),
            "mixture": ("C+Q",),
            "nothing": (),
        }
        return sums[kind]

    return ViewsForm(
        {"C": classes, "Q": classes if mixed else shared, "L": private, "A1": private, "A2": private},
        {"C": ("C",), "S": ("Q", "L"), "R": ("C", "Q", "L"), "A1": ("A1",), "A2": ("A2",)},
        (
            {"X1": kept("input", "L+A1"), "Z1": kept(first, "L+A1")},
            {"X2": kept("input", "L+A2"), "Z2": kept(second, "L+A2")},
        ),
    )


def signal_form(
    task: SignalTask = "shared", representation: SignalKept = "input", smaller: SignalKept = "shared"
) -> ViewsForm:
    """An input X = (K, O), a signal S = (K, G), and a task T that asks for some of K, O and G."""
    asked: dict[SignalTask, Sums] = {"shared": ("K",), "own": ("O",), "other": ("G",), "input": ("K", "O")}
    kept: dict[SignalKept, Sums] = {"input": ("K", "O"), "shared": ("K",), "own": ("O",), "nothing": ()}
    return ViewsForm(
        {"K": shared, "O": own, "G": other},
        {"U": ("K", "O", "G"), "T": asked[task]},
        ({"X": kept["input"], "Z": kept[representation], "M": kept[smaller]}, {"S": ("K", "G")}),
    )


def nuisance_form(representation: NuisanceKept = "task") -> ViewsForm:
    """An input X = (Y, N) of a task Y and a nuisance N."""
    kept: dict[NuisanceKept, Sums] = {
        "input": ("Y", "N"),
        "task": ("Y",),
        "nuisance": ("N",),
        "mixture": ("Y+N",),
        "nothing": (),
    }
    return ViewsForm(
        {"Y": classes, "N": classes if representation == "mixture" else nuisances},
        {"Y": ("Y",), "N": ("N",)},
        ({"X": kept["input"], "Z": kept[representation]},),
    )
