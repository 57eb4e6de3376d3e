"""Live figures, their Python half: descriptions, bundles, messages to and from the page, runs."""

import json
import re
import subprocess
import threading

import pandas as pd
import pytest
from conftest import ROOT
from javascript import NODE, SCRIPTS

from dufm_lib import plots
from dufm_lib.widgets import bundle, fields
from dufm_lib.widgets.cloud import Cloud
from dufm_lib.widgets.curvature import Curvature
from dufm_lib.widgets.layers import Layers
from dufm_lib.widgets.live import LiveFigure
from dufm_lib.widgets.merging import Merging
from dufm_lib.widgets.modes import Modes
from dufm_lib.widgets.phases import Phases
from dufm_lib.widgets.price import Price
from dufm_lib.widgets.puzzle import Puzzle, curves
from dufm_lib.widgets.race import Race
from dufm_lib.widgets.scale import Scale
from dufm_lib.widgets.shares import Shares
from dufm_lib.widgets.sharpness import Sharpness

TABLE = pd.read_parquet(ROOT / "results" / "widths_and_decays.parquet")
MAKE = {
    "puzzle": Puzzle,
    "phases": Phases,
    "price": Price,
    "curvature": Curvature,
    "shares": lambda: Shares(TABLE),
    "cloud": Cloud,
    "layers": Layers,
    "scale": Scale,
    "race": Race,
    "merging": Merging,
    "sharpness": Sharpness,
    "modes": Modes,
}
LARGEST = 48_000  # characters of JavaScript that a page carries for one figure


class Counting(LiveFigure):
    """A figure that counts to ten; `gate` holds it after the first step."""

    _esm = "export default { render() {} }"

    def __init__(self, **values):
        super().__init__("counting", "Count", "To ten.", [fields.number("to", "to", 10, 1, 20)], values=values)
        self.gate, self.sent = threading.Event(), []
        self.gate.set()

    def compute(self, values, report):
        for step in range(values["to"]):
            if not report(step / values["to"], f"{step}"):
                return {"reached": step}, f"Reached {step}."
            self.gate.wait(10)
        if values["to"] == 13:
            raise ValueError("13 is not counted to; choose another number")
        return {"reached": values["to"]}, f"Reached {values['to']}."

    def send(self, content, buffers=None):
        self.sent.append(content)

    def hear(self, **message):
        self._hear(self, message, [])


@pytest.mark.parametrize("name", MAKE)
def test_a_figure_is_small_json_and_its_bundle_is_one_module(name, tmp_path):
    figure = MAKE[name]()
    assert figure.card["id"] == f"fig-{name}" and figure.card["title"] and figure.card["about"]
    assert set(figure.values) == {control["name"] for control in figure.card["controls"]}
    assert len(json.dumps(figure.card)) < 16_000  # shares carries two tables of 9600 runs, a letter each
    assert len(figure._esm) < LARGEST and not re.search(r"^import ", figure._esm, re.MULTILINE)
    assert "http" not in figure._esm + figure._css
    # it can be loaded on its own, and exports what anywidget asks for
    path = tmp_path / "figure.mjs"
    path.write_text(figure._esm)
    script = f"import({json.dumps(path.as_uri())}).then(m => console.log(typeof m.default.render))"
    done = subprocess.run([NODE, "--eval", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "function", done.stderr


def test_figures_know_the_colours_of_the_book():
    looks = Phases().card["looks"]
    assert {name: look["color"] for name, look in looks.items()} == {name: plots.COLORS[name] for name in looks}
    assert len({look["dash"] for look in looks.values()}) == len({look["marker"] for look in looks.values()}) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"K": 99}, "K must be from 3 to 18, got 99"),
        ({"K": 3.5}, "K must be a whole number"),
        ({"lambda": float("nan")}, "lambda must be a number"),
        ({"colour": 1}, "values must be given for"),
    ],
)
def test_bad_values_are_refused_in_words(values, message):
    with pytest.raises(ValueError, match=message):
        Phases(**values)


