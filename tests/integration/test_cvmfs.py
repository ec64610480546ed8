"""A repository made by the command, served by nginx, read from the public key on; and writers that are killed."""

from __future__ import annotations

import datetime
import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, MTIME, NOW, Ground, plant, seal, source
from tests.testing.factory import TARGET, lock, whole

from lode.cli import main
from lode.errors import LodeError, PublicationError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import Silent
from lode.publishing.cvmfs import check, gc, resign, revisions
from lode.publishing.cvmfs.storage import Folder

pytestmark = pytest.mark.integration

NAME = "lode.example.org"
KILLS = int(os.environ.get("LODE_KILL_POINTS", "40"))  # read now: a test's own environment is empty
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[[Path, str], str]]:
    """Return what serves a folder with nginx on the loopback interface and gives its URL."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    started: list[subprocess.Popen[bytes]] = []

    def serve(folder: Path, name: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = tmp_path / "nginx"
        home.mkdir()
        configuration = home / "nginx.conf"
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration.write_text(
            f"{user}daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n"
            "events { worker_connections 64; }\n"
            f"http {{ access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/proxy;\n"
            f"fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;\n"
            f"server {{ listen 127.0.0.1:{port}; location /cvmfs/{name}/ {{ alias {folder}/; }} }} }}\n"
        )
        process = subprocess.Popen([NGINX, "-p", str(home), "-c", str(configuration)], stderr=subprocess.DEVNULL)
        started.append(process)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}/cvmfs/{name}"
            assert process.poll() is None, (home / "error.log").read_text()
            time.sleep(0.05)
        raise AssertionError("nginx does not answer")

    yield serve
    for process in started:
        process.terminate()
        process.wait(timeout=20)


def fetcher(url: str) -> reader.Fetch:
    def fetch(path: str) -> bytes:
        try:
            with urllib.request.urlopen(f"{url}/{path}", timeout=20) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise reader.Broken(f"{path}: {error.code}") from error

    return fetch


def prefix(root: Path) -> Path:
    """Make a prefix with its record, lock and inventory."""
    made = whole(lock())
    plant(root, {"bin/tool": b"#!/bin/sh\n", "lib/l.so": "l.so.1", "lib/l.so.1": os.urandom(99_999)}, extra=50)
    (root / prefixes.LOCK).write_bytes(lockfile.dump(made))
    (root / prefixes.RECORD).write_bytes(prefixes.record(made, TARGET, None, made.final_path(TARGET), ()))
    seal(root)
    return root


def call(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    capsys.readouterr()
    assert main.run(["cvmfs", *arguments, "--json", "-q"]) == status
    return json.loads(capsys.readouterr().out)


def test_repository_goes_from_init_to_a_client_over_http(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    web: Callable[[Path, str], str],
) -> None:
    home = tmp_path / "collection"
    home.mkdir()
    (home / "collection.yaml").write_text('name: own\nversion: "1"\n')
    monkeypatch.chdir(home)
    made = call(capsys, "init", NAME)
    definition = home / "cvmfs" / "repositories" / f"{NAME}.yaml"
    assert made["definition"] == str(definition)
    definition.write_text(definition.read_text() + "nesting: {split: 100}\nchunk_bytes: 65536\n")
    tree = prefix(tmp_path / "tree")
    mount = lock().final_path(TARGET).removeprefix(f"/cvmfs/{NAME}")
    mtime = int(datetime.datetime.fromisoformat(lock().date).replace(tzinfo=datetime.UTC).timestamp())
    page = tmp_path / "pages" / "plan.html"
    page.parent.mkdir()
    planned = call(capsys, "plan", NAME, str(tree), "--html", str(page))
    assert mount in page.read_text()
    assert planned["trees"][0]["present"] is False
    assert planned["trees"][0]["catalogs"] == [[mount, 69]]
    published = call(capsys, "publish", NAME, str(tree), "--tag", "first")
    assert (published["revision"], published["changed"]) == (2, [mount])
    assert call(capsys, "publish", NAME, str(tree))["new"] is False

    public = Path(made["public_key"]).read_bytes()
    fetch = fetcher(web(Path(made["place"]), NAME))
    mounted = reader.mount(fetch, public, NAME, now=now())
    assert reader.compare(mounted, mount, tree, mtime=mtime) == 67
    assert fetch(".cvmfs_master_replica") == b""

    (tree / "bin/tool").write_bytes(b"#!/bin/bash\n")
    seal(tree)
    planned = call(capsys, "plan", NAME, str(tree))["trees"][0]
    assert (planned["changed"]["entries"], planned["new"]["entries"]) == (2, 2)
    assert call(capsys, "publish", NAME, str(tree))["revision"] == 3
    changes = call(capsys, "diff", NAME, status=1)
    assert [change["path"] for change in changes] == [f"{mount}/.lode/inventory.jsonl", f"{mount}/bin/tool"]
    assert call(capsys, "rollback", NAME, "first")["revision"] == 4
    assert {tag["name"] for tag in call(capsys, "tag", NAME)} == {"first", "trunk", "trunk-previous"}
    assert call(capsys, "gc", NAME)["revisions"] == [4, 3, 2, 1]
    assert call(capsys, "resign", NAME)["expires"]
    assert call(capsys, "check", NAME)["faults"] == []
    reader.mount(fetch, public, NAME, now=now())

    written = call(capsys, "client-config", NAME, "-o", str(tmp_path / "etc"), "--server", "https://s1.example.org")
    assert [str(Path(path).relative_to(tmp_path)) for path in written["files"]] == [
        f"etc/config.d/{NAME}.conf",
        f"etc/keys/{NAME}/{NAME}.pub",
    ]
    call(capsys, "rotate", NAME)
    (tree / "bin/tool").write_bytes(b"#!/bin/ksh\n")
    seal(tree)
    assert call(capsys, "publish", NAME, str(tree))["revision"] == 5
    assert call(capsys, "resign", NAME)["expires"]
    reader.mount(fetch, public, NAME, now=now())
    (bundle,) = call(capsys, "bundle", NAME, str(tree), "-o", str(tmp_path / "out"))
    assert (Path(bundle["file"]).name, bundle["signed"]) == (mount[1:].replace("/", "-") + ".cvmfs.tar", False)
    next(Path(made["place"]).glob("data/??/*P")).unlink()
    assert "is missing" in call(capsys, "check", NAME, status=9)["faults"][0]


def test_serve_answers_with_the_repository_only(ground: Ground, tmp_path: Path) -> None:
    ground.publish(source(plant(tmp_path / "tree", {"a": b"1"})))
    code = (
        "import sys; from pathlib import Path; from lode.publishing.cvmfs.serve import server\n"
        "with server(Path(sys.argv[1]), sys.argv[2], port=0) as s:\n"
        "    print(s.server_address[1], flush=True); s.serve_forever()\n"
    )
    argv = [sys.executable, "-c", code, str(ground.folder), FQRN]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/cvmfs/{FQRN}"
            reader.mount(fetcher(url), ground.public, FQRN, now=NOW)
            for path in ("data", "data/", "../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd"):
                with pytest.raises(reader.Broken, match="404"):
                    fetcher(url)(path)
        finally:
            process.kill()


@pytest.fixture
def ground(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return Ground(tmp_path / "ground", tmp_path_factory.mktemp("keys") / "keys").create()


def in_child(work: Callable[[], object]) -> tuple[int, int]:
    """Begin `work` in a process of its own; return it, and where its first byte says that it has begun."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"b")
            work()
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    assert os.read(reading, 1) == b"b"
    return child, reading


def killed(work: Callable[[], object], after_s: float) -> bool:
    """Run `work` in a process of its own and kill it after a while; return whether it had not ended yet."""
    child, reading = in_child(work)
    time.sleep(after_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


def lasting(work: Callable[[], object]) -> float:
    """Return how long `work` takes in a process of its own."""
    started = time.monotonic()
    child, reading = in_child(work)
    assert os.waitpid(child, 0)[1] == 0
    os.close(reading)
    return time.monotonic() - started


def resigned(ground: Ground) -> object:
    text = resign.request(ground.stratum(), ground.key.certificate, now=NOW)
    return resign.install(ground.stratum(), resign.sign(text, ground.master), now=NOW)


def test_kill_at_any_moment_leaves_a_whole_repository(ground: Ground, tmp_path: Path) -> None:
    """At a moment drawn from the time that the command takes; LODE_KILL_POINTS says how often, 40 times if nothing."""
    trees = [plant(tmp_path / str(n), {"a": b"%d" % n, "b": os.urandom(300_000)}, extra=100 + n) for n in range(3)]
    ground.publish(source(trees[0]), tags={"old": ""})
    ground.publish(source(trees[1]))
    turn = itertools.count()

    def published() -> object:
        ground.cache_file.unlink(missing_ok=True)  # so that all is read and compressed
        return ground.publish(source(trees[next(turn) % 3]))

    works: list[Callable[[], object]] = [
        published,
        published,
        lambda: revisions.rollback(ground.stratum(), ground.key, "old", now=NOW),
        lambda: gc.collect(ground.stratum(), now=NOW + datetime.timedelta(days=60), dry_run=False, progress=Silent()),
        lambda: revisions.tag(ground.stratum(), ground.key, "named", "", now=NOW, force=True),
        lambda: resigned(ground),
    ]
    lasted = [lasting(work) for work in works]
    dice = random.Random(5)
    interrupted = 0
    for number in range(KILLS):
        next(turn)  # the child's own does not count here
        at = dice.randrange(len(works))
        interrupted += killed(works[at], dice.uniform(0, lasted[at]))
        found = check.check(ground.stratum(), now=NOW, jobs=1, progress=Silent())
        assert found.faults == (), f"kill {number}"
    assert interrupted > KILLS // 4, "too many ended before they were killed"
    ground.publish(source(trees[2]))
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, trees[2], mtime=MTIME)


class Held(Folder):
    """A folder whose writer stops before the last step until a file appears, so that another process can come."""

    def __init__(self, root: Path, gate: Path) -> None:
        super().__init__(root)
        self.gate = gate

    def flush(self) -> None:
        self.gate.with_suffix(".reached").touch()
        while not self.gate.exists():
            time.sleep(0.01)
        super().flush()


def held_publish(ground: Ground, root: Path, gate: Path) -> tuple[int, Path]:
    """Begin to publish in a process of its own that waits at `gate`; return it, and the file that tells how it went."""
    told = gate.with_suffix(".told")

    def work() -> None:
        try:
            made = ground.publish(source(root), storage=Held(ground.folder, gate))
            told.write_text(f"revision {made.revision}")
        except LodeError as error:
            told.write_text(str(error))

    child, reading = in_child(work)
    os.close(reading)
    while not gate.with_suffix(".reached").exists():
        time.sleep(0.01)
    return child, told


def test_second_process_is_turned_away_and_goes_on_from_what_the_first_made(ground: Ground, tmp_path: Path) -> None:
    first, second = plant(tmp_path / "1", {"a": b"1"}), plant(tmp_path / "2", {"b": b"2"})
    gate = tmp_path / "gate"
    child, told = held_publish(ground, first, gate)
    other = MOUNT.replace("2026.11", "2026.12")
    with pytest.raises(PublicationError) as error:
        ground.publish(source(second, other))
    assert str(error.value) == (
        f"another command is writing to the repository in {ground.folder}\n  hint: call again when it has ended"
    )
    gate.touch()
    assert os.waitpid(child, 0)[1] == 0
    assert told.read_text() == "revision 2"
    assert ground.publish(source(second, other)).revision == 3
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, first, mtime=MTIME)
    reader.compare(mounted, other, second, mtime=MTIME)


def test_process_that_lost_the_race_refuses_and_goes_on_when_called_again(ground: Ground, tmp_path: Path) -> None:
    """As on a file system where locks do not hold between machines."""
    first, second = plant(tmp_path / "1", {"a": b"1"}), plant(tmp_path / "2", {"b": b"2"})
    gate = tmp_path / "gate"
    child, told = held_publish(ground, first, gate)
    (ground.folder / "data/txn/writer.lock").unlink()
    other = MOUNT.replace("2026.11", "2026.12")
    assert ground.publish(source(second, other)).revision == 2
    gate.touch()
    assert os.waitpid(child, 0)[1] == 0
    assert told.read_text() == (
        "another publisher has put a revision in between\n  hint: call again: it goes on from there"
    )
    assert ground.publish(source(first)).revision == 3
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    reader.compare(mounted, MOUNT, first, mtime=MTIME)
    reader.compare(mounted, other, second, mtime=MTIME)
    assert check.check(ground.stratum(), now=NOW, jobs=1, progress=Silent()).faults == ()
