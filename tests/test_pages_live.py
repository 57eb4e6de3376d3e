"""The live figures on the built pages: drag, type, keys, links good and bad, themes, a phone. Run after `make book`."""

import re

import pytest
from conftest import CONTENTS, CUT_OFF, DESK, PAGES, PHONE, SITE
from playwright.sync_api import expect

from dufm_lib.widgets.phases import Phases

FRONT = "book/index"
CHAPTER = "book/low-rank-bias/depth-counts-rank"
LANDSCAPE = "book/landscape/degeneracy"
CHAPTERS = [CONTENTS["root"]]
CHAPTERS += [chapter["file"] for part in CONTENTS["parts"] if part.get("numbered") for chapter in part["chapters"]]


def figures(name):
    """How many live figures a built page has."""
    page = SITE / f"{name}.html"
    return page.read_text().count('"id": "fig-') if page.exists() else 0


# what holds of every figure is asked on these pages
LIVE = [name for name in PAGES if figures(name)]

# the drawing at the next frame, and the words at rest (figure.js waits 150 ms)
SETTLED = "() => new Promise(done => setTimeout(() => requestAnimationFrame(done), 400))"
SMALL_TARGETS = """() => [...document.querySelectorAll('.live :is(button, input, select)')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.width && Math.min(box.width, box.height) < 24 && e.type !== 'checkbox';
}).map(e => e.outerHTML.slice(0, 90))"""
# words in drawings whose WCAG contrast with the page is too small, each as it is seen: with the opacity of all that
# holds it and, in the dark theme, through the filter invert(0.9) hue-rotate(180deg)
FAINT_LETTERS = """dark => {
  const numbers = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => c / 255);
  const light = colour => colour.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0.05);
  const turned = colour => {
    const inverted = colour.map(c => 0.9 - 0.8 * c);
    const grey = inverted.reduce((sum, c, i) => sum + c * [0.213, 0.715, 0.072][i], 0);
    return inverted.map(c => Math.min(1, Math.max(0, 2 * grey - c)));
  };
  const page = numbers(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('.live svg text')].filter(e => {
    const { fill } = getComputedStyle(e);
    let seen = 1;
    for (let each = e; each.tagName !== 'svg'; each = each.parentElement) seen *= getComputedStyle(each).opacity;
    const ink = dark ? turned(numbers(fill)) : numbers(fill);
    const mixed = light(ink.map((c, i) => seen * c + (1 - seen) * page[i]));
    return Math.max(mixed, light(page)) / Math.min(mixed, light(page)) < 4.5;
  }).map(e => e.outerHTML.slice(0, 160));
}"""


@pytest.fixture
def look(visit, site):
    """A function that opens a page, waits for its live figures and gives (page, complaints)."""

    def look(name, hash_="", **settings):
        page, wrong = visit(f"{site}/{name}.html{hash_}", site, **(settings or DESK))
        page.locator(".live svg").first.wait_for()
        page.evaluate(SETTLED)
        return page, wrong

    return look


def part(page, figure, name):
    """The slider and the box of a control."""
    control = page.locator(f"#fig-{figure} [data-name={name}]")
    return control.locator("input[type=range]"), control.locator("input[type=text]")


def words(page, figure):
    return page.locator(f"#fig-{figure} .live-words")


def test_every_chapter_has_a_live_figure():
    assert set(CHAPTERS) <= set(LIVE)


def test_a_drag_changes_drawing_words_and_address(look):
    page, wrong = look(FRONT)
    slider, box = part(page, "puzzle", "K")
    before = page.locator("#fig-puzzle .live-stage").inner_html()
    expect(words(page, "puzzle")).to_contain_text("Theorem 1: for K = 6 and L = 2")
    slider.scroll_into_view_if_needed()
    area = slider.bounding_box()
    across = [area["x"] + area["width"] * part_ for part_ in (0.25, 0.15, 0.02)]
    page.mouse.move(across[0], area["y"] + area["height"] / 2)
    page.mouse.down()
    for x in across[1:]:
        page.mouse.move(x, area["y"] + area["height"] / 2)
    page.mouse.up()
    expect(box).to_have_value("3")
    expect(words(page, "puzzle")).to_contain_text("Theorem 1 is silent for K = 3")
    assert page.locator("#fig-puzzle .live-stage").inner_html() != before
    page.wait_for_function("() => location.hash === '#fig-puzzle?K=3'")
    assert wrong == []


