"""Neural-collapse metrics against sums over samples, their invariances, and the names of structures."""

import math

import numpy as np
import pytest
import reference
import torch
from reference import near

from dufm_lib import Problem, metrics, model, structures

LABELS = torch.tensor([0, 2, 1, 1, 0, 2, 2, 3, 3, 0])  # unequal classes in no order
K = 4


def gauss(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_rotation(d, seed=0):
    return torch.linalg.qr(gauss(d, d, seed=seed))[0]


def all_of(features, labels):
    """Every metric of features alone; the last layer used for NC3 and NC4 turns with the features."""
    return torch.stack(
        [
            metric(features, labels)
            for metric in (metrics.nc1, metrics.nc2, metrics.nc2_equinorm, metrics.nc2_equiangularity)
        ],
        -1,
    )


# NC1-NC4 against loops


@pytest.mark.parametrize("d", [2, 3, 6])  # fewer dimensions than K - 1, as many, more
def test_nc1_and_nc2_against_loops(d):
    features = gauss(d, len(LABELS)) + 3
    labels = LABELS.tolist()
    # the reference squares the spread before it inverts it, which costs half the digits at worst
    assert float(metrics.nc1(features, LABELS)) == near(reference.nc1(features.numpy(), labels), rel=1e-10)
    means, centre = reference.class_means(features.numpy(), labels)
    M = means - centre[:, None]
    expected = reference.distance(M.T @ M, reference.simplex(K))
    assert float(metrics.nc2(features, LABELS)) == near(expected, rel=1e-13)  # a few dozen roundings
    lengths = [math.dist(column, [0] * d) for column in M.T]
    mean = math.fsum(lengths) / K
    spread = math.sqrt(math.fsum((length - mean) ** 2 for length in lengths) / K) / mean
    assert float(metrics.nc2_equinorm(features, LABELS)) == near(spread, rel=1e-13)
    pairs = [(k, j) for k in range(K) for j in range(K) if j != k]
    cosines = [float(M[:, k] @ M[:, j]) / lengths[k] / lengths[j] for k, j in pairs]
    gap = math.fsum(abs(cosine + 1 / (K - 1)) for cosine in cosines) / len(pairs)
    assert float(metrics.nc2_equiangularity(features, LABELS)) == near(gap, rel=1e-13)


def test_nc3_and_nc4_against_loops():
    d = 5
    features, weight = gauss(d, len(LABELS)), gauss(K, d, seed=1)
    means, centre = reference.class_means(features.numpy(), LABELS.tolist())
    expected = reference.distance(weight.numpy() @ (means - centre[:, None]), reference.simplex(K))
    assert float(metrics.nc3(features, LABELS, weight)) == near(expected, rel=1e-13)

    logits = weight @ features
    disagree = 0
    for sample in range(len(LABELS)):
        distances = [math.dist(features[:, sample].tolist(), means[:, k]) for k in range(K)]
        disagree += distances.index(min(distances)) != int(logits[:, sample].argmax())
    assert 0 < disagree < len(LABELS)
    assert float(metrics.nc4(features, LABELS, logits)) == disagree / len(LABELS)


def test_known_values():
    # one dimension: Sigma_W = 1, Sigma_B = 4
    line = torch.tensor([[1.0, 3.0, -3.0, -1.0]])
    assert float(metrics.nc1(line, torch.tensor([0, 0, 1, 1]))) == near(1 / 4 / 2, rel=1e-14)
    # an orthogonal frame with noise t in an orthogonal direction has none within the span of the means
    corners = torch.eye(4, dtype=torch.float64)[:, [0, 0, 1, 1, 2, 2]]
    corners[3] = torch.tensor([0.3, -0.3] * 3)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    assert float(metrics.nc1(corners, labels)) == pytest.approx(0, abs=1e-30)
    assert float(metrics.nc2(corners, labels)) == pytest.approx(0, abs=1e-14)  # an orthogonal frame, centred
    # antipodal pairs: || P/(2 sqrt m) - S/sqrt(K-1) ||^2 = 2 - 2 <P, S>/..., with <P, S> = trace P = K
    pair = structures.pairing(6)
    expected = math.sqrt(2 - 2 * 6 / math.sqrt(4 * 3) / math.sqrt(5))
    assert float(metrics.distance(pair, structures.simplex_etf(6))) == near(expected, rel=1e-14)
    vertices = torch.linalg.cholesky(pair[::2, ::2])
    vertices = torch.stack([vertices, -vertices], -1).flatten(1)  # +-e_1, +-e_2, +-e_3
    assert float(metrics.nc2(vertices, torch.arange(6))) == near(expected, rel=1e-14)
    assert float(metrics.nc2_equinorm(vertices, torch.arange(6))) == pytest.approx(0, abs=1e-15)
    # of the 5 others one at -1 and four at 0, where the simplex has -1/5
    angles = (4 / 5 + 4 * 1 / 5) / 5
    assert float(metrics.nc2_equiangularity(vertices, torch.arange(6))) == near(angles, rel=1e-14)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_all_vanish_at_collapse(classes):
    labels = torch.arange(classes).repeat(3)
    turned = random_rotation(9)[:, :classes]
    features = 5 * turned @ structures.simplex_etf(classes)[:, labels] + gauss(9, 1, seed=3)
    weight = 2 * turned.T
    # the common shift costs a few roundings of it, each squared in NC1
    assert float(metrics.nc1(features, labels)) < 1e-29
    assert all_of(features, labels).max() < 1e-13
    assert float(metrics.nc3(features, labels, weight)) < 1e-13
    assert float(metrics.nc4(features, labels, weight @ features)) == 0


def test_ties_go_to_the_lower_class():
    # the third sample is as far from both centres (-1 and 1), and its logits are equal
    features, labels = torch.tensor([[-1.5, 1.5, 0.0, -1.5, 1.5, 0.0]]), torch.tensor([0, 1, 0, 0, 1, 1])
    logits = torch.cat([-features, features])
    assert float(metrics.nc4(features, labels, logits)) == 0


# invariances


@pytest.mark.parametrize("scale", [1e-20, 1e-3, 1e12])
def test_scale_rotation_shift_and_order_do_not_matter(scale):
    d = 6
    features, weight = gauss(d, len(LABELS)), gauss(K, d, seed=1)
    expected = all_of(features, LABELS)
    Q, shift = random_rotation(d), gauss(d, 1, seed=5)
    moved = scale * (Q @ features + shift)
    # a handful of roundings of numbers of the size of the shift
    close = {"rtol": 1e-12, "atol": 0}
    assert torch.allclose(all_of(moved, LABELS), expected, **close)
    nc3 = metrics.nc3(features, LABELS, weight)
    assert torch.allclose(metrics.nc3(moved, LABELS, weight @ Q.T / scale), nc3, **close)
    nc4 = metrics.nc4(features, LABELS, weight @ features)
    assert metrics.nc4(moved, LABELS, weight @ features) == nc4

    samples = torch.randperm(len(LABELS), generator=torch.Generator().manual_seed(2))
    renamed = torch.tensor([2, 0, 3, 1])
    assert torch.allclose(all_of(features[:, samples], LABELS[samples]), expected, **close)
    assert torch.allclose(all_of(features, renamed[LABELS]), expected, **close)
    order = renamed.argsort()
    assert torch.allclose(metrics.nc3(features, renamed[LABELS], weight[order]), nc3, **close)
    assert metrics.nc4(features, renamed[LABELS], weight[order] @ features) == nc4


def test_batches_equal_one_at_a_time():
    d = 5
    features, weight = gauss(2, 3, d, len(LABELS)), gauss(2, 3, K, d, seed=1)
    logits = weight @ features
    together = all_of(features, LABELS)
    nc3, nc4 = metrics.nc3(features, LABELS, weight), metrics.nc4(features, LABELS, logits)
    deep = metrics.dnc([features, features], [weight, weight], LABELS)
    assert together.shape == (2, 3, 4) and nc3.shape == nc4.shape == (2, 3)
    assert all(part.shape == (2, 3, 2) for part in deep)
    for i, j in np.ndindex(2, 3):
        # a batched product may sum in another order: a few roundings
        one, W, Z = features[i, j], weight[i, j], logits[i, j]
        assert torch.allclose(together[i, j], all_of(one, LABELS), rtol=1e-12, atol=0)
        assert torch.allclose(nc3[i, j], metrics.nc3(one, LABELS, W), rtol=1e-12, atol=0)
        assert nc4[i, j] == metrics.nc4(one, LABELS, Z)
        for part, alone in zip(deep, metrics.dnc([one], [W], LABELS), strict=True):
            assert torch.allclose(part[i, j], alone.expand(2), rtol=1e-12, atol=0)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64])
