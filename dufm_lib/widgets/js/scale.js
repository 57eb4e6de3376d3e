// The loss along the scale of a structure, and the scales at which collapse is critical against the weight decay.
import { dncWeightDecay, frontiers, landmarks, levelScale, stableScale } from "./branches.js";
import { live } from "./figure.js";
import { INK, key, Plot } from "./plot.js";
import { show } from "./settings.js";
import { dncFrontierScale, pairing, simplex, structureLoss } from "./theory.js";

const LARGEST = 13; // of a scale that is drawn: beyond the critical ones at every setting
const COLUMNS = 200;
const TICKS = [0, 0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10];
const APART = 34; // pixels between two ticks
const END = { color: INK, marker: "+" };
const WAY_DOWN = "2 3"; // dashes of critical points with a negative eigenvalue

export default live((figure) => ({
  draw() {
    const problem = figure.values;
    const found = landmarks(problem);
    const edges = frontiers(problem);
    const words = tell(problem, found, edges);
    const run = figure.result;
    const ends = run && ["K", "n", "L", "lambda"].every((name) => run[name] === problem[name]) ? run.ends : [];
    const width = figure.width >= 560 ? (figure.width - 13) / 2 : figure.width;
    const { dnc, pairing: pairs, zero } = figure.looks;
    figure.stage.innerHTML =
      `<div class="live-panels">${losses(width, figure.looks, problem, found).points(ends.map(placed(problem)), END, 7).svg()}` +
      `${branches(width, figure.looks, problem, found, edges).svg()}</div>` +
      key([
        dnc,
        pairs,
        { ...zero, marker: "o" },
        { ...dnc, dash: WAY_DOWN, marker: "X", label: "with a way down" },
        ...(ends.length ? [{ ...END, label: "an end of descent", line: false }] : []),
      ]);
    return words;
  },
}));

function tell(problem, { dnc, pairing: pairs, zero }, edges) {
  const { K, n, L, lambda } = problem;
  const said = [`K = ${K}, n = ${n}, L = ${L}, λ = ${show(lambda)}.`];
  if (L === 1) {
    const load = K * lambda * Math.sqrt(n);
    said.push(`Kλ√n = ${show(load)} is ${load < 1 ? "below" : "not below"} 1.`);
  }
  if (!dnc.length) said.push(`No DNC point is critical${L === 1 ? `: that ends at λ = ${show(edges.exists)}` : ""}.`);
  else {
    const { scale, loss, negative } = dnc.at(-1);
    if (L > 1) said.push(`DNC is critical at α = ${show(dnc[0].scale)}, the rim around zero, and at α = ${show(scale)}.`);
    else said.push(`DNC is critical at α = ${show(scale)}.`);
    const way = negative ? `${negative} negative eigenvalue${negative > 1 ? "s" : ""}` : "no negative eigenvalue";
    said.push(`There its loss is ${show(loss)}, ${loss < zero.loss ? "below" : "above"} log K = ${show(zero.loss)}, and the Hessian has ${way}.`);
  }
  said.push(zero.curvature < 0 ? "Zero is a saddle." : "Zero is a minimum.");
  if (!pairs.scale) said.push("Pairing is best at zero.");
  else said.push(`Pairing at its best scale, ${show(pairs.scale)}, has the loss ${show(pairs.loss)}.`);
  if (L > 1) said.push(`Up to λ = ${show(edges.exists)} DNC is critical, up to ${show(edges.level)} below zero logits, up to ${show(edges.stable)} without a negative eigenvalue.`);
  return said.join(" ");
}

/** Where [scale, loss] stands on the left. */
const placed = ({ L }) => ([scale, loss]) => [scale ** (1 / (L + 1)), loss];

const markerOf = (look, negative) => (negative ? { ...look, marker: "X" } : look);

