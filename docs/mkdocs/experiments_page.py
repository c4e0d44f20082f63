"""The page of experiments: what was asked and seen in a sentence, a figure, and the tables."""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from synergy.experiments import EXPERIMENTS, ExperimentOutcome, Scale, compact

KEPT = Path(__file__).parents[2] / "notebooks" / "experiments"


@cache
def _kept(name: str) -> ExperimentOutcome:
    """The outcome of an experiment that was kept."""
    return EXPERIMENTS[name].read(KEPT)


def experiments() -> str:
    """Each experiment: its question and answer, the figure, the verdicts, and the numbers folded."""
    parts = [
        "---\nhide: [toc]\n---\n",
        "# Experiments\n",
        "Small networks are trained in worlds whose answers are known, and the theory says beforehand what "
        "should come out. Each experiment is one command.\n",
        "\n".join(f"- [{e.title}](#{name}): {e.question}" for name, e in EXPERIMENTS.items()) + "\n",
    ]
    for name, experiment in EXPERIMENTS.items():
        outcome = _kept(name)
        parts += [
            f"## {experiment.title} {{: #{name} }}\n",
            f"**{experiment.question}** {outcome.told}\n",
            f"[![{experiment.title}](experiments/{name}.svg)](experiments/{name}.svg)\n",
            _plain(outcome.findings),
            "",
            '??? note "All numbers of this figure"',
            "",
            *(f"    {line}" for line in _plain(compact(outcome.table)).split("\n")),
            "",
            *_details(outcome.conclusion.details),
            f"`synergy experiment {name} {_option(outcome.scale)}`, {outcome.scale.seeds} seeds, "
            f"{outcome.scale.steps} steps. Predicted: {outcome.conclusion.predicted}\n",
        ]
    parts += [
        "## How to read and to repeat them {: #reading }\n",
        "A prediction *agrees* where the whole interval over training seeds fits it, *disagrees* where none "
        "of it does, and is *undecided* otherwise. What holds by construction, and what the theory leaves "
        "open, stands beside them without a prediction. The intervals of the predictions hold together with "
        "95 % in each experiment (Bonferroni), those of the conditions one by one. Where the seeds "
        "split the same images, they are those of the corrected resampled t test (Nadeau and Bengio 2003).\n",
        "Margins and controls were revised after audits of earlier runs, towards tests that can fail. Where "
        "a rule came after a look at results, the module of the experiment says so.\n",
        "*Could have seen* is the smallest effect that as many seeds, spread as these, would tell from 0 "
        "with a power of 80 %: a smaller one is not excluded. It is *no effect* where not even the largest "
        "one possible would be seen, and *not told* where two seeds cannot say. Where a treatment did not "
        "work, such as an adversary that left most of the class, or where that cannot be told, the verdict "
        "says so in place of a judgement.\n",
        "```bash\nsynergy experiment shortcut --quick\nsynergy experiment shortcut --full\n"
        "synergy experiment model-equivariance --encoders resnet18,c4-resnet18 --data DIR\n"
        "synergy experiment invariance-or-equivariance --data DIR --labelled 20\n"
        "synergy experiment shortcut --scale large --data cifar10 --root DIR\n```\n",
        "`--quick` takes at most three minutes on two cores, `--full` up to forty, and a run that was "
        "interrupted goes on when it is started again. `--scale large` is for a GPU. The results above were "
        "made on two CPU cores, at the scale that each says.\n",
    ]
    return "\n".join(parts)


def _details(details: pd.DataFrame | None) -> list[str]:
    """A folded table of further numbers, where there are some."""
    if details is None:
        return []
    rows = [f"    {line}" for line in _plain(compact(details)).split("\n")]
    return ['??? note "Further numbers"', "", *rows, ""]


def _option(scale: Scale) -> str:
    """The option of the command that asks for a scale: the quick one alone leaves conditions out."""
    return "--full" if scale.every else "--quick"


def pictures() -> dict[str, bytes]:
    """The figure of each experiment, drawn again from the runs that were kept."""
    found = {}
    for name in EXPERIMENTS:
        out = io.BytesIO()
        _kept(name).figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
        found[f"experiments/{name}.svg"] = out.getvalue()
    return found


def _plain(frame: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"

    rows = [line(frame.columns), line("---" for _ in frame.columns)]
    return "\n".join([*rows, *(line(row) for row in frame.to_numpy().tolist())])
