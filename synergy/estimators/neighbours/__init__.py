"""Nearest-neighbour estimators: KSG 1 and 2, Frenzel-Pompe, Ross, Gao et al. and Mesner-Shalizi.

`knn` takes continuous columns, `mixed` columns of any kind, and `copula_knn` is `knn` on normal scores
with its bias measured on a Gaussian reference and removed, the most accurate of them in many dimensions.
"""

from synergy.estimators.neighbours.knn import NeighbourMethod, copula_knn, knn, mixed

__all__ = ["NeighbourMethod", "copula_knn", "knn", "mixed"]
