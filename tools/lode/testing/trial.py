"""Running one test: laying out its files, compiling it, watching it, and judging its status and its numbers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lode import digest, process
from lode.building import enclosure
from lode.building import seal as seals
from lode.building.command import Command
from lode.definitions.target import Compiler
from lode.errors import DefinitionError
from lode.installing.prefix import Prefix
from lode.testing import numbers
from lode.testing.results import Cause, Number, Outcome, TestResult
from lode.testing.suite import Case

_OUTPUT_HEAD, _OUTPUT_TAIL = 16 * 1024, 48 * 1024  # bytes of a test's output that are kept
_NUMBERS_LIMIT = 1024 * 1024  # bytes of a numbers file that are read
_FILE_LIMIT = 8 * 1024 * 1024  # of any file that a test writes, its output among them, in 512-byte blocks: 4 GiB
_LOG, _PROGRAM, _SCRIPT = ".lode-output", ".lode-test", ".lode-test.py"
_NUMBERS, _HOME, _TEMPORARY = ".lode-numbers.json", ".lode-home", "tmp"
_LANGUAGES = {".c": "c", ".f": "fortran", ".f90": "fortran", ".for": "fortran"}  # any other suffix is C++
_OWN = ('exec >>"$1" 2>&1', "shift", f"ulimit -f {_FILE_LIMIT} 2>/dev/null || :", 'exec "$@"')
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_INSIDE = "/lode/test"  # where a test sees its folder on a target's own system
_ACTIVATED = '. "$PREFIX/setup.sh"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all tests of a run share."""

    prefix: Prefix
    compiler: Compiler
    seal: seals.Seal  # what holds a test
    compiling: seals.Seal  # what holds its compiler: the target's builder, where `seal` is its runtime
    build_host: bool  # the target's compiler has to be here
    stop: threading.Event  # set: end the tests under way


class _Ended(Exception):
    """The test is over before its end: its outcome, why, and a sentence."""

    def __init__(self, outcome: Outcome, cause: Cause, message: str, found: tuple[Number, ...] = ()):
        super().__init__(message)
        self.outcome, self.cause, self.message, self.found = outcome, cause, message, found


def run(bench: Bench, case: Case, folder: Path) -> TestResult:
    """Return what the test gave when run in `folder`, which is empty and its own, and is left for the caller.

    Everything that a test can do wrong is a result. Cancelled when `bench.stop` is set while it runs.
    """
    begun = time.monotonic()
    outcome, cause, message = Outcome.PASSED, Cause.NONE, ""
    try:
        found = _run(bench, case, folder)
    except _Ended as end:
        outcome, cause, message, found = end.outcome, end.cause, end.message, end.found
    return TestResult(
        package=case.package,
        version=case.version,
        name=case.test.name,
        kind=case.kind,
        outcome=outcome,
        cause=cause,
        message=message,
        duration_s=time.monotonic() - begun,
        output=_output(folder / _LOG),
        numbers=found,
    )


def _run(bench: Bench, case: Case, folder: Path) -> tuple[Number, ...]:
    if case.lacks:
        raise _Ended(Outcome.SKIPPED, Cause.NEEDS, case.lacks)
    _lay_out(bench.prefix, case, folder)
    references = _references(case, folder)
    if case.kind == "compile":
        _compile(bench, case, folder)
        argv = [f"./{_PROGRAM}"]
    elif case.kind == "python":
        argv = [f"{bench.prefix.final_path}/bin/python3", _python_file(case, folder)]
    else:
        argv = []
    if case.test.prepare:
        _require_compiler(bench, bench.compiler.c)
        _must_succeed(bench, case, folder, ["/bin/sh", "-euc", _ACTIVATED + case.test.prepare, "sh"], Cause.COMPILE)
    text = 'exec "$@"' if argv else case.test.run
    _must_succeed(bench, case, folder, ["/bin/sh", "-euc", _ACTIVATED + text, "sh", *argv], Cause.EXIT)
    return _numbers(case, folder, references)


