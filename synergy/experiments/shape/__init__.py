"""The experiment on what shape must tell of a transformation."""
