// Turning points in space: 3 x 3 rotations as rows, seen along the last axis in parallel projection.

export const START = rotation([0, 1, 0], -0.45, rotation([1, 0, 0], -1.15)); // from a little above, and aside

/** The rotation by `angle` (radians) about a unit axis of the viewer, after the rotation `before`. */
export function rotation([x, y, z], angle, before = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]) {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const t = 1 - c;
  const turn = [
    [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
    [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
    [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
  ];
  return turn.map((row) => [0, 1, 2].map((j) => row[0] * before[0][j] + row[1] * before[1][j] + row[2] * before[2][j]));
}

/** Points as the viewer sees them: [right, up, towards]. */
export function seen(points, view) {
  return points.map(([x, y, z]) => view.map((row) => row[0] * x + row[1] * y + row[2] * z));
}
