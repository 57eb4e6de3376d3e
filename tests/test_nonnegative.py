"""ReLU solutions that carry non-negative features: formed in the model, priced in theory, and what they exclude."""

import itertools
import math

import pytest
import reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import near

from dufm_lib import Problem, model, nonnegative, theory
from dufm_lib.structures import incidence, pairing, rank, simplex_etf, strongly_regular

# float64 rounding through up to ten products of factors of size one to ten
ROUNDED = 1e-10


def pairing_code(K):
    return pairing(K) + 1, [pairing(K) / 2]


def edge_code(r):
    """Cross-entropy: the edges of the complete graph, read out by their centred transpose."""
    T = incidence(r)
    return T, [(T - T.mean(1, keepdim=True)).T]


def edge_code_mse(r):
    """MSE: one ReLU more, whose output is the identity."""
    T = incidence(r)
    return T, [T.T - 0.5, torch.eye(T.shape[1], dtype=torch.float64)]


CODES = {
    "pairing 6": (Problem(6, 2, 4, 8, 1e-3, activation="relu"), pairing_code(6)),
    "pairing, unequal penalties": (Problem(8, 3, 3, 8, (1e-2, 3e-4), activation="relu"), pairing_code(8)),
    "pairing, two layers": (Problem(6, 1, 2, 6, 1e-3, activation="relu"), pairing_code(6)),
    "edges": (Problem(10, 5, 3, 70, 2**-9, activation="relu"), edge_code(5)),
    "edges, MSE": (Problem(6, 2, 5, 7, 1e-4, loss="mse", activation="relu"), edge_code_mse(4)),
    "identity, MSE": (Problem(5, 2, 3, 6, 1e-4, "mse", "relu"), (torch.eye(5).double(), [torch.eye(5).double()])),
}


@pytest.mark.parametrize("r", range(3, 9))
def test_incidence_is_every_pair_once(r):
    T = incidence(r)
    columns = {tuple(vertex for vertex in range(r) if T[vertex, k] == 1) for k in range(T.shape[1])}
    assert columns == set(itertools.combinations(range(r), 2)) and T.sum() == 2 * T.shape[1]
    # eigenvalues of T T^T: 2 (r - 1) once, r - 2 otherwise
    assert torch.linalg.svdvals(T).tolist() == near([math.sqrt(2 * r - 2)] + [math.sqrt(r - 2)] * (r - 1), rel=1e-12)


@pytest.mark.parametrize("name", CODES)
def test_the_point_has_the_logits_the_price_and_equal_factors(name):
    problem, (features, readouts) = CODES[name]
    scale, loss = theory.nonnegative_optimum(problem, features, readouts)
    assert scale > 0
    params = nonnegative.point(problem, features, readouts, scale)
    # logits by slow loops over units, with ReLU as the definition says
    Z = torch.from_numpy(reference.logits(problem, params))
    signal = readouts[0] @ features
    for matrix in readouts[1:]:
        signal = matrix @ signal.clamp(min=0)
    assert torch.allclose(Z, scale * signal[:, problem.labels], atol=ROUNDED * scale)
    assert float(model.objective(problem, params)) == near(loss, rel=ROUNDED)
    decay = [problem.penalties[min(layer, 1)] for layer in range(problem.depth + 1)]
    weights = [rate * float(each.square().sum()) for rate, each in zip(decay, params, strict=True)]
    assert weights == [near(weights[0], rel=ROUNDED)] * len(weights)
    for other in (0.9 * scale, 1.1 * scale):
        assert float(model.objective(problem, nonnegative.point(problem, features, readouts, other))) > loss


@pytest.mark.parametrize("name", CODES)
def test_relu_changes_nothing_before_the_readouts(name):
    problem, (features, readouts) = CODES[name]
    params = nonnegative.point(problem, features, readouts, 3.0)
    signal = params[0]
    for weight in params[1 : problem.depth - len(readouts) + 1]:
        signal = weight @ signal
        assert float(signal.min()) >= -1e-12 * float(signal.max())  # a zero, rounded


@pytest.mark.parametrize("L", range(2, 11))
@pytest.mark.parametrize("K", range(4, 18, 2))
def test_pairing_wins_exactly_where_the_inequality_says(K, L):
    problem = Problem(K, 2, L, K, 1e-4, activation="relu")
    point = nonnegative.point(problem, *pairing_code(K), scale=4.0)
    collapse = theory.schatten_penalty(problem, 4.0 * simplex_etf(K))
    fit = theory.structure_loss(problem, simplex_etf(K), 4.0) - collapse
    assert (float(model.penalty(problem, point)) < collapse) == theory.relu_pairing_wins(K, L)
    assert float(model.fit(problem, model.logits(problem, point))) < fit
    published = 2 * K + 4 < (K - 1) * (2 ** (L - 1) * ((K + 2) / K) ** 1.5) ** (2 / (L + 1))
    assert theory.relu_pairing_wins(K, L) == published
    price = theory.nonnegative_price(*pairing_code(K), L)
    assert price == near(theory.relu_pairing_price(K, L), rel=1e-12)
    assert (price < K - 1) == published


