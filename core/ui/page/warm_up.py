"""What the process does beside serving pages: it loads the network's libraries, and tidies up.

Python lets a thread at work keep the interpreter for 5 ms before another may have it. A page waits
for it hundreds of times, after each array and each message, so that one visitor's hard work made
the pages of all others take three to eight times as long; a tenth of that is no cost to the work.

Streamlit collects garbage after every run of every page, which takes 0.27 s of everybody's time
once the libraries are loaded (500,000 objects) and is switched off in .streamlit/config.toml.
Reference counts free nearly everything at once; what is left is collected here now and then, and
what the libraries are made of is not looked at again: nobody else runs while garbage is collected.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import logging
import os
import sys
import threading
import time

from core.imaging import memory
from core.imaging.simulation import KINDS, simulate
from core.ui.page.half_imported import answer_from_the_beginning

_LOG = logging.getLogger("micrographia")
_DELAY_S = 1.5  # the page itself goes first
_TIDY_S, _SELDOM = 20.0, 10  # how often, and at which of these times all is looked at
_NEVER = 1000  # small collections before Python itself begins one of everything
_SWITCH_S = 0.0005
_LIBRARIES = (
    "core.reporting.figures",
    "scipy.ndimage",
    "scipy.special",
    "skimage.measure",
    "sklearn.ensemble",  # the first stroke on Segment waited more than a second for it
)
_started = threading.Lock()
_runs = itertools.count()


def start_once() -> None:
    """Start both in the background, once per process; called by every run of a page."""
    next(_runs)
    if os.environ.get("MICROGRAPHIA_WARM_UP") == "0" or not _started.acquire(False):
        return
    answer_from_the_beginning()
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*gc.get_threshold()[:2], _NEVER)
    memory.give_frames_back()
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()
    threading.Thread(target=tidy_up, name="tidy-up", daemon=True).start()


def warm_up() -> None:
    """Import torch and classify a simulated micrograph; makes no call to Streamlit.

    Home opens without the libraries of the other pages: they are imported here, too.
    """
    time.sleep(_DELAY_S)
    try:
        for library in _LIBRARIES:
            importlib.import_module(library)
        from core.learning.classifying import classify
        from core.learning.models import list_models, load_model

        sample = simulate(KINDS[0], shape=(256, 256), seed=0).micrograph
        for name in list_models()[:1]:
            classify(load_model(name), [sample])
        gc.collect()
        gc.freeze()
    except Exception:
        _LOG.exception("the warm-up failed; the first classification will take longer")


def tidy_up() -> None:
    """Collect garbage and give memory back now and then, as long as pages run.

    What lives long is looked at seldom: with 20 visitors that stops everybody for half a second,
    and finds a few thousand objects. Where memory is short it is collected at once, see `memory`.
    """
    for times in itertools.count(1):
        before = next(_runs)
        time.sleep(_TIDY_S)
        if next(_runs) > before + 1:
            gc.collect(2 if times % _SELDOM == 0 else 1)
            memory.give_back()
