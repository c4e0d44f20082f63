"""The oracle: the generator's true distribution evaluated on the rows of a sample.

It has no bias and no bandwidth, only sampling error, and so says what the best possible estimator would
see in the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from synergy.estimators.classifier import decompose
from synergy.estimators.entry import Entry
from synergy.statistics.paired import paired_estimate
from synergy.statistics.result import Estimate
from synthetic import Generator, NoExactAnswerError, Sample
from theory import Expression, Joint, Term, parse_expression

__all__ = ["ORACLE_ENTRY", "oracle"]

LogPosterior = Callable[[Sample, tuple[str, ...], tuple[str, ...]], npt.NDArray[np.float64]]
"""log p(target | given) of each row, shape (n,): called as `log_posterior(sample, target, given)`."""


def oracle(
    sample: Sample,
    expression: str | Term | Expression,
    *,
    generator: Generator | None = None,
    log_posterior: LogPosterior | None = None,
    predict: str | Sequence[str] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The mean over the rows of the true information density, with its standard error.

    For finite variables the score of a row with values v is -sum_S c_S log p(v_S), c_S the coefficients
    of the joint entropies; with a posterior it is -log p(target | given), term by term. A generator of
    images gives the joint posterior of its latents given the image X, and so every term that can be
    written with X as a condition: H(A|X), I(A;X), I(A;C|X), I(A;X|C).

    Args:
        sample: Rows drawn from the generator.
        expression: A term or a linear combination.
        generator: Its `joint`, or for images its `posterior`, gives the true probabilities.
        log_posterior: Gives them where there is no joint, as for images.
        predict: With `log_posterior`, the variable whose slot is predicted, as in the classifier.
        confidence: The nominal coverage of the interval.

    Returns:
        The estimate, with one score per row.

    Raises:
        ValueError: If neither or both of generator and log_posterior are given, a row has probability 0
            under the generator, or the generator has no joint of the variables.

    Example:
        >>> from synthetic import ModularShift
        >>> shift = ModularShift(n=4, noise=0.1)
        >>> found = oracle(shift.sample(10_000, seed=0), "I(A;C|X)", generator=shift)
        >>> bool(found.interval[0] < 1.037514 < found.interval[1])
        True
    """
    parsed = parse_expression(expression)
    for name in parsed.variables:
        sample[name]
    if (generator is None) == (log_posterior is None):
        raise ValueError(
            "the oracle needs the true distribution: pass generator=.. (with a joint) or log_posterior=.., "
            f"one of them, got generator={generator!r}, log_posterior={log_posterior!r}"
        )
    scores = np.zeros(len(sample))
    images = [v for v in parsed.variables if sample.variables[v].kind == "image"]
    if generator is not None and images:
        log_posterior = _image_posterior(generator, images[0])
    if generator is not None and not images:
        joint = _joint(generator, parsed)
        for subset, c in parsed.entropies().items():
            scores -= float(c) * _log_probability(joint, sample, sorted(subset))
    elif log_posterior is not None:
        for part in decompose(parsed, sample, predict=predict):
            target, given = tuple(sorted(part.target)), tuple(sorted(part.given))
            log_p = np.asarray(log_posterior(sample, target, given), dtype=np.float64)
            if log_p.shape != (len(sample),):
                raise ValueError(f"log_posterior must give shape ({len(sample)},), got {log_p.shape}")
            scores -= float(part.coefficient) * log_p
    if not np.isfinite(scores).all():
        impossible = int((~np.isfinite(scores)).sum())
        raise ValueError(
            f"{impossible} of {len(sample)} rows have probability 0 under the generator: "
            "the sample was not drawn from it"
        )
    groups: npt.NDArray[Any] | None = None if sample.groups is None else sample[sample.groups]
    return paired_estimate(
        scores,
        term=str(parsed),
        estimator="oracle",
        confidence=confidence,
        groups=groups,
        notes=("true probabilities of the generator: unbiased, sampling error only",),
    )


def _joint(generator: Generator, parsed: Expression) -> Joint:
    names = [v.name for v in generator.variables if v.name in parsed.variables]
    unknown = [name for name in parsed.variables if name not in names]
    if unknown:
        raise ValueError(f"unknown variable {unknown[0]!r}: {generator.family} does not describe it")
    try:
        return generator.joint().marginal(names)
    except NoExactAnswerError as error:
        raise ValueError(f"the oracle needs a finite joint or log_posterior=..: {error}") from None


def _image_posterior(generator: Generator, image: str) -> LogPosterior:
    """Log p(target | given) of latents by the posterior of all of them given the image X.

    p(target | given, X) is p(target, given | X) / p(given | X), the second a sum over the first.
    """
    posterior = getattr(generator, "posterior", None)
    if posterior is None or image != "X":
        raise ValueError(
            f"the oracle needs log_posterior=..: {generator.family} has no posterior given {image}"
        )
    remembered: dict[tuple[str, ...], npt.NDArray[np.float64]] = {}

    def rows_of(sample: Sample, names: tuple[str, ...], seen: bool) -> npt.NDArray[np.float64]:
        """Log p(names), or log p(names | X), of each row's own states."""
        if not names:
            return np.zeros(len(sample))
        if not seen:
            return _log_probability(_latent_joint(generator, names), sample, list(names))
        if names not in remembered:
            remembered[names] = np.asarray(posterior(sample[image], names), dtype=np.float64)
        p = remembered[names]
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(p[(np.arange(len(sample)), *(sample[name] for name in names))]))

    def log_posterior(
        sample: Sample, target: tuple[str, ...], given: tuple[str, ...]
    ) -> npt.NDArray[np.float64]:
        latents = tuple(name for name in given if name != image)
        both = tuple(sorted({*target, *latents}))
        seen = image in given
        return rows_of(sample, both, seen) - rows_of(sample, latents, seen)

    return log_posterior


def _latent_joint(generator: Generator, names: tuple[str, ...]) -> Joint:
    joint: Callable[..., Joint] = generator.joint
    try:
        return joint(names)
    except NoExactAnswerError as error:
        raise ValueError(f"the oracle needs log_posterior=..: {error}") from None


def _log_probability(joint: Joint, sample: Sample, subset: list[str]) -> npt.NDArray[np.float64]:
    ordered = [name for name in joint.names if name in subset]
    table = np.asarray(joint.marginal(ordered).probabilities, dtype=np.float64)
    picked = table[tuple(sample[name] for name in ordered)]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(picked))


ORACLE_ENTRY = Entry(
    "oracle",
    "rows of a generator whose joint or posterior is known; linear expressions",
    "the generator's own distribution",
    "mean of the true information density",
    oracle,
)
"""The oracle in the registry."""
