// The best logits that treat all classes of one size alike, as dufm_lib.theory.step_optimum has them: k1 large classes of
// R samples and k2 small ones of one. Pure functions; tests compare them with Python.
//
// A point is [x_a, x_c, x_u, t] >= 0: the (L+1)-th roots of the three singular values (large classes apart, small classes
// apart, the two groups apart), which make the penalty quadratic, and the angle that splits the last one.

// Which of the three singular values start above zero, for deeper down zero attracts each of them; and how far the angle
// starts from that of the simplex towards one at which the groups split at the small classes.
const KEPT = [
  [1, 1, 1, 0],
  [1, 1, 1, 0.5],
  [1, 1, 0, 0],
  [1, 0, 1, 0],
  [1, 0, 1, 0.5],
  [1, 0, 0, 0],
  [0, 0, 1, 0],
];
const STEPS = 100;
const SHIFT = 1e-6;

/** From this weight decay on the small classes merge at depth 1: sqrt(n_min) / N; the large ones from sqrt(R) times it. */
export function mergingDecay({ k1, k2, R }) {
  return 1 / (k1 * R + k2);
}

/** The singular values of the SEL matrix, [[value, count], ...]: large classes, groups, small classes. */
export function selSingularValues({ k1, k2, R }) {
  return [
    [Math.sqrt(R), k1 - 1],
    [Math.sqrt((k2 * R + k1) / (k1 + k2)), 1],
    [1, k2 - 1],
  ];
}

/**
 * The optima at ascending weight decays, each followed from the one before, and then back from the one after:
 * [{ loss, large, small, across: [p, q], sigma: [large, groups, small], point, points }], points as starts for `follow`.
 */
export function stepOptima(setting, decays) {
  const found = [];
  for (const lambda of decays) found.push(follow(setting, lambda, found.at(-1)?.points ?? starts(setting, lambda)));
  for (let i = found.length - 2; i >= 0; i--) {
    const back = follow(setting, decays[i], [found[i + 1].point]);
    if (back.loss < found[i].loss * (1 - 1e-12)) found[i] = { ...back, points: [...found[i].points, back.point] };
  }
  return found;
}

/** The optimum at a weight decay near that of the points of another optimum. */
export function follow(setting, lambda, points) {
  const { k1, k2, R, L } = setting;
  const model = scaled(setting, lambda);
  const moved = points.map((point) => descend(model, point));
  const values = moved.map((point) => model(...point).value);
  const best = values.indexOf(Math.min(...values));
  const zero = Math.log(k1 + k2) / lambda;
  const point = values[best] < zero ? moved[best] : [0, 0, 0, moved[best][3]];
  const [a, c, P, Q] = numbers(setting, point);
  const length = 1 / k1 + 1 / k2;
  return {
    loss: lambda * Math.min(values[best], zero),
    large: k1 > 1 ? a : 0,
    small: k2 > 1 ? c : 0,
    across: [P / length, Q / length],
    sigma: [k1 > 1 ? a * Math.sqrt(R) : 0, point[2] ** (L + 1), k2 > 1 ? c : 0],
    point,
    points: moved,
  };
}

/** The (K, K) class-mean logits of an optimum, row-major, large classes first. */
export function logits({ k1, k2 }, { large, small, across: [p, q] }) {
  const K = k1 + k2;
  return Float64Array.from({ length: K * K }, (_, index) => {
    const [row, column] = [Math.floor(index / K), index % K];
    const group = (row < k1 ? 1 / k1 : -1 / k2) * (column < k1 ? p : -q);
    if (row < k1 !== column < k1) return group;
    const [apart, size] = column < k1 ? [large, k1] : [small, k2];
    return group + apart * ((row === column) - 1 / size);
  });
}

/** The cosine between the features of two small classes; NaN where they have none. */
export function smallCosine({ k1, k2, R, L }, { sigma: [, groups, small], across: [p, q] }) {
  const power = 2 / (L + 1);
  const shared = groups ? (groups ** power * q * q) / (k1 * R * p * p + k2 * q * q) : 0;
  return (shared - small ** power / k2) / (shared + small ** power * (1 - 1 / k2));
}

function starts({ k1, k2, R, L }, lambda) {
  const roots = [Math.sqrt(k1 * R) / k1, Math.sqrt(k2) / k2];
  const size = (Math.sqrt(1 / k1 + 1 / k2) * k1 * k2 * Math.hypot(...roots)) / (k1 + k2);
  const angle = Math.atan2(roots[1], roots[0]);
  // a single class has no singular value of its own
  const shape = [k1 > 1 ? Math.sqrt(R) : 0, k2 > 1 ? 1 : 0, size].map((value) => (value * Math.max(2, -Math.log(lambda))) ** (1 / (L + 1)));
  const turned = (turn) => angle + turn * (Math.PI / 2 - angle);
  const kept = L > 1 ? KEPT : KEPT.slice(0, 1);
  const made = kept.map(([a, c, u, turn]) => [a * shape[0], c * shape[1], u * shape[2], turned(turn)]);
  return made.filter((point, i) => made.findIndex((other) => String(other) === String(point)) === i);
}

