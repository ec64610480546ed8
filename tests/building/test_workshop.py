from __future__ import annotations

import errno
import threading
from pathlib import Path

import pytest
from tests.building.factory import TARGET, artifact, graph, node

from lode.building.artifact import Artifact, Order
from lode.building.cache import Cache
from lode.building.history import History
from lode.building.schedule import Outcome
from lode.building.workshop import Watch, Workshop
from lode.definitions.recipe import Kind
from lode.errors import BuildError, HostError
from lode.locking.graph import Node
from lode.progress import Silent

NODES = graph(node("zlib"), node("hdf5", {"zlib": [Kind.LINK]}))


class Notes(Silent):
    """A watcher that remembers lines, steps and how far tasks are."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[str] = []
        self.ends: list[str] = []
        self.amount = 0.0

    def note(self, text: str) -> None:
        self.lines.append(text)

    def step(self, task: str, text: str) -> None:
        self.steps.append(f"{task}: {text}")

    def advance(self, task: str, amount: float) -> None:
        self.amount += amount

    def finish(self, task: str, outcome: str = "done") -> None:
        self.ends.append(f"{task}: {outcome}")


class Fake:
    """A builder that writes one file, or fails."""

    name = "fake"

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.broken = False

    def build(self, order: Order) -> Artifact:
        self.orders.append(order)
        assert (order.workspace / "source" / "README").read_text() == order.node.package
        order.on_line("==> compiling")
        if self.broken:
            raise BuildError("it is broken")
        return artifact(order.node, order.workspace / "packages")


class World:
    """A workshop on a fake builder, and what it told."""

    def __init__(self, root: Path, *, keep_work: bool = False) -> None:
        self.builder = Fake()
        self.notes = Notes()
        self.cache = Cache(root, note=self.notes.note)
        self.workshop = Workshop(
            nodes=NODES,
            target=TARGET,
            cache=self.cache,
            history=History(root / "times.jsonl"),
            builder=self.builder,
            stage=self.stage,
            again=lambda package: f"again {package}",
            keep_work=keep_work,
            progress=self.notes,
        )

    def stage(self, one: Node, folder: Path) -> None:
        folder.mkdir()
        (folder / "README").write_text(one.package)

    def make(self, package: str) -> Outcome:
        return self.workshop.make(package, 3, threading.Event())[1]


def test_a_node_is_built_once_with_its_dependencies(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert [world.make("zlib"), world.make("hdf5"), world.make("hdf5")] == [
        Outcome.BUILT,
        Outcome.BUILT,
        Outcome.CACHED,
    ]
    first, second = world.builder.orders
    assert first.dependencies == ()
    assert [one.package for one in second.dependencies] == ["zlib"]
    assert (second.jobs, second.again) == (3, "again hdf5")
    assert list((tmp_path / "work").iterdir()) == []
    assert History(tmp_path / "times.jsonl").times().keys() == {(TARGET.name, "zlib"), (TARGET.name, "hdf5")}
    assert world.notes.ends == ["zlib: done", "hdf5: done"]
    assert "zlib: compiling" in world.notes.steps


def test_a_damaged_dependency_is_built_again(tmp_path: Path) -> None:
    first = World(tmp_path)
    first.make("zlib")
    kept = first.cache.get(NODES["zlib"].hashes[TARGET.name])
    assert kept is not None
    kept.path.write_bytes(b"ZLIB")
    second = World(tmp_path)
    assert second.make("hdf5") is Outcome.BUILT
    assert [order.node.package for order in second.builder.orders] == ["zlib", "hdf5"]
    assert second.notes.lines == [f"the cached zlib 1.0 is damaged ({kept.path}): built again"]


def test_a_failed_build_leaves_nothing_but_its_message(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.builder.broken = True
    with pytest.raises(BuildError, match="it is broken"):
        world.make("zlib")
    assert list((tmp_path / "work").iterdir()) == []
    assert world.cache.get(NODES["zlib"].hashes[TARGET.name]) is None
    assert world.notes.ends == ["zlib: failed"]


def test_a_kept_work_folder_survives_until_the_node_is_built_again(tmp_path: Path) -> None:
    world = World(tmp_path, keep_work=True)
    world.builder.broken = True
    with pytest.raises(BuildError):
        world.make("zlib")
    (folder,) = (tmp_path / "work").iterdir()
    assert world.notes.lines == [f"zlib: its work folder is kept: {folder}"]
    World(tmp_path).workshop.sweep()
    assert folder.is_dir()
    assert World(tmp_path).make("zlib") is Outcome.BUILT
    assert not folder.exists()


def test_workspaces_of_killed_builds_are_swept_but_not_those_in_use(tmp_path: Path) -> None:
    world = World(tmp_path)
    dead, alive = (tmp_path / "work" / f"{name}-{NODES[name].hashes[TARGET.name]}" for name in ("zlib", "hdf5"))
    for folder in (dead / "source", alive, tmp_path / "work" / "mine"):
        folder.mkdir(parents=True)
    (dead / "source").chmod(0o500)
    with world.cache.building(NODES["hdf5"].hashes[TARGET.name], "hdf5"):
        world.workshop.sweep()
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == sorted([alive.name, "mine"])


def test_a_disk_that_fills_up_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)

    def full(one: Node, folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    world.workshop._stage = full
    with pytest.raises(HostError) as caught:
        world.make("zlib")
    assert str(caught.value) == (
        f"the disk of the cache {tmp_path} is full\n  hint: free space, or set LODE_CACHE to a larger disk"
    )
    assert list((tmp_path / "work").iterdir()) == []


def test_steps_and_percentages_are_read_from_the_log() -> None:
    notes = Notes()
    watch = Watch(notes, "hdf5")
    for line in ["==> configuring", "[  1%] Building C", "[ 43%] Built", "[ 20%] Late", "[100%] All", "[3/4] x"]:
        watch.line(line)
    assert notes.steps == ["hdf5: configuring"]
    assert notes.amount == 100
    watch = Watch(notes, "ninja")
    for line in ["[1/8] cc", "[4/8] cc", "[0/0] nothing", "[9/8] more"]:
        watch.line(line)
    assert notes.amount == 150
