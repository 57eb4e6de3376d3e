"""What Binder's image installs, counted: `python tools/installed_size.py`, and the directive `installed-size`.

Counted are the files of the packages that binder/postBuild names and of all they need, as they lie in the environment
that runs this: same versions, same build of torch if it was made by `make`. Byte code, which Python writes later, and
what Binder puts into every image (Python, JupyterLab) are not.
"""

import re
import shlex
import tomllib
from importlib import metadata
from pathlib import Path

from docutils import nodes
from packaging.requirements import Requirement
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]
SHOWN = 6  # packages in the table, the largest first


def named(root: Path = ROOT) -> list[str]:
    """Requirements that binder/postBuild installs beside the library: those of pyproject.toml, and those it names."""
    script = (root / "binder" / "postBuild").read_text()
    line = shlex.split(re.search(r"^uv pip install .*--requirement pyproject\.toml.*$", script, re.MULTILINE)[0])
    extra = line[line.index("pyproject.toml") + 1 :]
    return [*tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"], *extra]


def closure(requirements: list[str]) -> set[str]:
    """Names of installed packages that these requirements need, themselves among them."""
    seen, waiting = set(), [Requirement(line) for line in requirements]
    while waiting:
        requirement = waiting.pop()
        package = metadata.distribution(requirement.name)
        for extra in {"", *requirement.extras} - {extra for name, extra in seen if name == package.name}:
            seen.add((package.name, extra))
            needs = [Requirement(line) for line in package.requires or ()]
            waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in seen}


def size(name: str) -> int:
    """Bytes of a package's files."""
    paths = (Path(file.locate()) for file in metadata.files(name) or () if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())


def sizes(root: Path = ROOT) -> dict[str, int]:
    """Bytes of each package, the largest first."""
    counted = {name: size(name) for name in closure(named(root))}
    return dict(sorted(counted.items(), key=lambda item: -item[1]))


def megabytes(count: float) -> str:
    """A size in words: 1 MB is a million bytes."""
    return f"{count / 1e6:.0f} MB"


def sentence(counted: dict[str, int]) -> str:
    """The sum in words."""
    largest = ", ".join(
        f"{name} {metadata.version(name)} ({megabytes(counted[name])})" for name in list(counted)[:SHOWN]
    )
    return f"{len(counted)} packages, {megabytes(sum(counted.values()))} installed; the largest: {largest}."


class InstalledSize(SphinxDirective):
    """The sentence as a paragraph of a page."""

    def run(self) -> list[nodes.Node]:
        """Count in the environment that builds the page."""
        return [nodes.paragraph(text=sentence(sizes()))]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("installed-size", InstalledSize)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    print(sentence(sizes()))
