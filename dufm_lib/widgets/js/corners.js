// Corners of the structures in space: one for each class, [x, y, z] of length one, and the edges between them. What needs
// more than three dimensions is projected on three, orthogonally and so that no axis is preferred.
// Result: { points, edges: [[i, j], ...], rank, exact, angles }; `angles` in words, of the structure itself.

const range = (count) => [...Array(count).keys()];
const pairs = (count) => range(count).flatMap((i) => range(i).map((j) => [j, i]));
const degrees = (cosine) => `${Number(((Math.acos(cosine) * 180) / Math.PI).toPrecision(4))}°`;

function unit(points) {
  const longest = Math.max(...points.map((point) => Math.hypot(...point)));
  return points.map((point) => point.map((each) => each / longest));
}

/** `count` orthogonal unit vectors, or their projections: rows of a tight frame. */
function axes(count) {
  if (count < 3) return range(count).map((k) => [1 - k, k, 0]);
  const angles = range(count).map((k) => (2 * Math.PI * k) / count);
  return unit(angles.map((angle) => [Math.cos(angle), Math.sin(angle), Math.SQRT1_2]));
}

const MAKERS = {
  simplex(K) {
    const third = K < 4 ? 0 : K === 4 ? Math.SQRT1_2 : 1;
    const angles = range(K).map((k) => (2 * Math.PI * k) / K);
    const points = unit(angles.map((angle) => [Math.cos(angle), Math.sin(angle), third * Math.cos(2 * angle)]));
    return { points, edges: pairs(K), rank: K - 1, angles: `every two classes are ${degrees(-1 / (K - 1))} apart` };
  },
  orthoplex(K) {
    const rank = Math.ceil(K / 2);
    const points = range(K).map((k) => axes(rank)[Math.floor(k / 2)].map((each) => (k % 2 ? -each : each)));
    const edges = pairs(K).filter(([i, j]) => Math.floor(i / 2) !== Math.floor(j / 2));
    const alone = K % 2 ? ", one has no partner" : "";
    return { points, edges, rank, angles: `partners are opposite${alone}, all others 90° apart` };
  },
  polygon(K) {
    const points = range(K).map((k) => [Math.cos((2 * Math.PI * k) / K), Math.sin((2 * Math.PI * k) / K), 0]);
    const edges = range(K).map((k) => [k, (k + 1) % K]);
    return { points, edges, rank: 2, angles: `neighbours are ${degrees(Math.cos((2 * Math.PI) / K))} apart` };
  },
};

/** The corners of "simplex", "orthoplex" or "polygon" with K >= 3 classes. */
export function corners(structure, K) {
  const made = MAKERS[structure](K);
  return { ...made, exact: made.rank <= 3 };
}

/** Smallest and largest angle between two of the points, in words. */
export function spread(points) {
  const cosines = pairs(points.length).map(([i, j]) => {
    const dot = points[i].reduce((sum, each, axis) => sum + each * points[j][axis], 0);
    return dot / (Math.hypot(...points[i]) * Math.hypot(...points[j]));
  });
  const [least, most] = [Math.max(...cosines), Math.min(...cosines)].map((cosine) => degrees(Math.max(-1, Math.min(1, cosine))));
  return `the angles between two classes go from ${least} to ${most}`;
}