def _lay_out(prefix: Prefix, case: Case, folder: Path) -> None:
    """Copy the test's files below `folder`, each checked against the lock."""
    for name, expected in case.test.files:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise _Ended(Outcome.FAILED, Cause.FILES, f"its file '{name}' lies outside its folder")
        origin, copy = prefix.root / case.folder / name, folder / name
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, copy)
            os.chmod(copy, copy.stat().st_mode | 0o200)
            found = digest.of_bytes(copy.read_bytes())
        except OSError as error:
            message = f"the prefix lacks the test's file {case.folder}/{name}: {error.strerror}"
            raise _Ended(Outcome.FAILED, Cause.FILES, message) from error
        if found != expected:
            message = f"{case.folder}/{name} has sha256 {found}, the lock says {expected}"
            raise _Ended(Outcome.FAILED, Cause.FILES, message)
    for name in (_HOME, f"{_HOME}/{_TEMPORARY}"):
        (folder / name).mkdir()


def _references(case: Case, folder: Path) -> dict[str, numbers.Reference]:
    if case.test.numbers is None:
        return {}
    try:
        return numbers.read_references((folder / case.test.numbers).read_bytes(), case.test.numbers)
    except (OSError, DefinitionError) as error:
        raise _Ended(Outcome.FAILED, Cause.FILES, f"no reference numbers: {error}") from error


def _python_file(case: Case, folder: Path) -> str:
    text = case.test.python
    if "\n" not in text and text.endswith(".py"):
        return text
    (folder / _SCRIPT).write_text(text, encoding="utf-8")
    return _SCRIPT


def _compile(bench: Bench, case: Case, folder: Path) -> None:
    source = case.test.compile
    language = "cxx" if source.endswith(".C") else _LANGUAGES.get(PurePosixPath(source).suffix.lower(), "cxx")
    program = {"c": bench.compiler.c, "cxx": bench.compiler.cxx, "fortran": bench.compiler.fortran}[language]
    if program is None:
        raise _lacking(bench, f"a compiler for {language}")
    _require_compiler(bench, program)
    prefix = bench.prefix.final_path
    flags = [flag.replace("${PREFIX}", prefix).replace("$PREFIX", prefix) for flag in case.test.flags]
    argv = [
        program,
        "-o",
        _PROGRAM,
        f"-I{prefix}/include",
        *flags,
        source,
        f"-L{prefix}/lib",
        f"-Wl,-rpath,{prefix}/lib",
    ]
    argv += [f"-l{library}" for library in case.test.libraries]
    _must_succeed(bench, case, folder, argv, Cause.COMPILE)


def _require_compiler(bench: Bench, program: str) -> None:
    if not bench.compiling.foreign and not Path(program).exists():  # a builder of the target has it, or is none
        raise _lacking(bench, program)


def _lacking(bench: Bench, what: str) -> _Ended:
    outcome = Outcome.FAILED if bench.build_host else Outcome.SKIPPED
    return _Ended(outcome, Cause.NEEDS, f"needs {what}, which is not on this machine")


def _must_succeed(bench: Bench, case: Case, folder: Path, argv: list[str], cause: Cause) -> None:
    prefix = bench.prefix
    words = ["/bin/sh", "-c", "; ".join(_OWN), "sh", _LOG, *argv]
    bind = seals.Bind(source=prefix.root, destination=prefix.final_path)
    seal = bench.compiling if cause is Cause.COMPILE else bench.seal
    if seal.foreign:
        ended = enclosure.run(
            seal,
            Command(
                argv=tuple(words),
                binds=(bind, seals.Bind(source=folder, destination=_INSIDE, writable=True)),
                env=_environment(prefix, _INSIDE),
                cwd=_INSIDE,
            ),
            timeout_s=case.test.timeout_s,
            cancel=bench.stop,
        )
    else:
        ended = process.run(
            seals.viewed(seal, words, binds=[bind], cwd=str(folder), alone=True),
            cwd=folder,
            env=_environment(prefix, str(folder)),
            timeout_s=case.test.timeout_s,
            cancel=bench.stop,
        )
    if ended.stderr or ended.stdout:  # of the seal itself: what the test says goes to its own file
        with (folder / _LOG).open("a", encoding="utf-8", errors="replace") as log:
            log.write(ended.stdout + ended.stderr)
    if ended.timed_out:
        raise _Ended(Outcome.FAILED, Cause.TIMEOUT, f"did not end within {case.test.timeout_s} s and was stopped")
    if ended.status != 0:
        raise _Ended(Outcome.FAILED, cause, _status_message(case, ended.status, cause, folder))


