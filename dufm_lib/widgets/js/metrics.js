// Neural-collapse metrics by the formulas of dufm_lib.metrics, in float64. Pure functions.
// samples: N arrays of d numbers, what a layer receives; labels: their classes 0, ..., K - 1; weight: rows of d numbers.
import { distance, simplex } from "./label.js";
import { eigenpairs } from "./spectrum.js";

const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);
const minus = (a, b) => a.map((each, i) => each - b[i]);

/** { means, deviations, centre }: class means about their own mean, samples about their class mean, and that mean. */
export function split(samples, labels, K) {
  const [d, sizes] = [samples[0].length, Array(K).fill(0)];
  const sums = Array.from({ length: K }, () => new Float64Array(d));
  samples.forEach((sample, i) => {
    sizes[labels[i]] += 1;
    sample.forEach((each, axis) => (sums[labels[i]][axis] += each));
  });
  const means = sums.map((sum, k) => sum.map((each) => each / sizes[k]));
  const centre = means[0].map((_, axis) => means.reduce((sum, mean) => sum + mean[axis], 0) / K);
  const deviations = samples.map((sample, i) => minus(sample, means[labels[i]]));
  return { means: means.map((mean) => minus(mean, centre)), deviations, centre };
}

/** Inner products of the vectors, as one row-major array. */
export function gram(vectors) {
  return Float64Array.from({ length: vectors.length ** 2 }, (_, i) =>
    dot(vectors[Math.floor(i / vectors.length)], vectors[i % vectors.length]),
  );
}

/** { value, direction }: singular values of the means above 1e-6 of the largest, and the unit directions they span. */
export function spectrum(means) {
  const [K, d] = [means.length, means[0].length];
  // K centred means span K - 1 directions at most: the others are rounding
  const pairs = eigenpairs(gram(means), K).slice(0, Math.min(K - 1, d));
  return pairs
    .filter(([square]) => square > 1e-12 * pairs[0][0])
    .map(([square, right]) => {
      const value = Math.sqrt(square);
      return { value, direction: means[0].map((_, axis) => dot(right, means.map((mean) => mean[axis])) / value) };
    });
}

/** NC1: variation within the classes over the spread of their means, tr(Sigma_W pinv(Sigma_B)) / K. */
export function nc1(samples, labels, K) {
  const { means, deviations } = split(samples, labels, K);
  let sum = 0;
  for (const { value, direction } of spectrum(means))
    for (const deviation of deviations) sum += (dot(direction, deviation) / value) ** 2;
  return sum / samples.length;
}

/** NC2: distance of the Gram matrix of the class means from a simplex. */
export function nc2(samples, labels, K) {
  return distance(gram(split(samples, labels, K).means), simplex(K));
}

/** NC3: distance of W M from a simplex. */
export function nc3(samples, labels, weight) {
  const { means } = split(samples, labels, weight.length);
  return distance(weight.flatMap((row) => means.map((mean) => dot(row, mean))), simplex(weight.length));
}

/** NC4: the share of samples for which the largest logit of W h is not that of the nearest class mean. */
export function nc4(samples, labels, weight) {
  const { means, centre } = split(samples, labels, weight.length);
  const largest = (values) => values.reduce((best, each, k) => (each > values[best] ? k : best), 0);
  const others = samples.filter((sample) => {
    const from = minus(sample, centre);
    // minus half the squared distance, up to what is the same for every class
    const near = means.map((mean) => dot(mean, from) - dot(mean, mean) / 2);
    return largest(near) !== largest(weight.map((row) => dot(row, sample)));
  });
  return others.length / samples.length;
}

/** DNC3: the share of ||W|| outside the span of the centred class means of what W receives. */
export function outside(samples, labels, K, weight) {
  const found = spectrum(split(samples, labels, K).means);
  const norm = Math.hypot(...weight.flatMap((row) => [...row]));
  const rest = weight.flatMap((row) => {
    const parts = found.map(({ direction }) => dot(row, direction));
    return Array.from(row, (each, axis) => each - dot(parts, found.map(({ direction }) => direction[axis])));
  });
  return Math.hypot(...rest) / norm;
}
