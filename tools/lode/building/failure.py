"""Why a build failed: the first real error in its log, and what that usually means.

A log is long and its last lines say only that something failed before. Looked at are the lines of the step that was
under way (see `script.STEP`); of these the first that states an error counts, and a full disk or lost memory before
all, for they look like errors of the source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lode.building.artifact import Order
from lode.errors import Fault
from lode.rendering.script import STEP


class Cause(StrEnum):
    """The classes of causes."""

    DISK = "disk"
    MEMORY = "memory"
    NETWORK = "network"
    HEADER = "header"
    LIBRARY = "library"
    SYMBOL = "symbol"
    OVERLINKING = "overlinking"
    COMPILER = "compiler"
    CMAKE = "cmake"
    CONFIGURE = "configure"
    MESON = "meson"
    PROGRAM = "program"
    PYTHON = "python"
    FILE = "file"
    OTHER = "other"


_HINTS = {
    Cause.DISK: "the disk is full: free space, or set LODE_CACHE to a folder on a larger one",
    Cause.MEMORY: "the machine ran out of memory: build with fewer jobs (-j), or give the recipe `build: memory_mb`",
    Cause.NETWORK: "builds have no network: add what it wants to download to the recipe's `source`",
    Cause.HEADER: "a header is missing: add the package that brings it to `dependencies: link`",
    Cause.LIBRARY: "a library is missing: add the package that brings it to `dependencies: link`",
    Cause.SYMBOL: "a function is in no library that is linked: look at the link order and the versions",
    Cause.OVERLINKING: "it links to what it does not declare: add that package to `dependencies: link`, "
    "or a library of the OS to `system_libraries`",
    Cause.COMPILER: "the compiler refuses the source: a patch, another version or another language standard may help",
    Cause.CMAKE: "CMake's configuration failed: look for a missing dependency or a wrong argument",
    Cause.CONFIGURE: "configure failed: look for a missing dependency or a wrong argument",
    Cause.MESON: "meson's configuration failed: look for a missing dependency or a wrong argument",
    Cause.PROGRAM: "a program is missing: add the package that brings it to `dependencies: build`",
    Cause.PYTHON: "a Python step failed: a missing module belongs to `dependencies: build`",
    Cause.FILE: "a file is missing: look whether an earlier step should have made it",
    Cause.OTHER: "the log says no more",
}

# in order: of two that match a line, the first counts
_FATAL = (
    (Cause.DISK, r"No space left on device|Disk quota exceeded"),
    (Cause.MEMORY, r"Killed signal terminated program|virtual memory exhausted|out of memory allocating"
                   r"|std::bad_alloc|^Killed$|^MemoryError|Cannot allocate memory|Error 137$"),
)  # fmt: skip
_STRONG = (
    (Cause.NETWORK, r"Could not resolve host|Temporary failure in name resolution|Network is unreachable"),
    (Cause.OVERLINKING, r"Overlinking against"),
    (Cause.HEADER, r"fatal error: .*: No such file or directory"),
    (Cause.LIBRARY, r"cannot find -l|library not found for -l"),
    (Cause.SYMBOL, r"undefined reference to|undefined symbol:"),
    (Cause.COMPILER, r"^\S+:\d+(?::\d+)?: (?:fatal )?error:|: internal compiler error:"
                     r"|Assembler messages|relocation truncated"
                     r"|^(?:cc1|cc1plus|gcc|g\+\+|c\+\+|cc|gfortran): (?:fatal )?error:"
                     r"|unrecognized command[- ]line option"),
    (Cause.CMAKE, r"^CMake Error"),
    (Cause.CONFIGURE, r"^configure: error:"),
    (Cause.MESON, r"meson\.build:\d+:\d+: ERROR:"),
    (Cause.PROGRAM, r": (?:\d+: )?\S+: (?:command )?not found$|env: .*: No such file or directory"),
    (Cause.PYTHON, r"^\s*(?:\w+\.)*\w*(?:Error|Exception|Unavailable): (?!Traceback)"),
)  # fmt: skip
_WEAK = (
    (Cause.FILE, r"No such file or directory|No rule to make target"),
    (Cause.OTHER, r"(?i)\berror\b:|^make(?:\[\d+\])?: \*\*\* "),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """The line that says why, its number in the log from 1 (0: no line says it), and the class of the cause."""

    cause: Cause
    line: str
    number: int


def diagnose(log: Iterable[str], *, killed: bool = False) -> Diagnosis:
    """Return why the build with this log failed; `killed`: it ended by SIGKILL, which the kernel sends for memory."""
    lines: list[tuple[int, str]] = []
    for number, text in enumerate(log, 1):
        line = text.rstrip("\r\n")
        if line.startswith(STEP):
            lines.clear()
        else:
            lines.append((number, line))
    for rank in (_FATAL, _STRONG, _WEAK):
        found = _first(lines, rank)
        if found is not None:
            return found
    if killed:
        return Diagnosis(cause=Cause.MEMORY, line="the build was killed", number=0)
    last = next(((number, line) for number, line in reversed(lines) if line.strip()), (0, "the log is empty"))
    return Diagnosis(cause=Cause.OTHER, line=last[1].strip(), number=last[0])


def fault(order: Order, diagnosis: Diagnosis) -> Fault:
    """Return the fault that is shown for a failed build: package, error, likely cause, log and how to repeat it."""
    node = order.node
    where = f"{order.log}:{diagnosis.number}" if diagnosis.number else str(order.log)
    return Fault(
        message=f"{node.package} {node.version} did not build on {order.target.name}: {diagnosis.line}",
        hint=f"{_HINTS[diagnosis.cause]} ({diagnosis.cause})\n  log: {where}\n  again: {order.again}",
    )


def _first(lines: list[tuple[int, str]], rank: Iterable[tuple[Cause, str]]) -> Diagnosis | None:
    patterns = [(cause, re.compile(pattern)) for cause, pattern in rank]
    for position, (number, line) in enumerate(lines):
        for cause, pattern in patterns:
            if pattern.search(line):
                return Diagnosis(cause=cause, line=_whole(lines, position), number=number)
    return None


def _whole(lines: list[tuple[int, str]], position: int) -> str:
    """Return the line; CMake says on the next ones what is wrong, indented, up to an empty line."""
    line = lines[position][1].strip()
    if line.startswith("CMake Error") and line.endswith(":"):
        for _, text in lines[position + 1 :]:
            if not text.startswith("  "):
                break
            line += f" {text.strip()}"
    return line
