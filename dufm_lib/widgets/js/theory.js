// The reduced objective of the deep linear model and its structures, as dufm_lib.theory has them (cross-entropy, balanced).
// Pure functions; tests compare them with values that Python generated.
//
// A structure of K classes is { columns, sigma }: what the loss asks of its class-mean logits at unit scale.
//   columns   [{ share, gaps: [[gap, count], ...] }]: a share of the classes, whose column has `count` entries that lie
//             `gap` below (so gap <= 0) that of the own class
//   sigma     [[value, count], ...]: its nonzero singular values

/** S = I - 11^T/K: deep neural collapse. */
export function simplex(K) {
  return { columns: [{ share: 1, gaps: [[-1, K - 1]] }], sigma: [[1, K - 1]] };
}

/** Blocks [[1, -1], [-1, 1]]; for odd K the last class stands alone with an entry 1. */
export function pairing(K) {
  const m = Math.floor(K / 2);
  const paired = { share: (2 * m) / K, gaps: K > 2 ? [[-1, K - 2], [-2, 1]] : [[-2, 1]] };
  if (K % 2 === 0) return { columns: [paired], sigma: [[2, m]] };
  return { columns: [paired, { share: 1 / K, gaps: [[-1, K - 1]] }], sigma: [[2, m], [1, 1]] };
}

/** cos(2 pi (i - j) / K): the classes at equal angles. */
export function polygon(K) {
  const gaps = [];
  for (let j = 1; 2 * j <= K; j++) gaps.push([Math.cos((2 * Math.PI * j) / K) - 1, 2 * j === K ? 1 : 2]);
  return { columns: [{ share: 1, gaps }], sigma: K === 2 ? [[2, 1]] : [[K / 2, 2]] };
}

/** Any (K, K) class-mean logits (rows of an array) with their nonzero singular values. */
export function structureOf(logits, singularValues) {
  const K = logits.length;
  const columns = Array.from({ length: K }, (_, own) => ({
    share: 1 / K,
    gaps: logits.flatMap((row, other) => (other === own ? [] : [[row[own] - logits[own][own], 1]])),
  }));
  return { columns, sigma: singularValues.map((value) => [value, 1]) };
}

/** Number of nonzero singular values. */
export function rank({ sigma }) {
  return sigma.reduce((sum, [, count]) => sum + count, 0);
}

/** g(scale * structure): mean cross-entropy, log(1 + sum exp(scale * gap)). */
export function fit({ columns }, scale) {
  let sum = 0;
  for (const { share, gaps } of columns) {
    const top = scale * highest(gaps);
    let others = 0;
    for (let i = 0; i < gaps.length; i++) others += gaps[i][1] * Math.exp(gaps[i][0] * scale - top);
    sum += share * (top > 0 ? top + Math.log(Math.exp(-top) + others) : Math.log1p(others));
  }
  return sum;
}

/** Derivative of `fit` in the scale. */
export function fitSlope({ columns }, scale) {
  let sum = 0;
  for (const { share, gaps } of columns) {
    const top = scale * highest(gaps);
    let total = Math.exp(-top);
    let weighted = 0;
    for (let i = 0; i < gaps.length; i++) {
      const weight = gaps[i][1] * Math.exp(gaps[i][0] * scale - top);
      total += weight;
      weighted += weight * gaps[i][0];
    }
    sum += (share * weighted) / total;
  }
  return sum;
}

/** The largest gap above the own class, 0 where the class wins: taken out of exponentials, that they stay finite. */
function highest(gaps) {
  let top = 0;
  for (let i = 0; i < gaps.length; i++) if (gaps[i][0] > top) top = gaps[i][0];
  return top;
}

/** (lambda (L+1)/2) sum_i (sqrt(n) sigma_i)^{2/(L+1)}: the least penalty of parameters with these logits. */
export function schattenPenalty({ sigma }, { n, L, lambda }) {
  const power = 2 / (L + 1);
  let sum = 0;
  for (const [value, count] of sigma) sum += count * (value * Math.sqrt(n)) ** power;
  return ((lambda * (L + 1)) / 2) * sum;
}

/** The reduced objective at scale * structure. */
export function structureLoss(structure, problem, scale) {
  return fit(structure, scale) + schattenPenalty(structure, problem) * scale ** (2 / (problem.L + 1));
}

