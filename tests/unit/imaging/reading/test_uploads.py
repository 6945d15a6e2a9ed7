"""Files, folders and archives given at once."""

import io
import zipfile

import cv2
import numpy as np

from core.errors import UnreadableMicrograph
from core.imaging.reading.uploads import Given, Refused, count, leave_out_companions, unpack


def png(level: int = 7) -> bytes:
    return cv2.imencode(".png", np.full((8, 9), level, np.uint8))[1].tobytes()


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return buffer.getvalue()


def names(files: list[tuple[str, bytes]]) -> list[str]:
    return [item.name for item in unpack(files)]


def test_plain_files_come_in_the_order_given():
    assert names([("b.png", png()), ("a.png", png())]) == ["b.png", "a.png"]


def test_settings_of_a_series_are_not_a_micrograph_but_travel_with_it():
    files = [("x.emi", b"settings"), ("x_1.ser", b"series"), ("y_1.ser", b"other")]
    given = list(unpack(files))
    assert [item.name for item in given] == ["x_1.ser", "y_1.ser"]
    assert set(given[0].companions) == {"x.emi"}
    assert not given[1].companions


def test_settings_without_their_series_are_given_on_their_own():
    assert names([("x.emi", b"settings")]) == ["x.emi"]


def test_text_beside_a_picture_travels_and_other_text_is_given():
    given = list(unpack([("a.tif", b"II"), ("a.txt", b"[Settings]"), ("notes.txt", b"hello")]))
    assert [item.name for item in given] == ["a.tif", "notes.txt"]
    assert given[0].companions == {"a.txt": b"[Settings]"}


def test_companions_of_another_folder_stay_there():
    files = [("p/a.tif", b"II"), ("q/a.txt", b"[Settings]"), ("q/a.tif", b"II")]
    first, second = unpack(files)
    assert not first.companions
    assert second.companions == {"q/a.txt": b"[Settings]"}


def test_hidden_files_of_a_folder_are_left_out():
    assert names([("run/.DS_Store", b"x"), ("run/a.png", png()), ("run/.git/b.png", png())]) == [
        "run/a.png"
    ]


def test_archive_stands_for_its_files():
    data = packed(a__png=png(1), b__png=png(2), a__txt=b"[Settings]")
    given = [item for item in unpack([("all.zip", data)]) if isinstance(item, Given)]
    assert [item.name for item in given] == ["a.png", "b.png"]
    assert given[0].companions == {"a.txt": b"[Settings]"}
    assert given[1].read().pixels[0, 0] == 2
    assert count([("all.zip", data), ("c.png", png())]) == 4


def test_broken_archive_is_refused_and_the_rest_goes_on():
    files = [("all.zip", b"PK\x03\x04 and no more"), ("a.png", png())]
    refused, given = unpack(files)
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, UnreadableMicrograph)
    assert given.name == "a.png"
    assert count(files) == 2


def test_bytes_held_count_companions():
    (given,) = unpack([("a.tif", b"1234"), ("a.txt", b"56")])
    assert isinstance(given, Given)
    assert given.bytes_held == 6


def test_leaving_out_keeps_names_as_they_are():
    assert leave_out_companions(["A.EMI", "a_1.SER", "B.TIF", "b.TXT"]) == ["a_1.SER", "B.TIF"]


def hitachi(nm: float) -> bytes:
    return f"[SemImageFile]\r\nDataSize=9x8\r\nPixelSize={nm}\r\n".encode()


def sizes(files: list[tuple[str, bytes]]) -> dict[str, float | None]:
    found = {}
    for item in unpack(files):
        assert isinstance(item, Given)
        size = item.read().pixel_size
        found[item.name] = None if size is None else size.to("nm")
    return found


def test_settings_in_an_archive_belong_to_their_folder_only():
    files = {"A/img__png": png(1), "A/img__txt": hitachi(1), "B/img__png": png(2)}
    both = files | {"B/img__txt": hitachi(50)}
    assert sizes([("x.zip", packed(**both))]) == {"img.png": 1, "img (2).png": 50}
    assert sizes([("x.zip", packed(**files))]) == {"img.png": 1, "img (2).png": None}


def test_settings_in_a_folder_below_or_of_a_longer_name_are_not_used():
    below = [("s1.png", png()), ("s1/other/s1.txt", hitachi(7))]
    given = [item for item in unpack(below) if item.name == "s1.png"]
    assert not given[0].companions
    longer = [("s1.png", png()), ("s1 b.txt", hitachi(7))]
    assert not next(iter(unpack(longer))).companions


def test_labels_never_collide():
    data = packed(**{"a/i__png": png(1), "b/i__png": png(2), "c/i (2)__png": png(3)})
    assert names([("x.zip", data)]) == ["i.png", "i (2).png", "i (2) (2).png"]


def test_a_header_of_tescan_travels_with_its_picture():
    text = b"[MAIN]\r\nPixelSizeX=1e-8\r\nPixelSizeY=1e-8\r\n"
    assert sizes([("a.png", png()), ("a-png.hdr", text)]) == {"a.png": 10}


def test_a_series_in_an_archive_keeps_its_settings_whatever_its_label():
    data = packed(p__emi=b"1", p_1__ser=b"2", **{"q/p__emi": b"3", "q/p_1__ser": b"4"})
    given = [item for item in unpack([("x.zip", data)]) if isinstance(item, Given)]
    assert [item.name for item in given] == ["p_1.ser", "p_1 (2).ser"]
    assert [list(item.companions.values()) for item in given] == [[b"1"], [b"3"]]
