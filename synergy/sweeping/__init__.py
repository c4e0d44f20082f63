"""Sweeps: a function of parameters and a seed over a grid, kept, resumed, and told where cells fail.

`sweep(function, grid, seeds=.., out=..)` runs every cell of the grid with every seed, wherever there are
workers (see `synthetic.parallel`), and keeps what is done in Parquet parts.
"""

from synergy.sweeping.result import Failure, Sweep
from synergy.sweeping.run import sweep

__all__ = ["Failure", "Sweep", "sweep"]
