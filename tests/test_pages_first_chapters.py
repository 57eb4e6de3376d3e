"""Live figures of the first chapters on the built pages: answers, starts, links, turning. Run after `make book`."""

import pytest
from conftest import DESK
from playwright.sync_api import expect
from test_pages_live import part, words

WHAT = "book/neural-collapse/what-collapses"
EVERY = "book/neural-collapse/every-layer"
ONE = "book/unconstrained-features/one-layer"
DEEP = "book/unconstrained-features/deep-model"
CRITICAL = "book/landscape/critical-points"


@pytest.fixture
def look(visit, site):
    """A function that opens a page at its live figure and gives (page, complaints)."""

    def look(name):
        page, wrong = visit(f"{site}/{name}.html", site, **DESK)
        page.locator(".live svg").first.wait_for()
        return page, wrong

    return look


def put(page, figure, **values):
    for name, value in values.items():
        box = part(page, figure, name)[1]
        box.fill(str(value))
        box.press("Enter")


def test_four_measurements_fall_to_zero(look):
    page, wrong = look(WHAT)
    said = words(page, "cloud")
    expect(said).to_contain_text("NC4 = 0.2")
    put(page, "cloud", spread=0)
    expect(said).to_contain_text("NC1 = 0,")
    put(page, "cloud", simplex=1)
    expect(said).to_contain_text("NC2 = 0,")
    put(page, "cloud", mismatch=0)
    expect(said).to_contain_text("This is neural collapse.")
    put(page, "cloud", K=5)
    expect(said).to_contain_text("NC2 cannot go below 0.518")  # sqrt(2 - 2 sqrt(3/4))
    page.wait_for_function("() => location.hash === '#fig-cloud?spread=0&simplex=1&mismatch=0&K=5'")
    assert wrong == []


def test_the_cloud_is_turned_by_keys_buttons_and_mouse(look):
    page, wrong = look(WHAT)
    view = page.locator("#fig-cloud .cloud-view")
    seen = [view.inner_html()]

    def changed():
        page.wait_for_function("old => document.querySelector('.cloud-view').innerHTML !== old", arg=seen[-1])
        seen.append(view.inner_html())

    view.scroll_into_view_if_needed()
    view.focus()
    page.keyboard.press("ArrowLeft")
    changed()
    page.locator("#fig-cloud button[aria-label='turn up']").click()
    changed()
    area = view.bounding_box()
    page.mouse.move(area["x"] + 100, area["y"] + 100)
    page.mouse.down()
    page.mouse.move(area["x"] + 160, area["y"] + 120)
    page.mouse.up()
    changed()
    assert len(set(seen)) == 4 and wrong == []


def test_only_the_shape_moves_dnc2(look):
    page, wrong = look(EVERY)
    said = words(page, "layers")
    shape = "DNC2 0.2 at the first layer, 0.538 at the last"
    expect(said).to_contain_text(shape)
    put(page, "layers", spread=0.8, unread=0)
    expect(said).to_contain_text(shape)
    expect(said).to_contain_text("DNC3 0 in every layer")
    put(page, "layers", mix=1)
    expect(said).to_contain_text("DNC2 0.671 in every layer")  # of the chapter
    put(page, "layers", mix=0, spread=0)
    page.locator("#fig-layers input[type=checkbox]").check()
    expect(said).to_contain_text("DNC2 0 in every layer")
    expect(said).to_contain_text("0% of the samples are classified correctly")
    assert wrong == []


def test_one_layer_passes_its_threshold(look):
    page, wrong = look(ONE)
    said = words(page, "scale")
    expect(said).to_contain_text("Kλ√n = 0.17 is below 1. DNC is critical at α = 3.41.")  # as the chapter's first runs
    expect(said).to_contain_text("Zero is a saddle.")
    put(page, "scale", **{"lambda": 0.12})  # 6 * 0.12 * sqrt(2) = 1.018
    expect(said).to_contain_text("not below 1. No DNC point is critical")
    expect(said).to_contain_text("Zero is a minimum.")
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "start"),
    [(ONE, "K = 6, n = 2, L = 1"), (DEEP, "K = 5, n = 3, L = 3"), (CRITICAL, "K = 10, n = 1, L = 2")],
)
def test_each_page_has_a_start_of_its_own_and_reset_leads_back(look, name, start):
    page, wrong = look(name)
    expect(words(page, "scale")).to_contain_text(start)
    put(page, "scale", K=8)
    page.wait_for_function("() => location.hash === '#fig-scale?K=8'")
    page.reload()
    expect(words(page, "scale")).to_contain_text(f"K = 8, {start.split(', ', 1)[1]}")
    page.locator("#fig-scale .live-reset").click()
    expect(words(page, "scale")).to_contain_text(start)
    assert wrong == []


def test_one_step_of_the_slider_makes_collapse_stable(look):
    page, wrong = look(CRITICAL)
    said = words(page, "scale")
    expect(said).to_contain_text("35 negative eigenvalues")
    part(page, "scale", "lambda")[0].focus()
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text("no negative eigenvalue")
    assert wrong == []
