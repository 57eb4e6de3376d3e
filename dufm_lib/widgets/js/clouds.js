// Classes of points in space with a linear classifier: how far they are from collapse is set by three numbers. Pure.
import { corners } from "./corners.js";
import { normal } from "./random.js";
import { nc1, nc2, nc3, nc4 } from "./metrics.js";

export const SAMPLES = 20; // of each class

const size = (rows) => Math.hypot(...rows.flat());
const times = (factor, rows) => rows.map((row) => row.map((each) => factor * each));
const plus = (a, b) => a.map((row, i) => row.map((each, axis) => each + b[i][axis]));

/** `rows` points about their own mean, as large together as `norm`. */
function scattered(draw, rows, norm) {
  const points = Array.from({ length: rows }, () => [draw(), draw(), draw()]);
  const centre = [0, 1, 2].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / rows);
  const centred = points.map((point) => point.map((each, axis) => each - centre[axis]));
  return times(norm / size(centred), centred);
}

/**
 * { samples, labels, means, weight }: classes 0, ..., K - 1 of SAMPLES points each, the class means with global mean 0,
 * and the rows of the last layer, as large together as the means.
 *   spread     of the samples about their class mean, relative to the length of a class mean
 *   simplex    from 0, random class means, to 1, the simplex (its shadow in space for K > 4)
 *   mismatch   from 0, the rows are the class means, to 1, they have nothing to do with them
 */
export function cloud({ K, spread, simplex, mismatch, seed }) {
  const draw = normal(seed);
  const ideal = corners("simplex", K).points;
  const whole = size(ideal);
  const mixed = plus(times(simplex, ideal), times(1 - simplex, scattered(draw, K, whole)));
  const means = times(whole / size(mixed), mixed);
  const rows = plus(times(1 - mismatch, means), times(mismatch, scattered(draw, K, whole)));
  const weight = times(whole / size(rows), rows);
  // centred in each class, so that its mean stays where it is
  const radius = (spread * whole) / Math.sqrt(K);
  const noise = means.flatMap(() => scattered(draw, SAMPLES, Math.sqrt(SAMPLES) * radius || 0));
  const labels = noise.map((_, i) => Math.floor(i / SAMPLES));
  return { samples: plus(labels.map((k) => means[k]), noise), labels, means, weight };
}

/** [NC1, NC2, NC3, NC4] of such a cloud. */
export function measured({ samples, labels, weight }) {
  const K = weight.length;
  return [nc1(samples, labels, K), nc2(samples, labels, K), nc3(samples, labels, weight), nc4(samples, labels, weight)];
}

/** The least NC2 of K class means in three dimensions: sqrt(2 - 2 sqrt(3 / (K - 1))) for K > 4, where no simplex fits. */
export function leastNc2(K) {
  return K > 4 ? Math.sqrt(2 - 2 * Math.sqrt(3 / (K - 1))) : 0;
}
