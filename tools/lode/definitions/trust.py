"""A trust policy: whose signatures an experiment accepts, on what, and until when. It holds no secret."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from lode.digest import Digest
from lode.errors import Place
from lode.signing.claim import Kind
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
class Rule:
    """How many of which keys must have signed these kinds of these stacks."""

    kinds: tuple[Kind, ...]
    stacks: tuple[str, ...]  # patterns, `*` for any text; of repositories' names for the kind cvmfs
    keys: tuple[str, ...]
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
    rules: tuple[Rule, ...] = ()  # the first one that covers a subject decides
    revoked: tuple[Revoked, ...] = ()
    minimum: Mapping[str, Minimum] = field(default_factory=dict)  # by stack
    place: Place | None = field(default=None, compare=False)

    def key(self, fingerprint: str) -> TrustedKey | None:
        """Return the trusted key with this fingerprint, revoked or not, None when there is none."""
        return next((key for key in self.keys if key.public.fingerprint == fingerprint), None)

    def rule(self, kind: Kind, stack: str) -> Rule | None:
        """Return the rule that decides about such a subject, None when none does: it is not to be trusted then."""
        return next((rule for rule in self.rules if rule.covers(kind, stack)), None)


def sole(public: PublicKey) -> TrustPolicy:
    """Return the policy of who holds no more than one public key: it signs everything."""
    key = TrustedKey(name="given", public=public)
    rule = Rule(kinds=tuple(Kind), stacks=("*",), keys=(key.name,))
    return TrustPolicy(name="given", expires="9999-12-31", keys=(key,), rules=(rule,))
