// Singular values and eigenvectors of small matrices by Jacobi's rotations, and the rank of logits.

const SWEEPS = 60; // six to ten do, for ten columns

/** Singular values, descending, of a K x K matrix (row-major): one-sided Jacobi, columns turned until orthogonal. */
export function singularValues(matrix, K) {
  const columns = Array.from({ length: K }, (_, j) => Float64Array.from({ length: K }, (_, i) => matrix[i * K + j]));
  for (let sweep = 0, turned = true; turned && sweep < SWEEPS; sweep++) {
    turned = false;
    for (let p = 0; p < K; p++)
      for (let q = p + 1; q < K; q++) {
        let pp = 0;
        let qq = 0;
        let pq = 0;
        for (let i = 0; i < K; i++) {
          pp += columns[p][i] ** 2;
          qq += columns[q][i] ** 2;
          pq += columns[p][i] * columns[q][i];
        }
        if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) continue;
        turned = true;
        turn(columns[p], columns[q], ...angle(pp, qq, pq));
      }
  }
  return Float64Array.from(columns, (column) => Math.hypot(...column)).sort().reverse();
}

/** Number of singular values (descending) above rtol times the largest, as dufm_lib.structures.rank counts. */
export function rank(values, rtol = 1e-3) {
  return values.filter((value) => value > rtol * values[0]).length;
}

/** Eigenvalues of a symmetric K x K matrix, descending, with their unit eigenvectors: [[value, vector], ...]. */
export function eigenpairs(matrix, K) {
  const rows = Array.from({ length: K }, (_, i) => Float64Array.from(matrix.slice(i * K, (i + 1) * K)));
  const vectors = rows.map((_, i) => Float64Array.from(rows, (_, j) => (i === j ? 1 : 0)));
  const size = Math.hypot(...matrix);
  for (let sweep = 0, turned = true; turned && sweep < SWEEPS; sweep++) {
    turned = false;
    for (let p = 0; p < K; p++)
      for (let q = p + 1; q < K; q++) {
        if (Math.abs(rows[p][q]) <= 1e-15 * size) continue;
        turned = true;
        const [c, s] = angle(rows[p][p], rows[q][q], rows[p][q]);
        for (const row of rows) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
        turn(rows[p], rows[q], c, s);
        turn(vectors[p], vectors[q], c, s);
      }
  }
  return rows.map((row, i) => [row[i], vectors[i]]).sort(([a], [b]) => b - a);
}

/** Cosine and sine of the rotation that removes the off-diagonal entry pq of [[pp, pq], [pq, qq]]. */
function angle(pp, qq, pq) {
  const zeta = (qq - pp) / (2 * pq);
  const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const c = 1 / Math.hypot(1, t);
  return [c, c * t];
}

/** Rotate two vectors into each other, in place. */
function turn(first, second, c, s) {
  for (let i = 0; i < first.length; i++) {
    const x = first[i];
    first[i] = c * x - s * second[i];
    second[i] = s * x + c * second[i];
  }
}
