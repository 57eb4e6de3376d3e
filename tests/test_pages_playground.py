"""The playground and the solids on the built pages: play, pause, links, themes, a phone. Run after `make book`."""

import re

import pytest
from conftest import CUT_OFF, DESK, PAGES, PHONE, SITE
from playwright.sync_api import expect

from dufm_lib import structures, theory
from dufm_lib.widgets.playground import Playground, train

PAGE = "book/unconstrained-features/playground"
SECONDS = 1000
LONG = 60 * SECONDS  # on a busy machine

SMALL_TARGETS = """() => [...document.querySelectorAll('.live :is(button, input, select)')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && Math.min(box.width, box.height) < 24;
}).map(e => e.outerHTML.slice(0, 90))"""
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
FRAMES = """() => new Promise(done => {
  let count = 0;
  const frame = () => { count += 1; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  setTimeout(() => done(count), 2000);
})"""
PICTURES = """() => new Promise(done => {
  let count = 0;
  new MutationObserver(() => { count += 1; })
    .observe(document.querySelector('#fig-playground .live-panels'), { childList: true });
  setTimeout(() => done(count), 2000);
})"""


class Page:
    """The playground's parts on an open page."""

    def __init__(self, page, wrong):
        self.page, self.wrong = page, wrong
        self.play, self.step, self.restart, self.state = (
            page.locator(f"#fig-playground .playground-{name}") for name in ("play", "step", "restart", "state")
        )
        self.words = page.locator("#fig-playground .live-words")
        expect(self.state).to_contain_text("step 0", timeout=LONG)

    def steps(self) -> int:
        """How many steps it says it has taken."""
        return int(re.search(r"step ([\d,]+)", self.state.text_content())[1].replace(",", ""))

    def wait_for(self, steps: int):
        text = "steps => parseInt(document.querySelector('.playground-state').textContent.replace(/\\D*([\\d,]+).*/, "
        self.page.wait_for_function(text + "'$1').replace(/,/g, '')) >= steps", arg=steps, timeout=LONG)


@pytest.fixture
def playground(visit, site):
    def playground(hash_="", address=None, own=None, **settings):
        address = address or f"{site}/{PAGE}.html"
        return Page(*visit(address + hash_, own or site, **(settings or DESK)))

    return playground


@pytest.mark.parametrize(
    ("hash_", "changes", "end"),
    [
        ("", {}, "rank 3, pairing (orthoplex); loss {}, below {}, the best of DNC, and equal to"),
        (
            "#fig-playground?seed=0",
            {"seed": 0},
            "rank 5, DNC (simplex); loss {}, equal to {}, the best of DNC, and above",
        ),
        (
            "#fig-playground?L=4&seed=0",
            {"L": 4, "seed": 0},
            "rank 2, polygon; loss {}, below {}, the best of DNC, and below",
        ),
    ],
    ids=["pairing", "dnc", "polygon"],
)
def test_a_run_ends_where_pytorch_ends(playground, hash_, changes, end):
    live = playground(hash_)
    live.page.locator("#fig-playground [data-name=pace] select").select_option("as fast as it can")
    live.play.click()
    expect(live.words).to_contain_text("has converged", timeout=LONG)
    runs = train(Playground().values | changes)
    shapes = structures.simplex_etf, structures.pairing
    dnc, pairing = (theory.optimal_scale(runs.problem, shape(runs.problem.classes))[1] for shape in shapes)
    said = f"{end.format(f'{runs.loss.item():.4f}', f'{dnc:.4f}')} {pairing:.4f}, that of pairing."
    assert live.words.text_content() == f"After {runs.steps.item():,} steps the run has converged: {said}"
    assert said.startswith(f"rank {runs.rank.item()}, ")
    expect(live.play).to_have_text("Play")
    assert live.wrong == []


