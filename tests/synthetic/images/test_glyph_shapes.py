"""The glyphs' symmetries, their distances, and the priors of the latents."""

import itertools
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthetic.images.glyphs import GLYPH_SETS, GLYPHS, Choice, Glyph, Triangular, Uniform
from synthetic.images.glyphs.priors import as_prior
from synthetic.images.glyphs.shapes import as_glyph
from synthetic.images.glyphs.tables import distance_tables, square_symmetries

HALF = 24


def table(name: str) -> np.ndarray:
    return distance_tables((GLYPHS[name],), (0.0,), HALF)[0, 0]


def quarter_stabiliser(name: str) -> set[int]:
    return {k for k in range(4) if np.array_equal(np.rot90(table(name), k), table(name))}


@pytest.mark.parametrize(
    ("glyph_set", "stabiliser"),
    [
        ("free", {0}),
        ("two-fold", {0, 2}),
        ("four-fold", {0, 1, 2, 3}),
        ("half-turn-pairs", {0}),
        ("arrows", {0}),
    ],
)
def test_the_named_sets_have_their_symmetry_to_the_bit(glyph_set: str, stabiliser: set[int]):
    for name in GLYPH_SETS[glyph_set]:
        assert quarter_stabiliser(name) == stabiliser, name


def test_half_of_the_half_symmetric_set_is_symmetric():
    sizes = [len(quarter_stabiliser(name)) for name in GLYPH_SETS["half-symmetric"]]
    assert sorted(sizes) == [1] * 4 + [4] * 4


@pytest.mark.parametrize(("one", "other"), [("6", "9"), ("b", "q"), ("d", "p"), ("u", "n")])
def test_half_turn_pairs_are_half_turns_to_the_bit(one: str, other: str):
    tables = distance_tables((GLYPHS[one], GLYPHS[other]), (0.0,), HALF)[:, 0]
    np.testing.assert_array_equal(np.rot90(tables[0], 2), tables[1])
    for k in (0, 1, 3):
        assert not np.array_equal(np.rot90(tables[0], k), tables[1])


def test_arrows_are_one_orbit():
    tables = distance_tables(tuple(GLYPHS[n] for n in GLYPH_SETS["arrows"]), (0.0,), HALF)[:, 0]
    for k in range(4):
        np.testing.assert_array_equal(np.rot90(tables[0], k), tables[k])


def test_b_and_d_are_mirror_images():
    tables = distance_tables((GLYPHS["b"], GLYPHS["d"]), (0.0,), HALF)[:, 0]
    np.testing.assert_array_equal(tables[0][:, ::-1], tables[1])


@pytest.mark.parametrize("glyph_set", ["free", "two-fold", "four-fold"])
def test_different_glyphs_of_a_set_lie_in_different_orbits(glyph_set: str):
    tables = [table(name) for name in GLYPH_SETS[glyph_set]]
    for one, other in itertools.combinations(tables, 2):
        assert not any(np.abs(np.rot90(one, k) - other).max() < 1e-6 for k in range(4))


@pytest.mark.parametrize("name", sorted(GLYPHS))
def test_distances_agree_with_dense_points_on_the_strokes(name: str):
    points = []
    for line in GLYPHS[name].strokes:
        for (x0, y0), (x1, y1) in zip(line, line[1:] or line, strict=False):
            t = np.linspace(0, 1, 400)[:, None]
            points.append((1 - t) * [x0, y0] + t * [x1, y1])
    cloud = np.concatenate(points)
    where = np.random.default_rng(0).uniform(-1.2, 1.2, size=(60, 2))
    brute = np.hypot(*(where[:, None, :] - cloud[None]).transpose(2, 0, 1)).min(axis=1)
    found = GLYPHS[name].distance(where[:, 0], where[:, 1])
    assert (found <= brute + 1e-12).all()
    assert (brute - found <= 2 / 400).all()  # the longest segment is shorter than 2, half its spacing off


