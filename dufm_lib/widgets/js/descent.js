// Gradient descent of one deep unconstrained features model, in float64: the step of dufm_lib.descent for a single
// run with cross-entropy and equal penalties. A step allocates nothing.
//
//   objective = -(1/N) sum log softmax(z)_class + lambda/2 (||H||^2 + sum_l ||W_l||^2),  Z = W_L s(... s(W_1 H))
//
// Matrices are row-major Float64Arrays: H (d x N), W_1 ... W_{L-1} (d x d), W_L (K x d); columns ordered by class.

import { multiply, multiplyTransposedLeft, multiplyTransposedRight } from "./products.js";
import { normal } from "./random.js";

/** Shapes [rows, columns] of H, W_1, ..., W_L. */
export function shapes({ classes, samples, depth, width }) {
  return [[width, classes * samples], ...Array(depth - 1).fill([width, width]), [classes, width]];
}

const matrix = ([rows, columns]) => new Float64Array(rows * columns);

export class Descent {
  /**
   * @param setting {classes, samples, depth, width, weightDecay, learningRate, activation: "linear" | "relu"}
   * @param start   Float64Arrays of `shapes(setting)`; they are copied
   */
  constructor(setting, start) {
    const { classes, samples, depth, width } = setting;
    Object.assign(this, setting);
    this.steps = 0;
    this.N = classes * samples;
    this.params = start.map((values) => Float64Array.from(values));
    this.slopes = shapes(setting).map(matrix); // of the fit, without the penalties
    this.logits = matrix([classes, this.N]);
    this.residual = matrix([classes, this.N]); // (softmax(Z) - Y) / N
    const inner = Array.from({ length: depth - 1 });
    if (setting.activation === "relu") {
      this.layers = inner.map(() => matrix([width, this.N])); // A_1, ..., A_{L-1}
      this.signals = inner.map(() => matrix([width, this.N])); // their slopes
    } else {
      this.above = inner.map(() => matrix([classes, width])); // W_L ... W_l for l = 1, ..., L-1
      this.below = Array.from({ length: depth }, () => matrix([classes, width])); // residual (W_l ... W_1 H)^T
    }
  }

  /** Move every factor by -learningRate times its gradient at the point before the step. */
  step() {
    this.gradient();
    const shrink = 1 - this.learningRate * this.weightDecay;
    for (let f = 0; f < this.params.length; f++) {
      const values = this.params[f];
      const slope = this.slopes[f];
      for (let i = 0; i < values.length; i++) values[i] = shrink * values[i] - this.learningRate * slope[i];
    }
    this.steps++;
  }

  /** Loss, gradient norm (both with the penalties) and class-mean logits (K x K, new memory). */
  measure() {
    const { classes, samples, weightDecay } = this;
    this.gradient();
    let squares = 0;
    let pull = 0;
    this.params.forEach((values, f) => {
      for (let i = 0; i < values.length; i++) {
        squares += values[i] * values[i];
        pull += (this.slopes[f][i] + weightDecay * values[i]) ** 2;
      }
    });
    const means = new Float64Array(classes * classes);
    for (let k = 0; k < classes; k++)
      for (let s = 0; s < this.N; s++) means[k * classes + Math.floor(s / samples)] += this.logits[k * this.N + s] / samples;
    return { loss: this.fit + (weightDecay / 2) * squares, gradientNorm: Math.sqrt(pull), logits: means };
  }

  /** The slopes of the fit at the present point; leaves logits and fit behind. */
  gradient() {
    if (this.activation === "relu") this.gradientRelu();
    else this.gradientLinear();
  }

  // A linear model is multiplied from its narrow side: K rows at a time, not d.
  gradientLinear() {
    const { classes: K, width: d, depth: L, N, params, slopes, above, below, residual } = this;
    const from = (l) => (l < L ? above[l - 1] : params[L]); // W_L ... W_l
    for (let l = L - 1; l >= 1; l--) multiply(above[l - 1], from(l + 1), params[l], K, d, d);
    multiply(this.logits, from(1), params[0], K, d, N);
    this.compare();
    multiplyTransposedLeft(slopes[0], from(1), residual, d, K, N);
    multiplyTransposedRight(below[0], residual, params[0], K, N, d);
    for (let l = 1; l < L; l++) {
      multiplyTransposedLeft(slopes[l], from(l + 1), below[l - 1], d, K, d);
      multiplyTransposedRight(below[l], below[l - 1], params[l], K, d, d);
    }
    slopes[L].set(below[L - 1]);
  }

  gradientRelu() {
    const { classes: K, width: d, depth: L, N, params, slopes, layers, signals, residual } = this;
    for (let l = 1; l < L; l++) {
      const layer = layers[l - 1];
      multiply(layer, params[l], l > 1 ? layers[l - 2] : params[0], d, d, N);
      for (let i = 0; i < layer.length; i++) if (layer[i] < 0) layer[i] = 0;
    }
    multiply(this.logits, params[L], L > 1 ? layers[L - 2] : params[0], K, d, N);
    this.compare();
    for (let l = L; l >= 1; l--) {
      const rows = l < L ? d : K;
      const signal = l < L ? signals[l - 1] : residual;
      const input = l > 1 ? layers[l - 2] : params[0];
      const back = l > 1 ? signals[l - 2] : slopes[0];
      multiplyTransposedRight(slopes[l], signal, input, rows, N, d);
      multiplyTransposedLeft(back, params[l], signal, d, rows, N);
      if (l > 1) for (let i = 0; i < back.length; i++) if (!(input[i] > 0)) back[i] = 0;
    }
  }

  /** The residual and the fit of the logits. */
  compare() {
    const { classes, samples, N, logits, residual } = this;
    this.fit = 0;
    for (let s = 0; s < N; s++) {
      const own = Math.floor(s / samples) * N + s;
      let largest = -Infinity;
      for (let i = s; i < classes * N; i += N) if (logits[i] > largest) largest = logits[i];
      let total = 0;
      for (let i = s; i < classes * N; i += N) total += residual[i] = Math.exp(logits[i] - largest);
      for (let i = s; i < classes * N; i += N) residual[i] /= total * N;
      residual[own] -= 1 / N;
      this.fit += (largest - logits[own] + Math.log(total)) / N;
    }
  }
}

/** Independent normal entries of standard deviation initScale / sqrt(d), for `shapes(setting)`. */
export function randomStart(setting, seed, initScale) {
  const draw = normal(seed);
  const deviation = initScale / Math.sqrt(setting.width);
  return shapes(setting).map((shape) => matrix(shape).map(() => deviation * draw()));
}