def _environment(prefix: Prefix, folder: str) -> dict[str, str]:
    """Return what a test gets, whose folder it sees at `folder`."""
    return {
        "HOME": f"{folder}/{_HOME}",
        "TMPDIR": f"{folder}/{_HOME}/{_TEMPORARY}",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PATH": f"{prefix.final_path}/bin:/usr/bin:/bin",
        "PREFIX": prefix.final_path,
        "LODE_NUMBERS": f"{folder}/{_NUMBERS}",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
    }


def _status_message(case: Case, status: int, cause: Cause, folder: Path) -> str:
    if cause is Cause.COMPILE:
        lines = _output(folder / _LOG).splitlines()
        first = next((line for line in lines if "error:" in line or "undefined reference" in line), "")
        return f"{case.test.compile or case.test.name} does not compile and link" + (
            f": {first.strip()}" if first else ""
        )
    if status > 128:
        try:
            return f"ended by {signal.Signals(status - 128).name} (status {status})"
        except ValueError:
            pass
    return f"ended with status {status}"


def _numbers(case: Case, folder: Path, references: dict[str, numbers.Reference]) -> tuple[Number, ...]:
    if case.test.numbers is None:
        return ()
    try:
        with (folder / _NUMBERS).open("rb") as file:
            content = file.read(_NUMBERS_LIMIT + 1)
        if len(content) > _NUMBERS_LIMIT:
            raise numbers.NumbersError(f"is larger than {_NUMBERS_LIMIT} bytes")
        written = numbers.read_numbers(content)
    except FileNotFoundError as error:
        raise _Ended(Outcome.FAILED, Cause.NUMBERS, "wrote no numbers to $LODE_NUMBERS") from error
    except OSError as error:
        message = f"what it wrote to $LODE_NUMBERS cannot be read: {error.strerror}"
        raise _Ended(Outcome.FAILED, Cause.NUMBERS, message) from error
    except numbers.NumbersError as error:
        raise _Ended(Outcome.FAILED, Cause.NUMBERS, f"what it wrote to $LODE_NUMBERS {error}") from error
    found = numbers.compare(written, references, float(case.test.tolerance))
    wrong = [number for number in found if not number.agrees]
    if wrong:
        message = f"{len(wrong)} of {len(found)} numbers disagree: {wrong[0].message}"
        raise _Ended(Outcome.FAILED, Cause.NUMBERS, message, found)
    return found


def _output(log: Path) -> str:
    """Return what the test wrote, without terminal colours, its middle left out when it is long."""
    return _COLOURS.sub("", _raw_output(log))


def _raw_output(log: Path) -> str:
    try:
        with log.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(0)
            if length <= _OUTPUT_HEAD + _OUTPUT_TAIL:
                return file.read().decode("utf-8", "replace")
            head = file.read(_OUTPUT_HEAD)
            file.seek(length - _OUTPUT_TAIL)
            tail = file.read()
    except OSError:
        return ""
    left_out = length - _OUTPUT_HEAD - _OUTPUT_TAIL
    return f"{head.decode('utf-8', 'replace')}\n… {left_out} bytes left out …\n{tail.decode('utf-8', 'replace')}"
