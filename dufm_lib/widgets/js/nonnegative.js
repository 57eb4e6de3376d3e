// What ReLU solutions cost that carry non-negative features through the layers, as dufm_lib.theory has them.
// A carried solution is a structure of theory.js whose price stands in `sigma`: its penalty is that of `price` singular
// values 1, so that optimalScale finds its best scale. Pure functions; tests compare them with Python.
import { pairing, simplex } from "./theory.js";

/** Collapse of the linear model, of price K - 1: no collapsed solution with ReLU costs less. */
export function collapseBound(K) {
  return simplex(K);
}

/** Price of pairs: (16 m^3 (m+1)^{L-2})^{1/(L+1)} for K = 2m, 1 more for K = 2m+1. */
export function pairsPrice(K, L) {
  const m = Math.floor(K / 2);
  return (16 * m ** 3 * (m + 1) ** (L - 2)) ** (1 / (L + 1)) + (K % 2);
}

/** Pairs, with a common positive part that ReLU leaves alone. */
export function pairs(K, L) {
  return { columns: pairing(K).columns, sigma: [[1, pairsPrice(K, L)]] };
}

/** r with K = r (r-1) / 2 edges of the complete graph on r vertices, from r = 4 on; else 0. */
export function verticesOf(K) {
  const r = (1 + Math.sqrt(1 + 8 * K)) / 2;
  return Number.isInteger(r) && r >= 4 ? r : 0;
}

/** Price of edges: (||T||_*^2 r^{L-2} (r-1)(r-2))^{1/(L+1)}, ||T||_* = sqrt(2(r-1)) + (r-1) sqrt(r-2). */
export function edgesPrice(r, L) {
  const nuclear = Math.sqrt(2 * (r - 1)) + (r - 1) * Math.sqrt(r - 2);
  return (nuclear ** 2 * r ** (L - 2) * (r - 1) * (r - 2)) ** (1 / (L + 1));
}

/** Classes as edges: a column leads edges that meet its own by 1 and disjoint ones by 2. */
export function edges(r, L) {
  const gaps = [
    [-1, 2 * (r - 2)],
    [-2, ((r - 2) * (r - 3)) / 2],
  ];
  return { columns: [{ share: 1, gaps }], sigma: [[1, edgesPrice(r, L)]] };
}

/** { dnc, pairing, strongly_regular }: the racers of these K and L; edges only where K = r (r-1) / 2. */
export function racers(K, L) {
  const r = verticesOf(K);
  return { dnc: collapseBound(K), pairing: pairs(K, L), ...(r ? { strongly_regular: edges(r, L) } : {}) };
}
