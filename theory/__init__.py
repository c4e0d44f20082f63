"""The theory storey: statements, diagrams, exact joints, proofs and closed forms. Never imports torch."""

from theory.claims import CLAIMS, Claim, Evidence, claim, judge, register
from theory.diagrams import ESSL, Diagram
from theory.expressions import Expression, Relation, Statement, Term
from theory.joints import Joint
from theory.models import Model
from theory.parser import ParseError, parse_expression, parse_statement, parse_term

__all__ = [
    "CLAIMS",
    "ESSL",
    "Claim",
    "Diagram",
    "Evidence",
    "Expression",
    "Joint",
    "Model",
    "ParseError",
    "Relation",
    "Statement",
    "Term",
    "claim",
    "judge",
    "parse_expression",
    "parse_statement",
    "parse_term",
    "register",
]
