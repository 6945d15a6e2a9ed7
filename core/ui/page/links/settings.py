"""Which settings a link carries, and what each may be: the table behind `address`.

What is not in this table never gets from an address into the session. The choice of the
comparison slider is left out on purpose: a stranger's link must not make a page ask other servers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.imaging.display import COLORMAPS
from core.measuring.clustering import GREY, METHODS, FeatureSet
from core.reporting.recipe import PICTURES
from core.ui import cache
from core.ui.batch import recipe
from core.ui.classify import LEVEL_KEY
from core.ui.cluster import settings
from core.ui.cluster import views as cluster_views
from core.ui.explain import trust
from core.ui.explain import views as explain_views
from core.ui.filters import pictures
from core.ui.shell import EXCLUDE_KEY

Read = Callable[[str], Any]
Write = Callable[[Any], str]
_SEVERAL = "~"  # between the values of a choice of several


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a page.

    Parameters
    ----------
    name : str
        In the address.
    key : str
        In the session, where the widget keeps it.
    default : object
        What a page starts with: it need not travel.
    read : callable
        From the address's text to the value; raises ValueError for anything that is not one.
    write : callable
        From the value to text.
    """

    name: str
    key: str
    default: Any
    read: Read
    write: Write = str


def one_of(options: Iterable[str]) -> Read:
    """Return a reader of one of the options."""
    known = tuple(options)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError("not one of the options")
        return text

    return read


def _whole(low: int, high: int, step: int = 1) -> Read:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
            raise ValueError("not a whole number")
        value = int(text)
        if not low <= value <= high or (value - low) % step:
            raise ValueError("out of range")
        return value

    return read


def _numbers(options: Sequence[float]) -> Read:
    by_text = {f"{value:g}": value for value in options}

    def read(text: str) -> list[float]:
        return [by_text[one_of(by_text)(part)] for part in _parts(text)]

    return read


def _some_of(options: Iterable[str]) -> Read:
    known = tuple(options)
    return lambda text: [one_of(known)(part) for part in _parts(text)]


def _parts(text: str) -> list[str]:
    parts = text.split(_SEVERAL) if text else []
    if len(set(parts)) < len(parts):
        raise ValueError("twice the same")
    return parts


def _yes_no(text: str) -> bool:
    return {"yes": True, "no": False}[one_of(("yes", "no"))(text)]


def _say_yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _joined(values: Iterable[Any]) -> str:
    return _SEVERAL.join(f"{each:g}" if isinstance(each, float) else str(each) for each in values)


def _method(text: str) -> str:
    return str(one_of(cache.method_titles())(text))


def _switch(name: str, key: str, default: bool = False) -> Setting:
    return Setting(name, key, default, _yes_no, _say_yes_no)


def _choice(name: str, key: str, options: Iterable[str], default: str) -> Setting:
    return Setting(name, key, default, one_of(options))


def _several(name: str, key: str, options: Iterable[str], default: Sequence[str]) -> Setting:
    return Setting(name, key, list(default), _some_of(options), _joined)


_FEATURES = FeatureSet()
_TOP_K = settings.MOST_CLUSTERS
_SECTIONS: Mapping[str, str] = {
    "values": explain_views.VALUES,
    "methods": explain_views.METHODS,
    "trust": trust.TITLE,
}


def _section(text: str) -> str:
    return _SECTIONS[one_of(_SECTIONS)(text)]


def _say_section(value: str) -> str:
    return next(name for name, title in _SECTIONS.items() if title == value)


SETTINGS: tuple[Setting, ...] = (
    _switch("leave-out", EXCLUDE_KEY, True),
    Setting("smallest", "workspace_smallest_region_px", 10, _whole(1, 1_000_000)),
    Setting("level", LEVEL_KEY, None, _whole(50, 99)),
    _switch("tile-map", "classify_tiles"),
    _switch("all", "classify_all"),
    Setting("method", "explain_method", "grad-cam", _method),
    _switch("every-channel", "explain_every_channel"),
    _switch("tiled", "explain_tiled"),
    Setting("opacity", "explain_opacity", 60, _whole(0, 100, 5)),
    _choice("colours", "explain_colormap", COLORMAPS, COLORMAPS[1]),
    Setting("contour", "explain_contour", 0, _whole(0, 95, 5)),
    Setting("section", "explain_section", None, _section, _say_section),
    _choice("view", "filters_view", pictures.MODES, pictures.SLIDER),
    _choice("group", "cluster_mode", settings.MODES, GREY),
    Setting("k", settings.K_KEY, 3, _whole(2, _TOP_K)),
    _several("features", "cluster_families", settings.FAMILIES, _FEATURES.chosen),
    _choice("grouping", "cluster_method", METHODS, METHODS[0]),
    Setting(
        "scales",
        "cluster_scales",
        list(_FEATURES.scales_px),
        _numbers(settings.SCALES),
        _joined,
    ),
    Setting("window", "cluster_window", _FEATURES.window_px, _whole(3, 31, 2)),
    Setting("seed", "cluster_seed", 0, _whole(0, 9999)),
    _choice("smoothing", "cluster_smoothing", settings.SMOOTHINGS, "none"),
    Setting("radius", "cluster_radius", 2, _whole(1, 10)),
    Setting("side", "cluster_side", 12, _whole(4, 60)),
    _switch("split", "cluster_split"),
    _choice("shown", "cluster_shown", cluster_views.SHOWN, cluster_views.SHOWN[0]),
    *(
        Setting(f"target-{k}", f"cluster_target_{k}", k - 1, _whole(0, k - 1))
        for k in range(2, _TOP_K + 1)
    ),
    Setting("batch-method", "batch_method", None, _method),
    Setting("batch-k", "batch_k", None, _whole(2, _TOP_K)),
    _choice("batch-group", "batch_clustering", recipe.CLUSTERINGS, ""),
    *(
        Setting(f"batch-target-{k}", f"batch_target_{k}", k - 1, _whole(0, k - 1))
        for k in range(2, _TOP_K + 1)
    ),
    _switch("batch-filters", "batch_filters"),
    _switch("batch-border", "batch_drop_border"),
    _choice("batch-sample", "batch_sample_from", recipe.PARTS, ""),
    _choice("batch-class", "batch_label_from", recipe.PARTS, ""),
    _several("batch-pictures", "batch_pictures", PICTURES, ("overlays", "masks")),
)