def test_any_integer_type_labels_the_samples(dtype):
    features = gauss(5, len(LABELS))
    assert torch.equal(all_of(features, LABELS.to(dtype)), all_of(features, LABELS))


# the pitfall: small noise about a large offset, in float32


@pytest.mark.parametrize("offset", [0.0, 100.0, 1e4])
def test_nc1_of_float32_features_about_a_large_offset(offset):
    labels = torch.arange(4).repeat_interleave(25)
    noise = 1e-5 * gauss(6, 100, seed=1)
    features = (offset + gauss(6, 4)[:, labels] + noise).float()
    # What is asked for is NC1 of the float32 numbers as they are. Exact sums by math.fsum; the products in float64.
    exact = reference.nc1(features.double().numpy(), labels.tolist())
    # float64 leaves 1e-16 * offset of error in a deviation of 1e-5 (or in float32's own grid, if that is coarser)
    assert float(metrics.nc1(features, labels)) == near(exact, rel=1e-9)
    if offset == 0:
        # tr Sigma_W pinv(Sigma_B): a plain computation in float64, right here, where nothing cancels
        member = torch.nn.functional.one_hot(labels, 4).double()
        means = features.double() @ member / 25
        within = features.double() - means[:, labels]
        means = means - means.mean(-1, keepdim=True)
        pinv = torch.linalg.pinv(means @ means.T / 4, rtol=1e-9)
        assert float(torch.trace(within @ within.T / 100 @ pinv)) / 4 == near(exact, rel=1e-9)


