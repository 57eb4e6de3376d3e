"""The same seed gives the same numbers, in processes of one, two and four threads and in any company."""

import functools
import json
import os
import subprocess
import sys

import pytest
import torch

from dufm_lib import Problem, data, descent, networks

SCRIPT = """
import hashlib, json, sys
import torch
from dufm_lib import Problem, data, descent, model, networks, structures, sweep, theory

def digest(tensors):
    return hashlib.sha256(b"".join(t.detach().contiguous().numpy().tobytes() for t in tensors)).hexdigest()[:16]

torch.set_num_threads(int(sys.argv[1]))  # else no more than there are cores
found = {"threads": torch.get_num_threads(), "bits": {}, "numbers": {}}
for loss in ("cross_entropy", "mse"):
    for activation in ("linear", "relu"):
        for samples in (2, (3, 1, 2, 5)):
            problem = Problem(4, samples, 3, 30, 1e-3, loss, activation)
            runs = descent.train(problem, 9, seed=5, steps=300)
            name = f"{loss} {activation} {samples}"
            found["bits"][name] = digest(runs.params)
            found["numbers"][name] = runs.loss.tolist()
mixed = [Problem(6, 2, 2, 60, decay) for decay in (1e-3, (1e-3, 4e-3), 0.02, 0.0)] * 3
options = {"learning_rate": [0.5, 1.0] * 6, "init_scale": [0.5, 1.0, 2.0] * 4, "seed": list(range(12)), "steps": 300}
found["bits"]["mixed"] = digest(descent.train(mixed, **options).params)
found["bits"]["float64"] = digest(descent.train(mixed, **options, dtype=torch.float64).params)
table = sweep.perform(sweep.tasks(Problem(4, 1, 2, 30, 2**-7), 6, steps=300)[0])
found["bits"]["sweep"] = [table.structure.tolist(), table["rank"].tolist(), table.steps_taken.tolist()]
found["numbers"]["sweep"] = table.loss.tolist()
digits = data.digits(per_class=12, classes=(0, 1, 2))
for batch_size in (None, 10):
    network = networks.mlp(digits, hidden=(32,), width=16, depth=2)
    training = networks.train(network, digits, steps=60, batch_size=batch_size)
    found["bits"][f"network {batch_size}"] = digest(training.network.parameters())
    found["numbers"][f"network {batch_size}"] = training.history.objective.tolist()
found["bits"]["point"] = digest(model.random_point(Problem(4, 2, 2, 30, 1e-3), 3))
found["numbers"]["search"] = [theory.search_optimum(Problem(6, 1, 2, 6, 1e-3), starts=2)[0]]
aligned = model.aligned_point(Problem(4, 2, 2, 30, 1e-3), structures.pairing(4))
found["numbers"]["aligned"] = aligned[1].flatten().tolist()
print(json.dumps(found))
"""


@functools.cache
def numbers(threads):
    """What the script finds in a process of its own: threads must be set before torch starts."""
    own = {name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(threads)], env=os.environ | own, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found = json.loads(done.stdout)
    assert found["threads"] == threads
    return found


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_changes_no_bit_of_a_descent(threads):
    """Runs are what threads share; each is computed by one. Evaluations sum in float64, in blocks of other sizes."""
    found, alone = numbers(threads), numbers(1)
    assert found["bits"] == alone["bits"]
    for name, values in alone["numbers"].items():
        # sums of a thousand terms in another order: a few hundred times the rounding of float64
        assert found["numbers"][name] == pytest.approx(values, rel=1e-12, abs=1e-13), name


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("activation", ["linear", "relu"])
@pytest.mark.parametrize("samples", [2, (3, 1, 2, 5)])
def test_company_changes_no_bit_of_a_run(loss, activation, samples):
    problem = Problem(4, samples, 3, 30, 1e-3, loss, activation)
    together = descent.train(problem, 9, seed=5, steps=200)
    for first, count in ((0, 1), (8, 1), (2, 4)):
        some = descent.train(problem, count, seed=5 + first, steps=200)
        assert all(map(torch.equal, some.params, together[first : first + count].params))
    shuffled = descent.train(problem, seed=[13, 5, 7], steps=200)
    assert all(map(torch.equal, shuffled.params, together[[8, 0, 2]].params))


def test_a_batch_of_all_samples_is_the_whole_set():
    """The samples come in another order: sums in float32 differ in the last digit, and 20 steps keep that small."""
    digits = data.digits(per_class=12, classes=(0, 1, 2))
    network = networks.mlp(digits, hidden=(32,), width=16, depth=2, batch_norm=False)
    whole, batch = (networks.train(network, digits, steps=20, batch_size=size) for size in (None, 36))
    torch.testing.assert_close(batch.history.objective, whole.history.objective, rtol=1e-4, atol=1e-6)
