"""Every public name of the library with a kind (tests/kinds.py) for each of its arguments."""

import importlib
import inspect
import pkgutil

import numpy as np
from api_figures import MADE_OF
from api_figures import ROWS as FIGURES
from api_models import ROWS as MODELS
from kinds import table

import dufm_lib
from dufm_lib import Problem
from dufm_lib.widgets.live import LiveFigure

# What functions return: nobody else makes them.
RECORDS = [
    "balance",
    "checks.ANSWERS",
    "checks.Verdict",
    "checks.Judge",
    "critical.Framed",
    "critical.Polished",
    "critical.class_derivatives",
    "critical.framed",
    "critical.nearly_framed",
    "descent.History",
    "descent.Runs",
    "hessian.Spectrum",
    "metrics.DeepCollapse",
    "metrics.Share",
    "networks.History",
    "networks.Result",
    "networks.Training",
    "shapes.Shape",
    "sweep.Task",
    "symmetry.Symmetry",
    "theory.Exclusion",
    "theory.Family",
    "theory.Flatness",
    "theory.StepOptimum",
    "problem.Problem",
    "widgets.Report",
    "networks.REGULARIZATIONS",
    "widgets.LiveFigure",
]


def public() -> dict[str, object]:
    """Qualified name -> function or class: a module's own, what a package lists in `__all__`, the live figures."""
    found = {"Problem": Problem}
    for info in pkgutil.walk_packages(dufm_lib.__path__, "dufm_lib."):
        path = info.name.split(".")[1:]
        if path[-1].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        own = {name: each for name, each in vars(module).items() if getattr(each, "__module__", None) == info.name}
        if len(path) == 1:
            names = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
        elif path[:2] in (["widgets", "controls"], ["widgets", "fields"]):
            names = own
        elif path[0] == "widgets":  # figures
            names = {
                name: each for name, each in own.items() if isinstance(each, type) and issubclass(each, LiveFigure)
            }
        else:
            continue
        prefix = path[-1] if path[-1] in ("controls", "fields") else path[0]
        found |= {f"{prefix}.{name}": each for name, each in names.items() if callable(each) and name[0] != "_"}
    return {name: each for name, each in found.items() if name not in RECORDS}


def arguments(called) -> set[str]:
    """Names of the arguments; `values` and `options` stand for any."""
    return set(inspect.signature(called).parameters) - {"self"}


API = MODELS | FIGURES
for name, each in public().items():
    if name.startswith("widgets.") and name not in API:
        row = MADE_OF.get(name, {})
        fields = each(**{argument: kind.good for argument, kind in row.items()}).values
        wrong = [
            {field: value} for field in fields for value in (None, "?", [], float("nan"), -1e9, object(), np.ones(2))
        ]
        (open_ended,) = arguments(each) - set(row)
        API[name] = row | {open_ended: table({}, {"no such field": 1}, *wrong).called("|".join(["values", *fields]))}
