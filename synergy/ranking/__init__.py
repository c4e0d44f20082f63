"""Which pretext transformation is worth training on?

`rank` asks short trainings, and explains their answer by the theory; `write_ranking` writes it as JSON, CSV,
a figure and a page of HTML.
"""

from synergy.ranking.cost import Cost
from synergy.ranking.gains import Gain
from synergy.ranking.page import headline, render_ranking, write_ranking
from synergy.ranking.quantities import QUANTITIES, Quantity
from synergy.ranking.rank import rank
from synergy.ranking.result import Ranked, Ranking, Reference
from synergy.ranking.settings import RankSettings
from synergy.ranking.shortcuts import SHORTCUTS, statistics

__all__ = [
    "QUANTITIES",
    "SHORTCUTS",
    "Cost",
    "Gain",
    "Quantity",
    "RankSettings",
    "Ranked",
    "Ranking",
    "Reference",
    "headline",
    "rank",
    "render_ranking",
    "statistics",
    "write_ranking",
]
