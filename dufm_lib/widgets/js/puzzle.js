// The puzzle of the front page: the best losses of DNC and pairing against the weight decay, and where they cross.
import { crossings, duel } from "./contest.js";
import { live } from "./figure.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { dncIsExcluded, pairing, rank, simplex } from "./theory.js";

const RANGE = [2 ** -14, 0.5];
const SAMPLES = 90;
const NAMES = ["dnc", "pairing"];
const DECAYS = Array.from({ length: SAMPLES + 1 }, (_, i) => RANGE[0] * (RANGE[1] / RANGE[0]) ** (i / SAMPLES));

export default live((figure) => {
  let drawn = ""; // the curves do not depend on lambda: a drag of it keeps them
  let sampled, crossed;
  return {
    draw() {
      const { K, n, L, lambda } = figure.values;
      const problem = { K, n, L, lambda };
      if (drawn !== `${K} ${n} ${L}`) {
        sampled = DECAYS.map((each) => duel({ K, n, L, lambda: each }));
        crossed = crossings(problem, DECAYS, sampled);
        drawn = `${K} ${n} ${L}`;
      }
      const now = duel(problem);
      const words = verdict(problem, now, crossed);
      const run = figure.result;
      const fits = run && run.K === K && run.n === n && run.L === L;
      const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
      const panels = [lossPanel, ratioPanel].map((panel) => panel(width, figure.looks, problem, sampled, now, crossed, fits ? run : null));
      if (run) panels.push(runPanel(figure.width, figure.looks, run));
      const used = run ? [...new Set([...NAMES, ...run.structure])] : NAMES;
      figure.stage.innerHTML =
        `<div class="live-panels">${panels.map((plot) => plot.svg()).join("")}</div>` + key(used.map((name) => figure.looks[name]));
      return words;
    },
  };
});

function verdict({ K, n, L, lambda }, { dnc, pairing: rival }, crossed) {
  const ranks = `rank ${rank(simplex(K))} against ${rank(pairing(K))}`;
  const same = Math.abs(dnc.loss - rival.loss) <= 1e-12 * dnc.loss;
  const both = `DNC ${show(dnc.loss, 5)}, pairing ${show(rival.loss, 5)}`;
  let now;
  if (dnc.scale === 0 && rival.scale === 0) now = `With λ = ${show(lambda)} neither pays: zero logits are better.`;
  else if (same) now = `The two losses are equal at λ = ${show(lambda)}.`;
  else now = `At λ = ${show(lambda)} the smaller loss is that of ${dnc.loss < rival.loss ? "DNC" : "pairing"} (${both}, ${show(rival.loss / dnc.loss)} times that; ${ranks}).`;
  const theorem = dncIsExcluded(K, L)
    ? `Theorem 1: for K = ${K} and L = ${L} no collapsed solution is a global minimum, whatever λ and n.`
    : `Theorem 1 is silent for K = ${K} and L = ${L}.`;
  const places = crossed.map(({ lambda: at, pairingAbove }) => `at λ = ${show(at)}, above which ${pairingAbove ? "pairing" : "DNC"} is lower`);
  const crossing = places.length ? ` The losses cross ${places.join(" and ")}.` : "";
  return `${now} ${theorem}${crossing}`;
}

const decayAxis = { min: RANGE[0], max: RANGE[1], log: true, label: "weight decay λ" };

function marks(plot, { lambda }, crossed) {
  plot.rule({ x: lambda }, { dash: "" });
  for (const { lambda: at } of crossed) plot.rule({ x: at });
  return plot;
}

/** The two best losses; crossings are dotted, the chosen weight decay is a line. */
function lossPanel(width, looks, problem, sampled, now, crossed, run) {
  const top = 1.3 * Math.log(problem.K);
  const plot = new Plot({
    width,
    height: 250,
    x: decayAxis,
    y: { min: 0.6 * sampled[0].pairing.loss, max: top, log: true, label: "best loss" },
  });
  for (const name of NAMES) {
    plot.line(sampled.map((best, i) => [DECAYS[i], best[name].loss]), looks[name]);
    plot.points([[problem.lambda, now[name].loss]], looks[name]);
  }
  return ends(marks(plot, problem, crossed), looks, run, (loss) => loss);
}

/** The loss of pairing in parts of that of DNC: below 1 collapse is beaten. */
function ratioPanel(width, looks, problem, sampled, now, crossed, run) {
  const ratios = sampled.map((best) => best.pairing.loss / best.dnc.loss);
  const reached = run ? run.loss.map((loss) => loss.at(-1) / run.dnc).filter((ratio) => ratio < 2) : [];
  const low = Math.min(0.95, ...ratios, ...reached);
  const high = Math.max(1.05, ...ratios, ...reached);
  const room = 0.08 * (high - low);
  const plot = new Plot({
    width,
    height: 250,
    x: decayAxis,
    y: { min: low - room, max: high + room, label: "loss / loss of DNC" },
  });
  plot.line([[RANGE[0], 1], [RANGE[1], 1]], looks.dnc);
  plot.line(ratios.map((ratio, i) => [DECAYS[i], ratio]), looks.pairing);
  plot.points([[problem.lambda, 1]], looks.dnc);
  plot.points([[problem.lambda, now.pairing.loss / now.dnc.loss]], looks.pairing);
  return ends(marks(plot, problem, crossed), looks, run, (loss) => loss / run.dnc);
}

/** Where the runs of a result ended, at their weight decay. */
function ends(plot, looks, run, height) {
  run?.loss.forEach((loss, i) => plot.points([[run.lambda, height(loss.at(-1))]], { ...looks[run.structure[i]], marker: "+" }, 6));
  return plot;
}

/** The losses of a result over the steps, beside the best losses of its setting. */
function runPanel(width, looks, run) {
  const last = run.loss.map((loss) => loss.at(-1)).filter(Number.isFinite);
  const low = Math.min(run.dnc, run.pairing, ...last);
  const high = Math.max(run.dnc, run.pairing, ...last);
  const room = 0.35 * (high - low) || 0.1 * high;
  const plot = new Plot({
    width,
    height: 240,
    x: { min: Math.max(1, run.steps[1] ?? 1), max: Math.max(10, run.steps.at(-1)), log: true, label: "step" },
    y: { min: low - room, max: high + 2 * room, label: `loss of ${run.loss.length} runs with PyTorch` },
  });
  for (const name of NAMES) plot.rule({ y: run[name] }, { color: looks[name].color });
  run.loss.forEach((loss, i) => plot.line(run.steps.map((step, at) => [step, loss[at]]), looks[run.structure[i]] ?? { color: INK }, { width: 1.4 }));
  return plot;
}
