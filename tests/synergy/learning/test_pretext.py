"""Pretext tasks against slow references and closed forms."""

import math

import numpy as np
import pytest
import torch

from synergy.learning import (
    Eliminate,
    Equivariance,
    ImageSet,
    Invariance,
    PredictLabel,
    PredictTransformation,
    SoftEquivariance,
    Stream,
    Task,
    as_task,
)
from synergy.learning.pretext import GivenHead, nt_xent, orthogonal_equivariance
from synthetic import Digits, ModularShift
from synthetic.transformations import Transformation, transformation

SEVEN = ["rotation", "horizontal-flip", "vertical-flip", "inversion", "grayscale", "jigsaw", "blur"]


def pictures(n: int = 24, channels: int = 1, side: int = 8) -> ImageSet:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(n, channels, side, side, generator=rng)
    return ImageSet(images, {"C": torch.arange(n) % 3}, {"C": 3})


def batch_of(images: ImageSet, size: int = 24, seed: int = 0):
    return next(images.batches(0, size, seed=seed, device=torch.device("cpu")))


@pytest.mark.parametrize("augment", ["none", "simclr"])
@pytest.mark.parametrize("name", [*SEVEN, "rotation+blur"])
def test_mixed_precision_leaves_the_images_exact(name: str, augment: str):
    """In bfloat16 a blurred image would be told from a sharp one by its rounding."""
    task = PredictTransformation(name, augment=augment)
    images = pictures(channels=3)
    full = task.views(batch_of(images))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = task.views(batch_of(images))
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, full)


@pytest.mark.parametrize("name", SEVEN)
def test_each_of_the_seven_is_applied_as_labelled(name: str):
    images = pictures(channels=3)
    shown = PredictTransformation(name).show(batch_of(images))
    raw = batch_of(images).images
    expected = transformation(name).apply(raw, shown.targets[0])
    assert torch.equal(shown.images, expected)
    assert len(torch.unique(shown.targets[0])) > 1


def test_several_transformations_are_applied_in_order_with_one_joint_label():
    task = as_task("rotation+inversion+horizontal-flip")
    codes = torch.arange(16)
    images = torch.rand(16, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    turn, invert, flip = codes // 4, codes // 2 % 2, codes % 2
    expected = transformation("rotation").apply(images, turn)
    expected = transformation("inversion").apply(expected, invert)
    expected = transformation("horizontal-flip").apply(expected, flip)
    assert torch.equal(task.apply(images, codes), expected)
    assert [column.tolist() for column in task.split(codes)] == [x.tolist() for x in (turn, invert, flip)]
    sample = pictures().transformed(task, seed=0)
    assert np.array_equal(sample["A"], sample["A1"] * 4 + sample["A2"] * 2 + sample["A3"])


class Still(Transformation):
    """Gives back the very tensor that it was given, as one of a user's own might."""

    name = "still"
    exactness = "exact"
    statement = "the trivial group"
    cardinality = 2

    def transform(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return images


@pytest.mark.parametrize("augment", ["none", "crop+flip", "simclr"])
@pytest.mark.parametrize("parts", ["rotation", "blur+rotation", "rotation+blur", "still"])
def test_views_leave_the_data_and_the_batch_as_they_were(parts: str, augment: str):
    spec = [Still(), transformation("rotation")] if parts == "still" else parts
    images = pictures(channels=3)
    before = images.images.clone()
    for task in (
        PredictTransformation(spec, augment=augment),
        Invariance(task=spec, augment=augment),
        Equivariance(spec, augment=augment),
    ):
        batch = batch_of(images)
        chosen = batch.images.clone()
        task.views(batch)
        assert torch.equal(images.images, before)
        assert torch.equal(batch.images, chosen)


def test_a_coarse_label_is_a_function_of_the_fine_one_on_the_same_images():
    fine = pictures().transformed("rotation", copies=3, seed=4)
    coarse = pictures().transformed(as_task("rotation", coarse=[0, 1, 0, 1]), copies=3, seed=4)
    assert np.array_equal(fine["X"], coarse["X"])
    assert np.array_equal(coarse["B"], fine["A"])
    assert np.array_equal(coarse["A"], fine["A"] % 2)
    assert coarse.groups == "R"
    assert len(np.unique(coarse["R"])) == 24


def test_joint_and_separate_prediction_agree_where_the_parts_are_independent():
    """With zero weights both losses are the entropy of the labels: log 8."""
    images = pictures()
    for joint in ("product", "sum"):
        pretext = PredictTransformation("rotation+inversion", joint=joint)
        head = pretext.head(4, images.states)
        for p in head.parameters():
            torch.nn.init.zeros_(p)
        encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
        found = pretext.losses(encoder, head, batch_of(images))
        assert found.total.item() == pytest.approx(math.log(8), abs=1e-6)


def test_nt_xent_is_its_definition():
    first, second = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    z = torch.nn.functional.normalize(torch.cat([first, second]), dim=1)
    total = 0.0
    for i in range(10):
        others = [float(z[i] @ z[j]) / 0.5 for j in range(10) if j != i]
        total += math.log(sum(map(math.exp, others))) - float(z[i] @ z[(i + 5) % 10]) / 0.5
    assert nt_xent(first, second, 0.5).item() == pytest.approx(total / 10, abs=1e-5)


def test_orthogonal_equivariance_is_zero_for_orthogonal_maps_only():
    before = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(3))
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(4))).Q
    shear = torch.eye(5) + 0.5 * torch.ones(5, 5).triu(1)
    assert orthogonal_equivariance(before, before @ turn).item() < 1e-12
    assert orthogonal_equivariance(before, before @ shear).item() > 1e-3
    slow = []
    x = torch.nn.functional.normalize(before, dim=2)
    y = torch.nn.functional.normalize(before @ shear, dim=2)
    for b in range(4):
        slow += [
            float(y[b, i] @ y[b, j] - x[b, i] @ x[b, j]) ** 2 for i in range(6) for j in range(6) if i != j
        ]
    assert orthogonal_equivariance(before, before @ shear).item() == pytest.approx(np.mean(slow), rel=1e-4)


