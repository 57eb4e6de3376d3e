"""Neural-collapse metrics, ranks, and the name of the structure a model has reached.

Everything is judged in float64, whatever the dtype of the input: NC1 computed in float32 can be wrong by a factor,
or negative. The class means are centred at their own (unweighted) mean, which for balanced classes is the mean of
all samples; leading axes are batch axes throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from scipy.stats import binomtest

from dufm_lib import structures
from dufm_lib._arguments import bounded_tensor, finite_tensor, fraction, nonnegative_float, real_tensor, sequence, word
from dufm_lib.structures import rank

__all__ = [
    "DeepCollapse",
    "distance",
    "dnc",
    "nc1",
    "nc2",
    "nc2_equiangularity",
    "nc2_equinorm",
    "nc3",
    "nc4",
    "rank",
    "share",
    "structure_labels",
]


SMALLEST_SPREAD = 1e-100  # of class means: squares of smaller ones vanish


def _split(features: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Class means (..., d, K) about their own mean, deviations from them (..., d, N), that mean (..., d, 1)."""
    features = bounded_tensor("features", features, "...", "d", "N")
    N = features.shape[-1]
    labels = real_tensor("labels", labels, N)
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, one class a sample; got {labels.dtype}")
    labels = labels.to(features.device, torch.int64)
    K = int(labels.max()) + 1
    if not (2 <= K <= N and labels.min() >= 0 and (torch.bincount(labels) > 0).all()):
        raise ValueError("labels must use every class 0, ..., K - 1 with K >= 2 at least once")
    member = torch.nn.functional.one_hot(labels, K).double()  # (N, K)
    average = member / member.sum(0)
    means = features @ average
    deviations = features - means[..., labels]
    correction = deviations @ average  # second pass: what rounding left in the first
    means, deviations = means + correction, deviations - correction[..., labels]
    centre = means.mean(-1, keepdim=True)
    return means - centre, deviations, centre


