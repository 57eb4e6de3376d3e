"""What a page was made from: which packages, which state of the repository, which day; and how to cite it."""

import os
import platform
import re
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import launch_buttons
import yaml

PACKAGES = {"PyTorch": "torch", "NumPy": "numpy", "SciPy": "scipy"}
TEX = str.maketrans({sign: f"\\{sign}" for sign in "&%#_"})
PAPER = "garrod2025persistence"  # its key in book/references.bib


def versions() -> dict[str, str]:
    """Python and the packages behind the numbers, with their versions."""
    import dufm_lib

    packages = {name: metadata.version(package) for name, package in PACKAGES.items()}
    return {"Python": platform.python_version(), **packages, "dufm_lib": dufm_lib.__version__}


def day(seconds: float) -> str:
    """A day in words; SOURCE_DATE_EPOCH, the convention for builds that shall be the same twice, goes first.

    >>> day(1761177600.0) if "SOURCE_DATE_EPOCH" not in os.environ else "23 October 2025"
    '23 October 2025'
    """
    when = datetime.fromtimestamp(float(os.environ.get("SOURCE_DATE_EPOCH", seconds)), UTC)
    return f"{when.day} {when:%B %Y}"


def commit(root: Path) -> str | None:
    """Short name of the commit, and whether files have changed since; None outside a repository of its own."""
    top = launch_buttons.git(root, "rev-parse", "--show-toplevel")
    name = launch_buttons.git(root, "rev-parse", "--short=9", "HEAD")
    if not name or Path(top).resolve() != root.resolve():
        return None
    changed = launch_buttons.git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{name} with changes" if changed else name


def citation(root: Path) -> dict:
    """CITATION.cff, the one place that says what the book is called, who wrote it and which version it is."""
    return yaml.safe_load((root / "CITATION.cff").read_text())


def names(people: list[dict]) -> str:
    """Authors as a sentence has them.

    >>> names([{"given-names": "Ada", "family-names": "Lovelace"}, {"name": "A group"}])
    'Ada Lovelace and A group'
    """
    full = [who.get("name") or f"{who['given-names']} {who['family-names']}" for who in people]
    return " and ".join([", ".join(full[:-1]), full[-1]] if len(full) > 1 else full)


def year(book: dict) -> str:
    """Year of the release, or of the day of the build before there is one."""
    return str(book["date-released"])[:4] if "date-released" in book else day(time.time())[-4:]


def bibtex(root: Path, page: str, title: str, address: str | None) -> str:
    """BibTeX of a page of the book, and of the paper the book retells."""
    book = citation(root)
    authors = [
        f"{{{who['name']}}}" if "name" in who else f"{who['family-names']}, {who['given-names']}"
        for who in book["authors"]
    ]
    words = {"author": " and ".join(authors), "title": f"{{{title}}}", "booktitle": f"{{{book['title']}}}"}
    fields = {name: text.translate(TEX) for name, text in words.items()}
    fields |= {"year": year(book), "note": f"Version {book['version']}"} | ({"url": address} if address else {})
    lines = "".join(f"  {name} = {{{text}}},\n" for name, text in fields.items())
    key = "dufm-book-" + page.removeprefix("book/").replace("/", "-")
    paper = re.search(rf"^@\w+\{{{PAPER},.*?^\}}", (root / "book" / "references.bib").read_text(), re.M | re.S)[0]
    return f"@incollection{{{key},\n{lines}}}\n\n{paper}\n"
