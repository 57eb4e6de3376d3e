"""Kinds of the arguments of data, networks, checks, figures and widgets: a row for each public name."""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from conftest import ROOT
from kinds import (
    Kind,
    axes,
    choice,
    chosen,
    device,
    folder,
    function,
    labels,
    listed,
    numbers,
    optional,
    path,
    real,
    seed,
    switch,
    table,
    tensor,
    text,
    thing,
    weight,
    whole,
)

from dufm_lib import networks
from dufm_lib.data import digits
from dufm_lib.widgets import Question, controls, fields

DATA = digits(per_class=4, classes=(0, 1, 2))
IMAGES = digits(per_class=2, classes=(0, 1), flat=False)
NETWORK = networks.mlp(DATA, hidden=(), width=5, depth=2)
RESULT = networks.Result.load(ROOT / "results" / "networks" / "mnist-subset-linear.json")
SELECTED = {"per_class": whole(4), "classes": chosen((0, 1, 2), (0, 0), (1,), (), (-1, 2), [3]).but((0, 1))}
FETCHED = SELECTED | {"cache": optional(folder()), "progress": switch()}
NET = {"width": whole(8), "depth": whole(2), "activation": choice("linear"), "init_scale": weight(1.0), "seed": seed()}
ACTIVE = choice("linear")
ANYTHING = Kind(27, None)  # a checker says what is wrong with an answer, and raises nothing
IMAGES_OF, TARGETS = np.random.default_rng(0).normal(size=(8, 2, 2)), np.arange(8) % 2
AX = {"ax": axes()}
STRUCTURE = optional(choice("dnc"))
QUESTION = Question("How many?", {"two": "no", "three": "yes"}, right="three")
EDGES = optional(listed([(0, 1)], [(0, 2)], [(0,)], [(0, -1)], [3])).but([(0, 1), "more"], [])
RANGE = {"value": real(3).also_bad(0, 10), "smallest": real(1).also_bad(4), "largest": real(9).also_bad(2)}
RANGE = {name: replace(kind, same=()).called("value|smallest|largest") for name, kind in RANGE.items()}
ENDS = {"smallest": real(1.0).also_bad(20), "largest": real(10.0).also_bad(1.0), "step": weight(0.5, zero=False)}
ENDS["largest"] = ENDS["largest"].called("largest|smallest")
FIELD = {"name": text("x"), "label": text(), "kernel": switch()}
TABLE = pd.read_parquet(ROOT / "results" / "widths_and_decays.parquet")
ROWS = {
    "data.Data": {
        "inputs": tensor(DATA.inputs, floating=True).called("inputs|labels|test_inputs"),
        "labels": replace(labels(DATA.labels), same=())
        .also_bad(DATA.labels.flip(0), DATA.labels.int())
        .called("labels|names"),
        "test_inputs": tensor(DATA.test_inputs[:3], floating=True).called("test_inputs|test_labels"),
        "test_labels": replace(labels(DATA.test_labels[:3]), same=()).but(0 * DATA.test_labels[:3]),
        "names": listed(["a", "b", "c"], [1, 2, 3]),
    },
    "data.balanced": {
        "images": thing(IMAGES_OF)
        .also_bad(IMAGES_OF[:-1], IMAGES_OF * 1j, IMAGES_OF * np.nan, 0 * IMAGES_OF)
        .called("images|targets"),
        "targets": thing(TARGETS).also_bad(TARGETS[:-1], TARGETS / 2, TARGETS.astype(str)),
        **SELECTED | {"classes": chosen((0, 1), (0, 7), (0, 0), (1, 2), [3]), "per_class": whole(2, 1, 4)},
        "test": thing((IMAGES_OF, TARGETS))
        .also_bad((IMAGES_OF, TARGETS[1:]), (TARGETS, IMAGES_OF))
        .but(None)
        .called("test|images|targets"),
    },
    "data.digits": SELECTED | {"per_class": whole(4, 1, 174), "flat": switch(True)},
    "data.mnist": FETCHED,
    "data.cifar10": FETCHED,
    "networks.Classifier": {
        "features": thing(torch.nn.Flatten()),
        "classes": whole(3, 2),
        **{name: kind for name, kind in NET.items() if name != "seed"},
    },
    "networks.mlp": {
        "data": thing(DATA).also_bad(IMAGES),
        "hidden": chosen((4, 4), (0,), (10**9, 10**9)),
        **NET,
        "feature_activation": ACTIVE,
        "batch_norm": switch(True),
    },
    "networks.resnet20": {
        "data": thing(IMAGES).also_bad(DATA),
        **NET,
        "feature_activation": ACTIVE,
        "channels": whole(1, 1, 1000),
    },
    "networks.penalty": {
        "network": thing(NETWORK),
        "features": tensor(torch.ones(4, 5).cumsum(0), free=True, finite=False),
        "regularization": choice("ufm"),
        "weight_decay": weight(0.01).but((1, 2)).also_bad((0.1,), (0.1, -1), (None, 1)),
    },
    "networks.train": {
        "network": thing(NETWORK).also_bad(networks.mlp(digits(4, (0, 1)))).called("network|data"),
        "data": thing(DATA).also_bad(IMAGES, digits(4, (0, 1))),
        "regularization": choice("ufm"),
        "weight_decay": weight(0.01).but((1, 2)).also_bad((0.1,), (0.1, -1), (None, 1)),
        "learning_rate": weight(0.1, zero=False),
        "momentum": weight(0.5, below=1),
        "steps": whole(2),
        "batch_size": optional(whole(6, 2)),
        "seed": seed(),
        "record_every": whole(2),
        "report": function(),
        "checkpoint": optional(path()),
        "device": optional(device(None)),
        "threads": whole(1),
    },
    "checks.check": {"exercise": choice("ex-one-threshold"), "answer": ANYTHING},
    "plots.use_style": {},
    "plots.subplots": {
        "rows": whole(1, 1, 100),
        "columns": whole(2, 1, 100),
        "size": optional(thing((5.0, 2.0)))
        .also_bad((5.0,), (0, 1), ("a", "b"))
        .but((1, 2), np.array([1, 2]), torch.ones(2)),
        "options": Kind({}, None),  # matplotlib answers for them
    },
    "plots.chapter_map": AX
    | {
        "chapters": listed(["one", "two"], [1, 2]).but(["one", "two", "more"]).called("chapters|needs"),
        "needs": table({"two": ["one"]}, {"two": 3}, {"x": ["one"]}),
    },
    "plots.by_structure": AX
    | {
        "x": numbers([1.0, 2.0]).called("x|values"),
        "values": table({"dnc": [1, 2]}, {"dnc": [1]}, {"x": [1, 2]}).called("values|structure"),
    },
    "plots.factor_spectra": AX
    | {
        "steps": numbers([1.0, 2.0]).called("steps|values"),
        "values": numbers(np.ones((2, 2, 3))),
        "labels": listed(["a", "b"]).called("labels|values"),
    },
    "plots.features_2d": AX
    | {
        "features": numbers(np.eye(2), finite=True),
        "classes": numbers([0, 1]).also_bad([0, 0.5], [-1, 0], [0, 10**6]),
        "names": optional(listed(["a", "b"])),
    },
    "plots.points_2d": AX
    | {
        "points": numbers(np.eye(2), finite=True),
        "edges": EDGES,
        "structure": STRUCTURE,
        "names": optional(listed(["a", "b"])),
    },
    "plots.points_3d": AX
    | {
        "points": numbers(np.eye(3)[:2], finite=True),
        "edges": EDGES,
        "structure": STRUCTURE,
        "names": optional(listed(["a", "b"])),
        "azimuth": real(25.0),
        "elevation": real(20.0),
    },
    "plots.hessian_histogram": AX
    | {"eigenvalues": numbers([0.0, 1.0], finite=True), "resolution": weight(1e-6, zero=False)},
    "plots.eigenvalue_ladder": AX
    | {
        "spectra": table(
            {"dnc": ([0.0, 1.0], [2, 1])}, {}, {"dnc": [1.0]}, {"x": ([1.0], [1])}, {"dnc": ([1.0], [1, 2])}
        ).called("spectra|structure"),
        "resolution": weight(1e-6, zero=False),
    },
    "plots.spectrum": AX
    | {
        "values": numbers([2.0, 1.0], finite=True).also_bad([0.0, 0.0], [1.0, -1.0]),
        "labels": optional(listed(["a"])),
        "structure": STRUCTURE,
        "floor": weight(1e-6, below=1),
    },
    "plots.layer_metrics": {
        "axes": replace(thing(lambda: [AX["ax"].value()]), made_anew=True).called("axes|ax"),
        "steps": numbers([1.0, 2.0]).called("steps|metrics"),
        "metrics": table({"a": np.ones((2, 3))}, {"a": [1.0]}, {"a": "b"}, {}).called("metrics|axes"),
    },
    "plots.layer_spectra": {
        "axes": replace(thing(lambda: [AX["ax"].value()]), made_anew=True).called("axes|ax"),
        "steps": numbers([1.0, 2.0]).called("steps|spectra"),
        "spectra": table({"a": np.ones((2, 3))}, {"a": [1.0]}, {"a": "b"}, {}).called("spectra|axes"),
        "top": whole(2),
    },
    "plots.logit_matrix": AX
    | {
        "logits": numbers(np.eye(2), finite=True),
        "names": optional(listed(["a", "b"])),
        "limit": optional(weight(1.0, zero=False)),
    },
    "plots.result_panels": {"results": table({"a": RESULT}, {"a": 1.0}, {})},
    "plots.loss_curves": AX
    | {
        "steps": numbers([1.0, 2.0]).called("steps|losses"),
        "losses": numbers(np.ones((2, 1))),
        "structures": optional(listed(["dnc"], ["x"], [])).called("structures|structure"),
        "bounds": optional(table({"dnc": 1.0}, {"dnc": "low"})),
        "log": switch(),
        "label": optional(text("this run")),
    },
    "plots.metrics_over_time": AX
    | {
        "steps": numbers([1.0, 2.0]).called("steps|metrics"),
        "metrics": table({"a": [1.0, 2.0]}, {"a": [1.0]}),
        "log": switch(),
    },
    "plots.phase_map": AX
    | {
        "columns": listed([1, 2], []).called("columns|structures"),
        "rows": listed([1]).called("rows|structures"),
        "structures": listed([["dnc", "pairing"]], [["dnc"]], [["x", "dnc"]], [[None, "dnc"]]).called("structures?"),
        "text": optional(listed([["a", "b"]], [["a"]], [3])),
        "names": optional(table({"dnc": "collapse"})),
    },
    "plots.probability": AX
    | {
        "x": numbers([1.0]).called("x|estimate"),
        "estimate": numbers([0.5], finite=True).also_bad([2.0]),
        "low": numbers([0.4], finite=True),
        "high": numbers([0.6], finite=True),
        "structure": STRUCTURE,
        "label": optional(text()),
    },
    "plots.share_map": AX
    | {
        "columns": listed([1, 2]).called("columns|shares"),
        "rows": listed([1]).called("rows|shares"),
        "shares": numbers([[0.5, 1.0]], finite=True).also_bad([[2.0, 0.0]]),
    },
    "plots.shares": AX
    | {
        "found": table(
            {"dnc": (0.5, 0.4, 0.6)}, {}, {"dnc": 0.5}, {"dnc": (0.5, 0.6, 0.7)}, {"x": (0.5, 0.4, 0.6)}
        ).called("found|structure|estimate")
    },
    "widgets.Question": {
        "text": text("How many?"),
        "answers": table(
            {"two": "no", "three": "yes"}, {"three": "yes"}, {1: "no", "three": "yes"}, {"three": 1, "two": 2}
        ).called("answers?"),
        "right": choice("three"),
    },
    "widgets.Quiz": {"questions": thing((QUESTION,)).also_bad((), (1,), (QUESTION, None))},
    "widgets.Experiment": {
        "compute": thing(lambda report: None).but(len).also_bad(int, max),
        "controls": table({}, {"x": 3}, {"x": controls.seed()}).called("controls|compute"),
        "title": text(),
        "describe": text(),
    },
    **{f"controls.{name}": RANGE for name in ("classes", "samples", "depth", "width", "steps", "runs")},
    "controls.slider": {"label": text()} | RANGE | {"step": replace(weight(1, zero=False), same=())},
    "controls.choice": {
        "label": text(),
        "options": table({"a": 1}, {}).called("options|value"),
        "value": thing(1).but(True),
    },
    "controls.weight_decay": {
        "exponent": whole(-5, -6, -4),
        "smallest": whole(-6, -1000, -5).called("smallest|exponent"),
        "largest": whole(-4, -5, 1000).called("largest|exponent"),
    },
    "controls.init_scale": {"value": weight(1.0)},
    "controls.seed": {"value": whole(0, 0, 999_999)},
    "fields.number": FIELD | {"value": real(2.0).also_bad(0.5, 11).called("x"), **ENDS},
    "fields.power": FIELD | {"value": real(2.0).also_bad(0.5, 11).called("x"), **ENDS},
    "fields.choice": FIELD
    | {"value": thing(1).called("x"), "options": table({"a": 1}, {}, {"a": 2}).called("options|x")},
    "fields.check": {
        "field": table(fields.number("x", "", 1, 0, 2), {}, {"name": "x"}),
        "value": real(1.0).also_bad(-1, 0.5, 3).called("x"),
    },
    "fields.flag": FIELD | {"value": switch().called("x")},
    "fields.view": {},
}
# What live figures are made of, besides values of their fields.
TRAINING = networks.train(NETWORK, DATA, steps=2, record_every=1)
MADE_OF = {
    "widgets.Shares": {"table": thing(TABLE).also_bad(TABLE[["seed"]])},
    "widgets.Replay": {
        "name": text("replay"),
        "trainings": table({"one": TRAINING}, {}, {"one": 3}),
        "again": thing(print).but(len),
    },
}
