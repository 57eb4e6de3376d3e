// What weight decay charges for a singular value, against the depth.
import { alone, equalPairs, price } from "./charge.js";
import { live } from "./figure.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";

const GHOSTS = [1, 2, 3, 6, 50];
const GHOST = { color: "#7d8894", dash: "2 3" };
const NOW = { color: INK, dash: "", marker: "o" };
const COLUMNS = 160;

export default live((figure) => ({
  draw() {
    const { L, first, second } = figure.values;
    const two = figure.width >= 560;
    const width = two ? (figure.width - 13) / 2 : figure.width;
    const paid = price(first, L) + price(second, L);
    const words =
      `At depth ${L} singular values ${show(first)} and ${show(second)} are charged ${show(price(first, L))} + ` +
      `${show(price(second, L))} = ${show(paid)}. One of ${show(first + second)} alone, with the same sum, would be charged ` +
      `${show(price(first + second, L))}, ${show(price(first + second, L) / paid, 2)} times that. The two are charged like one of ${show(alone(paid, L))} alone.`;
    figure.stage.innerHTML =
      `<div class="live-panels">${curves(width, L, [first, second]).svg()}${ball(width, L, first, second, paid).svg()}</div>` +
      key([
        { ...NOW, label: `depth ${L}, and your two singular values` },
        { ...GHOST, label: "left: depths 1, 2, 3, 6, 50; right: depth 1", point: false },
      ]);
    return words;
  },
}));

/** Left: the charge of one singular value, for this depth among others. */
function curves(width, L, values) {
  const max = Math.max(4, 1.1 * Math.max(...values));
  const plot = new Plot({
    width,
    height: 250,
    x: { min: 0, max, label: "singular value σ" },
    y: { min: 0, max: 4, label: "charge σ^(2/(L+1))" },
  });
  // dense near 0, where deep charges rise at once
  const sigmas = Array.from({ length: COLUMNS + 1 }, (_, i) => max * (i / COLUMNS) ** 3);
  for (const depth of GHOSTS) plot.line(sigmas.map((s) => [s, price(s, depth)]), GHOST, { width: 1.3 });
  plot.line(sigmas.map((s) => [s, price(s, L)]), NOW, { width: 2.6 });
  return plot.points(values.map((s) => [s, price(s, L)]), NOW, 5);
}

/** Right: all pairs of singular values that cost as much as these two. */
function ball(width, L, first, second, paid) {
  const end = Math.min(alone(paid, L), 12);
  const max = Math.max(4, Math.min(12, 1.05 * end));
  const plot = new Plot({
    width,
    height: 250,
    x: { min: 0, max, label: "σ₁" },
    y: { min: 0, max, label: "σ₂" },
  });
  plot.line(equalPairs(first + second, 1, max, COLUMNS), GHOST, { width: 1.3 });
  plot.line(equalPairs(paid, L, max, COLUMNS), NOW, { width: 2.6 });
  return plot.points([[first, second]], NOW, 5);
}
