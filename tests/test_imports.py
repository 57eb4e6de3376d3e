"""Imports go downward only: the table of CONTRIBUTING.md, read and held against the code."""

import ast
import re

import pytest
from conftest import ROOT

TABLE = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
ROW = {name: row for row, names in enumerate(TABLE) for name in re.findall(r"\w+", names)}
LIBRARY = ROOT / "dufm_lib"
FILES = [path for path in sorted(LIBRARY.rglob("*.py")) if path != LIBRARY / "__init__.py"]


def top_modules(node: ast.AST) -> set[str]:
    """Modules of dufm_lib that an import statement names: `from dufm_lib import theory` as `dufm_lib.theory.x`."""
    match node:
        case ast.ImportFrom(module="dufm_lib", names=names):
            return {"problem" if alias.name == "Problem" else alias.name for alias in names}
        case ast.ImportFrom(module=str(module)) if module.startswith("dufm_lib."):
            return {module.split(".")[1]}
        case ast.Import(names=names):
            return {alias.name.split(".")[1] for alias in names if alias.name.startswith("dufm_lib.")}
    return set()


def imported(path) -> set[str]:
    """Every module of dufm_lib that a file imports, except for the eyes of a type checker only."""
    tree = ast.parse(path.read_text())
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    return set().union(*(top_modules(node) for node in ast.walk(tree) if node not in guarded))


def module_of(path) -> str:
    return path.relative_to(LIBRARY).with_suffix("").parts[0]


def test_the_table_names_every_module_and_no_other():
    assert set(ROW) == {module_of(path) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_go_downward(path):
    own = module_of(path)
    upward = {name for name in imported(path) if ROW.get(name, len(TABLE)) > ROW[own]}
    assert upward == set()
    if own in {"model", "critical", "aligned", "balance", "nonnegative"}:
        assert "theory" not in imported(path)
