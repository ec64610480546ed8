"""A repository in a bucket of S3, or of what speaks its language: objects are created once, the manifest conditionally.

A bucket knows no locks that end with a process. A writer holds a small object instead, and renews it while it works;
who finds one that is not renewed any more takes it over by a conditional put, which only one can win. The manifest is
replaced on condition that it is still the one that was read, so that even two writers could not both succeed.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from lode.errors import HostError, PublicationError, UsageError
from lode.publishing.cvmfs import manifest

LOCK = ".lode-writer"
LEASE_S = 60.0  # a lock that was not renewed for so long is that of a writer that ended

T = TypeVar("T")


class Bucket:
    """A folder of a bucket, all through one client of obstore."""

    def __init__(self, store: Any, address: str, *, lease_s: float = LEASE_S) -> None:
        """Use `store`, whose keys begin where the repository does; `address` names it in messages."""
        self._store, self.address, self._lease_s = store, address, lease_s
        self._read: dict[str, str | None] = {}  # version of the manifest when it was last read; None: there was none

    def read(self, key: str) -> bytes | None:
        """Return the content of the object, None when there is none."""
        import obstore

        def once() -> tuple[bytes, str | None]:
            answer = obstore.get(self._store, key)
            return bytes(answer.bytes()), answer.meta["e_tag"]

        try:
            content, version = self._asked(once)
        except FileNotFoundError:
            content, version = None, None
        if key == manifest.KEY:
            self._read[key] = version
        return content

    def size(self, key: str) -> int | None:
        """Return the size of the object, None when there is none."""
        import obstore

        try:
            size: int = self._asked(lambda: obstore.head(self._store, key))["size"]
        except FileNotFoundError:
            return None
        return size

    def write(self, key: str, content: bytes | bytearray) -> bool:
        """Create the object; one that is there is whole, since a bucket shows no other."""
        from obstore.exceptions import AlreadyExistsError

        try:
            self._put(key, bytes(content), "create")
        except AlreadyExistsError:
            return False
        return True

    def replace(self, key: str, content: bytes) -> None:
        """Put the object; the manifest only where the one that was read last still lies, else PublicationError."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = "overwrite"
        if key in self._read:
            known = self._read[key]
            mode = "create" if known is None else {"e_tag": known}
        try:
            version = self._put(key, content, mode)
        except (AlreadyExistsError, PreconditionError) as error:
            raise PublicationError(
                "another publisher has put a revision in between", hint="call again: it goes on from there"
            ) from error
        if key in self._read:
            self._read[key] = version

    def delete(self, key: str) -> None:
        """Remove the object."""
        import obstore

        with contextlib.suppress(FileNotFoundError):
            self._asked(lambda: obstore.delete(self._store, key))

    def listing(self) -> Iterator[tuple[str, int]]:
        """Yield all objects below `data/`."""
        import obstore

        pages = iter(obstore.list(self._store, prefix="data"))
        while (page := self._asked(lambda: next(pages, None))) is not None:
            yield from ((one["path"], one["size"]) for one in page)

    def flush(self) -> None:
        """Return at once: what a bucket has taken it keeps."""

    @contextlib.contextmanager
    def writer(self) -> Iterator[None]:
        """Hold the lock and renew it meanwhile; PublicationError when another writer does."""
        held = _Lease(self, self._lease_s)
        held.take()
        stop = threading.Event()
        renewing = threading.Thread(target=held.renew, args=(stop,), name="cvmfs-lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            stop.set()
            renewing.join()
            held.release()

    def put_lock(self, content: bytes, mode: Any) -> str | None:
        """Put the lock as `mode` says and return its version, None when that was not possible."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._put(LOCK, content, mode)
        except (AlreadyExistsError, PreconditionError):
            return None

    def lock(self) -> str | None:
        """Return the version of the lock that lies there, None when none does."""
        import obstore

        try:
            version: str | None = self._asked(lambda: obstore.head(self._store, LOCK))["e_tag"]
        except FileNotFoundError:
            return None
        return version

    def _put(self, key: str, content: bytes, mode: Any) -> str | None:
        import obstore

        def once() -> str | None:
            version: str | None = obstore.put(self._store, key, content, mode=mode, use_multipart=False)["e_tag"]
            return version

        try:
            return self._asked(once)
        except FileNotFoundError as error:
            raise HostError(f"there is no bucket {self.address}", hint="make it first, with its provider") from error

    def _asked(self, once: Callable[[], T]) -> T:
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            return once()
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise
        except (BaseError, PermissionError, ConnectionError, TimeoutError) as error:
            reason = str(error).split("\n", 1)[0][:200]
            raise HostError(
                f"the bucket {self.address} does not do what it is asked: {reason}",
                hint="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who asks; look whether it may write there",
            ) from error


class _Lease:
    """The lock of one writer."""

    def __init__(self, bucket: Bucket, lease_s: float) -> None:
        self._bucket, self._lease_s = bucket, lease_s
        self._version: str | None = None

    def take(self) -> None:
        """Take the lock, or take over one that is not renewed for the time of a lease."""
        self._version = self._bucket.put_lock(self._content(), "create")
        if self._version is not None:
            return
        seen, since = self._bucket.lock(), time.monotonic()
        while self._version is None:
            time.sleep(self._lease_s / 20)
            found = self._bucket.lock()
            if found is None:
                self._version = self._bucket.put_lock(self._content(), "create")
            elif found != seen:
                break
            elif time.monotonic() - since > self._lease_s:
                self._version = self._bucket.put_lock(self._content(), {"e_tag": seen})
                break
        if self._version is None:
            raise PublicationError(
                f"another command is writing to the repository in {self._bucket.address}",
                hint="call again when it has ended",
            )

    def renew(self, stop: threading.Event) -> None:
        """Renew the lock until `stop`; where that fails the conditional replacement of the manifest decides."""
        while not stop.wait(self._lease_s / 4):
            with contextlib.suppress(HostError):
                self._version = self._bucket.put_lock(self._content(), {"e_tag": self._version}) or self._version

    def release(self) -> None:
        """Take the lock away, if it is still this writer's."""
        with contextlib.suppress(HostError):
            if self._version is not None and self._bucket.lock() == self._version:
                self._bucket.delete(LOCK)

    @staticmethod
    def _content() -> bytes:
        return json.dumps({"writer": secrets.token_hex(16)}).encode()


def opened(url: str, *, endpoint: str | None, region: str | None, lease_s: float = LEASE_S) -> Bucket:
    """Return the bucket at `url`, `s3://<bucket>/<path>`, whose account obstore reads from the usual variables.

    UsageError when they or the URL do not fit.
    """
    import obstore
    from obstore.exceptions import BaseError

    options: dict[str, Any] = {"region": region or "us-east-1"}
    if endpoint:
        options |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
        if endpoint.startswith("http://"):
            options["client_options"] = {"allow_http": True}
    try:
        return Bucket(obstore.store.from_url(url, **options), url, lease_s=lease_s)
    except (BaseError, ValueError, TypeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise UsageError(f"the bucket {url} cannot be opened: {reason}") from error
