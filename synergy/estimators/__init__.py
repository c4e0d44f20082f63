"""Estimators of information quantities from samples, one file per kind."""
