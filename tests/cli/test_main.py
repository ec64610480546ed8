"""How the command line ends: what is printed where, and with which status."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest

from lode.cli import main
from lode.cli.common import Session, common
from lode.errors import BuildError, DefinitionError, Fault, HostError, LockError, LodeError, Place

Install = Callable[[Callable[[], object]], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that makes `lode probe` call what it is given."""

    def put(action: Callable[[], object]) -> None:
        @click.command()
        @common
        def command(session: Session) -> None:
            action()

        module = ModuleType("lode.cli.probe")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "lode.cli.probe", module)
        monkeypatch.setitem(main.COMMANDS, "probe", ("probe", "Prove something.", "Use"))

    return put


def raising(error: BaseException) -> Callable[[], object]:
    def action() -> None:
        raise error

    return action


def test_unknown_command_names_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["relaese"]) == 2
    assert capsys.readouterr().err == "there is no command 'relaese'\n  hint: did you mean `lode release`?\n"


def test_unknown_command_far_from_all_points_to_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["xyzzy"]) == 2
    assert capsys.readouterr().err == "there is no command 'xyzzy'\n  hint: `lode --help` lists all commands\n"


def test_unknown_option_says_where_to_look(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(lambda: None)
    assert main.run(["probe", "--jsno"]) == 2
    assert capsys.readouterr().err == (
        "no such option '--jsno'. Did you mean '--json'?\n  hint: `lode probe --help` says what it takes\n"
    )


def test_no_command_prints_the_help_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "release  Check, build, test" in printed.err


def test_help_succeeds_and_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in main.COMMANDS)


