"""Every family: the closed form, the exact value and the samples agree with each other."""

import itertools
import math
import pickle

import numpy as np
import pytest
from scipy import stats

from synthetic import (
    ClassCircle,
    Erasure,
    FiniteGenerator,
    LinearGaussian,
    ModularShift,
    NoExactAnswerError,
    Orbits,
    Product,
    Quotient,
    RandomModel,
    Watermark,
    cyclic,
    dihedral,
    symmetric,
)
from theory import Joint

CLOSED_FORM = 1e-12  # rounding of a few hundred terms of size one
ROWS = 40_000
FALSE_ALARM = 1e-6  # of each chi-square test, so that all of them together fail by chance once in 10,000

POSES = ((0.7, 0.1, 0.2, 0.0), (0.25, 0.25, 0.25, 0.25), (1.0, 0.0, 0.0, 0.0), (0.0, 0.5, 0.0, 0.5))
SHIFT = ModularShift(n=4, noise=0.1)
FINITE = {
    "shift": ModularShift(n=5),
    "shift with noise": SHIFT,
    "shift, subgroup": ModularShift(n=6, classes=4, shifts=3, noise=0.2),
    "shift, prior": ModularShift(n=5, prior=(0.6, 0.3, 0.1), noise=0.05),
    "shift, prior and subgroup": ModularShift(n=6, prior=(0.4, 0.0, 0.35, 0.25), shifts=2),
    "orbits": Orbits(),
    "orbits with noise": Orbits(prior=(0.1, 0.2, 0.3, 0.4), noise=0.3),
    "orbits with pose": Orbits(pose=(0.7, 0.1, 0.1, 0.1)),
    "orbits, pose by class": Orbits(pose=POSES, noise=0.1),
    "dihedral orbits": Orbits(
        dihedral(4), stabilisers=((0, 4), (0, 2), (0,)), classes=((0, 0), (0, 1), (1, 0), (1, 5), (2, 3))
    ),
    "symmetric orbits": Orbits(
        symmetric(4), stabilisers=((0, 1), (0,)), classes=((0, 0), (0, 7), (0, 9), (1, 0), (1, 2))
    ),
    "product group": Orbits(
        cyclic(2) * cyclic(3), stabilisers=((0, 3),), classes=((0, 0), (0, 1)), noise=0.05
    ),
    "erasure": Erasure(SHIFT, erasure=0.3),
    "erasure twice": Erasure(Erasure(SHIFT, erasure=0.3), erasure=0.5),
    "erased orbits": Erasure(Orbits(pose=POSES), erasure=0.2),
    "watermark": Watermark(SHIFT, strength=0.25),
    "watermark of erasure": Watermark(Erasure(Orbits(), erasure=0.1), strength=0.4),
    "quotient": Quotient(ModularShift(n=6, noise=0.1), coarse=(0, 1, 2, 0, 1, 2)),
    "quotient, no homomorphism": Quotient(ModularShift(n=4), coarse=(0, 0, 0, 1)),
    "quotient of orbits": Quotient(Orbits(noise=0.2)),
    "quotient by a subgroup": Quotient.by_subgroup(
        Orbits(dihedral(3), ((0,), (0, 3)), ((0, 0), (1, 1))), (0, 1, 2)
    ),
    "product": Product(SHIFT, ModularShift(n=3, classes=2)),
    "product of orbits and erasure": Product(Orbits(), Erasure(ModularShift(n=2), erasure=0.5)),
    "random": RandomModel(model_seed=1),
    "random, three states": RandomModel("C=>R, V=>R, R->X, A->X", states=3, concentration=0.5, model_seed=2),
    "random, sizes": RandomModel("C->X, A->X", states={"C": 2, "A": 3, "X": 4}),
}
TERMS = ("I(A;C|X)", "I(A;X)", "I(C;X)", "I(A;X|C)", "I(C;X|A)", "H(A|X)", "H(A,C|X)", "I(A;C)", "H(X)")

members = pytest.mark.parametrize("generator", FINITE.values(), ids=FINITE)
predictable = pytest.mark.parametrize(
    "generator",
    [g for g in FINITE.values() if "symbolic" in g.answers],
    ids=[k for k, g in FINITE.items() if "symbolic" in g.answers],
)


