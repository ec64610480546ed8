"""A repository of a registry as a store, over the OCI distribution API 1.1.

Everything that arrives is checked against the digest that it was asked by, and everything that was sent against the
digest that the registry answers. What was broken off is gone on with: a blob that comes from the byte that is missing,
a blob that goes from the byte that the registry has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

import httpx

from lode.digest import Digest
from lode.errors import PublicationError, VerificationError
from lode.publishing.oci import store
from lode.publishing.oci.notes import Notes
from lode.publishing.oci.store import BlobSource, Descriptor, Manifest, oci
from lode.publishing.oci.transport import Lost, Transport, losses

CHUNK_BYTES = 64 * 1024 * 1024  # of a blob in one request
_ACCEPT = ", ".join(store.MANIFESTS)
_NONE = (httpx.codes.NOT_FOUND,)


class Registry:
    """A repository. Threads may use it at the same time."""

    def __init__(
        self,
        transport: Transport,
        *,
        notes: Notes | None = None,
        mount_from: Sequence[str] = (),
        chunk: int = CHUNK_BYTES,
    ) -> None:
        """Use a repository; blobs may be mounted from repositories in `mount_from` and in the notes."""
        self._transport = transport
        self._notes = notes
        self._mount_from = tuple(mount_from)
        self._chunk = chunk

    @property
    def name(self) -> str:
        """Return host and repository."""
        return self._transport.reference.name

    @property
    def _host(self) -> str:
        return self._transport.reference.host

    @property
    def _repository(self) -> str:
        return self._transport.reference.repository

    def has_blob(self, digest: Digest) -> bool:
        """Ask whether the blob is there."""
        reply = self._transport.request("HEAD", f"blobs/{oci(digest)}", accept=_NONE)
        return reply.is_success

    def get_blob(self, digest: Digest, offset: int = 0) -> Iterator[bytes]:
        """Yield the blob as it comes, asking again for what is missing when the connection is lost."""
        hashed = hashlib.sha256() if offset == 0 else None
        lost = 0
        while True:
            before = offset
            try:
                for piece in self._pieces(digest, offset):
                    offset += len(piece)
                    if hashed is not None:
                        hashed.update(piece)
                    yield piece
                break
            except Lost as error:
                lost = lost + 1 if offset == before else 1
                self._transport.wait(error, lost)
        if hashed is not None and hashed.hexdigest() != digest:
            raise VerificationError(
                f"{self.name} sent other bytes for {oci(digest)}: their sha256 is {hashed.hexdigest()}",
                hint="the registry is damaged, or lies",
            )

    def put_blob(self, blob: Descriptor, source: BlobSource) -> bool:
        """Send the blob, or have it mounted from another repository of the registry."""
        if self.has_blob(blob.digest):
            return False
        known = self._notes.upload(self._host, self._repository, blob.digest) if self._notes else None
        session, offset = self._resumed(known) if known else (None, 0)
        if session is None:
            session, offset = self._begin(blob.digest)
        if session is not None:
            self._send(blob, source, session, offset)
        if self._notes:
            self._notes.ended(self._host, self._repository, blob.digest)
        return session is not None

    def get_manifest(self, reference: str) -> Manifest | None:
        """Ask for the manifest at a tag or digest and check what comes."""
        digest = store.parse_digest(reference)
        reply = self._transport.request("GET", f"manifests/{reference}", headers={"Accept": _ACCEPT}, accept=_NONE)
        if reply.status_code == httpx.codes.NOT_FOUND:
            return None
        content = reply.content
        if len(content) > store.LARGEST_MANIFEST:
            raise VerificationError(f"{self.name} sent a manifest of {len(content)} bytes for {reference}")
        media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type not in store.MANIFESTS:
            media_type = str(store.parse(content, f"the manifest {reference}").get("mediaType") or media_type)
        made = store.of_bytes(content, media_type)
        said = store.parse_digest(reply.headers.get("Docker-Content-Digest", "")) or made.digest
        for wanted in (digest or made.digest, said):
            if wanted != made.digest:
                raise VerificationError(
                    f"{self.name} sent another manifest for {reference}: its digest is {oci(made.digest)},"
                    f" not {oci(wanted)}",
                    hint="the registry is damaged, or lies",
                )
        return made

    def put_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """Send the manifest; where the registry has no referrers API, keep the index at the subject's fallback tag."""
        reply = self._transport.request(
            "PUT",
            f"manifests/{tag or oci(manifest.digest)}",
            headers={"Content-Type": manifest.media_type, "Content-Length": str(len(manifest.content))},
            body=lambda: iter([manifest.content]),
        )
        self._agree(reply, manifest.digest)
        subject = manifest.subject
        if subject is not None and "OCI-Subject" not in reply.headers:
            self._add_to_fallback(subject, store.referrer(manifest))

    def tags(self) -> tuple[str, ...]:
        """Ask for the tags, page after page."""
        found: set[str] = set()
        url, params = "tags/list", {"n": "1000"}
        while url:
            reply = self._transport.request("GET", url, params=params, accept=_NONE)
            if reply.status_code == httpx.codes.NOT_FOUND:
                break
            listed = store.parse(reply.content, f"the list of tags of {self.name}").get("tags") or ()
            found |= {str(tag) for tag in listed}
            following = reply.links.get("next", {}).get("url", "")
            parts = urlsplit(following)
            url, params = (parts._replace(query="").geturl(), dict(parse_qsl(parts.query))) if following else ("", {})
        return tuple(sorted(found))

    def referrers(self, subject: Digest, artifact_type: str | None = None) -> tuple[Descriptor, ...]:
        """Ask the referrers API, or read the fallback tag's index where there is no such thing."""
        reply = self._transport.request("GET", f"referrers/{oci(subject)}", accept=(httpx.codes.NOT_FOUND, 405))
        if reply.is_success:
            listed = store.of_bytes(reply.content, store.INDEX).manifests()
        else:
            fallback = self.get_manifest(store.fallback_tag(subject))
            listed = fallback.manifests() if fallback is not None else ()
        kept = {one.digest: one for one in listed if artifact_type in (None, one.artifact_type)}
        return tuple(kept[digest] for digest in sorted(kept))

    def _pieces(self, digest: Digest, offset: int) -> Iterator[bytes]:
        """Yield what one request gives of a blob from `offset` on."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})
        with self._transport.stream("GET", f"blobs/{oci(digest)}", headers=headers, accept=(404, 416)) as reply:
            if reply.status_code == httpx.codes.NOT_FOUND:
                raise VerificationError(f"{self.name} does not hold {oci(digest)}")
            if reply.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # all of it was there
            skip = offset if reply.status_code == httpx.codes.OK else 0  # it takes no ranges
            with losses():
                for piece in reply.iter_raw():  # as they come: what waits is lost with the connection
                    if skip >= len(piece):
                        skip -= len(piece)
                    else:
                        yield piece[skip:]
                        skip = 0

    def _begin(self, digest: Digest) -> tuple[str | None, int]:
        """Return the address of a new upload; None when the blob was mounted from another repository instead."""
        noted = self._notes.repository(self._host, digest) if self._notes else None
        for other in dict.fromkeys([*([noted] if noted else []), *self._mount_from]):
            if other != self._repository:
                asked = {"mount": oci(digest), "from": other}
                reply = self._transport.request("POST", "blobs/uploads/", params=asked, accept=(401, 403, 404))
                if reply.status_code == httpx.codes.CREATED:
                    self._agree(reply, digest)
                    return None, 0
                if reply.status_code == httpx.codes.ACCEPTED:
                    return self._location(reply), 0
        reply = self._transport.request("POST", "blobs/uploads/")
        return self._location(reply), 0

    def _resumed(self, session: str) -> tuple[str | None, int]:
        """Return where an upload goes on, and from which byte; None when the registry has forgotten it."""
        try:
            reply = self._transport.request("GET", session, accept=(400, 404))
        except PublicationError:
            return None, 0
        if not reply.is_success:
            return None, 0
        _, _, last = reply.headers.get("Range", "0--1").partition("-")
        have = int(last) + 1 if last.isdigit() else 0
        return self._location(reply, session), (0 if have == 1 else have)  # `0-0` is what some say of an empty one

    def _send(self, blob: Descriptor, source: BlobSource, session: str, offset: int) -> None:
        """Send the blob from `offset` on and end the upload."""
        lost = 0
        while True:
            before = offset
            try:
                while offset < blob.size:
                    if self._notes:
                        self._notes.begun(self._host, self._repository, blob.digest, session)
                    session, offset = self._patch(session, blob, source, offset)
                self._end(session, blob.digest)
                return
            except Lost as error:
                if self.has_blob(blob.digest):
                    return  # it was the last answer that was lost
                found, have = self._resumed(session)
                session, offset = (found, have) if found else self._restart(blob.digest)
                lost = lost + 1 if offset <= before else 1
                self._transport.wait(error, lost)

    def _restart(self, digest: Digest) -> tuple[str, int]:
        reply = self._transport.request("POST", "blobs/uploads/")
        return self._location(reply), 0

    def _patch(self, session: str, blob: Descriptor, source: BlobSource, offset: int) -> tuple[str, int]:
        """Send one chunk and return where to go on."""
        end = min(offset + self._chunk, blob.size)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(end - offset),
            "Content-Range": f"{offset}-{end - 1}",
        }
        with self._transport.stream(
            "PATCH", session, headers=headers, body=lambda: self._chunked(source, offset, end)
        ) as reply:
            with losses():
                reply.read()
            return self._location(reply, session), end

    def _chunked(self, source: BlobSource, offset: int, end: int) -> Iterator[bytes]:
        for piece in source(offset):
            kept = piece[: end - offset]
            offset += len(kept)
            yield kept
            if offset >= end:
                return
        raise VerificationError("what is to be sent is shorter than its descriptor says", hint="make the image again")

    def _end(self, session: str, digest: Digest) -> None:
        parts = urlsplit(session)
        params = {**dict(parse_qsl(parts.query)), "digest": oci(digest)}
        with self._transport.stream(
            "PUT", parts._replace(query="").geturl(), params=params, headers={"Content-Length": "0"}, accept=(400,)
        ) as reply:
            with losses():
                reply.read()
            if reply.status_code == httpx.codes.BAD_REQUEST:
                raise VerificationError(
                    f"{self.name} got other bytes than {oci(digest)}, or does not say the truth about them",
                    hint="make the image again, then push once more",
                )
            self._agree(reply, digest)

    def _agree(self, reply: httpx.Response, digest: Digest) -> None:
        said = reply.headers.get("Docker-Content-Digest")
        if said is not None and said != oci(digest):
            raise VerificationError(
                f"{self.name} was given {oci(digest)} and says that it holds {said}",
                hint="the registry is damaged, or lies",
            )

    def _location(self, reply: httpx.Response, before: str | None = None) -> str:
        location = reply.headers.get("Location") or before
        if not location:
            raise PublicationError(f"{self.name} does not say where an upload goes on: it is no registry")
        return self._transport.url(str(location))

    def _add_to_fallback(self, subject: Digest, one: Descriptor) -> None:
        tag = store.fallback_tag(subject)
        before = self.get_manifest(tag)
        listed = [each for each in (before.manifests() if before else ()) if each.digest != one.digest]
        document = {
            "schemaVersion": 2,
            "mediaType": store.INDEX,
            "manifests": [each.document() for each in sorted([*listed, one], key=lambda each: each.digest)],
        }
        self.put_manifest(store.manifest(document), tag)
