"""The live figure of dynamics: the integration in JavaScript against theory.spectral_flow, its starts, its verdicts."""

import itertools

import pytest
import torch
from javascript import node

from dufm_lib import Problem, theory
from dufm_lib.widgets.modes import Modes, beginning

SETTINGS = [
    {"start": "random", "K": K, "L": L, "n": n, "theta": 0.3, "size": size, "seed": 4}
    for K, L, n, size in itertools.product((4, 8, 16), (1, 2, 3, 6), (1, 7), (2.0**-7, 0.125, 8))
]


def test_the_path_is_that_of_python_to_five_digits():
    body = "return given.map((each) => m.pathOf(each));"
    for given, path in zip(SETTINGS, node("survivors.js", body, SETTINGS), strict=True):
        times = torch.tensor([time for time, _ in path], dtype=torch.float64)
        values = torch.tensor([each for _, each in path], dtype=torch.float64)
        K = given["K"]
        start = torch.cat([torch.zeros(1, dtype=torch.float64), values[0]])
        setting = Problem(K, given["n"], given["L"], K, 0.0)
        expected = theory.spectral_flow(setting, theory.hadamard_frame(K), start, times)[:, 1:]
        assert times[-1] == pytest.approx(1e20, rel=1e-9)
        # js/flow.js promises 1e-5; Python integrates to 1e-10
        assert float((values / expected - 1).abs().max()) < 1e-5, given
        assert len(path) < 700  # what a drag has time for


def test_gaps_keep_their_digits_and_zeros_stay():
    z = [40.0, 0.0, 41.0, 80.0, 3.0, 0.5, 60.0]
    body = """const gaps = new Float64Array(7); m.softmaxGaps(8)(given, gaps);
      return [gaps, m.spectralFlow({ K: 8, n: 1, L: 2 }, given, 100).at(-1)[1]];"""
    gaps, end = node("flow.js", body, z)
    full = torch.tensor([0.0, *z], dtype=torch.float64)
    expected = theory.softmax_gaps(theory.hadamard_frame(8), full)[1:].tolist()
    assert gaps == pytest.approx(expected, rel=1e-12) and min(gaps) < 1e-6  # sums of positive terms
    assert end[1] == 0 and end[5] > 0.5


def test_starts():
    body = (
        "return [m.beginning(given), m.beginning({ ...given, seed: 1 }), m.beginning({ ...given, start: 'pairing' })]"
    )
    given = {"start": "random", "K": 8, "theta": 0.4, "size": 2.0, "seed": 0}
    random, other, pairing = node("survivors.js", body, given)
    assert len(random) == 7 and all(0.8 <= value <= 2 for value in random) and random != other
    # four modes of pairing: the characters that are -1 at the difference of partners, 7
    Q = theory.hadamard_frame(8)
    assert pairing == pytest.approx([2.0 if Q[k, 7] < 0 else 0.8 for k in range(1, 8)])


def test_the_boundary_is_that_of_the_chapter():
    for K, L in itertools.product((4, 8, 16), (2, 3, 6)):
        border = ((K - 2) / K) ** ((L + 1) / (L - 1))
        body = """return [0.97, 1.03].map((part) => {
          const { K, L, border } = given;
          const each = { start: "pairing", K, L, n: 1, theta: part * border, size: 60, seed: 0 };
          const path = m.pathOf(each, 1e60);
          const { last, rising } = m.ratio(path, K);
          return [last - part * border, rising];
        });"""
        (falls, up), (rises, on) = node("survivors.js", body, {"K": K, "L": L, "border": border})
        assert falls < 0 < rises and not up and on, (K, L)
        assert node("flow.js", "return m.boundary(given)", {"K": K, "L": L}) == pytest.approx(border, rel=1e-14)
    assert node("flow.js", "return m.boundary({ K: 8, L: 1 })") == 0


def test_depth_leaves_fewer_and_depth_one_leaves_all():
    start = Modes().values
    given = [start | {"L": L, "seed": seed} for L in (1, 2, 3, 6) for seed in range(6)]
    body = "return given.map((each) => m.outcome(m.pathOf(each)).alive.filter(Boolean).length);"
    counts = node("survivors.js", body, given)
    means = [sum(counts[i : i + 6]) / 6 for i in range(0, 24, 6)]
    assert means[0] == 7 and means == sorted(means, reverse=True) and means[-1] >= 3


def test_values_are_checked():
    with pytest.raises(ValueError, match="K must be one of"):
        Modes(K=6)
    with pytest.raises(ValueError, match=r"theta must be from 0\.05 to 1"):
        Modes(theta=0)


@pytest.mark.parametrize("start", ["random", "pairing"])
def test_python_begins_where_the_page_does_and_descent_follows(start):
    figure = Modes(start=start, K=8, L=2, size=0.5, seed=3)
    assert figure.run_now().startswith("At time 200 ")
    begun, path = node("survivors.js", "return [m.beginning(given), m.pathOf(given, 200)]", figure.values)
    assert beginning(start, 8, 0.4, 0.5, 3).tolist() == pytest.approx([0, *begun], rel=1e-15)
    time, found = figure.result["path"][-1]
    assert time == pytest.approx(200) and found == pytest.approx(path[-1][1], rel=0.02)  # Euler's error at 0.05
