// The singular values of the logits under gradient flow without weight decay: which of them are left after a long time.
import { live } from "./figure.js";
import { boundary } from "./flow.js";
import { GREY, INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { ALIVE, END, outcome, pairingModes, pathOf, ratio } from "./survivors.js";
import { dncStableScale } from "./theory.js";

const TIMES = [0.1, END];
const LOOKS = {
  alive: { color: INK, dash: "", label: `ends above ${ALIVE} of the largest`, point: false },
  lost: { color: GREY, dash: "6 3", label: "falls behind", point: false },
};

export default live((figure) => ({
  draw() {
    const { values, looks } = figure;
    const path = pathOf(values);
    const end = outcome(path);
    const words = tell(values, path, end);
    const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
    const paired = values.start === "pairing";
    const needed = pairingModes(values.K);
    const kinds = paired
      ? {
          ahead: { ...looks.pairing, label: "modes that pairing needs", point: false },
          rest: { ...looks.dnc, label: "modes that collapse needs too", point: false },
        }
      : LOOKS;
    const lookOf = (k) => (paired ? kinds[needed[k] ? "ahead" : "rest"] : kinds[end.alive[k] ? "alive" : "lost"]);
    const run = figure.result;
    const own = run && ["start", "K", "L", "theta", "size", "n", "seed"].every((name) => run[name] === values[name]) ? run : null;
    const panels = [growth(width, values, path, lookOf), shares(width, values, path, lookOf)];
    for (const [time, found] of own?.path ?? []) panels[0].points(found.map((value) => [time, value]), { color: INK, marker: "." }, 4);
    const shown = paired ? Object.values(kinds) : Object.values(kinds).filter((_, i) => end.alive.includes(i === 0));
    figure.stage.innerHTML =
      `<div class="live-panels">${panels.map((plot) => plot.svg()).join("")}</div>` +
      key([
        ...shown,
        ...(own ? [{ color: INK, marker: ".", label: "left: descent with PyTorch", line: false }] : []),
        ...(values.L > 1 ? [{ color: INK, dash: "2 3", label: "left: K(L−1)/(L+1), where repulsion around collapse ends", point: false }] : []),
        ...(paired && values.L > 1 ? [{ color: INK, dash: "7 3 2 3", label: "right: boundary θ* of late flow", point: false }] : []),
      ]);
    return words;
  },
}));

function tell({ start, K, L, n, theta, size }, path, { largest, alive }) {
  const count = alive.filter(Boolean).length;
  const lasting = `At time 10²⁰ ${count} of ${K - 1} singular values are above ${ALIVE} of the largest, ${show(largest)}.`;
  const repulsion =
    L > 1
      ? ` Around collapse differences grow up to the scale K(L−1)/(L+1) = ${show(dncStableScale(K, L))}.`
      : " At depth 1 early growth keeps all ratios.";
  const about = `K = ${K}, L = ${L}, n = ${n}, from ${show(theta * size)} to ${show(size)}`;
  const alike = theta === 1 ? ", where no seed plays a part" : "";
  if (start === "random") return `${about}${alike}. ${lasting}${repulsion}`;
  const { least, last, rising } = ratio(path, K);
  return (
    `${about}, pairing ahead, where no seed plays a part. The ratio θ starts at ${show(theta)}, is ${show(least)} at its least and ` +
    `${show(last)} at time 10²⁰, where it moves towards ${rising ? "collapse" : "pairing"}. ` +
    `The boundary for large logits is θ* = ${show(boundary({ K, L }))}.${repulsion}`
  );
}

const timeAxis = { min: TIMES[0], max: TIMES[1], log: true, label: "time" };

/** The singular values. */
function growth(width, { K, L, size, theta }, path, lookOf) {
  const top = 2 * Math.max(...path.at(-1)[1]);
  const y = { min: Math.min(0.5 * theta * size, 0.1 * top), max: top, log: true, label: "singular value" };
  const plot = new Plot({ width, height: 260, x: timeAxis, y });
  if (L > 1) plot.rule({ y: dncStableScale(K, L) });
  return lines(plot, K, path, lookOf, (value) => value);
}

/** The singular values in parts of the largest. */
function shares(width, { K, L, start }, path, lookOf) {
  const plot = new Plot({ width, height: 260, x: timeAxis, y: { min: 0, max: 1.05, label: "relative to the largest" } });
  if (start === "pairing" && L > 1) plot.rule({ y: boundary({ K, L }) }, { dash: "7 3 2 3" });
  return lines(plot, K, path, lookOf, (value, values) => value / Math.max(...values));
}

function lines(plot, K, path, lookOf, height) {
  for (let k = 0; k < K - 1; k++) {
    const points = path.filter(([time]) => time >= 0.5 * TIMES[0]).map(([time, values]) => [time, height(values[k], values)]);
    plot.line(points, lookOf(k), { width: 1.6 });
  }
  return plot;
}
