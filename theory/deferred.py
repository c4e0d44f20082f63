"""Modules that are imported when a name of theirs is first asked for.

A command then waits only for the libraries that it uses: `list claims` for none of sympy, pandas and torch.

Example:
    >>> fractions, names = public_names("theory", {"fractions": ("Fraction",)})
    >>> fractions("Fraction")(2, 4)
    Fraction(1, 2)
    >>> numbers = Registry[type]({"a half": ("fractions", "Fraction")})
    >>> list(numbers), numbers["a half"](2, 4)
    (['a half'], Fraction(1, 2))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

__all__ = ["Registry", "public_names"]

T = TypeVar("T")


def public_names(
    package: str, homes: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and `__dir__` of a package whose public names live in other modules (PEP 562).

    Type checkers do not read the table: the package imports the same names under `TYPE_CHECKING`.

    Args:
        package: The package.
        homes: The names that each module has.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> Any:  # noqa: ANN401  (whatever has that name)
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return _imported(home_of[name], name)

    def names() -> list[str]:
        return sorted({*vars(import_module(package)), *home_of})

    return load, names


class Registry(MutableMapping[str, T]):
    """Objects by name, each imported when it is first asked for; the names alone import nothing.

    Args:
        homes: For each name the module and what the object is called there.
    """

    def __init__(self, homes: Mapping[str, tuple[str, str]]) -> None:
        self._loaders: dict[str, Callable[[], T]] = {
            name: partial(_imported, home, attribute) for name, (home, attribute) in homes.items()
        }

    def __getitem__(self, name: str) -> T:
        return self._loaders[name]()

    def __setitem__(self, name: str, value: T) -> None:
        self._loaders[name] = lambda: value

    def __delitem__(self, name: str) -> None:
        del self._loaders[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loaders

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)

    def __repr__(self) -> str:
        return f"Registry({', '.join(self._loaders)})"


def _imported(home: str, attribute: str) -> Any:  # noqa: ANN401  (whatever has that name)
    return getattr(import_module(home), attribute)
