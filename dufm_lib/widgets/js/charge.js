// What weight decay charges for singular values, up to a factor: sigma^{2/(L+1)} each, as theory.schattenPenalty has it.
// Pure functions; tests compare them with Python.

/** The charge of one singular value at depth L. */
export function price(sigma, L) {
  return sigma ** (2 / (L + 1));
}

/** `count` of the pairs of singular values that are charged `paid` together, [[s1, s2], ...], up to `most` along either axis. */
export function equalPairs(paid, L, most, count) {
  const alone = paid ** ((L + 1) / 2);
  const middle = (paid / 2) ** ((L + 1) / 2);
  // one half from the diagonal outwards, the other its mirror image
  const half = Array.from({ length: count }, (_, i) => {
    const sigma = Math.min(middle + (most - middle) * (i / (count - 1)) ** 2, alone);
    return [sigma, Math.max(0, paid - price(sigma, L)) ** ((L + 1) / 2)];
  });
  return [...half.map(([x, y]) => [y, x]).reverse(), ...half];
}