def test_arrow_keys_and_typing(look):
    page, wrong = look(FRONT)
    slider, box = part(page, "puzzle", "K")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(box).to_have_value("5")
    box.fill("4")
    box.press("Enter")
    expect(slider).to_have_value("4")
    box.press("ArrowUp")
    expect(box).to_have_value("5")
    box.press("ArrowDown")
    # the chapter on low-rank bias finds the crossing for n = 1 at 0.01176; here n = 2, and only lambda n^(1/3) counts
    expect(words(page, "puzzle")).to_contain_text("cross at λ = 0.00933")
    assert wrong == []


def test_a_value_out_of_range_is_set_and_said(look):
    page, _ = look(FRONT)
    slider, box = part(page, "puzzle", "K")
    box.fill("1000")
    box.press("Enter")
    expect(box).to_have_value("16")
    expect(page.locator("#fig-puzzle .live-note")).to_contain_text("outside 3 to 16: set to 16")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#fig-puzzle .live-note")).to_have_text("")


def test_a_link_restores_the_figure_and_shows_it(look):
    page, wrong = look(CHAPTER, "#fig-phases?lambda=0.02&K=4&L=2")
    expect(part(page, "phases", "K")[1]).to_have_value("4")
    expect(part(page, "phases", "lambda")[1]).to_have_value("0.02")
    expect(words(page, "phases")).to_contain_text("K = 4, L = 2: of these three the least loss is that of pairing")
    expect(page.locator("#fig-phases")).to_be_in_viewport()
    expect(part(page, "price", "L")[1]).to_have_value("2")  # the other figure is as it starts
    assert wrong == []


def test_two_figures_share_the_address_and_reset_takes_one_out(look):
    page, wrong = look(CHAPTER, "#fig-phases?K=4")
    part(page, "price", "L")[0].focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.hash === '#fig-phases?K=4&fig-price?L=3'")
    page.reload()
    expect(part(page, "phases", "K")[1]).to_have_value("4")
    expect(part(page, "price", "L")[1]).to_have_value("3")
    page.locator("#fig-phases .live-reset").click()
    expect(part(page, "phases", "K")[1]).to_have_value("10")
    page.wait_for_function("() => location.hash === '#fig-price?L=3'")
    assert wrong == []


def test_a_view_in_space_is_in_the_address_and_reset_takes_it_back(look):
    page, wrong = look("book/low-rank-bias/optimal-structure")
    view, drawn = page.locator("#fig-solids .solids-view"), "() => document.querySelector('#fig-solids svg').outerHTML"
    first = page.evaluate(drawn)
    view.press("ArrowLeft")
    view.press("+")
    page.locator("#fig-solids .solids-spin").click()
    page.evaluate(SETTLED)
    assert page.evaluate(drawn) != first
    page.locator("#fig-solids .solids-spin").click()
    page.evaluate(SETTLED)  # the address follows a little after the last frame
    assert re.search("turn=.*zoom=1.15", page.evaluate("() => location.hash"))
    turned = page.evaluate(drawn)
    page.reload()
    page.locator("#fig-solids svg").wait_for()
    page.evaluate(SETTLED)
    assert page.evaluate(drawn) == turned  # a link holds the view
    page.locator("#fig-solids .solids-spin").click()
    page.locator("#fig-solids .live-reset").click()
    page.evaluate(SETTLED)
    assert page.evaluate(drawn) == first and page.evaluate("() => location.hash") == ""
    expect(page.locator("#fig-solids .solids-spin")).to_have_attribute("aria-pressed", "false")
    assert wrong == []


def test_a_finger_turns_a_picture_sideways_and_scrolls_the_page(look):
    page, wrong = look("book/low-rank-bias/optimal-structure", "#fig-solids", **PHONE)
    view = page.locator("#fig-solids .solids-view")
    view.scroll_into_view_if_needed()
    cdp, area = page.context.new_cdp_session(page), view.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2

    def swipe(dx, dy):
        cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for part_ in range(1, 9):
            point = {"x": x + dx * part_ / 8, "y": y + dy * part_ / 8}
            cdp.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.evaluate(SETTLED)

    drawn, before = view.inner_html(), page.evaluate("() => scrollY")
    swipe(80, 0)
    assert view.inner_html() != drawn and page.evaluate("() => scrollY") == before
    swipe(0, -100)
    assert page.evaluate("() => scrollY") > before + 50
    assert wrong == []


