// What became of a run, in words. Knows nothing of the page.
import { show } from "./settings.js";

const ENDED = {
  converged: (steps) => `After ${steps} steps the run has converged`,
  limit: (steps) => `After ${steps} steps the run is at its limit and has not converged`,
};

/**
 * One or two sentences.
 *   setting   what Descent takes          now       what Run.news() told, or null
 *   playing   whether it goes on          bounds    { dnc, pairing }: their best losses
 *   label     from a structure's key to its name      pace      of a run that plays, in words
 */
export function words({ setting, now, playing, bounds, label, pace }) {
  if (!now || (now.steps === 0 && !playing)) {
    const best = `The best loss of ${label("dnc")} is ${bounds.dnc.toFixed(4)}, that of ${label("pairing")} ${bounds.pairing.toFixed(4)}`;
    return `At step 0. ${best}. Press Play to descend at learning rate ${show(setting.learningRate)}, ${pace}.`;
  }
  const steps = now.steps.toLocaleString("en");
  if (now.ended === "diverged") {
    return `The run has diverged after ${steps} steps: the learning rate ${show(setting.learningRate)} is too large here.`;
  }
  const begin = ENDED[now.ended]?.(steps) ?? `${playing ? "Now at" : "Paused after"} ${steps} steps`;
  return `${begin}: ${structure(now, label)}; loss ${now.loss.toFixed(4)}, ${against(now.loss, bounds, setting)}.`;
}

function structure({ rank, structure, ended }, label) {
  if (structure === "zero") return "the logits are zero";
  const name = structure === "mixed" ? "none of the named structures" : label(structure);
  return `rank ${rank}, ${ended === "converged" || structure === "mixed" ? name : `close to ${name}`}`;
}

function against(loss, { dnc, pairing }, { activation }) {
  const place = (bound) => (Math.abs(loss - bound) < 5e-5 * bound ? "equal to" : loss < bound ? "below" : "above");
  const to = (bound) => `${place(bound)} ${bound.toFixed(4)}`;
  const model = activation === "relu" ? ", both in the linear model" : "";
  return `${to(dnc)}, the best of DNC, and ${to(pairing)}, that of pairing${model}`;
}
