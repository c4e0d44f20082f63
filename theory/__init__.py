"""The theory storey: statements, diagrams, exact joints, proofs and closed forms. Never imports torch."""

from theory.claims import CLAIMS, Claim, Evidence, claim, judge, register
from theory.diagrams import ESSL, Diagram
from theory.errors import TooLargeError
from theory.expressions import Expression, Relation, Statement, Term
from theory.joints import Joint
from theory.models import Model
from theory.parser import ParseError, parse_expression, parse_statement, parse_term
from theory.prover import (
    Certificate,
    CheckResult,
    ContradictionError,
    Impossible,
    Proof,
    Refutation,
    Unknown,
    Witness,
    check,
    prove,
)
from theory.support import Support

__all__ = [
    "CLAIMS",
    "ESSL",
    "Certificate",
    "CheckResult",
    "Claim",
    "ContradictionError",
    "Diagram",
    "Evidence",
    "Expression",
    "Impossible",
    "Joint",
    "Model",
    "ParseError",
    "Proof",
    "Refutation",
    "Relation",
    "Statement",
    "Support",
    "Term",
    "TooLargeError",
    "Unknown",
    "Witness",
    "check",
    "claim",
    "judge",
    "parse_expression",
    "parse_statement",
    "parse_term",
    "prove",
    "register",
]
