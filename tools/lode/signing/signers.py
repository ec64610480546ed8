"""Signers that are not a file of ours: hardware tokens and key services, named by URI, through securesystemslib.

`hsm:` is a PKCS #11 token such as a YubiKey, `awskms:`, `azurekms:`, `gcpkms:` and `hv:` (Vault) are key services,
`file2:` is a PKCS #8 file. The private key stays where it is; its public half is asked for once and kept.
"""

from __future__ import annotations

from collections.abc import Callable

from securesystemslib.signer import (
    SIGNER_FOR_URI_SCHEME,
    AWSSigner,
    AzureSigner,
    GCPSigner,
    HSMSigner,
    Signer,
    SSlibKey,
    VaultSigner,
)

from lode.errors import HostError, UsageError
from lode.signing.keys import PublicKey, library_key, load_public

Secret = Callable[[str], str]  # what is asked for ("pin") to the answer

SCHEMES = ("hsm", "awskms", "azurekms", "gcpkms", "hv", "file2")


def is_uri(text: str) -> bool:
    """Return whether `text` names a signer by URI."""
    return text.partition(":")[0] in SCHEMES and ":" in text


def public_half(uri: str, secret: Secret) -> PublicKey:
    """Return the public key of the signer at `uri`, asked from the token or the service; HostError when it is silent.

    UsageError for a kind of signer that cannot be asked.
    """
    scheme, _, rest = uri.partition(":")
    try:
        match scheme:
            case "hsm":
                number, _, query = rest.partition("?")
                found = HSMSigner.import_(int(number) if number else None, _label(query), secret)[1]
            case "awskms":
                found = AWSSigner.import_(rest)[1]
            case "gcpkms":
                found = GCPSigner.import_(rest)[1]
            case "azurekms":
                vault, _, name = rest.removeprefix("//").partition("/keys/")
                found = AzureSigner.import_(vault.partition(".")[0], name.partition("/")[0])[1]
            case "hv":
                found = VaultSigner.import_(rest.partition("/")[0])[1]
            case _:
                raise UsageError(f"a {scheme} signer cannot be asked for its public key", hint="give it with --public")
    except UsageError:
        raise
    except Exception as error:  # each library behind a signer has errors of its own
        raise _silent(uri, error) from error
    return load_public(_pem(found), uri)


def by_uri(uri: str, public: PublicKey, secret: Secret) -> Signer:
    """Return the signer at `uri`, whose public key is `public`; HostError when it cannot be used here."""
    if uri.partition(":")[0] not in SIGNER_FOR_URI_SCHEME:
        raise UsageError(f"there is no kind of signer called {uri.partition(':')[0]!r}", hint=f"{', '.join(SCHEMES)}")
    try:
        return Signer.from_priv_key_uri(uri, library_key(public), secret)
    except Exception as error:
        raise _silent(uri, error) from error


def _silent(uri: str, error: Exception) -> HostError:
    hint = "what a kind of signer needs on this machine is in docs/how-to/trust.md"
    return HostError(f"the signer {uri} cannot be used: {type(error).__name__}: {error}", hint=hint)


def _label(query: str) -> str | None:
    from urllib.parse import parse_qs

    return parse_qs(query).get("label", [None])[0]


def _pem(key: SSlibKey) -> bytes:
    text: str = key.keyval["public"]
    return text.encode()
