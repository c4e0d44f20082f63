"""Which code made a result, so that what was kept is taken up again by the same code alone."""

from __future__ import annotations

import hashlib
import inspect
from functools import cache
from pathlib import Path

__all__ = ["source_digest"]

_STOREYS = Path(__file__).resolve().parents[1]


@cache
def source_digest(*parts: object) -> str:
    """A digest of every module of the three storeys, and of the modules that define `parts`.

    Args:
        parts: Functions or classes, from this package or not; none that has no file.

    Returns:
        12 hexadecimal digits.

    Example:
        >>> len(source_digest())
        12
    """
    digest = hashlib.sha256()
    for storey in ("theory", "synthetic", "synergy"):
        for path in sorted((_STOREYS / storey).rglob("*.py")):
            digest.update(str(path.relative_to(_STOREYS)).encode())
            digest.update(path.read_bytes())
    for part in parts:
        digest.update(Path(inspect.getfile(part)).read_bytes())  # type: ignore[arg-type]  # checked by inspect
    return digest.hexdigest()[:12]
