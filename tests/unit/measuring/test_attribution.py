"""Shares of an explanation per cluster, added up by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.measuring.attribution import (
    attribution_share,
    attribution_table,
    describe_attribution,
    tone,
)
from core.measuring.clustering import cluster_gray

LABELS = np.array([[0, 0, 0, 1], [0, 0, 0, 1]], np.int16)
HEAT = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.float32)


def test_shares_and_lift_of_two_clusters():
    frame = attribution_share(HEAT, LABELS)
    assert list(frame.columns) == ["cluster", "area_share", "evidence_share", "lift"]
    assert frame["cluster"].tolist() == [0, 1]
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0.5]
    assert frame["lift"].tolist() == pytest.approx([2 / 3, 2])


def test_even_evidence_has_lift_one_everywhere():
    frame = attribution_share(np.full((2, 4), 0.3), LABELS)
    assert frame["lift"].tolist() == pytest.approx([1, 1])


def test_excluded_pixels_count_neither_as_area_nor_as_evidence():
    labels = LABELS.copy()
    labels[1] = -1
    frame = attribution_share(HEAT, labels)
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0.5]


def test_takes_results_as_well_as_arrays():
    image = np.array([[10, 10, 10, 200], [12, 12, 12, 210]], np.uint8)
    explanation = SimpleNamespace(heatmap=HEAT)
    frame = attribution_share(explanation, cluster_gray(image, 2))
    assert frame.equals(attribution_share(HEAT, LABELS))


def test_no_evidence_gives_no_share():
    frame = attribution_share(np.zeros((2, 4)), LABELS)
    assert frame["area_share"].tolist() == [0.75, 0.25]
    assert frame[["evidence_share", "lift"]].isna().all(axis=None)


def test_a_cluster_without_pixels_has_no_lift():
    clustering = SimpleNamespace(labels=LABELS * 2, k=3)
    frame = attribution_share(HEAT, clustering)
    assert frame["area_share"].tolist() == [0.75, 0, 0.25]
    assert frame["evidence_share"].tolist() == [0.5, 0, 0.5]
    assert frame["lift"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("heat", "labels", "words"),
    [
        (HEAT[:, :3], LABELS, "one shape"),
        (HEAT[0], LABELS[0], "one shape"),
        (HEAT, LABELS.astype(float), "labels must be integers"),
        (-HEAT, LABELS, "not negative"),
        (HEAT * np.nan, LABELS, "finite"),
        (HEAT, LABELS * 0 - 1, "at least one pixel"),
    ],
)
def test_maps_that_do_not_fit_are_refused(heat, labels, words):
    with pytest.raises(ValueError, match=words):
        attribution_share(heat, labels)


def test_what_the_network_never_saw_does_not_count():
    cropped = SimpleNamespace(heatmap=HEAT, seen_box=(0, 1, 2, 4))
    frame = attribution_share(cropped, LABELS)
    assert frame["area_share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert frame["evidence_share"].tolist() == [0.5, 0.5]
    whole = SimpleNamespace(heatmap=HEAT, seen_box=(0, 0, 2, 4))
    assert attribution_share(whole, LABELS).equals(attribution_share(HEAT, LABELS))
    with pytest.raises(ValueError, match="outside seen_box"):
        attribution_share(cropped, np.array([[0, -1, -1, -1], [0, -1, -1, -1]]))


def test_any_mask_will_do():
    assert attribution_share(HEAT, LABELS > 0).equals(attribution_share(HEAT, LABELS))


def scene(seed=0, shape=(240, 320), knows=True):
    """Bright grains, and a smooth map that lies on them or knows nothing of them."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int16)
    heat = np.zeros(shape)
    for row, col in rng.uniform(0, 1, (60, 2)) * shape:
        labels[np.hypot(down - row, right - col) < 10] = 1
        if not knows:
            row, col = rng.uniform(0, 1, 2) * shape
        heat += np.exp(-((down - row) ** 2 + (right - col) ** 2) / 200)
    return heat, labels


def test_a_map_on_the_grains_lifts_them_beyond_chance():
    heat, labels = scene()
    table = attribution_table(heat, labels)
    shares = attribution_share(heat, labels)
    np.testing.assert_allclose(table[shares.columns], shares)
    grains = table.iloc[1]
    assert grains["lift"] > 1.5
    assert 1 < grains["lift_low"] < grains["lift"] < grains["lift_high"]
    assert grains["evidence_low"] < grains["evidence_share"] < grains["evidence_high"]
    assert grains["chance_low"] < 1 < grains["chance_high"] < grains["lift_low"]
    assert grains["chance_lift"] == pytest.approx(1, abs=0.01)
    assert table.equals(attribution_table(heat, labels))


def test_a_map_that_knows_nothing_stays_within_chance():
    inside = []
    for seed in range(20):
        row = attribution_table(*scene(seed, knows=False), draws=200).iloc[1]
        inside.append(row["chance_low"] <= row["lift"] <= row["chance_high"])
    assert sum(inside) >= 17


def test_intervals_hold_where_there_is_nothing_to_say():
    empty = attribution_table(np.zeros((2, 4)), LABELS)
    columns = ["evidence_low", "lift_low", "chance_low", "chance_high"]
    assert empty[columns].isna().all(axis=None)
    alone = attribution_table(HEAT, LABELS * 0)
    assert alone["chance_high"].isna().all()
    unused = attribution_table(HEAT, SimpleNamespace(labels=LABELS * 2, k=3))
    assert unused.iloc[1][["lift", "lift_low", "chance_low"]].isna().all()
    assert len(attribution_table(np.ones((1, 1)), np.zeros((1, 1), np.int16))) == 1


def test_the_sentence_names_the_cluster_that_carries_most():
    said = describe_attribution(attribution_share(HEAT, LABELS), "dendrites")
    assert said == (
        "Cluster 1 (bright) covers 25 % of the area and carries 50 % of the evidence for "
        "dendrites, lift 2."
    )
    assert "no chance" in describe_attribution(attribution_table(*scene()), "grains")
    loose = attribution_table(*scene(3, knows=False))
    loose.loc[:, "chance_high"] = 9.0
    assert "stands out" in describe_attribution(loose, "grains")
    nothing = describe_attribution(attribution_share(np.zeros((2, 4)), LABELS), "alloys")
    assert nothing == "There is no evidence for alloys in the pixels that count."


def test_tones_run_from_dark_to_bright():
    assert [tone(n, 3) for n in range(3)] == ["dark", "medium", "bright"]
    assert (tone(0, 5), tone(4, 5)) == ("darkest", "brightest")
    assert "2 of 5" in tone(1, 5)
