"""The live figure of deep neural collapse: its layers against dufm_lib.model, its properties against metrics.dnc."""

import itertools
import math

import pytest
import torch
from javascript import node

from dufm_lib import Problem, metrics, model, structures
from dufm_lib.widgets.layers import Layers

SETTINGS = [
    {"K": K, "L": L, "mix": mix, "spread": spread, "unread": unread, "flipped": flipped}
    for K, L, mix, (spread, unread), flipped in itertools.product(
        (4, 10), (1, 2, 5, 8), (0, 0.4, 1), ((0, 0), (0.5, 0), (0.3, 0.6)), (False, True)
    )
]
SAMPLES, SCALE = 5, 5.0  # of js/tower.js


def matrix(rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def between(K, mix) -> torch.Tensor:
    return (1 - mix) * structures.simplex_etf(K) + mix * structures.pairing(K)


def test_the_three_properties_are_those_of_python():
    body = "return given.map((each) => { const t = m.tower(each); return [t, m.collapse(t)]; })"
    for setting, (tower, found) in zip(SETTINGS, node("tower.js", body, SETTINGS), strict=True):
        *layers, Z = [matrix(layer).T for layer in tower["layers"]]
        weights, labels = [matrix(weight) for weight in tower["weights"]], torch.tensor(tower["labels"])
        for received, weight, given in zip(layers, weights, [*layers[1:], Z], strict=True):
            assert torch.allclose(weight @ received, given, atol=1e-12)  # the layers are those of the weights
        expected = metrics.dnc(layers, weights, labels)
        for name, values in zip(("dnc1", "dnc2", "dnc3"), expected, strict=True):
            # at 0 both end in the rounding of an orthonormal frame
            assert found[name] == pytest.approx(values.tolist(), rel=1e-9, abs=1e-12), setting
        assert found["right"] == float((Z.argmax(0) == labels).double().mean())


def test_without_additions_it_is_the_aligned_point():
    for K, L, mix in itertools.product((4, 6), (1, 3), (0, 0.5, 1)):
        setting = {"K": K, "L": L, "mix": mix, "spread": 0, "unread": 0, "flipped": False}
        layers, sizes = node("tower.js", "return [m.tower(given).layers, m.meanSizes(given)]", setting)
        layers = [matrix(layer).T for layer in layers]
        problem = Problem(K, SAMPLES, L, K, 0.01)
        point = model.aligned_point(problem, SCALE * between(K, mix))
        for layer, expected in zip(layers, model.activations(problem, point), strict=True):
            # the frames differ, inner products do not
            assert torch.allclose(layer.mT @ layer, expected.mT @ expected, atol=1e-10)
        assert torch.allclose(model.class_means(problem, layers[-1]), SCALE * between(K, mix), atol=1e-12)
        for layer, within, among in zip(layers, sizes["within"], sizes["between"], strict=True):
            sigma = structures.singular_values(model.class_means(problem, layer))[: K - 1].tolist()
            assert sigma == pytest.approx([within] * (K // 2) + [among] * (K // 2 - 1), abs=1e-10)  # rounding of zeros


def test_what_the_chapter_says_of_the_layers():
    def found(**change):
        setting = {"K": 6, "L": 4, "mix": 0.5, "spread": 0.4, "unread": 0, "flipped": False} | change
        return node("tower.js", "return m.collapse(m.tower(given))", setting)

    same = pytest.approx(found()["dnc1"][0], rel=1e-9)
    assert found()["dnc1"] == [same] * 4  # linear layers that read all keep DNC1
    far = found(unread=0.6)["dnc1"]
    assert all(a < b for a, b in itertools.pairwise(far))  # idle weights let variation in
    distances = found()["dnc2"]
    assert all(a < b for a, b in itertools.pairwise(distances))  # each layer is further from the simplex
    assert found(mix=1)["dnc2"] == pytest.approx([math.sqrt(2 - 2 * math.sqrt(6 / 10))] * 4)  # of the chapter
    assert found(unread=0.4)["dnc3"] == pytest.approx([0.4] * 4)
    flipped = found(spread=0, mix=0, flipped=True)
    assert flipped["right"] == 0 and max(flipped["dnc1"] + flipped["dnc2"] + flipped["dnc3"]) < 1e-7  # rounding


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"K": 5}, "K must be one of"),
        ({"unread": 1}, "unread must be from 0 to 0.9"),
        ({"flipped": 1}, "flipped must be True or False"),
    ],
)
def test_bad_values_are_refused_in_words(values, message):
    with pytest.raises(ValueError, match=message):
        Layers(**values)
