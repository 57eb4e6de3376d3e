"""The widget that searches for the best structure."""

import pytest
import torch

from dufm_lib import plots, structures
from dufm_lib.shapes import shape
from dufm_lib.widgets import optimal_structure


def silent(fraction, text=""):
    return True


@pytest.mark.parametrize(
    ("classes", "depth", "name"),
    [(6, 1, "simplex, rank 5"), (6, 3, "orthoplex, rank 3"), (5, 4, "polygon, rank 2"), (7, 3, "pentagonal bipyramid")],
)
def test_the_search_names_what_it_finds(classes, depth, name):
    figure, text = optimal_structure.find(classes, depth, 2**-11, 24, 0, silent)
    assert name in text and "DNC (simplex)" in text
    assert len(figure.axes) == 2  # heat map, the shape


def test_zero_is_drawn_too():
    figure, text = optimal_structure.find(4, 2, 2.0, 0, 0, silent)
    assert "zero, rank 0" in text and not figure.axes[1].axison


def test_the_search_stops_when_told():
    calls = []
    optimal_structure.find(5, 2, 2**-10, 20, 0, lambda share, text: bool(calls.append(share)))
    assert len(calls) == 1


@pytest.mark.parametrize("make", [structures.simplex_etf, structures.pairing, structures.polygon])
def test_features_have_the_logits_as_inner_products(make):
    points = optimal_structure.features(4 * make(6))
    assert torch.allclose(points @ points.T, 4 * make(6), atol=1e-12)


def test_a_solid_has_the_edges_of_its_hull():
    _, ax = plots.subplots()
    logits = 5 * structures.pairing(6)
    optimal_structure.draw_shape(ax, logits, shape(logits))
    assert sum(len(line.get_xdata()) == 2 for line in ax.lines) == 12


def test_the_default_runs():
    experiment = optimal_structure.search_experiment()
    assert "pentagonal bipyramid" in experiment.run_now() and "<img" in experiment.figure.value
