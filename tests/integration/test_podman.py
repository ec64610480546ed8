"""podman in place of Docker: its service holds sealed builds, with and without root; its policies count our keys."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import subprocess
import sys

import httpx
import pytest
from tests.integration.engines import LocalRegistry
from tests.integration.house import House, house, install, nodes
from tests.integration.podman import ROOTLESS, Podman, newer, podman, rootless
from tests.integration.pushed import Pushed, push
from tests.signing.factory import public, signer
from tests.testing.factory import TARGET as RELEASED
from tests.workflow import released

from lode.building import seal
from lode.publishing.oci.store import oci
from lode.workflow import signing

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the targets are x86_64"),
]
needs_seal = pytest.mark.skipif(seal.best().kind == "none", reason=f"no seal: {seal.best().reason}")
__all__ = ["house", "newer", "podman", "rootless"]
TARGET = "debian12-x86_64"
MODULES = f"PYTHONPATH={os.pathsep.join(sys.path)}"
NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)


@needs_seal
def test_podman_builds_the_same_bytes_as_a_root_file_system(house: House, podman: Podman) -> None:
    house.fresh()
    contained = nodes(house.json("build", "tiny", "--target", TARGET, DOCKER_HOST=podman.address))
    house.fresh()
    bare = nodes(house.json("build", "tiny", "--target", TARGET))
    assert {(outcome, seal) for outcome, _, seal in contained.values()} == {("built", "docker")}
    assert {name: sha256 for name, (_, sha256, _) in contained.items()} == {
        name: sha256 for name, (_, sha256, _) in bare.items()
    }
    assert podman("ps", "--all", "--quiet").stdout == ""


@needs_seal
def test_podman_holds_the_tests_of_a_prefix_in_the_runtime(house: House, podman: Podman) -> None:
    house.json("build", "tiny", "--target", TARGET, DOCKER_HOST=podman.address)
    prefix = house.root / "podman-prefix"
    install(house, TARGET, prefix)
    report = house.json("test", str(prefix), "--seal", "docker", DOCKER_HOST=podman.address)
    (result,) = report["results"]
    assert (result["outcome"], report["seal"]) == ("passed", "docker")
    assert result["output"].splitlines()[-1] == "on bookworm as lode at lode"


@needs_seal
def test_user_without_rights_builds_the_same_bytes_with_a_podman_of_their_own(
    house: House, podman: Podman, rootless: Podman
) -> None:
    house.fresh()
    usual = nodes(house.json("build", "tiny", "--target", TARGET, DOCKER_HOST=podman.address))
    own = rootless.folder / "house"
    shutil.copytree(house.root, own, symlinks=True, ignore=shutil.ignore_patterns("cache", "podman-prefix", "prefix"))
    (own / "home" / "cache").mkdir(parents=True)
    (own / "home" / "cache" / "targets").symlink_to(house.kept / "targets")
    for path in (own, *own.rglob("*")):
        os.lchown(path, ROOTLESS, ROOTLESS)
    variables = [
        f"LODE_HOME={own}/home",
        "LODE_MIRROR=",
        f"DOCKER_HOST={rootless.address}",
        f"PYTHONPATH={os.pathsep.join(sys.path)}",
    ]
    argv = rootless.argv("env", *variables, _python(rootless), "-m", "lode", "build", "tiny", "--target", TARGET,
                         "--seal", "docker", "--json", "--collection", str(own))  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert nodes(json.loads(done.stdout)) == usual


def _python(user: Podman) -> str:
    """Return a Python that the user may run, and that has the modules of this one."""
    for python in (sys.executable, "/usr/bin/python3"):
        argv = user.argv("env", MODULES, python, "-c", "import lode.cli.main, docker")
        if subprocess.run(argv, capture_output=True, check=False, cwd=user.folder).returncode == 0:
            return python
    pytest.skip("no Python of this machine, with the modules of this one, may be run by others")


@pytest.fixture(scope="module")
def signed(registry: LocalRegistry, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    made = released.release(tmp_path_factory.mktemp("release") / "r")
    signing.sign_images(str(made / "images"), [signer("one")], now=NOW, reference=f"{registry.host}/policy/mini")
    return push(registry.host, "policy/mini", made, attached=True)


def pull(podman: Podman, image: str, key: str) -> subprocess.CompletedProcess[str]:
    """Return what podman did with an image under a policy that asks for the signature of `key`."""
    file = podman.folder / f"{key}.pub"
    file.write_bytes(public(key).pem)
    identity = {"type": "matchRepository"}
    wanted = {"type": "sigstoreSigned", "keyPath": str(file), "signedIdentity": identity}
    podman.configure({"default": [{"type": "reject"}], "transports": {"docker": {image.partition("/")[0]: [wanted]}}})
    podman("rmi", "--all", "--force")
    return podman("pull", "--quiet", "--tls-verify=false", image)


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_podman_takes_what_the_key_of_its_policy_signed(newer: Podman, signed: Pushed, by: str) -> None:
    tag = f"{signed.name}:{released.LOCK.release}-{RELEASED}"
    done = pull(newer, tag if by == "tag" else signed.reference(signed.image), "one")
    assert done.returncode == 0, done.stderr
    assert newer("image", "inspect", "--format", "{{.Digest}}", done.stdout.strip()).stdout.strip() == oci(
        signed.image.digest
    )


def test_podman_refuses_what_another_key_signed(newer: Podman, signed: Pushed) -> None:
    refused = pull(newer, f"{signed.name}:{released.LOCK.release}-{RELEASED}", "other")
    assert refused.returncode != 0
    assert "cryptographic signature verification failed" in refused.stderr


def test_podman_refuses_an_altered_image_without_a_signature_and_with_that_of_the_true_one(
    newer: Podman, signed: Pushed
) -> None:
    """The registry's owner may put any image under the tag, and any signature beside it."""
    host, _, name = signed.name.partition("/")
    at = f"http://{host}/v2/{name}/manifests"
    with httpx.Client(trust_env=False) as there:

        def copy(old: str, new: str, **changes: object) -> str:
            found = there.get(
                f"{at}/{old}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
            ).raise_for_status()
            content = json.dumps({**found.json(), **changes}) if changes else found.text
            kind = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"}
            return (
                there.put(f"{at}/{new}", content=content, headers=kind)
                .raise_for_status()
                .headers["Docker-Content-Digest"]
            )

        true = oci(signed.image.digest)
        altered = copy(true, "altered", annotations={"by": "somebody else"})
        unsigned = pull(newer, f"{signed.name}:altered", "one")
        copy(f"{true.replace(':', '-')}.sig", f"{altered.replace(':', '-')}.sig")
        replayed = pull(newer, f"{signed.name}:altered", "one")
    assert altered != true
    assert unsigned.returncode != 0
    assert "no signature exists" in unsigned.stderr
    assert replayed.returncode != 0
    assert f"Signature for digest {true} does not match" in replayed.stderr
