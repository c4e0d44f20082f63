"""A stored data set."""

import pytest
from stored import SHIFT

from synthetic import write_dataset


@pytest.fixture
def folder(tmp_path):
    return write_dataset(SHIFT, samples=103, seed=5, out=tmp_path / "data", shards=4)
