"""The pages as `make zip` packs them, unpacked anywhere and read without a server; and the order they are read in."""

import itertools
import subprocess
import sys
import zipfile

import pytest
from bs4 import BeautifulSoup
from conftest import DESK, PAGES, SITE
from test_pages import MISSING_IMAGES


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a folder")
    # as the Makefile does it
    command = [sys.executable, "-m", "zipfile", "-c", folder / "book.zip", "html"]
    subprocess.run(command, cwd=SITE.parent, check=True)
    with zipfile.ZipFile(folder / "book.zip") as archive:
        archive.extractall(folder)
    return folder / "html"


@pytest.mark.parametrize("name", PAGES[:7:6])
def test_a_page_opens_from_the_archive(visit, unpacked, name):
    page, wrong = visit((unpacked / f"{name}.html").as_uri(), unpacked.as_uri(), **DESK)
    assert page.evaluate(MISSING_IMAGES) == []
    assert [line for line in wrong if line.startswith(("page error", "outside"))] == []


def test_the_search_finds_without_a_server(visit, unpacked):
    page, wrong = visit(f"{(unpacked / 'search.html').as_uri()}?q=pairing", unpacked.as_uri(), **DESK)
    found = page.locator("#search-results li a")
    found.first.wait_for()
    assert found.count() > 5
    found.first.click()
    page.wait_for_load_state()
    assert "pairing" in page.locator("article").inner_text().lower()
    # what stands below a result is fetched from its page, which a browser refuses to a file; the results lack it then
    faults = [line for line in wrong if line.startswith(("page error", "outside"))]
    assert set(faults) <= {"page error: Failed to fetch"}


def test_next_and_previous_follow_the_contents():
    for name, following in itertools.pairwise(PAGES):
        for source, way, target in ((name, "right-next", following), (following, "left-prev", name)):
            (link,) = BeautifulSoup((SITE / f"{source}.html").read_text(), "html.parser").select(f"a.{way}")
            leads_to = (SITE / f"{source}.html").parent.joinpath(link["href"]).resolve()
            assert leads_to == (SITE / f"{target}.html").resolve(), source
