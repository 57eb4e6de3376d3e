"""What pages say of themselves: the box at their head, the notes at their foot, the table of executions."""

import re
import subprocess

import executions
import launch_buttons
import nbformat
import page_notes
import provenance
import pytest
from conftest import PAGES, ROOT
from IPython.core.inputtransformer2 import TransformerManager
from pybtex.database import parse_string

BOX = re.compile(r"^(`{3,}|:{3,})\{admonition\} (?:This page|This chapter|Before you start)\n(.*?)^\1$", re.M | re.S)
GOALS = re.compile(r"\*\*(You will be able to|You will find)\*\*")
READING = re.compile(r"\*\*Time:\*\* (\d+) minutes? to read")
CITED = provenance.citation(ROOT)
NEEDS = re.compile(r"\*\*(You need|Needs):\*\*\s+\S")


def text(page):
    """The text of a page, without code cells."""
    path = (ROOT / page).with_suffix(".ipynb")
    if not path.exists():
        return path.with_suffix(".md").read_text()
    return "\n\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_its_goals_time_and_needs(page):
    boxes = [found[2] for found in BOX.finditer(text(page)[:4000])]
    assert len(boxes) == 1, "a page begins with one box: what for, how long, what before"
    assert GOALS.search(boxes[0]) and NEEDS.search(boxes[0])
    assert (ROOT / f"{page}.md").exists() or re.search(r"to read.{,20}, .* to run", boxes[0], re.S)


@pytest.mark.parametrize("page", PAGES)
def test_nobody_reads_faster_than_the_box_says(page):
    # 300 words a minute is fast for plain prose, and nobody's speed for mathematics
    assert int(READING.search(text(page))[1]) >= len(text(page).split()) / 300


def test_a_citation_is_bibtex_and_names_the_page():
    entries = parse_string(
        provenance.bibtex(ROOT, "book/landscape/flatness", "Is 1 % flatter?", "https://example.org/a_book/"),
        "bibtex",
    ).entries
    page = entries["dufm-book-landscape-flatness"]
    assert page.fields["title"] == r"{Is 1 \% flatter?}"
    assert page.fields["url"] == "https://example.org/a_book/"
    assert str(page.persons["author"][0]) == "{The neural collapse book authors}"
    paper = provenance.citation(ROOT)["references"][0]
    assert entries[provenance.PAPER].fields["title"] == paper["title"]
    assert entries[provenance.PAPER].fields["year"] == str(paper["year"])


def test_a_page_is_cited_where_it_can_be_read(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://example.org/book")
    assert page_notes.address("book/index", ROOT) == "https://example.org/book/book/index.html"
    monkeypatch.delenv("SITE_URL")
    monkeypatch.setattr(launch_buttons, "origin", lambda _: ("https://github.com/someone/book", "main"))
    assert page_notes.address("book/index", ROOT) == "https://github.com/someone/book"
    monkeypatch.setattr(launch_buttons, "origin", lambda _: None)
    assert page_notes.address("book/index", ROOT) is None
    assert "https://doi.org/10" not in page_notes.cite(ROOT, "book/index", "A title")
    monkeypatch.setattr(provenance, "citation", lambda _: CITED | {"doi": "10.5281/zenodo.1"})
    assert "https://doi.org/10.5281/zenodo.1" in page_notes.cite(ROOT, "book/index", "A title")


def test_a_published_book_offers_the_files_that_make_puts_there(monkeypatch):
    monkeypatch.delenv("SITE_URL", raising=False)
    assert page_notes.downloads() == ""
    monkeypatch.setenv("SITE_URL", "https://example.org/book/")
    offered = re.findall(r'href="https://example\.org/book/download/(.*?)"', page_notes.downloads())
    recipe = re.search(r"^downloads:.*\n(?:\t.*\n)+", (ROOT / "Makefile").read_text(), re.MULTILINE)[0]
    assert re.findall(r"_build/(book\.\w+)", recipe) == offered
    assert "make downloads" in (ROOT / ".github" / "workflows" / "publish.yml").read_text()


def test_a_build_can_be_given_its_day(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert provenance.day(0.0) == "2 January 1970"
    assert "Built on 2 January 1970, with Python 3." in page_notes.made(ROOT, None)
    ran = page_notes.made(ROOT, {"mtime": 0.0, "runtime": 3.4})
    assert ran.startswith("Executed on 2 January 1970 in 3 seconds, with Python 3.")


def test_the_commit_is_the_one_of_the_folder_itself(tmp_path):
    def git(*arguments):
        who = ("-c", "user.name=n", "-c", "user.email=e@localhost")
        run = subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True, text=True)
        return run.stdout.strip()

    assert provenance.commit(tmp_path) is None
    git("init")
    assert provenance.commit(tmp_path) is None
    (tmp_path / "file").touch()
    git("add", "file")
    git("commit", "--message", "first")
    name = git("rev-parse", "--short=9", "HEAD")
    assert provenance.commit(tmp_path) == name
    (tmp_path / "file").write_text("changed")
    assert provenance.commit(tmp_path) == f"{name} with changes"
    (tmp_path / "unpacked").mkdir()
    assert provenance.commit(tmp_path / "unpacked") is None


def test_cells_and_assertions_are_counted(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("assert yourself"),
        nbformat.v4.new_code_cell("x = 1\nassert x == 1\nfor y in (1, 2):\n    assert y\nassertion = 3"),
        nbformat.v4.new_code_cell("x"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "page.ipynb")
    assert executions.counts(tmp_path / "page.ipynb") == (2, 2)


def test_only_a_repository_that_colab_can_open_gets_a_cell_for_it(monkeypatch):
    for url, shown in {
        "https://github.com/someone/book": True,
        "https://gitlab.com/someone/book": False,
        "https://github.example.edu/someone/book": False,
    }.items():
        monkeypatch.setattr(launch_buttons, "origin", lambda _, url=url: (url, "main"))
        assert bool(page_notes.colab(ROOT, "book/index")) == shown


def test_the_cell_for_colab_leads_to_the_notebook(tmp_path):
    """A clone made and entered as the cell does it holds the library, the page and the results it reads."""
    remote = tmp_path / "remote"
    for file in ("pyproject.toml", "dufm_lib/__init__.py", "book/landscape/flatness.ipynb", "results/atlas.parquet"):
        (remote / file).parent.mkdir(parents=True, exist_ok=True)
        (remote / file).write_bytes((ROOT / file).read_bytes())
    who = ("-c", "user.name=n", "-c", "user.email=e@localhost")
    for arguments in (("init", "--initial-branch", "lectures"), ("add", "."), (*who, "commit", "--message", "first")):
        subprocess.run(["git", "-C", str(remote), *arguments], check=True, capture_output=True)
    cell = launch_buttons.colab_cell(remote.as_uri(), "lectures", "book/landscape/flatness")
    compile(TransformerManager().transform_cell(cell), "cell", "exec")  # IPython understands all of it
    clone, install, enter = cell.splitlines()
    subprocess.run(["bash", "-c", clone.removeprefix("!")], cwd=tmp_path, check=True)
    folder = tmp_path / enter.removeprefix("%cd ")
    assert (folder / "flatness.ipynb").exists() and (folder / "../../results/atlas.parquet").exists()
    assert (tmp_path / install.split()[-1] / "pyproject.toml").exists()
