"""The framework of the widgets: what Run, Stop and every kind of failure do, in the thread that a click starts."""

import json
import threading

import ipywidgets
import pytest
from ipywidgets.embed import dependency_state

from dufm_lib import plots
from dufm_lib.widgets import Experiment, controls

PATIENCE = 20  # seconds until a thread that should end counts as hanging; it takes milliseconds


class Steps:
    """A computation of ten steps that can be held up before one of them."""

    def __init__(self, hold_at: int = -1) -> None:
        self.hold_at, self.held, self.go_on = hold_at, threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, classes, seed, report):
        self.calls += 1
        if classes > 8:
            raise ValueError(f"classes must be at most 8 < {classes}")
        if seed == 13:
            raise KeyError("<seed>")
        for step in range(10):
            if step == self.hold_at:
                self.held.set()
                assert self.go_on.wait(PATIENCE)
            if not report(step / 10, f"step {step}"):
                break
        figure, _ = plots.subplots(size=(2, 2))
        return figure, f"{step} steps & {classes} classes"


def make(compute) -> Experiment:
    fields = {"classes": controls.classes(4), "seed": controls.seed()}
    return Experiment(compute, fields, title="A <test>", describe="Counts & draws.")


def finish(experiment: Experiment) -> None:
    experiment.worker.join(PATIENCE)
    assert not experiment.worker.is_alive()


@pytest.fixture
def held():
    """An experiment whose first click has brought it to step 5, and its computation."""
    steps = Steps(hold_at=5)
    experiment = make(steps)
    experiment.run.click()
    assert steps.held.wait(PATIENCE)
    yield experiment, steps
    steps.go_on.set()
    finish(experiment)


def test_run_shows_the_result():
    experiment = make(Steps())
    experiment.controls["classes"].value = 5
    experiment.run.click()
    finish(experiment)
    assert experiment.summary == "9 steps & 5 classes"
    assert "9 steps &amp; 5 classes" in experiment.message.value
    assert 'role="status"' in experiment.message.value
    assert '<img alt="9 steps &amp; 5 classes"' in experiment.figure.value
    assert 'src="data:image/svg+xml;base64,' in experiment.figure.value
    assert experiment.progress.value == 1 and experiment.status.value == ""
    assert not experiment.run.disabled


def test_nothing_runs_before_run():
    steps = Steps()
    experiment = make(steps)
    experiment.controls["classes"].value = 5
    assert steps.calls == 0 and experiment.worker is None


def test_the_keyboard_keeps_its_place(monkeypatch):
    experiment = make(Steps())
    focused = []
    monkeypatch.setattr(experiment.stop, "focus", lambda: focused.append("stop"))
    experiment.run.click()
    finish(experiment)
    assert focused == ["stop"] and not experiment.stop.disabled


def test_stop_before_run_changes_nothing():
    experiment = make(Steps())
    experiment.stop.click()
    assert experiment.run_now() == "9 steps & 4 classes"
    assert "Stopped" not in experiment.message.value


def test_stop_shows_what_is_there(held):
    experiment, steps = held
    assert experiment.run.disabled
    assert "Computing" in experiment.message.value
    experiment.stop.click()
    steps.go_on.set()
    finish(experiment)
    assert "Stopped early. 5 steps" in experiment.message.value and "<img" in experiment.figure.value
    assert experiment.progress.value < 1
    assert not experiment.run.disabled


def test_run_works_again_after_stop(held):
    experiment, steps = held
    experiment.stop.click()
    steps.go_on.set()
    finish(experiment)
    experiment.run.click()
    finish(experiment)
    assert experiment.summary == "9 steps & 4 classes" and experiment.progress.value == 1


def test_a_second_click_changes_nothing(held):
    experiment, steps = held
    worker = experiment.worker
    experiment.run.click()
    assert experiment.worker is worker and steps.calls == 1
    with pytest.raises(RuntimeError, match="running already"):
        experiment.run_now()
    assert steps.calls == 1


def test_settings_are_those_of_the_click(held):
    experiment, steps = held
    experiment.controls["classes"].value = 8
    steps.go_on.set()
    finish(experiment)
    assert experiment.summary == "9 steps & 4 classes"


def test_experiments_take_turns(held):
    first, steps = held
    second = make(Steps())
    second.run.click()
    assert "Waiting" in second.message.value
    steps.go_on.set()
    finish(first)
    finish(second)
    assert second.summary == "9 steps & 4 classes"


def test_a_bad_setting_is_explained_and_the_old_figure_goes():
    experiment = make(Steps())
    experiment.run_now()
    experiment.controls["classes"].value = 9
    experiment.run.click()
    finish(experiment)
    assert "This setting does not work: classes must be at most 8 &lt; 9" in experiment.message.value
    assert "Traceback" not in experiment.message.value
    assert experiment.figure.value == "" and not experiment.run.disabled


