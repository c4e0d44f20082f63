"""The page of experiments: what was asked, predicted and seen, from the runs kept beside the notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from synergy.experiments import EXPERIMENTS, Scale, compact

KEPT = Path(__file__).parents[2] / "notebooks" / "experiments"


def experiments() -> str:
    """Each experiment with its question, figure, table, paragraph and the verdict on each prediction."""
    parts = [
        "# Experiments\n",
        "Controlled experiments on what networks learn, each one command. An experiment names what the "
        "theory predicts, and judges it by intervals over training seeds: a prediction *agrees* where the "
        "whole interval fits it, *disagrees* where none of it does, and is *undecided* otherwise. What holds "
        "by construction, and what the theory leaves open, stands beside them without a prediction. The "
        "intervals of the predictions hold together with 95 % in each experiment (Bonferroni), those of the "
        "conditions one by one; where the seeds split the same images, they are those of the corrected "
        "resampled t test (Nadeau and Bengio 2003).\n",
        "Margins and controls were revised after audits of earlier runs, towards tests that can fail. Where "
        "a rule came after a look at results, the module of the experiment says so.\n",
        "```bash\nsynergy experiment shortcut --quick\nsynergy experiment shortcut --full\n"
        "synergy experiment shortcut --scale large --data cifar10 --root DIR\n```\n",
        "`--quick` takes at most two minutes on two cores, `--full` at most half an hour, and a run that was "
        "interrupted goes on when it is started again. `--scale large` is for a GPU. What follows was made "
        "on two CPU cores, at the scale that each says.\n",
    ]
    for name, experiment in EXPERIMENTS.items():
        outcome = experiment.read(KEPT)
        parts += [
            f"## {experiment.title} {{: #{name} }}\n",
            f"*{experiment.question}* `synergy experiment {name} {_option(outcome.scale)}`, "
            f"{outcome.scale.seeds} seeds, {outcome.scale.steps} steps.\n",
            f"{outcome.told}\n",
            f"![{experiment.title}](experiments/{name}.png)\n",
            outcome.findings.pipe(_plain),
            "\n",
            compact(outcome.table).pipe(_plain),
            "\n",
        ]
    return "\n".join(parts)


def _option(scale: Scale) -> str:
    """The option of the command that asks for a scale: the quick one alone leaves conditions out."""
    return "--full" if scale.every else "--quick"


def pictures() -> dict[str, bytes]:
    """The figure of each experiment, as it was kept."""
    return {f"experiments/{name}.png": (KEPT / name / "figure.png").read_bytes() for name in EXPERIMENTS}


def _plain(frame: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"

    rows = [line(frame.columns), line("---" for _ in frame.columns)]
    return "\n".join([*rows, *(line(row) for row in frame.to_numpy().tolist())])
