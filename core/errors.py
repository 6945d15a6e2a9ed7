"""What a person did or gave that cannot work, and what to do about it.

`UserError` is for the person at the screen: its message is one or two sentences that say what is
wrong and what to do next. `ValueError` and `TypeError` are for us: a caller broke a contract.
"""

_LONGEST = 600  # characters: a hostile file's value may stand in a sentence


class UserError(Exception):
    """A problem that a person can solve; the message says how. Too long a one is cut."""

    def __str__(self) -> str:
        said = super().__str__()
        return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


class UnreadableMicrograph(UserError):
    """The file cannot be opened as a micrograph."""


class UnusableModel(UserError):
    """The model folder or weight file cannot be used."""


class OutOfMemory(UserError):
    """There is not enough memory for what was asked; nothing that was loaded is lost."""

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message
            or "There is not enough memory for this just now. Remove micrographs that you no "
            "longer need, crop large ones, or try again in a few minutes."
        )


class Unwritable(UserError):
    """A result cannot be written; `reason` is the system's own word for why."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def lacks_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory was short, whichever library found out."""
    if isinstance(error, MemoryError | OutOfMemory):
        return True
    theirs = isinstance(error, RuntimeError | OSError) or type(error).__module__.startswith("cv2")
    return theirs and any(sign in str(error).lower() for sign in _SHORT)


_SHORT = (
    "can't allocate memory",  # torch on the CPU
    "not enough memory",  # the same on Windows
    "out of memory",  # torch on a GPU
    "insufficient memory",  # OpenCV
    "failed to allocate",  # OpenCV
    "cannot allocate memory",  # the system
)
