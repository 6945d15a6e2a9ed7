"""Tables as spreadsheets open them: no cell is a formula, no letter is lost."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_bytes(table: pd.DataFrame, *, head: bool = True) -> bytes:
    """Return a table as CSV in UTF-8 with a byte order mark, without formulas in its cells.

    A spreadsheet runs a cell that starts like a formula; such text gets an apostrophe in front.
    Numbers stay numbers. The mark makes spreadsheets read µ as µ. Without `head` it is a
    continuation: neither mark nor heading.
    """
    safe = table.rename(columns=disarm)
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(disarm)
    text: str = safe.to_csv(index=False, lineterminator="\n", header=head)
    return text.encode("utf-8-sig" if head else "utf-8", errors="replace")


def disarm(cell: object) -> object:
    """Return text that no spreadsheet takes for a formula; what is no text is left as it is.

    What cannot be seen in front of a sign does not hide it, nor does its full-width form.
    """
    if not isinstance(cell, str):
        return cell
    visible = next((c for c in cell if unicodedata.category(c)[0] not in "CZ"), "")
    risky = unicodedata.normalize("NFKC", visible).startswith(FORMULA_STARTS)
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", cell)  # a carriage return would split the line
    return written("'" + plain if risky or cell.startswith(FORMULA_STARTS) else plain)


def written(text: str) -> str:
    """Return text without the halves of characters that a damaged file name may hold."""
    return text.encode(errors="replace").decode()
