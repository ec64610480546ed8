"""A trust policy: whose signatures an experiment accepts, on what, and until when. It holds no secret."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from lode.digest import Digest
from lode.errors import Place
from lode.signing.claim import Kind
from lode.signing.identity import Identity
from lode.signing.keys import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedKey:
    """A public key under a name; after `expires` its signatures count no more, however old they are."""

    name: str
    public: PublicKey
    expires: str | None = None  # ISO day, the last one on which it counts
    summary: str = ""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedIdentity:
    """Somebody, or a pipeline, whom an issuer of tokens vouches for; after `expires` such signatures count no more."""

    name: str
    identity: str  # as the certificate says it; `*` at its end stands for any text without white space
    issuer: str
    repository: str = ""  # whose pipeline it must be; "" where it does not count
    expires: str | None = None  # ISO day, the last one on which it counts
    summary: str = ""
    place: Place | None = field(default=None, compare=False)

    def is_of(self, found: Identity) -> bool:
        """Return whether a certificate that names `found` is of this identity."""
        return self.issuer == found.issuer and self.repository in ("", found.repository) and self._names(found.identity)

    def overlaps(self, other: TrustedIdentity) -> bool:
        """Return whether one certificate could be of both."""
        one, two = self.identity.removesuffix("*"), other.identity.removesuffix("*")
        same = self._names(two) or other._names(one)
        repositories = {self.repository, other.repository} - {""}
        return self.issuer == other.issuer and same and len(repositories) < 2

    def _names(self, identity: str) -> bool:
        if self.identity.endswith("*"):
            return identity.startswith(self.identity[:-1]) and not any(each.isspace() for each in identity)
        return identity == self.identity


Trusted = TrustedKey | TrustedIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedRoot:
    """The authorities and logs of a Sigstore instance: a file beside the policy, which names it by digest."""

    file: str
    content: bytes
    services: bytes | None = None  # where to sign, a signing config; None: at the public instance


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How many of which keys and identities must have signed these kinds of these stacks."""

    kinds: tuple[Kind, ...]
    stacks: tuple[str, ...]  # patterns, `*` for any text; of repositories' names for the kind cvmfs
    keys: tuple[str, ...]  # names of keys and of identities
    threshold: int = 1

    def covers(self, kind: Kind, stack: str) -> bool:
        """Return whether the rule is about such a subject."""
        return kind in self.kinds and any(fnmatch.fnmatchcase(stack, pattern) for pattern in self.stacks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A key whose signatures count no more, and why."""

    fingerprint: Digest
    reason: str
    since: str | None = None  # ISO day, for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimum:
    """The oldest release of a stack that is accepted."""

    release: str
    sequence: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Whom to trust. After `expires` nothing is accepted until its owner has looked at it again."""

    name: str
    expires: str  # ISO day, the last one on which it holds
    keys: tuple[TrustedKey, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    sigstore: TrustedRoot | None = None  # what proves the identities
    rules: tuple[Rule, ...] = ()  # the first one that covers a subject decides
    revoked: tuple[Revoked, ...] = ()
    minimum: Mapping[str, Minimum] = field(default_factory=dict)  # by stack
    place: Place | None = field(default=None, compare=False)

    def key(self, fingerprint: str) -> TrustedKey | None:
        """Return the trusted key with this fingerprint, revoked or not, None when there is none."""
        return next((key for key in self.keys if key.public.fingerprint == fingerprint), None)

    def identity(self, found: Identity) -> TrustedIdentity | None:
        """Return the trusted identity that a certificate which names `found` is of, None when there is none."""
        return next((each for each in self.identities if each.is_of(found)), None)

    def rule(self, kind: Kind, stack: str) -> Rule | None:
        """Return the rule that decides about such a subject, None when none does: it is not to be trusted then."""
        return next((rule for rule in self.rules if rule.covers(kind, stack)), None)


def sole(public: PublicKey) -> TrustPolicy:
    """Return the policy of who holds no more than one public key: it signs everything."""
    key = TrustedKey(name="given", public=public)
    rule = Rule(kinds=tuple(Kind), stacks=("*",), keys=(key.name,))
    return TrustPolicy(name="given", expires="9999-12-31", keys=(key,), rules=(rule,))
