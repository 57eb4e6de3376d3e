"""The reproduction ledger is complete, and what it names exists. (Its numbers are checked by its own notebook.)"""

import ast
import json
import re

import pytest
import yaml
from conftest import ROOT

from dufm_lib.networks import options

BOOK = ROOT / "book"
ENTRIES = yaml.safe_load((BOOK / "reference" / "ledger.yml").read_text())
VERDICTS = {"agrees", "sharper", "differs", "in part", "not run"}
FIELDS = {"name", "says", "checks", "verdict", "why", "chapters", "labels", "tests", "again", "commands"}
MAY_LACK = {"why", "labels", "again", "commands"}
BY_NAME = {entry["name"]: entry for entry in ENTRIES}
STATEMENTS = [
    *(f"Definition {number}" for number in (1, 2, 3, 4)),
    "Definition 5 and Assumption 1",
    "Lemma 1",
    "Proposition 1",
    *(f"Theorem {number}" for number in (1, 2, 3, 4, 5, 6, 7, "A1", "A2", "A3")),
    *(f"Figure {number}" for number in (1, 2, 3, 4, 5, 6)),
    "Figures 7 and 8",
    "Dang et al., every depth",
]


def functions_of(file):
    return {node.name for node in ast.parse((ROOT / "tests" / file).read_text()).body if hasattr(node, "name")}


def labels_of(chapter):
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return set(re.findall(r"^:label: (\S+)$", text, re.MULTILINE)) | set(
        re.findall(r"\$\$ \((\S+)\)$", text, re.MULTILINE)
    )


def test_the_ledger_has_every_statement_and_figure_once():
    assert len(BY_NAME) == len(ENTRIES)
    assert set(STATEMENTS) <= set(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_an_entry_says_what_it_must(name):
    entry = BY_NAME[name]
    assert set(entry) <= FIELDS and set(entry) >= FIELDS - MAY_LACK
    assert entry["verdict"] in VERDICTS
    assert entry["verdict"] == "agrees" or entry["why"], "what does not simply agree needs a reason"
    assert entry["checks"] or entry["verdict"] in {"in part", "not run"}, "a verdict needs a computed value"
    for check in entry["checks"]:
        assert set(check) <= {"ask", "let", "call", "holds", "paper"}
        assert "ours" in check["holds"], "a check must look at the value"


@pytest.mark.parametrize("name", BY_NAME)
def test_everything_an_entry_names_exists(name):
    entry = BY_NAME[name]
    for chapter in entry["chapters"]:
        assert (BOOK / f"{chapter}.ipynb").exists(), chapter
    present = set().union(*map(labels_of, entry["chapters"]))
    assert set(entry.get("labels", [])) <= present
    for test in entry["tests"]:
        file, function = test.split("::")
        assert function in functions_of(file), test


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("Figure")])
def test_a_figure_names_the_commands_that_make_it(name):
    assert BY_NAME[name]["again"]
    for command in BY_NAME[name]["commands"]:
        python, *words = command.split()
        assert python == "python"
        if words[:2] == ["-m", "dufm_lib.networks"]:
            options.parser("").parse_args(words[2:])  # ends the test if it takes no such words
        else:
            script = ast.parse((ROOT / words[0]).read_text())
            known = [node.value for node in ast.walk(script) if isinstance(node, ast.Constant)]
            assert all(word in known for word in words if word.startswith("--"))


def test_its_output_reads_the_same_in_jupyterlab():
    cells = json.loads((BOOK / "reference" / "ledger.ipynb").read_text())["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    # there the output of a cell is plain Markdown: no role of MyST is understood
    assert not re.search(r"prf:ref|\{(eq|cite|term|doc)", text)
