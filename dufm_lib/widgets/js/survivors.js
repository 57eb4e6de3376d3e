// Which singular values of the logits are left after a long time of gradient flow, and how pairing fares against collapse.
// Pure functions; tests compare them with Python. Settings are { start, K, L, n, theta, size, seed }; see flow.js.
import { odd, spectralFlow } from "./flow.js";
import { uniform } from "./random.js";

// a long time
export const END = 1e20;
// a mode below this part of the largest has lost, as everywhere in the chapter
export const ALIVE = 0.3;

/** The modes that a pairing of classes K - 1 - i and i needs: those that change their sign from one to the other. */
export function pairingModes(K) {
  return Array.from({ length: K - 1 }, (_, k) => odd(k + 1, K - 1));
}

/** z_1, ..., z_{K-1} at time 0: between theta and 1 times the size at random, or the modes of pairing ahead of the others. */
export function beginning({ start, K, theta, size, seed }) {
  const next = uniform(seed);
  const parts = pairingModes(K).map((needed) => (start === "random" ? theta + (1 - theta) * next() : needed ? 1 : theta));
  return parts.map((part) => size * part);
}

/** The singular values of a setting over time, [[t, [z_1, ...]], ...]. */
export function pathOf(values, end = END) {
  return spectralFlow(values, beginning(values), end);
}

/** { largest, alive: [boolean, ...] } at the end of a path. */
export function outcome(path) {
  const [, values] = path.at(-1);
  const largest = Math.max(...values);
  return { largest, alive: values.map((value) => value > ALIVE * largest) };
}

/** { least, last, rising } of the ratio of a mode that collapse needs too to one that pairing needs, with pairing ahead. */
export function ratio(path, K) {
  const needed = pairingModes(K);
  const ratios = path.map(([, values]) => values[needed.indexOf(false)] / values[needed.indexOf(true)]);
  const last = ratios.at(-1);
  return { least: Math.min(...ratios), last, rising: last >= ratios.at(-2) * (1 - 1e-9) };
}
