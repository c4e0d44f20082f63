"""The theory storey: statements, diagrams, exact joints, proofs and closed forms. Never imports torch."""

from theory.claims import CHAPTERS, CLAIMS, Claim, Evidence, find_claim, judge, of_chapter, register
from theory.diagrams import DIAGRAMS, ESSL, Diagram, read_diagram
from theory.errors import TooLargeError
from theory.expressions import Expression, Relation, Statement, Term
from theory.joints import Joint
from theory.models import Model
from theory.parser import ParseError, parse_expression, parse_statement, parse_term
from theory.prover import (
    Certificate,
    Check,
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
    "CHAPTERS",
    "CLAIMS",
    "DIAGRAMS",
    "ESSL",
    "Certificate",
    "Check",
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
    "find_claim",
    "judge",
    "of_chapter",
    "parse_expression",
    "parse_statement",
    "parse_term",
    "prove",
    "read_diagram",
    "register",
]
