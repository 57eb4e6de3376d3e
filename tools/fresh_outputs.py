"""Sphinx extension: forget the cached notebook outputs when the code behind them changes.

jupyter-cache recognises a notebook by its cells alone; the outputs also come from dufm_lib and from the
packages of the environment. The key of these two is kept in the cache, which is emptied when the key differs.
"""

import hashlib
import shutil
import sys
from importlib import metadata
from pathlib import Path

from sphinx.application import Sphinx


def key(root: Path) -> str:
    """SHA-256 over Python, torch, dufm_lib, and the files that freeze the environment: names and contents."""
    digest = hashlib.sha256(f"{sys.version} {metadata.version('torch')}".encode())  # the lock leaves these two open
    library = (path for path in (root / "dufm_lib").rglob("*") if path.is_file() and path.suffix != ".pyc")
    for path in (*sorted(library), root / "requirements.txt", root / "requirements.lock"):
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
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
