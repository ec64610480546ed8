"""Reading of trust.yaml who signs without a key, and the trusted root that proves it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import combinations

from lode import digest
from lode.definitions.table import Table
from lode.definitions.trust import TrustedIdentity, TrustedKey, TrustedRoot
from lode.signing.keyless import TRUSTED_ROOT


def identities(table: Table, keys: Mapping[str, TrustedKey | None]) -> tuple[TrustedIdentity, ...]:
    """Return the identities in a policy's table; noted are those called as a key, and two that could be one."""
    found: list[tuple[Table, TrustedIdentity]] = []
    for node, name, each in table.named("identities"):
        if name in keys:
            table.document.fault(node, f"identities: {name} is the name of a key", hint="give it another name")
        made = TrustedIdentity(
            name=name,
            identity=each.text("identity"),
            issuer=each.text("issuer"),
            repository=each.text("repository"),
            expires=each.optional("expires"),
            summary=each.text("summary"),
            place=each.place(),
        )
        found.append((each, made))
    for (_, one), (where, two) in combinations(found, 2):
        if one.overlaps(two):  # one pipeline would count as two
            where.fault("identity", f"identity: {one.name} and {two.name} may be the same", hint="give it one name")
    if found and "sigstore" not in table:
        hint = "sigstore: {root: FILE, sha256: ITS-SHA256}; docs/how-to/keyless.md says where it comes from"
        table.fault("identities", "identities: nothing proves them, the key `sigstore` is missing", hint=hint)
    return tuple(made for _, made in found)


def root(table: Table, beside: Callable[[str], bytes]) -> TrustedRoot | None:
    """Return the trusted root that a policy's table names, None where it names none or one that is not good."""
    if "sigstore" not in table:
        return None
    named = table.table("sigstore")
    file, sha256 = named.text("root"), named.text("sha256")
    content = _beside(named, "root", beside)
    services = _beside(named, "services", beside)
    if content is None or not sha256:
        return None
    if digest.of_bytes(content) != sha256:
        message = f"sha256: {file} is another file: its sha256 is {digest.of_bytes(content)}"
        named.fault("sha256", message, hint="it was altered, or is a newer one: look at it before you name it here")
        return None
    if not _is_root(content):
        hint = f"a JSON file with the media type {TRUSTED_ROOT}"
        named.fault("root", f"root: {file} is not a trusted root of Sigstore's", hint=hint)
        return None
    return TrustedRoot(file=file, content=content, services=services)


def _beside(table: Table, key: str, beside: Callable[[str], bytes]) -> bytes | None:
    """Return the file beside the policy that `key` names, None where it names none or one that cannot be read."""
    file = table.text(key)
    if not file:
        return None
    try:
        return beside(file)
    except OSError as error:
        table.fault(key, f"{key}: {file} cannot be read: {error.strerror}", hint="it lies beside this file")
        return None


def _is_root(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("mediaType") == TRUSTED_ROOT