def test_pause_step_and_restart(playground):
    live = playground("#fig-playground?pace=100")
    expect(live.words).to_contain_text("At step 0. The best loss of DNC (simplex) is 0.0717")
    expect(live.page.locator("#fig-playground svg").first).to_contain_text("▲ 1.83")  # far above the axis
    live.play.click()
    expect(live.play).to_have_text("Pause")
    live.wait_for(5)
    live.play.click()
    live.page.wait_for_timeout(200)  # what was on its way
    paused = live.steps()
    expect(live.words).to_contain_text(f"Paused after {paused} steps: rank")
    live.page.wait_for_timeout(300)
    assert live.steps() == paused
    live.step.click()
    expect(live.state).to_contain_text(f"step {paused + 1},")
    live.step.press("Enter")
    expect(live.state).to_contain_text(f"step {paused + 2},")
    live.restart.press("Space")
    expect(live.state).to_contain_text("step 0,")
    live.step.click()
    expect(live.state).to_contain_text("step 1,")
    assert live.wrong == []


def test_reset_stops_and_begins_again(playground):
    live = playground("#fig-playground?pace=100")
    live.play.click()
    live.wait_for(5)
    live.page.locator("#fig-playground .live-reset").click()
    expect(live.state).to_contain_text("step 0,")
    expect(live.play).to_have_text("Play")
    live.page.wait_for_timeout(300)
    assert live.steps() == 0 and live.wrong == []


@pytest.mark.parametrize(
    "worker",
    [
        "class { constructor() { throw new Error('blocked'); } }",
        "class { constructor() { setTimeout(() => this.onerror(), 100); } postMessage() {} terminate() {} }",
    ],
    ids=["throws", "fires an event"],
)
def test_without_web_workers_the_figure_says_so(site, visit, worker):
    page, _ = visit(f"{site}/{PAGE}.html", site, **DESK)
    page.add_init_script(f"window.Worker = {worker};")
    page.reload()
    expect(page.locator("#fig-playground .live-words")).to_contain_text("allows no background work")
    for name in ("play", "step", "restart"):
        expect(page.locator(f"#fig-playground .playground-{name}")).to_be_disabled()


def test_a_new_setting_is_a_new_run_and_play_goes_on(playground):
    live = playground("#fig-playground?pace=100")
    live.play.click()
    live.wait_for(20)
    live.page.locator("#fig-playground [data-name=K] input[type=range]").press("ArrowRight")
    live.page.wait_for_function(
        "() => document.querySelectorAll('.playground-state')[0].textContent.match(/step \\d,/)"
    )
    live.wait_for(10)
    expect(live.play).to_have_text("Pause")
    live.page.wait_for_function("() => location.hash.includes('K=7')")
    # the heat map has a row for every class
    expect(
        live.page.locator("#fig-playground svg[aria-label^='class-mean'] text", has_text=re.compile("^7$"))
    ).to_have_count(2)
    assert live.wrong == []


def test_links_that_are_out_of_range_or_mangled(playground):
    live = playground("#fig-playground?K=99&L=0&lambda=x&pace=7&%&&=")
    note = live.page.locator("#fig-playground .live-note")
    expect(note).to_contain_text("classes K = 99 is outside 2 to 10: set to 10.")
    expect(note).to_contain_text("depth L = 0 is outside 1 to 4: set to 1.")
    live.step.click()
    expect(live.state).to_contain_text("step 1,")
    assert live.wrong == []


def test_too_large_a_learning_rate_is_said(playground):
    live = playground("#fig-playground?L=4&seed=2")
    live.play.click()
    expect(live.words).to_contain_text("The run has diverged", timeout=LONG)
    assert live.wrong == []


def test_it_pauses_while_the_tab_is_hidden(playground):
    live = playground("#fig-playground?pace=100")
    live.play.click()
    live.wait_for(3)
    live.page.evaluate(HIDE, True)
    live.page.wait_for_timeout(200)
    paused = live.steps()
    live.page.wait_for_timeout(400)
    assert live.steps() == paused
    live.page.evaluate(HIDE, False)
    live.wait_for(paused + 3)
    assert live.wrong == []


