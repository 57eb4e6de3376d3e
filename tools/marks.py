"""The book's marks as PNG, for the cards of shared links, which take no SVG.

`dufm_lib.plots.logo` writes the marks as lines and polygons in one shifted group; matplotlib draws just these again.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from matplotlib.figure import Figure
from matplotlib.patches import Polygon

ASSETS = Path(__file__).resolve().parents[1] / "book" / "assets"
SVG = "{http://www.w3.org/2000/svg}"
PIXELS = 512
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def numbers(text: str) -> list[float]:
    """The numbers in an attribute.

    >>> numbers("translate(128 -12.5)")
    [128.0, -12.5]
    """
    return [float(number) for number in NUMBER.findall(text)]


def draw(svg: Path, png: Path) -> None:
    """Draw a mark on a transparent ground, 512 pixels square.

    Raises:
        ValueError: the file holds a shape other than a line or a polygon.
    """
    tree = ElementTree.parse(svg).getroot()
    (group,) = tree.findall(f"{SVG}g")
    x, y = numbers(group.get("transform"))
    size = numbers(tree.get("viewBox"))[-1]
    figure = Figure(figsize=(PIXELS / 100, PIXELS / 100), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-x, size - x), ylim=(size - y, -y))
    axes.set_axis_off()
    for shape in group:
        points = numbers(shape.get("d" if shape.tag == f"{SVG}path" else "points", ""))
        if shape.tag not in (f"{SVG}path", f"{SVG}polygon"):
            raise ValueError(f"{svg.name} must hold paths and polygons only, got {shape.tag}; draw that here too")
        filled = shape.get("fill", "none") != "none"
        patch = Polygon(
            [*zip(points[::2], points[1::2], strict=True)],
            closed=shape.tag == f"{SVG}polygon",
            facecolor=(shape.get("fill"), float(shape.get("fill-opacity", 1))) if filled else "none",
            edgecolor=(shape.get("stroke"), float(shape.get("stroke-opacity", 1))),
            linewidth=float(shape.get("stroke-width")) / size * PIXELS * 72 / 100,
            capstyle="round",
            joinstyle="round",
        )
        axes.add_patch(patch)
    figure.savefig(png, transparent=True, metadata={"Software": None})


def write(folder: Path) -> dict[str, Path]:
    """Draw logo and favicon into a folder; returns where each is."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {name: folder / f"{name}.png" for name in ("logo", "favicon")}
    for name, path in drawn.items():
        draw(ASSETS / f"{name}.svg", path)
    return drawn