def test_turning_four_times_and_mirroring_twice_is_nothing():
    key = GLYPHS["key"]
    assert key.turned(4, name="key") == key
    assert key.mirrored(name="m").mirrored(name="key") == key
    assert key.turned(1, name="t").turned(3, name="key") == key


def test_symmetries_that_hold_only_in_reals_are_made_exact():
    """Circles from cosines are symmetric up to rounding; their tables are symmetric to the bit."""
    angles = np.linspace(0, 2 * np.pi, 33)
    ring = Glyph("mine", (tuple((float(0.6 * np.cos(a)), float(0.6 * np.sin(a))) for a in angles),))
    found = distance_tables((ring,), (0.0, 0.3), HALF)[0]
    for pose in range(2):
        for image in square_symmetries(found[pose])[:4]:
            np.testing.assert_array_equal(image, found[pose])


def test_poses_of_quarter_turns_turn_the_table():
    found = distance_tables((GLYPHS["F"],), (0.0, 1.0, 2.0, 3.0, -1.0), HALF)[0]
    for k in range(4):
        np.testing.assert_array_equal(found[k], np.rot90(found[0], k))
    np.testing.assert_array_equal(found[4], found[3])


def test_a_glyph_survives_json():
    mine = Glyph("mine", (((0.0, 0.0), (0.5, -0.5)), ((0.2, 0.2),)))
    assert as_glyph(json.loads(json.dumps(mine.to_dict()))) == mine
    assert GLYPHS["F"].to_dict() == "F"
    assert isinstance(Glyph("F", mine.strokes).to_dict(), dict)  # the name alone would mean another drawing


BAD_GLYPHS = {
    "unknown name": ("§", ValueError, "unknown glyph '§'.*plus"),
    "a number": (6, TypeError, "a glyph must be a name"),
    "missing strokes": ({"name": "x"}, TypeError, "name and strokes"),
    "no stroke": ({"name": "x", "strokes": []}, ValueError, "at least one point"),
    "empty stroke": ({"name": "x", "strokes": [[]]}, ValueError, "at least one point"),
    "no name": ({"name": "", "strokes": [[[0, 0]]]}, ValueError, "name of a glyph"),
    "outside": ({"name": "x", "strokes": [[[0, 1.5]]]}, ValueError, "between -0.9 and 0.9"),
    "not finite": ({"name": "x", "strokes": [[[0, math.nan]]]}, ValueError, "finite"),
}


@pytest.mark.parametrize("case", BAD_GLYPHS)
def test_bad_glyphs(case: str):
    spec, error, message = BAD_GLYPHS[case]
    with pytest.raises(error, match=message):
        as_glyph(spec)


UNIFORM = torch.from_numpy(np.random.default_rng(1).random(20_000, dtype=np.float32))


def test_continuous_priors_have_their_distribution():
    drawn = Uniform(-1.0, 3.0).draw(UNIFORM).numpy()
    assert stats.kstest(drawn, stats.uniform(-1, 4).cdf).pvalue > 1e-3
    for low, mode, high in ((0.0, 0.2, 1.0), (0.0, 0.0, 1.0), (0.0, 1.0, 1.0)):
        drawn = Triangular(low, mode, high).draw(UNIFORM).numpy()
        shape = stats.triang((mode - low) / (high - low), loc=low, scale=high - low)
        assert stats.kstest(drawn, shape.cdf).pvalue > 1e-3


