"""Reading JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any

from theory.errors import one_line

__all__ = ["read_json"]


def read_json(text: str, what: str) -> Any:  # noqa: ANN401 - JSON holds anything
    """The value of a JSON text.

    Args:
        text: The text.
        what: What it should be, for the error.

    Raises:
        ValueError: If it is not JSON, is nested too deep to be read, or holds an integer of thousands of
            digits.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{what} must be JSON: {error}") from None
    except ValueError as error:  # an integer of thousands of digits
        raise ValueError(f"{what} must be JSON of numbers that can be read: {one_line(error)}") from None
    except RecursionError:
        raise ValueError(f"{what} must be JSON that is not nested so deep") from None
