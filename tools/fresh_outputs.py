"""Sphinx extension: forget the cached notebook outputs when what they are made of changes.

jupyter-cache recognises a notebook by its cells alone; the outputs also come from dufm_lib, from the packages of the
environment and from the files that notebooks read. The key of all these is kept in the cache, which is emptied when
the key differs.
"""

import hashlib
import json
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx

READ = ("requirements.txt", "requirements.lock", "_toc.yml", "book/reference/ledger.yml")
LANDMARK = re.compile(r"^(?:#+ |:label: |\$\$ \().*", re.MULTILINE)


def outline(notebook: Path) -> str:
    """What the map and the ledger read of other chapters: first words, headings and labels."""
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "markdown"]
    words = ["".join(cell["source"]) for cell in cells]
    return "\n".join([*words[:4], *LANDMARK.findall("\n".join(words))])


def key(root: Path) -> str:
    """SHA-256 over Python, torch, dufm_lib, results, the files in READ (names and contents), and all outlines."""
    digest = hashlib.sha256(f"{sys.version} {metadata.version('torch')}".encode())  # the lock leaves these two open
    folders = [path for folder in ("dufm_lib", "results") for path in (root / folder).rglob("*")]
    files = [path for path in folders if path.is_file() and path.suffix != ".pyc"]
    for path in (*sorted(files), *(root / name for name in READ)):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    for notebook in sorted((root / "book").glob("*/*.ipynb")):
        digest.update(outline(notebook).encode())
    return digest.hexdigest()


def forget_stale(cache: Path, current: str) -> None:
    """Empty the cache unless it was filled under the current key."""
    stamp = cache / "key"
    if not stamp.exists() or stamp.read_text() != current:
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(parents=True)
        stamp.write_text(current)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; the path is myst-nb's own default."""
    app.connect(
        "builder-inited",
        lambda app: forget_stale(Path(app.outdir).parent / ".jupyter_cache", key(Path(app.srcdir))),
        priority=400,  # before myst-nb opens the cache
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
