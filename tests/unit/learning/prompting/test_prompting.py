"""Prompts in, the package's own masks out; what is no such network is refused in a sentence."""

import pickle
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from core.errors import UnusableModel
from core.learning.prompting import find_everything, find_weights, how_to_get, open_sam
from core.learning.prompting import installed as where
from core.learning.prompting import weights as reading
from core.micrograph import Micrograph

transformers = pytest.importorskip("transformers")
SIDE = 64
SHAPE = (90, 120)
SIZE = (48, 64)  # of the frame within the square


@pytest.fixture(scope="module")
def theirs():
    """A small network of the package's own, with weights drawn at random."""
    torch.manual_seed(3)
    vision = transformers.SamVisionConfig(
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        patch_size=8,
        window_size=3,
        global_attn_indexes=[2],
        mlp_dim=48,
        output_channels=256,
    )
    config = transformers.SamConfig(
        vision_config=vision.to_dict(), prompt_encoder_config={"image_size": SIDE, "patch_size": 8}
    )
    model = transformers.SamModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        model.prompt_encoder.shared_embedding.positional_embedding.copy_(
            model.shared_image_embedding.positional_embedding
        )
    return model


@pytest.fixture(scope="module")
def file(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("sam") / "model.safetensors"
    save_file({name: each.clone() for name, each in theirs.state_dict().items()}, path)
    return path


@pytest.fixture(scope="module")
def network(file):
    return open_sam(file)


@pytest.fixture(scope="module")
def micrograph():
    pixels = np.random.default_rng(0).integers(0, 60_000, SHAPE).astype(np.uint16)
    return Micrograph("noise", pixels)


def run_theirs(theirs, micrograph, **prompt):
    """The package run directly on the same picture, as its authors describe it."""
    low, high = np.percentile(micrograph.pixels, (0.5, 99.5))
    grey = np.clip((micrograph.pixels.astype(np.float32) - low) / (high - low), 0, 1)
    picture = torch.from_numpy(grey.astype(np.float32)).expand(1, 3, *SHAPE)
    small = torch.nn.functional.interpolate(picture, SIZE, mode="bilinear", antialias=True)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    square = torch.zeros(1, 3, SIDE, SIDE)
    square[:, :, : SIZE[0], : SIZE[1]] = (small - mean[:, None, None]) / deviation[:, None, None]
    with torch.inference_mode():
        found = theirs(pixel_values=square, **prompt)
    best = int(found.iou_scores[0, 0].argmax())
    logits = found.pred_masks[0, 0, best][None, None]
    how = {"mode": "bilinear", "align_corners": False}
    whole = torch.nn.functional.interpolate(logits, (SIDE, SIDE), **how)[..., : SIZE[0], : SIZE[1]]
    return torch.nn.functional.interpolate(whole, SHAPE, **how)[0, 0].numpy() > 0


def on_square(row, column):
    return [(column + 0.5) * SIZE[1] / SHAPE[1], (row + 0.5) * SIZE[0] / SHAPE[0]]


def same(ours, other):
    assert ours.shape == SHAPE
    assert 0 < ours.mean() < 1, "a mask that says something"
    assert np.mean(ours != other) < 0.002  # the last bits of greys may turn a pixel


def test_a_click_gives_the_package_s_own_mask(network, theirs, micrograph):
    expected = run_theirs(
        theirs, micrograph, input_points=torch.tensor([[[on_square(30, 70)]]]).float()
    )
    same(network.look(micrograph).mask([(30, 70)]), expected)


def test_clicks_in_and_out_and_a_box_give_the_package_s_own_masks(network, theirs, micrograph):
    seen = network.look(micrograph)
    points = torch.tensor([[[on_square(30, 70), on_square(80, 10)]]]).float()
    expected = run_theirs(
        theirs,
        micrograph,
        input_points=points,
        input_labels=torch.tensor([[[1, 0]]]),
        multimask_output=False,
    )
    same(seen.mask([(30, 70)], not_in=[(80, 10)]), expected)
    corners = torch.tensor([[[*on_square(10, 20), *on_square(60, 100)]]]).float()
    expected = run_theirs(theirs, micrograph, input_boxes=corners, multimask_output=False)
    same(seen.mask(box=(10, 20, 60, 100)), expected)
    with pytest.raises(ValueError, match="a point in the object"):
        seen.mask(not_in=[(1, 1)])


def test_nothing_of_the_network_changes(network, micrograph):
    before = {name: each.clone() for name, each in network.model.state_dict().items()}
    network.look(micrograph).mask([(3, 4)])
    assert not network.model.training
    assert not any(each.requires_grad for each in network.model.parameters())
    assert all(torch.equal(each, before[n]) for n, each in network.model.state_dict().items())


def test_a_grid_of_prompts_numbers_what_it_tells_apart(network, micrograph, monkeypatch):
    from core.learning.prompting import everything

    monkeypatch.setattr(everything, "GRID", 4)
    monkeypatch.setattr(everything, "_SURE", -1e9)
    monkeypatch.setattr(everything, "_STEADY", 0.0)
    exclude = np.zeros(SHAPE, bool)
    exclude[80:] = True
    labels = find_everything(network.look(micrograph), exclude=exclude)
    assert labels.dtype == np.int32
    assert labels.shape == SHAPE
    assert not labels[80:].any()
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
    monkeypatch.setattr(everything, "_SURE", 1e9)
    assert not find_everything(network.look(micrograph)).any()


def test_the_authors_own_names_are_understood(theirs, network, micrograph, tmp_path):
    named = {authors_name(n): t.clone() for n, t in theirs.state_dict().items()}
    named.pop("shared_image_embedding.positional_embedding")
    assert any(name.startswith("image_encoder.blocks.0.norm1.") for name in named)
    named |= {"pixel_mean": torch.zeros(3)}
    path = tmp_path / "sam_vit_b.pth"
    torch.save(named, path)  # a torch file is walked, not unpickled
    mask = open_sam(path).look(micrograph).mask([(30, 70)])
    assert np.array_equal(mask, network.look(micrograph).mask([(30, 70)]))


def authors_name(name):
    """The way back of how the package's names came about."""
    steps = (
        (r"^prompt_encoder\.shared_embedding\.positional_embedding$",
         "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"),
        (r"\.mask_embed\.conv1", ".mask_downscaling.0"),
        (r"\.mask_embed\.layer_norm1", ".mask_downscaling.1"),
        (r"\.mask_embed\.conv2", ".mask_downscaling.3"),
        (r"\.mask_embed\.layer_norm2", ".mask_downscaling.4"),
        (r"\.mask_embed\.conv3", ".mask_downscaling.6"),
        (r"\.neck\.conv1", ".neck.0"),
        (r"\.neck\.layer_norm1", ".neck.1"),
        (r"\.neck\.conv2", ".neck.2"),
        (r"\.neck\.layer_norm2", ".neck.3"),
        (r"\.upscale_conv1", ".output_upscaling.0"),
        (r"\.upscale_layer_norm", ".output_upscaling.1"),
        (r"\.upscale_conv2", ".output_upscaling.3"),
        (r"(mlps\.\d|iou_prediction_head)\.layers\.0", r"\1.layers.1"),
        (r"(mlps\.\d|iou_prediction_head)\.proj_in", r"\1.layers.0"),
        (r"(mlps\.\d|iou_prediction_head)\.proj_out", r"\1.layers.2"),
        (r"\.point_embed\.", ".point_embeddings."),
        (r"\.layer_norm", ".norm"),
        (r"^vision_encoder\.layers", "image_encoder.blocks"),
        (r"^vision_encoder", "image_encoder"),
        (r"\.patch_embed\.projection", ".patch_embed.proj"),
    )  # fmt: skip
    for pattern, old in steps:
        name = re.sub(pattern, old, name)
    return name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: {"a": torch.zeros(3)}, "not those of Segment Anything"),
        (lambda w: {n: t for n, t in w.items() if "mask_decoder" not in n}, "not those of Segment"),
        (lambda w: w | {"vision_encoder.pos_embed": torch.zeros(1)}, "not those of Segment"),
        (lambda w: {n: t * float("nan") for n, t in w.items()}, "not finite"),
        (lambda w: {"image_encoder.patch_embed.seq.0.c.weight": torch.zeros(1)}, "MobileSAM"),
    ],
)
def test_other_weights_are_refused(theirs, tmp_path, change, words):
    path = tmp_path / "model.safetensors"
    save_file(change({n: t.clone() for n, t in theirs.state_dict().items()}), path)
    with pytest.raises(UnusableModel, match=words):
        open_sam(path)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "sam_vit_b.pth"
    path.write_bytes(pickle.dumps({"run": print}))
    with pytest.raises(UnusableModel):
        open_sam(path)


def test_what_is_missing_is_said(tmp_path, monkeypatch, file):
    monkeypatch.setenv("MICROGRAPHIA_MODELS", str(tmp_path))
    assert find_weights() is None
    assert "into the folder “sam”" in how_to_get()
    (tmp_path / "sam").mkdir()
    (tmp_path / "sam" / "model.safetensors").write_bytes(file.read_bytes()[:100])
    assert find_weights() == tmp_path / "sam" / "model.safetensors"
    assert how_to_get() == ""
    with pytest.raises(UnusableModel):
        open_sam(tmp_path / "sam" / "model.safetensors")
    monkeypatch.setattr(where, "PACKAGE", "no_such_package")
    assert "pip install 'transformers" in how_to_get()
    with pytest.raises(UnusableModel, match="one more package"):
        reading.open_sam(file)
