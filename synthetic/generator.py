"""Generators: they draw samples, and know information quantities of their variables exactly.

A generator is a frozen dataclass; its fields are its parameters. It draws samples, has a causal diagram and,
where it can, gives the closed form (`predict`) and the exact value (`exact`) of any information quantity of
its variables. A `FiniteGenerator` enumerates its states, so it has the value of every quantity.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from synthetic.groups import FiniteGroup, group_to_dict
from synthetic.sample import Sample
from synthetic.seeds import Streams, shard_seed
from synthetic.variables import Variable
from theory import Diagram, Expression, Joint, Model, Term, parse_expression
from theory.checks import integer
from theory.errors import TooLargeError
from theory.support import MAX_ROWS, Support

if TYPE_CHECKING:
    import sympy

    from synthetic.streaming import BatchStream, RowStream

__all__ = ["MOST_STATES", "Answer", "AnswerKind", "FiniteGenerator", "Generator", "NoExactAnswerError"]

MOST_STATES = 2**20
"""The most states that a parameter may ask of a variable: a distribution over them takes 8 MiB."""

AnswerKind = Literal["symbolic", "enumeration", "log-determinant", "quadrature", "Monte Carlo"]
"""How a family knows its answers."""


class NoExactAnswerError(ValueError):
    """The generator does not know the quantity that was asked for; the message says why."""


@dataclass(frozen=True)
class Answer:
    """The exact value of an information quantity in a generator.

    Args:
        expression: The quantity, as text.
        value: Its value in nats.
        standard_error: The error of Monte Carlo or quadrature; 0 for enumeration and closed forms.
        method: How the value was computed.
    """

    expression: str
    value: float
    standard_error: float = 0.0
    method: str = "enumeration"

    def __float__(self) -> float:
        return self.value


class Generator(ABC):
    """A family of worlds whose answers are known; subclasses are frozen dataclasses.

    A subclass defines `diagram`, `variables` and `columns` (or `sample`), and those of `predict`, `exact`
    and `joint` that it can. One with `predict` says so: it has `"symbolic"` among its `answers`, and
    `symbols` with the value of each symbol (an empty mapping where the prediction has none).

    Raises:
        TypeError: When a class is defined whose `predict`, `symbols` and `answers` do not belong together.

    Attributes:
        family: The name on the command line.
        answers: How the family knows its answers, the most exact first.
        main_terms: The quantities that are written beside a stored dataset.
    """

    family: ClassVar[str]
    answers: ClassVar[tuple[AnswerKind, ...]] = ()
    main_terms: ClassVar[tuple[str, ...]] = (
        "I(A;C|X)",
        "I(A;X)",
        "I(C;X)",
        "I(A;X|C)",
        "H(A|X)",
        "I(A;C)",
    )

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        predicts = cls.predict is not Generator.predict
        parts = {
            "answers with 'symbolic'": "symbolic" in cls.answers,
            "symbols": cls.symbols is not Generator.symbols,
        }
        missing = [name for name, there in parts.items() if there != predicts]
        if missing:
            needs = "has predict, which needs" if predicts else "has no predict, which is needed by"
            raise TypeError(f"the generator {cls.__name__} {needs} {' and '.join(missing)}")

    @property
    @abstractmethod
    def diagram(self) -> Diagram:
        """The causal diagram of the variables that `sample` draws."""

    @property
    @abstractmethod
    def variables(self) -> tuple[Variable, ...]:
        """The name, kind and role of each column of a sample."""

    @classmethod
    def specimen(cls) -> Generator:
        """The generator that describes the family: the one with all defaults."""
        return cls()

    def columns(self, n: int, streams: Streams) -> Mapping[str, npt.NDArray[Any]]:
        """Draw the columns of n rows, each random choice from a stream of its own name."""
        raise NotImplementedError(f"{type(self).__name__} defines neither columns nor sample")

    def sample(self, n: int, *, seed: int) -> Sample:
        """Draw n rows; the same seed gives the same bits, and a larger sample begins with the smaller.

        Raises:
            ValueError: If n is not positive or the seed is negative.
        """
        columns = self.columns(integer("n", n, 1), Streams(seed))
        return Sample(
            {v.name: columns[v.name] for v in self.variables},
            {v.name: v for v in self.variables},
            metadata={"generator": self.family, "parameters": self.settings, "seed": int(seed)},
        )

    def shard(self, k: int, n: int, *, seed: int) -> Sample:
        """Draw n rows of shard k, which depends on the seed and k alone."""
        return self.sample(n, seed=shard_seed(seed, k))

    def stream(self, batch: int, seed: int) -> Iterator[Sample]:
        """Batches for ever: batch k is shard k.

        Raises:
            ValueError: If the batch is not positive or the seed is negative.
        """
        integer("batch", batch, 1)
        integer("seed", seed, 0)
        return self._stream(batch, seed)

    def _stream(self, batch: int, seed: int) -> Iterator[Sample]:
        k = 0
        while True:
            yield self.shard(k, batch, seed=seed)
            k += 1

    def as_dataset(
        self, *, seed: int, samples: int | None = None, batch: int | None = None
    ) -> RowStream | BatchStream:
        """A torch IterableDataset of fresh rows, safe with any number of DataLoader workers.

        Each worker draws its own shards. So no row repeats, and the rows are the same for any number of
        workers.

        Args:
            seed: Fixes the rows.
            samples: The number of rows; None for no end.
            batch: None to yield one row at a time, as a dict of tensors, for `DataLoader(.., batch_size=k)`;
                a number to yield whole batches of it, for `DataLoader(.., batch_size=None)`, which is
                much faster.
        """
        from synthetic.streaming import BatchStream, RowStream

        if batch is None:
            return RowStream(self, seed=seed, samples=samples)
        return BatchStream(self, seed=seed, samples=samples, batch=batch)

    def joint(self) -> Joint:
        """The exact joint distribution of all variables.

        Raises:
            NoExactAnswerError: If the variables are not finite or their distribution is not known.
        """
        raise NoExactAnswerError(f"{self.family} has no finite joint distribution")

    def predict(self, expression: str | Term | Expression) -> sympy.Expr:
        """The closed form of an information quantity, in the family's symbols, in nats.

        Raises:
            NoExactAnswerError: If the family has no closed form for it.
        """
        raise NoExactAnswerError(f"{self.family} has no closed form for {expression}")

    @property
    def symbols(self) -> Mapping[sympy.Symbol, Any]:
        """The value of each symbol that `predict` uses in this member of the family."""
        return {}

    def predicted(self, expression: str | Term | Expression) -> float:
        """The closed form evaluated at this generator's parameters, in nats."""
        return float(self.predict(expression).subs(dict(self.symbols)).evalf())

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The exact value of an information quantity, in nats.

        Raises:
            NoExactAnswerError: If the generator does not know it.
        """
        parsed = parse_expression(expression)
        return Answer(str(parsed), self.joint().value(parsed))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]  # so are families

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters in a form that JSON can hold and `load_generator` reads back."""
        return {name: plain(value) for name, value in self.parameters.items()}


