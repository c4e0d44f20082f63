"""Brightness: how red, green and blue add up to gray."""

__all__ = ["LUMA"]

LUMA = (0.299, 0.587, 0.114)
"""The weights of red, green and blue in brightness (ITU-R BT.601)."""
