"""What each maker states, of the page and of the picture that is there: the right value or none."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.imaging.reading.opening import read_micrograph
from core.imaging.scale.statements import Statement, settle
from core.micrograph import Micrograph

SHAPE = (48, 64)


def tiff(*pages: tuple[tuple[int, int], dict]) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as writer:
        for shape, options in pages:
            writer.write(np.zeros(shape, np.uint8), metadata=None, **options)
    return stream.getvalue()


def tag(code: int, text: str, **options: object) -> dict:
    return {"extratags": [(code, 2, 0, text, True)], **options}


def nm(micrograph: Micrograph) -> float | None:
    return None if micrograph.pixel_size is None else micrograph.pixel_size.to("nm")


def read(shape: tuple[int, int], options: dict, frame: int = 0) -> Micrograph:
    return read_micrograph(tiff((shape, options)), frame=frame)


def approx(value: float | None) -> object:
    return None if value is None else pytest.approx(value, rel=1e-4)


# --- the law ----------------------------------------------------------------------------------


def test_statements_that_disagree_are_both_said_and_none_is_used() -> None:
    size, fields = settle([Statement("A", 1e-8), Statement("B", 2e-8)], 64, 48)
    assert size is None
    assert "A states 10 nm and B 20 nm" in fields["calibration"]
    assert settle([Statement("A", 1e-8), Statement("B", 1.009e-8)], 64, 48)[0] is not None


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (64, 48, 10),
        (64, 52, 10),  # with an info bar below
        (48, 64, 10),  # turned by 90°
        (32, 24, None),  # made smaller
        (32, 48, None),
        (64, 24, None),  # cut
        (64, 96, None),
        (128, 96, None),
    ],
)
def test_the_picture_spoken_of_is_the_one_that_is_there(
    width: int, height: int, expected: float | None
) -> None:
    size, fields = settle([Statement("A", 1e-8, None, 64, 48)], width, height)
    assert (None if size is None else size.to("nm")) == approx(expected)
    if expected is None:
        assert "made smaller or cut since" in fields["calibration"]
    if width == 48:
        assert "turned by 90°" in fields["calibration"]


# --- FEI --------------------------------------------------------------------------------------


def fei(edge: float = 1e-8, *, frame: str = "", more: str = "") -> str:
    return (
        f"[Beam]\r\nHV=5000\r\nBeam=EBeam\r\n[Scan]\r\nPixelWidth={edge}\r\nPixelHeight={edge}\r\n"
        f"[Image]\r\n{frame}{more}"
    )


FRAME = "ResolutionX=64\r\nResolutionY=44\r\n"


@pytest.mark.parametrize("code", [34680, 34682])
@pytest.mark.parametrize(
    ("shape", "expected"), [((44, 64), 10), ((48, 64), 10), ((24, 32), None), ((20, 64), None)]
)
def test_fei_counts_for_its_own_frame(
    code: int, shape: tuple[int, int], expected: float | None
) -> None:
    assert nm(read(shape, tag(code, fei(frame=FRAME)))) == approx(expected)


def test_fei_is_read_page_by_page() -> None:
    data = tiff((SHAPE, tag(34682, fei(1e-8))), (SHAPE, tag(34682, fei(5e-9))), (SHAPE, {}))
    assert [nm(read_micrograph(data, frame=i)) for i in range(3)] == [approx(10), approx(5), None]


def test_fei_with_the_beams_own_scan_only_is_read() -> None:
    text = "[Beam]\r\nBeam=EBeam\r\n[EScan]\r\nPixelWidth=1e-8\r\nPixelHeight=1e-8\r\n"
    assert nm(read(SHAPE, tag(34682, text))) == approx(10)


def test_fei_whose_field_width_says_otherwise_gives_none() -> None:
    more = "[EBeam]\r\nHFW=1.28e-6\r\n"
    found = read(SHAPE, tag(34682, fei(frame=FRAME, more=more)))
    assert nm(found) is None
    assert "field width 20 nm" in found.metadata["calibration"]


def test_fei_against_imagej() -> None:
    options = {"description": "ImageJ=1.53t\nunit=nm", "resolution": (1 / 20, 1 / 20)}
    assert nm(read(SHAPE, tag(34682, fei(), **options))) is None
    options["resolution"] = (1 / 10, 1 / 10)
    assert nm(read(SHAPE, tag(34682, fei(), **options))) == approx(10)


TITAN = (
    '<?xml version="1.0"?><Metadata><BinaryResult>{size}<PixelSize><X unit="{unit}">{x}</X>'
    '<Y unit="{unit}">{x}</Y></PixelSize></BinaryResult></Metadata>'
)


@pytest.mark.parametrize(
    ("unit", "x", "size", "expected"),
    [
        ("m", "2.5e-010", "", 0.25),
        ("nm", "0.25", "", 0.25),
        ("1/m", "2.5e8", "", None),
        ("m", "2.5e-010", "<ImageSize><X>64</X><Y>48</Y></ImageSize>", 0.25),
        ("m", "2.5e-010", "<ImageSize><X>128</X><Y>96</Y></ImageSize>", None),
    ],
)
def test_xml_of_titan_is_read(unit: str, x: str, size: str, expected: float | None) -> None:
    text = TITAN.format(unit=unit, x=x, size=size)
    assert nm(read(SHAPE, tag(34683, text))) == approx(expected)


PHENOM = (
    '<?xml version="1.0"?><FeiImage version="2"><pixelWidth unit="{unit}">{x}</pixelWidth>'
    '<pixelHeight unit="{unit}">{x}</pixelHeight></FeiImage>'
)


@pytest.mark.parametrize(("unit", "x"), [("um", 0.05), ("nm", 50), ("m", 5e-8), ("&#181;m", 0.05)])
def test_xml_of_phenom_is_read_in_a_tiff_and_behind_a_jpeg(unit: str, x: float) -> None:
    text = PHENOM.format(unit=unit, x=x)
    assert nm(read(SHAPE, tag(34683, text))) == approx(50)
    stream = io.BytesIO()
    Image.fromarray(np.zeros(SHAPE, np.uint8)).save(stream, "JPEG")
    assert nm(read_micrograph(stream.getvalue() + text.encode())) == approx(50)


# --- Zeiss ------------------------------------------------------------------------------------


def zeiss(header: float = 0, **entries: str) -> str:
    """SmartSEM's text: a block of numbers, then a name and a line "title = value unit"."""
    block = "\r\n".join(["0", "0", "0", f"{header:g}", "1", *["0"] * 72])
    lines = [f"{name.upper()}\r\n{title}" for name, title in entries.items()]
    return "\r\n".join([block, *lines, ""])