def slow_entropy(generator, names):
    """Entropy by a loop over the dense table, as an oracle for the grouped enumeration."""
    joint = generator.joint(names)
    return -math.fsum(p * math.log(p) for p in joint.probabilities.ravel() if p)


@predictable
def test_closed_form_meets_enumeration(generator):
    names = [v.name for v in generator.variables if v.name != "R"]
    pairs = [f"I({a};{b}|X)" for a, b in itertools.combinations([n for n in names if n != "X"], 2)]
    for term in (*TERMS, *generator.main_terms, *pairs):
        assert generator.predicted(term) == pytest.approx(generator.exact(term).value, abs=CLOSED_FORM)


@members
def test_enumeration_meets_a_slow_reference(generator):
    for names in (("A",), ("X",), ("A", "X"), ("A", "C", "X")):
        exact = generator.exact(f"H({','.join(names)})")
        assert exact.value == pytest.approx(slow_entropy(generator, names), abs=CLOSED_FORM)
        assert exact.standard_error == 0


def chi_square(sample, joint):
    """The p-value of the frequencies of A, C and X under a joint; 0 where an impossible state occurs."""
    shape = joint.probabilities.shape
    counts = np.bincount(
        np.ravel_multi_index([sample[v] for v in ("A", "C", "X")], shape), minlength=math.prod(shape)
    )
    p = joint.probabilities.ravel()
    if counts[p == 0].sum():
        return 0.0
    counts, expected = counts[p > 0], ROWS * p[p > 0]
    order = np.argsort(expected)
    small = np.cumsum(expected[order]) < 25  # pool rare cells until the approximation holds
    bins = np.zeros(len(p[p > 0]), dtype=int)
    bins[order[~small]] = 1 + np.arange((~small).sum())
    pooled, wanted = np.bincount(bins, weights=counts), np.bincount(bins, weights=expected)
    pooled, wanted = pooled[wanted > 0], wanted[wanted > 0]
    return stats.chisquare(pooled, wanted).pvalue


@members
def test_frequencies_meet_the_joint(generator):
    assert chi_square(generator.sample(ROWS, seed=20_241), generator.joint(("A", "C", "X"))) > FALSE_ALARM


@pytest.mark.parametrize(
    "wrong",
    [
        ModularShift(n=4, noise=0.13),
        ModularShift(n=4, noise=0.1, prior=(0.27, 0.25, 0.25, 0.23)),
        ModularShift(n=4),
    ],
    ids=["more noise", "another prior", "impossible states"],
)
def test_frequencies_of_another_world_are_noticed(wrong):
    assert chi_square(SHIFT.sample(ROWS, seed=20_241), wrong.joint(("A", "C", "X"))) < FALSE_ALARM


@members
def test_all_columns_are_jointly_possible_and_functions_hold(generator):
    sample = generator.sample(500, seed=3)
    support = generator.support
    names = support.names
    assert tuple(sample.names) == names == tuple(v.name for v in generator.variables)
    possible = {tuple(row) for row in support.states.tolist()}
    assert {tuple(row) for row in np.column_stack([sample[v] for v in names]).tolist()} <= possible
    assert support.probabilities.sum() == pytest.approx(1, abs=CLOSED_FORM)


@members
def test_independences_of_the_diagram_hold_exactly(generator):
    diagram = generator.diagram
    assert set(diagram.variables) == {v.name for v in generator.variables}
    for a, b in itertools.combinations(diagram.variables, 2):
        for given in [()] + [(v,) for v in diagram.variables if v not in (a, b)]:
            if diagram.d_separated({a}, {b}, given):
                bar = f"|{given[0]}" if given else ""
                assert generator.exact(f"I({a};{b}{bar})").value == pytest.approx(0, abs=1e-10)
    for v in diagram.deterministic:
        parents = ",".join(diagram.parents(v))
        assert generator.exact(f"H({v}|{parents})").value == pytest.approx(0, abs=1e-10)


@members
def test_samples_are_fixed_by_their_seed_and_begin_alike(generator):
    few, many = generator.sample(50, seed=7), generator.sample(80, seed=7)
    other = generator.sample(80, seed=8)
    assert all(np.array_equal(few[v], many[v][:50]) for v in few.names)
    assert any(not np.array_equal(many[v], other[v]) for v in many.names)
    assert pickle.loads(pickle.dumps(generator)).sample(50, seed=7)["X"].tolist() == few["X"].tolist()


