"""What a study holds, apart from the pixels, which stay in its file until they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import UserError
from core.micrograph import Micrograph, PixelSize
from core.reporting.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

ORIGINAL = "study_sha256"  # metadata: digest of the file, where a page must not trust it
NOTES = ("region", "shapes", "strokes", "edits")  # what a hand did to one micrograph


class Opener(Protocol):
    """A study's file: gives the micrographs that it holds, one at a time."""

    def micrograph(self, member: Member) -> Micrograph:
        """Return one of them as it was when the study was saved."""

    def read(self, name: str) -> bytes:
        """Return the bytes of one of its files."""


@dataclass(frozen=True, slots=True)
class Member:
    """One micrograph of a study.

    Attributes
    ----------
    name : str
        What people call it, with its folders where they are known; never used as a path.
    sha256 : str
        Digest of the file (or frame) that it was read from.
    shape : (H, W)
        In px; (0, 0) where only the digest is known.
    depth : str
        "uint8", "uint16" or "float32"; empty where only the digest is known.
    pixel_size : PixelSize or None
    pixel_size_from : str
        Who states it: a file, a side file, "set by hand", …
    sample, label : str
        The specimen that it shows, and its class as a person sees it; empty where nobody said.
    file : str
        Where its pixels lie in the study; empty when they were not taken along.
    pixels_sha256 : str
        `digest_pixels` of them.
    metadata : mapping
        What its file said of the instrument, and a person's correction of what is no specimen.
    notes : mapping
        By `NOTES`: region of interest, shapes (hand measurements and strokes that the viewer
        drew), strokes, edits; JSON values.
    """

    name: str
    sha256: str
    shape: tuple[int, int] = (0, 0)
    depth: str = ""
    pixel_size: PixelSize | None = None
    pixel_size_from: str = ""
    sample: str = ""
    label: str = ""
    file: str = ""
    pixels_sha256: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """Work that opens again.

    Attributes
    ----------
    members : tuple of Member
        The micrographs, in their order.
    recipe : Recipe
        How they are measured, with what was decided for each sample once a batch has run.
    title, note, license, citation : str
        In words, for the package; a licence may be an address (https://…).
    authors : tuple of str
    date : str
        Of the work, "2026-11-28"; a study that is saved again keeps it, so that the same study
        gives the same bytes.
    settings : mapping of str to str
        Settings of the pages as a link writes them, by their names there.
    results : mapping of str to list
        Columns of the rows of its batch, with every digit; empty before one has run.
    model : mapping
        Name, digest and classes of the network that gave them.
    files : tuple of str
        Further files of the package, label images and ROIs among them.
    version : int
        Of the file that it was opened from.
    """

    members: tuple[Member, ...]
    recipe: Recipe = field(default_factory=Recipe)
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""
    note: str = ""
    license: str = ""
    citation: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, list[Any]] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    version: int = 1
    opener: Opener | None = field(default=None, compare=False, repr=False)

    @property
    def rows(self) -> pd.DataFrame:
        """The rows of its batch; empty before one has run."""
        import pandas as pd

        return pd.DataFrame(dict(self.results))

    @property
    def samples(self) -> dict[str, int]:
        """How many micrographs each named sample has, in the order of their appearance."""
        found: dict[str, int] = {}
        for member in self.members:
            if member.sample:
                found[member.sample] = found.get(member.sample, 0) + 1
        return found

    def told(self) -> dict[str, Any]:
        """Return in a few words what the study holds, by what is told."""
        scaled = sum(member.pixel_size is not None for member in self.members)
        held = sum(bool(member.file) for member in self.members)
        counts = " · ".join(f"{name} {count}" for name, count in self.samples.items())
        rows = len(next(iter(self.results.values()), []))
        return {
            "title": self.title or "no title",
            "authors": ", ".join(self.authors) or "nobody named",
            "date": self.date,
            "licence": self.license or "not stated",
            "micrographs": f"{len(self.members)}, {held} of them with their pixels",
            "samples": counts or "none named",
            "pixel sizes": f"known of {scaled}",
            "results": f"{rows} rows by {self.model.get('name', '?')}" if rows else "none",
        }

    def micrograph(self, member: Member) -> Micrograph:
        """Return a micrograph that the study holds: pixels, scale, metadata and digest as saved.

        The digest is the one that the study states: whoever keeps results of strangers' files
        under their digests must not take it for the digest of what lies here.

        Raises
        ------
        UserError
            If the study was saved without it, or its pixels are not those that were saved.
        """
        if self.opener is None or not member.file:
            raise UserError(
                f"The study was saved without the pixels of {member.name[:80]}: name the folder "
                "where its micrographs lie."
            )
        return self.opener.micrograph(member)

    def read(self, name: str) -> bytes:
        """Return the bytes of one of the study's `files`; raises UserError where there is none."""
        if self.opener is None:
            raise UserError("The study was not opened from a file. Save it first.")
        return self.opener.read(name)
