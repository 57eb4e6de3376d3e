"""Answers to the exercises of the front page."""

from __future__ import annotations

from dufm_lib import structures, theory
from dufm_lib.checks.judges import Function, Judge, Number, Whole
from dufm_lib.problem import Problem


def _lead_of_collapse(depth: int) -> float:
    """By how much the best loss of pairing exceeds that of collapse, in the setting of the page."""
    problem = Problem(classes=6, samples=2, depth=depth, width=60, weight_decay=2**-9)
    pairing, collapse = (theory.optimal_scale(problem, s(6))[1] for s in (structures.pairing, structures.simplex_etf))
    return pairing - collapse


def _largest_equal_rank() -> int:
    ranks = {K: [int(structures.rank(s(K))) for s in (structures.simplex_etf, structures.pairing)] for K in range(2, 9)}
    return max(K for K, (simplex, pairing) in ranks.items() if simplex == pairing)


ANSWERS: dict[str, Judge] = {
    "ex-index-rank": Whole(
        _largest_equal_rank,
        mistakes={"try odd numbers of classes too: one class then stays without a partner": lambda: 2},
    ),
    "ex-index-one-layer": Number(
        lambda: _lead_of_collapse(1),
        mistakes={"that is the difference at depth 2": lambda: _lead_of_collapse(2)},
    ),
    "ex-index-dimension": Function(
        lambda rank, width: theory.solution_dimension(rank=rank, width=width, depth=2),
        inputs=[(5, 60), (3, 60), (3, 6), (5, 33)],
    ),
}
