// Large and small classes: how far apart the best logits hold them, against the weight decay, and these logits.
import { live } from "./figure.js";
import { heatMap } from "./heat.js";
import { logits, mergingDecay, selSingularValues, smallCosine } from "./imbalance.js";
import { DECAYS, MERGED, mergesFrom, optimaOf, optimumAt } from "./minority.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";

const LOOKS = {
  large: { color: INK, dash: "", marker: "s", label: "large classes: a" },
  small: { color: "#57606c", dash: "6 3", marker: "o", label: "small classes: c" },
};
export default live((figure) => {
  let drawn = ""; // the curves do not depend on lambda: a drag of it keeps them
  let optima, from;
  return {
    draw() {
      const { k1, k2, R, L, lambda } = figure.values;
      const setting = { k1, k2, R, L };
      if (drawn !== JSON.stringify(setting)) {
        optima = optimaOf(setting);
        from = mergesFrom(setting, optima);
        drawn = JSON.stringify(setting);
      }
      const now = optimumAt(setting, optima, lambda);
      const words = tell(setting, lambda, now, from);
      const two = figure.width >= 560;
      const width = two ? 0.58 * (figure.width - 13) : figure.width;
      const side = Math.min(300, two ? 0.42 * (figure.width - 13) : figure.width);
      const run = figure.result;
      const own = run && ["k1", "k2", "R", "L"].every((name) => run[name] === setting[name]) ? run : null;
      figure.stage.innerHTML =
        `<div class="live-panels">${curves(width, setting, lambda, optima, now, from, own).svg()}` +
        `${heatMap(logits(setting, now), setting.k1 + setting.k2, side, "mean logits of the classes")}</div>` +
        key([
          ...shown(setting).map((size) => LOOKS[size]),
          ...(from ? [{ color: INK, dash: "2 3", label: "small classes merge", point: false }] : []),
          ...(own ? [{ color: INK, marker: "+", label: "after descent with PyTorch", line: false }] : []),
        ]);
      return words;
    },
  };
});

/** The sizes of which there are two classes, that can be apart. */
function shown({ k1, k2 }) {
  return Object.keys(LOOKS).filter((size) => (size === "large" ? k1 : k2) > 1);
}

function tell(setting, lambda, now, from) {
  const { k1, k2, R, L } = setting;
  const classes = `${k1} × ${R} and ${k2} × 1 samples, L = ${L}, λ = ${show(lambda)}`;
  const [large, groups, small] = now.sigma;
  if (Math.max(...now.sigma) < MERGED) return `${classes}: zero logits are best, and all classes are one.`;
  const apart = k1 > 1 ? [large < MERGED ? "large classes share one column" : `large classes are a = ${show(now.large)} apart`] : [];
  if (k2 > 1) {
    const cosine = smallCosine(setting, now);
    apart.push(
      small < MERGED
        ? "small classes share one column: minority collapse"
        : `small classes c = ${show(now.small)} (cosine of their features ${show(cosine, 2)})`,
    );
  }
  const one = `λ = √n_min/N = ${show(mergingDecay(setting))}`;
  let merge = "";
  if (k2 > 1 && L === 1) merge = ` Small classes merge from ${one} on.`;
  else if (k2 > 1 && from) {
    const alike = "among logits that treat classes of one size alike";
    merge = ` Small classes merge from λ = ${show(from)} on, ${alike}; one layer merges them from ${one} on.`;
  }
  const named = (values) => values.map(([value, name]) => `${show(value)} (${name})`).join(", ");
  const names = ["large", "groups", "small"];
  const counted = selSingularValues(setting).map(([value, count], i) => ({ value, found: [large, groups, small][i], name: names[i], count }));
  const there = counted.filter(({ count }) => count > 0);
  const ours = named(there.map(({ found, name }) => [found < MERGED ? 0 : found, name]));
  const theirs = named(there.map(({ value, name }) => [value, name]));
  const said = apart.length ? apart.join(", ") : "the groups are told apart";
  return `${classes}: ${said}.${merge} Singular values: ${ours}; of SEL: ${theirs}.`;
}

/** How far apart the classes of one size are. */
function curves(width, setting, lambda, optima, now, from, run) {
  const sizes = shown(setting);
  const plot = new Plot({
    width,
    height: 300,
    x: { min: DECAYS[0], max: DECAYS.at(-1), log: true, label: "weight decay λ" },
    y: { min: 0, max: 1.08 * Math.max(1, ...optima.flatMap((each) => sizes.map((size) => each[size]))), label: "how far apart" },
  });
  plot.rule({ x: lambda }, { dash: "" });
  if (from) plot.rule({ x: from });
  for (const size of sizes) {
    const line = optima.map((each, i) => [DECAYS[i], each[size]]);
    if (from && size === "small") {
      // deeper down they merge at once
      const edge = optimumAt(setting, optima, 0.999 * from).small;
      line.splice(DECAYS.findIndex((each) => each >= from), 0, [from, edge], [from, 0]);
    }
    plot.line(line, LOOKS[size]);
    plot.points([[lambda, now[size]]], LOOKS[size], 5);
    if (run) plot.points([[run.lambda, run[size]]], { color: INK, marker: "+" }, 8);
  }
  return plot;
}
