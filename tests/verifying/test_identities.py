"""A signature without a key counts when a certificate, a log and a time prove whose it is; else the reason is said."""

from __future__ import annotations

import builtins
import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.signing import factory
from tests.signing.factory import DIGESTS, TODAY, public
from tests.signing.identities import NOW, PERSON, altered, identity, place, policy, sealed, signed, trusted, unsigned
from tests.signing.instance import Instance, Person

from lode import digest
from lode.definitions.trust import Revoked, Rule, TrustPolicy
from lode.errors import HostError, TrustError, VerificationError
from lode.signing import cosign, envelope, keyless, material, statement
from lode.signing.claim import Kind
from lode.signing.envelope import Envelope
from lode.verifying.image import verify_image
from lode.verifying.verify import Accepted, Sought, verify

SOUGHT = Sought(kind=Kind.LOCK, name="lode.lock", digests=DIGESTS)
GOOD = f"the signature by {identity()} is not good by the trusted root"


def check(found: Envelope, trust: TrustPolicy) -> Accepted:
    return verify([("lode.lock.dsse", found)], trust, sought=SOUGHT, today=TODAY)


def refusal(found: Envelope, trust: TrustPolicy) -> tuple[type, str]:
    with pytest.raises(VerificationError) as caught:
        check(found, trust)
    return type(caught.value), "; ".join(fault.message for fault in caught.value.faults)


def test_identity_of_the_policy_is_accepted_by_logs_of_both_generations() -> None:
    for generation in (1, 2):
        made = place(generation)
        accepted = check(sealed(made=made), policy(root=made.root()))
        assert (accepted.signers, accepted.claim.stack) == (("ci",), "dance")


def test_any_branch_is_accepted_where_the_policy_says_so() -> None:
    workflow = PERSON.identity.partition("@")[0]
    anywhere = policy(trusted(identity=f"{workflow}@*"))
    assert check(sealed(), anywhere).signers == ("ci",)
    assert check(sealed(person=replace(PERSON, identity=f"{workflow}@refs/tags/v1")), anywhere).signers == ("ci",)
    for other in (f"{workflow}", "https://forge.example.org/dance/other/.ci.yml@refs/heads/main", f"{workflow}@a b"):
        kind, message = refusal(sealed(person=replace(PERSON, identity=other)), anywhere)
        assert (kind, "does not know the identity" in message) == (TrustError, True)


@pytest.mark.parametrize(
    ("person", "message"),
    [
        (Person(identity="https://forge.example.org/x"),
         "the trust policy does not know the identity https://forge.example.org/x of "
         "https://forge.example.org/dance/dance (https://forge.example.org)"),
        (Person(issuer="https://evil.example.org"),
         f"{PERSON.identity} is vouched for by https://evil.example.org; of ci the issuer is https://forge.example.org"),
        (Person(repository="https://forge.example.org/thief/dance"),
         f"{PERSON.identity} ran for https://forge.example.org/thief/dance; of ci the repository is "
         "https://forge.example.org/dance/dance"),
        (Person(repository=""),
         f"{PERSON.identity} ran for no repository that it names; of ci the repository is "
         "https://forge.example.org/dance/dance"),
    ],
    ids=["identity", "issuer", "repository", "no repository"],
)  # fmt: skip
def test_another_identity_is_refused_with_what_differs(person: Person, message: str) -> None:
    assert refusal(sealed(person=person), policy()) == (TrustError, f"a signature does not count: {message}")


def test_person_with_an_address_is_accepted() -> None:
    person = Person(identity="ada@example.org", repository="")
    assert check(sealed(person=person), policy(trusted(identity="ada@example.org", repository=""))).signers == ("ci",)


def test_another_instance_proves_nothing() -> None:
    other = place(name="sigstore.example.com")
    kind, message = refusal(sealed(made=other), policy())
    assert kind is VerificationError
    assert message == "the signature is in a log that the trusted root does not know"


def test_certificate_of_another_authority_is_refused() -> None:
    """The log is the right one, so that the certificate alone is not."""
    other = place(name="sigstore.example.com")
    mixed = place().root().replace(*(each.root().split(b'"certificateAuthorities"')[1].split(b'"ctlogs"')[0]
                                     for each in (place(), other)))  # fmt: skip
    kind, message = refusal(sealed(), policy(root=mixed))
    assert (kind, GOOD in message, "certificate chain" in message) == (VerificationError, True, True)


