"""The slides of each part, in a browser and on paper. Run after `make book`."""

import pypdf
import pytest
import slides
from conftest import DESK, PHONE, SITE
from test_pages import MATH_FAULTS, MISSING_IMAGES, OVERFLOWING, violations

PARTS = dict(slides.parts(SITE))

# slides with more on them than they show, and things that reach out of their slide
CUT_OFF = """() => [...document.querySelectorAll('main > section')].flatMap((slide, i) => {
  const box = slide.getBoundingClientRect(), foot = slide.querySelector('footer').getBoundingClientRect();
  const out = e => {
    const {left, right, bottom} = e.getBoundingClientRect();
    return left < box.left - 1 || right > box.right + 1 || bottom > (e.closest('footer') ? box.bottom : foot.top) + 1;
  };
  const beyond = [...slide.querySelectorAll('h1, h2, p, li, td, img, figcaption, mjx-container, footer')].filter(out);
  return slide.scrollHeight > slide.clientHeight + 1 ? [`slide ${i + 1}`] :
    beyond.map(e => `slide ${i + 1}: ${e.outerHTML.slice(0, 80)}`);
})"""
# letters of the text that the back row must read, in parts of the window's width
SMALLEST = """() => Math.min(...[...document.querySelectorAll('.fitted')]
  .map(e => parseFloat(getComputedStyle(e).fontSize) / innerWidth))"""
SHOWN = (
    "() => [...document.querySelectorAll('main > section')].findIndex(e => Math.abs(e.getBoundingClientRect().top) < 2)"
)


def test_every_numbered_part_has_slides():
    assert len(PARTS) == len(list((SITE / "slides").glob("*.html"))) >= 6


@pytest.mark.parametrize("name", PARTS)
def test_slides_fit_and_can_be_read(visit, site, name):
    page, wrong = visit(f"{site}/slides/{name}.html", site, **DESK)
    assert page.locator("main > section").count() <= slides.MOST
    assert page.evaluate(MISSING_IMAGES) == []
    assert page.evaluate(MATH_FAULTS) == []
    page.set_viewport_size({"width": 1280, "height": 720})
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(SMALLEST) > 1 / 65  # 15 points on a slide of 13.3 inches
    assert page.evaluate("() => [...document.images].every(e => e.alt.split(' ').length > 2)")
    assert violations(page) == []
    assert wrong == []


@pytest.mark.parametrize("name", PARTS)
def test_slides_on_a_phone(visit, site, name):
    page, wrong = visit(f"{site}/slides/{name}.html", site, **PHONE)
    assert page.evaluate(OVERFLOWING) == []
    assert wrong == []


def test_keys_turn_the_slides(visit):
    name = next(iter(PARTS))
    page, _ = visit((SITE / "slides" / f"{name}.html").as_uri(), SITE.as_uri(), **DESK)  # no server either
    last = page.locator("main > section").count() - 1
    for key, number in [("ArrowRight", 1), (" ", 2), ("Shift+ ", 1), ("End", last), ("PageDown", last), ("Home", 0)]:
        page.keyboard.press(key)
        page.wait_for_function(f"{SHOWN[6:]} === {number}")
    page.keyboard.press("PageDown")
    page.set_viewport_size({"width": 640, "height": 360})
    page.wait_for_function(f"{SHOWN[6:]} === 1")
    assert page.url.endswith("#2")


@pytest.mark.parametrize("name", PARTS)
def test_one_slide_is_printed_on_a_page(browser, tmp_path, name):
    source = SITE / "slides" / f"{name}.html"
    slides.print_deck(browser, source, tmp_path / "slides.pdf")
    printed = pypdf.PdfReader(tmp_path / "slides.pdf").pages
    assert len(printed) == source.read_text().count("<footer>")
    assert all(page.mediabox.width > page.mediabox.height for page in printed)
    last = printed[-1].extract_text()
    assert "To discuss" in last and last.strip().endswith(str(len(printed)))
