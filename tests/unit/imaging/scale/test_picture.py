"""Scales that are read from the picture itself."""

import importlib.metadata
import threading

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.imaging.scale import ScaleBar, read_scale, recognisers, why_no_reading
from core.imaging.scale.anchored import bar_beside
from core.imaging.scale.text import Print
from core.micrograph import Micrograph
from tests.unit.imaging.overlays.test_finding import specimen, write

needs_models = pytest.mark.skipif(why_no_reading() is not None, reason="no models")


def labelled(level=255, text="200 nm", bar=(350, 470)):
    picture = specimen()
    picture[370:376, bar[0] : bar[1]] = level
    write(picture, text, 362, 375, 22, level)
    return Micrograph("m", picture)


@needs_models
@pytest.mark.parametrize("level", [0, 255])
def test_bar_and_length_that_stand_alone_fill_themselves_in(level):
    reading = read_scale(labelled(level))
    assert reading.is_sure
    assert reading.text == "200 nm"
    assert reading.pixel_size.to("nm") == pytest.approx(200 / 120, rel=0.01)
    assert (reading.bar.left, reading.bar.right) == (350, 470)


@needs_models
def test_nothing_is_invented():
    assert read_scale(Micrograph("m", specimen())) is None
    assert read_scale(labelled(text="(a) Gd")) is None
    assert read_scale(Micrograph("m", np.zeros((20, 20), np.uint8))) is None


@needs_models
def test_length_without_a_bar_is_left_to_a_person():
    picture = specimen()
    write(picture, "200 nm", 362, 375, 22, 255)
    reading = read_scale(Micrograph("m", picture))
    assert (reading.value, reading.unit) == (200, "nm")
    assert reading.pixel_size is None
    assert reading.bar is None
    assert not reading.is_sure


@needs_models
def test_threads_read_the_same():
    found = [None] * 3

    def read(number):
        found[number] = read_scale(labelled())

    threads = [threading.Thread(target=read, args=(i,)) for i in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found[0] is not None
    assert found.count(found[0]) == 3


def test_missing_packages_are_said(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(recognisers.importlib.metadata, "version", missing)
    assert "missing" in why_no_reading()
    recognisers._load.cache_clear()
    with pytest.raises(UserError, match="type the scale by hand"):
        read_scale(labelled())


@needs_models
def test_a_changed_model_is_refused(monkeypatch):
    monkeypatch.setitem(recognisers._SHA256, "ppocrv6_det.onnx", "0" * 64)
    recognisers._load.cache_clear()
    with pytest.raises(UserError, match="missing or changed"):
        read_scale(labelled())


@pytest.mark.parametrize(("ink", "ground"), [(255, 60), (0, 200)])
def test_bar_beside_print_is_of_its_ink(ink, ground):
    picture = np.full((200, 300), ground, np.uint8)
    cv2.putText(picture, "5 nm", (100, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2)
    picture[160:164, 90:190] = ink
    assert bar_beside(picture, Print("5 nm", 1.0, 98, 128, 165, 154)) == ScaleBar(162, 90, 190)


def test_line_interrupted_by_its_print_is_one_bar():
    picture = np.zeros((100, 400), np.uint8)
    cv2.putText(picture, "5 um", (170, 58), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    picture[49:51, 100:160] = 255
    picture[49:51, 240:300] = 255
    assert bar_beside(picture, Print("5 um", 1.0, 166, 38, 230, 64)) == ScaleBar(50, 100, 300)


def test_print_without_contrast_has_no_bar():
    assert bar_beside(np.full((60, 90), 90, np.uint8), Print("5 nm", 1.0, 10, 10, 50, 30)) is None
