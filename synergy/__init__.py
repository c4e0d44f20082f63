"""synergy."""
