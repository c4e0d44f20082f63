"""Errors that more than one room raises, and how the errors of libraries are told."""

import textwrap

__all__ = ["TooLargeError", "one_line", "shown"]

_WIDTH = 300
"""The most characters that are kept of what a library says."""

_VALUE = 120
"""The most characters of a value in an error."""

_DIGITS = 40
"""Integers of more digits are told by their number of digits; Python refuses to print some of them."""


_PLAIN: tuple[type[Exception], ...] = (ValueError, TypeError)
"""Kinds of errors whose name says nothing that their text does not."""


class TooLargeError(ValueError):
    """A problem that would not fit; the message says how large it is and what helps."""


def one_line(error: BaseException) -> str:
    r"""What an error of a library says, in one line of bounded length, and its kind where that tells more.

    Example:
        >>> one_line(OSError("truncated\nfile")), one_line(KeyError("rows"))
        ('truncated file', "KeyError: 'rows'")
        >>> one_line(EOFError())
        'EOFError'
    """
    text = textwrap.shorten(str(error), _WIDTH, placeholder=" ..")
    kind = type(error).__name__
    if not text:
        return kind
    return text if isinstance(error, OSError) or type(error) in _PLAIN else f"{kind}: {text}"


def shown(value: object) -> str:
    """A value for an error: its repr, cut in the middle where it is long.

    Example:
        >>> shown("A" * 500) == repr("A" * 57) + " .. " + repr("A" * 57)
        True
        >>> shown(10**5000), shown(-7)
        ('an integer of 16610 bits', '-7')
    """
    if isinstance(value, int) and abs(value) > 10**_DIGITS:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, str) and len(value) > _VALUE:
        half = _VALUE // 2 - 3
        return f"{value[:half]!r} .. {value[-half:]!r}"
    try:
        text = repr(value)
    except ValueError:  # it holds an integer that Python refuses to print
        return f"a {type(value).__name__} with a very long integer"
    return text if len(text) <= _VALUE else f"{text[: _VALUE // 2]} .. {text[-_VALUE // 2 :]}"
