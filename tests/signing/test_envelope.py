"""An envelope has one form of bytes, and its signatures are DSSE's."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from securesystemslib.dsse import Envelope as LibraryEnvelope
from securesystemslib.signer import Signature as LibrarySignature
from securesystemslib.signer import Signer
from tests.signing.factory import claimed, flips, public, sealed, signer

from lode.errors import HostError, VerificationError
from lode.signing import claim, envelope, keys


def test_what_is_dumped_is_loaded() -> None:
    made = sealed("one", "two")
    assert envelope.load(envelope.dump(made), "x.dsse") == made
    assert claim.read(made.statement("x"), "x") == claimed()


def test_securesystemslib_accepts_the_envelope() -> None:
    document = json.loads(envelope.dump(sealed("one", "two")))
    accepted = LibraryEnvelope.from_dict(document).verify(
        [keys.library_key(public(name)) for name in ("one", "two")], 2
    )
    assert set(accepted) == {public("one").fingerprint, public("two").fingerprint}


def test_second_signature_of_a_key_takes_the_place_of_the_first() -> None:
    made = envelope.add(sealed("one", "two"), signer("one"))
    assert [each.keyid for each in made.signatures] == sorted(public(name).fingerprint for name in ("one", "two"))


def test_no_changed_byte_leaves_an_envelope_that_is_loaded_as_the_same() -> None:
    made = sealed("one")
    for at, changed in flips(envelope.dump(made)):
        with contextlib.suppress(VerificationError):
            assert envelope.load(changed, "x.dsse") != made, at


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not a DSSE envelope: it is no JSON object"),
        ("{", "not a DSSE envelope: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"a":1,"a":1}', "not a DSSE envelope: a key is given twice"),
        ('{"payload":"","payloadType":"","signatures":[],"a":1}', "not a DSSE envelope: it has an unknown key 'a'"),
        ('{"payload":"","payloadType":"x"}', "not a DSSE envelope: it lacks 'signatures'"),
        ('{"payload":1,"payloadType":"x","signatures":[]}', "not a DSSE envelope: 'payload' is of the wrong type"),
        ('{"payload":"","payloadType":"x","signatures":[]}', "the envelope has no signature"),
        (
            '{"payload":"","payloadType":"x","signatures":[{"sig":"YR=="}]}',
            "not a DSSE envelope: its base64 is not canonical",
        ),
        (
            '{"payload":"","payloadType":"x","signatures":[{"sig":""},{"sig":""}]}',
            "not a DSSE envelope: two signatures name one key",
        ),
    ],
)  # fmt: skip
def test_refused_envelope_says_why(text: str, message: str) -> None:
    with pytest.raises(VerificationError) as caught:
        envelope.load(text.encode(), "x.dsse")
    assert str(caught.value) == f"x.dsse: {message}\n  hint: it was cut or altered; take it again from its source"


def test_deep_nesting_is_refused_in_a_sentence() -> None:
    with pytest.raises(VerificationError, match="not a DSSE envelope"):
        envelope.load(b"[" * 100_000, "x.dsse")


class BrokenSigner(Signer):
    """A token that was pulled out."""

    @property
    def public_key(self) -> Any:
        return keys.library_key(public("one"))

    @classmethod
    def from_priv_key_uri(cls, *_: Any) -> BrokenSigner:
        return cls()

    def sign(self, payload: bytes) -> LibrarySignature:
        raise RuntimeError("no card")


def test_signer_that_fails_is_told_in_one_sentence() -> None:
    with pytest.raises(HostError) as caught:
        envelope.seal(claim.statement(claimed(), "x", {"sha256": "0" * 64}), BrokenSigner())
    assert str(caught.value) == "the Broken signer did not sign: RuntimeError: no card"