def test_a_cloud_and_its_measurements_stand_side_by_side_on_a_desk(look):
    page, _ = look("book/neural-collapse/what-collapses")
    tops = page.locator("#fig-cloud .live-panels > div").evaluate_all("e => e.map(x => x.getBoundingClientRect().top)")
    assert len(tops) == 2 and abs(tops[0] - tops[1]) < 30


BAD = [
    "#fig-phases?lambda=NaN&K=1e999&L=&n=%E0%A4%A&<script>alert(1)</script>=1",
    "#fig-phases?K=<img src=x onerror=alert(1)>",
    "#fig-phases?%",
    "#fig-phases?&&&&====&fig-phases?fig-?K",
    "#fig-none?K=3",
    "#fig-phases" + "?K=4" * 2000,
    "#%%%",
]


@pytest.mark.parametrize("hash_", BAD, ids=range(len(BAD)))
def test_a_mangled_address_breaks_nothing(look, hash_):
    page, wrong = look(CHAPTER, hash_)
    expect(words(page, "phases")).to_contain_text("Of the 112 cells")
    part(page, "phases", "K")[0].focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "() => /^#fig-phases\\?K=\\d+/.test(location.hash) || location.hash.includes('&fig-phases?K=')"
    )
    assert wrong == []


def test_an_anchor_of_the_page_keeps_its_place(look):
    page, wrong = look(CHAPTER, "#the-theorem-and-all-of-its-proof")
    heading = page.locator("#the-theorem-and-all-of-its-proof")
    expect(heading.locator("h2")).to_be_in_viewport()
    assert page.evaluate("location.hash") == "#the-theorem-and-all-of-its-proof"
    assert wrong == []


def test_the_link_button_copies_an_address_that_opens_the_same_figure(look, site):
    page, _ = look(CHAPTER, "#fig-price?L=5&fig-phases?K=4")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site)
    page.locator("#fig-phases .live-share").click()
    expect(page.locator("#fig-phases .live-note")).to_contain_text("clipboard")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site}/{CHAPTER}.html#fig-phases?K=4"


def test_a_cell_of_the_map_is_chosen_by_a_click(look):
    page, wrong = look(CHAPTER)
    drawing = page.locator("#fig-phases .live-stage > svg")
    drawing.scroll_into_view_if_needed()
    area = drawing.bounding_box()
    # the lowest row, leftmost column: K = 3, L = 1 (margins of plot.js)
    drawing.click(position={"x": 34 + 8, "y": area["height"] - 40 - 8})
    expect(part(page, "phases", "K")[1]).to_have_value("3")
    expect(part(page, "phases", "L")[1]).to_have_value("1")
    expect(words(page, "phases")).to_contain_text("K = 3, L = 1: of these three the least loss is that of DNC")
    assert wrong == []


def test_zero_modes_follow_the_width_and_signs_the_weight_decay(look):
    page, wrong = look(LANDSCAPE, "#fig-curvature?d=20")
    # L (r d - r (r + 1)/2) with L = 2: r = 9 and 5
    expect(words(page, "curvature")).to_contain_text(
        "DNC: 270 zero modes, smallest positive eigenvalue λ, none negative"
    )
    expect(words(page, "curvature")).to_contain_text("Pairing: 170 zero modes")
    slider, box = part(page, "curvature", "d")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(words(page, "curvature")).to_contain_text("DNC: 288 zero modes")
    box.fill("7")
    box.press("Enter")
    expect(words(page, "curvature")).to_contain_text("shown for d = 10")
    _, decay = part(page, "curvature", "lambda")
    decay.fill("0.03")
    decay.press("Enter")
    expect(words(page, "curvature")).to_contain_text("35 negative")  # K (K - 3)/2, between frontier and criticality
    assert wrong == []


@pytest.mark.parametrize("name", LIVE)
def test_no_button_of_python_without_python(look, name):
    page, _ = look(name)
    assert page.locator(".live-kernel:visible").count() == 0 < page.locator(".live-run").count()
    # where a run is to be had, says each figure that has one
    assert page.locator(".live-hint:visible").count() == (SITE / f"{name}.html").read_text().count('"runs": true')


