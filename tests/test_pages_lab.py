"""The live figures and an experiment in a running JupyterLab: mouse, keys, runs, stop, reload, axe-core, a phone."""

import re
from pathlib import Path

import axe_playwright_python
import nbformat
import pytest
from conftest import PHONE
from jupyter_books import serve_book
from playwright.sync_api import Locator, expect

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
CELLS = [
    "from dufm_lib.widgets import low_rank, phases, playground, puzzle",
    "puzzle.Puzzle()",
    "phases.Phases(n=2)",
    "playground.Playground(pace=1_000_000)",
    "low_rank.descent_experiment()",
    """
from dufm_lib import data, networks
from dufm_lib.widgets.replay import Replay
def train(seed, report):
    digits = data.digits(per_class=5)
    network = networks.mlp(digits, hidden=(16,), width=12, depth=2, seed=seed)
    return networks.train(network, digits, weight_decay=(1e-3, 5e-3), steps=60, record_every=20, report=report)
Replay("replay", {"one": train(0, None)}, train)
""",
]
FRACTIONS = """bar => {
  window.fractions = [];
  new MutationObserver(() => window.fractions.push(bar.value)).observe(bar, { attributes: true });
}"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    with serve_book("jupyterlab", tmp_path_factory.mktemp("lab"), browser, CELLS) as lab:
        yield lab


@pytest.fixture(scope="module")
def opened(lab):
    """A notebook of four live figures and an experiment, run."""
    opened = lab.open("figures.ipynb")
    opened.run_all()
    yield opened
    opened.page.context.close()


@pytest.fixture
def notebook(opened):
    """The same; no test may leave an error in the console or on the page, ask the outside or change the cells."""
    yield opened
    assert opened.wrong == []
    assert opened.cells.count() == len(CELLS)


def part(figure: Locator, name: str) -> tuple[Locator, Locator]:
    """The slider and the box of a control."""
    control = figure.locator(f"[data-name={name}]")
    return control.locator("input[type=range]"), control.locator("input[type=text]")


def test_keys_move_a_slider_and_are_no_shortcuts_of_the_notebook(notebook):
    figure = notebook.figure("Is collapse worth its loss?")
    words = figure.locator(".live-words")
    slider, box = part(figure, "K")
    expect(words).to_contain_text("Theorem 1: for K = 6 and L = 2")
    slider.focus()
    for _ in range(3):
        notebook.page.keyboard.press("ArrowLeft")
    expect(box).to_have_value("3")
    expect(words).to_contain_text("Theorem 1 is silent for K = 3")
    box.click()
    box.press_sequentially("ddbax")  # delete, insert below and above, cut: were they the notebook's
    box.press("Enter")
    expect(figure.locator(".live-note")).to_contain_text("classes K cannot be")
    box.fill("5")
    box.press("Enter")
    expect(words).to_contain_text("for K = 5 and L = 2")
    figure.locator(".live-reset").click()
    expect(box).to_have_value("6")


def test_a_drag_and_a_click_change_drawing_and_words(notebook):
    figure = notebook.figure("Which of three structures is cheapest?")
    words, drawing = figure.locator(".live-words"), figure.locator(".live-stage > svg")
    slider, box = part(figure, "lambda")
    before = drawing.inner_html()
    slider.scroll_into_view_if_needed()
    area = slider.bounding_box()
    notebook.page.mouse.move(area["x"] + area["width"] * 0.3, area["y"] + area["height"] / 2)
    notebook.page.mouse.down()
    notebook.page.mouse.move(area["x"] + area["width"] - 2, area["y"] + area["height"] / 2, steps=3)
    notebook.page.mouse.up()
    expect(box).to_have_value("0.5")
    expect(words).to_contain_text("DNC has 0, pairing 0, the polygon 0, zero 112")
    assert drawing.inner_html() != before
    box.fill("0.001")
    box.press("Enter")
    expect(words).to_contain_text("the least loss is that of pairing")
    # the lowest row, leftmost column: K = 3, L = 1 (margins of plot.js)
    drawing.click(position={"x": 34 + 8, "y": drawing.bounding_box()["height"] - 40 - 8})
    expect(words).to_contain_text("K = 3, L = 1: of these three the least loss is that of DNC")
    # JupyterLab keeps the address for itself
    assert "fig-" not in notebook.page.url
    expect(figure.locator(".live-share")).to_be_hidden()
    expect(figure.locator(".live-run")).to_be_hidden()  # it has nothing to run


def test_a_run_with_pytorch_shows_progress_and_its_result_in_the_figure(notebook):
    figure = notebook.figure("Is collapse worth its loss?")
    panels, status = figure.locator(".live-panels > *"), figure.locator(".live-status")
    bar = figure.locator("progress")
    _, runs = part(figure, "runs")
    runs.fill("20")
    runs.press("Enter")
    expect(panels).to_have_count(2)
    bar.evaluate(FRACTIONS)
    figure.locator(".live-run").click()
    expect(figure.locator(".live-run")).to_be_disabled()
    expect(status).to_contain_text(re.compile(r"^Of 20 runs at width 20, .*\d at "))
    expect(figure.locator(".live-run")).to_be_enabled()
    fractions = notebook.page.evaluate("fractions")
    assert fractions == sorted(fractions) and 0 < fractions[len(fractions) // 2] < 1 == fractions[-1]
    expect(panels).to_have_count(3)
    expect(panels.last).to_contain_text("loss of 20 runs with PyTorch")
    figure.locator(".live-reset").click()
    expect(panels).to_have_count(2)


def test_stop_ends_a_run_with_what_is_there(notebook):
    figure = notebook.figure("Is collapse worth its loss?")
    for name, value in {"K": 16, "L": 6, "n": 20, "d": 120, "runs": 20}.items():  # minutes of work
        _, box = part(figure, name)
        box.fill(str(value))
        box.press("Enter")
    run, stop = figure.locator(".live-run"), figure.locator(".live-stop")
    run.click()
    expect(figure.locator(".live-status")).to_contain_text("step")
    stop.click()
    expect(figure.locator(".live-status")).to_contain_text("Stopped early. Of 20 runs")
    assert figure.locator("progress").evaluate("e => e.value") < 1
    expect(run).to_be_enabled()
    expect(stop).to_be_disabled()
    figure.locator(".live-reset").click()


def test_the_playground_and_pytorch_end_at_the_same_step(notebook):
    figure = notebook.figure("Train one in the page")
    figure.locator(".live-run").click()
    figure.locator(".playground-play").click()
    words, status = figure.locator(".live-words"), figure.locator(".live-status")
    expect(words).to_contain_text("has converged")
    expect(status).to_contain_text("from the same start: converged")
    expect(figure).to_contain_text("the same run in PyTorch")
    steps, rank, loss = re.search(
        r"After ([\d,]+) steps .* rank (\d+), .* loss ([\d.]+),", words.text_content()
    ).groups()
    assert f"after {steps.replace(',', '')} steps, rank {rank}," in status.text_content()
    assert f"loss {loss}." in status.text_content()


def test_a_training_is_done_again_from_another_seed(notebook):
    figure = notebook.figure("What the training recorded")
    expect(figure).not_to_contain_text("again, with PyTorch")
    figure.locator(".live-run").click()
    expect(figure.locator(".live-status")).to_contain_text(re.compile(r"^seed 1: other, rank \d+, objective \d"))
    expect(figure).to_contain_text("again, with PyTorch")
    figure.locator(".live-reset").click()
    expect(figure).not_to_contain_text("again, with PyTorch")


def test_an_experiment_runs_and_stops(notebook):
    experiment = notebook.page.locator(".experiment")
    experiment.scroll_into_view_if_needed()
    expect(experiment.locator(".needs-kernel")).to_be_hidden()
    run, message = experiment.get_by_role("button", name="Run"), experiment.get_by_role("status")
    picture = experiment.locator("img")
    run.click()
    expect(message).to_contain_text(re.compile(r"^After \d+ steps: pairing .*, rank 5, loss"))
    expect(picture).to_have_attribute("alt", message.text_content())
    assert picture.evaluate("e => e.complete && e.naturalWidth") > 0
    for name, largest in {"samples per class n": "20", "width d": "120"}.items():  # some seconds of work
        control = experiment.locator(".widget-inline-hbox", has_text=name)
        control.locator(".noUi-handle").press("End")
        expect(control.locator(".widget-readout")).to_have_text(largest)
    run.click()
    experiment.get_by_role("button", name="Stop").click()
    expect(message).to_contain_text("Stopped early. After")
    expect(run).to_be_enabled()


def test_figures_come_back_when_the_page_is_loaded_again(notebook):
    figure = notebook.figure("Is collapse worth its loss?")
    part(figure, "K")[0].press("ArrowRight")
    expect(figure.locator(".live-words")).to_contain_text("for K = 7")
    notebook.save()
    notebook.page.reload()
    figure = notebook.figure("Is collapse worth its loss?")
    expect(part(figure, "K")[1]).to_have_value("7")
    figure.locator(".live-run").click()  # Python still answers
    expect(figure.locator(".live-status")).to_contain_text("Of 10 runs at width 20")


# a slider of each figure
SLIDERS = {
    "Is collapse worth its loss?": "L",
    "Which of three structures is cheapest?": "L",
    "Train one in the page": "L",
    "What the training recorded": "step",
}
# parts of a figure beyond the edge of the window or of the output that holds them, and too small for a finger
CUT_OFF = """figure => {
  const edge = Math.min(innerWidth, figure.closest('.jp-OutputArea-output').getBoundingClientRect().right) + 1;
  return [...figure.querySelectorAll('*')]
    .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > edge)
    .map(e => e.outerHTML.slice(0, 90));
}"""
SMALL_TARGETS = """figure => [...figure.querySelectorAll('button, input, select')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && Math.min(box.width, box.height) < 24 && e.type !== 'checkbox';
}).map(e => e.outerHTML.slice(0, 90))"""


def violations(figure: Locator) -> list[str]:
    """What axe-core finds in a figure, in none of the parts that are JupyterLab's."""
    figure.page.evaluate(AXE)
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "preload": False}
    found = figure.evaluate("(figure, options) => axe.run(figure, options)", options)
    assert len(found["passes"]) > 10  # it has looked
    return [f"{fault['id']}: {node['html'][:120]}" for fault in found["violations"] for node in fault["nodes"]]


