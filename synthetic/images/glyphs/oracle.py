r"""The exact posterior over all latents given an image, and every information quantity that follows.

The latents have finitely many states; those that make the same image u without noise share a template m_u.
Where there are two views, a template is an image or the pair of images, side by side.

Without noise X is the number u, and every term is an entropy of a finite distribution. With Gaussian pixel
noise of standard deviation s,

    p(u|x) is proportional to p(u) exp(-|x - m_u|^2 / 2 s^2),      H(L|X) = E H(p(L|x)),

for any set L of latents. The expectation is over x = m_u + s z. Only the differences m_u - m_v matter, so z
is drawn in the space that the templates span, and each z serves every template u: with D the squared
distances and g_u = <m_u, z>, the log-likelihood of v is -D_uv / 2 s^2 - (g_u - g_v) / s up to a constant.
Draws come as antithetic pairs z, -z, and the standard error is that of the mean over independent pairs. A
pilot run with other draws fixes the number of pairs, so that stopping does not bias the mean. Events too rare
for any draw to show, such as confusing images many standard deviations apart, are in neither value nor error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from scipy.linalg import block_diag
from scipy.special import entr, xlogy

from synthetic.generator import Answer, NoExactAnswerError
from synthetic.images.glyphs.forced import posterior_information
from synthetic.seeds import child_seed
from theory import Expression, Joint
from theory.checks import integer, number
from theory.errors import TooLargeError
from theory.support import MAX_CELLS, Support

if TYPE_CHECKING:
    from synthetic.images.glyphs.world import GlyphWorld

__all__ = ["exact", "forced_information", "joint", "posterior"]

Array = npt.NDArray[np.float64]

MAX_TEMPLATES = 8192
"""The largest number of different images that the Monte Carlo posterior runs over."""

_STRATA = 512
"""With more images than this, each draw of the noise serves a stratified choice of so many."""

_BLOCK = 2**20
"""The posterior cells of the pairs that are drawn together."""

_CHUNK = 2**16
"""So many posterior cells are made at a time: they stay in the cache of a core, 512 KiB."""

_DENSE = 64
"""Up to so many sets of latents, a product with their probabilities is faster when it is not sparse."""

_PILOT = 64
"""The pairs of draws of the pilot run, and the fewest of any run."""

_MAX_WORK = 2 * 10**10
"""The largest number of posterior cells that one answer may cost, minutes of work."""


def joint(world: GlyphWorld, names: Sequence[str] | None) -> Joint:
    """See `Glyphs.joint`."""
    for x in world.names("X"):
        if world.noise and (names is None or x in names):
            raise NoExactAnswerError(
                f"glyphs have no finite joint with {x} while noise > 0: {x} is continuous"
            )
    try:
        return world.states.support.joint(names)
    except TooLargeError as error:
        raise NoExactAnswerError(f"glyphs: {error}") from None


def exact(
    world: GlyphWorld, expressions: Sequence[Expression], *, tolerance: float, seed: int
) -> list[Answer]:
    """See `Glyphs.exact` and `Glyphs.exact_each`."""
    number("tolerance", tolerance, low=0, strict=True)
    found = [_by_states(world, expression) for expression in expressions]
    drawn = [e for e, answer in zip(expressions, found, strict=True) if answer is None]
    answers = iter(_monte_carlo(world, world.states.support, drawn, tolerance, seed) if drawn else ())
    return [next(answers) if answer is None else answer for answer in found]


def _by_states(world: GlyphWorld, expression: Expression) -> Answer | None:
    """The answer where it is a sum over states; None where it needs draws."""
    names = [v.name for v in world.variables]
    for name in expression.variables:
        if name not in names:
            raise ValueError(f"unknown variable {name!r}: this glyph world has {', '.join(names)}")
    seen = set(world.names("X")) & set(expression.variables)
    if not seen and "R" not in expression.variables:
        return Answer(str(expression), _latents(world, expression.variables).value(expression))
    world.require_exact()
    support = world.states.support
    if not world.noise or not seen:
        return Answer(str(expression), support.value(expression))
    for term in expression.terms:
        for x in sorted(seen):
            if x not in term.given and sum(x in group for group in term.groups) > 1:
                raise NoExactAnswerError(f"{term} is infinite while noise > 0: {x} is continuous")
    return None


def _latents(world: GlyphWorld, names: Sequence[str]) -> Support:
    """The joint distribution of some discrete latents, which needs no image."""
    continuous = [v.name for v in world.variables if v.name in names and v.kind == "continuous"]
    if continuous:
        raise NoExactAnswerError(
            f"{continuous[0]} is continuous in this glyph world and its entropy infinite"
        )
    support = world.latent_support()
    if "S" in names:
        sizes = [support.cardinalities[k] for k in world.varying]
        number = np.zeros(len(support), dtype=np.int64)
        for name, size in zip(world.varying, sizes, strict=True):
            number = number * size + support.column(name)
        support = Support(
            {**support.cardinalities, "S": math.prod(sizes)},
            np.column_stack([support.states, number]),
            support.probabilities,
        )
    labels = world.action.cardinality or 0
    for view in world.views:
        if f"A{view}" in names:
            support = support.channel(f"A{view}", (), np.full(labels, 1 / labels))
        if f"occlusion{view}" in names:
            support = support.channel(f"occlusion{view}", (), world.occluder_prior)
    return support


def posterior(world: GlyphWorld, images: npt.ArrayLike | torch.Tensor, target: str | Sequence[str]) -> Array:
    """See `Glyphs.posterior`."""
    world.require_exact()
    support = world.states.support
    names = (target,) if isinstance(target, str) else tuple(target)
    if not names or len(set(names)) < len(names) or "X" in names:
        raise ValueError(f"target must name one or several different latents, not X itself, got {target!r}")
    for name in names:
        support.column(name)
    sizes = tuple(support.cardinalities[name] for name in names)
    pixels = images.detach().cpu().numpy() if isinstance(images, torch.Tensor) else np.asarray(images)
    cells = math.prod(sizes) * max(pixels.shape[0] if pixels.ndim else 0, support.cardinalities["X"])
    if cells > MAX_CELLS:
        raise NoExactAnswerError(
            f"the posterior of {', '.join(names)} would have {cells:,} cells, more than {MAX_CELLS:,}: "
            "take fewer images or fewer latents"
        )
    kernel = _latent_given_template(support, names, dense=True)
    templates = world.states.images
    if pixels.ndim != 4 or pixels.shape[1:] != templates.shape[1:]:
        wanted = f"(n, {world.channels}, {world.size}, {world.size})"
        raise ValueError(f"images must have shape {wanted}, got {tuple(pixels.shape)}")
    flat = pixels.reshape(len(pixels), -1).astype(np.float64)
    known = templates.reshape(len(templates), -1).double().numpy()
    gap = (flat**2).sum(1)[:, None] - 2 * flat @ known.T + (known**2).sum(1)[None, :]
    if world.noise:
        weights = _softmax(-gap / (2 * world.noise**2) + _log(_template_prior(support)))
    else:
        nearest = gap.argmin(axis=1)
        off = np.abs(flat - known[nearest]).max(axis=1)
        if off.max() > 1e-5:
            row = int(off.argmax())
            raise ValueError(
                f"images must be ones that the generator makes; image {row} is off by {off[row]:.3g}"
            )
        weights = np.eye(len(known))[nearest]
    return np.asarray(weights @ kernel).reshape(len(flat), *sizes)


@dataclass(frozen=True)
class _Templates:
    """The templates by their inner products.

    Args:
        prior: Their probabilities, (count,).
        half_gaps: Half the squared distances between them, (count, count).
        coordinates: Coordinates with the same distances, (count, rank).
    """

    prior: Array
    half_gaps: Array
    coordinates: Array


def _templates(images: torch.Tensor, shown: npt.NDArray[np.int64], support: Support) -> _Templates:
    count = len(shown)
    if count > MAX_TEMPLATES:
        several = "images" if shown.shape[1] == 1 else "pairs of images"
        raise NoExactAnswerError(
            f"the posterior would run over {count:,} different {several}, more than {MAX_TEMPLATES:,}: "
            "take fewer styles, poses or classes, or no occlusion"
        )
    flat = images.reshape(len(images), -1).double().numpy()
    flat = flat - flat.mean(axis=0)
    if flat.shape[1] > len(flat):
        values, vectors = np.linalg.eigh(flat @ flat.T)
        kept = values > values[-1] * 1e-14
        flat = vectors[:, kept] * np.sqrt(values[kept])
    flat = np.concatenate([flat[number] for number in shown.T], axis=1)
    square = (flat**2).sum(axis=1)
    half_gaps = np.maximum(square[:, None] / 2 + square[None, :] / 2 - flat @ flat.T, 0)
    np.fill_diagonal(half_gaps, 0)
    return _Templates(_template_prior(support), half_gaps, flat)


def _draws(
    templates: _Templates, noise: float, pairs: int, seed: int, see: Callable[[Array], Array]
) -> Iterator[tuple[Array, Array]]:
    """Blocks of independent pairs of draws, z and -z, with what is seen of the posteriors of some rows.

    Args:
        templates: The templates.
        noise: The standard deviation of the noise.
        pairs: How many pairs.
        seed: Their seed.
        see: What is kept of posteriors p(u|x): from shape (rows, count) to (rows, kept).

    Yields:
        Weights of shape (pairs of the block, rows) that sum to 1 for each pair, and what is kept, of shape
        (pairs of the block, rows, kept).
    """
    rng = np.random.default_rng(seed)
    count, rank = templates.coordinates.shape
    strata = min(count, _STRATA)
    block, chunk = max(1, _BLOCK // (2 * strata * count)), max(1, _CHUNK // count)
    base = templates.half_gaps / -(noise**2)
    base += _log(templates.prior)
    directions = templates.coordinates.T / noise
    edges = np.cumsum(templates.prior)[:-1]
    for start in range(0, pairs, block):
        size = min(block, pairs - start)
        shadow = rng.standard_normal((size, rank)) @ directions
        rows = np.broadcast_to(np.arange(count), (size, count))
        weights = np.broadcast_to(templates.prior, (size, count))
        if count > strata:
            steps = (np.arange(strata) + rng.random((size, 1))) / strata
            rows = np.searchsorted(edges, steps, side="right")
            weights = np.full((size, strata), 1 / strata)
        own = np.take_along_axis(shadow, rows, axis=1).ravel()
        pair, row = np.repeat(np.arange(size), strata), rows.ravel()
        seen: tuple[list[Array], list[Array]] = ([], [])
        for first in range(0, len(row), chunk):
            part = slice(first, first + chunk)
            start_of, tilt = base[row[part]], shadow[pair[part]]
            tilt -= own[part, None]
            seen[0].append(see(_softmax(start_of + tilt)))
            start_of -= tilt
            seen[1].append(see(_softmax(start_of)))
        halves = [np.concatenate(half).reshape(size, strata, -1) for half in seen]
        yield np.concatenate([weights, weights], axis=1) / 2, np.concatenate(halves, axis=1)


@dataclass(frozen=True)
class _Sum:
    """Entropies of latents with some views, to be summed.

    Args:
        number: The place of the expression that they are part of.
        expression: This expression.
        entropies: The coefficient of each set of latents.
        tolerance: The standard error that is asked for.
    """

    number: int
    expression: Expression
    entropies: Mapping[frozenset[str], Fraction]
    tolerance: float

    @property
    def density(self) -> Fraction:
        """How often the differential entropy of the views is counted."""
        return sum(self.entropies.values(), Fraction(0))


def _monte_carlo(
    world: GlyphWorld, support: Support, expressions: Sequence[Expression], tolerance: float, seed: int
) -> list[Answer]:
    """The sums of the entropies: those with the same views share their draws, and no others do."""
    views = set(world.names("X"))
    known = [0.0] * len(expressions)
    parts: list[list[Array]] = [[] for _ in expressions]
    density = [Fraction(0)] * len(expressions)
    sums: dict[tuple[str, ...], list[_Sum]] = {}
    for i, expression in enumerate(expressions):
        sides: dict[tuple[str, ...], dict[frozenset[str], Fraction]] = {}
        for variables, c in expression.entropies().items():
            sides.setdefault(tuple(sorted(views & variables)), {})[variables - views] = c
        known[i] += sum((float(c) * support.entropy(s) for s, c in sides.pop((), {}).items()), 0.0)
        for names, entropies in sides.items():
            each = _Sum(i, expression, entropies, tolerance / math.sqrt(max(1, len(sides))))
            sums.setdefault(names, []).append(each)
            density[i] += len(names) * each.density
    for names, asked in sorted(sums.items(), key=lambda side: -len(side[0])):  # the refused first
        start = seed if len(world.views) == 1 else child_seed(seed, ",".join(names))
        for one, (add, values) in zip(asked, _side(world, names, asked, seed=start), strict=True):
            known[one.number] += add
            parts[one.number].append(values)
    return [
        Answer(
            str(expression),
            known[i] + sum(float(values.mean()) for values in parts[i]),
            math.hypot(*(float(np.std(values, ddof=1) / math.sqrt(len(values))) for values in parts[i])),
            f"Monte Carlo over {' and '.join(str(len(values)) for values in parts[i])} antithetic pairs with "
            "the exact posterior" + ("; H(..X..) is a differential entropy" if density[i] else ""),
        )
        for i, expression in enumerate(expressions)
    ]


def _side(
    world: GlyphWorld, names: Sequence[str], asked: Sequence[_Sum], *, seed: int
) -> list[tuple[float, Array]]:
    """Each sum of entropies of latents with these views: a known part, and independent draws of the rest."""
    images = world.states.images
    shown, support = world.states.templates(names)
    templates = _templates(images, shown, support)
    count = len(templates.prior)
    known, kernels, factors = [], [], []
    for one in asked:
        terms = [
            (float(c), _latent_given_template(support, sorted(s))) for s, c in one.entropies.items() if s
        ]
        known.append(0.0)
        if one.density:
            terms.append((-float(one.density), sparse.csr_array(sparse.identity(count, format="csr"))))
            entropy = float(entr(templates.prior).sum())
            size = len(names) * images[0].numel()
            gaussian = size / 2 * math.log(2 * math.pi * math.e * world.noise**2)
            known[-1] += float(one.density) * (gaussian + entropy)
        kernels.append([kernel for _, kernel in terms])
        factors.append(np.concatenate([np.full(kernel.shape[1], c) for c, kernel in terms])[:, None])

    kernel = sparse.csr_array(sparse.hstack([kernel for each in kernels for kernel in each]))
    weighing = block_diag(*factors)
    side_by_side = kernel.toarray() if kernel.shape[1] <= _DENSE else kernel

    def mixed(posteriors: Array) -> Array:
        return np.asarray(entr(np.maximum(posteriors @ side_by_side, 0)) @ weighing)

    def run(pairs: int, start: int) -> Array:
        drawn = _draws(templates, world.noise, pairs, start, mixed)
        return np.concatenate([(weights[..., None] * mixture).sum(axis=1) for weights, mixture in drawn])

    pilots = np.std(run(_PILOT, child_seed(seed, "pilot")), axis=0, ddof=1).tolist()
    needed = []
    for one, pilot, own in zip(asked, pilots, kernels, strict=True):
        cells = 2 * min(count, _STRATA) * count * (1 + len(own))
        affordable = max(_PILOT, _MAX_WORK // cells)
        needed.append(max(_PILOT, math.ceil(1.2 * (pilot / one.tolerance) ** 2)))
        if needed[-1] > affordable:
            reachable = 1.2 * pilot / math.sqrt(affordable)
            raise NoExactAnswerError(
                f"{one.expression} to a tolerance of {one.tolerance:g} would cost {needed[-1] * cells:.1e} "
                f"posterior cells, more than {_MAX_WORK:.0e} ({count:,} images): ask for "
                f"tolerance={reachable:.1g} or fewer states"
            )
    drawn = {pairs: run(pairs, child_seed(seed, "draws")) for pairs in sorted(set(needed))}
    return [(add, drawn[pairs][:, i]) for i, (add, pairs) in enumerate(zip(known, needed, strict=True))]


def forced_information(
    world: GlyphWorld, variable: str, *, resolution: float, draws: int, seed: int
) -> Answer:
    """See `Glyphs.forced_information`."""
    number("resolution", resolution, low=0)
    integer("draws", draws, 1)
    world.require_exact()
    support = world.states.support
    if variable not in support.cardinalities or variable in ("A", "X"):
        known = ", ".join(v for v in support.names if v not in ("A", "X"))
        raise ValueError(f"variable must be one of {known}, got {variable!r}")
    name = f"I({variable};T), T = p(A|X)"
    of_a = _latent_given_template(support, ("A",), dense=True)
    of_c = _latent_given_template(support, (variable,), dense=True)
    if not world.noise:
        prior = _template_prior(support)
        _, cell = np.unique(np.round(of_a, 9), axis=0, return_inverse=True)
        table = np.zeros((int(cell.max()) + 1, of_c.shape[1]))
        np.add.at(table, cell, prior[:, None] * of_c)
        value = _entropy(table.sum(0)) + _entropy(table.sum(1)) - _entropy(table.ravel())
        return Answer(name, value)
    templates = _templates(world.states.images, world.states.templates(("X",))[0], support)
    pairs = max(_PILOT, -(-draws // (2 * min(len(templates.prior), _STRATA))))
    of_both, labels = np.concatenate([of_a, of_c], axis=1), of_a.shape[1]
    drawn = _draws(templates, world.noise, pairs, child_seed(seed, "draws"), lambda p: p @ of_both)
    batches = [
        (w, p[:, :labels], p[:, labels:])
        for weights, posteriors in drawn
        for w, p in zip(weights, posteriors, strict=True)
    ]
    value, error = posterior_information(
        batches, prior=_template_prior(support) @ of_c, resolution=resolution
    )
    rounded = f", T to {resolution:g}" if resolution else ""
    method = f"lower bound in expectation: exact posteriors, p({variable}|T) from other draws{rounded}"
    return Answer(name, value, error, method)


def _template_prior(support: Support) -> Array:
    count = support.cardinalities["X"]
    prior = np.bincount(support.column("X"), weights=support.probabilities, minlength=count)
    return prior.astype(np.float64)


def _latent_given_template(
    support: Support, names: Sequence[str], dense: bool = False
) -> sparse.csr_array | Array:
    """p(latents | template): sparse over the joint states that occur, or dense over all in C order."""
    sizes = tuple(support.cardinalities[name] for name in names)
    group = (
        np.ravel_multi_index(tuple(support.column(name) for name in names), sizes)
        if dense
        else np.unique(support.codes(names), return_inverse=True)[1]
    )
    template = support.column("X")
    share = support.probabilities / _template_prior(support)[template]
    shape = (support.cardinalities["X"], math.prod(sizes) if dense else int(group.max()) + 1)
    kernel = sparse.csr_array((share, (template, group)), shape=shape)
    kernel.sum_duplicates()
    return kernel.toarray() if dense else kernel


def _softmax(logits: Array) -> Array:
    """Probabilities, in place of the logits."""
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits


def _log(p: Array) -> Array:
    """The logarithm, minus infinity at 0."""
    return np.log(p, out=np.full_like(p, -np.inf), where=p > 0)


def _entropy(p: Array) -> float:
    return -float(xlogy(p, p).sum())
