"""Laws of maps for frames of any shape and depth."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.learning.explaining.explanation import BASELINES, ONE_PASS, explain_all, fuse
from core.learning.models import Classifier, ModelCard
from core.learning.models.networks import build_network
from core.micrograph import Micrograph

torch.manual_seed(0)
NETWORK = build_network("emnet", 3, {"widths": [4, 4, 8, 8]})
CARD = ModelCard(
    "tiny", "emnet", ("a", "b", "c"), preparation={"area_px": 32 * 32, "longest_px": 96}
)
TINY = Classifier(NETWORK, CARD)
DEPTHS = (np.uint8, np.uint16, np.float32)


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.sampled_from(DEPTHS),
    st.sampled_from(TINY.layers),
    st.integers(0, 2**31),
)
def test_maps_have_the_frames_shape_and_stay_between_0_and_1(
    shape: tuple[int, int], depth: type, layer: str, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 255, shape).astype(depth)
    if depth is np.float32 and pixels.size > 2:
        pixels.flat[seed % pixels.size] = np.nan
    maps = explain_all(
        TINY, Micrograph("x", pixels), target="b", layer=layer, methods=(*ONE_PASS, *BASELINES)
    )
    for found in maps.values():
        assert found.heatmap.shape == shape
        assert np.isfinite(found.raw).all()
        assert found.heatmap.min() >= 0
        assert found.heatmap.max() in (0, 1)
        assert found.has_evidence == (found.raw.max() > 0 and found.heatmap.max() == 1)
    fused = fuse([maps["layercam"], maps["layercam"]])
    np.testing.assert_allclose(fused.heatmap, maps["layercam"].heatmap, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 80), st.integers(20, 80), st.integers(0, 2**31))
def test_what_speaks_for_a_class_adds_up_to_its_score(height: int, width: int, seed: int) -> None:
    """At the last layer Grad-CAM's cells add up to the logit without its bias."""
    frame = Micrograph("x", np.random.default_rng(seed).random((height, width), np.float32))
    with torch.inference_mode():
        logits = TINY.head(TINY.features(TINY.prepare(frame)))[0]
    for index, name in enumerate(CARD.classes):
        found = explain_all(TINY, frame, target=name, methods=("grad-cam", "hirescam", "cam"))
        expected = float(logits[index] - NETWORK.linear.bias[index])
        sums = [found["grad-cam"].raw.sum(), found["hirescam"].raw.sum(), found["cam"].raw.mean()]
        np.testing.assert_allclose(sums, expected, atol=1e-4)
