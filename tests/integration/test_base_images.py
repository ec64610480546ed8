"""Targets on a base image that is pinned by digest: made here, served by a registry of the tests' own, and pulled.

The images of Enterprise Linux and Ubuntu are out of reach for tests. What stands in for them is a Debian with apt, and
one with dnf and rpm whose packages come from a repository that is made here.
"""

from __future__ import annotations

import functools
import http.server
import os
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.engines import Engine, LocalRegistry, program
from tests.integration.house import STACK, TARGETS, House, house, install, nodes

from lode.building import seal
from lode.definitions import read_target, system_lock
from lode.definitions.system_lock import SystemLock, SystemPackage
from lode.sourcing.origins import debian

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the targets are x86_64"),
    pytest.mark.skipif(seal.best().kind == "none", reason=f"no seal: {seal.best().reason}"),
]
__all__ = ["house"]

TARGET = """\
name: {name}
os: {os}
os_version: "{version}"
arch: x86_64
base: {{image: '{image}'}}
compiler: {{name: gcc, version: "{gcc}", languages: [c]}}
glibc: "{glibc}"
libstdcxx: "{libstdcxx}"
microarchitecture: x86-64
system_packages: [{builder}]
runtime_packages: [{runtime}]
system_libraries: [ld-linux-x86-64.so.2, libc.so.6, libm.so.6]
"""
SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: {name}
License: none
AutoReqProv: no
%define __os_install_post %{{nil}}
%define debug_package %{{nil}}
%define _binary_payload w1.gzdio
%description
%install
cp -a {tree}/. %{{buildroot}}/
%files -f {files}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A house with an engine and a registry."""

    house: House
    engine: Engine
    registry: LocalRegistry

    def json(self, *arguments: str, status: int = 0) -> Any:
        return self.house.json(*arguments, status=status, DOCKER_HOST=self.engine.address)

    def lode(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.house.lode(*arguments, "--quiet", DOCKER_HOST=self.engine.address)

    def pushed(self, name: str) -> str:
        """Push the engine's image `name`, forget it here, and return its reference by digest."""
        there = f"{self.registry.host}/base/{name}"
        self.engine.docker("tag", name, f"{there}:1")
        said = self.engine.docker("push", f"{there}:1").stdout
        self.engine.docker("rmi", "--force", f"{there}:1", name)
        digest = re.search(r"digest: (sha256:[0-9a-f]{64})", said)
        assert digest, said
        return f"{there}@{digest[1]}"

    def target(self, name: str, **fields: str) -> Path:
        file = self.house.root / "containers" / "targets" / f"{name}.yaml"
        file.write_text(TARGET.format(**{**TARGETS["debian12-x86_64"], "name": name, **fields}))
        return file


@pytest.fixture(scope="module")
def place(house: House, engine: Engine, registry: LocalRegistry) -> Place:
    return Place(house=house, engine=engine, registry=registry)


@pytest.fixture(scope="module")
def apt_image(place: Place) -> str:
    """Return a small Debian with apt in the registry, made of the runtime of a target."""
    _import(place, "debian12", {"etc/apt/sources.list": f"deb {debian.usual_mirror()} bookworm main\n"})
    return place.pushed("debian12")


def _import(place: Place, name: str, files: dict[str, str]) -> None:
    """Make the engine have the runtime of Debian 12, with `files` on top, as the image `name`."""
    system = place.house.kept / "targets" / "debian12-x86_64" / "runtime" / "rootfs"
    top = place.house.root / f"{name}-top"
    for file, content in files.items():
        (top / file).parent.mkdir(parents=True, exist_ok=True)
        (top / file).write_text(content)
    tar = ["tar", "-c", "--owner=0", "--group=0", "-C", str(top), *files, "-C", str(system)]
    tar += [f"--exclude=./{file}" for file in files] + ["."]
    with subprocess.Popen(tar, stdout=subprocess.PIPE) as packing:
        importing = ["docker", "import", "-", name]
        subprocess.run(importing, stdin=packing.stdout, env=place.engine.environment, check=True, capture_output=True)
    assert packing.returncode == 0


def _made(place: Place, target: str) -> list[str]:
    """Lock and make the systems of a target; return their inventories."""
    ended = place.lode("target", "update", target)
    assert ended.returncode == 0, ended.stderr
    return [each["inventory"] for each in place.json("target", "build", target)]


def _built_and_tested(place: Place, target: str, known: str) -> None:
    """Build the tiny stack in the builder, and test it in the runtime."""
    file = place.house.root / "stacks/tiny/1/stack.yaml"
    before = file.read_text()
    try:
        file.write_text(STACK.replace("$CC_HERE", "gcc").replace("debian13-x86_64", target))
        assert place.house.lode("lock", "tiny").returncode == 0
        built = nodes(place.json("build", "tiny", "--target", target, "--seal", "docker"))
        assert {(outcome, seal) for outcome, _, seal in built.values()} == {("built", "docker")}
        prefix = place.house.root / f"prefix-{target}"
        install(place.house, target, prefix)
        report = place.json("test", str(prefix), "--seal", "docker")
    finally:
        file.write_text(before)
        assert place.house.lode("lock", "tiny").returncode == 0
    (result,) = report["results"]
    assert (result["outcome"], result["message"], report["seal"]) == ("passed", "", "docker")
    assert result["output"].splitlines()[-1] == f"on {known} as lode at lode"
    assert [number["value"] for number in result["numbers"]] == [42]


def test_stack_is_built_and_tested_on_an_image_with_apt(place: Place, apt_image: str) -> None:
    place.target("aptly12-x86_64", os="debian", image=apt_image, builder="gcc, libc6-dev", runtime="libc6")
    inventories = _made(place, "aptly12-x86_64")
    again = [each["inventory"] for each in place.json("target", "build", "aptly12-x86_64", "--again")]
    assert again == inventories
    _built_and_tested(place, "aptly12-x86_64", "bookworm")


