"""Where the repository and its pages are, for the tests that read files; and how hypothesis draws its examples."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no clock: a slow machine is no failure.
settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=50)
settings.load_profile("book")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT
