"""Figures for a paper: sizes in mm, pixels, lines as lines, letters as letters."""

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from core.errors import UserError
from core.measuring.by_hand import Shape
from core.micrograph import PixelSize
from core.reporting import paper

SVG = "{http://www.w3.org/2000/svg}"


def grey_panel(height: int = 300, width: int = 400, **more: object) -> paper.Panel:
    return paper.Panel(np.full((height, width), 90, np.uint8), **more)  # type: ignore[arg-type]


def pixels_of(sheet: paper.Sheet) -> np.ndarray:
    with Image.open(io.BytesIO(paper.png_of(sheet))) as picture:
        return np.asarray(picture)


def page_of(content: bytes) -> tuple[tuple[float, float], str, int]:
    """Return the page's size in points, its text, and how many paths it holds."""
    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0]
        words = page.get_textpage()
        text = words.get_text_bounded()
        words.close()
        paths = sum(each.type == 2 for each in page.get_objects(max_depth=5))
        return page.get_size(), text, paths
    finally:
        document.close()


@pytest.mark.parametrize("width_mm", paper.WIDTHS_MM)
@pytest.mark.parametrize("dpi", paper.DPIS)
def test_png_has_as_many_pixels_as_width_times_resolution(width_mm: float, dpi: int) -> None:
    style = paper.Style(width_mm=width_mm, dpi=dpi)
    content = paper.png_of(paper.plate([grey_panel()], style))
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size[0] == round(width_mm * dpi / 25.4)
        assert picture.size[1] == pytest.approx(picture.size[0] * 3 / 4, abs=1)
        assert picture.info["dpi"] == pytest.approx((dpi, dpi), abs=0.01)


def test_pixels_of_the_micrograph_are_those_of_the_screen() -> None:
    """As many px as the figure has: each is itself."""
    style = paper.Style(width_mm=85)
    picture = np.random.default_rng(0).integers(0, 256, (200, style.width_px), np.uint8)
    shown = pixels_of(paper.plate([paper.Panel(picture)], style))
    assert shown.shape == (200, style.width_px, 3)
    assert np.array_equal(shown[..., 0], picture)


@pytest.mark.parametrize("nm_per_px", [0.4, 2.5, 31.0])
@pytest.mark.parametrize("theme", list(paper.THEMES))
def test_scale_bar_is_as_long_as_it_says(nm_per_px: float, theme: str) -> None:
    style = paper.Style(width_mm=85, dpi=600, theme=theme)
    panel = grey_panel(pixel_size=PixelSize(nm_per_px, "nm"))
    sheet = paper.plate([panel], style)
    shown = pixels_of(sheet)[..., :3].astype(int)
    white = (shown.min(axis=-1) > 250).sum(axis=1)
    found_px = white.max()
    label = page_of(paper.pdf_bytes(sheet))[1]
    value, unit = re.search(r"([\d.]+) (nm|µm)", label).groups()  # type: ignore[union-attr]
    nm = float(value) * {"nm": 1, "µm": 1e3}[unit]
    assert found_px == pytest.approx(nm / nm_per_px * style.width_px / 400, abs=1)


def test_scale_bar_keeps_clear_of_what_the_instrument_wrote() -> None:
    info_bar = (250, 0, 300, 400)
    panel = grey_panel(pixel_size=PixelSize(1, "nm"), written=[info_bar])
    style = paper.Style()
    rows = np.nonzero(pixels_of(paper.plate([panel], style))[..., 0] != 90)[0]
    assert rows.max() < 250 / 400 * style.width_px
    assert not len(np.unique(pixels_of(paper.plate([grey_panel()], style)))) > 1  # no size: no bar


def test_pdf_and_svg_have_the_size_on_paper() -> None:
    sheet = paper.plate([grey_panel()], paper.Style(width_mm=120))
    (width, height), _, _ = page_of(paper.pdf_bytes(sheet))
    assert width * 25.4 / 72 == pytest.approx(120, abs=0.05)
    assert height * 25.4 / 72 == pytest.approx(90, abs=0.1)
    root = ElementTree.fromstring(paper.svg_bytes(sheet))
    assert float(root.get("width", "").removesuffix("mm")) == pytest.approx(120, abs=0.05)
    assert root.get("viewBox", "").split()[2] == root.get("width", "").removesuffix("mm")


def full_panel() -> paper.Panel:
    ring = np.array([(100, 100), (100, 200), (200, 200), (200, 100)], float)
    colours = np.zeros((256, 4), np.uint8)
    colours[1] = (255, 0, 0, 255)
    values = np.zeros((300, 400), np.uint8)
    values[:, 200:] = 1
    return grey_panel(
        pixel_size=PixelSize(2, "nm"),
        tints=[paper.Tint("Phases", values, colours, 0.5, names={1: "carbide <1>"})],
        lines=[paper.Lines("Grains", [(12, ring)], "#39d0ff")],
        shapes=[Shape("ruler", ((50, 20), (50, 120)), "L")],
    )