@pytest.mark.parametrize("name", LIVE)
def test_every_input_has_a_name_and_every_drawing_its_words(look, name):
    page, _ = look(name)
    for figure in page.locator(".live").all():
        assert figure.get_attribute("role") == "group" and figure.evaluate(
            "e => document.getElementById(e.getAttribute('aria-labelledby')).textContent"
        )
        said = figure.locator(".live-words").inner_text()
        assert figure.locator(".live-words").get_attribute("role") == "status" and len(said.split()) > 5
        labels = [drawing.get_attribute("aria-label") for drawing in figure.locator("svg[role=img]").all()]
        # each drawing says what it is, in a line of its own; what it shows is said once, by the words
        assert all(labels) and len(set(labels)) == len(labels) and said not in labels
        assert max(map(len, labels)) < 200
        for each in figure.locator("input, select").all():
            assert each.evaluate("e => e.labels?.[0]?.textContent || e.getAttribute('aria-label')")
    ids = page.evaluate("() => [...document.querySelectorAll('.live [id], .live')].map(e => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", LIVE)
def test_figures_fit_a_phone(look, name):
    page, wrong = look(name, **PHONE)
    assert page.evaluate(CUT_OFF) == [] and page.evaluate(SMALL_TARGETS) == []
    for drawing in page.locator(".live svg[role=img]").all():
        assert drawing.bounding_box()["width"] > 250
    assert wrong == []


def test_a_figure_follows_the_width_of_the_window(look):
    page, wrong = look(FRONT)
    side_by_side = page.locator("#fig-puzzle svg[role=img]").first.bounding_box()["width"]
    page.set_viewport_size({"width": 500, "height": 800})
    page.evaluate(SETTLED)
    assert page.locator("#fig-puzzle svg[role=img]").first.bounding_box()["width"] > side_by_side
    assert page.evaluate(CUT_OFF) == [] and wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawings_follow_the_theme_and_its_switch(look, scheme):
    page, _ = look(FRONT, **DESK, color_scheme=scheme)
    filters = "() => [...document.querySelectorAll('.live-plot')].map(e => getComputedStyle(e).filter)"
    found = page.evaluate(filters)
    assert found and all((value != "none") == (scheme == "dark") for value in found)
    other = {"light": "dark", "dark": "light"}[scheme]
    page.evaluate(f"document.documentElement.dataset.theme = '{other}'")
    assert all((value != "none") == (other == "dark") for value in page.evaluate(filters))


@pytest.mark.parametrize("name", LIVE)
def test_letters_in_drawings_stand_out(look, name):
    page, _ = look(name)
    assert page.locator(".live svg text").count() > 5
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
        page.evaluate(SETTLED)  # the theme fades its colours
        assert page.evaluate(FAINT_LETTERS, scheme == "dark") == []


def test_a_wish_for_no_motion_is_heard_at_any_time(look):
    page, _ = look("book/low-rank-bias/optimal-structure")
    spin = page.locator("#fig-solids .solids-spin")
    spin.click()
    page.emulate_media(reduced_motion="reduce")
    expect(spin).to_be_hidden()
    expect(spin).to_have_attribute("aria-pressed", "false")
    page.emulate_media(reduced_motion="no-preference")
    expect(spin).to_be_visible()


def test_a_power_of_two_is_named(look):
    page, _ = look(FRONT)
    power, (slider, box) = page.locator("#fig-puzzle [data-name=lambda] .live-power"), part(page, "puzzle", "lambda")
    box.fill("2^-10")
    box.press("Enter")
    expect(power).to_have_text("= 2⁻¹⁰")
    expect(box).to_have_value("9.766e-4")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(power).to_have_text("")


def test_the_focus_goes_through_a_figure_in_order_and_is_seen(look):
    page, _ = look(CHAPTER)
    page.locator("#fig-price input").first.focus()
    seen = []
    for _ in range(8):
        seen.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        page.keyboard.press("Tab")
    assert [re.sub(r",.*", "", name) for name in seen[1::2]] == [
        "depth L",
        "singular value σ₁",
        "singular value σ₂",
        "Copy link",
    ]


TO_TRY = [
    ("book/low-rank-bias/relu", "race", "K=15&L=2", "no rival is below the bound"),
    ("book/low-rank-bias/relu", "race", "K=15&L=2&lambda=0.03125", "edges cost"),
    ("book/low-rank-bias/relu", "race", "K=12", "The price of pairs is below that of collapse"),
    ("book/low-rank-bias/imbalance", "merging", "R=30", "Small classes merge from"),
    ("book/low-rank-bias/imbalance", "merging", "R=31", "minority collapse"),
    ("book/low-rank-bias/imbalance", "merging", "L=2&lambda=0.032", "minority collapse"),
    ("book/landscape/flatness", "sharpness", "L=8", "2 call collapse sharper"),
    (
        "book/landscape/flatness",
        "sharpness",
        "L=8&n=100",
        "1 calls collapse flatter, 1 is equal, 1 calls collapse sharper",
    ),
    ("book/dynamics/no-regularization", "modes", "L=1", "7 of 7 singular values"),
    ("book/dynamics/no-regularization", "modes", "start=pairing&size=8&theta=0.6", "towards collapse"),
    ("book/dynamics/no-regularization", "modes", "start=pairing&size=8&theta=0.5", "towards pairing"),
]


