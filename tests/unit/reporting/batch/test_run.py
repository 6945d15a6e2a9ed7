import io
import json
import logging
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from core.errors import UserError
from core.imaging.filtering.pipeline import Step
from core.imaging.overlays.finding import OverlayChoice, with_overlay_choice
from core.imaging.scale.words import set_pixel_size
from core.micrograph import Micrograph, PixelSize
from core.reporting.batch import pipeline, words_of
from core.reporting.batch.keeping.result import write_zip
from core.reporting.batch.run import run_batch
from core.reporting.batch.sources import list_sources
from core.reporting.figures import class_counts
from core.reporting.recipe import Recipe
from core.reporting.report.writing import report_html
from tests.unit.reporting.conftest import CLASSES, draw_discs, micrograph, png

BROKEN = ("broken.tif", b"not a picture")


def contents(result) -> dict[str, bytes]:
    """Every file of a batch; of the manifest what does not depend on the time."""
    found = {name: (result.out / name).read_bytes() for name in result.files}
    manifest = json.loads(found["manifest.json"])
    assert manifest.pop("times")["elapsed_s"] > 0
    return found | {"manifest.json": json.dumps(manifest).encode()}


def test_rows_keep_the_order_given(run):
    sources = [micrograph(3), BROKEN, ("c.png", png(1)), micrograph(0)]
    rows = run(sources).rows
    assert rows["number"].tolist() == [1, 2, 3, 4]
    assert rows["name"].tolist() == ["field 3.tif", "broken.tif", "c.png", "field 0.tif"]
    assert rows["status"].tolist() == ["ok", "failed", "ok", "ok"]


def test_a_row_holds_what_the_network_said(run, classifier):
    from core.learning.classifying.classification import classify

    one = micrograph(5)
    (expected,) = classify(classifier, [one])
    row = run([one]).rows.iloc[0]
    assert row["label"] == expected.label
    assert row["probability"] == pytest.approx(expected.probability, abs=1e-6)
    assert row["runner_up"] == expected.runner_up
    assert sum(row[f"p_{name}"] for name in expected.probabilities) == pytest.approx(1, abs=1e-5)


def test_area_and_regions_of_a_known_pattern(run, recipe):
    pixels = np.full((40, 50), 10, np.uint8)
    pixels[5:15, 5:15] = 200  # 100 px
    pixels[20:30, 10:30] = 200  # 200 px
    pixels[35, 40] = 200  # one px: area, but too small for a region
    from core.micrograph import PixelSize

    calibrated = Micrograph("squares", pixels, PixelSize(0.5, "µm"))
    result = run([calibrated], recipe=recipe)
    row = result.rows.iloc[0]
    assert row["target_area_px"] == 301
    assert row["target_percent"] == pytest.approx(100 * 301 / 2000)
    assert row["cluster_0_percent"] + row["cluster_1_percent"] == pytest.approx(100)
    assert row["target_area_µm2"] == pytest.approx(301 * 0.25)
    assert row["regions"] == 2
    diameters = np.sqrt(4 / np.pi * np.array([100, 200]))
    assert row["mean_diameter_px"] == pytest.approx(diameters.mean())
    assert row["mean_diameter_nm"] == pytest.approx(diameters.mean() * 500)
    assert sorted(result.regions["area_µm2"]) == pytest.approx([25, 50])
    assert sorted(result.regions["equivalent_diameter_nm"]) == pytest.approx(diameters * 500)


def test_without_a_pixel_size_lengths_are_in_px_only(run):
    result = run([micrograph(0)])
    row = result.rows.iloc[0]
    assert pd.isna(row["target_area_µm2"])
    assert pd.isna(row["mean_diameter_nm"])
    assert row["mean_diameter_px"] > 0
    assert result.regions["area_µm2"].isna().all()


