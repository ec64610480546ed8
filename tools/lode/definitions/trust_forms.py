"""The form of trust.yaml."""

from __future__ import annotations

import re

from lode.definitions.language import NAME
from lode.definitions.shape import AnyOf, Choice, Date, Form, Integer, Key, ListOf, MapOf, TableOf, Text
from lode.definitions.vocabulary import SHA256, TEXT, URL, VERSION

KINDS = ("lock", "prefix", "release", "image", "cvmfs", "bundle", "policy", "store")

_NAME = Text(what="a name", pattern=NAME, hint="lower-case letters, digits and dashes: release-2026")
_STACK = Text(
    what="a stack's name",
    pattern=re.compile(r"[a-z0-9.*-]+"),
    hint="such as dance-mini; for cvmfs the repository's name; `dance-*` for several",
)
_EXACT = Text(
    what="a stack's name",
    pattern=re.compile(r"[a-z0-9.-]+"),
    hint="one stack's, without `*`; for cvmfs the repository's name",
)
_PEM = Text(what="a public key", lines=True, hint="write `public: |` and below it, indented, the PEM block")
_IDENTITY = Text(
    what="an identity",
    pattern=re.compile(r"[^\s*]+|[^\s*]+@[^\s*]*\*"),
    hint="as the certificate says it, a URL or an address; `*` may stand at its end, after the @: any branch or commit",
)
_BESIDE = Text(what="a file's name", pattern=re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"), hint="a file beside this one")

TRUSTED = Form(
    title="key",
    keys={
        "public": Key(shape=_PEM, summary="the public key, a PEM block", required=True),
        "expires": Key(shape=Date(), summary="last day on which its signatures count"),
        "summary": Key(shape=TEXT, summary="who holds it, and where"),
    },
)
IDENTITY = Form(
    title="identity",
    keys={
        "identity": Key(
            shape=_IDENTITY, summary="whom the certificate names: a pipeline's URL, or an address", required=True
        ),
        "issuer": Key(shape=URL, summary="who vouches for it: the URL of an OpenID Connect issuer", required=True),
        "repository": Key(
            shape=URL, summary="whose pipeline it must be, where several repositories share one", default=""
        ),
        "expires": Key(shape=Date(), summary="last day on which its signatures count"),
        "summary": Key(shape=TEXT, summary="what it is"),
    },
)
SIGSTORE = Form(
    title="sigstore",
    keys={
        "root": Key(
            shape=_BESIDE, summary="the trusted root of the Sigstore instance, a file beside this one", required=True
        ),
        "sha256": Key(shape=SHA256, summary="of that file", required=True),
        "services": Key(
            shape=_BESIDE, summary="where to sign: the instance's signing config; default: the public one's"
        ),
    },
)
RULE = Form(
    title="rule",
    keys={
        "sign": Key(
            shape=ListOf(item=Choice(values=KINDS), minimum=1, distinct=True),
            summary="what may be signed",
            required=True,
        ),
        "stacks": Key(
            shape=ListOf(item=_STACK, minimum=1, distinct=True), summary="of which stacks; default: all", default=("*",)
        ),
        "keys": Key(
            shape=ListOf(item=_NAME, minimum=1, distinct=True), summary="names of keys and identities", required=True
        ),
        "threshold": Key(shape=Integer(minimum=1, maximum=100), summary="how many of them must have signed", default=1),
    },
)
REVOKED = Form(
    title="revoked",
    keys={
        "fingerprint": Key(
            shape=SHA256, summary="a key's as `lode keys show` prints it, or an identity's", required=True
        ),
        "reason": Key(shape=TEXT, summary="why, in one line", required=True),
        "since": Key(shape=Date(), summary="the day on which it was revoked"),
    },
)
MINIMUM = Form(
    title="minimum",
    keys={
        "release": Key(shape=VERSION, summary="oldest release that is accepted", required=True),
        "sequence": Key(shape=Integer(minimum=1), summary="and of that release the oldest sequence number", default=1),
    },
)
TRUST = Form(
    title="trust",
    keys={
        "name": Key(shape=_NAME, summary="of the experiment", required=True),
        "expires": Key(shape=Date(), summary="last day on which the policy holds", required=True),
        "keys": Key(shape=MapOf(key=_NAME, value=TableOf(form=TRUSTED)), summary="public keys by name", default=()),
        "identities": Key(
            shape=MapOf(key=_NAME, value=TableOf(form=IDENTITY)),
            summary="who signs without a key, by name",
            default=(),
        ),
        "sigstore": Key(shape=TableOf(form=SIGSTORE), summary="what proves the identities, without a network"),
        "rules": Key(
            shape=ListOf(item=TableOf(form=RULE)),
            summary="who may sign what; the first rule that covers a subject decides",
            default=(),
        ),
        "revoked": Key(shape=ListOf(item=TableOf(form=REVOKED)), summary="keys that count no more", default=()),
        "minimum": Key(
            shape=MapOf(key=_EXACT, value=AnyOf(scalar=VERSION, table=TableOf(form=MINIMUM))),
            summary="the oldest release of each stack that is accepted",
            default=(),
        ),
    },
)
