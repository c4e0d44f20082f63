"""The gallery: claims by chapter, each with its proof in steps or its counterexample, and what repairs it."""

from __future__ import annotations

from html import escape

import pages

from synergy.report.diagrams import diagram_svg
from synergy.report.evidence import statement_lines
from theory import CHAPTERS, DIAGRAMS, Claim, Correction, Repair, check, of_chapter, repair
from theory.diagrams import diagram_text
from theory.mathml import mathml

__all__ = ["gallery", "repaired"]

_WEAKEST, _SPECIAL = 3, 2
"""How many of the weakest premises a false claim is shown with, and how many that imply one of them."""


def repaired(claim: Claim) -> str:
    """What makes a false claim true, and what is true instead, as Markdown; nothing for other claims.

    Single premises alone: pairs of them may take longer than the time that `repair` has on a slow machine.
    """
    if claim.expectation != "false" or "proof" not in claim.worlds:
        return ""
    found = repair(claim.statement, diagram=claim.diagram, given=claim.given, at_most=1)
    weakest = [a for a in found.assumptions if not a.trivial][:_WEAKEST]
    special = [a for a in found.special_cases if not a.trivial][:_SPECIAL]
    parts: list[str] = []
    for title, shown in (("True if", weakest), ("In particular if", special)):
        if shown:
            items = [f"- {mathml(a.given[0])}: {a.words[0]}" for a in shown]
            parts += [f"**{title}**{' any one of' if len(shown) > 1 else ''}\n", *items, ""]
    best = _best(found)
    if best is not None:
        parts += [f"**True instead** {mathml(best.statement)}\n"]
    certificates = [a.certificate for a in (*weakest, *special)]
    certificates += [] if best is None else [best.certificate]
    if not all(map(check, certificates)):
        raise ValueError(f"{claim.id}: a certificate of its repair does not pass the check")
    parts += [f"*{note}*\n" for note in found.notes]
    return "\n".join(parts)


def _best(found: Repair) -> Correction | None:
    """The first correction by what a premise says is 0, else the first."""
    premises = [term for a in found.assumptions for premise in a.given for term in premise.terms]
    own = [c for term in premises for c in found.corrected if c.added.terms == (term,)]
    return next(iter([*own, *found.corrected]), None)


def gallery() -> str:
    """The diagrams that have a name, then every chapter of the registry with its claims."""
    parts = [
        "# Gallery\n",
        "What the field states of self-supervised learning in the language of information, each on its own "
        "diagram and with its premises. A true claim comes with its proof in steps, a false one with a "
        "distribution that breaks it. *After* says where an idea comes from; the forms are ours, and neither "
        "quotations nor numbered theorems of the works that are named.\n",
        "A false claim is shown with what [`repair`](repair.md) finds: the weakest single premises under "
        "which it is proved, some simpler ones that imply one of them, and an inequality that holds as it "
        "stands. "
        "Their certificates were checked when this page was built. `synergy repair` also gives pairs of "
        "premises, all that is left out here, and the models that show each.\n",
        "```bash\nsynergy list claims\nsynergy verify --chapter contrast --quick\n"
        'synergy prove "I(Z1;Z2) <= I(X1;X2)" --diagram two-views\n```\n',
        "## Diagrams {: #diagrams }\n",
        "`--diagram NAME` on the command line and `diagram=NAME` in Python take these names; edges may "
        "follow one, as in `signal, Z->M`, and `none` is no diagram.\n",
    ]
    for name, diagram in DIAGRAMS.items():
        picture = f'<figure class="diagram">{diagram_svg(diagram, diagram.variables)}</figure>'
        parts += [f"### {name} {{: #diagram-{name} }}\n", f"`{diagram}`\n", f"{picture}\n"]
    for chapter, about in CHAPTERS.items():
        parts += [
            f"## Chapter {chapter} {{: #chapter-{chapter} }}\n",
            f"{about[:1].upper()}{about[1:]}.\n",
            "| claim | says | expected |\n| --- | --- | --- |",
            *(f"| [{c.id}](#{_anchor(c)}) | {c.title} | {c.expectation} |" for c in of_chapter(chapter)),
            "",
            *(_exhibit(claim) for claim in of_chapter(chapter)),
        ]
    return "\n".join(parts)


def _anchor(claim: Claim) -> str:
    return f"gallery-{claim.id.lower()}"


def _exhibit(claim: Claim) -> str:
    lines = "".join(f"<div>{line}</div>" for line in statement_lines(claim.statement))
    facts = "".join(f"<span>{line}</span> " for fact in claim.given for line in statement_lines(fact))
    given = f"<div>given {facts}</div>" if facts else ""
    text = [
        f"### {claim.id}: {claim.title} {{: #{_anchor(claim)} }}\n",
        f'<div class="statement">{lines}{given}</div>\n',
        f"{claim.prose} *{claim.reference}.*\n",
        f"On the diagram `{diagram_text(claim.diagram)}`.\n",
    ]
    if claim.law:
        text.append(f"Beyond the statement: {escape(claim.law)}.\n")
    if "proof" in claim.worlds:
        text.append(pages.outcome(claim))
    mended = repaired(claim)
    if mended:
        text.append(mended)
    return "\n".join(text)