def test_equivariance_turns_each_block_alike():
    images = pictures(24)
    pretext = Equivariance("rotation", block=8)
    first, second = pretext.views(batch_of(images)).split(24)
    for block in range(3):
        rows = slice(8 * block, 8 * block + 8)
        turned = [torch.equal(torch.rot90(first[rows], k, (2, 3)), second[rows]) for k in range(4)]
        assert sum(turned) == 1


@pytest.mark.parametrize("augment", ["none", "crop"])
def test_soft_equivariance_asks_the_output_and_the_inner_layer_for_different_things(augment):
    options = {"augment": augment, "weight": 3.0}
    soft, strict = SoftEquivariance("rotation", **options), Equivariance("rotation", **options)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    head = soft.head(4, {})
    batch = batch_of(pictures(24))
    parts = soft.views(batch_of(pictures(24))).split(24)
    inner = [encoder(part) for part in parts]
    outputs = [head(z) for z in inner]
    contrast = nt_xent(outputs[1], outputs[0] if augment == "none" else outputs[2], 0.5)
    term = orthogonal_equivariance(*(z.reshape(3, 8, 4) for z in inner[:2]))
    found = soft.losses(encoder, head, batch)
    torch.testing.assert_close(found.total, contrast + 3 * term)
    torch.testing.assert_close(found.metrics["equivariance"], term.detach())
    at_output = strict.losses(encoder, head, batch_of(pictures(24)))
    assert abs(at_output.metrics["equivariance"] - term) > 1e-4  # CARE has the term at the output
    gone = torch.autograd.grad(term, list(head.parameters()), allow_unused=True)
    assert all(g is None for g in gone)
    with pytest.raises(ValueError, match="at least one block of 8 images, got 3"):
        soft.losses(encoder, head, batch_of(pictures(), 3))


def test_invariance_shows_two_different_views():
    first, second = Invariance(augment="crop").views(batch_of(pictures())).chunk(2)
    assert first.shape == second.shape == (24, 1, 8, 8)
    assert not torch.equal(first, second)


