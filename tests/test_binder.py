"""Binder's image: what it installs exists, is what the tests run with, and is counted; threads follow the cores."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import installed_size
import pytest
from conftest import ROOT

SCRIPT = (ROOT / "binder" / "postBuild").read_text()
UV = Path(sys.executable).parent / "uv"


def install():
    """What postBuild gives to `uv pip install`, without what depends on Binder's machine."""
    line = next(line for line in SCRIPT.splitlines() if line.startswith("uv pip install") and "--constraint" in line)
    words = shlex.split(line)
    return words[words.index("--constraint") :]


@pytest.fixture(scope="module")
def resolved():
    """What uv says it would do here, with the network switched off."""
    command = [UV, "pip", "install", "--python", sys.executable, "--dry-run", "--offline", *install()]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stderr


def test_binder_installs_what_the_tests_run_with(resolved):
    assert "Would make no changes" in resolved


def test_every_package_that_binder_installs_is_counted(resolved):
    counted = installed_size.sizes()
    assert len(counted) == int(re.search(r"Resolved (\d+) packages", resolved)[1])
    assert min(counted.values()) > 0
    assert list(counted.values()) == sorted(counted.values(), reverse=True)
    assert f"{len(counted)} packages" in installed_size.sentence(counted)


def test_the_image_stays_small():
    if "+cpu" not in installed_size.sentence(installed_size.sizes()):
        pytest.skip("another build of torch is installed here than Binder takes")
    # half as much again as today; a CUDA build would add 3000 MB
    assert sum(installed_size.sizes().values()) < 2e9


def test_a_size_is_the_bytes_of_the_files(monkeypatch, tmp_path):
    class File(type(Path())):
        def locate(self):
            return tmp_path / self

    (tmp_path / "one.py").write_bytes(b"12345")
    (tmp_path / "one.pyc").write_bytes(b"123")
    files = [File("one.py"), File("one.pyc"), File("gone.py")]
    monkeypatch.setattr(installed_size.metadata, "files", lambda _: files)
    assert installed_size.size("any") == 5


def test_binder_and_make_use_one_uv_and_a_python_that_is_tested():
    version = re.search(r"uv==([\d.]+)", SCRIPT)[0]
    assert f"UV := {version}\n" in (ROOT / "Makefile").read_text()
    python = (ROOT / "binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    assert f'"{python}"' in (ROOT / ".github" / "workflows" / "weekly.yml").read_text()


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.skipif(sys.platform != "linux", reason="Binder's images are Linux")
@pytest.mark.parametrize(("limit", "threads"), [("1", 1), ("1.5", 1), ("0.5", 1), ("1000", CORES), (str(CORES), CORES)])
def test_a_session_takes_as_many_threads_as_it_gets_cores(limit, threads):
    given = os.environ | {"CPU_LIMIT": limit, "OMP_NUM_THREADS": "7"}
    command = [ROOT / "binder" / "start", "bash", "-c", "echo $OMP_NUM_THREADS $MKL_NUM_THREADS"]
    run = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert (run.stdout.split(), run.stderr) == ([str(threads)] * 2, "")


@pytest.mark.skipif(sys.platform != "linux", reason="Binder's images are Linux")
def test_without_a_word_from_the_hub_the_container_decides():
    given = {name: value for name, value in os.environ.items() if name != "CPU_LIMIT"}
    command = [ROOT / "binder" / "start", "printenv", "OMP_NUM_THREADS"]
    run = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert 1 <= int(run.stdout) <= CORES
    assert run.stderr == ""


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_the_scripts_are_bash_and_may_run(script):
    path = ROOT / "binder" / script
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True)
