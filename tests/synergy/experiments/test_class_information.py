"""class-information: noisy representations against closed forms, and what the runs are said to show."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import entr
from scipy.stats import norm

from synergy.experiments import Scale
from synergy.experiments.class_information import blurred
from synergy.experiments.class_information.avoidance import (
    BEST_READ,
    CLASS_READ,
    NOISE_ERROR,
    SETS,
    SYNERGY,
    TAUS,
    blurred_name,
    conclude,
    curve,
)
from synergy.experiments.class_information.blurred import TERMS, blurred_information, standardised
from synergy.experiments.class_information.experiment import _Condition, _train, exact_price
from synergy.experiments.class_information.figure import draw
from synergy.experiments.show import SHARED
from synergy.experiments.worlds import glyph_world
from synthetic import Glyphs
from theory import Joint
from theory.forced import price_of_avoidance

RNG = np.random.default_rng(0)
JOINT = RNG.dirichlet(np.full(24, 0.5)).reshape(4, 2, 3)
PLACES = np.array([[0.0, 1.0], [0.4, -0.7], [1.3, 0.2], [-0.8, -0.1]])
UNSEEN = 1 / 20_000
"""What events too rare for 20,000 draws may hold."""
HALF = Joint.from_function(("A", "C"), (4, 2), {"X": lambda a, c: 4 if c else a})


def by_quadrature(places, joint, tau):
    """The three terms of Z + tau N for Z on the line, by integrals over z: slow and separate."""

    def mean_entropy(keep):
        """E H(p(keep|z))."""

        def integrand(z):
            density = np.einsum("u,uac->ac", norm.pdf(z, places, tau), joint)
            kept = density.sum(axis=tuple(k for k in (0, 1) if k not in keep))
            return entr(kept).sum() - entr(density.sum())

        ends = (places.min() - 12 * tau, places.max() + 12 * tau)
        return quad(integrand, *ends, limit=400, epsabs=1e-9, points=sorted(places))[0]

    a, c = entr(joint.sum((0, 2))).sum(), entr(joint.sum((0, 1))).sum()
    both = entr(joint.sum(0)).sum()
    return {
        "I(A;Z)": a - mean_entropy((0,)),
        "I(C;Z)": c - mean_entropy((1,)),
        "I(A;Z|C)": both - c - (mean_entropy((0, 1)) - mean_entropy((1,))),
    }


@pytest.mark.parametrize("tau", [0.2, 0.5, 2.0])
@pytest.mark.parametrize(
    ("places", "joint"),
    [
        pytest.param([-1.0, 1.0], [[[0.3], [0.0]], [[0.0], [0.7]]], id="two points that show A"),
        pytest.param([0.0, 0.9, 1.1, 3.0], JOINT, id="four points with A and C"),
    ],
)
def test_it_is_the_integral_over_z(places, joint, tau):
    places, joint = np.array(places), np.array(joint)
    found = blurred_information(places[:, None], joint, tau=tau, draws=20_000, seed=1)
    for name, truth in by_quadrature(places, joint, tau).items():
        assert abs(found[name].value - truth) <= 4.5 * found[name].standard_error + UNSEEN, name
        assert found[name].standard_error < 0.006


def test_without_noise_it_is_the_plug_in_of_the_distinct_points():
    places = np.vstack([PLACES, PLACES[:1]])  # the last image has the value of the first
    joint = RNG.dirichlet(np.ones(30)).reshape(5, 2, 3)
    merged = joint[:4].copy()
    merged[0] += joint[4]
    truth = Joint(("Z", "A", "C"), merged)
    found = blurred_information(places, joint, tau=1e-4, draws=100, seed=0)
    for name in TERMS:
        assert found[name].value == pytest.approx(truth.value(name), abs=1e-12)
        assert found[name].standard_error < 1e-12


def test_much_noise_leaves_nothing_and_more_noise_less():
    found = [blurred_information(PLACES, JOINT, tau=t, draws=20_000, seed=2) for t in (0.1, 0.3, 1, 3, 1e3)]
    for name in TERMS:
        for less, more in zip(found[1:], found, strict=False):
            slack = 4 * np.hypot(less[name].standard_error, more[name].standard_error)
            assert less[name].value <= more[name].value + slack
        assert abs(found[-1][name].value) <= 4 * found[-1][name].standard_error + 1e-6


def test_only_the_ratio_of_noise_and_distances_counts():
    found = blurred_information(PLACES, JOINT, tau=0.4, draws=1000, seed=3)
    large = blurred_information(10 * PLACES - 3, JOINT, tau=4.0, draws=1000, seed=3)
    impossible = np.concatenate([np.zeros((1, 2, 3)), JOINT])
    more = blurred_information(np.vstack([[[7.0, 7.0]], PLACES]), impossible, tau=0.4, draws=1000, seed=3)
    for name in TERMS:
        assert large[name].value == pytest.approx(found[name].value, abs=1e-10)
        assert more[name].value == pytest.approx(found[name].value, abs=1e-12)


def test_the_standard_error_is_the_spread_over_seeds():
    runs = [blurred_information(PLACES, JOINT, tau=0.5, draws=400, seed=k) for k in range(200)]
    for name in TERMS:
        spread = np.std([r[name].value for r in runs], ddof=1)
        stated = np.sqrt(np.mean([r[name].standard_error ** 2 for r in runs]))
        assert abs(spread / stated - 1) <= 4 / np.sqrt(2 * len(runs))


def test_memory_is_bounded_and_the_parts_do_not_matter(monkeypatch):
    m = 300
    places, joint = RNG.standard_normal((m, 3)), RNG.dirichlet(np.ones(m * 4)).reshape(m, 2, 2)
    whole = blurred_information(places, joint, tau=0.3, draws=3000, seed=4)
    for block in (700, 9000):  # parts of an image's draws, several images at once
        monkeypatch.setattr(blurred, "_BLOCK", block)
        again = blurred_information(places, joint, tau=0.3, draws=3000, seed=4)
        assert [again[n].value for n in TERMS] == pytest.approx([whole[n].value for n in TERMS], abs=1e-12)
    monkeypatch.setattr(blurred, "_BLOCK", 2**16)
    tracemalloc.start()
    blurred_information(places, joint, tau=0.3, draws=30_000, seed=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20  # 30,000 posteriors of 300 images are 72 MB


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"templates": [1.0, 2.0]}, r"templates must have shape \(m, d\)", id="flat"),
        pytest.param({"templates": [[0.0], [np.nan]]}, "templates must be finite", id="nan"),
        pytest.param({"joint": np.ones((3, 2, 2)) / 12}, r"joint must have shape \(2, states", id="rows"),
        pytest.param({"joint": np.ones((2, 2, 2))}, "sum to 1, got a sum of 8", id="sum"),
        pytest.param({"joint": np.array([[[1.5]], [[-0.5]]])}, "joint must be non-negative", id="negative"),
        pytest.param({"tau": 0.0}, "tau must be above 0, got 0", id="no noise"),
        pytest.param({"draws": 0}, "draws must be at least 1, got 0", id="no draws"),
    ],
)
def test_bad_noise(changes, message):
    good = {"templates": [[0.0], [1.0]], "joint": np.full((2, 1, 2), 0.25), "tau": 0.1, "draws": 10}
    with pytest.raises(ValueError, match=message):
        blurred_information(**{**good, **changes}, seed=0)


def test_features_are_standardised_under_the_probabilities():
    p = RNG.dirichlet(np.ones(50))
    z = RNG.standard_normal((50, 3)) * [1e-3, 1.0, 40.0] + [2.0, 0.0, -7.0]
    found = standardised(np.column_stack([z, np.full(50, 3.0)]), p)
    assert p @ found == pytest.approx(np.zeros(4), abs=1e-10)
    assert p @ found**2 == pytest.approx([1, 1, 1, 0], abs=1e-9)


def test_no_noisy_representation_is_above_the_curve_and_the_best_two_are_on_it():
    joint = HALF.marginal(("X", "A", "C")).probabilities.astype(float)
    exact = curve("half-symmetric")
    for k in range(20):
        z = np.random.default_rng(k).standard_normal((5, 2)) * 2
        found = blurred_information(z, joint, tau=0.5, draws=4000, seed=k)
        best = np.interp(found["I(C;Z)"].value, exact["b"], exact["F"])
        error = found["I(A;Z)"].standard_error + found["I(C;Z)"].standard_error
        assert found["I(A;Z)"].value <= best + 0.002 + 4 * error
    separate = blurred_information(np.eye(5), joint, tau=1e-3, draws=10, seed=0)
    assert separate["I(A;Z)"].value == pytest.approx(exact["F"].iloc[-1], abs=1e-9)
    assert separate["I(C;Z)"].value == pytest.approx(np.log(2), abs=1e-9)
    # a symmetric image answers at random: its probability is spread over the values of the others
    spread = np.concatenate([joint[:4], np.repeat(joint[4:] / 4, 4, axis=0)])
    silent = blurred_information(np.vstack([np.eye(4), np.eye(4)]), spread, tau=1e-3, draws=10, seed=0)
    assert silent["I(C;Z)"].value == pytest.approx(0, abs=1e-9)
    assert silent["I(A;Z)"].value == pytest.approx(exact["F"].iloc[0], abs=1e-7)


@pytest.mark.parametrize("name", SETS)
def test_a_run_holds_the_truths_of_its_glyphs(name):
    row = _train((_Condition(name, "told", 0.0), 0), Scale(seeds=1, steps=2, judged=200, batch=32))
    centred = Glyphs(name, size=16)
    assert row[SYNERGY] == pytest.approx(float(centred.predict("I(A;C|X)")), abs=1e-9)
    assert exact_price(name)["F"].iloc[-1] == pytest.approx(float(centred.predict("I(A;X)")), abs=1e-9)
    assert row[BEST_READ] == pytest.approx(0.5 if name == "half-turn-pairs" else 1.0, abs=1e-9)
    assert row[NOISE_ERROR] < 0.003
    assert row[SHARED] == 0
    ceiling = float(centred.predict("I(A;X|C)"))
    for tau in TAUS:
        assert 0 < row[blurred_name("I(A;Z|C)", tau)] <= ceiling + 0.003
    assert np.isnan(row["accuracy of A"])


def test_a_representation_without_noise_forgets_no_image():
    """The reason for the noise: an untrained network that nobody told to keep anything keeps all."""
    world = glyph_world("half-turn-pairs", "rotation", noise=0.0)
    joint = world.joint(("X", "A", "C")).probabilities
    flat = world.states.images.flatten(1).double().numpy()
    z = standardised(flat @ RNG.standard_normal((flat.shape[1], 4)), joint.sum(axis=(1, 2)))
    sharp = blurred_information(z, joint, tau=1e-5, draws=2, seed=0)
    for name in TERMS:
        assert sharp[name].value == pytest.approx(world.exact(name.replace("Z", "X")).value, abs=1e-6)


def runs(images, *, treatments, seeds=3, jitter=0.001, **values):
    """Rows as the experiment keeps them, with the values of a treatment, and of all."""
    rng, rows = np.random.default_rng(7), []
    for seed in range(seeds):
        for treatment, weight, own in treatments:
            row = {"images": images, "treatment": treatment, "weight": weight, "seed": seed, SHARED: 0.0}
            row |= dict.fromkeys((*TERMS, "accuracy of A", CLASS_READ, BEST_READ, SYNERGY), np.nan)
            row |= {**values, **own}
            if images in SETS:
                for name in TERMS:
                    row |= {blurred_name(name, tau): row[name] for tau in TAUS}
                row[NOISE_ERROR] = 0.001
            moved = {
                k: v + jitter * rng.standard_normal() for k, v in row.items() if "Z" in k or "accuracy" in k
            }
            rows.append({**row, **moved})
    return pd.DataFrame(rows)


USUAL = ("as usual", 0.0, {"I(A;Z)": 0.69, "I(C;Z)": 1.3, "accuracy of A": 0.62})
PAID = ("eliminated", 1.0, {"I(A;Z)": 0.33, "I(C;Z)": 0.05, "accuracy of A": 0.63})
HALFWAY = ("eliminated", 0.3, {"I(A;Z)": 0.6, "I(C;Z)": 0.6, "accuracy of A": 0.63})


def told(gain):
    return ("told", 0.0, {"I(A;Z)": 0.6, "I(C;Z)": 1.0, "I(A;Z|C)": 0.69 + gain})


def verdicts(frame):
    return {f.about: (f.verdict(), f.relation) for f in conclude(frame).findings}


def test_findings_of_a_world_that_follows_the_theory():
    frame = runs("half-symmetric", treatments=[USUAL, told(0.0), HALFWAY, PAID], **{SYNERGY: 0.0})
    found = verdicts(frame)
    assert [v for v, _ in found.values()].count("agrees") == 6
    assert {v for v, _ in found.values()} == {"agrees"}
    conclusion = conclude(frame)
    below = next(f for f in conclusion.findings if "how far from the best" in f.about).spread().mean
    bounds = price_of_avoidance(HALF, [0.05])
    assert bounds.lower[0] - 0.33 - 0.002 <= below <= bounds.upper[0] - 0.33 + 0.002
    assert conclusion.seen.startswith("Eliminating the class costs networks")
    assert conclusion.details is not None
    assert conclusion.details["largest Monte Carlo error"].tolist() == pytest.approx([0.001])
    assert {f"price at tau {tau:g}" for tau in (0.1, 0.2, 0.3)} < set(conclusion.details)


@pytest.mark.parametrize(
    ("treatments", "synergy", "part"),
    [
        pytest.param([USUAL, PAID, told(0.0)], np.log(2), "less the synergy", id="no synergy gained"),
        pytest.param([USUAL, PAID, told(0.1)], 0.0, "less the synergy", id="too much gained"),
        pytest.param([USUAL, ("eliminated", 1.0, USUAL[2])], 0.0, "as usual less", id="no price"),
        pytest.param(
            [USUAL, ("eliminated", 1.0, USUAL[2])], 0.0, "I(C;Z+0.2N) with the class", id="not eliminated"
        ),
        pytest.param(
            [USUAL, ("eliminated", 1.0, {**PAID[2], "I(A;Z)": 0.1})], 0.0, "how far", id="below the curve"
        ),
        pytest.param(
            [USUAL, ("eliminated", 1.0, {**PAID[2], "I(A;Z)": 0.45})], 0.0, "a law", id="above the curve"
        ),
    ],
)
def test_each_prediction_can_fail(treatments, synergy, part):
    frame = runs("half-symmetric", treatments=treatments, jitter=1e-4, **{SYNERGY: synergy})
    failed = {about for about, (verdict, _) in verdicts(frame).items() if verdict != "agrees"}
    assert any(part in about for about in failed)


def test_pairs_gain_their_synergy_and_a_price_of_theirs_is_seen():
    frame = runs("half-turn-pairs", treatments=[USUAL, PAID, told(0.69)], **{SYNERGY: np.log(2)})
    found = list(verdicts(frame).values())
    assert sorted(found) == [("agrees", "=="), ("agrees", "=="), ("disagrees", "==")]


def test_missing_conditions_are_left_out():
    glyphs = runs("free", treatments=[USUAL, PAID], **{SYNERGY: 0.0})
    digits = runs("digits", treatments=[USUAL, PAID, told(0.1)]).assign(**{SHARED: 2 / 3})
    alone = conclude(digits)
    assert {f.relation for f in alone.findings} == {None}
    assert {f.shared for f in alone.findings} == {2 / 3}
    assert "told" not in conclude(glyphs).predicted
    assert "glyphs" not in alone.predicted + alone.seen
    assert alone.details is None
    both = pd.concat([glyphs, digits], ignore_index=True)
    shared = {f.about.split(":")[0]: f.shared for f in conclude(both).findings}
    assert shared == {"free": 0.0, "digits": 2 / 3}
    assert len(conclude(both).table) == 5
    for frame, panels in ((glyphs, 1), (digits, 1), (both, 2)):
        figure = draw(frame)
        assert len(figure.axes) == panels
        assert len({axis.get_xlim() for axis in figure.axes}) == 1


def test_the_legend_names_the_ceiling_of_told_networks_where_it_is_drawn():
    told_too = [USUAL, PAID, told(0.1)]
    digits, ceiling = runs("digits", treatments=told_too), "exact I(A;X|C)"
    for treatments, named in ((told_too, True), ([USUAL, PAID], False)):
        free = runs("free", treatments=treatments, **{SYNERGY: 0.0})
        figure = draw(pd.concat([free, digits], ignore_index=True))
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert any(label.startswith(ceiling) for label in labels) is named


def test_the_figure_tells_the_weights_apart_and_puts_told_networks_at_their_own_information():
    frame = runs("half-symmetric", treatments=[USUAL, told(0.0), HALFWAY, PAID], jitter=0.0, **{SYNERGY: 0.0})
    figure = draw(frame)
    shown = [c for c in figure.axes[0].collections if len(c.get_offsets())]
    assert len({float(c.get_sizes()[0]) for c in shown}) == 2
    heights = [sorted(set(c.get_offsets()[:, 1].tolist())) for c in shown]
    assert heights == [[0.69], [0.6], [0.33], [0.69]]  # as usual, eliminated with 0.3 and 1, told
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "class eliminated, weight 0.3, at I(A;Z)" in labels
    assert "class told, at I(A;Z|C)" in labels
    assert "exact" in figure.axes[0].get_xlabel()
