"""Who a browser is, whatever mask its cookie wears."""

from types import SimpleNamespace

import pytest
import streamlit as st

from core.ui.shell import visitor


def with_cookie(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    context = SimpleNamespace(cookies={"_streamlit_xsrf": value}, headers={}, ip_address=None)
    monkeypatch.setattr(st, "context", context)


def masked(token: bytes, mask: bytes) -> str:
    hidden = bytes(byte ^ mask[place % 4] for place, byte in enumerate(token))
    return f"2|{mask.hex()}|{hidden.hex()}|1700000000"


def test_the_mask_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for mask in (b"abcd", b"wxyz"):
        with_cookie(monkeypatch, masked(b"0123456789abcdef", mask))
        said.append((visitor.identity(), visitor.browser()))
    assert said[0] == said[1]
    assert said[0][0] == b"0123456789abcdef".hex()
    with_cookie(monkeypatch, masked(b"another one 1234", b"abcd"))
    assert visitor.identity() != said[0][0]


@pytest.mark.parametrize("odd", ["", "2|zz|00|1", "x" * 5000, "2||00|1"])
def test_odd_cookies_are_no_trouble(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    with_cookie(monkeypatch, odd)
    assert visitor.browser()[0] == odd
