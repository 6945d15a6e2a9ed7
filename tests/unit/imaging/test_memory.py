import threading
from types import SimpleNamespace

import numpy as np
import pytest

from core.errors import OutOfMemory, UserError, lacks_memory
from core.imaging import memory
from core.imaging.display.saving import save_png_bytes
from core.imaging.reading.opening import read_micrograph
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
    monkeypatch.setattr(memory, "_group_limit", memory.resident_bytes)
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


def test_a_reservation_waits_for_the_one_before(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "resident_bytes", lambda: 800 * MB)
    order: list[str] = []
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with memory.reserved(100 * MB):
            order.append("second")

    with memory.reserved(100 * MB):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_two_small_reservations_hold_at_once(tight: None) -> None:
    with memory.reserved(10 * MB), memory.reserved(10 * MB):
        assert sum(memory._reserved) == 20 * MB
    assert not memory._reserved


def test_what_never_fits_is_refused_after_a_while_and_then_at_once(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PATIENCE_S", 0.2)
    monkeypatch.setattr(memory, "_LOOK_S", 0.01)
    monkeypatch.setattr(memory, "_in_vain", [-memory._IN_VAIN_S])
    looks: list[int] = []
    monkeypatch.setattr(memory, "resident_bytes", lambda: looks.append(1) or 900 * MB)
    with pytest.raises(OutOfMemory), memory.reserved(100 * MB):
        raise AssertionError("there was no room")
    waited, looks[:] = len(looks), []
    with pytest.raises(OutOfMemory), memory.reserved(100 * MB):
        raise AssertionError("there was no room")
    assert len(looks) < waited


def test_room_that_comes_while_waiting_is_taken(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_LOOK_S", 0.01)
    monkeypatch.setattr(memory, "_in_vain", [-memory._IN_VAIN_S])
    held = iter([900 * MB] * 4)
    monkeypatch.setattr(memory, "resident_bytes", lambda: next(held, 500 * MB))
    assert memory.wait_for_memory(100 * MB)
    assert next(held, None) is None


def test_frames_go_back_only_where_memory_is_limited(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[int, int]] = []
    library = SimpleNamespace(mallopt=lambda *given: called.append(given))
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: library)
    memory.give_frames_back()
    assert called == [(-3, 2 * MB)]
    monkeypatch.setattr(memory, "memory_limit", lambda: None)
    memory.give_frames_back()
    assert len(called) == 1


# --- what is lent to a process beside this one


def test_what_is_lent_counts_until_it_comes_back(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PATIENCE_S", 0.05)
    monkeypatch.setattr(memory, "_resident", lambda process: 0)
    with memory.lent(1, 30 * MB, 500 * MB) as more:
        assert more == 30 * MB
        with pytest.raises(OutOfMemory):
            memory.require_memory(30 * MB)
    memory.require_memory(30 * MB)
    assert not memory._lent


def test_all_that_is_free_can_be_lent_and_no_more(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_resident", lambda process: 0)
    with memory.lent(1, None, 500 * MB) as more:
        assert more == 40 * MB
    with memory.lent(1, None, 10 * MB) as more:
        assert more == 10 * MB
    with pytest.raises(OutOfMemory), memory.lent(1, 100 * MB, 500 * MB):
        pass


def test_what_the_process_has_taken_is_not_counted_twice(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [0]
    monkeypatch.setattr(memory, "_resident", lambda process: held[0])
    with memory.lent(1, 30 * MB, 500 * MB):
        held[0] = 30 * MB
        monkeypatch.setattr(memory, "resident_bytes", lambda: 905 * MB)
        memory.require_memory(30 * MB)


def test_a_page_waits_for_a_decoder_before_kept_results_are_dropped(
    tight: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[str] = []
    memory.on_shortage(lambda: dropped.append("results"))
    monkeypatch.setattr(memory, "_resident", lambda process: 0)
    entered, done = threading.Event(), threading.Event()

    def decode() -> None:
        with memory.lent(1, 30 * MB, 500 * MB):
            entered.set()
            done.wait(0.3)

    thread = threading.Thread(target=decode)
    thread.start()
    entered.wait()
    memory.require_memory(30 * MB)
    thread.join()
    assert dropped == []


def test_without_a_limit_the_most_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: None)
    with memory.lent(1, 1, 500 * MB) as more:
        assert more == 500 * MB
