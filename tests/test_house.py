"""The house itself: rooms under contract, pinned requirements, the bootstrap script, the wheel."""

from __future__ import annotations

import ast
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tools" / "lode"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PURE = {"definitions", "locking", "rendering", "verifying", "yamldoc", "digest", "errors"}


def contract(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = next(c for c in PROJECT["tool"]["importlinter"]["contracts"] if c["id"] == name)
    return found


def test_every_pure_room_is_under_the_contract_for_pure_rooms() -> None:
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name.removeprefix("lode.") for name in contract("pure")["source_modules"]} == PURE & rooms


def test_contract_of_the_rooms_is_exhaustive() -> None:
    assert contract("rooms")["exhaustive"]
    assert contract("rooms")["containers"] == ["lode"]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-sigstore.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes_and_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    requirements = [
        line for line in text.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")
    ]
    assert len(requirements) > 30
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []


def test_every_dependency_is_pinned() -> None:
    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-").replace(".", "-") for line in lines}

    pinned = names(re.findall(r"^\S+==.*", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    developers = names(re.findall(r"^\S+==.*", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))
    groups = PROJECT["dependency-groups"]
    assert names(PROJECT["project"]["dependencies"]) - pinned == set()
    assert names(groups["dev"] + groups["docs"]) - developers == set()
    assert pinned - developers == set()


def test_developers_have_the_same_versions_as_users() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([^\s=]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))

    developers = pins("requirements-dev.txt")
    assert [name for name, version in pins("requirements.txt").items() if developers[name] != version] == []


def test_bootstrap_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((ROOT / "tools" / "bootstrap.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names)


def test_every_variable_of_the_environment_is_in_the_reference() -> None:
    named: set[str] = set()
    for file in (*PACKAGE.rglob("*.py"), ROOT / "lode"):
        named |= set(re.findall(r"\bLODE_[A-Z_]*[A-Z]\b", file.read_text()))
    named -= {"LODE_COMPLETE"}  # click's own
    internal = {name for name in named if name.startswith(("LODE_ADDED", "LODE_VALUE", "LODE_DO", "LODE_ZDOTDIR"))}
    page = (ROOT / "docs" / "reference" / "environment.md").read_text()
    assert sorted(name for name in named - internal if f"`{name}`" not in page) == []


def test_no_generated_or_private_file_is_tracked() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/.venv/", "/site/", "__pycache__/"} <= set(ignored)


# --- the script ./lode, in a checkout of its own with a small requirements file ---


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the script, the bootstrap and a package `lode` that prints its arguments; no requirements."""
    root = tmp_path / "a checkout"
    (root / "tools" / "lode").mkdir(parents=True)
    shutil.copy(ROOT / "lode", root)
    shutil.copy(ROOT / "tools" / "bootstrap.py", root / "tools")
    (root / "tools" / "lode" / "__init__.py").touch()
    (root / "tools" / "lode" / "__main__.py").write_text("import sys\nprint(sys.prefix, sys.argv[1:])\n")
    (root / "requirements.txt").write_text("# nothing\n")
    return root


def python_without(folder: Path, *modules: str) -> Path:
    """Return a Python that lacks `modules`: Debian's without python3-venv lacks ensurepip."""
    python = folder / f"python-without-{'-'.join(modules)}"
    python.write_text(
        f"#!{sys.executable}\n"
        "import importlib.util, runpy, sys\n"
        "if '-c' in sys.argv: sys.exit(0)\n"
        "find = importlib.util.find_spec\n"
        f"importlib.util.find_spec = lambda name, *rest: None if name in {modules!r} else find(name, *rest)\n"
        "sys.argv = sys.argv[2:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    python.chmod(0o755)
    return python


def surroundings(checkout: Path, **environ: str) -> dict[str, str]:
    """Return an environment with a Python without ensurepip, for which this one's pip steps in: much quicker."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("LODE_", "PYTHON"))}
    return {**inherited, "LODE_PYTHON": str(python_without(checkout.parent, "ensurepip")), **environ}


def call(
    checkout: Path, *arguments: str, script: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(script or checkout / "lode"), *arguments],
        env=surroundings(checkout, **environ),
        cwd=checkout.parent, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.integration
def test_first_call_makes_the_environment_and_later_calls_are_silent(checkout: Path) -> None:
    first = call(checkout, "show", "a b", LODE_PYTHON=sys.executable)
    assert (first.returncode, first.stdout) == (0, f"{checkout}/.venv ['show', 'a b']\n"), first.stderr
    assert "first use: making" in first.stderr
    second = call(checkout, "show")
    assert (second.returncode, second.stdout, second.stderr) == (0, f"{checkout}/.venv ['show']\n", "")


@pytest.mark.integration
def test_changed_requirements_make_the_environment_anew(checkout: Path) -> None:
    assert call(checkout).returncode == 0
    (checkout / ".venv" / "left-over").touch()
    (checkout / "requirements.txt").write_text("# still nothing\n")
    again = call(checkout)
    assert again.returncode == 0
    assert "requirements.txt has changed: making" in again.stderr
    assert not (checkout / ".venv" / "left-over").exists()


@pytest.mark.integration
def test_extra_chooses_other_requirements(checkout: Path) -> None:
    (checkout / "requirements-more.txt").write_text("# more\n")
    assert call(checkout, LODE_EXTRA="more").returncode == 0
    assert (checkout / ".venv" / ".made-by-lode").read_text() == "# more\n"
    assert call(checkout, LODE_EXTRA="more").stderr == ""
    wrong = call(checkout, LODE_EXTRA="less")
    assert (wrong.returncode, wrong.stderr) == (
        10,
        "lode: there is no requirements-less.txt here\n  hint: LODE_EXTRA names one of requirements-*.txt\n",
    )


@pytest.mark.integration
def test_environment_of_a_developer_is_used_as_it_is(checkout: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True, timeout=120)
    packages = next((checkout / ".venv" / "lib").glob("python3*")) / "site-packages"
    (packages / "own.pth").write_text(f"{checkout}/tools\n")
    called = call(checkout, "show")
    assert (called.returncode, called.stderr) == (0, "")


@pytest.mark.integration
def test_kill_in_the_middle_is_repaired_by_the_next_call(checkout: Path) -> None:
    environ = surroundings(checkout)
    with subprocess.Popen(
        [str(checkout / "lode")], env=environ, stderr=subprocess.DEVNULL, start_new_session=True
    ) as p:
        deadline = time.monotonic() + 60
        while not (checkout / ".venv" / "pyvenv.cfg").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(p.pid, signal.SIGKILL)
    assert (checkout / ".venv" / ".made-by-lode").read_text() == ""
    called = call(checkout, "show")
    assert called.returncode == 0, called.stderr
    assert (checkout / ".venv" / ".made-by-lode").read_text() == "# nothing\n"


@pytest.mark.integration
def test_second_call_waits_for_the_first_and_uses_its_work(checkout: Path) -> None:
    with open(checkout / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environ = surroundings(checkout)
        with subprocess.Popen([str(checkout / "lode")], env=environ, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            assert process.stderr.readline() == f"lode: waiting: another call is making {checkout}/.venv\n"
            fcntl.flock(lock, fcntl.LOCK_UN)
            process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.integration
def test_checkout_may_be_moved(checkout: Path) -> None:
    assert call(checkout).returncode == 0
    moved = checkout.rename(checkout.parent / "moved")
    called = call(moved, "show")
    assert (called.returncode, called.stdout, called.stderr) == (0, f"{moved}/.venv ['show']\n", "")


@pytest.mark.integration
def test_script_works_through_a_link(checkout: Path) -> None:
    link = checkout.parent / "bin-lode"
    link.symlink_to(checkout / "lode")
    assert call(checkout, script=link).stdout == f"{checkout}/.venv []\n"


@pytest.mark.integration
def test_python_that_is_too_old_or_missing_is_named(checkout: Path) -> None:
    called = call(checkout, LODE_PYTHON="/no/such/python")
    assert (called.returncode, called.stderr) == (
        10,
        "lode: no Python 3.11 or newer at /no/such/python\n"
        "  hint: apt-get install python3 python3-venv, or name one with LODE_PYTHON\n",
    )


@pytest.mark.integration
def test_missing_ensurepip_names_the_debian_package(checkout: Path) -> None:
    bare = python_without(checkout.parent, "ensurepip", "pip")
    called = call(checkout, LODE_PYTHON=str(bare))
    assert called.returncode == 10
    assert called.stderr.splitlines()[-2:] == [
        f"lode: {sys.executable} cannot make virtual environments: its ensurepip module is missing",
        "  hint: apt-get install python3-venv, or call ./lode --install-deps as root",
    ]
    assert not (checkout / ".venv").exists()


@pytest.mark.integration
def test_folder_that_is_no_environment_is_left_alone(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.tex").touch()
    called = call(checkout)
    assert called.returncode == 10
    assert f"lode: {checkout}/.venv is there and is no virtual environment\n" in called.stderr
    assert (checkout / ".venv" / "thesis.tex").exists()


@pytest.mark.integration
def test_package_that_cannot_be_had_is_an_error_with_a_hint(checkout: Path) -> None:
    hashed = f"no-such-package==1.0 --hash=sha256:{'0' * 64}\n"
    (checkout / "requirements.txt").write_text(hashed)
    called = call(checkout, PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
    assert called.returncode == 10
    assert called.stderr.splitlines()[-2:] == [
        "lode: installing the pinned packages failed (pip's last lines are above)",
        "  hint: the package index that pip is set up for has not all packages, or none for this Python",
    ]
    assert (checkout / ".venv" / ".made-by-lode").read_text() == ""


# --- the wheel ---


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of this checkout."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("*.whl"))


@pytest.mark.integration
def test_wheel_carries_collection_and_templates(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    collection = {
        str(Path("lode/collection") / path.relative_to(ROOT))
        for folder in ("recipes", "stacks", "containers")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert collection | {"lode/collection/collection.yaml"} <= names
    templates = {str(Path("lode") / p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*") if p.suffix in (".j2", ".css")}
    assert templates
    assert templates <= names
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


@pytest.mark.integration
def test_wheel_works_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    packages = next((environment / "lib").glob("python3*")) / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(packages)]
    subprocess.run([*pip, str(wheel)], check=True, timeout=120)
    here = subprocess.run(
        [sys.executable, "-c", "import click; print(click.__path__[0])"], capture_output=True, text=True, check=True
    )
    (packages / "dependencies.pth").write_text(str(Path(here.stdout.strip()).parent) + "\n")
    python = str(environment / "bin" / "python")
    called = subprocess.run(
        [python, "-I", "-c", "import sys; sys.argv = ['lode', 'list', 'stacks']; "
         "import lode; assert 'environment' in lode.__file__; from lode.cli.main import main; main()"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert called.returncode == 0, called.stderr
    assert "dance-mini" in called.stdout
