// The playground: one run of gradient descent, trained by a worker in the page, with its loss, singular values and logits.
import { duel } from "./contest.js";
import { element } from "./controls.js";
import { live } from "./figure.js";
import { heatMap } from "./heat.js";
import { GREY, INK, Plot, key } from "./plot.js";
import { words } from "./outcome.js";
import { thinned } from "./records.js";
import { show } from "./settings.js";
import source from "./worker.js?bundled";

const FASTEST = 1_000_000; // the pace that no machine keeps
const CALM = 700; // milliseconds between two pictures for a reader who wants no motion

/** What the worker's run takes, from the values of the controls. */
function settingOf({ K, n, L, d, lambda, rate, scale, activation, seed }) {
  const model = { classes: K, samples: n, depth: L, width: d, weightDecay: lambda, activation };
  return { ...model, learningRate: rate, initScale: scale, seed };
}

export default live((figure) => {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  let setting = null; // of the run under way
  let run = 0; // its number
  let history = []; // its records
  let now = null; // where it is
  let playing = false;
  let waiting = false; // it played when the tab was hidden
  let pace = 0; // steps a second that the worker could take
  let bounds = {};
  let shown = 0; // when the last picture was drawn

  const play = element("button", { type: "button", className: "playground-play" }, "Play");
  const step = element("button", { type: "button", className: "playground-step" }, "Step");
  const restart = element("button", { type: "button", className: "playground-restart" }, "To step 0");
  const state = element("span", { className: "playground-state" });
  const charts = element("div", { className: "live-panels" });
  figure.stage.append(element("div", { className: "live-row" }, play, step, restart, state), charts);

  let blocked = false; // the browser allows no worker: some throw, some fire an event
  const block = () => {
    blocked = play.disabled = step.disabled = restart.disabled = true;
    figure.redraw();
  };
  let worker = { postMessage() {}, terminate() {} };
  try {
    worker = new Worker(address);
    worker.onerror = block;
  } catch {
    block();
  }

  function begin(values) {
    setting = settingOf(values);
    history = [];
    now = null;
    step.disabled = blocked;
    const best = duel(values);
    bounds = { dnc: best.dnc.loss, pairing: best.pairing.loss };
    worker.postMessage({ start: setting, key: ++run, play: playing ? figure.values.pace : 0 });
  }

  function go(on) {
    if (on && now?.ended) begin(figure.values);
    playing = on;
    play.textContent = on ? "Pause" : "Play";
    worker.postMessage({ play: on ? figure.values.pace : 0 });
    figure.redraw();
  }

  worker.onmessage = ({ data }) => {
    if (data.key !== run) return; // of a run that was left
    history.push(...data.records);
    now = data;
    if (data.pace) pace = data.pace;
    if (data.ended && playing) go(false);
    if (data.ended && document.activeElement === step) play.focus(); // a button that becomes disabled would lose the place
    step.disabled = Boolean(data.ended);
    if (!figure.still || !playing || performance.now() - shown > CALM) figure.redraw();
  };
  play.onclick = () => go(!playing);
  step.onclick = () => {
    if (playing) go(false);
    worker.postMessage({ steps: 1 });
  };
  restart.onclick = () => {
    go(false);
    begin(figure.values);
  };
  // nothing is computed where nobody looks
  const hidden = () => {
    if (document.hidden) {
      waiting = playing;
      if (playing) go(false);
    } else if (waiting) {
      waiting = false;
      go(true);
    }
  };
  document.addEventListener("visibilitychange", hidden);

  let before = null; // the pace that the worker was told
  return {
    draw() {
      const values = figure.values;
      if (JSON.stringify(settingOf(values)) !== JSON.stringify(setting)) begin(values);
      if (playing && values.pace !== before) worker.postMessage({ play: values.pace });
      before = values.pace;
      shown = performance.now();
      const wide = figure.width >= 560;
      const torch = torchOf(figure, setting);
      const half = wide ? Math.floor((figure.width - 13) / 2) : figure.width;
      const size = Math.min(figure.width, 260);
      const linear = values.activation === "relu" ? " (linear model)" : "";
      const speed = values.pace === FASTEST ? "as fast as it can" : `${values.pace} steps a second`;
      const said = words({ setting, now, playing, bounds, label: (name) => figure.looks[name].label, pace: speed });
      if (blocked) return "This browser allows no background work in a page (Web Workers), so nothing can be trained here.";
      state.textContent = now ? status(now, playing && values.pace === FASTEST ? pace : 0) : "";
      charts.innerHTML =
        lossChart(figure, { width: half, history, now, bounds, torch }) +
        valuesChart({ width: half, history, now, torch, K: values.K }) +
        (now ? heatMap(now.logits, values.K, size, `class-mean logits at step ${now.steps}`) : "") +
        `<div style="flex: 1 1 12rem; align-self: center">${key([
          { color: INK, label: "this run", point: false },
          { ...figure.looks.dnc, label: `best loss of DNC${linear}`, point: false },
          { ...figure.looks.pairing, label: `best loss of pairing${linear}`, point: false },
          { color: INK, label: "singular values that count for the rank", point: false },
          { color: GREY, dash: "4 3", label: "the others", point: false },
          ...(torch ? [{ color: INK, marker: "x", label: "the same run in PyTorch", line: false }] : []),
        ])}</div>`;
      return playing ? undefined : said;
    },
    reset() {
      go(false);
      begin(figure.values);
    },
    remove() {
      document.removeEventListener("visibilitychange", hidden);
      worker.terminate();
      URL.revokeObjectURL(address);
    },
  };
});

