"""Counterexamples: distributions on a diagram that break a statement, decided in exact arithmetic."""