def test_thresholds_of_pairing():
    first = {L: next((K for K in range(4, 200) if theory.relu_pairing_wins(K, L)), None) for L in range(2, 13)}
    assert first == {2: None, 3: None, 4: 14, 5: 10, 6: 8, 7: 8} | {L: 6 for L in range(8, 13)}
    for L, K in first.items():  # from there on always: the ratio of the two sides grows with m
        assert K is None or all(theory.relu_pairing_wins(k, L) for k in range(K, 200))
    for K in range(10, 40):
        for L in range(2, 12):
            if theory.dnc_is_excluded(Problem(K, 1, L, K, 1e-3, activation="relu")).holds:
                assert theory.relu_pairing_wins(K, L)


@pytest.mark.parametrize("K", [7, 9, 15])
@pytest.mark.parametrize("L", [2, 4, 5])
def test_an_odd_class_on_its_own_costs_one(K, L):
    """The block sum of the pairs' parameters and a chain of single units, through the model."""
    scale, n = 4.0, 2
    pairs = Problem(K - 1, n, L, K - 1, 1e-4, activation="relu")
    lone = (scale * math.sqrt(n)) ** (1 / (L + 1))
    chain = [torch.ones(1, n).double() * lone / math.sqrt(n), *[torch.ones(1, 1).double() * lone] * L]
    problem = Problem(K, n, L, K, 1e-4, activation="relu")
    params = [
        torch.block_diag(block, unit)
        for block, unit in zip(nonnegative.point(pairs, *pairing_code(K - 1), scale), chain, strict=True)
    ]
    Z = model.class_means(problem, model.logits(problem, params))
    assert torch.allclose(Z, scale * pairing(K), atol=ROUNDED)
    collapse = theory.schatten_penalty(problem, scale * simplex_etf(K))
    ratio = float(model.penalty(problem, params)) / collapse
    assert ratio == near(theory.relu_pairing_price(K, L) / (K - 1), rel=ROUNDED)
    assert (ratio < 1) == theory.relu_pairing_wins(K, L)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.integers(1, 12), st.integers(0, 2**31), st.floats(-3, 3))
def test_relu_never_spreads_class_means(K, d, seed, shift):
    """The step of Theorem 7 for which the paper has an assumption: ReLU is 1-Lipschitz, so centred norms shrink."""
    means = torch.randn(d, K, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift

    def spread(matrix):
        return float((matrix - matrix.mean(1, keepdim=True)).norm())

    assert spread(means.relu()) <= spread(means) * (1 + 1e-12)


def test_edges_beat_collapse_at_depth_three_from_ten_classes_on():
    wins = {
        r: [L for L in range(2, 8) if theory.nonnegative_price(*edge_code(r), L) < r * (r - 1) / 2 - 1]
        for r in range(4, 9)
    }
    assert wins[4] == [6, 7] and wins[5] == wins[6] == [3, 4, 5, 6, 7]
    assert wins[8] == [2, 3, 4, 5, 6, 7]  # 28 classes: at depth 2 already
    problem, code = CODES["edges"]
    _, bound = theory.optimal_scale(problem, simplex_etf(10))
    assert theory.nonnegative_optimum(problem, *code)[1] < bound


@pytest.mark.parametrize("r", range(3, 9))
@pytest.mark.parametrize("L", range(3, 8))
def test_edges_under_mse_in_closed_form(r, L):
    K = r * (r - 1) // 2
    nuclear = math.sqrt(2 * (r - 1)) + (r - 1) * math.sqrt(r - 2)
    price = theory.nonnegative_price(*edge_code_mse(r), L)
    assert price == near((nuclear**2 * r ** (L - 2) * K**2 / 4) ** (1 / (L + 1)), rel=1e-12)
    assert (price < K) == (L >= 4 and r >= 4)
    features, (first, _) = edge_code_mse(r)
    assert torch.allclose(first @ features, strongly_regular(r)) and int(rank(features)) == r


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"problem": Problem(6, 2, 4, 8, 1e-3)}, "activation 'relu'"),
        ({"problem": Problem(6, 2, 4, 8, (1e-3, 0), activation="relu")}, "weight_decay must be positive"),
        ({"scale": 0}, "scale must be positive"),
        ({"scale": -1}, "scale"),
        ({"features": pairing(6)}, "features must not be negative"),
        ({"readouts": []}, "readouts must be 1 to 3"),
        ({"readouts": [pairing(6)] * 4}, "readouts must be 1 to 3"),
        ({"readouts": [pairing(5)]}, r"readouts\[0\]"),
        ({"readouts": [torch.ones(9, 6), torch.ones(6, 9)]}, "width must hold"),
    ],
)
def test_bad_points_are_named(change, message):
    arguments = {
        "problem": Problem(6, 2, 4, 8, 1e-3, activation="relu"),
        "features": pairing(6) + 1,
        "readouts": [pairing(6) / 2],
        "scale": 2.0,
    }
    with pytest.raises(ValueError, match=message):
        nonnegative.point(**arguments | change)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.nonnegative_price(pairing(6), [pairing(6)], 3), "features must not be negative"),
        (lambda: theory.nonnegative_price(pairing(6) + 1, [], 3), "readouts must be at least one"),
        (lambda: theory.nonnegative_price(pairing(6) + 1, [pairing(6)] * 3, 3), "depth must be at least 4"),
        (lambda: theory.nonnegative_optimum(Problem(6, 2, 3, 6, 1e-3), *pairing_code(6)), "activation 'relu'"),
        (
            lambda: theory.nonnegative_optimum(Problem(6, 2, 3, 6, 0.0, activation="relu"), *pairing_code(6)),
            "weight_decay must be positive",
        ),
        (lambda: theory.relu_pairing_wins(1, 4), "classes"),
        (lambda: theory.relu_pairing_price(6, 1), "depth"),
    ],
)
def test_bad_prices_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def collapsed(problem, means, last, generator):
    """Parameters whose layers have these class means before ReLU, by maps that also do something outside their span."""
    signal, params = means[0], [means[0][:, problem.labels]]
    for number, target in enumerate([*means[1:], last]):
        signal = signal.clamp(min=0) if number else signal
        inverse = torch.linalg.pinv(signal)
        outside = torch.eye(problem.width, dtype=torch.float64) - signal @ inverse
        noise = 0.1 * torch.randn(len(target), problem.width, generator=generator, dtype=torch.float64)
        params.append(target @ inverse + noise @ outside)
        signal = target
    return params


