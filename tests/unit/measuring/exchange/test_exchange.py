"""Regions to the files of other programs and back."""

import io
import json
import struct
import time
import zipfile

import numpy as np
import pytest
import roifile
import tifffile

from core.errors import UserError
from core.measuring.exchange import (
    coco_json,
    fill_rings,
    geojson_bytes,
    labels_tiff,
    read_labels,
    read_rois,
    rois_zip,
    trace_labels,
)
from core.measuring.exchange.coco import run_lengths
from core.measuring.regions import label_regions, measure_labels

rng = np.random.default_rng(5)
NOISE = label_regions(rng.random((60, 83)) < 0.45)
FINE = label_regions(rng.random((41, 50)) < 0.7, connectivity=4)
RING = np.zeros((20, 24), np.int32)
RING[2:15, 3:20], RING[5:9, 6:10], RING[9:12, 10:14], RING[6:8, 7:9] = 1, 0, 0, 2
TOUCHING = np.kron(np.arange(1, 13, dtype=np.int32).reshape(3, 4), np.ones((5, 7), np.int32))
CASES = {"noise": NOISE, "fine": FINE, "ring": RING, "touching": TOUCHING}


@pytest.fixture(params=CASES)
def labels(request: pytest.FixtureRequest) -> np.ndarray:
    return CASES[request.param]


def by_rings(labels: np.ndarray) -> np.ndarray:
    found = np.zeros_like(labels)
    for outline in trace_labels(labels):
        rows, cols, inside = fill_rings(outline.rings, labels.shape)
        assert not found[rows, cols][inside].any()
        found[rows, cols][inside] = outline.label
    return found


def test_outlines_hold_exactly_their_pixels(labels: np.ndarray) -> None:
    np.testing.assert_array_equal(by_rings(labels), labels)


def test_no_ring_meets_itself_and_holes_turn_the_other_way(labels: np.ndarray) -> None:
    for outline in trace_labels(labels):
        for polygon in outline.polygons:
            for place, ring in enumerate(polygon):
                assert len(np.unique(ring, axis=0)) == len(ring) >= 4
                x, y = ring.T.astype(float)
                area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
                assert area > 0 if place == 0 else area < 0


def test_a_hole_belongs_to_the_part_around_it() -> None:
    (around, within) = trace_labels(RING)
    assert [len(polygon) for polygon in around.polygons] == [3]  # holes meet in a corner only
    assert within.is_simple


def test_rois_come_back_as_they_went(labels: np.ndarray) -> None:
    back = read_rois(rois_zip(labels), labels.shape)
    np.testing.assert_array_equal(back.labels, labels)
    assert back.names == tuple(str(n) for n in range(1, labels.max() + 1))
    assert back.notes == ()


def test_the_same_labels_give_the_same_bytes() -> None:
    assert rois_zip(RING) == rois_zip(RING)


def test_a_simple_roi_has_corners_on_pixel_edges_as_imagej_traces_them() -> None:
    labels = np.zeros((9, 12), np.int32)
    labels[2:5, 3:10] = 1
    with zipfile.ZipFile(io.BytesIO(rois_zip(labels, ["grain"]))) as packed:
        roi = roifile.ImagejRoi.frombytes(packed.read(packed.namelist()[0]))
    assert (roi.left, roi.top, roi.right, roi.bottom) == (3, 2, 10, 5)
    assert {tuple(p) for p in roi.coordinates().tolist()} == {(3, 2), (10, 2), (10, 5), (3, 5)}
    assert roi.roitype == roifile.ROI_TYPE.TRACED
    assert roi.name == "grain"


def test_far_corners_are_kept() -> None:
    labels = np.zeros((3, 40_000), np.int32)
    labels[1, 39_990:39_995] = 1
    np.testing.assert_array_equal(read_rois(rois_zip(labels), labels.shape).labels, labels)