def test_lines_and_letters_stay_so() -> None:
    sheet = paper.plate([full_panel(), full_panel()], paper.Style(width_mm=180), columns=2)
    _, text, paths = page_of(paper.pdf_bytes(sheet))
    assert paths > 8
    for words in ("a", "b", "12", "200 nm", "carbide <1>"):
        assert words in text
    root = ElementTree.fromstring(paper.svg_bytes(sheet))
    said = [each.text for each in root.iter(f"{SVG}text")]
    assert {"a", "b", "12", "200 nm", "carbide <1>"} <= set(said)
    names = {each.get("data-name") for each in root.iter()}
    assert {"Phases", "Grains", "Scale bar", "L"} <= names
    assert [each.get("stroke") for each in root.iter() if each.get("data-name") == "Grains"] == [
        "#39d0ff"
    ] * 2


def test_outline_lies_where_its_region_does() -> None:
    """Corner (100, 100) of 400 px on 85 mm: the middle of that pixel."""
    root = ElementTree.fromstring(paper.svg_bytes(paper.plate([full_panel()], paper.Style())))
    path = next(each for each in root.iter() if each.get("data-name") == "Grains")
    x, y = map(float, re.findall(r"[\d.]+", path.get("d", ""))[:2])
    width = float(root.get("width", "").removesuffix("mm"))
    assert (x, y) == pytest.approx((100.5 * width / 400,) * 2, abs=0.02)


def test_layer_has_its_opacity() -> None:
    shown = pixels_of(paper.plate([full_panel()], paper.Style()))
    right = shown[20, -20].astype(int)
    assert right == pytest.approx([172, 45, 45], abs=2)  # half of 90 and half of red
    assert shown[20, 20].tolist() == [90, 90, 90]


def test_clear_paper_is_clear() -> None:
    style = paper.Style(theme="Clear")
    shown = pixels_of(paper.plate([grey_panel(), grey_panel(200, 400)], style, columns=2))
    assert shown.shape[2] == 4
    assert shown[-2, -2].tolist()[3] == 0
    assert shown[5, -5].tolist() == [90, 90, 90, 255]


def test_letters_only_where_there_are_several() -> None:
    style = paper.Style()
    assert page_of(paper.pdf_bytes(paper.plate([grey_panel()], style)))[1].strip() == ""
    three = paper.plate([grey_panel()] * 3, style, columns=2)
    assert sorted(page_of(paper.pdf_bytes(three))[1].split()) == ["a", "b", "c"]


@pytest.mark.parametrize("font", list(paper.FONTS))
def test_every_font_writes_what_micrographs_need(font: str) -> None:
    panel = grey_panel(pixel_size=PixelSize(3, "µm"), shapes=[Shape("point", ((9, 9),), "−5 µm²")])
    text = page_of(paper.pdf_bytes(paper.plate([panel], paper.Style(font=font))))[1]
    assert "5 µm²" in text
    assert "mm" in text or "µm" in text


def test_one_pixel_and_a_line_of_pixels_have_figures() -> None:
    for shape in [(1, 1), (1, 900), (2000, 3)]:
        panel = paper.Panel(np.zeros(shape, np.uint8), PixelSize(1, "nm"))
        assert pixels_of(paper.plate([panel], paper.Style(width_mm=20))).shape[1] == 236


def test_style_of_strangers_falls_back() -> None:
    assert paper.Style.read({"width_mm": 120, "dpi": 600}) == paper.Style(width_mm=120, dpi=600)
    for said in [None, 3, {"width_mm": "wide"}, {"dpi": 1e9}, {"font": "<b>"}, {"width_mm": 1e308}]:
        assert paper.Style.read(said) == paper.Style()


def test_a_frame_keeps_its_pixels_under_what_was_drawn() -> None:
    picture = np.random.default_rng(0).integers(0, 200, (300, 1100), np.uint8)
    panel = paper.Panel(picture, PixelSize(1, "nm"), shapes=[Shape("ruler", ((99, 9), (99, 209)))])
    shown = pixels_of(paper.on_frame(panel))
    assert shown.shape == (300, 1100, 3)
    assert np.array_equal(shown[:30, :, 0], picture[:30])
    yellow = (shown[97:103] == (255, 210, 74)).all(axis=-1).any(axis=0)
    assert np.nonzero(yellow)[0].tolist()[0] == pytest.approx(9, abs=2)
    assert np.nonzero(yellow)[0].tolist()[-1] == pytest.approx(209, abs=2)
    wide = paper.on_frame(paper.Panel(np.zeros((10, 12_000), np.uint8)))
    assert wide.width_px == 9449


def dot() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2), (255, 0, 0)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


