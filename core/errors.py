"""What a person did or gave that cannot work, and what to do about it.

`UserError` is for the person at the screen: its message is one or two sentences that say what is
wrong and what to do next. `ValueError` and `TypeError` are for us: a caller broke a contract.
"""


class UserError(Exception):
    """A problem that a person can solve; the message says how."""


class UnreadableMicrograph(UserError):
    """The file cannot be opened as a micrograph."""


class UnusableModel(UserError):
    """The model folder or weight file cannot be used."""
