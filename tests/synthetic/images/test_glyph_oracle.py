"""The exact posterior: against orbits, quadrature, brute force on pixels, and its own standard error."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from synthetic import Glyphs, NoExactAnswerError

LOG2 = math.log(2)


def entropy(p: object) -> float:
    p = np.asarray(p, dtype=float)
    return -float((p[p > 0] * np.log(p[p > 0])).sum())


# -- without noise ---------------------------------------------------------------------------------

ORBITS = [
    # set, transformation, H(C|O), J = H(pattern(O)); by hand
    ("free", "rotation", 0.0, 0.0),
    ("four-fold", "rotation", 0.0, 0.0),
    ("half-symmetric", "rotation", 0.0, LOG2),
    ("half-turn-pairs", "rotation", LOG2, 0.0),
    ("arrows", "rotation", math.log(4), 0.0),
    ("mixed", "rotation", 2 / 5 * LOG2, entropy([3 / 5, 1 / 5, 1 / 5])),
    ("half-turn-pairs", "inversion", 0.0, 0.0),
    ("free", "jigsaw", 0.0, 0.0),
    (("b", "d", "q", "p"), "horizontal-flip", LOG2, 0.0),
    (("b", "d", "q", "p"), "vertical-flip", LOG2, 0.0),
    (("b", "d", "q", "p"), "rotation", LOG2, 0.0),
    # a pair and a symmetric glyph: half of A is lost in both, for different reasons, so T tells nothing
    (("arrow-left", "arrow-right", "arrow-up"), "horizontal-flip", 2 / 3 * LOG2, 0.0),
    (("arrow-left", "arrow-right", "F", "arrow-up"), "horizontal-flip", LOG2 / 2, entropy([1 / 4, 3 / 4])),
]


@pytest.mark.parametrize(("glyphs", "action", "synergy", "forced"), ORBITS)
def test_pixels_meet_the_orbit_formula(glyphs, action: str, synergy: float, forced: float):
    world = Glyphs(glyphs, transformation=action, size=16, hue=[0.0, 0.4])
    assert float(world.exact("I(A;C|X)")) == pytest.approx(synergy, abs=1e-12)
    assert world.predicted("I(A;C|X)") == pytest.approx(synergy, abs=1e-12)
    assert float(world.forced_information()) == pytest.approx(forced, abs=1e-12)
    assert float(world.predict_forced()) == pytest.approx(forced, abs=1e-12)


TERMS = [
    "I(A;C|X)",
    "I(A;X)",
    "I(C;X)",
    "H(A|X)",
    "H(A|X,C)",
    "H(X)",
    "I(A;C)",
    "I(C;S|X)",
    "I(A;C,S|X)",
    "I(A;X|C) - I(A;X)",
    "H(S|X)",
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"prior": [0.4, 0.3, 0.1, 0.1, 0.1]},
        {"pose": [0, 1, 2, 3]},
        {"pose": {"values": [0, 3], "weights": [0.6, 0.4]}},
        {"pose": 0.3},
        {"texture": [0.0, 0.5], "stroke": [0.15, 0.25], "scale": [0.6, 0.9], "background": [0.0, 0.3]},
        {"transformation": "inversion"},
        {"transformation": "jigsaw"},
        {"transformation": "horizontal-flip"},
        {"channels": 1, "size": 21},
    ],
    ids=["plain", "prior", "uniform-pose", "pose", "tilt", "styles", "inversion", "jigsaw", "flip", "gray"],
)
def test_closed_form_equals_enumeration(options: dict):
    world = Glyphs(**{"size": 16, **options})
    for term in TERMS:
        assert world.predicted(term) == pytest.approx(float(world.exact(term)), abs=1e-11), term
    assert float(world.predict_forced()) == pytest.approx(float(world.forced_information()), abs=1e-11)
    if "V" in world._form.variables:
        for term in ("I(A;V|X)", "I(C;V|X)", "H(A,V|X,C)", "I(V;X)"):
            assert world.predicted(term) == pytest.approx(float(world.exact(term)), abs=1e-11), term


def test_a_uniform_pose_hides_the_transformation():
    world = Glyphs("half-turn-pairs", pose=[0, 1, 2, 3], size=16)
    assert float(world.exact("I(A;X)")) == pytest.approx(0, abs=1e-12)
    assert float(world.exact("I(A;C|X)")) == pytest.approx(0, abs=1e-12)


def test_positions_break_symmetry_and_the_enumeration_knows():
    """An off-centre ring shows its turn; the closed form declines."""
    world = Glyphs(("ring", "plus"), position=[[0.2, 0.1]], size=16)
    assert float(world.exact("I(A;X)")) == pytest.approx(math.log(4), abs=1e-12)
    with pytest.raises(NoExactAnswerError, match="position"):
        world.predict("I(A;X)")
    around = Glyphs(("ring", "plus"), position=[[0.2, 0.1], [0.1, -0.2], [-0.2, -0.1], [-0.1, 0.2]], size=16)
    assert float(around.exact("I(A;X)")) == pytest.approx(0, abs=1e-12)
    assert float(around.exact("I(A;position|X)")) == pytest.approx(math.log(4), abs=1e-12)


def test_occlusion_is_a_lossy_channel():
    clear = Glyphs(("F", "L", "P"), size=16)
    hidden = Glyphs(("F", "L", "P"), size=16, occlusion=1.0, occlusion_size=1.0)
    partly = Glyphs(("F", "L", "P"), size=16, occlusion=0.5, occlusion_size=1.0)
    assert float(hidden.exact("I(A;X)")) == pytest.approx(0, abs=1e-12)
    assert float(partly.exact("I(A;X)")) == pytest.approx(float(clear.exact("I(A;X)")) / 2, abs=1e-12)


def test_occlusion_that_always_hides_everything_in_noise():
    """Images of probability 0, without the patch, must not disturb the posterior."""
    world = Glyphs(("F", "L"), size=16, occlusion=1.0, occlusion_size=1.0, noise=0.1)
    assert float(world.exact("I(A;X)")) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(world.posterior(world.sample(3, seed=0)["X"]), 1 / 4, atol=1e-9)
    assert float(world.forced_information()) == pytest.approx(0, abs=1e-9)
    partly = Glyphs(("F", "L"), size=16, occlusion=1.0, noise=0.1)
    assert float(partly.exact("I(A;X)")) > 1


def test_hue_shift_by_thirds_acts_on_the_three_hues():
    """Hues a third apart are one orbit: C explains nothing, S everything; equality holds up to rounding."""
    thirds = {"name": "hue-shift", "steps": 3}
    world = Glyphs(("F", "plus"), transformation=thirds, size=16)
    assert float(world.exact("I(A;X)")) == pytest.approx(0, abs=1e-12)
    assert float(world.exact("I(A;S|X)")) == pytest.approx(math.log(3), abs=1e-12)
    assert float(world.exact("I(A;C|X)")) == pytest.approx(0, abs=1e-12)


def test_grayscale_and_blur_can_be_read():
    for action in ("grayscale", "blur"):
        world = Glyphs(size=16, transformation=action)
        assert float(world.exact("H(A|X)")) == pytest.approx(0, abs=1e-12)
        with pytest.raises(NoExactAnswerError, match="no exact group acts"):
            world.predict("I(A;C|X)")


def test_enumerated_identities():
    world = Glyphs("mixed", size=16, pose=[0, 1])
    assert float(world.exact("I(A;X|C) - I(A;X) - I(A;C|X)")) == pytest.approx(0, abs=1e-12)
    assert float(world.exact("I(A;C|X) - I(A;R|X)")) <= 1e-12
    assert float(world.exact("I(A;R|X) - I(A;X|R) + I(A;X)")) == pytest.approx(0, abs=1e-12)
    assert world.joint(["A", "C", "X"]).value("I(A;C|X)") == pytest.approx(float(world.exact("I(A;C|X)")))


# -- with noise ------------------------------------------------------------------------------------


def two_images(noise: float) -> tuple[Glyphs, float]:
    """A world with two different images, and the distance between them."""
    world = Glyphs(("ring", "plus"), size=16, hue=0.0, noise=noise)
    one, other = world.states.images.double().numpy().reshape(2, -1)
    return world, float(np.linalg.norm(one - other))


def binary_information(distance: float, noise: float) -> float:
    """I(C;X) for two equally likely points at a distance in Gaussian noise, by quadrature."""
    gap = distance / noise

    def integrand(y: float) -> float:
        logit = gap * (gap / 2 + y)  # log p(true) / p(other) at true + y
        return stats.norm.pdf(y) * (LOG2 - np.logaddexp(0, -logit))

    return integrate.quad(integrand, -12, 12, epsabs=1e-12, limit=200)[0]


@pytest.mark.parametrize("noise", [1.0, 2.0, 6.0, 20.0])
def test_two_images_agree_with_quadrature(noise: float):
    world, distance = two_images(noise)
    answer = world.exact("I(C;X)", tolerance=1e-3)
    assert 0 < answer.standard_error <= 1.3e-3  # the pilot run knows the spread within a fifth or so
    assert abs(answer.value - binary_information(distance, noise)) <= 4.5 * answer.standard_error
    density = world.exact("H(X)", tolerance=1e-3)
    gaussian = 16 * 16 * 3 / 2 * math.log(2 * math.pi * math.e * noise**2)
    expected = gaussian + binary_information(distance, noise)
    assert abs(density.value - expected) <= 4.5 * density.standard_error
    assert "differential" in density.method


def test_the_error_is_as_small_as_asked_and_honest():
    """Forty seeds at a loose tolerance: their scores against quadrature have unit variance."""
    world, distance = two_images(4.0)
    truth = binary_information(distance, 4.0)
    answers = [world.exact("I(C;X)", tolerance=0.01, seed=s) for s in range(40)]
    scores = np.array([(a.value - truth) / a.standard_error for a in answers])
    low, high = stats.chi2(40).ppf([1e-3, 1 - 1e-3])
    assert low <= (scores**2).sum() <= high
    assert abs(scores.mean()) <= 4 / math.sqrt(40)


@pytest.mark.parametrize("term", ["H(A|X)", "H(C|X)", "I(A;C|X)", "H(C,A|X,S)", "I(A;hue|X,C)"])
def test_monte_carlo_agrees_with_brute_force_on_pixels(term: str):
    """An independent route: images from `sample`, densities of all states by a plain loop."""
    world = Glyphs(("6", "9", "plus"), size=16, hue=[0.0, 0.1], noise=1.5, prior=[0.5, 0.2, 0.3])
    answer = world.exact(term, tolerance=2e-3)
    sample = world.sample(3000, seed=11)
    support = world.states.support
    templates = world.states.images.double().numpy().reshape(-1, 768)
    states = [(int(c), int(s), int(a)) for c, s, a in zip(*(support.column(v) for v in "CSA"), strict=True)]
    x = sample["X"].reshape(len(sample), -1).astype(np.float64)
    cells = np.zeros((len(sample), 3, 2, 4))
    for k, (c, s, a) in enumerate(states):
        gap = ((x - templates[support.column("X")[k]]) ** 2).sum(axis=1)
        cells[:, c, s, a] = np.log(support.probabilities[k]) - gap / (2 * 1.5**2)
    cells = np.exp(cells - cells.max(axis=(1, 2, 3), keepdims=True))
    cells /= cells.sum(axis=(1, 2, 3), keepdims=True)
    axes = {"C": 1, "S": 2, "hue": 2, "A": 3}

    def surprise(names: str) -> np.ndarray:
        """-log p(names | x) at the latents that were drawn."""
        kept = {axes[n] for n in names.split(",") if n}
        marginal = cells.sum(axis=tuple({1, 2, 3} - kept), keepdims=True)
        at = [sample[n] if axis in kept else 0 for n, axis in (("C", 1), ("S", 2), ("A", 3))]
        return -np.log(marginal[np.arange(len(sample)), *at])

    pieces = {
        "H(A|X)": surprise("A"),
        "H(C|X)": surprise("C"),
        "I(A;C|X)": surprise("A") + surprise("C") - surprise("A,C"),
        "H(C,A|X,S)": surprise("C,A,S") - surprise("S"),
        "I(A;hue|X,C)": surprise("A,C") + surprise("S,C") - surprise("A,S,C") - surprise("C"),
    }[term]
    error = math.hypot(answer.standard_error, pieces.std(ddof=1) / math.sqrt(len(pieces)))
    assert abs(answer.value - pieces.mean()) <= 4.5 * error


def test_small_noise_meets_the_orbit_formula():
    for glyphs, action, synergy, _ in ORBITS[:6]:
        world = Glyphs(glyphs, transformation=action, size=16, noise=0.05)
        answer = world.exact("I(A;C|X)")
        assert answer.value == pytest.approx(synergy, abs=1e-6 + 5 * answer.standard_error)


def test_information_about_the_transformation_decreases_with_noise():
    worlds = [Glyphs("half-symmetric", size=16, noise=s) for s in (0.2, 1.0, 2.0, 4.0, 8.0)]
    values = [w.exact("I(A;X)", tolerance=0.004) for w in worlds]
    for less, more in itertools.pairwise(values):
        assert more.value < less.value + 4 * (less.standard_error + more.standard_error)
    assert values[-1].value < 0.05


def test_large_noise_has_the_gaussian_limit():
    """I(X;U) = tr Cov(m_U) / 2 s^2 + O(s^-4) when noise drowns the templates."""
    noise = 60.0
    world = Glyphs("mixed", size=16, noise=noise)
    flat = world.states.images.double().numpy().reshape(len(world.states.images), -1)
    mass = np.bincount(world.states.support.column("X"), weights=world.states.support.probabilities)
    spread = float(mass @ ((flat - mass @ flat) ** 2).sum(axis=1))
    answer = world.exact("I(C,S,A;X)", tolerance=2e-5)
    assert answer.value == pytest.approx(spread / (2 * noise**2), abs=5 * answer.standard_error + 1e-4)


def test_terms_without_x_and_unknown_terms():
    world = Glyphs(size=16, noise=0.5)
    assert world.exact("I(A;C)").standard_error == 0
    assert float(world.exact("H(C,A)")) == pytest.approx(math.log(20), abs=1e-12)
    with pytest.raises(ValueError, match="unknown variable 'Z'"):
        world.exact("I(A;Z)")
    with pytest.raises(NoExactAnswerError, match="infinite"):
        world.exact("I(X;X)")
    with pytest.raises(NoExactAnswerError, match="continuous"):
        world.joint()
    assert world.joint(["A", "C"]).value("I(A;C)") == pytest.approx(0, abs=1e-12)


def test_terms_among_latents_need_no_posterior():
    world = Glyphs(
        ("F", "6"), size=16, hue=[0.0, 0.2, 0.4], scale=[0.6, 0.8], stroke={"low": 0.1, "high": 0.3},
        noise=1.0, occlusion=0.5, augmentation="crop", transformation="jigsaw",
    )  # fmt: skip
    assert float(world.exact("I(A;C|hue)")) == pytest.approx(0, abs=1e-12)
    assert float(world.exact("H(A,occlusion)")) == pytest.approx(math.log(24) + LOG2 / 2 + math.log(18) / 2)
    with pytest.raises(NoExactAnswerError, match="S is continuous"):
        world.exact("I(A;S)")
    discrete = Glyphs(("F", "6"), size=16, hue=[0.0, 0.2, 0.4], scale=[0.6, 0.8], augmentation="crop")
    assert float(discrete.exact("H(S) - I(S;hue)")) == pytest.approx(LOG2, abs=1e-12)


def test_the_same_seed_gives_the_same_answer():
    world = Glyphs(size=16, noise=2.0)
    one, two, other = (world.exact("I(A;X)", tolerance=0.02, seed=s) for s in (0, 0, 1))
    assert one == two
    assert one.value != other.value


# -- posterior and forced information --------------------------------------------------------------


def test_the_posterior_is_a_distribution_and_is_calibrated():
    world = Glyphs("half-turn-pairs", size=16, noise=2.0)
    sample = world.sample(4000, seed=0)
    p = world.posterior(sample["X"], "C")
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-12)
    hits = p.argmax(axis=1) == sample["C"]
    confidence = p.max(axis=1)
    error = math.sqrt((confidence * (1 - confidence)).sum()) / len(hits)
    assert abs(hits.mean() - confidence.mean()) <= 4.5 * error
    assert 0.15 < hits.mean() < 0.9  # informative, and not certain


def test_the_joint_posterior_of_several_latents_has_the_posteriors_of_each_as_marginals():
    world = Glyphs(size=16, noise=0.5, hue=[0.0, 0.4])
    images = world.sample(40, seed=3)["X"]
    p = world.posterior(images, ("C", "A", "hue"))
    assert p.shape == (40, len(world.classes), 4, 2)
    for axis, name in enumerate(("C", "A", "hue"), start=1):
        others = tuple(a for a in (1, 2, 3) if a != axis)
        np.testing.assert_allclose(p.sum(axis=others), world.posterior(images, name), atol=1e-12)
    swapped = world.posterior(images, ("hue", "A", "C"))
    np.testing.assert_allclose(swapped.transpose(0, 3, 2, 1), p, atol=1e-12)
    together = p.sum(axis=3)
    apart = together.sum(axis=2, keepdims=True) * together.sum(axis=1, keepdims=True)
    assert np.abs(together - apart).max() > 0.01, "A and C are dependent given X"


@pytest.mark.parametrize("target", [(), ("A", "A"), ("A", "X"), "X"])
def test_a_joint_posterior_of_no_repeated_or_visible_variables_is_refused(target):
    world = Glyphs(size=16, noise=0.5)
    with pytest.raises(ValueError, match="one or several different latents"):
        world.posterior(world.sample(2, seed=0)["X"], target)


def test_a_joint_posterior_that_would_not_fit_is_refused():
    world = Glyphs(size=16, noise=0.5)
    images = np.broadcast_to(world.sample(1, seed=0)["X"], (10_000_000, 3, 16, 16))
    with pytest.raises(NoExactAnswerError, match="more than"):
        world.posterior(images, ("A", "C", "hue"))


def test_the_posterior_without_noise_is_the_orbit():
    world = Glyphs(("6", "9", "F", "plus"), size=16)
    sample = world.sample(60, seed=0)
    p = world.posterior(sample["X"], "A")
    sizes = (p > 0).sum(axis=1)
    np.testing.assert_array_equal(sizes, np.array([2, 2, 1, 4])[sample["C"]])
    assert (p[np.arange(60), sample["A"]] > 0).all()
    with pytest.raises(ValueError, match="image 0 is off by"):
        world.posterior(sample["X"][:1] * 0.9 + 0.05)
    with pytest.raises(ValueError, match="images must have shape"):
        world.posterior(sample["X"][:, :1])
    with pytest.raises(ValueError, match="not X itself, got 'X'"):
        world.posterior(sample["X"], "X")
    with pytest.raises(ValueError, match="unknown variable 'Z'"):
        world.posterior(sample["X"], "Z")


def test_forced_information_in_small_noise_is_that_without():
    for glyphs in ("half-symmetric", "half-turn-pairs", "mixed"):
        exact = float(Glyphs(glyphs, size=16).forced_information())
        noisy = Glyphs(glyphs, size=16, noise=0.1).forced_information(draws=20_000)
        assert noisy.value == pytest.approx(exact, abs=1e-3)
        assert "lower bound" in noisy.method


def test_forced_information_is_discontinuous_without_a_resolution():
    """A finding: with the slightest noise the far digits of T tell 6 from b, although T looks the same."""
    world = Glyphs("half-turn-pairs", size=16, noise=0.3)
    sharp = world.forced_information(resolution=0, draws=20_000)
    assert sharp.value > 0.2
    assert world.forced_information(draws=20_000).value == pytest.approx(0, abs=1e-3)


def test_forced_information_of_a_binary_transformation_agrees_with_a_histogram():
    """T is one number where A has two states: bins of an independent sample give I(C;T) directly."""
    world = Glyphs(("F", "T", "6"), transformation="horizontal-flip", size=16, hue=0.0, noise=1.0)
    answer = world.forced_information(resolution=0, draws=24_000)
    sample = world.sample(12_000, seed=3)
    t = world.posterior(sample["X"], "A")[:, 1]
    c = world.posterior(sample["X"], "C")
    edges = np.quantile(t, np.linspace(0, 1, 61)[1:-1])
    table = np.zeros((60, 3))
    np.add.at(table, np.searchsorted(edges, t), c / len(t))
    value = entropy(table.sum(0)) + entropy(table.sum(1)) - entropy(table.ravel())
    assert value == pytest.approx(answer.value, abs=0.015)  # 60 bins, 12,000 draws: both a few thousandths
    assert 0.05 < answer.value < float(world.exact("I(C;X)"))


def test_forced_information_is_bounded_by_the_input_and_knows_its_variables():
    world = Glyphs("half-symmetric", size=16, noise=1.0)
    forced = world.forced_information(draws=20_000)
    known = world.exact("I(C;X)")
    assert forced.value <= known.value + 4 * (forced.standard_error + known.standard_error)
    assert float(Glyphs(size=16).forced_information("S")) == pytest.approx(0, abs=1e-12)
    for name in ("X", "A", "Z"):
        with pytest.raises(ValueError, match="variable must be one of C, S"):
            world.forced_information(name)
    with pytest.raises(ValueError, match="resolution must be at least 0"):
        world.forced_information(resolution=-1)
    with pytest.raises(ValueError, match="draws must be at least 1"):
        world.forced_information(draws=0)


REFUSED = {
    "continuous style": ({"hue": {"low": 0, "high": 1}}, "hue is continuous"),
    "continuous pose": ({"pose": {"low": 0, "high": 1}}, "V is continuous"),
    "continuous transformation": ({"transformation": "hue-shift"}, "A is continuous"),
    "several": ({"hue": {"low": 0, "high": 1}, "pose": {"low": 0, "high": 1}}, "hue, V are continuous"),
    "augmentation": ({"augmentation": "crop"}, "augmentation='crop', which is random and hidden"),
    "too many images": (
        {"hue": [k / 50 for k in range(50)], "transformation": "jigsaw", "noise": 1.0, "glyphs": "free"},
        "9,600 different images, more than 8,192",
    ),
    "too much memory": (
        {
            "hue": [k / 99 for k in range(99)],
            "transformation": "jigsaw",
            "size": 64,
            "glyphs": "free",
            "pose": [0, 1],
        },
        "images of 64 x 64 x 3 .*GiB",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused_with_the_reason(case: str):
    options, message = REFUSED[case]
    world = Glyphs(**{"size": 16, **options})
    with pytest.raises(NoExactAnswerError, match=message):
        world.exact("I(A;C|X)")


CLOSED_FORM_REFUSED = {
    "noise": ({"noise": 0.1}, "noise or occlusion"),
    "occlusion": ({"occlusion": 0.1}, "noise or occlusion"),
    "no group": ({"transformation": "blur"}, "no exact group acts by blur"),
    "pose and another group": ({"pose": [0, 1], "transformation": "inversion"}, "pose varies"),
    "tilted poses": ({"pose": [0.0, 0.5]}, "pose varies"),
    "the same pose twice": ({"pose": [0, 4]}, "same quarter-turn"),
    "styles that look alike": ({"hue": [0.0, 1.0]}, "cannot be read off"),
}


@pytest.mark.parametrize("case", CLOSED_FORM_REFUSED)
def test_where_there_is_no_closed_form(case: str):
    options, message = CLOSED_FORM_REFUSED[case]
    with pytest.raises(NoExactAnswerError, match=message):
        Glyphs(**{"size": 16, **options}).predict("I(A;C|X)")


def test_a_tolerance_that_costs_too_much_is_refused_with_one_that_does_not():
    world = Glyphs(size=16, noise=3.0)
    with pytest.raises(NoExactAnswerError, match=r"posterior cells.*ask for tolerance=\S+") as refusal:
        world.exact("I(A;X)", tolerance=1e-7)
    reachable = float(str(refusal.value).split("tolerance=")[1].split()[0])
    assert 1e-6 < reachable < 1e-3


def test_bad_tolerance():
    with pytest.raises(ValueError, match="tolerance must be above 0"):
        Glyphs(size=16, noise=1.0).exact("I(A;X)", tolerance=0)


def test_quantities_that_are_asked_for_together_are_those_asked_for_alone():
    """By states, from as many draws as another, and from more."""
    world = Glyphs(("F", "R", "arrow-up"), transformation="blur", size=16, noise=0.5)
    terms = ["I(A;C)", "H(A|X)", "I(A;C|X)", "H(X)", "I(A;X|C) - I(A;X)"]
    together = world.exact_each(terms, tolerance=0.004, seed=3)
    alone = [world.exact(term, tolerance=0.004, seed=3) for term in terms]
    for one, other in zip(together, alone, strict=True):
        assert (one.expression, one.method) == (other.expression, other.method)
        assert one.value == pytest.approx(other.value, abs=1e-12)
        assert one.standard_error == pytest.approx(other.standard_error, abs=1e-12)
    assert len({answer.method for answer in together}) > 2, "numbers of draws differ"
    with pytest.raises(NoExactAnswerError, match=r"H\(A\|X\) to a tolerance"):
        world.exact_each(terms, tolerance=1e-9)
