"""The live figure of imbalance: its optima in JavaScript against dufm_lib.theory.step_optimum, and what it tells."""

import itertools
import math

import numpy as np
import pytest
import torch
from javascript import node

from dufm_lib import Problem, model, structures, theory
from dufm_lib.widgets.merging import Merging

DECAYS = [2.0 ** (i / 3 - 14) for i in range(37)]
CHOSEN = (0, 9, 18, 24, 27, 30, 36)


def setting(k1, k2, R, L):
    return {"k1": k1, "k2": k2, "R": R, "L": L}


def problem(k1, k2, R, L, decay):
    return Problem(k1 + k2, theory.step_sizes(k1 + k2, k2, R), L, k1 + k2, decay)


@pytest.mark.parametrize(("L", "groups"), list(itertools.product((1, 2, 4), [(2, 2), (1, 3), (4, 1), (2, 1)])))
def test_optima_are_those_of_python(L, groups):
    for R in (2, 9, 60):
        found = node("imbalance.js", "return m.stepOptima(...given)", [setting(*groups, R, L), DECAYS])
        for i in CHOSEN:
            expected = theory.step_optimum(problem(*groups, R, L, DECAYS[i]))
            # two searches among many local minima, up to the 1e-9 that L-BFGS leaves of the slope
            assert found[i]["loss"] == pytest.approx(expected.loss, rel=1e-8)
            # half the digits of the loss, where the minimum is flat
            assert found[i]["large"] == pytest.approx(expected.large, abs=2e-3)
            assert found[i]["small"] == pytest.approx(expected.small, abs=2e-3)


def test_logits_have_the_loss_and_the_singular_values():
    for k1, k2, R, L in ((2, 2, 9, 1), (3, 2, 20, 2), (1, 4, 5, 3)):
        body = "const f = m.stepOptima(...given).at(-1); return [f, m.logits(given[0], f), m.smallCosine(given[0], f)]"
        decay = 2**-7
        found, logits, cosine = node("imbalance.js", body, [setting(k1, k2, R, L), [decay / 4, decay / 2, decay]])
        step = problem(k1, k2, R, L, decay)
        Z = torch.tensor(logits, dtype=torch.float64).reshape(k1 + k2, -1)
        assert theory.structure_loss(step, Z, 1.0) == pytest.approx(found["loss"], rel=1e-9)
        roots = torch.tensor(step.class_sizes).double().sqrt()
        sigma = structures.singular_values(Z * roots)[: k1 + k2 - 1].tolist()
        counted = [x for x, times in zip(found["sigma"], (k1 - 1, 1, k2 - 1), strict=True) for _ in range(times)]
        assert sorted(counted) == pytest.approx(sorted(sigma), abs=1e-9)
        means = model.class_means(step, model.aligned_point(step, Z)[0])
        assert cosine == pytest.approx(float(torch.cosine_similarity(means[:, -1], means[:, -2], dim=0)), abs=1e-9)


def test_at_depth_one_small_classes_merge_at_the_threshold():
    for k1, k2, R in ((2, 2, 9), (1, 3, 40), (6, 2, 20)):
        body = "return [m.mergingDecay(given), m.selSingularValues(given)]"
        threshold, sel = node("imbalance.js", body, setting(k1, k2, R, 1))
        step = problem(k1, k2, R, 1, 0.01)
        assert threshold == pytest.approx(theory.merging_decay(step), rel=1e-14)
        assert sorted(value for value, times in sel if times) == pytest.approx(
            sorted(value for value, _ in theory.sel_singular_values(step))
        )
        assert merges(setting(k1, k2, R, 1)) == pytest.approx(threshold, rel=2e-3)  # logits under 1e-4 count as one


def merges(given):
    """Where the figure says that small classes merge; the decays are its own."""
    return node("minority.js", "return m.mergesFrom(given, m.optimaOf(given));", given)


def test_deeper_down_they_merge_earlier_and_at_once():
    found = {L: merges(setting(2, 2, 9, L)) for L in (1, 2, 4)}
    assert found[1] > found[2] > found[4]
    for side, merged in ((0.99, False), (1.01, True)):
        small = theory.step_optimum(problem(2, 2, 9, 2, side * found[2])).small
        assert (small < 1e-6) == merged and (merged or small > 2)
    assert merges(setting(2, 1, 9, 2)) is None  # one class has none to merge with


def test_any_weight_decay_is_between_the_samples():
    body = "const optima = m.optimaOf(given[0]); return given[1].map((at) => m.optimumAt(given[0], optima, at).loss);"
    decays = [2.0**-14, 3e-4, 0.0123, 0.0499, 0.25]
    losses = node("minority.js", body, [setting(2, 2, 9, 2), decays])
    for decay, loss in zip(decays, losses, strict=True):
        assert loss == pytest.approx(theory.step_optimum(problem(2, 2, 9, 2, decay)).loss, rel=1e-8)


def test_its_start_is_in_the_chapter():
    values = Merging().values
    assert (values["k1"], values["k2"], values["R"], values["L"]) == (2, 2, 9, 1)
    assert np.isclose(values["lambda"] * 64, 1) and math.isclose(1 / (2 * 31 + 2), values["lambda"])
    with pytest.raises(ValueError, match="R must be from 1 to 100, got 0"):
        Merging(R=0)


def test_descent_finds_what_the_page_shows():
    figure = Merging()
    assert "rank 3" in figure.run_now()
    best = theory.step_optimum(problem(2, 2, 9, 1, 2.0**-6))
    # descent stops at a gradient of a hundredth of the weight decay
    assert figure.result["large"] == pytest.approx(best.large, abs=0.02)
    assert figure.result["small"] == pytest.approx(best.small, abs=0.02)
    with pytest.raises(ValueError, match="choose less"):
        Merging(L=4, scale=2, **{"lambda": 0.25}).run_now()
