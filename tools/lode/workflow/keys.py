"""The user's signing keys: one folder, a pair of files a key, written so that a kill leaves none or both.

`NAME.pub` is the public key in PEM; it is written last, so a private key without one is what an interrupted call left.
The private half is `NAME.key` in cosign's form, or `NAME.uri` with the address of the token or service that holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lode import tree
from lode.definitions.language import NAME
from lode.errors import HostError, UsageError
from lode.publishing.oci.attach import ImageSigner
from lode.signing import keys, signers
from lode.signing.keys import PublicKey
from lode.signing.signers import Secret
from lode.workflow import identities
from lode.workflow.identities import Pipeline
from lode.yamldoc import meant

USUAL = "release"  # the name of a first key
FORMS = ("cosign", "pkcs8", "public")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key of the user's: its public half, and where the private one is."""

    name: str
    public: PublicKey
    file: Path  # NAME.pub
    private: str  # the path of NAME.key, or a signer's URI


def stored(folder: Path) -> tuple[StoredKey, ...]:
    """Return the keys in `folder` by name; VerificationError for a public key that is none."""
    return tuple(found for path in sorted(folder.glob("*.pub")) if (found := _stored(path)) is not None)


def find(folder: Path, name: str | None) -> StoredKey:
    """Return the key called `name`, or the only one there is; UsageError when there is none, or a choice."""
    there = {key.name: key for key in stored(folder)}
    if name is None and len(there) == 1:
        return next(iter(there.values()))
    if name in there:
        return there[name]
    if not there:
        raise UsageError(f"there is no signing key in {folder}", hint="`lode keys init` makes one")
    names = ", ".join(there)
    if name is None:
        raise UsageError("there are several signing keys", hint=f"choose one with --key: {names}")
    raise UsageError(f"there is no signing key called {name!r}", hint=meant(name, there) or f"there are: {names}")


def make(folder: Path, name: str, password: bytes) -> StoredKey:
    """Make a new key and return it; UsageError when there is one called so."""
    return _keep(folder, name, keys.generate(), password)


def take(folder: Path, name: str, file: Path, *, given: bytes | None, password: bytes) -> StoredKey:
    """Keep the private key in `file` under `name`, encrypted with `password`; `given` is what opens it now."""
    return _keep(folder, name, keys.read_foreign(_read(file), given, str(file)), password)


def register(folder: Path, name: str, uri: str, public: Path | None, secret: Secret) -> StoredKey:
    """Keep under `name` the signer at `uri`; its public key is read from a file, or asked from the signer."""
    _free(folder, name)
    if uri.startswith(identities.SCHEME):
        hint = "`lode sign --key sigstore:` signs; trust.yaml names the identity instead of a key"
        raise UsageError("an identity has no key that could be kept", hint=hint)
    if not signers.is_uri(uri):
        raise UsageError(f"{uri!r} is no signer's URI", hint=f"it begins with one of: {', '.join(signers.SCHEMES)}")
    key = keys.load_public(_read(public), str(public)) if public else signers.public_half(uri, secret)
    tree.replace(folder / f"{name}.uri", f"{uri}\n".encode(), mode=0o600)
    return _publish(folder, name, key)


def export(key: StoredKey, form: str, *, password: bytes, output: Path) -> None:
    """Write the key to `output` as `form` says; UsageError when it is there, HostError unless `password` opens the key.

    The private forms are written with mode 0600, encrypted with the same password.
    """
    if output.exists():
        raise UsageError(f"{output} is already there", hint="choose another file")
    if form == "public":
        tree.replace(output, key.public.pem)
        return
    if signers.is_uri(key.private):
        raise UsageError(f"the private key {key.name} does not leave {key.private}", hint="export its public key")
    private = keys.load_private(_read(Path(key.private)), password, key.private)
    content = keys.dump_private(private, password) if form == "cosign" else keys.dump_pkcs8(private, password)
    tree.replace(output, content, mode=0o600)


def opened(folder: Path, asked: str | None, secret: Secret, here: Pipeline) -> ImageSigner:
    """Return the signer `asked` names: a key of the user's, a file in cosign's form, `sigstore:`; else the usual one.

    That is the only key there is; without any, the identity of a pipeline whose policy names identities. `secret` is
    asked for a password or PIN. UsageError when there is no such key, HostError when it does not open.
    """
    if (asked or "").startswith(identities.SCHEME):
        return here.signer(asked or "")
    if asked is None and here.is_known and not stored(folder):
        return here.signer(identities.SCHEME)
    if asked is not None and "/" in asked and not signers.is_uri(asked):
        content = _read(Path(asked))
        return keys.signer(keys.load_private(content, secret(f"password of {asked}").encode(), asked))
    key = _of_uri(folder, asked) if asked is not None and signers.is_uri(asked) else find(folder, asked)
    if signers.is_uri(key.private):
        return signers.by_uri(key.private, key.public, secret)
    content = _read(Path(key.private))
    return keys.signer(keys.load_private(content, secret(f"password of the key {key.name}").encode(), key.private))


def _of_uri(folder: Path, uri: str) -> StoredKey:
    for key in stored(folder):
        if key.private == uri:
            return key
    raise UsageError(
        f"the signer {uri} is not known here", hint=f"`lode keys import --signer {uri}` keeps its public key"
    )


def _stored(path: Path) -> StoredKey | None:
    key, uri = path.with_suffix(".key"), path.with_suffix(".uri")
    if uri.is_file():
        private = uri.read_text().strip()
    elif key.is_file():
        private = str(key)
    else:
        return None  # a public key that somebody put there
    return StoredKey(name=path.stem, public=keys.load_public(path.read_bytes(), str(path)), file=path, private=private)


def _keep(folder: Path, name: str, private: keys.PrivateKey, password: bytes) -> StoredKey:
    _free(folder, name)
    tree.replace(folder / f"{name}.key", keys.dump_private(private, password), mode=0o600)
    return _publish(folder, name, keys.public_of(private))


def _publish(folder: Path, name: str, public: PublicKey) -> StoredKey:
    tree.replace(folder / f"{name}.pub", public.pem)
    return find(folder, name)


def _free(folder: Path, name: str) -> None:
    if not NAME.fullmatch(name):
        raise UsageError(f"a key cannot be called {name!r}", hint="lower-case letters, digits and dashes: release")
    if (folder / f"{name}.pub").exists():
        raise UsageError(
            f"there is a signing key called {name} already", hint="choose another name, or move its files away"
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}") from error