def padded(means, width, generator):
    """Means in a space of `width`, with the same for all classes in the other coordinates."""
    rest = torch.randn(width - len(means), 1, generator=generator, dtype=torch.float64)
    return torch.cat([means, rest.expand(-1, means.shape[1])])


@pytest.mark.parametrize("seed", range(20))
def test_no_collapsed_solution_is_below_the_bound(seed):
    generator = torch.Generator().manual_seed(seed)
    K, n, L = 3 + seed % 4, 1 + seed % 3, 2 + seed % 5
    problem = Problem(K, n, L, K + 3, 10.0 ** -(1 + seed % 4), activation="relu")
    eye, size = torch.eye(K, dtype=torch.float64), torch.rand(L + 1, 2, generator=generator).double()
    # c (I - shift J): of a positive shift ReLU leaves a multiple of I, of a negative one it cuts nothing
    means = [padded((0.2 + 3 * c) * (eye + 1.2 * shift - 0.6), problem.width, generator) for c, shift in size[:L]]
    means[0] = torch.linalg.qr(torch.randn(K + 3, K + 3, generator=generator).double()).Q @ means[0]
    alpha = 0.5 + 8 * float(size[L, 0])
    params = collapsed(problem, means, alpha * simplex_etf(K), generator)
    assert torch.allclose(model.class_means(problem, model.logits(problem, params)), alpha * simplex_etf(K), atol=1e-8)
    objective = float(model.objective(problem, params))
    fit, power = math.log(1 + (K - 1) * math.exp(-alpha)), 2 / (L + 1)
    assert objective > fit + problem.weight_decay / power * (K - 1) * (alpha * math.sqrt(n)) ** power
    assert objective > theory.optimal_scale(problem, simplex_etf(K))[1]


@pytest.mark.parametrize("seed", range(20))
def test_no_collapsed_solution_is_below_the_bound_of_mse(seed):
    generator = torch.Generator().manual_seed(seed)
    K, n, L = 2 + seed % 5, 1 + seed % 3, 2 + seed % 5
    problem = Problem(K, n, L, K + 2, 10.0 ** -(1 + seed % 4), loss="mse", activation="relu")
    eye, means = torch.eye(K, dtype=torch.float64), []
    for c in torch.rand(L, generator=generator).double():
        cut = torch.rand(K + 2, K, generator=generator).double() * (seed % 2)  # what ReLU takes away
        means.append((0.2 + 2 * c) * (torch.cat([eye, 0 * eye[:2]]) - cut * (1 - torch.cat([eye, 0 * eye[:2]]))))
    means[0] = means[0].clamp(min=0)
    gamma = float(torch.rand(1, generator=generator))
    params = collapsed(problem, means, gamma * eye, generator)
    assert torch.allclose(model.class_means(problem, model.logits(problem, params)), gamma * eye, atol=1e-8)
    power = 2 / (L + 1)
    bound = (1 - gamma) ** 2 / 2 + problem.weight_decay / power * K * (gamma * math.sqrt(n)) ** power
    assert float(model.objective(problem, params)) >= bound * (1 - 1e-12)
