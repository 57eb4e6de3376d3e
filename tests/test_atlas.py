"""The committed atlas: every loss recomputed by slow loops, every name from symmetries, and the table of theory.md."""

import importlib.util
import shlex

import numpy as np
import pandas
import pytest
import torch
from conftest import ROOT
from reference import near, reduced
from test_search import K_OF_TABLE, LAST_DIGIT, TABLE

from dufm_lib import Problem, structures, theory
from dufm_lib.shapes import shape

ATLAS = pandas.read_parquet(ROOT / "results" / "atlas.parquet")
CELLS = ATLAS.set_index(["classes", "depth", "weight_decay"])


def optimum(entry) -> np.ndarray:
    left, right = (np.float64(getattr(entry, side)).reshape(entry.classes, -1) for side in ("left", "right"))
    return left @ right.T


def setting(entry) -> Problem:
    return Problem(entry.classes, 1, entry.depth, entry.classes, entry.weight_decay)


def test_it_has_every_cell_once():
    assert len(CELLS) == len(set(CELLS.index)) == 15 * 8 * 6
    assert set(ATLAS.classes) == set(range(2, 17)) and set(ATLAS.depth) == set(range(1, 9))


def test_the_command_it_prints_is_one():
    python, script, *words = shlex.split(ATLAS.attrs["command"])
    assert python == "python"
    spec = importlib.util.spec_from_file_location("atlas", ROOT / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.arguments(words).store == ROOT / "results" / "store" / "atlas.jsonl"
    assert len(module.CELLS) == len(CELLS) and set(module.CELLS) == set(CELLS.index)


@pytest.mark.parametrize("K", range(2, 17))
def test_every_entry_is_what_it_says(K):
    for entry in ATLAS[ATLAS.classes == K].itertuples():
        M = optimum(entry)
        # the loops drop singular values below the root of rounding; those kept are exact to about 1e-15 of the largest
        assert entry.loss == near(reduced(setting(entry), M), rel=1e-9)
        found = shape(torch.from_numpy(M))
        assert (found.name, found.structure, found.rank) == (entry.name, entry.structure, entry.rank)
        assert found.symmetry.order == entry.symmetries
        rivals = (make(K) for make in (structures.simplex_etf, structures.pairing, structures.polygon))
        assert entry.loss < min(theory.optimal_scale(setting(entry), rival)[1] for rival in rivals) * (1 + 1e-12)


@pytest.mark.parametrize("K", K_OF_TABLE)
@pytest.mark.parametrize(("L", "weight_decay"), TABLE)
def test_it_matches_or_beats_the_table(K, L, weight_decay):
    assert CELLS.loc[K, L, weight_decay].loss < TABLE[L, weight_decay][K_OF_TABLE.index(K)][0] + LAST_DIGIT


def test_one_layer_is_the_closed_form():
    for entry in ATLAS[ATLAS.depth == 1].itertuples():
        K, decay = entry.classes, entry.weight_decay
        value = -np.log(1 - (K - 1) * decay) + (K - 1) * decay * np.log(1 / decay - K + 1)
        assert entry.loss == near(value, rel=1e-10)  # stored in single precision, whose error enters squared


def test_collapse_is_never_best_where_the_theorem_excludes_it():
    for entry in ATLAS[ATLAS.structure == "dnc"].itertuples():
        assert not theory.dnc_is_excluded(setting(entry)).holds


def test_the_loss_falls_with_the_weight_decay_and_rises_with_the_classes():
    losses = ATLAS.pivot(index=["classes", "depth"], columns="weight_decay", values="loss")
    assert (losses.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)  # the objective rises with lambda at every point
    # For K + 1 classes drop the class whose column costs most: what is left is at least as good as the optimum of K.
    rising = ATLAS.pivot(index=["depth", "weight_decay"], columns="classes", values="loss")
    assert (rising.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)


@pytest.mark.parametrize(("K", "L", "weight_decay"), [(7, 3, 1e-4), (9, 2, 1e-2), (8, 4, 1e-3)])
def test_a_fresh_search_finds_no_better(K, L, weight_decay):
    loss, _ = theory.search_optimum(Problem(K, 1, L, K, weight_decay), starts=24, seed=99)
    assert loss == near(CELLS.loc[K, L, weight_decay].loss, rel=1e-9)
