"""The one family of errors that Lode raises at its users, each with its own exit status.

A fault is one thing that is wrong, at one place, with one hint. An error carries one or more faults, so that a file
with five mistakes is reported once. `ValueError` and `TypeError` stay what they are: a caller's mistake, a bug.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """Where something was written: a file as the user would name it, line and column from 1 (0: the whole file)."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, or the file alone when no line is known."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong: a sentence with the values in it, where, and what to do."""

    message: str
    place: Place | None = None
    hint: str | None = None
    warning: bool = False

    def __str__(self) -> str:
        """Return the fault as it is printed: place, sentence, and the hint on its own line."""
        kind = "warning: " if self.warning else ""
        head = f"{self.place}: {kind}{self.message}" if self.place else f"{kind}{self.message}"
        return f"{head}\n  hint: {self.hint}" if self.hint else head


class LodeError(Exception):
    """The base of every error that a user can cause or meet; `status` is the exit status of the command."""

    status = 1

    def __init__(self, message: str, *, place: Place | None = None, hint: str | None = None) -> None:
        """Make an error of one fault."""
        self.faults: tuple[Fault, ...] = (Fault(message=message, place=place, hint=hint),)
        super().__init__(message)

    @classmethod
    def of(cls, faults: Sequence[Fault]) -> LodeError:
        """Return an error of this class that carries all `faults`, in the order given (at least one)."""
        if not faults:
            raise ValueError("an error needs at least one fault")
        error = cls(faults[0].message)
        error.faults = tuple(faults)
        return error

    def __str__(self) -> str:
        """Return all faults, one after the other."""
        return "\n".join(str(fault) for fault in self.faults)


class UsageError(LodeError):
    """The command line asks for something that does not exist or does not fit together."""

    status = 2


class DefinitionError(LodeError):
    """A recipe, stack, target, repository or collection file is not valid."""

    status = 3


class ResolutionError(LodeError):
    """The requests of a stack cannot all hold at once, or name something that no recipe provides."""

    status = 4


class LockError(LodeError):
    """A lock is missing, incomplete, edited, of another schema, or out of date."""

    status = 5


class SourceError(LodeError):
    """A source or patch cannot be had, has the wrong hash, is hostile, or no longer applies."""

    status = 6


class BuildError(LodeError):
    """A node could not be built, or what it built is not acceptable."""

    status = 7


class TestFailure(LodeError):
    """A test of a recipe or stack failed, or a number lies outside its tolerance."""

    __test__ = False  # not a pytest class
    status = 8


class VerificationError(LodeError):
    """Something is not what was signed or listed: the reason says what."""

    status = 9


class HostError(LodeError):
    """This machine lacks a program, a permission, space or a network that the command needs."""

    status = 10


class PublicationError(LodeError):
    """An artifact could not be published; what was published before is still in place."""

    status = 11


class Unfinished(LodeError):
    """The time that was given is over before the work is done; what was done is kept, and the next call goes on."""

    status = 12


class TrustError(VerificationError):
    """The bytes are whole, but the trust policy does not accept who signed them, when, or so old a release."""

    status = 13
