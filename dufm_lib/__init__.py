"""The deep unconstrained features model: its mathematics, its training engine and its figures.

Modules import only downward, in this order: problem; structures; metrics; theory | model; descent | hessian; data,
networks; plots; widgets.
"""

from dufm_lib.problem import Problem

__version__ = "0.1.0"
__all__ = ["Problem"]
