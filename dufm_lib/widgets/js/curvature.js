// The Hessian spectrum at collapse and at pairing, and how many zero modes the width gives each of them.
import { live } from "./figure.js";
import { spectra, summary, zeroModes } from "./hessian.js";
import { escaped, GREY, INK, key, marker, Plot } from "./plot.js";
import { show } from "./settings.js";

const WIDEST = 200;
const TICKS = [-2, 0, 1, 2, 5, 10, 20, 50];
const NAMES = { dnc: "DNC", pairing: "Pairing" };
// of an eigenvalue in units of lambda, across
const place = Math.asinh;
// the foot of a stem, below one eigenvalue
const LOW = 0.6;

export default live((figure) => ({
  draw() {
    // a width below K has no collapsed point
    const d = Math.max(figure.values.d, figure.values.K);
    const problem = { ...figure.values, d };
    const found = spectra(problem);
    const words = tell(problem, found, figure);
    const run = figure.result;
    const fits = run && ["K", "n", "L", "d", "lambda"].every((name) => run[name] === problem[name]);
    const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
    const most = Math.max(...Object.values(found).flatMap(({ spectrum = [] }) => spectrum.map(({ count }) => count)), 100);
    const panels = Object.keys(NAMES).map((name) =>
      ladder(width, figure.looks[name], found[name], problem, 10 ** Math.ceil(Math.log10(4 * most)), fits && run[name]).svg({ title: figure.looks[name].label }),
    );
    const here = counted(problem.K).map((name) => `${NAMES[name]} ${zeroModes(found[name].rank, d, problem.L)}`);
    const unstable = Object.values(found).some(({ spectrum }) => spectrum && spectrum[0].value < 0);
    figure.stage.innerHTML =
      `<div class="live-panels">${panels.join("")}${widths(figure.width, figure.looks, problem, found).svg({ title: `d = ${d}: ${here.join(", ")}` })}</div>` +
      key([
        ...counted(problem.K).map((name) => figure.looks[name]),
        ...(unstable ? [{ color: INK, marker: "X", label: "negative eigenvalue", line: false }] : []),
        ...(fits ? [{ color: INK, marker: "+", label: "with PyTorch", line: false }] : []),
      ]);
    return words;
  },
}));

function tell({ K, n, L, d, lambda }, found, { values }) {
  const inLambda = (value) => (Math.abs(value / lambda - 1) < 1e-9 ? "λ" : `${show(value / lambda)} λ`);
  const said = Object.entries(found).map(([name, { spectrum, reason }]) => {
    if (!spectrum) return `${NAMES[name]}: ${reason}.`;
    const { zeros, negative, smallest, next } = summary(spectrum);
    const below = negative ? `${negative} negative, down to ${inLambda(smallest)}` : "none negative";
    return `${NAMES[name]}: ${zeros} zero modes, smallest positive eigenvalue ${inLambda(next)}, ${below}.`;
  });
  const narrow = values.d < K ? ` (the width must be at least K: shown for d = ${d})` : "";
  const more = counted(K).map((name) => `${NAMES[name]} ${zeroModes(found[name].rank, d + 1, L) - zeroModes(found[name].rank, d, L)}`);
  return `K = ${K}, L = ${L}, d = ${d}, n = ${n}, λ = ${show(lambda)}${narrow}. ${said.join(" ")} One more unit of width adds zero modes: ${more.join(", ")}.`;
}

/** Distinct eigenvalues of one structure as stems, as high as they are many. */
function ladder(width, look, { spectrum, reason }, { lambda }, most, run) {
  const plot = new Plot({
    width,
    height: 230,
    x: {
      min: place(-4),
      max: place(110),
      label: "eigenvalue / λ",
      ticks: TICKS.map(place),
      format: (at) => String(Math.round(Math.sinh(at))),
    },
    y: { min: LOW, max: most, log: true, label: "how many" },
  });
  plot.add(`<rect x="${plot.left}" y="${plot.top}" width="${plot.px(0) - plot.left}" height="${plot.bottom - plot.top}" fill="${GREY}" opacity="0.12"/>`);
  if (!spectrum) return plot.text(place(8), Math.sqrt(LOW * most), reason, { color: GREY });
  for (const { value, count, names } of spectrum) {
    const x = place(value / lambda);
    const sign = value < 0 ? { ...look, marker: "X" } : look;
    plot.line([[x, LOW], [x, count]], look, { width: value === 0 ? 6 : 2 });
    const about = `${count} × ${show(value / lambda, 4)} λ: ${names.join("; ")}`;
    plot.add(`<g><title>${escaped(about)}</title>${marker(sign, plot.px(x), plot.py(count), 4)}</g>`, { front: true });
    if (value < 0) plot.text(x, count, `${count} ×`, { anchor: "end", dx: -8, dy: 4 });
    if (value === 0) plot.text(x, count, `${count} zeros`, { anchor: "end", dx: 6, dy: -9 });
  }
  // numbers of a result may come from elsewhere: only pixels enter the markup
  for (const [value, count] of run || []) plot.points([[place(value / lambda), count]], { color: INK, marker: "+" }, 7);
  return plot;
}

/** Zero modes against the width. */
function widths(width, looks, { K, L, d }, found) {
  const plot = new Plot({
    width,
    height: 200,
    x: { min: K, max: WIDEST, label: "width d", ticks: [K, 50, 100, 150, WIDEST] },
    y: { min: 0, max: 1.05 * zeroModes(K - 1, WIDEST, L), label: "zero modes" },
  });
  plot.rule({ x: d });
  for (const name of counted(K)) {
    plot.line([K, WIDEST].map((at) => [at, zeroModes(found[name].rank, at, L)]), looks[name]);
    plot.points([[d, zeroModes(found[name].rank, d, L)]], looks[name], 5);
  }
  return plot;
}

/** The structures with a critical point. */
function counted(K) {
  return K % 2 ? ["dnc"] : Object.keys(NAMES);
}
