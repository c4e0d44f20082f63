"""Finer transformations and several at once: F1 and M1 in numbers."""
