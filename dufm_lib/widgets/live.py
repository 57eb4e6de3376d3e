"""Live figures: drawn by JavaScript in any page, and re-run with PyTorch where a kernel answers. For authors:

A figure is a class here and a drawing module in dufm_lib/widgets/js. What it shows is computed in the page by a module
of pure mathematics (such as js/theory.js), which tests hold against Python; so it works in the built book too.

    class Price(LiveFigure):
        _esm = bundle("price.js")             # its imports come with it: see bundle.py

        def __init__(self, **values):         # values of fields that differ from the start
            super().__init__(
                name="price",                                     # "fig-price" in the address of the page
                title="What a singular value costs",
                about="One sentence on what to try.",
                fields=[fields.number("L", "depth L", 2, 1, 20)],
                structures=["dnc", "pairing"],                    # whose colours it needs
                data={"any": ["small", "JSON"]},
                values=values,
            )

        def compute(self, values, report):    # only if there is something to run with PyTorch
            runs = descent.train(..., report=report)              # report(fraction, text) is False once Stop is pressed
            return {"loss": runs.loss.tolist()}, "One sentence on the result."

js/price.js draws it; js/figure.js says what it gets:

    import { live } from "./figure.js";
    import { Plot } from "./plot.js";
    export default live((figure) => ({
      draw() {
        const plot = new Plot({ width: figure.width, height: 240, x: { min: 0, max: 2 }, y: { min: 0, max: 2 } });
        figure.stage.innerHTML = plot.line(points, figure.looks.dnc).svg("what one sees");
        return "The same in words.";
      },
    }));

The front end owns the controls, the address, the words, reset and link. Text written into `innerHTML` must come from
numbers or from `escaped` of plot.js. In a chapter a cell of one line, `Price()`, shows the figure; a static figure of
the default setting with its alternative text stands beside it. Everything sent is small: the page carries it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

import anywidget
import traitlets

from dufm_lib._arguments import word
from dufm_lib.plots import COLORS, LABELS, LINES, MARKERS
from dufm_lib.widgets import fields as kinds
from dufm_lib.widgets.bundle import JS
from dufm_lib.widgets.experiment import ONE_AT_A_TIME, REFRESH, Report, explain

_STROKES = {"-": "", "--": "6 3", "-.": "7 3 2 3"}


class LiveFigure(anywidget.AnyWidget):
    """A figure that answers in the page, with or without Python.

    Attributes:
        card: what never changes: id, title, about, controls, looks, data, and whether there is something to run.
        values: {field: value}, as the reader set them; set it from Python and the figure follows.
        result: what the last run with PyTorch gave; {} before.
        worker: the thread of the last run that the page asked for, or None.
    """

    _css = (JS / "live.css").read_text(encoding="utf-8")

    card = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)
    result = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        name: str,
        title: str,
        about: str,
        fields: Sequence[kinds.Field],
        structures: Sequence[str] = (),
        data: Mapping[str, object] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        """Make the figure; nothing is computed.

        Args:
            name: lower-case words with hyphens, unique in the book; "fig-" + name stands in links.
            title, about: plain text above the controls.
            fields: of `dufm_lib.widgets.fields`.
            structures: keys of `plots.COLORS` whose colours, names, dashes and markers it draws with.
            data: small and JSON, for the drawing.
            values: of fields that start elsewhere than their description says.

        Raises:
            ValueError: a value is of no field, or none that its field accepts.
        """
        for argument, given in (("name", name), ("title", title), ("about", about)):
            word(argument, given)
        self._fields = {field["name"]: field for field in fields}
        self._free = threading.Lock()
        self._stopped = threading.Event()
        self._refreshed = 0.0
        self._fraction = 0.0
        self.worker: threading.Thread | None = None
        super().__init__(
            card={
                "id": f"fig-{name}",
                "title": title,
                "about": about,
                "controls": list(fields),
                "looks": {each: look(each) for each in structures},
                "runs": type(self).compute is not LiveFigure.compute,
                "data": dict(data or {}),
            },
            values={field["name"]: field["value"] for field in fields} | dict(values or {}),
        )
        self.on_msg(self._hear)

    @traitlets.validate("values")
    def _check_values(self, proposal: traitlets.Bunch) -> dict[str, object]:
        given = proposal["value"]
        if set(given) != set(self._fields):
            raise ValueError(f"values must be given for {sorted(self._fields)}, got {sorted(given)}")
        return {name: kinds.check(self._fields[name], value) for name, value in given.items()}

    def compute(self, values: dict[str, object], report: Report) -> tuple[dict[str, object], str]:
        """What "Run with PyTorch" does, for a figure that offers it.

        Args:
            values: of every field.
            report: `report(fraction, text)` moves the bar, and returns False once Stop was pressed.

        Returns:
            (result, text): small and JSON, for the drawing; and a sentence.
        """
        raise NotImplementedError

    def run_now(self) -> str:
        """Do in this thread what "Run with PyTorch" does, and return the sentence. For tests and scripts.

        Raises:
            RuntimeError: it is running already.
            Exception: whatever `compute` raises, after it has been shown.
        """
        if not self._begin():
            raise RuntimeError("the figure is running already; stop it or wait for it")
        text, error = self._work(self.values)
        if error is not None:
            raise error
        return text

    def _hear(self, _widget: LiveFigure, message: dict[str, object], _buffers: object) -> None:
        """Answer the page: that Python is there, a run, a stop."""
        match message:
            case {"kind": "hello"}:
                self.send({"kind": "kernel"})
            case {"kind": "stop"}:
                self._stopped.set()
            case {"kind": "run", "values": values}:
                try:
                    self.values = values
                except (ValueError, traitlets.TraitError) as error:
                    self._end(0, str(error))
                    return
                if self._begin():  # else it is running, and a second click changes nothing
                    self.worker = threading.Thread(target=self._work, args=[self.values], daemon=True)
                    self.worker.start()

    def _begin(self) -> bool:
        if not self._free.acquire(blocking=False):
            return False
        self._stopped.clear()
        self._fraction = 0.0
        waiting = ONE_AT_A_TIME.locked()
        self._tell("Waiting for another experiment to end …" if waiting else "Computing …")
        return True

    def _work(self, values: dict[str, object]) -> tuple[str, Exception | None]:
        """Compute after `_begin`, and show; an error is shown and returned."""
        try:
            with ONE_AT_A_TIME:
                result, text = self.compute(dict(values), self._report)
            self.result = result
        except Exception as error:
            self._end(0, " ".join(explain(error)))
            return "", error
        else:
            early = self._stopped.is_set()
            self._end(self._fraction if early else 1, ("Stopped early. " if early else "") + text)
            return text, None
        finally:
            self._free.release()

    def _report(self, fraction: float, text: str = "") -> bool:
        """Move the bar, never backwards and a few times a second at most; whether to go on."""
        now = time.monotonic()
        if now - self._refreshed >= REFRESH:
            self._refreshed = now
            self._fraction = max(self._fraction, min(1.0, float(fraction)))
            self._tell(text)
        return not self._stopped.is_set()

    def _tell(self, text: str) -> None:
        self.send({"kind": "progress", "fraction": self._fraction, "text": text})

    def _end(self, fraction: float, text: str) -> None:
        self.send({"kind": "end", "fraction": fraction, "text": text})


def look(structure: str) -> dict[str, str]:
    """Colour, name, SVG dashes and marker of a structure, as `dufm_lib.plots` defines them."""
    line = LINES[structure]
    dash = _STROKES[line] if isinstance(line, str) else " ".join(str(3 * length) for length in line[1])
    return {"color": COLORS[structure], "label": LABELS[structure], "dash": dash, "marker": MARKERS[structure]}
