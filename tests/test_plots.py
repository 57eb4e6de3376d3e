"""The visual language keeps its promises, every plot shows what it was given, and the marks are those committed."""

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from conftest import ROOT

from dufm_lib import networks, plots
from dufm_lib.plots import logo, solids

STRUCTURES = ["dnc", "pairing", "polygon", "polyhedron", "strongly_regular", "mixed", "zero"]
WHITE, DARK_PAGE = "#ffffff", "#14181e"

# Linear-light simulation of dichromats: Machado, Oliveira & Fernandes (2009), severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(colour: np.ndarray) -> np.ndarray:
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Contrast ratio of WCAG 2."""
    low, high = sorted(float(linear(colour) @ [0.2126, 0.7152, 0.0722]) + 0.05 for colour in (one, other))
    return high / low


def dark_theme(colour: np.ndarray) -> np.ndarray:
    """The CSS filter invert(0.9) hue-rotate(180deg), as the Filter Effects module defines both."""
    inverted = np.clip(0.9 - 0.8 * colour, 0, 1)
    grey = np.array([0.213, 0.715, 0.072])
    return np.clip((2 * np.outer(np.ones(3), grey) - np.eye(3)) @ inverted, 0, 1)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB of linear sRGB, white point D65."""
    xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    )
    ratio = xyz @ light / [0.95047, 1, 1.08883]
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours: list[np.ndarray], vision) -> float:
    """The smallest CIELAB distance between two of the colours, as a reader with that vision sees them."""
    seen = [lab(np.clip(vision @ linear(colour), 0, 1)) for colour in colours]
    return min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2))


def drawn(figure) -> str:
    """The figure as SVG; the test settings turn a warning about its layout into an error."""
    file = io.StringIO()
    figure.savefig(file, format="svg")
    return file.getvalue()


@pytest.fixture
def ax():
    figure, axes = plots.subplots()
    yield axes
    drawn(figure)


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_colours_stand_out_on_both_pages(structure):
    colour = rgb(plots.COLORS[structure])
    assert contrast(colour, rgb(WHITE)) >= 3  # WCAG 2.1, 1.4.11: graphics
    assert contrast(dark_theme(colour), rgb(DARK_PAGE)) >= 3
    assert contrast(dark_theme(colour), dark_theme(rgb(WHITE))) >= 3  # the figure's own ground, turned


def test_the_filter_is_computed_as_browsers_do():
    assert np.allclose(dark_theme(rgb(WHITE)), 0.1)
    # What Chromium paints for this colour under the filter, to the nearest of 256 levels.
    assert np.allclose(dark_theme(rgb("#0072b2")) * 255, [79, 170, 221], atol=1)


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_for_every_reader(vision):
    # A just noticeable difference is about 2.3; in thin lines and small marks several are needed.
    colours = [rgb(plots.COLORS[structure]) for structure in STRUCTURES]
    assert nearest(colours, VISION[vision]) > 15
    assert nearest([dark_theme(colour) for colour in colours], VISION[vision]) > 12


def test_colour_is_never_the_only_cue():
    for cue in (plots.MARKERS, plots.LINES, plots.HATCHES, plots.LABELS):
        assert list(cue) == list(plots.COLORS)
        assert len(set(cue.values())) == len(cue)


def test_shades_of_ink_are_legible():
    assert all(contrast(rgb(shade), rgb(WHITE)) >= 3 for shade in plots.style.SHADES)


def test_the_same_figure_is_the_same_file():
    def svg():
        figure, ax = plots.subplots()
        plots.probability(ax, [1, 2], [0.2, 0.5], [0.1, 0.4], [0.3, 0.6], structure="dnc")
        return re.sub("<dc:date>.*</dc:date>", "", drawn(figure))

    assert svg() == svg()


def test_loss_curves(ax):
    steps = torch.arange(5)
    losses = torch.rand(5, 3, requires_grad=True)
    plots.loss_curves(ax, steps, losses, ["dnc", "pairing", "dnc"], bounds={"dnc": 0.09066, "chance": 2.0}, log=True)
    assert [line.get_color() for line in ax.lines[:3]] == [plots.COLORS[s] for s in ("dnc", "pairing", "dnc")]
    assert np.allclose(ax.lines[1].get_ydata(), losses[:, 1].detach())
    assert legend(ax) == ["DNC (simplex)", "pairing (orthoplex)", "best DNC (simplex): 0.09066", "chance: 2"]
    assert ax.get_yscale() == "log"


