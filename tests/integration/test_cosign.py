"""Real cosign, of both generations, and skopeo agree with us about who signed what, and about what was altered."""

from __future__ import annotations

import base64
import datetime
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.integration.engines import LocalRegistry
from tests.integration.newer import unpacked
from tests.integration.pushed import Pushed, push
from tests.signing.factory import TODAY, policy, private, public, signer
from tests.testing.factory import TARGET
from tests.workflow import released

from lode import digest as digests
from lode.cli.main import run
from lode.errors import VerificationError
from lode.progress import Silent
from lode.publishing.oci import examine, store
from lode.publishing.oci.store import oci
from lode.signing import cosign, envelope, keys
from lode.workflow import signing

pytestmark = pytest.mark.integration

NOW = datetime.datetime(2026, 11, 25, 10, tzinfo=datetime.UTC)
SLSA = "https://slsa.dev/provenance/v1"
TYPES = ("urn:lode:claim:1", "https://cyclonedx.org/bom", "https://spdx.dev/Document", SLSA,
         "https://in-toto.io/attestation/test-result/v0.1")  # fmt: skip
PASSWORD = "a password"
SIGNING = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}
ROOT = {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosign:
    """A cosign of one generation, which asks no service of the world."""

    program: Path
    generation: int
    folder: Path  # with keys and settings

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "COSIGN_PASSWORD": PASSWORD, "HOME": str(self.folder), "NO_PROXY": "127.0.0.1"}
        return subprocess.run(
            [self.program, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    def verify(self, image: str, key: str = "one") -> subprocess.CompletedProcess[str]:
        root = ["--trusted-root", str(self.folder / "root.json")] if self.generation > 2 else []
        return self("verify", "--insecure-ignore-tlog=true", *root, "--key", str(self.folder / f"{key}.pub"), image)

    def verify_attestation(self, image: str, kind: str, key: str = "one") -> subprocess.CompletedProcess[str]:
        root = ["--trusted-root", str(self.folder / "root.json")] if self.generation > 2 else []
        own = ["--key", str(self.folder / f"{key}.pub"), "--type", kind]
        return self("verify-attestation", "--insecure-ignore-tlog=true", *root, *own, image)

    def signing(self) -> list[str]:
        if self.generation == 2:
            return ["--yes", "--tlog-upload=false", "--key", str(self.folder / "one.key")]
        settings = ["--signing-config", str(self.folder / "signing.json")]
        return ["--yes", *settings, "--trusted-root", str(self.folder / "root.json"), "--key",
                str(self.folder / "one.key")]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    (made / "one.key").write_bytes(keys.dump_private(private("one"), PASSWORD.encode()))
    (made / "one.pub").write_bytes(public("one").pem)
    (made / "other.pub").write_bytes(public("other").pem)
    (made / "signing.json").write_text(json.dumps(SIGNING))
    (made / "root.json").write_text(json.dumps(ROOT))
    return made


@pytest.fixture(scope="module", params=[("trixie", 2), ("sid", 3)], ids=["cosign-2", "cosign-3"])
def tool(request: pytest.FixtureRequest, folder: Path) -> Cosign:
    suite, generation = request.param
    return Cosign(program=unpacked("cosign", suite) / "usr/bin/cosign", generation=generation, folder=folder)


@pytest.fixture(scope="module")
def pushed(registry: LocalRegistry, tmp_path_factory: pytest.TempPathFactory) -> Pushed:
    made = released.release(tmp_path_factory.mktemp("release") / "r")
    signing.sign_images(str(made / "images"), [signer("one")], now=NOW, reference=f"{registry.host}/ours/mini")
    signing.sign_release(made, [signer("one")], now=NOW)
    return push(registry.host, "ours/mini", made, attached=True)


def examined(one: Pushed, *names: str) -> tuple[examine.Examined, ...]:
    return examine.examine(one.repository, oci(one.image.digest), policy(*(names or ("one",))), name="image",
                           today=TODAY, jobs=2, progress=Silent())  # fmt: skip


def test_cosign_accepts_our_signatures(pushed: Pushed, tool: Cosign) -> None:
    for which in (pushed.image, pushed.index):
        done = tool.verify(pushed.reference(which))
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert {each["critical"]["image"]["docker-manifest-digest"] for each in found} == {oci(which.digest)}
    assert tool.verify(f"{pushed.name}:{released.LOCK.release}").returncode == 0


@pytest.mark.parametrize("kind", TYPES)
def test_cosign_accepts_our_attestations(pushed: Pushed, tool: Cosign, kind: str) -> None:
    done = tool.verify_attestation(pushed.reference(pushed.image), kind)
    assert done.returncode == 0, done.stderr
    documents = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    payloads = [json.loads(base64.b64decode(each["payload"])) for each in documents if "payload" in each]
    assert {each["predicateType"] for each in payloads} == {kind}
    assert {each["subject"][0]["digest"]["sha256"] for each in payloads} == {pushed.image.digest}


def test_cosign_refuses_another_key(pushed: Pushed, tool: Cosign) -> None:
    assert tool.verify(pushed.reference(pushed.image), "other").returncode != 0
    assert tool.verify_attestation(pushed.reference(pushed.image), SLSA, "other").returncode != 0


def test_we_accept_what_is_in_the_registry(pushed: Pushed) -> None:
    (found,) = examined(pushed)
    assert found.image.accepted.signers == ("one",)
    assert {each.predicate_type for each in found.image.attested} == set(TYPES) - {"urn:lode:claim:1"}


SKOPEO = ("libc6", "libgpgme45", "libassuan9", "libgpg-error0", "libdevmapper1.02.1", "libselinux1", "libudev1",
          "libpcre2-8-0", "libsqlite3-0", "libcap2")  # fmt: skip


@pytest.fixture(scope="module")
def skopeo(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> list[str]:
    """Return the command of a skopeo that checks signatures (Debian 12's does not), run with libraries of its own."""
    libraries = [unpacked(package, "sid") / "usr/lib/x86_64-linux-gnu" for package in SKOPEO]
    program = unpacked("skopeo", "sid") / "usr/bin/skopeo"
    loader = [str(libraries[0] / "ld-linux-x86-64.so.2"), "--library-path", ":".join(map(str, libraries))]
    started = subprocess.run([*loader, program, "--version"], capture_output=True, text=True, timeout=60, check=False)
    if started.returncode != 0:
        pytest.skip(f"skopeo of sid does not start here: {started.stderr.strip()[-200:]}")
    return [*loader, str(program)]


def skopeo_copy(
    skopeo: list[str], folder: Path, image: str, identity: str, key: str
) -> subprocess.CompletedProcess[str]:
    """Return what skopeo did when it copied an image under a policy that asks for the signature of `key`."""
    host = image.partition("/")[0]
    signed = {"type": "sigstoreSigned", "keyPath": str(folder / f"{key}.pub"), "signedIdentity": {"type": identity}}
    policy = {"default": [{"type": "reject"}], "transports": {"docker": {host: [signed]}}}
    place = folder / f"{key}-{identity}"
    (place / "registries.d").mkdir(parents=True, exist_ok=True)
    (place / "policy.json").write_text(json.dumps(policy))
    (place / "registries.d/all.yaml").write_text(json.dumps({"docker": {host: {"use-sigstore-attachments": True}}}))
    settings = ["--policy", str(place / "policy.json"), "--registries.d", str(place / "registries.d")]
    return subprocess.run(
        [*skopeo, *settings, "--tmpdir", str(place), "copy", "--src-tls-verify=false", f"docker://{image}",
         f"dir:{place}/out"],
        env={**os.environ, "HOME": str(place), "XDG_RUNTIME_DIR": str(place)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_skopeo_accepts_our_signature_under_the_name_it_was_made_for(
    pushed: Pushed, skopeo: list[str], folder: Path
) -> None:
    tag = f"{pushed.name}:{released.LOCK.release}-{TARGET}"
    done = skopeo_copy(skopeo, folder, tag, "matchRepoDigestOrExact", "one")
    assert done.returncode == 0, done.stderr
    refused = skopeo_copy(skopeo, folder, tag, "matchRepoDigestOrExact", "other")
    assert refused.returncode != 0
    assert "cryptographic signature verification failed" in refused.stderr


def test_skopeo_refuses_an_unsigned_image(bare: Pushed, skopeo: list[str], folder: Path) -> None:
    refused = skopeo_copy(skopeo, folder, bare.reference(bare.image), "matchRepository", "one")
    assert refused.returncode != 0
    assert "no signature exists" in refused.stderr


def test_command_verifies_what_a_registry_has(pushed: Pushed, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = f"{pushed.name}:{released.LOCK.release}"
    assert run(["verify", "image", image, "--key", str(folder / "one.pub"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kind"], found["stack"], found["digests"]) == ("image", "mini", {"sha256": pushed.index.digest})
    assert len(found["checked"]) == 2
    assert run(["verify", image, "--key", str(folder / "other.pub")]) == 13


def test_command_signs_what_a_registry_has(
    bare: Pushed, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LODE_KEY_PASSWORD", PASSWORD)
    image = f"{bare.name}:{released.LOCK.release}"
    assert run(["verify", image, "--key", str(folder / "one.pub")]) == 9
    assert run(["sign", "image", image, "--key", str(folder / "one.key")]) == 0
    assert run(["verify", image, "--key", str(folder / "one.pub")]) == 0


@pytest.fixture
def bare(registry: LocalRegistry, tmp_path: Path, request: pytest.FixtureRequest) -> Pushed:
    """Return an image that nobody has signed yet, in a repository of its own."""
    name = "".join(each if each.isalnum() else "-" for each in request.node.name.lower()).strip("-")
    return push(registry.host, f"bare/{name}", released.release(tmp_path / "r"), attached=False)


def test_we_accept_what_cosign_signs(bare: Pushed, tool: Cosign) -> None:
    with pytest.raises(VerificationError, match="is not signed"):
        examined(bare)
    done = tool("sign", *tool.signing(), bare.reference(bare.image))
    assert done.returncode == 0, done.stderr
    (found,) = examined(bare)
    assert (found.image.accepted.signers, found.image.accepted.claim.stack) == (("one",), "mini")
    with pytest.raises(VerificationError, match="does not count"):
        examined(bare, "other")


def test_we_read_what_cosign_attests(bare: Pushed, tool: Cosign, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"answer": 42}')
    assert tool("sign", *tool.signing(), bare.reference(bare.image)).returncode == 0
    kind = ["--type", "https://example.org/answer", "--predicate", str(tmp_path / "p.json")]
    done = tool("attest", *tool.signing(), *kind, bare.reference(bare.image))
    assert done.returncode == 0, done.stderr
    (found,) = examined(bare)
    assert [(each.predicate_type, each.signers) for each in found.image.attested] == [
        ("https://example.org/answer", ("one",))
    ]


def test_our_signature_joins_that_of_cosign(bare: Pushed, tool: Cosign) -> None:
    assert tool("sign", *tool.signing(), bare.reference(bare.image)).returncode == 0
    signing.sign_image(bare.repository, oci(bare.image.digest), name=f"{bare.name}:1", signers=[signer("two")], now=NOW)
    for key in ("one", "two"):
        (tool.folder / f"{key}.pub").write_bytes(public(key).pem)
    assert tool.verify(bare.reference(bare.image), "two").returncode == 0
    assert examined(bare, "one", "two")[0].image.accepted.signers == ("two",)  # the claim is by two


@pytest.mark.parametrize("what", ["payload", "signature", "attestation", "other image"])
def test_altered_signature_is_refused_by_all(bare: Pushed, tool: Cosign, what: str) -> None:
    """What is put there has right digests everywhere, as somebody would who may write to the registry."""
    image = bare.image.digest
    statement = cosign.image_statement(image)
    made = cosign.signature_layer(image, bare.name, signer("one"))
    attested = cosign.attestation_layer(statement, signer("one"))
    if what == "payload":
        made = cosign.Layer(
            content=cosign.payload(image, f"{bare.name}:other"),
            media_type=made.media_type,
            annotations=made.annotations,
        )
    elif what == "signature":
        wrong = base64.b64encode(envelope.sign(signer("one"), b"something else")).decode()
        made = cosign.Layer(content=made.content, media_type=made.media_type, annotations={cosign.SIGNATURE: wrong})
    elif what == "other image":
        made = cosign.signature_layer(digests.of_bytes(b"other"), bare.name, signer("one"))
    else:
        document = json.loads(attested.content)
        document["payload"] = base64.b64encode(base64.b64decode(document["payload"]) + b" ").decode()
        attested = cosign.Layer(
            content=digests.canonical(document), media_type=attested.media_type, annotations=attested.annotations
        )
    layers, suffix = ([attested], cosign.ATT) if what == "attestation" else ([made], cosign.SIG)
    put(bare, cosign.legacy(image, layers, suffix))
    if what == "attestation":
        assert tool.verify_attestation(bare.reference(bare.image), cosign.SIGNED_IMAGE).returncode != 0
    else:
        assert tool.verify(bare.reference(bare.image)).returncode != 0
    with pytest.raises(VerificationError):
        examined(bare)


def test_altered_bundle_is_refused_by_all(bare: Pushed, tool: Cosign) -> None:
    image = bare.image
    document: dict[str, Any] = json.loads(cosign.bundle(cosign.image_statement(image.digest), signer("one")))
    wrong = envelope.sign(signer("one"), b"something else")
    document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(wrong).decode()
    subject = cosign.Described(media_type=image.media_type, digest=image.digest, size=len(image.content))
    put(bare, cosign.referrer(digests.canonical(document), cosign.SIGNED_IMAGE, subject, "2026-11-25T00:00:00Z"))
    assert tool.verify(bare.reference(image)).returncode != 0
    with pytest.raises(VerificationError, match="is not by it, or not of these bytes"):
        examined(bare)


def put(where: Pushed, artifact: cosign.OciArtifact) -> None:
    for media_type, content in artifact.blobs:
        store.put_bytes(where.repository, content, media_type)
    where.repository.put_manifest(store.of_bytes(artifact.manifest, cosign.MANIFEST), artifact.tag)


def test_keys_of_cosign_are_ours_and_ours_are_its(tool: Cosign, tmp_path: Path) -> None:
    done = tool("generate-key-pair", "--output-key-prefix", str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    opened = keys.load_private((tmp_path / "new.key").read_bytes(), PASSWORD.encode(), "new.key")
    assert keys.public_of(opened) == keys.load_public((tmp_path / "new.pub").read_bytes(), "new.pub")
    (tmp_path / "ours.key").write_bytes(keys.dump_private(opened, PASSWORD.encode()))
    shown = tool("public-key", "--key", str(tmp_path / "ours.key"))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip().encode() == (tmp_path / "new.pub").read_bytes().strip()


def test_cosign_checks_a_file_by_our_bundle(tool: Cosign, tmp_path: Path) -> None:
    file, bundle = tmp_path / "lode.lock", tmp_path / "lode.lock.sigstore.json"
    file.write_bytes(b"the lock")
    signature = envelope.sign(signer("one"), file.read_bytes())
    bundle.write_bytes(cosign.blob_bundle(digests.of_bytes(file.read_bytes()), signature, signer("one")))
    new = ["--new-bundle-format"] if tool.generation == 2 else []
    arguments = ["verify-blob", *new, "--insecure-ignore-tlog", "--trusted-root", str(tool.folder / "root.json"),
                 "--key", str(tool.folder / "one.pub"), "--bundle", str(bundle), str(file)]  # fmt: skip
    done = tool(*arguments)
    assert done.returncode == 0, done.stderr
    file.write_bytes(b"the locc")
    assert tool(*arguments).returncode != 0


def test_we_read_the_bundle_of_a_file_that_cosign_signed(tool: Cosign, tmp_path: Path) -> None:
    file, bundle = tmp_path / "f", tmp_path / "f.bundle"
    file.write_bytes(b"content")
    new = ["--new-bundle-format"] if tool.generation == 2 else []
    done = tool("sign-blob", *new, *tool.signing(), "--bundle", str(bundle), str(file))
    assert done.returncode == 0, done.stderr
    sha256, signature = cosign.read_blob_bundle(bundle.read_bytes(), "f.bundle")
    assert sha256 == digests.of_bytes(b"content")
    assert signature.keyid in ("", public("one").fingerprint)
    assert public("one").verifies(signature.content, b"content")
