"""Any callable is an encoder and any holder of images a source: what comes out, and what is refused."""

import copy
import functools
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from synergy.learning import ImageSet, Training, Untrained, measure_representation, represent, train
from synthetic import Digits, LabelledImages, Sample
from synthetic.images.arrays import from_arrays

N = 23
PIXELS = np.random.default_rng(0).integers(0, 256, (N, 6, 6, 3), dtype=np.uint8)
FIRST = torch.from_numpy(PIXELS.transpose(0, 3, 1, 2).copy())
FLOATS = FIRST.double() / 255
CLASSES = np.arange(N) % 3


class Net(nn.Module):
    """A small network with everything that behaves differently in training."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.drop = nn.Dropout(0.5)
        self.unused = nn.Linear(2, 2)
        self.head = nn.Linear(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.stem(x).mean((2, 3))))


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    return Net()


def flat(images: torch.Tensor) -> torch.Tensor:
    return images.flatten(1)


def test_a_module_gives_what_it_gives_in_evaluation_mode(net: Net):
    expected = copy.deepcopy(net).eval()(FLOATS.float()).detach().numpy()
    sample = represent(net, FIRST, labels=CLASSES, batch_size=5)
    np.testing.assert_allclose(sample["Z"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(sample["C"], CLASSES)
    assert sample.groups == "R"
    assert sample.variables["Z"].role == "representation"


def test_modes_hooks_random_numbers_statistics_and_gradients_are_as_before(net: Net):
    net.head.eval()
    before = {name: part.training for name, part in net.named_modules()}
    weights = copy.deepcopy(net.state_dict())
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    represent(net, FIRST, layer="stem")
    assert torch.equal(torch.rand(3), expected)
    assert {name: part.training for name, part in net.named_modules()} == before
    assert all(torch.equal(weights[k], v) for k, v in net.state_dict().items())
    assert not any(part._forward_hooks for part in net.modules())
    assert torch.is_grad_enabled()
    assert all(p.grad is None for p in net.parameters())


def test_the_same_when_it_fails(net: Net):
    net.head.eval()
    with pytest.raises(ValueError, match=r"failed on a batch of shape"):
        represent(net, FIRST[:, :1], layer="stem")
    assert net.stem.training
    assert not net.head.training
    assert not any(part._forward_hooks for part in net.modules())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: lambda x: net(x),
        lambda net: functools.partial(lambda module, x: module(x), net),
        lambda net: net.forward,
        lambda net: SimpleNamespace(net=net, run=lambda x: net(x)).run,
        lambda net: nn.Sequential(net),
        lambda net: nn.DataParallel(net),
    ],
    ids=["closure", "partial", "method", "attribute", "sequential", "parallel"],
)
def test_modules_behind_a_callable_are_put_in_evaluation_mode(net: Net, wrap):
    expected = represent(net, FIRST)["Z"]
    np.testing.assert_array_equal(represent(wrap(net), FIRST)["Z"], expected)
    assert net.training
    assert net.drop.training


class Callable:
    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.net(x)


def test_modules_that_are_attributes_of_a_callable(net: Net):
    expected = represent(net, FIRST)["Z"]
    np.testing.assert_array_equal(represent(Callable(net), FIRST)["Z"], expected)
    np.testing.assert_array_equal(represent(Callable(net).features, FIRST)["Z"], expected)


def test_random_layers_that_stay_on_are_told_and_reproducible(net: Net):
    hidden = [net.train()]
    with pytest.warns(UserWarning, match="different features for the same images"):
        first = represent(lambda x: hidden[0](x), FIRST, seed=3)["Z"]
    with pytest.warns(UserWarning, match="different features"):
        np.testing.assert_array_equal(represent(lambda x: hidden[0](x), FIRST, seed=3)["Z"], first)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_other_types(net: Net, dtype: torch.dtype):
    expected = represent(net, FIRST)["Z"]
    found = represent(net.to(dtype), FIRST)["Z"]
    assert found.dtype == (np.float64 if dtype == torch.float64 else np.float32)
    np.testing.assert_allclose(found, expected, atol=50 * torch.finfo(dtype).eps + 1e-6)


def test_other_memory_formats_inference_tensors_and_compiled_functions(net: Net):
    expected = represent(net, FIRST)["Z"]
    last = copy.deepcopy(net).to(memory_format=torch.channels_last)
    np.testing.assert_allclose(represent(last, FIRST)["Z"], expected, atol=1e-6)
    with torch.inference_mode():
        frozen, images = copy.deepcopy(net), FLOATS.float().clone()
    np.testing.assert_allclose(represent(frozen, images)["Z"], expected, atol=1e-6)
    with torch.inference_mode():
        np.testing.assert_allclose(represent(net, FIRST)["Z"], expected, atol=1e-6)
    compiled = torch.compile(net, backend="eager")
    np.testing.assert_allclose(represent(compiled, FIRST)["Z"], expected, atol=1e-6)
    np.testing.assert_allclose(
        represent(compiled, FIRST, layer="stem.0")["Z"], represent(net, FIRST, layer="stem.0")["Z"], atol=1e-6
    )
    exported = torch.export.export(copy.deepcopy(net).eval(), (FLOATS.float(),)).module()
    np.testing.assert_allclose(represent(exported, FIRST)["Z"], expected, atol=1e-6)


def test_a_layer_is_what_it_gives_before_later_ones_change_it(net: Net):
    maps = copy.deepcopy(net).eval().stem[1](net.stem[0](FLOATS.float())).detach()
    np.testing.assert_allclose(
        represent(net, FIRST, layer="stem.1", pool="flatten")["Z"], maps.flatten(1), atol=1e-6
    )
    np.testing.assert_allclose(represent(net, FIRST, layer="stem.1")["Z"], maps.mean((2, 3)), atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("stem.9", r"layer 'stem.9' does not exist in Net, .* stem"),
        ("steam", r"does not exist in Net, .* stem"),
        ("", r"layer '' does not exist"),
        ("unused", r"layer 'unused' did not run"),
    ],
)
def test_layers_that_are_not_there(net: Net, layer: str, message: str):
    with pytest.raises(ValueError, match=message):
        represent(net, FIRST, layer=layer)


MAPS = torch.arange(2 * 3 * 2 * 2.0).reshape(2, 3, 2, 2)
TOKENS = torch.arange(2 * 4 * 3.0).reshape(2, 4, 3)
Two = namedtuple("Two", "logits features")


class Outputs(dict):
    """As the outputs of Hugging Face's models: a mapping whose keys are attributes too."""

    def __getattr__(self, name: str):
        if name not in self:
            raise AttributeError(name)
        return self[name]


