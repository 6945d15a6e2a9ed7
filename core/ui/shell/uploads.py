"""What uploaders take and say; what Streamlit keeps of uploads is let go as soon as it is read.

An uploaded file stays in the server's memory until its session ends, even when the uploader that
took it is long gone. Micrographs are kept by the workspace, under its budget.
"""

from __future__ import annotations

from collections.abc import Iterable

from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.imaging.reading import COMPANION_SUFFIXES, SUFFIXES

FORMATS = [*dict.fromkeys((*SUFFIXES, *COMPANION_SUFFIXES)), "zip"]
HELP = (
    "PNG, JPEG, BMP, WebP, PGM/PPM/PFM and TIFF of 8 to 32 bits; Gatan DM3 and DM4, Velox and "
    "Berkeley EMD, TIA SER with its EMI, MRC and NPY. Give files that belong together at once, "
    "such as a .ser and its .emi, or a .tif and the .txt with its settings."
)


def let_go(files: Iterable[object]) -> None:
    """Free the bytes of uploads that have been read; others of the same session stay."""
    context = get_script_run_ctx()
    remove = getattr(context and context.uploaded_file_mgr, "remove_file", None)
    if context is None or remove is None:  # another way of keeping files
        return
    for file in files:
        remove(context.session_id, getattr(file, "file_id", ""))


def let_go_all() -> None:
    """Free the bytes of all uploads of this session: no uploader outlives its page."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
