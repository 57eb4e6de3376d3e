"""The live figure of flatness: constants and norms in JavaScript against dufm_lib.theory and the Hessian itself."""

import itertools

import pytest
from javascript import node

from dufm_lib import Problem, hessian, model, theory
from dufm_lib.structures import pairing, simplex_etf
from dufm_lib.widgets.sharpness import Sharpness

SETTINGS = [
    {"K": K, "n": n, "L": L, "d": K + 3, "lambda": decay}
    for K, n, L, decay in itertools.product((4, 6, 10), (1, 5), (1, 2, 4, 12), (1e-2, 1e-4, 1e-12, 2.0**-80))
]


def problem(given) -> Problem:
    return Problem(given["K"], given["n"], given["L"], given["d"], given["lambda"])


def test_constants_are_those_of_python():
    body = (
        "return given.map((each) => [m.dncFlatness(each), m.pairingFlatness(each), m.limits(each)].map(Object.values));"
    )
    for given, (dnc, pair, ratios) in zip(SETTINGS, node("flatness.js", body, SETTINGS), strict=True):
        expected = theory.dnc_flatness(problem(given)), theory.pairing_flatness(problem(given))
        assert dnc == pytest.approx(list(expected[0]), rel=1e-14)
        assert pair == pytest.approx(list(expected[1]), rel=1e-14)
        assert ratios == pytest.approx([a / b for a, b in zip(*expected, strict=True)], rel=1e-14)


def test_norms_are_those_of_the_hessian():
    missing = 0
    for given, found in zip(SETTINGS, node("flatness.js", "return given.map(m.norms)", SETTINGS), strict=True):
        setting = problem(given)
        scales = (
            max(theory.dnc_critical_scales(setting), default=0),
            theory.optimal_scale(setting, pairing(given["K"]))[0],
        )
        if 0 in scales:
            missing += 1
            assert found is None
            continue
        shapes = simplex_etf(given["K"]), pairing(given["K"])
        for norms, scale, shape in zip(found.values(), scales, shapes, strict=True):
            spectrum = hessian.aligned_spectrum(setting, scale * shape)
            sizes, counts = spectrum.eigenvalues.abs() / setting.weight_decay, spectrum.multiplicities
            expected = sizes.max(), (sizes.square() * counts).sum().sqrt(), (sizes * counts).sum()
            # aligned_spectrum sees the logits as a matrix: rounding of 1e-10 of the largest, many times in a trace
            assert list(norms.values()) == pytest.approx([float(each) for each in expected], rel=1e-7)
    assert missing < len(SETTINGS) / 4


def test_the_penalty_alone_curves_every_parameter_alike():
    for given in SETTINGS[::7]:
        parameters = sum(each.numel() for each in model.random_point(problem(given)))
        share = node("flatness.js", "return m.penaltyShare(given, 1e6)", given)
        assert share == pytest.approx(parameters / 1e6, rel=1e-14)


def test_the_ratios_approach_the_limits_slowly():
    body = (
        "return given.map((lambda) => [m.ratios({ K: 6, n: 1, L: 2, d: 6, lambda }), m.limits({ K: 6, n: 1, L: 2 })])"
    )
    (found, limits), (closer, _) = node("flatness.js", body, [1e-12, 2.0**-80])
    assert 1.015 < found["trace"] / limits["trace"] < 1.025  # of the chapter: about two percent off
    assert limits["trace"] == pytest.approx(8 / 9)
    assert 1 < closer["trace"] / limits["trace"] < found["trace"] / limits["trace"]


def test_the_answer_changes_sides_as_the_figure_says():
    def trace(n, L):
        one, other = (f(Problem(10, n, L, 10, 1e-3)) for f in (theory.dnc_flatness, theory.pairing_flatness))
        return one.trace / other.trace

    values = Sharpness().values
    ranges = {each["name"]: each["max"] for each in Sharpness().card["controls"]}
    assert trace(values["n"], values["L"]) < 1 < trace(values["n"], ranges["L"])
    assert trace(ranges["n"], ranges["L"]) < 1


def test_the_norms_at_parameters_are_those_of_the_page():
    figure = Sharpness(m=3, n=2, d=9)
    assert figure.run_now().startswith("At parameters: spectral")
    given = {"K": 6, "n": 2, "L": 2, "d": 9, "lambda": 2.0**-10}
    for name, ratio in node("flatness.js", "return m.ratios(given)", given).items():
        assert figure.result[name] == pytest.approx(ratio, rel=1e-7)
    with pytest.raises(ValueError, match="lambda must be lower"):
        Sharpness(m=20, n=100, **{"lambda": 2.0**-6}).run_now()
