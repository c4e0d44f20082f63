"""What invariant and equivariant representations keep."""
