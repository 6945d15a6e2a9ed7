"""Studies that somebody else made, or damaged: a sentence, and nothing is unpacked."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from core.errors import UserError
from core.micrograph import digest_pixels
from core.reporting.study import open_study, study_bytes
from core.reporting.study.package import parse
from core.reporting.study.versions import upgraded
from tests.unit.reporting.conftest import micrograph


@pytest.fixture(scope="module")
def good() -> bytes:
    return study_bytes(micrograph(0, "a.tif", nm=2.0))


def changed(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def with_study(data: bytes, **values: object) -> bytes:
    def change(files: dict[str, bytes]) -> None:
        files["study.json"] = json.dumps(json.loads(files["study.json"]) | values).encode()

    return changed(data, change)


def with_member(data: bytes, **values: object) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = json.loads(archive.read("study.json"))["micrographs"][0]
    return with_study(data, micrographs=[member | values])


HOSTILE = {
    "no zip": lambda good: b"GIF89a" + good,
    "cut short": lambda good: good[:-40],
    "empty": lambda good: b"",
    "another kind": lambda good: with_study(good, kind="micrographia-recipe"),
    "no version": lambda good: with_study(good, version="1"),
    "a newer version": lambda good: with_study(good, version=2),
    "members are no list": lambda good: with_study(good, micrographs={}),
    "too many members": lambda good: with_study(good, micrographs=[{}] * 2001),
    "a member is text": lambda good: with_study(good, micrographs=["a"]),
    "a recipe with a foreign field": lambda good: with_study(good, recipe={"run": "rm"}),
    "settings of numbers": lambda good: with_study(good, settings={"k": 4}),
    "a huge title": lambda good: with_study(good, title="x" * 30_000),
    "a file outside": lambda good: with_member(good, file="../../etc/passwd"),
    "a file that is not there": lambda good: with_member(good, file="micrographs/b.tif"),
    "a digest that is none": lambda good: with_member(good, sha256="../x"),
    "a pixel size below zero": lambda good: with_member(good, pixel_size=[-1.0, "nm"]),
    "a pixel size of no unit": lambda good: with_member(good, pixel_size=[1.0, "parsec"]),
    "a pixel size that is huge": lambda good: with_member(good, pixel_size=[10**400, "nm"]),
    "a shape below zero": lambda good: with_member(good, shape=[-1, 2]),
    "no study.json": lambda good: changed(good, lambda files: files.pop("study.json")),
    "study.json is no JSON": lambda good: changed(
        good, lambda files: files.update({"study.json": b"\xff{"})
    ),
    "nested": lambda good: changed(
        good, lambda files: files.update({"study.json": b"[" * 100_000 + b"]" * 100_000})
    ),
    "a path above": lambda good: changed(good, lambda files: files.update({"../x.tif": b"x"})),
    "an absolute path": lambda good: changed(good, lambda files: files.update({"/x.tif": b"x"})),
    "many files": lambda good: changed(
        good, lambda files: files.update({f"f{n}": b"" for n in range(10_100)})
    ),
    "rows of lists": lambda good: changed(
        good, lambda files: files.update({"results/rows.json": b'{"a": [[1]]}'})
    ),
    "rows of unequal length": lambda good: changed(
        good, lambda files: files.update({"results/rows.json": b'{"a": [1], "b": []}'})
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_study_is_refused_with_a_sentence(good, kind) -> None:
    with pytest.raises(UserError) as told:
        open_study(HOSTILE[kind](good))
    said = str(told.value)
    assert said.rstrip().endswith(".")
    assert len(said) < 400


def test_a_bomb_is_not_unpacked(good) -> None:
    bomb = changed(good, lambda files: files.update({"micrographs/b.tif": bytes(150_000_000)}))
    assert len(bomb) < 1_000_000
    with pytest.raises(UserError, match="times its size"):
        open_study(bomb)


def test_pixels_that_were_exchanged_are_noticed(good) -> None:
    other = study_bytes(micrograph(5, "a.tif", nm=2.0))
    with zipfile.ZipFile(io.BytesIO(other)) as archive:
        pixels = archive.read("micrographs/0001_a.tif")
    study = open_study(
        changed(good, lambda files: files.update({"micrographs/0001_a.tif": pixels}))
    )
    with pytest.raises(UserError, match="not those that were saved"):
        study.micrograph(study.members[0])


def test_links_in_a_folder_are_passed_over(good, tmp_path) -> None:
    zipfile.ZipFile(io.BytesIO(good)).extractall(tmp_path / "s")
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (tmp_path / "s" / "results.json").symlink_to(secret)
    (tmp_path / "s" / "study.json").rename(tmp_path / "own.json")
    (tmp_path / "s" / "study.json").symlink_to(tmp_path / "own.json")
    with pytest.raises(UserError, match=r"lacks its file 'study.json'"):
        open_study(tmp_path / "s")


def test_json_is_counted_before_it_is_parsed() -> None:
    with pytest.raises(UserError, match=r"more .* than a study can"):
        parse(b"[" + b"[]," * 500_000 + b"[]]", "x")
    with pytest.raises(UserError, match="no sound JSON"):
        parse(b'{"a": NaN}', "x")
    with pytest.raises(UserError, match="no sound JSON"):
        parse(b'{"a": 1, "a": 2}', "x")


def test_older_versions_are_made_new_step_by_step() -> None:
    steps = {
        1: lambda values: {**values, "micrographs": values["frames"]},
        2: lambda values: {**values, "note": "from 2"},
    }
    older = {"kind": "micrographia-study", "version": 1, "frames": [1]}
    values, version = upgraded(older, steps, newest=3)
    assert (version, values["version"]) == (1, 3)
    assert (values["micrographs"], values["note"]) == ([1], "from 2")
    assert older["version"] == 1


def test_a_first_version_still_opens() -> None:
    """What version 1 wrote, as it stands: later versions must read it, too."""
    first = {
        "kind": "micrographia-study",
        "version": 1,
        "micrographs": [{"name": "a.tif", "sha256": "ab" * 32, "sample": "S"}],
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("study.json", json.dumps(first))
    study = open_study(buffer.getvalue())
    assert (study.version, study.samples) == (1, {"S": 1})


def test_stated_digest_does_not_stand_for_the_pixels(good) -> None:
    study = open_study(with_member(good, sha256="cd" * 32))
    found = study.micrograph(study.members[0])
    assert found.sha256 == "cd" * 32  # as stated: pages must not trust it
    assert digest_pixels(found.pixels) == study.members[0].pixels_sha256
