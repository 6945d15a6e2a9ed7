"""One batch at a time in a folder.

The lock is the operating system's, on a file that stays: whoever dies lets go of it, so that a
killed batch bars nobody. Where the file system knows no locks, nobody is barred.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.reporting.batch.journal import FOLDER

FILE = "lock"
log = logging.getLogger(__name__)


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep the folder, which exists, to this batch; no other one may write there meanwhile.

    Raises
    ------
    UserError
        If a batch is at work there, in this process or in another.
    OSError
        If the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    (folder / FOLDER).mkdir(exist_ok=True)
    lock = FileLock(folder / FOLDER / FILE, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise UserError(
            f"Another batch is at work in the folder {str(folder)!r}. Wait until it is done, or "
            "choose another folder."
        ) from error
    except NotImplementedError:
        log.warning("the file system of %s knows no locks", folder)
    try:
        yield
    finally:
        lock.release()
