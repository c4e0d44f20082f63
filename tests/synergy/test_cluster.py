"""The same results, bit for bit, from a real cluster of three worker processes, one of which is killed."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from joblib import parallel_config

from synergy import Settings, estimate, rank, sweep, verify
from synergy.cli import run
from synergy.experiments import Scale
from synergy.experiments.runs import Runner
from synergy.experiments.worlds import fit, image_sets, probe_accuracy, untransformed
from synergy.learning import ImageSet, PredictTransformation
from synergy.ranking import RankSettings
from synergy.verification import CASES
from synthetic import Digits, ModularShift, write_dataset
from synthetic.parallel import active_client, clusters

pytest.importorskip("distributed", reason="a cluster needs the extra essl-synergy[cluster]")


PRELOADED = ["torch._dynamo", "synergy.experiments", "synergy.verification"]
"""What each worker would import; the first is what a step of an optimiser of torch needs."""


def kill_one(client) -> None:
    """Kill a worker process; its nanny starts another one."""
    os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)


class Killer:
    """A progress function that kills a worker when the first results are there."""

    def __init__(self, client) -> None:
        self.client, self.calls = client, 0

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls == 2:
            kill_one(self.client)


SMALL = replace(Settings.quick(), table_rows=2000, number_rows=400, image_rows=400, models=20)
"""Settings that show what a cluster does, not what is true."""


def test_verdicts(client):
    options = {"worlds": ("exact", "sample"), "cases": CASES[:3], "settings": SMALL}
    killer = Killer(client)
    found = verify(["E1", "D4"], **options, progress=killer)
    with parallel_config("loky"):
        alone = verify(["E1", "D4"], **options)
    assert killer.calls > 2
    assert [replace(v, seconds=0) for v in found.verdicts] == [replace(v, seconds=0) for v in alone.verdicts]


def train_and_judge(seed: int, scale: Scale) -> dict[str, float]:
    train, held = image_sets(scale, seed=seed, default="digits")
    fitted = fit(PredictTransformation("rotation"), train, seed=seed, scale=scale)
    return {"seed": seed, "accuracy": probe_accuracy(fitted, untransformed(held), seed=seed)}


def test_runs_of_an_experiment(client, tmp_path):
    digits = Digits()
    classes = torch.tensor(np.asarray(digits.targets))[:300]
    scale = Scale(steps=4, batch=32, features=8, data=ImageSet(digits.raw[:300], {"C": classes}, {"C": 10}))
    found = Runner(scale, None, tmp_path / "journal.jsonl").spread(train_and_judge, range(6))
    with parallel_config("loky"):
        alone = Runner(scale).spread(train_and_judge, range(6))
    pd.testing.assert_frame_equal(found, alone, check_exact=True)
    assert len((tmp_path / "journal.jsonl").read_text().splitlines()) == 6


def test_a_ranking(client):
    digits = Digits()
    tiny = RankSettings(images=200, judged=100, steps=4, most_epochs=4, features=16)
    given = {"transformations": ["rotation"], "seeds": 2, "explain": False, "settings": tiny, "device": "cpu"}
    found = rank(digits.raw[:300], digits.targets[:300], **given, jobs=1)
    with parallel_config("loky"):
        alone = rank(digits.raw[:300], digits.targets[:300], **given, jobs=1)
    told = [{**ranking.to_dict(), "seconds": 0} for ranking in (found, alone)]
    assert told[0] == told[1]


def test_shards_and_estimates_from_them(client, tmp_path):
    shift = ModularShift(n=4, noise=0.1)
    options = {"samples": 4000, "seed": 3, "shards": 12}
    made = write_dataset(shift, **options, out=tmp_path / "far")
    far = estimate(made, "I(A;C|X)")
    with parallel_config("loky"):
        near = write_dataset(shift, **options, out=tmp_path / "near")
        assert estimate(near, "I(A;C|X)") == far
    assert far.scores is None
    for path in near.iterdir():
        assert path.read_bytes() == (made / path.name).read_bytes()


def cell(n, folder, seed):
    mark = Path(folder) / "died"
    if n == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if n == 7:
        raise ValueError("seven")
    return {"x": float(np.random.default_rng([n, seed]).standard_normal())}


def test_a_sweep(client, tmp_path):
    grid = {"n": list(range(10)), "folder": [str(tmp_path)]}
    found = sweep(cell, grid, seeds=3, out=tmp_path / "out")
    assert (tmp_path / "died").exists()
    with parallel_config("loky"):
        alone = sweep(cell, grid, seeds=3)
    frames = [each.to_pandas().drop(columns="seconds") for each in (found, alone)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert [failure.message for failure in found.failed] == ["seven"] * 3


def test_the_command_line_takes_an_address_or_a_file(client, local, tmp_path, capsys):
    file = tmp_path / "scheduler.json"
    file.write_text(json.dumps({"address": local.scheduler.address}))
    with parallel_config("loky"):
        for name, place in (("one", local.scheduler.address), ("two", str(file))):
            command = ["generate", "modular-shift", "--samples", "100", "--seed", "1", "--shards", "4"]
            assert run([*command, "--out", str(tmp_path / name), "--cluster", place]) == 0
            assert run(["estimate", str(tmp_path / name), "H(A)", "--json", "--cluster", place]) == 0
            assert json.loads(capsys.readouterr().out.partition("\n")[2])["samples"] == 100
            assert active_client() is None


def test_a_cluster_that_is_not_there_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(clusters, "_CONNECT", 0.5)
    command = ["generate", "modular-shift", "--samples", "10", "--seed", "1", "--out", str(tmp_path / "x")]
    assert run([*command, "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .splitlines()[-1]
        .startswith("synergy: no dask scheduler answers at 'tcp://127.0.0.1:9' within 0.5 s")
    )
    assert run([*command, "--cluster", "nowhere"]) == 2
    assert "got 'nowhere'" in capsys.readouterr().err
