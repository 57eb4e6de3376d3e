// The name of the structure of class-mean logits, up to scale and the order of classes: the rules, and the numbers, of
// dufm_lib.metrics.structure_labels. Matrices are K x K, row-major.

import { eigenpairs } from "./spectrum.js";

const TOLERANCE = 0.02; // on the distance
const SMALLEST = 1e-2; // entries under this size count as zero

const square = (K, entry) => Float64Array.from({ length: K * K }, (_, i) => entry(Math.floor(i / K), i % K));

/** I - 11^T / K. */
export function simplex(K) {
  return square(K, (i, j) => (i === j ? 1 : 0) - 1 / K);
}

/** Blocks [[1, -1], [-1, 1]]; the last class of an odd K alone. `order` says which classes stand in which places. */
export function pairing(K, order = [...Array(K).keys()]) {
  const place = inverse(order);
  return square(K, (i, j) => (i === j ? 1 : Math.floor(place[i] / 2) === Math.floor(place[j] / 2) ? -1 : 0));
}

/** cos(2 pi (i - j) / K), with the classes placed around in the given order. */
export function polygon(K, order = [...Array(K).keys()]) {
  const place = inverse(order);
  return square(K, (i, j) => Math.cos((2 * Math.PI * (place[i] - place[j])) / K));
}

function inverse(order) {
  const place = [];
  order.forEach((k, at) => (place[k] = at));
  return place;
}

/** || A/||A|| - B/||B|| ||, in [0, 2]. */
export function distance(A, B) {
  const [a, b] = [Math.hypot(...A), Math.hypot(...B)];
  return Math.hypot(...A.map((value, i) => value / a - B[i] / b));
}

/** "zero", "dnc", "pairing", "polygon" or "mixed". */
export function structureLabel(logits, K) {
  if (logits.every((value) => Math.abs(value) < SMALLEST)) return "zero";
  const candidates = { dnc: simplex(K), pairing: paired(logits, K), polygon: around(logits, K) };
  const near = Object.entries(candidates).find(([, matrix]) => matrix && distance(logits, matrix) < TOLERANCE);
  return near ? near[0] : "mixed";
}

/** The pairing structure in the class order of the logits, or null when the classes do not pair up. */
function paired(logits, K) {
  const classes = [...Array(K).keys()];
  const partner = classes.map((j) => classes.reduce((least, i) => (logits[i * K + j] < logits[least * K + j] ? i : least)));
  const alone = classes.filter((k) => partner[partner[k]] !== k || partner[k] === k);
  if (alone.length !== K % 2) return null;
  const pairs = classes.filter((k) => !alone.includes(k) && k < partner[k]).flatMap((k) => [k, partner[k]]);
  return pairing(K, [...pairs, ...alone]);
}

/** The polygon with its corners in the order in which the logits place the classes in their leading plane. */
function around(logits, K) {
  const [[, x], [, y]] = eigenpairs(square(K, (i, j) => logits[i * K + j] + logits[j * K + i]), K);
  const angles = Array.from(x, (_, k) => Math.atan2(y[k], x[k]));
  return polygon(K, [...angles.keys()].sort((i, j) => angles[i] - angles[j]));
}
