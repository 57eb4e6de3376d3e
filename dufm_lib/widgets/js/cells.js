// A map over classes K and depth L: a cell for each pair, coloured and marked by what has the least loss there.
import { range } from "./contest.js";
import { escaped, INK, marker, Plot } from "./plot.js";

/**
 * The map as a Plot.
 *   classes, depths   [first, last]
 *   cells             [{ K, L, name }], name a key of looks
 *   at                { K, L } of the cell that is framed
 *   borders           [{ holds: (K, L) => boolean, dash }]: edges of regions that go on above and to the right
 */
export function cellMap({ width, classes, depths, cells, looks, at, borders }) {
  const plot = new Plot({
    width,
    height: Math.min(330, 120 + 0.42 * width),
    x: { min: classes[0] - 0.5, max: classes[1] + 0.5, label: "classes K", ticks: range(classes, width < 420 ? 3 : 1) },
    y: { min: depths[0] - 0.5, max: depths[1] + 0.5, label: "depth L", ticks: range(depths) },
    margin: { left: 34 },
  });
  const box = (K, L) => {
    const [x, y] = [plot.px(K - 0.5), plot.py(L + 0.5)];
    return { x, y, w: plot.px(K + 0.5) - x, h: plot.py(L - 0.5) - y };
  };
  for (const { K, L, name } of cells) {
    const { x, y, w, h } = box(K, L);
    const { color } = looks[name];
    plot.add(`<rect x="${x + 0.7}" y="${y + 0.7}" width="${w - 1.4}" height="${h - 1.4}" fill="${color}" opacity="0.35"/>`);
    plot.add(marker(looks[name], x + w / 2, y + h / 2, Math.min(4.5, w / 4)));
  }
  for (const each of borders) plot.add(border(plot, classes, depths, each), { front: true });
  const { x, y, w, h } = box(at.K, at.L);
  return plot.add(
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="none" stroke="${INK}" stroke-width="2.5" rx="4"><title>${escaped(`K = ${at.K}, L = ${at.L}`)}</title></rect>`,
    { front: true },
  );
}

/** The { K, L } of the cell under a click on the drawing of a map, or null beside all cells. */
export function cellAt(plot, drawing, event) {
  const area = drawing.getBoundingClientRect();
  const [x, y] = [event.clientX - area.left, event.clientY - area.top];
  if (x < plot.left || x >= plot.right || y <= plot.top || y > plot.bottom) return null;
  const part = (plot.bottom - y) / (plot.bottom - plot.top);
  const { min, max } = plot.axes.y;
  return { K: Math.floor(plot.valueX(x) + 0.5), L: Math.floor(min + part * (max - min) + 0.5) };
}

/** The edge of the cells where something holds, from the right end of its lowest row up to the top. */
function border(plot, classes, depths, { holds, dash }) {
  let path = "";
  for (const L of range(depths)) {
    const first = range(classes).find((K) => holds(K, L));
    if (first === undefined) continue;
    path += `${path ? "H" : `M${plot.right},${plot.py(L - 0.5)}H`}${plot.px(first - 0.5)}V${plot.py(L + 0.5)}`;
  }
  return `<path d="${path}" fill="none" stroke="${INK}" stroke-width="3" stroke-dasharray="${dash}"/>`;
}
