"""Files that are made when a person asks for them stay until the browser has fetched them.

Streamlit (1.67) tells the browser the address of such a file without noting whose it is, and
deletes what is nobody's each time that any visitor's page is done: among many visitors a download
would fail. Here it is noted under the session that asked; it goes with the next run of its page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx


def kept(make: Callable[[], bytes], file_name: str, mime: str, key: str) -> Callable[[], bytes]:
    """Return a function that makes the same file and notes it as one of this session.

    Parameters
    ----------
    make : callable
        Makes the file; called outside of any run of a page.
    file_name, mime : str
        As they are given to the button: they are part of the file's address.
    key : str
        The button's own.
    """
    context = get_script_run_ctx()
    if context is None or not runtime.exists():
        return make

    def made() -> bytes:
        content = make()
        files = runtime.get_instance().media_file_mgr
        noting = threading.Thread(
            target=files.add,
            args=(content, mime, f"handed over {key}", file_name),
            kwargs={"is_for_static_download": True},
        )
        add_script_run_ctx(noting, context)
        noting.start()
        noting.join()
        return content

    return made
