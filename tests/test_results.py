"""The committed tables of descent: each names the command and the setting that made it, and its rows come out again."""

import shlex

import learning_rate
import pandas as pd
import pytest
import widths_and_decays
from conftest import ROOT

from dufm_lib import Problem, sweep

SCRIPTS = {
    "widths_and_decays": (widths_and_decays, widths_and_decays.GRID, 200),
    "learning_rate": (learning_rate, learning_rate.SLOW, 50),
}
TABLES = {name: pd.read_parquet(ROOT / "results" / f"{name}.parquet") for name in SCRIPTS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_command_in_a_table_is_one_that_its_script_takes(name):
    script, _, runs = SCRIPTS[name]
    program, file, *words = shlex.split(TABLES[name].attrs["command"])
    assert program == "python" and (ROOT / file).samefile(script.__file__)
    taken = script.PARSER.parse_args(words)
    assert taken.output == ROOT / "results" / f"{name}.parquet" and taken.runs == runs


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_table_has_each_run_of_the_grid_once(name):
    script, grid, runs = SCRIPTS[name]
    table = TABLES[name]
    asked = [
        (task.problem.width, task.problem.weight_decay, dict(task.options)["init_scale"], task.seed)
        for task in sweep.tasks(script.PROBLEMS, runs, batch=1, **grid)
    ]
    there = table[["width", "lambda_weights", "init_scale", "seed"]].itertuples(index=False, name=None)
    assert sorted(there) == sorted(asked)
    assert set(table.ended) == {"converged"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_setting_in_a_table_makes_its_rows(name):
    """Rounding differs from processor to processor: the same minimum, to what convergence leaves open."""
    table = TABLES[name]
    given = table.attrs
    assert given["samples"] == "5"
    options = {key: given[key] for key in sweep.OPTIONS if key in given}
    assert set(options) | {"init_scale"} == set(sweep.OPTIONS)
    for row in table.nsmallest(2, "steps_taken").itertuples():
        kind = {"loss": given["fit"], "activation": given["activation"]}
        problem = Problem(given["classes"], 5, given["depth"], row.width, row.lambda_weights, **kind)
        (task,) = sweep.tasks(problem, 1, row.seed, init_scale=row.init_scale, **options)
        again = sweep.perform(task).iloc[0]
        assert again["dtype"] == given["dtype"]
        assert (again["rank"], again.structure, again.ended) == (row.rank, row.structure, row.ended)
        assert again.loss == pytest.approx(row.loss, rel=1e-5)
        assert again.steps_taken == pytest.approx(row.steps_taken, abs=given["record_every"])
