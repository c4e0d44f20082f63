r"""Linear Gaussian: `X = L_A A + L_C C + L_S S + N` with independent Gaussian A, C, S and noise N.

Every set of variables is jointly Gaussian, with differential entropy h(W) = 1/2 log det(2 pi e Sigma_W), so
that every information term is a difference of log-determinants. In the scalar case with variances a, c, n,

    I(A;X) = 1/2 log [1 + a/(c+n)],
    I(A;C|X) = 1/2 log [ (1 + c/n)(1 + a/n) / (1 + (a+c)/n) ],

from Var(X) = a+c+n, Var(X|A) = c+n, Var(X|C) = a+n, Var(X|A,C) = n (Cover and Thomas 2006, chapter 8). The
synergy is positive whenever a and c are, grows with both, and has no ceiling as n goes to 0.

`H(..)` is a differential entropy here: it may be negative, and bounds such as L1 do not apply to it.

Example:
    >>> form = LinearGaussianForm.scalar()
    >>> print(form.predict("I(A;C|X)").subs({a: 1, c: 1, noise: 1}).simplify())
    -log(3)/2 + log(2)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import sympy

from theory.predictions.closed_form import ClosedForm, Number, as_number

__all__ = ["LinearGaussianForm", "a", "c", "noise"]

a, c, noise = sympy.symbols("a c noise", positive=True)
"""The variances of A, of C and of the noise, where X is one number."""


class LinearGaussianForm(ClosedForm):
    """Closed forms of X = sum of loadings times independent Gaussian sources, plus Gaussian noise.

    Args:
        loadings: For each source its matrix, numbers or symbols, shape (dim X, dim source).
        covariances: For each source its covariance, shape (dim source, dim source).
        noise: The covariance of the noise, shape (dim X, dim X).
        output: The name of the output.

    Raises:
        ValueError: If the names or shapes do not fit, or a numeric covariance is not symmetric positive
            definite.
    """

    def __init__(
        self,
        loadings: Mapping[str, npt.ArrayLike | sympy.Matrix],
        covariances: Mapping[str, npt.ArrayLike | sympy.Matrix],
        noise: npt.ArrayLike | sympy.Matrix,
        *,
        output: str = "X",
    ) -> None:
        if not loadings or set(loadings) != set(covariances):
            raise ValueError(
                f"loadings and covariances must be for the same sources, got {sorted(loadings)} and "
                f"{sorted(covariances)}"
            )
        if output in loadings:
            raise ValueError(f"the output {output!r} must not be one of the sources {sorted(loadings)}")
        self.variables = (*loadings, output)
        self.output = output
        floor = _covariance(noise, f"noise of {output}")
        sources = {v: _covariance(s, f"covariance of {v}") for v, s in covariances.items()}
        maps = {v: _matrix(m, f"loading of {v}") for v, m in loadings.items()}
        for v, m in maps.items():
            if m.shape != (floor.rows, sources[v].rows):
                raise ValueError(
                    f"loading of {v} needs shape {(floor.rows, sources[v].rows)}, got {tuple(m.shape)}"
                )
        self._floor, self._sources, self._maps = floor, sources, maps
        self._known: dict[frozenset[str], sympy.Expr] = {}

    @classmethod
    def scalar(cls, a: Number = a, c: Number = c, noise: Number = noise) -> LinearGaussianForm:
        """X = A + C + N with the variances a, c and noise, numbers or symbols.

        Raises:
            ValueError: If a variance is a number that is not positive.
        """
        values = {"A": as_number(a, "a"), "C": as_number(c, "c")}
        return cls(
            {v: [[1]] for v in values},
            {v: sympy.Matrix([[s]]) for v, s in values.items()},
            sympy.Matrix([[as_number(noise, "noise")]]),
        )

    def entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """The differential entropy h(variables) in nats."""
        if variables not in self._known:
            self._known[variables] = self._entropy(variables)
        return self._known[variables]

    def _entropy(self, variables: frozenset[str]) -> sympy.Expr:
        """h(X, W) = h(W) + h(X|W), and given the sources in W, X has the covariance of the others."""
        total = sympy.Integer(0)
        for v in sorted(variables - {self.output}):
            total += _gaussian_entropy(self._sources[v])
        if self.output in variables:
            rest = self._floor
            for v, m in self._maps.items():
                if v not in variables:
                    rest = rest + m * self._sources[v] * m.T
            total += _gaussian_entropy(rest)
        return total


def _gaussian_entropy(covariance: sympy.Matrix) -> sympy.Expr:
    size = covariance.rows
    determinant = sympy.factor(covariance.det(method="berkowitz"))
    return sympy.Rational(size, 2) * sympy.log(2 * sympy.pi * sympy.E) + sympy.log(determinant) / 2


def _matrix(values: npt.ArrayLike | sympy.Matrix, name: str) -> sympy.Matrix:
    table = np.array(values.tolist() if isinstance(values, sympy.MatrixBase) else values, dtype=object)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name} must be a matrix, got shape {table.shape}")
    return sympy.Matrix(table.shape[0], table.shape[1], [as_number(x, name) for x in table.flat])


def _covariance(values: npt.ArrayLike | sympy.Matrix, name: str) -> sympy.Matrix:
    matrix = _matrix(values, name)
    if matrix.rows != matrix.cols:
        raise ValueError(f"{name} must be square, got shape {tuple(matrix.shape)}")
    if not (matrix - matrix.T).is_zero_matrix:
        raise ValueError(f"{name} must be symmetric, got {matrix.tolist()}")
    if not matrix.free_symbols and not matrix.is_positive_definite:
        raise ValueError(f"{name} must be positive definite, got {matrix.tolist()}")
    return matrix