@pytest.mark.parametrize(
    ("header", "entries", "expected"),
    [
        (1e-8, {"ap_image_pixel_size": "Image Pixel Size = 10.00 nm"}, 10),
        (0, {"ap_image_pixel_size": "Image Pixel Size = 10.00 nm"}, 10),
        (1e-8, {}, 160),  # of 1024 columns, here 64
        (1e-8, {"ap_width": "Width = 10.24 µm"}, 160),
        (1e-8, {"ap_width": "Width = 5.12 µm"}, None),
        (
            1e-8,
            {"ap_image_pixel_size": "Image Pixel Size = 10 nm", "ap_width": "Width = 1.28 µm"},
            None,
        ),
        (
            0,
            {"ap_image_pixel_size": "Image Pixel Size = 10 nm", "ap_width": "Width = 640 nm"},
            10,
        ),
    ],
)
def test_zeiss_states_what_its_numbers_mean(
    header: float, entries: dict[str, str], expected: float | None
) -> None:
    text = zeiss(header, **entries)
    data = tiff((SHAPE, {"extratags": [(34118, 2, 0, text.encode("cp1252"), True)]}))
    assert nm(read_micrograph(data)) == approx(expected)


def test_zeiss_of_another_store_resolution_gives_none() -> None:
    entries = {"ap_image_pixel_size": "Image Pixel Size = 10 nm"}
    entries["dp_image_store"] = "Store resolution = 128 * 96"
    assert nm(read(SHAPE, tag(34118, zeiss(1e-8, **entries)))) is None


