"""A ZIP's names are labels; bombs are refused before they are unpacked."""

import io
import struct
import warnings
import zipfile

import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading import archive, limits
from core.imaging.reading.archive import is_archive, read_archive
from core.imaging.reading.opening import read_micrograph


def zip_bytes(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", compression) as packed:
        warnings.simplefilter("ignore")
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def read(data: bytes) -> list[tuple[str, bytes]]:
    return list(read_archive(data, "set.zip"))


def test_files_come_with_their_labels() -> None:
    data = zip_bytes({"a.tif": b"one", "day 2/b.png": b"two"})
    assert is_archive(data)
    assert read(data) == [("a.tif", b"one"), ("b.png", b"two")]


def test_labels_are_never_paths() -> None:
    names = ["../../etc/passwd", "/abs/x.tif", "..\\w.tif", "C:\\dir\\v.tif"]
    labels = [label for label, _ in read(zip_bytes(dict.fromkeys(names, b"1")))]
    assert labels == ["passwd", "x.tif", "w.tif", "v.tif"]


def test_same_name_twice_gets_a_number() -> None:
    data = zip_bytes({"a/x.tif": b"1", "b/x.tif": b"2"})
    assert [label for label, _ in read(data)] == ["x.tif", "x (2).tif"]


def test_folders_hidden_files_and_macos_extras_are_left_out() -> None:
    data = zip_bytes({"d/": b"", "__MACOSX/._x.tif": b"1", ".DS_Store": b"1", "x.tif": b"2"})
    assert read(data) == [("x.tif", b"2")]


def test_archives_within_are_not_opened() -> None:
    inner = zip_bytes({"x.tif": b"1"})
    assert read(zip_bytes({"inner.zip": inner})) == [("inner.zip", inner)]
    with pytest.raises(UnreadableMicrograph, match="is an archive"):
        read_micrograph(inner)


def refused(data: bytes, match: str) -> None:
    with pytest.raises(UnreadableMicrograph, match=match) as raised:
        read(data)
    assert str(raised.value).endswith(".")


def test_what_is_no_archive_is_refused() -> None:
    for data in (b"PK\3\4", b"PK\3\4" + bytes(200), b"text", zip_bytes({"a": b"1"})[:-10]):
        refused(data, "cut short or damaged")


def test_empty_archive_is_refused() -> None:
    refused(zip_bytes({}), "no files")
    refused(zip_bytes({".hidden": b"1"}), "no files")


def test_too_many_files_are_refused() -> None:
    refused(zip_bytes({str(i): b"" for i in range(limits.MAX_ARCHIVE_ENTRIES + 1)}), "2001 files")


def test_bomb_by_ratio_is_refused() -> None:
    refused(zip_bytes({"zeros": bytes(60_000_000)}), "times its size")


def test_bomb_by_total_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ARCHIVE_MB", 1)
    refused(zip_bytes({"a": bytes(600_000), "b": bytes(600_000)}), "1 MB unpacked")


def test_one_oversized_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILE_MB", 1)
    refused(zip_bytes({"a": bytes(1_500_000)}), "export it below 1 MB")


def test_archive_that_lies_about_its_sizes_is_refused() -> None:
    data = bytearray(zip_bytes({"a": b"0" * 5000}))
    entry = data.rfind(b"PK\1\2")
    struct.pack_into("<I", data, entry + 24, 10)  # announces 10 bytes
    refused(bytes(data), "cut short or damaged")


def test_encrypted_archive_is_refused() -> None:
    data = bytearray(zip_bytes({"a": b"1234"}))
    data[data.rfind(b"PK\1\2") + 8] |= 1
    refused(bytes(data), "without a password")


def test_damaged_content_is_refused() -> None:
    data = bytearray(zip_bytes({"a": bytes(range(256)) * 20}, zipfile.ZIP_STORED))
    data[200] ^= 255
    refused(bytes(data), "cut short or damaged")
