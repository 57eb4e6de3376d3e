"""Experiments on images side by side, drawn from their result files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure, SubFigure

from dufm_lib.plots.curves import layer_spectra, loss_curves
from dufm_lib.plots.matrices import logit_matrix
from dufm_lib.plots.style import mapping, subplots

if TYPE_CHECKING:
    from dufm_lib.networks import Result

HEIGHT = 4.6  # inches of one result


def result_panels(results: Mapping[str, Result]) -> Figure:
    """For each result: the objective with the best of collapse, the mean logits, and what every layer keeps.

    Args:
        results: {name: `networks.Result`}, at least one.

    Returns:
        A figure, a band for each result. Above the band stand its name, the rank of its logits and the share of test
        images that it answers rightly. The axis of the objective fits the second half of its records.

    Raises:
        ValueError: there is no result, or something else than results.
    """
    results = mapping("results", results)
    if not results or not all(hasattr(result, "history") for result in results.values()):
        raise ValueError("results must be {name: networks.Result}, at least one; make them with dufm_lib.networks")
    figure, ax = subplots(size=(7.2, HEIGHT * len(results)))
    ax.remove()
    bands = figure.subfigures(len(results), 1, squeeze=False)[:, 0]
    for band, (name, result) in zip(bands, results.items(), strict=True):
        _panels(band, name, result)
    return figure


def _panels(band: SubFigure, name: str, result: Result) -> None:
    history, bound = result.history, result.outcome["dnc_bound"]
    layers = history["weight_singular_values"]
    answered = float(history["test_accuracy"][-1])
    band.suptitle(f"{name}: rank {result.outcome['rank']}, {answered:.1%} of the test images")
    places = [f"W{layer}" for layer in range(1, len(layers) + 1)] + ["logits"]
    half, rest = divmod(len(places), 2)
    axes = band.subplot_mosaic([["objective"] * (half + rest) + ["matrix"] * half, places])
    above = {} if bound is None else {"dnc": bound}
    loss_curves(axes["objective"], history["steps"], history["objective"], bounds=above)
    late = history["objective"][len(history["objective"]) // 2 :].tolist()
    levels = [*late, *above.values()]
    axes["objective"].set(ylabel="objective", ylim=(0.8 * min(levels), 1.3 * max(levels)))
    K = history["logits"].shape[-1]
    logit_matrix(axes["matrix"], history["logits"][-1], [str(k) for k in range(K)])
    spectra = {f"$W_{layer}$": values for layer, values in enumerate(layers, start=1)}
    spectra["mean logits"] = history["singular_values"]
    layer_spectra([axes[place] for place in places], history["steps"], spectra)
