"""What lies beside the trees: the newest release, the link that a client resolves, the script that takes a tree."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.publishing.cvmfs import reader
from tests.publishing.cvmfs.ground import FQRN, MOUNT, NOW, Ground, plant, source

from lode.errors import PublicationError
from lode.publishing.cvmfs import layout, variants

SHELLS = [shell for shell in ("sh", "dash", "bash", "zsh", "ksh") if shutil.which(shell)]


def links(ground: Ground) -> dict[str, str]:
    mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
    return {
        path.decode(): node.target.decode()
        for path, node in mounted.nodes.items()
        if node.target and path.rpartition(b"/")[2] in (b"current", b"host")
    }


def test_links_follow_from_what_is_mounted(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    places = [MOUNT, "/mini/2026.9/el9-x86_64", "/mini/2026.11/el9-x86_64", "/other/1.0/any-x86_64"]
    ground.publish(*(source(root, place) for place in places))
    assert links(ground) == {
        "/mini/current": "2026.11",
        "/mini/2026.9/host": "$(LODE_VARIANT:-el9-x86_64)",
        "/mini/2026.11/host": "$(LODE_VARIANT:-debian12-x86_64)",
        "/other/current": "1.0",
        "/other/1.0/host": "$(LODE_VARIANT:-any-x86_64)",
    }
    ground.publish(remove=[MOUNT, "/mini/2026.11/el9-x86_64", "/other/1.0/any-x86_64"])
    assert links(ground) == {"/mini/current": "2026.9", "/mini/2026.9/host": "$(LODE_VARIANT:-el9-x86_64)"}


def test_way_to_a_state_does_not_count(tmp_path: Path, key_folder: Path) -> None:
    one, two = Ground(tmp_path / "1", key_folder).create(), Ground(tmp_path / "2", key_folder).create()
    root = plant(tmp_path / "tree", {"a": b"1"})
    newer = MOUNT.replace("2026.11", "2026.12")
    stacks = []
    for ground, steps in ((one, [[MOUNT, newer]]), (two, [[newer], [MOUNT]])):
        for step in steps:
            ground.publish(*(source(root, place) for place in step))
        mounted = reader.mount(ground.fetch, ground.public, FQRN, now=NOW)
        stacks.append({path: node for path, node in mounted.catalogs.items() if path})
    assert list(stacks[0]) == list(stacks[1])
    scripts = [
        reader.mount(ground.fetch, ground.public, FQRN, now=NOW).nodes[b"/mini/2026.12/setup.sh"].content
        for ground in (one, two)
    ]
    assert scripts[0] is not None
    assert scripts[1] is not None
    assert scripts[0]() == scripts[1]()


@pytest.mark.parametrize("place", ["/mini/current/el9-x86_64", "/mini/1/host", "/mini/1/setup.sh"])
def test_no_tree_takes_the_place_of_a_variant(ground: Ground, tmp_path: Path, place: str) -> None:
    with pytest.raises(PublicationError, match="is no path to publish at"):
        ground.publish(source(plant(tmp_path / "tree", {"a": b"1"}), place))
    assert not layout.is_mount(place)


def script(folder: Path, *targets: str) -> Path:
    """Write the script of a release for a tree at `folder`, with a setup.sh in each target's tree."""
    for target in targets:
        (folder / FQRN / "mini/1" / target).mkdir(parents=True)
        (folder / FQRN / "mini/1" / target / "setup.sh").write_text(f"CHOSEN={target}\n")
    file = folder / FQRN / "mini/1/setup.sh"
    file.write_text(variants.setup(FQRN, "/mini/1", targets).replace("/cvmfs/", f"{folder}/"))
    return file


def source_it(shell: str, file: Path, **variables: str) -> tuple[str, str]:
    code = f'set -u; . {file} || echo "failed"; echo "chosen ${{CHOSEN-none}}"; echo "left ${{_lode_variant-none}}"'
    done = subprocess.run(
        [shell, "-c", code], capture_output=True, text=True, env={"PATH": os.environ["PATH"], **variables}, check=True
    )
    return done.stdout, done.stderr


@pytest.mark.integration
@pytest.mark.parametrize("shell", SHELLS)
def test_script_takes_the_tree_of_the_host(tmp_path: Path, shell: str) -> None:
    words = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    system, version = (words[key].strip('"') for key in ("ID", "VERSION_ID"))
    if system not in ("debian", "ubuntu"):
        pytest.skip(f"what {system} is called is tested on Debian")
    own = f"{system}{version}-{platform.machine()}"
    assert source_it(shell, script(tmp_path, own, "el9-x86_64"))[0] == f"chosen {own}\nleft none\n"
    file = tmp_path / FQRN / "mini/1/setup.sh"
    assert source_it(shell, file, LODE_VARIANT="el9-x86_64")[0] == "chosen el9-x86_64\nleft none\n"


@pytest.mark.integration
@pytest.mark.parametrize("shell", SHELLS)
def test_script_names_a_container_where_no_tree_fits(tmp_path: Path, shell: str) -> None:
    file = script(tmp_path, "debian12-x86_64", "el9-x86_64", "other-x86_64")
    out, told = source_it(shell, file, LODE_VARIANT="plan9-x86_64")
    assert out == "failed\nchosen none\nleft none\n"
    assert told.replace(str(tmp_path), "/cvmfs") == (
        "lode: no tree of mini 1 is made for plan9-x86_64; there are:\n"
        "  debian12-x86_64: apptainer exec --bind /cvmfs docker://debian:12 "
        'sh -c ". /cvmfs/test.example.org/mini/1/setup.sh && …"\n'
        "  el9-x86_64: apptainer exec --bind /cvmfs docker://almalinux:9 "
        'sh -c ". /cvmfs/test.example.org/mini/1/setup.sh && …"\n'
        "  other-x86_64\n"
    )


def test_script_names_an_image_of_the_repository_where_there_is_one() -> None:
    text = variants.setup(FQRN, "/mini/1", ["debian12-x86_64", "el9-x86_64"], unpacked={"el9-x86_64"})
    assert "debian12-x86_64: apptainer exec --bind /cvmfs docker://debian:12 sh" in text
    assert f"el9-x86_64: apptainer exec --bind /cvmfs /cvmfs/{FQRN}/mini/1/el9-x86_64.image sh" in text


def test_images_alone_make_no_variants(ground: Ground, tmp_path: Path) -> None:
    root = plant(tmp_path / "tree", {"a": b"1"})
    ground.publish(source(root, MOUNT + variants.IMAGE), source(root, MOUNT))
    assert links(ground)["/mini/2026.11/host"] == "$(LODE_VARIANT:-debian12-x86_64)"
    ground.publish(remove=[MOUNT])
    assert links(ground) == {}
