"""Labelled folders as people keep them, and tables as spreadsheets write them."""

import codecs
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.learning.training.pictures import read_labelled_folders

NAMES = [f"{label}/{n}.png" for label in "AB" for n in range(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in NAMES:
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (8, 8), dtype=np.uint8))
    return tmp_path / "data"


def table(divider: str = ",", slash: str = "/", size: str = "1.5", end: str = "\r\n") -> str:
    rows = ["File,Group,PIXEL_SIZE_NM".replace(",", divider)]
    for name in NAMES:
        group = "g1" if int(name[2]) < 3 else "g2"
        cells = name.replace("/", slash), group, size
        rows.append(divider.join(f'"{cell}"' if divider in cell else cell for cell in cells))
    return end.join(rows) + end


@pytest.mark.parametrize(
    "data",
    [
        table().encode(),
        codecs.BOM_UTF8 + table().encode(),
        codecs.BOM_UTF8 + table(";", size="1,5").encode(),
        table(";", "\\", "1,5").encode("cp1252"),
        table("\t", "\\", "1,5").encode("utf-16"),
        table(size="1,5", end="\n").encode(),
        b"sep=;\r\n" + table(";", size="1,5").encode(),
        table().replace("A/", "data/A/").replace("B/", "./B/").encode(),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
def test_groups_and_scales_come_from_any_spreadsheet(
    folder: Path, data: bytes, beside: bool
) -> None:
    place = folder.parent if beside else folder
    (place / "labels.csv").write_bytes(data)
    pictures = read_labelled_folders([folder])
    assert {picture.group for picture in pictures} == {"g1", "g2"}
    assert {picture.pixel_size_nm for picture in pictures} == {1.5}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name_of_it,group\nA/0.png,g\n", "one of them “file”"),
        ("A/0.png,g1\nA/1.png,g2\n", "one of them “file”"),
        ("", "one of them “file”"),
        ("file,group\nA/0.png,g1\nA/99.png,g1\n", "line 3: there is no picture “A/99.png”"),
        ("file,group\n0.png,g1\n", "line 2: “0.png” names several pictures"),
        ("file,group\n,g1\n", "line 2: no file is named"),
        ("file,group\nA/0.png,g\n\nA/0.png,h\n", "line 4: “A/0.png” is there for the second"),
        ("file,pixel_size_nm\nA/0.png,wide\n", "line 2: the pixel size “wide”"),
        ("file,pixel_size_nm\nA/0.png,-1\n", "line 2: the pixel size “-1”"),
        ("file,pixel_size_nm\nA/0.png,nan\n", "line 2: the pixel size “nan”"),
    ],
)
def test_what_cannot_be_matched_is_said_with_its_line(folder: Path, text: str, said: str) -> None:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        read_labelled_folders([folder])


def test_a_short_line_leaves_the_rest_unsaid(folder: Path) -> None:
    (folder / "labels.csv").write_text("file,group,source\nA/0.png\nB/1.png,g\n")
    pictures = {picture.relative: picture for picture in read_labelled_folders([folder])}
    assert pictures["data/A/0.png"].source == pictures["data/B/1.png"].source == ""
    assert pictures["data/B/1.png"].group == "g"
    assert len({picture.group for picture in pictures.values()}) == 12


def test_a_name_alone_is_enough_where_it_is_the_only_one(folder: Path) -> None:
    (folder / "A" / "0.png").rename(folder / "A" / "only.png")
    (folder / "labels.csv").write_text("file,group\nonly.png,g\n")
    assert read_labelled_folders([folder])[5].group == "g"


def test_a_table_beside_several_folders_may_speak_of_one_that_is_not_used(folder: Path) -> None:
    (folder.parent / "test" / "A").mkdir(parents=True)
    rows = "file,group\ndata/A/0.png,g\ntest/A/9.png,h\n"
    (folder.parent / "labels.csv").write_text(rows)
    assert read_labelled_folders([folder])[0].group == "g"
    (folder.parent / "labels.csv").write_text(rows + "tset/A/9.png,h\n")
    with pytest.raises(UserError, match="line 4: there is no picture"):
        read_labelled_folders([folder])


def test_what_systems_leave_behind_is_neither_class_nor_picture(folder: Path) -> None:
    for name in (".ipynb_checkpoints/0-checkpoint.png", "__MACOSX/0.png", "A/Thumbs.db"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((folder / "A" / "0.png").read_bytes())
    (folder / "B" / "desktop.ini").write_text("[x]")
    (folder / "B" / "._0.png").write_bytes(b"\0")
    pictures = read_labelled_folders([folder])
    assert [picture.relative for picture in pictures] == [f"data/{name}" for name in NAMES]


def test_equal_pictures_join_the_groups_that_they_are_noted_in(folder: Path) -> None:
    """One picture under two groups, or noted once and once not, stood on both sides of a split."""
    for copy in ("A/1.png", "A/2.png"):
        (folder / copy).write_bytes((folder / "A" / "0.png").read_bytes())
    (folder / "labels.csv").write_text("file,group\nA/0.png,g\nA/1.png,h\nB/0.png,h\n")
    groups = {picture.relative: picture.group for picture in read_labelled_folders([folder])}
    joined = [groups[f"data/{name}"] for name in ("A/0.png", "A/1.png", "A/2.png", "B/0.png")]
    assert joined == ["g"] * 4
    assert len(set(groups.values())) == 9


@pytest.mark.parametrize("name", ["alloys | x", "a" * 121, "tab\there", os.fsdecode(b"no \xff")])
def test_names_of_classes_that_no_card_holds_are_refused_before_training(tmp_path, name):
    for number, label in enumerate((name, "other")):
        (tmp_path / label).mkdir()
        (tmp_path / label / "0.pgm").write_bytes(b"P5 2 1 255 a" + bytes([number]))
    with pytest.raises(UserError, match="rename the folder"):
        read_labelled_folders([tmp_path])
