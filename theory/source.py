"""Which code made a result, so that what was kept is taken up again by the same code alone."""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from pathlib import Path

__all__ = ["STOREYS", "source_digest"]

STOREYS = ("theory", "synthetic", "synergy")
"""The packages of the toolkit, from the lowest."""

_ROOT = Path(__file__).resolve().parents[1]  # the folder of the storeys


@cache
def source_digest(*parts: object, storeys: tuple[str, ...] = STOREYS) -> str:
    """A digest of every module of the storeys, and of the modules that define `parts`.

    Args:
        parts: Functions or classes, from this package or not; none that has no file.
        storeys: The packages that the result depends on.

    Returns:
        12 hexadecimal digits.

    Example:
        >>> len(source_digest())
        12
    """
    digest = hashlib.sha256()
    for storey in storeys:
        for path in sorted((_ROOT / storey).rglob("*.py")):
            digest.update(str(path.relative_to(_ROOT)).encode())
            digest.update(path.read_bytes())
    for part in parts:
        digest.update(Path(inspect.getfile(part)).read_bytes())  # type: ignore[arg-type]  # checked by inspect
    return digest.hexdigest()[:12]
