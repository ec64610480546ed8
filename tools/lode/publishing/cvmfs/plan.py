"""What a publication would do, found without writing to the repository or compressing anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lode import inventory, scratch
from lode.inventory import Change, Difference, Entry, EntryType
from lode.publishing.cvmfs import catalog, contents, layout, nesting, objects, publish, stratum
from lode.publishing.cvmfs import listing as listings
from lode.publishing.cvmfs.cache import Cache
from lode.publishing.cvmfs.objects import Kind
from lode.publishing.cvmfs.publish import Source
from lode.publishing.cvmfs.rows import Nested, Row
from lode.publishing.cvmfs.storage import Storage
from lode.publishing.cvmfs.stratum import Head, Stratum
from lode.testing import page

_SHOWN_PATHS, _SHOWN_CATALOGS = 500, 50
_BYTES_PER_S = {"zlib": 20e6, "libdeflate": 150e6}  # of one thread, roughly


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Entries of one kind of change, and the bytes of the files among them."""

    entries: int = 0
    size: int = 0

    def __add__(self, other: Counted) -> Counted:
        """Return the sums."""
        return Counted(entries=self.entries + other.entries, size=self.size + other.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class TreePlan:
    """What publishing one tree would do."""

    mount: str
    present: bool  # whether something is published there now
    unchanged: bool  # it is this very tree: there is nothing to do
    added: Counted = Counted()
    removed: Counted = Counted()
    changed: Counted = Counted()
    new: Counted = Counted()  # contents to be compressed and stored
    known: Counted = Counted()  # contents that are stored already
    catalogs: tuple[tuple[str, int], ...] = ()  # path and entries
    paths: tuple[str, ...] = ()  # the first of what differs from the tree that is there, for people
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a publication would do."""

    name: str
    revision: int  # the present one
    trees: tuple[TreePlan, ...]
    removed: tuple[str, ...]
    seconds: int  # estimated
    catalog_maximum: int  # entries that a catalog should have at most

    @property
    def quiet(self) -> bool:
        """Return whether there is nothing to do."""
        return all(tree.unchanged for tree in self.trees) and not self.removed

    def document(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the plan for people."""
        after = "stays" if self.quiet else f"becomes {self.revision + 1}"
        lines = [f"{self.name}: revision {self.revision} {after}"]
        for tree in self.trees:
            lines += _lines(tree)
        lines += [f"  {path}  is taken away" for path in self.removed]
        return lines if self.quiet else [*lines, f"  about {self.seconds} s" if self.seconds else "  within a second"]


def plan(
    there: Stratum,
    sources: Sequence[Source],
    *,
    cache: Cache,
    jobs: int,
    remove: Sequence[str] = (),
    unchanged: Sequence[str] = (),
) -> Plan:
    """Return what publishing `sources` and removing `remove` would do to the present revision.

    `unchanged` are mount points that the caller knows to hold what they should.
    """
    head = stratum.read(there)
    known = tuple(TreePlan(mount=mount, present=True, unchanged=True) for mount in unchanged)
    trees = (*(_tree(there, head, source, cache) for source in sources), *known)
    rate = _BYTES_PER_S[there.repository.compression.engine] * jobs
    return Plan(
        name=there.repository.name,
        revision=head.manifest.revision,
        trees=trees,
        removed=tuple(path for path in sorted(remove) if layout.find(there.storage, head.root, path) is not None),
        seconds=round(sum(tree.new.size for tree in trees) / rate),
        catalog_maximum=there.repository.nesting.maximum,
    )


def html(made: Plan, *, version: str) -> bytes:
    """Return the plan as a page that needs nothing from elsewhere; `version` is that of the program."""
    return page.render("publishing", "plan.html.j2", plan=made, shown=_SHOWN_CATALOGS, version=version)


def _tree(there: Stratum, head: Head, source: Source, cache: Cache) -> TreePlan:
    present = layout.find(there.storage, head.root, source.mount)
    known = publish.remembered(there, source, cache)
    if known is not None and present is not None and known.catalog == present.hash:
        return TreePlan(mount=source.mount, present=True, unchanged=True)
    listing = listings.read(source.root, source.inventory)
    held = publish.held_now(there, present, cache)
    new, stored = Counted(), Counted()
    for group in contents.grouped(listing):
        found, lacking = contents.missing(group, there.repository, held, cache)
        stored += Counted(entries=len(found), size=sum(one.size for one in found.values()))
        new += Counted(entries=len(lacking), size=sum(one.size for one in lacking.values()))
    sizes = nesting.sizes(listing.members, nesting.cuts(listing.members, there.repository.nesting))
    before = _published(there.storage, present, source) if present is not None else ()
    counted, paths = _counted(inventory.compare(before, listing))
    return TreePlan(
        mount=source.mount,
        present=present is not None,
        unchanged=False,
        added=counted[Change.ADDED],
        removed=counted[Change.REMOVED],
        changed=counted[Change.CHANGED],
        new=new,
        known=stored,
        catalogs=tuple((f"{source.mount}/{path}".rstrip("/"), size) for path, size in sizes.items()),
        paths=paths if present is not None else (),
        warnings=nesting.warnings(sizes, there.repository.nesting),
    )


def _published(storage: Storage, present: Nested, source: Source) -> tuple[Entry, ...]:
    """Return what the published tree's own inventory lists, with its file; nothing when it has none."""
    path = f"{source.mount}/{source.inventory.relative_to(source.root).as_posix()}".encode()
    row = _find(storage, present, path)
    if row is None:
        return ()
    with scratch.folder("plan") as root:
        file = root / source.inventory.relative_to(source.root)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_content(storage, row))
        return tuple(listings.read(root, file))


