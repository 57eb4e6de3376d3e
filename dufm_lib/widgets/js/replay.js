// A training played again from its records: class means in space, and four charts with a cursor at the chosen step.
import { element } from "./controls.js";
import { live } from "./figure.js";
import { GREY, INK, Plot, key } from "./plot.js";
import { nearest } from "./records.js";
import { show } from "./settings.js";
import { rank } from "./spectrum.js";
import { effectiveRank } from "./stats.js";
import { turntable } from "./turntable.js";

const PACE = 150; // milliseconds from record to record
const DNC = [
  { color: INK, dash: "", label: "DNC1: variability within classes" },
  { color: INK, dash: "7 3", label: "DNC2: distance of the means from a simplex" },
  { color: INK, dash: "2 3", label: "DNC3: share of the last weight matrix outside their span" },
];

export default live((figure) => {
  const { runs, first } = figure.data;
  const table = turntable("replay", "The class means in space", figure);
  const play = element("button", { type: "button", className: "replay-play" }, "Play");
  const state = element("span", { className: "replay-state" });
  const space = element("div", {}, table.picture, table.row);
  const [beside, below] = [element("div"), element("div", { className: "live-panels" })];
  figure.stage.append(
    element("div", { className: "live-row" }, play, state),
    element("div", { className: "live-panels" }, space, beside),
    below,
  );

  let timer = 0;
  const chosen = () => runs[figure.values.run ?? first];
  function go(on) {
    clearInterval(timer);
    timer = on ? setInterval(next, PACE) : 0;
    play.textContent = on ? "Pause" : "Play";
    figure.redraw();
  }
  function next() {
    const step = chosen().steps.find((each) => each > figure.values.step);
    if (step === undefined) go(false);
    else figure.set({ step });
  }
  play.onclick = () => {
    if (!timer && figure.values.step >= chosen().steps.at(-1)) figure.set({ step: 0 });
    go(!timer);
  };

  let drawn = ""; // the charts do not change while the class means are turned
  return {
    draw() {
      play.hidden = figure.still; // nothing moves by itself for a reader who wants no motion: the slider tells the same
      if (figure.still && timer) go(false);
      const run = chosen();
      const at = nearest(run.steps, figure.values.step);
      const width = figure.width >= 560 ? Math.floor((figure.width - 13) / 2) : figure.width;
      const said = tell(run, at, figure.values.step, figure.looks);
      // a solid by its edges, what needs more dimensions by its spokes
      const edges = run.edges.length ? run.edges : run.names.map((_, k) => [k, -1]);
      const solid = { points: run.points[at], edges, names: run.names };
      table.put(solid, figure.looks[run.structure[at]], Math.min(width, 340), means(run, at));
      space.style.width = `${width}px`;
      const { turn, tilt, zoom, ...set } = figure.values;
      const now = JSON.stringify([set, width, figure.result]);
      if (now !== drawn) {
        drawn = now;
        state.textContent = `step ${place(run.steps, at, set.step)}, objective ${run.objective[at].toFixed(4)}`;
        const charts = [objective, values, collapse, ranks].map((chart) => chart({ width, run, at, looks: figure.looks, again: figure.result }));
        beside.innerHTML = charts.slice(0, 2).join("");
        below.innerHTML = charts.slice(2).join("") + legend(run, figure);
      }
      return timer ? undefined : said;
    },
    reset: () => go(false),
    remove: () => clearInterval(timer),
  };
});

/** What the picture in space shows. */
function means({ steps, carried, edges }, at) {
  const share = Math.round(100 * carried[at]);
  const shadow = share === 100 ? "they lie in three directions" : `their shadow in three directions, ${share}% of their squared length`;
  const hull = edges.length ? "; the edges are those of their hull at the end" : "";
  return `Centred class means at step ${steps[at]}: ${shadow}${hull}.`;
}

/** The step of a record, for a reader who asked for this one or for another. */
function place(steps, at, asked) {
  const end = steps.at(-1);
  if (asked > end) return `${end}, the end (the run stopped there, before step ${asked})`;
  const near = asked === steps[at] ? "" : ` (the record nearest to step ${asked})`;
  return `${steps[at]}, ${steps[at] === end ? "the end" : `of ${end}`}${near}`;
}

