"""A trust policy is read whole, or every fault of it is told at its place."""

from __future__ import annotations

import datetime
import textwrap

import pytest
from tests.signing.factory import public

from lode import digest
from lode.definitions import read_trust
from lode.definitions.trust import Minimum, Revoked, Rule, TrustedIdentity, TrustedRoot, TrustPolicy
from lode.errors import DefinitionError
from lode.signing.claim import Kind


def pem(name: str) -> str:
    return textwrap.indent(public(name).pem.decode(), "      ")


WHOLE = f"""name: dance
expires: 2027-11-25
keys:
  one:
    public: |
{pem("one")}
    expires: 2027-01-31
    summary: the software coordinator's
  two:
    public: |
{pem("two")}
rules:
  - {{sign: [image, release], stacks: [dance, "dance-*"], keys: [one, two], threshold: 2}}
  - {{sign: [lock], keys: [one]}}
revoked:
  - {{fingerprint: "{"0" * 64}", reason: lost, since: 2026-01-31}}
minimum:
  dance: "2026.10"
  dance-mini: {{release: "2026.11", sequence: 2}}
"""


ROOT = b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
ROOT_SHA256 = digest.of_bytes(ROOT)


def beside(name: str) -> bytes:
    if name == "root.json":
        return ROOT
    if name == "other.json":
        return b"{}"
    raise FileNotFoundError(2, "No such file or directory")


def read(text: str) -> TrustPolicy:
    return read_trust.read(text.encode(), file="trust.yaml", beside=beside)


def faults(text: str) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    return str(caught.value).split("\n")


def test_whole_policy_is_read() -> None:
    policy = read(WHOLE)
    assert (policy.name, policy.expires) == ("dance", "2027-11-25")
    assert [(key.name, key.public, key.expires, key.summary) for key in policy.keys] == [
        ("one", public("one"), "2027-01-31", "the software coordinator's"),
        ("two", public("two"), None, ""),
    ]
    assert policy.rules == (
        Rule(kinds=(Kind.IMAGE, Kind.RELEASE), stacks=("dance", "dance-*"), keys=("one", "two"), threshold=2),
        Rule(kinds=(Kind.LOCK,), stacks=("*",), keys=("one",)),
    )
    assert policy.revoked == (Revoked(fingerprint=public("x").fingerprint.__class__("0" * 64), reason="lost",
                                      since="2026-01-31"),)  # fmt: skip
    assert policy.minimum == {
        "dance": Minimum(release="2026.10"),
        "dance-mini": Minimum(release="2026.11", sequence=2),
    }
    assert policy.rule(Kind.IMAGE, "dance-mini") == policy.rules[0]
    assert policy.rule(Kind.IMAGE, "other") is None


def test_policy_without_keys_trusts_nobody() -> None:
    assert read("name: dance\nexpires: 2027-11-25\nkeys: {}\nrules: []\n").rule(Kind.LOCK, "dance") is None


def test_all_faults_are_told_at_their_places() -> None:
    assert faults(f"""name: Dance
expire: 2027-11-25
keys:
  one: {{public: "no key"}}
  two:
    public: |
{pem("two")}
  three:
    public: |
{pem("two")}
rules:
  - {{sign: [lok], keys: [tow], threshold: 2}}
  - {{sign: [image], keys: [two]}}
  - {{sign: [image], stacks: [dance], keys: [two]}}
revoked: [{{fingerprint: ab, reason: lost}}]
""") == [
        "trust.yaml:1:7: name: 'Dance' is not a name",
        "  hint: lower-case letters, digits and dashes: release-2026",
        "trust.yaml:2:1: trust: unknown key 'expire'",
        "  hint: did you mean 'expires'?",
        "trust.yaml:4:17: public: this is not a public key that Lode reads",
        "  hint: a PEM block that begins with -----BEGIN PUBLIC KEY-----, of ECDSA P-256, P-384 or Ed25519",
        "trust.yaml:6:13: public: the keys three and two are the same",
        "  hint: give it one name",
        "trust.yaml:20:13: sign: 'lok' is not known",
        "  hint: did you mean 'lock'?",
        "trust.yaml:20:26: keys: there is no key called 'tow'",
        "  hint: did you mean 'two'?",
        "trust.yaml:20:43: threshold: 2 signatures of 1 key cannot be had",
        "trust.yaml:22:5: rule: the rules above cover all of it",
        "  hint: the first rule that covers a subject decides: put the narrower one first",
        "trust.yaml:23:25: fingerprint: 'ab' is not a sha256",
        "  hint: 64 lower-case hexadecimal digits",
    ]


def test_minimum_is_of_one_stack() -> None:
    assert faults('name: d\nexpires: 2027-11-25\nminimum: {"dance*": "2026.10"}\n') == [
        "trust.yaml:3:11: minimum: 'dance*' is not a stack's name",
        "  hint: one stack's, without `*`; for cvmfs the repository's name",
    ]


