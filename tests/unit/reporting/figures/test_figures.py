import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.imaging.display import write_level
from core.imaging.filtering.operations.frequency import radial_power
from core.imaging.filtering.profiles import line_profile
from core.learning.classifying.classification import Classification
from core.measuring.clustering import choose_k_gray, cluster_gray, fraction_bands
from core.micrograph import Micrograph, PixelSize
from core.reporting import figures

RNG = np.random.default_rng(0)
GREY8 = Micrograph("8", RNG.integers(0, 256, (40, 50)).astype(np.uint8))
GREY16 = Micrograph("16", RNG.integers(100, 60_000, (40, 50)).astype(np.uint16))
FLOAT = Micrograph("f", RNG.normal(0, 1, (40, 50)).astype(np.float32))
ANSWER = Classification("b", {"a": 0.3, "b": 0.65, "c": 0.05}, ("b",), None, "tiny", True)
CHOICE = choose_k_gray(GREY8, most=5)
ROWS = pd.DataFrame(
    {
        "status": ["ok", "ok", "failed"],
        "label": ["a", "a", None],
        "p_a": [1.0, 1, np.nan],
        "p_b": [0.0, 0, np.nan],
    }
)


def every_figure(dark: bool) -> list[go.Figure]:
    return [
        figures.probabilities(ANSWER, dark=dark),
        figures.histogram(GREY8, dark=dark),
        figures.histogram(GREY8, FLOAT, (17.5,), dark=dark),
        figures.cluster_histogram(GREY16, cluster_gray(GREY16, 3), dark=dark),
        figures.fraction_bands(fraction_bands(GREY8, cluster_gray(GREY8, 4)), dark=dark),
        figures.class_distribution(ROWS, dark=dark),
        figures.choice_of_k(CHOICE.table, CHOICE.votes, dark=dark),
    ]


@pytest.mark.parametrize("dark", [False, True])
def test_every_figure_is_transparent_and_names_its_axes(dark):
    for figure in every_figure(dark):
        look = figure.layout.template.layout
        assert look.paper_bgcolor == look.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.xaxis.title.text
        assert 100 <= figure.layout.height <= 640
        figure.to_json()


def test_ink_follows_the_page():
    light, dark = (figures.probabilities(ANSWER, dark=dark) for dark in (False, True))
    assert light.layout.template.layout.font.color < dark.layout.template.layout.font.color


def test_probabilities_are_percent_with_the_predicted_class_first():
    bars = figures.probabilities(ANSWER, {"b": "rods & <fibres>"}).data[0]
    assert list(bars.x) == pytest.approx([65, 30, 5])
    assert list(bars.y) == ["rods &amp; &lt;fibres&gt;", "a", "c"]
    assert len(set(bars.marker.color)) == 3


def test_classes_below_a_threshold_are_pale_and_a_line_stands_there():
    figure = figures.probabilities(ANSWER, threshold=0.4)
    assert figure.data[0].marker.opacity[0] == 1
    assert max(figure.data[0].marker.opacity[1:]) < 0.5
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == pytest.approx(40)
    bars = figure.data[0]
    under = [p == "none" for p in bars.textposition]
    assert under == [0 <= 40 - value < 22 for value in bars.x]  # no number lies under the line
    behind = {note.y: (note.text, note.x) for note in figure.layout.annotations}
    names = [name for name, hidden in zip(bars.y, under, strict=True) if hidden]
    texts = [text for text, hidden in zip(bars.text, under, strict=True) if hidden]
    assert behind == {name: (text, 40) for name, text in zip(names, texts, strict=True)}


@pytest.mark.parametrize("micrograph", [GREY8, GREY16, FLOAT])
def test_a_histogram_counts_every_pixel_in_at_most_256_bins(micrograph):
    bars = figures.histogram(micrograph).data[0]
    assert len(bars.x) <= 256
    assert sum(bars.y) == pytest.approx(100)
    low, high = float(micrograph.pixels.min()), float(micrograph.pixels.max())
    assert low - 1 <= bars.x[0]
    assert bars.x[-1] <= high + (high - low) / 100


def test_8_bit_bins_are_the_grey_levels():
    bars = figures.histogram(GREY8).data[0]
    counts = np.bincount(GREY8.pixels.ravel(), minlength=256)
    np.testing.assert_allclose(bars.y, 100 * counts / GREY8.pixels.size)
    assert list(bars.x[:3]) == [0, 1, 2]


def test_16_bit_bins_hold_equally_many_levels():
    widths = figures.histogram(GREY16).data[0].width
    assert set(widths) == {widths[0]}
    assert float(widths[0]).is_integer()


def test_excluded_and_missing_pixels_are_not_counted():
    pixels = np.array([[1.0, np.nan], [3.0, 5.0]], np.float32)
    exclude = np.array([[False, False], [False, True]])
    bars = figures.histogram(Micrograph("x", pixels), exclude=exclude).data[0]
    assert sorted(y for y in bars.y if y) == [50, 50]


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_picture_is_one_bin(value):
    bars = figures.histogram(Micrograph("x", np.full((4, 4), value, np.uint8))).data[0]
    assert (list(bars.x), list(bars.y)) == ([value], [100])


