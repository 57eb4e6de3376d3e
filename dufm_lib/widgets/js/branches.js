// Where the collapsed point is critical, what it is there, and up to which weight decay: DNC against zero and pairing.
// Pure functions; tests compare them with dufm_lib.theory. A problem is { K, n, L, lambda } with K >= 3.
import { dncSpectrum, pairingSpectrum } from "./hessian.js";
import { dncCriticalScales, dncFrontierScale, dncStableScale, optimalScale, pairing, root, simplex, structureLoss } from "./theory.js";

/** The weight decay at which the DNC point of scale alpha is critical. */
export function dncWeightDecay({ K, n, L }, alpha) {
  return (n ** (-1 / (L + 1)) * alpha ** ((L - 1) / (L + 1))) / (Math.exp(alpha) + K - 1);
}

/** The scale from which on critical DNC has no negative Hessian eigenvalue; sharp for K = 3 too. */
export function stableScale(K, L) {
  if (L === 1) return 0;
  if (K > 3) return dncStableScale(K, L);
  const lowest = (alpha) => smallest(dncSpectrum({ K, n: 1, L, d: K, lambda: 1 }, alpha));
  return root(lowest, dncFrontierScale(K, L), dncStableScale(K, L));
}

/** The scale at which critical DNC and zero logits have the same loss, 0 at depth 1. */
export function levelScale(K, L) {
  if (L === 1) return 0;
  const excess = (alpha) => {
    const others = (K - 1) * Math.exp(-alpha);
    return Math.log1p(others) + (((L + 1) / 2) * alpha * others) / (1 + others) - Math.log(K);
  };
  return root(excess, dncFrontierScale(K, L), 50);
}

/** { exists, level, stable }: the largest weight decay at which DNC is critical, as good as zero, without a way down. */
export function frontiers({ K, n, L }) {
  const scales = { exists: L === 1 ? 0 : dncFrontierScale(K, L), level: levelScale(K, L), stable: stableScale(K, L) };
  return Object.fromEntries(Object.entries(scales).map(([name, alpha]) => [name, dncWeightDecay({ K, n, L }, alpha)]));
}

/**
 * What the loss does along the scale:
 *   dnc       [{ scale, loss, negative }] ascending: the critical scales, and how many Hessian eigenvalues are negative
 *   pairing   { scale, loss, negative } at its best scale (scale 0: zero is better); negative is null for odd K, where
 *             the point is not critical
 *   zero      { loss, curvature }: the smallest Hessian eigenvalue at zero parameters
 */
export function landmarks(problem) {
  const { K, n, L, lambda } = problem;
  const wide = { ...problem, d: K };
  const dnc = dncCriticalScales(problem).map((scale) => ({
    scale,
    loss: structureLoss(simplex(K), problem, scale),
    negative: countNegative(dncSpectrum(wide, scale)),
  }));
  const best = optimalScale(pairing(K), problem);
  const negative = K % 2 || best.scale === 0 ? null : countNegative(pairingSpectrum(wide, best.scale));
  const zero = { loss: Math.log(K), curvature: L === 1 ? lambda - 1 / (K * Math.sqrt(n)) : lambda };
  return { dnc, pairing: { ...best, negative }, zero };
}

function smallest(spectrum) {
  return Math.min(...spectrum.map(({ value }) => value).filter((value) => value !== 0));
}

function countNegative(spectrum) {
  return spectrum.filter(({ value }) => value < 0).reduce((sum, { count }) => sum + count, 0);
}