ATLAS = (
    "<Fibics><Image><Width>{w}</Width><Height>48</Height></Image><Scan>"
    '<FOV_X units="um">0.64</FOV_X><Ux>{u}</Ux><Uy>0</Uy><Vx>0</Vx><Vy>-{u}</Vy></Scan></Fibics>'
)


@pytest.mark.parametrize(
    ("w", "u", "expected"), [(64, 0.01, 10), (128, 0.005, None), (64, 0.02, None)]
)
def test_atlas_states_steps_and_field(w: int, u: float, expected: float | None) -> None:
    assert nm(read(SHAPE, tag(51023, ATLAS.format(w=w, u=u)))) == approx(expected)


# --- OME --------------------------------------------------------------------------------------


def ome(*images: str) -> dict:
    inner = "".join(f"<Image><Pixels {text}</Pixels></Image>" for text in images)
    return {"description": f'<?xml version="1.0"?><OME xmlns="o">{inner}</OME>'.encode()}


def pixels(x: str, unit: str | None = "nm", size: tuple[int, int] = SHAPE, data: str = "") -> str:
    units = "" if unit is None else f'PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}"'
    rows, columns = size
    return (
        f'SizeX="{columns}" SizeY="{rows}" PhysicalSizeX="{x}" PhysicalSizeY="{x}" {units}>{data}'
    )


@pytest.mark.parametrize(
    ("x", "unit", "expected"),
    [
        ("10", "nm", 10),
        ("100", "&#197;", 10),
        ("100", "&#xC5;", 10),
        ("0.01", "&#xB5;m", 10),
        ("0.01", "μm", 10),
        ("0.01", None, 10),
        ("1", None, None),  # what programs write that know none
        ("1", "nm", 1),
        ("10", "pixel", None),
        ("-10", "nm", None),
    ],
)
def test_units_of_ome(x: str, unit: str | None, expected: float | None) -> None:
    assert nm(read(SHAPE, ome(pixels(x, unit)))) == approx(expected)


def test_each_page_has_the_pixels_that_name_it() -> None:
    first = pixels("100", data='<TiffData IFD="0" PlaneCount="1"/>')
    second = pixels("10", data='<TiffData IFD="1" PlaneCount="2"/>')
    data = tiff((SHAPE, ome(second, first)), *[(SHAPE, {})] * 3)
    found = [nm(read_micrograph(data, frame=i)) for i in range(4)]
    assert found == [approx(100), approx(10), approx(10), None]


def test_ome_of_another_size_or_in_another_unit_gives_none() -> None:
    assert nm(read(SHAPE, ome(pixels("10", size=(96, 128))))) is None
    two = 'SizeX="64" SizeY="48" PhysicalSizeX="10" PhysicalSizeXUnit="nm" PhysicalSizeY="0.01">'
    assert nm(read(SHAPE, ome(two))) == approx(10)
    assert nm(read(SHAPE, ome(two.replace('"0.01"', '"10"')))) is None


# --- programs ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "per", "expected"),
    [
        ("\\u00C5", 0.01, 10),
        ("\\u03BCm", 100, 10),
        ("micrometre", 100, 10),
        ("microm", 100, 10),
        ("cm", 1e6, 10),
        ("cm", 118, None),  # 300 dots per inch
        ("inch", 300, None),
        ("inch", 2.54e6, 10),
        ("furlong", 1, None),
    ],
)
def test_units_of_imagej(unit: str, per: float, expected: float | None) -> None:
    options = {"description": f"ImageJ=1.53t\nunit={unit}\n", "resolution": (per, per)}
    assert nm(read(SHAPE, options)) == approx(expected)


@pytest.mark.parametrize(("unit", "per_unit"), [(2, 2540), (3, 1000)])
def test_jeol_in_inches_and_centimetres(unit: int, per_unit: int) -> None:
    text = (
        "<TemReporter><SelectorUnitString>X</SelectorUnitString><SelectorValue>50000"
        "</SelectorValue><EosMode>eosTEM</EosMode></TemReporter>"
    )
    options = {"description": text, "resolution": (per_unit, per_unit), "resolutionunit": unit}
    assert nm(read(SHAPE, options)) == approx(0.2)


