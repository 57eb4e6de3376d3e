// Classes of points in space, their means and the rows of the classifier, with the four measurements of collapse.
import { cloud, leastNc2, measured, SAMPLES } from "./clouds.js";
import { element } from "./controls.js";
import { corners } from "./corners.js";
import { live } from "./figure.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { turntable } from "./turntable.js";

const NAMES = ["NC1", "NC2", "NC3", "NC4"];
const [LEAST, MOST] = [1e-3, 10]; // of a measurement that gets a bar
const ZOOM = 0.85; // leaves room for samples around the means
const ROW = { color: INK, dash: "4 3", marker: "X" };

export default live((figure) => {
  const table = turntable("cloud", "The classes in space", figure);
  const right = element("div");
  const left = element("div", {}, table.picture, table.row);
  figure.stage.append(element("div", { className: "live-panels" }, left, right));
  return {
    draw() {
      const { K } = figure.values;
      const made = cloud(figure.values);
      // rounding is no distance from collapse
      const values = measured(made).map((value) => (value < 1e-12 ? 0 : value));
      const words = tell(K, values);
      const dnc = figure.looks.dnc;
      const two = figure.width >= 560;
      const width = two ? Math.floor((figure.width - 13) / 2) : figure.width;
      left.style.width = right.style.width = `${width}px`; // else the words of the key would decide
      table.put(
        {
          points: scaled(made.means),
          edges: corners("simplex", K).edges,
          signs: [
            ...scaled(made.samples).map((at, i) => ({ at, sign: made.labels[i] + 1, color: figure.data.colors[made.labels[i]] })),
            ...made.weight.map((row, k) => ({ at: row.map((each) => 1.2 * ZOOM * each), sign: `w${k + 1}`, color: INK })),
          ],
          rays: scaled(made.weight).map((end) => ({ end, look: ROW })),
        },
        dnc,
        Math.min(width, 360),
        "samples, class means and rows of the last layer in space",
      );
      right.innerHTML =
        bars(width, values, leastNc2(K)).svg() +
        key([
          { ...dnc, label: "class means" },
          { ...ROW, label: "rows w of the last layer" },
        ]);
      return words;
    },
  };
});

const scaled = (points) => points.map((point) => point.map((each) => ZOOM * each));

function tell(K, values) {
  const said = NAMES.map((name, i) => `${name} = ${show(values[i])}`).join(", ");
  const other = Math.round(values[3] * K * SAMPLES);
  const rule = `The classifier and the nearest class mean disagree on ${other} of ${K * SAMPLES} samples.`;
  const room = K > 4 ? ` ${K} class means in three dimensions are no simplex: NC2 cannot go below ${show(leastNc2(K))}.` : "";
  const done = values.every((value) => value === 0) ? " This is neural collapse." : "";
  return `${said}. ${rule}${room}${done}`;
}

/** The four measurements as bars on a logarithmic axis, with their values. */
function bars(width, values, least) {
  const plot = new Plot({
    width,
    height: 210,
    x: { min: LEAST, max: MOST, log: true, label: "measurement" },
    y: { min: 0.4, max: 4.6, ticks: [1, 2, 3, 4], format: (at) => NAMES[4 - at] },
    margin: { right: 46 },
  });
  values.forEach((value, i) => {
    const [at, end] = [4 - i, Math.min(MOST, Math.max(LEAST, value))];
    const [top, high] = [plot.py(at + 0.28), plot.py(at - 0.28) - plot.py(at + 0.28)];
    plot.add(`<rect x="${plot.left}" y="${top}" width="${plot.px(end) - plot.left}" height="${high}" fill="${INK}" opacity="0.7"/>`);
    plot.text(end, at, show(value), { anchor: "start", dx: 6, dy: 4 });
  });
  if (least) plot.line([[least, 2.6], [least, 3.4]], { color: INK, dash: "2 2" });
  return plot;
}
