"""`synergy prove` and `synergy verify`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from synergy.cli.app import DIAGRAM, JSON, SEED, app, emit, in_options, results_folder
from synergy.cli.progress import CLUSTER, say, shown
from theory.diagrams import read_diagram
from theory.diagrams.named import NO_DIAGRAM

_STATUS = {"proved": 0, "refuted": 1, "unknown": 3}
"""The exit status of each verdict of a proof."""

_WITHOUT_ANSWER = ("inconclusive", "not applicable")
"""The judgements on the caller's rows whose reason is told."""


@app.command("prove")
def prove_command(
    statement: Annotated[str, typer.Argument(help='Such as "I(A;Z|C) >= I(A;Z)".')],
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A statement to assume; may be repeated.")
    ] = None,
    diagram: DIAGRAM = NO_DIAGRAM,
    exists: Annotated[bool, typer.Option("--exists", help="Ask whether some model satisfies it.")] = False,
    non_shannon: Annotated[
        bool, typer.Option("--non-shannon", help="Use the Zhang-Yeung inequality too.")
    ] = False,
    seconds: Annotated[
        float, typer.Option("--seconds", help="The work that may be done, in seconds of a usual core.")
    ] = 2.0,
    as_json: JSON = False,
) -> None:
    """Prove a statement from a causal diagram, or refute it with a distribution."""
    from theory import prove

    outcome = prove(
        statement,
        diagram=read_diagram(diagram),
        given=tuple(given or ()),
        exists=exists,
        non_shannon=non_shannon,
        seconds=seconds,
    )
    if as_json:
        emit({k: in_options(v) if isinstance(v, str) else v for k, v in outcome.to_dict().items()})
    else:
        typer.echo(in_options(str(outcome)))
    raise typer.Exit(_STATUS[outcome.verdict])


@app.command("verify")
def verify_command(
    claims: Annotated[
        list[str] | None, typer.Argument(help="Claims, such as E1 D4, or statements; none for all.")
    ] = None,
    world: Annotated[
        list[str] | None,
        typer.Option("--world", help="proof, symbolic, exact, sample or learned; may be repeated."),
    ] = None,
    generator: Annotated[
        list[str] | None,
        typer.Option("--generator", help="A family or a case of one, such as digits; may be repeated."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", help="Your own rows: .parquet, .csv, .npz, .safetensors, or a generated folder."
        ),
    ] = None,
    diagram: Annotated[
        str | None,
        typer.Option(
            "--diagram",
            help='Judge on this diagram: edges such as "C->X, A->X", a name as in prove, or none. By default '
            "statements are judged on the E-SSL diagram.",
        ),
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A premise to assume; may be repeated.")
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option("--groups", help="The column of --data whose equal values mark dependent rows."),
    ] = None,
    chapter: Annotated[
        str | None,
        typer.Option("--chapter", help="Judge the claims of a chapter, see `synergy list claims`."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="The core of the theory, in two minutes on two cores.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", help="The folder for the results.")] = Path("results"),
    seed: SEED = 0,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes at once; 0 for one per core.")] = 0,
    address: CLUSTER = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    as_json: JSON = False,
) -> None:
    """Judge claims in five worlds, or on rows of your own, to a table of verdicts.

    With --data a statement is asked of the rows, and one with > or < of the diagram too: whether some model
    on it satisfies it. Without --data one with > or < is asked of the diagram alone.

    A gap smaller than the margin counts as none: 0.01 nats for frequencies, 0.1 where something is fitted.
    An equality that is verified is one to within the margin, and >= may fail by less; > and < are verified by
    any gap that is told from 0, and where something is fitted by one beyond the margin. On rows of your own
    no == or >= is verified that frequencies tell from 0. The notes in the files say where the margin decides,
    and what the rows leave open is told with its reason.

    Exit status: 0 every claim came out as expected and every statement holds; 1 one is violated or refuted;
    2 bad input; 3 something stayed open.
    """
    from dataclasses import replace

    from joblib import cpu_count
    from rich.console import Console

    from synergy.learning import choose_device
    from synergy.verification import Settings, render, render_tests, verify
    from synergy.verification.partial import Partial
    from synthetic.parallel import cluster

    choose_device(device)
    settings = Settings.quick(seed=seed, device=device) if quick else Settings(seed=seed, device=device)
    if data is not None and not quick:
        settings = replace(settings, quality="default")
    worlds: Any = tuple(world or ())
    with results_folder(out), cluster(address), shown("verify") as progress:
        report = verify(
            tuple(claims or ()),
            data=data,
            diagram=diagram,
            given=tuple(given or ()),
            groups=groups,
            worlds=worlds,
            generators=tuple(generator or ()),
            chapter=chapter,
            settings=settings,
            jobs=jobs or cpu_count(),
            progress=progress,
            partial=out / ".partial",
            tell=say,
        )
    written = report.save(out)
    Partial(out / ".partial").clear()
    if as_json:
        emit({**report.to_dict(), "files": [str(path) for path in written]})
    else:
        width = None if sys.stdout.isatty() else 140
        table = Console(width=width)
        table.print(render(report))
        tests = render_tests(report)
        if tests is not None:
            table.print(tests)
        of_rows = report.data.notes if report.data is not None else ()
        for note in (*report.notes, *of_rows):
            table.print(f"note: {note}", soft_wrap=True, markup=False, highlight=False)
        for verdict in report.verdicts if report.data is not None else ():
            if verdict.world == "sample" and verdict.judgement in _WITHOUT_ANSWER and claims:
                text = f"{verdict.judgement}: {verdict.claim} in your rows: {verdict.note}"
                table.print(text, soft_wrap=True, markup=False, highlight=False)
        for verdict in report.verdicts:
            for warning in verdict.warnings if report.data is not None else ():
                text = f"warning: {verdict.claim} in the {verdict.world} world: {warning}"
                table.print(text, soft_wrap=True, markup=False, highlight=False)
        table.print(f"written to {out}/: {', '.join(path.name for path in written)}", soft_wrap=True)
        table.print(report.summary(), soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(report.exit_status)
