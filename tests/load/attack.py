"""One visitor attacks with everything there is; an honest one must lose nothing by it."""

from __future__ import annotations

import itertools
import random
import shutil
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.imaging.display.saving import save_png_bytes
from core.imaging.simulation.samples import simulate
from tests.attack import generators, models, pictures
from tests.load.client import LostConnection, Tab
from tests.pages.small_model import save_small_model

WAIT_S = 240.0


@dataclass(slots=True, eq=False)
class Attacked:
    """What an attack came to."""

    given: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    looks: int = 0
    losses: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return the findings as text."""
        given = ", ".join(f"{number} {kind}" for kind, number in sorted(self.given.items()))
        lines = [f"the attacker gave {given or 'nothing'}"]
        lines += [f"faults on the attacker's pages: {len(self.troubles)}", *self.troubles[:5]]
        lines += [f"the honest one looked {self.looks} times for the own model and batch result"]
        return "\n".join([*lines, f"lost: {len(self.losses)}", *self.losses[:5]])


def sound_model(seed: int) -> bytes:
    """Return a model that works, in a ZIP, under a name of its own."""
    with tempfile.TemporaryDirectory() as name:
        save_small_model(Path(name))
        (folder,) = Path(name).iterdir()
        card = folder / "card.json"
        card.write_text(card.read_text().replace(f'"{folder.name}"', f'"own-{seed}"', 1))
        packed = shutil.make_archive(f"{name}/own", "zip", folder)
        return Path(packed).read_bytes()


class _Person(threading.Thread):
    def __init__(self, url: str, found: Attacked, until: float) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.url, self.found, self.until = url, found, until

    def add_model(self, tab: Tab, name: str, data: bytes) -> bool:
        """Give a model on Classify; return whether it was taken and is in use."""
        tab.click("models_add")
        key = next(e.id for e in tab.shown("file_uploader") if "-models_upload_" in e.id)
        tab.upload(key.split("-", 2)[-1], (name, data))
        if tab.has("models_use"):
            tab.click("models_use")
            return True
        return False


class Attacker(_Person):
    """Gives hostile files of all kinds, one after the other, as fast as the server answers."""

    def run(self) -> None:
        """Attack until the time is over; a fault is whatever is not a sentence."""
        dice = random.Random(5)
        hostile = self._hostile_models()
        ways: dict[str, Callable[[Tab], object]] = {
            "pictures": lambda tab: self._picture(tab, dice),
            "archives": lambda tab: self._archive(tab, dice),
            "models": lambda tab: self._model(tab, *next(hostile)),
            "sound models": lambda tab: self._model(tab, "own", sound_model(dice.randrange(10**6))),
            "recipes": lambda tab: self._recipe(tab, dice),
            "label tables": lambda tab: self._labels(tab, dice),
        }
        for kind in itertools.cycle(ways):
            if time.monotonic() > self.until:
                return
            tab = Tab(self.url)
            try:
                tab.open()
                for _ in range(5):
                    ways[kind](tab)
                    self.found.given[kind] += 1
                    self._look(tab, kind)
            except LostConnection as error:
                self.found.troubles.append(f"{kind}: lost the connection: {error}")
            except Exception:
                self.found.troubles.append(f"{kind}: {traceback.format_exc()[-500:]}")
            finally:
                tab.close()

    def _look(self, tab: Tab, kind: str) -> None:
        for trouble in tab.troubles():
            if trouble.startswith("exception") or "wrong on our side" in trouble:
                self.found.troubles.append(f"{kind}: {trouble[:300]}")

    def _hostile_models(self) -> Iterator[tuple[str, bytes]]:
        folder = Path(__file__).parents[2] / "models" / "em-morph5"
        return itertools.chain.from_iterable(
            models.hostile(1000, seed, folder) for seed in itertools.count(7)
        )

    def _picture(self, tab: Tab, dice: random.Random) -> None:
        random_ = np.random.default_rng(dice.randrange(2**32))
        make = dice.choice(list(pictures.MAKERS.values()))
        self._home(tab, (f"{make.__name__}.png", make(random_)))

    def _archive(self, tab: Tab, dice: random.Random) -> None:
        self._home(tab, ("given.zip", generators.archive_of(dice)))

    def _home(self, tab: Tab, file: tuple[str, bytes]) -> None:
        tab.go_to("")
        key = next(e.id for e in tab.shown("file_uploader") if "-home_upload_" in e.id)
        tab.upload(key.split("-", 2)[-1], file)

    def _model(self, tab: Tab, name: str, data: bytes) -> None:
        if not tab.has("models_add"):
            tab.go_to("")
            tab.click("home_sample_spheroids")
            tab.go_to("Classify")
        self.add_model(tab, f"{name}.zip", data)

    def _recipe(self, tab: Tab, dice: random.Random) -> None:
        if not tab.has("batch_recipe_file"):
            self._own_batch_page(tab)
            tab.pick("batch_recipe_origin", "A file")
        tab.upload("batch_recipe_file", ("recipe.json", generators.recipe_of(dice)))
        if tab.has("batch_run_now"):
            tab.click("batch_run_now")

    def _labels(self, tab: Tab, dice: random.Random) -> None:
        if not any("-batch_labels_" in e.id for e in tab.shown("file_uploader")):
            self._own_batch_page(tab)
            run_batch(tab, self.until)
        key = next(e.id for e in tab.shown("file_uploader") if "-batch_labels_" in e.id)
        tab.upload(key.split("-", 2)[-1], ("labels.csv", generators.labels_of(dice)))

    def _own_batch_page(self, tab: Tab) -> None:
        tab.go_to("")
        tab.click("home_sample_spheroids")
        tab.go_to("Batch_Report")


def run_batch(tab: Tab, until: float) -> None:
    """Run a batch on the page of batches, to its end."""
    tab.click("batch_run_now")
    end = min(until, time.monotonic()) + WAIT_S
    while tab.reruns and time.monotonic() < end:
        time.sleep(1.0)
        tab.look_again()


class Honest(_Person):
    """Adds a model, runs a batch with it, and looks again and again whether both are there."""

    def run(self) -> None:
        """Work until the time is over."""
        try:
            self._work()
        except Exception:
            self.found.losses.append(traceback.format_exc()[-600:])

    def _work(self) -> None:
        tab = Tab(self.url)
        tab.open()
        picture = save_png_bytes(simulate("alloys", (256, 256), seed=99).micrograph)
        tab.upload("home_upload_0", ("honest.png", picture))
        tab.go_to("Classify")
        if not self.add_model(tab, "honest.zip", sound_model(-1)):
            raise AssertionError(f"the model was not taken: {tab.troubles()}")
        answer = self._answer(tab)
        tab.go_to("Batch_Report")
        run_batch(tab, self.until)
        table, address = tab.download("batch_csv"), tab.query
        while time.monotonic() < self.until:
            time.sleep(5.0)
            self._look(tab, answer, table, address)
        tab.close()

    def _answer(self, tab: Tab) -> str:
        return str(tab.widget("classify_probabilities").spec)

    def _look(self, tab: Tab, answer: str, table: bytes, address: str) -> None:
        """Look at both in the open tab, and at the result in a new one, as after a reload."""
        self.found.looks += 1
        tab.go_to("Classify")
        if "own--1" not in " ".join(tab.widget("settings_model").options):
            self.found.losses.append(f"the model: {list(tab.widget('settings_model').options)}")
        elif self._answer(tab) != answer:
            self.found.losses.append("the model answers otherwise")
        tab.go_to("Batch_Report")
        if tab.download("batch_csv") != table:
            self.found.losses.append("the open tab's result is another one")
        again = Tab(self.url)
        again.open("Batch_Report", address)
        if not again.has("batch_csv") or again.download("batch_csv") != table:
            self.found.losses.append(f"the result after a reload: {again.text()[-200:]}")
        again.close()
