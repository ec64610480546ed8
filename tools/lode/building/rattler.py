"""The builder that embeds rattler-build: one process per node, inside the seal, at a fixed path.

Inside, the workspace is always `/lode/build`, so that what is built does not depend on where the cache lies. Without a
seal the workspace keeps its own path, and the record says so: such a build is not bit-identical elsewhere.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import re
import shutil
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lode import process
from lode.building import carried, enclosure, failure, instructions, naming, package, worker
from lode.building.artifact import Artifact, BuildRecord, Order
from lode.building.command import Command
from lode.building.seal import Bind, Seal
from lode.digest import Digest
from lode.errors import BuildError, Fault, HostError
from lode.rendering import script

ROOT = "/lode/build"
_LONGEST = 200  # bytes of an unsealed workspace's path: rattler-build pads prefixes to 255
_MODULES = ("lode", "rattler_build", "zstandard", "elftools")
_FOLLOW_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rattler:
    """Builds nodes with rattler-build; `keep` leaves the work folder of a finished build in its workspace."""

    seal: Seal
    keep: bool = False
    name: str = "rattler"

    def build(self, order: Order) -> Artifact:
        """Return the artifact, its package file below the workspace; BuildError if it cannot be built."""
        root = ROOT if self.seal.kind != "none" else str(order.workspace)
        if len(root) > _LONGEST:
            raise HostError(
                f"the folder {root} to build in has a path of more than {_LONGEST} characters",
                hint="set LODE_CACHE to a folder with a shorter path",
            )
        _lay_out(order, root, keep=self.keep, foreign=self.seal.foreign)
        started = datetime.datetime.now(datetime.UTC)
        with _following(order.workspace / "log", order.on_line):
            ended = enclosure.run(self.seal, _command(self.seal, order, root), cancel=order.cancel)
        _keep_log(order, ended, root)
        if ended.status != 0 or not (order.workspace / worker.RESULT).exists():
            raise _failed(order, ended)
        result = json.loads((order.workspace / worker.RESULT).read_bytes())
        if result["newer"]:
            raise _too_new(order, result["newer"])
        record = BuildRecord(
            seal=self.seal.kind,
            seal_reason=self.seal.reason,
            wall_s=round(ended.wall_s, 3),
            cpu_s=round(result["cpu_s"], 3),  # bubblewrap does not wait for its child: its own usage says nothing
            peak_memory_mb=result["peak_memory_mb"],
            size_bytes=result["size_bytes"],
            started=started.isoformat(timespec="seconds"),
            host=_host(),
            tools=_tools(),
        )
        return _artifact(order, result, record)


def _artifact(order: Order, result: Mapping[str, Any], record: BuildRecord) -> Artifact:
    return Artifact(
        package=order.node.package,
        version=order.node.version,
        target=order.target.name,
        node_hash=order.node.hashes[order.target.name],
        path=order.workspace / worker.PACKAGES / result["file"],
        sha256=Digest(result["sha256"]),
        inventory=Digest(result["inventory"]),
        record=record,
        index=result["index"],
    )


def _lay_out(order: Order, root: str, *, keep: bool, foreign: bool) -> None:
    """Write the script, the job and the channel of dependencies into the workspace."""
    node, target, workspace = order.node, order.target, order.workspace
    for name in ("source", "home", "tmp", "cache", "output", "recipe"):
        (workspace / name).mkdir(exist_ok=True)
    text = script.script(node, target, root=root, jobs=order.jobs)
    (workspace / "build.sh").write_text(text, encoding="utf-8")
    subdir = naming.platform(target.arch)
    job = {
        "recipe": instructions.recipe(node, target, order.nodes, root=root),
        "recipe_dir": f"{root}/recipe",
        "output": f"{root}/output",
        "channel": f"file://{root}/channel",
        "platform": subdir,
        "file": naming.file_name(node, target.name),
        "glibc": target.glibc,
        "libstdcxx": target.libstdcxx,
        "keep": keep,
        "certificates": carried.CERTIFICATES if foreign else None,
    }
    (workspace / worker.JOB).write_text(json.dumps(job, indent=1), encoding="utf-8")
    for name in (subdir, "noarch"):
        (workspace / "channel" / name).mkdir(parents=True)
    records = {}
    for artifact in order.dependencies:
        _link(artifact.path, workspace / "channel" / subdir / artifact.path.name)
        records[artifact.path.name] = (artifact.index, artifact.sha256, artifact.record.size_bytes)
    (workspace / "channel" / subdir / "repodata.json").write_bytes(package.repodata(subdir, records))
    (workspace / "channel" / "noarch" / "repodata.json").write_bytes(package.repodata("noarch", {}))


def _link(source: Path, destination: Path) -> None:
    try:
        destination.hardlink_to(source)
    except OSError:  # another file system, or one without hard links
        shutil.copyfile(source, destination)


def _command(seal: Seal, order: Order, root: str) -> Command:
    """Return the worker's command: this Python where the seal shows the host's system, a carried one elsewhere."""
    if seal.foreign:
        python = carried.carried(_MODULES, worker.__name__)
        argv, folders, binds, env = python.argv, python.folders, python.binds, dict(python.env)
    else:
        argv, env = (str(carried.program()),), {}
        folders = tuple(str(folder) for folder in carried.module_folders(_MODULES))
        binds = _python_binds()
    start = (
        f"import runpy, sys; sys.path[:0] = {list(folders)!r}; "
        f"sys.argv[0] = {worker.__name__!r}; runpy.run_module({worker.__name__!r}, run_name='__main__')"
    )
    env |= {
        "HOME": f"{root}/home",
        "USER": "lode",
        "LOGNAME": "lode",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": "/tmp" if seal.kind != "none" else f"{root}/tmp",  # noqa: S108 - the seal's own
        "RATTLER_CACHE_DIR": f"{root}/cache",
        "CONDA_OVERRIDE_GLIBC": order.target.glibc,
        "CONDA_OVERRIDE_LINUX": "5",
        "CONDA_OVERRIDE_ARCHSPEC": order.target.arch,
        "CONDA_OVERRIDE_CUDA": "",
    }
    asker = [] if seal.kind != "none" else [str(os.getpid())]  # ends the build with us where no seal does
    return Command(
        argv=(*argv, "-s", "-P", "-B", "-c", start, root, *asker),
        binds=(
            Bind(source=order.workspace, destination=root, writable=True),
            Bind(source=order.workspace / "channel", destination=f"{root}/channel"),  # hard links into the cache
            Bind(source=order.workspace / "tmp", destination="/tmp", writable=True),  # noqa: S108 - the seal's own
            *binds,
        ),
        env=env,
        cwd=root,
    )


def _python_binds() -> tuple[Bind, ...]:
    """Return what must be bound so that this Python runs inside the seal; what the OS brings is there already."""
    paths = [carried.program(), carried.stdlib(), *carried.module_folders(_MODULES)]
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        library = Path(sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME"))
        paths.append(library)
    return tuple(
        Bind(source=path, destination=str(path))
        for path in dict.fromkeys(paths)
        if not path.is_relative_to("/usr") or path.is_relative_to("/usr/local")
    )


@contextlib.contextmanager
def _following(log: Path, on_line: Callable[[str], None]) -> Iterator[None]:
    """Hand on the lines of a growing log while the block runs."""
    ended = threading.Event()

    def follow() -> None:
        position = 0
        rest = b""
        while True:
            last = ended.wait(_FOLLOW_S)
            if log.exists():
                with log.open("rb") as file:
                    file.seek(position)
                    lines = (rest + file.read()).split(b"\n")
                    position = file.tell()
                rest = lines.pop()
                for line in lines:
                    on_line(line.decode(errors="replace"))
            if last:
                return

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _keep_log(order: Order, ended: process.Completed, root: str) -> None:
    """Put the log, with what the worker itself said, where it outlives the workspace; long prefixes by their names."""
    order.log.parent.mkdir(parents=True, exist_ok=True)
    written = order.workspace / "log"
    content = written.read_bytes() if written.exists() else b""
    content += (ended.stdout + ended.stderr).encode(errors="surrogateescape")
    environment = re.escape(f"{root}/output/bld/").encode() + rb"rattler-build_[^/\s]+/"
    content = re.sub(environment + rb"host_env_placehold[a-z_]*", b"$PREFIX", content)
    order.log.write_bytes(re.sub(environment + b"build_env", b"$BUILD_PREFIX", content))


def _failed(order: Order, ended: process.Completed) -> BuildError:
    with order.log.open(encoding="utf-8", errors="replace") as log:
        found = failure.diagnose(log, killed=ended.status == 137)
    return BuildError.of([failure.fault(order, found)])  # type: ignore[return-value]


def _too_new(order: Order, newer: list[list[Any]]) -> BuildError:
    node, target = order.node, order.target
    faults = [
        Fault(
            message=f"{node.package} {node.version}: {file} needs {version} ({symbol} of {library}), newer than "
            f"{target.name} has (glibc {target.glibc}, libstdc++ {target.libstdcxx})",
            hint="build on the target itself, or state its real versions in containers/targets/",
        )
        for file, library, version, symbol in newer
    ]
    return BuildError.of(faults)  # type: ignore[return-value]


def _host() -> dict[str, str]:
    cpu = ""
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as file:
        cpu = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    glibc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    return {"kernel": platform.release(), "glibc": glibc.removeprefix("glibc "), "cpu": cpu}


def _tools() -> dict[str, str]:
    from importlib import metadata

    return {name: metadata.version(name) for name in ("py-rattler-build", "zstandard")}
