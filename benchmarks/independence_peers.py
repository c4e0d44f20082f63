"""The peers' side of the independence benchmark: runs inside each peer's own environment.

python independence_peers.py METHOD rows.npz p.txt
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np

SHUFFLES = 99
ROLES = np.array([0, 1, 2, 2, 2])


def cmiknn(x, y, z, seed):
    from tigramite.independence_tests.cmiknn import CMIknn

    test = CMIknn(knn=5, transform="standardize", sig_samples=SHUFFLES, workers=1, seed=seed)
    return test.run_test_raw(x[:, None], y[:, None], z)[1]


def parcorr(x, y, z, seed):
    from tigramite.independence_tests.parcorr import ParCorr

    return ParCorr(significance="analytic").run_test_raw(x[:, None], y[:, None], z)[1]


def gpdc(x, y, z, seed):
    from tigramite.independence_tests.gpdc import GPDC

    return GPDC(significance="analytic", seed=seed).run_test_raw(x[:, None], y[:, None], z)[1]


def infomeasure(x, y, z, seed):
    import infomeasure

    np.random.seed(seed)  # noqa: NPY002 - infomeasure draws from the global generator
    found = infomeasure.estimator(x, y, cond=z, measure="cmi", approach="ksg", k=5, noise_level=0)
    return found.statistical_test(n_tests=SHUFFLES, method="permutation_test").p_value


def npeet(x, y, z, seed):
    import npeet_plus

    options = {"k": 5, "n_permutations": SHUFFLES, "random_state": seed}
    return npeet_plus.mi_pvalue(x[:, None], y[:, None], z=z, **options)[1]


METHODS: dict[str, Callable] = {
    "tigramite CMIknn": cmiknn,
    "tigramite ParCorr": parcorr,
    "tigramite GPDC": gpdc,
    "infomeasure": infomeasure,
    "npeet-plus": npeet,
}

if __name__ == "__main__":
    method, source, target = sys.argv[1:]
    with np.load(source) as data:
        rows = data["rows"]  # (sets, n, 5)
    found = [METHODS[method](row[:, 0], row[:, 1], row[:, 2:], seed) for seed, row in enumerate(rows)]
    np.savetxt(target, np.array(found))
