"""The model that comes with the project does what its card says."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.imaging.reading.opening import read_micrograph
from core.imaging.simulation.samples import KINDS, simulate
from core.learning.classifying.classification import classify
from core.learning.classifying.novelty import NEAR_ANY, THRESHOLD, measure_distance
from core.learning.classifying.validation import fit_temperature, softmax
from core.learning.explaining.explanation import BASELINES, ONE_PASS, explain
from core.learning.models import (
    WEIGHTS,
    Classifier,
    head_name,
    list_models,
    load_model,
    models_folder,
)
from core.learning.training.readme import describe
from core.micrograph import Micrograph
from tests.unit.learning.concurrency import assert_threads_equal_one

NAMES = ("em-morph5-2", "em-morph5")  # the one of recipes from before stays


@pytest.fixture(scope="module", params=NAMES)
def shipped(request: pytest.FixtureRequest) -> Classifier:
    return load_model(request.param, device="cpu")


@pytest.fixture(scope="module")
def samples() -> list[Micrograph]:
    return [simulate(kind, (256, 320), seed).micrograph for kind in KINDS for seed in range(4)]


def test_the_new_one_comes_first_and_both_are_small() -> None:
    assert tuple(list_models()[:2]) == NAMES
    for name in NAMES:
        assert (models_folder() / name / WEIGHTS).stat().st_size < 16_000_000


def test_recipes_from_before_find_the_weights_they_name() -> None:
    digest = "bb977611b2827256b038cd90507511c55df76e8656d4dbcebc2a5b836e99d860"
    assert load_model("em-morph5", device="cpu").card.sha256 == digest


def test_its_readme_is_its_card_in_words(shipped: Classifier) -> None:
    text = (models_folder() / shipped.name / "README.md").read_text(encoding="utf-8")
    assert text == describe(shipped.card)


def test_it_names_the_five_morphologies(shipped: Classifier) -> None:
    assert shipped.card.classes == tuple(sorted(KINDS))
    assert shipped.card.display_name("rods_fibres") == "rods & fibres"
    assert {entry["licence"] for entry in shipped.card.data} >= {
        "MIT",
        "CC BY 4.0",
        "CC BY 3.0 US",
    }


def test_it_names_simulated_samples(shipped: Classifier, samples: list[Micrograph]) -> None:
    answers = classify(shipped, samples)
    truth = [kind for kind in KINDS for _ in range(4)]
    right = sum(a.label == kind for a, kind in zip(answers, truth, strict=True))
    assert right >= 16


def test_depth_does_not_change_the_answer(shipped: Classifier) -> None:
    eight = simulate("spheroids", (300, 400), 1).micrograph
    sixteen = Micrograph("16", eight.pixels.astype(np.uint16) * 257)
    a, b = classify(shipped, [eight, sixteen])
    assert a.probability == pytest.approx(b.probability, abs=1e-4)


def test_map_is_exact_for_what_it_computes(shipped: Classifier, samples: list[Micrograph]) -> None:
    """The signed map's sum and the bias make the logit: head = mean over the map + bias."""
    for micrograph in samples[::5]:
        for target in shipped.card.classes:
            raw = explain(shipped, micrograph, target=target).raw
            index = shipped.card.classes.index(target)
            with torch.inference_mode():
                logits = shipped.head(shipped.features(shipped.prepare(micrograph)))
            bias = shipped.network.get_submodule(head_name(shipped.card.architecture)).bias[index]
            assert raw.sum() == pytest.approx(float(logits[0, index] - bias), abs=1e-3)


def test_threads_of_fifty_explanations_equal_the_serial_ones(
    shipped: Classifier, samples: list[Micrograph]
) -> None:
    methods = [*ONE_PASS, *BASELINES, "ablation-cam"]
    assert_threads_equal_one(shipped, samples, methods=methods, threads=4, rtol=1e-5, atol=1e-6)


def test_what_is_calibrated_fits_its_own_temperature(shipped: Classifier) -> None:
    """Held-out answers give the card's temperature, and at that one 5 % of originals are novel.

    Each original is measured against those of other groups; at temperature 1 more lie beyond.
    """
    kept, calibration = shipped.reference, shipped.card.calibration
    assert kept is not None
    assert np.array_equal(kept.groups, kept.heldout_groups)
    logits = kept.heldout_logits.astype(np.float64)
    temperature = calibration["temperature"]
    assert temperature == pytest.approx(fit_temperature(logits, kept.heldout_targets), abs=2e-4)
    near_any = bool(calibration.get(NEAR_ANY))
    distances = [
        measure_distance(
            kept, kept.embeddings, softmax(logits, each), kept.groups, near_any=near_any
        )
        for each in (temperature, 1.0)
    ]
    beyond, uncooled = ((d > calibration[THRESHOLD]).mean() for d in distances)
    assert 0.02 < beyond < 0.056
    assert uncooled > beyond


def test_real_whole_frames_are_named_well_above_chance(
    shipped: Classifier, shared_data: Path
) -> None:
    """Pictures it was trained on: this catches a broken preparation, not a poor model."""
    frames = sorted((shared_data / "em-morph5-full" / "val").glob("*/*.png"))
    answers = classify(shipped, [read_micrograph(path) for path in frames])
    right = [a.label == path.parent.name for a, path in zip(answers, frames, strict=True)]
    assert np.mean(right) > 0.8


def test_on_a_cpu_frames_enter_one_by_one() -> None:
    """Several together do not fit into the caches: each took half as long again."""
    classifier = load_model("em-morph5-2", device="cpu")
    assert classifier.batch_size((256, 336)) == 1
    classifier.device = "cuda"
    assert classifier.batch_size((256, 272)) == 16
