"""A CVMFS repository that releases are published to: what its owner decides, without any secret."""

from __future__ import annotations

from dataclasses import dataclass, field

from lode.errors import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """How contents are stored. Part of an object's name: another engine or level gives other names."""

    engine: str = "libdeflate"  # or "zlib", as the host has it: the same format, other bytes
    level: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """Where a tree is cut into nested catalogs; a pure function of the tree, so that every publisher cuts alike."""

    cut: tuple[str, ...] = ()  # globs of folders, relative to the tree; `*` does not cross a slash
    split: int = 5000  # a folder with this many entries not yet cut off gets a catalog of its own
    maximum: int = 200_000  # entries that a catalog may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What `gc` keeps besides the present revision and those that tags name."""

    days: int = 30  # revisions that were current within these days
    revisions: int = 3  # and at least this many of the latest


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket that holds the served files; its account comes from the environment."""

    url: str  # s3://<bucket>/<path>
    endpoint: str | None = None  # of a server other than Amazon's
    region: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """One repository: its name, and how trees are laid out, compressed, kept and offered."""

    name: str  # fully qualified: dance.example.org
    summary: str = ""
    contact: str = ""
    folder: str | None = None  # of the served files; None: the user's own folder for repositories
    bucket: Bucket | None = None  # instead of a folder
    servers: tuple[str, ...] = ()  # URLs that clients are configured with, nearest first, each ending in the name
    ttl_s: int = 240  # how long a client keeps a root catalog before it asks again
    whitelist_days: int = 30
    chunk_bytes: int = 8 << 20  # larger files are stored in pieces of this size
    compression: Compression = Compression()
    nesting: Nesting = Nesting()
    retention: Retention = Retention()
    images: bool = False  # whether the images of a release are published too, unpacked
    place: Place | None = field(default=None, compare=False)