def test_by_structure(ax):
    plots.by_structure(ax, [1, 2, 3], {"dnc": torch.tensor([3.0, 2.0, 1.0]), "polygon": [1, 1, 1]})
    assert [line.get_color() for line in ax.lines] == [plots.COLORS["dnc"], plots.COLORS["polygon"]]
    assert legend(ax) == ["DNC (simplex)", "polygon"]


def test_layer_metrics():
    figure, axes = plots.subplots(1, 2)
    values = torch.rand(4, 3)
    assert plots.layer_metrics(axes, range(4), {"DNC1": values, "DNC2": values}) == list(axes)
    assert [ax.get_title() for ax in axes] == ["DNC1", "DNC2"] and axes[0].get_legend() is None
    assert np.allclose(axes[1].lines[2].get_ydata(), values[:, 2])
    (above,) = figure.legends
    assert [text.get_text() for text in above.get_texts()] == ["layer 1", "layer 2", "layer 3"]
    with pytest.raises(ValueError, match="axes"):
        plots.layer_metrics(axes, range(4), {"DNC1": values})


def test_layer_spectra():
    figure, axes = plots.subplots(1, 2)
    spectra = {"first": torch.tensor([[3.0, 2.0, 1.0], [3.0, 1.0, 0.0]]), "second": torch.ones(2, 7)}
    assert plots.layer_spectra(axes, [0, 5], spectra, top=4) == list(axes)
    assert [len(ax.lines) for ax in axes] == [3, 4]
    assert [ax.get_title() for ax in axes] == ["first", "second"]
    assert axes[0].lines[1].get_ydata().tolist() == [2.0, 1.0]
    assert axes[1].lines[1].get_color() == axes[1].lines[0].get_color() != axes[1].lines[2].get_color()
    with pytest.raises(ValueError):
        plots.layer_spectra(axes, [0, 5], {"one": torch.ones(2, 3)})
    assert figure.axes[0].get_ylabel() == "singular value"


