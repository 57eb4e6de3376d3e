// How sure a share is, as dufm_lib.metrics.share has it, and how many singular values count. Pure functions.

/** { estimate, low, high }: the share count / runs and its Wilson interval at z standard deviations. */
export function wilson(count, runs, z = 1.959963984540054) {
  const estimate = count / runs;
  const spread = (z * z) / runs;
  const middle = (estimate + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((estimate * (1 - estimate)) / runs + spread / runs / 4);
  // at 0 and at 1 the interval ends exactly there
  return { estimate, low: count === 0 ? 0 : middle - half, high: count === runs ? 1 : middle + half };
}

/** e to the entropy of the shares sigma_i / sum(sigma) of singular values, not all 0: r for r equal ones (Roy & Vetterli 2007). */
export function effectiveRank(sigma) {
  const total = sigma.reduce((sum, each) => sum + each, 0);
  return Math.exp(-sigma.reduce((sum, each) => sum + (each > 0 ? (each / total) * Math.log(each / total) : 0), 0));
}

/**
 * Shares of a structure at each point of a slice, from the first `runs` runs of each.
 *   points   [[x, letters], ...]: a letter a run
 *   letter   that of the structure, or "" for all that have none of `named`
 */
export function shares(points, letter, named, runs) {
  return points.map(([x, letters]) => {
    const first = [...letters.slice(0, runs)];
    const count = first.filter((each) => (letter ? each === letter : !named.includes(each))).length;
    return { x, count, runs: first.length, ...wilson(count, first.length) };
  });
}