def test_nc1_of_float64_features_about_a_huge_offset():
    # Float64 itself is coarse here (1e-7 at 1e9), so that no class mean can be written down to the size of the noise.
    labels = torch.arange(4).repeat_interleave(25)
    features = 1e9 + (gauss(6, 4)[:, labels] + 1e-5 * gauss(6, 100, seed=1))
    exact = reference.nc1((features - 1e9).numpy(), labels.tolist())  # the difference of near numbers is exact
    # the spread of the means, of size one, is known to 1e-7
    assert float(metrics.nc1(features, labels)) == near(exact, rel=1e-6)


def test_nc1_inverts_no_more_than_the_spread_of_the_means():
    features = gauss(6, len(LABELS)) + 100
    assert float(metrics.nc1(features, LABELS, rtol=0)) == near(float(metrics.nc1(features, LABELS)), rel=1e-12)


def test_nc1_of_a_low_rank_solution_keeps_to_its_span():
    problem = Problem(6, 4, 2, 8, 1e-3)
    features = model.aligned_point(problem, 5 * structures.pairing(6))[0]
    noise = 1e-3 * gauss(*features.shape)
    collapsed = metrics.nc1(features, problem.labels)
    spread = metrics.nc1(features + noise, problem.labels, rtol=0.1)
    assert 0 <= collapsed < 1e-29
    # 3 of the directions, singular values sigma^{1/3} with sigma = 2 * 5 * sqrt(4): noise^2 / sigma^{2/3} times K n / n
    assert float(spread) == near(3 * 1e-6 / 20 ** (2 / 3) * 4, rel=0.5)  # 24 samples: a few tens of per cent
    # By default the three directions of pure noise count too, and NC1 is of the order of one: that is what rtol is for.
    assert metrics.nc1(features + noise, problem.labels) > 0.1


# deep collapse


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_dnc_solutions_collapse_in_every_layer(depth):
    problem = Problem(5, 3, depth, 9, 1e-3)
    params = model.aligned_point(problem, 6 * structures.simplex_etf(5), seed=1)
    found = metrics.dnc(model.activations(problem, params)[:-1], params[1:], problem.labels)
    assert all(part.shape == (depth,) for part in found)
    # Proposition 1, up to the rounding of products of L + 1 factors; NC1 squares it
    assert found.variability.max() < 1e-27 and found.simplex.max() < 1e-13 and found.alignment.max() < 1e-13


def test_pairing_solutions_collapse_but_not_to_a_simplex():
    problem = Problem(6, 3, 3, 9, 1e-3)
    params = model.aligned_point(problem, 6 * structures.pairing(6), seed=1)
    found = metrics.dnc(model.activations(problem, params)[:-1], params[1:], problem.labels)
    apart = float(metrics.distance(structures.pairing(6), structures.simplex_etf(6)))
    assert found.variability.max() < 1e-27 and found.alignment.max() < 1e-13
    assert found.simplex.tolist() == near([apart] * 3, rel=1e-12)