def test_discrete_priors_have_their_frequencies():
    prior = Choice((0.0, 1.0, 2.0, 3.0), (0.1, 0.0, 0.6, 0.3))
    counts = np.bincount(prior.draw(UNIFORM).numpy(), minlength=4)
    assert counts[1] == 0
    expected = np.array(prior.probabilities) * len(UNIFORM)
    assert stats.chisquare(counts[[0, 2, 3]], expected[[0, 2, 3]]).pvalue > 1e-3


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (0.5, Choice((0.5,))),
        ([0.1, 0.2], Choice((0.1, 0.2))),
        ({"values": [0, 1], "weights": [0.25, 0.75]}, Choice((0.0, 1.0), (0.25, 0.75))),
        ({"low": 0, "high": 1}, Uniform(0, 1)),
        ({"low": 0, "mode": 0.5, "high": 1}, Triangular(0, 0.5, 1)),
    ],
    ids=["number", "list", "weights", "interval", "triangle"],
)
def test_what_stands_for_a_prior(spec: object, expected: object):
    prior = as_prior("hue", spec, low=0, high=1)
    assert prior == expected
    assert as_prior("hue", json.loads(json.dumps(prior.to_dict())), low=0, high=1) == prior


def test_a_single_pair_and_a_list_of_pairs():
    assert as_prior("p", [0.1, 0.2], low=-1, high=1, pairs=True) == Choice(((0.1, 0.2),))
    assert as_prior("p", [[0, 0], [0.1, 0.2]], low=-1, high=1, pairs=True).states == 2


BAD_PRIORS = {
    "text": ("red", TypeError, "hue must be a number, a list of values or a prior"),
    "boolean": (True, TypeError, "hue must be a number"),
    "empty list": ([], ValueError, "hue: values must not be empty"),
    "repeated value": ([0.1, 0.1], ValueError, "hue: values must differ"),
    "out of range": ([0.1, 1.2], ValueError, "hue must stay between 0 and 1, got 0.1..1.2"),
    "interval out of range": ({"low": -1, "high": 1}, ValueError, "hue must stay between 0 and 1"),
    "reversed interval": ({"low": 1, "high": 0}, ValueError, "hue: low must be below high"),
    "mode outside": ({"low": 0, "mode": 2, "high": 1}, ValueError, "low <= mode <= high"),
    "weights do not sum to one": ({"values": [0, 1], "weights": [0.5, 0.6]}, ValueError, "must sum to 1"),
    "negative weight": ({"values": [0, 1], "weights": [1.5, -0.5]}, ValueError, "must not be negative"),
    "too few weights": ({"values": [0, 1], "weights": [1.0]}, ValueError, "must have 2 probabilities"),
    "unknown key": ({"mean": 0, "std": 1}, ValueError, "hue must have the keys.*got mean, std"),
    "not a number": ([math.nan], ValueError, "finite"),
    "pairs for numbers": ([[0.1, 0.2], [0.3, 0.4]], ValueError, "hue must have values that are numbers"),
}


@pytest.mark.parametrize("case", BAD_PRIORS)
def test_bad_priors(case: str):
    spec, error, message = BAD_PRIORS[case]
    with pytest.raises(error, match=message):
        as_prior("hue", spec, low=0, high=1)


def test_triples_are_no_positions():
    with pytest.raises(ValueError, match="position must have values that are pairs"):
        as_prior("position", [[0, 0, 0]], low=-1, high=1, pairs=True)


coordinate = st.integers(-9, 9).map(lambda k: k / 10)
drawing = st.lists(
    st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=4), min_size=1, max_size=3
)


@given(drawing, st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_drawing_turned_or_mirrored_is_its_table_turned_or_mirrored(lines, quarters: int, mirror: bool):
    one = Glyph("one", tuple(map(tuple, lines)))
    other = one.mirrored(name="other") if mirror else one
    other = other.turned(quarters, name="other")
    tables = distance_tables((one, other), (0.0,), 12)[:, 0]
    image = tables[0][:, ::-1] if mirror else tables[0]
    np.testing.assert_array_equal(np.rot90(image, quarters), tables[1])
    if not mirror and quarters == 2:
        fixed = np.array_equal(np.rot90(tables[0], 2), tables[0])
        assert fixed == (np.abs(np.rot90(tables[0], 2) - tables[0]).max() < 1e-9)