class FiniteGenerator(Generator):
    """A generator whose variables are all finite: every quantity by enumeration of its states."""

    answers: ClassVar[tuple[AnswerKind, ...]] = ("enumeration",)

    @abstractmethod
    def enumerate(self) -> Support:
        """The states of positive probability of all variables, in the order of `variables`.

        Raises:
            TooLargeError: If there would be too many.
        """

    @cached_property
    def support(self) -> Support:
        """The result of `enumerate`, kept.

        Raises:
            NoExactAnswerError: If there are too many states.
        """
        most = max((v.cardinality or 1 for v in self.variables), default=1)
        if most**2 > MAX_ROWS:
            raise NoExactAnswerError(
                f"{self.family}: a channel between variables of {most:,} states has {most**2:,} entries, "
                f"more than {MAX_ROWS:,}: take fewer states or estimate from samples"
            )
        try:
            return self.enumerate()
        except TooLargeError as error:
            raise NoExactAnswerError(f"{self.family}: {error}") from None

    def joint(self, names: Sequence[str] | None = None) -> Joint:
        """The exact joint distribution of all variables, or of some.

        Raises:
            NoExactAnswerError: If the table would not fit; fewer variables may.
        """
        try:
            return self.support.joint(names)
        except TooLargeError as error:
            raise NoExactAnswerError(f"{self.family}: {error}") from None

    def posterior(self, target: str, given: Sequence[str] = ("X",)) -> npt.NDArray[np.float64]:
        """p(target | given) by Bayes' rule, of shape (*cardinalities of given, cardinality of target).

        Rows whose condition has probability zero are NaN.
        """
        table = self.joint((*given, target)).probabilities
        mass = table.sum(axis=-1, keepdims=True)
        return np.asarray(np.divide(table, mass, out=np.full_like(table, np.nan), where=mass > 0))

    def exact(self, expression: str | Term | Expression) -> Answer:
        """The exact value of an information quantity by enumeration, in nats.

        Raises:
            NoExactAnswerError: If there are too many states to enumerate.
            ValueError: If the expression names an unknown variable.
        """
        parsed = parse_expression(expression)
        return Answer(str(parsed), self.support.value(parsed))


def plain(value: Any) -> Any:  # noqa: ANN401  (a field of any type)
    """A parameter as JSON holds it: tuples as lists, groups by name, generators by family."""
    if isinstance(value, Generator):
        return {"family": value.family, "parameters": value.settings}
    if isinstance(value, Diagram):
        return str(value)
    if isinstance(value, FiniteGroup):
        return group_to_dict(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a generator's parameter must be a number, text, list, group or generator, got {value!r}"
    )


def model_support(model: Model) -> Support:
    """The states of a model on a diagram, by enumeration in causal order."""
    support = Support.independent({})
    for v in model.diagram.order:
        support = support.channel(v, model.diagram.parents(v), np.asarray(model.tables[v], dtype=np.float64))
    return support.select(model.diagram.variables)
