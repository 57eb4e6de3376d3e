"""How long does a live figure take to redraw while a reader drags one of its sliders?

    python benchmarks/frames.py [--site _build/html] [--steps 60] [--output benchmarks/frames.json]

Every slider of every live figure of a built book, in Chromium: its whole range is dragged through in `--steps` steps
and each is timed from the slider's event to the drawing in place, style and layout included: what a page must do
within one picture of the screen, 1/60 s. A structure in space is also turned by its keys. Printed are the median and
the 95th percentile of a figure's slowest control; the JSON holds all of them, with the environment. A machine busy with
other things slows them; numbers to quote come from an idle one. Needs `make book`.
"""

import sys
from pathlib import Path
from statistics import median, quantiles

from environment import command_line, environment, write
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import chromium

TARGET = 16.0  # milliseconds

# callbacks of frames wait until we call them, so that one step of a drag is one measurement
HOLD_FRAMES = """() => {
  const frame = window.requestAnimationFrame.bind(window);
  window.held = [];
  window.nextFrame = () => new Promise(frame);
  window.requestAnimationFrame = draw => window.held.push(draw);
}"""
DRAWN = """() => [...document.querySelectorAll('.live[id]')].every(figure => figure.querySelector('svg'))
  && document.querySelector('.live[id]')"""
CONTROLS = """() => [...document.querySelectorAll('.live[id]')].flatMap(figure =>
  [...figure.querySelectorAll('[data-name] input[type=range]'), ...figure.querySelectorAll('[class$="-view"]')]
    .filter(each => each.getClientRects().length)
    .map(each => [figure.id, each.closest('[data-name]')?.dataset.name ?? 'turn']))"""
DRAG = """async ([id, name, steps]) => {
  const figure = document.getElementById(id);
  const slider = figure.querySelector(`[data-name="${name}"] input[type=range]`);
  const view = figure.querySelector('[class$="-view"]');
  const start = slider?.value;
  // where a whole number has fewer values than there are steps, they come again: every step changes something
  const places = slider ? Array.from({ length: steps }, (_, i) => {
    slider.value = Number(slider.min) + (slider.max - slider.min) * (i + 1) / steps;
    return slider.value;
  }) : [];
  const values = [...new Set(places)];
  const times = [];
  for (let i = 0; i <= steps; i++) {
    while (held.length) held.shift()(performance.now());
    await nextFrame();
    const begun = performance.now();
    if (slider) {
      slider.value = values[i % values.length];
      slider.dispatchEvent(new Event('input'));
    } else view.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
    while (held.length) held.shift()(performance.now());
    figure.getBoundingClientRect();
    times.push(performance.now() - begun);
  }
  if (slider) {
    slider.value = start;
    slider.dispatchEvent(new Event('input'));
  }
  return times.slice(1);
}"""


def measured(page: Page, address: str, steps: int) -> list[dict[str, object]]:
    """One row a control of the live figures of a page."""
    page.goto(address, wait_until="load")
    page.wait_for_function(DRAWN)
    page.evaluate(HOLD_FRAMES)
    rows = []
    for figure, control in page.evaluate(CONTROLS):
        times = page.evaluate(DRAG, [figure, control, steps])
        rows.append({"figure": figure, "control": control, "median": median(times), "p95": quantiles(times, n=20)[-1]})
    return rows


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--site", type=Path, default=Path(__file__).resolve().parents[1] / "_build" / "html")
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    path = chromium.find()
    if not path:
        raise SystemExit(chromium.HELP)
    pages = [page for page in sorted(arguments.site.glob("**/*.html")) if '"id": "fig-' in page.read_text()]
    if not pages:
        raise SystemExit(f"{arguments.site} holds no page with a live figure: run 'make book' first")
    before, rows = environment(), []
    print(f"{'figure':22}{'slowest control':18}{'median ms':>10}{'95%':>8}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for address in pages:
            found = measured(page, address.resolve().as_uri(), arguments.steps)
            rows += [{"page": address.relative_to(arguments.site).as_posix(), **row} for row in found]
            for figure in dict.fromkeys(row["figure"] for row in found):
                row = max((row for row in found if row["figure"] == figure), key=lambda row: row["median"])
                print(f"{figure:22}{row['control']:18}{row['median']:10.1f}{row['p95']:8.1f}", flush=True)
        version = browser.version
        browser.close()
    over = [f"{row['figure']} {row['control']}" for row in rows if row["median"] > TARGET]
    print(f"above {TARGET:.0f} ms in the median: {', '.join(over) or 'none'}")
    write(arguments.output, {"environment": before | {"chromium": version}, "redraw_ms": rows})


if __name__ == "__main__":
    main()
