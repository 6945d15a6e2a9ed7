import numpy as np
import pytest

from core.errors import OutOfMemory, UserError, lacks_memory
from core.imaging import memory
from core.imaging.reading import read_micrograph
from core.imaging.saving import save_png_bytes
from core.micrograph import Micrograph

MB = 2**20


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow hardly more than what is there."""
    monkeypatch.setattr(memory, "resident_bytes", lambda: 900 * MB)
    monkeypatch.setenv(memory.LIMIT_ENV, "1000")
    monkeypatch.setattr(memory, "_relief", [])


def test_what_fits_is_allowed(tight: None) -> None:
    memory.require_memory(30 * MB)


def test_what_does_not_fit_is_refused_in_a_sentence(tight: None) -> None:
    with pytest.raises(OutOfMemory, match="not enough memory for this just now"):
        memory.require_memory(100 * MB)


def test_kept_results_go_before_anything_is_refused(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.on_shortage(lambda: monkeypatch.setattr(memory, "resident_bytes", lambda: 100 * MB))
    memory.require_memory(100 * MB)


def test_without_a_limit_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(memory.LIMIT_ENV, raising=False)
    monkeypatch.setattr(memory, "_group_limit", lambda: None)
    memory.require_memory(1 << 60)


def test_the_variable_goes_before_the_control_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_group_limit", lambda: 5 * MB)
    monkeypatch.setenv(memory.LIMIT_ENV, "7")
    assert memory.memory_limit() == 7 * MB
    monkeypatch.setenv(memory.LIMIT_ENV, "plenty")
    assert memory.memory_limit() == 5 * MB


def test_resident_memory_grows_with_what_is_held() -> None:
    before = memory.resident_bytes()
    if not before:
        pytest.skip("this system does not tell")
    held = np.ones(64 * MB, np.uint8)
    assert memory.resident_bytes() - before > 32 * MB
    assert held.size


def test_a_frame_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    png = save_png_bytes(Micrograph("a", np.zeros((64, 64), np.uint8)))
    monkeypatch.setattr(memory, "_group_limit", lambda: memory.resident_bytes())
    monkeypatch.setattr(memory, "_relief", [])
    with pytest.raises(UserError, match="not enough memory"):
        read_micrograph(png, "a.png")


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (MemoryError(), True),
        (OutOfMemory(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("size mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_shortage_is_told_from_other_failures(error: Exception, short: bool) -> None:
    assert lacks_memory(error) is short
