"""Signatures by identity, made on a private Sigstore instance by the command, and judged by real cosigns."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.integration import sigstore
from tests.integration.engines import LocalRegistry, registry
from tests.integration.newer import unpacked
from tests.integration.sigstore import Services
from tests.integration.test_cosign import Pushed, push
from tests.signing.instance import PUBLIC_KEY, Instance, Person, made
from tests.workflow import released

from lode.cli.main import run
from lode.publishing.oci.store import oci

__all__ = ["registry"]
pytestmark = pytest.mark.integration

PERSON = Person()
SLSA = "https://slsa.dev/provenance/v1"


@pytest.fixture(scope="module", params=[1, 2], ids=["rekor-1", "rekor-2"])
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with sigstore.running(request.param, tmp_path_factory.mktemp("sigstore")) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosign:
    """A cosign of one generation that trusts an instance, and expects one identity."""

    program: Path
    generation: int
    root: Path
    home: Path

    @property
    def old_root(self) -> dict[str, str]:
        """Return the settings by which cosign 2 knows an instance when it looks for signatures of its own form."""
        return {
            "SIGSTORE_ROOT_FILE": str(self.home / "ca.pem"),
            "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": str(self.home / "ct.pem"),
            "SIGSTORE_REKOR_PUBLIC_KEY": str(self.home / "rekor.pem"),
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "HOME": str(self.home), "NO_PROXY": "127.0.0.1", **self.old_root}
        return subprocess.run(
            [self.program, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False
        )

    def verify(
        self, command: str, *arguments: str, person: Person = PERSON, root: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        new = ["--new-bundle-format"] if self.generation == 2 and command != "verify" else []
        whom = ["--certificate-identity", person.identity, "--certificate-oidc-issuer", person.issuer]
        roots = [] if self.generation == 2 and command == "verify" else ["--trusted-root", str(root or self.root)]
        return self(command, *new, *roots, *whom, *arguments)


@pytest.fixture
def tools(services: Services, tmp_path: Path) -> list[Cosign]:
    """Return the cosigns that know logs as the instance has: 2.5 none of Rekor's second generation."""
    write_keys(services.instance, tmp_path)
    suites = {2: "trixie", 3: "sid"} if services.instance.generation == 1 else {3: "sid"}
    return [
        Cosign(program=unpacked("cosign", suite) / "usr/bin/cosign", generation=generation, root=services.root,
               home=tmp_path)
        for generation, suite in suites.items()
    ]  # fmt: skip


def write_keys(instance: Instance, folder: Path) -> None:
    (folder / "ca.pem").write_bytes(instance.ca.public_bytes(serialization.Encoding.PEM))
    for name, key in (("ct", instance.ct.key), ("rekor", instance.log.key)):
        pem = key.public_key().public_bytes(serialization.Encoding.PEM, PUBLIC_KEY)
        (folder / f"{name}.pem").write_bytes(pem)


def write_policy(folder: Path, services: Services, *more: str, person: Person = PERSON, keys: str = "ci") -> None:
    """Make `folder` an experiment whose policy names the person, and the instance as its own."""
    (folder / "root.json").write_bytes(services.root.read_bytes())
    (folder / "services.json").write_bytes(services.config.read_bytes())
    (folder / "collection.yaml").write_text('name: dance\nversion: "1"\n')
    repository = [f"    repository: {person.repository}"] if person.repository else []
    sha256 = hashlib.sha256(services.root.read_bytes()).hexdigest()
    lines = [
        "name: dance",
        "expires: 2999-01-01",
        "identities:",
        "  ci:",
        f"    identity: {person.identity}",
        f"    issuer: {person.issuer}",
        *repository,
        f"sigstore: {{root: root.json, sha256: '{sha256}', services: services.json}}",
        f"rules: [{{sign: [lock, prefix, release, image, bundle, store], keys: [{keys}]}}]",
        *more,
    ]
    (folder / "trust.yaml").write_text("\n".join(lines) + "\n")


