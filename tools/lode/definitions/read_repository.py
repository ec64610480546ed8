"""Reading cvmfs/repositories/<fqrn>.yaml."""

from __future__ import annotations

import re

from lode import yamldoc
from lode.definitions.repository import Bucket, Compression, Nesting, Repository, Retention
from lode.definitions.shape import Choice, Flag, Form, Integer, Key, ListOf, TableOf, Text, read_table
from lode.definitions.table import Table
from lode.definitions.vocabulary import TEXT, URL

NAME = re.compile(r"(?=.{4,60}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?){1,}")
LEVELS = {"libdeflate": 1, "zlib": 6}  # the usual one of each engine

_GLOB = Text(
    what="a pattern of folders",
    pattern=re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))[^\\\x00-\x1f\x7f]*[^\\/\x00-\x1f\x7f]"),
    hint="relative to the tree, such as lib/python*/site-packages/*",
)
COMPRESSION = Form(
    title="compression",
    keys={
        "engine": Key(shape=Choice(values=tuple(LEVELS)), summary="what deflates", default="libdeflate"),
        "level": Key(shape=Integer(minimum=1, maximum=9), summary="1 to 9; default 1 for libdeflate, 6 for zlib"),
    },
)
NESTING = Form(
    title="nesting",
    keys={
        "cut": Key(
            shape=ListOf(item=_GLOB, distinct=True), summary="folders that get a catalog of their own", default=()
        ),
        "split": Key(
            shape=Integer(minimum=100, maximum=200_000), summary="entries at which a folder is cut off", default=5000
        ),
        "maximum": Key(
            shape=Integer(minimum=1000, maximum=500_000), summary="entries a catalog may have", default=200_000
        ),
    },
)
RETENTION = Form(
    title="retention",
    keys={
        "days": Key(shape=Integer(maximum=36_500), summary="revisions of the last days are kept", default=30),
        "revisions": Key(shape=Integer(minimum=2, maximum=10_000), summary="revisions always kept", default=3),
    },
)
BUCKET = Form(
    title="bucket",
    keys={
        "url": Key(
            shape=Text(
                what="a bucket",
                pattern=re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*"),
                hint="such as s3://dance-cvmfs/dance.example.org",
            ),
            summary="s3://<bucket>/<path>",
            required=True,
        ),
        "endpoint": Key(
            shape=Text(what="a URL", pattern=re.compile(r"https?://[^\s/]+/?")), summary="server, unless Amazon's"
        ),
        "region": Key(shape=Text(what="a region", pattern=re.compile(r"[a-z0-9-]+")), summary="such as eu-central-1"),
    },
)
REPOSITORY = Form(
    title="repository",
    keys={
        "name": Key(
            shape=Text(what="a repository's name", pattern=NAME, hint="a host's name, such as dance.example.org"),
            summary="fully qualified name, the same as the file's",
            required=True,
        ),
        "summary": Key(shape=TEXT, summary="what it holds, in one line"),
        "contact": Key(shape=TEXT, summary="mail address of its owner"),
        "folder": Key(shape=TEXT, summary="folder of the served files; default: below the user's releases"),
        "bucket": Key(shape=TableOf(form=BUCKET), summary="bucket of the served files, instead of a folder"),
        "servers": Key(shape=ListOf(item=URL, distinct=True), summary="URLs for clients, nearest first", default=()),
        "ttl_s": Key(
            shape=Integer(minimum=60, maximum=86_400), summary="seconds a client keeps a root catalog", default=240
        ),
        "whitelist_days": Key(shape=Integer(minimum=1, maximum=3650), summary="validity of a whitelist", default=30),
        "chunk_bytes": Key(
            shape=Integer(minimum=65_536, maximum=1 << 30), summary="size of the pieces of big files", default=8 << 20
        ),
        "compression": Key(shape=TableOf(form=COMPRESSION), summary="how contents are stored"),
        "nesting": Key(shape=TableOf(form=NESTING), summary="where trees are cut into catalogs"),
        "retention": Key(shape=TableOf(form=RETENTION), summary="what gc keeps"),
        "images": Key(shape=Flag(), summary="publish each target's image, unpacked for Apptainer, too", default=False),
    },
)


def read(content: bytes, *, file: str, name: str | None = None) -> Repository:
    """Return the repository in `content`; DefinitionError with every fault. `name` is the file's, without `.yaml`."""
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, REPOSITORY, "repository")
    own = table.text("name")
    if name is not None and own not in ("", name):
        table.fault("name", f"name: {own!r} is in the file {name}.yaml", hint=f"rename the file or write: name: {name}")
    bucket = _bucket(table.table("bucket")) if table.get("bucket") is not None else None
    if bucket is not None and table.optional("folder") is not None:
        table.fault("folder", "folder: the files lie in a folder or in a bucket", hint="leave one of them out")
    repository = Repository(
        name=own,
        summary=table.text("summary"),
        contact=table.text("contact"),
        folder=table.optional("folder"),
        bucket=bucket,
        servers=table.texts("servers"),
        ttl_s=_integer(table, "ttl_s"),
        whitelist_days=_integer(table, "whitelist_days"),
        chunk_bytes=_integer(table, "chunk_bytes"),
        compression=_compression(table.table("compression")),
        nesting=_nesting(table.table("nesting")),
        retention=_retention(table.table("retention")),
        images=table.flag("images"),
        place=table.place(),
    )
    document.finish()
    return repository


def _bucket(table: Table) -> Bucket:
    return Bucket(url=table.text("url"), endpoint=table.optional("endpoint"), region=table.optional("region"))


def _compression(table: Table) -> Compression:
    level = table.integer("level")
    engine = table.text("engine")
    return Compression(engine=engine, level=LEVELS[engine] if level is None else level)


def _nesting(table: Table) -> Nesting:
    found = Nesting(
        cut=tuple(sorted(table.texts("cut"))), split=_integer(table, "split"), maximum=_integer(table, "maximum")
    )
    if found.split > found.maximum:
        table.fault("split", f"split: {found.split} is more than the maximum of {found.maximum}")
    return found


def _retention(table: Table) -> Retention:
    return Retention(days=_integer(table, "days"), revisions=_integer(table, "revisions"))


def _integer(table: Table, key: str) -> int:
    return table.integer(key) or 0