def test_the_page_stays_free_while_it_computes(playground):
    live = playground("#fig-playground?K=10&n=5&d=40&L=4&activation=relu&rate=0.1&pace=1000000")
    live.play.click()
    # sixty frames a second on an idle machine; a page that computed itself would draw about ten
    assert live.page.evaluate(FRAMES) > 20
    assert live.steps() > 0


def test_fewer_pictures_for_a_reader_who_wants_no_motion(playground):
    calm = playground("#fig-playground?pace=100", **DESK, reduced_motion="reduce")
    calm.play.click()
    assert 1 <= calm.page.evaluate(PICTURES) <= 4
    calm.play.click()
    assert calm.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(playground, scheme):
    live = playground("#fig-playground?K=10", **PHONE, color_scheme=scheme)
    live.step.tap()
    expect(live.state).to_contain_text("step 1,")
    assert live.page.evaluate(CUT_OFF) == []
    assert live.page.evaluate(SMALL_TARGETS) == []
    turned = live.page.locator("#fig-playground svg").first.evaluate("e => getComputedStyle(e).filter")
    assert (turned != "none") == (scheme == "dark")
    assert live.wrong == []


def test_it_works_from_a_file(playground):
    live = playground(address=(SITE / f"{PAGE}.html").as_uri(), own=SITE.as_uri())
    live.step.click()
    expect(live.state).to_contain_text("step 1,")
    assert [line for line in live.wrong if line.startswith(("page error", "outside"))] == []


@pytest.fixture
def solids(visit, site):
    """A function that opens the page with the solids: (page, complaints)."""
    (name, *_) = [name for name in PAGES if '"fig-solids"' in (SITE / f"{name}.html").read_text()]

    def solids(hash_="", **settings):
        page, wrong = visit(f"{site}/{name}.html{hash_}", site, **(settings or DESK))
        page.locator("#fig-solids svg").wait_for()
        return page, wrong

    return solids


def test_a_solid_is_turned_by_mouse_keys_and_buttons(solids):
    page, wrong = solids()
    view = page.locator("#fig-solids .solids-view")
    seen = [view.inner_html()]

    def changed():
        page.wait_for_function("old => document.querySelector('.solids-view').innerHTML !== old", arg=seen[-1])
        assert view.inner_html() not in seen
        seen.append(view.inner_html())

    view.scroll_into_view_if_needed()
    area = view.bounding_box()
    page.mouse.move(area["x"] + 100, area["y"] + 100)
    page.mouse.down()
    page.mouse.move(area["x"] + 160, area["y"] + 130, steps=3)
    page.mouse.up()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    changed()
    for key in ("ArrowLeft", "ArrowUp", "+"):
        view.press(key)
        changed()
    page.get_by_role("button", name="turn up").click()
    changed()
    assert wrong == []


def test_what_a_solid_is_in_words_and_links(solids):
    page, wrong = solids("#fig-solids?structure=optimum&K=12", **PHONE)
    words = page.locator("#fig-solids .live-words")
    expect(words).to_have_text(
        "Icosahedron of 12 classes, rank 3: the angles between two classes go from 63.43° to 180°."
    )
    assert page.evaluate(CUT_OFF) == []
    page.locator("#fig-solids select").select_option("simplex (DNC)")
    expect(words).to_contain_text(
        "Simplex of 12 classes, rank 11: every two classes are 95.22° apart. It needs 11 dimensions"
    )
    assert wrong == []


def test_nothing_spins_for_a_reader_who_wants_no_motion(solids):
    page, _ = solids(**DESK, reduced_motion="reduce")
    expect(page.locator(".solids-spin")).to_be_hidden()
    page, _ = solids()
    spin = page.locator(".solids-spin")
    spin.click()
    expect(spin).to_have_attribute("aria-pressed", "true")
    before = page.locator(".solids-view").inner_html()
    page.wait_for_function("old => document.querySelector('.solids-view').innerHTML !== old", arg=before)
