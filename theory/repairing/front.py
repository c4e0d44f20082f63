"""`repair`: from a statement that is not true to what would make it true, and what is true instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from time import perf_counter, process_time

from theory.checks import number
from theory.diagrams import Diagram, read_diagram
from theory.errors import TooLargeError
from theory.expressions import Statement
from theory.names import variable_names
from theory.parser import parse_statement, parse_statements
from theory.prover import ContradictionError, Impossible, Proof, Refutation, Unknown, prove
from theory.repairing.attempt import Attempt
from theory.repairing.results import Assumption, NothingToRepairError, Repair

__all__ = ["repair"]

_MOST_VARIABLES = 6
"""The most variables that premises may name: 432 premises and 93,096 pairs of them."""

_MOST_PREMISES = 2
"""The most premises in a set."""

_FEW = 4
"""Up to how many variables the shorter time holds."""

_SECONDS = {True: 2.0, False: 20.0}
"""Processor time for up to `_FEW` variables, and for more."""

_SEARCHING = 0.8
"""The share of the time that the search may take; the rest is left for what surrounds it."""


def repair(
    statement: str | Statement,
    *,
    diagram: Diagram | str | None = None,
    given: str | Statement | Sequence[str | Statement] = (),
    within: str | Sequence[str] | None = None,
    at_most: int = 2,
    seconds: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Repair:
    """What would make a statement true that is not provable, and what is true instead.

    Three answers, each with certificates that `theory.check` accepts:

    - *assumptions*: the weakest sets of one or two premises I(a;b|K) == 0 or H(a|K) == 0 under which the
      statement is proved;
    - *corrected inequalities*: gap + sum weight * quantity >= 0 with the fewest such quantities and the least
      weights, from the dual of the linear program;
    - *edges* of the diagram without which the statement is proved.

    Args:
        statement: One or several relations, as for `prove`.
        diagram: A causal diagram (or its text, or `"essl"`).
        given: Statements that are taken as true.
        within: Further variables that premises may name (names, or one text with commas), besides those of
            the statement and, where there are no more than six together, those of what is given.
        at_most: The largest number of premises in a set, 1 or 2.
        seconds: The time of the processor that it may take; infinity for no limit, None for 2 s for up to
            four variables, and 20 s for more.
        progress: Called with what is being done.

    Returns:
        A `Repair`. When its time ends or on Ctrl-C it holds what was found so far, and says so.

    Raises:
        NothingToRepairError: If the statement is proved; it holds the proof.
        ContradictionError: If the given statements contradict each other, the diagram or the statement.
        TooLargeError: If there are more than six variables.
        ParseError: If a statement cannot be read.
        ValueError: If `at_most` is not 1 or 2, `seconds` is not positive, or a variable is unknown.

    Example:
        >>> from theory import repair
        >>> found = repair("I(A;C|Z) <= I(A;C|X)", diagram="essl")
        >>> print(*found.assumptions, sep=", ")
        I(A;X|Z) == 0, I(C;X|Z) == 0, I(A;C|Z) == 0
        >>> "H(A|Z) == 0" in found, found.special_cases[0].words
        (True, ('Z determines X: X can be read off Z',))
        >>> for correction in found.corrected:
        ...     print(correction)
        I(A;C|Z) <= I(A;C|X) + I(A;X|Z)
        I(A;C|Z) <= I(A;C|X) + I(C;X|Z)
        I(A;C|Z) <= I(A;C|X) + 1/2 H(X)
    """
    start, used = perf_counter(), process_time()
    claim = parse_statement(statement)
    graph = read_diagram(diagram)
    premises = parse_statements(given)
    names = _names(claim, graph, premises, within)
    if isinstance(at_most, bool) or not isinstance(at_most, int) or not 1 <= at_most <= _MOST_PREMISES:
        raise ValueError(f"at_most must be 1 or {_MOST_PREMISES} premises, got {at_most!r}")
    if seconds is not None and seconds != inf:
        number("seconds", seconds, low=0, strict=True)
    allowed = _SECONDS[len(names) <= _FEW] if seconds is None else seconds
    search = _SEARCHING * allowed
    outcome = _outcome(claim, graph, premises, search / 2)
    attempt = Attempt(
        claim,
        graph,
        premises,
        names,
        at_most=at_most,
        seconds=search - min(process_time() - used, search / 2),
        allowed=allowed,
        progress=progress,
    )
    attempt.run()
    assumptions = sorted(attempt.assumptions.values(), key=_simplicity)
    if attempt.complete and not attempt.notes and not (assumptions or attempt.special):
        more = "premise" if at_most == 1 else f"set of up to {at_most} premises"
        attempt.notes.append(f"no {more} over {', '.join(names)} makes it true without saying it again")
    return Repair(
        statement=claim,
        outcome=outcome,
        assumptions=tuple(a for a in assumptions if not a.trivial),
        special_cases=tuple(sorted(attempt.special.values(), key=_simplicity)),
        trivial=tuple(a for a in assumptions if a.trivial),
        restated=tuple(attempt.restated.values()),
        corrected=tuple(attempt.corrected),
        edges=tuple(attempt.edges),
        complete=attempt.complete,
        notes=tuple(attempt.notes),
        seconds=perf_counter() - start,
    )


def _names(
    claim: Statement,
    diagram: Diagram | None,
    given: tuple[Statement, ...],
    within: str | Sequence[str] | None,
) -> tuple[str, ...]:
    """The variables that premises may name."""
    more = variable_names("within", within or ())
    if diagram is not None:
        diagram.require(*claim.variables, *more)
    names = tuple(dict.fromkeys((*claim.variables, *more)))
    if len(names) > _MOST_VARIABLES:
        pairs = len(names) * (len(names) - 1) // 2 * 2 ** (len(names) - 2)
        count = pairs + len(names) * 2 ** (len(names) - 1)
        raise TooLargeError(
            f"premises over {len(names)} variables ({', '.join(names)}) are {count:,}, and pairs of them "
            f"{count * (count - 1) // 2:,}; {_MOST_VARIABLES} variables are the limit: name fewer in the "
            f"statement and in within"
        )
    known = tuple(dict.fromkeys((*names, *(v for statement in given for v in statement.variables))))
    return known if len(known) <= _MOST_VARIABLES else names


def _outcome(
    claim: Statement, diagram: Diagram | None, given: tuple[Statement, ...], seconds: float
) -> Refutation | Unknown:
    """What is known of the statement as it stands.

    Raises:
        NothingToRepairError: If it is proved.
        ContradictionError: If it contradicts what is given.
    """
    outcome = prove(claim, diagram=diagram, given=given, seconds=seconds)
    if isinstance(outcome, Proof):
        raise NothingToRepairError(outcome)
    possible = prove(claim, diagram=diagram, given=given, exists=True, counterexample=False, seconds=seconds)
    if isinstance(possible, Impossible):
        raise ContradictionError(
            f"{claim} contradicts {'; '.join(map(str, given)) or 'itself'}, so that no further premise makes "
            f"it true",
            possible.certificate,
        )
    if not isinstance(outcome, Refutation | Unknown):
        raise RuntimeError(f"expected a refutation or an unknown, got {outcome.verdict}")
    return outcome


def _simplicity(found: Assumption) -> tuple[int, int, int]:
    """Premises under which nothing vanishes first, then the fewest premises, then the fewest variables."""
    named = sum(len(relation.variables) for premise in found.given for relation in premise)
    return len(found.vanishing), len(found.given), named
