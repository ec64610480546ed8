"""Images of a release, unpacked beside its trees in a CVMFS repository, read back from the public key on."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.oci import ground
from tests.testing.factory import TARGET
from tests.workflow.released import LOCK, release

from lode import inventory
from lode.config import Places, places
from lode.definitions.catalogue import Catalogue
from lode.errors import UsageError
from lode.installing import prefix as prefixes
from lode.progress import Silent
from lode.publishing.cvmfs import plan
from lode.publishing.cvmfs.publish import Publication
from lode.publishing.oci import unpack
from lode.publishing.oci.layout import Layout
from lode.workflow import cvmfs, unpacked

NOW = datetime.datetime(2026, 11, 25, 12, 30, tzinfo=datetime.UTC)
NAME = "lode.example.org"
TREE = LOCK.final_path(TARGET).removeprefix(f"/cvmfs/{NAME}")
IMAGE = f"{TREE}.image"


class Notes(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)


class Site:
    """An account whose collection defines the repository."""

    def __init__(self, folder: Path, *, images: bool = True) -> None:
        self.home: Places = places({"LODE_HOME": str(folder / "home")})
        self.served = folder / "home" / "cvmfs" / NAME
        collection = folder / "collection"
        (collection / "cvmfs" / "repositories").mkdir(parents=True)
        (collection / "collection.yaml").write_text('name: own\nversion: "1"\n')
        wish = "images: true\n" if images else ""
        (collection / "cvmfs" / "repositories" / f"{NAME}.yaml").write_text(f"name: {NAME}\n{wish}")
        self.catalogue = Catalogue.open((collection,), here=collection)
        self.progress = Notes()

    def publish(self, roots: Sequence[Path]) -> Publication:
        return cvmfs.publish_release(
            self.catalogue, roots, places=self.home, now=NOW, jobs=2, progress=self.progress
        ).publication

    def mount(self) -> reader.Mounted:
        public = (self.home.keys / "cvmfs" / NAME / f"{NAME}.pub").read_bytes()
        return reader.mount(lambda path: (self.served / path).read_bytes(), public, NAME, now=NOW)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_release_is_published_with_its_image_as_it_is_unpacked(site: Site, tmp_path: Path) -> None:
    folder = release(tmp_path / "release")
    done = site.publish([folder / TARGET / "prefix"])
    assert (done.changed, done.unchanged) == ((TREE, IMAGE), ())
    (image,) = unpacked.images([folder / TARGET / "prefix"], NAME)
    root = tmp_path / "root"
    unpack.unpack(Layout(image.layout), image.manifest, root, progress=Silent())
    (root / prefixes.INVENTORY).parent.mkdir()  # as the published one has it, for its inventory
    mounted = site.mount()
    listed = mounted.nodes[f"{IMAGE}/{prefixes.INVENTORY}".encode()].content
    assert listed is not None
    (tmp_path / "inventory").write_bytes(listed())
    assert list(inventory.compare(inventory.scan(root), inventory.read(tmp_path / "inventory"))) == []
    assert f"{IMAGE}{LOCK.final_path(TARGET)}/bin/nest".encode() in mounted.nodes


def test_image_that_is_published_is_not_unpacked_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = release(tmp_path / "release") / TARGET / "prefix"
    first = site.publish([root])
    with monkeypatch.context() as patch:
        patch.setattr(unpack, "unpack", None)
        again = site.publish([root])
    assert (again.new, again.root, again.unchanged) == (False, first.root, (TREE, IMAGE))
    (site.home.cache / "cvmfs" / NAME / "contents.sqlite").unlink()  # what is remembered may be lost
    assert site.publish([root]).root == first.root


def test_nothing_of_an_unpacked_image_is_left_on_the_disk(site: Site, tmp_path: Path) -> None:
    site.publish([release(tmp_path / "release") / TARGET / "prefix"])
    assert [path.name for path in (site.home.cache / "cvmfs" / NAME).iterdir()] == ["contents.sqlite"]


def test_repository_that_takes_no_images_gets_none(tmp_path: Path) -> None:
    root = release(tmp_path / "release") / TARGET / "prefix"
    assert Site(tmp_path, images=False).publish([root]).changed == (TREE,)


def test_script_names_the_image_that_lies_beside(site: Site, tmp_path: Path) -> None:
    site.publish([release(tmp_path / "release") / TARGET / "prefix"])
    mounted = site.mount()
    above = TREE.rpartition("/")[0]
    script = mounted.nodes[f"{above}/setup.sh".encode()].content
    assert script is not None
    text = script().decode()
    assert f"{TARGET}: apptainer exec --bind /cvmfs /cvmfs/{NAME}{IMAGE} sh -c" in text
    assert f"    {TARGET})" in text  # no tree is made for a host called `….image`
    assert mounted.nodes[f"{above}/host".encode()].target == f"$(LODE_VARIANT:-{TARGET})".encode()


def test_release_without_an_image_is_published_and_that_is_told(site: Site, tmp_path: Path) -> None:
    root = release(tmp_path / "release", images=False) / TARGET / "prefix"
    assert site.publish([root]).changed == (TREE,)
    assert f"there is no image of {root}: none is published" in site.progress.said


def test_image_of_another_tree_is_refused(tmp_path: Path) -> None:
    root = release(tmp_path / "release") / TARGET / "prefix"
    ground.put(root / "share" / "more.txt", b"more\n")
    ground.seal(root)
    with pytest.raises(UsageError) as error:
        unpacked.images([root], NAME)
    assert str(error.value) == (
        f"there is an image of another tree, and none of {root}\n"
        f"  hint: `lode image {LOCK.stack}@{LOCK.release} --target {TARGET}` makes it"
    )


def test_plan_tells_of_images_too(site: Site, tmp_path: Path) -> None:
    root = release(tmp_path / "release") / TARGET / "prefix"
    site.publish([root])
    work = cvmfs.desk(cvmfs.known(site.catalogue, NAME), site.home)

    def planned(work: cvmfs.Desk) -> plan.Plan:
        cache = work.remembered()
        try:
            with cvmfs.all_sources(work, [str(root)], site.home, images=True, cache=cache, progress=Silent()) as (
                found,
                unchanged,
            ):
                return plan.plan(work.stratum(), found, cache=cache, jobs=2, unchanged=unchanged)
        finally:
            cache.close()

    assert planned(work).lines() == [
        f"{NAME}: revision 2 stays",
        f"  {TREE}  is published as it is",
        f"  {IMAGE}  is published as it is",
    ]
    anew = replace(work, cache=tmp_path / "cache")
    assert [(tree.mount, tree.unchanged, tree.paths) for tree in planned(anew).trees] == [
        (TREE, False, ()),
        (IMAGE, False, ()),
    ]