def test_a_told_head_uses_the_class_of_each_row():
    head = GivenHead(3, 2, 4)
    with torch.no_grad():
        head.weight.normal_(generator=torch.Generator().manual_seed(5))
        head.bias.normal_(generator=torch.Generator().manual_seed(6))
    z, given = torch.randn(6, 3, generator=torch.Generator().manual_seed(7)), torch.tensor([0, 3, 1, 1, 2, 0])
    expected = torch.stack([head.weight[c] @ row + head.bias[c] for row, c in zip(z, given, strict=True)])
    torch.testing.assert_close(head(z, given), expected)


def test_reversal_turns_the_critics_gradient_round():
    images = pictures()
    batch = batch_of(images)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    pretext = Eliminate(PredictLabel("C"), weight=2.0, method="reversal")
    head = pretext.head(4, images.states)

    def gradient(loss: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(loss, encoder[1].weight, retain_graph=True)[0]

    z = encoder(batch.images)
    task = torch.nn.functional.cross_entropy(head.task(z), batch.labels["C"])
    critic = torch.nn.functional.cross_entropy(head.critic(z), batch.labels["C"])
    expected = gradient(task) - 2.0 * gradient(critic)
    found = gradient(pretext.losses(encoder, head, batch).total)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_alternation_gives_the_critic_its_own_optimiser():
    images = pictures()
    pretext = Eliminate(PredictTransformation("rotation"), critic_steps=4)
    head = pretext.head(4, images.states)
    mine = {id(p) for p in pretext.adversary_parameters(head)}
    assert mine == {id(p) for p in head.critic.parameters()}
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    losses = list(pretext.adversary_losses(encoder, head, batch_of(images)))
    assert len(losses) == 4
    losses[0].backward()
    assert encoder[1].weight.grad is None


def test_a_set_splits_by_raw_image():
    sample = pictures(30).transformed("rotation", copies=2, seed=0)
    first, second = ImageSet.from_sample(sample).split(0.5, seed=0)
    assert len(first) + len(second) == 60
    assert not set(first.groups.tolist()) & set(second.groups.tolist())
    assert set(first.states) == {"C", "A"}


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own():
    images = pictures(24)
    device = torch.device("cpu")

    def order(epoch: int, seed: int) -> torch.Tensor:
        return torch.cat([b.images for b in images.batches(epoch, 8, seed=seed, device=device)])

    assert torch.equal(order(0, 0), order(0, 0))
    assert not torch.equal(order(0, 0), order(1, 0))
    assert not torch.equal(order(0, 0), order(0, 1))
    assert torch.equal(order(0, 0).flatten(1).sort(0).values, images.images.flatten(1).sort(0).values)


def test_a_stream_draws_afresh_and_holds_out():
    stream = Stream(Digits(), 64)
    device = torch.device("cpu")

    def first(epoch: int, *, held_out: bool = False) -> torch.Tensor:
        return next(stream.batches(epoch, 32, seed=0, device=device, held_out=held_out)).images

    assert stream.shape == (1, 8, 8)
    assert torch.equal(first(0), first(0))
    assert not torch.equal(first(0), first(1))
    assert not torch.equal(first(0), first(0, held_out=True))
    assert torch.equal(first(0, held_out=True), first(1, held_out=True))


def test_a_generators_raw_images_are_not_transformed():
    digits = Digits()
    images = ImageSet.from_generator(digits)
    assert torch.equal(images.images, digits.raw)
    assert images.states == {"C": 10}


BAD = {
    "an unknown transformation": (lambda: as_task("spin"), ValueError, "unknown transformation 'spin'"),
    "a task that is a number": (lambda: as_task(3), TypeError, "task must be a name"),
    "no transformation": (lambda: Task(()), ValueError, "at least one transformation"),
    "a continuous label": (lambda: as_task("hue-shift"), ValueError, "continuous label"),
    "coarse labels of the wrong length": (
        lambda: as_task("rotation", coarse=[0, 1]),
        ValueError,
        "coarse must have 4 labels, got 2",
    ),
    "coarse labels with a hole": (
        lambda: as_task("rotation", coarse=[0, 2, 0, 2]),
        ValueError,
        "every label from 0 up",
    ),
    "an unknown joint": (
        lambda: PredictTransformation("rotation", joint="both"),
        ValueError,
        "joint must be 'product' or 'sum', got 'both'",
    ),
    "an unknown augmentation": (
        lambda: PredictTransformation("rotation", augment="zoom"),
        ValueError,
        "unknown augmentation 'zoom'",
    ),
    "invariance to nothing": (lambda: Invariance(), ValueError, "got neither"),
    "a temperature of zero": (lambda: Invariance("rotation", temperature=0.0), ValueError, "temperature"),
    "blocks of one": (lambda: Equivariance("rotation", block=1), ValueError, "block must be at least 2"),
    "an adversary of a contrastive task": (
        lambda: Eliminate(Invariance("rotation")),
        TypeError,
        "must predict a label",
    ),
    "a negative weight": (lambda: Eliminate(PredictLabel("A"), weight=-1.0), ValueError, "weight must be"),
    "a critic of no width": (
        lambda: Eliminate(PredictLabel("A"), hidden=0),
        ValueError,
        "hidden must be at least 1, got 0",
    ),
    "half a critic step": (
        lambda: Eliminate(PredictLabel("A"), critic_steps=2.5),
        TypeError,
        "critic_steps must be an integer, got 2.5",
    ),
    "a projection to nothing": (
        lambda: Invariance("rotation", projection=0),
        ValueError,
        "projection must be at least 1, got 0",
    ),
    "one pair of views": (
        lambda: nt_xent(torch.ones(1, 3), torch.ones(1, 3), 0.5),
        ValueError,
        "at least 2 images to tell apart, got 1",
    ),
    "an unknown method": (
        lambda: Eliminate(PredictLabel("A"), method="mmd"),
        ValueError,
        "method must be one of alternating, reversal, independence, got 'mmd'",
    ),
    "pixels above one": (
        lambda: ImageSet.from_arrays(np.full((2, 1, 4, 4), 2.0)),
        ValueError,
        r"pixels in \[0, 1\], got 2..2",
    ),
    "pixels that are not numbers": (
        lambda: ImageSet.from_arrays(np.full((2, 1, 4, 4), np.nan)),
        ValueError,
        "NaN or infinities",
    ),
    "pixels that are integers": (
        lambda: ImageSet(torch.zeros(2, 1, 4, 4, dtype=torch.uint8)),
        TypeError,
        "must be a tensor of floats",
    ),
    "no images": (lambda: ImageSet(torch.zeros(0, 1, 4, 4)), ValueError, "n > 0"),
    "labels out of range": (
        lambda: ImageSet.from_arrays(np.zeros((2, 1, 4, 4)), {"C": np.array([0, 5])}, states={"C": 2}),
        ValueError,
        r"labels 'C' must stay in 0..1, got 0..5",
    ),
    "labels that are floats": (
        lambda: ImageSet.from_arrays(np.zeros((2, 1, 4, 4)), {"C": np.array([0.0, 1.0])}),
        TypeError,
        "labels 'C' must be integers",
    ),
    "labels of another length": (
        lambda: ImageSet.from_arrays(np.zeros((2, 1, 4, 4)), {"C": np.array([0, 1, 1])}),
        ValueError,
        r"must have shape \(2,\)",
    ),
    "rotation of oblong images": (
        lambda: ImageSet(torch.zeros(2, 1, 4, 6)).transformed("rotation", seed=0),
        ValueError,
        "square images",
    ),
    "transforming vectors": (
        lambda: ImageSet(torch.zeros(2, 16)).transformed("rotation", seed=0),
        ValueError,
        "needs images",
    ),
    "an empty side of a split": (lambda: pictures(3).split(0.01, seed=0), ValueError, "on both sides"),
    "a generator without end": (
        lambda: ImageSet.from_generator(ModularShift(n=4)),
        ValueError,
        "pass n",
    ),
    "a stream of nothing": (lambda: Stream(Digits(), 0), ValueError, "size must be at least 1"),
    "a stream of an unknown column": (
        lambda: Stream(Digits(), 8, image="Y"),
        ValueError,
        "unknown variable 'Y'",
    ),
}


@pytest.mark.parametrize("case", BAD, ids=str)
def test_bad_input_is_refused(case: str):
    call, kind, message = BAD[case]
    with pytest.raises(kind, match=message):
        call()
