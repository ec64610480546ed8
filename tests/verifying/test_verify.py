"""Only what the policy's keys signed is accepted, and a refusal says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.signing.factory import CONTENT, DIGESTS, TODAY, flips, policy, public, sealed, trusted

from lode import digest
from lode.definitions.trust import Minimum, Revoked, Rule, TrustPolicy, sole
from lode.errors import TrustError, VerificationError
from lode.signing import envelope
from lode.signing.claim import Kind
from lode.signing.envelope import Envelope
from lode.verifying.verify import Accepted, Sought, verify

SOUGHT = Sought(kind=Kind.LOCK, name="lode.lock", digests=DIGESTS)


def check(found: Envelope, trust: TrustPolicy, sought: Sought = SOUGHT) -> Accepted:
    return verify([("lode.lock.dsse", found)], trust, sought=sought, today=TODAY)


def refusal(found: Envelope, trust: TrustPolicy, sought: Sought = SOUGHT) -> tuple[type, list[str]]:
    with pytest.raises(VerificationError) as caught:
        check(found, trust, sought)
    return type(caught.value), [fault.message for fault in caught.value.faults]


def test_signature_of_a_trusted_key_is_accepted() -> None:
    accepted = check(sealed("one"), policy("one", "two"))
    assert (accepted.signers, accepted.claim.stack, accepted.warnings) == (("one",), "dance", ())
    assert check(sealed("one"), sole(public("one"))).signers == ("given",)


def test_nothing_signed_is_refused() -> None:
    with pytest.raises(VerificationError, match=r"lode\.lock is not signed"):
        verify([], policy("one"), sought=SOUGHT, today=TODAY)


def test_unknown_key_is_refused() -> None:
    assert refusal(sealed("other"), policy("one")) == (
        TrustError,
        [f"a signature does not count: the trust policy does not know the key {public('other').fingerprint[:16]}"],
    )


def test_expired_key_is_refused() -> None:
    trust = policy("one", keys=(trusted("one", expires="2026-11-24"),))
    assert refusal(sealed("one"), trust) == (
        TrustError, ["a signature does not count: the key one expired on 2026-11-24"],
    )  # fmt: skip
    assert check(sealed("one"), policy("one", keys=(trusted("one", expires="2026-11-25"),))).warnings


def test_revoked_key_is_refused() -> None:
    revoked = Revoked(fingerprint=public("one").fingerprint, reason="the laptop was stolen", since="2026-11-01")
    assert refusal(sealed("one"), policy("one", revoked=(revoked,))) == (
        TrustError,
        ["a signature does not count: the key one was revoked on 2026-11-01: the laptop was stolen"],
    )


def test_threshold_counts_different_keys() -> None:
    trust = policy("one", "two", "three", threshold=2)
    assert refusal(sealed("one"), trust) == (
        TrustError, ["the lock of dance must be signed by 2 of one, two, three; it is signed by one"],
    )  # fmt: skip
    assert check(sealed("one", "three"), trust).signers == ("one", "three")


def test_threshold_is_met_over_several_envelopes_of_one_statement() -> None:
    trust = policy("one", "two", threshold=2)
    both = sealed("one", "two")
    apart = [("x", replace(both, signatures=(each,))) for each in both.signatures]
    assert verify(apart, trust, sought=SOUGHT, today=TODAY).signers == ("one", "two")
    twice = [("x", replace(both, signatures=(each,))) for each in (both.signatures[0], both.signatures[0])]
    with pytest.raises(TrustError):
        verify(twice, trust, sought=SOUGHT, today=TODAY)


def test_different_statements_do_not_add_up() -> None:
    trust = policy("one", "two", threshold=2)
    found = [("a", sealed("one")), ("b", sealed("two", signed="2026-11-26T00:00:00Z"))]
    with pytest.raises(TrustError) as caught:
        verify(found, trust, sought=SOUGHT, today=TODAY)
    assert len(caught.value.faults) == 2


def test_first_rule_that_covers_a_subject_decides() -> None:
    rules = (
        Rule(kinds=(Kind.LOCK,), stacks=("dance*",), keys=("one",)),
        Rule(kinds=tuple(Kind), stacks=("*",), keys=("two",)),
    )
    trust = policy("one", "two", rules=rules)
    assert check(sealed("one"), trust).signers == ("one",)
    assert refusal(sealed("two"), trust) == (
        TrustError, ["the lock of dance must be signed by 1 of one; it is signed by two"],
    )  # fmt: skip
    assert refusal(sealed("one", stack="other"), trust)[0] is TrustError


def test_no_rule_is_no_trust() -> None:
    rules = (Rule(kinds=(Kind.IMAGE,), stacks=("*",), keys=("one",)),)
    assert refusal(sealed("one"), policy("one", rules=rules)) == (
        TrustError, ["the trust policy dance has no rule for the lock of dance"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("minimum", "accepted"),
    [
        (Minimum(release="2026.10"), True),
        (Minimum(release="2026.11"), True),
        (Minimum(release="2026.11", sequence=3), True),
        (Minimum(release="2026.11", sequence=4), False),
        (Minimum(release="2026.12"), False),
    ],
)
def test_older_release_than_the_minimum_is_refused(minimum: Minimum, accepted: bool) -> None:
    trust = policy("one", minimum={"dance": minimum, "other": Minimum(release="9")})
    found = sealed("one", sequence=3)
    if accepted:
        assert check(found, trust).claim.sequence == 3
    else:
        oldest = f"{minimum.release} ({minimum.sequence})"
        assert refusal(found, trust) == (
            TrustError, [f"dance 2026.11 (3) is older than {oldest}, the oldest that is accepted"],
        )  # fmt: skip


def test_expired_policy_accepts_nothing() -> None:
    assert refusal(sealed("one"), policy("one", expires="2026-11-24")) == (
        TrustError, ["the trust policy dance expired on 2026-11-24"],
    )  # fmt: skip


def test_expiry_is_warned_of_in_advance() -> None:
    trust = policy("one", "two", expires="2026-12-01", keys=(trusted("one", expires="2026-11-26"), trusted("two")))
    assert [fault.message for fault in check(sealed("one"), trust).warnings] == [
        "the trust policy dance expires in 6 days, on 2026-12-01",
        "the key one expires in 1 day, on 2026-11-26",
    ]
    assert len(check(sealed("two"), trust).warnings) == 1


@pytest.mark.parametrize(
    ("sought", "message"),
    [
        ({"kind": Kind.PREFIX}, "what was signed is a lock, not the prefix lode.lock"),
        ({"stack": "other"}, "lode.lock was signed as stack 'dance', not 'other'"),
        ({"release": "2026.12"}, "lode.lock was signed as release '2026.11', not '2026.12'"),
        ({"digests": {}}, f"lode.lock is not what was signed: its sha256 is none…, that of the signed one "
                          f"{DIGESTS['sha256'][:16]}…"),
        ({"digests": {"sha256": "0" * 64}}, f"lode.lock is not what was signed: its sha256 is {'0' * 16}…, that of the "
                                            f"signed one {DIGESTS['sha256'][:16]}…"),
    ],
)  # fmt: skip
def test_another_thing_than_was_signed_is_refused(sought: dict[str, Any], message: str) -> None:
    assert refusal(sealed("one"), policy("one"), replace(SOUGHT, **sought)) == (VerificationError, [message])


def test_signature_that_names_another_key_is_refused() -> None:
    made = sealed("one")
    lying = replace(made, signatures=(replace(made.signatures[0], keyid="0" * 64),))
    assert refusal(lying, policy("one")) == (
        VerificationError, ["lode.lock.dsse: the signature by the key one names another key"],
    )  # fmt: skip


def test_one_bad_signature_spoils_good_ones() -> None:
    made = sealed("one", "two")
    bad = replace(made.signatures[0], content=made.signatures[1].content)
    kind, messages = refusal(replace(made, signatures=(bad, made.signatures[1])), policy("one", "two"))
    assert (kind, len(messages)) == (VerificationError, 1)
    assert messages[0].endswith("is not by it, or not of these bytes")


def test_every_changed_byte_of_an_envelope_is_refused() -> None:
    trust = policy("one", "two")
    for at, changed in flips(envelope.dump(sealed("one", "two"))):
        with pytest.raises(VerificationError) as caught:
            check(envelope.load(changed, "lode.lock.dsse"), trust)
        assert str(caught.value), at


def test_every_changed_byte_of_the_subject_is_refused() -> None:
    found, trust = sealed("one"), policy("one")
    for _, changed in flips(CONTENT):
        with pytest.raises(VerificationError):
            check(found, trust, replace(SOUGHT, digests={"sha256": digest.of_bytes(changed)}))


ONCE = envelope.dump(sealed("one"))  # a signature's length differs from one to the next


@given(st.data())
def test_no_other_bytes_in_place_of_some_are_accepted(data: st.DataObject) -> None:
    content = ONCE
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, min(start + 40, len(content))))
    changed = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    if changed != content:
        with pytest.raises(VerificationError):
            check(envelope.load(changed, "x"), policy("one"))
