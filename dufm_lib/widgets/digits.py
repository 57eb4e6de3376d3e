"""The experiment of the chapter on the digits: a network with a linear head, under penalties of one's choice."""

from __future__ import annotations

from matplotlib.figure import Figure

from dufm_lib import Problem, data, networks, plots, structures, theory
from dufm_lib.widgets import Experiment, Report, controls

STEPS = 800
MOMENTUM = 0.95
DECAYS = {f"{decay:g}": decay for decay in (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)}
SCALES = {f"{scale:g}": scale for scale in (0.3, 0.5, 0.75, 1, 1.25, 1.5, 2)}
RATES = {f"{rate:g}": rate for rate in (0.02, 0.05, 0.1)}


def surviving_directions(
    samples: int,
    depth: int,
    width: int,
    feature_decay: float,
    weight_decay: float,
    init_scale: float,
    learning_rate: float,
    seed: int,
    report: Report,
) -> tuple[Figure, str]:
    """Train one network with UFM-style regularization; draw the singular values of its logits, and its objective.

    Args:
        samples: n, training images of each of the ten digits.
        depth, width: L and d of the linear head.
        feature_decay: n lambda_H, the penalty of the features of a whole class; lambda_H alone has no meaning
            when n changes.
        weight_decay: lambda_W.
        init_scale, seed: of the start, as in `networks.mlp`.
        learning_rate: as in `networks.train`.
        report: as in `Experiment`.

    Returns:
        The figure, and a sentence with the structure, the rank, the objective beside its bounds, and the accuracy.

    Raises:
        ValueError: a bad setting, or training diverged.
    """
    problem = Problem(10, samples, depth, width, (feature_decay / samples, weight_decay))
    shapes = {"dnc": structures.simplex_etf(10), "pairing": structures.pairing(10)}
    bounds = {each: theory.optimal_scale(problem, shape)[1] for each, shape in shapes.items()}
    digits = data.digits(samples)
    training = networks.train(
        networks.mlp(digits, width=width, depth=depth, init_scale=init_scale, seed=seed),
        digits,
        weight_decay=problem.weight_decay,
        learning_rate=learning_rate,
        momentum=MOMENTUM,
        steps=STEPS,
        record_every=20,
        report=report,
    )
    name, history = training.structure, training.history
    if name == "diverged":
        raise ValueError(
            f"learning_rate {learning_rate:g} is too large for depth {depth} and init_scale {init_scale:g}: "
            "training diverged; choose a smaller one"
        )
    objective = float(history.objective[-1])

    figure, (left, right) = plots.subplots(1, 2)
    plots.factor_spectra(left, history.steps, history.singular_values[:, None], ["class-mean logits"])
    plots.loss_curves(right, history.steps, history.objective, [name], bounds)
    low, high = min(objective, *bounds.values()), max(objective, *bounds.values())
    right.set(ylim=(0.95 * low, high + 0.5 * low), ylabel="objective")  # the first steps, far above, are left out
    text = (
        f"After {int(history.steps[-1])} steps: {plots.LABELS[name]}, rank {training.rank}, objective {objective:.5f} "
        f"(best DNC {bounds['dnc']:.5f}, best pairing {bounds['pairing']:.5f}); "
        f"{float(history.test_accuracy[-1]):.1%} of the other images right."
    )
    return figure, text


def experiment() -> Experiment:
    """The widget of the chapter, at penalties like those of its main run but with fewer images."""
    fields = {
        "samples": controls.samples(30, smallest=5, largest=100),
        "depth": controls.depth(3, largest=5),
        "width": controls.width(64, smallest=10, largest=128),
        "feature_decay": controls.choice("features: n λ_H", DECAYS, 0.005),
        "weight_decay": controls.choice("weights: λ_W", DECAYS, 0.005),
        "init_scale": controls.choice("initial scale of the head", SCALES, 1),
        "learning_rate": controls.choice("learning rate", RATES, 0.1),
        "seed": controls.seed(),
    }
    return Experiment(
        surviving_directions,
        fields,
        title="How many directions survive?",
        describe="Left: the ten singular values of the class-mean logits. Right: the objective beside the best losses "
        "of DNC and pairing for these penalties.",
    )
