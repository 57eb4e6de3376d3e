"""The live figure of the loss along the scale: its mathematics against Python, its start, its values."""

import itertools
import json
import math

import pytest
from javascript import node

from dufm_lib import Problem, hessian, model, structures, theory
from dufm_lib.widgets.scale import Scale, scale_of

SETTINGS = [
    {"K": K, "n": n, "L": L, "lambda": 2.0**power}
    for K, n, L, power in itertools.product((3, 4, 7, 10), (1, 5), (1, 2, 3, 6), (-14, -9, -5, -4, -2))
]


def problem(setting) -> Problem:
    return Problem(setting["K"], setting["n"], setting["L"], setting["K"], setting["lambda"])


def test_landmarks_are_those_of_python():
    found = node("branches.js", "return given.map(m.landmarks)", SETTINGS)
    kinds = set()
    for setting, marks in zip(SETTINGS, found, strict=True):
        at, simplex = problem(setting), structures.simplex_etf(setting["K"])
        scales = theory.dnc_critical_scales(at)
        assert [mark["scale"] for mark in marks["dnc"]] == pytest.approx(list(scales), rel=1e-10)  # roots
        for mark in marks["dnc"]:
            assert mark["loss"] == pytest.approx(theory.structure_loss(at, simplex, mark["scale"]), rel=1e-12)
            spectrum = theory.dnc_spectrum(at, mark["scale"])
            # rounding leaves 1e-16 of a unit where an eigenvalue vanishes; here none comes that near to zero
            assert mark["negative"] == sum(each.multiplicity for each in spectrum if each.eigenvalue < 0)
            kinds.add(("dnc", mark["negative"] > 0))
        scale, loss = theory.optimal_scale(at, structures.pairing(setting["K"]))
        pairing = marks["pairing"]
        assert pairing["scale"] == pytest.approx(scale, rel=1e-9) and pairing["loss"] == pytest.approx(loss, rel=1e-12)
        if scale == 0 or setting["K"] % 2:
            assert pairing["negative"] is None
        else:
            spectrum = hessian.aligned_spectrum(at, scale * structures.pairing(setting["K"]))
            assert pairing["negative"] == spectrum.negative
            kinds.add(("pairing", spectrum.negative > 0))
        assert marks["zero"]["loss"] == pytest.approx(math.log(setting["K"]), rel=1e-15)
    assert kinds == set(itertools.product(("dnc", "pairing"), (True, False)))  # both signs are compared


@pytest.mark.parametrize(("L", "decay"), [(1, 0.05), (1, 0.4), (2, 0.05), (3, 0.4)])
def test_the_curvature_at_zero_is_the_smallest_eigenvalue_there(L, decay):
    setting = Problem(4, 2, L, 4, decay)
    found = node("branches.js", "return m.landmarks(given).zero.curvature", {"K": 4, "n": 2, "L": L, "lambda": decay})
    zero = model.random_point(setting, init_scale=0.0)
    assert found == pytest.approx(float(hessian.spectrum(setting, zero).smallest), abs=1e-12)  # rounding of eigh


def test_frontiers_separate_what_they_say():
    grid = [{"K": K, "n": n, "L": L, "lambda": 0.1} for K, n, L in itertools.product((3, 4, 6, 20), (1, 5), (2, 3, 6))]
    for setting, edges in zip(grid, node("branches.js", "return given.map(m.frontiers)", grid), strict=True):

        def at(decay, K=setting["K"], n=setting["n"], L=setting["L"]):
            return Problem(K, n, L, K, decay)

        simplex = structures.simplex_etf(setting["K"])
        # a millionth to either side, far above the rounding of the roots
        below, above = 1 - 1e-6, 1 + 1e-6
        assert len(theory.dnc_critical_scales(at(edges["exists"] * below))) == 2
        assert theory.dnc_critical_scales(at(edges["exists"] * above)) == ()
        assert theory.optimal_scale(at(edges["level"] * below), simplex)[0] > 0
        assert theory.optimal_scale(at(edges["level"] * above), simplex)[0] == 0
        for side, stable in ((below, True), (above, False)):
            decay = edges["stable"] * side
            found = theory.dnc_spectrum(at(decay), theory.dnc_critical_scales(at(decay))[-1])
            assert all(each.eigenvalue >= 0 for each in found) == stable


def test_at_depth_one_all_frontiers_are_the_threshold():
    found = node("branches.js", "return m.frontiers(given)", {"K": 6, "n": 5, "L": 1, "lambda": 0.1})
    assert list(found.values()) == pytest.approx([1 / (6 * math.sqrt(5))] * 3)


def test_the_start_of_a_page_is_where_reset_leads():
    figure = Scale(K=6, n=2, L=1, **{"lambda": 0.02})
    starts = {control["name"]: control["value"] for control in figure.card["controls"]}
    assert starts == figure.values == {"K": 6, "n": 2, "L": 1, "lambda": 0.02, "d": 40, "seed": 0}


def test_descent_ends_on_the_curves():
    figure = Scale(K=6, n=2, L=1, **{"lambda": 0.02})
    assert figure.run_now() == "Of 10 runs at width 40, 10 at DNC (simplex)."
    scale, loss = theory.optimal_scale(Problem(6, 2, 1, 6, 0.02), structures.simplex_etf(6))
    # descent in float32, to its usual tolerance
    assert figure.result["ends"] == [pytest.approx([scale, loss], rel=1e-3)] * 10
    json.dumps(figure.result, allow_nan=False)
    died = Scale(K=4, n=1, L=2, **{"lambda": 0.5})
    assert died.run_now() == "Of 10 runs at width 40, 10 at zero."
    assert died.result["ends"] == [(0.0, pytest.approx(math.log(4), rel=1e-4))] * 10


def test_scales_are_read_off_the_logits():
    assert scale_of(3 * structures.simplex_etf(5), "dnc") == 3
    assert scale_of(2 * structures.pairing(5), "pairing") == scale_of(2 * structures.pairing(6), "pairing") == 2


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"K": 2}, "K must be from 3 to 20, got 2"),
        ({"L": 1.5}, "L must be a whole number"),
        ({"lambda": 0.0}, "lambda must be from"),
        ({"d": 3}, "d must be from 20 to 120"),
        ({"width": 3}, "values must be given for"),
    ],
)
def test_bad_starts_are_refused_in_words(start, message):
    with pytest.raises(ValueError, match=message):
        Scale(**start)
