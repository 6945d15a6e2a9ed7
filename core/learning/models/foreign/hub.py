"""Weights from elsewhere: the public microscopy encoders, and how a file is fetched.

NASA's MicroNet encoders were trained on 54 classes of micrographs (Stuckner, Harder & Smith 2022,
npj Comput. Mater., doi:10.1038/s41524-022-00878-5). Listed are those that the networks here can
hold name by name; EfficientNet-B0 is published under another library's names and padding.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

from core.errors import UnusableModel
from core.learning.models.foreign.files import read_weight_file
from core.learning.models.foreign.limits import MAX_WEIGHTS_MB

Progress = Callable[[int, int | None], None]

_PATTERN = (
    "https://nasa-public-data.s3.amazonaws.com/microscopy_segmentation_models/"
    "{encoder}_pretrained_{data}_v{version}.pth.tar"
)
_ENCODERS = ("resnet18", "resnet50", "densenet121")
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")  # where nobody listens between the two ends
_CHUNK_BYTES = 256 * 1024
_SILENCE_S = 20.0  # without a byte
_LONGEST_S = 3600.0


def _list_encoders() -> dict[str, str]:
    urls = {}
    for encoder in _ENCODERS:
        version = "1.1" if encoder == "resnet50" else "1.0"
        urls[f"micronet/{encoder}"] = _PATTERN.format(
            encoder=encoder, data="microscopynet", version=version
        )
        urls[f"imagenet-micronet/{encoder}"] = _PATTERN.format(
            encoder=encoder, data="imagenet-microscopynet", version="1.0"
        )
    return urls


ENCODERS: Mapping[str, str] = _list_encoders()  # name -> address


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was fetched.

    Attributes
    ----------
    path : Path
    sha256 : str
        Digest of what arrived.
    size_bytes : int
    """

    path: Path
    sha256: str
    size_bytes: int


def fetch(
    url: str,
    folder: Path,
    *,
    on_progress: Progress | None = None,
    max_mb: float = MAX_WEIGHTS_MB,
    silence_s: float = _SILENCE_S,
    longest_s: float = _LONGEST_S,
) -> Fetched:
    """Fetch a weight file into a folder; nothing half-done is ever left there.

    Parameters
    ----------
    url : str
        An address that begins with https:// (http:// on this machine only), or a name of
        `ENCODERS`.
    folder : Path
        Made when it is missing. The file is named by the digest of its content.
    on_progress : callable, optional
        Called as on_progress(bytes so far, bytes in all or None).
    max_mb : float
        The most that is fetched, in 10⁶ bytes.
    silence_s, longest_s : float
        How long to wait for the next byte, and for the whole file, in s.

    Raises
    ------
    UnusableModel
        If the address is none, cannot be reached, has nothing, sends too much, too slowly or too
        little, or what arrived is no weight file.
    """
    address = ENCODERS.get(url, url)
    _check_address(address)
    folder.mkdir(parents=True, exist_ok=True)
    with _spare_file(folder) as (part, stream):
        with _plain_words(address):
            sha256, size = _receive(
                address, stream, on_progress, int(max_mb * 1e6), silence_s, longest_s
            )
        read_weight_file(part)
        path = folder / f"{sha256[:16]}{_suffix(address)}"
        part.replace(path)
    return Fetched(path, sha256, size)


def fetch_once(url: str, folder: Path, *, on_progress: Progress | None = None) -> Path:
    """Return the weight file of an address, fetched unless that was done before.

    Parameters and errors are those of `fetch`; each address has a folder of its own, so that a
    stopped training goes on without a network.
    """
    address = ENCODERS.get(url, url)
    own = folder / hashlib.sha256(address.encode()).hexdigest()[:16]
    for path in sorted(own.glob("[0-9a-f]*")):
        return path
    return fetch(url, own, on_progress=on_progress).path


def is_address(text: str) -> bool:
    """Tell whether a text is to be fetched, not a path on the disk."""
    return text in ENCODERS or re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def _check_address(address: str) -> None:
    parts = urllib.parse.urlsplit(address)
    here = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    if not (here or parts.scheme == "https") or not parts.hostname:
        raise UnusableModel(
            f"“{address[:100]}” is no address that is fetched: it must begin with https://. "
            f"Known by name are {', '.join(ENCODERS)}."
        )


@contextmanager
def _spare_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Yield a new file that is gone afterwards unless it was renamed."""
    number, name = tempfile.mkstemp(prefix=".fetching-", dir=folder)
    part = Path(name)
    try:
        with os.fdopen(number, "wb", buffering=0) as stream:  # it is read before it is closed
            yield part, stream
    finally:
        part.unlink(missing_ok=True)


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows a redirection to another web address only."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> Any:
        try:
            _check_address(newurl)
        except UnusableModel:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _plain_words(address: str) -> Iterator[None]:
    """Turn every failure of the network into a sentence."""
    host = urllib.parse.urlsplit(address).hostname
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        what = "has no such file" if error.code in (404, 410) else "refused to send the file"
        if 300 <= error.code < 400:
            what = "points to something else than a web address"
        raise UnusableModel(f"{host} {what} ({error.code}); check the address.") from error
    except TimeoutError as error:
        raise UnusableModel(f"{host} does not answer any more; try again later.") from error
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise UnusableModel(f"{host} does not answer; try again later.") from error
        raise UnusableModel(
            f"{host} cannot be reached ({reason}). Are you offline? You can also fetch the file "
            "elsewhere and give its path."
        ) from error


def _receive(
    address: str,
    stream: IO[bytes],
    on_progress: Progress | None,
    most_bytes: int,
    silence_s: float,
    longest_s: float,
) -> tuple[str, int]:
    """Write what an address sends; return its digest and its size."""
    opener = urllib.request.build_opener(_OnlyWeb)
    request = urllib.request.Request(address, headers={"User-Agent": "Micrographia"})
    end, size, hasher = time.monotonic() + longest_s, 0, hashlib.sha256()
    with opener.open(request, timeout=silence_s) as response:
        stated = response.headers.get("Content-Length", "")
        total = int(stated) if stated.isdigit() else None
        _check_size(total or 0, most_bytes)
        while chunk := response.read1(_CHUNK_BYTES):
            size += len(chunk)
            _check_size(size, most_bytes)
            if time.monotonic() > end:
                raise UnusableModel("The file arrives too slowly; try again later.")
            hasher.update(chunk)
            stream.write(chunk)
            if on_progress is not None:
                on_progress(size, total)
    if total is not None and size < total:
        raise UnusableModel(
            f"Only {size} of {total} bytes arrived: the connection broke off. Try again."
        )
    return hasher.hexdigest(), size


def _check_size(size_bytes: int, most_bytes: int) -> None:
    if size_bytes > most_bytes:
        raise UnusableModel(
            f"The file has more than {most_bytes / 1e6:,.0f} MB, the most that is fetched. Is it "
            "the right address?"
        )


def _suffix(address: str) -> str:
    is_safe = urllib.parse.urlsplit(address).path.endswith(".safetensors")
    return ".safetensors" if is_safe else ".pth"
