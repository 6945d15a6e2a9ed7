"""Samples are named on Home, known on every page, and a batch groups by them."""

from tests.pages.steps import assert_calm, finish_batch, texts, upload


def loaded(app, png, other_png):
    """Load four micrographs of two samples, each another picture."""
    names = ("AgC_1.png", "AgC_2.png", "SteelA_1.png", "SteelA_2.png")
    contents = (png, png + b"\0", other_png, other_png + b"\0")
    return upload(app, *zip(names, contents, strict=True))


def suggested(app, page: str):
    return next(each for each in app.button if each.key == f"{page}_suggested")


def test_home_suggests_samples_and_the_batch_groups_by_them(app, png, other_png):
    loaded(app, png, other_png)
    assert suggested(app, "home").label == "Use AgC 2 · SteelA 2"
    suggested(app, "home").click().run()
    assert_calm(app)
    assert "**Samples** AgC 2 · SteelA 2" in texts(app)
    app.switch_page("pages/1_Classify.py").run()
    assert "Sample **SteelA**" in texts(app)  # what was loaded last
    app.switch_page("pages/6_Batch_Report.py").run()
    assert app.selectbox(key="batch_sample_from").value == "name:start"
    finish_batch(app)
    assert_calm(app)
    rows = app.session_state["batch_run"].result.rows
    assert rows["sample"].tolist() == ["AgC", "AgC", "SteelA", "SteelA"]
    assert "**AgC**" in texts(app)
    assert "**SteelA**" in texts(app)


def test_what_a_hand_named_counts_before_the_rule(app, png, other_png):
    loaded(app, png, other_png)
    first = next(iter(app.session_state["workspace_micrographs"]))
    app.session_state["workspace_samples"] = {first: "Gold"}
    suggested(app, "home").click().run()
    assert "**Samples** Gold 1 · AgC 1 · SteelA 2" in texts(app)
    app.switch_page("pages/6_Batch_Report.py").run()
    finish_batch(app)
    result = app.session_state["batch_run"].result
    assert result.rows["sample"].tolist() == ["Gold", "AgC", "SteelA", "SteelA"]
    assert result.recipe.samples == (("AgC_1.png", "Gold"),)


def test_a_table_names_samples(app, png, other_png):
    loaded(app, png, other_png)
    table = b"name,sample\nAgC_1.png,one\nSteelA_2.png,two\nother.png,three\n"
    app.file_uploader(key="home_samples_table_0").upload("samples.csv", table).run()
    assert_calm(app)
    assert "**Samples** one 1 · two 1" in texts(app)
    assert "2 of 3 names in the table are loaded" in texts(app)
    next(each for each in app.button if each.key == "home_samples_forget").click().run()
    assert "Which micrographs show the same specimen?" in texts(app)


def test_without_samples_a_batch_of_unlike_frames_says_no_mean(app, png, other_png):
    upload(app, ("a.png", png), ("b.png", other_png))
    app.switch_page("pages/6_Batch_Report.py").run()
    assert not [each for each in app.button if each.key == "batch_suggested"]
    finish_batch(app)
    assert_calm(app)
    assert "on average" not in texts(app)
