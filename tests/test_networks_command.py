"""Checkpoints, result files, and the command that puts them together."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from small_networks import FLAT, UFM, perceptron, state

from dufm_lib import data, networks
from dufm_lib.networks import Result, __main__, checkpoints
from dufm_lib.networks.feature_maps import Residual
from dufm_lib.networks.options import parser

# checkpoints


def stop_after(calls):
    """A report that ends the training."""
    told = []
    return lambda *said: told.append(said) or len(told) < calls


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(tmp_path, batch_size):
    settings = {"weight_decay": UFM, "steps": 40, "record_every": 10, "batch_size": batch_size}
    whole = networks.train(perceptron(), FLAT, **settings)
    file = tmp_path / "checkpoint"
    short = networks.train(perceptron(), FLAT, **(settings | {"steps": 20}), checkpoint=file)
    assert short.history.steps.tolist() == [0, 10, 20]
    again = networks.train(perceptron(), FLAT, **settings, checkpoint=file)
    assert torch.equal(state(again.network), state(whole.network))
    for name, values in vars(whole.history).items():
        other = getattr(again.history, name)
        pairs = zip(values, other, strict=True) if isinstance(values, tuple) else [(values, other)]
        assert all(torch.equal(one.nan_to_num(), two.nan_to_num()) for one, two in pairs), name
    nothing_left = networks.train(perceptron(), FLAT, **settings, checkpoint=file)
    assert torch.equal(state(nothing_left.network), state(whole.network))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_an_interrupted_training_goes_on_from_its_last_record(tmp_path, monkeypatch):
    settings = {"weight_decay": UFM, "steps": 60, "record_every": 20}
    whole = networks.train(perceptron(), FLAT, **settings)
    monkeypatch.setattr("dufm_lib.networks.training.REPORT_EVERY", 0)  # at every step
    stopped = networks.train(perceptron(), FLAT, **settings, checkpoint=tmp_path / "c", report=stop_after(33))
    assert stopped.ended == "interrupted" and stopped.history.steps.tolist() == [0, 20]
    again = networks.train(perceptron(), FLAT, **settings, checkpoint=tmp_path / "c")
    assert again.history.steps.tolist() == [0, 20, 40, 60]
    assert torch.equal(state(again.network), state(whole.network))


def test_checkpoints_that_are_refused(tmp_path):
    file = tmp_path / "checkpoint"
    settings = {"weight_decay": UFM, "steps": 4, "record_every": 2, "checkpoint": file}
    networks.train(perceptron(), FLAT, **settings)
    others = [
        (perceptron(seed=1), FLAT, {}, "start"),
        (perceptron(activation="relu"), FLAT, {}, "activation of the head"),
        (perceptron(), data.digits(per_class=6, classes=(0, 1, 2, 4)), {}, "data"),
        (perceptron(), FLAT, {"learning_rate": 0.2}, "learning_rate"),
        (perceptron(), FLAT, {"batch_size": 8}, "batch_size"),
        (perceptron(), FLAT, {"seed": 1}, "seed"),
        (perceptron(), FLAT, {"record_every": 1}, "record_every"),
        (perceptron(), FLAT, {"weight_decay": 1e-3}, "weight_decay"),
        (perceptron(), FLAT, {"regularization": "standard", "weight_decay": 1e-3}, "regularization and weight_decay"),
    ]
    for network, sets, changes, name in others:
        with pytest.raises(ValueError, match=f"belongs to another training, with another {name}: repeat that one"):
            networks.train(network, sets, **(settings | changes))
    with pytest.raises(ValueError, match="steps must be at least 4, where the checkpoint is; got 3"):
        networks.train(perceptron(), FLAT, **(settings | {"steps": 3}))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"cannot be read .* delete it to start anew"):
        networks.train(perceptron(), FLAT, **settings)


def test_feature_maps_are_told_apart_by_layers_without_parameters(tmp_path):
    settings = {"weight_decay": UFM, "steps": 2, "checkpoint": tmp_path / "checkpoint"}
    plain, rectified = (perceptron(batch_norm=False, feature_activation=name) for name in ("linear", "relu"))
    assert torch.equal(state(plain), state(rectified))
    networks.train(plain, FLAT, **settings)
    with pytest.raises(ValueError, match="with another feature map: repeat"):
        networks.train(rectified, FLAT, **settings)
    assert repr(Residual(2, 4)).startswith("Residual(\n  2, 4, stride=2\n")


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "checkpoint"
    networks.train(perceptron(), FLAT, weight_decay=UFM, steps=2, record_every=2, checkpoint=file)
    before = file.read_bytes()

    def full(content, file):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(checkpoints.torch, "save", full)
    with pytest.raises(OSError, match="no space left"):
        networks.train(perceptron(), FLAT, weight_decay=UFM, steps=4, record_every=2, checkpoint=file)
    assert file.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


# the command


SMALL = ["digits", "--per-class", "3", "--channels", "3", "--width", "12", "--depth", "2", "--threads", "1"]


def test_the_command_writes_what_a_chapter_draws(tmp_path, capsys):
    out = tmp_path / "new folder" / "result.json"
    options = [*SMALL, "--head", "relu", "--steps", "6", "--record-every", "4", "--momentum", "0.5", "--out", str(out)]
    assert __main__.main(options) == 0
    assert f"written: {out}" in capsys.readouterr().out
    result = Result.load(out)
    assert result.setting["weight_decay"] == [1e-6, 5e-3] and result.setting["learning_rate"] == 0.05
    assert (result.setting["data"], result.setting["per_class"], result.setting["batch_size"]) == ("digits", 3, None)
    sets = data.digits(3, flat=False)
    network = networks.resnet20(sets, 12, 2, "relu", channels=3)
    direct = networks.train(network, sets, "ufm", (1e-6, 5e-3), 0.05, 0.5, 6, record_every=4)
    assert result.outcome["dnc_bound"] == direct.dnc_bound
    assert (result.outcome["ended"], result.outcome["rank"]) == ("steps", direct.rank)
    assert result.history["steps"].tolist() == [0, 4, 6]
    for name in ("objective", "test_accuracy", "singular_values", "logits", "dnc2"):
        expected = getattr(direct.history, name)
        # six digits are kept
        torch.testing.assert_close(result.history[name], expected, rtol=1e-5, atol=1e-12, equal_nan=True)
    assert [tuple(values.shape) for values in result.history["weight_singular_values"]] == [(3, 12), (3, 10)]
    assert "features" not in result.history
    assert str(tmp_path) not in out.read_text()


def test_the_command_with_standard_decay_and_batches(tmp_path):
    out = tmp_path / "result.json"
    options = ["--regularization", "standard", "--batch-size", "12", "--steps", "3", "--features", "linear"]
    assert __main__.main([*SMALL, *options, "--out", str(out)]) == 0
    result = Result.load(out)
    assert (result.setting["weight_decay"], result.setting["learning_rate"]) == (1e-2, 1e-3)
    assert result.outcome["dnc_bound"] is None and result.setting["batch_size"] == 12
    assert json.loads(out.read_text())["history"]["steps"] == [0, 3]


@pytest.mark.parametrize(
    "options, message",
    [
        ([*SMALL, "--network", "mlp"], "channels belong to --network resnet20, got 3 for mlp"),
        ([*SMALL, "--weight-decay", "1", "2", "3"], "weight_decay must be"),
        ([*SMALL, "--regularization", "standard", "--weight-decay", "1", "2"], "weight_decay must be one number for"),
        ([*SMALL, "--per-class", "175"], "per_class must be at most 174"),
        ([*SMALL, "--width", "9"], "width must be 4 channels = 12"),
        ([*SMALL, "--width", "8", "--channels", "2"], "width must be at least 10, the number of classes"),
        ([*SMALL, "--device", "abacus"], "device must be a device of this machine, such as 'cpu'; got 'abacus'"),
        ([*SMALL, "--steps", "0"], "steps must be at least 1"),
        ([*SMALL, "--learning-rate", "0"], "learning_rate must be positive"),
        ([*SMALL, "--batch-size", "0"], "batch_size must be at least 2"),
        ([*SMALL, "--weight-decay", "0", "0.005"], "weight_decay must be positive"),
        ([*SMALL, "--out", "."], "out must name a .json file, got ."),
        ([*SMALL, "--out", "run.checkpoint"], "out must name a .json file, got run.checkpoint"),
        ([*SMALL, "--out", f"{__file__}/run.json"], f"out must be in a folder, .* {__file__} is a file"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, capsys, options, message):
    assert __main__.main(["--out", str(tmp_path / "result.json"), *options]) == 2
    assert re.search(message, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options, message",
    [
        (["digits"], "--out"),
        (["imagenet", "--out", "a.json"], "invalid choice: 'imagenet' .*digits.*mnist.*cifar10"),
        (["digits", "--out", "a.json", "--head", "tanh"], "--head: invalid choice: 'tanh' .*linear.*relu"),
        (["digits", "--out", "a.json", "--network", "vgg"], "--network: invalid choice: 'vgg' .*resnet20.*mlp"),
        (["digits", "--out", "a.json", "--regularization", "l1"], "--regularization: invalid choice: 'l1'"),
    ],
)
def test_the_command_names_its_choices(capsys, options, message):
    with pytest.raises(SystemExit) as refused:
        __main__.main(options)
    assert refused.value.code == 2 and re.search(message, capsys.readouterr().err)


def test_the_help_shows_every_default():
    text = " ".join(parser("").format_help().split())
    for default in ("resnet20", "linear", "3", "64", "16", "1.0", "ufm", "5000", "50", "0", "cpu", "10000"):
        assert f"default {default}" in text
    assert "None" not in text and "%(" not in text


def test_places_are_checked_before_anything_is_fetched(tmp_path, capsys, monkeypatch):
    loader = {"digits": lambda *arguments: pytest.fail("data were loaded")}
    monkeypatch.setattr(__main__, "LOADERS", loader)
    out = tmp_path / "a.json"
    out.mkdir()
    assert __main__.main([*SMALL, "--out", str(out)]) == 2
    assert f"out must name a .json file, got {out}" in capsys.readouterr().err
    assert __main__.main([*SMALL, "--device", "cuda:77", "--out", str(tmp_path / "b.json")]) == 2
    said = capsys.readouterr().err
    assert "device must be a device of this machine" in said
    assert ("make book TORCH_BACKEND=auto" in said) == (not torch.backends.cuda.is_built())


def test_the_command_trains_a_perceptron(tmp_path):
    out = tmp_path / "result.json"
    options = ["--network", "mlp", "--per-class", "3", "--width", "12", "--steps", "4", "--seed", "1", "--threads", "1"]
    assert __main__.main(["digits", *options, "--out", str(out)]) == 0
    result, sets = Result.load(out), data.digits(3)
    assert [result.setting[name] for name in ("network", "channels", "features")] == ["mlp", None, "linear"]
    direct = networks.train(networks.mlp(sets, width=12, seed=1), sets, "ufm", (1e-6, 5e-3), 0.05, 0.0, 4)
    # six digits are kept
    torch.testing.assert_close(result.history["objective"], direct.history.objective, rtol=1e-5, atol=0)


def test_a_diverged_run_is_said_and_written(tmp_path, capsys):
    out = tmp_path / "result.json"
    options = [*SMALL, "--learning-rate", "1e9", "--steps", "20", "--record-every", "1"]
    assert __main__.main([*options, "--out", str(out)]) == 1
    assert "choose a smaller --learning-rate" in capsys.readouterr().out
    assert Result.load(out).outcome["ended"] == "diverged"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("40 GiB"), MemoryError("40 GiB")])
def test_too_little_memory(tmp_path, capsys, monkeypatch, error):
    def full(*arguments, **options):
        raise error

    monkeypatch.setattr(__main__, "train", full)
    assert __main__.main([*SMALL, "--out", str(tmp_path / "result.json")]) == 2
    assert "error: too little memory; choose a smaller --batch-size (40 GiB)" in capsys.readouterr().err


@contextlib.contextmanager
def started(command, checkpoint, step):
    """The process of the command, once its checkpoint has reached the step; it does not outlive the test."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            deadline = time.monotonic() + 200
            while not checkpoint.exists() or torch.load(checkpoint, weights_only=True)["step"] < step:
                assert time.monotonic() < deadline and process.poll() is None, "it ended before it could be stopped"
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def test_a_killed_command_goes_on(tmp_path):
    options = [*SMALL, "--record-every", "2", "--steps", "40"]
    out, whole = tmp_path / "killed.json", tmp_path / "whole.json"
    command = [sys.executable, "-m", "dufm_lib.networks", *options, "--out"]
    checkpoint = out.with_suffix(".checkpoint")
    with started([*command, out], checkpoint, 4) as process:
        process.kill()
    assert not out.exists() and process.returncode == -signal.SIGKILL
    reached = torch.load(checkpoint, weights_only=True)["step"]
    assert 4 <= reached < 40
    assert __main__.main([*options, "--out", str(out)]) == 0
    assert __main__.main([*options, "--out", str(whole)]) == 0
    assert out.read_bytes() == whole.read_bytes()


