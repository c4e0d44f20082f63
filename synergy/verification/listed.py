"""On which cases each registered claim is judged, as a file, so that listing the claims loads no generators.

`python -m synergy.verification.listed` writes it anew; a test says when that is due.
"""

from __future__ import annotations

import json
from pathlib import Path

__all__ = ["FILE", "made_anew", "read_listed"]

FILE = Path(__file__).with_name("listed.json")
"""The cases of each claim by world."""


def read_listed() -> dict[str, dict[str, list[str]]]:
    """For each claim, and each world that it is judged in, the names of the cases."""
    found: dict[str, dict[str, list[str]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def made_anew() -> str:
    """The text of the file, from the claims and cases as they are."""
    from synergy.verification.fitting import judged_on
    from theory import CLAIMS

    return json.dumps({c.id: judged_on(c).to_dict() for c in CLAIMS.values()}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(made_anew(), encoding="utf-8")
