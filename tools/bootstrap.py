"""Makes the virtual environment that `./lode` runs in, of the pinned packages of requirements.txt.

LODE_EXTRA=sigstore takes requirements-sigstore.txt instead, which has these and more.

Standard library only, Python 3.11 or newer. A kill at any moment is repaired by the next call: the mark
`.made-by-lode` is empty until the environment is complete, then it is a copy of the requirements. Two calls at once
are kept apart by a lock beside the environment; the second finds the work done.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRA = os.environ.get("LODE_EXTRA")  # such as sigstore: what is installed beyond requirements.txt
REQUIREMENTS = ROOT / (f"requirements-{EXTRA}.txt" if EXTRA else "requirements.txt")
MARK = ".made-by-lode"
APT = ("python3-venv",)


class Failure(Exception):
    """The environment cannot be made: what is wrong, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def main(arguments: list[str]) -> int:
    """Make the environment named by the only argument; return 0, or 10 with the reason on standard error."""
    venv = Path(arguments[0]).absolute()
    try:
        if not REQUIREMENTS.is_file():
            raise Failure(f"there is no {REQUIREMENTS.name} here", "LODE_EXTRA names one of requirements-*.txt")
        with locked(venv):
            if not complete(venv):
                make(venv)
    except Failure as failure:
        say(f"{failure}\n  hint: {failure.hint}" if failure.hint else str(failure))
        return 10
    except OSError as error:
        say(f"cannot make {venv}: {error.strerror or error}: {error.filename or venv}")
        say("  hint: name a folder that you may write to with LODE_VENV")
        return 10
    except KeyboardInterrupt:
        say("interrupted; the next call begins again")
        return 130
    return 0


def say(text: str) -> None:
    """Print one line for the person who waits."""
    print(f"lode: {text}", file=sys.stderr, flush=True)


def complete(venv: Path) -> bool:
    """Return whether the environment is whole and made from today's requirements."""
    mark = venv / MARK
    if not os.access(venv / "bin" / "python", os.X_OK):
        return False
    return not mark.exists() or mark.read_bytes() == REQUIREMENTS.read_bytes()


@contextlib.contextmanager
def locked(venv: Path) -> Iterator[None]:
    """Hold the lock on `venv`; wait for another call that is making it."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(venv.parent / f"{venv.name}.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting: another call is making {venv}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make(venv: Path) -> None:
    """Make `venv` from nothing; Failure when this machine lacks something."""
    started = time.monotonic()
    installer = [str(venv / "bin" / "python"), "-I", "-m", "pip"]
    without_pip = False
    if not has_ensurepip():
        if os.environ.get("LODE_INSTALL_DEPS"):
            install_deps()
        if not has_ensurepip():
            if importlib.util.find_spec("pip") is None:
                raise Failure(
                    f"{sys.executable} cannot make virtual environments: its ensurepip module is missing",
                    f"apt-get install {' '.join(APT)}, or call ./lode --install-deps as root",
                )
            without_pip = True
            installer = [sys.executable, "-I", "-m", "pip", "--python", str(venv / "bin" / "python")]
    reason = f"{REQUIREMENTS.name} has changed: making" if (venv / MARK).exists() else "first use: making"
    say(f"{reason} {venv} with {sys.executable} {sys.version.split()[0]} (about a minute)")
    clear(venv)
    venv.mkdir(parents=True)
    (venv / MARK).touch()
    create = [sys.executable, "-I", "-m", "venv", *(["--without-pip"] if without_pip else []), str(venv)]
    run(create, "making the environment failed")
    install(installer)
    add_checkout(venv)
    temporary = venv / f"{MARK}.new"
    temporary.write_bytes(REQUIREMENTS.read_bytes())
    temporary.replace(venv / MARK)
    say(f"ready after {time.monotonic() - started:.0f} s")


def has_ensurepip() -> bool:
    """Return whether `venv` can put pip into an environment: Debian has that in a package of its own."""
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def install_deps() -> None:
    """Install the Debian packages that making an environment needs; Failure unless root."""
    line = f"apt-get install -y {' '.join(APT)}"
    if os.geteuid() != 0:
        raise Failure("--install-deps must be root to install Debian packages", f"sudo {line}")
    if shutil.which("apt-get") is None:
        raise Failure("--install-deps knows only Debian's apt-get, which this machine has not")
    say(line)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-qq"], "apt-get update failed", environment)
    run(line.split(), "apt-get install failed", environment)


def clear(venv: Path) -> None:
    """Remove an unfinished or outdated environment; Failure when the folder is something else."""
    if not venv.exists():
        return
    if any(venv.iterdir()) and not (venv / MARK).exists() and not (venv / "pyvenv.cfg").exists():
        raise Failure(f"{venv} is there and is no virtual environment", "remove it, or set LODE_VENV")
    shutil.rmtree(venv)


def install(installer: list[str]) -> None:
    """Install the pinned packages, wheels only, each checked against its hash; shows how far it is.

    Nothing is resolved (`--no-deps`): the list is whole, and pip before 24 would look for a newer release of a
    package that another one asks for with an extra, then end because that one has no hash.
    """
    total = len(re.findall(r"^\S+==", REQUIREMENTS.read_text(), re.MULTILINE))
    command = [
        *[*installer, "install", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"],
        *["--no-deps", "--require-hashes", "--only-binary", ":all:", "--progress-bar", "off", "-r", str(REQUIREMENTS)],
    ]
    environment = {k: v for k, v in os.environ.items() if k not in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER")}
    said: list[str] = []
    collected = 0
    shown = time.monotonic()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if line.startswith("Collecting "):
                collected += 1
                if time.monotonic() - shown > 5 or collected == total:
                    shown = time.monotonic()
                    say(f"{min(collected, total)} of {total} packages")
            elif line.startswith("Installing collected"):
                say("installing")
    if pip.returncode:
        sys.stderr.writelines(said[-12:])
        raise Failure("installing the pinned packages failed (pip's last lines are above)", offline_hint(said))


def offline_hint(said: list[str]) -> str:
    """Return what to do about pip's failure, as far as its words tell."""
    text = "".join(said)
    if "THESE PACKAGES DO NOT MATCH THE HASHES" in text:
        return "what was downloaded is not what requirements.txt names: check the package index or proxy"
    if "No matching distribution" in text and "Retrying" not in text:
        return "the package index that pip is set up for has not all packages, or none for this Python"
    return "check the network and pip's settings (`pip config list`), then call again"


def add_checkout(venv: Path) -> None:
    """Put tools/ on the environment's path, relative so that the checkout may be moved."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = venv / "lib" / version / "site-packages"
    (packages / "lode-checkout.pth").write_text(os.path.relpath(ROOT / "tools", packages.resolve()) + "\n")


def run(command: list[str], failure: str, environment: dict[str, str] | None = None) -> None:
    """Run `command`, its output on standard error; Failure with its exit status unless it succeeds."""
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment).returncode
    if status:
        raise Failure(f"{failure} (exit status {status}): {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
