"""The page of experiments: what was asked and seen in a sentence, a figure, and the tables."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synergy.experiments import EXPERIMENTS, compact
from synergy.experiments.outcome import ExperimentOutcome

KEPT = Path(__file__).parents[2] / "notebooks" / "experiments"


@dataclass(frozen=True)
class Answer:
    """What came out, in words, and the verdicts that it was written for: how many agree, disagree, are open.

    The page does not build when the kept runs give other verdicts, so that no sentence outlives its numbers.
    """

    text: str
    agrees: int
    disagrees: int
    undecided: int


ANSWERS = {
    "transformations": Answer(
        "Lossy transformations such as rotation help, lossless ones hardly do. Which quantity ranks the "
        "tasks best depends on the images: J on one set of glyphs, H(A|X) on the other.",
        agrees=1,
        disagrees=0,
        undecided=0,
    ),
    "class-information": Answer(
        "Forbidding the class costs the network what the theory says: nothing where the pose alone tells "
        "the rotation, and part of what it knows of the rotation where the class helps to tell it.",
        agrees=9,
        disagrees=0,
        undecided=3,
    ),
    "model-equivariance": Answer(
        "With augmentation, an encoder with the symmetry built in predicts rotations better. Whether it "
        "keeps more of the class stays open.",
        agrees=2,
        disagrees=0,
        undecided=4,
    ),
    "fine-grained": Answer(
        "On drawn glyphs the class helps to tell the rotation, as the theory says. That training on finer "
        "rotations adds to it is not seen.",
        agrees=2,
        disagrees=0,
        undecided=2,
    ),
    "multivariate": Answer(
        "On drawn glyphs the class helps to tell the transformations, as the theory says. On the digits "
        "three transformations together leave a little more synergy than two.",
        agrees=3,
        disagrees=0,
        undecided=1,
    ),
    "shortcut": Answer(
        "A watermark that always shows the transformation makes the network learn much less of the class. "
        "Writing the watermark at random repairs it.",
        agrees=6,
        disagrees=0,
        undecided=6,
    ),
    "invariance-or-equivariance": Answer(
        "A network that predicts the colour shift keeps the colour. One that must ignore the shift forgets "
        "it, and tells the class better.",
        agrees=7,
        disagrees=0,
        undecided=0,
    ),
}
"""The answer to each question, as the kept runs give it."""


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
        outcome = experiment.read(KEPT)
        parts += [
            f"## {experiment.title} {{: #{name} }}\n",
            f"**{experiment.question}** {answer(name, outcome)}\n",
            f"[![{experiment.title}](experiments/{name}.svg)](experiments/{name}.svg)\n",
            _plain(outcome.findings),
            "",
            '??? note "All numbers of this figure"',
            "",
            *(f"    {line}" for line in _plain(compact(outcome.table)).split("\n")),
            "",
            f"`synergy experiment {name} --full`, {outcome.scale.seeds} seeds, "
            f"{outcome.scale.steps} steps.\n",
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
        "```bash\nsynergy experiment shortcut --quick\nsynergy experiment shortcut --full\n"
        "synergy experiment shortcut --scale large --data cifar10 --root DIR\n```\n",
        "`--quick` takes at most two minutes on two cores, `--full` at most half an hour, and a run that was "
        "interrupted goes on when it is started again. `--scale large` is for a GPU. The results above were "
        "made with `--full` on two CPU cores.\n",
    ]
    return "\n".join(parts)


def answer(name: str, outcome: ExperimentOutcome) -> str:
    """The sentence on an outcome, and how its predictions fared.

    Raises:
        ValueError: If there is none, or it was written for other verdicts.
    """
    verdicts = outcome.findings["verdict"].value_counts()
    counts = tuple(int(verdicts.get(kind, 0)) for kind in ("agrees", "disagrees", "undecided"))
    told = ANSWERS.get(name)
    if told is None or counts != (told.agrees, told.disagrees, told.undecided):
        raise ValueError(f"ANSWERS needs a sentence for {name} with the verdicts {counts}, got {told}")
    agrees, disagrees, undecided = counts
    fared = f"{agrees} agreed with the prediction, {disagrees} disagreed, {undecided} undecided"
    return f"{told.text} *Findings: {fared}.*"


def pictures() -> dict[str, bytes]:
    """The figure of each experiment, drawn again from the runs that were kept."""
    found = {}
    for name, experiment in EXPERIMENTS.items():
        out = io.BytesIO()
        experiment.read(KEPT).figure.savefig(out, format="svg", bbox_inches="tight", metadata={"Date": None})
        found[f"experiments/{name}.svg"] = out.getvalue()
    return found


def _plain(frame: pd.DataFrame) -> str:
    """A frame of texts as a Markdown table."""

    def line(cells: Iterable[object]) -> str:
        return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"

    rows = [line(frame.columns), line("---" for _ in frame.columns)]
    return "\n".join([*rows, *(line(row) for row in frame.to_numpy().tolist())])
