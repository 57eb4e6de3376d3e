"""Checks of a reader's own answers to the exercises: they say what is wrong without giving the answer away.

    from dufm_lib import checks

    checks.check("ex-landscape-count", 27)

The label of an exercise stands beside its title in a student notebook, and in the source of its chapter.
"""

from __future__ import annotations

from dataclasses import dataclass

from dufm_lib._arguments import shown
from dufm_lib.checks import (
    dynamics,
    front,
    landscape,
    low_rank_bias,
    neural_collapse,
    real_networks,
    unconstrained_features,
)
from dufm_lib.checks.judges import Judge

ANSWERS: dict[str, Judge] = {
    **front.ANSWERS,
    **neural_collapse.ANSWERS,
    **unconstrained_features.ANSWERS,
    **low_rank_bias.ANSWERS,
    **landscape.ANSWERS,
    **dynamics.ANSWERS,
    **real_networks.ANSWERS,
}


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and what to say of it. It counts as true exactly when the answer is right."""

    right: bool
    message: str

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        return f"{'right' if self.right else 'not yet'}: {self.message}"


def check(exercise: str, answer: object) -> Verdict:
    """Judge the answer to an exercise.

    Args:
        exercise: its label.
        answer: a number, a matrix or a function, as the exercise asks.

    Raises:
        ValueError: there is no exercise of that label that a program could judge.
    """
    if not isinstance(exercise, str) or exercise not in ANSWERS:
        known = ", ".join(sorted(ANSWERS))
        raise ValueError(
            f"exercise must be the label of an exercise with a checker, got {shown(exercise)}; known: {known}"
        )
    if answer is None or answer is Ellipsis:
        return Verdict(False, "there is no answer yet")
    fault = ANSWERS[exercise].fault(answer)
    return Verdict(True, "well done") if fault is None else Verdict(False, fault)
