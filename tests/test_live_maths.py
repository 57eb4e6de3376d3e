"""The mathematics of the live figures against Python, and their addresses and settings, run by node."""

import itertools
import math

import pandas as pd
import pytest
import torch
from conftest import ROOT
from javascript import node

from dufm_lib import Problem, hessian, metrics, structures, theory
from dufm_lib.widgets import fields, low_rank
from dufm_lib.widgets.shares import LETTERS, Shares

SHAPES = {"simplex": structures.simplex_etf, "pairing": structures.pairing, "polygon": structures.polygon}
# powers of two from where fits are tiny to where only zero logits pay, and the depths at which the cases differ
SETTINGS = [
    {"K": K, "n": n, "L": L, "lambda": 2.0**power}
    for K, n, L, power in itertools.product((2, 3, 5, 10), (1, 7), (1, 2, 3, 6), range(-16, 1, 4))
]


def problem(setting) -> Problem:
    return Problem(setting["K"], setting["n"], setting["L"], setting["K"], setting["lambda"])


@pytest.mark.parametrize("name", SHAPES)
def test_structures_have_the_losses_of_python(name):
    body = """return given.map(({ scale, ...p }) => {
      const shape = m[given.name ?? p.name](p.K);
      return [m.fit(shape, scale), m.schattenPenalty(shape, p), m.structureLoss(shape, p, scale), m.rank(shape)];
    });"""
    cases = [setting | {"scale": scale, "name": name} for setting in SETTINGS[::3] for scale in (0.0, 0.3, 8.0, 900.0)]
    for case, found in zip(cases, node("theory.js", body, cases), strict=True):
        shape, free = SHAPES[name](case["K"]), problem(case | {"lambda": 0.0})
        expected = (
            theory.structure_loss(free, shape, case["scale"]),
            theory.schatten_penalty(problem(case), shape),
            theory.structure_loss(problem(case), shape, case["scale"]),
            int(structures.rank(shape)),
        )
        # both in float64 by sums of at most K terms
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", SHAPES)
def test_best_scales_are_those_of_python(name):
    body = "return given.map(({ name, ...p }) => m.optimalScale(m[name](p.K), p));"
    found = node("theory.js", body, [setting | {"name": name} for setting in SETTINGS])
    at_zero = 0
    for setting, best in zip(SETTINGS, found, strict=True):
        scale, loss = theory.optimal_scale(problem(setting), SHAPES[name](setting["K"]))
        assert best["loss"] == pytest.approx(loss, rel=1e-12)
        # a loss is flat at its minimum: half the digits of the scale follow from those of the loss, roots give more
        assert best["scale"] == pytest.approx(scale, rel=1e-9)
        at_zero += scale == 0
    assert 0 < at_zero < len(SETTINGS)  # both kinds of answer are compared


def test_any_logits_give_a_structure():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 5, generator=generator, dtype=torch.float64)  # classes that lose are in it
    given = {
        "logits": logits.tolist(),
        "sigma": structures.singular_values(logits).tolist(),
        "p": {"K": 5, "n": 3, "L": 2, "lambda": 0.01},
    }
    body = "return m.structureLoss(m.structureOf(given.logits, given.sigma), given.p, 1.5)"
    assert node("theory.js", body, given) == pytest.approx(
        theory.structure_loss(problem(given["p"]), logits, 1.5), rel=1e-12
    )


def test_critical_stable_and_frontier_scales():
    body = """return given.map(p =>
      [m.dncCriticalScales(p), m.dncStableScale(p.K, p.L), p.L > 1 && m.dncFrontierScale(p.K, p.L)]);"""
    counts = set()
    for setting, (critical, stable, frontier) in zip(SETTINGS, node("theory.js", body, SETTINGS), strict=True):
        expected = theory.dnc_critical_scales(problem(setting))
        counts.add(len(expected))
        assert critical == pytest.approx(list(expected), rel=1e-10)  # the last digits of a root of differences
        assert stable == pytest.approx(theory.dnc_stable_scale(problem(setting)), rel=1e-15)
        if setting["L"] > 1:
            assert frontier == pytest.approx(theory.dnc_frontier_scale(problem(setting)), rel=1e-12)
    assert counts == {0, 1, 2}