def test_synergy_of_orbits_is_the_class_entropy_left_inside_an_orbit():
    world = FINITE["symmetric orbits"]
    assert world.exact("I(A;C|X)").value == pytest.approx(world.exact("H(C|O)").value, abs=CLOSED_FORM)
    sizes = [math.log(len(world.action.stabiliser(x))) for x in world.prototypes]
    assert world.exact("H(A|X,C)").value == pytest.approx(np.mean(sizes), abs=CLOSED_FORM)


def test_uniform_pose_leaves_nothing_to_read():
    world = Orbits(pose=(0.25,) * 4)
    for term in ("I(A;X)", "I(A;C|X)", "I(A;X|C)"):
        assert world.exact(term).value == pytest.approx(0, abs=CLOSED_FORM)


def test_forced_information_meets_the_posteriors():
    for world in (
        FINITE["orbits"],
        FINITE["orbits with noise"],
        FINITE["dihedral orbits"],
        Orbits(pose=POSES),
    ):
        posterior = world.posterior("A")  # (points, order)
        t = np.unique(posterior.round(9), axis=0, return_inverse=True)[1]
        table = world.joint(("C", "X")).probabilities
        merged = np.zeros((table.shape[0], t.max() + 1))
        np.add.at(merged, (slice(None), t), table)
        by_posterior = Joint(("C", "T"), merged).value("I(C;T)")
        assert world.forced_information() == pytest.approx(by_posterior, abs=1e-9)


def test_erasure_and_watermark_scale_the_synergy():
    synergy = SHIFT.exact("I(A;C|X)").value
    assert Erasure(SHIFT, erasure=0.3).exact("I(A;C|X)").value == pytest.approx(
        0.7 * synergy, abs=CLOSED_FORM
    )
    marked = Watermark(SHIFT, strength=0.25).exact("I(A;C|X)").value
    assert marked == pytest.approx(0.75 * synergy, abs=CLOSED_FORM)
    readable = ModularShift(n=4, classes=2)
    lossy = [Erasure(readable, erasure=d).exact("H(A|X)").value for d in (0, 0.5, 1)]
    assert lossy[0] + 0.1 < lossy[1] < lossy[2] - 0.1


def test_fine_transformations_have_at_least_the_synergy_of_coarse_ones():
    for key in ("quotient", "quotient of orbits", "quotient by a subgroup", "quotient, no homomorphism"):
        world = FINITE[key]
        assert world.exact("H(A|B)").value == pytest.approx(0, abs=CLOSED_FORM)
        assert world.exact("I(B;C|X) - I(A;C|X)").value >= -CLOSED_FORM


def test_terms_of_a_product_add():
    left, right = SHIFT, ModularShift(n=3, classes=2)
    both = FINITE["product"]
    for fine, parts in (("I(A,B;C|X)", "I(A;C|X)"), ("H(A,B|X)", "H(A|X)"), ("I(C;X)", "I(C;X)")):
        total = left.exact(parts).value + right.exact(parts).value
        assert both.exact(fine).value == pytest.approx(total, abs=CLOSED_FORM)


def test_a_product_is_exact_without_enumerating_its_pairs():
    for key in ("product", "product of orbits and erasure"):
        world = FINITE[key]
        for term in (*world.main_terms, "I(X1;C2)", "H(C1,X,B)", "I(C;X1|A)"):
            assert world.exact(term).value == pytest.approx(world.support.value(term), abs=CLOSED_FORM)
    large = Product(ModularShift(n=60, noise=0.1), ModularShift(n=60, noise=0.2))
    assert large.exact("I(A,B;C|X)").value == pytest.approx(large.predicted("I(A,B;C|X)"), abs=1e-11)
    with pytest.raises(NoExactAnswerError, match="states"):
        large.joint()


def test_nested_wrappers_draw_independent_erasures():
    twice = Erasure(Erasure(ModularShift(n=2), erasure=0.5), erasure=0.5)
    sample = twice.sample(20_000, seed=0)
    first, second = sample["Y2"] == 2, sample["X"] == 3
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(20_000)


