"""The peers' side of the accuracy benchmark: runs inside each peer's own environment."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

K = 5
SLOW = 5.0
"""Seconds; a cell that takes longer is answered for `DRAWS_OF_SLOW` draws only."""
DRAWS_OF_SLOW = 2


def sklearn(x, y, z, integer):
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    if z is not None or x.shape[1] > 1 or y.shape[1] > 1:
        return None
    if integer:
        return float(mutual_info_classif(x, y[:, 0].astype(int), n_neighbors=K, random_state=0)[0])
    return float(mutual_info_regression(x, y[:, 0], n_neighbors=K, random_state=0)[0])


def infomeasure(x, y, z, integer):
    import infomeasure as im

    options = {"approach": "ksg", "k": K, "noise_level": 1e-10 if z is None else 0}
    if z is None:
        return float(im.mutual_information(x, y, **options))
    return float(im.conditional_mutual_information(x, y, cond=z, **options))


def npeet(x, y, z, integer):
    import npeet_plus

    if integer and z is None:
        return float(npeet_plus.micd(x, y.astype(int), k=K, base=np.e))
    return float(npeet_plus.mi(x, y, z, k=K, base=np.e))


def tigramite(x, y, z, integer):
    from tigramite.independence_tests.cmiknn import CMIknn

    parts = [x, y] if z is None else [x, y, z]
    roles = np.concatenate([np.full(part.shape[1], i) for i, part in enumerate(parts)])
    test = CMIknn(knn=K, transform="standardize", workers=1)
    return float(test.get_dependence_measure(np.hstack(parts).T, roles))


def bmi(x, y, z, integer):
    import bmi.estimators as estimators

    if z is not None or len(x) > 5000:
        return None
    return float(estimators.KSGEnsembleFirstEstimator(neighborhoods=(K,)).estimate(x, y))


PEERS: dict[str, Callable] = {
    "sklearn": sklearn,
    "infomeasure": infomeasure,
    "npeet-plus": npeet,
    "tigramite": tigramite,
    "benchmark-mi": bmi,
}


def main(peer: str, folder: Path, out: Path, cells: frozenset[str]) -> None:
    """Answer every file of these cells that has no line in `out` yet, two draws of a cell that takes long."""
    rows = list(csv.reader(out.open())) if out.exists() else []
    done = {row[0] for row in rows}
    quickest: dict[str, float] = {}
    for row in rows:
        cell = row[0].rpartition("-")[0]
        quickest[cell] = min(float(row[2]), quickest.get(cell, np.inf))
    with out.open("a", newline="") as stream:
        writer = csv.writer(stream)
        for path in sorted(folder.glob("*.npz"), key=lambda p: (p.stat().st_size, p.name)):
            cell, _, replicate = path.stem.rpartition("-")
            slow = int(replicate) >= DRAWS_OF_SLOW and quickest.get(cell, 0.0) > SLOW
            if path.stem in done or cell not in cells or slow:
                continue
            with np.load(path) as data:
                x, y = data["x"], data["y"]
                z = data.get("z")
                integer = bool(data["integer"])
            start = time.perf_counter()
            try:
                value = PEERS[peer](x, y, z, integer)
                text = "" if value is None else f"{value:.8g}"
            except Exception as error:
                text = f"{type(error).__name__}"
            seconds = time.perf_counter() - start
            quickest[cell] = min(seconds, quickest.get(cell, np.inf))
            writer.writerow([path.stem, text, f"{seconds:.4g}"])
            stream.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), frozenset(sys.argv[4:]))