def test_the_theorems_exclude_the_same_cells():
    grid = [(K, L, s) for K in range(2, 20) for L in range(1, 8) for s in ("linear", "relu")]
    found = node("theory.js", "return given.map(each => m.dncIsExcluded(...each));", grid)
    expected = [theory.dnc_is_excluded(Problem(K, 1, L, K, 1e-3, activation=s)).holds for K, L, s in grid]
    assert found == expected


def test_the_phase_map_is_that_of_the_chapter():
    body = "return m.cells(m.three, [3, 18], [1, 7], { n: 1, lambda: given })"
    for decay in (1e-3, 0.02, 0.125):
        for cell in node("contest.js", body, decay):
            # the slowest loop of this file: every third column
            if cell["K"] % 3 == 0:
                assert cell["name"] == low_rank.cheapest(Problem(cell["K"], 1, cell["L"], cell["K"], decay))[0]


def test_the_puzzle_finds_the_crossing_of_four_classes():
    body = """
    const problem = { K: 4, n: 1, L: 2 };
    const steps = 90, range = [2 ** -14, 0.5];
    const decays = Array.from({ length: steps + 1 }, (_, i) => range[0] * (range[1] / range[0]) ** (i / steps));
    return m.crossings(problem, decays, decays.map((lambda) => m.duel({ ...problem, lambda })));"""
    (crossing,) = node("contest.js", body)
    assert crossing["pairingAbove"] and crossing["lambda"] == pytest.approx(0.01176, abs=5e-6)  # of the chapter
    at = Problem(4, 1, 2, 4, crossing["lambda"])
    dnc, pairing = (theory.optimal_scale(at, shape(4))[1] for shape in (structures.simplex_etf, structures.pairing))
    assert dnc == pytest.approx(pairing, rel=1e-9)


def test_the_price_is_a_power():
    assert node("charge.js", "return [m.price(7, 2), m.price(0.3, 50)]") == pytest.approx(
        [7 ** (2 / 3), 0.3 ** (2 / 51)]
    )


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_pairs_are_charged_alike_and_reach_both_axes(depth):
    paid = 2 ** (2 / (depth + 1)) + 1
    pairs = node("charge.js", "return m.equalPairs(...given)", [paid, depth, 1e30, 40])
    # Problem(2, 1, depth, 2, 2 / (depth + 1)) charges each singular value its power alone
    free = Problem(2, 1, depth, 2, 2 / (depth + 1))
    charged = [float(theory.schatten_penalty(free, torch.diag(torch.tensor(pair).double()))) for pair in pairs]
    assert charged == pytest.approx([paid] * 82) and pairs == [[y, x] for x, y in reversed(pairs)]
    assert pairs[0][0] == 0 == pairs[-1][1] and pairs[40] == pytest.approx(pairs[41])


def pairing_weight_decay(K, n, L, beta) -> float:
    """The weight decay at which pairing of this scale is critical, unstable ones included."""
    t = math.exp(-beta)
    slope = ((K - 2) * t + 2 * t * t) / (1 + (K - 2) * t + t * t)
    return 2 / K * 4 ** (-1 / (L + 1)) * beta ** ((L - 1) / (L + 1)) * slope * n ** (-1 / (L + 1))


def test_hessian_spectra_are_those_of_python():
    cases = []
    for K, n, L in itertools.product((3, 4, 6, 10), (1, 3), (1, 2, 4)):
        for scale in (0.3, 1.5, 6.0):
            decay = theory.dnc_weight_decay(Problem(K, n, L, K + 2, 1.0), scale)
            cases.append({"name": "dnc", "K": K, "n": n, "L": L, "d": K + 2, "lambda": decay, "scale": scale})
            if K % 2 == 0:
                decay = pairing_weight_decay(K, n, L, scale)
                cases.append({"name": "pairing", "K": K, "n": n, "L": L, "d": K, "lambda": decay, "scale": scale})
    body = "return given.map((p) => m.distinct(m[`${p.name}Spectrum`](p, p.scale)));"
    unstable = {"dnc": 0, "pairing": 0}
    for case, found in zip(cases, node("hessian.js", body, cases), strict=True):
        setting = Problem(case["K"], case["n"], case["L"], case["d"], case["lambda"])
        shape = structures.simplex_etf if case["name"] == "dnc" else structures.pairing
        expected = hessian.aligned_spectrum(setting, case["scale"] * shape(case["K"]))
        values = [each["value"] for each in found for _ in range(each["count"])]
        # aligned_spectrum sees the logits as a matrix, of whose largest eigenvalue 1e-10 is rounding
        assert values == pytest.approx(expected.expand().tolist(), rel=0, abs=1e-10 * expected.largest), case
        zeros = sum(each["count"] for each in found if each["value"] == 0)
        assert zeros == expected.nullity
        unstable[case["name"]] += expected.negative > 0
    assert min(unstable.values()) > 5  # both signs are compared


