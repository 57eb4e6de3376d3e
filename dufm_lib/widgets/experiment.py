"""One experiment of a chapter: controls, Run and Stop, a progress bar, a line of text and the figure."""

from __future__ import annotations

import base64
import html
import inspect
import io
import threading
import time
import traceback
from collections.abc import Callable, Mapping

import ipywidgets
from matplotlib.figure import Figure

from dufm_lib._arguments import shown, word
from dufm_lib.plots import use_style

Report = Callable[[float, str], bool]

REFRESH = 0.05  # seconds between two changes of the progress bar
ONE_AT_A_TIME = threading.Lock()  # matplotlib and two cores: the experiments of a notebook take turns

# A built page has no kernel: there (the book's theme says bd-content) this line is shown and no control is.
_NEEDS_KERNEL = (
    "<style>.needs-kernel { display: none } .bd-content .needs-kernel { display: block } "
    ".bd-content .needs-kernel-controls { display: none }</style>"
    '<p class="needs-kernel">To run this with other settings, open the chapter in JupyterLab or on Binder: '
    "it needs Python. The figure next to it shows the result for the settings it starts with.</p>"
)
_UNFOLD = '<summary style="display: list-item; cursor: pointer">Details</summary>'


class Experiment(ipywidgets.VBox):
    """A function that computes, run again with other settings while the page stays usable.

    Attributes:
        controls: {argument: widget}.
        run, stop: the buttons.
        progress: the bar, from 0 to 1.
        status: what is being computed, beside the bar.
        message, figure: HTML widgets with the line of text and the picture.
        summary: the sentence that came with the last figure.
        worker: the thread of the last click on Run, or None.
    """

    def __init__(
        self,
        compute: Callable[..., tuple[Figure, str]],
        controls: Mapping[str, ipywidgets.Widget],
        title: str,
        describe: str = "",
    ) -> None:
        """Lay out the controls; nothing is computed before Run is pressed.

        Args:
            compute: called with the value of each control by name, and with `report`. It returns a matplotlib
                Figure made without pyplot, and one sentence that says what it shows. `report(fraction, text)`
                moves the bar, and returns False once Stop was pressed: then return early, with what is there.
            controls: one widget with a value for every other argument of compute.
            title: the name of the experiment.
            describe: a sentence or two below the title; plain text.

        Raises:
            ValueError: the controls do not match the arguments of compute.
        """
        if not callable(compute):
            raise ValueError(f"compute must be a function, got {shown(compute)}")
        if not isinstance(controls, Mapping) or not all(isinstance(w, ipywidgets.Widget) for w in controls.values()):
            raise ValueError(f"controls must be a dictionary of widgets, got {shown(controls)}")
        title, describe = word("title", title), word("describe", describe)
        try:
            wanted = set(inspect.signature(compute).parameters)
        except ValueError as error:  # of a built-in
            raise ValueError(f"compute must be a function with named arguments, got {shown(compute)}") from error
        given = {*controls, "report"}
        if wanted != given:
            raise ValueError(f"compute takes {sorted(wanted)}, but controls and report give {sorted(given)}")
        self.compute = compute
        self.controls = dict(controls)
        self.run = ipywidgets.Button(
            description="Run", button_style="primary", tooltip="Compute with these settings", layout={"width": "6rem"}
        )
        self.stop = ipywidgets.Button(
            description="Stop", tooltip="Stop, and show what is there so far", layout={"width": "6rem"}
        )
        self.progress = ipywidgets.FloatProgress(0, min=0, max=1, layout={"width": "10rem"})
        self.status = ipywidgets.Label()
        self.message = ipywidgets.HTML()
        self.figure = ipywidgets.HTML()
        self.summary = ""
        self.worker: threading.Thread | None = None
        self._free = threading.Lock()
        self._stopped = threading.Event()
        self._refreshed = 0.0
        self.run.on_click(self._start)
        self.stop.on_click(lambda _: self._stopped.set())

        # One layout for all keeps the page light: two or three in a line, on a telephone one.
        room = ipywidgets.Layout(flex="1 1 17rem", width="auto", min_width="0", max_width="26rem")
        for control in self.controls.values():
            control.layout = room
            control.tooltip = control.tooltip or control.description  # else its tooltip reads "null"
        wrap = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 1rem"}
        buttons = ipywidgets.HBox([self.run, self.stop, self.progress, self.status], layout=wrap)
        fields = ipywidgets.HBox(list(self.controls.values()), layout=wrap)
        for row in (fields, buttons):
            row.add_class("needs-kernel-controls")
        head = f"<strong>{html.escape(title)}</strong><br>{html.escape(describe)}{_NEEDS_KERNEL}"
        super().__init__(
            [
                ipywidgets.HTML(head),
                fields,
                buttons,
                self.message,
                self.figure,
            ]
        )
        self.add_class("experiment")

    def settings(self) -> dict[str, object]:
        """The values of the controls, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def draw(self) -> Figure:
        """The figure for the settings of the controls, computed here and now; the widget does not change."""
        use_style()
        figure, _ = self.compute(**self.settings(), report=lambda fraction, text: True)
        return figure

    def run_now(self) -> str:
        """Do in this thread what Run does, and return the summary. For tests and scripts.

        Raises:
            RuntimeError: the experiment is running already.
            Exception: whatever compute raises, after it has been shown.
        """
        if not self._begin():
            raise RuntimeError("the experiment is running already; stop it or wait for it")
        error = self._work(self.settings())
        if error is not None:
            raise error
        return self.summary

    def _start(self, _button: ipywidgets.Button) -> None:
        if self._begin():  # else it is running, and a second click changes nothing
            self.stop.focus()  # a button that becomes disabled would drop the keyboard's place on the page
            self.worker = threading.Thread(target=self._work, args=[self.settings()], daemon=True)
            self.worker.start()

    def _begin(self) -> bool:
        """Take the experiment, unless it is running; `_work` gives it back."""
        if not self._free.acquire(blocking=False):
            return False
        self._stopped.clear()
        self.run.disabled = True
        self.progress.value = 0
        self._say("Waiting for another experiment to end …" if ONE_AT_A_TIME.locked() else "Computing …")
        return True

    def _work(self, settings: dict[str, object]) -> Exception | None:
        """Compute after `_begin`, and show; an error is shown and returned."""
        try:
            with ONE_AT_A_TIME:
                figure, self.summary = self.compute(**settings, report=self._report)
                self.figure.value = _picture(figure, self.summary)
        except Exception as error:
            self.figure.value = ""
            self._say(*explain(error))
            return error
        else:
            if not self._stopped.is_set():
                self.progress.value = 1
            self._say(("Stopped early. " if self._stopped.is_set() else "") + self.summary)
            return None
        finally:
            self.status.value = ""
            self.run.disabled = False
            self._free.release()

    def _report(self, fraction: float, text: str = "") -> bool:
        """Move the bar, never backwards and a few times a second at most; whether to go on."""
        now = time.monotonic()
        if now - self._refreshed >= REFRESH:
            self._refreshed = now
            self.progress.value = max(self.progress.value, min(1.0, float(fraction)))
            self.status.value = text
        return not self._stopped.is_set()

    def _say(self, text: str, more: str = "") -> None:
        """Say a line, which screen readers announce; `more` is unfolded on request."""
        details = f"<details>{_UNFOLD}<pre>{html.escape(more)}</pre></details>" if more else ""
        self.message.value = f'<div role="status" aria-live="polite">{html.escape(text)}{details}</div>'


def explain(error: Exception) -> tuple[str, str]:
    """What to say of an error: a ValueError speaks for itself, anything else is a mistake of ours."""
    if isinstance(error, ValueError):
        return f"This setting does not work: {error}", ""
    text = f"{type(error).__name__}: {error}. This is a mistake in the book; please report it."
    return text, "".join(traceback.format_exception(error))


def _picture(figure: Figure, summary: str) -> str:
    """The figure as an <img> that carries its picture with it, the summary as its alternative text."""
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    data = base64.b64encode(file.getvalue()).decode()
    style = "max-width: 100%; height: auto; background: white"
    return f'<img alt="{html.escape(summary)}" style="{style}" src="data:image/svg+xml;base64,{data}">'
