"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no fault of the code; the same tree must get the same verdict twice.
# `pytest --hypothesis-profile explore` draws new examples each time.
settings.register_profile("app", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("app")

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers that each take every core wait for each other, many times longer than they work.
    # It must be said before torch is imported; servers that tests start inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real micrographs; they are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("real micrographs (../shared/data) are not here")
    return SHARED
