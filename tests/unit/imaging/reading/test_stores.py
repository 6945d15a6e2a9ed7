"""HyperSpy's zarr stores: as one file, in a ZIP, as a dropped folder, on the disk."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading import read_micrograph
from core.imaging.reading.stores import pack_store, stores_among
from core.imaging.reading.uploads import Given, Refused, unpack
from core.micrograph import PixelSize
from core.reporting.batch import sources
from tests.small_files import zip_bytes, zspy_files

PIXELS = np.arange(7 * 9, dtype=np.uint16).reshape(7, 9)
zipped = zip_bytes


def store(**array: object) -> dict[str, bytes]:
    return zspy_files(PIXELS, **array)


def check(found: object) -> None:
    assert np.array_equal(found.pixels, PIXELS)
    assert found.pixel_size == PixelSize(2.5, "nm")
    assert found.metadata["format"] == "HyperSpy"


def test_one_file_is_read_with_its_scale():
    check(read_micrograph(zipped(store()), "map.zspy"))


@pytest.mark.parametrize("folder", ["map.zspy/", "deep/er/map.zspy/", "plain/"])
def test_a_packed_folder_is_one_micrograph_beside_others(folder: str):
    stream = io.BytesIO(zipped(store(), folder))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("a.pgm", b"P5 2 2 255 abcd")
    found = [one for one in unpack([("x.zip", stream.getvalue())]) if isinstance(one, Given)]
    assert [one.name for one in found] == [folder.rstrip("/").rsplit("/")[-1], "a.pgm"]
    check(found[0].read())


def test_a_dropped_folder_is_one_micrograph():
    files = [(f"map.zspy/{name}", data) for name, data in store().items()]
    found = list(unpack([*files, ("a.pgm", b"P5 2 2 255 abcd")]))
    assert [one.name for one in found] == ["map.zspy", "a.pgm"]
    check(found[0].read())


def test_a_folder_on_the_disk_is_read_and_is_one_source_of_a_batch(tmp_path: Path):
    for name, data in store().items():
        path = tmp_path / "in" / "map.zspy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    check(read_micrograph(tmp_path / "in" / "map.zspy"))
    for given in (tmp_path / "in", tmp_path / "in" / "map.zspy"):
        (one,) = sources.list_sources(given)
        check(one.read())


def test_however_it_was_packed_it_is_the_same_micrograph():
    (found,) = unpack([("x.zip", zipped(store(), "map.zspy/"))])
    (again,) = unpack([(f"map.zspy/{name}", data) for name, data in store().items()])
    assert found.read().sha256 == again.read().sha256


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (store(compressor={"id": "pickle"}), "packed in a way"),
        (store(filters=[{"id": "pickle"}], dtype="|O"), "packed in a way"),
        (store(filters=["pickle"]), "packed in a way"),
        (store(chunks=[10**6, 10**6]), "parts too large"),
        (store(chunks="many"), "damaged"),
        ({".zgroup": b"{}", "Experiments/a/data/.zarray": b"[" * 100_000}, "damaged"),
        ({".zgroup": b"{}", "labels/0/.zarray": b"{}"}, "not written by HyperSpy"),
        ({"zarr.json": b"{}", "Experiments/a/zarr.json": b"{}"}, "version 3"),
        ({".zgroup": b"{}", "Experiments/a/.zgroup": b"{}"}, "export"),
    ],
)
def test_what_is_hostile_or_unknown_is_refused_in_a_sentence(files: dict[str, bytes], why: str):
    with pytest.raises(UnreadableMicrograph, match=why):
        read_micrograph(zipped(files), "map.zspy")


def test_a_store_without_its_description_is_refused():
    (found,) = unpack([("map.zspy/Experiments/a/data/0.0", b"1")])
    assert isinstance(found, Refused)
    assert "whole folder" in str(found.error)
    with pytest.raises(UnreadableMicrograph, match="whole folder"):
        pack_store([("a", b"")])


def test_parts_belong_to_the_outermost_store():
    paths = ["s/.zgroup", "s/a/.zgroup", "s/a/0", "b.zarr\\0\\1", "c/picture.png", "c/.zattrs2"]
    assert stores_among(paths) == {
        "s/.zgroup": "s",
        "s/a/.zgroup": "s",
        "s/a/0": "s",
        "b.zarr\\0\\1": "b.zarr",
    }