@pytest.mark.parametrize(
    ("output", "options", "expected"),
    [
        (torch.ones(2), {}, torch.ones(2, 1)),
        (np.ones((2, 3)), {}, torch.ones(2, 3)),
        (MAPS, {}, MAPS.mean((2, 3))),
        (MAPS, {"pool": "max"}, MAPS.amax((2, 3))),
        (MAPS, {"pool": "first"}, MAPS[:, :, 0, 0]),
        (MAPS, {"pool": "flatten"}, MAPS.flatten(1)),
        (MAPS, {"pool": lambda z: z.sum((2, 3))}, MAPS.sum((2, 3))),
        (TOKENS, {}, TOKENS.mean(1)),
        (TOKENS, {"pool": "first"}, TOKENS[:, 0]),
        ((torch.ones(2, 3), torch.zeros(2, 9)), {}, torch.ones(2, 3)),
        ((torch.ones(2, 3), torch.zeros(2, 9)), {"output": 1}, torch.zeros(2, 9)),
        ([torch.ones(2, 3)], {}, torch.ones(2, 3)),
        ([torch.ones(2, 3), MAPS], {"output": -1}, MAPS.mean((2, 3))),
        (Two(torch.zeros(2, 9), torch.ones(2, 3)), {}, torch.ones(2, 3)),
        (Two(torch.zeros(2, 9), torch.ones(2, 3)), {"output": "logits"}, torch.zeros(2, 9)),
        ({"z": torch.ones(2, 3), "name": "x"}, {}, torch.ones(2, 3)),
        (Outputs(last_hidden_state=TOKENS, pooler_output=None), {}, TOKENS.mean(1)),
        (Outputs(last_hidden_state=TOKENS, pooler_output=torch.ones(2, 3)), {}, torch.ones(2, 3)),
        (SimpleNamespace(last_hidden_state=TOKENS), {"pool": "first"}, TOKENS[:, 0]),
        (Outputs(hidden_states=(MAPS,), logits=torch.ones(2, 3)), {}, torch.ones(2, 3)),
    ],
)
def test_the_rule_of_outputs(output, options, expected):
    found = represent(lambda x: output, FIRST[:2], **options)["Z"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("encoder", "error", "message"),
    [
        (
            lambda x: torch.full((len(x), 2), torch.nan),
            ValueError,
            "finite features, got NaN for 5 of 5 .* image 0",
        ),
        (lambda x: 1 / (x[:, 0, 0, :2] * 0), ValueError, "finite features, got (NaN|infinities)"),
        (lambda x: x.argmax(1), TypeError, "features in floats, got torch.int64: predicted labels"),
        (lambda x: x > 0, TypeError, "features in floats, got torch.bool"),
        (lambda x: x.flatten(1).cfloat(), TypeError, "features in floats, got torch.complex64"),
        (lambda x: np.array([object()] * len(x)), TypeError, "must return numbers, got an array of object"),
        (lambda x: np.array(["cat"] * len(x)), TypeError, "must return numbers"),
        (
            lambda x: x.flatten(1).tolist(),
            TypeError,
            "must return a tensor or an array of features, got list",
        ),
        (lambda x: None, TypeError, "must return a tensor .* got NoneType"),
        (lambda x: x.mean(), ValueError, r"one row of features for each of the 5 images .* got shape \(\)"),
        (lambda x: x.mean(0), ValueError, r"one row of features .* got shape \(3, 6, 6\)"),
        (lambda x: x[:, :0, 0, 0], ValueError, "at least one feature"),
        (lambda x: x.flatten(1).to_sparse(), TypeError, "dense features"),
        (
            lambda x: [x.flatten(1), x],
            ValueError,
            r"2 tensors: choose one with output=, of 0 of shape \(5, 108\)",
        ),
        (lambda x: {"a": x, "b": x}, ValueError, "2 tensors: choose one with output=, of a of shape"),
        (
            lambda x: x @ torch.ones(2, 2),
            ValueError,
            r"failed on a batch of shape \(5, 3, 6, 6\), torch.float32",
        ),
        (lambda: 1, ValueError, "failed on a batch .* TypeError"),
        (nn.Linear(3, 2), ValueError, "failed on a batch"),
        ("resnet18", TypeError, "encoder must be a torch module .* got 'resnet18': build_encoder"),
        (Net, TypeError, "encoder must be a torch module or a function"),
        (None, TypeError, "encoder must be .* got NoneType"),
        (torch.zeros(3), TypeError, "encoder must be .* got Tensor"),
    ],
)
def test_encoders_that_are_none(encoder, error: type[Exception], message: str):
    with pytest.raises(error, match=message) as caught:
        represent(encoder, FIRST, batch_size=5)
    assert "\n" not in str(caught.value)