/** Left: the loss along the scale; across, the scale to the power 1/(L + 1), in which it is smooth. */
function losses(width, looks, problem, found) {
  const { K, L } = problem;
  const place = (scale) => placed(problem)([scale])[0];
  const room = width - 66; // between the margins
  const apart = (a, b) => (place(a) - place(b)) * (room / place(LARGEST)) >= APART;
  const ticks = [LARGEST];
  for (const tick of [...TICKS].reverse()) if (apart(ticks.at(-1), tick) && (tick === 0 || apart(tick, 0))) ticks.push(tick);
  const plot = new Plot({
    width,
    height: 270,
    x: {
      min: 0,
      max: place(LARGEST),
      label: "scale (α of DNC, β of pairing)",
      ticks: ticks.slice(1).map(place),
      format: (at) => show(at ** (L + 1), 2),
    },
    y: { min: 0, max: 1.35 * Math.log(K), label: "loss" },
  });
  plot.rule({ y: found.zero.loss }, looks.zero);
  for (const [name, structure] of Object.entries({ pairing: pairing(K), dnc: simplex(K) })) {
    const points = Array.from({ length: COLUMNS + 1 }, (_, i) => {
      const at = (place(LARGEST) * i) / COLUMNS;
      return [at, structureLoss(structure, problem, at ** (L + 1))];
    });
    plot.line(points, looks[name], { width: 2.4 });
  }
  plot.points([[0, found.zero.loss]], markerOf({ ...looks.zero, marker: "o" }, found.zero.curvature < 0), 5);
  if (found.pairing.scale) plot.points([[place(found.pairing.scale), found.pairing.loss]], markerOf(looks.pairing, found.pairing.negative), 5);
  for (const { scale, loss, negative } of found.dnc) plot.points([[place(scale), loss]], markerOf(looks.dnc, negative), 5);
  return plot;
}

/** Right: the critical scales of DNC, and zero, against the weight decay. */
function branches(width, looks, problem, found, edges) {
  const { K, L, lambda } = problem;
  const plot = new Plot({
    width,
    height: 270,
    x: { min: 2 ** -14, max: 4, log: true, label: "weight decay λ" },
    y: { min: 0, max: LARGEST, label: "critical scale α of DNC" },
  });
  const branch = (from, to) =>
    Array.from({ length: COLUMNS + 1 }, (_, i) => {
      const alpha = from + (to - from) * (i / COLUMNS) ** 2;
      return [dncWeightDecay(problem, alpha), alpha];
    }).filter(([decay]) => decay > 0);
  const [top, stable] = [L === 1 ? 0 : dncFrontierScale(K, L), stableScale(K, L)];
  plot.line(branch(stable, LARGEST), looks.dnc, { width: 2.4 });
  if (L > 1) {
    plot.line(branch(top, stable), { ...looks.dnc, dash: WAY_DOWN }, { width: 2.4 });
    plot.line(branch(0, top), { ...looks.dnc, dash: WAY_DOWN }, { width: 1.6 });
  }
  // zero is a minimum at every weight decay but for depth 1 below the threshold
  const turn = L === 1 ? Math.min(edges.exists, 0.5) : 2 ** -14;
  if (L === 1) plot.line([[2 ** -14, 0], [turn, 0]], { ...looks.zero, dash: WAY_DOWN }, { width: 3 });
  plot.line([[turn, 0], [4, 0]], { ...looks.zero, dash: "" }, { width: 3 });
  plot.rule({ x: lambda }, { dash: "" });
  if (L === 1) plot.text(edges.exists, 0, "Kλ√n = 1", { anchor: "start", dx: 6, dy: -8, small: true });
  else mark(plot, [["exists", top, edges.exists], ["beats zero", levelScale(K, L), edges.level], ["stable", stable, edges.stable]]);
  plot.points([[lambda, 0]], markerOf({ ...looks.zero, marker: "o" }, found.zero.curvature < 0), 5);
  for (const { scale, negative } of found.dnc) plot.points([[lambda, scale]], markerOf(looks.dnc, negative), 5);
  return plot;
}

/** Frontiers [name, scale, weight decay] as dots on the branch, their names to the right of it and below each other. */
function mark(plot, frontier) {
  let free = plot.bottom - 5;
  const seen = frontier.filter(([, scale]) => scale < LARGEST).sort(([, a], [, b]) => a - b);
  for (const [name, scale, decay] of seen) {
    plot.points([[decay, scale]], { color: INK, marker: "." }, 5);
    free = Math.min(free, plot.py(scale) + 4);
    plot.text(seen[0][2], scale, name, { anchor: "start", dx: 8, dy: free - plot.py(scale), small: true });
    free -= 14;
  }
}
