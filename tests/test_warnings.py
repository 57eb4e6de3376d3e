"""A warning is an error: of Python in a test, of a cell in a notebook, of Sphinx in the book."""

import re
import subprocess
import sys
import warnings

import nbformat
import pytest
import yaml

# a cell, and what is said of it; nothing is said of one that only prints
CELLS = {
    "print('all is well')": "",
    "import warnings; warnings.warn('old ways')": "stderr",
    "import sys; _ = sys.stderr.write('a bar')": "stderr",
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_warns_stops_the_build(cell, tmp_path, root):
    """One page, built with what _config.yml says of the execution of notebooks."""
    execute = yaml.safe_load((root / "_config.yml").read_text())["execute"]
    settings = {
        "extensions": ["myst_nb"],
        "root_doc": "page",
        "nb_execution_mode": "force",
        "nb_execution_raise_on_error": execute["raise_on_error"],
        "nb_output_stderr": execute["stderr_output"],
    }
    (tmp_path / "conf.py").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    page = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A page"), nbformat.v4.new_code_cell(cell)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(page, tmp_path / "page.ipynb")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", tmp_path, tmp_path / "html"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode == 0) == (CELLS[cell] == ""), done.stderr
    assert CELLS[cell] in done.stderr


def test_the_book_is_built_so(root):
    recipe = re.search(r"^book: .*\n((?:\t.*\n)+)", (root / "Makefile").read_text(), re.MULTILINE)[1]
    assert {"-W", "-n", "--keep-going"} <= set(recipe.replace(")", "").split())


def test_a_warning_fails_a_test():
    with pytest.raises(UserWarning, match="old ways"):
        warnings.warn("old ways", stacklevel=1)