def test_private_key_in_a_policy_is_named() -> None:
    told = faults("name: d\nexpires: 2027-11-25\nkeys: {a: {public: '-----BEGIN PRIVATE KEY-----'}}\n")
    assert told == [
        "trust.yaml:3:20: public: this is a private key, which nobody else should see",
        "  hint: give the public one",
    ]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2026-11-24", "the trust policy d expired on 2026-11-24"),
        ("2026-11-25", "the trust policy d expires today, on 2026-11-25"),
        ("2027-01-09", "the trust policy d expires in 45 days, on 2027-01-09"),
        ("2027-01-10", None),
    ],
)
def test_expiry_is_told_some_weeks_before(day: str, message: str | None) -> None:
    policy = read(f"name: d\nexpires: {day}\n")
    told = [fault.message for fault in read_trust.expiring(policy, datetime.date(2026, 11, 25))]
    assert told == ([message] if message else [])


IDENTITIES = f"""name: dance
expires: 2027-11-25
keys:
  one:
    public: |
{pem("one")}
identities:
  ci:
    identity: https://forge.example.org/dance/.ci.yml@*
    issuer: https://forge.example.org
    repository: https://forge.example.org/dance
    expires: 2027-01-31
    summary: the pipeline
sigstore: {{root: root.json, sha256: {ROOT_SHA256}}}
rules: [{{sign: [release], keys: [one, ci], threshold: 2}}]
"""


def test_identities_are_read_with_what_proves_them() -> None:
    policy = read(IDENTITIES)
    assert policy.identities == (
        TrustedIdentity(
            name="ci",
            identity="https://forge.example.org/dance/.ci.yml@*",
            issuer="https://forge.example.org",
            repository="https://forge.example.org/dance",
            expires="2027-01-31",
            summary="the pipeline",
        ),
    )
    assert policy.sigstore == TrustedRoot(file="root.json", content=ROOT)
    assert policy.rules[0].keys == ("one", "ci")
    private = read(IDENTITIES.replace("root: root.json", "services: other.json, root: root.json"))
    assert private.sigstore == TrustedRoot(file="root.json", content=ROOT, services=b"{}")
    warned = list(read_trust.expiring(policy, datetime.date(2027, 1, 30)))
    assert [each.message for each in warned] == ["the identity ci expires in 1 day, on 2027-01-31"]


def test_faults_of_identities_are_told_at_their_places() -> None:
    assert faults(f"""name: dance
expires: 2027-11-25
keys:
  one:
    public: |
{pem("one")}
identities:
  one: {{identity: "https://f.example.org/*", issuer: https://f.example.org}}
  two: {{identity: "f@*", issuer: https://f.example.org}}
  three: {{identity: "f@main", issuer: https://f.example.org, repository: https://f.example.org/r}}
  four: {{identity: "f@main", issuer: https://g.example.org}}
rules: []
""") == [
        "trust.yaml:12:3: identities: one is the name of a key",
        "  hint: give it another name",
        "trust.yaml:12:3: identities: nothing proves them, the key `sigstore` is missing",
        "  hint: sigstore: {root: FILE, sha256: ITS-SHA256}; docs/how-to/keyless.md says where it comes from",
        "trust.yaml:12:19: identity: 'https://f.example.org/*' is not an identity",
        "  hint: as the certificate says it, a URL or an address; `*` may stand at its end, after the @: any branch or "
        "commit",
        "trust.yaml:13:19: identity: three and two may be the same",
        "  hint: give it one name",
    ]


@pytest.mark.parametrize(
    ("sigstore", "told"),
    [
        (f"{{root: none.json, sha256: {ROOT_SHA256}}}",
         ["trust.yaml:18:18: root: none.json cannot be read: No such file or directory",
          "  hint: it lies beside this file"]),
        (f"{{root: root.json, sha256: '{'0' * 64}'}}",
         [f"trust.yaml:18:37: sha256: root.json is another file: its sha256 is {ROOT_SHA256}",
          "  hint: it was altered, or is a newer one: look at it before you name it here"]),
        (f"{{root: other.json, sha256: {digest.of_bytes(b'{}')}}}",
         ["trust.yaml:18:18: root: other.json is not a trusted root of Sigstore's",
          "  hint: a JSON file with the media type application/vnd.dev.sigstore.trustedroot+json;version=0.1"]),
        ("{root: ../root.json, sha256: '" + ROOT_SHA256 + "'}",
         ["trust.yaml:18:18: root: '../root.json' is not a file's name", "  hint: a file beside this one"]),
        (f"{{root: root.json, sha256: {ROOT_SHA256}, services: none.json}}",
         ["trust.yaml:18:113: services: none.json cannot be read: No such file or directory",
          "  hint: it lies beside this file"]),
    ],
    ids=["missing", "altered", "no root", "elsewhere", "no services"],
)  # fmt: skip
def test_trusted_root_must_be_the_file_that_the_policy_names(sigstore: str, told: list[str]) -> None:
    whole = f"sigstore: {{root: root.json, sha256: {ROOT_SHA256}}}"
    assert faults(IDENTITIES.replace(whole, f"sigstore: {sigstore}")) == told
