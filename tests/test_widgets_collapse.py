"""The experiment of the chapter on neural collapse: digits trained past zero error."""

import pytest
import torch

from dufm_lib import structures
from dufm_lib.widgets import collapse

SETTING = {"classes": 3, "samples": 10, "width": 8, "weight_decay": 2**-8, "steps": 200, "seed": 0}


def silent(fraction, text=""):
    return True


def gauss(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def value(text, name):
    return float(text.split(f"{name} ")[1].split(",")[0].rstrip("."))


def test_three_classes_are_drawn_in_a_plane_and_collapse_after_the_last_error():
    figure, text = collapse.collapse(**SETTING, report=silent)
    at_the_end, on_the_way = text.split("On the way: ")
    assert "After 200 epochs" in at_the_end and on_the_way.startswith("zero error at epoch")
    # the recipe gains a factor of ten in 200 epochs at this weight decay; half of that is safe on any machine
    assert value(at_the_end, "NC1") < value(on_the_way, "NC1") / 5
    left, right = figure.axes
    assert [line.get_label() for line in left.lines[:4]] == ["NC1", "NC2", "NC3", "NC4"]
    assert len(left.lines) == 5  # and the epoch of the last error
    assert [len(line.get_xdata()) for line in right.lines] == [10, 10, 10]
    top = [line.get_ydata().mean() for line in right.lines]
    assert top[2] == max(top)  # the last corner of the simplex points up


@pytest.mark.parametrize("classes", [2, 4])
def test_other_numbers_of_classes_are_drawn_as_cosines(classes):
    figure, _ = collapse.collapse(**SETTING | {"classes": classes}, report=silent)
    left, right = figure.axes
    table = right.images[0].get_array()
    assert table.shape == (classes, classes)
    assert left.get_ylim()[0] >= 1e-8  # NC2 of two classes is zero with rounding and does not set the scale


def test_errors_that_stay_are_said():
    _, text = collapse.collapse(**SETTING | {"steps": 1}, report=silent)
    assert text.endswith("On the way: errors.")


def test_reports_rise_and_a_stop_ends_the_training():
    fractions = []

    def report(fraction, text):
        fractions.append(fraction)
        return len(fractions) < 2

    _, text = collapse.collapse(**SETTING | {"steps": 100_000}, report=report)
    assert len(fractions) == 2 and fractions == sorted(fractions) and fractions[-1] < 0.5
    assert int(text.split("After ")[1].split()[0]) < 50_000


@pytest.mark.parametrize(
    ("change", "message"), [({"samples": 200}, "per_class must be at most"), ({"seed": -1}, "seed must be")]
)
def test_a_bad_setting_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        collapse.collapse(**SETTING | change, report=silent)


@pytest.mark.parametrize("classes", [3, 4, 6])
def test_towards_simplex_finds_a_turned_simplex(classes):
    frame = torch.linalg.qr(gauss(9, classes - 1))[0]
    corners = structures.simplex_vertices(classes)
    labels = torch.arange(classes).repeat(3)
    features = 5 * frame @ corners[:, labels] + gauss(9, 1, seed=1)
    # a few roundings of the shift
    assert torch.allclose(collapse.towards_simplex(features, labels), 5 * corners[:, labels], atol=1e-12)


def test_towards_simplex_keeps_distances_of_class_means():
    labels = torch.arange(4).repeat(5)
    features = gauss(9, 20)
    seen = collapse.towards_simplex(features, labels)
    means, drawn = (torch.stack([points[:, labels == k].mean(1) for k in range(4)]) for points in (features, seen))
    assert seen.shape == (3, 20)
    assert torch.allclose(torch.pdist(drawn), torch.pdist(means), rtol=1e-12)  # a few roundings
    assert torch.allclose(drawn.sum(0), torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_cosines_of_centred_means():
    shifted = 3 * structures.simplex_vertices(5) + gauss(4, 1)
    expected = torch.full((5, 5), -1 / 4, dtype=torch.float64).fill_diagonal_(1)
    assert torch.allclose(collapse.cosines(shifted), expected, atol=1e-12)


def test_the_widget_shows_what_the_chapter_says_at_its_default_setting():
    text = collapse.experiment().run_now()
    assert value(text, "NC1") < 1e-4 and value(text, "NC2") < 0.02


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"weight_decay": 2**-12}, lambda before, after: after["NC1"] > before["NC1"] / 20),  # slow
        ({"classes": 10, "samples": 5}, lambda before, after: after["NC1"] < before["NC1"] / 50),
        ({"classes": 10, "width": 5}, lambda before, after: after["NC2"] > 0.7),  # no room
    ],
)
def test_what_the_chapter_suggests_to_try_shows_what_it_promises(change, expected):
    settings = collapse.experiment().settings() | change
    _, text = collapse.collapse(**settings, report=silent)
    after, before = ({name: value(part, name) for name in ("NC1", "NC2")} for part in text.split("On the way: "))
    assert expected(before, after)


def test_with_much_weight_decay_there_is_an_accident():
    settings = collapse.experiment().settings() | {"weight_decay": 2**-6}
    figure, _ = collapse.collapse(**settings, report=silent)
    nc1 = figure.axes[0].lines[0].get_ydata()
    assert (nc1[1:] / nc1[:-1]).max() > 10  # seen: a factor of hundreds