def test_pictures_of_one_depth_share_an_axis_and_others_do_not():
    assert "xaxis2" not in figures.histogram(GREY8, GREY8).to_plotly_json()["layout"]
    assert "float" in figures.histogram(GREY8, FLOAT).layout.xaxis2.title.text


def test_clusters_together_are_the_whole_histogram():
    figure = figures.cluster_histogram(GREY16, cluster_gray(GREY16, 3))
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert len(bars) == 3
    assert sum(sum(trace.y) for trace in bars) == pytest.approx(100)
    assert len(figure.layout.shapes) == 2


def test_classes_that_nothing_fell_into_are_shown():
    bars = figures.class_distribution(ROWS, {"a": "alloys"}).data[0]
    assert (list(bars.y), list(bars.x)) == (["alloys", "b"], [2, 0])


def test_bands_show_no_negative_error_where_draws_lie_beside_the_fraction():
    bands = pd.DataFrame(
        {"cluster": [0, 1], "fraction_pct": [60.0, 40], "low_pct": [61.0, 30], "high_pct": [70, 39]}
    )
    bars = figures.fraction_bands(bands).data[0]
    assert list(bars.y) == [60, 40]
    assert min(*bars.error_y.array, *bars.error_y.arrayminus) == 0


def test_each_measure_marks_the_number_that_it_favours():
    figure = figures.choice_of_k(CHOICE.table, CHOICE.votes)
    marks = [list(trace.x) for trace in figure.data if trace.mode == "markers"]
    assert marks == [[CHOICE.votes[name]] for name in CHOICE.votes]


def test_line_profiles_share_an_axis_only_at_one_depth():
    micrograph = Micrograph("a", np.arange(60, dtype=np.uint8).reshape(6, 10), PixelSize(2, "nm"))
    profile = line_profile(micrograph, (2, 0), (2, 9))
    figure = figures.line_profiles(profile, profile)
    assert figure.layout.xaxis.title.text == "distance (nm)"
    assert [trace.yaxis for trace in figure.data] == ["y", "y"]
    parted = figures.line_profiles(profile, profile, same_depth=False)
    assert [trace.yaxis for trace in parted.data] == ["y", "y2"]
    assert parted.layout.yaxis2.title.text == "after"


def test_radial_power_has_periods_in_nanometres_and_round_ticks():
    pixels = np.random.default_rng(0).integers(0, 255, (64, 80), dtype=np.uint8)
    radial = radial_power(pixels)
    figure = figures.radial_powers(radial, radial, PixelSize(0.5, "nm"))
    assert figure.layout.xaxis.title.text == "period (nm)"
    np.testing.assert_allclose(figure.data[0].x, 0.5 / radial.frequency)
    assert set(figure.layout.xaxis.ticktext) <= {"1", "2", "5", "10", "20", "50", "100"}
    empty = radial_power(np.zeros((1, 1), np.uint8))
    assert len(figures.radial_powers(empty, empty, None).data[0].x) == 0


def test_what_was_measured_by_hand_is_counted_with_its_mean():
    values = np.array([10.0, 12, 14, 30])
    figure = figures.hand_histogram(values, "length", "nm", dark=True)
    assert sum(figure.data[0].y) == 4
    assert figure.data[1].x == (16.5,)
    assert figure.data[1].error_x.value == pytest.approx(values.std(ddof=1))
    assert figure.layout.xaxis.title.text == "length (nm)"
    assert sum(figures.hand_histogram(np.full(3, 5.0), "area", "nm²").data[0].y) == 3


def test_mistakes_tell_sides_from_what_may_be_right_and_leave_out_what_is_not_known():
    nan = float("nan")
    figure = figures.mistakes(
        ("share", "count", "D10", "D50"),
        (2, -30, nan, 900),
        (-5, -40, nan, -50),
        (9, -20, nan, 2000),
    )
    may_be_right, sided = figure.data
    assert list(may_be_right.y) == ["share", "D50"]
    assert list(sided.y) == ["count"]
    assert may_be_right.marker.color != sided.marker.color
    assert list(sided.error_x.array) == [10]
    assert tuple(figure.layout.xaxis.range) == (-100, 100)
    assert tuple(figures.mistakes((), (), (), ()).layout.xaxis.range) == (-5.4, 5.4)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (-0.5, "-0.5"),
        (12.34, "12.34"),
        (140.25, "140.2"),
        (255, "255"),
        (1431.3, "1431"),
        (22148, "22\u202f148"),
        (5.108e-12, "5.11\u202f×\u202f10⁻¹²"),
        (3.2e30, "3.20\u202f×\u202f10³⁰"),
    ],
)
def test_grey_levels_are_written_as_people_do(value: float, said: str):
    assert write_level(value) == said