@pytest.mark.parametrize("names", [["linear"], ["linear", "relu", "standard"]])
def test_result_panels(names):
    results = {name: networks.Result.load(ROOT / f"results/networks/mnist-subset-{name}.json") for name in names}
    figure = plots.result_panels(results)
    assert [band.get_suptitle().partition(":")[0] for band in figure.subfigs] == names
    for band, result in zip(figure.subfigs, results.values(), strict=True):
        layers = len(result.history["weight_singular_values"])
        panels = [ax for ax in band.axes if ax.get_label() != "<colorbar>"]
        assert len(panels) == layers + 3
        objective = panels[0].lines[0].get_ydata()
        assert objective.tolist() == result.history["objective"].tolist()
        assert (len(panels[0].lines) == 2) == (result.outcome["dnc_bound"] is not None)
        low, high = panels[0].get_ylim()
        assert low < objective[len(objective) // 2 :].min() <= objective[len(objective) // 2 :].max() < high
    figure.draw_without_rendering()
    with pytest.raises(ValueError, match="at least one"):
        plots.result_panels({})


def test_factor_spectra(ax):
    values = torch.rand(4, 3, 2)  # (T, factors, K)
    plots.factor_spectra(ax, range(4), values, ["H_1", "W_1", "W_2"])
    assert legend(ax) == ["H_1", "W_1", "W_2"] and len(ax.lines) == 6
    assert np.allclose(ax.lines[3].get_ydata(), values[:, 1, 1])
    assert len({line.get_linestyle() for line in ax.lines}) == 3


def test_one_loss_curve_needs_no_structure(ax):
    plots.loss_curves(ax, [0, 1], [2.0, 1.0])
    assert ax.get_legend() is None and len(ax.lines) == 1


def test_a_loss_curve_has_the_name_it_is_given(ax):
    plots.loss_curves(ax, [0, 1], np.ones((2, 2)), ["mixed", "dnc"], label="these networks")
    assert legend(ax) == ["these networks"]
    assert ax.lines[0].get_color() == plots.COLORS["mixed"]


def test_a_colour_bar_is_no_higher_than_its_matrix():
    figure, (ax, _) = plots.subplots(1, 2, size=(7.2, 2.5), width_ratios=(1, 4))
    plots.logit_matrix(ax, np.eye(9))
    figure.draw_without_rendering()
    matrix, bar = ax.get_window_extent(), ax.child_axes[0].get_window_extent()
    assert matrix.y0 < bar.y0 < bar.y1 < matrix.y1 and matrix.x1 < bar.x0


def test_loss_curves_name_every_run(ax):
    with pytest.raises(ValueError, match="each of the 2 runs, got 1"):
        plots.loss_curves(ax, [0, 1], np.ones((2, 2)), ["dnc"])
    with pytest.raises(ValueError, match="one of dnc, pairing"):
        plots.loss_curves(ax, [0, 1], [1.0, 1.0], ["simplex"])


def test_metrics_over_time(ax):
    plots.metrics_over_time(ax, [0, 1, 2], {"NC1": [1, 0.1, 0.01], "NC4": [0.5, 0.0, 0.0]})
    assert legend(ax) == ["NC1", "NC4"]
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 2


def test_probability(ax):
    plots.probability(ax, [10, 20], [0.2, 0.5], [0.1, 0.4], [0.3, 0.8], structure="pairing")
    (bars,) = ax.containers[0][2]
    assert np.allclose([part[:, 1] for part in bars.get_segments()], [[0.1, 0.3], [0.4, 0.8]])
    assert legend(ax) == ["pairing (orthoplex)"]
    with pytest.raises(ValueError, match="in its interval"):
        plots.probability(ax, [1], [0.9], [0.1], [0.3])


def test_probabilities_of_no_structure_look_different(ax):
    for label in ("a", "b"):
        plots.probability(ax, [1, 2], [0.5, 0.5], [0.4, 0.4], [0.6, 0.6], label=label)
    one, other = (container[0] for container in ax.containers)
    assert one.get_marker() != other.get_marker() and one.get_linestyle() != other.get_linestyle()


def test_shares(ax):
    plots.shares(ax, {"pairing": (0.6, 0.4, 0.7), "mixed": (0.4, 0.3, 0.6)})
    assert [label.get_text() for label in ax.get_xticklabels()] == ["pairing\n(orthoplex)", "other"]
    assert [line.get_color() for line in ax.lines[::3]] == [plots.COLORS["pairing"], plots.COLORS["mixed"]]


def test_share_map(ax):
    plots.share_map(ax, [10, 20], ["5", "9"], [[1, 0.004], [0, 0.25]])
    assert [text.get_text() for text in ax.texts] == ["100", "25"]
    assert ax.images[0].origin == "lower"
    with pytest.raises(ValueError, match=r"shape \(1, 2\), rows by columns; got \(2, 1\)"):
        plots.share_map(ax, [10, 20], [5], [[1], [0]])


def test_chapter_map(ax):
    plots.chapter_map(ax, ["first", "second", "third"], {"third": ["first", "second"]})
    assert [text.get_text() for text in ax.texts] == ["first", "second", "third"]
    assert sorted(arc.height for arc in ax.patches) == [1, 2]
    with pytest.raises(ValueError, match="'third' is not there"):
        plots.chapter_map(ax, ["first", "second"], {"first": ["third"]})


def test_spectrum_keeps_zeros_in_sight(ax):
    plots.spectrum(ax, torch.tensor([0.0, 12.0, 12.0, 1e-9]), structure="pairing")
    alive, dead = ax.lines
    assert np.allclose(alive.get_ydata(), 12) and list(alive.get_xdata()) == [1, 2]
    assert list(dead.get_xdata()) == [3, 4] and dead.get_markerfacecolor() == "white"
    assert dead.get_ydata()[0] == ax.get_ylim()[0]


def test_spectra_of_several_layers(ax):
    plots.spectrum(ax, np.ones((3, 4)), labels=["layer 1", "layer 2", "layer 3"])
    assert legend(ax) == ["layer 1", "layer 2", "layer 3"]
    with pytest.raises(ValueError, match="positive singular value"):
        plots.spectrum(ax, np.zeros((2, 4)))


def test_eigenvalue_ladder(ax):
    spectra = {
        "dnc": ([-1e-2, 1e-12, 1e-3], [2, 18, 11]),
        "pairing": (torch.tensor([0.0, 1e-3]), torch.tensor([14, 3])),
    }
    plots.eigenvalue_ladder(ax, spectra)
    assert [text.get_text() for text in ax.texts] == ["× 2", "18 zeros", "× 11", "14 zeros", "× 3"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["DNC (simplex)", "pairing (orthoplex)"]
    bottom, top = ax.get_ylim()
    assert bottom < -1e-2 and top > 1e-3


def test_hessian_histogram_counts_every_eigenvalue(ax):
    values = torch.tensor([-0.02, 1e-9, 0.0, 1e-3, 1e-3, 0.5], dtype=torch.float64)
    plots.hessian_histogram(ax, values)
    assert legend(ax) == ["1 negative", "2 zero", "3 positive"]
    assert [patch.get_data().values.sum() for patch in ax.patches] == [1, 2, 3]


def test_hessian_histogram_of_zeros_alone(ax):
    plots.hessian_histogram(ax, np.zeros(4))
    assert legend(ax) == ["0 negative", "4 zero", "0 positive"]


def test_logit_matrix_is_symmetric_about_zero(ax):
    plots.logit_matrix(ax, torch.tensor([[2.0, -5.0], [0.0, 2.0]]))
    assert ax.images[0].get_clim() == (-5, 5)
    assert [text.get_text() for text in ax.texts] == ["2", "-5", "0", "2"]
    plots.logit_matrix(ax, np.zeros((10, 10)), names="0123456789")  # nothing to scale by, too many for numbers
    assert ax.images[1].get_clim() == (-1, 1) and len(ax.texts) == 4


def test_phase_map(ax):
    plots.phase_map(
        ax, [4, 6], [1, 2], [["dnc", "dnc"], ["dnc", "pairing"]], text=[["a", "b"], ["c", "d"]], names={"dnc": "open"}
    )
    assert [patch.get_hatch() for patch in ax.patches] == ["", "//"]  # one patch a structure, however many cells
    inside = [patch.get_path().contains_points([(0, 0), (1, 0), (0, 1), (1, 1)]).tolist() for patch in ax.patches]
    assert inside == [[True, True, True, False], [False, False, False, True]]
    assert [(*text.get_position(), text.get_text()) for text in ax.texts][2:] == [(0, 1, "c"), (1, 1, "d")]
    assert legend(ax) == ["open", "pairing (orthoplex)"]
    with pytest.raises(ValueError, match="2 rows of 2 names"):
        plots.phase_map(ax, [4, 6], [1, 2], [["dnc", "dnc"]])


def test_points_in_the_plane_and_in_space(ax):
    plots.points_2d(ax, solids.regular_polygon(5)[:, :2], structure="polygon")
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3", "4", "5"]
    assert len(ax.lines) == 1 + 5 + 5 + 5  # the origin, rays, edges, corners
    figure, other = plots.subplots()
    plots.points_3d(other, torch.tensor(solids.ICOSAHEDRON), structure="polyhedron")
    assert len(other.lines) == 30 + 12
    drawn(figure)


def test_features_are_drawn_as_their_class(ax):
    plots.features_2d(ax, torch.rand(6, 2), torch.tensor([0, 0, 1, 1, 2, 2]), names="abc")
    assert [line.get_marker() for line in ax.lines] == ["$a$", "$b$", "$c$"]


def test_projection_is_a_rotation():
    turn = solids.project(np.eye(3), 31, 17)
    assert np.allclose(turn @ turn.T, np.eye(3)) and np.isclose(np.linalg.det(turn), 1)
    assert np.allclose(solids.project(np.array([[1.0, 0, 0]]), 0, 0), [[0, 0, 1]])  # seen end on


def test_the_outline_is_convex_and_holds_every_point():
    points = np.random.default_rng(0).normal(size=(40, 2))
    corners = points[solids.hull(points)]
    sides = np.roll(corners, -1, axis=0) - corners
    offsets = points[:, None] - corners[None]
    # Every point lies left of every side; corners of a side are on it up to rounding.
    assert (sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0] >= -1e-12).all()


def test_the_simplex_of_the_logo_touches_four_faces():
    for vertex in logo.INSCRIBED:
        face = solids.ICOSAHEDRON[np.argsort(solids.ICOSAHEDRON @ vertex)[-3:]]
        assert np.allclose(face.mean(axis=0), vertex)


def test_the_outline_of_the_favicon_is_a_regular_hexagon():
    outline = re.search(r'<polygon points="([^"]*)" fill="none"', logo.favicon())[1]
    corners = np.array([[float(number) for number in pair.split(",")] for pair in outline.split()])
    sides = np.linalg.norm(np.roll(corners, 1, axis=0) - corners, axis=1)
    assert len(sides) == 6 and np.ptp(sides) < 0.03  # two decimals are written


@pytest.mark.parametrize("mark", [logo.logo, logo.favicon, logo.hero])
def test_the_committed_marks_are_those_drawn(mark, root):
    committed = (root / f"book/assets/{mark.__name__}.svg").read_text(encoding="utf-8")
    assert committed == mark(), "run python -m dufm_lib.plots.logo book/assets"
    assert ElementTree.fromstring(committed)[0].text  # well formed, and it has a title
    assert len(committed) < 20_000