@pytest.mark.parametrize(
    ("frame", "field", "expected"),
    [([64, 48], 6.4e-7, 10), ([128, 96], 1.28e-6, None), ([64, 48], 1.28e-6, None)],
)
def test_openfibsem(frame: list[int], field: float, expected: float | None) -> None:
    text = (
        f'{{"image": {{"resolution": {frame}, "hfw": {field}}}, '
        '"pixel_size": {"x": 1e-8, "y": 1e-8}}'
    )
    assert nm(read(SHAPE, {"description": text})) == approx(expected)


def test_serialem_states_pixels_per_centimetre() -> None:
    options = {"description": "SerialEM: a", "resolution": (1e7, 1e7), "resolutionunit": 3}
    assert nm(read(SHAPE, options)) == approx(1)
    options["resolution"] = (118, 118)
    assert nm(read(SHAPE, options)) is None


# --- settings beside the picture --------------------------------------------------------------


def beside(text: str | bytes, name: str = "a.txt", shape: tuple[int, int] = SHAPE) -> Micrograph:
    data = text.encode("latin-1") if isinstance(text, str) else text
    return read_micrograph(tiff((shape, {})), "a.tif", companions={name: data})


HITACHI = "[{}]\r\nInstructName={}\r\nDataSize=64x48\r\n{}\r\nMagnification=20000\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("section", ["SemImageFile", "TemImageFile"])
def test_hitachi_in_every_encoding(section: str, encoding: str) -> None:
    text = HITACHI.format(section, "HT7800", "PixelSize=1.25")
    assert nm(beside(text.encode(encoding))) == approx(1.25)


@pytest.mark.parametrize(("model", "expected"), [("S-4700", 127e6 / 20_000 / 64), ("SU8000", None)])
def test_hitachi_without_a_pixel_size(model: str, expected: float | None) -> None:
    assert nm(beside(HITACHI.format("SemImageFile", model, "MicronMarker=1000"))) == approx(
        expected
    )


@pytest.mark.parametrize(("shape", "expected"), [((24, 32), None), ((24, 64), None), (SHAPE, 1)])
def test_hitachi_of_a_picture_of_another_size(
    shape: tuple[int, int], expected: float | None
) -> None:
    text = HITACHI.format("SemImageFile", "SU8000", "PixelSize=1")
    assert nm(beside(text, shape=shape)) == approx(expected)


JEOL = "$CM_FORMAT JEOL/MP\r\n$CM_IMAGE_SIZE 64 40\r\n$CM_MAG 1000\r\n$SM_PNU_HEIGHT 8\r\n{}"


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "latin-1"])
@pytest.mark.parametrize(
    "line",
    [
        "$CM_PIXEL_SIZE 10.00nm",
        "$CM_FIELD_OF_VIEW 0.640{mu}m 0.400{mu}m",
        "$SM_MICRON_MARKER 1{mu}m\r\n$$SM_MICRON_BAR 100",
    ],
)
def test_jeol_states_size_field_or_bar(line: str, encoding: str) -> None:
    mu = "µ" if encoding == "latin-1" else "μ"
    text = JEOL.format(line.format(mu=mu)).encode(encoding)
    assert nm(beside(text)) == approx(10)
    assert nm(beside(text, shape=(24, 32))) is None


def test_jeol_by_magnification_where_only_the_label_of_the_bar_is_there() -> None:
    assert nm(beside(JEOL.format("$SM_MICRON_MARKER 10um"))) == approx(0.128e9 / 1000 / 64)


def test_jeol_that_contradicts_itself_gives_none() -> None:
    found = beside(JEOL.format("$CM_PIXEL_SIZE 10nm\r\n$CM_FIELD_OF_VIEW 1.28um 0.8um"))
    assert nm(found) is None
    assert "states 10 nm" in found.metadata["calibration"]


