import numpy as np

from core.measuring.regions import trace_regions


def test_a_box_is_its_four_corners():
    labels = np.zeros((9, 9), np.int32)
    labels[2:5, 3:8] = 1
    ((label, corners),) = trace_regions(labels)
    assert label == 1
    assert {tuple(map(int, corner)) for corner in corners} == {(2, 3), (2, 7), (4, 3), (4, 7)}


def test_regions_that_touch_keep_their_own_outlines():
    labels = np.repeat(np.array([[1, 2]], np.int32), 4, axis=0).repeat(4, axis=1)
    found = trace_regions(labels)
    assert [label for label, _ in found] == [1, 2]
    assert found[0][1][:, 1].max() == 3
    assert found[1][1][:, 1].min() == 4


def test_holes_are_outlines_too_and_labels_can_be_chosen():
    labels = np.zeros((12, 12), np.int32)
    labels[1:8, 1:8] = 1
    labels[3:6, 3:6] = 0
    labels[10, 10] = 2
    assert [label for label, _ in trace_regions(labels)] == [1, 1, 2]
    ((label, dot),) = trace_regions(labels, only=[2])
    assert (label, dot.tolist()) == (2, [[10, 10]])
    assert trace_regions(np.zeros((3, 3), np.int32)) == []
