"""`lode shell`: commands and shells inside a prefix, on a terminal and without, with a view and without."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.installing.making import artifact, no_files, sound
from tests.testing.factory import TARGET, lock, node

from lode.building.cache import Cache
from lode.building.seal import best
from lode.definitions.recipe import Environment, Kind
from lode.installing.install import install
from lode.locking.graph import Lock

pytestmark = pytest.mark.integration
needs_view = pytest.mark.skipif(best().kind == "none", reason=f"no view on this machine: {best().reason}")

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"
WHERE = b'#!/bin/sh\nprintf "%s\\n" "$0" "$NEST_DATA" "$@"\n'


@dataclass(frozen=True, kw_only=True)
class Home:
    """A user with one installed stack, `mini`, and its artifacts in the cache."""

    folder: Path
    prefix: Path
    lock: Lock

    @property
    def environ(self) -> dict[str, str]:
        own = {"HOME": str(self.folder), "LODE_HOME": str(self.folder / "lode"), "SHELL": "/bin/bash", "TERM": "dumb"}
        return {**own, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home").resolve()
    locked = sound(
        lock(
            node("daq", environment=Environment(value=(("DAQ", "1"),))),
            node("nest", needs={"daq": [Kind.RUN]}, environment=Environment(set=(("NEST_DATA", "share/nest"),))),
            requirements=["daq", "nest"],
            groups={"acquisition": ("daq",)},
        )
    )
    made = [
        artifact(locked.node("daq"), folder / "made", {"bin/daq": b"#!/bin/sh\n"}, programs=["bin/daq"]),
        artifact(locked.node("nest"), folder / "made", {"bin/nestinfo": WHERE}, programs=["bin/nestinfo"]),
    ]
    cache = Cache(folder / "lode/cache")
    for each in made:
        cache.put(each)
    root = folder / "lode/releases/mini/2026.11" / TARGET / "prefix"
    install(locked, TARGET, made, root, file=no_files)
    return Home(folder=folder, prefix=root, lock=locked)


def lode(home: Home, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lode", "shell", *words],
        env={**home.environ, **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home.folder,
    )


def ending(ended: subprocess.CompletedProcess[str]) -> tuple[int, str, str]:
    return ended.returncode, ended.stdout, ended.stderr


@needs_view
def test_a_command_sees_the_prefix_at_its_final_path(home: Home) -> None:
    ended = lode(home, "mini", "--", "nestinfo", "a b", "-c", "$x")
    assert ending(ended) == (0, f"{FINAL}/bin/nestinfo\n{FINAL}/share/nest\na b\n-c\n$x\n", "")
    assert not Path("/cvmfs/lode.example.org").exists()


@needs_view
@pytest.mark.parametrize("reference", ["mini", "mini@2026.11", "lode/releases/mini/2026.11/" + TARGET + "/prefix"])
def test_a_stack_a_release_and_a_path_name_the_prefix(home: Home, reference: str) -> None:
    assert ending(lode(home, reference, "--", "sh", "-c", "echo $LODE_PREFIX")) == (0, f"{FINAL}\n", "")


@needs_view
def test_the_status_of_the_command_is_passed_through(home: Home) -> None:
    assert ending(lode(home, "mini", "--", "sh", "-c", "exit 7")) == (7, "", "")
    assert lode(home, "mini", "--", "sh", "-c", "kill -9 $$").returncode in (-9, 137)


@needs_view
def test_the_command_runs_where_it_was_called_with_its_input(home: Home) -> None:
    ended = lode(home, "mini", "--", "sh", "-c", "pwd; cat", stdin="some input")
    assert ending(ended) == (0, f"{home.folder}\nsome input", "")


@needs_view
def test_a_group_narrows_the_environment(home: Home) -> None:
    show = "echo ${DAQ-no} ${NEST_DATA-no}"
    assert lode(home, "mini", "--", "sh", "-c", show).stdout == f"1 {FINAL}/share/nest\n"
    assert lode(home, "mini", "--group", "acquisition", "--", "sh", "-c", show).stdout == "1 no\n"


@needs_view
def test_programs_of_the_host_run_as_ever(home: Home) -> None:
    assert ending(lode(home, "mini", "--", "/usr/bin/python3", "-c", "import ssl, json; print(1)")) == (0, "1\n", "")


@needs_view
def test_without_a_terminal_the_shell_runs_its_input(home: Home) -> None:
    ended = lode(home, "mini", stdin="nestinfo; echo $LODE_STACK; exit 3\n")
    assert ending(ended) == (3, f"{FINAL}/bin/nestinfo\n{FINAL}/share/nest\nmini\n", "")


@needs_view
def test_a_stack_inside_itself_is_entered_and_another_is_refused(home: Home) -> None:
    again = f"{sys.executable} -m lode shell mini -- nestinfo | head -1"
    assert ending(lode(home, "mini", "--", "sh", "-c", again)) == (0, f"{FINAL}/bin/nestinfo\n", "")
    ended = lode(home, "mini", "--", "true", LODE_PREFIX="/opt/other")
    assert ending(ended) == (
        2,
        "",
        "/opt/other is active here\n"
        "  hint: leave it first, with `lode_deactivate` or by ending the shell that it was opened with\n",
    )


def test_a_program_that_is_nowhere_is_named(home: Home) -> None:
    assert ending(lode(home, "mini", "--", "nest-gui")) == (
        2,
        "",
        "there is no program nest-gui, neither in mini 2026.11 nor on this machine\n"
        f"  hint: the stack's programs are in {home.prefix}/bin\n",
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dance"], "dance has no prefix on this machine\n  hint: `lode release dance` makes it\n"),
        (["mini@2027.1"], "mini@2027.1 has no prefix on this machine\n  hint: `lode release mini@2027.1` makes it\n"),
        (
            ["mini", "--target", "el9-x86_64"],
            "mini on el9-x86_64 has no prefix on this machine\n  hint: `lode release mini` makes it\n",
        ),
        (["./nowhere"], "no prefix lies at ./nowhere\n  hint: a prefix has .lode/prefix.json in it\n"),
        (["mini", "--group", "x"], "mini@2026.11 has no group x\n  hint: its groups: acquisition\n"),
    ],
)
def test_what_is_not_there_is_said(home: Home, words: list[str], message: str) -> None:
    assert ending(lode(home, *words)) == (2, "", message)


@pytest.fixture
def no_view(home: Home, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """Yield an environment in which bubblewrap is not to be found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("sh", "head", "env", "cat", "echo"):
        (folder / program).symlink_to(shutil.which(program) or "/bin/false")
    yield {"PATH": str(folder)}
    shutil.rmtree(home.folder / "lode/cache/prefixes", ignore_errors=True)


