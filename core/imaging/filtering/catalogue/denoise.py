"""Denoising."""

from core.imaging.filtering.operations import denoise
from core.imaging.filtering.specs import FilterSpec, Parameter

FAMILY = "Denoise"

SPECS = (
    FilterSpec(
        "gaussian",
        "Gaussian",
        FAMILY,
        denoise.gaussian,
        (Parameter("sigma_px", "Sigma", "float", 1.5, 0.0, 50.0, "px", help="Width of the blur."),),
        "Evens out noise, and blurs edges with it.",
    ),
    FilterSpec(
        "median",
        "Median",
        FAMILY,
        denoise.median,
        (
            Parameter(
                "size_px",
                "Window",
                "odd",
                3,
                3,
                15,
                "px",
                help="Edge of the square; above 5 px, 16-bit and float images take seconds.",
                slow_above=5,
            ),
        ),
        "Removes single bright or dark pixels and keeps edges.",
        "Tukey (1977), Exploratory Data Analysis, Addison-Wesley",
    ),
    FilterSpec(
        "bilateral",
        "Bilateral",
        FAMILY,
        denoise.bilateral,
        (
            Parameter("sigma_px", "Sigma in space", "float", 2.0, 0.5, 10.0, "px", slow_above=4.5),
            Parameter(
                "sigma_grey_pct",
                "Sigma in grey",
                "float",
                10.0,
                0.5,
                100.0,
                "%",
                help="Share of the image's grey range; smaller keeps fainter edges.",
            ),
        ),
        "Evens out noise inside regions and leaves their edges sharp.",
        "Tomasi, Manduchi (1998), ICCV, 839-846, doi:10.1109/ICCV.1998.710815",
        uses_exclude=True,
    ),
    FilterSpec(
        "non_local_means",
        "Non-local means",
        FAMILY,
        denoise.non_local_means,
        (
            Parameter("patch_px", "Patch", "odd", 5, 3, 11, "px", help="What must look alike."),
            Parameter("search_px", "Search radius", "int", 6, 2, 15, "px"),
            Parameter(
                "strength",
                "Strength",
                "float",
                0.8,
                0.0,
                5.0,
                "× noise",
                help="How unlike two patches may be, in units of the estimated noise.",
            ),
        ),
        "Averages places that look alike; best for repeating structure.",
        "Buades, Coll, Morel (2005), CVPR, 60-65, doi:10.1109/CVPR.2005.38",
        uses_exclude=True,
        is_slow=True,
    ),
    FilterSpec(
        "total_variation",
        "Total variation",
        FAMILY,
        denoise.total_variation,
        (
            Parameter(
                "weight",
                "Weight",
                "float",
                0.1,
                0.0,
                2.0,
                help="In units of the grey range: more is flatter.",
            ),
        ),
        "Flattens regions and keeps their edges.",
        "Chambolle (2004), Journal of Mathematical Imaging and Vision 20, 89-97, "
        "doi:10.1023/B:JMIV.0000011325.36760.1e",
        uses_exclude=True,
        is_slow=True,
    ),
    FilterSpec(
        "wavelet",
        "Wavelet",
        FAMILY,
        denoise.wavelet,
        (
            Parameter(
                "strength",
                "Strength",
                "float",
                2.0,
                0.0,
                6.0,
                "× noise",
                help="Detail below so many sigmas of the estimated noise goes.",
            ),
            Parameter("scales", "Scales", "int", 4, 1, 7, help="The last is 2 to this power px."),
        ),
        "Removes what the noise explains at every scale, and keeps the rest.",
        "Starck, Fadili, Murtagh (2007), IEEE Transactions on Image Processing 16, 297-309, "
        "doi:10.1109/TIP.2006.887733",
        uses_exclude=True,
    ),
    FilterSpec(
        "diffusion",
        "Anisotropic diffusion",
        FAMILY,
        denoise.diffusion,
        (
            Parameter("iterations", "Iterations", "int", 10, 0, 100, slow_above=20),
            Parameter(
                "edge_pct",
                "Edge",
                "float",
                5.0,
                0.1,
                100.0,
                "%",
                help="Steps well above this share of the grey range stay.",
            ),
        ),
        "Lets grey flow inside regions and not across their edges.",
        "Perona, Malik (1990), IEEE Transactions on Pattern Analysis and Machine Intelligence 12, "
        "629-639, doi:10.1109/34.56205",
        uses_exclude=True,
    ),
    FilterSpec(
        "hot_pixels",
        "Hot pixels",
        FAMILY,
        denoise.hot_pixels,
        (
            Parameter(
                "threshold",
                "Threshold",
                "float",
                8.0,
                3.0,
                100.0,
                "×",
                help="How many times the typical difference from the neighbours' median.",
            ),
        ),
        "Replaces single pixels that stick out (X-rays, dead pixels); all others stay exactly.",
        uses_exclude=True,
    ),
)
