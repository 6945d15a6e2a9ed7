"""A journal whose lines were spoilt."""

import pytest

from core.errors import UserError
from core.reporting.batch.journal import Journal


def entry(name: str) -> dict:
    return {"name": name, "stamp": "1", "files": [], "previews": []}


@pytest.mark.parametrize(
    "spoilt", [b"[" * 100_000 + b"\n", b"\x00\x00\x00\n", b'{"items": [\n', b"[1, 2]\n", b"\xff\n"]
)
def test_what_lies_behind_a_spoilt_line_is_done_again(tmp_path, spoilt):
    journal = Journal(tmp_path)
    journal.begin("key")
    journal.append([entry("a")])
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + spoilt)
    journal.append([entry("b")])
    assert journal.resume("key", [("a", "1"), ("b", "1")]) == 1
    assert journal.path.read_bytes() == whole


def test_a_spoilt_line_hides_no_entry_of_the_others(tmp_path):
    journal = Journal(tmp_path)
    journal.begin("key")
    journal.append([entry("a")])
    with journal.path.open("ab") as stream:
        stream.write(b"\x00\n")
    journal.append([entry("b")])
    assert [each["name"] for each in journal.entries()] == ["a", "b"]


def test_a_folder_whose_journal_has_no_heading_cannot_go_on(tmp_path):
    journal = Journal(tmp_path)
    journal.begin("key")
    journal.path.write_bytes(b"\x00\n")
    with pytest.raises(UserError, match="Choose another folder"):
        journal.resume("key", [])
