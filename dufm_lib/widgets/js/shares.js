// How often descent ends at a structure, over the width and over the weight decay, with intervals: from committed runs.
import { live } from "./figure.js";
import { INK, key, Plot, powerOfTen } from "./plot.js";
import { show } from "./settings.js";
import { shares, wilson } from "./stats.js";

const LOOKS = [
  { dash: "2 3", marker: "^" },
  { dash: "7 3", marker: "s" },
  { dash: "", marker: "o" },
];
const percent = (part) => `${Math.round(100 * part)}%`;

export default live((figure) => ({
  draw() {
    const { structure, runs } = figure.values;
    const { letters, scales, slices, fixed } = figure.data;
    const color = figure.looks[structure].color;
    const named = Object.values(letters);
    const found = Object.fromEntries(
      Object.entries(slices).map(([name, lines]) => [name, lines.map((line) => shares(line, letters[structure] ?? "", named, runs))]),
    );
    const words = tell(figure, found);
    const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
    const label = structure === "mixed" ? "other" : figure.looks[structure].label;
    const axes = {
      width: { ...around(slices.width), log: true, label: `width d (λ = ${show(fixed.lambda)})`, ticks: [10, 30, 100, 300], format: String },
      lambda: { ...around(slices.lambda), log: true, label: `weight decay λ (d = ${fixed.width})`, ticks: [0.001, 0.01], format: powerOfTen },
    };
    const panels = Object.entries(axes).map(([name, x]) => {
      const plot = new Plot({ width, height: 250, x, y: { min: -0.03, max: 1.03, label: `share of runs: ${label}`, ticks: [0, 0.25, 0.5, 0.75, 1], format: percent } });
      found[name].forEach((line, i) => {
        const look = { color, ...LOOKS[i] };
        plot.line(line.map(({ x: at, estimate }) => [at, estimate]), look);
        plot.intervals(line.map(({ x: at, low, high }) => [at, low, high]), look);
        plot.points(line.map(({ x: at, estimate }) => [at, estimate]), look);
      });
      if (figure.result) own(plot, name, figure);
      return plot;
    });
    if (figure.result) panels.push(ranks(width, figure.result));
    figure.stage.innerHTML =
      `<div class="live-panels">${panels.map((plot) => plot.svg()).join("")}</div>` +
      key([
        ...scales.map((scale, i) => ({ color, ...LOOKS[i], label: `initial scale ${scale}` })),
        ...(figure.result ? [{ color: INK, marker: "D", label: "your runs", line: false }] : []),
      ]);
    return words;
  },
}));

/** The ends of a logarithmic axis that holds every point of a slice with some room. */
function around(lines) {
  const all = lines.flat().map(([x]) => x);
  return { min: Math.min(...all) / 1.25, max: Math.max(...all) * 1.25 };
}

/** The share among the reader's own runs, where the slice holds the setting. */
function own(plot, name, { result, values, data: { letters, fixed } }) {
  const count = result.structure.filter((each) => each === values.structure || (values.structure === "mixed" && !(each in letters))).length;
  const { estimate, low, high } = wilson(count, result.structure.length);
  const inside = name === "width" ? result.lambda === fixed.lambda : result.width === fixed.width;
  if (!inside) return;
  plot.intervals([[result[name], low, high]], {}).points([[result[name], estimate]], { color: INK, marker: "D" }, 5);
}

/** How many of the reader's own runs that converged have each rank. */
function ranks(width, { rank }) {
  const counts = Array.from({ length: 11 }, (_, each) => rank.filter((found) => found === each).length);
  const most = Math.max(1, ...counts);
  const plot = new Plot({
    width,
    height: 200,
    x: { min: -0.6, max: 10.6, label: "rank", ticks: [0, 2, 4, 6, 8, 10] },
    y: { min: 0, max: most, label: "your converged runs", ticks: most < 6 ? [...Array(most + 1).keys()] : undefined },
  });
  counts.forEach((count, each) => {
    const [left, right, top] = [plot.px(each - 0.4), plot.px(each + 0.4), plot.py(count)];
    plot.add(`<rect x="${left}" y="${top}" width="${right - left}" height="${plot.bottom - top}" fill="${INK}"/>`);
  });
  return plot;
}

function tell({ values: { structure, runs }, looks, data: { scales } }, found) {
  const name = structure === "mixed" ? "neither DNC nor pairing" : looks[structure].label;
  const lines = scales.map((scale, i) => {
    const say = ({ count, runs: of, low, high }) => `${count} of ${of} (${percent(low)} to ${percent(high)})`;
    const [narrow, wide] = [found.width[i][0], found.width[i].at(-1)];
    const most = found.lambda[i].reduce((best, each) => (each.estimate > best.estimate ? each : best));
    const widths = `${say(narrow)} at width ${narrow.x}, ${say(wide)} at width ${wide.x}`;
    return `Initial scale ${scale}: ${widths}; over the weight decays at most ${say(most)}, at λ = ${show(most.x)}`;
  });
  return `Runs that end at ${name}, with 95% intervals from ${runs} runs a point. ${lines.join(". ")}.`;
}
