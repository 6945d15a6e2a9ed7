"""Fetching weights, from a server on this machine that behaves as badly as servers do."""

import hashlib
import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from core.errors import UnusableModel
from core.learning.models.foreign import hub
from core.learning.models.networks import NETWORKS


def weights() -> bytes:
    stream = io.BytesIO()
    torch.save({"a": torch.arange(200_000.0)}, stream)
    return stream.getvalue()


WEIGHTS = weights()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/").partition(".")[0]
        getattr(self, f"send_{name}", self.send_missing)()

    def log_message(self, *_: object) -> None:
        pass

    def begin(self, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def send_good(self) -> None:
        self.begin(length=len(WEIGHTS))
        self.wfile.write(WEIGHTS)

    def send_unstated(self) -> None:
        self.begin()
        self.wfile.write(WEIGHTS)

    def send_short(self) -> None:
        self.begin(length=len(WEIGHTS))
        self.wfile.write(WEIGHTS[:1000])

    def send_page(self) -> None:
        self.begin(length=21)
        self.wfile.write(b"<html>Sign in</html>\n")

    def send_huge(self) -> None:
        self.begin(length=10**12)

    def send_endless(self) -> None:
        self.begin()
        try:
            while True:
                self.wfile.write(bytes(100_000))
        except OSError:  # the other side has hung up, as it should
            pass

    def send_silent(self) -> None:
        self.begin(length=1000)
        self.server.released.wait(10)  # type: ignore[attr-defined]

    def send_slow(self) -> None:
        self.begin(length=len(WEIGHTS))
        try:
            for place in range(0, 50_000, 1000):
                self.wfile.write(WEIGHTS[place : place + 1000])
                time.sleep(0.02)
        except OSError:
            pass

    def send_away(self) -> None:
        self.begin(302, 0, Location="good.pth")

    def send_astray(self) -> None:
        self.begin(302, 0, Location="file:///etc/passwd")

    def send_bared(self) -> None:
        self.begin(302, 0, Location="http://example.org/good.pth")

    def send_broken(self) -> None:
        self.begin(500, 0)

    def send_missing(self) -> None:
        self.begin(404, 0)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.released = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.released.set()  # type: ignore[attr-defined]
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["good", "unstated", "away"])
def test_a_file_arrives_whole(server: str, tmp_path: Path, name: str) -> None:
    steps: list[tuple[int, int | None]] = []
    found = hub.fetch(
        f"{server}/{name}.pth", tmp_path, on_progress=lambda *step: steps.append(step)
    )
    assert found.path.read_bytes() == WEIGHTS
    assert found.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert found.size_bytes == len(WEIGHTS) == steps[-1][0]
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert steps[-1][1] == (None if name == "unstated" else len(WEIGHTS))
    assert [path.name for path in tmp_path.iterdir()] == [found.path.name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", r"no such file \(404\)"),
        ("broken", r"refused to send the file \(500\)"),
        ("short", "bytes arrived|broke off"),
        ("page", "no weight file"),
        ("huge", "more than 2 MB"),
        ("endless", "more than 2 MB"),
        ("silent", "does not answer"),
        ("slow", "too slowly"),
        ("astray", "something else than a web address"),
        ("bared", "must begin with https"),
    ],
)
def test_every_failure_is_one_sentence_and_leaves_nothing(
    server: str, tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(UnusableModel, match=message) as caught:
        hub.fetch(f"{server}/{name}.pth", tmp_path, max_mb=2, silence_s=0.3, longest_s=0.2)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_what_was_fetched_is_not_fetched_again(server: str, tmp_path: Path) -> None:
    asked: list[int] = []
    paths = {
        hub.fetch_once(f"{server}/good.pth", tmp_path, on_progress=lambda n, _: asked.append(n))
        for _ in range(2)
    }
    assert len(paths) == 1
    assert asked.count(len(WEIGHTS)) == 1
    with pytest.raises(UnusableModel, match="no such file"):
        hub.fetch_once(f"{server}/missing.pth", tmp_path)


def test_offline_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnusableModel, match=r"cannot be reached.*offline"):
        hub.fetch("http://127.0.0.1:1/weights.pth", tmp_path)


@pytest.mark.parametrize(
    "url",
    ["http://example.org/w.pth", "file:///etc/passwd", "ftp://a/b", "https://", "weights.pth", ""],
)
def test_only_safe_web_addresses_are_fetched(tmp_path: Path, url: str) -> None:
    with pytest.raises(UnusableModel, match=r"no address that is fetched.*https"):
        hub.fetch(url, tmp_path)


def test_listed_encoders_are_ones_that_the_networks_hold() -> None:
    assert len(hub.ENCODERS) == 6
    for name, url in hub.ENCODERS.items():
        encoder = name.partition("/")[2]
        assert encoder in NETWORKS
        assert f"/{encoder}_pretrained_" in url
        assert hub.is_address(name)
        assert hub.is_address(url)
    assert hub.ENCODERS["micronet/resnet50"].endswith(
        "resnet50_pretrained_microscopynet_v1.1.pth.tar"
    )
    assert not hub.is_address("weights.pth")
    assert not hub.is_address("C:\\weights.pth")