def test_posterior_is_bayes_rule():
    world = ModularShift(n=2, noise=0.2, prior=(0.9, 0.1))
    by_hand = 0.9 * (0.5 * 0.9) / (0.9 * 0.5 * 0.9 + 0.1 * 0.5 * 0.1 + 0.9 * 0.5 * 0.1 + 0.1 * 0.5 * 0.9)
    assert world.posterior("A", ("X",))[0, 0] == pytest.approx(by_hand + 0.1 * 0.5 * 0.1 / 0.5)
    impossible = Orbits(stabilisers=((0, 2), (0,)), classes=((0, 0),)).posterior("A")
    assert np.isnan(impossible[2:]).all()


def test_random_models_have_synergy_almost_surely():
    synergies = [RandomModel("C->X, A->X", model_seed=k).exact("I(A;C|X)").value for k in range(200)]
    assert min(synergies) > 1e-9


def gaussian_reference(world, left, right, given):
    """I(left;right|given) from partial covariances, an independent route to the same number."""
    places, joint = world.covariance
    index = {v: np.arange(len(joint))[s] for v, s in places.items()}

    def conditional(names):
        a = np.concatenate([index[v] for v in names])
        if not given:
            return joint[np.ix_(a, a)]
        b = np.concatenate([index[v] for v in given])
        cross = joint[np.ix_(a, b)]
        return joint[np.ix_(a, a)] - cross @ np.linalg.solve(joint[np.ix_(b, b)], cross.T)

    dets = [np.linalg.det(conditional(names)) for names in ((left,), (right,), (left, right))]
    return 0.5 * math.log(dets[0] * dets[1] / dets[2])


RNG = np.random.default_rng(5)
GAUSSIAN = {
    "scalar": LinearGaussian(noise=0.5),
    "no style": LinearGaussian(style_map=None, class_covariance=((2.0,),)),
    "matrices": LinearGaussian(
        RNG.normal(size=(3, 2)).round(2),
        RNG.normal(size=(3, 1)).round(2),
        RNG.normal(size=(3, 2)).round(2),
        noise=((1, 0.5, 0), (0.5, 2, 0), (0, 0, 0.25)),
        transformation_covariance=((1.0, 0.3), (0.3, 0.5)),
    ),
}
gaussians = pytest.mark.parametrize("world", GAUSSIAN.values(), ids=GAUSSIAN)


@gaussians
def test_linear_gaussian_closed_form_meets_both_log_determinants(world):
    for term, parts in {
        "I(A;C|X)": ("A", "C", ("X",)),
        "I(A;X)": ("A", "X", ()),
        "I(C;X|A)": ("C", "X", ("A",)),
        "I(A;C)": ("A", "C", ()),
    }.items():
        exact = world.exact(term).value
        assert exact == pytest.approx(gaussian_reference(world, *parts), abs=1e-11)
        assert world.predicted(term) == pytest.approx(exact, abs=1e-11)


@gaussians
def test_linear_gaussian_samples_have_the_covariance(world):
    n = 50_000
    sample = world.sample(n, seed=4)
    data = np.column_stack([sample[v] for v in world.covariance[0]])
    _, joint = world.covariance
    spread = np.sqrt((np.outer(np.diag(joint), np.diag(joint)) + joint**2) / n)  # Wishart
    assert (abs(np.cov(data.T, bias=True) - joint) < 5.5 * spread).all()


def test_linear_gaussian_refuses_infinite_terms():
    for term in ("I(X;X)", "I(A;C,X|X)", "H(X|X)"):
        with pytest.raises(NoExactAnswerError, match="continuous and stands in two slots"):
            LinearGaussian().exact(term)


def test_linear_gaussian_has_no_symbolic_answer_in_many_dimensions():
    wide = LinearGaussian(np.eye(9), None, np.eye(9))
    assert wide.exact("I(A;C|X)").value == pytest.approx(
        9 * LinearGaussian(style_map=None).predicted("I(A;C|X)")
    )
    with pytest.raises(NoExactAnswerError, match="up to 8 dimensions"):
        wide.predict("I(A;C|X)")


