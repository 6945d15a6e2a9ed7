"""Many threads, one model: what is explained at once equals what is explained one by one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.learning.explaining.explanation import METHODS, explain
from core.learning.models import Classifier
from core.micrograph import Micrograph


def assert_threads_equal_one(
    classifier: Classifier,
    images: Sequence[Micrograph],
    *,
    methods: Sequence[str] = tuple(METHODS),
    threads: int = 8,
    rtol: float = 0,
    atol: float = 0,
) -> None:
    """Explain 50 mixtures of image, method and class in each of several threads."""
    classes = classifier.card.classes
    jobs = [
        (images[i % len(images)], methods[i % len(methods)], classes[i % len(classes)])
        for i in range(50)
    ]

    def run(_: int) -> list[np.ndarray]:
        return [
            explain(classifier, image, method, target, channels=2).raw
            for image, method, target in jobs
        ]

    serial = run(0)
    with ThreadPoolExecutor(threads) as pool:
        for parallel in pool.map(run, range(threads)):
            for a, b in zip(parallel, serial, strict=True):
                np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)
