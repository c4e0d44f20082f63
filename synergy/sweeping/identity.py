"""Which function made a store: its source, what it holds, and the versions that it ran with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from synthetic.digests import digest_of
from synthetic.parallel.call import fingerprint

__all__ = ["identity_of", "name_of"]


def name_of(function: Callable[..., Any]) -> str:
    """The module and name of a function; of what a `functools.partial` calls."""
    inner = function.func if isinstance(function, functools.partial) else function
    kind = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{kind.__module__}:{kind.__qualname__}"


def identity_of(function: Callable[..., Any]) -> dict[str, str]:
    """What the results of a function depend on, beside its parameters: code, held values, and versions.

    Code and values are those of `synthetic.digests.digest_of`; all of the toolkit's code, which the function
    may call, is among the versions.

    Returns:
        `function`, its name; `source`, a digest; and the versions of `synthetic.parallel.call.fingerprint`.
    """
    return {"function": name_of(function), "source": digest_of(function)[:12], **fingerprint()}
