"""The live race with ReLU: prices and best losses in JavaScript against dufm_lib.theory, and what its map says."""

import itertools

import pytest
from javascript import node

from dufm_lib import Problem, theory
from dufm_lib.structures import incidence, pairing, simplex_etf
from dufm_lib.theory.reduced import best_scale
from dufm_lib.widgets.race import Race

CELLS = list(itertools.product(range(4, 22), range(2, 10)))
SETTINGS = [
    {"K": K, "L": L, "n": n, "lambda": 2.0**power}
    for K, L, n, power in itertools.product((4, 7, 10, 15), (2, 3, 5, 9), (1, 5), (-20, -9, -5, -1))
]
ORDERS = {6: 4, 10: 5, 15: 6, 21: 7}


def edges(r):
    T = incidence(r)
    return T, [(T - T.mean(1, keepdim=True)).T]


def test_prices_are_those_of_python():
    body = "return given.map(([K, L]) => [m.pairsPrice(K, L), m.verticesOf(K), m.edgesPrice(m.verticesOf(K), L)]);"
    for (K, L), (pairs, r, found) in zip(CELLS, node("nonnegative.js", body, CELLS), strict=True):
        assert pairs == pytest.approx(theory.relu_pairing_price(K, L), rel=1e-13)
        assert r == ORDERS.get(K, 0)
        if r:
            assert found == pytest.approx(theory.nonnegative_price(*edges(r), L), rel=1e-12)


def test_best_losses_are_those_of_python():
    at_zero = 0
    for given, found in zip(SETTINGS, node("contest.js", "return given.map(m.race)", SETTINGS), strict=True):
        K, L, n, decay = (given[name] for name in ("K", "L", "n", "lambda"))
        linear, relu = (Problem(K, n, L, K, decay, activation=s) for s in ("linear", "relu"))
        # the price takes the place of the sum of singular values in the penalty, for odd K too
        price = decay * (L + 1) / 2 * theory.relu_pairing_price(K, L) * n ** (1 / (L + 1))
        expected = {
            "dnc": theory.optimal_scale(linear, simplex_etf(K)),
            "pairing": best_scale(relu, pairing(K).numpy(), price),
        }
        if K in ORDERS:
            expected["strongly_regular"] = theory.nonnegative_optimum(relu, *edges(ORDERS[K]))
        assert list(found) == list(expected)
        for name, (scale, loss) in expected.items():
            at_zero += scale == 0
            # roots of the same equation by two solvers; a loss is flat at its minimum
            assert found[name]["loss"] == pytest.approx(loss, rel=1e-12)
            assert found[name]["scale"] == pytest.approx(scale, rel=1e-8)
    assert 0 < at_zero < 2 * len(SETTINGS)


def test_the_map_follows_the_theorem_and_the_weight_decay():
    board = "return m.cells(m.race, [4, 21], [2, 9], { n: 5, lambda: given })"
    small = {(cell["K"], cell["L"]): cell["name"] for cell in node("contest.js", board, 2.0**-20)}
    assert list(small) == [(K, L) for L in range(2, 10) for K in range(4, 22)]
    for (K, L), name in small.items():
        lower = theory.relu_pairing_wins(K, L) or (
            K in ORDERS and theory.nonnegative_price(*edges(ORDERS[K]), L) < K - 1
        )
        if lower:
            assert name in ("pairing", "strongly_regular"), (K, L)
    # of the chapter: at K = 15, L = 2 edges have the larger price, and win at 2^-5 by their fit
    window = node("contest.js", "return [-9, -5].map((e) => m.leader(m.race({ K: 15, L: 2, n: 5, lambda: 2 ** e })))")
    assert window == ["dnc", "strongly_regular"] and small[15, 2] == "dnc"
    assert {cell["name"] for cell in node("contest.js", board, 0.5)} == {"zero"}


def test_what_the_sliders_reach_is_what_the_map_shows():
    ranges = {each["name"]: (each["min"], each["max"]) for each in Race().card["controls"]}
    assert (ranges["K"], ranges["L"]) == ((4, 21), (2, 9))
    with pytest.raises(ValueError, match="L must be from 2 to 9, got 1"):
        Race(L=1)


def test_a_click_finds_its_cell_and_nothing_beside_the_map():
    body = """const ends = { classes: [4, 21], depths: [2, 9] };
    const map = m.cellMap({ ...ends, width: 400, cells: [], looks: {}, at: { K: 4, L: 2 }, borders: [] });
    const drawing = { getBoundingClientRect: () => ({ left: 100, top: 50 }) };
    return given.map(([K, L]) => m.cellAt(map, drawing, { clientX: 100 + map.px(K), clientY: 50 + map.py(L) }));"""
    inside = [[4, 2], [21, 9], [10.4, 5.4], [9.6, 4.6]]
    outside = [[3.4, 5], [21.6, 5], [10, 1.4], [10, 9.6]]
    found = node("cells.js", body, inside + outside)
    assert [[cell["K"], cell["L"]] for cell in found[:4]] == [[4, 2], [21, 9], [10, 5], [10, 5]]
    assert found[4:] == [None] * 4


def test_descent_goes_below_the_bound_at_the_start_of_the_figure():
    figure = Race()
    text = figure.run_now()
    bound = theory.optimal_scale(Problem(10, 5, 5, 10, 2.0**-9), simplex_etf(10))[1]
    assert text.startswith("4 of 4 runs end below") and f"{bound:.5f}" in text
    assert len(figure.result["losses"]) == 4 and max(figure.result["losses"]) < bound
    assert {name: figure.result[name] for name in ("K", "L", "n")} == {"K": 10, "L": 5, "n": 5}
