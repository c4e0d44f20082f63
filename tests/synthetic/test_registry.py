import json
from dataclasses import dataclass
from typing import ClassVar

import pytest

from synthetic import (
    GENERATORS,
    Erasure,
    Generator,
    LinearGaussian,
    ModularShift,
    Orbits,
    Product,
    RandomModel,
    describe,
    dihedral,
    load_generator,
    make_generator,
)
from synthetic.groups import FiniteGroup

families = pytest.mark.parametrize("family", GENERATORS)


@families
def test_every_family_has_defaults_that_describe_themselves(family):
    description = describe(family)
    json.dumps(description)
    assert description["family"] == family
    assert description["summary"].endswith(".")
    assert all(p["meaning"] and p["type"] for p in description["parameters"])
    assert description["variables"]
    assert make_generator(family) == GENERATORS[family]()


@families
def test_every_family_survives_json(family):
    generator = make_generator(family)
    content = json.loads(json.dumps({"family": family, "parameters": generator.settings}))
    assert load_generator(content) == generator


def test_answers_are_the_ones_that_a_family_gives():
    assert describe("orbits")["answers"] == ["symbolic", "enumeration"]
    assert describe("linear-gaussian")["answers"] == ["symbolic", "log-determinant"]
    assert describe("class-circle")["answers"] == ["quadrature"]
    assert describe("random-model")["answers"] == ["enumeration"]
    assert describe("modular-shift")["parameters"][1] == {
        "name": "classes",
        "type": "an integer or none",
        "default": None,
        "required": False,
        "meaning": "The number of classes, 1 to n; None for n, or for as many as the prior has.",
    }


@pytest.mark.parametrize(
    ("family", "settings", "expected"),
    [
        ("modular-shift", {"n": "6", "noise": "1/8", "classes": "none"}, ModularShift(n=6, noise=0.125)),
        (
            "modular-shift",
            {"prior": "[0.5, 0.25, 0.25]", "noise": "1e-1"},
            ModularShift(prior=(0.5, 0.25, 0.25), noise=0.1),
        ),
        (
            "orbits",
            {"group": "dihedral(3)", "stabilisers": "[[0], [0, 3]]", "classes": "[[0, 1], [1, 2]]"},
            Orbits(dihedral(3), ((0,), (0, 3)), ((0, 1), (1, 2))),
        ),
        (
            "orbits",
            {"pose": "[[1,0,0,0],[1,0,0,0],[1,0,0,0],[0,1,0,0]]"},
            Orbits(pose=((1, 0, 0, 0), (1, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0))),
        ),
        ("orbits", {"pose": "[0.5, 0.5, 0, 0]"}, Orbits(pose=(0.5, 0.5, 0, 0))),
        (
            "linear-gaussian",
            {"noise": "0.25", "style_map": "none"},
            LinearGaussian(noise=0.25, style_map=None),
        ),
        ("linear-gaussian", {"noise": "[[2]]"}, LinearGaussian(noise=((2,),))),
        ("erasure", {"base": "orbits", "base.noise": "0.1"}, Erasure(Orbits(noise=0.1))),
        ("erasure", {"base.n": "5", "erasure": "0.5"}, Erasure(ModularShift(n=5), erasure=0.5)),
        (
            "product",
            {"first": "erasure", "first.base.n": "3", "second": "orbits", "second.noise": "0.2"},
            Product(Erasure(ModularShift(n=3)), Orbits(noise=0.2)),
        ),
        (
            "random-model",
            {"graph": "C->X", "states": '{"C": 2, "X": 3}'},
            RandomModel("C->X", {"C": 2, "X": 3}),
        ),
        ("random-model", {"states": "3"}, RandomModel(states=3)),
    ],
)
def test_text_becomes_the_generator(family, settings, expected):
    assert make_generator(family, settings) == expected


