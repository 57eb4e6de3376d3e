// Class-mean logits as a heat map about a white zero, in the colours of dufm_lib.plots.logit_matrix, as SVG text.
import { INK, escaped } from "./plot.js";
import { show } from "./settings.js";

// matplotlib's PuOr: from the most negative to the most positive
const STOPS = [
  [127, 59, 8],
  [224, 130, 20],
  [247, 247, 247],
  [128, 115, 172],
  [45, 0, 75],
];

/** The colour of a value in [-1, 1]. */
export function shade(value) {
  const place = ((Math.max(-1, Math.min(1, value)) + 1) / 2) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(place));
  const mixed = STOPS[index].map((low, i) => Math.round(low + (place - index) * (STOPS[index + 1][i] - low)));
  return `rgb(${mixed.join(",")})`;
}

/** The K x K logits (row-major), classes as columns, in a square of `size` pixels with a scale of colours below. */
export function heatMap(logits, K, size, label) {
  const limit = logits.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const [left, top, bottom] = [24, 34, 34];
  const cell = Math.floor((Math.min(size - left - 4, size) - 4) / K);
  const side = cell * K;
  const cells = [];
  const names = [];
  for (let i = 0; i < K; i++) {
    const middle = (i + 0.5) * cell;
    names.push(`<text x="${left + middle}" y="${top - 5}" text-anchor="middle">${i + 1}</text>`);
    names.push(`<text x="${left - 5}" y="${top + middle + 4}" text-anchor="end">${i + 1}</text>`);
    for (let j = 0; j < K; j++) {
      const fill = shade(logits[i * K + j] / limit);
      cells.push(`<rect x="${left + j * cell}" y="${top + i * cell}" width="${cell}" height="${cell}" fill="${fill}"/>`);
    }
  }
  const ramp = Array.from({ length: 41 }, (_, i) => {
    const fill = shade(i / 20 - 1);
    return `<rect x="${left + (i * side) / 41}" y="${top + side + 6}" width="${side / 41 + 0.5}" height="8" fill="${fill}"/>`;
  });
  const ends = [
    [left, "start", -limit],
    [left + side / 2, "middle", 0],
    [left + side, "end", limit],
  ].map(([x, anchor, value]) => `<text x="${x}" y="${top + side + 28}" text-anchor="${anchor}">${show(value, 2)}</text>`);
  const [width, height] = [left + side + 4, top + side + bottom];
  return (
    `<svg class="live-plot" role="img" aria-label="${escaped(label)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<text x="4" y="13">mean logits of each class</text>` +
    `${cells.join("")}<rect x="${left}" y="${top}" width="${side}" height="${side}" fill="none" stroke="${INK}"/>` +
    `${names.join("")}${ramp.join("")}${ends.join("")}</svg>`
  );
}