@pytest.fixture(scope="module")
def rpms(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a repository with a compiler, of the files of Debian's, and a package for runtimes."""
    rpmbuild, index = program("rpmbuild", "rpm"), program("createrepo_c", "createrepo-c")
    top = tmp_path_factory.mktemp("rpms")
    systems = house.kept / "targets" / "debian12-x86_64"
    builder, runtime = (systems / role / "rootfs" for role in ("builder", "runtime"))
    compiler = [path for path in (builder / "usr").rglob("*") if path.is_symlink() or path.is_file()]
    compiler = [path for path in compiler if not os.path.lexists(runtime / path.relative_to(builder))]
    (top / "note").write_text("a runtime\n")
    packages = {
        "gcc": ("12.2.0", {path: f"/{path.relative_to(builder)}" for path in compiler}),
        "libgcc": ("1", {top / "note": "/usr/share/note"}),
    }
    for name, (version, files) in packages.items():
        for source, destination in files.items():
            (top / name / destination[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, top / name / destination[1:], follow_symlinks=False)
        (top / f"{name}.files").write_text("".join(f'"{file}"\n' for file in files.values()))
        spec = top / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, version=version, files=top / f"{name}.files", tree=top / name))
        made = subprocess.run(
            [rpmbuild, "-bb", "--define", f"_topdir {top}/work", "--define", f"_rpmdir {top}/out",
             "--define", f"_dbpath {top}/db", spec],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr[-3000:]
    subprocess.run([index, str(top / "out")], check=True, capture_output=True)
    serving = functools.partial(Quiet, directory=str(top / "out"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def dnf_image(place: Place, apt_image: str, rpms: str) -> str:
    """Return an image in the registry that has dnf and rpm, and that repository."""
    _import(place, "withdnf", {
        "etc/apt/sources.list": f"deb {debian.usual_mirror()} bookworm main\n",
        "etc/yum.repos.d/here.repo": f"[here]\nname=here\nbaseurl={rpms}\ngpgcheck=0\n",
        "etc/rpm/macros": "%_dbpath /var/lib/rpm\n",
        "usr/lib/os-release": 'ID=almalinux\nVERSION_ID="9.9"\nVERSION_CODENAME=nine\n',
    })  # fmt: skip
    install = "apt-get -q update && apt-get -qy install --no-install-recommends dnf rpm && rpm --initdb"
    command = ["--network", "host", "--name", "dnf-base", "withdnf", "sh", "-ec", install]
    done = place.engine.docker("run", *command, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    place.engine.docker("commit", "--change", 'CMD ["bash"]', "dnf-base", "el9")
    place.engine.docker("rm", "--force", "dnf-base")
    return place.pushed("el9")


def test_stack_is_built_and_tested_on_an_image_with_dnf(place: Place, dnf_image: str) -> None:
    place.target("el9-x86_64", os="almalinux", version="9.9", image=dnf_image, builder="gcc", runtime="libgcc")
    inventories = _made(place, "el9-x86_64")
    again = [each["inventory"] for each in place.json("target", "build", "el9-x86_64", "--again")]
    assert again == inventories
    _built_and_tested(place, "el9-x86_64", "nine")


def test_target_of_an_image_is_not_made_offline(place: Place, apt_image: str) -> None:
    file = place.target("away12-x86_64", os="debian", image=apt_image, builder="gcc", runtime="libc6")
    package = SystemPackage(name="gcc", version="4:12.2.0-3", arch="amd64", roles=("builder", "runtime"))
    asked = system_lock.asked(read_target.read(file.read_bytes(), file=file.name))
    lock = SystemLock(target="away12-x86_64", asked=asked, archive="", packages=(package,))
    file.with_suffix(".lock").write_bytes(system_lock.dump(lock))
    ended = place.lode("target", "build", "away12-x86_64", "--offline")
    assert ended.returncode == 10
    assert ended.stderr == (
        f"away12-x86_64 is made of the base image {apt_image} and its distribution's mirrors: "
        "neither is asked offline\n"
        "  hint: where there is a network: lode target build away12-x86_64\n"
    )


def test_registry_that_gives_other_bytes_for_the_digest_is_refused(place: Place, apt_image: str) -> None:
    """Whoever may write to the registry's disk changes the image under its digest."""
    digest = apt_image.rpartition(":")[2]
    blob = place.registry.folder / f"docker/registry/v2/blobs/sha256/{digest[:2]}/{digest}/data"
    content = blob.read_bytes()
    place.target("altered12-x86_64", os="debian", image=apt_image, builder="gcc", runtime="libc6")
    place.engine.docker("rmi", "--force", apt_image, check=False)
    try:
        blob.write_bytes(content.replace(b"\n   ", b"\n\t  ", 1))  # as long as it was
        ended = place.lode("target", "update", "altered12-x86_64")
    finally:
        blob.write_bytes(content)
    assert ended.returncode == 10
    assert ended.stderr.startswith(f"the base image {apt_image} cannot be pulled here: ")
    assert "digest" in ended.stderr.splitlines()[0].partition("pulled here: ")[2]


def test_registry_that_is_down_is_named(place: Place, apt_image: str) -> None:
    gone = re.sub(r"^127\.0\.0\.1:[0-9]+", "127.0.0.1:9", apt_image)
    place.target("gone12-x86_64", os="debian", image=gone, builder="gcc", runtime="libc6")
    ended = place.lode("target", "update", "gone12-x86_64")
    assert ended.returncode == 10
    assert ended.stderr.startswith(f"the base image {gone} cannot be pulled here: ")
    assert "connection refused" in ended.stderr
