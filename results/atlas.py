"""The atlas of optima: the best known minimum of the reduced problem for K = 2..16, L = 1..8, six weight decays, n = 1.

    python results/atlas.py

Every cell is searched from random starts with three seeds, independently. Then it is searched from the optima of its
neighbours (the depth or the weight decay one step away), in rounds, until a round improves no cell. What is found is
appended to a store, and a run that was stopped goes on from it. The result, a row a cell, is written beside this
file, with the logits as the product of two factors in float32: M = left @ right.T, both (K, rank), row by row.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas
import torch

from dufm_lib import Problem, theory
from dufm_lib.shapes import shape

CLASSES, DEPTHS, DECAYS = range(2, 17), range(1, 9), (1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)
CELLS = list(product(CLASSES, DEPTHS, DECAYS))
STARTS, SEEDS, ROUNDS = 24, 3, 8
SAME = 1e-7  # two losses closer than this, relatively, are one


def setting(K: int, L: int, weight_decay: float) -> Problem:
    """The problem of a cell."""
    return Problem(K, 1, L, K, weight_decay)


def neighbours(cell: tuple) -> list[tuple]:
    """The cells one step away in depth or in weight decay."""
    K, L, weight_decay = cell
    place = DECAYS.index(weight_decay)
    near = [(K, L - 1, weight_decay), (K, L + 1, weight_decay)]
    near += [(K, L, decay) for decay in DECAYS[max(place - 1, 0) : place + 2]]
    return [other for other in near if other in CELLS and other != cell]


def factors(logits: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Two (K, rank) float32 matrices with M = left @ right.T."""
    left, sigma, right = np.linalg.svd(logits.numpy())
    rank = int((sigma > 1e-6 * max(sigma[0], 1e-9)).sum())
    root = np.sqrt(sigma[:rank])
    return np.float32(left[:, :rank] * root), np.float32(right[:rank].T * root)


def product_of(K: int, left, right) -> torch.Tensor:
    """(K, K) logits from the factors, given flat or not."""
    left, right = (np.asarray(factor, dtype=np.float64).reshape(K, -1) for factor in (left, right))
    return torch.from_numpy(left @ right.T)


class Store:
    """Every search done so far, a line each, and the best of each cell."""

    def __init__(self, path: Path) -> None:
        self.path, self.losses, self.best = path, {}, {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for line in path.read_text().splitlines() if path.exists() else []:
            self._take(json.loads(line))

    def search(self, cell: tuple, how: str, starts: int, seed: int = 0, near=()) -> None:
        """Search a cell unless this has been done."""
        if (cell, how) in self.losses:
            return
        loss, logits = theory.search_optimum(setting(*cell), starts, seed, near)
        left, right = (factor.ravel().tolist() for factor in factors(logits))
        row = {"cell": cell, "how": how, "loss": loss, "left": left, "right": right}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        self._take(row)

    def _take(self, row: dict) -> None:
        cell = tuple(row["cell"])
        self.losses[cell, row["how"]] = row["loss"]
        if cell not in self.best or row["loss"] < self.best[cell]["loss"]:
            self.best[cell] = row


def search_all(store: Store) -> None:
    """Random starts with each seed, then rounds of starts from the neighbours."""
    for seed, cell in product(range(SEEDS), CELLS):
        store.search(cell, f"seed {seed}", STARTS, seed)
    for turn in range(ROUNDS):
        before = {cell: row["loss"] for cell, row in store.best.items()}
        for cell in CELLS:
            rows = [store.best[other] for other in neighbours(cell)]
            near = [product_of(cell[0], row["left"], row["right"]) for row in rows if row["left"]]
            store.search(cell, f"round {turn}", 0, near=near)
        if all(store.best[cell]["loss"] > before[cell] * (1 - SAME) for cell in CELLS):
            break


def table(store: Store) -> pandas.DataFrame:
    """A row a cell."""
    rows = []
    for cell in CELLS:
        left, right = store.best[cell]["left"], store.best[cell]["right"]
        loss = theory.structure_loss(setting(*cell), product_of(cell[0], left, right), 1.0)
        agree = sum(store.losses[cell, f"seed {seed}"] < loss * (1 + SAME) for seed in range(SEEDS))
        found = dict(zip(("classes", "depth", "weight_decay"), cell, strict=True))
        look = shape(product_of(cell[0], left, right))
        found |= {"loss": loss, "rank": len(left) // cell[0], "name": look.name, "structure": look.structure}
        rows.append(found | {"symmetries": look.symmetry.order, "agree": agree, "left": left, "right": right})
    return pandas.DataFrame(rows)


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    store = Path(__file__).with_name("store") / "atlas.jsonl"
    parser.add_argument("store", type=Path, nargs="?", default=store, help="a file for finished searches")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    """Search what is missing in the store, and write the table."""
    found = Store(arguments(words).store)
    search_all(found)
    frame = table(found)
    frame["left"], frame["right"] = (frame[side].map(np.float32) for side in ("left", "right"))
    frame.attrs = {"command": "python results/atlas.py", "torch": torch.__version__, "numpy": np.__version__}
    frame.to_parquet(Path(__file__).with_suffix(".parquet"), index=False, compression="zstd")


if __name__ == "__main__":
    main(sys.argv[1:])
