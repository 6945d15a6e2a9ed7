"""`python -m core filter`: the same JSON, the same pixels as in the app."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from core.__main__ import EXIT_OK, EXIT_SOME_FAILED, EXIT_USAGE, main
from core.imaging.display.saving import save_tiff_bytes, to_sixteen_bits
from core.imaging.filtering.pipeline import Pipeline, Step
from core.imaging.overlays.finding import find_overlays
from core.imaging.reading.opening import read_micrograph
from core.imaging.simulation.samples import simulate
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch.filtering import filter_files, read_recipe
from core.reporting.recipe import Recipe

STEPS = (
    Step("non_local_means", {"search_px": 3}),
    Step("subtract_surface"),
    Step("gaussian", {"sigma_nm": 3}),
    Step("glcm_texture", {"prop": "entropy", "levels": 16}),
)


@pytest.fixture
def micrograph_file(tmp_path: Path) -> Path:
    pixels = simulate("alloys", (90, 110), seed=0).micrograph.pixels
    path = tmp_path / "alloy.tif"
    path.write_bytes(save_tiff_bytes(Micrograph("a", pixels, PixelSize(2, "nm"))))
    return path


def test_the_command_line_writes_the_very_bytes_of_the_page(
    micrograph_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(Recipe(filters=STEPS).to_json(), encoding="utf-8")
    out = tmp_path / "out"
    code = main(["filter", str(micrograph_file), "--recipe", str(recipe), "--out", str(out)])
    assert code == EXIT_OK
    micrograph = read_micrograph(micrograph_file)
    shown = Pipeline(STEPS)(micrograph, exclude=find_overlays(micrograph))
    assert (out / "alloy_filtered.tif").read_bytes() == save_tiff_bytes(shown)
    assert "alloy.tif: " in capsys.readouterr().out


def test_a_pipeline_alone_is_a_recipe_too() -> None:
    assert read_recipe(Pipeline(STEPS).to_json()) == Recipe(filters=STEPS)


def test_one_bad_file_is_named_and_the_others_written(
    micrograph_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, bad = tmp_path / "recipe.json", tmp_path / "bad.tif"
    recipe.write_text(Pipeline([Step("otsu")]).to_json())
    bad.write_bytes(b"not a picture")
    arguments = ["filter", str(bad), str(micrograph_file), "--recipe", str(recipe)]
    code = main([*arguments, "--out", str(tmp_path / "out"), "--format", "png"])
    assert code == EXIT_SOME_FAILED
    assert "bad.tif: " in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["alloy_filtered.png"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"steps": [{"filter": "sharpen"}]}', "no filter called 'sharpen'"),
        ('{"steps": [{"filter": "median", "parameters": {"size_px": 1e300}}]}', "size_px must be"),
        ('{"steps": 1}', "must be a list"),
        ("[[[", "not valid JSON"),
        (json.dumps({"kind": "micrographia-recipe", "version": 1, "filters": [{}]}), "entries"),
    ],
)
def test_a_hostile_recipe_is_one_clear_sentence(
    text: str, words: str, micrograph_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(text)
    arguments = ["filter", str(micrograph_file), "--recipe", str(recipe)]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == EXIT_USAGE
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_micrograph_comes_by_its_digest(micrograph_file: Path, tmp_path: Path) -> None:
    flat = Micrograph("flat", np.full((90, 110), 50, np.uint8))
    recipe = Recipe(filters=(Step("flat_field", {"other": flat.sha256}),), exclude_overlays=False)
    (missing,) = filter_files([micrograph_file], recipe, tmp_path / "out")
    assert "not loaded here" in missing.error
    (done,) = filter_files([micrograph_file], recipe, tmp_path / "out", others=[flat])
    assert done.path is not None
    np.testing.assert_array_equal(
        tifffile.imread(done.path), read_micrograph(micrograph_file).pixels
    )


def test_equal_names_do_not_overwrite_each_other(tmp_path: Path) -> None:
    one = Micrograph("a.tif", np.zeros((4, 4), np.uint8))
    two = Micrograph("a.png", np.ones((4, 4), np.uint8))
    done = filter_files([one, two], Recipe(), tmp_path)
    assert [each.path and each.path.name for each in done] == [
        "a_filtered.tif",
        "a_2_filtered.tif",
    ]


def test_sixteen_bits_lose_nothing_of_eight_and_state_the_scale_of_floats() -> None:
    eight = Micrograph("a", np.array([[0, 1, 255]], np.uint8))
    assert to_sixteen_bits(eight).pixels.tolist() == [[0, 257, 65_535]]
    floats = Micrograph("a", np.array([[-2, np.nan, 3, 0.5]], np.float32), PixelSize(2, "nm"))
    result = to_sixteen_bits(floats)
    assert result.pixels.tolist() == [[0, 0, 65_535, 32_768]]
    assert result.metadata["history"] == ["16 bits: 0 is -2, 65535 is 3"]
    assert result.pixel_size == floats.pixel_size
    assert to_sixteen_bits(result) is result
    flat = to_sixteen_bits(Micrograph("a", np.full((2, 2), 7, np.float32)))
    assert not flat.pixels.any()
