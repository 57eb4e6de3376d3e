"""The Hessian at an aligned critical point splits into small blocks: its full spectrum from the class-mean logits.

At a critical point of the linear model every factor is diagonal in its pair of singular frames (Lemma 1). In these
frames, extended to orthonormal bases ("top": the r directions the logits use, "rest": all others), write a direction as
(X_0, X_1, ..., X_L) with X_0 for the features. Second derivatives of the objective in this direction are

    g''(Z)[dZ, dZ] + 2 <g'(Z), sum_{l<m} ... X_m ... X_l ...> + sum_l lambda_l ||X_l||^2

and g'(Z) is diagonal on top, zero between top and rest, and G_rest on the rest. So the coordinates fall apart:

    X_l[rest, rest]                           alone: eigenvalue lambda_l
    X_l[rest k, top i] with X_{l+1}[top i, rest k]   2 x 2: eigenvalues 0 and lambda_l + lambda_{l+1}   (the zero modes)
    X_0[top, within-class differences]        r x r for each class: lambda_H + curvature of that class's samples
    the top blocks of all factors, X_0[top, rest], X_L[rest, top]   one block of size (L+1) r^2 + 2 r (K - r)
    depth 1 only: X_0[rest, rest] with X_1[rest, rest] through G_rest

Multiplicities depend on d and n, block sizes do not. Derived in the book, chapter "Why the landscape prefers collapse".
"""

from __future__ import annotations

import math

import torch

from dufm_lib._arguments import finite_tensor, room
from dufm_lib.critical import CRITICAL, framed, nearly_framed
from dufm_lib.problem import Problem, suited


def aligned_blocks(problem: Problem, logits: torch.Tensor) -> list[tuple[torch.Tensor, int]]:
    """Eigenvalues of each block with the multiplicity of the block: [((m,) float64, multiplicity), ...].

    Args:
        problem: linear, positive penalties; any loss, balanced or not.
        logits: (K, K) class-mean logits of a critical point.

    Raises:
        ValueError: ReLU, a zero penalty, misshapen or non-finite logits, or logits of no critical point.
    """
    suited("aligned_spectrum", problem, activation="linear", decaying=True)
    K, L, d, N = problem.classes, problem.depth, problem.width, problem.total_samples
    decay_features, decay_weights = problem.penalties
    logits = finite_tensor("logits", logits, K, K).cpu()
    point = framed(problem, logits)
    if point.off > CRITICAL:
        near = nearly_framed(problem, logits)
        distance = torch.linalg.matrix_norm(near.logits - logits)
        raise ValueError(
            f"logits must belong to a critical point; cut to rank {near.rank}, {distance:.1e} away, they are off the "
            f"critical equations by {near.off:.1e} of the pull of the weight decay. "
            "Where descent has nearly stopped, polish them first: critical.polish(problem, logits).logits"
        )
    left, sigma, frame, gradient, r = point.left, point.sigma, point.right, point.gradient, point.rank
    room("depth, or classes,", ((L + 1) * r**2 + 2 * r * (K - r)) ** 2)
    decay = [decay_features] + [decay_weights] * L
    # balanced factors: s_l = t / sqrt(lambda_l) with t^{L+1} = sigma sqrt(lambda_H lambda_W^L)
    size = sigma ** (1 / (L + 1)) * math.sqrt(problem.mean_weight_decay)
    s = [size / math.sqrt(value) for value in decay]
    rest = gradient[r:, r:]

    def ones(count: int, value: float) -> tuple[torch.Tensor, int]:
        return torch.tensor([value], dtype=torch.float64), count

    def product(layers: range) -> torch.Tensor:
        return torch.stack([s[layer] for layer in layers]).prod(0) if layers else torch.ones(r, dtype=torch.float64)

    blocks = [ones(r * (d - r), 0.0) for _ in range(L)]
    blocks += [ones(r * (d - r), decay[layer] + decay[layer + 1]) for layer in range(L)]
    # rest-rest: no curvature but the penalty's, except at depth 1, where G_rest joins the two factors
    if L == 1:
        joint = torch.zeros(2 * (K - r), 2 * (K - r), dtype=torch.float64)
        joint[: K - r, K - r :] = rest.T
        joint = joint + joint.T + torch.diag(torch.tensor(decay, dtype=torch.float64).repeat_interleave(K - r))
        blocks += [(torch.linalg.eigvalsh(joint), d - r), ones((d - r) * (N - K), decay_features)]
    else:
        blocks += [ones((d - r) * (N - r), decay_features), ones((L - 1) * (d - r) ** 2, decay_weights)]
        blocks += [ones((d - r) * (K - r), decay_weights)]
    # within-class differences of the features move the logits of one class
    reach = left[:, :r] * product(range(1, L + 1))
    for curvature, count in zip(point.curvatures, problem.class_sizes, strict=True):
        within = reach.T @ curvature @ reach / N + decay_features * torch.eye(r, dtype=torch.float64)
        blocks.append((torch.linalg.eigvalsh(within), count - 1))

    # The coupled block. Coordinates: X_0..X_L on top (r x r each), then X_0[top, rest], then X_L[rest, top].
    index = torch.arange((L + 1) * r * r).reshape(L + 1, r, r)
    start = (L + 1) * r * r
    right_rest = start + torch.arange(r * (K - r)).reshape(r, K - r)
    left_rest = start + r * (K - r) + torch.arange((K - r) * r).reshape(K - r, r)
    total = start + 2 * r * (K - r)
    to_logits = torch.zeros(K, K, total, dtype=torch.float64)  # dZ in the frames
    i, j = torch.meshgrid(torch.arange(r), torch.arange(r), indexing="ij")
    for layer in range(L + 1):
        above, below = product(range(layer + 1, L + 1)), product(range(layer))
        to_logits[i, j, index[layer]] = above[:, None] * below
    top, outside = torch.meshgrid(torch.arange(r), torch.arange(r, K), indexing="ij")
    to_logits[top, outside, right_rest] = product(range(1, L + 1))[:, None].expand(r, K - r)
    to_logits[outside.T, top.T, left_rest] = product(range(L)).expand(K - r, r)
    to_logits = torch.einsum("ai,ijt,kj->kat", left, to_logits, frame)  # dZ per class k
    block = torch.einsum("kat,kau->tu", to_logits, point.curvatures / N @ to_logits)
    second = torch.zeros(total, total, dtype=torch.float64)
    for upper in range(1, L + 1):
        for lower in range(upper):
            around = product(range(upper + 1, L + 1)) * product(range(lower)) * gradient.diagonal()[:r]
            between = product(range(lower + 1, upper))
            second[index[upper], index[lower].T] += around[:, None] * between
    between = product(range(1, L))
    for k in range(r):
        second[left_rest[:, k][:, None], right_rest[k]] += between[k] * rest
    decays = torch.full((total,), decay_weights, dtype=torch.float64)
    decays[: r * r] = decay_features
    decays[right_rest] = decay_features
    blocks.append((torch.linalg.eigvalsh(block + second + second.T + torch.diag(decays)), 1))
    return [(eigenvalues, count) for eigenvalues, count in blocks if count > 0 and eigenvalues.numel() > 0]