def circle_by_integration(world, term):
    """A mutual information of the class circle by Monte Carlo with the true densities."""
    n = 200_000
    sample = world.sample(n, seed=9)
    turns = world.turns or 720
    angle_a = 2 * math.pi * np.arange(turns) / turns
    weight = np.exp(world.concentration * np.cos(angle_a)) if world.turns is None else np.ones(turns)
    weight /= weight.sum()
    x = sample["X"]

    def density(c, a):
        total = np.zeros(n)
        for i, angle in enumerate(np.radians(world.angles)):
            pc = 1 / len(world.angles) if c is None else (c == i)
            for r in world.radii:
                for da, wa in zip(angle_a, weight, strict=True) if a is None else [(a, 1.0)]:
                    mean = r * np.stack([np.cos(angle + da), np.sin(angle + da)], axis=-1)
                    square = ((x - mean) ** 2).sum(axis=1) / (2 * world.noise**2)
                    total += pc * wa / len(world.radii) * np.exp(-square) / (2 * math.pi * world.noise**2)
        return total

    a = sample["A"] if world.turns is None else 2 * math.pi * sample["A"] / world.turns
    c = sample["C"]
    ratio = {
        "I(A;X)": lambda: density(None, a) / density(None, None),
        "I(C;X)": lambda: density(c, None) / density(None, None),
        "I(A;C|X)": lambda: density(c, a) * density(None, None) / (density(None, a) * density(c, None)),
    }[term]()
    log = np.log(ratio)
    return log.mean(), log.std() / math.sqrt(n)


@pytest.mark.parametrize(
    "world",
    [ClassCircle(noise=0.4), ClassCircle(angles=(0, 50), radii=(1,), turns=6, noise=0.3)],
    ids=["two radii", "six turns"],
)
@pytest.mark.parametrize("term", ["I(A;X)", "I(C;X)", "I(A;C|X)"])
def test_class_circle_quadrature_meets_monte_carlo(world, term):
    value, error = circle_by_integration(world, term)
    answer = world.exact(term)
    assert abs(answer.value - value) < 5 * error
    assert 0 < answer.standard_error < 1e-9


def test_class_circle_with_a_von_mises_angle_meets_the_orbit_of_many_turns():
    fine = ClassCircle(turns=256, noise=0.4)
    smooth = ClassCircle(turns=None, noise=0.4)
    for term in ("I(A;X)", "I(C;X)", "I(A;C|X)", "I(A;X|C,S)"):
        assert smooth.exact(term).value == pytest.approx(fine.exact(term).value, abs=1e-9)
    assert smooth.exact("H(A)").value == pytest.approx(math.log(2 * math.pi), abs=1e-12)


def test_class_circle_entropy_of_the_von_mises_angle():
    for concentration in (0.5, 3.0, 50.0):
        world = ClassCircle(turns=None, concentration=concentration)
        assert world.exact("H(A)").value == pytest.approx(stats.vonmises(concentration).entropy(), abs=1e-9)


def test_class_circle_approaches_the_orbit_formula_without_noise():
    world = ClassCircle(angles=(0, 90, 45), radii=(1, 2), turns=4, noise=0.02)
    assert world.exact("I(A;C|X)").value == pytest.approx(2 / 3 * math.log(2), abs=1e-9)


def test_class_circle_stated_error_bounds_a_finer_grid():
    world = ClassCircle(noise=0.2)
    names = frozenset({"X", "C"})
    value, error = world._integrate(names)
    assert abs(world._on_grid(names, 7) - value) <= error


def test_class_circle_samples_have_the_moments_of_their_mixture():
    world = ClassCircle(angles=(10, 200), prior=(0.8, 0.2), radii=(1, 3), radius_prior=(0.3, 0.7), turns=1)
    sample = world.sample(ROWS, seed=2)
    mean = sum(
        p * q * r * np.array([math.cos(math.radians(t)), math.sin(math.radians(t))])
        for p, t in zip(world.prior, world.angles, strict=True)
        for q, r in zip(world.radius_prior, world.radii, strict=True)
    )
    error = sample["X"].std(axis=0) / math.sqrt(ROWS)
    assert (abs(sample["X"].mean(axis=0) - mean) < 5 * error).all()
    assert ClassCircle(turns=None).sample(100, seed=0)["A"].dtype == float


def test_class_circle_refuses_infinite_terms_and_grids_that_will_not_fit():
    with pytest.raises(NoExactAnswerError, match="X is continuous"):
        ClassCircle().exact("I(X;A,X)")
    assert ClassCircle().exact("I(C;C)").value == pytest.approx(math.log(3))
    with pytest.raises(NoExactAnswerError, match="more noise"):
        ClassCircle(noise=1e-4).exact("I(A;X)")


