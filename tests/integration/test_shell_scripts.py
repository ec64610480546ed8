"""The activation scripts in the shells themselves: what they set, what they leave, and whom they disturb."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.testing.factory import TARGET, lock, node

from lode import tree
from lode.definitions.recipe import Environment
from lode.installing import activation
from lode.installing.scripts.change import Activation

pytestmark = pytest.mark.integration

SHELLS = {
    "sh": ["/bin/sh"],
    "dash": ["dash"],
    "bash": ["bash", "--norc", "--noprofile"],
    "bash-strict": ["bash", "--norc", "--noprofile", "-eu", "-o", "pipefail"],
    "sh-strict": ["/bin/sh", "-eu"],
    "zsh": ["zsh", "-f"],
    "zsh-strict": ["zsh", "-f", "-eu"],
    "tcsh": ["tcsh", "-f"],
    "fish": ["fish", "--no-config"],
}
POSIX = tuple(name for name in SHELLS if name not in ("tcsh", "fish"))
BASE = {"HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "TERM": "dumb"}
OWN = ("_", "SHLVL", "PWD", "OLDPWD")  # what shells change by themselves, and what some of them set
OWN += ("LOGNAME", "USER", "GROUP", "HOST", "HOSTTYPE", "MACHTYPE", "OSTYPE", "VENDOR", "NLSPATH")

ENVIRONMENT = Environment(
    prepend=(("NEST_SEARCH", "share/nest"), ("XMODULE_PATH", "share/x y")),
    set=(("NEST_DATA", "share/nest/it's $HOME"),),
    value=(("NEST_MODE", "a 'b' \"c\" $d `e` \\ ! * {f,g} ~"),),
)


class Tree:
    """The scripts of a stack in a folder of their own, made for that folder or for one that does not exist."""

    def __init__(self, root: Path, stack: str = "mini", *, at_home: bool = False) -> None:
        locked = lock(node("nest", environment=ENVIRONMENT), stack=stack)
        self.root = root
        final = str(root) if at_home else locked.final_path(TARGET)
        self.activation: Activation = activation.activation(locked, TARGET, None, final)
        tree.write(activation.scripts(locked, TARGET, None, final), root)
        (root / ".lode/prefix.json").write_text("{}")
        (root / "bin").mkdir()

    def enter(self, shell: str) -> str:
        if shell == "tcsh":
            return "source " + "".join(f"\\{c}" for c in str(self.root)) + "/setup.csh"
        quoted = "'" + str(self.root).replace("'", "'\\''") + "'"
        return f"source {quoted}/setup.fish" if shell == "fish" else f". {quoted}/setup.sh"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("trees").resolve() / "a tree's $HOME", at_home=True)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("trees").resolve() / "a moved 'tree' $x")


def argv(shell: str) -> list[str]:
    if not shutil.which(SHELLS[shell][0]):
        pytest.skip(f"{shell} is not installed")
    return SHELLS[shell]


def run(shell: str, *lines: str, environ: Mapping[str, str] = BASE, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the lines as a script file in the shell."""
    script = cwd / f"script.{shell}"
    script.write_text("\n".join(lines) + "\n")
    words = argv(shell)
    program = shutil.which(words[0])
    assert program
    return subprocess.run(
        [program, *words[1:], str(script)],
        env=dict(environ),
        cwd=cwd,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=60,
        check=False,
    )


def seen(path: Path) -> dict[str, str]:
    """Return the environment that `env -0` wrote to the file."""
    pairs = [item.partition(b"=") for item in path.read_bytes().split(b"\0") if item]
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs if os.fsdecode(name) not in OWN}


def three(shell: str, where: Tree, environ: Mapping[str, str], cwd: Path) -> tuple[dict[str, str], ...]:
    """Return the environment before, during and after."""
    ended = run(
        shell,
        "/usr/bin/env -0 > before",
        where.enter(shell),
        "/usr/bin/env -0 > during",
        "lode_deactivate",
        "/usr/bin/env -0 > after",
        environ=environ,
        cwd=cwd,
    )
    assert ended.returncode == 0, ended.stderr
    return tuple(seen(cwd / name) for name in ("before", "during", "after"))


