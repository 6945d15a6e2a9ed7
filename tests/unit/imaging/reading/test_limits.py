"""Limits are refused with their number and a way out."""

import pytest

from core.errors import UnreadableMicrograph
from core.imaging.reading import limits


def test_sizes_at_the_limit_pass() -> None:
    limits.check_file_size(200_000_000)
    limits.check_frame(10_000, 10_000, 4)
    limits.check_frame_bytes(400_000_000)
    limits.check_frame_number(511, 512)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: limits.check_file_size(0), "0 bytes"),
        (lambda: limits.check_file_size(200_600_000), "201 MB; crop it or export it below 200 MB"),
        (lambda: limits.check_frame(20_000, 10_000), "200 megapixels"),
        (lambda: limits.check_frame(0, 5), "no pixels"),
        (lambda: limits.check_frame(5, 5, 5), "5 channels"),
        (lambda: limits.check_frame_bytes(800_000_000), "takes 800 MB of memory"),
        (lambda: limits.check_frame_number(3, 3), "no frame 3; it holds 3"),
        (lambda: limits.check_frame_number(512, 900), "Only the first 512 of the file's 900"),
    ],
)
def test_what_exceeds_a_limit_is_refused(call: object, sentence: str) -> None:
    with pytest.raises(UnreadableMicrograph, match=sentence) as raised:
        call()  # type: ignore[operator]
    assert str(raised.value).endswith(".")


def test_time_grows_with_the_file() -> None:
    assert limits.decoding_cpu_s(0) == 3
    assert limits.decoding_cpu_s(200_000_000) == 19


def test_frames_are_listed_to_the_limit() -> None:
    assert (limits.listed(3), limits.listed(9_999)) == (3, 512)
