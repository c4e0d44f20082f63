"""Parallel work: one map for the processes of this machine and for the workers of a cluster.

`map_unordered` runs a function on many items, each on one thread, and gives the results as they come. Where
it runs is chosen outside: `jobs` processes through joblib, or the workers of a dask cluster inside
`cluster(address)` or `joblib.parallel_config("dask")`. The results do not depend on where, and a worker that
dies costs time only.
"""

from synthetic.parallel.call import OtherCodeError, WorkerDiedError
from synthetic.parallel.clusters import active_client, cluster
from synthetic.parallel.mapping import map_unordered
from synthetic.parallel.memory import available_memory, fitting_jobs, gib
from synthetic.parallel.pace import Pace

__all__ = [
    "OtherCodeError",
    "Pace",
    "WorkerDiedError",
    "active_client",
    "available_memory",
    "cluster",
    "fitting_jobs",
    "gib",
    "map_unordered",
]
