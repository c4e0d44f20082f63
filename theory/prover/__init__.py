"""The prover: exact proofs with certificates, counterexamples, and the checker."""

from theory.prover.certificate import Certificate, Part, Step
from theory.prover.checker import Check, check
from theory.prover.proving import prove
from theory.prover.results import (
    ContradictionError,
    Impossible,
    Proof,
    Refutation,
    TooLargeError,
    Unknown,
    Witness,
)

__all__ = [
    "Certificate",
    "Check",
    "ContradictionError",
    "Impossible",
    "Part",
    "Proof",
    "Refutation",
    "Step",
    "TooLargeError",
    "Unknown",
    "Witness",
    "check",
    "prove",
]
