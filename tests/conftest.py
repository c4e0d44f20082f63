"""One thread per test process, and no test that fails because the machine is busy.

The tests' arrays are small, and threads that wait for each other are slow.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(scope="module")
def local(request):
    """A scheduler with three workers of one thread, each in a process of its own; two deaths are too many.

    Each is a fork of one process that imports what the test module names in `PRELOADED`.
    """
    import dask
    import distributed
    from distributed.utils import get_mp_context

    options = {
        "distributed.scheduler.allowed-failures": 1,
        # It drops copies of shared data that no item waits for at the time; they would travel again.
        "distributed.scheduler.active-memory-manager.start": False,
        "distributed.worker.multiprocessing-method": "forkserver",
    }
    with dask.config.set(options):
        get_mp_context().set_forkserver_preload(["distributed", *getattr(request.module, "PRELOADED", [])])
        with (
            distributed.LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=":0") as started,
            distributed.Client(started, set_as_default=False) as client,
        ):
            yield client


@pytest.fixture
def client(local):
    """Joblib told to use the workers; one that was killed before may still be on its way back."""
    from joblib import parallel_config

    local.wait_for_workers(1, timeout=300)
    with parallel_config("dask", client=local):
        yield local
