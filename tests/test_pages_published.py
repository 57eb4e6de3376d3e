"""The book as the site of an address, in the configuration it is published with, but its notebooks not run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import DESK, PAGES, ROOT, serve
from PIL import Image
from test_pages import MISSING_IMAGES, broken_links, loaded_from_elsewhere, violations

ADDRESS = "https://example.org/a/book/"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The pages, built with warnings as errors in a process of its own."""
    folder = tmp_path_factory.mktemp("published")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["execute"]["execute_notebooks"] = "off"
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "--all", "-W", "-n", "--keep-going"]
    command += ["--config", folder / "_config.yml", "--path-output", folder]
    # the extensions are named beside the configuration, which is elsewhere here
    given = {"SITE_URL": ADDRESS, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tools'}"}
    run = subprocess.run(command, env=os.environ | given, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "build succeeded" in run.stdout
    return folder / "_build" / "html"


def test_links_lead_to_pages_and_nothing_comes_from_elsewhere(published):
    # a link to a setting of a live figure (#fig-name?setting=value) needs the figure, which only a run cell makes
    assert [line for line in broken_links(published) if "#fig-" not in line] == []
    assert loaded_from_elsewhere(published) == set()


@pytest.mark.parametrize("name", PAGES)
def test_a_shared_page_names_the_book_and_shows_its_card(published, name):
    title = yaml.safe_load((ROOT / "_config.yml").read_text())["title"]
    text = (published / f"{name}.html").read_text()
    said = dict(re.findall(r'<meta property="og:(\w+)" content="(.*?)"', text))
    assert said["site_name"] == title
    assert said["url"] == f"{ADDRESS}{name}.html"
    assert "Project name not set" not in text
    assert (f"{ADDRESS}download/book.pdf" in text) == (name == PAGES[0])
    with Image.open(published / said["image"].removeprefix(ADDRESS)) as card:
        logo = card.convert("RGB").crop((800, 0, 1146, 200))  # where the template has place for it
        assert len(logo.getcolors(logo.width * logo.height)) > 100


def test_the_sitemap_holds_the_pages_of_the_book_and_no_indices(published):
    listed = set(re.findall("<loc>(.*?)</loc>", (published / "sitemap.xml").read_text()))
    assert listed == {f"{ADDRESS}{name}.html" for name in PAGES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_for_missing_addresses_is_whole(published, visit, tmp_path, scheme):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "book").symlink_to(published)
    with serve(tmp_path) as address:
        page, wrong = visit(f"{address}/a/book/404.html", address, color_scheme=scheme, **DESK)
        assert page.evaluate(MISSING_IMAGES) == []
        assert violations(page) == []
        assert wrong == []
