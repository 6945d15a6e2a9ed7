"""What the shipped card says about trust can be found again from the files beside it."""

import numpy as np
import pytest
import torch

from core.imaging.simulation.foreign import FOREIGN, simulate_foreign
from core.learning.classifying.classification import classify
from core.learning.classifying.conformal import measure_coverage
from core.learning.classifying.novelty import THRESHOLD, measure_distance
from core.learning.classifying.validation import (
    area_under_curve,
    cool_by_group,
    expected_calibration_error,
    fit_temperature,
    softmax,
)
from core.learning.models import Classifier, load_model
from core.learning.models.reference import Reference
from core.micrograph import Micrograph


@pytest.fixture(scope="module")
def shipped() -> Classifier:
    return load_model("em-morph5", device="cpu")


@pytest.fixture(scope="module")
def kept(shipped: Classifier) -> Reference:
    assert shipped.reference is not None
    return shipped.reference


@pytest.fixture(scope="module")
def foreign(shipped: Classifier) -> np.ndarray:
    frames = [simulate_foreign(kind, seed, (256, 320)) for kind in FOREIGN for seed in (50, 51)]
    return np.array([answer.novelty for answer in classify(shipped, frames)], float)


def originals(shipped: Classifier, kept: Reference) -> np.ndarray:
    """Novelty of the training originals, each without its own group."""
    pooled = torch.from_numpy(kept.embeddings)[:, :, None, None]
    logits = shipped.head(pooled).numpy().astype(np.float64)
    answers = softmax(logits, shipped.card.calibration["temperature"])
    distances = measure_distance(kept, kept.embeddings, answers, kept.groups)
    return distances / shipped.card.calibration[THRESHOLD]


def test_it_holds_every_original_once(shipped: Classifier, kept: Reference) -> None:
    assert kept.embeddings.shape == (244, 192)
    assert len(np.unique(kept.groups)) == 160
    wanted = [
        shipped.card.metrics["whole_frames"]["recall"][c]["pictures"] for c in shipped.card.classes
    ]
    np.testing.assert_array_equal(np.bincount(kept.targets), wanted)
    np.testing.assert_array_equal(kept.targets, kept.heldout_targets)


def test_probabilities_are_honest(shipped: Classifier, kept: Reference) -> None:
    logits, truth = kept.heldout_logits.astype(float), kept.heldout_targets
    assert shipped.card.calibration["temperature"] == pytest.approx(
        fit_temperature(logits, truth), abs=1e-3
    )
    cooled = softmax(cool_by_group(logits, truth, kept.heldout_groups))
    error = expected_calibration_error(cooled, truth)
    assert error <= 0.05
    stated = shipped.card.metrics["whole_frames"]["expected_calibration_error"]
    assert stated == pytest.approx(error, abs=2e-3)


def test_prediction_sets_cover_what_the_card_says(shipped: Classifier, kept: Reference) -> None:
    found = measure_coverage(
        kept.heldout_logits.astype(float), kept.heldout_targets, kept.heldout_groups
    )
    for entry, stated in zip(found, shipped.card.metrics["prediction_sets"], strict=True):
        assert entry.level == stated["level"]
        assert entry.covered == pytest.approx(stated["covered"], abs=0.005)
        assert entry.covered >= entry.level - 0.01


def test_novelty_tells_foreign_pictures_from_originals(
    shipped: Classifier, kept: Reference, foreign: np.ndarray
) -> None:
    """Other seeds and another size than those the card was measured with."""
    area = area_under_curve(originals(shipped, kept), foreign)
    assert area >= 0.88  # 34 pictures: one of them is worth half a point
    assert shipped.card.metrics["novelty"]["auroc"] >= 0.9
    assert (originals(shipped, kept) > 1).mean() <= 0.05


@pytest.mark.parametrize("kind", ["noise", "stripes", "text page", "bricks", "lattice fringes"])
def test_what_is_plainly_foreign_is_said_to_be(shipped: Classifier, kind: str) -> None:
    answers = classify(shipped, [simulate_foreign(kind, seed) for seed in range(70, 73)])
    assert sum(bool(answer.is_novel) for answer in answers) >= 2


def test_a_constant_frame_has_a_finite_novelty(shipped: Classifier) -> None:
    answer = classify(shipped, [Micrograph("flat", np.full((40, 60), 3, np.uint16))])[0]
    assert answer.novelty is not None
    assert np.isfinite(answer.novelty)


def test_shortcuts_and_sources_are_in_the_card(shipped: Classifier) -> None:
    """Measured, whatever came out: contrast misses the aim of 3 points."""
    points = shipped.card.metrics["shortcuts"]["points"]
    assert set(points) == {
        "overlays_shown",
        "contrast_inverted",
        "aspect_wider",
        "aspect_narrower",
    }
    assert all(abs(value) < 4 for value in points.values())
    assert {row["class"] for row in shipped.card.metrics["held_out_sources"]} == {
        "alloys",
        "dendrites",
    }
