"""What a person chooses on the Segment page: the way, its settings, what counts as an object."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import streamlit as st

from core.imaging.filtering import Pipeline, Step
from core.measuring.clustering import AUTO, GREYS, Smoothing
from core.measuring.defaults import NECK_DEPTH_PX, area_of, smallest_region
from core.measuring.segmentation import GROUND, MOST_NAME
from core.micrograph import Micrograph
from core.ui import cache
from core.ui.cache import (
    AS_THEY_COME,
    CHAIN,
    CLUSTERS,
    FILE,
    PARTICLES,
    PROMPTED,
    STROKES,
)
from core.ui.parts import (
    MOST_CLUSTERS,
    Amount,
    Choice,
    Setting,
    Switch,
    Whole,
    gather,
    measuring,
    say,
)
from core.ui.segment import files, strokes
from core.ui.shell import (
    EXCLUDE,
    SMALLEST,
    SMALLEST_NM,
    filter_chain,
    segmenting,
    smallest_by,
    workspace,
)

FILTERS = "chain"
AUTOMATIC, BRIGHT, DARK = "auto", "bright", "dark"
_NAMES = "segment_cluster_names"
_PHASE_NAME = "segment_phase_name"


def _ways() -> dict[str, str]:
    from core.learning.prompting import has_package

    ways = {
        PARTICLES: ":material/grain: Particles",
        CHAIN: ":material/contrast: Threshold",
        STROKES: ":material/brush: Strokes",
        CLUSTERS: ":material/bubble_chart: Clusters",
        FILE: ":material/upload_file: File",
    }
    return ways | ({PROMPTED: ":material/ads_click: Prompts"} if has_package() else {})


def _way() -> str:
    return str(WAY.value())


def _by_threshold() -> bool:
    return _way() == CHAIN and METHOD.value() != FILTERS


WAY = Choice(
    name="segment-way",
    key=segmenting.WAY,
    label="How objects are found",
    help="Particles: objects without a setting. Threshold: bright from dark. Strokes: paint a "
    "little of each phase, and the rest follows. Clusters: those of the Cluster page, merged and "
    "named. File: labels, a mask or ImageJ's ROIs. Prompts: a click or a box is answered with an "
    "outline by Segment Anything weights of your own.",
    default=PARTICLES,
    options=_ways,
    in_row=True,
    required=True,
    is_labelled=False,
)
METHOD = Choice(
    name="segment-threshold",
    key="segment_threshold",
    label="Threshold",
    help="“Filters page” takes the chain that was built there; it must end in a threshold.",
    default="otsu",
    options={
        "otsu": "Otsu",
        "li": "Li",
        "triangle": "Triangle",
        "yen": "Yen",
        "sauvola": "Sauvola (local)",
        FILTERS: "Filters page",
    },
    counts=lambda: _way() == CHAIN,
)
SIGMA = Amount(
    name="segment-sigma",
    key="segment_sigma",
    label="Smoothed before (σ, px)",
    default=1.0,
    low=0.0,
    high=20.0,
    step=0.5,
    counts=_by_threshold,
)
FLATTEN = Switch(
    name="segment-flatten",
    key="segment_flatten",
    label="Even out shading",
    help="What is wider than a quarter of the frame is taken away before.",
    counts=_by_threshold,
)
SIDE = Choice(
    name="segment-side",
    key="segment_side",
    label="Objects are",
    help="Automatic: the side whose parts are whole and compact, as objects are.",
    default=AUTOMATIC,
    options={AUTOMATIC: "Automatic", BRIGHT: "Bright", DARK: "Dark"},
    in_row=True,
    required=True,
    counts=lambda: _way() == CHAIN,
)
COUNT = Whole(
    name="segment-k",
    key="segment_k",
    label="Clusters",
    default=3,
    low=2,
    high=MOST_CLUSTERS,
    counts=lambda: _way() == CLUSTERS,
)
PREVIEW = Switch(
    name="segment-preview",
    key="segment_preview",
    label="Quick preview",
    help="Linear discriminants instead of trees: at once, but less exact.",
    counts=lambda: _way() == STROKES,
)
EVERY = Switch(
    name="segment-every",
    key="segment_every",
    label="Learn from strokes on all micrographs",
    help="Off, only those on this one teach.",
    default=True,
    counts=lambda: _way() == STROKES,
)
EVERYTHING = Switch(
    name="segment-everything",
    key="segment_everything",
    label="Look for all objects by itself",
    help="Asks the network at a grid of places and keeps the answers it is sure of: a minute or "
    "more without a graphics card.",
    counts=lambda: _way() == PROMPTED,
)
SPLIT = Switch(
    name="segment-split",
    key="segment_split",
    label="Split touching objects",
    help="Cuts at necks narrower than 0.8 of the narrower part (watershed).",
    default=True,
    counts=lambda: _way() not in AS_THEY_COME,
)
NECK = Amount(
    name="segment-neck",
    key="segment_neck_depth",
    label="Least depth of a neck (px)",
    help=measuring.NECK.help,
    default=NECK_DEPTH_PX,
    low=0.0,
    high=measuring.NECK.high,
    step=0.5,
    counts=lambda: bool(SPLIT.value()),
)
FILL = Switch(
    name="segment-fill",
    key="segment_fill",
    label="Fill holes",
    counts=lambda: _way() not in AS_THEY_COME,
)
WHOLE = Switch(
    name="segment-whole",
    key="segment_whole",
    label="Leave out cut objects",
    help="Objects that the frame, the info bar or letters cut are larger than what shows of them. "
    "They are in no table then; to delete them use “All objects”.",
)
SETTINGS: tuple[Setting, ...] = (
    WAY,
    METHOD,
    SIGMA,
    FLATTEN,
    SIDE,
    COUNT,
    PREVIEW,
    EVERY,
    EVERYTHING,
    SPLIT,
    NECK,
    FILL,
    WHOLE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked for, what it names by digests, and what counts as an object."""

    choice: cache.SegmentChoice
    given: cache.Given
    found_by: cache.RegionChoice
    target: int = 0  # number of the phase that is measured at first; 0 is the first


def ask(micrograph: Micrograph) -> Asked:
    """Draw the way in the page and its settings in the sidebar; return what is asked for."""
    way = WAY.draw() or WAY.default
    with st.sidebar:
        draw = {
            CHAIN: _ask_chain,
            CLUSTERS: _ask_clusters,
            STROKES: _ask_strokes,
            FILE: _ask_file,
            PARTICLES: _ask_particles,
            PROMPTED: _ask_prompted,
        }
        asked = draw[way](micrograph)
        SPLIT.draw()
        if way not in AS_THEY_COME:  # these objects come as they are
            SMALLEST.draw()
            if micrograph.pixel_size is not None:
                SMALLEST_NM.draw()
        with st.expander("More about objects"):
            asked_for: tuple[Amount | Switch, ...] = (NECK, FILL, *_corners(way), WHOLE)
            for setting in asked_for:
                setting.draw()
            nm = micrograph.pixel_size is not None
            measuring.draw_limits((measuring.LARGEST_NM if nm else measuring.LARGEST,))
        exclude = EXCLUDE.draw()
    averaged = SIGMA.value() if _by_threshold() else 0.0
    if asked.choice.clusters is not None and asked.choice.clusters.smoothing.kind == GREYS:
        averaged = asked.choice.clusters.smoothing.sigma_px
    found_by = replace(
        asked.found_by,
        smallest_px=_smallest_px(micrograph, averaged),
        split=SPLIT.value(),
        fill_holes=FILL.value(),
        whole=WHOLE.value(),
        connectivity=8 if measuring.CORNERS.value() else 4,
        limits=measuring.limits_of(gather(measuring.SETTINGS).get("region_limits", {})),
        neck_depth_px=NECK.value(),
    )
    choice = replace(asked.choice, way=way, exclude=exclude)
    if choice.clusters is not None:
        choice = replace(choice, clusters=replace(choice.clusters, exclude=exclude))
    return replace(asked, choice=choice, found_by=found_by)


def _corners(way: str) -> tuple[Switch, ...]:
    """Return what decides whether corners connect, where objects are pieces of a phase."""
    return () if way in AS_THEY_COME else (measuring.CORNERS,)


def _smallest_px(micrograph: Micrograph, averaged_px: float) -> int:
    nm = SMALLEST_NM.value()
    if nm and micrograph.pixel_size is not None:
        return area_of(nm / micrograph.pixel_size.to("nm"))
    if smallest_by() == "stated":
        return int(SMALLEST.value())
    return smallest_region(averaged_px, SMALLEST.value())


