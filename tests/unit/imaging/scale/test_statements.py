"""Both sizes of a file that contradicts itself travel with the micrograph, to be chosen from."""

import numpy as np
import pytest

from core.imaging.scale import words
from core.imaging.scale.statements import Statement, settle
from core.micrograph import Micrograph


def test_sizes_that_contradict_each_other_are_kept_for_a_person():
    size, fields = settle([Statement("FEI", 20e-9), Statement("ImageJ", 10e-9)], 64, 48)
    assert size is None
    micrograph = Micrograph("m", np.zeros((4, 4), np.uint8), metadata=fields)
    stated = [(who, size.to("nm")) for who, size in words.stated_sizes(micrograph)]
    assert stated == [("FEI", pytest.approx(20)), ("ImageJ", pytest.approx(10))]


def test_sizes_that_agree_leave_nothing_to_choose():
    size, fields = settle([Statement("FEI", 20e-9), Statement("ImageJ", 20.1e-9)], 64, 48)
    assert size is not None
    assert words.STATED_SIZES not in fields
