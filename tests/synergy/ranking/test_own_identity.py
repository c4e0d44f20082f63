"""Tasks of one's own that differ share no runs, though they do the same to the images that are looked at."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from synergy.learning import as_task
from synergy.ranking.candidates import Candidate
from synthetic.transformations import FunctionTransformation, Transformation


def brighter(limit):
    """A function of one's own that does the same to dark images, whatever its limit."""

    def lit(images, labels):
        bright = images.mean(dim=(1, 2, 3)) > limit
        return torch.where((bright & (labels == 1))[:, None, None, None], 1 - images, images)

    return FunctionTransformation(lit, states=2)


def shifted(by):
    @dataclass(frozen=True)
    class Lit(Transformation):
        name: ClassVar[str] = "lit"
        exactness: ClassVar[str] = "not invertible"
        statement: ClassVar[str] = "bright images are inverted"

        @property
        def cardinality(self):
            return 2

        def transform(self, images, labels):
            return brighter(by).transform(images, labels)

    return Lit()


@pytest.mark.parametrize("made", [brighter, shifted])
def test_tasks_that_differ_on_images_that_are_not_shown_do_not_share_runs(made):
    dark = torch.full((4, 1, 4, 4), 0.1)
    one, other, again = (Candidate(as_task(made(limit))) for limit in (0.5, 0.9, 0.5))
    assert one.name == other.name
    codes = torch.ones(4, dtype=torch.long)
    assert torch.equal(one.task.apply(dark, codes), other.task.apply(dark, codes))
    assert one.identity(dark) != other.identity(dark)
    assert one.identity(dark) == again.identity(dark)