def test_the_curvature_figure_takes_the_right_points():
    body = """const short = ({ spectrum }) => spectrum && m.summary(spectrum);
    return given.map((p) => Object.values(m.spectra(p)).map(short));"""
    settings = [
        {"K": K, "n": n, "L": L, "d": 12, "lambda": 2.0**power}
        for K, n, L, power in itertools.product((3, 6, 10), (1, 5), (1, 2, 4), (-14, -10, -5))
    ]
    none = 0
    for given, (dnc, pairing) in zip(settings, node("hessian.js", body, settings), strict=True):
        setting = Problem(given["K"], given["n"], given["L"], 12, given["lambda"])
        scales = {
            "dnc": (theory.dnc_critical_scales(setting) or (0,))[-1],
            "pairing": 0 if given["K"] % 2 else theory.optimal_scale(setting, structures.pairing(given["K"]))[0],
        }
        for name, found in {"dnc": dnc, "pairing": pairing}.items():
            if scales[name] == 0:
                none += 1
                assert found is None
                continue
            shape = structures.simplex_etf if name == "dnc" else structures.pairing
            expected = hessian.aligned_spectrum(setting, scales[name] * shape(given["K"]))
            assert (found["zeros"], found["negative"]) == (expected.nullity, expected.negative)
            assert found["next"] == pytest.approx(expected.smallest_positive, rel=1e-6)  # 1e-10 of the largest
    assert 0 < none < len(settings)


@pytest.mark.parametrize(("count", "runs"), [(0, 10), (3, 10), (10, 10), (94, 200), (1, 1)])
def test_intervals_are_those_of_python(count, runs):
    found = node("stats.js", "return m.wilson(...given)", [count, runs])
    expected = metrics.share(["dnc"] * count + ["mixed"] * (runs - count), "dnc")
    assert list(found.values()) == pytest.approx(list(expected), abs=1e-12)


def test_shares_are_those_of_the_table():
    table = pd.read_parquet(ROOT / "results" / "widths_and_decays.parquet")
    figure = Shares(table)
    body = """const { slices, letters } = given;
    return m.shares(slices.lambda[2], letters.dnc, Object.values(letters), 50)
      .concat(m.shares(slices.width[0], "", Object.values(letters), 200));"""
    found = node("stats.js", body, figure.card["data"])
    decays = sorted(table.lambda_weights.unique())
    for point, decay in zip(found, decays, strict=False):
        rows = table[
            (table.lambda_weights == decay) & (table.width == 70) & (table.init_scale == 2) & (table.seed < 50)
        ]
        assert (point["x"], point["count"], point["runs"]) == (decay, (rows.structure == "dnc").sum(), len(rows))
    rest = found[len(decays) :]
    for point, width in zip(rest, sorted(table.width.unique()), strict=True):
        rows = table[(table.width == width) & (table.lambda_weights == 2**-10) & (table.init_scale == 0.5)]
        assert (point["x"], point["count"]) == (width, (~rows.structure.isin(list(LETTERS))).sum())


# --- addresses and settings

HASHES = {
    "#fig-a%3FK%3D10%26L%3D2": {"K": "10", "L": "2"},
    "#fig-a?K=10&amp;L=2": {"K": "10", "L": "2"},
    "": None,
    "#a-heading": None,
    "#fig-a": None,  # an anchor without settings
    "#fig-a?": {},
    "#fig-a?K=10&L=2": {"K": "10", "L": "2"},
    "#fig-b?n=3&fig-a?K=10": {"K": "10"},
    "#fig-a?K=10&fig-b?n=3": {"K": "10"},
    "#fig-ab?K=10": None,
    "#fig-a?%E0%A4%A&&&===?#": {"%E0%A4%A": "", "": "==?#"},
    "#x?fig-a?K=1": None,
}


def test_an_address_is_read_whatever_it_holds():
    found = node("address.js", "return given.map(hash => m.read(hash, 'fig-a'))", list(HASHES))
    for hash_, expected, read in zip(HASHES, HASHES.values(), found, strict=True):
        if expected is not None and "" in expected:  # how much of rubbish is kept does not matter, that it is read does
            assert isinstance(read, dict)
        else:
            assert read == expected, hash_


