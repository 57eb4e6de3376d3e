// Structures against each other, each at its own best scale: who has the least loss, where two change places, and a map.
// Pure functions; tests compare them with Python.
//
// A contest is { name: { scale, loss } }; the functions duel, three and race make one from a problem { K, n, L, lambda }.
import { racers } from "./nonnegative.js";
import { optimalScale, pairing, polygon, root, simplex } from "./theory.js";

/** Collapse against pairing. */
export function duel(problem) {
  return contest({ dnc: simplex(problem.K), pairing: pairing(problem.K) }, problem);
}

/** Collapse, pairing and polygon. */
export function three(problem) {
  return contest({ dnc: simplex(problem.K), pairing: pairing(problem.K), polygon: polygon(problem.K) }, problem);
}

/** With ReLU: the bound of collapse against what nonnegative.js has. */
export function race(problem) {
  return contest(racers(problem.K, problem.L), problem);
}

function contest(structures, problem) {
  return Object.fromEntries(Object.entries(structures).map(([name, each]) => [name, optimalScale(each, problem)]));
}

/** Who has the least loss, the first of equal ones (to 1e-9); "zero" if none beats zero logits. */
export function leader(found) {
  const least = Math.min(...Object.values(found).map(({ loss }) => loss));
  const name = Object.keys(found).find((each) => found[each].loss <= least * (1 + 1e-9));
  return found[name].scale > 0 ? name : "zero";
}

/**
 * [{ lambda, pairingAbove }, ...]: the weight decays at which the two of a duel change places, and whether pairing wins
 * above; from the duels `sampled` at ascending `decays`.
 */
export function crossings(problem, decays, sampled) {
  const gap = ({ dnc, pairing: pairs }) => dnc.loss - pairs.loss;
  const at = (log) => gap(duel({ ...problem, lambda: Math.exp(log) }));
  const found = [];
  for (let i = 1; i < decays.length; i++) {
    const [before, after] = [sampled[i - 1], sampled[i]];
    // where both are zero logits there is nothing to compare
    if (after.dnc.scale === 0 && after.pairing.scale === 0) break;
    if (gap(before) * gap(after) >= 0) continue;
    const lambda = Math.exp(root(at, Math.log(decays[i - 1]), Math.log(decays[i])));
    found.push({ lambda, pairingAbove: gap(after) > 0 });
  }
  return found;
}

/** The whole numbers of a range. */
export function range([first, last], step = 1) {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}

/** The leaders of contests of one kind, [{ K, L, name }, ...], for all K and L of the ranges `classes` and `depths`. */
export function cells(kind, classes, depths, { n, lambda }) {
  return range(depths).flatMap((L) => range(classes).map((K) => ({ K, L, name: leader(kind({ K, n, L, lambda })) })));
}
