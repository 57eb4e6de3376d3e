// Products of small matrices in row-major Float64Arrays, written into memory that is there already.
// Two rows of the result and two terms of the sum at a time: each number fetched is used twice.

/** out (m x n) = A (m x k) B (k x n). */
export function multiply(out, A, B, m, k, n) {
  product(out, A, B, m, k, n, k, 1);
}

/** out (m x n) = A^T B, with A (k x m) and B (k x n). */
export function multiplyTransposedLeft(out, A, B, m, k, n) {
  product(out, A, B, m, k, n, 1, m);
}

/** out (m x n) = sum_p a(i, p) B[p, j], where a(i, p) stands at i * down + p * across of A. */
function product(out, A, B, m, k, n, down, across) {
  for (let i = 0; i < m; i += 2) {
    const second = i + 1 < m;
    const a = i * down;
    const b = second ? a + down : a;
    const upper = i * n;
    const lower = second ? upper + n : upper;
    out.fill(0, upper, lower + n);
    let p = 0;
    for (; p + 1 < k; p += 2) {
      const a0 = A[a + p * across];
      const a1 = A[a + (p + 1) * across];
      const b0 = A[b + p * across];
      const b1 = A[b + (p + 1) * across];
      const row = p * n;
      for (let j = 0; j < n; j++) {
        const x = B[row + j];
        const y = B[row + n + j];
        const above = out[upper + j] + a0 * x + a1 * y;
        if (second) out[lower + j] += b0 * x + b1 * y;
        out[upper + j] = above;
      }
    }
    if (p < k) {
      const a0 = A[a + p * across];
      const b0 = A[b + p * across];
      for (let j = 0; j < n; j++) {
        const x = B[p * n + j];
        out[upper + j] += a0 * x;
        if (second) out[lower + j] += b0 * x;
      }
    }
  }
}

/** out (m x n) = A B^T, with A (m x k) and B (n x k). */
export function multiplyTransposedRight(out, A, B, m, k, n) {
  for (let i = 0; i < m; i += 2) {
    const a = i * k;
    const b = i + 1 < m ? a + k : a;
    for (let j = 0; j < n; j += 2) {
      const c = j * k;
      const d = j + 1 < n ? c + k : c;
      let ac = 0;
      let ad = 0;
      let bc = 0;
      let bd = 0;
      for (let p = 0; p < k; p++) {
        const x = A[a + p];
        const y = A[b + p];
        const z = B[c + p];
        const w = B[d + p];
        ac += x * z;
        ad += x * w;
        bc += y * z;
        bd += y * w;
      }
      out[i * n + j] = ac;
      if (d > c) out[i * n + j + 1] = ad;
      if (b > a) out[(i + 1) * n + j] = bc;
      if (b > a && d > c) out[(i + 1) * n + j + 1] = bd;
    }
  }
}