@pytest.mark.parametrize("generator", [ClassCircle(), *GAUSSIAN.values()], ids=["circle", *GAUSSIAN])
def test_continuous_samples_begin_alike_and_have_no_joint(generator):
    few, many = generator.sample(50, seed=7), generator.sample(80, seed=7)
    assert all(np.array_equal(few[v], many[v][:50]) for v in few.names)
    assert not isinstance(generator, FiniteGenerator)
    with pytest.raises(NoExactAnswerError, match="no finite joint"):
        generator.joint()


def test_enumerations_that_will_not_fit_are_refused_with_their_size():
    large = Orbits(symmetric(5), ((0,),), ((0, 0),), pose=(1 / 120,) * 120, noise=0.1)
    with pytest.raises(NoExactAnswerError, match="states"):
        Product(large, large).joint(("A", "C"))
    with pytest.raises(NoExactAnswerError, match=r"cells .* GiB"):
        Orbits(symmetric(5), ((0,), (0, 1)), ((0, 0), (1, 0)), pose=(1 / 120,) * 120).joint()
    assert large.joint(("A", "X")).probabilities.shape == (120, 120)


BAD = {
    "n too small": (lambda: ModularShift(n=1), "n must be between 2 and 1048576, got 1"),
    "n no integer": (lambda: ModularShift(n=4.0), "n must be an integer"),
    "no classes": (lambda: ModularShift(classes=0), "classes must be between 1 and 4"),
    "more classes than states": (lambda: ModularShift(n=4, classes=5), "classes must be between"),
    "noise above one": (lambda: ModularShift(noise=1.5), "noise must be a probability"),
    "negative noise": (lambda: ModularShift(noise=-0.1), "noise must be a probability"),
    "shifts no divisor": (lambda: ModularShift(n=4, shifts=3), "shifts must divide n=4"),
    "prior sums to less": (lambda: ModularShift(prior=(0.5, 0.4)), "prior must sum to 1"),
    "prior negative": (lambda: ModularShift(prior=(1.5, -0.5)), "prior must not be negative"),
    "prior of another length": (lambda: ModularShift(classes=3, prior=(0.5, 0.5)), "prior must have 3"),
    "prior longer than n": (lambda: ModularShift(n=2, prior=(0.25,) * 4), "at most n=2"),
    "size 0": (lambda: SHIFT.sample(0, seed=0), "n must be at least 1"),
    "negative seed": (lambda: SHIFT.sample(1, seed=-1), "seed must be at least 0"),
    "stabiliser no subgroup": (
        lambda: Orbits(stabilisers=((0, 1),), classes=((0, 0),)),
        "must be a subgroup",
    ),
    "no orbit": (lambda: Orbits(stabilisers=()), "one subgroup for each orbit"),
    "no class": (lambda: Orbits(classes=()), "at least one class"),
    "class at no orbit": (
        lambda: Orbits(classes=((3, 0),)),
        r"orbit of classes\[0\] must be between 0 and 2",
    ),
    "class at no position": (lambda: Orbits(classes=((0, 4),)), r"position of classes\[0\]"),
    "class no pair": (lambda: Orbits(classes=((0,),)), r"classes\[0\] must be a pair"),
    "group unknown": (lambda: Orbits("klein"), "cannot read the group"),
    "group no group": (lambda: Orbits(4), "group must be a FiniteGroup"),
    "pose of another length": (lambda: Orbits(pose=(0.5, 0.5)), "pose must have 4 probabilities"),
    "pose rows missing": (lambda: Orbits(pose=POSES[:2]), "one row for each of 4 classes"),
    "pose row sums to less": (lambda: Orbits(pose=((0.5, 0, 0, 0), *POSES[1:])), r"pose\[0\] must sum to 1"),
    "map no matrix": (lambda: LinearGaussian(class_map=(1, 2)), "class_map must be a matrix"),
    "map ragged": (lambda: LinearGaussian(class_map=((1,), (1, 2))), "rows of equal length"),
    "maps of other sizes": (
        lambda: LinearGaussian(class_map=((1,), (1,))),
        "style_map must be a matrix of shape 2",
    ),
    "covariance not square": (
        lambda: LinearGaussian(class_covariance=((1, 0),)),
        "class_covariance must be a square matrix of size 1",
    ),
    "covariance singular": (
        lambda: LinearGaussian(class_map=((1, 1),), class_covariance=((1, 1), (1, 1))),
        "singular",
    ),
    "covariance not symmetric": (
        lambda: LinearGaussian(class_map=((1, 1),), class_covariance=((1, 0.5), (0, 1))),
        "symmetric",
    ),
    "gaussian noise zero": (lambda: LinearGaussian(noise=0.0), "noise must be above 0"),
    "gaussian noise negative": (lambda: LinearGaussian(noise=-1.0), "noise must be above 0"),
    "style covariance without style": (
        lambda: LinearGaussian(style_map=None, style_covariance=((1,),)),
        "needs a style_map",
    ),
    "matrix with NaN": (lambda: LinearGaussian(class_map=((math.nan,),)), "class_map must be finite"),
    "no angles": (lambda: ClassCircle(angles=()), "angles must have at least one"),
    "radius zero": (lambda: ClassCircle(radii=(1, 0)), r"radii\[1\] must be above 0"),
    "circle noise negative": (lambda: ClassCircle(noise=-1), "noise must be above 0"),
    "circle noise NaN": (lambda: ClassCircle(noise=math.nan), "noise must be finite"),
    "no turns": (lambda: ClassCircle(turns=0), "turns must be between 1 and"),
    "concentration with turns": (lambda: ClassCircle(concentration=2), "turns=None"),
    "negative concentration": (
        lambda: ClassCircle(turns=None, concentration=-1),
        "concentration must be at least 0",
    ),
    "erasure above one": (lambda: Erasure(erasure=2), "erasure must be a probability"),
    "erasure of no generator": (lambda: Erasure(base=3), "base must be a generator"),
    "erasure of images": (lambda: Erasure(base=ClassCircle()), "base must be a discrete family"),
    "erasure without input": (lambda: Erasure(RandomModel("C->Z")), "base must have a variable X"),
    "watermark without A": (lambda: Watermark(RandomModel("C->X")), "base must have a variable A"),
    "strength negative": (lambda: Watermark(strength=-0.1), "strength must be a probability"),
    "coarse too short": (lambda: Quotient(coarse=(0, 1)), "a label for each of 4"),
    "coarse with a gap": (lambda: Quotient(coarse=(0, 2, 0, 2)), "every label from 0 to 2"),
    "quotient twice": (lambda: Quotient(Quotient()), "no variable B"),
    "quotient by no subgroup": (lambda: Quotient.by_subgroup(Orbits(), (0, 1)), "must be a subgroup"),
    "product of Gaussians": (lambda: Product(LinearGaussian()), "first must be a discrete family"),
    "graph with a cycle": (lambda: RandomModel("A->B, B->A"), "cycle"),
    "graph no text": (lambda: RandomModel(3), "graph must be a diagram or its text"),
    "states of no variable": (lambda: RandomModel("A->B", states={"A": 2}), "states must name A, B"),
    "states zero": (lambda: RandomModel(states=0), "states must be between 1 and"),
    "concentration zero": (lambda: RandomModel(concentration=0), "concentration must be above 0"),
}


@pytest.mark.parametrize(("call", "message"), BAD.values(), ids=BAD)
def test_bad_parameters_get_their_own_error(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


@pytest.mark.parametrize(
    "generator", [SHIFT, LinearGaussian(), ClassCircle(), Orbits(), Product()], ids=lambda g: g.family
)
def test_unknown_variables_are_named(generator):
    with pytest.raises(ValueError, match="unknown variable 'Q'"):
        generator.exact("I(A;Q)")


def test_terms_without_closed_form_say_so():
    with pytest.raises(NoExactAnswerError, match="no closed form with R"):
        Orbits().predict("I(A;R|X)")
    with pytest.raises(NoExactAnswerError, match="no closed form"):
        RandomModel().predict("I(A;C|X)")
    with pytest.raises(NoExactAnswerError, match="no closed form"):
        Quotient(RandomModel("C->X, A->X")).predict("I(A;C|X)")
    with pytest.raises(NoExactAnswerError, match="no closed form"):
        Erasure(RandomModel()).predict("I(A;C|X)")