def test_the_first_bad_image_is_named():
    def divided(x: torch.Tensor) -> torch.Tensor:
        return torch.where((x == 0).flatten(1).all(1)[:, None], torch.nan, x.flatten(1))

    images = FLOATS.clone()
    images[17] = 0
    with pytest.raises(ValueError, match="got NaN for 1 of 5 images, the first is image 17"):
        represent(divided, images, batch_size=5)


def test_half_precision_that_overflows_says_so():
    net = nn.Sequential(nn.Flatten(), nn.Linear(108, 2)).half()
    nn.init.constant_(net[1].weight, 60000)
    with pytest.raises(ValueError, match=r"infinities .* it computes in torch.float16"):
        represent(net, FIRST)


def test_other_shapes_for_other_batches():
    with pytest.raises(
        ValueError, match="same number of features for every batch, got 5 before and 3 for images 20 to 22"
    ):
        represent(lambda x: x.flatten(1)[:, : len(x)], FIRST, batch_size=5)


def test_a_last_batch_of_one_that_is_squeezed():
    squeezed = represent(lambda x: x.mean((2, 3), keepdim=True).squeeze(), FIRST, batch_size=22)["Z"]
    np.testing.assert_array_equal(squeezed, represent(lambda x: x.mean((2, 3)), FIRST)["Z"])


