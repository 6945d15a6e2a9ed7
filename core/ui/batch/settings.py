"""What a person sets on the Batch Report page; much of it begins with what other pages say."""

from __future__ import annotations

from core.measuring.clustering import GREY
from core.reporting.recipe import FROM_FILE, FROM_PICTURE
from core.reporting.recipe import PICTURES as KINDS
from core.ui import cache
from core.ui.parts import MOST_CLUSTERS, Choice, Setting, Several, Switch, Whole, targets
from core.ui.shell import OF_NAMES, PARTS_OF_NAMES

_PICTURES = {
    "overlays": "heat maps (PNG)",
    "masks": "masks (PNG)",
    "maps": "heat maps (NPY)",
    "labels": "numbered regions (TIFF)",
    "rois": "regions for ImageJ (ROI ZIP)",
    "geojson": "regions for QuPath (GeoJSON)",
    "coco": "regions for training (COCO)",
}

METHOD = Choice(
    name="batch-method",
    key="batch_method",
    label="Explanation",
    options=cache.method_titles,
    recipe="method",
)
CLUSTERS = Whole(
    name="batch-k",
    key="batch_k",
    label="Clusters",
    low=2,
    high=MOST_CLUSTERS,
    recipe="clusters",
)
CLUSTERING = Choice(
    name="batch-group",
    key="batch_clustering",
    label="Clusters by",
    help="Features and their seed are those of the Cluster page.",
    default="",
    options={GREY: "grey level", "features": "features", "mixture": "features (mixture)"},
    recipe="clustering",
)
TARGETS = targets("batch-target", "batch_target")
FILTERS = Switch(name="batch-filters", key="batch_filters")
BORDER = Switch(
    name="batch-border",
    key="batch_drop_border",
    label="Leave out cut regions",
    help="What the frame, the info bar or letters cut is larger than what shows of it. It counts "
    "as area either way.",
    recipe="drop_border_regions",
)
SCALE = Choice(
    name="batch-scale",
    key="batch_scale",
    label="Pixel size",
    help="Read ones count only where two findings agree, and each row says where its size is from.",
    default=FROM_FILE,
    options={
        FROM_FILE: "from the file, or by hand",
        FROM_PICTURE: "also read from the picture",
    },
    recipe="pixel_size_from",
)
LABEL = Choice(
    name="batch-class",
    key="batch_label_from",
    label="True class named by",
    help=OF_NAMES,
    default="",
    options=PARTS_OF_NAMES,
    recipe="label_from",
)
PICTURES = Several(
    name="batch-pictures",
    key="batch_pictures",
    label="Files to keep of each micrograph",
    default=["overlays", "masks"],
    options={kind: _PICTURES[kind] for kind in KINDS},
    recipe="pictures",
    to_recipe=lambda chosen: tuple(kind for kind in KINDS if kind in chosen),
)
TWINS = Whole(
    name="batch-twins",
    key="batch_twins",
    label="Look-alikes of each sample",
    help="So many pictures that look like a typical field of each sample are drawn, of which the "
    "truth is known, and measured in the same way: the report then says how wrong its numbers "
    "are. 20 take as long as 30 micrographs of a megapixel.",
    default=0,
    low=0,
    high=40,
    step=10,
    recipe="twins",
)
SETTINGS: tuple[Setting, ...] = (
    METHOD,
    CLUSTERS,
    CLUSTERING,
    *TARGETS.values(),
    FILTERS,
    BORDER,
    SCALE,
    LABEL,
    PICTURES,
    TWINS,
)