@pytest.mark.parametrize("title", SLIDERS)
def test_figures_are_accessible(notebook, title):
    assert violations(notebook.figure(title)) == []


@pytest.mark.parametrize("title", SLIDERS)
def test_figures_fit_a_phone(notebook, title):
    desk = notebook.page.viewport_size
    # JupyterLab's list of files would leave no room; a click on its tab closes it
    open_tab = notebook.page.locator(".jp-SideBar.jp-mod-left .lm-TabBar-tab.lm-mod-current")
    if open_tab.count():
        open_tab.click()
    notebook.page.set_viewport_size(PHONE["viewport"])
    try:
        figure = notebook.figure(title)
        expect(figure.locator(".live-stage svg").first).to_be_visible()
        assert figure.evaluate(CUT_OFF) == [] and figure.evaluate(SMALL_TARGETS) == []
        assert violations(figure) == []
        slider, box = part(figure, SLIDERS[title])
        words = figure.locator(".live-words")
        figure.locator(".live-reset").click()  # what other tests have set
        before, said = box.input_value(), words.text_content()
        slider.press("ArrowLeft")
        expect(box).not_to_have_value(before)
        expect(words).not_to_have_text(said)
        figure.locator(".live-reset").click()
        expect(box).to_have_value(before)
    finally:
        notebook.page.set_viewport_size(desk)


