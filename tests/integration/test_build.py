"""`lode build` on real compilers: same bytes everywhere, cached, resumable, clear when it fails."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.building import HERE, READER, READER_C, TARGET, WAVE, WAVE_C, Collection, collection

from lode.building import seal

__all__ = ["collection"]  # a fixture

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not os.access("/usr/bin/gcc", os.X_OK), reason="no compiler"),
]
needs_seal = pytest.mark.skipif(seal.best().kind == "none", reason=f"no seal: {seal.best().reason}")


def logs(collection: Collection) -> str:
    return "".join(path.read_text() for path in sorted((collection.home / "cache/logs").glob("*.log")))


def until(found: object, path: Path, text: str) -> None:
    """Wait until some file below `path` holds `text`."""
    for _ in range(600):
        if any(text in file.read_text(errors="replace") for file in path.glob("*/log")):
            return
        time.sleep(0.05)
    raise AssertionError(f"{text!r} did not appear below {path}")


@needs_seal
def test_other_folders_jobs_and_times_give_the_same_packages(collection: Collection, tmp_path: Path) -> None:
    collection.waves()
    first = collection.build("-j", "1")
    second = collection.build("-j", "4", LODE_CACHE=str(tmp_path / "a much deeper" / "folder" / "cache"))
    assert first["seal"] == second["seal"] == "bubblewrap"
    for package in ("wave", "reader"):
        one, two = first["nodes"][package], second["nodes"][package]
        assert one["outcome"] == two["outcome"] == "built"
        assert one["file"] != two["file"]
        assert (one["sha256"], one["inventory"]) == (two["sha256"], two["inventory"])
    assert "42" in logs(collection).splitlines()  # the reader ran, with the library of the other node
    assert "host_env_placehold" not in logs(collection)


def test_a_second_build_takes_all_from_the_cache(collection: Collection) -> None:
    collection.waves()
    collection.build()
    ended = collection.lode("build", "tiny")
    assert ended.returncode == 0
    assert ended.stdout == f"tiny@1 on {TARGET}: 0 built in 0 s, 2 were there\n"
    assert ended.stderr == ""
    assert {node["outcome"] for node in collection.build()["nodes"].values()} == {"cached"}


def test_only_builds_a_package_and_what_it_needs(collection: Collection) -> None:
    collection.waves()
    assert list(collection.build("--only", "wave")["nodes"]) == ["wave"]
    ended = collection.lode("build", "tiny", "--only", "waves")
    assert ended.returncode == 2
    assert ended.stderr == f"tiny@1 has no package waves on {TARGET}\n  hint: did you mean 'wave'?\n"


def test_a_failure_says_what_and_why_and_how_to_repeat_it(collection: Collection) -> None:
    collection.recipe("wave", WAVE, files={"wave.c": "#include <zmq.h>\n" + WAVE_C})
    collection.recipe("reader", READER, link="wave", files={"reader.c": READER_C})
    collection.recipe("other", 'mkdir "$PREFIX/share"; date >"$PREFIX/share/other"')
    collection.lock("reader", "other")
    ended = collection.lode("build", "tiny", "--quiet", "-k", "--keep-work")
    assert ended.returncode == 7
    (log,) = (collection.home / "cache/logs").glob("wave-*.log")
    error = "wave.c:1:10: fatal error: zmq.h: No such file or directory"
    assert ended.stderr == (
        f"wave 1.0 did not build on {TARGET}: {error}\n"
        "  hint: a header is missing: add the package that brings it to `dependencies: link` (header)\n"
        f"  log: {log}:{log.read_text().splitlines().index(error) + 1}\n"
        f"  again: lode build tiny@1 --target {TARGET} --only wave --keep-work\n"
        "warning: not built after that: reader\n"
    )
    (kept,) = (collection.home / "cache/work").glob("wave-*")
    assert (kept / "source" / "wave.c").is_file()
    assert (kept / "build.sh").is_file()
    collection.recipe("wave", WAVE, files={"wave.c": WAVE_C})
    collection.lock("reader", "other")
    assert {name: node["outcome"] for name, node in collection.build()["nodes"].items()} == {
        "other": "cached",
        "wave": "built",
        "reader": "built",
    }


def test_linking_to_what_is_not_declared_is_refused(collection: Collection) -> None:
    script = (
        '$CC -shared -o libleak.so leak.c -Wl,--no-as-needed -lcrypt\nmkdir "$PREFIX/lib"; cp libleak.so "$PREFIX/lib/"'
    )
    collection.recipe("leak", script, files={"leak.c": "int leak;\n"})
    collection.lock("leak")
    ended = collection.lode("build", "tiny", "--quiet")
    assert ended.returncode == 7
    first, hint = ended.stderr.splitlines()[:2]
    assert first == (
        f"leak 1.0 did not build on {TARGET}: error: linking check error: "
        'Overlinking against: libcrypt.so.1 (file: "lib/libleak.so")'
    )
    assert hint.endswith("or a library of the OS to `system_libraries` (overlinking)")


def test_a_symbol_newer_than_the_target_is_refused(collection: Collection) -> None:
    collection.target(glibc="2.17")
    collection.waves()
    ended = collection.lode("build", "tiny", "--quiet", "--only", "reader")
    assert ended.returncode == 7
    assert ended.stderr == (
        f"reader 1.0: bin/reader needs GLIBC_2.34 (__libc_start_main of libc.so.6), newer than {TARGET} has "
        "(glibc 2.17, libstdc++ 3.4.99)\n"
        "  hint: build on the target itself, or state its real versions in containers/targets/\n"
    )


def test_another_compiler_than_the_targets_is_refused(collection: Collection) -> None:
    collection.target(gcc="4.8.5")
    collection.waves()
    ended = collection.lode("build", "tiny", "--quiet")
    assert ended.returncode == 10
    assert ended.stderr == (
        f"compiler: /usr/bin/gcc is {HERE['gcc']}, not 4.8.5\n  hint: {TARGET} is locked to gcc 4.8.5\n"
    )
    assert not (collection.home / "cache" / "work").exists()


def test_a_killed_build_loses_only_what_was_under_way(collection: Collection) -> None:
    collection.recipe("wave", WAVE, files={"wave.c": WAVE_C})
    collection.recipe("slow", 'echo started; while ! [ -e go ]; do sleep 0.1; done; mkdir "$PREFIX/x"', link="wave")
    collection.lock("slow")
    with subprocess.Popen(
        collection.command("build", "tiny"),
        env=collection.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as running:
        until(running, collection.home / "cache/work", "started")
        running.send_signal(signal.SIGKILL)
        running.communicate()
    assert [path.name.partition("-")[0] for path in (collection.home / "cache/work").iterdir()] == ["slow"]
    for _ in range(100):  # bubblewrap dies with its parent, and all inside with it
        if not _processes(collection.home):
            break
        time.sleep(0.1)
    collection.recipe("quick", 'mkdir -p "$PREFIX/x"; echo >"$PREFIX/x/y"', link="wave")
    collection.lock("quick")
    assert {name: node["outcome"] for name, node in collection.build()["nodes"].items()} == {
        "wave": "cached",
        "quick": "built",
    }
    assert list((collection.home / "cache/work").iterdir()) == []


@pytest.mark.parametrize(
    ("number", "status", "message"), [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "")]
)
def test_an_interruption_stops_the_builds(collection: Collection, number: int, status: int, message: str) -> None:
    collection.recipe("slow", "echo started; sleep 600")
    collection.lock("slow")
    with subprocess.Popen(
        collection.command("build", "tiny", "--quiet"),
        env=collection.environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as running:
        until(running, collection.home / "cache/work", "started")
        running.send_signal(number)
        _, errors = running.communicate(timeout=30)
    assert running.returncode == status
    assert errors == message
    assert list((collection.home / "cache/work").iterdir()) == []
    assert _processes(collection.home) == []


def test_two_builds_at_once_build_each_node_once(collection: Collection) -> None:
    collection.recipe("slow", 'sleep 1; mkdir "$PREFIX/x"; echo 1 >"$PREFIX/x/y"')
    collection.lock("slow")
    running = [
        subprocess.Popen(
            collection.command("build", "tiny", "--json"),
            env=collection.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0, 0], ended
    outcomes = sorted(json.loads(out)["nodes"][0]["outcome"] for out, _ in ended)
    assert outcomes == ["built", "cached"]
    assert len((collection.home / "cache/times.jsonl").read_text().splitlines()) == 1


def test_a_damaged_package_is_built_again_when_it_is_needed(collection: Collection) -> None:
    collection.waves()
    wave = Path(collection.build("--only", "wave")["nodes"]["wave"]["file"])
    content = wave.read_bytes()
    wave.write_bytes(b"X" + content[1:])
    ended = collection.lode("build", "tiny")
    assert ended.returncode == 0
    assert f"the cached wave 1.0 is damaged ({wave}): built again" in ended.stderr
    assert wave.read_bytes() == content


@needs_seal
def test_a_read_only_cache_is_said_clearly(collection: Collection) -> None:
    collection.waves()
    cache = collection.home / "cache"
    cache.mkdir(parents=True)
    argv = seal.viewed(
        seal.best(),
        collection.command("build", "tiny", "--quiet"),
        binds=[seal.Bind(source=cache, destination=str(cache))],
        env=collection.environment(),
    )
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.returncode == 10
    assert ended.stderr == (
        f"the cache {cache} cannot be written to: Read-only file system\n"
        "  hint: set LODE_CACHE to a folder of your own\n"
        "warning: not built after that: reader\n"
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Yield a file system of its own, of 3 GiB, none of it used."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3g", "tmpfs", folder], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"a disk cannot be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def resize(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def test_a_disk_that_fills_up_in_a_build_is_said_and_a_larger_one_is_enough(collection: Collection, disk: Path) -> None:
    wait = 'echo started; while ! [ -e "$SRC_DIR/go" ]; do sleep 0.1; done\n'
    collection.recipe("wave", WAVE, files={"wave.c": WAVE_C})
    collection.recipe("large", f'{wait}mkdir "$PREFIX/x"\nhead -c 64M /dev/zero >"$PREFIX/x/y"', link="wave")
    collection.lock("large")
    cache = disk / "cache"
    with subprocess.Popen(
        collection.command("build", "tiny", "--quiet"),
        env=collection.environment(LODE_CACHE=str(cache)),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as running:
        until(running, cache / "work", "started")
        resize(disk, "32m")
        (source,) = (cache / "work").glob("large-*/source")
        (source / "go").touch()
        _, errors = running.communicate(timeout=120)
    assert (running.returncode, errors) == (
        10, f"the disk of the cache {cache} is full\n  hint: free space, or set LODE_CACHE to a larger disk\n"
    )  # fmt: skip
    assert list((cache / "work").iterdir()) == []
    resize(disk, "3g")
    collection.recipe("large", 'mkdir "$PREFIX/x"\nhead -c 64M /dev/zero >"$PREFIX/x/y"', link="wave")
    collection.lock("large")
    again = collection.build(LODE_CACHE=str(cache))
    assert {name: node["outcome"] for name, node in again["nodes"].items()} == {"wave": "cached", "large": "built"}


def test_a_disk_too_small_for_any_build_is_said_before_one_begins(collection: Collection, disk: Path) -> None:
    collection.waves()
    resize(disk, "16m")
    ended = collection.lode("build", "tiny", "--quiet", LODE_CACHE=str(disk / "cache"))
    assert (ended.returncode, ended.stderr) == (
        10,
        f"disk: 0.0 GB free for {disk}\n  hint: 2 GB are needed; LODE_CACHE puts the cache elsewhere\n",
    )
    assert not (disk / "cache" / "work").exists()


def test_without_bubblewrap_a_build_works_and_says_that_it_was_not_sealed(
    collection: Collection, tmp_path: Path
) -> None:
    collection.waves()
    ended = collection.lode("build", "tiny", PATH=without_bubblewrap(tmp_path / "programs"))
    assert ended.returncode == 0, ended.stderr
    assert "warning: builds are not sealed: bubblewrap (bwrap) is not installed" in ended.stderr
    assert {node["seal"] for node in collection.build()["nodes"].values()} == {"none"}


def without_bubblewrap(folder: Path) -> str:
    """Return a PATH of programs that a build asks for, bubblewrap not among them."""
    folder.mkdir()
    for name in ("dpkg-query", "rpm"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize(
    ("number", "status", "message"),
    [(signal.SIGKILL, -9, ""), (signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "")],
)
def test_no_program_of_an_unsealed_build_outlives_lode(
    collection: Collection, tmp_path: Path, number: int, status: int, message: str
) -> None:
    stubborn = "trap '' TERM INT; echo started; while :; do sleep 1; done"
    daemon = 'setsid tail -f "$SRC_DIR/README" & sleep 0.1'
    collection.recipe("slow", f"{daemon}\n({stubborn})")
    collection.lock("slow")
    with subprocess.Popen(
        collection.command("build", "tiny", "--quiet"),
        env=collection.environment(PATH=without_bubblewrap(tmp_path / "programs")),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as running:
        until(running, collection.home / "cache/work", "started")
        while not any("tail" in line for line in _processes(collection.home)):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(number)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == status
    assert errors == message
    for _ in range(600):
        if not _processes(collection.home):
            break
        time.sleep(0.05)
    assert _processes(collection.home) == []


def _processes(home: Path) -> list[str]:
    """Return the command lines of running programs that name the home folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in text:
            found.append(text)
    return found