@pytest.mark.parametrize("name", ["a-tif.hdr", "a.hdr", "A-TIF.HDR"])
def test_tescan_header_beside_a_picture(name: str) -> None:
    text = "[MAIN]\r\nPixelSizeX=1.25e-008\r\nPixelSizeY=1.25e-008\r\n[SEM]\r\nHV=1\r\n"
    assert nm(beside(text, name)) == approx(12.5)
    assert nm(beside(text, "b-tif.hdr")) is None
    assert nm(beside(text.replace("SizeY=1.25", "SizeY=2.5"), name)) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("ImageWidth=64\r\nImageHeight=40", 12.5),
        ("Width=64 px\r\nHeight=40\r\nImageStripSize=8", 12.5),
        ("ImageStripSize=8", 12.5),
        ("ImageWidth=128\r\nImageHeight=80", None),
        ("ImageSize=128x80", None),
        ("ImageWidth=128", None),
        ("Size X=32", None),
    ],
)
def test_tescan_header_of_a_picture_of_another_size(lines: str, expected: float | None) -> None:
    text = f"[MAIN]\r\nPixelSizeX=1.25e-008\r\nPixelSizeY=1.25e-008\r\n{lines}\r\n[SEM]\r\nHV=1\r\n"
    found = beside(text, "a-tif.hdr")
    assert nm(found) == approx(expected)
    assert expected is not None or "made smaller or cut" in found.metadata["calibration"]


# --- siblings: the same slip in another program's words ---------------------------------------


@pytest.mark.parametrize(("field_m", "expected"), [(640e-9, 10), (1280e-9, None)])
def test_a_scan_width_that_contradicts_the_pixel_of_fei_is_not_passed_over(field_m, expected):
    text = (
        f"[User]\nDate=1/2/2020\n[Scan]\nPixelWidth=1e-08\nPixelHeight=1e-08\n"
        f"HorFieldsize={field_m}\n[Image]\nResolutionX=64\nResolutionY=48\n"
    )
    found = read(SHAPE, tag(34682, text))
    assert nm(found) == approx(expected)
    assert expected is not None or "scan width" in found.metadata["calibration"]


def test_a_page_of_another_size_does_not_inherit_imagejs_unit():
    first = {"description": "ImageJ=1.53t\nunit=nm\n", "resolution": (0.1, 0.1)}
    data = tiff((SHAPE, first), ((24, 32), {}))
    assert nm(read_micrograph(data)) == approx(10)
    assert nm(read_micrograph(data, frame=1)) is None


@pytest.mark.parametrize("quote", ['"', "'"])
def test_xml_may_be_quoted_and_spaced_either_way(quote):
    pixels = 'SizeX="64" SizeY = "48" PhysicalSizeX="0.01"  PhysicalSizeY= "0.01"'
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="i"><Pixels ID="p" {pixels}><TiffData IFD="0"/></Pixels></Image></OME>'
    ).replace('"', quote)
    assert nm(read(SHAPE, {"description": xml})) == approx(10)


@pytest.mark.parametrize(
    ("unit", "nanometres"), [("\\u00B5m", 1e3), ("dm", 1e8), ("thou", 25400), ("mil", 25400)]
)
def test_units_that_people_type_into_imagej(unit, nanometres):
    per_unit = nanometres / 10
    options = {"description": f"ImageJ=1.53t\nunit={unit}\n", "resolution": (per_unit, per_unit)}
    assert nm(read(SHAPE, options)) == approx(10)


@pytest.mark.parametrize(
    ("unit", "per_unit", "expected"),
    [
        ("cm", 1e6, 10),
        ("cm", 5000, 2000),
        ("centimetre", 1e6, 10),
        ("inch", 2.54e6, 10),
        ("millimeter", 1e5, 10),
        ("picometer", 0.1, 0.01),
        ("nanometre", 0.1, 10),
        ("cm", 1, None),  # what a print or a scan has is no statement about the specimen
        ("cm", 118.11, None),
        ("inch", 1, None),
        ("inches", 300, None),
        ("in", 4800, None),
    ],
)
def test_centimetres_and_inches_are_read_where_they_are_not_those_of_a_print(
    unit: str, per_unit: float, expected: float | None
) -> None:
    options = {"description": f"ImageJ=1.53t\nunit={unit}\n", "resolution": (per_unit, per_unit)}
    found = read(SHAPE, options)
    assert nm(found) == approx(expected)
    assert expected is not None or "print or scan" in found.metadata["calibration"]
