"""Networks on a GPU: the same training as on the CPU, and checkpoints that go from one to the other."""

import pytest
import torch

from dufm_lib import data, networks
from dufm_lib.networks import Result, __main__

DEVICE = "cuda"
pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that PyTorch can use")

IMAGES = data.digits(per_class=6, classes=(0, 1, 2), flat=False)
SETTINGS = {"weight_decay": (1e-3, 5e-3), "learning_rate": 0.01, "momentum": 0.5, "record_every": 5}
# float64; the two devices add in different orders, and twenty steps amplify the rounding
CLOSE = {"rtol": 1e-6, "atol": 1e-9}


def trained(steps=20, device=DEVICE, **arguments):
    network = networks.resnet20(IMAGES, channels=2, width=8, depth=2).double()
    return networks.train(network, IMAGES, steps=steps, device=device, **SETTINGS, **arguments)


def assert_same(one, two):
    for name in ("steps", "objective", "logits", "test_accuracy"):
        torch.testing.assert_close(getattr(one.history, name), getattr(two.history, name), **CLOSE)
    for ours, theirs in zip(one.network.parameters(), two.network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, **CLOSE)


@pytest.mark.parametrize("batch_size", [None, 7])
def test_training_is_that_of_the_cpu(batch_size):
    ours = trained(batch_size=batch_size)
    assert_same(ours, trained(device="cpu", batch_size=batch_size))
    assert {tensor.device.type for tensor in ours.network.state_dict().values()} == {"cpu"}
    assert ours.history.logits.device.type == "cpu"


@pytest.mark.parametrize("onto", [DEVICE, "cpu"])
def test_a_checkpoint_goes_on_here_and_on_the_cpu(tmp_path, onto):
    file = tmp_path / "checkpoint"
    assert trained(10, checkpoint=file).history.steps.tolist() == [0, 5, 10]
    assert_same(trained(20, device=onto, checkpoint=file), trained())


def test_the_command(tmp_path):
    out = tmp_path / "result.json"
    options = ["--per-class", "3", "--channels", "3", "--width", "12", "--steps", "3", "--device", DEVICE]
    assert __main__.main(["digits", *options, "--out", str(out)]) == 0
    assert Result.load(out).environment["device"] == torch.cuda.get_device_name()
