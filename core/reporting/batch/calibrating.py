"""The pixel size that a recipe wants a micrograph to have, and who states it."""

from __future__ import annotations

import threading
from dataclasses import replace

from core.errors import OutOfMemory, UserError
from core.imaging.memory import on_shortage, require_memory
from core.imaging.overlays import leave_out_bar
from core.imaging.scale import (
    READ_FROM_PICTURE,
    ScaleReading,
    forget_recognisers,
    parse_size,
    read_scale,
    words,
)
from core.micrograph import Micrograph
from core.reporting.batch.rows.naming import find_sample
from core.reporting.recipe import FROM_FILE, FROM_PICTURE, Recipe

BY_RECIPE = "set by the recipe"
_READER_BYTES = 300 << 20
_reading = threading.Lock()  # the networks that read take memory and both cores: one at a time


def calibrate(micrograph: Micrograph, recipe: Recipe, path: str = "") -> Micrograph:
    """Return the micrograph with the pixel size that the recipe's rule gives it.

    What the recipe states for its sample counts first, then its fixed value. Else the file's own
    size and what a person set by hand stay. What was read from the picture is used only where the
    recipe says so, and then only where two findings agree.

    Parameters
    ----------
    micrograph : Micrograph
    recipe : Recipe
    path : str
        Its name with its folders, for the sample.

    Raises
    ------
    OutOfMemory
        If there is no room for reading now.
    """
    sample = find_sample(recipe, micrograph, path or micrograph.name)
    stated = dict(recipe.pixel_sizes).get(sample, "")
    source = f"{BY_RECIPE} for sample {sample}" if stated else BY_RECIPE
    fixed = parse_size(stated or recipe.pixel_size_from)
    if fixed is not None:
        return words.set_pixel_size(micrograph, fixed, source)
    if recipe.pixel_size_from == FROM_FILE and words.is_read_from_picture(micrograph):
        return _without(micrograph, "what was read from the picture may not be used by the recipe")
    if recipe.pixel_size_from == FROM_PICTURE and micrograph.pixel_size is None:
        return _read(micrograph)
    return micrograph


def _read(micrograph: Micrograph) -> Micrograph:
    if words.stated_sizes(micrograph):
        return micrograph  # a file that contradicts itself is for a person
    try:
        require_memory(_READER_BYTES)
        with _reading:
            found = read_scale(micrograph)
    except OutOfMemory:
        raise
    except UserError as error:
        return _without(micrograph, str(error))
    if found is not None and found.is_sure and found.pixel_size is not None:
        bar = found.bar
        if bar is not None:
            micrograph = leave_out_bar(micrograph, (bar.row, bar.left, bar.right))
        return words.set_pixel_size(micrograph, found.pixel_size, READ_FROM_PICTURE)
    return micrograph if found is None else _without(micrograph, _doubt(found))


def _doubt(found: ScaleReading) -> str:
    return f"“{found.text}” is written in the picture, and is not sure ({found.source})"


def _without(micrograph: Micrograph, reason: str) -> Micrograph:
    metadata = {**micrograph.metadata, "calibration": f"no pixel size: {reason}"}
    return replace(micrograph, pixel_size=None, metadata=metadata)


on_shortage(forget_recognisers)