def _apart(features: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The first two of `_split`, or a ValueError when the class means do not differ beyond rounding."""
    means, deviations, _ = _split(features, labels)
    rounding = 16 * torch.finfo(torch.float64).eps * features.detach().double().abs().amax((-2, -1))
    if (means.abs().amax((-2, -1)) <= rounding.clamp(min=SMALLEST_SPREAD)).any():
        raise ValueError(
            f"features must have class means that differ, by more than rounding and {SMALLEST_SPREAD:g}: the metric is "
            "relative to their spread"
        )
    return means, deviations


def nc1(features: torch.Tensor, labels: torch.Tensor, rtol: float = 1e-6) -> torch.Tensor:
    """Within-class variability relative to the spread of the class means: tr(Sigma_W pinv(Sigma_B)) / K.

        Sigma_W = 1/N sum_i (h_i - mu_{class i})(...)^T,  Sigma_B = 1/K sum_k (mu_k - mu)(...)^T

    Args:
        features: (..., d, N).
        labels: (N,) classes 0..K-1 of the columns; classes may differ in size.
        rtol: the pseudo-inverse keeps at most K - 1 directions, and of those only the ones in which the class
            means spread by more than `rtol` times their largest singular value. (A low-rank solution has fewer.)

    Returns:
        (...) float64; 0 when every sample sits on its class mean. Divided by K, as in the first papers: some
        codes do not.

    Raises:
        ValueError: shapes do not match, a class is missing, features are not finite, all class means coincide,
            or `rtol` is not in [0, 1).

    Source: Papyan, Han & Donoho (2020), NC1.

    >>> features = torch.tensor([[1.0, 3.0, -3.0, -1.0]])
    >>> round(float(nc1(features, torch.tensor([0, 0, 1, 1]))), 9)  # Sigma_W = 1, Sigma_B = 4, K = 2
    0.125
    """
    rtol = fraction("rtol", rtol)
    means, deviations = _apart(features, labels)
    left, sigma, _ = torch.linalg.svd(means, full_matrices=False)
    keep = min(means.shape[-1] - 1, sigma.shape[-1])
    left, sigma = left[..., :keep], sigma[..., :keep]
    kept = sigma > rtol * sigma[..., :1]
    coordinates = (left.mT @ deviations) / torch.where(kept, sigma, 1.0)[..., None]
    return (coordinates.square() * kept[..., None]).sum((-2, -1)) / deviations.shape[-1]


def distance(matrix: torch.Tensor, structure: torch.Tensor) -> torch.Tensor:
    """Distance of two matrices up to a positive scale: || A/||A||_F - B/||B||_F ||_F, in [0, 2].

    Args:
        matrix: (..., m, n), not zero.
        structure: (..., m, n), not zero; the batch axes broadcast.

    Returns:
        (...) float64.

    Raises:
        ValueError: a shape does not fit, a matrix is zero or not finite.

    >>> S = structures.simplex_etf(4)
    >>> round(float(distance(7 * S, S)), 9), round(float(distance(-S, S)), 9)
    (0.0, 2.0)
    """
    matrix = bounded_tensor("matrix", matrix, "...", "m", "n")
    structure = bounded_tensor("structure", structure, "...", *matrix.shape[-2:])
    return torch.linalg.matrix_norm(_unit("matrix", matrix) - _unit("structure", structure))


def _unit(name: str, matrix: torch.Tensor) -> torch.Tensor:
    norm = torch.linalg.matrix_norm(matrix, keepdim=True)
    if (norm == 0).any():
        raise ValueError(f"{name} must not be zero: a zero matrix has no direction to compare")
    return matrix / norm


def nc2(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Distance of the centred class means M from a simplex ETF: || M^T M/||M^T M||_F - S/sqrt(K-1) ||_F, in [0, 2].

    Args:
        features: (..., d, N).
        labels: (N,) classes 0..K-1 of the columns.

    Returns:
        (...) float64; 0 for a simplex ETF of any size.

    Raises:
        ValueError: as `nc1`.

    Source: Papyan, Han & Donoho (2020), NC2, in the normalised form that Zhu et al. (2021) use for W W^T.
    """
    means, _ = _apart(features, labels)
    return distance(means.mT @ means, structures.simplex_etf(means.shape[-1]).to(means.device))


def nc2_equinorm(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Spread of the lengths of the centred class means: std_k ||mu_k|| / mean_k ||mu_k||.

    Args, returns, raises: as `nc2`. The standard deviation is that of a population (1/K, not 1/(K-1)).

    Source: Papyan, Han & Donoho (2020), figure 2.
    """
    means, _ = _apart(features, labels)
    lengths = torch.linalg.vector_norm(means, dim=-2)
    return lengths.std(-1, correction=0) / lengths.mean(-1)


def nc2_equiangularity(features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Average over pairs k != j of |cos(mu_k, mu_j) + 1/(K-1)|: 0 for a simplex ETF.

    Args, returns, raises: as `nc2`. A class mean at the centre counts as orthogonal to all others.

    Source: Papyan, Han & Donoho (2020), figure 4.
    """
    means, _ = _apart(features, labels)
    K = means.shape[-1]
    lengths = torch.linalg.vector_norm(means, dim=-2, keepdim=True)
    unit = means / lengths.where(lengths > 0, 1.0)
    gaps = (unit.mT @ unit + 1 / (K - 1)).abs()
    return (gaps.sum((-2, -1)) - gaps.diagonal(dim1=-2, dim2=-1).sum(-1)) / (K * (K - 1))


def nc3(features: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Self-duality of the last layer: || W M/||W M||_F - S/sqrt(K-1) ||_F for the centred class means M, in [0, 2].

    Args:
        features: (..., d, N) what the last layer receives.
        labels: (N,) classes 0..K-1 of the columns.
        weight: (..., K, d) the last layer W.

    Returns:
        (...) float64.

    Raises:
        ValueError: as `nc1`, `weight` does not have one row a class and one column a feature, or W M is zero.

    Source: Papyan, Han & Donoho (2020), NC3, in the normalised form of Zhu et al. (2021).
    """
    means, _ = _apart(features, labels)
    d, K = means.shape[-2:]
    scores = bounded_tensor("weight", weight, "...", K, d) @ means
    if (scores == 0).all((-2, -1)).any():
        raise ValueError("weight must not send every class mean to zero")
    return distance(scores, structures.simplex_etf(K).to(means.device))


def nc4(features: torch.Tensor, labels: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Share of samples on which the model and the nearest-class-centre rule disagree, in [0, 1].

        mean_i [ argmax_k z_{ki}  !=  argmin_k ||h_i - mu_k|| ]

    Args:
        features: (..., d, N) what the last layer receives.
        labels: (N,) classes 0..K-1 of the columns.
        logits: (..., K, N) what the model answers for the same samples.

    Returns:
        (...) float64. Ties go to the lower class, on both sides.

    Raises:
        ValueError: shapes do not match, a class is missing, features or logits are not finite.

    Source: Papyan, Han & Donoho (2020), NC4.
    """
    means, _, centre = _split(features, labels)
    logits = finite_tensor("logits", logits, "...", means.shape[-1], features.shape[-1])
    centred = features.detach().double() - centre
    # |h - mu_k|^2 = |h|^2 - 2 <h, mu_k> + |mu_k|^2; the first term is the same for every k
    squared = means.square().sum(-2)[..., None] - 2 * means.mT @ centred
    return (squared.argmin(-2) != logits.argmax(-2)).double().mean(-1)


class DeepCollapse(NamedTuple):
    """The three properties of deep neural collapse, one entry a layer l = 1..L: tensors (..., L), 0 when exact."""

    variability: torch.Tensor  # DNC1: nc1 of the features that W_l receives
    simplex: torch.Tensor  # DNC2: nc2 of the same features
    alignment: torch.Tensor  # DNC3: share of ||W_l||_F outside the span of their centred class means


def dnc(layers: Sequence[torch.Tensor], weights: Sequence[torch.Tensor], labels: torch.Tensor) -> DeepCollapse:
    """Measure deep neural collapse in every layer.

        DNC1_l = nc1(A_{l-1}),  DNC2_l = nc2(A_{l-1}),  DNC3_l = || W_l (I - P_l) ||_F / || W_l ||_F

    with P_l the projection on the span of the centred class means of A_{l-1}.

    Args:
        layers: [A_0, ..., A_{L-1}], what each weight matrix receives: (..., d, N) each
            (`model.activations(problem, params)[:-1]`).
        weights: [W_1, ..., W_L], (..., d, d) and at the end (..., K, d).
        labels: (N,) classes 0..K-1 of the columns.

    Returns:
        DeepCollapse of three (..., L) float64 tensors.

    Raises:
        ValueError: the two lists differ in length or do not fit together, a weight matrix is zero, or as `nc1`.

    Source: Garrod & Keating (2025), Definition 1.
    """
    weights = sequence("weights", weights, "tensors")
    layers = sequence("layers", layers, "tensors, one for each of the weights,", len(weights))
    if not layers:
        raise ValueError("layers must hold the input of each weight matrix, got none")
    outside = []
    for layer, weight in zip(layers, weights, strict=True):
        means, _, _ = _split(layer, labels)
        frame, sigma, _ = torch.linalg.svd(means, full_matrices=False)
        frame = frame * (sigma > 1e-6 * sigma[..., :1])[..., None, :]
        unit = _unit("weights", bounded_tensor("weights", weight, "...", "m", means.shape[-2]))
        outside.append(torch.linalg.matrix_norm(unit - unit @ frame @ frame.mT))
    return DeepCollapse(
        torch.stack([nc1(layer, labels) for layer in layers], -1),
        torch.stack([nc2(layer, labels) for layer in layers], -1),
        torch.stack(outside, -1),
    )


def _paired(logits: torch.Tensor) -> torch.Tensor | None:
    """The pairing structure in the class order of `logits` (K, K), or None when the classes do not pair up."""
    K = logits.shape[-1]
    partner = logits.argmin(0).tolist()
    alone = [k for k in range(K) if partner[partner[k]] != k or partner[k] == k]
    if len(alone) != K % 2:
        return None
    order = [c for k in range(K) if k not in alone and k < partner[k] for c in (k, partner[k])] + alone
    structure = torch.empty(K, K, dtype=torch.float64)
    index = torch.tensor(order)
    structure[index[:, None], index] = structures.pairing(K)
    return structure


def _around(logits: torch.Tensor) -> torch.Tensor:
    """The polygon with its vertices in the order in which `logits` (K, K) places the classes in its leading plane."""
    _, vectors = torch.linalg.eigh(logits + logits.mT)
    plane = vectors[:, -2:]
    index = torch.atan2(plane[:, 0], plane[:, 1]).argsort()
    structure = torch.empty_like(logits)
    structure[index[:, None], index] = structures.polygon(logits.shape[-1])
    return structure


def structure_labels(logits: torch.Tensor, tolerance: float = 0.02, smallest: float = 1e-2) -> list[str]:
    """Name the structure of class-mean logits, up to scale and the order of the classes.

    "zero": no entry exceeds `smallest` in size; else the first of "dnc", "pairing", "polygon" whose `distance` is
    below `tolerance`; else "mixed". (Some are the same: for K = 2 all three and for K = 3 simplex and polygon, called
    "dnc"; for K = 4 pairing and polygon, called "pairing".)

    Args:
        logits: (runs, K, K) class-mean logits, or one (K, K) matrix.
        tolerance: on the scale-free Frobenius distance. Converged descent is within 0.001 of its structure, and
            different structures are more than 0.1 apart.
        smallest: absolute size under which logits count as zero; the trained ones are several units.

    Returns:
        One label a run (a list of one for a single matrix).

    Raises:
        ValueError: `logits` is not finite or not of shape (runs, K, K) with K >= 2, or a tolerance is no number >= 0.

    >>> structure_labels(torch.stack([7 * structures.simplex_etf(6), structures.pairing(6), structures.polygon(6)]))
    ['dnc', 'pairing', 'polygon']
    """
    tolerance, smallest = nonnegative_float("tolerance", tolerance), nonnegative_float("smallest", smallest)
    logits = finite_tensor("logits", logits, "...", "K", "K").cpu()
    if logits.ndim > 3 or logits.shape[-1] < 2:
        raise ValueError(f"logits must have shape (runs, K, K) with K >= 2, got {tuple(logits.shape)}")
    simplex = structures.simplex_etf(logits.shape[-1])
    names = []
    for each in logits[None] if logits.ndim == 2 else logits:
        if each.abs().max() < smallest:
            names.append("zero")
            continue
        candidates = {"dnc": simplex, "pairing": _paired(each), "polygon": _around(each)}
        near = (name for name, s in candidates.items() if s is not None and distance(each, s) < tolerance)
        names.append(next(near, "mixed"))
    return names


class Share(NamedTuple):
    """An estimated probability with its 95% interval."""

    estimate: float
    low: float
    high: float


def share(labels: Sequence[str], name: str) -> Share:
    """How often a label occurs among independent runs, with the 95% Wilson interval of its probability.

    Args:
        labels: one a run, at least one; for example the `structure` of descent's result.
        name: the label to count.

    Raises:
        ValueError: there are no labels.

    >>> share(["dnc"] * 8 + ["mixed"] * 2, "dnc").estimate
    0.8
    """
    labels = [word("labels", label) for label in sequence("labels", labels, "names, one a run")]
    if not labels:
        raise ValueError("labels must name at least one run, got none")
    count = labels.count(word("name", name))
    interval = binomtest(count, len(labels)).proportion_ci(confidence_level=0.95, method="wilson")
    return Share(count / len(labels), float(interval.low), float(interval.high))
