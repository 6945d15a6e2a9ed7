"""Where the browser fetches what does not fit into a message."""

from __future__ import annotations


def address(data: bytes, mime: str, name: str, place: str) -> str:
    """Return the address under which the browser fetches bytes while an element is shown.

    Streamlit's store tells large files apart by a sample of their bytes and by their name: `name`
    says all that they depend on, so that two pictures never share an address. `place` names the
    element and its part; what is put there next takes its place. Empty without a server.
    """
    from streamlit import runtime

    if not runtime.exists():
        return ""
    return runtime.get_instance().media_file_mgr.add(data, mime, place, file_name=name)
