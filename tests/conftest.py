"""Fixtures that every room's tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real micrographs; they are not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("real micrographs (../shared/data) are not here")
    return SHARED