def test_an_encoder_may_use_its_memory_again():
    buffer = torch.zeros(5, 108)

    def encode(x: torch.Tensor) -> torch.Tensor:
        return buffer.copy_(x.flatten(1))

    np.testing.assert_array_equal(
        represent(encode, FIRST[:20], batch_size=5)["Z"], represent(flat, FIRST[:20])["Z"]
    )


def test_graphs_are_cut():
    weight = torch.ones(108, 2, requires_grad=True)

    def encode(x: torch.Tensor) -> torch.Tensor:
        with torch.enable_grad():
            return x.flatten(1) @ weight

    assert represent(encode, FIRST)["Z"].shape == (N, 2)


@pytest.mark.parametrize(
    ("normalise", "message"),
    [
        ((0.5,), r"normalise must be \(mean, deviation\)"),
        ("cifar", "normalise must be .* 'imagenet', got 'cifar'"),
        ((0.5, 0), "positive deviations"),
        (((0.5, 0.5), 1.0), "one mean or one for each of the 3 channels, got 2"),
        (0.5, "normalise must be"),
        ((np.nan, 1), "finite means"),
    ],
)
def test_normalising_that_is_none(normalise, message: str):
    with pytest.raises(ValueError, match=message):
        represent(flat, FIRST, normalise=normalise)


def test_normalising_comes_after_the_transformation():
    mean, deviation = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([1.0, 2.0, 4.0])
    plain = represent(flat, FIRST, "inversion", seed=2, keep_images=True)
    found = represent(flat, FIRST, "inversion", seed=2, normalise=(mean, deviation), keep_images=True)
    expected = (torch.from_numpy(plain["X"]) - mean[:, None, None]) / deviation[:, None, None]
    np.testing.assert_allclose(found["Z"], expected.flatten(1), atol=1e-6)
    np.testing.assert_array_equal(found["X"], plain["X"])


class Pictures(Dataset):
    def __init__(self, transform=None, labels=CLASSES, mode: str | None = None) -> None:
        self.transform, self.labels, self.mode = transform, labels, mode

    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int):
        image = Image.fromarray(PIXELS[i])
        image = image if self.mode is None else image.convert(self.mode)
        return (image if self.transform is None else self.transform(image)), self.labels[i]


class Streamed(IterableDataset):
    def __iter__(self):
        yield from ((FIRST[i], int(CLASSES[i])) for i in range(N))


def as_tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


class Dicts(Dataset):
    def __len__(self) -> int:
        return N

    def __getitem__(self, i: int):
        return {"image": FIRST[i], "label": torch.tensor(CLASSES[i]), "A": i % 2, "path": f"{i}.jpg"}