def test_success_is_zero(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(lambda: click.echo("fine"))
    assert main.run(["probe"]) == 0
    assert capsys.readouterr().out == "fine\n"


def test_exit_status_of_a_command_is_kept(install: Install) -> None:
    install(lambda: click.get_current_context().exit(8))
    assert main.run(["probe"]) == 8


@pytest.mark.parametrize("kind", [DefinitionError, LockError, BuildError, HostError])
def test_error_exits_with_the_status_of_its_cause(
    install: Install, kind: type[LodeError], capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(kind("something is wrong", hint="mend it")))
    assert main.run(["probe"]) == kind.status
    assert capsys.readouterr().err == "something is wrong\n  hint: mend it\n"


def test_json_error_is_one_document_on_standard_output(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(file="stacks/a/1/stack.yaml", line=5, column=21)
    install(
        raising(
            DefinitionError.of([Fault(message="no key 'nam'", place=place, hint="name?"), Fault(message="no version")])
        )
    )
    assert main.run(["probe", "--json"]) == 3
    printed = capsys.readouterr()
    assert printed.err == ""
    assert json.loads(printed.out) == {
        "error": "DefinitionError",
        "status": 3,
        "faults": [
            {
                "message": "no key 'nam'",
                "hint": "name?",
                "warning": False,
                "file": "stacks/a/1/stack.yaml",
                "line": 5,
                "column": 21,
            },
            {"message": "no version", "hint": None, "warning": False},
        ],
    }


def test_json_after_a_double_dash_belongs_to_another_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["xyzzy", "--", "--json"]) == 2
    assert capsys.readouterr().out == ""


def test_bug_leaves_a_traceback_in_a_file_and_none_on_the_screen(
    install: Install, capsys: pytest.CaptureFixture[str], own_home: Path
) -> None:
    install(raising(KeyError("nest\nsecond line")))
    assert main.run(["probe"]) == 70
    printed = capsys.readouterr()
    (file,) = (own_home / "lode" / "state").glob("lode-crash-*.txt")
    assert printed.err == (
        f"this is a bug in Lode: KeyError: 'nest\\nsecond line'\n  hint: the traceback is in {file}; please report it\n"
    )
    written = file.read_text()
    assert "lode probe" in written
    assert "Traceback (most recent call last)" in written


@pytest.mark.parametrize("arguments", [["probe", "-vv"], ["probe", "-v", "-v"]])
def test_bug_shows_its_traceback_when_asked(
    install: Install, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(ZeroDivisionError("division by zero")))
    assert main.run(arguments) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_bug_shows_its_traceback_with_lode_debug(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LODE_DEBUG", "1")
    install(raising(ZeroDivisionError("division by zero")))
    assert main.run(["probe"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_bug_is_reported_even_where_nothing_can_be_written(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    install(raising(ZeroDivisionError("division by zero")))
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert main.run(["probe"]) == 70
    assert capsys.readouterr().err == (
        "this is a bug in Lode: ZeroDivisionError: division by zero\n  hint: the traceback could not be written "
        "(no folder can be written to); LODE_DEBUG=1 shows it; please report it\n"
    )


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/c/x"), "the disk or the quota is full: /c/x"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk or the quota is full"),
        (OSError(errno.EROFS, "Read-only file system", "/c/x"), "the file system is read-only: /c/x"),
        (PermissionError(errno.EACCES, "Permission denied", b"/c/x"), "permission denied: /c/x"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/c/x"), "a part of this path is no folder: /c/x"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/c/x"), "a folder is where a file belongs: /c/x"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/c/x"), "the name is too long for the file system: /c/x"),
        (OSError(errno.EMFILE, "Too many open files"), "too many files are open at once"),
        (OSError(errno.EIO, "Input/output error", "/c"), "the disk reports an input/output error: /c"),
        (MemoryError(), "this machine has not enough memory for that"),
    ],
)
def test_what_the_system_refuses_is_a_sentence_with_status_10(
    install: Install, error: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(error))
    assert main.run(["probe"]) == 10
    assert capsys.readouterr().err.splitlines()[0] == message


def test_hint_about_a_right_that_is_lacking_fits_files_of_the_user_too(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(PermissionError(errno.EACCES, "Permission denied", "/c/x")))
    assert main.run(["probe"]) == 10
    assert capsys.readouterr().err == (
        "permission denied: /c/x\n"
        "  hint: give yourself the right to it; if Lode keeps its own files there, LODE_HOME names another folder\n"
    )


def test_other_system_errors_are_bugs(install: Install) -> None:
    install(raising(FileNotFoundError(errno.ENOENT, "No such file or directory", "/c/x")))
    assert main.run(["probe"]) == 70


def test_interruption_exits_with_130(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(raising(KeyboardInterrupt()))
    assert main.run(["probe"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_progress_is_put_away_when_the_command_ends(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    closed = []

    def action() -> None:
        click.get_current_context().call_on_close(lambda: closed.append(True))
        raise BuildError("stopped")

    install(action)
    assert main.run(["probe"]) == 7
    assert closed == [True]


@pytest.mark.integration
def test_broken_pipe_is_quiet() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lode", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as p:
        assert p.stdout is not None
        assert p.stderr is not None
        p.stdout.close()
        assert p.stderr.read() == b""
    assert p.returncode == 141


def test_name_that_is_no_utf8_is_shown_byte_by_byte(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install(lambda: "/d/\udcff\N{SNOWMAN}".encode())
    assert main.run(["probe"]) == 10
    assert capsys.readouterr().err == (
        "this name is not UTF-8 text: /d/\\xff\N{SNOWMAN}\n  hint: work in a folder whose path is\n"
    )


@pytest.mark.integration
def test_current_folder_that_was_removed_is_no_bug(tmp_path: Path) -> None:
    ended = subprocess.run(
        ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && "$0" -m lode list stacks', sys.executable],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (
        10,
        "the current folder was removed\n  hint: change into one that is there: cd ~\n",
    )


@pytest.mark.integration
@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">&-", 0, ""),
        ("2>&- >/dev/null", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("--json >/dev/full", 10, "standard output cannot be written: No space left on device\n"),
        (
            ">/dev/full",
            10,
            "the disk or the quota is full\n  hint: free some space, or put the cache elsewhere with LODE_CACHE; "
            "the next call goes on from here\n",
        ),
    ],
)
def test_closed_or_full_output_ends_without_a_traceback(redirection: str, status: int, said: str) -> None:
    ended = subprocess.run(
        ["sh", "-c", f'"$0" -m lode list stacks {redirection}', sys.executable],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (status, said)


@pytest.mark.integration
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_command_without_a_traceback(number: int, status: int, tmp_path: Path) -> None:
    script = tmp_path / "probe.py"
    script.write_text(
        "import sys, time, types, click\n"
        "from lode.cli import main\n"
        "module = types.ModuleType('lode.cli.probe')\n"
        "module.command = click.Command('probe', callback=lambda: (print('on', flush=True), time.sleep(60)))\n"
        "sys.modules['lode.cli.probe'] = module\n"
        "main.COMMANDS['probe'] = ('probe', '', 'Use')\n"
        "sys.argv[1:] = ['probe']\n"
        "main.main()\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        started = time.monotonic()
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=20)
    assert process.returncode == status
    assert said in (b"", b"interrupted\n")
    assert time.monotonic() - started < 20
