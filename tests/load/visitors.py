"""What one visitor does, and what must hold of everything that is sent back."""

from __future__ import annotations

import json
import random
import re
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.load.client import LostConnection, Tab
from tests.load.pictures import Known

NAME = re.compile(rb"visitor(\d{3})q")
TASKS = ("Classify", "Explain", "Filters", "Cluster", "Segment", "Compare", "Train", "Batch")
OFTEN = (1, 2, 2, 2, 2, 1, 0.5, 1)  # how often each is gone to
SAVED = ("segment_csv", "segment_sizes_csv", "segment_rois", "segment_geojson")
TOLERANCE = 0.05  # per cent; two runs of a network differ by far less


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that a visitor did, and how long the answer took, pictures included."""

    at_s: float
    name: str
    seconds: float
    is_warm: bool


@dataclass(slots=True, eq=False)
class Notes:
    """What all visitors saw."""

    began: float = field(default_factory=time.monotonic)
    interactions: list[Interaction] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    messages: int = 0
    bytes_seen: int = 0
    visits: int = 0
    batches_s: list[float] = field(default_factory=list)
    checked: int = 0


class _Over(Exception):
    """The time is over: visitors who would not pause any more are no measure of a crowd."""


class Visitor:
    """Comes, loads pictures of an own name, walks about, leaves, and comes again.

    Warm is every interaction but the first opening of a page with a picture and a model, the first
    finding of objects in a picture in a way, uploads and the start of a session: a new setting is
    warm although it has to be worked out.
    """

    def __init__(
        self,
        number: int,
        url: str,
        pictures: Sequence[Known],
        models: Sequence[str],
        notes: Notes,
        *,
        until: float,
        think_s: float,
        once: bool = False,
        seed: int = 0,
    ) -> None:
        self.thread = threading.Thread(target=self._run, name=f"visitor {number}", daemon=True)
        self.number, self.url, self.pictures, self.models = number, url, pictures, models
        self.notes, self.until, self.think_s = notes, until, think_s
        self.once = once
        self.random = random.Random(1000 * seed + number)
        self.loaded: dict[str, Known] = {}
        self.model = ""
        self.visited: set[tuple[str, str, str]] = set()
        self.k = 3
        self.dropped = 0

    # ---- a visit

    def _run(self) -> None:
        """Visit until the time is over."""
        time.sleep(self.random.uniform(0, 2 * self.think_s))
        visit = 0
        while time.monotonic() < self.until:
            try:
                self._visit(visit)
            except _Over:
                return
            except LostConnection as error:
                self.notes.troubles.append(f"visitor {self.number} lost the connection: {error}")
            except Exception:
                self.notes.troubles.append(
                    f"visitor {self.number}: {traceback.format_exc()[-600:]}"
                )
            visit += 1
            if self.once:
                return

    def _visit(self, visit: int) -> None:
        self.tab = Tab(self.url, self._check_names)
        self.loaded, self.visited, self.model, self.k = {}, set(), self.models[0], 3
        self.notes.visits += 1
        try:
            self._do("open the app", self.tab.open, warm=False)
            self._upload(visit)
            self._task("Classify")
            for task in self._tasks():
                if time.monotonic() > self.until:
                    return
                self._work_on(task)
        finally:
            self.tab.close()

    def _tasks(self) -> list[str]:
        """Return which pages are visited; all of them in a single visit."""
        if self.once:
            return self.random.sample(TASKS, len(TASKS))
        return self.random.choices(TASKS, OFTEN, k=self.random.randint(6, 12))

    def _work_on(self, task: str) -> None:
        """Go to a page and change one to three things on it."""
        if task == "Batch":
            self._batch()
            return
        if task == "Train":
            self._train()
            return
        if task == "Compare" and len(self.loaded) < 2:
            return
        self._task(task)
        for _ in range(self.random.randint(1, 3)):
            self.random.choice(self._choices(task))()
        if self.random.random() < 0.15:
            self._change_model()

    def _choices(self, task: str) -> list[Callable[[], None]]:
        return {
            "Classify": [self._level, self._save_as],
            "Explain": [self._method, self._opacity, self._colours, self._class],
            "Filters": [self._sigma, self._preset, self._add_filter, self._save_as],
            "Cluster": [self._clusters, self._smallest, self._shown, self._regions_csv],
            "Segment": [self._way, self._weighted, self._keep_round, self._save_objects],
            "Compare": [self._described, self._map],
        }[task]

    # ---- what a visitor does

    def _upload(self, visit: int) -> None:
        files = []
        for place in range(self.random.randint(1, 3)):
            known = self.random.choice(self.pictures)
            name = f"visitor{self.number:03d}q{visit}n{place}.png"
            if known not in self.loaded.values():
                self.loaded[name] = known
                files.append((name, known.png))
        self._do("upload", lambda: self.tab.upload("home_upload_0", *files), warm=False)
        missing = [name for name in self.loaded if name not in self.tab.text().replace("\\", "")]
        if missing:
            self.notes.troubles.append(f"uploaded, but not shown: {missing}")

    def _task(self, page: str) -> None:
        key = (page, self._current(), self.model)
        self._do(f"open {page}", lambda: self.tab.go_to(page), warm=key in self.visited)
        self.visited.add(key)
        if page == "Classify":
            self._check_class()
        if page == "Cluster":
            self._check_cluster()

    def _batch(self) -> None:
        self._task("Batch_Report")
        if not self.tab.has("batch_run_now"):
            return
        began = time.monotonic()
        self._do("Batch: run", lambda: self.tab.click("batch_run_now"))
        while self.tab.reruns and time.monotonic() - began < 300:
            time.sleep(1.0)
            self._do("Batch: progress", self.tab.look_again, think=False)
        self.notes.batches_s.append(time.monotonic() - began)
        self._do("Batch: report", lambda: self._own(self.tab.download("batch_html")))
        self._do("Batch: CSV", lambda: self._own(self.tab.download("batch_csv")))

    def _change_model(self) -> None:
        options = list(self.tab.widget("settings_model").options)
        self.model = self.random.choice([name for name in options if name in self.models])
        self._do("change the model", lambda: self.tab.choose("settings_model", self.model))

    def _level(self) -> None:
        if self.tab.has("classify_level"):
            value = self.random.randint(60, 99)
            self._do("Classify: level", lambda: self.tab.slide("classify_level", value))

    def _save_as(self) -> None:
        key = next(e.id for e in self.tab.shown("download_button") if "save_png" in e.id)
        key = key.split("-", 2)[-1]
        self._do("save as PNG", lambda: self.tab.download(key))

    def _method(self) -> None:
        quick = ("Grad", "CAM", "Layer", "Eigen", "HiRes", "XGrad")
        options = [o for o in self.tab.widget("explain_method").options if o.startswith(quick)]
        self._do(
            "Explain: method",
            lambda: self.tab.choose("explain_method", self.random.choice(options)),
        )

    def _opacity(self) -> None:
        value = 5 * self.random.randint(4, 18)
        self._do("Explain: opacity", lambda: self.tab.slide("explain_opacity", value))

    def _colours(self) -> None:
        options = list(self.tab.widget("explain_colormap").options)
        chosen = self.random.choice(options)
        self._do("Explain: colours", lambda: self.tab.choose("explain_colormap", chosen))

    def _class(self) -> None:
        box = next(e for e in self.tab.shown("selectbox") if "-explain_target_" in e.id)
        key, chosen = box.id.split("-", 2)[-1], self.random.choice(list(box.options))
        self._do("Explain: class", lambda: self.tab.choose(key, chosen))

    def _sigma(self) -> None:
        boxes = [e.id for e in self.tab.shown("number_input") if e.id.endswith("_sigma_px")]
        if boxes:
            key, value = boxes[0].split("-", 2)[-1], self.random.randint(5, 60) / 10
            self._do("Filters: sigma", lambda: self.tab.type_number(key, value))

    def _preset(self) -> None:
        chosen = self.random.choice(list(self.tab.widget("filters_preset").options)[:3])
        self._do("Filters: preset", lambda: self.tab.choose("filters_preset", chosen))

    def _add_filter(self) -> None:
        if not self.tab.has("filters_next"):
            return
        wanted = ("Median", "Stretch", "Otsu", "Sobel", "Opening")
        options = [o for o in self.tab.widget("filters_next").options if o.endswith(wanted)]
        if options:
            chosen = self.random.choice(options)
            self._do("Filters: add one", lambda: self.tab.choose("filters_next", chosen))
        self._do("Filters: reset", lambda: self.tab.click("filters_reset"))

    def _clusters(self) -> None:
        self.k = self.random.randint(2, 6)
        self._do("Cluster: number", lambda: self.tab.slide("cluster_k", self.k))
        self._check_cluster()

    def _smallest(self) -> None:
        value = self.random.randint(1, 200)
        key = "workspace_smallest_region_px"
        self._do("Cluster: smallest region", lambda: self.tab.type_number(key, value))

    def _shown(self) -> None:
        options = [option.content for option in self.tab.widget("cluster_shown").options]
        chosen = self.random.choice(options)
        self._do("Cluster: view", lambda: self.tab.pick("cluster_shown", chosen))

    def _regions_csv(self) -> None:
        self._do("Cluster: CSV", lambda: self.tab.download("cluster_csv"))

    def _way(self) -> None:
        """Find objects in another way: the first time in a picture is a new piece of work."""
        ways = {o.content: f"{o.content_icon} {o.content}" for o in self._options("segment_way")}
        chosen = self.random.choice(("Particles", "Threshold", "Clusters"))
        key = (f"Segment by {chosen}", self._current(), self.model)
        self._do(
            f"Segment: by {chosen.lower()}",
            lambda: self.tab.pick("segment_way", ways[chosen]),
            warm=key in self.visited,
        )
        self.visited.add(key)

    def _options(self, key: str) -> list[Any]:
        return list(self.tab.widget(key).options)

    def _weighted(self) -> None:
        if self.tab.has("cluster_sizes_by"):
            chosen = self.random.choice(("Number", "Area", "Volume"))
            self._do("Segment: weight", lambda: self.tab.pick("cluster_sizes_by", chosen))

    def _keep_round(self) -> None:
        """Leave out what is not round, and take it back."""
        if self.tab.has("segment_circularity"):
            value = self.random.randint(10, 60) / 100
            self._do("Segment: circularity", lambda: self.tab.slide("segment_circularity", value))
            self._do("Segment: keep these", lambda: self.tab.click("segment_keep"))
            self._do("Segment: undo", lambda: self.tab.click("segment_undo"))

    def _save_objects(self) -> None:
        key = self.random.choice(SAVED)
        if self.tab.has(key):
            self._do("Segment: save", lambda: self.tab.download(key))

    def _described(self) -> None:
        options = list(self.tab.widget("compare_map_described").options)
        chosen = self.random.choice(options)
        self._do("Compare: described by", lambda: self.tab.choose("compare_map_described", chosen))

    def _map(self) -> None:
        chosen = self.random.choice(("PCA", "t-SNE"))
        self._do("Compare: map", lambda: self.tab.pick("compare_map_method", chosen))

    def _train(self) -> None:
        """Teach two classes by three pictures each, and leave what was dropped as it is."""
        self._task("Train")
        self.dropped += 1
        for place in range(2):
            chosen = self.random.sample(list(self.pictures), 3)
            named = f"visitor{self.number:03d}q{self.dropped}t{place}"
            files = [(f"{named}{n}.png", known.png) for n, known in enumerate(chosen)]
            self._drop(place, files)

    def _drop(self, place: int, files: Sequence[tuple[str, bytes]]) -> None:
        zones = [e.id.split("-", 2)[-1] for e in self.tab.shown("file_uploader")]
        zone = next(key for key in zones if key.startswith(f"train_drop_{place}_"))
        self._do("Train: drop three", lambda: self.tab.upload(zone, *files), warm=False)

    # ---- what must hold

    def _do(
        self, name: str, action: Callable[[], object], *, warm: bool = True, think: bool = True
    ) -> None:
        if not self.once and time.monotonic() > self.until:
            raise _Over
        began = time.monotonic()
        action()
        took = time.monotonic() - began
        self.notes.interactions.append(Interaction(began - self.notes.began, name, took, warm))
        for trouble in self.tab.troubles():
            self.notes.troubles.append(f"visitor {self.number}, {name}: {trouble}")
        if think:
            wait_s = self.random.expovariate(1 / self.think_s)
            time.sleep(min(wait_s, 4 * self.think_s, max(0.0, self.until - time.monotonic())))

    def _check_names(self, data: bytes) -> None:
        """Look for the name of another visitor in whatever the server sends."""
        self.notes.messages += 1
        self.notes.bytes_seen += len(data)
        for match in NAME.finditer(data):
            if int(match[1]) != self.number:
                around = data[max(0, match.start() - 60) : match.end() + 60]
                self.notes.leaks.append(f"visitor {self.number} got {around!r}")

    def _own(self, data: bytes) -> None:
        """A file must speak of this visitor's pictures, and of nobody else's."""
        if NAME.search(data) is None:
            self.notes.troubles.append(f"visitor {self.number}: a file without its name")

    def _current(self) -> str:
        return next(iter(self.loaded))

    def _check_class(self) -> None:
        """The picture must be one's own and the probabilities those of this very picture."""
        name, known = self._current(), self.loaded[self._current()]
        tiles = self.tab.micrographs().get(name)
        if tiles is None:
            self._wrong(f"no picture of {name} on Classify")
            return
        packed = self.tab.fetch(tiles["url"])[: tiles["offsets"][1]]
        shown = np.frombuffer(packed, known.first_tile.dtype)
        if tiles["shapes"][0] != list(known.shape) or not np.array_equal(
            shown, known.first_tile.ravel()
        ):
            self._wrong("another picture than one's own")
        spec = json.loads(self.tab.widget("classify_probabilities").spec)
        found = sorted(spec["data"][0]["x"], reverse=True)
        right = known.probabilities[self.model]
        if not np.allclose(found, right, atol=TOLERANCE):
            self._wrong(f"probabilities {found} instead of {right}")
        self.notes.checked += 1

    def _check_cluster(self) -> None:
        if self.k != 3:
            return
        known = self.loaded[self._current()]
        label = f"Cluster {known.target}"
        stated = next((e.body for e in self.tab.shown("metric") if e.label == label), None)
        right = f"{100 * known.share:.1f}\u00a0%"
        if stated != right:
            self._wrong(f"share {stated!r} instead of {right!r}")
        self.notes.checked += 1

    def _wrong(self, what: str) -> None:
        self.notes.leaks.append(f"visitor {self.number}: {what}")
