import numpy as np

from core.micrograph import Micrograph
from core.ui.batch import sources
from core.ui.shell import uploads


def test_run_label_counts_what_can_be_counted():
    assert sources.run_label([("a.png", b""), ("b.png", b"")]) == "Run on 2 micrographs"
    assert sources.run_label([("a.png", b""), ("b.ZIP", b"")]) == "Run on all of it"
    assert (
        sources.run_label([Micrograph("x.zip", np.zeros((2, 2), np.uint8))])
        == "Run on 1 micrograph"
    )


def test_uploader_takes_every_format_and_what_belongs_to_it():
    assert {"dm3", "emd", "ser", "emi", "mrc", "npy", "webp", "pfm", "txt", "zip"} <= set(
        uploads.FORMATS
    )
    assert len(uploads.FORMATS) == len(set(uploads.FORMATS))
