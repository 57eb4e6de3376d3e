// The race with ReLU: pairs and edges of a complete graph against the least loss that collapse can have.
import { cellAt, cellMap } from "./cells.js";
import { cells, leader, race } from "./contest.js";
import { live } from "./figure.js";
import { pairsPrice, racers } from "./nonnegative.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { dncIsExcluded } from "./theory.js";

const CLASSES = [4, 21];
const DEPTHS = [2, 9];
const RANGE = [2 ** -20, 0.5];
const SAMPLES = 60;
const DECAYS = Array.from({ length: SAMPLES + 1 }, (_, i) => RANGE[0] * (RANGE[1] / RANGE[0]) ** (i / SAMPLES));
const NAMES = { dnc: "collapse", pairing: "pairs", strongly_regular: "edges" };

export default live((figure) => {
  // what does not depend on the slider that moves is kept
  const kept = {};
  const once = (name, settings, make) => {
    if (kept[name]?.settings !== settings) kept[name] = { settings, value: make() };
    return kept[name].value;
  };
  let map = null;
  const chosen = (event) => {
    const cell = cellAt(map, figure.stage.querySelectorAll("svg[role=img]")[1], event);
    if (cell) figure.set(cell);
  };
  figure.stage.addEventListener("click", chosen);
  return {
    draw() {
      const { K, L, n, lambda } = figure.values;
      const curves = once("curves", `${K} ${L} ${n}`, () => DECAYS.map((each) => race({ K, L, n, lambda: each })));
      const found = once("cells", `${n} ${lambda}`, () => cells(race, CLASSES, DEPTHS, { n, lambda }));
      const now = race({ K, L, n, lambda });
      const words = tell({ K, L, lambda }, now, found);
      const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
      map = cellMap({
        width,
        classes: CLASSES,
        depths: DEPTHS,
        cells: found,
        looks: figure.looks,
        at: { K, L },
        borders: [
          { holds: (classes, depth) => pairsPrice(classes, depth) < classes - 1, dash: "" },
          { holds: (classes, depth) => dncIsExcluded(classes, depth, "relu"), dash: "3 4" },
        ],
      });
      const run = figure.result;
      const own = run && [run.K, run.L, run.n].join() === [K, L, n].join() ? run : null;
      const ratios = ratioPanel(width, figure.looks, { K, L, n, lambda }, curves, now, own);
      figure.stage.innerHTML = `<div class="live-panels">${ratios.svg()}${map.svg()}</div>` + legend(figure.looks, found, own);
      return words;
    },
    remove: () => figure.stage.removeEventListener("click", chosen),
  };
});

function tell({ K, L, lambda }, best, map) {
  const prices = Object.entries(racers(K, L)).map(([name, { sigma: [[, price]] }]) => ({ name, price }));
  const below = prices.filter(({ name, price }) => name !== "dnc" && price < K - 1).map(({ name }) => NAMES[name]);
  const first = leader(best);
  const losses = Object.entries(best).map(([name, { loss }]) => `${NAMES[name]} ${name === "dnc" ? "at least " : ""}${show(loss, 5)}`);
  const at = `At λ = ${show(lambda)}`;
  let now;
  if (first === "zero") now = `${at} none of them beats zero logits. `;
  else if (first === "dnc") now = `${at} no rival is below the bound of collapse, which decides nothing (${losses.join(", ")}). `;
  else {
    const less = show(100 * (1 - best[first].loss / best.dnc.loss), 2);
    now = `${at} ${NAMES[first]} cost ${less}% less than the bound of collapse (${losses.join(", ")}). `;
  }
  const here = `at K = ${K}, L = ${L}`;
  const all = below.length
    ? `The price of ${below.join(" and of ")} is below that of collapse: ${here} no collapsed solution is a global minimum, whatever λ and n.`
    : `No price is below that of collapse: ${here} nothing is settled for every λ.`;
  const ahead = Object.entries({ ...NAMES, dnc: "the bound of collapse", zero: "zero logits" });
  const counts = ahead.map(([name, said]) => `${said} in ${map.filter((cell) => cell.name === name).length}`);
  const listed = prices.map(({ name, price }) => `${NAMES[name]} ${show(price, 4)}`).join(", ");
  return `${now}Prices: ${listed}. ${all} Of the ${map.length} cells the least loss is that of ${counts.join(", ")}.`;
}

/** Losses in parts of the bound of collapse; dotted, the ratio of the prices; and the ends of runs of the same setting. */
function ratioPanel(width, looks, { K, L, n, lambda }, curves, now, run) {
  const rivals = Object.entries(racers(K, L)).filter(([name]) => name !== "dnc");
  const prices = rivals.map(([name, { sigma: [[, price]] }]) => [name, price / (K - 1)]);
  const all = [...prices.map(([, ratio]) => ratio), ...curves.flatMap((best) => rivals.map(([name]) => best[name].loss / best.dnc.loss))];
  // runs that died at zero logits or got stuck would hide the others
  const ends = (run?.losses ?? []).map((loss) => loss / race({ K, L, n, lambda: run.lambda }).dnc.loss).filter((end) => end < 2);
  const [low, high] = [Math.min(0.95, ...all, ...ends), Math.max(1.05, ...all, ...ends)];
  const room = 0.08 * (high - low);
  const plot = new Plot({
    width,
    height: Math.min(330, 120 + 0.42 * width),
    x: { min: RANGE[0], max: RANGE[1], log: true, label: "weight decay λ" },
    y: { min: low - room, max: high + room, label: "loss / bound of collapse" },
  });
  plot.rule({ x: lambda }, { dash: "" });
  plot.line(RANGE.map((at) => [at, 1]), looks.dnc).points([[lambda, 1]], looks.dnc);
  for (const [name, ratio] of prices) {
    plot.rule({ y: ratio }, { color: looks[name].color });
    plot.line(curves.map((best, i) => [DECAYS[i], best[name].loss / best.dnc.loss]), looks[name]);
    plot.points([[lambda, now[name].loss / now.dnc.loss]], looks[name]);
  }
  return plot.points(ends.map((end) => [run.lambda, end]), { color: INK, marker: "+" }, 6);
}

function legend(looks, found, run) {
  const labels = {
    dnc: "collapse, at least",
    pairing: "pairs (orthoplex)",
    strongly_regular: "edges of a complete graph (K = 6, 10, 15, 21)",
    zero: "zero logits",
  };
  const used = Object.keys(labels).filter((name) => name !== "zero" || found.some((cell) => cell.name === "zero"));
  return key([
    ...used.map((name) => ({ ...looks[name], label: labels[name], line: name !== "zero" })),
    ...(run ? [{ color: INK, marker: "+", label: "where runs with PyTorch ended", line: false }] : []),
    { color: INK, dash: "2 3", label: "left: ratio of the prices", point: false },
    { color: INK, dash: "", label: "above and right of it pairs have the smaller price", point: false },
    { color: INK, dash: "3 4", label: "above and right of it the published Theorem 7 excludes DNC", point: false },
  ]);
}