def test_a_mistake_of_ours_is_shown_with_its_traceback():
    experiment = make(Steps())
    experiment.controls["seed"].value = 13
    experiment.run.click()
    finish(experiment)
    for part in ("KeyError", "&lt;seed&gt;", "please report it", "Traceback", "test_widgets_experiment.py"):
        assert part in experiment.message.value
    assert not experiment.run.disabled


def test_a_figure_that_cannot_be_drawn_is_a_mistake_too():
    experiment = make(lambda classes, seed, report: ("no figure", "text"))
    experiment.run.click()
    finish(experiment)
    assert "AttributeError" in experiment.message.value


@pytest.mark.parametrize(("classes", "seed", "error"), [(9, 0, ValueError), (4, 13, KeyError)])
def test_run_now_raises_what_it_shows(classes, seed, error):
    experiment = make(Steps())
    experiment.controls["classes"].value, experiment.controls["seed"].value = classes, seed
    with pytest.raises(error):
        experiment.run_now()
    assert experiment.message.value and not experiment.run.disabled
    experiment.controls["classes"].value, experiment.controls["seed"].value = 4, 0
    assert experiment.run_now() == "9 steps & 4 classes"


def test_the_bar_never_goes_back(monkeypatch):
    def compute(classes, seed, report):
        for fraction in (0.2, 0.1, 0.6, 0.3, 7.0):
            report(fraction, "")
        return plots.subplots(size=(2, 2))[0], "done"

    monkeypatch.setattr("dufm_lib.widgets.experiment.REFRESH", 0)
    experiment = make(compute)
    seen = []
    experiment.progress.observe(lambda change: seen.append(change["new"]), "value")
    experiment.run_now()
    experiment.run_now()
    assert seen == [0.2, 0.6, 1.0, 0.0, 0.2, 0.6, 1.0]


def test_the_bar_moves_a_few_times_a_second_at_most(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr("dufm_lib.widgets.experiment.time.monotonic", lambda: next(clock) / 1000)  # 1 ms a report

    def compute(classes, seed, report):
        for step in range(1000):
            report(step / 1000, "")
        return plots.subplots(size=(2, 2))[0], "done"

    experiment = make(compute)
    seen = []
    experiment.progress.observe(lambda change: seen.append(change["new"]), "value")
    experiment.run_now()
    assert 10 <= len(seen) <= 22  # a second in twentieths, and the end


def test_draw_leaves_the_widget_alone():
    experiment = make(Steps())
    assert len(experiment.draw().axes) == 1
    assert experiment.figure.value == experiment.message.value == "" and experiment.progress.value == 0


def test_controls_must_match_the_computation():
    with pytest.raises(ValueError, match=r"takes \['classes', 'report', 'seed'\].*give \['report', 'seed'\]"):
        Experiment(Steps(), {"seed": controls.seed()}, title="")


def test_the_page_carries_little_and_no_figure():
    experiment = make(Steps())
    state = dependency_state(experiment)
    # Two controls: 7 kB. The published books ship hundreds a page.
    assert len(json.dumps(state)) < 15_000
    assert "<img" not in json.dumps(state)


def test_text_is_escaped_and_the_page_says_that_a_kernel_is_needed():
    head = make(Steps()).children[0].value
    assert "A &lt;test&gt;" in head and "Counts &amp; draws." in head
    assert 'class="needs-kernel"' in head and ".bd-content .needs-kernel-controls { display: none }" in head


def test_every_control_has_a_label_and_a_tooltip():
    fields = {name: getattr(controls, name)() for name in CONTROLS}

    def compute(classes, samples, depth, width, weight_decay, init_scale, steps, runs, seed, report):
        return None

    experiment = Experiment(compute, fields, title="")
    assert all(control.description and control.tooltip for control in experiment.controls.values())
    assert all(button.tooltip and button.description for button in (experiment.run, experiment.stop))


CONTROLS = ["classes", "samples", "depth", "width", "weight_decay", "init_scale", "steps", "runs", "seed"]


def test_weight_decay_is_a_power_of_two():
    control = controls.weight_decay(-10)
    assert control.value == 2**-10 and control.label == "2⁻¹⁰"
    control.label = "2⁻¹⁴"
    assert control.value == 2**-14
    with pytest.raises(ValueError, match="exponent must be from smallest"):
        controls.weight_decay(-20)


def test_a_slider_is_whole_or_decimal_as_its_value():
    assert isinstance(controls.slider("a", 3, 1, 5), ipywidgets.IntSlider)
    assert isinstance(controls.slider("a", 3.0, 1, 5), ipywidgets.FloatSlider)
