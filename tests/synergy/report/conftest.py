"""One small verification, and a report that has every state in it."""

from dataclasses import replace

import pytest

from synergy.verification import CASES, Report, Settings, Verdict, verify
from theory import find_claim


@pytest.fixture(scope="session")
def small() -> Report:
    """Four claims judged on integers, with a proof, a refutation and premises."""
    tables = [case for case in CASES if case.name.startswith("modular-shift")]
    return verify(
        ["E1", "L1", "L2", "D4"],
        worlds=("proof", "symbolic", "exact", "sample"),
        cases=tables,
        settings=replace(Settings.quick(), table_rows=5000, models=10),
    )


@pytest.fixture(scope="session")
def troubled(small: Report) -> Report:
    """The same with a claim that fails, one that stays open and a note that must be escaped."""
    failed = Verdict(
        "E2", "sample", "<i>case</i>", "I(A;Z|C) >= I(A;Z)", "violated", 0.1, -0.2, 0.01, -0.22, -0.18, 0.01
    )
    failed = replace(
        failed, p_verify=1.0, p_violate=1e-80, samples=1000, note='a <script>alert("x")</script> note'
    )
    undecided = replace(failed, judgement="inconclusive", claim="E3", note="; about 9 000 rows would decide")
    return Report(
        (*small.verdicts, failed, undecided),
        (*small.claims, find_claim("E2"), find_claim("E3")),
        small.settings,
    )
