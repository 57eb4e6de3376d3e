// How flat collapse and pairing are: norms of the Hessian, and their constants as the weight decay goes to zero, as
// dufm_lib.theory has them. Pure functions; tests compare them with Python.
import { dncSpectrum, pairingSpectrum } from "./hessian.js";
import { dncCriticalScales, optimalScale, pairing } from "./theory.js";

/** Limits of norm / (lambda alpha) at DNC: { spectral, frobenius, trace }. */
export function dncFlatness({ K, n, L }) {
  const square = (L + 1) ** 2 + (2 * (L + 1) * (K - 2) + 4) / K ** 2 + ((n - 1) * (K + 2)) / K;
  return { spectral: L + 1, frobenius: Math.sqrt((K - 1) * square), trace: (2 * (K - 1) * (L * (K - 1) + K * n)) / K };
}

/** Limits of norm / (lambda beta) at pairing, K >= 4 even. */
export function pairingFlatness({ K, n, L }) {
  const square = (K * ((L + 1) ** 2 + 2 * n + 2)) / 2 + 2;
  return {
    spectral: Math.max(L + 1, (2 * (K - 1)) / (K - 2)),
    frobenius: Math.sqrt((K / (K - 2)) * square),
    trace: K * (L + 1 + 2 * n),
  };
}

/** The ratios of the limits, DNC over pairing. */
export function limits(problem) {
  return ratio(dncFlatness(problem), pairingFlatness(problem));
}

/** { dnc, pairing }: norms of the Hessian over lambda at the points of diverging scale; null where one is missing. */
export function norms(problem) {
  const alpha = dncCriticalScales(problem).at(-1);
  const beta = optimalScale(pairing(problem.K), problem).scale;
  if (!alpha || !beta) return null;
  return { dnc: normsOf(dncSpectrum(problem, alpha), problem), pairing: normsOf(pairingSpectrum(problem, beta), problem) };
}

/** The norms, DNC over pairing, or null. */
export function ratios(problem) {
  const found = norms(problem);
  return found && ratio(found.dnc, found.pairing);
}

/** The share of the penalty, lambda for each parameter, in a trace norm over lambda. */
export function penaltyShare({ K, n, L, d }, trace) {
  return (K * n * d + (L - 1) * d * d + K * d) / trace;
}

function normsOf(spectrum, { lambda }) {
  const sizes = spectrum.map(({ value, count }) => [Math.abs(value) / lambda, count]);
  return {
    spectral: Math.max(...sizes.map(([size]) => size)),
    frobenius: Math.sqrt(sizes.reduce((sum, [size, count]) => sum + size * size * count, 0)),
    trace: sizes.reduce((sum, [size, count]) => sum + size * count, 0),
  };
}

function ratio(one, other) {
  return Object.fromEntries(Object.keys(one).map((name) => [name, one[name] / other[name]]));
}
