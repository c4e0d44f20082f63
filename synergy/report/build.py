"""From a verification to one HTML page, with jinja2."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synergy.report.diagrams import diagram_svg
from synergy.report.evidence import Argument, Distribution, argument, distribution, statement_lines
from synergy.report.strips import Axis, axis_svg, strip_svg
from synergy.verification.cases import LEFT_OUT
from synergy.verification.own import is_own
from synergy.verification.settings import Call, Settings
from synergy.verification.table import provenance
from synergy.verification.verdict import JUDGEMENTS, POSSIBLE, Judgement, Verdict, plain, said
from theory import CLAIMS, Claim
from theory.claims import World
from theory.diagrams import diagram_text

if TYPE_CHECKING:
    from synergy.verification.summary import Report

__all__ = ["render_report", "write_report"]

WORLDS: dict[World, str] = {
    "proof": "Does it follow from Shannon’s inequalities and the causal diagram? A linear program finds the "
    "steps, and a separate checker adds them up in exact rationals; a refutation is an exact distribution "
    "on the diagram.",
    "symbolic": "What do the generator’s closed forms say? Every term is also enumerated, and the two must "
    "agree to rounding error.",
    "exact": "What is the value in a model whose latents are known? Enumeration of its joint distribution, "
    "in generators and in randomly drawn models.",
    "sample": "What do estimators say that see only data? Those of estimate: entropies of the frequencies "
    "where all columns are discrete, cross-fitted log losses of classifiers where there are labels to "
    "predict, and nearest neighbours where there are none.",
    "learned": "Does it hold in what a network learns? An encoder is trained to predict the transformation, "
    "and the claim is judged on raw inputs that it never saw.",
}
"""The question of each world, for the page."""

_AGAINST_FIRST: tuple[Judgement, ...] = (
    "refuted",
    "violated",
    *(name for name in JUDGEMENTS if name not in ("refuted", "violated")),
)
"""The judgements, with those that speak against a claim first."""

_MEANINGS: dict[Judgement, str] = {
    "proved": "follows from Shannon’s inequalities, the diagram and what is given",
    "refuted": "an exact distribution on the diagram breaks it; or, where one that satisfies it is asked "
    "for, there is none (impossible)",
    "verified": "it could have failed here, and did not: the hypothesis that it fails by more than the "
    "margin is rejected, and of > and < that it fails at all",
    "violated": "it fails here by more than the margin: the hypothesis that it holds is rejected; > and < "
    "fail where nothing speaks for a gap above 0, and it is not more than the margin",
    "by construction": "no numbers could contradict it here, so this is no evidence",
    "inconclusive": "the data decide neither way, and the note says how many rows would; or they tell a gap "
    "from 0 that is smaller than the margin",
    "unknown": "neither a proof nor a counterexample was found",
    "not applicable": "the claim cannot be read here; the note says why",
}
"""The meaning of each judgement."""

_OF_SOME = {"verified": "satisfied", "violated": "not satisfied"}
"""Other names of judgements, where the claim is that some model satisfies the statement."""

_COUNTED = {"random models": "model", "witness": "model", "counterexample": "model", "its own check": "case"}
"""The things that are counted in place of samples, by case."""

_EXPECTED = {
    "true": "expected to be true",
    "false": "expected to be false",
    "exists": "expected to be satisfied by some model",
}
"""The expectation of a claim, in words."""


@dataclass(frozen=True)
class Cell:
    """One claim in one world, for the matrix: its state and its result."""

    world: World
    state: str
    symbol: str
    text: str


@dataclass(frozen=True)
class VerdictRow:
    """One verdict, for the table of a claim."""

    verdict: Verdict
    kind: str
    predicted: str
    measured: str
    interval: str
    strip: Markup
    note: str
    relation: str
    p_values: str
    counted: str


@dataclass(frozen=True)
class ClaimSection:
    """One claim with all its results."""

    claim: Claim
    anchor: str
    expected: str
    lines: tuple[Markup, ...]
    given: tuple[Markup, ...]
    diagram: Markup
    cells: tuple[Cell, ...]
    state: str
    standing: str
    proof: Verdict | None
    proof_said: str
    arguments: tuple[Argument, ...]
    distribution: Distribution | None
    rows: tuple[VerdictRow, ...]
    skipped: tuple[Verdict, ...]
    axis: Markup
    commands: tuple[str, ...]


def write_report(report: Report, out: Path) -> Path:
    """Write `report.html` into a folder: one file that refers to nothing outside itself.

    The file appears whole or not at all.

    Args:
        report: What a verification found.
        out: The folder; it is made if it is not there.

    Returns:
        The path of the file.

    Raises:
        ValueError: If `out` is a file, or a proof's certificate is malformed.
    """
    if out.exists() and not out.is_dir():
        raise ValueError(f"out must be a folder, got the file {str(out)!r}")
    text = render_report(report)
    out.mkdir(parents=True, exist_ok=True)
    part = out / f".report.html.{os.getpid()}.part"
    part.write_text(text, encoding="utf-8")
    return part.replace(out / "report.html")


def render_report(report: Report) -> str:
    """The text of the page."""
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    anchors = {claim.id: _anchor(claim, number) for number, claim in enumerate(report.claims, start=1)}
    entries = [_section(claim, report, anchors[claim.id]) for claim in report.claims]
    counts = Counter(v.judgement for v in report.verdicts)
    seconds = sum(v.seconds for v in report.verdicts)
    return environment.get_template("report.html.jinja").render(
        report=report,
        entries=entries,
        anchors=anchors,
        counts=[(name, counts[name], name.replace(" ", "-")) for name in JUDGEMENTS if counts[name]],
        worlds=[(w, WORLDS[w]) for w in get_args(World) if any(v.world == w for v in report.verdicts)],
        meanings=_MEANINGS,
        headline=_headline(report),
        sentence=partial(_sentence, columns=report.data.columns if report.data else ()),
        tested=sum(v.p_verify is not None for v in report.verdicts),
        open=[v for v in report.verdicts if v.judgement in ("inconclusive", "unknown")],
        unexpected=[e for e in entries if e.state == "unexpected"],
        provenance=provenance(report),
        minutes=f"{seconds / 60:.1f}",
        slowest=[(name, f"{spent:.0f}") for name, spent in report.seconds().items() if spent >= 1],
        left_out=LEFT_OUT,
        downstream=[v for v in report.verdicts if "probe_error" in v.evidence],
        command=_verify(_named(report), report),
    )


def _sentence(note: str, columns: Collection[str]) -> str:
    """A note as a sentence; one that begins with the name of a column, or a statement, begins as it is."""
    first = note.split(maxsplit=1)[0].rstrip(",") if note else ""
    begin = note[:1].upper() if first.isalpha() and first not in columns else note[:1]
    return f"{begin}{note[1:].rstrip('.')}."


def _named(report: Report) -> list[str]:
    """The claims to name so that the same ones are judged; none where the whole run is repeated."""
    if report.call is not None:
        return list(report.call.claims)
    known = [claim.id for claim in report.claims if claim.id in CLAIMS]
    return known if len(known) == len(report.claims) else []


def _headline(report: Report) -> tuple[str, str]:
    """The state of the whole, and a sentence for it."""
    standings = report.standings()
    registered = {claim.id for claim in report.claims if not is_own(claim)}
    wrong = sorted({c for (c, _), s in standings.items() if s == "unexpected"})
    open_ = sorted({c for (c, _), s in standings.items() if s == "inconclusive"})
    own = "; ".join(report.own_outcomes)
    of_own = f" {own[:1].upper()}{own[1:]}." if own else ""
    if registered.intersection(wrong):
        disagree = ", ".join(c for c in wrong if c in registered)
        return "unexpected", f"Theory and experiment disagree on {disagree}.{of_own}"
    if wrong:
        return "unexpected", of_own.strip()
    if open_:
        told = f"{', '.join(open_)} {'stays' if len(open_) == 1 else 'stay'} open in some world.{of_own}"
        return "inconclusive", f"Nothing contradicts the theory; {told}" if registered else told
    if not standings:
        return "neutral", "Nothing was judged."
    if report.undecided:
        return "inconclusive", f"Nothing decides {', '.join(report.undecided)} here."
    quiet = (
        f" Not contradicted here: {', '.join(report.not_contradicted)}." if report.not_contradicted else ""
    )
    if not registered:
        return "expected", of_own.strip()
    return "expected", f"Every claim came out as the theory expects.{quiet}{of_own}"


_OF_OWN = {
    "true": "asked of all models on the diagram",
    "false": "asked for a model on the diagram that breaks it",
    "exists": "asked for a model on the diagram that satisfies it",
}
"""What is asked of a statement, of which nobody says what to expect."""


def _asked(claim: Claim, report: Report) -> str:
    """The expectation of a registered claim; of another what is asked."""
    if not is_own(claim):
        return _EXPECTED[claim.expectation]
    return _OF_OWN[claim.expectation] + (" and of your rows" if report.data else "")


def _anchor(claim: Claim, number: int) -> str:
    """The name of a section: no space may be in it, so a statement is named by its number."""
    return f"claim-{claim.id if re.fullmatch(r'[A-Za-z][A-Za-z0-9-]*', claim.id) else number}"


def _section(claim: Claim, report: Report, anchor: str) -> ClaimSection:
    own = [v for v in report.verdicts if v.claim == claim.id]
    numbered = [v for v in own if v.measured is not None]
    axis = Axis.around(numbered)
    proofs = [v for v in own if v.world == "proof"]
    proof = proofs[0] if proofs else None
    cells = tuple(_cell(claim, world, own, report) for world in get_args(World))
    states = {cell.state for cell in cells}
    state = next((s for s in ("unexpected", "inconclusive", "expected") if s in states), "neutral")
    return ClaimSection(
        claim=claim,
        anchor=anchor,
        expected=_asked(claim, report),
        lines=tuple(statement_lines(claim.statement)),
        given=tuple(line for fact in claim.given for line in statement_lines(fact)),
        diagram=diagram_svg(claim.diagram, claim.statement.variables),
        cells=cells,
        state=state,
        standing=(_CHIPS_OF_OWN if is_own(claim) else _CHIPS).get(state, state),
        proof=proof,
        proof_said=said(proof, claim.expectation) if proof else "",
        arguments=tuple(argument(proof.evidence)) if proof else (),
        distribution=distribution(proof.evidence) if proof else None,
        rows=tuple(
            _verdict_row(v, claim, axis)
            for v in own
            if v.world != "proof" and v.judgement != "not applicable"
        ),
        skipped=tuple(v for v in own if v.judgement == "not applicable"),
        axis=axis_svg(axis) if axis else Markup(""),
        commands=_commands(claim, proof, report),
    )


_STATES = {
    "as expected": "expected",
    "unexpected": "unexpected",
    "inconclusive": "inconclusive",
    "not contradicted here": "neutral",
}
"""The state of a claim in a world, by how it came out there."""

_CHIPS = {"neutral": "nothing to judge", "expected": "as expected"}
"""How a claim came out, where the state itself does not say it."""
_CHIPS_OF_OWN = {**_CHIPS, "expected": "verified", "unexpected": "violated"}
"""The same where nobody said what to expect."""

_SYMBOLS = {"expected": "✓", "unexpected": "✗", "inconclusive": "?", "neutral": "·", "absent": ""}
"""The sign of each state in the overview."""


def _cell(claim: Claim, world: World, own: Sequence[Verdict], report: Report) -> Cell:
    here = Counter(v.judgement for v in own if v.world == world)
    if not here:
        return Cell(world, "absent", "", "not judged")
    if set(here) <= {"by construction", "not applicable"}:
        state = "neutral"
    else:
        state = _STATES.get(report.standings()[claim.id, world], "inconclusive")
        if state == "expected" and claim.id in report.only_here and _is_against(here):
            state = "neutral"
    order = JUDGEMENTS if claim.expectation != "false" else _AGAINST_FIRST
    said = [name for name in order if here[name]]
    decisive = [name for name in said if name != "not applicable"] or said
    called: dict[str, str] = {}
    if claim.expectation == "exists":
        called = {str(name): word for name, word in POSSIBLE.items()} if world == "proof" else _OF_SOME
        called = {} if world == "sample" and report.data is not None else called
    text = ", ".join(f"{here[name]} {called.get(name, name)}" for name in decisive)
    if sum(here.values()) == 1:
        text = called.get(decisive[0], decisive[0])
    return Cell(world, state, _SYMBOLS[state], text)


def _is_against(here: Counter[Judgement]) -> bool:
    """Whether nothing here speaks for the statement, and something against it."""
    return bool(here["refuted"] or here["violated"]) and not (here["proved"] or here["verified"])


def _number(value: float | None, decimals: int | None = None) -> str:
    if value is None:
        return "–"
    value = plain(value) if decimals is None else plain(value, 0.5 * 10.0**-decimals)
    text = f"{value:.4g}" if decimals is None else f"{value:.{decimals}f}"
    return text.replace("-", "−")


def _p_value(p: float) -> str:
    return f"{p:.2g}".replace("-", "−") if p > 1e-99 else "below 1e−99"


def _verdict_row(verdict: Verdict, claim: Claim, axis: Axis | None) -> VerdictRow:
    spread = verdict.low is not None and verdict.high is not None and verdict.high - verdict.low > 1e-7
    decimals = None
    if verdict.low is not None and verdict.high is not None and verdict.high - verdict.low > 4e-7:
        decimals = min(7, max(3, 2 - math.floor(math.log10((verdict.high - verdict.low) / 4))))
    return VerdictRow(
        verdict=verdict,
        kind=verdict.judgement.replace(" ", "-"),
        predicted=_number(verdict.predicted),
        measured=_number(verdict.measured, decimals),
        interval=f"[{_number(verdict.low, decimals)}, {_number(verdict.high, decimals)}]" if spread else "",
        strip=strip_svg(verdict, axis) if axis else Markup(""),
        note=verdict.note,
        p_values=""
        if verdict.p_verify is None or verdict.p_violate is None
        else f"p {_p_value(verdict.p_verify)} for, {_p_value(verdict.p_violate)} against",
        counted=_COUNTED.get(verdict.case, "row") + ("" if verdict.samples == 1 else "s"),
        relation="" if verdict.statement == str(claim.statement) else verdict.statement,
    )


def _verify(claims: Sequence[str], report: Report) -> str:
    """The command, or the Python, that repeats a verification: what was named, and its settings."""
    settings, call = report.settings, report.call or Call()
    seed, device = settings.seed, settings.device
    quick = settings == Settings.quick(seed=seed, device=device)
    full = Settings(seed=seed, device=device, quality="default" if call.data else Settings.quality)
    if call.registered and (quick or settings == full):
        words = ["synergy", "verify", *claims]
        words += ["--chapter", call.chapter] if call.chapter and not claims else []
        words += ["--data", call.data] if call.data else []
        words += ["--diagram", call.diagram] if call.diagram else []
        words += [word for fact in call.given for word in ("--given", fact)]
        words += ["--groups", call.groups] if call.groups else []
        words += [word for world in call.worlds for word in ("--world", world)]
        words += [word for name in call.generators for word in ("--generator", name)]
        words += ["--quick"] if quick else []
        words += ["--seed", str(seed)]
        words += ["--device", device] if device != "auto" else []
        return shlex.join(words)
    plain = Settings().to_dict()
    changed = ", ".join(f"{k}={v!r}" for k, v in settings.to_dict().items() if plain[k] != v)
    arguments = [repr(list(claims))] if claims or not call.chapter else [f"chapter={call.chapter!r}"]
    arguments += [f"data={call.data}"] if call.data else []
    arguments += [f"diagram={call.diagram!r}"] if call.diagram else []
    arguments += [f"given={list(call.given)!r}"] if call.given else []
    arguments += [f"groups={call.groups!r}"] if call.groups else []
    arguments += [f"worlds={list(call.worlds)!r}"] if call.worlds else []
    arguments += [f"generators={list(call.generators)!r}"] if call.generators else []
    arguments += [f"settings=Settings({changed})"] if changed else []
    note = "" if call.registered else "  # with the caller's own claims or cases"
    return f"verify({', '.join(arguments)}){note}"


def _commands(claim: Claim, proof: Verdict | None, report: Report) -> tuple[str, ...]:
    named = () if report.call is None else report.call.claims
    again = [claim.id] if claim.id in CLAIMS or claim.id in named else []
    commands = [_verify(again, report)]
    if proof is not None:
        words = ["synergy", "prove", str(claim.statement), "--diagram", diagram_text(claim.diagram)]
        for fact in claim.given:
            words += ["--given", str(fact)]
        if claim.expectation == "exists":
            words.append("--exists")
        commands.append(shlex.join(words))
    return tuple(commands)