def test_without_a_view_the_stack_is_installed_for_this_place(home: Home, no_view: Mapping[str, str]) -> None:
    place = home.folder / f"lode/cache/prefixes/mini-2026.11-{TARGET}"
    expected = (0, f"{place}/bin/nestinfo\n{place}/share/nest\n", "")
    assert ending(lode(home, "mini", "--", "nestinfo", **no_view)) == expected
    assert ending(lode(home, "mini", "--", "nestinfo", **no_view)) == expected


def test_without_a_view_and_artifacts_the_reason_is_said(
    home: Home, no_view: Mapping[str, str], tmp_path: Path
) -> None:
    ended = lode(home, str(home.prefix), "--", "nestinfo", **{**no_view, "LODE_CACHE": str(tmp_path / "cache")})
    assert ending(ended) == (
        10,
        "",
        f"{home.prefix} cannot be used here: this machine cannot show it at {FINAL} "
        "(bubblewrap (bwrap) is not installed), and it cannot be installed anew at "
        f"{tmp_path}/cache/prefixes/mini-2026.11-{TARGET}: daq 1.0 is not built for {TARGET}\n"
        "  hint: install bubblewrap (apt-get install bubblewrap) or allow user namespaces; or build the stack here\n",
    )


def talk(home: Home, shell: str, *lines: str, **environ: str) -> str:
    """Return what an interactive shell showed on a terminal of its own while it was given the lines."""
    process, terminal = pty.fork()
    if process == 0:  # the child
        os.chdir(home.folder)
        os.execve(
            sys.executable,
            [sys.executable, "-m", "lode", "shell", "mini"],
            {**home.environ, "SHELL": shell, **environ},
        )
    shown = b""

    def until(mark: bytes, seconds: float = 30) -> None:
        nonlocal shown
        start, deadline = len(shown), time.monotonic() + seconds
        while mark not in shown[start:] and time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    more = os.read(terminal, 65536)
                except OSError:
                    return
                if not more:
                    return
                shown += more

    until(b"(mini 2026.11)", 30)
    for line in lines:
        os.write(terminal, line.encode() + b"\n")
        until(b"(mini 2026.11)", 10)
    os.write(terminal, b"exit\n")
    until(b"\0never", 5)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)
    os.close(terminal)
    return shown.decode(errors="replace").replace("\r", "")


@needs_view
@pytest.mark.parametrize(
    ("shell", "start_file", "content"),
    [
        ("bash", ".bashrc", "PATH=/usr/bin:/bin; MINE=kept; PS1='> '\n"),
        ("zsh", ".zshrc", "PATH=/usr/bin:/bin; MINE=kept; PROMPT='> '; unsetopt zle prompt_sp\n"),
        ("fish", ".config/fish/config.fish", "set -gx PATH /usr/bin /bin; set -g MINE kept; set -g fish_greeting\n"),
    ],
)
def test_an_interactive_shell_reads_the_users_files_and_shows_a_mark(
    home: Home, shell: str, start_file: str, content: str
) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    path = home.folder / start_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    shown = talk(
        home, program, "nestinfo", 'echo "[$MINE] [$LODE_STACK]"', 'lode_deactivate; echo "after [$LODE_STACK]"'
    )
    assert f"{FINAL}/bin/nestinfo\n" in shown, shown
    assert "[kept] [mini]" in shown
    assert "after []" in shown
    assert path.read_text() == content


@needs_view
def test_zsh_start_files_of_a_folder_of_the_users_are_read(home: Home, tmp_path: Path) -> None:
    program = shutil.which("zsh")
    if program is None:
        pytest.skip("zsh is not installed")
    (tmp_path / ".zshenv").write_text("FIRST=env\n")
    (tmp_path / ".zshrc").write_text("MINE=own; PROMPT='> '; unsetopt zle prompt_sp\n")
    shown = talk(home, program, 'echo "[$FIRST] [$MINE] [$ZDOTDIR]"', ZDOTDIR=str(tmp_path))
    assert f"[env] [own] [{tmp_path}]" in shown


@needs_view
def test_a_shell_leaves_nothing_behind(home: Home) -> None:
    def everything() -> dict[str, float]:
        own = (path for path in home.folder.rglob("*") if ".config" not in path.parts and ".local" not in path.parts)
        return {str(path): path.lstat().st_mtime for path in own if "history" not in path.name}

    before = everything()
    lode(home, "mini", "--", "nestinfo")
    lode(home, "mini", stdin="exit\n")
    assert everything() == before