def sources():
    pairs = TensorDataset(FIRST, torch.from_numpy(CLASSES))
    yield "tensor", FIRST, CLASSES
    yield "bytes last", PIXELS, CLASSES
    yield "list labels", FLOATS, CLASSES.tolist()
    yield "mapping", FLOATS.float(), {"C": torch.from_numpy(CLASSES)}
    yield "image set", ImageSet.from_arrays(FIRST, {"C": CLASSES}), None
    yield "labelled", LabelledImages(PIXELS, CLASSES, ("a", "b", "c"), "here"), None
    yield "generator", from_arrays(PIXELS, CLASSES), None
    yield "dataset", pairs, None
    yield "pictures", Pictures(), None
    yield "pictures with a transform", Pictures(as_tensor), None
    yield "rgba", Pictures(mode="RGBA"), None
    yield "list of pictures", [Image.fromarray(p) for p in PIXELS], CLASSES
    yield "list of pairs", [(FIRST[i], CLASSES[i]) for i in range(N)], None
    yield "dicts", Dicts(), ("C",)
    yield "loader", DataLoader(pairs, batch_size=7), None
    yield "loader of pictures", DataLoader(Pictures(as_tensor), batch_size=7), None
    yield (
        "raw pictures",
        DataLoader(Pictures(), batch_size=4, collate_fn=lambda b: tuple(zip(*b, strict=True))),
        None,
    )
    yield "loader of dicts", DataLoader(Dicts(), batch_size=7), {"C": "label"}
    yield "iterable dataset", Streamed(), None
    yield "loader of a stream", DataLoader(Streamed(), batch_size=7), None
    yield "batches", ((FIRST[i : i + 4], CLASSES[i : i + 4]) for i in range(0, N, 4)), None
    yield "nested labels", [(FIRST[i], {"label": CLASSES[i]}) for i in range(N)], None


@pytest.mark.parametrize(("images", "labels"), [pytest.param(x, y, id=name) for name, x, y in sources()])
def test_every_source_gives_the_same(images, labels):
    expected = represent(flat, FIRST, "rotation", labels=CLASSES, seed=4)
    found = represent(flat, images, "rotation", labels=labels, batch_size=5, seed=4)
    assert found.names == ("C", "R", "A", "Z")
    for name in ("C", "R", "A"):
        np.testing.assert_array_equal(found[name], expected[name])
    np.testing.assert_allclose(found["Z"], expected["Z"], atol=1e-6)


def test_the_same_as_transforming_an_image_set_first():
    images = ImageSet.from_generator(Digits())
    made = images.transformed("rotation", seed=3)
    found = represent(flat, images, "rotation", seed=3, batch_size=100, keep_images=True)
    for name in ("C", "R", "A", "X"):
        np.testing.assert_array_equal(found[name], made[name])
    assert found.variables["X"] == made.variables["X"]


def test_copies_are_transformed_anew_and_grouped():
    found = represent(flat, FIRST, "rotation", labels=CLASSES, copies=3, seed=1, batch_size=4)
    assert len(found) == 3 * N
    assert found.groups == "R"
    np.testing.assert_array_equal(found["R"], np.tile(np.arange(N), 3))
    np.testing.assert_array_equal(found["C"], np.tile(CLASSES, 3))
    assert not np.array_equal(found["A"][:N], found["A"][N : 2 * N])
    whole = represent(flat, FIRST, "rotation", labels=CLASSES, copies=3, seed=1)
    np.testing.assert_array_equal(found["A"], whole["A"])
    np.testing.assert_array_equal(found["Z"], whole["Z"])


def test_labels_follow_a_shuffled_loader_and_dropped_images_are_gone():
    loader = DataLoader(
        TensorDataset(FIRST, torch.from_numpy(CLASSES), torch.arange(N)),
        batch_size=5,
        shuffle=True,
        drop_last=True,
        generator=torch.Generator().manual_seed(0),
    )
    found = represent(flat, loader, labels=("C", "place"))
    assert len(found) == 20
    assert not np.array_equal(found["place"], np.sort(found["place"]))
    np.testing.assert_array_equal(found["C"], CLASSES[found["place"]])
    np.testing.assert_allclose(found["Z"], FLOATS.flatten(1)[found["place"]], atol=1e-6)


def test_images_alone_have_no_class():
    for images in (
        FIRST,
        DataLoader(TensorDataset(FIRST), batch_size=5),
        list(FIRST),
        DataLoader(FIRST, batch_size=5),
    ):
        found = represent(flat, images, "rotation")
        assert found.names == ("R", "A", "Z")
    assert represent(flat, FIRST).names == ("R", "Z")


