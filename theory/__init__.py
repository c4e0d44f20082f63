"""The theory storey: statements, diagrams, exact joints, proofs and closed forms. Never imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from theory.deferred import public_names

if TYPE_CHECKING:
    from theory.bounding import Bound, Bounds, Violation, bounds
    from theory.claims import CHAPTERS, CLAIMS, Claim, Evidence, find_claim, judge, of_chapter, register
    from theory.diagrams import DIAGRAMS, ESSL, Diagram, read_diagram
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
    from theory.repairing import Assumption, Correction, EdgeChange, NothingToRepairError, Repair, repair
    from theory.support import Support
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "theory.bounding": ("Bound", "Bounds", "Violation", "bounds"),
            "theory.claims": (
                "CHAPTERS",
                "CLAIMS",
                "Claim",
                "Evidence",
                "find_claim",
                "judge",
                "of_chapter",
                "register",
            ),
            "theory.diagrams": ("DIAGRAMS", "ESSL", "Diagram", "read_diagram"),
            "theory.errors": ("TooLargeError",),
            "theory.expressions": ("Expression", "Relation", "Statement", "Term"),
            "theory.joints": ("Joint",),
            "theory.models": ("Model",),
            "theory.parser": ("ParseError", "parse_expression", "parse_statement", "parse_term"),
            "theory.prover": (
                "Certificate",
                "CheckResult",
                "ContradictionError",
                "Impossible",
                "Proof",
                "Refutation",
                "Unknown",
                "Witness",
                "check",
                "prove",
            ),
            "theory.repairing": (
                "Assumption",
                "Correction",
                "EdgeChange",
                "NothingToRepairError",
                "Repair",
                "repair",
            ),
            "theory.support": ("Support",),
        },
    )

__all__ = [
    "CHAPTERS",
    "CLAIMS",
    "DIAGRAMS",
    "ESSL",
    "Assumption",
    "Bound",
    "Bounds",
    "Certificate",
    "CheckResult",
    "Claim",
    "ContradictionError",
    "Correction",
    "Diagram",
    "EdgeChange",
    "Evidence",
    "Expression",
    "Impossible",
    "Joint",
    "Model",
    "NothingToRepairError",
    "ParseError",
    "Proof",
    "Refutation",
    "Relation",
    "Repair",
    "Statement",
    "Support",
    "Term",
    "TooLargeError",
    "Unknown",
    "Violation",
    "Witness",
    "bounds",
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
    "repair",
]
