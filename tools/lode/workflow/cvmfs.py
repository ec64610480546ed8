"""CVMFS: from repository files, keys and releases to what the publisher works on."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from lode import tree
from lode.config import Places
from lode.definitions import folders, read_repository
from lode.definitions.catalogue import Catalogue
from lode.definitions.repository import Bucket, Compression, Repository
from lode.errors import DefinitionError, PublicationError, UsageError
from lode.installing import prefix as prefixes
from lode.locking import lockfile
from lode.progress import Progress
from lode.publishing.cvmfs import bucket, compress, keys, listing, manifest, nesting, publish, resign, stratum, trust
from lode.publishing.cvmfs import bundle as bundles
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.keys import KeyFiles, SigningKey
from lode.publishing.cvmfs.manifest import Manifest
from lode.publishing.cvmfs.publish import Publication, Source
from lode.publishing.cvmfs.storage import Folder, Storage
from lode.publishing.cvmfs.stratum import Stratum
from lode.publishing.cvmfs.whitelist import Whitelist
from lode.signing import envelope as envelopes
from lode.signing.envelope import SUFFIX
from lode.workflow import subjects, unpacked
from lode.workflow.report import PREFIX, find_release
from lode.workflow.unpacked import Unpackable
from lode.yamldoc import meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One repository as a command of this machine works on it: its file, its keys, its folder."""

    repository: Repository
    files: KeyFiles
    folder: Path
    passphrase: bytes | None
    cache: Path
    bucket: Bucket | None  # where they lie instead

    @property
    def place(self) -> str:
        """Return where the repository's files lie, for people."""
        return self.bucket.url if self.bucket else str(self.folder)

    def storage(self) -> Storage:
        """Return where the repository's files lie."""
        if self.bucket is None:
            return Folder(self.folder)
        return bucket.opened(self.bucket.url, endpoint=self.bucket.endpoint, region=self.bucket.region)

    def stratum(self) -> Stratum:
        """Return the repository's source; HostError when its public key is not here."""
        return Stratum(
            repository=self.repository,
            storage=self.storage(),
            public=keys.read_public(self.files),
            deflate=compress.deflate(self.repository.compression),
        )

    def signing(self) -> SigningKey:
        """Return the signing key; HostError when it is not here."""
        return keys.load_signing(self.files, self.passphrase)

    def remembered(self) -> Cache:
        """Return the publisher's memory."""
        return Cache(self.cache / "contents.sqlite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A release in a repository of this machine."""

    publication: Publication
    place: str  # of the repository's files: a folder for a web server, or a bucket
    public_key: Path  # for its clients


def desk(
    repository: Repository,
    places: Places,
    *,
    key_folder: Path | None = None,
    folder: Path | None = None,
    passphrase: bytes | None = None,
) -> Desk:
    """Return where to work on `repository`: keys and files lie in the user's own folders unless told otherwise."""
    name = repository.name
    own = Path(repository.folder).expanduser() if repository.folder else places.releases.parent / "cvmfs" / name
    return Desk(
        repository=repository,
        files=KeyFiles(folder=key_folder or places.keys / "cvmfs" / name, name=name),
        folder=(folder or own).absolute(),
        passphrase=passphrase,
        cache=places.cache / "cvmfs" / name,
        bucket=repository.bucket if folder is None else None,
    )


def names(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the names of all repositories that the collections define, sorted."""
    found = {
        file.stem
        for one in catalogue.collections
        for file in folders.entries(one.folder / folders.REPOSITORIES)
        if file.suffix == ".yaml" and read_repository.NAME.fullmatch(file.stem)
    }
    return tuple(sorted(found))


def find(catalogue: Catalogue, name: str) -> Repository:
    """Return the repository called `name`; DefinitionError when no collection has its file, or with its faults."""
    for one in catalogue.collections:
        file = one.folder / folders.REPOSITORIES / f"{name}.yaml"
        if read_repository.NAME.fullmatch(name) and file.is_file():
            return read_repository.read(file.read_bytes(), file=catalogue.shown(file), name=name)
    hint = meant(name, names(catalogue)) or f"`lode cvmfs init {name}` makes it"
    raise DefinitionError(f"there is no repository called {name!r}", hint=hint)


def known(catalogue: Catalogue, name: str) -> Repository:
    """Return the repository that a collection defines, else one of that name with Lode's defaults."""
    return find(catalogue, name) if name in names(catalogue) else Repository(name=name)


def define(catalogue: Catalogue, name: str) -> tuple[Repository, Path | None]:
    """Return the repository called `name`, and its file when that was written now, into the first collection."""
    if name in names(catalogue):
        return find(catalogue, name), None
    if not read_repository.NAME.fullmatch(name):
        raise UsageError(f"{name!r} is not a repository's name", hint="a host's name, such as dance.example.org")
    file = catalogue.collections[0].folder / folders.REPOSITORIES / f"{name}.yaml"
    usual = Compression()  # written down: objects are named by it, so a later default must not change it
    document = {
        "name": name,
        "summary": f"Software at /cvmfs/{name}",
        "compression": {"engine": usual.engine, "level": usual.level},
    }
    content = yaml.safe_dump(document, sort_keys=False).encode()
    repository = read_repository.read(content, file=str(file), name=name)
    tree.replace(file, content)
    return repository, file


def init(work: Desk, *, now: datetime.datetime) -> Manifest:
    """Make the keys, unless they are there, and an empty repository signed with them; return its manifest."""
    if not work.files.public.exists():
        keys.generate(work.files, now=now, passphrase=work.passphrase)
    master = keys.load_private(work.files.master, work.passphrase)
    return stratum.create(work.stratum(), work.signing(), master, now=now)


def sources(references: Sequence[str], places: Places, name: str) -> tuple[Source, ...]:
    """Return the trees that `references` name, each a prefix's folder or a release: all its targets.

    UsageError when one names nothing, PublicationError when a tree is made for another repository: its files name the
    place that they are to lie at.
    """
    return tuple(_source(root, name) for root in roots(references, places))


@contextlib.contextmanager
def all_sources(
    work: Desk, references: Sequence[str], places: Places, *, images: bool, cache: Cache, progress: Progress
) -> Iterator[tuple[tuple[Source, ...], tuple[str, ...]]]:
    """Yield the trees that `references` name, with the images of them unpacked when `images` are asked for.

    And the mount points of images that need not be published again. Errors as of `sources` and `unpacked.images`.
    """
    name = work.repository.name
    found = roots(references, places)
    trees = [_source(root, name) for root in found]
    wanted = unpacked.images(found, name) if images else ()
    with unpacked.sources(work.stratum(), wanted, cache=cache, place=work.cache, progress=progress) as (
        more,
        unchanged,
    ):
        yield (*trees, *more), unchanged


def roots(references: Sequence[str], places: Places) -> tuple[Path, ...]:
    """Return the prefixes that `references` name, each itself or by its release; UsageError when one names nothing."""
    found: list[Path] = []
    for reference in references:
        folder = Path(reference)
        if prefixes.is_prefix(folder):
            found.append(folder)
            continue
        release = find_release(places.releases, reference)
        made = sorted(path for path in release.glob(f"*/{PREFIX}") if prefixes.is_prefix(path))
        if not made:
            raise UsageError(f"{reference} holds no installed tree", hint="`lode release STACK` makes one")
        found += made
    return tuple(found)


def rotate(work: Desk, *, now: datetime.datetime) -> Whitelist | None:
    """Make a new signing key; return the whitelist that names it, None when the master key lies elsewhere."""
    keys.rotate(work.files, now=now, passphrase=work.passphrase)
    if not work.files.master.exists():
        return None
    there, master = work.stratum(), keys.load_private(work.files.master, work.passphrase)
    text = resign.request(there, work.files.certificate.read_bytes(), now=now)
    return resign.install(there, resign.sign(text, master), now=now)


def bundle_tree(
    work: Desk, source: Source, file: Path, *, signature: Path | None, progress: Progress
) -> bundles.Bundle:
    """Write the bundle of a tree, signed when its prefix is: `signature`, or the file beside it."""
    beside = signature or source.root.with_name(source.root.name + SUFFIX)
    envelope = subjects.read_envelope(beside)
    if signature is not None and envelope is None:
        raise UsageError(f"there is no signature {signature}", hint=f"`lode sign {source.root}` makes one")
    found = listing.read(source.root, source.inventory)
    sizes = nesting.sizes(found.members, nesting.cuts(found.members, work.repository.nesting))
    plan = [
        f"{source.mount} of {work.repository.name}: {sum(found.members.values()):,} entries, {found.size:,} bytes",
        *(f"catalog {source.mount}/{path}".rstrip("/") + f": {size:,} entries" for path, size in sizes.items()),
    ]
    return bundles.write(
        source,
        work.repository,
        file,
        plan="".join(f"{line}\n" for line in plan),
        signature=envelopes.dump(envelope) if envelope is not None else None,
        progress=progress,
    )


def publish_release(
    catalogue: Catalogue,
    roots: Sequence[Path],
    *,
    places: Places,
    now: datetime.datetime,
    jobs: int,
    progress: Progress,
    passphrase: bytes | None = None,
    key_folder: Path | None = None,
    folder: Path | None = None,
) -> Published:
    """Publish the prefixes at `roots`, all of one release, in one revision of the repository that they are made for.

    When the repository takes images, those of the release are published too; a tree without one is told of. The
    repository is the one that a collection defines, else one of Lode's defaults in the user's own folder; on first use
    its keys and itself are made. A whitelist that expires soon is renewed where the master key is at hand. Trees that
    are published already make no revision. PublicationError, and the repository as it was, when one cannot be.
    """
    name = repository_of(roots)
    work = desk(known(catalogue, name), places, key_folder=key_folder, folder=folder, passphrase=passphrase)
    trees = sources([str(root) for root in roots], places, name)
    made = not work.files.public.exists()
    if made or work.storage().read(manifest.KEY) is None:
        init(work, now=now)
        progress.note(f"{name}: made the repository in {work.place}, its keys in {work.files.folder}")
    there = work.stratum()
    _renew(work, there, now, progress)
    wanted = _images(roots, name, progress) if work.repository.images else ()
    with (
        contextlib.closing(work.remembered()) as cache,
        unpacked.sources(there, wanted, cache=cache, place=work.cache, progress=progress) as (images, unchanged),
    ):
        done = publish.publish(
            there,
            work.signing(),
            (*trees, *images),
            cache=cache,
            now=now,
            jobs=jobs,
            progress=progress,
            unchanged=unchanged,
        )
    return Published(publication=done, place=work.place, public_key=work.files.public)


def _images(roots: Sequence[Path], name: str, progress: Progress) -> tuple[Unpackable, ...]:
    """Return the images of the prefixes at `roots`; those without one are told of."""
    found: list[Unpackable] = []
    for root in roots:
        try:
            found += unpacked.images([root], name)
        except UsageError as error:
            progress.note(f"{error.faults[0].message}: none is published")
    return tuple(found)


def repository_of(roots: Sequence[Path]) -> str:
    """Return the name of the repository that the prefixes at `roots` are made for; UsageError unless it is one."""
    paths = sorted({prefixes.read(root).final_path for root in roots})
    found = sorted({path.split("/")[2] for path in paths if path.startswith("/cvmfs/") and path.count("/") > 2})
    if len(found) != 1 or not paths:
        raise UsageError(
            f"these trees are made for {', '.join(paths) or 'nothing'}, not for one repository",
            hint="publish: cvmfs: in the stack's file names it",
        )
    return found[0]


def _renew(work: Desk, there: Stratum, now: datetime.datetime, progress: Progress) -> None:
    """Sign the whitelist anew when it expires soon and the master key can be used here."""
    listed = trust.read_whitelist(there.storage, work.repository.name, there.public)
    if trust.warning(listed, now) is None or not work.files.master.exists():
        return
    master = keys.load_private(work.files.master, work.passphrase)
    text = resign.request(there, work.files.certificate.read_bytes(), now=now)
    found = resign.install(there, resign.sign(text, master), now=now)
    progress.note(f"{work.repository.name}: renewed the whitelist, valid until {found.expires:%Y-%m-%d %H:%M} UTC")


def _source(root: Path, name: str) -> Source:
    found = prefixes.read(root)
    mount = found.final_path.removeprefix(f"/cvmfs/{name}")
    if mount == found.final_path:
        raise PublicationError(
            f"the tree {root} is made for {found.final_path}, not for /cvmfs/{name}",
            hint=f"set publish: cvmfs: {name} in the stack's file, and release it again",
        )
    lock = lockfile.load((root / prefixes.LOCK).read_bytes(), str(root / prefixes.LOCK))
    midnight = datetime.datetime.fromisoformat(lock.date).replace(tzinfo=datetime.UTC)
    return Source(
        root=root.resolve(),
        inventory=root.resolve() / prefixes.INVENTORY,
        digest=found.inventory,
        mount=mount,
        mtime=int(midnight.timestamp()),
    )