@pytest.fixture
def here(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: an experiment whose pipeline has a token."""
    write_policy(tmp_path, services)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", services.token())
    return tmp_path


def test_release_signed_by_a_pipeline_is_accepted_by_lode_and_cosign(
    here: Path, services: Services, tools: list[Cosign], capsys: pytest.CaptureFixture[str]
) -> None:
    release = released.release(here / "r")
    assert run(["sign", str(release), "--key", "sigstore:"]) == 0
    capsys.readouterr()
    assert run(["verify", str(release), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signers"] == ["ci"]
    claim = ["--type", "urn:lode:claim:1"]
    for tool in tools:
        for name in ("lode.lock", "index.json"):
            bundle = ["--bundle", str(release / f"{name}.sigstore.json"), str(release / name)]
            for command, kind in (("verify-blob-attestation", claim), ("verify-blob", [])):
                done = tool.verify(command, *kind, *bundle)
                assert done.returncode == 0, done.stderr
        for person in (Person(identity=f"{PERSON.identity}x"), Person(issuer="https://evil.example.org")):
            assert tool.verify("verify-blob-attestation", *claim, *bundle, person=person).returncode != 0
    (release / "lode.lock").write_bytes((release / "lode.lock").read_bytes() + b"\n")
    for tool in tools:
        bundle = ["--bundle", str(release / "lode.lock.sigstore.json"), str(release / "lode.lock")]
        assert tool.verify("verify-blob", *bundle).returncode != 0
    assert run(["verify", str(release)]) == 9


def test_signing_again_asks_for_a_certificate_and_logs_nothing(here: Path, services: Services) -> None:
    release = released.release(here / "r")
    assert run(["sign", str(release), "--key", "sigstore:"]) == 0
    before = {file: file.read_bytes() for file in release.rglob("*") if file.is_file()}
    services.asked.clear()
    assert run(["sign", str(release), "--key", "sigstore:"]) == 0
    assert services.asked == ["/api/v2/signingCert"]
    assert {file: file.read_bytes() for file in release.rglob("*") if file.is_file()} == before


@pytest.fixture
def pushed(here: Path, services: Services, registry: LocalRegistry, request: pytest.FixtureRequest) -> Pushed:
    """Return an image in a registry that the pipeline has signed there."""
    name = "".join(each if each.isalnum() else "-" for each in request.node.name.lower()).strip("-")
    images = push(registry.host, f"keyless/{name}", released.release(here / "r"), attached=False)
    assert run(["sign", "image", images.reference(images.image), "--key", "sigstore:"]) == 0
    return images


def test_image_signed_by_a_pipeline_is_accepted_by_lode_and_cosign(
    pushed: Pushed, here: Path, tools: list[Cosign], capsys: pytest.CaptureFixture[str]
) -> None:
    image = pushed.reference(pushed.image)
    capsys.readouterr()
    assert run(["verify", "image", image, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signers"] == ["ci"]
    for tool in tools:
        done = tool.verify("verify", image)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert {each["critical"]["image"]["docker-manifest-digest"] for each in found} == {oci(pushed.image.digest)}
        done = tool.verify("verify-attestation", "--type", "urn:lode:claim:1", image)
        assert done.returncode == 0, done.stderr
        assert tool.verify("verify", image, person=Person(identity=f"{PERSON.identity}x")).returncode != 0


def test_nobody_accepts_an_image_by_another_instance(
    pushed: Pushed, here: Path, services: Services, tools: list[Cosign], tmp_path_factory: pytest.TempPathFactory
) -> None:
    image = pushed.reference(pushed.image)
    folder = tmp_path_factory.mktemp("other")
    with sigstore.running(services.instance.generation, folder, "thief") as other:
        write_keys(other.instance, here)
        for tool in tools:
            assert tool.verify("verify", image, root=other.root).returncode != 0
        write_policy(here, other)
        assert run(["verify", "image", image]) == 9


def test_lode_accepts_what_cosign_signed_by_identity(
    here: Path, services: Services, registry: LocalRegistry, tools: list[Cosign], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of cosign 3: what cosign 2 puts beside an image holds no proof of the log."""
    images = push(registry.host, f"theirs/{services.instance.generation}", released.release(here / "r"), attached=False)
    image = images.reference(images.image)
    assert run(["verify", "image", image]) == 9
    (here / "token").write_text(services.token())
    signing = ["--signing-config", str(services.config), "--trusted-root", str(services.root)]
    done = tools[-1]("sign", "--yes", *signing, "--identity-token", str(here / "token"), image)
    assert done.returncode == 0, done.stderr
    capsys.readouterr()
    assert run(["verify", "image", image, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signers"] == ["ci"]


def test_job_of_a_forge_signs_by_itself_where_the_policy_names_it(
    here: Path, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in GitHub Actions with the permission id-token: write; nobody says --key, and no key is made."""
    monkeypatch.delenv("SIGSTORE_ID_TOKEN")
    (here / "lode.lock").write_bytes((released.release(here / "r", images=False) / "lode.lock").read_bytes())
    assert run(["sign", "lode.lock"]) == 2
    assert "there is no signing key" in capsys.readouterr().err
    assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 10
    assert "nothing here has a token of who signs" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{services.url}/token?version=1")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the job")
    assert run(["sign", "lode.lock"]) == 0
    assert run(["verify", "lode.lock"]) == 0


def test_person_and_pipeline_together_meet_a_threshold(
    here: Path, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "lode.lock").write_bytes((released.release(here / "r", images=False) / "lode.lock").read_bytes())
    monkeypatch.setenv("LODE_KEY_PASSWORD", "correct horse")
    assert run(["keys", "init", "ada"]) == 0
    assert run(["keys", "export", "ada", "-o", "ada.pub"]) == 0
    pem = [f"      {line}" for line in (here / "ada.pub").read_text().splitlines()]
    write_policy(here, services, "keys:", "  ada:", "    public: |", *pem, keys="ci, ada], threshold: 2, stacks: ['*'")
    assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 0
    assert run(["verify", "lode.lock"]) == 13
    assert run(["sign", "lode.lock", "--key", "ada"]) == 0
    capsys.readouterr()
    assert run(["verify", "lode.lock", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signers"] == ["ada", "ci"]


def test_what_goes_wrong_is_said_and_nothing_is_written(
    here: Path, services: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "lode.lock").write_bytes((released.release(here / "r", images=False) / "lode.lock").read_bytes())
    log = f"/api/v{services.instance.generation}/log/entries"
    for path, message in (
        ("/api/v2/signingCert", "the Sigstore instance gave no certificate"),
        (log, "the Sigstore instance did not sign"),
    ):
        services.refusing.add(path)
        assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 10
        told = capsys.readouterr().err
        assert message in told
        assert "503" in told
        services.refusing.clear()
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", services.token(key=made("another issuer")))
    assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 10
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", "no token")
    assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 10
    assert "malformed" in capsys.readouterr().err
    (here / "trust.yaml").unlink()
    assert run(["sign", "lode.lock", "--key", "sigstore:"]) == 2
    assert "no trust policy here says which Sigstore instance is trusted" in capsys.readouterr().err
    assert not list(here.glob("lode.lock.*"))
    assert run(["keys", "import", "--signer", "sigstore:", "--name", "x"]) == 2
    assert "an identity has no key that could be kept" in capsys.readouterr().err


def test_root_of_the_policy_must_know_what_signs(
    here: Path, services: Services, capsys: pytest.CaptureFixture[str]
) -> None:
    """A root that was not renewed is noticed by who signs, not by those who verify years later."""
    document = json.loads(services.root.read_bytes())
    document["tlogs"][0]["logId"]["keyId"] = "AAAA"
    content = json.dumps(document).encode()
    (here / "root.json").write_bytes(content)
    old = hashlib.sha256(services.root.read_bytes()).hexdigest()
    policy = (here / "trust.yaml").read_text().replace(old, hashlib.sha256(content).hexdigest())
    (here / "trust.yaml").write_text(policy)
    (here / "f").write_bytes(b"x")
    assert run(["sign", "bundle", "f", "--stack", "mini@1", "--key", "sigstore:"]) == 9
    assert "the signature is in a log that the trusted root does not know" in capsys.readouterr().err
    assert not (here / "f.dsse").exists()


@pytest.mark.parametrize(
    ("forge", "file", "schema"),
    [
        ("github", ".github/workflows/dance-mini.yml", "vendor.github-workflows"),
        ("gitlab", "ci/pipelines/dance-mini.yml", "vendor.gitlab-ci"),
    ],
)
def test_rendered_pipeline_signs_by_identity_where_the_policy_names_one(
    here: Path, forge: str, file: str, schema: str
) -> None:
    assert run(["ci", "render", "dance-mini", "--to", forge, "-o", "with"]) == 0
    checking = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(here / "with" / file)]
    ended = subprocess.run(checking, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    (here / "trust.yaml").unlink()
    assert run(["ci", "render", "dance-mini", "--to", forge, "-o", "without"]) == 0
    signing, plain = (Path(folder, file).read_text() for folder in ("with", "without"))
    assert (signing.count("--key sigstore:"), plain.count("sigstore")) == (2, 0)