@pytest.mark.parametrize(("name", "figure", "setting", "said"), TO_TRY)
def test_what_a_chapter_says_to_try_shows_what_it_says(look, name, figure, setting, said):
    page, wrong = look(name, f"#fig-{figure}?{setting}")
    expect(words(page, figure)).to_contain_text(said)
    assert wrong == []


SLOW_KERNEL = """async ({ source, card, values }) => {
  const heard = {}, state = { card, values, result: {} };
  const tell = (event, ...what) => (heard[event] ?? []).forEach(each => each(...what));
  const model = {
    get: name => state[name],
    set: (name, value) => { state[name] = value; tell(`change:${name}`); },
    on: (event, each) => (heard[event] ??= []).push(each),
    off() {},
    send: () => tell('msg:custom', { kind: 'kernel' }),
    save_changes: () => {},
  };
  const module = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  const place = document.body.appendChild(document.createElement('div'));
  module.default.render({ model, el: place });
  const box = place.querySelector('[data-name=lambda] input[type=text]');
  const type = text => { box.value = text; box.dispatchEvent(new Event('change')); };
  type('0.5');
  type('0.001');
  model.set('values', { ...state.values, lambda: 0.5 });  // the echo of the first, before the second was sent
  const early = box.value;
  await new Promise(done => setTimeout(done, 300));
  const sent = state.values.lambda;
  model.set('values', { ...state.values, lambda: 0.25 });  // set in Python later on
  return { early, sent, late: box.value };
}"""


def test_an_echo_of_a_slow_kernel_does_not_undo_what_the_reader_set(browser):
    page = browser.new_page()
    figure = Phases(n=2)
    found = page.evaluate(SLOW_KERNEL, {"source": str(figure._esm), "card": figure.card, "values": figure.values})
    page.close()
    assert found == {"early": "0.001", "sent": 0.001, "late": "0.25"}


# --- no control moves in vain

STAGE = "e => e.querySelector('.live-stage').outerHTML.replace(/clip-\\w+/g, '')"  # the only random names in a drawing
WORDS = "e => e.querySelector('.live-words').textContent"
CHOOSE = """(e, value) => {
  e.value = value;
  e.dispatchEvent(new Event(e.tagName === 'SELECT' ? 'change' : 'input'));
}"""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.parametrize("name", LIVE)
def test_every_control_changes_the_drawing_or_the_words(look, name):
    page, wrong = look(name)

    def seen(figure, control, values, what, wait):
        """What the figure shows at each value, and then it is reset."""
        found = []
        for value in values:
            control.evaluate(CHOOSE, value)
            page.evaluate(wait)
            found.append(figure.evaluate(what))
        figure.locator(".live-reset").click()
        return found

    for figure in page.locator(".live").all():
        for control in figure.locator(".live-controls:not(.live-kernel) :is(input[type=range], select)").all():
            values = control.evaluate("e => e.options ? [...e.options].map(o => o.value) : [e.min, e.max]")
            drawn = seen(figure, control, values, STAGE, DRAWN)
            if len(set(drawn)) < len(values):
                said = seen(figure, control, values, WORDS, SETTLED)
                label = control.evaluate("e => e.labels[0].textContent")
                assert len(set(said)) == len(values), f"{figure.get_attribute('id')}: {label}"
    assert wrong == []


IN_VAIN = [
    ("book/dynamics/no-regularization", "modes", "start=pairing", "where no seed plays a part"),
    ("book/dynamics/no-regularization", "modes", "theta=1", "where no seed plays a part"),
    ("book/landscape/flatness", "sharpness", "m=20&d=20", "the width must be at least K: shown for d = 40"),
    (CHAPTER, "phases", "lambda=0.5&n=50", "at λ = 0.5, n = 50 DNC has 0, pairing 0, the polygon 0, zero 112"),
]


@pytest.mark.parametrize(("name", "figure", "setting", "said"), IN_VAIN)
def test_a_control_that_has_no_effect_is_spoken_of(look, name, figure, setting, said):
    page, _ = look(name, f"#fig-{figure}?{setting}")
    expect(words(page, figure)).to_contain_text(said)
