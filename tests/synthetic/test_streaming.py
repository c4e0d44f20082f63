import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from synthetic import LinearGaussian, ModularShift
from synthetic.seeds import Streams, child_seed, shard_seed

WORLD = LinearGaussian()

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # more workers than cores


def rows(loader, column="X"):
    return torch.cat([batch[column].reshape(-1) for batch in loader]).tolist()


def test_shards_depend_on_seed_and_number_alone():
    in_order = [WORLD.shard(k, 20, seed=5)["X"] for k in range(6)]
    for k in (4, 0, 5, 2):
        assert np.array_equal(WORLD.shard(k, 20, seed=5)["X"], in_order[k])
    assert len({shard[0] for shard in in_order}) == 6
    assert WORLD.shard(0, 20, seed=6)["X"][0] not in {shard[0] for shard in in_order}


def test_the_first_shard_is_the_plain_sample():
    assert np.array_equal(WORLD.shard(0, 50, seed=7)["X"], WORLD.sample(50, seed=7)["X"])


def test_shards_are_independent_of_each_other_and_of_children():
    seeds = {
        *(shard_seed(7, k) for k in range(1000)),
        *(child_seed(7, name) for name in ("base", "first")),
    }
    assert len(seeds) == 1002


def test_stream_yields_the_shards_for_ever():
    batches = list(itertools.islice(WORLD.stream(16, 3), 5))
    for k, batch in enumerate(batches):
        assert np.array_equal(batch["X"], WORLD.shard(k, 16, seed=3)["X"])


@pytest.mark.parametrize("batch", [None, 32], ids=["rows", "batches"])
@pytest.mark.parametrize("samples", [1, 333])
def test_workers_never_repeat_a_row_and_draw_the_same_rows(batch, samples):
    found = []
    for workers in (0, 1, 3):
        dataset = WORLD.as_dataset(seed=1, samples=samples, batch=batch)
        loader = DataLoader(dataset, batch_size=None if batch else 10, num_workers=workers)
        seen = rows(loader)
        assert len(seen) == samples == len(set(seen))
        found.append(sorted(seen))
    assert found[0] == found[1] == found[2]


def test_an_endless_dataset_goes_on_with_fresh_rows():
    loader = DataLoader(WORLD.as_dataset(seed=1, batch=8), batch_size=None, num_workers=2)
    seen = rows(itertools.islice(loader, 20))
    assert len(set(seen)) == 160
    assert set(rows(itertools.islice(WORLD.as_dataset(seed=1, batch=8), 10))) <= set(seen)


def test_batches_of_a_dataset_have_the_names_and_types_of_the_sample():
    batch = next(iter(ModularShift(n=3).as_dataset(seed=0, batch=5)))
    assert {name: (t.dtype, t.shape) for name, t in batch.items()} == {
        name: (torch.int64, (5,)) for name in ("C", "A", "X")
    }


def test_streams_by_name_are_different_and_repeatable():
    first = Streams(0)
    a, c = first["A"].random(4), first["C"].random(4)
    assert not np.array_equal(a, c)
    assert np.array_equal(Streams(0)["C"].random(4), c)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WORLD.stream(0, 1), "batch must be at least 1"),
        (lambda: WORLD.stream(1, -1), "seed must be at least 0"),
        (lambda: WORLD.as_dataset(seed=0, samples=0), "samples must be at least 1"),
        (lambda: WORLD.as_dataset(seed=-1), "seed must be at least 0"),
        (lambda: WORLD.as_dataset(seed=0, batch=0), "batch must be at least 1"),
        (lambda: WORLD.shard(-1, 3, seed=0), "shard must be at least 0"),
        (lambda: Streams("zero"), "seed must be an integer"),
    ],
    ids=["batch 0", "seed -1", "no samples", "dataset seed", "dataset batch", "shard -1", "seed text"],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
