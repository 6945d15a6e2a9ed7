"""The regions of one micrograph as files of other programs, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.measuring.exchange.coco import coco_json
from core.measuring.exchange.geojson import geojson_bytes
from core.measuring.exchange.imagej import rois_zip
from core.measuring.exchange.labels import labels_tiff
from core.micrograph import Micrograph


def region_files(
    micrograph: Micrograph,
    number: Callable[[], NDArray[np.int32]],
    regions: pd.DataFrame,
    phase: str,
) -> dict[str, Callable[[], bytes]]:
    """Return a function for each kind of file.

    Parameters
    ----------
    micrograph : Micrograph
        Gives the name and the pixel size.
    number : callable
        Returns the label image; called for the files that need it.
    regions : DataFrame
        The table that the files go with: labels that it leaves out are in none of them.
    phase : str
        What the regions are of.
    """

    def kept() -> NDArray[np.int32]:
        labels = number()
        wanted = np.zeros(int(labels.max()) + 1, labels.dtype)
        numbers = regions["label"].to_numpy(np.int64)
        wanted[numbers] = numbers
        return np.asarray(wanted[labels])

    return {
        "labels": lambda: labels_tiff(kept(), micrograph.pixel_size),
        "rois": lambda: rois_zip(kept()),
        "geojson": lambda: geojson_bytes(kept(), regions, phase=phase),
        "coco": lambda: coco_json([(micrograph.name, kept())], phase=phase),
    }