@pytest.mark.parametrize(
    ("family", "settings", "message"),
    [
        ("modular-shft", {}, r"unknown generator 'modular-shft' \(did you mean modular-shift\?\): there are"),
        ("nothing", {}, "unknown generator 'nothing': there are modular-shift,"),
        (
            "modular-shift",
            {"nosie": "1"},
            r"no parameter 'nosie' \(did you mean noise\?\): it has n, classes",
        ),
        ("modular-shift", {"n": "four"}, "n must be an integer, got 'four'"),
        ("modular-shift", {"n": "4.0"}, "n must be an integer, got '4.0'"),
        ("modular-shift", {"noise": "nan"}, "noise must be a number, got 'nan'"),
        ("modular-shift", {"noise": "1/0"}, "noise must be a number, got '1/0'"),
        ("modular-shift", {"noise": "2"}, "noise must be a probability"),
        ("modular-shift", {"prior": "[0.5,"}, "prior must be a list of numbers or none, got .* must be JSON"),
        ("modular-shift", {"prior": '["a"]'}, "an entry of it must be a number"),
        ("modular-shift", {"prior": "[true]"}, "an entry of it must be a number"),
        ("modular-shift", {"n.k": "1"}, "n is no generator"),
        ("orbits", {"group": "klein"}, "cannot read the group 'klein'"),
        ("orbits", {"stabilisers": "[[0, 1]]"}, "must be a subgroup"),
        ("orbits", {"classes": "[[0]]"}, "must be a list of integers"),
        ("erasure", {"base": "nope"}, "unknown generator 'nope'"),
        ("erasure", {"base.m": "1"}, "no parameter 'base.m'"),
        ("erasure", {"base.n": "x"}, "base.n must be an integer"),
        ("random-model", {"states": '{"C": "x"}'}, "states must be"),
    ],
)
def test_bad_text_is_refused_with_what_exists(family, settings, message):
    with pytest.raises(ValueError, match=message):
        make_generator(family, settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "unknown generator 'None'"),
        ({"family": "modular-shift", "parameters": 3}, "must be an object"),
        ({"family": "modular-shift", "parameters": {"n": "4"}}, "n must be an integer, got '4'"),
        ({"family": "modular-shift", "parameters": {"n": True}}, "n must be an integer"),
        ({"family": "modular-shift", "parameters": {"m": 4}}, "no parameter 'm'"),
        ({"family": "erasure", "parameters": {"base": 3}}, "base must be a generator"),
        ({"family": "orbits", "parameters": {"group": 3}}, "a group is a name or an object"),
    ],
)
def test_bad_json_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        load_generator(content)


def test_a_group_without_a_name_survives_json():
    mine = FiniteGroup(dihedral(3).table, name="mine")
    world = Orbits(mine, ((0,),), ((0, 0), (0, 1)))
    content = json.loads(json.dumps({"family": "orbits", "parameters": world.settings}))
    assert load_generator(content) == world


@dataclass(frozen=True)
class Coin(ModularShift):
    """A family of one's own.

    Args:
        n: The number of sides.
    """

    family: ClassVar[str] = "coin"


def test_a_family_of_ones_own_is_one_entry(monkeypatch):
    monkeypatch.setitem(GENERATORS, "coin", Coin)
    world = make_generator("coin", {"n": "3"})
    assert isinstance(world, Generator)
    assert world.family == "coin"
    assert describe("coin")["summary"] == "A family of one's own."


def closed_form(self, expression):
    return 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"predict": closed_form}, "has predict, which needs answers with 'symbolic' and symbols"),
        ({"predict": closed_form, "answers": ("symbolic",)}, "has predict, which needs symbols"),
        ({"predict": closed_form, "symbols": property(dict)}, "has predict, which needs answers"),
        ({"answers": ("symbolic",)}, "has no predict, which is needed by answers with 'symbolic'"),
        ({"symbols": property(dict)}, "has no predict, which is needed by symbols"),
    ],
    ids=["neither", "no symbols", "no answers", "only answers", "only symbols"],
)
def test_a_prediction_that_nobody_would_see_is_refused_with_its_class(body, message):
    with pytest.raises(TypeError, match=message):
        type("Mine", (Generator,), body)


def test_a_class_with_a_whole_prediction_or_none_is_accepted():
    whole = {"predict": closed_form, "symbols": property(lambda self: {}), "answers": ("symbolic",)}
    assert issubclass(type("Whole", (Generator,), whole), Generator)
    assert issubclass(type("None_", (Generator,), {}), Generator)