def packed(*rois: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for number, roi in enumerate(rois):
            target.writestr(f"{number}.roi", roi)
    return buffer.getvalue()


def made(kind: str, box: tuple[int, int, int, int], **values: object) -> bytes:
    left, top, right, bottom = box
    roi = roifile.ImagejRoi(roitype=roifile.ROI_TYPE[kind], name=kind.lower(), **values)
    roi.left, roi.top, roi.right, roi.bottom = left, top, right, bottom
    return roi.tobytes()


def test_boxes_and_ovals_are_read_and_lines_left_out() -> None:
    rect, oval = made("RECT", (2, 1, 8, 5)), made("OVAL", (20, 10, 40, 50))
    line = made("LINE", (0, 0, 3, 3))
    found = read_rois(packed(rect, line, oval), (60, 50))
    assert found.names == ("rect", "oval")
    assert np.count_nonzero(found.labels == 1) == 24
    assert np.count_nonzero(found.labels == 2) == pytest.approx(np.pi * 10 * 20, rel=0.01)
    assert found.notes == ("Lines, points and text were left out: 1.",)


def test_the_first_of_overlapping_rois_keeps_the_pixels_and_it_is_said() -> None:
    found = read_rois(
        packed(
            made("RECT", (0, 0, 4, 4)), made("RECT", (2, 2, 6, 6)), made("RECT", (90, 90, 95, 95))
        ),
        (10, 10),
    )
    assert [np.count_nonzero(found.labels == n) for n in (1, 2)] == [16, 12]
    assert len(found.notes) == 2


def test_a_single_roi_is_read() -> None:
    assert np.count_nonzero(read_rois(made("RECT", (2, 1, 8, 5)), (9, 9)).labels) == 24


def test_curves_of_composite_rois_become_chords() -> None:
    k = 4 * (np.sqrt(2) - 1) / 3 * 10
    path = [0, 30, 20, 3, 30, 20 + k, 20 + k, 30, 20, 30, 3, 20 - k, 30, 10, 20 + k, 10, 20]
    path += [3, 10, 20 - k, 20 - k, 10, 20, 10, 3, 20 + k, 10, 30, 20 - k, 30, 20, 4]
    values = np.array(path, np.float32)
    roi = made("RECT", (10, 10, 30, 30), multi_coordinates=values, shape_roi_size=values.size)
    assert np.count_nonzero(read_rois(roi, (40, 40)).labels) == pytest.approx(np.pi * 100, rel=0.02)


HOSTILE = {
    "empty": b"",
    "no ROI": b"hello" * 30,
    "cut short": made("RECT", (2, 1, 8, 5))[:40],
    "archive cut short": rois_zip(RING)[:-30],
    "archive without ROIs": packed()[:0] + b"PK\5\6" + bytes(18),
    "more corners than bytes": struct.pack(
        ">4shBxhhhhH16xhi4s4shhBBhii",
        *(b"Iout", 227, 7, 0, 0, 9, 9, 65_535, 0, 0, b"", b"", 0, 0, 0, 0, 0, 0, 0),
    ),
    "outside": made("RECT", (500, 500, 508, 508)),
    "negative path": made(
        "RECT", (0, 0, 9, 9), multi_coordinates=np.full(9, 7, np.float32), shape_roi_size=9
    ),
    "not finite": made(
        "RECT",
        (0, 0, 9, 9),
        multi_coordinates=np.array([0, 1, 1, 1, np.nan, 2, 1, 3, 3, 4], np.float32),
        shape_roi_size=10,
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_holds_no_region_is_refused_in_a_sentence(case: str) -> None:
    with pytest.raises(UserError, match=r"[.]$"):
        read_rois(HOSTILE[case], (40, 40), "set.zip")


def test_corners_beyond_all_bounds_take_no_memory() -> None:
    path = np.array([0, -3e38, -3e38, 1, 3e38, -3e38, 1, 3e38, 3e38, 1, -3e38, 3e38, 4], np.float32)
    roi = made("RECT", (0, 0, 9, 9), multi_coordinates=path, shape_roi_size=path.size)
    assert read_rois(roi, (30, 40)).labels.all()


def test_outlines_that_would_take_hours_are_refused_at_once() -> None:
    high, low = np.tile([[0.0, 0.0], [9000.0, 9000.0]], (30_000, 1)), made("RECT", (0, 0, 9, 9))
    wild = roifile.ImagejRoi.frompoints(high, name="wild").tobytes()
    start = time.perf_counter()
    with pytest.raises(UserError, match="reasonable time"):
        read_rois(packed(*[wild] * 8, low), (9000, 9000))
    assert time.perf_counter() - start < 5


def test_many_files_of_one_name_are_listed_quickly() -> None:
    buffer, roi = io.BytesIO(), made("LINE", (0, 0, 3, 3))
    with zipfile.ZipFile(buffer, "w") as target:
        for number in range(6000):
            target.writestr(f"{number}/same.roi", roi)
    start = time.perf_counter()
    with pytest.raises(UserError, match="No region"):
        read_rois(buffer.getvalue(), (9, 9))
    assert time.perf_counter() - start < 10


def test_label_tiffs_come_back(labels: np.ndarray) -> None:
    back = read_labels(labels_tiff(labels), labels.shape)
    np.testing.assert_array_equal(back.labels, labels)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int32, np.uint32, np.float32])
def test_labels_of_every_depth_are_read_and_numbered_without_gaps(kind: type) -> None:
    given = np.zeros((20, 30), kind)
    given[2:5, 3:9], given[8:12, 3:9] = 7, 200
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, given)
    found = read_labels(buffer.getvalue(), (20, 30))
    assert found.names == ("7", "200")
    np.testing.assert_array_equal(found.labels, np.searchsorted([0, 7, 200], given))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8), 0.5, np.float32), "whole"),
        (np.full((8, 8), -1, np.int16), "negative"),
        (np.ones((8, 9), np.uint8), "pixels"),
    ],
)
def test_other_pictures_are_no_labels(values: np.ndarray, words: str) -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values)
    with pytest.raises(UserError, match=words):
        read_labels(buffer.getvalue(), (8, 8))


