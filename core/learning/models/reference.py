"""What a model keeps of its training set: the yardstick for novelty, prediction sets, reliability.

`reference.safetensors` lies beside the weights and holds numbers only, no pictures. Its SHA-256
stands in the card. A model without one, as foreign ones are, still classifies.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.errors import UnusableModel
from core.learning.models.foreign.limits import check_header
from core.learning.models.installed import file_digest

REFERENCE = "reference.safetensors"
MOST_ROWS = 20_000
MOST_VALUES = 10_000_000  # of one array: 40 MB
MOST_ANSWERS = 2_000_000  # rows times classes: what prediction sets and calibration go through
Array = NDArray[Any]


class Unbounded(ValueError):
    """More rows than anything here goes through."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Embeddings of the training originals and what held-out networks said of them.

    Parameters
    ----------
    embeddings : ndarray of shape (N, C), float32
        `embed` of the training originals by the network that is kept.
    targets : ndarray of shape (N,), int64
        Their class, an index into the card's classes.
    heldout_logits : ndarray of shape (M, K), float32
        Cross-validated: each row is the answer of a network that never saw that picture's group.
    heldout_targets : ndarray of shape (M,), int64
    groups : ndarray of shape (N,), int64, optional
        Which embeddings come from one original (specimen, session, article); each its own when
        left out.
    heldout_groups : ndarray of shape (M,), int64, optional
        The same for the held-out logits.

    Raises
    ------
    ValueError
        If shapes or dtypes disagree, a value is not finite, a class index is out of range, or
        there are more rows than any novelty or reliability is computed from.
    """

    embeddings: NDArray[np.float32]
    targets: NDArray[np.int64]
    heldout_logits: NDArray[np.float32]
    heldout_targets: NDArray[np.int64]
    groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    heldout_groups: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        _check("embeddings", self.embeddings, np.float32, 2, MOST_VALUES)
        _check("heldout_logits", self.heldout_logits, np.float32, 2, MOST_ANSWERS)
        self._fill_groups()
        for name, rows in (
            ("targets", len(self.embeddings)),
            ("groups", len(self.embeddings)),
            ("heldout_targets", len(self.heldout_logits)),
            ("heldout_groups", len(self.heldout_logits)),
        ):
            values = getattr(self, name)
            _check(name, values, np.int64, 1)
            if len(values) != rows:
                raise ValueError(f"{name} must have {rows} values, got {len(values)}")
        for name in ("targets", "heldout_targets"):
            values = getattr(self, name)
            if values.size and not 0 <= values.min() <= values.max() < self.classes:
                raise ValueError(f"{name} must be between 0 and {self.classes - 1}")

    def _fill_groups(self) -> None:
        for name, like in (("groups", self.targets), ("heldout_groups", self.heldout_targets)):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.arange(len(like), dtype=np.int64))

    @property
    def classes(self) -> int:
        """Number of classes that the held-out logits are about."""
        return int(self.heldout_logits.shape[1])

    def save(self, path: Path) -> str:
        """Write all arrays as safetensors; return the file's SHA-256."""
        arrays = {f.name: np.ascontiguousarray(getattr(self, f.name)) for f in fields(self)}
        save_file(arrays, path)
        return file_digest(path)

    @classmethod
    def load(cls, path: Path, sha256: str) -> Reference:
        """Return the reference that `save` wrote.

        Raises
        ------
        UnusableModel
            If the file is missing, damaged, or not the one with this digest.
        """
        try:
            if file_digest(path) != sha256:
                raise UnusableModel(
                    f"{REFERENCE} is not the one the model card was written for (its SHA-256 "
                    "differs). Copy the model folder again."
                )
            check_header(path)
            return cls(**load_file(path))
        except Unbounded as error:
            raise UnusableModel(f"{REFERENCE} is too large: {error}. Keep fewer rows.") from error
        except (OSError, SafetensorError, TypeError, ValueError) as error:
            raise UnusableModel(
                f"{REFERENCE} cannot be read. Copy the model folder again."
            ) from error


def _check(
    name: str, values: Any, dtype: type[np.generic], dimensions: int, most: int = MOST_VALUES
) -> None:
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.ndim != dimensions:
        got = (values.dtype, values.ndim) if isinstance(values, np.ndarray) else type(values)
        raise ValueError(f"{name} must be {dimensions}-D {np.dtype(dtype)}, got {got}")
    if len(values) > MOST_ROWS or values.size > most:
        raise Unbounded(f"{name} may have {MOST_ROWS:,} rows and {most:,} values")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds NaN or infinity")
