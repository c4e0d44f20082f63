"""The registry of claims, and each claim judged by enumeration."""

import pickle
import re

import pytest
import sympy

from theory import CLAIMS, Claim, Joint, Model, find_claim, judge, prove, register
from theory.claims.exact import TOLERANCE, is_on, slack
from theory.parser import parse_statement


def made(**changes):
    options = {"prose": "p", "reference": "r", "worlds": ("proof", "exact")}
    arguments = {"id": "test", "title": "t", "statement": "I(A;Z|C) >= I(A;Z)", "expectation": "true"}
    return Claim(**{**arguments, **options, **changes})


@pytest.mark.parametrize("id", CLAIMS)
def test_every_claim_comes_out_as_expected(id):
    if "exact" not in CLAIMS[id].worlds:
        pytest.fail(f"every claim of the registry can be judged by enumeration, {id} cannot")
    for seed in (0, 1):
        evidence = judge(CLAIMS[id], seed=seed)
        assert evidence.holds, evidence.summary


@pytest.mark.parametrize("id", [i for i, c in CLAIMS.items() if c.witness is not None])
def test_witnesses_decide_by_far_more_than_rounding(id):
    parts = CLAIMS[id].statement.relations
    joint = CLAIMS[id].witness()
    strict = [joint.value(r.gap) for r in parts if r.operator in (">", "<")]
    if CLAIMS[id].expectation == "false":
        assert slack(joint, CLAIMS[id].statement) < -0.1
    else:
        assert strict
        assert min(strict) > 0.1


@pytest.mark.parametrize(
    ("statement", "expectation"),
    [
        ("I(A;Z|C) <= I(A;Z)", "true"),
        ("I(A;Z|C) == I(A;Z) + 2 I(A;C|Z)", "true"),
        ("I(A;Z|C) >= I(A;Z)", "false"),
        ("I(A;C) > 0", "exists"),
        ("I(A;Z) > I(A;X)", "exists"),
    ],
)
def test_a_wrong_expectation_is_found_out(statement, expectation):
    assert not judge(made(statement=statement, expectation=expectation)).holds


def test_a_witness_that_does_not_decide_is_found_out():
    flat = Joint.from_function(("A", "C", "X", "Z"), (2, 2, 2, 2), {})
    assert not judge(made(statement="I(A;C|X) > 0", expectation="exists", witness=lambda: flat)).holds


def test_a_search_without_witness_finds_explaining_away():
    evidence = judge(made(statement="I(A;C|X) > 0", expectation="exists"), seed=3)
    assert evidence.holds
    assert evidence.margin > TOLERANCE


PROVABLE = [i for i, c in CLAIMS.items() if "proof" in c.worlds]


@pytest.mark.parametrize("id", PROVABLE)
def test_the_prover_agrees_with_the_expectation(id):
    chosen = CLAIMS[id]
    outcome = prove(
        chosen.statement, diagram=chosen.diagram, given=chosen.given, exists=chosen.expectation == "exists"
    )
    assert outcome.verdict == ("refuted" if chosen.expectation == "false" else "proved")


def test_every_statement_of_the_theory_is_registered():
    ids = "E1 E2 E3 E4 U1 D1 D2 D3 D4 L1 L2 L3 R1 R2 P1 P2 P3 P3b P4 F1 M1 M2 V1 V2 G1 G2 J1 J2 J3 J3b J4 J5"
    assert set(ids.split()) <= set(CLAIMS)
    ours = "L3 P2 V1 V2 G1 G2 J1 J2 J3 J3b J4 J5"
    assert " ".join(i for i in ids.split() if CLAIMS[i].ours) == ours


@pytest.mark.parametrize("id", [i for i, c in CLAIMS.items() if c.checks])
def test_laws_hold_in_every_world_that_has_a_check(id):
    for world in CLAIMS[id].checks:
        for seed in (0, 7):
            evidence = judge(CLAIMS[id], world, seed=seed)
            assert evidence.world == world
            assert evidence.holds, evidence.summary
            assert evidence.cases > 0


@pytest.mark.parametrize("id", [i for i, c in CLAIMS.items() if c.witness is not None])
def test_witnesses_are_on_their_diagrams(id):
    assert is_on(CLAIMS[id].witness(), CLAIMS[id].diagram)


def test_a_witness_off_its_diagram_does_not_count():
    tied = Joint.from_function(("A",), (2,), {"C": lambda a: a, "X": lambda a: 0})
    assert not is_on(tied, find_claim("E4").diagram)
    evidence = judge(made(statement="I(A;C|X) > 0", expectation="exists", witness=lambda: tied))
    assert not evidence.holds
    assert "not on the diagram" in evidence.summary
    assert not is_on(Joint.from_function(("A", "B"), (2, 2), {}), find_claim("F1").diagram)


@pytest.mark.parametrize("id", [i for i, c in CLAIMS.items() if c.draw is not None])
def test_drawn_models_are_on_their_diagrams(id):
    for seed in range(3):
        assert is_on(CLAIMS[id].draw(seed), CLAIMS[id].diagram)


