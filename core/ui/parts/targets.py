"""Which cluster is measured: a choice of its own for every number of clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from core.ui.parts import tables
from core.ui.parts.setting import Whole

MOST_CLUSTERS = 12
AUTOMATIC = -1  # the cluster that stands out
_IN_ADDRESS = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Whole):
    """The cluster to measure among `high` + 1; at first the one that stands out."""

    def draw(self, start: int | None = None) -> int:
        """Draw the list of clusters by their titles."""
        count = self.high + 1
        options = range(AUTOMATIC, count)
        chosen: int = st.selectbox(
            self.label,
            options,
            index=options.index(self.default if start is None else start),
            format_func=lambda number: (
                "Automatic" if number == AUTOMATIC else tables.cluster_title(number, count)
            ),
            key=self.key,
            persist_state="session",
            help=self.help,
        )
        return chosen

    def read(self, text: str) -> int:
        """Return the number of the cluster."""
        return AUTOMATIC if text == _IN_ADDRESS else Whole.read(self, text)

    def write(self, value: int) -> str:
        """Write the number of the cluster."""
        return _IN_ADDRESS if value == AUTOMATIC else str(value)


def targets(name: str, key: str) -> Mapping[int, Target]:
    """Return the setting for each number of clusters, from 2 to `MOST_CLUSTERS`."""
    return {
        count: Target(
            name=f"{name}-{count}",
            key=f"{key}_{count}",
            label="Target cluster",
            help="Measured in every table. Clusters are numbered from dark to bright. Automatic: "
            "the one that stands out, which is not the ground.",
            default=AUTOMATIC,
            low=0,
            high=count - 1,
        )
        for count in range(2, MOST_CLUSTERS + 1)
    }