def test_drawings_follow_the_dark_theme(notebook):
    notebook.figure("Is collapse worth its loss?")
    turned = "getComputedStyle(document.querySelector('.live-plot')).filter"
    assert notebook.page.evaluate(turned) == "none"
    notebook.page.locator(".lm-MenuBar-item", has_text=re.compile("^Settings$")).click()
    notebook.page.locator(".lm-Menu-item", has_text=re.compile("^Theme$")).hover()
    notebook.page.locator(".lm-Menu-item", has_text="JupyterLab Dark").first.click()
    notebook.page.wait_for_function(f"() => {turned} !== 'none'")
    for title in SLIDERS:
        assert violations(notebook.figure(title)) == []


def test_the_front_page_runs_from_top_to_bottom(lab):
    front = lab.open("index.ipynb")
    front.run_all()
    figure = front.figure("Is collapse worth its loss?")
    slider, _ = part(figure, "K")
    slider.focus()
    front.page.keyboard.press("ArrowLeft")
    expect(figure.locator(".live-words")).to_contain_text("for K = 5")
    expect(figure.locator(".live-run")).to_be_visible()
    front.save()
    code = [cell for cell in nbformat.read(lab.folder / "index.ipynb", 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert {output.output_type for cell in code for output in cell.outputs} <= {"stream", "execute_result"}
    assert front.wrong == []
    front.page.context.close()
