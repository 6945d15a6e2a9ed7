"""Import the network's libraries while the person looks at the start page."""

from __future__ import annotations

import logging
import os
import threading
import time

from core.imaging.simulate import KINDS, simulate

_LOG = logging.getLogger("micrographia")
_DELAY_S = 1.5  # the page itself goes first
_started = threading.Lock()


def start_once() -> None:
    """Start the warm-up in the background, once per process."""
    if os.environ.get("MICROGRAPHIA_WARM_UP") == "0" or not _started.acquire(False):
        return
    threading.Thread(target=warm_up, name="warm-up", daemon=True).start()


def warm_up() -> None:
    """Import torch and classify a simulated micrograph; makes no call to Streamlit."""
    time.sleep(_DELAY_S)
    try:
        from core.learning.checkpoints import list_models, load_model
        from core.learning.classification import classify

        sample = simulate(KINDS[0], shape=(256, 256), seed=0).micrograph
        for name in list_models()[:1]:
            classify(load_model(name), [sample])
    except Exception:
        _LOG.exception("the warm-up failed; the first classification will take longer")
