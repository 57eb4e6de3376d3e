// The random start of a run: the same seed gives the same numbers here and in dufm_lib.widgets.playground.start.
//
// Uniform numbers: mulberry32 (Tommy Ettinger, public domain), 32 bits, its counter begun at a scrambled seed so that
// neighbouring seeds begin far apart. Normal numbers: Box and Muller's transform of one pair after the other.

/** 32 bits scrambled: the mixing function of mulberry32. */
function mix(bits) {
  let t = Math.imul(bits ^ (bits >>> 15), bits | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

/** A function that returns the next uniform number, strictly between 0 and 1. `seed`: 0 to 2^32 - 1. */
export function uniform(seed) {
  let state = mix((seed + 0x9e3779b9) | 0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return (mix(state) + 0.5) / 2 ** 32;
  };
}

/** A function that returns the next number of a standard normal distribution. */
export function normal(seed) {
  const next = uniform(seed);
  let spare = null;
  return () => {
    if (spare !== null) {
      const value = spare;
      spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(next()));
    const angle = 2 * Math.PI * next();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
