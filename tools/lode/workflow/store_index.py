"""The signed index of a store of built packages: which entry each node of a stack has, by whose word.

A store may be anybody's; a node hash tells what a package was made *from*, not what it is. So the one who publishes a
stack signs a list: an in-toto statement (see `signing.statement`) with a subject for each node, named by its hash, with
the sha256 of the node's entry, and a claim of the kind `store`. Its envelope lies in the store as
`indexes/<stack>/<release>/<sequence>.dsse`; a name never changes its content, and a later sequence takes the place of
an earlier one. Who has seen a sequence never goes back behind it, nor behind the policy's `minimum`.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from securesystemslib.signer import Signer

from lode import scratch, tree
from lode.building.cache import Cache, Store, Unreachable, entry_key
from lode.building.vouched import Vouched
from lode.definitions.trust import TrustPolicy, sole
from lode.digest import Digest
from lode.errors import Fault, TrustError, UsageError, VerificationError
from lode.locking.graph import Lock
from lode.progress import Progress
from lode.signing import claim as claims
from lode.signing import envelope as envelopes
from lode.signing.claim import PREDICATE, Claim, Kind
from lode.signing.envelope import AnySigner, Envelope
from lode.signing.keys import load_public
from lode.signing.statement import Statement, Subject
from lode.verifying.verify import Accepted, verify_statement

_OLD = "somebody may be offering an old state on purpose; ask who runs the store"
SEEN = "store-indexes.json"  # in the folder of the cache: the last sequence of each stack that was seen


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIndex:
    """An index as it lies in the store."""

    claim: Claim
    key: str  # in the store
    nodes: int
    fresh: int  # of them, those that the index before did not list, or listed otherwise
    written: bool  # False: the index before says the same


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedIndex:
    """An index that was accepted, every listed package read."""

    accepted: Accepted
    nodes: int
    size: int  # bytes of the packages


def index_key(stack: str, release: str, sequence: int) -> str:
    """Return the key of an index in its store."""
    return f"indexes/{stack}/{release}/{sequence}.dsse"


def sign(lock: Lock, cache: Cache, store: Store, signer: AnySigner, *, now: datetime.datetime) -> SignedIndex:
    """Put an index into `store` of the lock's nodes that this machine's cache has, and return it.

    `cache` has no store behind it: what it has must not come from the very store. Nodes that the index before lists
    stay, when the same key has signed it: another machine may have built them.
    VerificationError with every node of which the store has another package than the cache: something is wrong with
    one of them. UsageError when the store has nothing of the stack.
    """
    before: Mapping[Digest, Digest] = {}
    sequence, found = _newest(store, lock.stack, lock.release, 0)
    if found is not None:
        with contextlib.suppress(VerificationError):  # of another key, or altered: nothing of it is taken over
            before = _own(found, lock, sequence, signer, now.date())
    entries, faults = dict(before), []
    for node in lock.nodes:
        for node_hash in node.hashes.values():
            here = cache.get(node_hash)
            if here is None or here.node_hash != node_hash:
                continue
            there = _read(store, entry_key(node_hash))
            if there is None:
                continue
            if _package(there) != here.sha256:
                message = f"the store has another {here.package} {here.version} for {here.target} than this cache"
                hint = "look which of the two is right before you sign: build it once more in an empty LODE_HOME"
                faults.append(Fault(message=message, hint=hint))
                continue
            entries[node_hash] = Digest(hashlib.sha256(there).hexdigest())
    if faults:
        raise VerificationError.of(faults)
    if not entries:
        hint = f"`lode build {lock.stack}@{lock.release} --store …` puts it there"
        raise UsageError(f"the store has nothing of {lock.stack}@{lock.release} that this machine has", hint=hint)
    claim = Claim(
        kind=Kind.STORE, stack=lock.stack, release=lock.release, sequence=sequence, signed=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        lock=lock.digest,
    )  # fmt: skip
    fresh = sum(1 for node_hash, entry in entries.items() if before.get(node_hash) != entry)
    if before and not fresh:
        return SignedIndex(claim=claim, key=index_key(claim.stack, claim.release, sequence), nodes=len(entries),
                           fresh=0, written=False)  # fmt: skip
    claim = replace(claim, sequence=sequence + 1)
    key = index_key(claim.stack, claim.release, claim.sequence)
    _write(store, key, envelopes.dump(envelopes.seal(_statement(claim, entries), signer)))
    return SignedIndex(claim=claim, key=key, nodes=len(entries), fresh=fresh, written=True)


def _own(
    found: Envelope, lock: Lock, sequence: int, signer: AnySigner, today: datetime.date
) -> Mapping[Digest, Digest]:
    """Return what an index by this very signer lists; VerificationError for any other."""
    key = index_key(lock.stack, lock.release, sequence)
    if isinstance(signer, Signer):
        own = sole(load_public(signer.public_key.keyval["public"].encode(), "the signer's key"))
        accepted, statement = verify_statement(found, key, own, kind=Kind.STORE, today=today)
        claim = accepted.claim
    elif signer.holds(found):
        statement = found.statement(key)
        claim = claims.read(statement, key)
    else:
        raise VerificationError(f"{key} is by somebody else")
    _refuse_other(claim, lock, sequence)
    return _listed(statement)


def vouched(
    store: Store,
    lock: Lock,
    policy: TrustPolicy,
    *,
    seen: Path,
    today: datetime.date,
    note: Callable[[str], None],
    built: Path | None = None,
) -> Store | None:
    """Return `store`, believed for what its newest index lists; None, said by `note`, when no index can be believed.

    `seen`: the file that remembers sequences. A store that does not answer, without an index, with one that the policy
    does not accept, or with none as new as one that was seen is left out whole: all is built here. With `built`, what
    a run's own lists in that folder say counts besides the index, and without one (see `Vouched`).
    """
    try:
        accepted, listed = newest(store, lock, policy, seen=seen, today=today)
    except (VerificationError, Unreachable) as error:
        if built is not None:
            note(f"warning: {error.faults[0].message}: only what this run has built is taken from the store")
            return Vouched(store, {}, built=built)
        note(f"warning: {error.faults[0].message}: going on without the store")
        return None
    for fault in accepted.warnings:
        note(f"warning: {fault.message}")
    return Vouched(store, listed, built=built)


def newest(
    store: Store, lock: Lock, policy: TrustPolicy, *, seen: Path, today: datetime.date
) -> tuple[Accepted, Mapping[Digest, Digest]]:
    """Return what the store's newest index of the lock's stack was accepted as, and the entries by node hash.

    Its sequence is remembered in the file `seen`. VerificationError when there is none or it is not whole, TrustError
    when the policy does not accept it, or one that came later was seen before.
    """
    name = f"{lock.stack}@{lock.release}"
    known = _seen(seen)
    last = known.get(name, 0)
    number, found = _newest(store, lock.stack, lock.release, last)
    if found is None:
        if last:
            raise TrustError(
                f"the store has no index {last} of {name}, which was there before",
                hint=_OLD,
            )
        raise VerificationError(f"the store has no signed index of {name}", hint=f"`lode store sign {name}` makes it")
    key = index_key(lock.stack, lock.release, number)
    accepted, statement = verify_statement(found, key, policy, kind=Kind.STORE, today=today)
    _refuse_other(accepted.claim, lock, number)
    if number > last:
        with contextlib.suppress(OSError):  # a cache that only others may write to
            tree.replace(seen, json.dumps(known | {name: number}, indent=1, sort_keys=True).encode())
    return accepted, _listed(statement)


def check(
    store: Store, lock: Lock, policy: TrustPolicy, *, seen: Path, today: datetime.date, progress: Progress
) -> VerifiedIndex:
    """Return the store's index after reading every package that it lists; VerificationError with all that is wrong."""
    accepted, listed = newest(store, lock, policy, seen=seen, today=today)
    names = {node_hash: node.package for node in lock.nodes for node_hash in node.hashes.values()}
    faults: list[Fault] = []
    size = 0
    task = f"store {lock.stack}"
    progress.start(task, total=len(listed))
    for node_hash in listed:
        told: list[str] = []
        with scratch.folder("store") as folder:
            artifact = Cache(folder, behind=Vouched(store, listed), note=told.append).get(node_hash)
        if artifact is None:
            said = told[0].removeprefix("warning: ") if told else "its entry or package is missing"
            faults.append(Fault(message=f"{names.get(node_hash, node_hash[:16])}: {said}"))
        else:
            size += artifact.record.size_bytes
        progress.advance(task, 1)
    progress.finish(task, "failed" if faults else "")
    if faults:
        raise VerificationError.of(faults)
    return VerifiedIndex(accepted=accepted, nodes=len(listed), size=size)


