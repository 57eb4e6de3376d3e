// The phase map: which structure has the least loss for each number of classes and each depth, and what the theorems exclude.
import { cellAt, cellMap } from "./cells.js";
import { cells, leader, three } from "./contest.js";
import { live } from "./figure.js";
import { INK, key } from "./plot.js";
import { show } from "./settings.js";
import { dncIsExcluded } from "./theory.js";

const CLASSES = [3, 18];
const DEPTHS = [1, 7];

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
        map = cells(three, CLASSES, DEPTHS, { n, lambda });
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
  const best = three({ K, n, L, lambda });
  const name = leader(best);
  const losses = Object.entries(best).map(([each, { loss }]) => `${looks[each].label} ${show(loss, 5)}`);
  const count = (each) => map.filter((cell) => cell.name === each).length;
  const excluded = dncIsExcluded(K, L) ? "Theorem 1 excludes DNC there." : "Theorem 1 says nothing there.";
  return (
    `K = ${K}, L = ${L}: ${name === "zero" ? "no structure beats zero logits" : `of these three the least loss is that of ${looks[name].label}`} ` +
    `(${losses.join(", ")}). ${excluded} Of the ${map.length} cells at λ = ${show(lambda)}, n = ${n} DNC has ${count("dnc")}, pairing ${count("pairing")}, ` +
    `the polygon ${count("polygon")}, zero ${count("zero")}.`
  );
}
