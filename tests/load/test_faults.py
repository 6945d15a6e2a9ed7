"""The real server: killed and started again under open tabs, and what it keeps of uploads."""

import platform
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.imaging.display.saving import save_png_bytes
from core.imaging.simulation.samples import simulate
from tests.load.client import LostConnection, Tab
from tests.load.server import Server, running
from tests.pages.small_model import save_small_model

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="reads /proc")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder: Path = tmp_path_factory.mktemp("models")
    save_small_model(folder)
    return {"MICROGRAPHIA_MODELS": str(folder), "MICROGRAPHIA_WARM_UP": "0"}


@pytest.fixture(scope="module")
def server(env: dict[str, str]) -> Iterator[Server]:
    with running(env) as server:
        yield server


def picture(seed: int) -> bytes:
    return save_png_bytes(simulate("alloys", (96, 128), seed=seed).micrograph)


def said(tab: Tab) -> str:
    return tab.text().replace("\\", "")


def test_two_tabs_of_one_person_stand_side_by_side(server: Server) -> None:
    first, second = Tab(server.url), Tab(server.url)
    first.open()
    second.open()
    first.upload("home_upload_0", ("first.png", picture(1)))
    second.upload("home_upload_0", ("second.png", picture(2)))
    for tab, own, other in (
        (first, "first.png", "second.png"),
        (second, "second.png", "first.png"),
    ):
        tab.go_to("Cluster")
        assert list(tab.widget("sidebar_micrograph").options) == [own]
        assert other not in said(tab)
        assert not tab.troubles()
        tab.close()


def test_file_made_on_demand_waits_while_others_use_the_app(server: Server) -> None:
    """In a crowd, downloads failed: what nobody's page shows went with the next page of anybody."""
    mine, other = Tab(server.url), Tab(server.url)
    mine.open()
    other.open()
    mine.upload("home_upload_0", ("mine.png", picture(7)))
    key = next(
        e.id.split("-", 2)[-1] for e in mine.shown("download_button") if "-save_png_" in e.id
    )
    place = mine.ask_for(key)
    for _ in range(4):
        other.go_to("Filters")
    assert mine.fetch(place).startswith(b"\x89PNG")
    mine.close()
    other.close()


def test_uploads_do_not_stay_beside_what_was_read_from_them(server: Server) -> None:
    tab = Tab(server.url)
    tab.open()
    tab.upload("home_upload_0", ("a.png", picture(3)), ("b.png", picture(4)))
    assert upload_bytes(tab) == 0
    tab.go_to("Batch_Report")
    tab.pick("batch_origin", "Files or a ZIP")
    tab.upload("batch_files", ("c.png", picture(5)))
    assert becomes(lambda: upload_bytes(tab) > 0)
    tab.go_to("Cluster")
    assert becomes(lambda: upload_bytes(tab) == 0)
    assert not tab.troubles()
    tab.close()


def becomes(so: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until something is so: the server repeats its statistics for some seconds."""
    end = time.monotonic() + seconds
    while not so() and time.monotonic() < end:
        time.sleep(0.5)
    return so()


def upload_bytes(tab: Tab) -> int:
    """What the server holds of uploads, as its own statistics say."""
    stated = tab.fetch("/_stcore/metrics").decode()
    sizes = re.findall(
        r'^cache_memory_bytes\{cache_type="UploadedFile\w*",.*\} (\d+)$', stated, re.MULTILINE
    )
    return sum(map(int, sizes))


def test_restarted_server_says_what_was_lost_and_works_on(env: dict[str, str]) -> None:
    with running(env) as first:
        tab = Tab(first.url)
        tab.open()
        tab.upload("home_upload_0", ("mine.png", picture(6)))
        tab.click("home_sample_dendrites")
        tab.go_to("Cluster")
        tab.slide("cluster_k", 5)
        first.kill()
        with pytest.raises(LostConnection):
            tab.slide("cluster_k", 4)
    with running(env, port=first.port) as again:
        tab.open("Cluster", tab.query, tab.session_id)  # as a browser does by itself
        assert not tab.troubles(), again.log.read_text()
        assert "1 sample is back. 1 file must be loaded again." in said(tab)
        tab.slide("cluster_k", 3)
        assert not tab.troubles()
        assert "simulated dendrites 1" in tab.widget("sidebar_micrograph").options
        assert "Traceback" not in again.log.read_text()
        tab.close()
