"""What becomes of a micrograph whose worker dies, and of a worker with another model."""

import sys
from types import SimpleNamespace

import pytest

from core.errors import UserError
from core.reporting.batch import dask_engine
from core.reporting.recipe import Recipe


class Lost:
    """A job whose worker is gone."""

    def result(self):
        raise OSError("the worker is gone")


def waiting(name: str) -> SimpleNamespace:
    source = SimpleNamespace(name=name)
    return SimpleNamespace(source=source, is_waiting=True, reading=None, remote=None)


def test_a_micrograph_that_no_worker_could_read_says_so():
    item = dask_engine._noted(waiting("a.tif"), there="key", told=Lost())
    assert item.reading.reason
    assert item.remote is None


def test_a_group_whose_worker_is_gone_fails_row_by_row(monkeypatch):
    taken = {}
    monkeypatch.setattr(
        dask_engine, "take", lambda item, done: taken.setdefault(item.source.name, done)
    )
    group = [waiting("a.tif"), waiting("b.tif")]
    assert dask_engine._collect(group, Lost()) is group
    assert sorted(taken) == ["a.tif", "b.tif"]
    assert all(isinstance(reason, str) and reason for reason in taken.values())


def test_without_dask_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with (
        pytest.raises(UserError, match=r"dask\[distributed\]"),
        dask_engine._connected(None, 1),
    ):
        pass


def test_a_worker_with_other_weights_refuses_and_keeps_no_model(monkeypatch, classifier):
    monkeypatch.setattr(dask_engine, "_models", {})
    monkeypatch.setattr("core.learning.models.load_model", lambda name, **stated: classifier)
    with pytest.raises(UserError, match="other weights"):
        dask_engine._load_once(Recipe(model="tiny"), "cd" * 32)
    assert dask_engine._models == {}
    assert dask_engine._load_once(Recipe(model="tiny"), classifier.card.sha256) is classifier


def test_a_worker_reads_the_network_as_the_recipe_states_it(monkeypatch, classifier):
    """Workers left out --prepare: other rows than the threads of one process."""
    asked = []
    monkeypatch.setattr(dask_engine, "_models", {})
    monkeypatch.setattr(
        "core.learning.models.load_model", lambda name, **k: asked.append(k) or classifier
    )
    stated = Recipe(model="tiny", prepare="0-1", classes_per_frame="several")
    for recipe in (stated, stated, Recipe(model="tiny")):
        dask_engine._load_once(recipe, classifier.card.sha256)
    assert asked == [{"prepare": "0-1", "several": True}, {"prepare": "", "several": None}]


@pytest.mark.parametrize(
    "given",
    [
        "::::",
        "x",
        "",
        "foo://x:1",
        "tcp://",
        "tcp://x:99999",
        "tcp://[::1",
        "tcp://:8786",
        "tcp://127.0.0.1:-1",
        "a\0b:1",
        f"{'x' * 300}:1",
        "\n",
    ],
)
def test_what_is_no_address_of_a_scheduler_is_refused_at_once(given):
    with pytest.raises(UserError, match="No Dask scheduler answers"):
        dask_engine._check_address(given)