def test_geojson_holds_the_pixels_and_the_measurements(labels: np.ndarray) -> None:
    table = measure_labels(labels)
    whole = json.loads(geojson_bytes(labels, table, phase="α"))
    found = np.zeros_like(labels)
    for feature, area in zip(whole["features"], table["area_px"], strict=True):
        kind, polygons = feature["geometry"]["type"], feature["geometry"]["coordinates"]
        rings = polygons if kind == "Polygon" else [r for p in polygons for r in p]
        assert all(ring[0] == ring[-1] for ring in rings)
        rows, cols, inside = fill_rings([np.array(ring[:-1]) for ring in rings], labels.shape)
        found[rows, cols][inside] = feature["id"]
        assert feature["properties"]["measurements"]["area_px"] == area
        assert feature["properties"]["classification"]["name"] == "α"
    np.testing.assert_array_equal(found, labels)


def test_regions_that_a_table_leaves_out_are_not_written() -> None:
    table = measure_labels(TOUCHING)
    whole = json.loads(geojson_bytes(TOUCHING, table[table["label"] == 6]))
    assert [feature["id"] for feature in whole["features"]] == [6]


def decoded(segmentation: object, shape: tuple[int, int]) -> np.ndarray:
    if isinstance(segmentation, list):
        found = np.zeros(shape, bool)
        for flat in segmentation:
            rows, cols, inside = fill_rings([np.reshape(flat, (-1, 2))], shape)
            found[rows, cols] |= inside
        return found
    counts = segmentation["counts"]
    assert sum(counts) == shape[0] * shape[1]
    assert all(count > 0 for count in counts[1:-1])
    return np.repeat(np.arange(len(counts)) % 2, counts).reshape(shape[::-1]).T.astype(bool)


def test_coco_holds_the_pixels(labels: np.ndarray) -> None:
    whole = json.loads(coco_json([("a.tif", labels), ("b.tif", RING)]))
    own = [each for each in whole["annotations"] if each["image_id"] == 1]
    assert len(own) == labels.max()
    for number, each in enumerate(own, 1):
        inside = labels == number
        np.testing.assert_array_equal(decoded(each["segmentation"], labels.shape), inside)
        assert each["area"] == np.count_nonzero(inside)
        x, y, wide, high = each["bbox"]
        assert inside[y : y + high, x : x + wide].sum() == each["area"]
    assert len({each["id"] for each in whole["annotations"]}) == len(whole["annotations"])


@pytest.mark.parametrize("mask", [np.ones((3, 4), bool), np.zeros((3, 4), bool), np.eye(4) > 0])
def test_run_lengths_of_full_and_empty_masks(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(decoded(run_lengths(mask, mask.shape), mask.shape), mask)


def test_pycocotools_reads_the_same_pixels() -> None:
    peer = pytest.importorskip("pycocotools.mask")
    whole = json.loads(coco_json([("a.tif", NOISE)]))
    for number, each in enumerate(whole["annotations"], 1):
        packed_runs = peer.frPyObjects(each["segmentation"], *NOISE.shape)
        runs = peer.merge(packed_runs) if isinstance(packed_runs, list) else packed_runs
        assert peer.area(runs) == np.count_nonzero(number == NOISE)


def test_the_rois_of_a_frame_without_regions_say_so():
    nothing = rois_zip(np.zeros((6, 8), np.int32))
    with pytest.raises(UserError, match="holds no regions that ImageJ saved"):
        read_rois(nothing, (6, 8))
