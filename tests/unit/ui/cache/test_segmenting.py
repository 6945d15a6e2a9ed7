"""Edits by hand, made again from the steps that are kept."""

import numpy as np
import pytest

from core.measuring.exchange import labels_tiff
from core.measuring.segmentation import Edit
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache.segmenting import _kept_before

LABELS = np.kron(np.arange(1, 5, dtype=np.int32).reshape(2, 2), np.ones((8, 8), np.int32))
MICROGRAPH = Micrograph("four", LABELS.astype(np.uint8))


@pytest.mark.parametrize(
    ("edits", "kept"), [(1, 0), (8, 0), (9, 8), (13, 8), (64, 0), (72, 64), (4999, 4992)]
)
def test_most_edits_go_on_from_a_step_that_is_kept(edits, kept):
    assert _kept_before(edits) == kept


def test_thousands_of_edits_of_a_study_just_opened_are_made():
    """Nothing is kept yet: each kept step asked for the one before, 200 calls deep."""
    given = cache.Given(file=("labels.tif", labels_tiff(LABELS)))
    edits = (Edit("delete", ((2.0, 2.0),)),) * 1600
    asked = cache.Objects(
        cache.SegmentChoice(way=cache.FILE, file="digest"), 1, cache.RegionChoice(), edits
    )
    found = cache.objects(MICROGRAPH, asked, given)
    assert found.count == 3
    assert len(found.not_applied) == 1599