def test_figures_of_one_page_keep_out_of_each_others_way():
    body = """let hash = "#a-heading";
    hash = m.write(hash, "fig-a", { K: "10", name: "x&fig-b?y=1" });
    const first = hash;
    hash = m.write(hash, "fig-b", { n: "3" });
    const both = [m.read(hash, "fig-a"), m.read(hash, "fig-b"), m.leads(hash, "fig-b")];
    return [m.read(first, "fig-a"), ...both, m.write(hash, "fig-b", null) === first, m.write(first, "fig-a", null)];"""
    a = {"K": "10", "name": "x&fig-b?y=1"}
    assert node("address.js", body) == [a, a, {"n": "3"}, False, True, ""]


def test_settings_are_brought_into_range_and_said():
    controls = [
        fields.number("K", "classes K", 6, 3, 16),
        fields.power("lambda", "λ", 2.0**-9, 2.0**-14, 0.5),
        fields.choice("s", "structure", "dnc", {"DNC": "dnc", "pairs": "pairing"}),
        fields.flag("log", "log", False),
    ]
    cases = {
        ("K", "10"): (10, ""),
        ("K", "99"): (16, "outside 3 to 16: set to 16"),
        ("K", "-1e999"): (3, "outside"),
        ("K", "4.6"): (5, "whole number"),
        ("K", "NaN"): (6, "cannot be"),
        ("K", ""): (6, "cannot be"),
        ("K", "<b>"): (6, "“<b>”"),
        ("lambda", "0.003"): (0.003, ""),
        ("lambda", "0"): (2.0**-14, "outside"),
        ("lambda", "2^-10"): (2.0**-10, ""),
        ("lambda", " 2 ** -10 "): (2.0**-10, ""),
        ("lambda", "2^−10"): (2.0**-10, ""),
        ("lambda", "1/1024"): (2.0**-10, ""),
        ("lambda", "0,01"): (0.01, ""),
        ("lambda", "0,125"): (0.125, ""),
        ("K", "5,00"): (5, ""),
        ("K", "1,000"): (6, "cannot be"),
        ("lambda", "1/0"): (0.5, "outside"),
        ("lambda", "2^"): (2.0**-9, "cannot be"),
        ("lambda", "2^3^4"): (2.0**-9, "cannot be"),
        ("s", "pairing"): ("pairing", ""),
        ("s", "__proto__"): ("dnc", "cannot be"),
        ("log", "1"): (True, ""),
        ("log", "yes"): (False, "cannot be"),
    }
    body = "return given[1].map(([name, text]) => m.settle(given[0].find(c => c.name === name), text))"
    found = node("settings.js", body, [controls, list(cases)])
    for (value, note), settled in zip(cases.values(), found, strict=True):
        assert settled["value"] == value and (note in settled["note"] if note else settled["note"] == "")

    body = """const all = m.settleAll(given, { K: "7", unknown: "1", constructor: "2" });
    return [all, m.changed(given, all.values)];"""
    settled, changed = node("settings.js", body, controls)
    assert settled["values"] == {"K": 7, "lambda": 2.0**-9, "s": "dnc", "log": False} and changed == {"K": "7"}
    assert settled["notes"] == ["Nothing here is called “unknown”: left out."]


def test_numbers_are_short():
    shown = {
        0: "0",
        12: "12",
        2**-9: "0.00195",
        2**-10: "0.000977",
        3.14e-5: "3.14·10⁻⁵",
        -2e-10: "-2·10⁻¹⁰",
        1e-7: "10⁻⁷",
        0.1: "0.1",
        1e7: "10⁷",
        math.pi: "3.14",
    }
    assert node("settings.js", "return given.map(x => m.show(x))", list(shown)) == list(shown.values())
    assert node("settings.js", "return given.map(x => m.typed(x))", [2**-10, 1e-7, 200]) == [
        "9.766e-4",
        "1e-7",
        "200",
    ]


def test_ticks_are_round_and_inside():
    found = node("plot.js", "return [m.ticks(0, 2), m.ticks(0.923, 1.05), m.decades(6e-5, 0.5), m.decades(1, 1e12, 4)]")
    assert found[0] == [0, 0.5, 1, 1.5, 2] and found[1] == [0.95, 1, 1.05]
    assert found[2] == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1]) and found[3] == pytest.approx([1, 1e4, 1e8, 1e12])
