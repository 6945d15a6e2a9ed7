"""What else a row depends on: settings files, corrections, where a copy lies, a flat field."""

import hashlib
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import UserError
from core.imaging.filtering import Step
from core.imaging.overlays import OverlayChoice, with_overlay_choice
from core.micrograph import PixelSize
from core.reporting.batch.sources import Source, list_sources
from tests.unit.reporting.conftest import micrograph, png


def settings(nm: float) -> str:
    return f"[SemImageFile]\r\nPixelSize={nm}\r\n"


def test_a_corrected_settings_file_is_seen_on_resume(run, tmp_path):
    picture, text = tmp_path / "a.png", tmp_path / "a.txt"
    picture.write_bytes(png(0))
    text.write_text(settings(2.5))
    assert run([picture]).rows["pixel_size_nm"].tolist() == [2.5]
    assert run([picture], resume=True).times["resumed_behind"] == 1
    text.write_text(settings(10.0))
    os.utime(text, ns=(1, 1))
    again = run([picture], resume=True)
    assert again.rows["pixel_size_nm"].tolist() == [10.0]
    text.unlink()
    assert run([picture], resume=True).rows["pixel_size_nm"].isna().all()


def test_settings_of_uploads_and_archives_are_part_of_their_stamp():
    stamps = {
        list_sources([("a.png", png(0)), ("a.txt", settings(nm).encode())])[0].stamp()
        for nm in (1, 2)
    }
    assert len(stamps) == 2


@pytest.mark.parametrize("suffix", ["ser", "emi"])
def test_the_other_half_of_a_ser_is_part_of_its_stamp(tmp_path, suffix):
    (tmp_path / "x.emi").write_bytes(b"one")
    (tmp_path / "x_1.ser").write_bytes(b"two")
    name, other = ("x_1.ser", "x.emi") if suffix == "ser" else ("x.emi", "x_1.ser")
    source = Source(name, tmp_path / name)
    before = source.stamp()
    (tmp_path / other).write_bytes(b"longer than before")
    assert source.stamp() != before


@pytest.mark.parametrize("other", ["a-png.hdr", "a.hdr", "a.png.txt", "a.TXT"])
def test_settings_under_every_name_they_may_have_are_part_of_the_stamp(tmp_path, other):
    (tmp_path / "a.png").write_bytes(png(0))
    source = Source("a.png", tmp_path / "a.png")
    before = source.stamp()
    (tmp_path / other).write_text("settings")
    assert source.stamp() != before


def test_corrections_and_pixel_sizes_set_by_hand_are_part_of_key_and_stamp():
    plain = micrograph(0)
    changed = [
        with_overlay_choice(plain, OverlayChoice(bottom_rows=20)),
        with_overlay_choice(plain, OverlayChoice(enabled=False)),
        replace(plain, pixel_size=PixelSize(3, "nm")),
    ]
    every = [plain, *changed]
    assert len({each.key for each in every}) == 4
    assert len({Source("x", each).stamp() for each in every}) == 4
    assert with_overlay_choice(changed[0], OverlayChoice()).key == plain.key


def test_a_corrected_micrograph_is_done_again_on_resume(run, recipe):
    asked = replace(recipe, exclude_overlays=True)
    run([micrograph(0)], recipe=asked)
    corrected = with_overlay_choice(micrograph(0), OverlayChoice(bottom_rows=24))
    again = run([corrected], recipe=asked, resume=True)
    assert again.times["resumed_behind"] == 0
    assert again.rows["excluded_percent"].tolist() == [25.0]  # 24 of 96 rows


@pytest.mark.parametrize("resumed", [False, True])
def test_a_copy_keeps_its_own_sample_and_class(run, recipe, tmp_path, resumed):
    for place in ("alloys", "spheroids"):
        (tmp_path / "in" / place).mkdir(parents=True)
        (tmp_path / "in" / place / "x.png").write_bytes(png(0))
    asked = replace(recipe, sample_from="folder", label_from="folder")
    result = run([tmp_path / "in"], recipe=asked)
    if resumed:
        result = run([tmp_path / "in"], recipe=asked, resume=True)
        assert result.times["resumed_behind"] == 2
    rows = result.rows
    assert rows["duplicate_of"].tolist() == [pd.NA, 1]
    for column in ("sample", "stated_label", "true_label"):
        assert rows[column].tolist() == ["alloys", "spheroids"]
    assert rows["label"].nunique() == 1


@pytest.fixture
def flat() -> bytes:
    import cv2

    picture = np.tile(np.linspace(100, 200, 128), (96, 1)).astype(np.uint8)
    return cv2.imencode(".png", picture)[1].tobytes()


def image_parameter(name: str) -> str:
    from core.imaging.filtering import FILTERS

    return next(p.name for p in FILTERS[name].parameters if p.kind == "image")


def with_other(recipe, name: str, digest: str):
    return replace(recipe, filters=(Step(name, {image_parameter(name): digest}),))


NEEDY = ("flat_field", "match_histogram")


@pytest.mark.parametrize("name", NEEDY)
@pytest.mark.parametrize("kind", ["path", "upload", "micrograph"])
def test_filters_find_their_other_micrograph_in_the_batch(run, recipe, tmp_path, flat, name, kind):
    from core.imaging.reading import read_micrograph

    digest = hashlib.sha256(flat).hexdigest()
    contents = {"flat.png": flat, "a.png": png(0)}
    for each, data in contents.items():
        (tmp_path / each).write_bytes(data)
    given = {
        "path": [tmp_path / each for each in contents],
        "upload": list(contents.items()),
        "micrograph": [read_micrograph(data, each) for each, data in contents.items()],
    }[kind]
    result = run(given, recipe=with_other(recipe, name, digest))
    assert result.rows["status"].tolist()[1] == "ok"
    beside = run(given[1:], tmp_path / "beside", with_other(recipe, name, digest), others=given[:1])
    assert beside.rows["name"].tolist() == ["a.png"]
    assert beside.rows["target_percent"].tolist() == result.rows["target_percent"].tolist()[1:]


@pytest.mark.parametrize("digest", ["", "ab" * 32])
def test_a_missing_other_micrograph_is_one_sentence_before_anything_starts(
    run, recipe, tmp_path, digest
):
    with pytest.raises(UserError, match=r"Step 1 of the filters, .+, needs another micrograph"):
        run([micrograph(0)], tmp_path / "out", with_other(recipe, "flat_field", digest))
    assert not (tmp_path / "out").exists()


def test_an_other_micrograph_that_cannot_be_read_is_named(run, recipe, tmp_path):
    broken = tmp_path / "flat.png"
    broken.write_bytes(b"no picture")
    digest = hashlib.sha256(b"no picture").hexdigest()
    with pytest.raises(UserError, match=r"flat\.png, which cannot be read"):
        run([micrograph(0)], recipe=with_other(recipe, "flat_field", digest), others=[broken])


def test_a_step_without_others_opens_no_file(recipe):
    from core.reporting.batch.others import find_others

    class Untouched:
        def digest(self) -> str:
            raise AssertionError

    asked = replace(recipe, filters=(Step("gaussian"),))
    assert find_others(asked, (), [Untouched()]) == {}
