"""Tables of filters and explanations, made from their registries: `{filters}` and `{methods}`."""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Registry(SphinxDirective):
    """A table with a row for each entry; subclasses say which."""

    head: ClassVar[tuple[str, ...]]

    def rows(self) -> list[tuple[str, ...]]:
        """Return the cells of the table, the first one an identifier."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Return the table as Sphinx draws it."""
        width = len(self.head)
        group = nodes.tgroup(cols=width)
        group += [nodes.colspec(colwidth=1) for _ in range(width)]
        group += nodes.thead("", _row([nodes.Text(text) for text in self.head]))
        group += nodes.tbody("", *(_row(_cells(row)) for row in self.rows()))
        return [nodes.table("", group)]


class Filters(Registry):
    """Every filter of the Filters page."""

    head = ("id", "family", "what it does", "settings")

    def rows(self) -> list[tuple[str, ...]]:
        """Return id, family, title with help, and settings with their ranges."""
        from core.imaging.filtering import FILTERS

        return [
            (
                spec.name,
                spec.family,
                f"{spec.title}. {spec.help}",
                ", ".join(p.name + (f" ({p.unit})" if p.unit else "") for p in spec.parameters),
            )
            for spec in FILTERS.values()
        ]


class Methods(Registry):
    """Every explanation, with what it computes and its paper."""

    head = ("id", "what it computes", "paper")

    def rows(self) -> list[tuple[str, ...]]:
        """Return id, title with formula, and paper."""
        from core.learning.explaining import EVERY_METHOD

        return [
            (name, f"{method.title}: {method.formula}", method.reference)
            for name, method in EVERY_METHOD.items()
        ]


def _cells(row: tuple[str, ...]) -> list[nodes.Node]:
    name, *others = row
    return [nodes.literal(text=name), *(nodes.Text(text) for text in others)]


def _row(cells: list[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, bool]:
    """Let pages use both tables."""
    app.add_directive("filters", Filters)
    app.add_directive("methods", Methods)
    return {"parallel_read_safe": True}