def test_names_of_classes_are_kept():
    found = represent(flat, FIRST, labels=np.array(["cat", "dog", "eel"])[CLASSES])
    np.testing.assert_array_equal(found["C"], CLASSES)
    assert found.metadata["levels"]["C"] == ["cat", "dog", "eel"]
    labelled = represent(flat, LabelledImages(PIXELS, CLASSES, ("a", "b", "c"), "here"))
    assert labelled.metadata["levels"]["C"] == ["a", "b", "c"]


def test_a_label_of_ones_own_takes_the_place_of_a_transformation():
    angles = np.array([0, 90, 180, 270])[np.arange(N) % 4]
    found = represent(flat, FIRST, labels={"C": CLASSES, "A": angles})
    np.testing.assert_array_equal(found["A"], np.arange(N) % 4)
    assert found.variables["A"].role == "transformation"
    assert found.variables["A"].cardinality == 4
    assert found.metadata["levels"]["A"] == [0, 90, 180, 270]
    brought = represent(flat, Dicts())
    np.testing.assert_array_equal(brought["A"], np.arange(N) % 2)


def test_a_continuous_label_of_ones_own_is_measured_where_it_can_be():
    rng = np.random.default_rng(0)
    images = rng.random((200, 1, 4, 4))
    found = represent(flat, images, labels={"C": np.arange(200) % 2, "A": rng.random(200)})
    assert found.variables["A"].kind == "continuous"
    measured = measure_representation(found, quality="quick")
    assert {term for term, _ in measured.estimates} == {"I(A;C|Z)", "I(C;Z)", "I(C;Z|A)", "H(C|Z)"}


