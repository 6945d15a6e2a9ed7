"""What stands beside the Filters page's pictures: grey levels, effect of each step, files."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core.errors import UserError
from core.imaging.display import write_level
from core.imaging.overlays import overlay_choice, with_overlay_choice
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.filters import bench, pictures
from core.ui.filters.bench import Outcome
from core.ui.parts import say, show
from core.ui.shell import filter_chain, workspace

_MOST_CUTS = 4
_ONE_DIGIT = st.column_config.NumberColumn(format="%.1f")
_STEP_COLUMNS = {
    "after": st.column_config.TextColumn(width=210),
    "time": st.column_config.TextColumn(width=70),
    "noise (%)": _ONE_DIGIT,
    "contrast (%)": _ONE_DIGIT,
    "sharpness (%/px)": _ONE_DIGIT,
}
_PROBLEM = "filters_adopt_problem"


def draw_histogram(outcome: Outcome) -> None:
    """Draw the grey levels before and after, with the thresholds of the last step that cuts."""
    st.markdown("**Grey levels**")
    entering, cuts, title = outcome.last_cut()
    figure = cache.filter_histogram(
        entering, outcome.result, outcome.original, cuts, outcome.exclude, show.is_dark()
    )
    show.chart(figure, "filters_histogram", "Histogram of grey levels before and after the filters")
    if cuts:
        levels = ", ".join(write_level(cut) for cut in cuts[:_MOST_CUTS])
        what = "grey level" if len(cuts) == 1 else "grey levels"
        if title == "Otsu threshold":
            title = "Otsu's threshold"
        say.caption(
            "{title}: {what} {levels}. Before: what enters that step.",
            title=title,
            what=what,
            levels=levels,
        )


def draw_steps(outcome: Outcome) -> None:
    """Draw what each step took and changed."""
    if not outcome.steps:
        return
    st.markdown(
        "**Effect of each step**",
        help="Noise: its standard deviation, from second differences. Contrast: standard deviation "
        "of the grey levels. Sharpness: slope that the steepest 5 % exceed. All in percent of the "
        "range between the 0.5 and 99.5 percentiles, so that depths compare.",
    )
    st.dataframe(
        bench.table(outcome), hide_index=True, column_config=_STEP_COLUMNS, key="filters_steps"
    )
    if picked := outcome.result.metadata.get("picked"):
        say.caption("Decided by the picture: {picked}.", picked="; ".join(map(str, picked)))


def draw_results(outcome: Outcome) -> None:
    """Draw the downloads, and the button that makes the result the current micrograph."""
    st.markdown("**Take it with you**")
    result = outcome.result
    stem = f"{show.file_stem(outcome.original)}_filtered"
    with st.container(horizontal=True, gap="small"):
        show.download(
            f"For measuring (TIFF, {result.depth})",
            lambda: cache.tiff(result),
            f"{stem}.tif",
            "image/tiff",
            "filters_tiff",
        )
        if result.depth != "16-bit":
            show.download(
                "TIFF, 16-bit",
                lambda: cache.tiff_16(result),
                f"{stem}_16bit.tif",
                "image/tiff",
                "filters_tiff_16",
            )
        show.download(
            "For the screen (PNG, 8-bit)",
            lambda: pictures.after_png(outcome, full=True),
            f"{stem}.png",
            "image/png",
            "filters_png",
        )
        st.button(
            "Make it the current micrograph",
            icon=":material/input:",
            key="filters_adopt",
            disabled=not outcome.facts,
            help="The result is added to what is loaded and used on all pages; the original stays. "
            "The chain is emptied: undo brings it back.",
            on_click=_adopt,
            args=(result, outcome.original),
        )
    problem = st.session_state.pop(_PROBLEM, "")
    if problem:
        say.error("{problem}", problem=problem, icon=":material/error:")
    size = result.pixel_size
    kept = f"The TIFF files carry the pixel size, {size}" if size else "The pixel size is unknown"
    say.caption("{kept}.", kept=kept)


def draw_history(micrograph: Micrograph) -> None:
    """Say what was done to the micrograph before it came here."""
    history = micrograph.metadata.get("history", [])
    if history:
        with st.expander(
            say.line("History ({history})", history=len(history)), icon=":material/history:"
        ):
            for number, line in enumerate(history, start=1):
                st.text(f"{number}. {line}")


def _adopt(result: Micrograph, original: Micrograph) -> None:
    """Load the result beside its original and begin a new chain; or say why there is no room.

    The info bar lies where it was: after some filters it could not be found again.
    """
    top, bottom = cache.info_bars(original)
    choice = overlay_choice(result)
    choice = replace(
        choice,
        top_rows=top if choice.top_rows is None else choice.top_rows,
        bottom_rows=bottom if choice.bottom_rows is None else choice.bottom_rows,
    )
    try:
        workspace.add_result(with_overlay_choice(result, choice))
    except UserError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    filter_chain.reset()
