"""What changes along an axis: losses and metrics over time, probabilities against a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from dufm_lib._arguments import flag, nonnegative_float, positive_int, sequence, word
from dufm_lib.plots.style import COLORS, INK, LABELS, SHADES, array, canvas, look, mapping


def loss_curves(
    ax: Axes,
    steps,
    losses,
    structures: Sequence[str] | None = None,
    bounds: Mapping[str, float] | None = None,
    log: bool = False,
    label: str | None = None,
) -> Axes:
    """Loss of each run over the steps, in the colour of the structure the run ended at.

    Args:
        ax: the axes to draw on.
        steps: (T,) step numbers.
        losses: (T,) or (T, runs), as in the history of `descent.train`.
        structures: one name a run; None draws in ink.
        bounds: dotted horizontal lines {name: loss}; the name of a structure brings its colour.
        log: a logarithmic loss axis.
        label: what the legend calls the runs; the structures they ended at, without.
    """
    ax, steps, log = canvas(ax), array("steps", steps, "T"), flag("log", log)
    label = None if label is None else word("label", label)
    losses = array("losses", losses, "...")
    if losses.ndim not in (1, 2) or 0 in losses.shape or len(losses) != len(steps):
        raise ValueError(f"losses must have shape ({len(steps)},) or ({len(steps)}, runs), got {losses.shape}")
    runs = losses[None] if losses.ndim == 1 else losses.T
    names = [None] * len(runs) if structures is None else sequence("structures", structures, "names")
    if len(names) != len(runs):
        raise ValueError(f"structures must name each of the {len(runs)} runs, got {len(names)} names")
    for name, loss in zip(names, runs, strict=True):
        line = look(name) | {"marker": ""}
        called = LABELS.get(name) if label is None else label
        new = called not in ax.get_legend_handles_labels()[1]
        ax.plot(steps, loss, **line, label=called if new else None)
    for name, bound in mapping("bounds", {} if bounds is None else bounds).items():
        loss = nonnegative_float("bounds", bound)
        text = f"best {LABELS[name]}" if name in LABELS else name
        ax.axhline(
            loss,
            color=COLORS.get(name, INK),
            linestyle=":",
            linewidth=1.1,
            label=f"{text}: {loss:.4g}",
        )
    if log:
        ax.set_yscale("log")
    ax.set(xlabel="step", ylabel="loss")
    _legend(ax)
    return ax


def metrics_over_time(ax: Axes, steps, metrics: Mapping[str, Sequence[float]], log: bool = True) -> Axes:
    """One line for each metric, told apart by shade, dashes and marker.

    Args:
        ax: the axes to draw on.
        steps: (T,) epochs or steps.
        metrics: {label: (T,) values}.
        log: a logarithmic value axis; values that are not positive are left out there.
    """
    ax, steps, log = canvas(ax), array("steps", steps, "T"), flag("log", log)
    for label, values in mapping("metrics", metrics).items():
        ax.plot(steps, array("metrics", values, len(steps)), label=label, markevery=max(1, len(steps) // 8))
    if log:
        ax.set_yscale("log", nonpositive="mask")
    ax.set(xlabel="step")
    _legend(ax)
    return ax


def layer_metrics(axes: Sequence[Axes], steps, metrics: Mapping[str, Sequence]) -> list[Axes]:
    """Metrics of every layer over the steps: a panel a metric, on a logarithmic axis, and one legend above them all.

    Args:
        axes: one for each metric, all of one figure.
        steps: (T,) epochs or steps.
        metrics: {title: (T, L) values}, the same layers in each.
    """
    steps, metrics = array("steps", steps, "T"), mapping("metrics", metrics)
    each = [canvas(ax) for ax in sequence("axes", axes, "axes, one for each of metrics,", len(metrics))]
    for ax, (title, values) in zip(each, metrics.items(), strict=True):
        lines = enumerate(array("metrics", values, len(steps), "L").T, start=1)
        metrics_over_time(ax, steps, {f"layer {layer}": line for layer, line in lines})
        ax.get_legend().remove()
        ax.set_title(title)
    handles, labels = each[0].get_legend_handles_labels()
    each[0].figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return each


def by_structure(ax: Axes, x, values: Mapping[str, Sequence[float]]) -> Axes:
    """One line for each structure, in its colour, against a setting.

    Args:
        ax: the axes to draw on.
        x: (P,) the setting.
        values: {structure: (P,) values}.
    """
    ax, x = canvas(ax), array("x", x, "P")
    for name, each in mapping("values", values).items():
        line = look(name)
        ax.plot(x, array("values", each, len(x)), label=LABELS[name], **line)
    _legend(ax)
    return ax


def probability(ax: Axes, x, estimate, low, high, structure: str | None = None, label: str | None = None) -> Axes:
    """Estimated probabilities with their intervals.

    Args:
        ax: the axes to draw on.
        x: (P,) the setting.
        estimate, low, high: (P,) the estimate and the ends of its interval, in [0, 1].
        structure: whose probability it is; gives colour, marker and, without a label, the name. Lines of no structure
            differ in shade, dashes and marker.
    """
    ax, x = canvas(ax), array("x", x, "P", finite=True)
    given = {"estimate": estimate, "low": low, "high": high}
    estimate, low, high = (array(name, each, len(x), finite=True) for name, each in given.items())
    label = None if label is None else word("label", label)
    style = {} if structure is None else look(structure)
    if not ((low <= estimate) & (estimate <= high)).all():
        raise ValueError("each estimate must lie in its interval: low <= estimate <= high")
    name = LABELS[structure] if structure and label is None else label
    spread = [estimate - low, high - estimate]
    ax.errorbar(x, estimate, yerr=spread, capsize=3, elinewidth=1, label=name, **style)
    ax.set(ylim=(-0.03, 1.03), ylabel="probability")
    _legend(ax)
    return ax


def shares(ax: Axes, found: Mapping[str, Sequence[float]]) -> Axes:
    """How often each structure was found: a point and its interval for each, named below.

    Args:
        ax: the axes to draw on.
        found: {structure: (estimate, low, high)}, for example of `metrics.share`.
    """
    ax = canvas(ax)
    if not (found := mapping("found", found)):
        raise ValueError("found must have one structure at least, got none")
    for place, (name, interval) in enumerate(found.items()):
        estimate, low, high = sequence("found", interval, "numbers (estimate, low, high) each", 3)
        probability(ax, [place], [estimate], [low], [high], structure=name)
    ax.set_xticks(range(len(found)), [LABELS[name].replace(" (", "\n(") for name in found])
    ax.set(xlim=(-0.6, len(found) - 0.4), ylabel="share of the runs")
    ax.get_legend().remove()  # the ticks name the structures
    return ax


def factor_spectra(ax: Axes, steps, values, labels: Sequence[str]) -> Axes:
    """Singular values of several factors over the steps: one look a factor, one line a singular value.

    Args:
        ax: the axes to draw on.
        steps: (T,) step numbers.
        values: (T, factors, K), for example of `balance.factor_singular_values`.
        labels: one a factor.
    """
    ax, steps, labels = canvas(ax), array("steps", steps, "T"), sequence("labels", labels, "names")
    values = array("values", values, len(steps), len(labels), "K")
    for factor, label in enumerate(labels):
        lines = ax.plot(steps, values[:, factor], color=SHADES[factor % 5], marker="", linewidth=1.2)
        for line in lines:
            line.set_linestyle(["-", "--", "-.", ":", (0, (5, 1, 1, 1))][factor % 5])
        lines[0].set_label(label)
    ax.set(xlabel="step", ylabel="singular value", ylim=(0, None))
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(labels), columnspacing=1, borderpad=0.2)
    return ax


def layer_spectra(axes: Sequence[Axes], steps, spectra: Mapping[str, Sequence], top: int = 10) -> list[Axes]:
    """The largest singular values of each layer over the steps, as small multiples on one scale of steps.

    Args:
        axes: one for each layer.
        steps: (T,) step numbers.
        spectra: label -> (T, r), descending in r.
        top: how many are drawn, the larger half of them darker.
    """
    steps, top, spectra = array("steps", steps, "T"), positive_int("top", top), mapping("spectra", spectra)
    each = [canvas(ax) for ax in sequence("axes", axes, "axes, one for each of spectra,", len(spectra))]
    for ax, (label, values) in zip(each, spectra.items(), strict=True):
        for place, line in enumerate(array("spectra", values, len(steps), "r").T[:top]):
            dark = place < (top + 1) // 2
            ax.plot(steps, line, color=SHADES[0] if dark else SHADES[2], marker="", linewidth=1.4 if dark else 0.9)
        ax.set(xlabel="step", ylim=(0, None), title=label)
    each[0].set_ylabel("singular value")
    return each


def _legend(ax: Axes) -> None:
    if ax.get_legend_handles_labels()[1]:
        ax.legend()