def test_alignment_is_the_share_outside_the_span():
    features = torch.eye(4, dtype=torch.float64)[:, :2]  # the means differ along e_1 - e_2
    labels = torch.tensor([0, 1])
    weight = torch.tensor([[3.0, -3.0, 0.0, 4.0]])
    found = metrics.dnc([features], [weight], labels).alignment
    assert float(found) == near(4 / math.sqrt(34), rel=1e-14)
    assert float(metrics.dnc([features], [torch.ones(1, 4)], labels).alignment) == near(1, rel=1e-14)


# names


def shuffled(matrix, seed):
    order = torch.randperm(len(matrix), generator=torch.Generator().manual_seed(seed))
    return matrix[order][:, order]


NAMED = {"dnc": structures.simplex_etf, "pairing": structures.pairing, "polygon": structures.polygon}


@pytest.mark.parametrize("classes", [4, 5, 6, 7, 10, 11, 20])
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_structures_are_named_in_any_order_and_scale(classes, name, noise):
    unit = NAMED[name](classes)
    unit = unit / torch.linalg.matrix_norm(unit)
    expected = "pairing" if (name, classes) == ("polygon", 4) else name
    batch = []
    for seed, scale in enumerate([0.3, 2.0, 1000.0]):
        error = gauss(classes, classes, seed=seed)
        batch.append(scale * classes * (shuffled(unit, seed) + noise * error / torch.linalg.matrix_norm(error)))
    assert metrics.structure_labels(torch.stack(batch)) == [expected] * 3
    assert metrics.structure_labels(batch[0]) == [expected]
    assert metrics.structure_labels(batch[0].float()) == [expected]


def test_small_cases_go_by_the_first_name():
    for structure in (structures.pairing(2), structures.polygon(2), structures.polygon(3), structures.simplex_etf(2)):
        assert metrics.structure_labels(5 * structure) == ["dnc"]
    assert metrics.structure_labels(5 * structures.pairing(3)) == ["pairing"]


def test_what_is_no_named_structure_is_mixed():
    S, P, C = (5 * NAMED[name](6) for name in NAMED)
    partly = 5 * torch.block_diag(structures.simplex_etf(4), structures.pairing(2))
    others = torch.stack(
        [-S, -P, -C, S + P, S.roll(1, 0), P.roll(1, 0), partly, 5 * torch.eye(6), 5 * torch.ones(6, 6)]
    )
    assert metrics.structure_labels(others.double()) == ["mixed"] * len(others)
    assert metrics.structure_labels(5 * structures.strongly_regular(5)) == ["mixed"]


def test_zero_and_the_tolerance():
    S, P = structures.simplex_etf(6), structures.pairing(6)
    assert metrics.structure_labels(torch.stack([0 * S, 9e-3 * S, 2e-2 * S])) == ["zero", "zero", "dnc"]
    assert metrics.structure_labels(9e-3 * S, smallest=1e-3) == ["dnc"]
    off = S + 0.05 * P
    distance = float(metrics.distance(off, S))
    assert metrics.structure_labels(5 * off, tolerance=1.01 * distance) == ["dnc"]
    assert metrics.structure_labels(5 * off, tolerance=0.99 * distance) == ["mixed"]
    assert metrics.structure_labels(torch.zeros(0, 4, 4)) == []


def test_distance_is_that_of_directions():
    A, B = gauss(3, 4, 5), gauss(4, 5, seed=1)
    found = metrics.distance(A, B)
    assert found.shape == (3,)
    for one, value in zip(A, found, strict=True):
        assert float(value) == near(reference.distance(one.numpy(), B.numpy()), rel=1e-13)
    assert torch.allclose(metrics.distance(7 * A, B / 3), found, rtol=1e-13)
    assert torch.allclose(metrics.distance(-A, B).square() + found.square(), torch.full((3,), 4.0).double(), rtol=1e-13)


def test_share_is_the_wilson_interval():
    share = metrics.share(["dnc"] * 8 + ["mixed"] * 2, "dnc")
    z, n, p = 1.959963984540054, 10, 0.8  # the 97.5% point of the normal distribution
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert share == near((p, centre - half, centre + half), rel=1e-12)
    assert metrics.share(["mixed"], "dnc")[:2] == (0, pytest.approx(0, abs=1e-12))
