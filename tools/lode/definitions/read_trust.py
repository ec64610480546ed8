"""Reading trust.yaml, and what of it will soon expire."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterator, Mapping

from lode import yamldoc
from lode.definitions import read_identity
from lode.definitions.shape import read_table
from lode.definitions.table import Table
from lode.definitions.trust import Minimum, Revoked, Rule, Trusted, TrustedKey, TrustPolicy
from lode.definitions.trust_forms import TRUST
from lode.digest import Digest
from lode.errors import Fault, Place, VerificationError
from lode.signing.claim import Kind
from lode.signing.keys import load_public

SOON_DAYS = 45
_NOBODY = Digest("0" * 64)


def read(content: bytes, *, file: str, beside: Callable[[str], bytes]) -> TrustPolicy:
    """Return the trust policy in `content`; DefinitionError with every fault.

    `beside` returns the content of a file beside the policy by its name, or raises OSError.
    """
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, TRUST, "trust")
    keys = dict(_keys(table))
    identities = read_identity.identities(table, keys)
    named: dict[str, Trusted | None] = {**keys, **{each.name: each for each in identities}}
    rules = tuple(_rule(each, named) for each in table.tables("rules"))
    policy = TrustPolicy(
        name=table.text("name"),
        expires=table.text("expires"),
        keys=tuple(key for key in keys.values() if key is not None),
        identities=identities,
        sigstore=read_identity.root(table, beside),
        rules=rules,
        revoked=tuple(_revoked(each) for each in table.tables("revoked")),
        minimum={stack: _minimum(value) for _, stack, value in table.named("minimum")},
        place=table.place(),
    )
    for index, rule in enumerate(rules):
        _look_hidden(table.tables("rules")[index], rule, rules[:index])
    document.finish()
    return policy


def expiring(policy: TrustPolicy, today: datetime.date, only: Collection[str] | None = None) -> Iterator[Fault]:
    """Yield a warning for each thing of the policy that expires within some weeks, or has.

    Of keys and identities those called as in `only`, None for all.
    """
    place = policy.place
    yield from _expiry(f"the trust policy {policy.name}", policy.expires, today, place)
    trusted: tuple[Trusted, ...] = (*policy.keys, *policy.identities)
    for each in trusted:
        if each.expires is not None and (only is None or each.name in only):
            what = "key" if isinstance(each, TrustedKey) else "identity"
            yield from _expiry(f"the {what} {each.name}", each.expires, today, each.place or place)


def _expiry(what: str, day: str, today: datetime.date, place: Place | None) -> Iterator[Fault]:
    left = (datetime.date.fromisoformat(day) - today).days
    if left < 0:
        hint = "nothing by it is accepted any more: look who should still be trusted, and set a new day"
        yield Fault(message=f"{what} expired on {day}", place=place, hint=hint, warning=True)
    elif left <= SOON_DAYS:
        days = "today" if left == 0 else f"in {left} day{'' if left == 1 else 's'}"
        hint = "look who should still be trusted, and set a new day"
        yield Fault(message=f"{what} expires {days}, on {day}", place=place, hint=hint, warning=True)


def _keys(table: Table) -> Iterator[tuple[str, TrustedKey | None]]:
    seen: dict[str, str] = {}
    for _, name, each in table.named("keys"):
        key = _key(name, each)
        if key is not None:
            same = seen.setdefault(key.public.fingerprint, name)
            if same != name:  # one person would count as two
                each.fault("public", f"public: the keys {same} and {name} are the same", hint="give it one name")
        yield name, key


def _key(name: str, table: Table) -> TrustedKey | None:
    text = table.text("public")
    try:
        public = load_public(text.encode(), "")
    except VerificationError as error:
        if text:
            table.fault("public", f"public: {error.faults[0].message}", hint=error.faults[0].hint)
        return None
    return TrustedKey(
        name=name,
        public=public,
        expires=table.optional("expires"),
        summary=table.text("summary"),
        place=table.place(),
    )


def _rule(table: Table, named: Mapping[str, Trusted | None]) -> Rule:
    for node, name in table.items("keys"):
        if name and name not in named:
            hint = yamldoc.meant(name, named) or (f"the keys are: {', '.join(named)}" if named else "add it to keys")
            table.document.fault(node, f"keys: there is no key called {name!r}", hint=hint)
    keys, threshold = table.texts("keys"), table.integer("threshold") or 1
    if threshold > len(keys) > 0:
        message = f"threshold: {threshold} signatures of {len(keys)} key{'' if len(keys) == 1 else 's'} cannot be had"
        table.fault("threshold", message)
    return Rule(
        kinds=tuple(Kind(kind) for kind in table.texts("sign")),
        stacks=table.texts("stacks"),
        keys=keys,
        threshold=threshold,
    )


def _look_hidden(table: Table, rule: Rule, earlier: tuple[Rule, ...]) -> None:
    """Note a fault when an earlier rule covers all that `rule` does: nobody would notice that it never counts."""
    hidden = all(
        any(kind in other.kinds and ("*" in other.stacks or stack in other.stacks) for other in earlier)
        for kind in rule.kinds
        for stack in rule.stacks
    )
    if hidden and rule.kinds and rule.stacks:
        hint = "the first rule that covers a subject decides: put the narrower one first"
        table.fault(None, "rule: the rules above cover all of it", hint=hint)


def _revoked(table: Table) -> Revoked:
    text = table.text("fingerprint")
    return Revoked(
        fingerprint=Digest(text) if text else _NOBODY, reason=table.text("reason"), since=table.optional("since")
    )


def _minimum(value: Table | str) -> Minimum:
    if isinstance(value, str):
        return Minimum(release=value)
    return Minimum(release=value.text("release"), sequence=value.integer("sequence") or 1)
