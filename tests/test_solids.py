"""The structures in space: JavaScript's corners against `structures`, the committed optima against a fresh search."""

import json

import numpy as np
import pytest
from javascript import node

from dufm_lib import structures
from dufm_lib.widgets import solids

GRAMS = {"simplex": structures.simplex_etf, "orthoplex": structures.pairing, "polygon": structures.polygon}
NEEDED = {"simplex": lambda K: K - 1, "orthoplex": lambda K: -(-K // 2), "polygon": lambda K: 2}


@pytest.mark.parametrize("structure", GRAMS)
@pytest.mark.parametrize("K", [3, 4, 5, 6, 10, 12])
def test_corners_are_those_of_the_structure_or_their_projection(structure, K):
    made = node("corners.js", "return m.corners(...given)", [structure, K])
    points, gram = np.array(made["points"]), GRAMS[structure](K).numpy()
    assert made["rank"] == NEEDED[structure](K) and made["exact"] == (made["rank"] <= 3)
    assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
    own = points @ points.T
    if made["exact"]:
        np.testing.assert_allclose(own, gram / gram[0, 0], atol=1e-12)
    else:
        # projected orthogonally: with V^T V = gram (one eigenvalue) the shadow's gram is a multiple of a projection
        # on three eigenvectors of gram
        values, vectors = np.linalg.eigh(own)
        np.testing.assert_allclose(values[-3:], values[-1], rtol=1e-12)
        np.testing.assert_allclose(values[:-3], 0, atol=1e-12)
        leading = vectors[:, -3:]
        np.testing.assert_allclose(gram @ leading, np.linalg.eigvalsh(gram)[-1] * leading, atol=1e-12)


@pytest.mark.parametrize(("structure", "K", "count"), [("simplex", 5, 10), ("orthoplex", 6, 12), ("orthoplex", 7, 18)])
def test_the_number_of_edges(structure, K, count):
    assert len(node("corners.js", "return m.corners(...given).edges", [structure, K])) == count


def test_turning_keeps_lengths_and_angles():
    body = """
    const view = m.rotation([0, 1, 0], 0.3, m.rotation([1, 0, 0], 1.1, m.START));
    return { view, back: m.rotation([1, 0, 0], -1.1, m.rotation([0, 1, 0], -0.3, view)), start: m.START,
             seen: m.seen([[1, 2, 3]], m.rotation([0, 0, 1], Math.PI / 2)) };
    """
    made = node("turn.js", body)
    np.testing.assert_allclose(np.array(made["view"]) @ np.array(made["view"]).T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(made["back"], made["start"], atol=1e-14)
    np.testing.assert_allclose(made["seen"], [[-2, 1, 3]], atol=1e-14)  # counter-clockwise by a right angle


@pytest.mark.parametrize("K", [3, 4, 5, 6, 7, 8, 12])
def test_the_committed_optima_are_found_again(K):
    committed, found = json.loads(solids.OPTIMA.read_text())[str(K)], solids.optimum(K)
    assert [committed[key] for key in ("name", "look", "rank")] == [found[key] for key in ("name", "look", "rank")]
    assert len(committed["edges"]) == len(found["edges"])

    def angles(points):
        points = np.array(points) / np.linalg.norm(points, axis=1, keepdims=True)
        return np.sort((points @ points.T).ravel())

    # four decimals of a coordinate, and what the search leaves open
    np.testing.assert_allclose(angles(committed["points"]), angles(found["points"]), atol=2e-3)


@pytest.mark.parametrize(
    ("structure", "K", "count"),
    [(structures.simplex_etf, 4, 6), (structures.pairing, 6, 12), (structures.polygon, 9, 9)],
)
def test_edges_of_the_convex_hull(structure, K, count):
    points = solids.corners(structure(K))
    assert len(solids.edges(points)) == count


def test_a_cube_has_no_edge_across_its_faces():
    cube = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 3**0.5
    assert len(solids.edges(cube)) == 12


def test_the_figure_carries_little():
    figure = solids.Solids()
    assert set(figure.card["data"]["optima"]) == {str(K) for K in solids.CLASSES}
    assert len(json.dumps(figure.card)) < 8_000
