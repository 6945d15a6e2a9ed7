"""The works that a methods paragraph names, as BibTeX."""

from __future__ import annotations

import re

_NAMED = re.compile(r"doi:(10\.\d{4,9}/[^\s<>;,]+[^\s<>;,.)])|arXiv:(\d{4}\.\d{4,5})")
_KNOWN: dict[str, tuple[str, str, str, str, int]] = {  # authors, title, journal, volume, year
    "10.2307/2331554": ("Student", "The probable error of a mean", "Biometrika", "6", 1908),
    "10.1080/01621459.1927.10502953": (
        "Wilson, Edwin B.",
        "Probable inference, the law of succession, and statistical inference",
        "Journal of the American Statistical Association",
        "22",
        1927,
    ),
    "10.1093/biomet/34.1-2.28": (
        "Welch, B. L.",
        "The generalization of `Student's' problem when several different population variances "
        "are involved",
        "Biometrika",
        "34",
        1947,
    ),
    "10.1214/aoms/1177730491": (
        "Mann, H. B. and Whitney, D. R.",
        "On a test of whether one of two random variables is stochastically larger than the other",
        "The Annals of Mathematical Statistics",
        "18",
        1947,
    ),
    "10.32614/RJ-2011-015": (
        "Wang, Haizhou and Song, Mingzhou",
        "Ckmeans.1d.dp: Optimal k-means clustering in one dimension by dynamic programming",
        "The R Journal",
        "3",
        2011,
    ),
    "10.1109/TPAMI.2012.120": (
        "Achanta, Radhakrishna and others",
        "SLIC superpixels compared to state-of-the-art superpixel methods",
        "IEEE Transactions on Pattern Analysis and Machine Intelligence",
        "34",
        2012,
    ),
    "10.1080/01621459.2017.1395341": (
        "Sadinle, Mauricio and Lei, Jing and Wasserman, Larry",
        "Least ambiguous set-valued classifiers with bounded error levels",
        "Journal of the American Statistical Association",
        "114",
        2019,
    ),
    "10.1046/j.1365-2818.1997.1340694.x": (
        'Hildebrand, T. and R{\\"u}egsegger, P.',
        "A new method for the model-independent assessment of thickness in three-dimensional "
        "images",
        "Journal of Microscopy",
        "185",
        1997,
    ),
    "10.2307/1931034": (
        "Clark, Philip J. and Evans, Francis C.",
        "Distance to nearest neighbor as a measure of spatial relationships in populations",
        "Ecology",
        "35",
        1954,
    ),
    "10.1111/j.1365-2818.1991.tb03099.x": (
        "Lantu{\\'e}joul, C.",
        "Ergodicity and integral range",
        "Journal of Microscopy",
        "161",
        1991,
    ),
    "1706.04599": (
        "Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.",
        "On calibration of modern neural networks",
        "Proceedings of the 34th International Conference on Machine Learning",
        "70",
        2017,
    ),
    "1610.02391": (
        "Selvaraju, Ramprasaath R. and others",
        "Grad-CAM: Visual explanations from deep networks via gradient-based localization",
        "Proceedings of the IEEE International Conference on Computer Vision",
        "",
        2017,
    ),
}


def bibtex(text: str) -> str:
    """Return an entry for each work that a text names by its DOI or its number on arXiv.

    A work that is not known here has its number alone, which a reference manager completes.

    Parameters
    ----------
    text : str
        Plain, or with markup.
    """
    found = dict.fromkeys(_NAMED.findall(text))
    return "\n\n".join(_entry(number, doi, arxiv) for number, (doi, arxiv) in enumerate(found, 1))


def _entry(number: int, doi: str, arxiv: str) -> str:
    known = _KNOWN.get(doi or arxiv)
    fields = {"doi": doi} if doi else {"eprint": arxiv, "archiveprefix": "arXiv"}
    if known is None:
        kind, key = "misc", f"reference{number}"
    else:
        authors, title, journal, volume, year = known
        first = re.sub(r"[^A-Za-z]", "", re.sub(r"\\.", "", authors.split(",")[0]).split(" ")[0])
        kind, key = "article", f"{first.lower()}{year}"
        told = {"author": authors, "title": title, "journal": journal, "volume": volume}
        fields = {k: v for k, v in told.items() if v} | {"year": str(year)} | fields
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@{kind}{{{key},\n{lines}\n}}"