function tell(run, at, asked, looks) {
  const { steps, objective, sigma, dnc, structure, bounds } = run;
  const name = structure[at] === "mixed" ? "no structure with a name" : looks[structure[at]].label;
  const bound = (each, said) => (each === undefined ? "" : `${objective[at] < each ? "below" : "above"} the best ${said}, ${each.toFixed(4)}`);
  const against = [bound(bounds.dnc, "of DNC"), bound(bounds.pairing, "of pairing")].filter(Boolean).join(" and ");
  const metrics = dnc[at].map((value, i) => `DNC${i + 1} ${value === null ? "undefined" : show(value, 2)}`).join(", ");
  return (
    `Step ${place(steps, at, asked)}: objective ${objective[at].toFixed(4)}${against && `, ${against}`}. ` +
    `Logits: ${name}, rank ${rank(sigma[at])}, effective rank ${effectiveRank(sigma[at]).toFixed(1)}. ${metrics}. ${means(run, at)}`
  );
}

/** A chart of something against the step, with a line at the chosen one. */
function chart({ width, run, at }, y) {
  const x = { min: 0, max: run.steps.at(-1), label: "step" };
  return new Plot({ width, height: 190, x, y, margin: { right: 16 } }).rule({ x: run.steps[at] }, { dash: "" });
}

function objective({ looks, again, ...given }) {
  const { steps, objective, bounds } = given.run;
  const ends = [objective.at(-1), ...Object.values(bounds)];
  const [low, high] = [0.95 * Math.min(...ends), Math.max(...ends) + 0.5 * Math.min(...ends)]; // the first steps are far above
  const plot = chart(given, { min: low, max: high, label: "objective" });
  for (const [name, bound] of Object.entries(bounds)) plot.rule({ y: bound }, looks[name]);
  plot.line(zip(steps, objective));
  if (again) plot.points(zip(again.steps, again.objective).filter(([, value]) => value < high), { color: INK, marker: "+" }, 4);
  return plot.svg({ label: `Objective against the step, ${objective[given.at]} at step ${steps[given.at]}.` });
}

function values(given) {
  const { steps, sigma } = given.run;
  const plot = chart(given, { min: 0, max: 1.05 * Math.max(1e-3, ...sigma.slice(1).map((each) => each[0])), label: "singular values of the logits" });
  for (let i = sigma[0].length - 1; i >= 0; i--) {
    const kept = i < rank(sigma.at(-1));
    plot.line(zip(steps, sigma.map((each) => each[i])), { color: kept ? INK : GREY, dash: kept ? "" : "4 3" }, { width: kept ? 2 : 1.3 });
  }
  return plot.svg({ label: `Singular values of the class-mean logits: ${sigma[given.at].map((value) => show(value, 2)).join(", ")}.` });
}

function collapse(given) {
  const { steps, dnc } = given.run;
  const all = dnc.flat().filter((value) => value > 0);
  const plot = chart(given, { min: Math.min(0.1, ...all), max: Math.max(1, ...all), log: true, label: "collapse of the last layer" });
  DNC.forEach((look, i) => plot.line(zip(steps, dnc.map((each) => each[i])), look));
  return plot.svg({ label: `${DNC.map(({ label }, i) => `${label} ${dnc[given.at][i] ?? "undefined"}`).join("; ")}.` });
}

function ranks({ again, ...given }) {
  const { steps, sigma } = given.run;
  const plot = chart(given, { min: 0, max: sigma[0].length, label: "effective rank of the logits", ticks: [0, 2, 4, 6, 8, 10] });
  plot.line(zip(steps, sigma.map(effectiveRank)));
  if (again) plot.points(zip(again.steps, again.sigma.map(effectiveRank)), { color: INK, marker: "+" }, 4);
  return plot.svg({ label: `Effective rank of the class-mean logits, ${effectiveRank(sigma[given.at]).toFixed(2)}.` });
}

function legend({ bounds, structure, sigma }, { looks, result }) {
  const line = (each, label) => ({ ...each, label, point: false });
  return key([
    ...[...new Set(structure)].map((name) => ({ ...looks[name], line: false })),
    ...Object.keys(bounds).map((name) => line(looks[name], `best objective of ${looks[name].label}`)),
    line({ color: INK }, "singular values that stay"),
    ...(rank(sigma.at(-1)) < sigma.at(-1).length ? [line({ color: GREY, dash: "4 3" }, "that do not")] : []),
    ...DNC.map((each) => line(each, each.label)),
    ...(result ? [{ color: INK, marker: "+", label: "again, with PyTorch", line: false }] : []),
  ]);
}

const zip = (xs, ys) => xs.map((x, i) => [x, ys[i]]);
