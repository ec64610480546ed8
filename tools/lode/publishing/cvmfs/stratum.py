"""A repository's source, as its owner works on it: reading the present revision, and putting a new one in its place.

A revision becomes the present one by one replacement, that of the manifest, after all that it refers to is stored and
durable. Whatever ends a command before, the old revision stays, and some objects that nothing refers to.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric import rsa

from lode.definitions.repository import Repository
from lode.errors import PublicationError
from lode.publishing.cvmfs import catalog, compress, history, layout, manifest, objects, trust, whitelist
from lode.publishing.cvmfs.history import Past, Tag
from lode.publishing.cvmfs.keys import SigningKey, fingerprint
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import Catalog
from lode.publishing.cvmfs.storage import Storage
from lode.publishing.cvmfs.whitelist import Whitelist

_REPLICA = ".cvmfs_master_replica"  # its presence lets Stratum 1 servers copy the repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Where a repository lies, what its owner decided, and how to know that what lies there is the owner's."""

    repository: Repository
    storage: Storage
    public: rsa.RSAPublicKey
    deflate: Deflate


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The present revision."""

    manifest: Manifest
    content: bytes  # of the manifest's file
    whitelist: Whitelist
    root: Catalog
    tags: tuple[Tag, ...]
    past: tuple[Past, ...]  # all revisions, this one the last

    @property
    def tag(self) -> Tag:
        """Return the tag `trunk` as it is for this revision."""
        return _trunk(self.manifest)


def read(stratum: Stratum) -> Head:
    """Return the present revision, its signatures proved; PublicationError when the repository was not made yet."""
    chain = trust.chain(stratum.storage, stratum.repository.name, stratum.public)
    if chain is None:
        name = stratum.repository.name
        raise PublicationError(f"nothing lies at the place of {name}", hint=f"`lode cvmfs init {name}` makes it")
    kept = objects.get(stratum.storage, chain.manifest.history, Kind.HISTORY)
    return Head(
        manifest=chain.manifest,
        content=chain.content,
        whitelist=chain.whitelist,
        root=load_root(stratum.storage, chain.manifest.root),
        tags=history.load(kept),
        past=history.load_past(kept),
    )


def load_root(storage: Storage, name: str) -> Catalog:
    """Return the root catalog of hash `name`."""
    return catalog.load(objects.get(storage, name, Kind.CATALOG))


def create(stratum: Stratum, key: SigningKey, master: rsa.RSAPrivateKey, *, now: datetime.datetime) -> Manifest:
    """Make an empty repository and return its manifest; PublicationError when there is one."""
    repository, storage = stratum.repository, stratum.storage
    with storage.writer():
        if storage.read(manifest.KEY) is not None:
            raise PublicationError(f"the repository {repository.name} exists", hint="`lode cvmfs publish` adds to it")
        text = whitelist.body(repository.name, [fingerprint(key.certificate)], now=now, days=repository.whitelist_days)
        storage.replace(whitelist.KEY, whitelist.sign(text, master))
        storage.replace(_REPLICA, b"")
        moment = int(now.timestamp())
        first = Manifest(
            name=repository.name,
            root="",
            root_bytes=0,
            revision=1,
            time=moment,
            ttl_s=repository.ttl_s,
            certificate="",
            history="",
            metainfo="",
        )
        made = _rooted(stratum, first, layout.empty(0), previous=None)
        return _sealed(stratum, made, history.moved((), _trunk(made), None), (_past(made),), key, expected=None)


def commit(
    stratum: Stratum, head: Head, root: Catalog, tags: Iterable[Tag], key: SigningKey, *, now: datetime.datetime
) -> Manifest:
    """Put a revision with the root catalog `root` after `head`, and return its manifest.

    `tags` are those of the owner; each whose hash is "" names the new revision. Must be called as the only writer. The
    time of a revision is never before that of the one it follows, whatever the clock says: clients would refuse it.
    """
    after = replace(
        head.manifest,
        revision=head.manifest.revision + 1,
        time=max(int(now.timestamp()), head.manifest.time),
        ttl_s=stratum.repository.ttl_s,
    )
    made = _rooted(stratum, after, root, previous=head.manifest.root)
    previous = replace(head.tag, name=history.PREVIOUS, description="default undo target")
    moved = history.moved(_named(tags, made), _trunk(made), previous)
    return _sealed(stratum, made, moved, (*head.past, _past(made)), key, expected=head)


def retag(stratum: Stratum, head: Head, tags: Iterable[Tag], key: SigningKey, *, now: datetime.datetime) -> Manifest:
    """Put `tags` in the place of the head's own, trunk and trunk-previous among them, and return the new manifest."""
    same = replace(head.manifest, time=max(int(now.timestamp()), head.manifest.time))
    return _sealed(stratum, same, tuple(sorted(_named(tags, head.manifest))), head.past, key, expected=head)


def _rooted(stratum: Stratum, of: Manifest, root: Catalog, *, previous: str | None) -> Manifest:
    properties = {"TTL": str(of.ttl_s), "revision": str(of.revision), "last_modified": str(root.rows[0].mtime)}
    if previous:
        properties["previous_revision"] = previous
    content = catalog.dump(replace(root, properties=properties))
    name = objects.put(stratum.storage, content, Kind.CATALOG, stratum.deflate)
    return replace(of, root=name, root_bytes=len(content))


def _sealed(
    stratum: Stratum,
    of: Manifest,
    tags: Iterable[Tag],
    past: Iterable[Past],
    key: SigningKey,
    *,
    expected: Head | None,
) -> Manifest:
    """Store what the manifest names besides the root catalog, make all durable, and replace the manifest."""
    storage, deflate = stratum.storage, stratum.deflate
    if expected is not None and fingerprint(key.certificate) not in expected.whitelist.fingerprints:
        raise PublicationError(
            "the whitelist does not name this signing key, and clients would refuse what it signs",
            hint=f"`lode cvmfs resign {of.name}` lists it; it needs the master key",
        )
    made = replace(
        of,
        history=objects.put(storage, history.dump(of.name, tags, past), Kind.HISTORY, deflate),
        certificate=objects.put(storage, key.certificate, Kind.CERTIFICATE, compress.reference),
        metainfo=objects.put(storage, _metainfo(stratum.repository), Kind.METAINFO, compress.reference),
    )
    storage.flush()
    if storage.read(manifest.KEY) != (expected.content if expected else None):
        raise PublicationError(
            "another publisher has put a revision in between", hint="call again: it goes on from there"
        )
    storage.replace(manifest.KEY, manifest.sign(made, key))
    return made


def _past(made: Manifest) -> Past:
    return Past(revision=made.revision, root=made.root, time=made.time)


def _trunk(made: Manifest) -> Tag:
    return Tag(
        name=history.TRUNK,
        root=made.root,
        root_bytes=made.root_bytes,
        revision=made.revision,
        time=made.time,
        description="current HEAD",
    )


def _named(tags: Iterable[Tag], made: Manifest) -> tuple[Tag, ...]:
    return tuple(
        tag
        if tag.root
        else replace(tag, root=made.root, root_bytes=made.root_bytes, revision=made.revision, time=made.time)
        for tag in tags
    )


def _metainfo(repository: Repository) -> bytes:
    document = {
        "administrator": "",
        "email": repository.contact,
        "organisation": "",
        "description": repository.summary,
        "url": "",
        "recommended-stratum0": "",
        "recommended-stratum1s": list(repository.servers),
        "custom": {},
    }
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True).encode() + b"\n"
