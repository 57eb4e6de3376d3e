// All Hessian eigenvalues at the DNC point and at the pairing point of the deep linear model, in closed form but for one
// block of size 4. Pure functions; tests compare them with dufm_lib.hessian.
//
// A spectrum is [{ name, value, count }]: an eigenvalue, what its directions do, and how many they are. lambda belongs to
// the scale: the structure is critical there. Derived as in the book, chapter "Why the landscape prefers collapse".
import { eigenpairs } from "./spectrum.js";
import { dncCriticalScales, optimalScale, pairing } from "./theory.js";

/** Dimension of the family of critical points with logits of this rank, L (r d - r (r+1)/2): its zero modes. */
export function zeroModes(rank, d, L) {
  return L * (rank * d - (rank * (rank + 1)) / 2);
}

/** The spectrum at the critical DNC point of scale alpha. */
export function dncSpectrum({ K, n, L, d, lambda }, alpha) {
  const r = K - 1;
  const share = Math.exp(-alpha);
  const own = 1 / (1 + (K - 1) * share);
  const a = alpha / K;
  const b = a * (1 - share) * own;
  // diagonals of the layers joined with the features that add one vector to all logits
  const first = (L + 1) * (a + b * (K - 2)) - (L - 1);
  const second = 1 + a + b;
  const middle = (first + second) / 2;
  const spread = Math.hypot((first - second) / 2, b * Math.sqrt((L + 1) * (K - 2)));
  return kept(lambda, [
    ...frames(r, d, L),
    ["the penalty alone", 1, (d - r) * (K * n - r) + (L - 1) * (d - r) ** 2 + d],
    ["antisymmetric changes of the logits", (L + 1) * (1 + a), ((K - 1) * (K - 2)) / 2],
    ["symmetric patterns off the diagonal", (L + 1) * a - (L - 1), (K * (K - 3)) / 2],
    ["the scale", (L + 1) * alpha * own - (L - 1), 1],
    ["sizes of the classes", middle - spread, r],
    ["sizes of the classes", middle + spread, r],
    ["within a class, other logits", 1 + a, K * (n - 1) * (K - 2)],
    ["within a class, own logit", 1 + alpha * own, K * (n - 1)],
  ]);
}

/**
 * The spectrum at the critical pairing point of scale beta, K even.
 * A class has probability p for itself, u for its partner, q for each other class; the critical equation turns every
 * curvature of the loss into lambda beta / ((K-2) q + 2 u) times probabilities.
 */
export function pairingSpectrum({ K, n, L, d, lambda }, beta) {
  const r = K / 2;
  const t = Math.exp(-beta);
  const p = 1 / (1 + (K - 2) * t + t * t);
  const [q, u] = [p * t, p * t * t];
  // q over (K-2) q + 2 u
  const rate = 1 / (K - 2 + 2 * t);
  // p + u - (p - u)^2 without cancellation
  const own = ((beta * rate) / q) * (p * ((K - 2) * q + u) + u * (1 - u) + 2 * p * u);
  const others = 2 * beta * rate;
  // of the gradient on the directions that the logits do not use
  const pull = K * rate;
  const top = [
    ["antisymmetric changes of the logits", (L + 1) * (1 + others), (r * (r - 1)) / 2],
    ["symmetric changes between pairs", (L + 1) * others - (L - 1), (r * (r - 1)) / 2],
    ["the scale of each pair", (L + 1) * own - (L - 1), r],
    ["within a class, other pairs", 1 + others, K * (n - 1) * (r - 1)],
    ["within a class, own pair", 1 + own, K * (n - 1)],
  ];
  const outside = [
    ["splitting off from other pairs", 1 + others + pull, r * (r - 2)],
    ["splitting off from other pairs", 1 + others - pull, r * (r - 2)],
    ...eigenpairs(splitting({ K, p, q, u, own, others, pull }), 4).map(([value]) => ["splitting a pair", value, r]),
  ];
  const unused = d - r;
  const alone = "the penalty alone";
  const rest =
    L > 1
      ? [[alone, 1, unused * (K * n - r) + (L - 1) * unused ** 2 + unused * (K - r)]]
      : [
          [alone, 1, unused * (2 + n * K - K)],
          ["growing a new direction", 1 + pull, unused * (r - 1)],
          ["growing a new direction", 1 - pull, unused * (r - 1)],
        ];
  return kept(lambda, [...frames(r, d, L), ...rest, ...top, ...outside]);
}

/** Turns of the L inner frames of rank r, which change nothing, and unbalancing of neighbouring factors. */
function frames(r, d, L) {
  return [
    ["turns of the frames", 0, zeroModes(r, d, L)],
    ["unbalancing the layers", 2, L * (r * (d - r) + (r * (r + 1)) / 2)],
  ];
}

/**
 * What a pair does as a whole, over lambda: the last factor adds a to both logits of the pair and x / h to those of every
 * other pair, h^2 of them, the features c and y / h likewise. Coordinates a, c, x, y.
 */
function splitting({ K, p, q, u, own, others, pull }) {
  const h = Math.sqrt(K / 2 - 1);
  const g = pull / (K / 2);
  const ac = h * h * (others * (p - u) - g);
  const ax = -h * others * (p + u);
  const cx = h * (g - others * (p - u));
  const ay = h * g;
  const aa = 1 + h * h * others * (p + u);
  const xx = 1 + others * (1 - 2 * h * h * q);
  return [aa, ac, ax, ay, ac, 1 + own, cx, 0, ax, cx, xx, -g, ay, 0, -g, 1 + others];
}

function kept(lambda, families) {
  return families.filter(([, , count]) => count > 0).map(([name, value, count]) => ({ name, value: lambda * value, count }));
}

/** Distinct eigenvalues [{ value, count, names }], ascending; those that agree up to rounding are one. */
export function distinct(spectrum) {
  const sorted = [...spectrum].sort((a, b) => a.value - b.value);
  const rounding = 1e-9 * Math.max(...sorted.map(({ value }) => Math.abs(value)));
  const found = [];
  for (const { name, value, count } of sorted) {
    const last = found.at(-1);
    if (last && value - last.value <= rounding) {
      last.count += count;
      if (!last.names.includes(name)) last.names.push(name);
    } else found.push({ value, count, names: [name] });
  }
  return found;
}

/**
 * { dnc, pairing }: each { rank, spectrum } of distinct eigenvalues at the larger critical scale of DNC and at the best
 * scale of pairing, or { rank, reason } where there is no such point.
 */
export function spectra(problem) {
  const { K } = problem;
  const found = { dnc: { rank: K - 1 }, pairing: { rank: Math.floor(K / 2) } };
  const alpha = dncCriticalScales(problem).at(-1);
  if (alpha) found.dnc.spectrum = distinct(dncSpectrum(problem, alpha));
  else found.dnc.reason = "not critical: λ is too large";
  const beta = K % 2 ? 0 : optimalScale(pairing(K), problem).scale;
  if (beta) found.pairing.spectrum = distinct(pairingSpectrum(problem, beta));
  else found.pairing.reason = K % 2 ? "critical for even K only" : "zero logits are better: λ is too large";
  return found;
}

/** { zeros, negative, smallest, next }: the counts, the smallest eigenvalue and the smallest positive one. */
export function summary(spectrum) {
  const count = (chosen) => spectrum.filter(chosen).reduce((sum, each) => sum + each.count, 0);
  return {
    zeros: count(({ value }) => value === 0),
    negative: count(({ value }) => value < 0),
    smallest: spectrum[0].value,
    next: spectrum.find(({ value }) => value > 0).value,
  };
}