def _ask_chain(micrograph: Micrograph) -> Asked:
    METHOD.draw()
    if METHOD.value() == FILTERS:
        steps = filter_chain.steps()
        names = ", ".join(step.filter for step in steps) or "nothing yet"
        say.caption("The chain is: {names}.", names=names)
        st.page_link("pages/3_Filters.py", label="Change it on Filters", icon=":material/tune:")
    else:
        FLATTEN.draw()
        SIGMA.draw()
        steps = _steps(micrograph)
    side = SIDE.draw()
    name = _one_name("particle")
    choice = cache.SegmentChoice(
        chain=Pipeline(steps).to_json(),
        dark=None if side == AUTOMATIC else side == DARK,
        names=(name,),
    )
    others = {each.sha256: each for each in workspace.every()}
    return Asked(choice, cache.Given(others=others), cache.RegionChoice())


def _steps(micrograph: Micrograph) -> tuple[Step, ...]:
    """Return the chain that stands for the settings."""
    steps = []
    if FLATTEN.value():
        steps.append(Step("subtract_gaussian", {"sigma_px": round(min(micrograph.shape) / 8)}))
    if SIGMA.value():
        steps.append(Step("gaussian", {"sigma_px": SIGMA.value()}))
    return (*steps, Step(METHOD.value()))


def _one_name(start: str) -> str:
    said = st.text_input(
        "What they are called",
        start,
        max_chars=MOST_NAME,
        key=_PHASE_NAME,
        persist_state="session",
    )
    return _clean(said) or start


def _ask_clusters(micrograph: Micrograph) -> Asked:
    handed = segmenting.handed()
    if handed is not None:
        COUNT.begin_with(handed.clusters.k)
        SPLIT.begin_with(handed.regions.split)
        FILL.begin_with(handed.regions.fill_holes)
        WHOLE.begin_with(handed.regions.whole)
        NECK.begin_with(handed.regions.neck_depth_px)
    k = COUNT.draw()
    base = handed.clusters if handed else cache.ClusterChoice(smoothing=Smoothing(AUTO))
    if handed is not None and handed.of != micrograph.key:  # a region belongs to one frame
        base = replace(base, region=None)
    clusters = cache.settled(micrograph, replace(base, k=k, exclude=EXCLUDE.value()))
    said = st.text_input(
        "Phases, dark to bright",
        placeholder=", ".join(f"cluster {n}" for n in range(k)),
        max_chars=300,
        key=_NAMES,
        persist_state="session",
        help="Names by commas, one for each cluster. Clusters of one name are one phase: "
        "“pore, matrix, matrix” merges the two brighter ones.",
    )
    given = [_clean(name) for name in said.split(",")] if said.strip() else []
    names = [*given[:k], *("" for _ in range(k - len(given)))]
    names = [name or f"cluster {number}" for number, name in enumerate(names)]
    at_first = handed.target if handed and handed.clusters.k == k else None
    target = cache.standing_out(micrograph, clusters) if at_first is None else at_first
    order = [name for name in dict.fromkeys(names) if name != GROUND]
    order += [GROUND] * (GROUND in names)
    return Asked(
        cache.SegmentChoice(clusters=clusters, names=tuple(names)),
        cache.Given(),
        handed.regions if handed else cache.RegionChoice(),
        1 + order.index(names[target]),
    )


def _ask_strokes(micrograph: Micrograph) -> Asked:
    names = strokes.ask_names()
    PREVIEW.draw()
    painted = strokes.painted(micrograph, every=True)
    if any(each.key != micrograph.key for each, _ in painted):
        EVERY.draw()
        painted = strokes.painted(micrograph, every=EVERY.value())
    choice = cache.SegmentChoice(
        names=names, strokes=strokes.digest(painted), preview=PREVIEW.value()
    )
    return Asked(choice, cache.Given(painted), cache.RegionChoice())


def _ask_file(micrograph: Micrograph) -> Asked:
    name, data = files.ask(micrograph)
    digest = hashlib.sha256(name.encode() + data).hexdigest() if data else ""
    choice = cache.SegmentChoice(file=digest)
    return Asked(choice, cache.Given(file=(name, data)), cache.RegionChoice())


def _ask_particles(_: Micrograph) -> Asked:
    return Asked(cache.SegmentChoice(), cache.Given(), cache.RegionChoice())


def _ask_prompted(_: Micrograph) -> Asked:
    EVERYTHING.draw()
    choice = cache.SegmentChoice(everything=EVERYTHING.value())
    return Asked(choice, cache.Given(), cache.RegionChoice())


def _clean(name: str) -> str:
    return "".join(c for c in name if c.isprintable()).strip()[:MOST_NAME]
