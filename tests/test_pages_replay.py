"""The replay of trainings on the built pages: slider, Play, turning, links, themes, a phone. Run after `make book`."""

import json
import re

import pytest
from conftest import CUT_OFF, DESK, PHONE, SITE
from playwright.sync_api import expect

CHAPTERS = ["digits", "images"]
SMALL_TARGETS = """() => [...document.querySelectorAll('.live :is(button, input, select)')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && Math.min(box.width, box.height) < 24;
}).map(e => e.outerHTML.slice(0, 90))"""


class Replay:
    """The parts of the figure on an open page."""

    def __init__(self, page, wrong, name):
        self.page, self.wrong = page, wrong
        self.figure = page.locator(f"#fig-replay-{name}")
        self.figure.locator("svg").first.wait_for()
        self.slider = self.figure.locator("[data-name=step] input[type=range]")
        self.box = self.figure.locator("[data-name=step] input[type=text]")
        self.play, self.words = self.figure.locator(".replay-play"), self.figure.locator(".live-words")
        self.state, self.view = self.figure.locator(".replay-state"), self.figure.locator(".replay-view")
        expect(self.words).to_contain_text("Step ")

    def step(self) -> int:
        """The recorded step that is shown."""
        return int(re.search(r"step (\d+)", self.state.text_content())[1])


@pytest.fixture
def replay(visit, site):
    def replay(name, hash_="", **settings):
        return Replay(*visit(f"{site}/book/real-networks/{name}.html{hash_}", site, **(settings or DESK)), name)

    return replay


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_slider_shows_every_record(replay, name):
    live = replay(name)
    end = live.step()
    assert f"Step {end}, the end: objective " in live.words.text_content()
    charts = live.figure.locator("svg[aria-label^='Singular values']")
    seen = {live.view.inner_html() + charts.inner_html()}
    live.slider.focus()
    live.page.keyboard.press("Home")
    expect(live.words).to_contain_text(f"Step 0, of {end}")
    seen.add(live.view.inner_html() + charts.inner_html())
    for _ in range(4):  # the steps of the slider are at most those of the records of any run
        live.page.keyboard.press("ArrowRight")
    expect(live.words).to_contain_text(re.compile(rf"Step [1-9]\d*, of {end}"))
    seen.add(live.view.inner_html() + charts.inner_html())
    assert len(seen) == 3
    live.box.fill(str(10 * end))
    live.box.press("Enter")
    expect(live.figure.locator(".live-note")).to_contain_text("is outside 0 to")
    expect(live.words).to_contain_text(f"Step {end}, the end")
    assert live.wrong == []


def test_the_networks_of_the_chapter_end_where_it_says(replay):
    live = replay("digits")
    expect(live.words).to_contain_text("Logits: pairing (orthoplex), rank 5, effective rank 5.0")
    runs = live.figure.locator("select")
    end = live.step()
    live.slider.press("End")  # of the longest run
    expect(live.words).to_contain_text(f"Step {end}, the end (the run stopped there, before step 1000)")
    expect(live.state).to_contain_text("the run stopped there")
    runs.select_option("one layer")
    live.box.fill("1000")
    live.box.press("Enter")
    expect(live.words).to_contain_text("Logits: DNC (simplex), rank 9, effective rank 9.0")
    runs.select_option("small start")
    expect(live.words).to_contain_text("Logits: polyhedron, rank 3, effective rank 3.0")
    expect(live.words).to_contain_text("below the best of DNC")
    live.page.wait_for_function("() => location.hash.includes('run=small+start')")
    live.page.reload()
    expect(live.words).to_contain_text("Logits: polyhedron")
    assert live.wrong == []


def test_it_plays_to_the_end_and_pauses(replay):
    live = replay("digits")
    end = live.step()
    live.play.click()
    expect(live.play).to_have_text("Pause")
    expect(live.state).to_contain_text(re.compile(r"step (20|40|60|80|100),"))  # from the beginning
    live.play.press("Enter")
    expect(live.play).to_have_text("Play")
    paused = live.step()
    expect(live.words).to_contain_text(f"Step {paused}, of {end}")
    live.page.wait_for_timeout(400)  # two records and more
    assert live.step() == paused < end
    live.box.fill(str(end - 40))
    live.box.press("Enter")
    live.play.click()
    expect(live.words).to_contain_text(f"Step {end}, the end")
    expect(live.play).to_have_text("Play")
    assert live.wrong == []


def test_nothing_plays_for_a_reader_who_wants_no_motion(replay):
    live = replay("images", **DESK, reduced_motion="reduce")
    expect(live.play).to_be_hidden()
    before = live.view.inner_html()
    live.slider.press("ArrowLeft")
    expect(live.words).not_to_contain_text("the end")
    assert live.view.inner_html() != before and live.wrong == []


def test_the_class_means_are_turned_by_mouse_keys_and_buttons(replay):
    live = replay("digits")
    seen = [live.view.inner_html()]

    def changed():
        live.page.wait_for_function("old => document.querySelector('.replay-view').innerHTML !== old", arg=seen[-1])
        assert live.view.inner_html() not in seen
        seen.append(live.view.inner_html())

    live.view.scroll_into_view_if_needed()
    area = live.view.bounding_box()
    live.page.mouse.move(area["x"] + 100, area["y"] + 100)
    live.page.mouse.down()
    live.page.mouse.move(area["x"] + 160, area["y"] + 130, steps=3)
    live.page.mouse.up()
    live.page.evaluate("() => new Promise(requestAnimationFrame)")
    changed()
    live.view.press("ArrowUp")
    changed()
    live.figure.get_by_role("button", name="larger").click()
    changed()
    assert live.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", CHAPTERS)
def test_on_a_phone(replay, name, scheme):
    live = replay(name, **PHONE, color_scheme=scheme)
    assert live.page.evaluate(CUT_OFF) == [] and live.page.evaluate(SMALL_TARGETS) == []
    # the slider and what it changes are seen together
    live.slider.scroll_into_view_if_needed()
    apart = live.view.bounding_box()["y"] - live.slider.bounding_box()["y"]
    assert 0 < apart < PHONE["viewport"]["height"] / 2
    assert (live.view.locator("svg").evaluate("e => getComputedStyle(e).filter") != "none") == (scheme == "dark")
    assert live.wrong == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_page_carries_little_of_it(name):
    text = (SITE / "book" / "real-networks" / f"{name}.html").read_text()
    _, end = json.JSONDecoder().raw_decode(text[text.index(f'{{"id": "fig-replay-{name}"') :])
    assert 5_000 < end < 60_000
