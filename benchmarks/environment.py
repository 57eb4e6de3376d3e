"""What the numbers of a benchmark depend on, no names and no paths; and where they are written.

python benchmarks/environment.py     prints it
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

import torch

BUILT = Path(__file__).resolve().parents[1] / "_build" / "benchmarks"


def processor() -> str:
    """The model of the processor, where Linux tells it; else what Python knows."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def environment() -> dict[str, object]:
    """The record that every benchmark writes with its numbers; to be asked for first, while the load is others'."""
    load = round(os.getloadavg()[0], 1)
    print(f"load of the machine before: {load}")
    return {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "processor": processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "date": time.strftime("%Y-%m-%d"),
        "load": load,
    }


def command_line(script: str, purpose: str) -> argparse.ArgumentParser:
    """A parser that knows --output. What is committed is overwritten by those only who name it."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--output", type=Path, default=BUILT / f"{Path(script).stem}.json")
    return parser


def write(path: Path, record: dict[str, object]) -> None:
    """Write a record as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    print(json.dumps(environment(), indent=1))
