// Gradient flow without weight decay from a spectral start in the Hadamard frame, as dufm_lib.theory.spectral_flow has it:
//     dz_k/dt = (L+1)/K n^{-1/(L+1)} z_k^{2 - 2/(L+1)} (1 - pi_k)
// for the eigenvalues z_1, ..., z_{K-1} of the logits, K a power of 2. Pure functions; tests compare them with Python.

// of the relative error that one step may add to an eigenvalue
const TOLERANCE = 1e-8;
// of a step in log(1 + t), so that a line through the steps looks round
const LONGEST = 0.4;

/** Whether the character k is -1 at g: an odd number of common bits. */
export function odd(k, g) {
  let bits = k & g;
  for (let shift = 16; shift; shift >>= 1) bits ^= bits >> shift;
  return (bits & 1) === 1;
}

/** A function that puts the gaps 1 - pi_k of the eigenvalues z into `gaps`; both hold k = 1, ..., K - 1 from index 0 on. */
export function softmaxGaps(K) {
  // all terms of the sums are positive, so that tiny gaps keep their digits
  const partners = Array.from({ length: K - 1 }, (_, k) => Array.from({ length: K - 1 }, (_, g) => g).filter((g) => odd(k + 1, g + 1)));
  const weights = new Float64Array(K - 1);
  return (z, gaps) => {
    let total = 1;
    for (let g = 0; g < K - 1; g++) {
      let lead = 0;
      for (const k of partners[g]) lead += z[k];
      weights[g] = Math.exp((-2 / K) * lead);
      total += weights[g];
    }
    for (let k = 0; k < K - 1; k++) {
      let sum = 0;
      for (const g of partners[k]) sum += weights[g];
      gaps[k] = (2 * sum) / total;
    }
  };
}

// Dormand and Prince, 1980: stages, and the difference between the solutions of fifth and fourth order
const STAGES = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const TIMES = [1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * [[t, [z_1, ..., z_{K-1}]], ...] from time 0 to `end`, at the steps of the integration in log(1 + t).
 * A zero stays zero. The relative error is below 1e-5 (tests compare it with Python).
 */
export function spectralFlow({ K, n, L }, start, end) {
  const size = K - 1;
  const speed = ((L + 1) / K) * n ** (-1 / (L + 1));
  const power = 2 - 2 / (L + 1);
  const gapsAt = softmaxGaps(K);
  const slopes = Array.from({ length: 7 }, () => new Float64Array(size));
  const slope = (time, z, into) => {
    gapsAt(z, into);
    const factor = speed * Math.exp(time);
    for (let k = 0; k < size; k++) into[k] *= factor * z[k] ** power;
  };
  const last = Math.log1p(end);
  let time = 0;
  let z = Float64Array.from(start);
  let next = new Float64Array(size);
  let step = 1e-3;
  const path = [[0, Array.from(z)]];
  slope(time, z, slopes[0]);
  while (time < last) {
    step = Math.min(step, LONGEST, last - time);
    STAGES.forEach((weights, stage) => {
      for (let k = 0; k < size; k++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i] * slopes[i][k];
        next[k] = z[k] + step * sum;
      }
      slope(time + TIMES[stage] * step, next, slopes[stage + 1]);
    });
    let worst = 0;
    for (let k = 0; k < size; k++) {
      if (z[k] === 0) continue;
      let error = 0;
      for (let i = 0; i < 7; i++) error += ERROR[i] * slopes[i][k];
      worst = Math.max(worst, Math.abs(step * error) / (TOLERANCE * next[k]));
    }
    if (worst <= 1) {
      time = last - time - step < 1e-12 ? last : time + step;
      [z, next] = [next, z];
      slopes[0].set(slopes[6]);
      path.push([Math.expm1(time), Array.from(z)]);
    }
    // a step that overflows has an error that is no number
    step *= worst <= 1e10 ? Math.min(4, Math.max(0.2, 0.9 * worst ** -0.2)) : 0.2;
  }
  return path;
}

/** (K - 2)/K to the power (L+1)/(L-1): above this ratio late flow goes to collapse, below to pairing; 0 at depth 1. */
export function boundary({ K, L }) {
  return L === 1 ? 0 : ((K - 2) / K) ** ((L + 1) / (L - 1));
}
