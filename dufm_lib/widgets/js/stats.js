// How sure a share is, as dufm_lib.metrics.share has it. Pure functions.

/** { estimate, low, high }: the share count / runs and its Wilson interval at z standard deviations. */
export function wilson(count, runs, z = 1.959963984540054) {
  const estimate = count / runs;
  const spread = (z * z) / runs;
  const middle = (estimate + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((estimate * (1 - estimate)) / runs + spread / runs / 4);
  // at 0 and at 1 the interval ends exactly there
  return { estimate, low: count === 0 ? 0 : middle - half, high: count === runs ? 1 : middle + half };
}
