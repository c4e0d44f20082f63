"""Proofs: certificates, the checker that accepts them, and the search that finds them."""
