"""torchvision's networks as they come: represented, measured, trained further. It is no dependency."""

import numpy as np
import pytest

torchvision = pytest.importorskip("torchvision", reason="torchvision is no dependency of the project")

import torch  # noqa: E402 - after the skip

from synergy.learning import (  # noqa: E402
    ImageSet,
    PredictTransformation,
    Training,
    equivariance_error,
    measure_representation,
    represent,
    train,
)
from synthetic import Digits  # noqa: E402

NETWORKS = ("resnet18", "vgg11", "mobilenet_v3_small", "vit_b_32", "densenet121")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    digits = ImageSet.from_generator(Digits(classes=(0, 1, 2)), n=240)
    return ImageSet(
        digits.images.expand(-1, 3, -1, -1).repeat_interleave(4, 2).repeat_interleave(4, 3),
        digits.labels,
        digits.states,
    )


def test_resnet18_is_represented_measured_and_trained(images: ImageSet):
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None)
    sample = represent(net, images, "rotation", layer="avgpool", normalise="imagenet", seed=1)
    assert sample["Z"].shape == (240, 512)
    assert net.training
    whole = represent(net, images, "rotation", seed=1)
    assert whole["Z"].shape == (240, 1000)
    np.testing.assert_array_equal(whole["A"], sample["A"])
    found = measure_representation(sample, terms=["I(C;Z)", "I(A;Z)", "I(A;C|Z)"], quality="quick")
    assert 0.3 < found["I(C;Z)"].value <= np.log(3) + 0.05
    assert equivariance_error(net, "rotation", images, layer="avgpool").features == 512
    trained = train(
        PredictTransformation("rotation"),
        images,
        seed=0,
        encoder=net,
        options=Training(epochs=1, batch_size=60, device="cpu"),
    )
    assert trained.description["features"] == 1000


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_as_they_come(name: str):
    net = torchvision.models.get_model(name, weights=None)
    side = 224 if name.startswith("vit") else 64
    found = represent(net, torch.rand(2, 3, side, side))
    assert found["Z"].shape == (2, 1000)


def test_a_dataset_of_torchvision_with_its_transforms():
    transforms = torchvision.transforms.Compose([torchvision.transforms.ToTensor()])
    fake = torchvision.datasets.FakeData(12, (3, 16, 16), num_classes=3, transform=transforms)
    pictures = torchvision.datasets.FakeData(12, (3, 16, 16), num_classes=3)
    found = represent(lambda x: x.flatten(1), fake)
    np.testing.assert_allclose(represent(lambda x: x.flatten(1), pictures)["Z"], found["Z"], atol=1e-6)
