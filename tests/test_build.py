"""The build tools: launch buttons, structure colours, the cache of outputs, vendored scripts, pins."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import fresh_outputs
import launch_buttons
import marks
import published
import pytest
import slides
import structure_colours
import vendor
import yaml
from bs4 import BeautifulSoup
from sphinx.errors import ConfigError

ADDRESSES = {
    "https://github.com/someone/book.git": "https://github.com/someone/book",
    "https://github.com/someone/book": "https://github.com/someone/book",
    "https://github.com/someone/book/": "https://github.com/someone/book",
    "https://user:secret@github.com/someone/book.git": "https://github.com/someone/book",
    "https://x-access-token:secret@github.com/someone/book": "https://github.com/someone/book",
    "git@github.com:someone/book.git": "https://github.com/someone/book",
    "github.com:someone/book.git": "https://github.com/someone/book",
    "ssh://git@github.com:22/someone/book.git": "https://github.com/someone/book",
    "git://github.com/someone/book.git": "https://github.com/someone/book",
    "https://GitHub.com/someone/dotted.name.git": "https://github.com/someone/dotted.name",
    "git@gitlab.com:group/subgroup/book.git": "https://gitlab.com/group/subgroup/book",
    "https://gitlab.example.edu:8443/group/book.git": "https://gitlab.example.edu/group/book",
    "": None,
    "book.git": None,
    "/srv/git/book.git": None,
    "../book": None,
    "file:///srv/git/book.git": None,
    "https://example.org/someone/book.git": None,
    "https://notgithub.com/someone/book.git": None,
    "https://github.com/": None,
    "https://github.com/someone": None,
}


@pytest.mark.parametrize("remote", ADDRESSES)
def test_the_address_of_a_remote(remote):
    assert launch_buttons.repository(remote) == ADDRESSES[remote]


@pytest.mark.parametrize(
    ("url", "services"),
    [
        ("https://github.com/someone/book", {"binderhub_url", "colab_url"}),
        ("https://gitlab.com/someone/book", {"binderhub_url"}),
        ("https://gitlab.com/group/subgroup/book", set()),
        ("https://github.example.edu/someone/book", set()),
    ],
)
def test_the_services_a_repository_gets(url, services):
    options = launch_buttons.theme_options(url, "main")
    assert options["repository_url"] == url
    assert services == {name for name in options["launch_buttons"] if name.endswith("_url")}


def test_the_origin_is_the_one_of_the_folder_itself(tmp_path):
    def git(*arguments):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    assert launch_buttons.origin(tmp_path) is None
    git("init", "--initial-branch", "lectures")
    assert launch_buttons.origin(tmp_path) is None
    git("remote", "add", "origin", "git@github.com:someone/book.git")
    git("-c", "user.name=n", "-c", "user.email=e@localhost", "commit", "--allow-empty", "--message", "first")
    assert launch_buttons.origin(tmp_path) == ("https://github.com/someone/book", "lectures")
    git("checkout", "--detach")
    assert launch_buttons.origin(tmp_path) == ("https://github.com/someone/book", "HEAD")
    git("tag", "v1.0.0")
    assert launch_buttons.origin(tmp_path) == ("https://github.com/someone/book", "v1.0.0")
    inside = tmp_path / "unpacked"
    inside.mkdir()
    assert launch_buttons.origin(inside) is None


def test_every_structure_has_its_colour_in_the_style_sheet():
    from dufm_lib.plots import COLORS

    css = structure_colours.stylesheet(COLORS)
    for name, colour in COLORS.items():
        css_class = name.replace("_", "-")
        assert f"span.{css_class} {{ --structure: {colour}; }}" in css
        assert f"span.{css_class}::before" in css
    assert css.count("{") == css.count("}") == len(COLORS) + 1


def test_the_text_uses_only_classes_that_exist(root):
    from dufm_lib.plots import COLORS

    known = {name.replace("_", "-") for name in COLORS}
    pages = [*root.glob("book/**/*.ipynb"), *root.glob("book/**/*.md")]
    used = {name for page in pages for name in re.findall(r'<span class=\\?"([\w-]+)\\?"', page.read_text())}
    assert used <= known


def test_the_cache_is_emptied_when_the_key_changes(tmp_path):
    cache = tmp_path / "cache"
    fresh_outputs.forget_stale(cache, "one")
    (cache / "output").touch()
    fresh_outputs.forget_stale(cache, "one")
    assert (cache / "output").exists()
    fresh_outputs.forget_stale(cache, "two")
    assert not (cache / "output").exists()


@pytest.mark.parametrize("changed", ["dufm_lib/model.py", "results/networks/a.json", *fresh_outputs.READ])
def test_the_key_follows_the_library_and_what_notebooks_read(tmp_path, changed):
    for name in ("dufm_lib/model.py", "results/networks/a.json", "book/reference/page.md", *fresh_outputs.READ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    before = fresh_outputs.key(tmp_path)
    (tmp_path / "book/reference/page.md").write_text("two")
    assert fresh_outputs.key(tmp_path) == before
    (tmp_path / changed).write_text("two")
    assert fresh_outputs.key(tmp_path) != before


def test_all_that_notebooks_read_is_in_the_key(root):
    """Data files named in the cells of notebooks: in results, or in the list."""
    cells = [cell for path in root.glob("book/**/*.ipynb") for cell in json.loads(path.read_text())["cells"]]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    named = {Path(name) for name in re.findall(r'"((?:\.\./)*[\w/.-]+\.(?:json|parquet|yml|csv|pt))"', source)}
    elsewhere = {path.name for path in named if "results" not in path.parts}
    assert elsewhere and elsewhere <= {Path(name).name for name in fresh_outputs.READ}


def test_a_change_of_prose_keeps_the_outputs_and_one_of_a_heading_does_not(tmp_path, root):
    notebook = json.loads((root / "book/landscape/flatness.ipynb").read_text())
    path = tmp_path / "flatness.ipynb"

    def outline_with(words):
        cell = {"cell_type": "markdown", "source": words, "metadata": {}}
        path.write_text(json.dumps(notebook | {"cells": [*notebook["cells"], cell]}))
        return fresh_outputs.outline(path)

    assert outline_with(["Prose."]) == outline_with(["Other prose."])
    assert outline_with(["Prose."]) != outline_with(["## Heading\n", "\n", "Prose."])


def test_a_changed_archive_is_refused(tmp_path, monkeypatch):
    (tmp_path / "package.tgz").write_bytes(b"not what was published")
    monkeypatch.setattr(vendor.subprocess, "run", lambda *_, **__: None)
    with pytest.raises(ValueError, match="expected SHA-512"):
        vendor.fetch(vendor.BUNDLES[0], tmp_path)


def build(folder, root, address, conf='extensions = ["myst_parser", "published"]'):
    """A book of one page, built as the site of an address, in a process of its own."""
    (folder / "index.md").write_text("# A page\n\nWhat it is about.\n")
    (folder / "conf.py").write_text(f'project = "A book"\n{conf}\n')
    command = [sys.executable, "-m", "sphinx", "-q", "-W", folder, folder / "html"]
    subprocess.run(command, check=True, env=os.environ | {"SITE_URL": address, "PYTHONPATH": str(root / "tools")})
    return folder / "html"


def test_a_site_with_an_address_names_it(tmp_path, root):
    site = build(tmp_path, root, "https://example.org/book")
    assert "<loc>https://example.org/book/index.html</loc>" in (site / "sitemap.xml").read_text()
    assert 'href="/book/_static/' in (site / "404.html").read_text()  # asked for from any depth
    card = re.search(r'"og:image" content="https://example.org/book/(.*?)"', (site / "index.html").read_text())
    assert (site / card[1]).stat().st_size > 1000


def test_a_mark_with_a_new_shape_is_refused(tmp_path):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><g transform="translate(4 4)"><circle/></g></svg>'
    (tmp_path / "mark.svg").write_text(svg)
    with pytest.raises(ValueError, match="paths and polygons only"):
        marks.draw(tmp_path / "mark.svg", tmp_path / "mark.png")


def test_a_site_without_an_address_makes_none_up(tmp_path, root):
    site = build(tmp_path, root, "")
    assert not (site / "sitemap.xml").exists() and not (site / "404.html").exists()
    assert "og:" not in (site / "index.html").read_text()


def test_half_an_address_is_refused(monkeypatch):
    monkeypatch.setenv("SITE_URL", "example.org/book")
    with pytest.raises(ConfigError, match="full address"):
        published.setup(None)


def test_redirects_lead_to_pages(root):
    redirects = yaml.safe_load((root / "_config.yml").read_text())["sphinx"]["config"]["redirects"]
    for old, new in redirects.items():
        (target,) = (root / old).parent.joinpath(new).with_suffix("").parent.glob(f"{Path(new).stem}.*")
        assert target.exists() and not list(root.glob(f"{old}.*"))


def test_an_old_address_leads_to_the_new_page(tmp_path, root):
    """The extension and the form of its option that _config.yml speaks of: old path, new address relative to it."""
    conf = 'extensions = ["myst_parser", "sphinx_reredirects"]\nredirects = {"part/old": "../index.html"}'
    site = build(tmp_path, root, "", conf)
    target = re.search('url=(.*?)"', (site / "part" / "old.html").read_text())[1]
    assert (site / "part" / target).resolve() == (site / "index.html").resolve()


def test_every_page_of_the_contents_exists_and_no_page_is_left_out(root):
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    listed = {contents["root"]} | {c["file"] for part in contents["parts"] for c in part["chapters"]}
    pages = [*root.glob("book/**/*.ipynb"), *root.glob("book/**/*.md")]
    written = {str(page.relative_to(root).with_suffix("")) for page in pages}
    assert listed == {page for page in written if ".ipynb_checkpoints" not in page}


def test_notebooks_are_committed_without_outputs(root):
    for path in root.glob("book/**/*.ipynb"):
        code = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
        assert not any(cell["outputs"] or cell["execution_count"] for cell in code), path


def test_requirements_are_fixed_and_agree_with_the_frozen_rest(root):
    fixed = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
    requirements = (root / "requirements.txt").read_text()
    lines = [line for line in requirements.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not fixed.match(line)] == ["torch>=2.6,<2.14"]
    frozen = fixed.findall((root / "requirements.lock").read_text())
    assert set(fixed.findall(requirements)) <= set(frozen)
    assert not [name for name, _ in frozen if name.startswith(("torch", "nvidia", "cuda", "triton"))]


def test_every_package_of_the_lock_is_held_to_hashes_and_to_no_host(root):
    lock = (root / "requirements.lock").read_text()
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert not re.search(r"https?://|file:|--(index|find)", lock)


def test_the_environment_is_the_lock(root):
    """CONTRIBUTING.md names what the lock does not hold; the book's own library and Python's pip come on top."""

    def same(name):
        return re.sub(r"[-_.]+", "-", name).lower()

    locked = {
        same(name) for name in re.findall(r"^([\w.-]+)==", (root / "requirements.lock").read_text(), re.MULTILINE)
    }
    installed = {same(package.metadata["Name"]) for package in metadata.distributions()}
    free = {name for name in installed - locked if not name.startswith(("nvidia", "cuda", "triton"))}
    assert free <= {"torch", "setuptools", "uv", "dufm-lib", "pip"}


def test_the_workflows_run_the_commands_of_the_readme(root):
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE))
    workflows = sorted((root / ".github" / "workflows").glob("*.yml"))
    assert [path.stem for path in workflows] == ["publish", "test", "weekly"]
    for path in workflows:
        jobs = yaml.safe_load(path.read_text())["jobs"]
        commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
        ours = [command.split()[1:] for command in commands if command.startswith("make ")]
        assert ours, path
        assert all(set(command) <= targets for command in ours), path


def test_the_dev_container_names_what_exists(root):
    container = json.loads((root / ".devcontainer" / "devcontainer.json").read_text())
    makefile = (root / "Makefile").read_text()
    program, target = container["postCreateCommand"].split()
    assert program == "make" and re.search(f"^{target}:", makefile, re.MULTILINE)
    ports = {int(port) for port in re.findall(r"http.server .* (\d+)$", makefile, re.MULTILINE)}
    assert ports | {8888} == set(container["forwardPorts"])  # the pages', and JupyterLab's own
    python = container["image"].rpartition(":")[2]
    assert f'"{python}"' in (root / ".github" / "workflows" / "weekly.yml").read_text()
    interpreter = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert interpreter.removeprefix("${containerWorkspaceFolder}/") == ".venv/bin/python"
    assert "VENV := .venv\n" in makefile


def test_a_chapter_without_goals_gets_no_slides_but_a_reason():
    article = BeautifulSoup("<article><h1>Title</h1></article>", "html.parser").article
    page = slides.Page("book/some/chapter", "Title", article, "")
    with pytest.raises(ValueError, match="book/some/chapter must have a box 'You will be able to'"):
        slides.goals(page)
    with pytest.raises(ValueError, match="must have a section 'Recap'"):
        slides.recap(page)
