"""Kinds of the arguments of the theory, the model and its descents: a row for each public name."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from kinds import (
    Kind,
    choice,
    device,
    dtype,
    folder,
    function,
    labels,
    left_out,
    listed,
    optional,
    path,
    seed,
    switch,
    table,
    tensor,
    tensors,
    text,
    thing,
    weight,
    whole,
)

from dufm_lib import Problem, model, structures, sweep, theory

SETTING = {"classes": 4, "samples": 2, "depth": 2, "width": 5, "weight_decay": 0.01}


def a(**changes):
    return Problem(**(SETTING | changes))


LINEAR, RELU, MSE, FREE = a(), a(activation="relu"), a(loss="mse"), a(weight_decay=0.0)
HALF_FREE, ONE_LAYER, STEP = a(weight_decay=(0.01, 0.0)), a(depth=1), a(samples=(3, 3, 1, 1))
NAMED = {RELU: "activation", MSE: "loss", FREE: "weight_decay", HALF_FREE: "weight_decay", STEP: "samples"}


def problem(good=LINEAR, *unfit):
    """A problem; the `unfit` ones are refused by the name of what does not fit."""
    words = {"problem", *(NAMED[each] for each in unfit)}
    return thing(good).also_bad(*unfit).called("|".join(words)) if unfit else thing(good)


def each_run(kind):
    """One value, or as many as there are runs, two: a list, an array or a tensor."""
    good = kind.good
    several = ([good] * 2, np.full(2, good), torch.full((2,), good, dtype=torch.float64))
    kind = kind.but((1, 2), np.array([1, 2]), torch.ones(2)).also_bad([good] * 3, np.full(3, good))
    return replace(kind, same=kind.same + several)


S, P = structures.simplex_etf(4), structures.pairing(4)
POINT = model.random_point(LINEAR)
LOGITS = tensor(5.0 * S + 0.1 * torch.eye(4).flip(0).double())
MATRIX = tensor(torch.arange(12.0).reshape(3, 4).cos().double(), free=True)
LABELS = torch.tensor([0, 1, 2, 2, 1, 0])
FEATURES = tensor(torch.arange(30.0).reshape(5, 6).cos().double(), rows_free=True).called("features|labels")
WEIGHT = tensor((torch.ones(3, 5) + torch.eye(3, 5)).double())
NC = {"features": FEATURES, "labels": labels(LABELS).called("labels|features")}
PARAMS = tensors([tensor(each, finite=False, floating=True) for each in POINT]).called("params|H_1|W_1|W_2")
CRITICAL = theory.optimal_scale(LINEAR, S)[0] * S
POSITIVE = tensor(P + 1).called("features|readouts|logits")
READOUTS = tensors([tensor(P / 2).called("readouts|logits")]).called("readouts|logits|depth")
OPTIONS = (
    {"momentum": 0.9},
    {"steps": 0},
    {"steps": [10, 1.5]},
    {"learning_rate": 0},
    {"init_scale": "a"},
    {"tolerance": -1},
    {"record_every": 0},
)
SWEEP = {
    "problems": thing(LINEAR).also_bad([], [4], [LINEAR, None]),
    "runs": whole(2).called("runs|tasks"),
    "seed": seed().called("seed"),
    "batch": whole(1),
    "options": table({"steps": 2}, *OPTIONS, {"init_scale": []}).called(
        "momentum|steps|learning_rate|init_scale|tolerance|record_every|options"
    ),
}
PROBLEM = {
    "classes": whole(4, 2, 5).called("classes|width|samples"),
    "samples": whole(2).also_bad((2, 2), (2, 2, 2, 0), [1, 2, 3, None], np.ones(4), torch.ones(2, 2)),
    "depth": whole(2, 1, 10**6),
    "width": whole(5, 4),
    "weight_decay": weight(0.01).but((1, 2)).also_bad((0.1,), (0.1, -1), [None, 1], (1, 2, 3), (0.1, float("nan"))),
    "loss": choice("cross_entropy"),
    "activation": choice("linear"),
}


ROWS = {
    "Problem": PROBLEM,
    **{
        f"structures.{name}": {"classes": whole(4, 2, 20_000)}
        for name in ("simplex_etf", "simplex_vertices", "pairing", "polygon")
    },
    "structures.incidence": {"order": whole(4, 3, 200)},
    "structures.strongly_regular": {"order": whole(4, 3, 200)},
    "structures.singular_values": {"matrix": MATRIX},
    "structures.rank": {"matrix": MATRIX, "rtol": weight(1e-3, below=1)},
    "structures.spectrum": {"matrix": MATRIX, "rtol": weight(1e-3)},
    "structures.is_diagonally_superior": {"logits": LOGITS},
    "metrics.rank": {"matrix": MATRIX, "rtol": weight(1e-3, below=1)},
    "metrics.nc1": NC | {"rtol": weight(1e-6, below=1)},
    "metrics.nc2": NC,
    "metrics.nc2_equinorm": NC,
    "metrics.nc2_equiangularity": NC,
    "metrics.nc3": NC | {"weight": WEIGHT},
    "metrics.nc4": NC | {"logits": tensor(FEATURES.good[:3])},
    "metrics.dnc": {
        "layers": tensors([FEATURES]).called("features|labels|layers"),
        "weights": tensors([tensor(WEIGHT.good, rows_free=True)]).called("weights|layers"),
        "labels": NC["labels"],
    },
    "metrics.distance": {"matrix": tensor(S).called("matrix|structure"), "structure": tensor(P).also_bad(0 * P)},
    "metrics.structure_labels": {"logits": LOGITS, "tolerance": weight(0.02), "smallest": weight(0.01)},
    "metrics.share": {
        "labels": listed(["dnc", "mixed"], [], [3, 4]).but(["dnc", "mixed", "more"], ["dnc"]),
        "name": text("dnc"),
    },
    "symmetry.symmetry": {"logits": LOGITS, "tolerance": weight(1e-3)},
    "shapes.shape": {"logits": LOGITS},
    "theory.schatten_penalty": {"problem": problem(), "structure": LOGITS},
    "theory.structure_loss": {"problem": problem(), "structure": LOGITS, "scale": weight(1.0)},
    "theory.optimal_scale": {"problem": problem(LINEAR, FREE, HALF_FREE), "structure": LOGITS.also_bad(0 * S)},
    "theory.spectral_bound": {
        "problem": problem(LINEAR, MSE, RELU, STEP),
        "sigma": tensor(torch.ones(4, dtype=torch.float64)).also_bad(-torch.ones(4)),
    },
    "theory.least_spectral_bound": {
        "problem": problem(LINEAR, MSE, RELU, STEP, FREE, HALF_FREE),
        "rank": whole(3, 1, 4),
    },
    "theory.dnc_critical_scales": {"problem": problem(LINEAR, MSE, FREE, STEP)},
    "theory.dnc_frontier_scale": {
        "problem": problem(LINEAR, MSE, STEP).also_bad(ONE_LAYER).called("loss|samples|depth|problem")
    },
    "theory.dnc_stable_scale": {"problem": problem(LINEAR, MSE, RELU, STEP)},
    "theory.dnc_is_excluded": {"problem": problem(LINEAR, MSE, STEP)},
    "theory.dnc_spectrum": {"problem": problem(LINEAR, MSE, RELU, STEP), "scale": weight(2.0, zero=False)},
    "theory.dnc_weight_decay": {"problem": problem(LINEAR, MSE, STEP), "scale": weight(2.0, zero=False)},
    "theory.solution_dimension": {"rank": whole(3, 0, 5), "width": whole(5, 3), "depth": whole(2)},
    "theory.solution_dimension_paper": {
        "rank": whole(3, 0, 5),
        "width": whole(5, 3).called("width|rank"),
        "depth": whole(2),
        "distinct": switch(),
    },
    "theory.dnc_flatness": {"problem": problem(LINEAR, MSE, RELU, STEP)},
    "theory.pairing_flatness": {"problem": problem(LINEAR, MSE, RELU, STEP).also_bad(a(classes=5))},
    "theory.hadamard_frame": {"classes": whole(4, 2, 20_000).also_bad(6)},
    "theory.fourier_frame": {"classes": whole(4, 2, 20_000)},
    "theory.softmax_gaps": {
        "frame": tensor(theory.hadamard_frame(4)).called("frame|values").also_bad(torch.ones(4, 4)),
        "values": tensor(torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64)),
    },
    "theory.spectral_flow": {
        "problem": problem(LINEAR, MSE, RELU, STEP),
        "frame": tensor(theory.hadamard_frame(4)),
        "values": tensor(torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64)).also_bad(-torch.ones(4)),
        "times": tensor(torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64), free=True).also_bad(
            torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])
        ),
    },
    "theory.merging_decay": {"problem": problem(a(samples=(3, 3, 1, 1), depth=1), MSE, RELU).also_bad(STEP)},
    "theory.sel_singular_values": {"problem": thing(STEP).also_bad(LINEAR).called("problem|samples")},
    "theory.step_optimum": {
        "problem": problem(STEP, MSE, RELU, FREE)
        .also_bad(LINEAR)
        .called("samples|loss|activation|weight_decay|problem"),
        "merged": switch(),
    },
    "theory.step_sizes": {
        "classes": whole(4, 3, 10**6).called("classes|minority"),
        "minority": whole(2, 1, 3),
        "ratio": whole(3),
        "smallest": whole(1),
    },
    "theory.nonnegative_price": {
        "features": tensor(P + 1, free=True).called("features|readouts").also_bad(P),
        "readouts": tensors([tensor(P / 2, free=True).called("readouts")]).but([P / 2] * 2).called("readouts|depth"),
        "depth": whole(3, 2, 10**6),
    },
    "theory.nonnegative_optimum": {
        "problem": thing(RELU).also_bad(LINEAR).called("problem|activation"),
        "features": POSITIVE.also_bad(P, 0 * P),
        "readouts": READOUTS.also_bad([0 * P]),
    },
    "theory.rank_one_fit": {"problem": problem(LINEAR, MSE)},
    "theory.graded_line": {
        "classes": whole(4, 2, 46).called("classes|ratio"),  # t^P at most e^32
        "ratio": weight(4.0, zero=False).also_bad(1, 0.5, 1e300),
    },
    "theory.relu_pairing_price": {"classes": whole(4, 2), "depth": whole(3, 2)},
    "theory.relu_pairing_wins": {"classes": whole(4, 2), "depth": whole(3, 2)},
    "theory.search_optimum": {
        "problem": problem(LINEAR, RELU, FREE),
        "starts": whole(1, 0),
        "seed": seed(),
        "near": tensors([LOGITS.also_bad(0 * S)]).called("near").but([], (), [LOGITS.good] * 2),
        "report": function(),
    },
    "problem.suited": {
        "what": Kind("the library", None),  # what it compares with, the library writes itself
        "problem": problem(),
        **{name: Kind(None, None) for name in ("loss", "activation")},
        **{name: Kind(False, None) for name in ("balanced", "decaying")},
    },
    "model.check_parameters": {"problem": problem(), "params": PARAMS},
    "model.random_frame": {
        "rows": whole(3, 2).called("rows|columns"),
        "columns": whole(2, 0, 3),
        "generator": replace(thing(lambda: torch.Generator().manual_seed(0)), made_anew=True),
    },
    "model.activations": {"problem": problem(), "params": PARAMS},
    "model.logits": {"problem": problem(), "params": PARAMS},
    "model.penalty": {"problem": problem(), "params": PARAMS},
    "model.objective": {"problem": problem(), "params": PARAMS},
    "model.fit": {"problem": problem(), "logits": tensor(POINT[2] @ POINT[0], finite=False, floating=True)},
    "model.expand": {"problem": problem(), "class_logits": tensor(S, finite=False)},
    "model.class_means": {
        "problem": problem(),
        "signal": tensor(POINT[0], rows_free=True, finite=False, floating=True),
    },
    "model.random_point": {
        "problem": problem(),
        "runs": optional(whole(2)),
        "seed": seed(),
        "init_scale": weight(1.0),
        "dtype": dtype(),
    },
    "model.aligned_point": {"problem": problem(LINEAR, RELU, HALF_FREE), "logits": LOGITS, "seed": seed()},
    "balance.factor_singular_values": {"problem": problem(), "params": PARAMS},
    "balance.imbalance": {"problem": problem(LINEAR, RELU, HALF_FREE), "params": PARAMS},
    "nonnegative.point": {
        "problem": thing(a(activation="relu", depth=3)).also_bad(a(depth=3)).called("problem|activation"),
        "features": POSITIVE.also_bad(P),
        "readouts": READOUTS.but([P / 2] * 2).also_bad([0 * P]),
        "scale": weight(2.0, zero=False),
    },
    "critical.polish": {
        "problem": problem(LINEAR, RELU, FREE, HALF_FREE),
        "logits": tensor(CRITICAL).also_bad(S),
    },
    "hessian.gradient": {"problem": problem(), "params": PARAMS},
    "hessian.matrix": {"problem": problem(), "params": PARAMS, "limit": whole(85, 85).called("limit|params")},
    "hessian.spectrum": {"problem": problem(), "params": PARAMS},
    "hessian.product": {"problem": problem(), "params": PARAMS, "direction": tensor(torch.ones(85).double())},
    "hessian.extreme_spectrum": {"problem": problem(), "params": PARAMS, "count": whole(2, 1, 42), "seed": seed()},
    "aligned.aligned_blocks": {
        "problem": problem(LINEAR, RELU, FREE, HALF_FREE),
        "logits": tensor(CRITICAL).also_bad(S),
    },
    "hessian.aligned_spectrum": {
        "problem": problem(LINEAR, RELU, FREE, HALF_FREE),
        "logits": tensor(CRITICAL).also_bad(S),
    },
    "descent.train": {
        "problem": problem().also_bad([LINEAR, 4], [LINEAR, MSE]).called("problem|problems"),
        "runs": optional(whole(2)),
        "seed": seed().but((1, 2), np.array([1, 2])).also_bad([0, 0.5], [], [0, 1, 2]).called("seed|runs"),
        "learning_rate": each_run(weight(0.5, zero=False)).also_bad([0.5, 0.0]),
        "steps": whole(3),
        "init_scale": each_run(weight(1.0)).also_bad([0.5, -1.0]),
        "dtype": dtype(),
        "start": left_out(
            tensors([tensor(torch.stack([each] * 2), finite=False, floating=True) for each in POINT])
        ).called("start|params|H_1|W_1|W_2|runs"),
        "record_every": whole(2),
        "tolerance": optional(each_run(weight(1e-3))).also_bad([1e-3, -1e-3], [1e-3, None]),
        "report": function(),
        "progress": switch(),
        "checkpoint": optional(path()),
        "device": device(),
    },
    "sweep.tasks": SWEEP,
    "sweep.perform": {"task": thing(sweep.tasks(LINEAR, 2, steps=2)[0])},
    "sweep.run": SWEEP
    | {
        "executor": optional(thing(ThreadPoolExecutor(1))),
        "store": optional(folder()),
        "progress": switch(),
    },
}
