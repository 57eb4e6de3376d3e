// When the small classes share a column, from optima at samples of the weight decay. Pure functions; tests compare them
// with Python. A setting is { k1, k2, R, L }, as imbalance.js has it.
import { follow, stepOptima } from "./imbalance.js";

export const DECAYS = Array.from({ length: 37 }, (_, i) => 2 ** (i / 3 - 14));
// logits closer than this are one column
export const MERGED = 1e-4;

/** The optima at DECAYS. */
export function optimaOf(setting) {
  return stepOptima(setting, DECAYS);
}

/** The weight decay from which on the small classes share a column, to four digits; null if none. */
export function mergesFrom(setting, optima) {
  if (setting.k2 < 2) return null;
  const first = optima.findIndex(({ small }) => small < MERGED);
  if (first < 1) return first === 0 ? DECAYS[0] : null;
  let [low, high] = [DECAYS[first - 1], DECAYS[first]];
  const points = [...optima[first - 1].points, ...optima[first].points];
  for (let step = 0; step < 12; step++) {
    const middle = Math.sqrt(low * high);
    if (follow(setting, middle, points).small < MERGED) high = middle;
    else low = middle;
  }
  return high;
}

/** The optimum at any weight decay between the first and the last of DECAYS, from the optima around it. */
export function optimumAt(setting, optima, lambda) {
  const after = Math.max(1, DECAYS.findIndex((each) => each >= lambda));
  return follow(setting, lambda, [...optima[after - 1].points, ...optima[after].points]);
}
