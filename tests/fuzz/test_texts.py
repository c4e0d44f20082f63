"""Parsers of text: whatever comes, it is accepted or refused by one documented error of one line."""

import json
import random

import pytest
from attacks import (
    ALPHABET,
    ANSWERS,
    GROUPS,
    SETTINGS,
    TEXTS,
    answer,
    certificate,
    made,
    odd_json,
    replaced,
    settings_of_every_family,
    text_mutant,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from synergy.cli import run
from synthetic import load_generator
from theory import check

CHEAP = [name for name in TEXTS if name != "certificates"]
SEEDS = st.integers(0, 2**32)
"""A seed shrinks to a small number; what it makes is one of some four thousand million mutants."""


@pytest.mark.parametrize("name", CHEAP)
def test_parsers_accept_or_refuse_in_one_line(name):
    target = TEXTS[name]
    for text in target.valid:
        assert answer(lambda text=text: target.read(text)) == "accepted"

    @settings(max_examples=1500)
    @given(SEEDS)
    def mutants(seed):
        text = text_mutant(random.Random(seed), target.valid)
        assert answer(lambda: target.read(text)) in ANSWERS

    @settings(max_examples=500)
    @given(st.one_of(st.text(max_size=40), st.text(ALPHABET, max_size=60)))
    def anything(text):
        assert answer(lambda: target.read(text)) in ANSWERS

    mutants()
    anything()


@settings(max_examples=1500)
@given(SEEDS)
def test_certificates_of_any_content_are_checked_or_refused(seed):
    rng = random.Random(seed)
    content = json.loads(certificate_text())
    for _ in range(rng.choice((1, 1, 2, 3))):
        content = replaced(rng, content)
    text = json.dumps(content)
    assert answer(lambda: TEXTS["certificates"].read(text)) in ANSWERS


def test_damaged_certificates_prove_nothing_else():
    """A certificate that was changed and still passes proves what it says: its statement is checked, too."""
    rng = random.Random(0)
    text = certificate_text()
    for _ in range(300):
        mutant = text_mutant(rng, [text])
        try:
            accepted = bool(check(mutant))
        except (ValueError, TypeError):
            continue
        if accepted:
            assert check(json.dumps(json.loads(mutant)))


_TEXT: list[str] = []


def certificate_text() -> str:
    if not _TEXT:
        _TEXT.append(certificate())
    return _TEXT[0]


@pytest.mark.parametrize(("family", "name"), settings_of_every_family())
def test_every_parameter_of_every_family_takes_or_refuses_any_value(family, name):
    for text in (*SETTINGS, *GROUPS):
        if name in ("base", "first", "second") and text in ("glyphs", "digits"):
            continue
        assert answer(lambda text=text: made(family, {name: text})) in ANSWERS


@settings(max_examples=400)
@given(SEEDS)
def test_several_parameters_together_too(seed):
    rng = random.Random(seed)
    family, _ = rng.choice(settings_of_every_family())
    names = [name for other, name in settings_of_every_family() if other == family]
    chosen = {name: rng.choice(SETTINGS) for name in rng.sample(names, rng.randint(1, len(names)))}
    assert answer(lambda: made(family, chosen)) in ANSWERS


@settings(max_examples=300)
@given(SEEDS)
def test_json_of_any_shape_is_a_generator_or_refused(seed):
    text = json.dumps(odd_json(random.Random(seed), depth=4))
    assert answer(lambda: TEXTS["generators"].read(text)) in ANSWERS
    assert answer(lambda: TEXTS["group objects"].read(text)) in ANSWERS


def test_an_integer_that_no_float_holds_is_refused():
    with pytest.raises(
        ValueError, match="noise must be within the range of floats, got an integer of 3322 bits"
    ):
        load_generator({"family": "modular-shift", "parameters": {"noise": 10**1000}})


@pytest.mark.parametrize(
    "arguments",
    [
        ["exact", "orbits", "I(A;C|X)", "--set", "pose=[]"],
        ["exact", "orbits", "I(A;C|X)", "--set", "pose=[[]]"],
        ["exact", "orbits", "I(A;C|X)", "--set", "stabilisers=[[99999999999999999999]]"],
        ["exact", "modular-shift", "I(A;C|X)", "--set", "n=" + "9" * 5000],
        ["exact", "modular-shift", "I(A;C|X)", "--set", "n=100000"],
        ["exact", "modular-shift", "I(A;C|X)", "--set", "n=4096"],
        ["exact", "modular-shift", "I(A;C|X)", "--set", "prior=" + "[" * 100_000],
        ["exact", "random-model", "I(A;C|X)", "--set", "states=100000"],
        ["exact", "two-views", "I(X;Y)", "--set", "shared=100000"],
        ["exact", "erasure", "I(A;C|X)", "--set", "base." * 2000 + "n=1"],
        ["generate", "modular-shift", "--samples", "9" * 30, "--seed", "0", "--out", "x"],
        ["generate", "modular-shift", "--samples", "5", "--seed", "9" * 30, "--shards", "7", "--out", "x"],
        ["prove", "H(A) >= " + "9" * 5000 + " H(B)"],
        ["prove", "H(A) >= 1e99999 H(B)"],
        ["prove", "(" * 5000 + "H(A)" + ")" * 5000 + " >= 0"],
        ["prove", "H(A) >= 0", "--diagram", "->".join(["A", "B"] * 3000)],
        ["prove", "H(A) >= 0", "--seconds", "nan"],
        ["prove", "H(A) >= 0", "--seconds", "0"],
        ["list", "\x00"],
        ["describe", "\x00.csv"],
        ["describe", "x" * 5000 + ".csv"],
    ],
    ids=lambda arguments: " ".join(arguments)[:60].replace("\x00", "NUL"),
)
def test_the_command_line_refuses_in_one_line(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("synergy: ")
    assert len(said.err) < 8000
    assert list(tmp_path.iterdir()) == []


def test_what_counts_as_a_failure_is_one():
    """The judge of all these tests can say no."""

    def several():
        raise ValueError("one\ntwo")

    def long():
        raise ValueError("x" * 5000)

    def other():
        raise RecursionError

    for call in (several, long, other):
        with pytest.raises(AssertionError):
            assert answer(call) in ANSWERS
    assert answer(lambda: None) == "accepted"
