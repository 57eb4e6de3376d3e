"""The live figure of the four measurements: its formulas against dufm_lib.metrics, and what its sliders promise."""

import itertools
import math

import pytest
import torch
from javascript import node

from dufm_lib import metrics, structures
from dufm_lib.widgets.cloud import Cloud

SETTINGS = [
    {"K": K, "spread": spread, "simplex": simplex, "mismatch": mismatch, "seed": seed}
    for K, spread, simplex, mismatch, seed in itertools.product(
        (3, 4, 5, 6), (0, 0.3, 1), (0, 0.5, 1), (0, 0.4, 1), (0, 7)
    )
]


def matrix(rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_the_measurements_are_those_of_python():
    found = node(
        "clouds.js", "return given.map((each) => { const c = m.cloud(each); return [c, m.measured(c)]; })", SETTINGS
    )
    disagreed = 0
    for setting, (cloud, measured) in zip(SETTINGS, found, strict=True):
        features, labels, weight = matrix(cloud["samples"]).T, torch.tensor(cloud["labels"]), matrix(cloud["weight"])
        expected = [
            metrics.nc1(features, labels),
            metrics.nc2(features, labels),
            metrics.nc3(features, labels, weight),
            metrics.nc4(features, labels, weight @ features),
        ]
        # NC1 through the squares of singular values here, through them there; distances near 0 end in rounding
        assert measured == pytest.approx([float(each) for each in expected], rel=1e-9, abs=1e-14), setting
        disagreed += measured[3] > 0
    assert 0 < disagreed < len(SETTINGS)


def test_each_slider_has_its_measurement():
    def measured(**change):
        setting = {"K": 4, "spread": 0, "simplex": 1, "mismatch": 0, "seed": 3} | change
        return node("clouds.js", "return m.measured(m.cloud(given))", setting)

    zero = pytest.approx(0, abs=1e-12)  # rounding of sums of 80 samples
    assert measured() == [zero] * 4
    assert measured(spread=0.5)[0] > 0.01 and measured(spread=0.5)[1:3] == [zero, zero]
    random = measured(simplex=0)
    assert random[0] == zero and random[1] > 0.1 and random[2] == pytest.approx(random[1])  # W M is the Gram matrix
    lost = measured(mismatch=1)
    assert lost[:2] == [zero, zero] and lost[2] > 0.1


@pytest.mark.parametrize("K", [3, 4, 5, 6])
def test_no_class_means_in_space_are_nearer_to_a_simplex(K):
    least = node("clouds.js", "return m.leastNc2(given)", K)
    whole = {"K": K, "spread": 0, "simplex": 1, "mismatch": 0, "seed": 0}
    assert node("clouds.js", "return m.measured(m.cloud(given))[1]", whole) == pytest.approx(least, abs=1e-12)
    # a Gram matrix G of rank 3: <G, S> = tr G <= sqrt(3) ||G||, and ||S|| = sqrt(K - 1)
    generator = torch.Generator().manual_seed(0)
    means = torch.randn(200, 3, K, generator=generator, dtype=torch.float64)
    means = means - means.mean(-1, keepdim=True)
    found = metrics.distance(means.mT @ means, structures.simplex_etf(K))
    assert found.min() > least
    assert least == pytest.approx(math.sqrt(2 - 2 * math.sqrt(min(1, 3 / (K - 1)))), abs=1e-12)


def test_metrics_in_more_dimensions_than_classes():
    generator = torch.Generator().manual_seed(1)
    labels = torch.tensor([0, 1, 2, 3, 3, 2, 1, 0, 0, 0])  # classes of two, and one of four
    features = torch.randn(7, 10, generator=generator, dtype=torch.float64) + 50  # a large mean: centring counts
    weight = torch.randn(4, 7, generator=generator, dtype=torch.float64)
    given = {"samples": features.T.tolist(), "labels": labels.tolist(), "weight": weight.tolist()}
    body = """const { samples, labels, weight } = given;
    return [m.nc1(samples, labels, 4), m.nc2(samples, labels, 4), m.nc3(samples, labels, weight),
            m.nc4(samples, labels, weight), m.outside(samples, labels, 4, weight)];"""
    expected = [
        metrics.nc1(features, labels),
        metrics.nc2(features, labels),
        metrics.nc3(features, labels, weight),
        metrics.nc4(features, labels, weight @ features),
        metrics.dnc([features], [weight], labels).alignment[0],
    ]
    # the offset of 50 costs two of sixteen digits
    assert node("metrics.js", body, given) == pytest.approx([float(each) for each in expected], rel=1e-11)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"K": 7}, "K must be from 3 to 6"),
        ({"spread": -0.1}, "spread must be from 0"),
        ({"d": 3}, "values must be given"),
    ],
)
def test_bad_values_are_refused_in_words(values, message):
    with pytest.raises(ValueError, match=message):
        Cloud(**values)
