"""What speaks for a number of clusters, and how firm fractions are."""

import cv2
import numpy as np
import pytest

from core.errors import UserError
from core.measuring.clustering import (
    MIXTURE,
    ChoiceOfK,
    FeatureSet,
    choose_k_features,
    choose_k_gray,
    cluster_features,
    cluster_gray,
    fraction_bands,
)
from core.measuring.clustering.choice import find_elbow
from core.measuring.statistics import area_fraction


def phases(greys, spread=4, shape=(120, 160), seed=0):
    """Square patches of a few greys, with noise."""
    rng = np.random.default_rng(seed)
    small = rng.choice(greys, (shape[0] // 8, shape[1] // 8))
    image = np.kron(small, np.ones((8, 8))) + rng.normal(0, spread, shape)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("greys", [(60, 180), (30, 120, 210), (20, 90, 150, 230)])
def test_well_parted_phases_are_counted(greys):
    found = choose_k_gray(phases(greys))
    assert found.suggested == len(greys)
    assert found.votes["silhouette"] == len(greys)
    assert f"{len(greys)}" in found.describe()


def test_features_are_counted_as_grey_levels_are():
    image = phases((30, 120, 210))
    only = FeatureSet(smoothed=False, gradient=False, texture=False)
    found = choose_k_features(image, features=only, most=6)
    assert found.votes["silhouette"] == 3
    assert found.table["k"].tolist() == [1, 2, 3, 4, 5, 6]


def test_the_table_holds_what_its_words_say():
    found = choose_k_gray(phases((60, 180)), most=5)
    table = found.table
    assert table["explained_pct"].is_monotonic_increasing
    assert table["explained_pct"][0] == 0
    assert np.isnan(table["silhouette"][0])
    assert table.loc[table["silhouette"].idxmax(), "k"] == found.votes["silhouette"]
    assert (table["gap_error"].dropna() >= 0).all()


def test_one_broad_phase_is_none_by_the_gap_statistic():
    noise = np.clip(np.random.default_rng(0).normal(128, 25, (120, 160)), 0, 255).astype(np.uint8)
    found = choose_k_gray(noise)
    assert found.votes["gap"] == 1
    assert "no clusters at all" in found.describe()
    assert found.suggested >= 2


@pytest.mark.parametrize("choose", [choose_k_gray, choose_k_features])
def test_phases_without_any_noise_are_not_no_clusters(choose):
    """Two greys leave nothing to explain: the gap statistic had counted up to there only."""
    image = np.zeros((64, 64), np.uint8)
    image[:, 30:] = 200
    only = FeatureSet(smoothed=False, gradient=False, texture=False)
    found = choose(image, **({"features": only} if choose is choose_k_features else {}))
    assert found.votes["gap"] == 2
    assert found.describe().endswith("All agree on 2.")
    assert not np.isinf(found.table.to_numpy(float)).any()


def test_rare_greys_that_a_sample_misses_do_not_stop_the_comparison():
    image = np.zeros((200, 200), np.uint8)
    image[:, 100:] = 200
    image[0, :8] = np.arange(8) * 20 + 10
    only = FeatureSet(smoothed=False, gradient=False, texture=False)
    assert choose_k_features(image, features=only).votes["gap"] == 2


def test_words_for_agreement_and_disagreement():
    table = choose_k_gray(phases((60, 180))).table
    assert ChoiceOfK(table, {"elbow": 3, "silhouette": 3}, 3).describe() == (
        "The elbow and the silhouette favour 3. All agree on 3."
    )
    said = ChoiceOfK(table, {"elbow": 2, "silhouette": 3, "gap": 6}, 3).describe()
    assert said.endswith("They disagree: 3 lies in between, look at the map.")


def test_few_levels_and_bad_input():
    found = choose_k_gray(np.array([[0, 9], [200, 0]], np.uint8))
    assert found.table["k"].max() == 3
    for choose in (choose_k_gray, choose_k_features):
        with pytest.raises(UserError, match=r"same grey level|alike"):
            choose(np.full((9, 9), 3, np.uint8))
        with pytest.raises(ValueError, match="most must be"):
            choose(phases((60, 180)), most=2)


def test_samples_repeat_and_follow_the_seed():
    image = phases((60, 120, 180), spread=20)
    first, again, other = (choose_k_gray(image, seed=s).table for s in (0, 0, 1))
    assert first.equals(again)
    assert not first.equals(other)


def test_the_elbow_bends_most():
    assert find_elbow(np.array([100.0, 30, 10, 8, 7, 6])) == 3
    assert find_elbow(np.array([10.0, 9, 8])) == 2


@pytest.mark.parametrize("kind", ["grey", "k-means", MIXTURE])
def test_bands_hold_the_fraction_and_shrink_with_the_patches(kind):
    def find(image):
        return cluster_gray(image, 2) if kind == "grey" else cluster_features(image, 2, method=kind)

    rng = np.random.default_rng(1)
    coarse = np.kron(rng.choice([60, 180], (6, 8)), np.ones((20, 20))) + rng.normal(
        0, 4, (120, 160)
    )
    widths = []
    for image in (coarse.astype(np.uint8), phases((60, 180))):
        bands = fraction_bands(image, find(image))
        assert bands["cluster"].tolist() == [0, 1]
        assert (bands["low_pct"] <= bands["fraction_pct"] + 1).all()
        assert (bands["high_pct"] >= bands["fraction_pct"] - 1).all()
        widths.append((bands["high_pct"] - bands["low_pct"]).max())
    assert widths[1] < widths[0]


def test_bands_of_deep_images_and_of_a_single_tile():
    image = phases((60, 180))
    deep = image.astype(np.uint16) * 257
    ours, theirs = (fraction_bands(i, cluster_gray(i, 2)) for i in (image, deep))
    np.testing.assert_allclose(ours["low_pct"], theirs["low_pct"], atol=0.5)
    exclude = np.ones(image.shape, bool)
    exclude[0, :3] = False  # three pixels are three tiles at most; 15 x 15 have tiles of their own
    lonely = fraction_bands(image, cluster_gray(image, 2, exclude=exclude), exclude=exclude)
    assert lonely["low_pct"].isna().all()


def test_bands_are_as_wide_as_the_few_pieces_that_a_field_holds():
    smooth = cv2.GaussianBlur(np.random.default_rng(3).normal(size=(128, 128)), (0, 0), 20)
    mask = smooth > np.quantile(smooth, 0.7)
    picture = np.where(mask, 160, 90).astype(np.uint8)
    band = fraction_bands(picture, cluster_gray(picture, 2)).iloc[1]
    tiles = area_fraction(mask)
    assert band.high_pct - band.low_pct > 60
    assert band.high_pct == pytest.approx(100 * tiles.high, abs=10)
