"""One thread per test process: the tests' arrays are small, and threads that wait for each other are slow."""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
