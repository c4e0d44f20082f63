"""One thread per test process, and no test that fails because the machine is busy.

The tests' arrays are small, and threads that wait for each other are slow.
"""

import os

from hypothesis import HealthCheck, settings

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
