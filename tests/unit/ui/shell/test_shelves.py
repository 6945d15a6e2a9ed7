import gc
from dataclasses import dataclass

import numpy as np
import pytest

from core.errors import UserError
from core.micrograph import Micrograph
from core.ui.shell import shelves
from core.ui.shell.work.shelves import Shelf, make_room

KB = 1024


@dataclass
class Kept:
    bytes_held: int


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with room for 100 kB and nobody on it."""
    monkeypatch.setattr(shelves, "_shelves", type(shelves._shelves)())
    monkeypatch.setattr(shelves, "budget_bytes", lambda: 100 * KB)


def shelf(kilobytes: int, away_s: float = 0.0, name: str = "a") -> Shelf[Kept]:
    made: Shelf[Kept] = Shelf()
    pixels = np.zeros((kilobytes, KB), np.uint8)
    made[name] = Micrograph(name, pixels)
    made.used_s -= away_s
    return made


def test_who_has_been_away_longest_makes_room() -> None:
    longest, shorter = shelf(40, 2000, "old.tif"), shelf(40, 1000, "newer.tif")
    make_room(Shelf(), 50 * KB)
    assert longest.evicted == ["old.tif"]
    assert not longest
    assert list(shorter) == ["newer.tif"]


def test_nobody_at_work_loses_anything() -> None:
    at_work, mine = shelf(60, away_s=60), Shelf()
    with pytest.raises(UserError, match="other visitors fill this server's memory"):
        make_room(mine, 50 * KB)
    assert list(at_work) == ["a"]


def test_nothing_is_taken_when_it_would_not_suffice() -> None:
    idle, at_work = shelf(20, 2000), shelf(60)
    with pytest.raises(UserError):
        make_room(Shelf(), 50 * KB)
    assert idle
    assert at_work


def test_files_kept_for_their_frames_count_and_go_too() -> None:
    idle, at_work = shelf(10, 2000), shelf(30)
    idle.files["a"] = Kept(50 * KB)
    make_room(Shelf(), 30 * KB)
    assert not idle.files
    assert at_work


def test_uploads_that_wait_count() -> None:
    at_work = shelf(10)
    at_work.beside["uploads"] = 80 * KB
    with pytest.raises(UserError):
        make_room(Shelf(), 20 * KB)


def test_a_shelf_goes_with_its_session() -> None:
    gone = shelf(90)
    del gone
    gc.collect()
    make_room(Shelf(), 90 * KB)


def test_one_never_makes_room_for_oneself() -> None:
    mine = shelf(90, away_s=5000)
    with pytest.raises(UserError):
        make_room(mine, 20 * KB)
    assert mine