function status({ steps, loss, rank }, pace) {
  const speed = pace ? `, ${Number(pace.toPrecision(2)).toLocaleString("en")} steps a second` : "";
  return `step ${steps.toLocaleString("en")}, loss ${loss.toFixed(4)}, rank ${rank}${speed}`;
}

/** The axis of steps: a little more than has been taken, in round numbers, so that it moves rarely. */
function stepsAxis(now, torch) {
  const taken = Math.max(100, now?.steps ?? 0, torch?.at(-1)[0] ?? 0);
  const power = 10 ** Math.floor(Math.log10(taken));
  return { min: 0, max: power * [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((each) => each * power >= taken), label: "steps" };
}

/** The curve of the same run in PyTorch, [[step, loss], ...], or null. */
function torchOf(figure, setting) {
  const { result } = figure;
  return result && JSON.stringify(settingOf(result.values)) === JSON.stringify(setting) ? result.points : null;
}

function lossChart(figure, { width, history, now, bounds, torch }) {
  const least = Math.min(bounds.dnc, bounds.pairing, now?.loss || Infinity);
  const most = 2.6 * Math.max(bounds.dnc, bounds.pairing);
  const plot = new Plot({
    width,
    height: 270,
    x: stepsAxis(now, torch),
    y: { min: 0.93 * least, max: most, log: true, label: "loss", ...lossTicks(least) },
    margin: { right: 16 },
  });
  for (const name of ["dnc", "pairing"]) plot.rule({ y: bounds[name] }, { color: figure.looks[name].color, dash: figure.looks[name].dash });
  plot.line(thinned(history, width).map(({ steps, loss }) => [steps, loss]));
  if (torch) plot.points(torch.filter(([, loss]) => loss <= most), { color: INK, marker: "x" }, 3);
  if (now && now.loss > most) plot.text(now.steps, most, `▲ ${now.loss.toFixed(2)}`, { anchor: "start", dx: 4, dy: 12 });
  const told = now ? `now ${now.loss.toFixed(4)} after ${now.steps} steps` : "not begun";
  return plot.svg({ label: `Loss over the steps, ${told}; the best of DNC is ${bounds.dnc.toFixed(4)}, of pairing ${bounds.pairing.toFixed(4)}.` });
}

/** About four round losses, a factor apart. */
function lossTicks(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  const ticks = [1, 1.5, 2, 3, 4, 5, 7, 10, 15, 20, 30].map((each) => each * power);
  return { ticks: ticks.filter((value) => value >= 0.93 * least && value < 2.6 * least), format: (value) => show(value) };
}

function valuesChart({ width, history, now, torch, K }) {
  const plot = new Plot({
    width,
    height: 270,
    x: stepsAxis(now, torch),
    y: { min: 1e-4, max: 100, log: true, label: "singular values of the logits", ticks: [1e-4, 1e-2, 1] },
    margin: { right: 16 },
  });
  const records = thinned(history, width);
  for (let i = K - 1; i >= 0; i--) {
    const kept = now && i < now.rank;
    const points = records.map(({ steps, values }) => [steps, Math.max(values[i], 1e-9)]);
    plot.line(points, { color: kept ? INK : GREY, dash: kept ? "" : "4 3" }, { width: kept ? 2 : 1.3 });
    if (points.length === 1) plot.points(points, { color: kept ? INK : GREY, marker: "o" }, 2.5);
  }
  const counted = now ? `${now.rank} of ${K} count for the rank` : "not begun";
  return plot.svg({ label: `Singular values of the class-mean logits over the steps: ${counted}.` });
}
