// What weight decay charges for singular values, up to a factor: sigma^{2/(L+1)} each, as theory.schattenPenalty has it.
// Pure functions; tests compare them with Python.

/** The charge of one singular value at depth L. */
export function price(sigma, L) {
  return sigma ** (2 / (L + 1));
}

/** The one singular value that is charged `paid`. */
export function alone(paid, L) {
  return paid ** ((L + 1) / 2);
}

/** Pairs of singular values that are charged `paid` together, [[s1, s2], ...], up to `most` along either axis, in 2 `steps`. */
export function equalPairs(paid, L, most, steps) {
  const middle = alone(paid / 2, L);
  // one half from the diagonal outwards, the other its mirror image
  const half = Array.from({ length: steps + 1 }, (_, i) => {
    const sigma = Math.min(middle + (most - middle) * (i / steps) ** 2, alone(paid, L));
    return [sigma, alone(Math.max(0, paid - price(sigma, L)), L)];
  });
  return [...half.map(([x, y]) => [y, x]).reverse(), ...half];
}
