"""Any callable is an encoder and any holder of images a source: what comes out, and what is refused."""

import copy
import functools
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from represented import CLASSES, FIRST, FLOATS, N, flat
from torch import nn

from synergy.learning import FeatureEncoder, ImageSet, Training, Untrained, represent, train
from synthetic import Digits


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


def test_a_layer_may_be_the_module_itself(net: Net):
    by_path = represent(net, FIRST, layer="stem.0")
    by_module = represent(net, FIRST, layer=net.get_submodule("stem.0"))
    np.testing.assert_array_equal(by_module["Z"], by_path["Z"])
    assert by_module.metadata == by_path.metadata
    wrapped = FeatureEncoder(net, layer=net.get_submodule("stem.0"))
    assert wrapped.layer == "stem.0"
    assert copy.deepcopy(wrapped).layer == "stem.0"


@pytest.mark.parametrize("layer", [nn.Linear(2, 2), None], ids=["another module", "the encoder itself"])
def test_modules_that_are_no_layer(net: Net, layer: nn.Module | None):
    with pytest.raises(ValueError, match=r"one of the layers of Net, got a \w+ that is not"):
        represent(net, FIRST, layer=layer or net)


def test_a_layer_is_a_path_or_a_module(net: Net):
    for ask in (lambda: represent(net, FIRST, layer=3), lambda: FeatureEncoder(net, layer=3)):
        with pytest.raises(TypeError, match="layer must be the dotted path of a layer, or the layer, got 3"):
            ask()


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


def test_trained_encoders_are_encoders_too():
    images = ImageSet.from_generator(Digits(classes=(0, 1)))
    trained = train(Untrained(), images, seed=0, encoder="mlp", features=4, options=Training(device="cpu"))
    found = represent(trained, images, "rotation", seed=5)
    expected = trained.represented(images.transformed("rotation", seed=5))
    np.testing.assert_allclose(found["Z"], expected["Z"], atol=1e-6)


def test_every_layer_message_is_one_line_with_near_names(net: Net):
    with pytest.raises(ValueError, match=r"such as stem\.1, "):
        represent(net, FIRST, layer="stm.1")
