// The phase map: which structure has the least loss for each number of classes and each depth, and what the theorems exclude.
import { cellAt, cellMap, range } from "./cells.js";
import { live } from "./figure.js";
import { INK, key } from "./plot.js";
import { show } from "./settings.js";
import { dncIsExcluded, optimalScale, pairing, polygon, simplex } from "./theory.js";

const SHAPES = { dnc: simplex, pairing, polygon };
const CLASSES = [3, 18];
const DEPTHS = [1, 7];

/** { name, best }: the structure of least loss, the first of equal ones (to 1e-9), "zero" if none beats zero logits. */
export function cheapest(problem) {
  const best = Object.fromEntries(Object.entries(SHAPES).map(([name, shape]) => [name, optimalScale(shape(problem.K), problem)]));
  const least = Math.min(...Object.values(best).map(({ loss }) => loss));
  const name = Object.keys(best).find((each) => best[each].loss <= least * (1 + 1e-9));
  return { name: best[name].scale > 0 ? name : "zero", best };
}

/** The cells of the map, { K, L, name }. */
export function cells(n, lambda) {
  return range(DEPTHS).flatMap((L) => range(CLASSES).map((K) => ({ K, L, name: cheapest({ K, n, L, lambda }).name })));
}

export default live((figure) => {
  let drawn = "";
  let map = [];
  let plot = null;
  const chosen = (event) => {
    const cell = cellAt(plot, figure.stage.querySelector("svg"), event);
    if (cell) figure.set(cell);
  };
  figure.stage.addEventListener("click", chosen);
  return {
    draw() {
      const { K, L, n, lambda } = figure.values;
      if (drawn !== `${n} ${lambda}`) {
        map = cells(n, lambda);
        drawn = `${n} ${lambda}`;
      }
      const words = tell(map, figure);
      plot = cellMap({
        width: figure.width,
        classes: CLASSES,
        depths: DEPTHS,
        cells: map,
        looks: figure.looks,
        at: { K, L },
        borders: [
          { holds: (classes, depth) => dncIsExcluded(classes, depth), dash: "" },
          { holds: (classes, depth) => dncIsExcluded(classes, depth, "relu"), dash: "3 4" },
        ],
      });
      const used = ["dnc", "pairing", "polygon", "zero"].filter((name) => map.some((cell) => cell.name === name));
      figure.stage.innerHTML =
        plot.svg() +
        key([
          ...used.map((name) => ({ ...figure.looks[name], line: false })),
          { color: INK, dash: "", label: "above and right of it Theorem 1 excludes DNC (linear)", point: false },
          { color: INK, dash: "2 3", label: "above and right of it Theorem 7 excludes DNC (ReLU)", point: false },
        ]);
      return words;
    },
    remove: () => figure.stage.removeEventListener("click", chosen),
  };
});

function tell(map, { values: { K, L, n, lambda }, looks }) {
  const { name, best } = cheapest({ K, n, L, lambda });
  const losses = Object.entries(best).map(([each, { loss }]) => `${looks[each].label} ${show(loss, 5)}`);
  const count = (each) => map.filter((cell) => cell.name === each).length;
  const excluded = dncIsExcluded(K, L) ? "Theorem 1 excludes DNC there." : "Theorem 1 says nothing there.";
  return (
    `K = ${K}, L = ${L}: ${name === "zero" ? "no structure beats zero logits" : `of these three the least loss is that of ${looks[name].label}`} ` +
    `(${losses.join(", ")}). ${excluded} Of the ${map.length} cells DNC has ${count("dnc")}, pairing ${count("pairing")}, ` +
    `the polygon ${count("polygon")}, zero ${count("zero")}.`
  );
}
