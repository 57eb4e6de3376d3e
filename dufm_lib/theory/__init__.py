"""Closed forms: the reduced objective, the scales of collapse, and what the theorems exclude.

Everything here follows from a `Problem` and the class-mean logits alone. No parameters are formed: that these values
equal the objective of `dufm_lib.model` at the constructed points is a test, not an import.
"""

from dufm_lib.theory.collapse import (
    Exclusion,
    dnc_critical_scales,
    dnc_frontier_scale,
    dnc_is_excluded,
    dnc_stable_scale,
)
from dufm_lib.theory.dimensions import solution_dimension, solution_dimension_paper
from dufm_lib.theory.reduced import optimal_scale, schatten_penalty, structure_loss

__all__ = [
    "Exclusion",
    "dnc_critical_scales",
    "dnc_frontier_scale",
    "dnc_is_excluded",
    "dnc_stable_scale",
    "optimal_scale",
    "schatten_penalty",
    "solution_dimension",
    "solution_dimension_paper",
    "structure_loss",
]
