"""Which pretext transformation is worth training on?"""

from synergy.ranking.rank import QUANTITIES, Ranking, rank

__all__ = ["QUANTITIES", "Ranking", "rank"]
