"""Spack as a builder: found, held to the commits that the lock pins, and run without a network at the final path.

Spack builds an environment as a whole, with a cache and a scheduler of its own, so that it is no `Builder` of single
nodes. In the seal its tree lies where the release is used, as in images and CVMFS.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lode import process, tree
from lode.building.seal import Bind, Seal, sealed
from lode.definitions.stack import Pins
from lode.errors import BuildError, HostError
from lode.rendering.quoting import yaml_document

WORK = "/lode/spack"  # of everything but the tree, inside the seal
_MIRROR = "/lode/mirror"
_KEYS = "/lode/gnupg"
_DESTINATION = "/lode/buildcache"
_USER = "/lode/user"
_VERSION = re.compile(r"(?P<version>\d+\.\d+\S*)(?: \((?P<commit>[0-9a-f]{7,40})\))?")
_NUMBERED = re.compile(r" +\d+\. (.+)")  # a reason why Spack's solver found nothing
_TELLS_NOTHING = "cannot satisfy a requirement for package "
_REASONS = 3
_LIMIT_S = 120.0  # for questions that Spack, git or Python answer at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Spack:
    """A Spack with its packages and the Python that has its solver; commits are "" where git does not know them."""

    root: Path
    version: str
    commit: str
    packages: Path  # a checkout of spack-packages
    packages_commit: str
    python: Path
    python_folders: tuple[Path, ...]


def find(environ: Mapping[str, str], *, packages: Path | None) -> Spack:
    """Return the Spack that SPACK_ROOT names, else the one on the PATH; HostError that says what is missing."""
    root = _root(environ)
    ended = process.run([str(root / "bin/spack"), "--version"], env=_plain(environ), timeout_s=_LIMIT_S)
    found = _VERSION.match(ended.stdout.strip())
    if ended.status != 0 or found is None:
        raise HostError(
            f"{root}/bin/spack does not say its version: {(ended.stderr or ended.stdout).strip()[-300:]}",
            hint="name another with SPACK_ROOT",
        )
    if int(found["version"].partition(".")[0]) < 1:
        raise HostError(f"{root} is Spack {found['version']}, and 1.0 is the oldest that can build a stack")
    folder = packages or (Path(environ["LODE_SPACK_PACKAGES"]) if environ.get("LODE_SPACK_PACKAGES") else None)
    if folder is None or not (folder / "repos/spack_repo/builtin/repo.yaml").is_file():
        said = "is not known here" if folder is None else f"is not in {folder}"
        raise HostError(
            f"Spack's own package repository {said}",
            hint="clone https://github.com/spack/spack-packages.git and name the folder: --spack-packages DIR",
        )
    python, folders = _python(environ)
    return Spack(
        root=root,
        version=found["version"],
        commit=_commit(root),
        packages=folder.absolute(),
        packages_commit=_commit(folder),
        python=python,
        python_folders=folders,
    )


def refuse_unpinned(spack: Spack, pins: Pins) -> None:
    """Raise HostError unless Spack and its packages are of the commits that the lock pins, without changes."""
    for folder, pinned, commit, what in (
        (spack.root, pins.spack, spack.commit, "Spack"),
        (spack.packages, pins.spack_packages, spack.packages_commit, "Spack's packages"),
    ):
        if pinned and pinned != commit:
            raise HostError(
                f"{folder} has {what} of commit {commit or 'unknown'}, and the stack pins {pinned}",
                hint=f"git -C {folder} checkout {pinned}, or build with --any-spack",
            )
        if pinned and _changed(folder):
            raise HostError(
                f"{folder} has changes on top of commit {commit}, which the stack pins",
                hint=f"git -C {folder} stash, or build with --any-spack",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The folder in which one release is built for one target, and the Spack that does it."""

    spack: Spack
    seal: Seal
    folder: Path  # environment/, settings/, tree/ and what Spack keeps for itself
    target: str
    final_path: str
    namespace: str
    mirror: Path
    user: Path  # what Spack keeps for all builds: indices of its packages, its solver's results
    jobs: int
    log: Path
    on_line: Callable[[str], None]

    @property
    def lock_file(self) -> Path:
        """Return where Spack leaves its `spack.lock`."""
        return self.folder / "environment" / self.target / "spack.lock"

    @property
    def prefix(self) -> str:
        """Return where the tree is for Spack: at the final path in a seal, else where it lies."""
        return self.final_path if self.seal.kind != "none" else str(self.folder / "tree")

    def lay_out(self, files: tree.FileTree) -> None:
        """Write the rendered `files` and the settings that keep Spack from the network."""
        shutil.rmtree(self.folder / "environment", ignore_errors=True)
        tree.write(files, self.folder / "environment")
        for name in ("home", "stage", "tmp", "tree"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.user.mkdir(parents=True, exist_ok=True)
        own = self.namespace.replace(".", "/")
        settings: dict[str, object] = {
            "repos": {
                self.namespace: f"{self._work}/environment/repository/spack_repo/{own}",
                "builtin": str(self.spack.packages / "repos/spack_repo/builtin"),
            },
            "mirrors": {"lode": {"url": f"file://{self._mirror}", "source": True, "binary": False}},
            "config": {
                "install_tree": {"root": f"{self.prefix}/opt"},
                "build_stage:": [f"{self._work}/stage"],
                "source_cache": f"{self._work}/sources",
                "build_jobs": self.jobs,
                "connect_timeout": 5,
            },
            "bootstrap": {"sources:": [], "trusted:": {}},
            "view": {"default": {"root": f"{self.prefix}/view", "link": "run", "link_type": "symlink"}},
        }
        for name, value in settings.items():
            key = f"{name}:" if name in ("repos", "mirrors") else name  # a second colon replaces what other files say
            text = yaml_document({key: value})
            tree.replace(self.folder / "settings" / f"{name}.yaml", text.encode())

    def concretize(self) -> None:
        """Let Spack choose; BuildError with what it says when it cannot."""
        self._run("concretize the environment", ["concretize", "--force"])

    def install(self, hashes: Sequence[str], *, keep_stage: bool = False) -> None:
        """Build the packages of `hashes` and what they need, from the mirror alone."""
        words = ["install", "--only-concrete", "--no-add", "--no-cache", "-j", str(self.jobs)]
        words += ["--keep-stage"] if keep_stage else []
        self._run("build", [*words, *(f"/{key}" for key in hashes)])

    def test(self, hashes: Sequence[str]) -> None:
        """Run the stand-alone tests of the packages of `hashes`."""
        self._run("pass the tests", ["test", "run", *(f"/{key}" for key in hashes)])

    def prefixes(self) -> Mapping[str, Path]:
        """Return hash to folder, as this host has it, of all that is installed."""
        said = self._run("list what it built", ["find", "--format", "{hash}\t{prefix}"])
        found: dict[str, Path] = {}
        for line in said.splitlines():
            key, tab, prefix = line.partition("\t")
            if tab and prefix.startswith(f"{self.prefix}/"):
                found[key.strip()] = self.folder / "tree" / prefix.removeprefix(f"{self.prefix}/")
        return found

    def sources(self) -> tuple[tuple[str, str], ...]:
        """Return file name and sha256 of the archives that packages of Spack's own in the environment are made of."""
        tree.replace(self.folder / "sources.py", _SOURCES.encode())
        said = self._run("tell the sources of its packages", ["python", f"{self._work}/sources.py"])
        last = said.strip().splitlines()[-1]
        return tuple((str(name), str(sha256)) for name, sha256 in json.loads(last))

    def fetch(self, hashes: Sequence[str]) -> None:
        """Let Spack fetch the sources of its own packages of `hashes` into the mirror; this alone uses the network."""
        words = ["mirror", "create", "-d", self._mirror, *(f"/{key}" for key in hashes)]
        self._run("fetch the sources of its own packages", words, network=True)

    def push(self, hashes: Sequence[str], destination: Path, keys: Path, key: str | None) -> None:
        """Put the packages of `hashes`, with what they need, into the build cache `destination`.

        They are signed with a key of the GPG folder `keys`; `key` None: with the only one there.
        """
        destination.mkdir(parents=True, exist_ok=True)
        inside = self.seal.kind != "none"
        words = ["buildcache", "push", "--update-index"]
        words += ["--key", key] if key else []
        binds = [
            Bind(source=destination.absolute(), destination=_DESTINATION, writable=True),
            Bind(source=keys.absolute(), destination=_KEYS, writable=True),
        ]
        self._run(
            "push to the build cache",
            [*words, f"file://{_DESTINATION if inside else destination.absolute()}", *(f"/{one}" for one in hashes)],
            binds=binds,
            env={"SPACK_GNUPGHOME": _KEYS if inside else str(keys.absolute())},
        )

    @property
    def _work(self) -> str:
        return WORK if self.seal.kind != "none" else str(self.folder)

    @property
    def _mirror(self) -> str:
        return _MIRROR if self.seal.kind != "none" else str(self.mirror)

    def _run(
        self,
        what: str,
        words: Sequence[str],
        *,
        binds: Sequence[Bind] = (),
        env: Mapping[str, str] | None = None,
        network: bool = False,
    ) -> str:
        """Return what `spack` with `words` said of the environment; BuildError with its own words when it failed."""
        spack = self.spack
        readable = (spack.root, spack.packages, *spack.python_folders)
        shown = [
            Bind(source=self.folder, destination=WORK, writable=True),
            Bind(source=self.folder / "tree", destination=self.final_path, writable=True),
            Bind(source=self.mirror, destination=_MIRROR, writable=network),
            Bind(source=self.user, destination=_USER, writable=True),
            *(Bind(source=path, destination=str(path)) for path in readable),
            *binds,
        ]
        variables = {
            "HOME": f"{self._work}/home",
            "USER": "lode",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "TMPDIR": f"{self._work}/tmp",  # noqa: S108 - a folder of this build alone
            "LODE_MIRROR": f"file://{self._mirror}",
            "SPACK_PYTHON": str(spack.python),
            "SPACK_USER_CACHE_PATH": _USER if self.seal.kind != "none" else str(self.user),
            "SPACK_DISABLE_LOCAL_CONFIG": "1",
            **(env or {}),
        }
        # Spack 1.0 lets the later of the two win: the environment's address of Spack's packages must not.
        scopes = ["-e", f"{self._work}/environment/{self.target}", "-C", f"{self._work}/settings"]
        program = [str(spack.root / "bin/spack"), "--color=never", *scopes, *words]
        command = sealed(self.seal, program, binds=shown, env=variables, cwd=self._work, network=network)
        said: list[str] = []

        def line(text: str) -> None:
            said.append(text)
            self.on_line(text)

        self.log.parent.mkdir(parents=True, exist_ok=True)
        ended = process.run(command, cwd=self.folder, env={"PATH": "/usr/bin:/bin"}, log=self.log, on_line=line)
        if ended.status != 0:
            raise BuildError(f"Spack could not {what}: {reason(said)}", hint=f"all that it said: {self.log}")
        return "\n".join(said)


# Run by `spack python` in the environment: archives of concretized packages of Spack's own, as JSON on the last line.
_SOURCES = """\
import json, os
import spack.environment, spack.fetch_strategy
found = []
for spec in spack.environment.active_environment().all_specs():
    if spec.external or spec.namespace != 'builtin' or not spec.package.has_code:
        continue
    fetcher = spack.fetch_strategy.for_package_version(spec.package)
    if getattr(fetcher, 'digest', None):
        found.append([os.path.basename(fetcher.url), fetcher.digest])
print(json.dumps(sorted(found)))
"""


def _root(environ: Mapping[str, str]) -> Path:
    named = environ.get("SPACK_ROOT")
    if named:
        root = Path(named).absolute()
        if not (root / "bin/spack").is_file():
            raise HostError(f"SPACK_ROOT names {root}, which has no bin/spack", hint="name a checkout of Spack")
        return root
    program = shutil.which("spack", path=environ.get("PATH", ""))
    if program is None:
        raise HostError(
            "there is no Spack here",
            hint="clone https://github.com/spack/spack.git and name the folder with SPACK_ROOT",
        )
    return Path(program).resolve().parent.parent


def _python(environ: Mapping[str, str]) -> tuple[Path, tuple[Path, ...]]:
    """Return the Python that Spack is to run in, and the folders outside /usr that it needs."""
    named = environ.get("SPACK_PYTHON") or shutil.which("python3", path=environ.get("PATH", "")) or "python3"
    code = (
        "import json, os, sys, clingo; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, "
        "os.path.dirname(os.path.dirname(os.path.realpath(sys.executable)))]))"
    )
    ended = process.run([named, "-s", "-c", code], env=_plain(environ), timeout_s=_LIMIT_S)
    if ended.status != 0:
        raise HostError(
            f"{named} has no module clingo, the solver that Spack would fetch from the network",
            hint="pip install clingo there, or name a Python that has it with SPACK_PYTHON",
        )
    executable, *prefixes = json.loads(ended.stdout)
    outside = [Path(path) for path in dict.fromkeys(prefixes) if not _of_the_os(path)]
    return Path(executable), tuple(outside)


def _of_the_os(path: str) -> bool:
    return path == "/usr" or (path.startswith("/usr/") and not path.startswith("/usr/local"))


def _commit(folder: Path) -> str:
    ended = process.run(["git", "-C", str(folder), "rev-parse", "HEAD"], timeout_s=_LIMIT_S)
    return ended.stdout.strip() if ended.status == 0 else ""


def _changed(folder: Path) -> bool:
    words = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"]
    return bool(process.run(words, timeout_s=_LIMIT_S).stdout.strip())


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    kept = ("HOME", "PATH", "SPACK_PYTHON", "SPACK_USER_CACHE_PATH", "LC_ALL")
    return {name: environ[name] for name in kept if name in environ} | {"SPACK_DISABLE_LOCAL_CONFIG": "1"}


def reason(said: Sequence[str]) -> str:
    """Return what Spack calls its error, with the first reasons where it lists some, else the last thing that it said.

    Of reasons that name a package alone, as there is one for each package in an environment, the first is given only
    when Spack knows no others.
    """
    for index, text in enumerate(said):
        if text.startswith("==> Error: "):
            error = text.removeprefix("==> Error: ").strip()
            listed = [found[1] for found in map(_NUMBERED.match, said[index + 1 :]) if found]
            if not error.endswith(":") or not listed:
                return error
            telling = [one for one in listed if not one.startswith(_TELLS_NOTHING)] or listed
            return " ".join([error, "; ".join(dict.fromkeys(one.rstrip(".") for one in telling[:_REASONS]))])
    return next((text.strip() for text in reversed(said) if text.strip()), "it said nothing")