def test_a_sample_keeps_its_columns():
    drawn = Digits().sample(40, seed=0)
    found = represent(flat, drawn, batch_size=7)
    assert found.names == ("C", "R", "A", "Z")
    assert found.groups == "R"
    np.testing.assert_array_equal(found["Z"], drawn["X"].reshape(40, -1))
    assert represent(flat, drawn, keep_images=True).names == ("C", "R", "A", "X", "Z")


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (
            FIRST,
            {"labels": CLASSES[:5]},
            ValueError,
            "labels 'C' must have one entry for each of the 23 images, got 5",
        ),
        (FIRST, {"labels": np.eye(3)[CLASSES]}, TypeError, "one-hot labels give the place of the 1"),
        (FIRST, {"labels": {"C": CLASSES, "Z": CLASSES}}, ValueError, "labels cannot be called R, Z, X"),
        (FIRST, {"labels": CLASSES / 2}, ValueError, "labels 'C' must be integers or names, got floats"),
        (
            FIRST,
            {"labels": {"A": CLASSES}, "transformation": "rotation"},
            ValueError,
            "have a column 'A' and trans",
        ),
        (
            FIRST,
            {"labels": {"A": [0.0, np.nan] + [1.0] * (N - 2)}},
            ValueError,
            "column 'A' has NaN: 1 of 23 rows",
        ),
        (FIRST, {"labels": {"C": [None] * N}}, ValueError, "column 'C' has 23 missing values"),
        (FIRST, {"labels": "C"}, TypeError, "must be an array of one entry an image"),
        (FIRST, {"transformation": "rotations"}, ValueError, "unknown transformation 'rotations'"),
        (FIRST[:, :, :5], {"transformation": "rotation"}, ValueError, "rotation needs square images"),
        (FIRST.flatten(1).float(), {"transformation": "rotation"}, ValueError, r"needs images \(channels"),
        (
            FIRST.float(),
            {"transformation": "blur"},
            ValueError,
            r"blur needs pixels in \[0, 1\], got 0 to 255",
        ),
        (FIRST.int(), {}, TypeError, "unsigned bytes, booleans or floats, got torch.int32"),
        (FIRST[:0], {}, ValueError, r"shape \(n, ..\) with n > 0"),
        (FLOATS * np.nan, {}, ValueError, "images must be finite"),
        (torch.zeros(5), {}, ValueError, r"images must have shape \(n, ..\)"),
        (np.zeros((2, 8, 3, 8)), {}, ValueError, "cannot tell the channel axis"),
        (7, {}, TypeError, "images must be an array, an ImageSet"),
        (None, {}, TypeError, "images must be an array, an ImageSet"),
        ("nowhere", {}, FileNotFoundError, "there is no file or folder 'nowhere'"),
        ([], {}, ValueError, "images must not be empty"),
        (iter([]), {}, ValueError, "got a stream without batches"),
        (iter([3]), {}, TypeError, "batch 0 must hold images of shape"),
        (
            iter([FIRST[:2], (FIRST[:2], CLASSES[:2])]),
            {},
            ValueError,
            "every batch must come with the same labels",
        ),
        (iter([(FIRST[:2], CLASSES[:3])]), {}, ValueError, "for each of the 2 images, got 3"),
        (iter([FIRST[:2], FIRST[:2, :, :5]]), {}, ValueError, "all images must have one shape"),
        (iter([(FIRST, CLASSES, CLASSES)]), {}, ValueError, "batch 0 has 2 labels: name them"),
        (iter([FIRST]), {"labels": CLASSES}, ValueError, "labels must come with the images of a stream"),
        ([FIRST[0], FIRST[0, :, :5]], {}, ValueError, "same shape and type, got .* for image 1"),
        ([(FIRST[0], 0), FIRST[1]], {}, ValueError, "every image must come with the same labels"),
        ([(FIRST[0], np.eye(3)[0])], {}, TypeError, "label 0 of the dataset must be one class"),
        (
            Dicts(),
            {"labels": ("C", "angle")},
            ValueError,
            "item 0 must have the label 'angle', got label, A, path",
        ),
        ([{"picture": FIRST[0]}], {}, TypeError, "item 0 must have its images under images"),
        ([Image.new("I;16", (4, 4))], {}, ValueError, "image 0 has pixels of more than 8 bits"),
        (
            ImageSet.from_arrays(FIRST, {"C": CLASSES}),
            {"labels": CLASSES},
            ValueError,
            "labels must be left out",
        ),
        (Sample.infer({"Z": np.zeros((3, 2))}), {}, ValueError, "a sample must have one column of images"),
        (FIRST, {"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        (FIRST, {"copies": 0}, ValueError, "copies must be at least 1"),
        (FIRST, {"device": "tpu"}, ValueError, "device 'tpu'"),
        (FIRST, {"pool": "median"}, ValueError, "pool must be one of"),
        (FIRST, {"output": 3}, ValueError, "output 3 is not among what the encoder returns"),
        (FIRST, {"layer": "a"}, TypeError, "layer needs an encoder that is a torch module"),
    ],
)
def test_images_and_labels_that_do_not_fit(images, options, error: type[Exception], message: str):
    with pytest.raises(error, match=message) as caught:
        represent(lambda x: x, images, **options)
    assert "\n" not in str(caught.value)


def test_progress_is_told():
    told: list[tuple[int, int | None]] = []
    represent(flat, FIRST, batch_size=10, progress=lambda done, steps: told.append((done, steps)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    told.clear()
    represent(flat, iter([FIRST, FIRST]), progress=lambda done, steps: told.append((done, steps)))
    assert told == [(1, None), (2, None)]


def test_trained_encoders_are_encoders_too():
    images = ImageSet.from_generator(Digits(classes=(0, 1)))
    trained = train(Untrained(), images, seed=0, encoder="mlp", features=4, options=Training(device="cpu"))
    found = represent(trained, images, "rotation", seed=5)
    expected = trained.represented(images.transformed("rotation", seed=5))
    np.testing.assert_allclose(found["Z"], expected["Z"], atol=1e-6)


def test_every_layer_message_is_one_line_with_near_names(net: Net):
    with pytest.raises(ValueError, match=r"such as stem\.1, "):
        represent(net, FIRST, layer="stm.1")