def test_checks_can_fail(monkeypatch):
    from theory.claims import checks, formal
    from theory.predictions import erasure

    honest = Joint.channel

    def leaky(joint, source, target, kernel):
        wrong = kernel if target != "Y" else (kernel + 1 / kernel.shape[1]) / 2
        return honest(joint, source, target, wrong)

    monkeypatch.setattr(Joint, "channel", leaky)
    assert not checks.erasure_scales(0).holds
    monkeypatch.setattr(Joint, "channel", honest)
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "erasure", sympy.Symbol("another"))
        assert not formal.erasure_is_formal(0).holds
    monkeypatch.setattr(formal, "_SKEWED", [1, 0, 0, 0])
    assert formal.coarse_labels_lose_synergy(0).holds
    monkeypatch.setattr(formal, "_QUARTERS", [[0, 1, 2, 3]] * 4)
    assert not formal.free_orbits_have_no_synergy(0).holds
    monkeypatch.setattr(checks, "forced_information", lambda joint, **options: joint.value("H(C)") + 1)
    assert not checks.optimal_solvers_know_the_posterior(0).holds
    assert not checks.designs_order_forced_information(0).holds
    monkeypatch.setattr(checks, "posterior_gap", lambda joint: _Half(joint))
    assert not checks.near_optimal_shows_the_posterior(0).holds
    flat = Model.random_exact

    def constant(diagram, sizes, *, seed, denominator):
        return flat(
            diagram, {**dict.fromkeys(diagram.variables, 2), "X": 1}, seed=seed, denominator=denominator
        )

    monkeypatch.setattr(Model, "random_exact", constant)
    assert not checks.synergy_is_common(0).holds


class _Half:
    def __init__(self, joint):
        self.excess = joint.value("I(A;X) - I(A;Z)")
        self.divergence, self.distance = self.excess / 2, 2.0


def test_the_same_seed_gives_the_same_evidence():
    assert judge(find_claim("E2"), seed=5) == judge(find_claim("E2"), seed=5)
    assert judge(find_claim("E4"), seed=5) != judge(find_claim("E4"), seed=6)


def test_a_draw_that_breaks_a_given_fact_is_refused():
    broken = made(
        given=("H(A|X) == 0",),
        statement="I(A;C|X) == 0",
        draw=lambda seed: find_claim("E4").witness(),
    )
    with pytest.raises(ValueError, match=r"must satisfy H\(A\|X\) == 0"):
        judge(broken)


BAD = {
    "no id": ({"id": ""}, ValueError, "text for id, got ''"),
    "no prose": ({"prose": " "}, ValueError, "text for prose, got ' '"),
    "unknown expectation": ({"expectation": "maybe"}, ValueError, "got 'maybe'"),
    "unknown world": ({"worlds": ("moon",)}, ValueError, "got ('moon',)"),
    "no world": ({"worlds": ()}, ValueError, "got ()"),
    "variable off the diagram": ({"statement": "I(A;Q) >= 0"}, ValueError, "unknown variable 'Q'"),
    "given off the diagram": ({"given": ("H(Q) == 0",)}, ValueError, "unknown variable 'Q'"),
    "malformed statement": ({"statement": "I(A;Z"}, ValueError, "cannot parse at position"),
    "given as a number": ({"given": 3}, TypeError, "given must be a statement or several, got 3"),
    "no diagram": ({"diagram": "none"}, ValueError, "a diagram is needed here"),
    "law without check": ({"law": "more"}, ValueError, "needs at least one check"),
    "check outside its worlds": (
        {"law": "more", "checks": {"sample": lambda seed: None}},
        ValueError,
        "are for worlds ('sample',)",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_claims_are_refused(case):
    changes, error, message = BAD[case]
    with pytest.raises(error, match=re.escape(message)):
        made(**changes)


def test_ids_are_unique_and_unknown_ones_list_the_rest():
    with pytest.raises(ValueError, match="the claim id 'E1' is taken"):
        register(made(id="E1"))
    with pytest.raises(ValueError, match=r"unknown claim 'E99': the registry has E1, E2, .*G2"):
        find_claim("E99")
    with pytest.raises(TypeError, match="register needs a Claim, got str"):
        register("E1")
    assert "test" not in CLAIMS


@pytest.mark.parametrize("id", CLAIMS)
def test_claims_travel_between_processes(id):
    copy = pickle.loads(pickle.dumps(CLAIMS[id]))
    assert copy == CLAIMS[id]
    assert dict(copy.checks) == dict(CLAIMS[id].checks)
    assert copy.witness is CLAIMS[id].witness


def test_claims_print_in_a_terminal_and_in_a_notebook():
    told = str(find_claim("L2"))
    assert told.startswith("L2 Lossless means no synergy: I(A;C|X) == 0 given H(A|X) == 0 (true)")
    assert find_claim("L2").latex() == r"H(A \mid X) = 0: \quad I(A; C \mid X) = 0"
    assert find_claim("P2")._repr_markdown_().startswith("**P2. Watermarks cost synergy** (true). ")
    assert "$$I(A; C \\mid X, M) \\le I(A; C \\mid X)$$" in find_claim("P2")._repr_markdown_()


def test_worlds_without_a_check_are_refused():
    with pytest.raises(ValueError, match="claim E1 has no check in the world 'sample': it has exact"):
        judge(find_claim("E1"), "sample")
    with pytest.raises(ValueError, match="models must be at least 1, got 0"):
        judge(find_claim("E1"), models=0)
    with pytest.raises(ValueError, match="cannot be satisfied by construction; give the claim a `draw`"):
        judge(made(given=("H(A) == H(C)",)))


def test_strict_parts_and_chains_have_a_slack():
    joint = find_claim("E4").witness()
    assert slack(joint, parse_statement("I(A;C|X) > 0 and H(A) >= I(A;C|X)")) == pytest.approx(0, abs=1e-12)
    assert slack(joint, parse_statement("I(A;C|X) == H(A) + H(C)")) == pytest.approx(-0.693147, abs=1e-6)