def test_certificate_that_was_over_is_refused() -> None:
    issued = NOW - datetime.timedelta(minutes=11)
    for generation in (1, 2):
        late = signed(unsigned(), made=place(generation), issued=issued)
        kind, message = refusal(late, policy(root=place(generation).root()))
        assert (kind, GOOD in message) == (VerificationError, True)


def drop_entry(data: dict[str, Any]) -> None:
    del data["tlogEntries"]


def empty_log(data: dict[str, Any]) -> None:
    data["tlogEntries"] = []


def drop_proof(data: dict[str, Any]) -> None:
    del data["tlogEntries"][0]["inclusionProof"]


def drop_stamp(data: dict[str, Any]) -> None:
    del data["timestampVerificationData"]


def rename_stamps(data: dict[str, Any]) -> None:
    data["timestampVerificationData"] = {"rfc3161": data["timestampVerificationData"]["rfc3161Timestamps"]}


def other_size(data: dict[str, Any]) -> None:
    data["tlogEntries"][0]["inclusionProof"]["treeSize"] = "1000"


def other_stamp(data: dict[str, Any]) -> None:
    """Add a time stamp of something else beside the good one."""
    (others,) = sealed(release="2026.12").signatures
    listed = data["timestampVerificationData"]["rfc3161Timestamps"]
    listed += (others.material or {})["timestampVerificationData"]["rfc3161Timestamps"]


def other_entry(data: dict[str, Any]) -> None:
    (others,) = sealed(release="2026.12").signatures
    data["tlogEntries"] = (others.material or {})["tlogEntries"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_entry, "the signature is in no transparency log"),
        (empty_log, "the signature is in no transparency log, or in several"),
        (drop_proof, "its log proves nothing"),
        (drop_stamp, "nothing proves when the signature was made: neither a log's promise nor a time stamp"),
        (rename_stamps, "not a sigstore bundle: it has an unknown key 'rfc3161'"),
        (other_size, "the log's checkpoint is of another size than the proof"),
        (other_stamp, "not enough sources of verified time"),
        (other_entry, "transparency log entry is inconsistent with other materials"),
    ],
)
def test_what_is_missing_or_another_is_named(change: Callable[[dict[str, Any]], None], message: str) -> None:
    kind, told = refusal(altered(sealed(), change), policy())
    assert (kind, told.endswith(message)) == (VerificationError, True), told


def say_no_time(data: dict[str, Any]) -> None:
    data["tlogEntries"][0]["integratedTime"] = "0"


def test_forms_of_other_programs_are_read() -> None:
    """Rekor 2 says 0 for the time that it does not say; protobuf leaves the number of a log's first entry out."""
    assert check(altered(sealed(), say_no_time), policy()).signers == ("ci",)
    first = Instance(name="first", url="https://rekor.example.org")

    def bare(data: dict[str, Any]) -> None:
        del data["tlogEntries"][0]["logIndex"], data["tlogEntries"][0]["inclusionProof"]["logIndex"]

    with pytest.raises(VerificationError):
        check(altered(sealed(), bare), policy())
    found = sealed(made=first)
    assert check(found, policy(root=first.root())).signers == ("ci",)


def test_what_is_kept_of_a_bundle_is_what_can_be_checked() -> None:
    (signature,) = sealed().signatures
    kept: dict[str, Any] = json.loads(digest.canonical(signature.material))
    assert material.tidied(kept) == kept
    loud = json.loads(digest.canonical(kept))
    loud["tlogEntries"][0] |= {"integratedTime": "0", "inclusionPromise": None}
    loud["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"] += "\N{EM DASH} witness.example.org AAAAAAAA\n"
    loud["publicKey"] = None
    assert material.tidied(loud) == kept


def test_signature_taken_from_another_claim_is_refused() -> None:
    other = sealed(release="2026.12")
    kind, message = refusal(replace(sealed(), payload=other.payload), policy())
    assert (kind, GOOD in message) == (VerificationError, True)


def test_fingerprint_must_be_that_of_the_certificate() -> None:
    (signature,) = sealed().signatures
    for keyid in ("", public("one").fingerprint):
        kind, message = refusal(replace(sealed(), signatures=(replace(signature, keyid=keyid),)), policy())
        assert (kind, message) == (VerificationError, f"the signature by {identity()} names another identity")


def test_expired_identity_is_refused() -> None:
    kind, message = refusal(sealed(), policy(trusted(expires="2026-11-24")))
    assert (kind, message) == (TrustError, "a signature does not count: the identity ci expired on 2026-11-24")
    assert [each.message for each in check(sealed(), policy(trusted(expires="2026-11-26"))).warnings] == [
        "the identity ci expires in 1 day, on 2026-11-26"
    ]


