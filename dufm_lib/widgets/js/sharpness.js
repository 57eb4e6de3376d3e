// Norms of the Hessian at collapse over those at pairing: on the way to vanishing weight decay, and their limits.
import { live } from "./figure.js";
import { limits, norms, penaltyShare, ratios } from "./flatness.js";
import { GREY, INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";

const LOOKS = {
  spectral: { color: INK, dash: "", marker: "o", label: "spectral norm" },
  frobenius: { color: "#57606c", dash: "6 3", marker: "s", label: "Frobenius norm" },
  trace: { color: "#6a7480", dash: "7 3 2 3", marker: "^", label: "trace norm" },
};
const RANGE = [2 ** -80, 2 ** -6];
const DECAYS = Array.from({ length: 58 }, (_, i) => RANGE[1] * (RANGE[0] / RANGE[1]) ** ((i / 57) ** 2));
const DEPTHS = Array.from({ length: 12 }, (_, i) => i + 1);

export default live((figure) => {
  let drawn = ""; // the curves do not depend on lambda: a drag of it keeps them
  let curves;
  return {
    draw() {
      const { m, n, L, lambda } = figure.values;
      const K = 2 * m;
      // a width below K has no collapsed point
      const problem = { K, n, L, d: Math.max(figure.values.d, K), lambda };
      if (drawn !== `${K} ${n} ${L} ${problem.d}`) {
        curves = DECAYS.map((each) => ratios({ ...problem, lambda: each }));
        drawn = `${K} ${n} ${L} ${problem.d}`;
      }
      const now = norms(problem);
            const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
      const deep = DEPTHS.map((depth) => limits({ K, n, L: depth }));
      const words = tell(problem, now, deep, figure.values.d);
      const all = [...curves, ...deep].filter(Boolean).flatMap(Object.values);
      const [low, high] = [Math.min(0.9, ...all), Math.max(1.1, ...all)];
      const y = { min: low - 0.06 * (high - low), max: high + 0.06 * (high - low), label: "norm at DNC / at pairing" };
      const run = figure.result;
      const own = run && ["m", "n", "L", "d"].every((name) => run[name] === figure.values[name]) ? run : null;
      const panels = [overDecays(width, y, problem, curves, own), overDepths(width, y, problem, deep)];
      figure.stage.innerHTML =
        `<div class="live-panels">${panels.map((plot) => plot.svg()).join("")}</div>` +
        key([
          ...Object.values(LOOKS),
          { color: INK, dash: "2 3", label: "left: limit for λ → 0", point: false },
          ...(own ? [{ color: INK, marker: "+", label: "with PyTorch", line: false }] : []),
        ]);
      return words;
    },
  };
});

function tell({ K, n, L, d, lambda }, now, deep, width) {
  const listed = (each) => Object.keys(LOOKS).map((name) => `${LOOKS[name].label.split(" ")[0]} ${show(each[name])}`).join(", ");
  const end = limits({ K, n, L });
  const sides = { flatter: 0, equal: 0, sharper: 0 };
  for (const value of Object.values(end)) sides[Math.abs(value - 1) < 1e-9 ? "equal" : value < 1 ? "flatter" : "sharper"] += 1;
  const verb = (side, count) => (side === "equal" ? (count === 1 ? "is" : "are") : `${count === 1 ? "calls" : "call"} collapse`);
  const said = Object.entries(sides).filter(([, count]) => count).map(([side, count]) => `${count} ${verb(side, count)} ${side}`);
  const narrow = width < K ? ` (the width must be at least K: shown for d = ${d})` : "";
  const about = `K = ${K}, n = ${n}, L = ${L}, d = ${d}, λ = ${show(lambda)}${narrow}`;
  const limit = `In the limit λ → 0: ${listed(end)}; of the three norms ${said.join(", ")}. From depth ${DEPTHS[0]} to ${DEPTHS.at(-1)} these go from ${listed(deep[0])} to ${listed(deep.at(-1))}.`;
  if (!now) return `${about}: the weight decay is too large for one of the two points. ${limit}`;
  const share = Math.round(100 * penaltyShare({ K, n, L, d }, now.dnc.trace));
  return `${about}: ${listed(ratios({ K, n, L, d, lambda }))} times the norm at pairing. The penalty alone makes ${share}% of the trace norm at DNC. ${limit}`;
}

/** The ratios on the way to vanishing weight decay, with their limits. */
function overDecays(width, y, problem, curves, run) {
  const plot = new Plot({ width, height: 260, x: { min: RANGE[0], max: RANGE[1], log: true, label: "weight decay λ" }, y });
  const now = ratios(problem);
  const end = limits(problem);
  plot.rule({ y: 1 }, { color: GREY, dash: "" }).rule({ x: problem.lambda }, { dash: "" });
  for (const [name, look] of Object.entries(LOOKS)) {
    plot.rule({ y: end[name] }, { color: look.color });
    plot.line(DECAYS.map((each, i) => [each, curves[i]?.[name]]), look);
    if (now) plot.points([[problem.lambda, now[name]]], look);
    if (run) plot.points([[run.lambda, run[name]]], { color: INK, marker: "+" }, 8);
  }
  return plot;
}

/** The limits of the ratios against the depth. */
function overDepths(width, y, { K, n, L }, deep) {
  const plot = new Plot({
    width,
    height: 260,
    x: { min: 0.5, max: DEPTHS.at(-1) + 0.5, label: "depth L", ticks: [1, 2, 4, 6, 8, 10, 12] },
    y,
  });
  plot.rule({ y: 1 }, { color: GREY, dash: "" }).rule({ x: L }, { dash: "" });
  for (const [name, look] of Object.entries(LOOKS)) {
    plot.line(deep.map((each, i) => [DEPTHS[i], each[name]]), look);
    plot.points([[L, limits({ K, n, L })[name]]], look);
  }
  return plot;
}
