"""Containers of a Docker Engine as a seal, by the Docker SDK; podman's compatible socket answers the same way.

A container gets its binds, one fixed user, host name and environment, a read-only system, no capability and no network
but its own loopback. It is known by labels, so that what a killed run left behind is found and removed by the next.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from lode import process, scratch
from lode.building import roots
from lode.building.command import Command
from lode.building.seal import ETC, HOSTNAME, PATH, USER_ID, Bind, Seal
from lode.errors import HostError

if TYPE_CHECKING:
    import docker

OWNER, INVENTORY = "org.lode.owner", "org.lode.inventory"  # labels: of a container, of an image
_SHARED_MEMORY = 1 << 30  # /dev/shm; the engines' own default of 64 MB is less than what MPI programs ask for
_POLL_S = 0.1
_ANSWER_S = 60


@functools.cache
def client(address: str) -> docker.DockerClient:
    """Return the client of the engine at `address` (`unix:///var/run/docker.sock`), which has answered.

    HostError when none does.
    """
    import docker
    import requests

    try:
        found = docker.DockerClient(base_url=address, timeout=_ANSWER_S)
        found.ping()
        _sweep(found)
    except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
        raise HostError(
            f"no Docker Engine answers at {address}: {_cause(error)}",
            hint="start one (docker or `podman system service`), or name its socket in DOCKER_HOST",
        ) from error
    return found


def bring(address: str, name: str, root: Path, inventory: str) -> None:
    """Make the file system in the folder `root` the image `name`, unless the engine has it with this very inventory."""
    import docker

    engine = client(address)
    with contextlib.suppress(docker.errors.ImageNotFound):
        if engine.images.get(name).labels.get(INVENTORY) == inventory:
            return
    with _asking(address), tempfile.TemporaryFile() as file:
        roots.stream(root, file)
        file.seek(0)
        # the tag in the name, as the docker program has it: podman 4.3 does not read it elsewhere
        engine.api.import_image(src=file, repository=name, changes=[f"LABEL {INVENTORY}={inventory}"])
        if engine.images.get(name).labels.get(INVENTORY) != inventory:
            raise HostError(f"the engine at {address} did not take the image {name}")


def pull(address: str, reference: str, *, platform: str) -> None:
    """Make the engine have the image `reference` (`registry/name@sha256:…`); HostError when it cannot get it."""
    import docker
    import requests

    engine = client(address)
    with _asking(address), contextlib.suppress(docker.errors.ImageNotFound):
        engine.images.get(reference)
        return
    repository, _, digest = reference.partition("@")
    try:
        for said in engine.api.pull(_untagged(repository), tag=digest, platform=platform, stream=True, decode=True):
            if "error" in said:  # told on the way, after an answer that began well
                raise docker.errors.DockerException(said["error"])
        engine.images.get(reference)
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise HostError(
            f"the base image {reference} cannot be pulled here: {_cause(error)}",
            hint="this needs a network that reaches its registry; `docker load` an image of this digest otherwise",
        ) from error


@contextlib.contextmanager
def kept(address: str, image: str) -> Iterator[Any]:
    """Yield a container of `image` that waits, as root and with the host's network, to have commands run in it."""
    engine = client(address)
    with _asking(address):
        container = engine.containers.create(
            image, ["sleep", "86400"], entrypoint=[], user="0:0", network_mode="host", labels={OWNER: _owner()}
        )
        try:
            container.start()
            yield container
        finally:
            container.remove(force=True)


