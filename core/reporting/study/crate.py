"""The study as an RO-Crate 1.2: what each file is, who made it, with what, under which licence.

https://w3id.org/ro/crate/1.2
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from typing import Any

from core import __version__
from core.reporting.study.model import Member, Study

FILE = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.2"
_PROGRAM, _RUN, _NO_LICENCE = "#micrographia", "#analysis", "#no-licence-stated"
_RESULTS = "results/"
_WHAT = {
    "study.json": "The study as Micrographia opens it again",
    "study.ipynb": "Notebook that repeats the study and compares every number",
    "recipe.json": "Every parameter of the analysis",
    "results/rows.json": "Results with every digit, a row per micrograph",
    "results/results.csv": "Results for a spreadsheet, a row per micrograph",
    "results/regions.csv": "Every measured region",
    "results/columns.csv": "Name in ASCII, unit and meaning of every column",
}
_FOLDERS = {
    "results/labels": "Numbered regions, 0 = none",
    "results/rois": "Regions for ImageJ",
    "results/masks": "Target phase, 255 = inside",
    "results/geojson": "Regions for QuPath",
    "results/coco": "Regions for training",
}
_TYPES = {".ipynb": "application/x-ipynb+json", ".geojson": "application/geo+json"}
Entity = dict[str, Any]


def write(study: Study, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return ro-crate-metadata.json of a study.

    Parameters
    ----------
    study : Study
    sizes : mapping
        File of the package to its bytes, this one left out.
    """
    members: dict[str, Member] = {}
    for each in study.members:
        members.setdefault(each.file, each)
    files = [_file(name, size, members) for name, size in sorted(sizes.items())]
    people = [_person(number, name) for number, name in enumerate(study.authors, 1)]
    graph = [
        {
            "@id": FILE,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": SPECIFICATION},
        },
        _root(study, files, people),
        *files,
        *people,
        _licence(study),
        _program(),
        _run(study, files),
    ]
    return {"@context": f"{SPECIFICATION}/context", "@graph": graph}


def _root(study: Study, files: list[Entity], people: list[Entity]) -> Entity:
    counts = ", ".join(f"{name}: {count}" for name, count in study.samples.items())
    described = f"{len(study.members)} electron micrographs" + (f" ({counts})" if counts else "")
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": study.title or "A study of electron micrographs",
        "description": study.note or f"{described}, their analysis and how to repeat it.",
        "datePublished": study.date,
        "license": {"@id": _licence(study)["@id"]},
        "hasPart": [{"@id": each["@id"]} for each in files],
        "mentions": {"@id": _RUN},
    }
    if people:
        root["author"] = [{"@id": each["@id"]} for each in people]
    if study.citation:
        root["creditText"] = study.citation
    return root


def _file(name: str, size: int, members: Mapping[str, Member]) -> Entity:
    ending = name[name.rfind(".") :]
    kind = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    entity: Entity = {
        "@id": name,
        "@type": "File",
        "name": _WHAT.get(name) or _FOLDERS.get("/".join(name.split("/")[:2]), name),
        "contentSize": str(size),
        "encodingFormat": kind,
    }
    if member := members.get(name):
        told = f"Pixels as read from the file with SHA-256 {member.sha256}"
        sample = f"; sample {member.sample}" if member.sample else ""
        entity |= {"name": member.name, "description": told + sample}
    elif name.startswith("micrographs/"):
        entity["name"] = "What the instrument and people said of a micrograph"
    return entity


def _person(number: int, name: str) -> Entity:
    return {"@id": f"#author-{number}", "@type": "Person", "name": name}


def _licence(study: Study) -> Entity:
    if not study.license:
        return {
            "@id": _NO_LICENCE,
            "@type": "CreativeWork",
            "name": "No licence stated",
            "description": "Nobody has said under which licence this may be used: ask its authors.",
        }
    is_address = study.license.startswith(("https://", "http://"))
    return {
        "@id": study.license if is_address else "#licence",
        "@type": "CreativeWork",
        "name": study.license,
        "description": f"The licence of this study: {study.license}",
    }


def _program() -> Entity:
    return {
        "@id": _PROGRAM,
        "@type": "SoftwareApplication",
        "name": "Micrographia",
        "softwareVersion": __version__,
        "version": __version__,
    }


def _run(study: Study, files: list[Entity]) -> Entity:
    """Return what led from the micrographs to the results."""
    run: Entity = {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": "Analysis of the micrographs by recipe.json",
        "endTime": study.date,
        "instrument": {"@id": _PROGRAM},
        "object": [
            {"@id": each["@id"]}
            for each in files
            if each["@id"].endswith(".tif") and each["@id"].startswith("micrographs/")
        ],
        "result": [{"@id": each["@id"]} for each in files if each["@id"].startswith(_RESULTS)],
    }
    return run
