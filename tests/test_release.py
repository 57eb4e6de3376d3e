"""One version, said once; a citation that archives can read; a changelog that knows whether it is released."""

import re
import tomllib

from conftest import ROOT
from provenance import citation

import dufm_lib

CITATION = citation(ROOT)
NEWEST = re.search(r"^## (\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_version_is_written_in_one_place_and_said_alike_elsewhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "dufm_lib.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", dufm_lib.__version__)
    assert str(CITATION["version"]) == NEWEST[1] == dufm_lib.__version__


def test_the_changelog_and_the_citation_have_one_date():
    assert NEWEST[2] == str(CITATION.get("date-released", "unreleased"))


def test_the_citation_has_what_an_archive_needs():
    # the fields that the Citation File Format demands, and those that Zenodo copies into a record
    needed = {"cff-version", "message", "title", "authors", "type", "version", "abstract", "keywords", "license"}
    assert needed <= set(CITATION)
    assert CITATION["cff-version"] == "1.2.0" and CITATION["type"] == "software"
    assert CITATION["license"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"]
    for who in [*CITATION["authors"], *CITATION["references"][0]["authors"]]:
        assert set(who) in ({"name"}, {"family-names", "given-names"})
