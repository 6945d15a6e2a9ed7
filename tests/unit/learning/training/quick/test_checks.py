"""What is said before anything is learnt, and which picture to label next."""

import cv2
import numpy as np
import pytest

from core.learning.training.quick import (
    check_pictures,
    fingerprint,
    group_by_name,
    look,
    same_field,
    suggest_next,
    train_quickly,
)
from core.learning.training.quick.learning import as_pictures
from core.micrograph import Micrograph, PixelSize


def said(start, classes, groups=None) -> str:
    pictures = as_pictures(classes, groups)
    looks = look(start, [picture.micrograph for picture in pictures])
    return "\n".join(finding.text for finding in check_pictures(pictures, looks))


def test_good_pictures_have_little_said_of_them(start, textures):
    text = said(start, textures(6))
    assert "same field" not in text
    assert "originals" not in text


def test_few_and_single_originals_are_said(start, textures):
    pictures = textures(3)
    pictures["blobs"] = pictures["blobs"][:1]
    text = said(start, pictures)
    assert "All “blobs” frames come from one series or original" in text
    assert "“stripes” has 3 originals" in text


def test_a_field_in_two_classes_and_twice_in_one_is_named(start, textures):
    pictures = textures(5)
    copy = pictures["blobs"][0].pixels
    pictures["stripes"].append(Micrograph("elsewhere.png", copy))
    pictures["blobs"].append(Micrograph("again.png", copy[::2, ::2].copy()))
    text = said(start, pictures)
    assert "elsewhere.png (stripes)" in text
    assert "again.png" in text.partition("count as one original: ")[2]


def with_scale(pictures: list[Micrograph], nm: float) -> list[Micrograph]:
    return [Micrograph(p.name, p.pixels, PixelSize(nm, "nm")) for p in pictures]


def test_scales_that_do_not_overlap_are_said(start, textures):
    pictures = textures(5)
    apart = {
        "stripes": with_scale(pictures["stripes"], 1),
        "blobs": with_scale(pictures["blobs"], 9),
    }
    assert "magnification alone may tell them apart" in said(start, apart)
    same = {name: with_scale(own, 2) for name, own in pictures.items()}
    assert "magnification" not in said(start, same)
    half = {"stripes": with_scale(pictures["stripes"], 1), "blobs": pictures["blobs"]}
    assert "Only “stripes” frames state a scale" in said(start, half)


def test_traces_of_an_instrument_are_said(start, textures):
    pictures = textures(5)
    smaller = [Micrograph(p.name, p.pixels[:80, :80].copy()) for p in pictures["blobs"]]
    assert "one frame size (80 × 80 px)" in said(start, {**pictures, "blobs": smaller})
    deeper = [Micrograph(p.name, p.pixels.astype(np.uint16) * 200) for p in pictures["blobs"]]
    assert "bit depth (16-bit)" in said(start, {**pictures, "blobs": deeper})


def test_files_of_one_series_are_said_unless_they_are_one_group(start, textures):
    pictures = textures(5)
    assert "files are called “blobs …”" in said(start, pictures)
    groups = {"blobs": ["one"] * 5, "stripes": list("vwxyz")}
    assert "called “blobs …”" not in said(start, pictures, groups)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("steel_003.tif", "steel"),
        ("a/b/steel-12b.tif", "steel"),
        ("IMG 0007.png", "IMG"),
        ("0007.png", "0007"),
        ("steel", "steel"),
        ("800C-24H-Q-2.png", "800C-24H-Q"),
    ],
)
def test_a_series_is_the_name_without_its_number(name, group):
    assert group_by_name(name) == group


def test_copies_are_found_however_they_were_saved(textures):
    first, other = textures(2)["blobs"]
    rng = np.random.default_rng(0)
    jpeg = cv2.imdecode(cv2.imencode(".jpg", first.pixels, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 0)
    noisy = np.clip(first.pixels + rng.normal(0, 10, first.shape), 0, 255).astype(np.uint8)
    copies = [
        jpeg,
        noisy,
        255 - first.pixels,
        np.rot90(first.pixels),
        first.pixels[:, ::-1],
        cv2.resize(first.pixels, None, fx=2, fy=2),
        first.pixels.astype(np.float32) * 1e4,
    ]
    prints = [fingerprint(Micrograph("x", np.ascontiguousarray(p))) for p in copies]
    prints = np.stack([fingerprint(first), *prints, fingerprint(other)])
    found = {pair[1] for pair in same_field(prints) if pair[0] == 0}
    assert found == set(range(1, 8))


@pytest.mark.parametrize("pixels", [np.zeros((40, 50), np.uint8), np.full((9, 9), np.nan, "f4")])
def test_blank_pictures_are_like_nothing(pixels):
    prints = np.stack([fingerprint(Micrograph("x", pixels))] * 2)
    assert np.isfinite(prints).all()
    assert same_field(prints) == []


def test_what_is_doubtful_and_unlike_comes_first(start, textures):
    model = train_quickly(textures(5), start=start)
    fresh = textures(2, first=400)
    mixed = (fresh["stripes"][0].pixels // 2 + fresh["blobs"][0].pixels // 2).astype(np.uint8)
    pool = [*fresh["stripes"], Micrograph("mixed", mixed), *fresh["blobs"]]
    picked = suggest_next(model, pool, 3)
    assert len({place for place, _ in picked}) == 3
    assert all(0 <= doubt <= 1 for _, doubt in picked)
    assert suggest_next(model, [], 3) == []
