"""Training a network by gradient descent with momentum, and what comes of it.

Training runs in the precision of the network (float32); what is recorded is evaluated in float64.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from dufm_lib import metrics, theory
from dufm_lib._arguments import compute_device, file_path, fraction, function, positive_float, positive_int, seed_int
from dufm_lib._batch import REPORT_EVERY, Report
from dufm_lib.data import Data
from dufm_lib.networks import checkpoints
from dufm_lib.networks.classifier import Classifier, fitting_copy
from dufm_lib.networks.penalties import penalty, split_decays
from dufm_lib.networks.recording import History, Record, measure, settle
from dufm_lib.problem import Problem
from dufm_lib.structures import pairing, rank, simplex_etf


@dataclass(frozen=True, eq=False)
class Training:
    """A trained network and what was recorded on the way."""

    network: Classifier
    data: Data
    regularization: str
    weight_decay: float | tuple[float, float]
    ended: str  # "steps" (the limit), "interrupted", "diverged"
    history: History

    @property
    def problem(self) -> Problem:
        """The deep unconstrained features model of the head: what no point of it reaches, no network does.

        The network is a point of that model, with the same objective: its features are H_1, its head W_1, ..., W_L.

        Raises:
            ValueError: the regularization is not "ufm", or the width is below the number of classes.
        """
        if self.regularization != "ufm":
            raise ValueError(f"problem needs regularization 'ufm', got {self.regularization!r}")
        K, d = self.network.weights[-1].shape
        L, activation = len(self.network.weights), self.network.activation
        return Problem(K, self.data.samples, L, d, self.weight_decay, activation=activation)

    @property
    def dnc_bound(self) -> float:
        """No collapsed point has a lower objective: the best loss of collapse in the linear model of the head.

        With a ReLU head it bounds the collapsed points that Theorem 7 speaks of: those in which ReLU does not shrink
        the ratio of the global mean to the simplex part of the class means.

        Raises:
            ValueError: as `problem`; the classes are not balanced.

        Source: Garrod & Keating (2025), Proposition 1 and Theorem 7.
        """
        if not isinstance(self.data.samples, int):
            raise ValueError(f"dnc_bound needs as many samples of each class, got {self.data.samples}: balance data")
        return theory.optimal_scale(replace(self.problem, activation="linear"), simplex_etf(self.data.classes))[1]

    @property
    def bounds(self) -> dict[str, float]:
        """The best losses of collapse and, under a linear head, of pairing; none without UFM-style regularization.

        Raises:
            ValueError: as `dnc_bound`.
        """
        if self.regularization != "ufm":
            return {}
        bounds = {"dnc": self.dnc_bound}
        if self.network.activation == "linear":
            bounds["pairing"] = theory.optimal_scale(self.problem, pairing(self.data.classes))[1]
        return bounds

    @property
    def logits(self) -> torch.Tensor:
        """(K, K) class means at the last recorded step."""
        return self.history.logits[-1]

    @property
    def rank(self) -> int:
        """Rank of the logits; -1 when training diverged."""
        return -1 if self.ended == "diverged" else int(rank(self.logits))

    @property
    def structure(self) -> str:
        """Name of the structure of the logits, as `metrics.structure_labels` says, or "diverged"."""
        return "diverged" if self.ended == "diverged" else metrics.structure_labels(self.logits)[0]

    def __repr__(self) -> str:
        objective, step = float(self.history.objective[-1]), int(self.history.steps[-1])
        return f"Training({step} steps, {self.structure}, rank {self.rank}, objective {objective:.6f})"


def train(
    network: Classifier,
    data: Data,
    regularization: str = "ufm",
    weight_decay: float | tuple[float, float] = (2.8e-5, 5e-3),
    learning_rate: float = 0.1,
    momentum: float = 0.95,
    steps: int = 1000,
    *,
    batch_size: int | None = None,
    seed: int = 0,
    record_every: int = 100,
    report: Report | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    device: str | torch.device | None = None,
    threads: int = 1,
) -> Training:
    """Train a copy of `network` by gradient descent with momentum, on all samples at once or in large batches.

        objective = cross-entropy (mean over samples) + `penalty`
        v <- momentum v + gradient of the objective,   theta <- theta - learning_rate v

    In a batch of B samples the cross-entropy is their mean, and their part of ||H||_F^2 counts N / B times: on average
    over the batches this is the objective of the whole set (up to what batch normalisation makes of a batch).

    One thread computes unless told otherwise: then the result does not depend on the number of cores, and at the sizes
    of the chapters threads that wait for each other on a busy machine cost far more than they give. The same network
    and arguments give the same result on the same CPU.

    Args:
        network: the start; it is left as it is. Training goes on from a result with `result.network`.
        data: the training set, and the test part whose accuracy is recorded.
        regularization: "ufm" or "standard", see `penalty`.
        weight_decay: for "ufm" (lambda_H, lambda_W), or one number for both; for "standard" one number. The
            penalty of the features sums over all N samples: lambda_H n = constant is the same reduced problem.
        learning_rate: > 0.
        momentum: in [0, 1).
        steps: the limit on steps, >= 1.
        batch_size: B >= 2; None for all samples at once. An epoch is a random order, cut into equal batches of at
            most B; one of a single sample, which cannot be normalised, is refused.
        seed: of these orders.
        record_every: how often, in steps, the history is written; also at the first and the last step.
        report: called with (fraction done, text) up to 20 times a second; returning False ends the training.
        checkpoint: a file that is written, whole or not at all, whenever the history is. If it is there, training
            goes on from it as if it had not stopped; with more steps, from its end.
        device: where to compute, such as "cuda"; where the network is when left out. What is recorded is on the CPU.
        threads: how many compute, on the CPU.

    Returns:
        Training, its network in evaluation mode. Ctrl-C, or a report that returns False, also returns what was
        done, marked "interrupted"; measured once more, and settled, if there is no checkpoint to go on from. The
        history of a training that diverged ends at the last finite record.

    Raises:
        ValueError: a bad argument, by name; `data` does not fit `network`; the checkpoint is that of another training,
            or damaged.

    Source: Garrod & Keating (2025), section 5.
    """
    decay_features, decay_weights = split_decays(regularization, weight_decay)
    learning_rate, momentum = positive_float("learning_rate", learning_rate), fraction("momentum", momentum)
    steps = positive_int("steps", steps)
    record_every, threads = positive_int("record_every", record_every), positive_int("threads", threads)
    seed = seed_int("seed", seed)
    function("report", report)
    if checkpoint is not None:
        checkpoint = file_path("checkpoint", checkpoint)
    if batch_size is not None:
        batch_size = positive_int("batch_size", batch_size, smallest=2)

    network = fitting_copy(network, data).train()
    if batch_size == 2 and len(data.labels) % 2:
        raise ValueError(f"batch_size must be at least 3 for {len(data.labels)} samples, got 2: one would stand alone")
    described: dict[str, str] = {}
    if checkpoint is not None:
        setting = {"regularization": regularization, "weight_decay": (decay_features, decay_weights)}
        setting |= {"learning_rate": learning_rate, "momentum": momentum}
        setting |= {"batch_size": batch_size, "seed": seed, "record_every": record_every}
        described = checkpoints.identity(network, data, **setting)
    network = network.to(network.weights[-1].device if device is None else compute_device("device", device))
    like = network.weights[-1]
    inputs, labels = data.inputs.to(like), data.labels.to(like.device)
    other = decay_weights if regularization == "standard" else 0.0
    decays = {weight: decay_weights for weight in network.weights}
    decays |= {parameter: other for parameter in network.features.parameters() if parameter.requires_grad}
    velocities = [torch.zeros_like(parameter) for parameter in decays]

    penalized = partial(penalty, regularization=regularization, weight_decay=weight_decay)
    ended, step, start, told = "steps", 0, 0, -math.inf
    recorded: dict[int, Record] = {}
    if checkpoint is not None and (state := checkpoints.load(checkpoint, described)) is not None:
        if state.step > steps:
            raise ValueError(f"steps must be at least {state.step}, where the checkpoint is; got {steps}")
        network.load_state_dict(state.network)
        velocities = [velocity.to(like) for velocity in state.velocities]
        start, recorded = state.step, state.recorded

    def record() -> bool:
        """Keep a measurement of this step, and say whether it was finite."""
        measured = measure(network, data, penalized, batch_size)
        if measured is not None:
            recorded[step] = measured
        return measured is not None

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for step in range(start, steps + 1):
            if (step % record_every == 0 or step == steps) and step not in recorded:
                if not record():
                    ended = "diverged"
                    break
                if checkpoint is not None:
                    state = checkpoints.State(step, network.state_dict(), velocities, recorded)
                    checkpoints.save(checkpoint, described, state)
            if report is not None and time.monotonic() - told >= REPORT_EVERY:
                if report(step / steps, _text(recorded)) is False:
                    raise KeyboardInterrupt
                told = time.monotonic()
            if step == steps:
                break
            chosen = slice(None) if batch_size is None else _batch(step, len(labels), batch_size, seed)
            signals = network.layers(inputs[chosen])
            features = decay_features / 2 * signals[0].square().sum() * (len(labels) / len(signals[0]))
            gradients = torch.autograd.grad(cross_entropy(signals[-1], labels[chosen]) + features, list(decays))
            with torch.no_grad():  # torch.optim.SGD does the same, but takes three seconds to import
                for (parameter, decay), velocity, gradient in zip(decays.items(), velocities, gradients, strict=True):
                    velocity.mul_(momentum).add_(gradient.add(parameter, alpha=decay))
                    parameter.sub_(velocity, alpha=learning_rate)
    except KeyboardInterrupt:  # perhaps in the middle of a step: good enough to look at, not to go on from
        if checkpoint is not None and not recorded:
            raise
        ended = "interrupted" if checkpoint is not None or record() else "diverged"
    finally:
        torch.set_num_threads(before)
    if not recorded:
        raise ValueError("network must start with a finite objective: choose a smaller init_scale")
    if report is not None and ended != "interrupted":
        report(1.0, _text(recorded))
    if ended != "interrupted" or checkpoint is None:  # who will go on waits for no pass over the whole set
        settle(network.features, inputs, batch_size)
    return Training(network.cpu().eval(), data, regularization, weight_decay, ended, History.of(recorded))


def _batch(step: int, total: int, batch_size: int, seed: int) -> torch.Tensor:
    """Which samples a step sees: decided by the step and the seed alone, so that a resumed training sees the same."""
    batches = math.ceil(total / batch_size)
    epoch, number = divmod(step, batches)
    order = np.random.default_rng([seed, epoch]).permutation(total)
    return torch.from_numpy(order).tensor_split(batches)[number]


def _text(recorded: dict[int, Record]) -> str:
    """One line for a progress display: what was recorded last."""
    step, row = next(reversed(recorded.items()))
    return f"step {step}: objective {float(row['objective']):.6f}, accuracy {float(row['accuracy']):.3f}"
