"""Errors that more than one room raises."""

__all__ = ["TooLargeError"]


class TooLargeError(ValueError):
    """A problem that would not fit; the message says how large it is and what helps."""