NASTY = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "\n", "a\n", "'", '"', "\\", "*", "$(id)", "`id`", "!!", "~", ":", "a::b:", "-n", "(", "=", "\t"]
    ),
    st.text(st.characters(exclude_categories=("Cs", "Co", "Cn"), exclude_characters="\0"), max_size=12),
    st.text("ab /:'\"\\$`!*?[]{}()<>|&;#~%^\n\t=-", max_size=12),
)
NAMES = ("PATH", "MANPATH", "CMAKE_PREFIX_PATH", "NEST_SEARCH", "XMODULE_PATH", "NEST_DATA", "NEST_MODE", "LODE_STACK")


@pytest.mark.parametrize("shell", SHELLS)
@given(values=st.tuples(*[NASTY] * len(NAMES)))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_environment_comes_back_byte_for_byte(
    shell: str, values: tuple[str | None, ...], moved: Tree, tmp_path: Path
) -> None:
    given = dict(zip(NAMES, values, strict=True))
    environ = {name: value for name, value in {**BASE, **given}.items() if value is not None}
    environ.setdefault("PATH", "")  # without one, every shell invents its own
    before, during, after = three(shell, moved, environ, tmp_path)
    assert after == before
    assert during == activation.activated(moved.activation, str(moved.root), before)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_tree_at_its_final_path_is_entered_in_silence(shell: str, here: Tree, tmp_path: Path) -> None:
    ended = run(shell, here.enter(shell), "/usr/bin/env -0 > during", cwd=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert seen(tmp_path / "during") == {
        **BASE,
        "CMAKE_PREFIX_PATH": f"{here.root}",
        "LODE_PREFIX": f"{here.root}",
        "LODE_RELEASE": "2026.11",
        "LODE_STACK": "mini",
        "LODE_TARGET": TARGET,
        "MANPATH": f"{here.root}/share/man:",
        "NEST_DATA": f"{here.root}/share/nest/it's $HOME",
        "NEST_MODE": "a 'b' \"c\" $d `e` \\ ! * {f,g} ~",
        "NEST_SEARCH": f"{here.root}/share/nest",
        "PATH": f"{here.root}/bin:/usr/bin:/bin",
        "PKG_CONFIG_PATH": f"{here.root}/lib/pkgconfig:{here.root}/share/pkgconfig",
        "XMODULE_PATH": f"{here.root}/share/x y",
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_a_moved_tree_is_entered_where_it_lies_and_says_so(shell: str, moved: Tree, tmp_path: Path) -> None:
    ended = run(shell, moved.enter(shell), "/usr/bin/env -0 > during", cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stderr == (
        f"lode: note: mini 2026.11 for {TARGET} lies at {moved.root} but is made for "
        f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}; `lode shell` shows it there\n"
    )
    assert seen(tmp_path / "during")["LODE_PREFIX"] == str(moved.root)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_copy_enters_the_tree_at_the_final_path(shell: str, here: Tree, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(here.root, copy)
    elsewhere = Tree.__new__(Tree)
    elsewhere.root = copy
    run(shell, elsewhere.enter(shell), "/usr/bin/env -0 > during", cwd=tmp_path)
    assert seen(tmp_path / "during")["LODE_PREFIX"] == str(here.root)


@pytest.mark.parametrize("shell", SHELLS)
def test_entering_twice_changes_nothing(shell: str, moved: Tree, tmp_path: Path) -> None:
    ended = run(
        shell,
        "/usr/bin/env -0 > before",
        moved.enter(shell),
        "/usr/bin/env -0 > once",
        moved.enter(shell),
        "/usr/bin/env -0 > twice",
        "lode_deactivate",
        "/usr/bin/env -0 > after",
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("note:") == 1
    assert seen(tmp_path / "twice") == seen(tmp_path / "once")
    assert seen(tmp_path / "after") == seen(tmp_path / "before")


@pytest.mark.parametrize("shell", SHELLS)
def test_another_stack_takes_the_place_of_the_first(shell: str, moved: Tree, tmp_path: Path) -> None:
    other = Tree(tmp_path / "other", "second", at_home=True)
    ended = run(
        shell,
        "/usr/bin/env -0 > before",
        moved.enter(shell),
        other.enter(shell),
        "/usr/bin/env -0 > during",
        "lode_deactivate",
        "/usr/bin/env -0 > after",
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    during = seen(tmp_path / "during")
    assert during == activation.activated(other.activation, str(other.root), seen(tmp_path / "before"))
    assert seen(tmp_path / "after") == seen(tmp_path / "before")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_stack_of_the_parent_process_is_not_mixed_with_another(shell: str, moved: Tree, tmp_path: Path) -> None:
    inherited = {**BASE, "LODE_PREFIX": "/opt/other"}
    ended = run(shell, moved.enter(shell), environ=inherited, cwd=tmp_path)
    assert ended.stderr.rstrip("\n").endswith(
        "lode: /opt/other is active in the program that started this shell; "
        f"leave it before you enter mini 2026.11 for {TARGET}"
    )
    if shell != "tcsh":  # whose `source` has no status
        assert ended.returncode == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_the_same_stack_can_be_entered_again_in_a_child(shell: str, moved: Tree, tmp_path: Path) -> None:
    inherited = activation.activated(moved.activation, str(moved.root), BASE)
    before, during, after = three(shell, moved, inherited, tmp_path)
    assert after == before
    assert during["LODE_PREFIX"] == str(moved.root)
    if shell in POSIX:
        assert during == inherited


@pytest.mark.parametrize("shell", SHELLS)
def test_what_was_added_since_stays(shell: str, moved: Tree, tmp_path: Path) -> None:
    names = "PATH=/venv:$PATH:/more; NEST_DATA=mine; NEST_SEARCH=/venv:$NEST_SEARCH:/more"
    change = {
        "tcsh": 'setenv PATH "/venv:${PATH}:/more"; setenv NEST_DATA mine\n'
        'setenv NEST_SEARCH "/venv:${NEST_SEARCH}:/more"',
        "fish": 'set PATH /venv $PATH /more; set NEST_DATA mine; set NEST_SEARCH "/venv:$NEST_SEARCH:/more"',
    }.get(shell, names)
    ended = run(
        shell, moved.enter(shell), change, "lode_deactivate", "/usr/bin/env -0 > after", environ=BASE, cwd=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert seen(tmp_path / "after") == {
        **BASE,
        "PATH": "/venv:/usr/bin:/bin:/more",
        "NEST_DATA": "mine",
        "NEST_SEARCH": "/venv:/more",
    }


@pytest.mark.parametrize("shell", POSIX)
def test_a_variable_that_was_not_exported_is_not_so_afterwards(shell: str, moved: Tree, tmp_path: Path) -> None:
    ended = run(
        shell,
        "MANPATH='a  b'; NEST_DATA=",
        moved.enter(shell),
        "lode_deactivate",
        "/usr/bin/env -0 > after",
        'printf "%s|%s|%s" "$MANPATH" "${NEST_DATA-unset}" "${NEST_MODE-unset}"',
        cwd=tmp_path,
    )
    assert (ended.returncode, ended.stdout) == (0, "a  b||unset"), ended.stderr
    assert seen(tmp_path / "after") == BASE


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_is_left_in_the_shell(shell: str, moved: Tree, tmp_path: Path) -> None:
    show = {"fish": "set --names; functions --all --names", "tcsh": "set; alias; env"}.get(shell, "set")
    ended = run(shell, moved.enter(shell), "lode_deactivate", f"{show} > left", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    left = [line for line in (tmp_path / "left").read_text().splitlines() if "lode" in line.lower()]
    assert [
        line for line in left if not line.startswith("_=") and str(tmp_path) not in line and str(moved.root) not in line
    ] == []


@pytest.mark.parametrize("shell", [name for name in SHELLS if name != "tcsh"])
def test_a_folder_with_a_colon_is_refused(shell: str, tmp_path: Path) -> None:
    tree_ = Tree(tmp_path / "a:b")
    ended = run(shell, tree_.enter(shell), cwd=tmp_path)
    assert ended.stderr == (
        f"lode: the folder {tmp_path}/a:b has a colon in its name, which search paths cannot hold\n"
    )
    assert ended.returncode == 1


@pytest.mark.parametrize("shell", ["sh", "dash"])
def test_a_plain_shell_that_cannot_tell_says_what_to_set(shell: str, moved: Tree, tmp_path: Path) -> None:
    lost = run(shell, "set -f", moved.enter(shell), cwd=tmp_path)
    assert (lost.returncode, lost.stderr) == (
        1,
        f"lode: mini 2026.11 for {TARGET} is not at /cvmfs/lode.example.org/mini/2026.11/{TARGET}; "
        "set LODE_PREFIX_OVERRIDE to the folder it is in\n",
    )
    told = run(
        shell, "set -f", moved.enter(shell), 'echo "$LODE_PREFIX"',
        environ={**BASE, "LODE_PREFIX_OVERRIDE": str(moved.root)}, cwd=tmp_path,
    )  # fmt: skip
    assert (told.returncode, told.stdout, told.stderr) == (0, f"{moved.root}\n", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_programs_of_the_host_still_run(shell: str, here: Tree, tmp_path: Path) -> None:
    programs = [
        f"{path} --version > /dev/null" for path in ("/usr/bin/python3", "/usr/bin/git", "/usr/bin/vi", "/usr/bin/perl")
        if Path(path).exists()
    ]  # fmt: skip
    assert programs
    ended = run(shell, here.enter(shell), *programs, "echo ok", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "ok\n"), ended.stderr


@pytest.mark.parametrize("shell", ["bash", "bash-strict", "zsh", "dash", "fish", "tcsh"])
@pytest.mark.parametrize("order", ["venv first", "stack first"])
def test_a_virtual_environment_works_on_top(shell: str, order: str, here: Tree, tmp_path: Path) -> None:
    import venv

    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    suffix = {"fish": ".fish", "tcsh": ".csh"}.get(shell, "")
    enter = f"source {tmp_path}/venv/bin/activate{suffix}" if suffix else f". {tmp_path}/venv/bin/activate"
    leave = ["deactivate", "lode_deactivate"] if order == "venv first" else ["lode_deactivate", "deactivate"]
    ended = run(
        shell,
        here.enter(shell),
        enter,
        "python -c 'import sys; print(sys.prefix)'",
        "/usr/bin/env -0 > during",
        leave[0],
        "/usr/bin/env -0 > between",
        leave[1],
        "/usr/bin/env -0 > after",
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{tmp_path}/venv\n"
    assert seen(tmp_path / "during")["PATH"] == f"{tmp_path}/venv/bin:{here.root}/bin:/usr/bin:/bin"
    between = seen(tmp_path / "between")["PATH"]
    if order == "venv first":
        assert between == f"{here.root}/bin:/usr/bin:/bin"
        assert {**seen(tmp_path / "after"), "PS1": ""} == {**BASE, "PS1": ""}
    else:
        assert between == f"{tmp_path}/venv/bin:/usr/bin:/bin"


LMOD = Path("/usr/share/lmod/lmod/init/bash")


@pytest.mark.skipif(not LMOD.exists(), reason="Lmod is not installed")
def test_the_modulefile_loads_swaps_and_unloads(moved: Tree, tmp_path: Path) -> None:
    other = Tree(tmp_path / "other", "second", at_home=True)
    for name, tree_ in (("mini", moved), ("second", other)):
        (tmp_path / "modules" / name).mkdir(parents=True)
        (tmp_path / "modules" / name / "2026.11.lua").symlink_to(tree_.root / ".lode/modulefile.lua")
    ended = run(
        "bash",
        f". {LMOD}",
        f"module use {tmp_path}/modules",
        "/usr/bin/env -0 > before",
        "module load second/2026.11",
        "/usr/bin/env -0 > during",
        "module unload second",
        "/usr/bin/env -0 > after",
        "module load second/2026.11; module --redirect show second > shown; module --redirect whatis second > whatis",
        "module load mini/2026.11; /usr/bin/env -0 > swapped",
        cwd=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr

    def ours(name: str) -> dict[str, str]:
        found = seen(tmp_path / name)
        return {
            key: found[key] for key in found if not key.startswith(("__LMOD", "_LM", "LOADEDMODULES", "_ModuleTable"))
        }

    lmod_own = {"LMOD_FAMILY_LODE": "second", "LMOD_FAMILY_LODE_VERSION": "2026.11"}
    wanted = activation.activated(other.activation, str(other.root), ours("before"))
    during = {name: value for name, value in ours("during").items() if name not in ("_LMFILES_", *lmod_own)}
    assert {**during, "MANPATH": during["MANPATH"].replace("::", ":")} == wanted
    assert ours("after") == ours("before")
    assert ours("swapped")["LODE_STACK"] == "mini"
    assert str(other.root) not in ours("swapped")["PATH"]
