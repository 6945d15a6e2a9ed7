"""While one thread imports torch, libraries in others may ask what a tensor is.

SciPy looks whether its arguments are tensors as soon as torch is in `sys.modules`, which is from
the beginning of its import on: for the seconds that takes, rank tests of a page ended in “partially
initialized module 'torch' has no attribute 'Tensor'”. So torch has an answer from the beginning.
"""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class _Nothing:
    """Stands for `torch.Tensor` until torch says what that is: nothing is one."""


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where torch lies, with a loader that begins by answering; None for all others."""
        spec = PathFinder.find_spec(name, path, target) if name == "torch" else None
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            module.Tensor = _Nothing  # type: ignore[attr-defined]
            run(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def answer_from_the_beginning() -> None:
    """Let torch be imported so, wherever that happens; nothing is done where it already is."""
    if "torch" not in sys.modules and not any(isinstance(f, _Finder) for f in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