def inside(container: Any, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Return the exit status of a command in a container that waits, and all that it said."""
    status, said = container.exec_run(list(argv), environment=dict(env), stdin=False)
    return int(status), said.decode("utf-8", "replace")


def run(
    seal: Seal, command: Command, *, timeout_s: float | None = None, cancel: threading.Event | None = None
) -> process.Completed:
    """Return how `command` ended in a container of the seal's image, which is removed in any case.

    Cancelled once `cancel` is set; a timeout is told by `timed_out`. HostError when the engine fails.
    """
    started = time.monotonic()
    deadline = None if timeout_s is None else started + timeout_s
    engine = client(seal.engine)
    with _asking(seal.engine), _users(engine) as (user, etc), _owned(command.binds, user):
        container = engine.containers.create(seal.image, list(command.argv), **_settings(command, user, etc))
        try:
            container.start()
            timed_out = not _ended(container, deadline, cancel)
            if timed_out:
                container.kill()
            status = int(container.wait()["StatusCode"])
            out, err = (container.logs(stdout=which, stderr=not which) for which in (True, False))
        finally:
            container.remove(force=True)
    return process.Completed(
        argv=command.argv,
        status=status,
        stdout=out.decode(errors="surrogateescape"),
        stderr=err.decode(errors="surrogateescape"),
        timed_out=timed_out,
        wall_s=time.monotonic() - started,
        cpu_s=0.0,
        peak_memory_mb=0,
    )


def _settings(command: Command, user: str, etc: Path) -> dict[str, Any]:
    from docker.types import Mount

    bound = {bind.destination for bind in command.binds}
    system = [Bind(source=file, destination=f"/etc/{file.name}") for file in sorted(etc.iterdir())]
    binds = sorted([*system, *command.binds], key=lambda bind: PurePosixPath(bind.destination).parts)
    return {
        "entrypoint": [],
        "working_dir": command.cwd,
        "environment": {"PATH": PATH, **command.env},
        "hostname": HOSTNAME,
        "user": user,
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "shm_size": _SHARED_MEMORY,
        "tmpfs": {} if "/tmp" in bound else {"/tmp": "mode=1777,exec"},  # noqa: S108 - the container's own
        "mounts": [
            Mount(bind.destination, str(bind.source.resolve()), type="bind", read_only=not bind.writable)
            for bind in binds
        ],
        "labels": {OWNER: _owner()},
    }


def _ended(container: Any, deadline: float | None, cancel: threading.Event | None) -> bool:
    """Return True once the container has ended, False at the deadline; Cancelled when the event is set."""
    while True:
        container.reload()
        if container.status in ("exited", "dead"):
            return True
        if cancel is not None and cancel.is_set():
            raise process.Cancelled(container.id)
        if deadline is not None and time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)


@contextlib.contextmanager
def _users(engine: docker.DockerClient) -> Iterator[tuple[str, Path]]:
    """Yield who a container runs as, and a folder of files for its /etc in which that user is called `lode`.

    Root's containers run as the fixed user of every seal. Where only one's own user can write to one's folders it is
    that; in an engine without root, the user that it maps to one's own.
    """
    told = engine.info()  # Docker tells among its options that it has no root, podman in a field of its own
    rootless = told.get("Rootless") or any("rootless" in option for option in told.get("SecurityOptions") or ())
    own = 0 if rootless else os.geteuid()
    number = USER_ID if own == 0 and not rootless else str(own)
    if number == USER_ID:
        yield f"{USER_ID}:{USER_ID}", ETC
        return
    with scratch.folder("etc") as folder:
        for file in ETC.iterdir():
            lines = file.read_text(encoding="ascii").splitlines(keepends=True)
            if file.name in ("passwd", "group"):  # the first line of a number is the one that programs find
                lines = [line.replace(f":{USER_ID}", f":{number}") for line in lines if line.startswith("lode:")]
            (folder / file.name).write_text("".join(lines), encoding="ascii")
        folder.chmod(0o755)
        yield f"{number}:{number}", folder


@contextlib.contextmanager
def _owned(binds: Sequence[Bind], user: str) -> Iterator[None]:
    """Give what is bound writable to `user` as long as the block runs, when that is another than root's own process.

    What is bound read-only below it (hard links into the cache) keeps its owner.
    """
    number = int(user.partition(":")[0])
    if os.geteuid() != 0 or number == 0:
        yield
        return
    kept = {str(bind.source) for bind in binds if not bind.writable}
    sources = [bind.source for bind in binds if bind.writable]
    try:
        for source in sources:
            _give(source, number, kept)
        yield
    finally:
        for source in sources:
            _give(source, os.geteuid(), kept)


def _give(folder: Path, number: int, kept: set[str]) -> None:
    os.chown(folder, number, number)
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(parent, name) not in kept]
        for name in (*folders, *files):
            with contextlib.suppress(FileNotFoundError):
                os.lchown(os.path.join(parent, name), number, number)


def _owner() -> str:
    """Return what names this very process: its number and start (proc(5), field 22 of stat)."""
    return f"{os.getpid()}:{_start_of(os.getpid())}"


def _start_of(number: int) -> str:
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _sweep(engine: docker.DockerClient) -> None:
    """Remove the containers of processes that are no more."""
    for container in engine.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True):
        number, _, start = container.labels.get(OWNER, "").partition(":")
        if number.isdigit() and _start_of(int(number)) != start:
            with contextlib.suppress(Exception):  # somebody else removes it at the same time
                container.remove(force=True)


def _untagged(name: str) -> str:
    """Return an image's name without a tag: with a digest, no tag is asked for."""
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


@contextlib.contextmanager
def _asking(address: str) -> Iterator[None]:
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise HostError(
            f"the Docker Engine at {address} failed: {_cause(error)}", hint="look at the engine's log"
        ) from error


def _cause(error: BaseException) -> str:
    """Return the innermost words of what the SDK said, on one line."""
    text = getattr(error, "explanation", None) or str(error)
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
    return " ".join(str(text).split())