/**
 * { scale, loss }: the scale >= 0 of least reduced objective.
 * For L >= 2 scale 0 is always a local minimum: the sign changes of the slope are bracketed on a grid, refined, and
 * compared with it. A minimum that the grid misses is about to vanish into an increasing function, and so not below the
 * loss at 0.
 */
export function optimalScale(structure, problem) {
  const power = 2 / (problem.L + 1);
  const penalty = schattenPenalty(structure, problem);
  const slope = (scale) => fitSlope(structure, scale) + power * penalty * scale ** (power - 1);
  const best = { scale: 0, loss: fit(structure, 0) };
  const sizes = structure.columns.flatMap(({ gaps }) => gaps.map(([gap]) => Math.abs(gap)).filter((gap) => gap > 0));
  // beyond its reach the penalty alone exceeds the loss at scale 0; far beyond 700 / gap the fit is rounded to 0
  const reach = Math.exp(Math.min(600, Math.log(2) + (Math.log(best.loss) - Math.log(penalty)) / power));
  const high = Math.min(reach, 750 / Math.min(...sizes));
  // Where all gaps are below 1/100 the fit falls in a straight line. A concave penalty (L >= 2) has no minimum with it.
  const low = problem.L === 1 ? 1e-9 * Math.min(1, high) : 0.01 / Math.max(...sizes);
  const steps = Math.ceil(8 * Math.log10(high / low));
  const ratio = (high / low) ** (1 / steps);
  let left = low;
  let before = slope(left);
  for (let index = 1; index <= steps; index++) {
    const right = low * ratio ** index;
    const after = slope(right);
    if (before < 0 && after >= 0) {
      const scale = root(slope, left, right);
      const loss = structureLoss(structure, problem, scale);
      if (loss < best.loss) Object.assign(best, { scale, loss });
    }
    left = right;
    before = after;
  }
  return best;
}

/** The root of a function that changes its sign in [a, b] (regula falsi with the Illinois rule), to the last digits. */
export function root(f, a, b) {
  let [atA, atB] = [f(a), f(b)];
  if (atA === 0) return a;
  for (let step = 0; step < 200 && atB !== 0 && Math.abs(b - a) > 2e-15 * Math.abs(b); step++) {
    const c = b - (atB * (b - a)) / (atB - atA);
    const atC = f(c);
    if (c === b) break;
    if (atC * atB < 0) [a, atA] = [b, atB];
    else atA /= 2;
    [b, atB] = [c, atC];
  }
  return b;
}

/** The scales at which the DNC point is critical, ascending: lambda n^{1/(L+1)} = alpha^{(L-1)/(L+1)} / (e^alpha + K - 1). */
export function dncCriticalScales({ K, n, L, lambda }) {
  const target = lambda * n ** (1 / (L + 1));
  if (L === 1) return K * target < 1 ? [Math.log1p(-(K - 1) * target) - Math.log(target)] : [];
  const power = (L - 1) / (L + 1);
  const excess = (logScale) => {
    const alpha = Math.exp(logScale);
    return power * logScale - (alpha + Math.log1p((K - 1) * Math.exp(-alpha))) - Math.log(target);
  };
  const peak = Math.log(dncFrontierScale(K, L));
  if (excess(peak) < 0) return [];
  const low = Math.min((Math.log(K) + Math.log(target)) / power, peak);
  let high = peak + 1;
  while (excess(high) > 0) high += 1;
  return [Math.exp(root(excess, low, peak)), Math.exp(root(excess, peak, high))];
}

/** The scale of the largest weight decay with a critical DNC point: alpha = p (1 + (K-1) e^{-alpha}), p = (L-1)/(L+1). */
export function dncFrontierScale(K, L) {
  const power = (L - 1) / (L + 1);
  return root((alpha) => alpha - power * (1 + (K - 1) * Math.exp(-alpha)), 0, K);
}

/** The scale from which on a critical DNC point has no negative Hessian eigenvalue (sharp for K >= 4). */
export function dncStableScale(K, L) {
  return (K * (L - 1)) / (L + 1);
}

/** Whether Theorem 1 (linear) or 7 (ReLU) of Garrod & Keating excludes DNC from the global minima. */
export function dncIsExcluded(K, L, activation = "linear") {
  if (activation === "relu") return (K >= 10 && L >= 5) || (K >= 16 && L === 4);
  return (K >= 4 && L >= 3) || (K >= 6 && L === 2);
}
