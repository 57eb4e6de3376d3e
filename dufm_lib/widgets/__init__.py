"""Widgets that run an experiment again with other settings. For authors of chapters:

A module a chapter, dufm_lib/widgets/<chapter>.py, holds a function that computes and one that wraps it.

    from dufm_lib import Problem, descent, plots
    from dufm_lib.widgets import Experiment, controls

    def compute(classes, width, weight_decay, seed, report):
        problem = Problem(classes, 5, 2, width, weight_decay)           # a ValueError is shown in plain words
        runs = descent.train(problem, seed=seed, steps=3000, report=report)     # moves the bar, hears Stop
        figure, ax = plots.subplots()                                   # not pyplot: this runs in a thread
        plots.logit_matrix(ax, runs.logits[0])
        return figure, f"After {runs.steps[0]} steps the logits have rank {runs.rank[0]}."  # also alt text

    def experiment():
        fields = {"classes": controls.classes(6), "width": controls.width(20),
                  "weight_decay": controls.weight_decay(-8), "seed": controls.seed()}
        return Experiment(compute, fields, title="One run of gradient descent")

In the chapter one cell ends in the experiment, and the next in `.draw()` of it: the static figure of the
default settings. A loop of your own says `if not report(fraction, "step 12"): break` and draws what it has.
Unit tests call `compute` with `report=lambda fraction, text: True`, or `experiment().run_now()`.
"""

from dufm_lib.widgets import controls
from dufm_lib.widgets.experiment import Experiment, Report
from dufm_lib.widgets.quiz import Question, Quiz

__all__ = ["Experiment", "Question", "Quiz", "Report", "controls"]
