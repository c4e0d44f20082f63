"""The prover: exact proofs with certificates, counterexamples, and the checker.

A proof of `gap >= 0` is an identity between joint entropies, in exact rationals,

    gap = sum w_i (Shannon inequality)_i + sum v_j (fact)_j,        w_i >= 0,

where the facts are the diagram's independences and functions and the given statements. The search
(`proof.search`) first lets the facts eliminate joint entropies (`proof.space`), looks for one or two
inequalities by table (`proof.lookup`), then asks a linear program in floating point whose answer is made
exact (`proof.programs`); where there are many variables and few facts it adds inequalities only as they are
violated (`proof.lazy`). The result is a `Certificate`; only one that the separate `proof.checker` accepts
makes a `Proof`.

If there is no proof, a polymatroid breaks the statement (`counterexample.polymatroid`), which may or may not
be the entropy of a distribution. Linear codes (`codes`), gates (`gates`) and a numerical search (`numerical`)
look for one on the diagram and under the given statements; only one with rational probabilities whose
violation is established exactly (`exact`) makes a `Refutation`. What remains is `Unknown`.

References:
    R. W. Yeung (1997), "A framework for linear information inequalities".
    R. W. Yeung (2008), "Information Theory and Network Coding", chapters 13 to 15.
    S.-W. Ho, L. Ling, C. W. Tan and R. W. Yeung (2020), "Proving and disproving information inequalities".
"""

from theory.prover.proof.certificate import Certificate, Part, Step
from theory.prover.proof.checker import CheckResult, check
from theory.prover.proving import prove
from theory.prover.results import (
    ContradictionError,
    Impossible,
    Proof,
    Refutation,
    Unknown,
    Witness,
)

__all__ = [
    "Certificate",
    "CheckResult",
    "ContradictionError",
    "Impossible",
    "Part",
    "Proof",
    "Refutation",
    "Step",
    "Unknown",
    "Witness",
    "check",
    "prove",
]
