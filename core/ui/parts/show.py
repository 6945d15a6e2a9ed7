"""How pages show pictures, figures, tables and text, and how they hand over files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.imaging import display
from core.imaging.scale import words
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.parts import handing_over, paper, say

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    from streamlit.delta_generator import DeltaGenerator

    from core.learning.classifying import Classification

_PLOT_TOOLS = {"displayModeBar": False, "responsive": True}
MOST_HEIGHT_PX = 620
_HEAD_PX, _ROW_PX = 38, 35  # of a table that is typed over
_LEAST_PX = 370  # of words and of a picture that stand side by side
_FEW_PX = 100  # shorter side below which a network sees next to nothing
LEGEND_COLUMNS = {
    "colour": st.column_config.ImageColumn("", width=36),
    "cluster": st.column_config.NumberColumn(width=56),
    "share (%)": st.column_config.NumberColumn(width=68, format="%.1f"),
    "area": st.column_config.TextColumn(width=88),
    "mean grey": st.column_config.NumberColumn(width=76, format="%.4g"),
    "regions": st.column_config.NumberColumn(width=58),
}
_INK = "#0e1516"


def is_dark() -> bool:
    """Tell whether the page is shown dark, for figures that carry their own colours."""
    return st.context.theme.type == "dark"


def on_primary(label: str, *, enabled: bool = True) -> str:
    """Return the label of a primary button so that it can be read on the accent of either theme.

    Streamlit writes it in white, which is too pale on the bright accent that dark pages need.
    """
    return f':color[{label}]{{foreground="{_INK}"}}' if enabled and is_dark() else label


def beside(picture_share: int = 1) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return a place for the picture and one for what is said of it.

    They stand side by side where both can be read, the picture so many times as wide, and else one
    below the other: `st.columns` would squeeze the words of a small window into a strip.
    """
    least_px = _LEAST_PX if picture_share == 1 else _LEAST_PX // picture_share + _LEAST_PX // 5
    grid = st.grid(1 + picture_share, min_column_width=least_px, gap="medium")
    return grid.cell(column_span=picture_share), grid.cell()


def answer_first() -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """Return places for the one answer, for the picture, and for what else is said; once a page.

    In a wide window the picture has two thirds and the rest stands beside it, the answer at the
    top. In a narrow one the answer comes first: nobody must scroll past a picture to it. How they
    are placed stands in the style of all pages.
    """
    with st.container(key="beside"), st.container(key="beside_parts"):
        return (
            st.container(key="beside_answer"),
            st.container(key="beside_picture"),
            st.container(key="beside_facts"),
        )