def _find(storage: Storage, present: Nested, path: bytes) -> Row | None:
    found = catalog.load(objects.get(storage, present.hash, Kind.CATALOG))
    for below in found.nested:
        if path.startswith(below.path + b"/"):
            return _find(storage, below, path)
    return next((row for row in found.rows if row.path == path), None)


def _content(storage: Storage, row: Row) -> bytes:
    if row.hash:
        return objects.get(storage, row.hash, Kind.FILE)
    return b"".join(objects.get(storage, chunk.hash, Kind.CHUNK) for chunk in row.chunks)


def _counted(differences: Iterable[Difference]) -> tuple[dict[Change, Counted], tuple[str, ...]]:
    """Return the number and bytes of each kind of change, and the first differences in words."""
    entries, sizes = dict.fromkeys(Change, 0), dict.fromkeys(Change, 0)
    paths: list[str] = []
    for one in differences:
        entry = one.right or one.left
        entries[one.change] += 1
        sizes[one.change] += entry.size if entry and entry.type is EntryType.FILE else 0
        if len(paths) < _SHOWN_PATHS:
            paths.append(str(one))
    return {change: Counted(entries=entries[change], size=sizes[change]) for change in Change}, tuple(paths)


def _lines(tree: TreePlan) -> list[str]:
    if tree.unchanged:
        return [f"  {tree.mount}  is published as it is"]
    rows = [("added", tree.added), ("removed", tree.removed), ("changed", tree.changed)]
    lines = [f"  {tree.mount}  {'replaces what is there' if tree.present else 'is new'}"]
    lines += [f"    {word:<9} {one.entries:>9,} entries  {_size(one.size)}" for word, one in rows if one.entries]
    lines.append(f"    {'to store':<9} {tree.new.entries:>9,} contents {_size(tree.new.size)}")
    lines.append(f"    {'stored':<9} {tree.known.entries:>9,} contents {_size(tree.known.size)}")
    largest = max(size for _, size in tree.catalogs)
    lines.append(f"    {'catalogs':<9} {len(tree.catalogs):>9,}, the largest of {largest:,} entries")
    return lines + [f"    warning: {text}" for text in tree.warnings]


def _size(size: int) -> str:
    return f"{size / 1e6:>12,.1f} MB"
