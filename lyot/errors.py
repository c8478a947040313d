"""Every error Lyot raises on purpose: one tree, in one file."""


class LyotError(Exception):
    """Something the reader can act on: what was found, what was needed, and what to do next."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class BadInput(LyotError):
    """A file, value or option is not what it must be. Nothing was written; the command exits with 2."""


class NotFound(BadInput):
    """What was asked for by name does not exist."""


class Unwritable(BadInput):
    """Nothing more can be kept: the disk is full, or the folder is read-only or belongs to somebody else."""


class Unprocessable(LyotError):
    """The data are sound but cannot give this result: an outcome, kept as a row of `run`, not a failure."""
