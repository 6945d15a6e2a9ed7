"""Zeiss .czi, by Zeiss's own reader where a person has installed it: its licence is LGPL."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UnreadableMicrograph
from core.imaging.reading.instruments.packed_pictures import Unread
from core.imaging.reading.limits import MAX_FRAMES, check_frame

READER = "pylibCZIrw"
_MISSING = (
    "Zeiss .czi files are opened by Zeiss's own reader, which is not installed here: "
    "pip install pylibCZIrw. Or export the picture in ZEN as OME-TIFF, with its scale."
)
_TYPES = {
    "Gray8": "u1",
    "Gray16": "u2",
    "Gray32Float": "f4",
    "Bgr24": "u1",
    "Bgr48": "u2",
    "Bgr96Float": "f4",
}
_ODD = "The picture has pixels of a kind that is not read here; export it in ZEN as OME-TIFF."
_MOST_SCENES = 1_000


def read_czi(path: Path) -> list[dict[str, Any]]:
    """Return the planes of a CZI in the form of RosettaSciIO's signals, none decoded yet.

    Parameters
    ----------
    path : Path

    Returns
    -------
    list of dict
        Channels, depths and times of each scene, at most 512; metres a pixel as axes.

    Raises
    ------
    UnreadableMicrograph
        If the reader is not installed, or a picture is too large or of an unknown kind.
    """
    if importlib.util.find_spec(READER) is None:
        raise UnreadableMicrograph(_MISSING)
    czi: Any = importlib.import_module(f"{READER}.czi")
    with czi.open_czi(str(path)) as document:
        types = document.pixel_types
        scenes = dict(document.scenes_bounding_rectangle) or {
            None: document.total_bounding_rectangle
        }
        if len(scenes) > _MOST_SCENES:
            raise UnreadableMicrograph("The file has thousands of scenes; export one of them.")
        spans = document.total_bounding_box
        known = _image(document.metadata)
    signals = []
    for scene, plane in itertools.islice(_planes(scenes, spans), MAX_FRAMES):
        kind = str(types.get(plane["C"], ""))
        if kind not in _TYPES:
            raise UnreadableMicrograph(_ODD)
        check_frame(scenes[scene].h, scenes[scene].w, 3 if kind.startswith("Bgr") else 1)
        label = _label(scene, plane, spans, scenes, known)
        picture = _unread(path, scene, plane, scenes[scene], kind)
        signals.append(_signal(picture, label, known))
    return signals


def _planes(
    scenes: Mapping[int | None, Any], spans: Mapping[str, tuple[int, int]]
) -> Iterator[tuple[int | None, dict[str, int]]]:
    """Yield every plane of every scene, channels first."""
    ranges = {axis: range(*spans.get(axis, (0, 1))) for axis in "TZC"}
    for scene in scenes:
        for place in itertools.product(*ranges.values()):
            yield scene, dict(zip(ranges, place, strict=True))


def _unread(path: Path, scene: int | None, plane: dict[str, int], box: Any, kind: str) -> Unread:
    def decode() -> NDArray[Any]:
        czi: Any = importlib.import_module(f"{READER}.czi")
        with czi.open_czi(str(path)) as document:
            values = document.read(plane=plane, scene=scene)
        grey = values.shape[-1] == 1
        return np.ascontiguousarray(values[..., 0] if grey else values[..., ::-1])

    return Unread((box.h, box.w), _TYPES[kind], decode)


def _signal(picture: Unread, label: str, known: dict[str, Any]) -> dict[str, Any]:
    axes = [{"scale": known.get(axis), "units": "m"} for axis in ("Y", "X")]
    metadata = {"General": {"title": label}}
    return {"data": picture, "axes": axes, "metadata": metadata, "original_metadata": {}}


def _label(
    scene: int | None,
    plane: Mapping[str, int],
    spans: Mapping[str, tuple[int, int]],
    scenes: Mapping[int | None, Any],
    known: Mapping[str, Any],
) -> str:
    """Return a name such as "InLens, depth 2, scene 1"; only what there is more than one of."""
    names = known["channels"]
    channel = plane["C"]
    parts = [names[channel] if channel < len(names) else f"channel {channel + 1}"]
    words = {"Z": "depth", "T": "time"}
    for axis, word in words.items():
        if len(range(*spans.get(axis, (0, 1)))) > 1:
            parts.append(f"{word} {plane[axis] + 1}")
    if len(scenes) > 1 and scene is not None:
        parts.append(f"scene {scene + 1}")
    return ", ".join(parts)


def _image(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the size of a pixel in m by axis, as far as it is stated, and channels' names."""
    whole = _within(metadata, "ImageDocument", "Metadata")
    found: dict[str, Any] = {}
    for each in _listed(_within(whole, "Scaling", "Items").get("Distance")):
        try:
            value = float(each.get("Value", "nan"))
        except ValueError:
            continue
        if math.isfinite(value) and value > 0:
            found[str(each.get("@Id"))] = value
    channels = _within(whole, "Information", "Image", "Dimensions", "Channels").get("Channel")
    names = [str(each.get("@Name") or "") for each in _listed(channels)]
    found["channels"] = [name or f"channel {place + 1}" for place, name in enumerate(names)]
    return found


def _within(said: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return what lies at a path of names; nothing where it does not."""
    for name in path:
        inner = said.get(name)
        if not isinstance(inner, Mapping):
            return {}
        said = inner
    return said


def _listed(said: Any) -> list[Mapping[str, Any]]:
    """Return one or several elements of XML as a list."""
    every = said if isinstance(said, list) else [said]
    return [each for each in every if isinstance(each, Mapping)]