def test_a_description_is_checked_too():
    with pytest.raises(ValueError, match="must be one of"):
        fields.choice("s", "structure", "cube", {"DNC": "dnc"})
    with pytest.raises(ValueError, match="must be True or False"):
        fields.flag("log", "log", 1)


# --- bundles


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A function that bundles modules given as {name: text}."""
    monkeypatch.setattr(bundle, "JS", tmp_path)

    def bundled(**texts):
        bundle.bundle.cache_clear()
        for name, text in texts.items():
            (tmp_path / f"{name}.js").write_text(text)
        return bundle.bundle("main.js")

    yield bundled
    bundle.bundle.cache_clear()


def test_names_never_clash_and_each_module_runs_once(modules, tmp_path):
    text = modules(
        main='import { twice as double, count } from "./a.js";\nimport b from "./b.js";\n'
        "const own = 1;\nexport default { value: double(own + b), count: count() };\n",
        a="// a comment\nlet own = 0;\nown += 1;\n/** Twice. */\nexport function twice(x) {\n  return 2 * x;\n}\n"
        "export const count = () => own;\n",
        b='import { twice } from "./a.js";\nconst own = 20;\nexport default twice(own);\n',
    )
    assert "comment" not in text and "Twice" not in text
    (tmp_path / "out.mjs").write_text(text + "console.log(JSON.stringify($main.default));")
    done = subprocess.run([NODE, tmp_path / "out.mjs"], capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == {"value": 82, "count": 1}, done.stderr


def test_a_worker_comes_as_text(modules):
    text = modules(
        main='import source from "./worker.js?bundled";\nexport default source;\n',
        worker='import { a } from "./a.js";\npostMessage(`${a}`);\n',
        a="export const a = 1;\n",
    )
    assert json.dumps("postMessage(`${a}`);\n")[1:-1] in text


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"main": 'import { a } from "./none.js";\n'}, "none.js must be a file"),
        ({"main": 'import { a } from "./main.js";\n'}, "must not form a circle: main.js -> main.js"),
        ({"main": 'import { a } from "elsewhere";\n'}, "cannot bundle"),
        ({"main": "export { a };\n"}, "cannot bundle"),
    ],
)
def test_what_cannot_be_bundled_is_said(modules, texts, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        modules(**texts)


def test_no_module_reaches_out():
    for path in SCRIPTS.glob("*.js"):
        assert not re.search(r"https?://(?!www\.w3\.org)|\bfetch\(|XMLHttpRequest|\beval\(", path.read_text()), (
            path.name
        )


DRAWING = re.compile(r"^export default live\(", re.MULTILINE)
# what drawings draw with, and the playground's worker
OF_THE_PAGE = {"cells.js", "controls.js", "figure.js", "heat.js", "plot.js", "turntable.js", "worker.js"}


def test_mathematics_knows_nothing_of_the_page_and_drawings_export_nothing_else():
    sources = {path.name: path.read_text() for path in SCRIPTS.glob("*.js")}
    drawings = {name for name, source in sources.items() if DRAWING.search(source)}
    assert len(drawings) > 10
    for name, source in sources.items():
        imported = set(re.findall(r'^import .* from "\./([\w-]+\.js)', source, re.MULTILINE))
        if name in drawings:
            assert re.findall(r"^export .*", source, re.MULTILINE) == re.findall(
                r"^export default .*", source, re.MULTILINE
            )
        elif name not in OF_THE_PAGE:
            assert not imported & (drawings | OF_THE_PAGE), name
            assert not re.search(r"\b(document|window|innerHTML|element\()|<svg", source), name


# --- messages


def test_python_answers_that_it_is_there():
    figure = Counting()
    figure.hear(kind="hello")
    assert figure.sent == [{"kind": "kernel"}]
    assert figure.card["runs"] and not Price().card["runs"]


def test_a_run_from_the_page():
    figure = Counting()
    figure.hear(kind="run", values={"to": 5})
    figure.worker.join(10)
    assert figure.values == {"to": 5} and figure.result == {"reached": 5}
    assert figure.sent[0] == {"kind": "progress", "fraction": 0, "text": "Computing …"}
    assert figure.sent[-1] == {"kind": "end", "fraction": 1, "text": "Reached 5."}


def test_stop_ends_a_run_early_and_a_second_click_changes_nothing():
    figure = Counting()
    figure.gate.clear()
    figure.hear(kind="run", values={"to": 20})
    first = figure.worker
    figure.hear(kind="run", values={"to": 20})
    assert figure.worker is first
    with pytest.raises(RuntimeError, match="running already"):
        figure.run_now()
    figure.hear(kind="stop")
    figure.gate.set()
    first.join(10)
    assert figure.sent[-1]["text"].startswith("Stopped early. Reached ") and figure.result["reached"] < 20


@pytest.mark.parametrize(("to", "message"), [(13, "13 is not counted to"), (99, "to must be from 1 to 20, got 99")])
def test_errors_reach_the_page_in_words(to, message):
    figure = Counting()
    figure.hear(kind="run", values={"to": to})
    if figure.worker:
        figure.worker.join(10)
    assert figure.sent[-1]["kind"] == "end" and message in figure.sent[-1]["text"]
    figure.hear(kind="run", values={"to": 2})  # and the figure still works
    figure.worker.join(10)
    assert figure.result == {"reached": 2}


def test_unknown_messages_are_ignored():
    figure = Counting()
    for message in ({}, {"kind": "else"}, {"kind": "run"}):
        figure._hear(figure, message, [])
    assert figure.sent == []


# --- the runs of the figures


def test_the_puzzle_runs_and_its_result_is_json():
    figure = Puzzle(K=4, n=1, d=8, runs=3, **{"lambda": 2.0**-6})
    text = figure.run_now()
    result = json.loads(json.dumps(figure.result, allow_nan=False))
    assert text.startswith("Of 3 runs at width 8, ") and len(result["loss"]) == len(result["structure"]) == 3
    assert result["pairing"] < result["dnc"] < max(result["loss"][0])
    assert all(len(loss) <= len(result["steps"]) for loss in result["loss"])


def test_a_width_that_is_too_small_is_said_in_words():
    with pytest.raises(ValueError, match="width must be at least 6"):
        Puzzle(d=4).run_now()


def test_the_static_figure_of_the_puzzle_holds_both_losses():
    left, right = curves().axes
    (dnc, pairing), (one, ratio) = ([line.get_ydata() for line in ax.lines] for ax in (left, right))
    assert (one == 1).all() and ratio == pytest.approx(pairing / dnc) and ratio.min() < 0.95


def test_the_shares_run_in_the_setting_of_the_table():
    figure = Shares(TABLE, d=10, own=4, **{"lambda": 2.0**-6})
    text = figure.run_now()
    assert text.startswith("DNC: 0 of 4 runs") and len(figure.result["structure"]) == 4
    assert (figure.result["width"], figure.result["lambda"]) == (10, 2.0**-6)


def test_the_curvature_runs_and_says_where_nothing_is_critical():
    figure = Curvature(d=20)
    said = re.findall(r"(\d+) zeros and (\d+) negative", figure.run_now())
    assert said == [("270", "0"), ("170", "0")]  # L (r d - r (r + 1)/2) with L = 2, r = 9 and 5
    result = json.loads(json.dumps(figure.result, allow_nan=False))
    assert sum(count for _, count in result["dnc"]) == 20 * 50 + 20 * 20 + 10 * 20  # the number of parameters
    assert Curvature(K=5).run_now().startswith("DNC") and "pairing" not in Curvature(K=5).result
    with pytest.raises(ValueError, match="lambda must be lower"):
        Curvature(**{"lambda": 2.0**-4}).run_now()