/** [a, c, P, Q] of a point; P and Q are p and q times 1/k1 + 1/k2. */
function numbers({ k1, k2, R, L }, [xa, xc, xu, t]) {
  const across = Math.sqrt(1 / k1 + 1 / k2) * xu ** (L + 1);
  return [xa ** (L + 1) / Math.sqrt(R), xc ** (L + 1), (across * Math.cos(t)) / Math.sqrt(k1 * R), (across * Math.sin(t)) / Math.sqrt(k2)];
}

/** The objective over lambda as a function of a point: { value, slope }. */
function scaled({ k1, k2, R, L }, lambda) {
  const N = k1 * R + k2;
  const [forLarge, forSmall] = [(k1 * R) / N / lambda, k2 / N / lambda];
  const length = Math.sqrt(1 / k1 + 1 / k2);
  const [unitA, unitP, unitQ] = [1 / Math.sqrt(R), length / Math.sqrt(k1 * R), length / Math.sqrt(k2)];
  return (xa, xc, xu, t) => {
    const [powerA, powerC, powerU] = [xa ** L, xc ** L, xu ** L];
    const [P, Q] = [unitP * powerU * xu * Math.cos(t), unitQ * powerU * xu * Math.sin(t)];
    const big = column(k1, k2, unitA * powerA * xa, P);
    const low = column(k2, k1, powerC * xc, Q);
    // slopes in P and Q times P and Q, which is what a change of size or of angle asks for
    const [toP, toQ] = [forLarge * big.across * unitP * powerU, forSmall * low.across * unitQ * powerU];
    return {
      value: forLarge * big.value + forSmall * low.value + ((L + 1) / 2) * ((k1 - 1) * xa * xa + (k2 - 1) * xc * xc + xu * xu),
      slope: [
        (L + 1) * (forLarge * big.within * unitA * powerA + (k1 - 1) * xa),
        (L + 1) * (forSmall * low.within * powerC + (k2 - 1) * xc),
        (L + 1) * (toP * Math.cos(t) + toQ * Math.sin(t) + xu),
        (toQ * Math.cos(t) - toP * Math.sin(t)) * xu,
      ],
    };
  };
}

/** Cross-entropy of a column of one group of k classes that lead its own by x, with slopes; `others` are in the other. */
function column(k, others, x, X) {
  const gaps = [-x, -x * (1 - 1 / k) - X];
  const top = Math.max(0, k > 1 ? gaps[0] : 0, gaps[1]);
  const near = (k - 1) * Math.exp(gaps[0] - top);
  const far = others * Math.exp(gaps[1] - top);
  const total = Math.exp(-top) + near + far;
  const value = top > 0 ? top + Math.log(total) : Math.log1p(near + far);
  return { value, within: -(near + far * (1 - 1 / k)) / total, across: -far / total };
}

/** Newton's method, with the Hessian from differences of the slope and its diagonal raised until the step descends. */
function descend(model, start) {
  let point = start;
  let now = model(...point);
  let damping = 0;
  for (let step = 0; step < STEPS && Math.hypot(...now.slope) > 1e-8; step++) {
    const hessian = point.map((_, i) => {
      const moved = point.map((x, j) => (j === i ? x + SHIFT : x));
      return model(...moved).slope.map((each, j) => (each - now.slope[j]) / SHIFT);
    });
    let next = null;
    for (let tries = 0; tries < 40 && !next; tries++) {
      const move = solved(hessian, now.slope, damping);
      // the singular values are even in their roots
      const there = move && point.map((x, i) => (i < 3 ? Math.abs(x - move[i]) : x - move[i]));
      const then = there && model(...there);
      if (then && then.value <= now.value) next = [there, then];
      else damping = Math.max(1e-3, 4 * damping);
    }
    if (!next) break;
    [point, now] = next;
    damping = damping > 1e-3 ? damping / 8 : 0;
  }
  return point;
}

/** (H + damping)^{-1} slope by Cholesky's method, or null where the matrix is not positive definite. */
function solved(H, slope, damping) {
  const n = slope.length;
  const low = H.map((row) => row.map(() => 0));
  const y = [];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = (H[i][j] + H[j][i]) / 2 + (i === j ? damping + 1e-12 : 0);
      for (let k = 0; k < j; k++) sum -= low[i][k] * low[j][k];
      if (i === j && !(sum > 0)) return null;
      low[i][j] = i === j ? Math.sqrt(sum) : sum / low[j][j];
    }
    y.push((slope[i] - low[i].slice(0, i).reduce((sum, each, k) => sum + each * y[k], 0)) / low[i][i]);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) y[i] -= low[k][i] * y[k];
    y[i] /= low[i][i];
  }
  return y;
}
