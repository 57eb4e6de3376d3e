// DNC1 to DNC3 in every layer of a deep linear model between the simplex and pairing, and the sizes of its class means.
import { live } from "./figure.js";
import { GREY, INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { collapse, meanSizes, singularValues, tower } from "./tower.js";

const LINES = {
  dnc1: { color: INK, dash: "", marker: "o", label: "DNC1, variation" },
  dnc2: { color: INK, dash: "6 3", marker: "s", label: "DNC2, distance from a simplex" },
  dnc3: { color: GREY, dash: "2 3", marker: "^", label: "DNC3, weights that read nothing" },
};
const ZERO = 1e-9; // of a measurement: below it is rounding
const TICKS = [0, 0.01, 0.1, 0.5, 1, 2];

export default live((figure) => ({
  draw() {
    const setting = figure.values;
    const found = collapse(tower(setting));
    for (const name of Object.keys(LINES)) found[name] = found[name].map((value) => (value < ZERO ? 0 : value));
    const words = tell(setting, found);
    const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
    const { dnc, pairing } = figure.looks;
    figure.stage.innerHTML =
      `<div class="live-panels">${measured(width, setting, found).svg()}${sizes(width, figure.looks, setting).svg()}</div>` +
      key([
        ...Object.values(LINES),
        { ...pairing, label: "within pairs" },
        { ...dnc, label: "between pairs" },
      ]);
    return words;
  },
}));

function tell({ K, L, mix }, found) {
  const range = (values) => {
    const [first, last] = [values[0], values.at(-1)];
    return Math.abs(last - first) <= 1e-6 * Math.abs(first) ? `${show(first)} in every layer` : `${show(first)} at the first layer, ${show(last)} at the last`;
  };
  const name = mix === 0 ? "the simplex" : mix === 1 ? "pairing" : "between the simplex and pairing";
  const said = Object.keys(LINES).map((each) => `${each.toUpperCase()} ${range(found[each])}`);
  const { factors } = singularValues({ K, L, mix });
  const [strong, weak] = [factors[0], factors.at(-1)];
  const growth = mix === 0 ? `Each layer multiplies the class means by ${show(strong)}.` : `Each layer multiplies differences within pairs by ${show(strong)}, between pairs by ${show(weak)}.`;
  return `K = ${K}, L = ${L}, ${name}: ${said.join("; ")}. ${growth} ${show(100 * found.right)}% of the samples are classified correctly.`;
}

function across(width, L, from, label, y) {
  const ticks = Array.from({ length: L + 1 - from }, (_, i) => from + i);
  return new Plot({ width, height: 250, x: { min: from - 0.3, max: L + 0.3, label, ticks }, y });
}

/** Left: the three properties of what each matrix receives. */
function measured(width, { L }, found) {
  const most = Math.max(1, ...Object.keys(LINES).flatMap((name) => found[name]));
  // a square root keeps small values apart, and has a place for 0
  const plot = across(width, L, 1, "layer l", {
    min: 0,
    max: Math.sqrt(1.1 * most),
    label: "measured at what layer l receives",
    ticks: TICKS.filter((tick) => tick <= 1.1 * most).map(Math.sqrt),
    format: (at) => show(at ** 2),
  });
  for (const [name, look] of Object.entries(LINES)) {
    const points = found[name].map((value, i) => [i + 1, Math.sqrt(value)]);
    plot.line(points, look).points(points, look, 4.5);
  }
  return plot;
}

/** Right: singular values of the class means after each layer, the logits last. */
function sizes(width, looks, { K, L, mix }) {
  const { within, between } = meanSizes({ K, L, mix });
  const plot = across(width, L, 0, `matrices above the features (${L}: the logits)`, {
    min: 0.05,
    max: 20,
    log: true,
    label: "singular values of the class means",
  });
  for (const [look, values] of [[looks.pairing, within], [looks.dnc, between]]) {
    if (values[0] === 0) continue;
    const points = values.map((value, l) => [l, value]);
    plot.line(points, look).points(points, look, 4.5);
  }
  return plot;
}
