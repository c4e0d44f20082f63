"""The gallery: claims by chapter, each with its proof in steps or its counterexample, and what repairs it."""

from __future__ import annotations

from html import escape

import pages

from synergy.report.diagrams import diagram_svg
from synergy.report.evidence import statement_lines
from theory import CHAPTERS, DIAGRAMS, Claim, of_chapter
from theory.diagrams import diagram_text

__all__ = ["gallery", "repaired"]


def repaired(claim: Claim) -> str:
    """What would make a false claim true, as Markdown; nothing where there is nothing to show."""
    del claim
    return ""


def gallery() -> str:
    """The diagrams that have a name, then every chapter of the registry with its claims."""
    parts = [
        "# Gallery\n",
        "What the field states of self-supervised learning in the language of information, each on its own "
        "diagram and with its premises. A true claim comes with its proof in steps, a false one with a "
        "distribution that breaks it. *After* says where an idea comes from; the forms are ours, and neither "
        "quotations nor numbered theorems of the works that are named.\n",
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
        text.append(f"**True if.** {mended}\n")
    return "\n".join(text)
