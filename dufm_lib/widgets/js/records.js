// Records of a run over its steps. Pure functions.

/** The index of the recorded step that is nearest to `step`. */
export function nearest(steps, step) {
  return steps.reduce((best, each, i) => (Math.abs(each - step) < Math.abs(steps[best] - step) ? i : best), 0);
}

/** Every k-th record and the last, with k so large that `most` are left, or one more. */
export function thinned(history, most) {
  const stride = Math.ceil(history.length / most);
  return stride < 2 ? history : history.filter((_, index) => index % stride === 0 || index === history.length - 1);
}
