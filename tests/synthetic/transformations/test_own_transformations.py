"""Functions of one's own as transformations, and claims of a group that are checked on a batch."""

import itertools

import numpy as np
import pytest
import torch

from synthetic import Digits
from synthetic.transformations import (
    TRANSFORMATIONS,
    FunctionTransformation,
    Transformation,
    on_grid,
    transformation,
)
from synthetic.transformations.own import find_group

IMAGES = on_grid(torch.rand(5, 2, 4, 4, generator=torch.Generator().manual_seed(3)))
SHAPE = (2, 4, 4)


def roll(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.roll(int(a), -1) for x, a in zip(images, labels, strict=True)])


def turn(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.rot90(int(a), (1, 2)) for x, a in zip(images, labels, strict=True)])


def dihedral(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    turned = turn(images, labels % 4)
    return torch.where((labels < 4)[:, None, None, None], turned, turned.flip(-1))


def test_a_function_is_a_transformation():
    action = transformation((roll, 4))
    assert isinstance(action, Transformation)
    assert action.name == "roll"
    assert action.cardinality == 4
    labels = torch.tensor([0, 1, 2, 3, 1])
    assert torch.equal(action.apply(IMAGES, labels), roll(IMAGES, labels))
    assert action.group is None
    assert action.exactness == "not claimed"
    assert set(action.draw(200, np.random.default_rng(0)).tolist()) == {0, 1, 2, 3}


def test_arrays_double_precision_and_changes_in_place_do_no_harm():
    def brighten(images: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
        images /= 2
        return images.numpy().astype(np.float64) + labels[:, None, None, None].numpy() / 10

    before = IMAGES.clone()
    found = FunctionTransformation(brighten, 3).apply(IMAGES, torch.tensor([0, 1, 2, 0, 0]))
    assert torch.equal(IMAGES, before)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[2], before[2] / 2 + 0.2)


@pytest.mark.parametrize(
    ("function", "states", "abelian"), [(roll, 4, True), (turn, 4, True), (dihedral, 8, False)]
)
def test_exact_groups_are_found_and_right(function, states: int, abelian: bool):
    action = FunctionTransformation(function, states, exact=True)
    action.check(SHAPE)
    group = action.group
    assert group is not None
    assert group.order == states
    assert group.is_abelian == abelian
    for g, h in itertools.product(range(states), repeat=2):
        first = torch.full((5,), h), torch.full((5,), g)
        twice = action.apply(action.apply(IMAGES, first[0]), first[1])
        once = action.apply(IMAGES, torch.full((5,), int(group.multiply(g, h))))
        assert torch.equal(twice, once)


@pytest.mark.parametrize("name", [n for n, kind in TRANSFORMATIONS.items() if kind.exactness == "exact"])
def test_the_check_finds_the_groups_of_the_built_in_actions(name: str):
    action = transformation(name)
    assert find_group(action, (3, 4, 4)) == action.group


def gray(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.where(
        (labels == 0)[:, None, None, None], images, images.mean(1, keepdim=True).expand_as(images)
    )


def fade(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return images * (1 - labels / 4)[:, None, None, None]


def smear(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return torch.where(
        (labels == 0)[:, None, None, None], images, images.amax((1, 2, 3), keepdim=True).expand_as(images)
    )


BROKEN = {
    "no identity": (lambda x, a: roll(x, a + 1), 3, "the identity must be label 0 .* and no label does"),
    "the identity elsewhere": (
        lambda x, a: roll(x, a + 1),
        4,
        "the identity must be label 0 .* and label 3 does",
    ),
    "two labels alike": (lambda x, a: roll(x, a), 8, "labels 0 and 4 do the same"),
    "not closed": (roll, 3, r"label 1 after label 2 must be a label too \(closure\)|label 2 after label 1"),
    "not one to one": (smear, 2, "label 1 has no inverse"),
    "fading": (fade, 4, "closure"),
    "the first label for all": (
        lambda x, a: roll(x, a[:1].expand_as(a)),
        4,
        "something else beside|do the same",
    ),
    "random": (
        lambda x, a: x + torch.rand_like(x) * (a > 0)[:, None, None, None],
        2,
        "when it is called twice",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_claims_that_are_false_name_the_law(case: str):
    function, states, message = BROKEN[case]
    action = FunctionTransformation(function, states, called="mine", exact=True)
    with pytest.raises(
        ValueError, match=f"'mine' is no exact group action on images of shape .*({message})"
    ) as e:
        action.check(SHAPE)
    assert "\n" not in str(e.value)
    assert "leave out exact=True" in str(e.value)
    FunctionTransformation(function, states).check(SHAPE)


def test_rounding_is_not_exact_and_says_by_how_much():
    def dim(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return torch.where((labels == 0)[:, None, None, None], images, 1 / (1 + images) * 1.1)

    with pytest.raises(ValueError, match="the nearest one differs by"):
        FunctionTransformation(dim, 2, exact=True).check(SHAPE)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, a: x[:, :1], r"must give images of the shape .* got \(4, 1, 4, 4\)"),
        (lambda x, a: x.long(), "must give images of floats, got torch.int64"),
        (lambda x, a: None, "must give images of floats, got NoneType"),
        (lambda x, a: x / 0, "made NaN or infinities"),
        (lambda x: x, "failed on images of shape .* TypeError"),
        (lambda x, a: x.roll(a.item(), -1), "failed on images of shape .* with labels of shape"),
    ],
)
def test_functions_that_are_no_transformation(function, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        FunctionTransformation(function, 4).check(SHAPE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: FunctionTransformation(3, 4), TypeError, "function must take images and labels"),
        (lambda: FunctionTransformation(roll, 1), ValueError, "states must be at least 2"),
        (lambda: FunctionTransformation(roll, 2.0), TypeError, "states must be an integer"),
        (
            lambda: FunctionTransformation(roll, 300, exact=True),
            ValueError,
            "states must be between 2 and 256",
        ),
        (
            lambda: FunctionTransformation(roll, 256, exact=True).check((3, 512, 512)),
            ValueError,
            "check it on smaller images",
        ),
        (lambda: transformation(roll), TypeError, r"give a function with its number of states, as \(f, 4\)"),
        (lambda: transformation((roll, True)), TypeError, "transformation must be a name"),
    ],
)
def test_what_cannot_be_one(make, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        make()


def test_generators_of_real_images_take_it():
    drawn = Digits(transformation=FunctionTransformation(roll, 8, exact=True)).sample(20, seed=0)
    raw = Digits().raw[drawn["R"]]
    assert torch.equal(torch.from_numpy(drawn["X"]), roll(raw, torch.from_numpy(drawn["A"])))


def test_a_function_is_told_from_another_by_its_code_alone():
    def made(step: int):
        return FunctionTransformation(lambda x, a: x.roll(step, -1) * a.min().clamp(1, 1), 4, called="mine")

    same = [repr(made(1)) for _ in range(2)]
    assert same[0] == same[1]
    assert "0x" not in same[0]
    assert repr(FunctionTransformation(lambda x, a: x.roll(3, -1), 4, called="mine")) != same[0]
    assert "0x" not in repr(FunctionTransformation(torch.add, 4))
