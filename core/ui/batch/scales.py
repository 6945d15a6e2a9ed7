"""Pixel sizes that a batch states itself: one for all micrographs, or one for each sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.imaging.scale import parse_size
from core.ui.parts import say, type_over

_OF_SAMPLES = "batch_pixel_sizes"  # sample -> "2.5 nm"
_OF_ALL = "batch_pixel_size_of_all"
_SAID = "batch_pixel_sizes_wrong"  # what was typed and is no length
_MOST = 200  # samples in the table
_TABLE_PX = 250


def ask(samples: Sequence[str]) -> None:
    """Draw both; what is typed holds from the next run of the page on.

    Parameters
    ----------
    samples : sequence of str
        Those that the micrographs of the batch have; may be empty.
    """
    stated = len(pairs(samples)) + bool(of_all())
    title = "Pixel sizes ({stated} stated)" if stated else "Pixel sizes"
    with st.expander(
        say.line("{title}", title=title.format(stated=stated)), icon=":material/straighten:"
    ):
        st.caption(
            "Only where the files’ own will not do: what is stated here counts before them, for "
            "this batch alone."
        )
        st.text_input(
            "One for all, such as 2.5 nm",
            key=_OF_ALL,
            max_chars=40,
            persist_state="session",
            width=240,
            placeholder="as the files say",
        )
        if (typed := str(st.session_state.get(_OF_ALL) or "")).strip() and not of_all():
            _refuse(typed)
        if samples:
            _table(list(samples)[:_MOST])
        else:
            st.caption("Name the samples above to state one for each of them.")
        if wrong := st.session_state.get(_SAID):
            _refuse(wrong)


def _table(samples: list[str]) -> None:
    known = _known()
    type_over(
        {sample: known.get(sample, "") for sample in samples},
        state,
        key=_OF_SAMPLES,
        heads=("Sample", "Pixel size"),
        most_letters=40,
        most_px=_TABLE_PX,
    )


def state(sizes: Mapping[str, str]) -> None:
    """Say the pixel size of samples; "" takes it back, and what is no length is not taken."""
    known = _known()
    st.session_state[_SAID] = ""
    for sample, typed in sizes.items():
        size = parse_size(typed)
        if size is not None:
            known[sample] = f"{size.value:g} {size.unit}"
        elif typed:
            st.session_state[_SAID] = typed
        else:
            known.pop(sample, None)


def pairs(samples: Sequence[str] | None = None) -> tuple[tuple[str, str], ...]:
    """Return sample and pixel size as a recipe states them; of these samples alone, if given."""
    known = _known()
    return tuple((k, v) for k, v in known.items() if samples is None or k in samples)


def of_all() -> str:
    """Return the pixel size that every micrograph is given; "" where none is stated."""
    size = parse_size(str(st.session_state.get(_OF_ALL) or ""))
    return f"{size.value:g} {size.unit}" if size is not None else ""


def _known() -> dict[str, str]:
    known: dict[str, str] = st.session_state.setdefault(_OF_SAMPLES, {})
    return known


def _refuse(typed: str) -> None:
    say.warning(
        "“{typed}” is no pixel size. Type a number and nm, µm or Å, such as 2.5 nm.",
        typed=typed[:40],
        icon=":material/straighten:",
    )
