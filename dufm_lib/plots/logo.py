"""The book's marks, drawn from the solids: `python -m dufm_lib.plots.logo book/assets` writes them.

The logo is a simplex inscribed in an icosahedron: its vertices are the centres of four of the twenty faces.
The favicon is the same pair seen along a common threefold axis, where the outline is a regular hexagon. The
colours are those of the structures; the marks stand on a light and on a dark ground alike.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dufm_lib.plots.solids import (
    ICOSAHEDRON,
    OCTAHEDRON,
    TETRAHEDRON,
    hull,
    nearest_pairs,
    project,
    regular_polygon,
)
from dufm_lib.plots.style import COLORS

INSCRIBED = TETRAHEDRON * np.linalg.norm((ICOSAHEDRON[0] + ICOSAHEDRON[4] + ICOSAHEDRON[8]) / 3)
FACES = [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]]
CAPTION = "#757575"


def logo() -> str:
    """The logo as SVG, 256 units square."""
    outer, inner = project(ICOSAHEDRON, 12, 24) * 118, project(INSCRIBED, 12, 24) * 118
    back, front = _edges(outer, COLORS["polyhedron"], 5)
    return _svg(256, 256, [_group(128, 128, back + _faces(inner, COLORS["dnc"]) + front)], "Simplex in an icosahedron")


def favicon() -> str:
    """The favicon as SVG, 32 units square: an outline and three faces, legible at 16 pixels."""
    axis = 45, np.rad2deg(np.arctan(0.5**0.5))
    outer, inner = project(ICOSAHEDRON, *axis) * 14.6, project(INSCRIBED, *axis) * 14.6
    outline = (
        f'<polygon points="{_path(outer[hull(outer[:, :2])])}" fill="none" stroke="{COLORS["polyhedron"]}" '
        'stroke-width="2.6" stroke-linejoin="round"/>'
    )
    return _svg(32, 32, [_group(16, 16, [outline, *_faces(inner, COLORS["dnc"])])], "Simplex in an icosahedron")


def hero() -> str:
    """The README's picture as SVG: what the optimum looks like as the depth grows."""
    solids = [
        ("simplex", "rank K − 1", "dnc", TETRAHEDRON, 10, 18),
        ("orthoplex", "rank K / 2", "pairing", OCTAHEDRON, 25, 18),
        ("polyhedron", "rank 3", "polyhedron", ICOSAHEDRON, 12, 24),
        ("polygon", "rank 2", "polygon", regular_polygon(10), 9, 38),
    ]
    parts = []
    for place, (name, rank, structure, vertices, azimuth, elevation) in enumerate(solids):
        seen, x = project(vertices, azimuth, elevation) * 84, 110 + 200 * place
        back, front = _edges(seen, COLORS[structure], 3.4)
        dots = [
            f'<circle cx="{_n(p[0])}" cy="{_n(-p[1])}" r="5" fill="{COLORS[structure]}" '
            f'fill-opacity="{_n(0.45 + 0.55 * (p[2] + 84) / 168)}"/>'
            for p in seen[np.argsort(seen[:, 2])]
        ]
        color = COLORS[structure]
        parts.append(_group(x, 104, back + front + dots))
        parts.append(f'<text x="{x}" y="226" font-size="20" font-weight="bold" fill="{color}">{name}</text>')
        parts.append(f'<text x="{x}" y="251" font-size="17" fill="{CAPTION}">{rank}</text>')
    parts.append(f'<path d="M110 281H704M697 275L706 281L697 287" fill="none" stroke="{CAPTION}" stroke-width="1.6"/>')
    parts.append(f'<text x="410" y="307" font-size="17" fill="{CAPTION}">more layers</text>')
    return _svg(820, 320, parts, "Simplex, orthoplex, polyhedron, polygon: the rank falls as layers are added")


def write(folder: Path) -> None:
    """Write logo.svg, favicon.svg and hero.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    for mark in (logo, favicon, hero):
        (folder / f"{mark.__name__}.svg").write_text(mark(), encoding="utf-8")


def _edges(seen: np.ndarray, color: str, width: float) -> tuple[list[str], list[str]]:
    """Edges as SVG lines, those behind and those in front; the further away, the paler and the thinner."""
    lines: tuple[list, list] = [], []
    size = np.linalg.norm(seen, axis=1).max()
    for i, j in nearest_pairs(seen):
        depth = (seen[i, 2] + seen[j, 2]) / (2 * size)
        near = (1 + depth) / 2
        line = (
            f'<path d="M{_path(seen[[i, j]])}" '
            f'stroke="{color}" stroke-opacity="{_n(0.3 + 0.7 * near)}" '
            f'stroke-width="{_n(width * (0.5 + 0.5 * near))}" stroke-linecap="round"/>'
        )
        lines[int(depth > 0)].append((depth, line))
    behind, before = ([line for _, line in sorted(side)] for side in lines)
    return behind, before


def _faces(seen: np.ndarray, color: str) -> list[str]:
    """Faces of the tetrahedron that look at the viewer, shaded by a light from the upper left."""
    shapes = []
    for face in FACES:
        a, b, c = seen[face]
        normal = np.cross(b - a, c - a)
        normal *= np.sign(normal @ (a + b + c)) / np.linalg.norm(normal)
        if normal[2] > 0:
            light = 0.5 + 0.5 * normal @ np.array([-0.6, 0.64, 0.48])
            shapes.append(
                f'<polygon points="{_path(seen[face])}" fill="{color}" '
                f'fill-opacity="{_n(0.95 - 0.5 * light)}" stroke="{color}" '
                f'stroke-width="{_n(np.abs(seen).max() / 40)}" stroke-linejoin="round"/>'
            )
    return shapes


def _path(points: np.ndarray) -> str:
    return " ".join(f"{_n(x)},{_n(-y)}" for x, y, *_ in points)


def _n(value: float) -> str:
    """Two decimals, and no negative zero: the same file on every machine."""
    return f"{round(float(value), 2) + 0.0:g}"


def _group(x: float, y: float, parts: list[str]) -> str:
    return f'<g transform="translate({x} {y})">\n' + "\n".join(parts) + "\n</g>"


def _svg(width: int, height: int, parts: list[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" text-anchor="middle">\n<title>{title}</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dufm_lib.plots.logo FOLDER")
    write(Path(sys.argv[1]))
