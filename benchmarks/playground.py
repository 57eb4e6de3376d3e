"""How many steps a second does the playground take in a browser, and how long does the page take to draw one picture?

    python benchmarks/playground.py [--seconds 3] [--output benchmarks/playground.json]

The playground's own Web Worker, in Chromium, as fast as it can, measuring and reporting as it does on the page:

    worker     steps a second by the clock, in the best of several spells of half a second
    bare       the same without records and reports: Descent.step alone

Then the drawing of the page while the worker runs: median and 95th percentile of one picture, in milliseconds.
A machine busy with other things slows all of them; numbers to quote come from an idle one. Writes what it prints,
with the environment, as JSON.
"""

import sys
from pathlib import Path

from environment import command_line, environment, write
from playwright.sync_api import Page, sync_playwright

from dufm_lib.widgets.bundle import bundle
from dufm_lib.widgets.playground import Playground

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import chromium

SETTINGS = [  # classes, samples, depth, width, activation
    (10, 5, 2, 20, "linear"),
    (10, 5, 2, 20, "relu"),
    (10, 5, 1, 20, "linear"),
    (10, 5, 2, 40, "linear"),
    (10, 5, 4, 40, "linear"),
    (10, 5, 4, 40, "relu"),
    (6, 2, 2, 20, "linear"),
]
SPELL = 500  # milliseconds
TARGET = 3000  # steps a second wanted at the first setting

WORKER = """async ([source, setting, seconds, spell]) => {
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  const told = [];
  worker.onmessage = ({ data }) => {
    told.push([performance.now(), data.steps]);
    if (data.ended) worker.postMessage({ start: setting, key: 0, play: 1e6 });
  };
  worker.postMessage({ start: setting, key: 0, play: 1e6 });
  await new Promise(done => setTimeout(done, 1000 * seconds + 300));
  worker.terminate();
  let best = 0;
  for (let i = 0, j = 0; i < told.length; i++) {
    while (j < i && told[i][0] - told[j][0] > spell) j++;
    if (j && told[i][1] > told[j - 1][1]) {
      best = Math.max(best, 1000 * (told[i][1] - told[j - 1][1]) / (told[i][0] - told[j - 1][0]));
    }
  }
  return best;
}"""
BARE = """async ([source, setting, seconds, spell]) => {
  const timing = `
    const run = new $descent.Descent(setting, $descent.randomStart(setting, 0, 0.5));
    let best = 0;
    for (const end = performance.now() + 1000 * ${seconds}; performance.now() < end;) {
      const begun = performance.now();
      let count = 0;
      for (; performance.now() - begun < ${spell}; count += 50) for (let i = 0; i < 50; i++) run.step();
      best = Math.max(best, 1000 * count / (performance.now() - begun));
    }
    postMessage(best);`;
  const code = `${source}\\nconst setting = ${JSON.stringify(setting)};${timing}`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const best = await new Promise(done => { worker.onmessage = ({ data }) => done(data); });
  worker.terminate();
  return best;
}"""
DRAWING = """async ([source, card, values, seconds]) => {
  const { default: figure } = await import(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  const state = { card, values, result: {} };
  const model = { get: name => state[name], set() {}, on() {}, off() {}, send() {}, save_changes() {} };
  const times = [];
  const frame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = draw => frame(now => {
    const begun = performance.now();
    draw(now);
    times.push(performance.now() - begun);
  });
  figure.render({ model, el: document.body.appendChild(document.createElement('div')) });
  await new Promise(done => setTimeout(done, 300));
  document.querySelector('.playground-play').click();
  await new Promise(done => setTimeout(done, 1000 * seconds));
  times.sort((a, b) => a - b);
  return [times[Math.floor(times.length / 2)], times[Math.floor(0.95 * times.length)], times.length];
}"""


def rates(page: Page, seconds: float) -> list[dict[str, object]]:
    """Steps a second at each setting."""
    names, rows = ("classes", "samples", "depth", "width", "activation"), []
    for setting in SETTINGS:
        values = dict(zip(names, setting, strict=True))
        given = values | {"weightDecay": 2**-10, "learningRate": 0.1, "initScale": 0.5, "seed": 0}
        worker = page.evaluate(WORKER, [bundle("worker.js"), given, seconds, SPELL])
        bare = page.evaluate(BARE, [bundle("descent.js"), given, seconds, SPELL])
        rows.append(values | {"worker": worker, "bare": bare})
    return rows


def drawing(page: Page, seconds: float) -> dict[str, float]:
    """Milliseconds of a picture at K = 10 while the worker runs at full speed."""
    figure = Playground(K=10, n=5, pace=1_000_000, rate=0.1)
    median, slow, count = page.evaluate(DRAWING, [figure._esm, figure.card, figure.values, seconds])
    return {"median": median, "95th percentile": slow, "pictures": count}


def main() -> None:
    parser = command_line(__file__, __doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    path = chromium.find()
    if not path:
        raise SystemExit(chromium.HELP)
    before = environment()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        table, pictures, version = rates(page, arguments.seconds), drawing(page, arguments.seconds), browser.version
        browser.close()

    print(f"{'K':>3}{'n':>3}{'L':>3}{'d':>4} {'activation':10}{'steps a second':>15}{'bare':>10}")
    for row in table:
        print(
            f"{row['classes']:3}{row['samples']:3}{row['depth']:3}{row['width']:4} {row['activation']:10}"
            f"{row['worker']:15,.0f}{row['bare']:10,.0f}"
        )
    print(f"wanted at the first: {TARGET:,}")
    print(f"a picture: {pictures['median']:.1f} ms (median), {pictures['95th percentile']:.1f} ms (95th percentile)")
    record = {"environment": before | {"chromium": version}, "steps_a_second": table, "picture_ms": pictures}
    write(arguments.output, record)


if __name__ == "__main__":
    main()