def test_a_stopped_command_says_how_to_go_on(tmp_path):
    out = tmp_path / "stopped.json"
    command = [sys.executable, "-m", "dufm_lib.networks", *SMALL, "--steps", "1000000", "--record-every", "2"]
    with started([*command, "--out", out], out.with_suffix(".checkpoint"), 2) as process:
        process.send_signal(signal.SIGINT)
        said, warned = process.communicate(timeout=100)
    assert process.returncode == 130, warned
    assert said.endswith("stopped; the same command goes on from the last record\n") and "Traceback" not in warned
    assert [path.name for path in tmp_path.iterdir()] == ["stopped.checkpoint"]


def test_ctrl_c_outside_the_training_is_one_line(tmp_path, capsys, monkeypatch):
    def slow(*arguments):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(__main__, "LOADERS", {"digits": slow})
    assert __main__.main([*SMALL, "--out", str(tmp_path / "result.json")]) == 130
    assert capsys.readouterr().err == "stopped\n" and list(tmp_path.iterdir()) == []


def test_ctrl_c_before_the_first_record_is_not_called_a_bad_start(tmp_path, monkeypatch):
    monkeypatch.setattr("dufm_lib.networks.training.measure", lambda *arguments: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        networks.train(perceptron(), FLAT, weight_decay=UFM, steps=2, checkpoint=tmp_path / "checkpoint")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"history": {"steps": "x"}}', '{"history": {}, "author": 1}'])
def test_files_that_are_no_results(tmp_path, content):
    file = tmp_path / "result.json"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"is no result of python -m dufm_lib\.networks"):
        Result.load(file)
