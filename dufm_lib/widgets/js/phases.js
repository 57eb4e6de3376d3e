// The phase map: which structure has the least loss for each number of classes and each depth, and what the theorems exclude.
import { live } from "./figure.js";
import { escaped, INK, key, marker, Plot } from "./plot.js";
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
  const found = [];
  for (let L = DEPTHS[0]; L <= DEPTHS[1]; L++) {
    for (let K = CLASSES[0]; K <= CLASSES[1]; K++) found.push({ K, L, name: cheapest({ K, n, L, lambda }).name });
  }
  return found;
}

export default live((figure) => {
  let drawn = "";
  let map = [];
  let plot = null;
  const chosen = (event) => {
    const area = figure.stage.querySelector("svg").getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    if (x < plot.left || x > plot.right || y < plot.top || y > plot.bottom) return;
    const across = (x - plot.left) / (plot.right - plot.left);
    const up = (plot.bottom - y) / (plot.bottom - plot.top);
    figure.set({
      K: Math.min(CLASSES[1], CLASSES[0] + Math.floor(across * (CLASSES[1] - CLASSES[0] + 1))),
      L: Math.min(DEPTHS[1], DEPTHS[0] + Math.floor(up * (DEPTHS[1] - DEPTHS[0] + 1))),
    });
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
      plot = draw(map, figure, { K, L });
      const used = ["dnc", "pairing", "polygon", "zero"].filter((name) => map.some((cell) => cell.name === name));
      figure.stage.innerHTML =
        plot.svg(words) +
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
    `K = ${K}, L = ${L}: ${name === "zero" ? "no structure beats zero logits" : `the least loss is that of ${looks[name].label}`} ` +
    `(${losses.join(", ")}). ${excluded} Of the ${map.length} cells DNC has ${count("dnc")}, pairing ${count("pairing")}, ` +
    `the polygon ${count("polygon")}, zero ${count("zero")}.`
  );
}

function draw(map, { width, looks }, at) {
  const plot = new Plot({
    width,
    height: Math.min(330, 120 + 0.42 * width),
    x: { min: CLASSES[0] - 0.5, max: CLASSES[1] + 0.5, label: "classes K", ticks: range(CLASSES, width < 420 ? 3 : 1) },
    y: { min: DEPTHS[0] - 0.5, max: DEPTHS[1] + 0.5, label: "depth L", ticks: range(DEPTHS, 1) },
    margin: { left: 34 },
  });
  const box = (K, L) => {
    const [x, y] = [plot.px(K - 0.5), plot.py(L + 0.5)];
    return { x, y, w: plot.px(K + 0.5) - x, h: plot.py(L - 0.5) - y };
  };
  for (const { K, L, name } of map) {
    const { x, y, w, h } = box(K, L);
    const { color } = looks[name];
    plot.add(`<rect x="${x + 0.7}" y="${y + 0.7}" width="${w - 1.4}" height="${h - 1.4}" fill="${color}" opacity="0.35"/>`);
    plot.add(marker(looks[name], x + w / 2, y + h / 2, Math.min(4.5, w / 4)));
  }
  plot.add(border(plot, "linear", ""), { front: true }).add(border(plot, "relu", "2 3"), { front: true });
  const { x, y, w, h } = box(at.K, at.L);
  return plot.add(
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${INK}" stroke-width="2.5" rx="4"><title>${escaped(`K = ${at.K}, L = ${at.L}`)}</title></rect>`,
    { front: true },
  );
}

/** The edge of the cells that a theorem excludes, from the right end of its lowest row up to the top. */
function border(plot, activation, dash) {
  let path = "";
  for (let L = DEPTHS[0]; L <= DEPTHS[1]; L++) {
    const first = range(CLASSES, 1).find((K) => dncIsExcluded(K, L, activation));
    if (first === undefined) continue;
    path += `${path ? "H" : `M${plot.right},${plot.py(L - 0.5)}H`}${plot.px(first - 0.5)}V${plot.py(L + 0.5)}`;
  }
  return `<path d="${path}" fill="none" stroke="${INK}" stroke-width="3" stroke-dasharray="${dash && "3 4"}"/>`;
}

function range([first, last], step) {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}