CHART = f"""<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
 width="320" height="160" viewBox="0 0 320 160"><defs><clipPath id="c"><rect x="0" y="0"
 width="100" height="160"/></clipPath><pattern id="p" width="8" height="8">
 <rect width="8" height="8" fill="rgb(0,0,255)" fill-opacity="0.5"/>
 <path d="M0,8L8,0" style="stroke: #fff; stroke-width: 1px"/></pattern></defs>
 <rect width="320" height="160" style="fill: rgb(255, 255, 255); fill-opacity: 1;"/>
 <g clip-path="url(#c)"><path d="M0,0H320V40H0Z" style="fill: rgb(0, 128, 0);"/></g>
 <path transform="translate(200,80)" d="M20,0A20,20 0 1,1 0,-20A20,20 0 0,1 20,0Z"
 style="fill: rgb(217,115,13); opacity: 0.5"/><rect x="8" y="80" width="64" height="64"
 style="fill: url('#p')"/><image x="300" y="140" width="20" height="20"
 xlink:href="data:image/png;base64,{dot()}"/>
 <text x="160" y="150" text-anchor="middle" style="font-size: 13px; fill: rgb(31,39,51)">diameter
 (nm<tspan style="font-size:70%" dy="-0.6em">2</tspan>)</text>
 <text style="visibility: hidden">no</text>
 <text transform="rotate(-90,20,60)" x="20" y="60">regions</text></svg>""".encode()


def test_chart_becomes_a_pdf_of_its_size() -> None:
    content = paper.chart_pdf(CHART, paper.Style())
    (width, height), text, paths = page_of(content)
    assert (width, height) == pytest.approx((240, 120))
    assert "diameter" in text
    assert "regions" in text
    assert "no" not in text.replace("regions", "").replace("nm", "").split()
    assert paths > 4
    document = pypdfium2.PdfDocument(content)
    shown = document[0].render(scale=320 / 240, rev_byteorder=True).to_numpy()[..., :3].astype(int)
    document.close()
    assert shown[20, 50] == pytest.approx([0, 128, 0], abs=3)  # within the clip
    assert shown[20, 150] == pytest.approx([255, 255, 255], abs=3)  # outside of it
    assert shown[80, 200] == pytest.approx([236, 185, 134], abs=4)  # half an orange disc
    assert shown[62, 200] == pytest.approx([236, 185, 134], abs=8)  # up to its edge
    assert shown[55, 200] == pytest.approx([255, 255, 255], abs=3)
    assert shown[150, 310] == pytest.approx([255, 0, 0], abs=3)
    hatched = shown[84:140, 12:68]
    assert 120 < hatched[..., 0].mean() < 160  # half of blue over white, and white lines
    assert (hatched.min(axis=-1) > 200).mean() > 0.05


@pytest.mark.parametrize(
    "svg",
    [
        b"",
        b"<svg",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg width="1" height="1">&a;</svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<svg width="1e9" height="5"/>',
        b" " * (13 * 2**20),
    ],
)
def test_what_is_no_chart_gets_a_sentence(svg: bytes) -> None:
    with pytest.raises(UserError, match=r"chart"):
        paper.chart_pdf(svg, paper.Style())


@pytest.mark.parametrize(
    "inner",
    [
        '<rect width="1e400" height="-1e308" fill="rgb(1e400,-5,9)" opacity="1e9"/>',
        '<g transform="scale(1e300)"><g transform="scale(1e300)"><path d="M0 0A1e308 1 0 0 1 9 9"/>'
        "</g></g>",
        '<image href="data:image/png;base64,é" width="9" height="9"/>',
        '<g transform="matrix(nan 0 0 0 0 0)"><text font-size="0" x="1e308">a</text></g>',
    ],
)
def test_charts_of_absurd_numbers_are_drawn_or_refused_in_a_sentence(inner):
    svg = f'<svg width="700" height="450">{inner}</svg>'.encode()
    said = "."
    try:
        paper.chart_pdf(svg, paper.Style())
    except UserError as error:
        said = str(error)
    assert said.endswith(".")


def test_hatches_that_hold_hatches_do_not_multiply():
    tile = '<rect width="9" height="9" fill="url(#p)"/>' * 50
    pattern = f'<defs><pattern id="p" width="9" height="9">{tile}</pattern></defs>'
    inner = '<rect width="500" height="400" fill="url(#p)"/>' * 20
    svg = f'<svg width="700" height="450">{pattern}{inner}</svg>'.encode()
    with pytest.raises(UserError, match="save it as SVG or PNG"):
        paper.chart_pdf(svg, paper.Style())


def test_a_strip_one_pixel_wide_is_no_figure_of_gigabytes():
    panel = paper.Panel(np.zeros((4000, 1), np.uint8))
    with pytest.raises(UserError, match="at most 60 million"):
        paper.plate([panel], paper.Style())
