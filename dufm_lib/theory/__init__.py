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
from dufm_lib.theory.curvature import Family, dnc_spectrum, dnc_weight_decay
from dufm_lib.theory.dimensions import solution_dimension, solution_dimension_paper
from dufm_lib.theory.flatness import Flatness, dnc_flatness, pairing_flatness
from dufm_lib.theory.flow import fourier_frame, hadamard_frame, softmax_gaps, spectral_flow
from dufm_lib.theory.imbalance import StepOptimum, merging_decay, sel_singular_values, step_optimum, step_sizes
from dufm_lib.theory.nonnegative import (
    nonnegative_optimum,
    nonnegative_price,
    relu_pairing_price,
    relu_pairing_wins,
)
from dufm_lib.theory.rank_one import graded_line, rank_one_fit
from dufm_lib.theory.reduced import optimal_scale, schatten_penalty, structure_loss
from dufm_lib.theory.search import search_optimum
from dufm_lib.theory.spectral_bound import least_spectral_bound, spectral_bound

__all__ = [
    "Exclusion",
    "Family",
    "Flatness",
    "StepOptimum",
    "dnc_critical_scales",
    "dnc_flatness",
    "dnc_frontier_scale",
    "dnc_is_excluded",
    "dnc_spectrum",
    "dnc_stable_scale",
    "dnc_weight_decay",
    "fourier_frame",
    "graded_line",
    "hadamard_frame",
    "least_spectral_bound",
    "merging_decay",
    "nonnegative_optimum",
    "nonnegative_price",
    "optimal_scale",
    "pairing_flatness",
    "rank_one_fit",
    "relu_pairing_price",
    "relu_pairing_wins",
    "schatten_penalty",
    "search_optimum",
    "sel_singular_values",
    "softmax_gaps",
    "solution_dimension",
    "solution_dimension_paper",
    "spectral_bound",
    "spectral_flow",
    "step_optimum",
    "step_sizes",
    "structure_loss",
]