def _refuse_other(claim: Claim, lock: Lock, number: int) -> None:
    """Raise TrustError unless the claim is of the place that it was found in."""
    if (claim.stack, claim.release, claim.sequence) != (lock.stack, lock.release, number):
        said = f"{claim.stack}@{claim.release} ({claim.sequence})"
        raise TrustError(f"the store's index {number} of {lock.stack}@{lock.release} was signed as {said}", hint=_OLD)


def _newest(store: Store, stack: str, release: str, first: int) -> tuple[int, Envelope | None]:
    """Return the highest sequence in the store and its envelope; (0, None) unless there is one from `first` on."""
    number, content = max(first, 1), None
    while (further := _read(store, index_key(stack, release, number))) is not None:
        content, number = further, number + 1
    if content is None:
        return 0, None
    return number - 1, envelopes.load(content, index_key(stack, release, number - 1))


def _statement(claim: Claim, entries: Mapping[Digest, Digest]) -> Statement:
    subjects = tuple(Subject(name=node_hash, digest={"sha256": entries[node_hash]}) for node_hash in sorted(entries))
    return Statement(subjects=subjects, predicate_type=PREDICATE, predicate=claims.predicate(claim))


def _listed(statement: Statement) -> dict[Digest, Digest]:
    try:
        return {Digest(each.name): Digest(each.digest["sha256"]) for each in statement.subjects}
    except (ValueError, KeyError) as error:
        raise VerificationError("the store's index names something that is no node") from error


def _package(entry: bytes) -> str | None:
    with contextlib.suppress(ValueError, TypeError, KeyError):
        said = json.loads(entry)["sha256"]
        return said if isinstance(said, str) else None
    return None


def _read(store: Store, key: str) -> bytes | None:
    with scratch.folder("store") as folder:
        place = folder / "blob"
        return place.read_bytes() if store.get(key, place) else None


def _write(store: Store, key: str, content: bytes) -> None:
    with scratch.folder("store") as folder:
        place = folder / "blob"
        place.write_bytes(content)
        store.put(key, place)
    if _read(store, key) != content:
        raise VerificationError(f"another index came at the same time: the store's {key} is not this one",
                                hint="call it again")  # fmt: skip


def _seen(file: Path) -> dict[str, int]:
    try:
        said = json.loads(file.read_bytes())
        return {str(name): int(number) for name, number in said.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise VerificationError(
            f"{file} cannot be read: which indexes were seen is not known", hint=str(error)
        ) from error