def test_the_mask_is_the_target_cluster_at_full_size(run):
    result = run([micrograph(0, shape=(70, 61))])
    row = result.rows.iloc[0]
    mask = cv2.imread(str(result.out / row["mask_file"]), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (70, 61)
    assert set(np.unique(mask)) == {0, 255}
    assert np.count_nonzero(mask) == row["target_area_px"]


def test_filters_act_on_measuring_and_not_on_the_network(run, recipe):
    recipe = replace(recipe, target_cluster=-1)  # left open, the same phase would be measured
    plain = run([micrograph(0)], recipe=recipe).rows.iloc[0]
    inverted = replace(recipe, filters=(Step("invert"),))
    other = run([micrograph(0)], recipe=inverted).rows.iloc[0]
    assert other["target_percent"] == pytest.approx(100 - plain["target_percent"])
    assert other["probability"] == plain["probability"]


def test_16_bit_levels_are_clustered_as_they_are(run, recipe):
    pixels = np.full((32, 32), 30_000, np.uint16)
    pixels[8:16, 8:16] = 30_020  # less than one level of an 8-bit picture apart
    assert run([Micrograph("close", pixels)]).rows.iloc[0]["target_area_px"] == 64


def test_a_bad_file_says_why_and_the_others_go_on(run):
    result = run([BROKEN, micrograph(0)])
    row = result.rows.iloc[0]
    assert row["status"] == "failed"
    assert row["reason"]
    assert not row["reason"].startswith("unexpected")
    assert (len(result.failed), len(result.succeeded)) == (1, 1)
    assert result.preview(1) is None


def test_a_flat_micrograph_fails_alone(run):
    flat = Micrograph("flat", np.full((32, 32), 7, np.uint8))
    rows = run([flat, micrograph(0)]).rows
    assert rows["status"].tolist() == ["failed", "ok"]
    assert "same grey level" in rows["reason"][0]


def test_a_missing_file_is_a_failed_row(run, tmp_path):
    rows = run([tmp_path / "none.tif", micrograph(0)]).rows
    assert rows["status"].tolist() == ["failed", "ok"]
    assert "none.tif" in rows["reason"][0]


def test_an_unexpected_error_is_named_and_logged(run, monkeypatch, caplog):
    def fail(*args, **options):
        raise ZeroDivisionError("secret path")

    monkeypatch.setattr(pipeline, "analyse", fail)
    with caplog.at_level(logging.ERROR):
        rows = run([micrograph(0)]).rows
    assert rows["reason"][0] == "unexpected: ZeroDivisionError"
    assert "secret path" in caplog.text


def test_one_micrograph_that_the_network_refuses_fails_alone(run, monkeypatch):
    from core.learning import explaining

    original = explaining.classify_and_explain

    def refuse(network, micrographs, **options):
        if any(m.name == "bad" for m in micrographs):
            raise RuntimeError("shape")
        return original(network, micrographs, **options)

    monkeypatch.setattr(explaining, "classify_and_explain", refuse)
    rows = run([micrograph(0), micrograph(1, name="bad"), micrograph(2)]).rows
    assert rows["status"].tolist() == ["ok", "failed", "ok"]


def test_all_failed_still_gives_rows_and_files(run):
    result = run([BROKEN, ("empty.png", b"")])
    assert len(result.failed) == 2
    assert (result.out / "manifest.json").is_file()
    assert write_zip(result)


def test_a_copy_is_computed_once_and_told(run, monkeypatch):
    calls = []
    original = pipeline.analyse

    def count(*args, **options):
        calls.append(args[0].name)
        return original(*args, **options)

    monkeypatch.setattr(pipeline, "analyse", count)
    result = run([("a.png", png(0)), ("b.png", png(1)), ("c.png", png(0))])
    assert sorted(calls) == ["a.png", "b.png"]
    rows = result.rows
    assert rows["name"].tolist() == ["a.png", "b.png", "c.png"]
    assert rows["duplicate_of"].isna().tolist() == [True, True, False]
    assert rows["duplicate_of"][2] == 1
    assert rows["probability"][0] == rows["probability"][2]
    assert set(result.regions["number"]) == {1, 2}
    assert result.preview(3) == result.preview(1) is not None


def test_a_copy_tells_its_listener_what_its_first_did(run):
    told = []
    sources = [("a.png", png(0)), BROKEN, ("c.png", png(0))]
    result = run(sources, on_row=told.append)
    assert [row["name"] for row in told] == ["a.png", "broken.tif", "c.png"]
    assert told[2]["duplicate_of"] == 1
    for column in ("label", "probability", "target_percent", "mask_file"):
        assert told[2][column] == told[0][column] == result.rows[column][2]


def test_a_copy_of_what_an_earlier_run_did_is_told_too(run):
    told = []
    sources = [("a.png", png(0)), BROKEN, ("c.png", png(0))]
    run(sources, should_stop=lambda: True)
    run(sources, resume=True, on_row=told.append)
    assert [row["name"] for row in told] == ["broken.tif", "c.png"]
    assert told[1]["label"]


def test_the_same_pixels_at_another_scale_are_no_copy(run):
    rows = run([micrograph(0, nm=1.0), micrograph(0, nm=2.0)]).rows
    assert rows["duplicate_of"].isna().all()
    assert rows["target_area_µm2"][1] == pytest.approx(4 * rows["target_area_µm2"][0])


def test_two_runs_write_the_same_bytes(run, tmp_path):
    sources = [micrograph(seed, nm=1.5) for seed in range(11)] + [BROKEN]
    first, second = (run(sources, tmp_path / name) for name in ("a", "b"))
    pd.testing.assert_frame_equal(first.rows, second.rows)
    assert contents(first) == contents(second)


def test_grouping_changes_no_row(run, tmp_path, monkeypatch):
    sources = [micrograph(seed) for seed in range(5)]
    together = run(sources, tmp_path / "a").rows
    monkeypatch.setattr(pipeline, "GROUP", 1)
    pd.testing.assert_frame_equal(together, run(sources, tmp_path / "b").rows)


def test_progress_is_told_in_order_and_in_the_calling_thread(run):
    told, threads = [], set()

    def listen(done, total, name):
        told.append((done, total, name))
        threads.add(threading.current_thread())

    run([micrograph(0), BROKEN, micrograph(1)], on_progress=listen)
    assert told == [(1, 3, "field 0.tif"), (2, 3, "broken.tif"), (3, 3, "field 1.tif")]
    assert threads == {threading.current_thread()}


def test_a_listener_that_raises_stops_the_batch(run):
    def stop(done, total, name):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([micrograph(seed) for seed in range(12)], on_progress=stop)


def test_only_a_few_micrographs_are_in_memory(run, monkeypatch):
    alive, most = 0, 0
    lock = threading.Lock()
    read, finish = pipeline._read, pipeline._measure

    def count(change):
        nonlocal alive, most
        with lock:
            alive += change
            most = max(most, alive)

    def counted_read(item, recipe):
        count(1)
        read(item, recipe)

    def counted_finish(item, recipe):
        finish(item, recipe)
        assert item.reading.micrograph is None
        count(-1)

    monkeypatch.setattr(pipeline, "_read", counted_read)
    monkeypatch.setattr(pipeline, "_measure", counted_finish)
    run([micrograph(seed, shape=(24, 24)) for seed in range(60)], classifier=_Cheap())
    assert alive == 0
    assert most <= pipeline.GROUP + 3 * (pipeline.WORKERS + 1)


class _Cheap:
    """A classifier that fails at once: reading and finishing go on around it."""

    name, device, layers, reference = "cheap", "cpu", (), None
    has_linear_head = has_attention = answers_only = False

    def __init__(self):
        from core.learning.models import ModelCard
        from core.learning.models.preparation import Preparation

        self.card = ModelCard("cheap", "none", ("a", "b"))
        self.preparation = Preparation()


def test_a_folder_stands_for_its_images_in_order(run, tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for seed, name in enumerate(("b.png", "A.PNG", "sub/c.png", ".hidden.png")):
        (folder / name).write_bytes(png(seed))
    (folder / "notes.txt").write_text("no image")
    assert run([folder]).rows["name"].tolist() == ["A.PNG", "b.png", "sub/c.png"]
    assert run(folder / "b.png").rows["name"].tolist() == ["b.png"]


def test_nothing_to_analyse_is_a_user_error(run, tmp_path):
    with pytest.raises(UserError, match="nothing to analyse"):
        run([])
    with pytest.raises(UserError, match="holds no image"):
        run([tmp_path])


def test_a_source_of_another_kind_is_our_mistake(run):
    with pytest.raises(TypeError, match="a source is"):
        run([42])


def test_an_unknown_engine_is_named_with_those_that_exist(run):
    with pytest.raises(UserError, match=r"'oars'.*threads"):
        run([micrograph(0)], engine="oars")


def test_an_unknown_method_is_refused_before_the_work(run, recipe):
    with pytest.raises(UserError, match="grad-cam"):
        run([micrograph(0)], recipe=replace(recipe, method="tea-leaves"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layer": "attic"}, "no layer 'attic'"),
        ({"explained_class": "cats"}, "no class 'cats'"),
        ({"conformal_level": 0.8}, "gives no prediction sets"),
        ({"model_sha256": "cd" * 32}, "not the ones"),
        ({"clustering": "guess"}, "no clustering 'guess'"),
    ],
)
def test_choices_that_the_model_does_not_have_are_refused_before_the_work(
    run, recipe, change, words
):
    with pytest.raises(UserError, match=words):
        run([micrograph(0)], recipe=replace(recipe, **change))


def test_a_class_that_was_not_predicted_can_be_explained(run, recipe):
    plain = run([micrograph(0)]).rows.iloc[0]
    other = plain["runner_up"]
    shown = run([micrograph(0)], recipe=replace(recipe, explained_class=other))
    assert shown.rows["label"][0] == plain["label"]
    assert "the class " in report_html(shown)


def test_regions_cut_by_the_frame_can_be_left_out(run, recipe):
    pixels = np.full((40, 50), 10, np.uint8)
    pixels[0:8, 0:8] = pixels[20:30, 20:30] = 200
    both = run([Micrograph("m", pixels)]).rows.iloc[0]
    inner = run([Micrograph("m", pixels)], recipe=replace(recipe, drop_border_regions=True))
    assert (both["regions"], inner.rows["regions"][0]) == (2, 1)
    assert inner.rows["target_area_px"][0] == both["target_area_px"]
    assert "cut by the frame are left out" in report_html(inner)


def test_an_archive_is_read_entry_by_entry_and_a_bomb_is_refused(run, tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../outside/a.png", png(0))
        archive.writestr("steel/b.png", png(1))
        archive.writestr("bad.png", b"no")
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.tif", bytes(60_000_000))
    result = run(
        [path, tmp_path / "bomb.zip"],
        recipe=Recipe("tiny", clusters=2, exclude_overlays=False, sample_from="folder"),
    )
    assert result.rows["name"].tolist() == ["a.png", "b.png", "bad.png", "bomb.zip"]
    assert result.rows["status"].tolist() == ["ok", "ok", "failed", "failed"]
    assert result.rows["sample"].tolist()[:2] == ["outside", "steel"]
    assert not (tmp_path.parent / "outside").exists()


def test_an_unknown_model_is_refused(tmp_path):
    with pytest.raises(UserError):
        run_batch([micrograph(0)], Recipe(model="no-such-model"), tmp_path / "out")


def test_a_file_in_place_of_the_folder_is_a_user_error(run, tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        run([micrograph(0)], tmp_path / "taken")


def test_manifest_holds_recipe_model_and_a_digest_of_every_file(run, recipe):
    result = run([micrograph(0), BROKEN])
    manifest = json.loads((result.out / "manifest.json").read_text(encoding="utf-8"))
    pinned = replace(recipe, model_sha256="ab" * 32)
    assert Recipe.from_json(json.dumps(manifest["recipe"])) == pinned
    assert manifest["model"]["sha256"] == "ab" * 32
    assert (manifest["micrographs"], manifest["failed"]) == (2, 1)
    assert {*manifest["sha256"], "manifest.json"} == set(result.files)
    on_disk = {p.relative_to(result.out).as_posix() for p in result.out.rglob("*") if p.is_file()}
    on_disk = {name for name in on_disk if not name.startswith(".batch/")}
    assert on_disk == set(result.files)
    assert Recipe.from_json((result.out / "recipe.json").read_bytes()) == pinned


def test_zip_holds_every_file_and_nothing_else(run):
    result = run([micrograph(0)])
    (result.out / "stranger.txt").write_text("not ours")
    with zipfile.ZipFile(write_zip(result)) as archive:
        assert sorted(archive.namelist()) == sorted(result.files)
        assert archive.testzip() is None


@pytest.mark.parametrize(
    "name", ["../../evil.png", "/etc/passwd", "..\\..\\x.png", "a\x00b.png", ""]
)
def test_no_path_is_built_from_a_name(run, tmp_path, name):
    result = run([(name, png(0))], tmp_path / "deep" / "out")
    row = result.rows.iloc[0]
    assert (row["status"], Path(row["mask_file"]).parent) == ("ok", Path("masks"))
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and result.out not in p.parents]
    assert outside == []


def test_importing_the_batch_brings_no_torch():
    code = (
        "import sys, core.reporting.batch, core.reporting.report; sys.exit('torch' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[4]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_columns_are_the_same_whatever_became_of_the_files(run, tmp_path):
    good = run([micrograph(0, nm=2.0)], tmp_path / "a")
    bad = run([BROKEN], tmp_path / "b")
    assert list(good.rows.columns) == list(bad.rows.columns)
    assert good.rows.notna().all().drop(["duplicate_of", "near_duplicate_of", "novelty"]).all()
    assert list(good.regions.columns) == list(bad.regions.columns)
    for result in (good, bad):
        table = pd.read_csv(result.out / "results.csv")
        assert list(table.columns) == list(result.rows.columns)
        assert len(pd.read_csv(result.out / "regions.csv")) == len(result.regions)


def test_an_interrupted_batch_leaves_no_manifest_of_the_one_before(run):
    first = run([micrograph(0)])
    (first.out / "report.html").write_text("old")
    (first.out / "mine.txt").write_text("keep")

    def stop(done, total, name):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run([micrograph(1)], on_progress=stop)
    left = {path.name for path in first.out.iterdir()}
    assert left.isdisjoint({"manifest.json", "report.html"})
    assert "mine.txt" in left


def test_real_micrographs_of_every_class_go_through(run, recipe, shared_data):
    files = [
        next(folder.glob("*.png"))
        for folder in sorted((shared_data / "em-morph5" / "val").iterdir())
        if folder.is_dir()
    ]
    rows = run(files, recipe=replace(recipe, clusters=3, exclude_overlays=True)).rows
    assert rows["status"].tolist() == ["ok"] * len(files)
    shares = rows[[f"cluster_{number}_percent" for number in range(3)]].sum(axis=1)
    assert shares.to_numpy(float) == pytest.approx(np.full(len(files), 100.0), abs=1e-4)


def test_a_row_and_its_regions_say_who_states_the_pixel_size(run):
    by_hand = set_pixel_size(micrograph(0, "a"), PixelSize(2, "nm"))
    stated = replace(micrograph(1, "b", 3), metadata={"calibration": "ImageJ"})
    result = run([by_hand, stated, micrograph(2, "c", 1), micrograph(3, "d")])
    expected = ["set by hand", "ImageJ", "stated by the file", ""]
    assert result.rows["pixel_size_source"].tolist() == expected
    assert set(result.regions["pixel_size_source"]) == set(expected)


def test_a_corrected_info_bar_is_used_and_is_no_copy_of_the_uncorrected(run, recipe):
    one = micrograph(0)
    corrected = with_overlay_choice(one, OverlayChoice(bottom_rows=24))
    result = run([one, corrected], recipe=replace(recipe, exclude_overlays=True))
    assert result.rows["duplicate_of"].isna().all()
    assert result.rows["excluded_percent"].tolist() == [0, 25]


def test_an_archive_stands_for_what_is_in_it(run):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", png(1))
        archive.writestr("b.png", b"nothing")
    rows = run([("all.zip", buffer.getvalue()), ("bad.zip", b"PK\x03\x04")]).rows
    assert rows["name"].tolist() == ["a.png", "b.png", "bad.zip"]
    assert rows["status"].tolist() == ["ok", "failed", "failed"]


def test_an_archive_on_the_disk_stands_for_what_is_in_it(run, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.png", png(1))
    assert run([tmp_path / "all.zip"]).rows["name"].tolist() == ["a.png"]


def test_a_series_and_its_settings_are_one_micrograph(tmp_path):
    for name in ("x.emi", "x_1.ser", "a.png"):
        (tmp_path / name).write_bytes(b"")
    assert [source.name for source in list_sources(tmp_path)] == ["a.png", "x_1.ser"]


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut short"])
def test_a_bad_archive_on_disk_is_a_failed_row(run, tmp_path, content):
    path = tmp_path / "fields.zip"
    path.write_bytes(content)
    rows = run([path, micrograph(0)]).rows
    assert rows["status"].tolist() == ["failed", "ok"]
    assert rows["reason"].iloc[0]


@pytest.mark.parametrize("name", ["a" * 300 + ".png", "a\0b.png"])
def test_a_path_that_no_file_can_have_is_a_failed_row(run, tmp_path, name):
    rows = run([tmp_path / name, micrograph(0)]).rows
    assert rows["status"].tolist() == ["failed", "ok"]
    assert "unexpected" not in rows["reason"].iloc[0]


def test_a_second_run_on_a_folder_leaves_out_the_pictures_of_the_first(run, tmp_path):
    (tmp_path / "a.png").write_bytes(png(0))
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "b.png").write_bytes(png(1))  # a person's own folder of that name
    for _ in range(2):
        result = run([tmp_path], tmp_path / "report")
        assert result.rows["name"].tolist() == ["a.png", "masks/b.png"]


def test_pixels_without_a_value_are_no_area_even_behind_a_mask_filter(run, recipe):
    whole = micrograph(0).pixels.astype(np.float32)
    holed = whole.copy()
    holed[:24] = np.nan
    otsu = replace(recipe, filters=(Step("otsu"),))
    row = run([Micrograph("holed", holed)], recipe=otsu).rows.iloc[0]
    alone = run([Micrograph("cut", whole[24:])], recipe=otsu).rows.iloc[0]
    assert row["target_percent"] == alone["target_percent"]
    assert row["excluded_percent"] == 25


def test_scales_that_only_print_alike_are_no_copies(run):
    pixels = micrograph(0).pixels
    pair = [Micrograph("a", pixels, PixelSize(nm, "nm")) for nm in (1.23456, 1.23457)]
    assert run(pair).rows["duplicate_of"].isna().all()


@pytest.mark.parametrize(
    ("clustering", "said"), [("features", "k-means"), ("mixture", "Gaussians")]
)
def test_a_batch_clusters_by_features_as_the_core_does(run, recipe, clustering, said):
    from dataclasses import replace

    from core.measuring.clustering import Smoothing, cluster_features, smooth_labels
    from core.reporting.batch.analysis import CLUSTERINGS
    from core.reporting.report.wording import methods

    wanted = replace(recipe, clustering=clustering, smoothing=Smoothing("majority"))
    one = micrograph(3)
    result = run([one], recipe=wanted)
    found = cluster_features(one, wanted.clusters, method=CLUSTERINGS[clustering])
    smooth = smooth_labels(found, one.pixels, wanted.smoothing)
    expected = 100 * float(smooth.fractions[wanted.target])
    assert result.rows["target_percent"][0] == pytest.approx(expected, abs=1e-6)
    text = methods(result)
    assert said in text
    assert "majority within 2 px" in text


def test_prediction_sets_follow_the_level_of_the_recipe(tmp_path):
    """The shipped model keeps its held-out answers, so any level can be had."""
    sets = []
    for level in (0.5, 0.99):
        wanted = Recipe(clusters=2, conformal_level=level, pictures=())
        result = run_batch([micrograph(0), micrograph(1)], wanted, tmp_path / str(level))
        assert result.rows["novelty"].notna().all()
        sets.append(result.rows["candidates"].str.count(r"\|").sum())
    assert sets[0] < sets[1]


def test_a_row_says_which_ground_a_filter_picked_and_what_percentiles_are_by(run, recipe):
    step = Step("rolling_ball", {"ground": "auto", "radius_px": 20})
    row = run([micrograph(3)], recipe=replace(recipe, filters=(step,), sizes_by="area")).rows.iloc[
        0
    ]
    assert row["filters_picked"].startswith("rolling_ball: ground ")
    assert row["sizes_by"] == "area"
    assert row["d10_px"] <= row["d50_px"] <= row["d90_px"]
    assert row["sauter_d32_px"] <= row["de_brouckere_d43_px"]


def test_a_network_of_several_labels_names_any_number_of_classes(run, classifier, recipe):
    from core.learning.models import Classifier

    several = Classifier(classifier.network, replace(classifier.card, multi_label=True))
    result = run([micrograph(0)], classifier=several)
    row = result.rows.iloc[0]
    shares = {name: row[f"p_{name}"] for name in CLASSES}
    assert sum(shares.values()) != pytest.approx(1, abs=1e-3)
    named = {name for name, p in shares.items() if p > 0.5}
    assert set(words_of(row["classes_named"])) == named
    assert row["candidates"] == ""
    report = report_html(result)
    assert "Classes above the threshold" in report
    assert "Several classes may be true of one micrograph" in report
    assert class_counts(result.rows).sum() == len(named)


def test_a_tiny_frame_gets_no_class_and_says_why(run):
    result = run([Micrograph("tiny", draw_discs(0)[:20, :20]), micrograph(1)])
    row = result.rows.iloc[0]
    assert (row["status"], row["label"], row["candidates"]) == ("ok", "", "")
    assert "too few pixels" in row["signs_against"]
    assert np.isnan(row["probability"])
    assert "novel" in words_of(row["warnings"])
    assert "no class: it has too few pixels" in report_html(result)