def test_revoked_identity_is_refused() -> None:
    revoked = (Revoked(fingerprint=identity().fingerprint, reason="the forge was broken into"),)
    kind, message = refusal(sealed(), policy(revoked=revoked))
    assert (kind, message) == (
        TrustError, "a signature does not count: the identity ci was revoked: the forge was broken into",
    )  # fmt: skip


def both(threshold: int = 2) -> TrustPolicy:
    rule = Rule(kinds=tuple(Kind), stacks=("*",), keys=("ci", "one"), threshold=threshold)
    return policy(keys=(factory.trusted("one"),), rules=(rule,))


def test_threshold_counts_keys_and_identities_together() -> None:
    assert check(sealed("one"), both()).signers == ("ci", "one")
    kind, message = refusal(sealed(), both())
    assert (kind, message) == (TrustError, "the lock of dance must be signed by 2 of ci, one; it is signed by ci")


def test_stranger_beside_a_key_is_passed_over_and_forged_name_is_not() -> None:
    assert check(sealed("one", person=Person(identity="https://x.example.org/y")), both(1)).signers == ("one",)
    forged = sealed("one", made=place(name="sigstore.example.com"))
    assert refusal(forged, both(1))[0] is VerificationError


def test_missing_library_is_named_and_nothing_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    found, trust = sealed("one"), both(1)
    taken = builtins.__import__

    def without(name: str, *arguments: Any, **more: Any) -> Any:
        if name.startswith("sigstore"):
            raise ModuleNotFoundError("No module named 'sigstore'")
        return taken(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HostError) as caught:
        check(found, trust)
    assert str(caught.value) == (
        "signatures by an identity need the Python library sigstore, which is not here: No module named 'sigstore'\n"
        "  hint: pip install 'lode[sigstore]'"
    )
    stranger = replace(trust, identities=())
    assert check(found, stranger).signers == ("one",)  # nobody whom the policy knows: nothing to check


@pytest.mark.parametrize("generation", [1, 2])
def test_every_byte_of_an_envelope_counts(generation: int) -> None:
    made = place(generation)
    trust, content = policy(root=made.root()), envelope.dump(sealed(made=made))
    for at, byte in enumerate(content):
        changed = content[:at] + bytes([byte ^ (0x01, 0x02, 0x20, 0x80)[at % 4]]) + content[at + 1 :]
        assert is_refused(changed, trust), f"byte {at} does not count: {changed[max(0, at - 40) : at + 20]!r}"


@pytest.mark.parametrize("generation", [1, 2])
def test_every_character_of_what_proves_it_counts_by_itself(generation: int) -> None:
    """Whoever alters it on purpose writes a new sum as well; only what nobody signs of a time stamp may change."""
    made = place(generation)
    trust, found = policy(root=made.root()), sealed(made=made)
    content = digest.canonical(found.signatures[0].material)
    stamp = content.find(b'"signedTimestamp"')
    passed = []
    for at, byte in enumerate(content[:stamp] if stamp > 0 else content):
        changed = content[:at] + bytes([byte ^ (0x01, 0x02, 0x04, 0x10)[at % 4]]) + content[at + 1 :]
        try:
            data = json.loads(changed)
        except ValueError:
            continue
        if not is_refused(
            envelope.dump(altered(found, lambda held, data=data: (held.clear(), held.update(data)))), trust
        ):
            passed.append(changed[max(0, at - 40) : at + 20])
    assert passed == []


def is_refused(content: bytes, trust: TrustPolicy) -> bool:
    try:
        check(envelope.load(content, "lode.lock.dsse"), trust)
    except VerificationError:
        return True
    return False


def test_bundle_beside_an_image_is_accepted_by_identity() -> None:
    image = public("any").fingerprint
    found = signed(
        Envelope(
            payload=statement.dump(cosign.image_statement(image)), payload_type=envelope.PAYLOAD_TYPE, signatures=()
        )
    )
    content = keyless.bundle(found, found.signatures[0])
    read = cosign.read_bundle(content, "the referrer")
    sought = Sought(kind=Kind.IMAGE, name="image", digests={"sha256": image})
    labels = factory.claimed(kind=Kind.IMAGE)
    accepted = verify_image(image, (), [("it", read)], policy(), sought=sought, labels=labels, today=TODAY)
    assert accepted.accepted.signers == ("ci",)
    with pytest.raises(VerificationError, match="of another image"):
        verify_image(public("other").fingerprint, (), [("it", read)], policy(), sought=sought, labels=labels,
                     today=TODAY)  # fmt: skip
