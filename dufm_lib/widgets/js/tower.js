// The layers of a deep linear model whose logits lie between the simplex and pairing, K even: balanced factors, and on
// top of them variation within the classes and weights that read nothing. Pure functions.
import { nc1, nc2, outside } from "./metrics.js";
import { normal } from "./random.js";

export const SAMPLES = 5; // of each class
export const SCALE = 5; // alpha, of the logits
const SPARE = 2; // the width is K + SPARE

/** Orthonormal columns: K/2 differences within the pairs, then K/2 - 1 differences between them. Rows of length K. */
function basis(K) {
  const within = Array.from({ length: K / 2 }, (_, i) => row(K, (k) => (k === 2 * i ? 1 : k === 2 * i + 1 ? -1 : 0)));
  // Helmert's: i pairs on one side, the next one on the other
  const between = Array.from({ length: K / 2 - 1 }, (_, i) => row(K, (k) => (k < 2 * i + 2 ? 1 : k < 2 * i + 4 ? -i - 1 : 0)));
  return [...within, ...between];
}

function row(K, entry) {
  const values = Array.from({ length: K }, (_, k) => entry(k));
  const size = Math.hypot(...values);
  return values.map((each) => each / size);
}

/** Singular values of the logits (1 - mix) S + mix P at scale SCALE, and of each factor; one for each row of the basis. */
export function singularValues({ K, L, mix }) {
  const logits = basis(K).map((_, i) => SCALE * Math.sqrt(SAMPLES) * (i < K / 2 ? 1 + mix : 1 - mix));
  return { logits, factors: logits.map((sigma) => sigma ** (1 / (L + 1))) };
}

/** Singular values of the class means above 0, ..., L factors, { within, between } the pairs. */
export function meanSizes(setting) {
  const { factors } = singularValues(setting);
  const growth = (s) => Array.from({ length: setting.L + 1 }, (_, l) => s ** (l + 1) / Math.sqrt(SAMPLES));
  return { within: growth(factors[0]), between: growth(factors.at(-1)) };
}

/** A random matrix of this Frobenius norm, `rows` by `columns`. */
function random(draw, rows, columns, norm) {
  const made = Array.from({ length: rows }, () => Array.from({ length: columns }, draw));
  const size = Math.hypot(...made.flat());
  return made.map((each) => each.map((value) => (norm * value) / size));
}

/**
 * { layers, weights, labels }: what W_1, ..., W_L receive (samples as rows), these matrices, and the logits as the last layer.
 *   mix      0: the logits are a simplex; 1: pairing
 *   spread   size of the variation within the classes, relative to the features without it
 *   unread   share of each weight matrix that lies outside the span of the class means
 *   flipped  whether the last matrix has the other sign
 */
export function tower({ K, L, mix, spread, unread, flipped }) {
  const draw = normal(1);
  const Q = basis(K);
  const [r, d] = [K - 1, K + SPARE];
  const s = singularValues({ K, L, mix }).factors;
  const labels = Array.from({ length: K * SAMPLES }, (_, i) => Math.floor(i / SAMPLES));
  const size = Math.hypot(...s);
  const means = labels.map((k) => Array.from({ length: d }, (_, axis) => (axis < r ? (s[axis] * Q[axis][k]) / Math.sqrt(SAMPLES) : 0)));
  const noise = centred(random(draw, K * SAMPLES, d, spread * size));
  const layers = [means.map((mean, i) => mean.map((each, axis) => each + noise[i][axis]))];
  const weights = [];
  for (let l = 1; l <= L; l++) {
    const rows = l < L ? d : K;
    const idle = random(draw, rows, d - r, (unread / Math.sqrt(1 - unread ** 2)) * size);
    const sign = l === L && flipped ? -1 : 1;
    const inside = (i, j) => (l < L ? (i === j ? s[j] : 0) : s[j] * Q[j][i]);
    const weight = Array.from({ length: rows }, (_, i) =>
      Array.from({ length: d }, (_, j) => sign * (j < r ? inside(i, j) : idle[i][j - r])),
    );
    weights.push(weight);
    layers.push(layers.at(-1).map((sample) => weight.map((each) => each.reduce((sum, w, j) => sum + w * sample[j], 0))));
  }
  return { layers, weights, labels };
}

/** The same noise about zero in each class. */
function centred(noise) {
  return noise.map((values, i) => {
    const own = noise.slice(i - (i % SAMPLES), i - (i % SAMPLES) + SAMPLES);
    return values.map((each, axis) => each - own.reduce((sum, other) => sum + other[axis], 0) / SAMPLES);
  });
}

/** { dnc1, dnc2, dnc3, right }: one entry a layer each, and the share of samples that are classified correctly. */
export function collapse({ layers, weights, labels }) {
  const K = weights.at(-1).length;
  const right = layers.at(-1).filter((logits, i) => logits.every((each, k) => k === labels[i] || each < logits[labels[i]]));
  const inputs = layers.slice(0, -1);
  return {
    dnc1: inputs.map((samples) => nc1(samples, labels, K)),
    dnc2: inputs.map((samples) => nc2(samples, labels, K)),
    dnc3: inputs.map((samples, l) => outside(samples, labels, K, weights[l])),
    right: right.length / labels.length,
  };
}
