// One run of descent as a reader follows it: advanced a few steps at a time, measured on the way, ended when it has
// converged (or diverged, or is at the limit), with the rules of dufm_lib.descent.train.

import { Descent, randomStart } from "./descent.js";
import { structureLabel } from "./label.js";
import { rank, singularValues } from "./spectrum.js";

export const LIMIT = 100_000; // steps
const JUDGED_EVERY = 100; // steps, as descent.train does

/** Steps between two records: every step at first, then one in a hundred or fewer. */
const spacing = (steps) => (steps < 200 ? 1 : steps < 20_000 ? 10 : 100);

export class Run {
  /** `setting`: what Descent takes, and seed and initScale. */
  constructor(setting) {
    this.classes = setting.classes;
    this.tolerance = setting.weightDecay / 100; // on the gradient norm
    this.descent = new Descent(setting, randomStart(setting, setting.seed, setting.initScale));
    this.ended = ""; // "converged", "diverged" or "limit" in the end
    this.records = [];
    this.record();
  }

  /** Take so many steps, or fewer if the run ends on the way. */
  advance(count) {
    for (; count > 0 && !this.ended; count--) {
      this.descent.step();
      if (this.descent.steps % spacing(this.descent.steps) === 0) this.record();
    }
  }

  record() {
    const { steps } = this.descent;
    const { loss, gradientNorm, logits } = this.descent.measure();
    if (!Number.isFinite(loss + gradientNorm)) {
      this.ended = "diverged";
      return;
    }
    this.records.push({ steps, loss, values: singularValues(logits, this.classes) });
    if (steps % JUDGED_EVERY === 0 && gradientNorm <= this.tolerance) this.ended = "converged";
    else if (steps >= LIMIT) this.ended = "limit";
  }

  /** What happened since the last call, and where the run is now: what the page shows. */
  news() {
    const { loss, gradientNorm, logits } = this.descent.measure();
    const records = this.records;
    this.records = [];
    const finite = this.ended !== "diverged";
    return {
      steps: this.descent.steps,
      ended: this.ended,
      records,
      loss,
      gradientNorm,
      logits,
      rank: finite ? rank(singularValues(logits, this.classes)) : -1,
      structure: finite ? structureLabel(logits, this.classes) : "diverged",
    };
  }
}