def fit(micrograph: Micrograph) -> Literal["stretch"] | int:
    """Return the width at which a picture fills its column and stays within the window."""
    height, width = micrograph.shape
    return "stretch" if width >= height else max(8, MOST_HEIGHT_PX * width // height)


def caption(micrograph: Micrograph, exclude: bool) -> str:
    """Return the line below a picture: name, size, depth, scale, and what is left out."""
    share = cache.excluded_share(micrograph, exclude)
    left_out = f" · {100 * share:.2g}\u00a0% left out (info bar, letters)" if share else ""
    return f"{micrograph.name} · {describe(micrograph)}{left_out}"


def describe(micrograph: Micrograph) -> str:
    """Return size, depth and scale in one line: "1024 × 768 px · 8-bit · 2.5 nm/px"."""
    height, width = micrograph.shape
    scale = str(micrograph.pixel_size) if micrograph.pixel_size else "no pixel size"
    given = words.given_later(micrograph)
    scale += f" ({given})" if given else ""
    frames = micrograph.metadata.get("frames", 1)
    frame = f" · frame {micrograph.metadata.get('frame', 0) + 1} of {frames}" if frames > 1 else ""
    return f"{width} × {height} px · {micrograph.depth} · {scale}{frame}"


def nothing(answer: Classification, more: say.Line | None = None) -> None:
    """Warn that a frame shows nothing that has a class, why, and what that means on this page."""
    say.warning(
        "There is nothing to classify: {why}.{more}",
        why=" and ".join(answer.signs),
        more=more or say.line(""),
        icon=":material/visibility_off:",
    )


def caution(micrograph: Micrograph, exclude: bool) -> None:
    """Warn where the network's answer cannot mean anything, or not much."""
    height, width = micrograph.shape
    if cache.is_blank(micrograph, exclude):
        reason = say.line("All pixels have the same grey level: the answer means nothing.")
    elif min(height, width) < _FEW_PX:
        reason = say.line(
            "Only {width} × {height} px: too few to trust the answer.",
            width=width,
            height=height,
        )
    else:
        return
    say.warning("{reason}", reason=reason, icon=":material/warning:")


def chart(figure: go.Figure, key: str, alt: str, *, legend: bool = True) -> None:
    """Show a figure without tools but the one that saves it."""
    if not legend:
        figure.update_layout(showlegend=False)
    # Stating the height keeps the place free while the chart is on its way.
    height = figure.layout.height
    with saved_chart(key, alt):
        st.plotly_chart(figure, height=height, theme=None, config=_PLOT_TOOLS, key=key, alt=alt)


@contextmanager
def saved_chart(key: str, alt: str) -> Iterator[None]:
    """Draw the one chart that is shown within, and below it the button that saves it."""
    with st.container(key=f"{key}_chart", gap=None):
        yield
        paper.chart.draw_saver(key, alt)


def table(frame: pd.DataFrame, key: str, **options: Any) -> None:
    """Show a table; shares and lengths with one digit after the point."""
    st.dataframe(frame, hide_index=True, column_config=formats(frame), key=key, **options)


def formats(frame: pd.DataFrame) -> dict[str, Any]:
    """Return how the columns of a table are written."""
    return {
        column: st.column_config.NumberColumn(format="%.1f" if column.endswith("(%)") else "%.4g")
        for column in frame.columns
        if frame[column].dtype.kind == "f"
    }


def download(
    label: str,
    data: bytes | Callable[[], bytes],
    file_name: str,
    mime: str,
    key: str,
    *,
    primary: bool = False,
) -> None:
    """Draw a download button that leaves the page as it is; data may be made when asked for."""
    if callable(data):
        data = handing_over.kept(data, file_name, mime, key)
    st.download_button(
        on_primary(label) if primary else label,
        data,
        file_name,
        mime,
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="primary" if primary else "secondary",
    )


def file_stem(micrograph: Micrograph) -> str:
    """Return a name for downloads: the micrograph's own, without ending or odd characters."""
    return display.file_stem(micrograph.name)


def type_over(
    words: Mapping[str, str],
    on_change: Callable[[dict[str, str]], None],
    *,
    key: str,
    heads: tuple[str, str],
    names: Mapping[str, str] | None = None,
    most_letters: int = 120,
    most_px: int = 390,
) -> None:
    """Draw a table of names, each with a word to type over; what was typed is handed on.

    Parameters
    ----------
    words : mapping of str to str
        What stands in the second column now, by what it belongs to; "" where nothing is said.
    on_change : callable
        Takes what was changed, without blanks around it; "" where a word was taken away. The page
        begins anew after it.
    key : str
        Of the table on its page.
    heads : tuple of two str
        Above the names and above the words.
    names : mapping of str to str, optional
        What is shown in the first column; by default the keys of `words`.
    most_letters : int
        Of one word.
    most_px : int
        Height from which the table scrolls.
    """
    turn = st.session_state.setdefault(_turn(key), 0)
    edited = st.data_editor(
        {"name": [(names or {}).get(one, one) for one in words], "word": list(words.values())},
        key=f"{key}_table_{turn}_{len(words)}",
        hide_index=True,
        disabled=["name"],
        height=min(most_px, _HEAD_PX + _ROW_PX * len(words)),
        column_config={
            "name": st.column_config.TextColumn(heads[0]),
            "word": st.column_config.TextColumn(f"{heads[1]} ✎", max_chars=most_letters),
        },
    )
    now = (str(word or "").strip() for word in edited["word"])
    changed = {one: new for (one, old), new in zip(words.items(), now, strict=True) if new != old}
    if changed:
        on_change(changed)
        begin_anew(key)
        st.rerun()


def begin_anew(key: str) -> None:
    """Forget what was typed over in a table: its words were changed from elsewhere."""
    st.session_state[_turn(key)] = st.session_state.get(_turn(key), 0) + 1


def _turn(key: str) -> str:
    return f"{key}_turn"
