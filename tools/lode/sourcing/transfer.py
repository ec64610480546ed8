"""Bringing one file here: into a part file that survives interruptions, with its hash checked at the end.

A part is taken up again with a Range request (RFC 9110, sections 13.1.5 and 14), from another place too: the hash at
the end decides. When what was put together has the wrong hash, the same place is asked once more for the whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from lode.errors import HostError
from lode.sourcing import swhid
from lode.sourcing.access import Refused, Wanted, cannot_store, no_room, redacted
from lode.sourcing.reach import Link, Reach

if TYPE_CHECKING:
    import httpx

Value = TypeVar("Value")
_LARGEST_PAGE = 64 << 20
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_MOST_ATTEMPTS = 100  # of one place, however much progress each makes
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


class _Passing(Exception):
    """It did not work this time."""

    def __init__(self, reason: str, *, after_s: float | None = None, unreachable: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.unreachable = unreachable


def download(link: Link, wanted: Wanted, part: Path, reach: Reach) -> None:
    """Fill `part` with the wanted bytes from `link`; Refused, with the reason, when this place has not got them."""
    reach.refuse_dead(link.url)
    begun_before = _size(part) > 0
    reach.progress.advance(wanted.task, _size(part))
    _attempts(link, wanted, part, reach)
    try:
        check(part, wanted)
    except Refused:
        discard(part, wanted, reach)
        if not begun_before:
            raise
        _attempts(link, wanted, part, reach)  # the old beginning may have been another place's lie
        try:
            check(part, wanted)
        except Refused:
            discard(part, wanted, reach)
            raise


def save(link: Link, wanted: Wanted, path: Path, reach: Reach) -> None:
    """Fill `path` with what is behind `link`, unchecked: something that the wanted bytes are to be made of."""
    reach.refuse_dead(link.url)
    _attempts(link, replace(wanted, size=None), path, reach)


def page(link: Link, accept: str, reach: Reach, *, method: str = "GET") -> tuple[bytes, str, str]:
    """Return a small document's bytes, its media type and the URL it came from in the end; Refused with the reason."""
    reach.refuse_dead(link.url)

    def ask() -> tuple[bytes, str, str]:
        with _asking(lambda: 0), reach.client(link).stream(method, link.url, headers={"Accept": accept}) as response:
            _refuse_failure(response)
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _LARGEST_PAGE:
                    raise Refused(f"its page is larger than {_LARGEST_PAGE} bytes")
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return content, kind, str(response.url)

    return _patiently(ask, lambda: 0, link, None, reach)


def copy(chunks: Iterable[bytes], wanted: Wanted, part: Path, reach: Reach) -> None:
    """Fill `part` with `chunks` in place of what it held; Refused unless they are the wanted bytes."""
    discard(part, wanted, reach)
    with _opened(part) as file:
        _pour(chunks, file, 0, wanted, reach, part)
    try:
        check(part, wanted)
    except Refused:
        discard(part, wanted, reach)
        raise


def check(path: Path, wanted: Wanted) -> None:
    """Raise Refused unless the file at `path` has the wanted size, sha256 and Software Heritage id."""
    size = path.stat().st_size
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 != wanted.sha256:
        raise Refused(f"it gave {size} bytes with the sha256 {sha256}")
    if wanted.size is not None and size != wanted.size:
        raise Refused(f"it gave {size} bytes; the lock says {wanted.size} for the same sha256")
    if wanted.swhid and wanted.swhid.startswith("swh:1:cnt:"):
        found = swhid.swhid_of(path)
        if found != wanted.swhid.partition(";")[0]:
            raise Refused(f"it gave the right sha256, but {found} instead of {wanted.swhid}")


def discard(part: Path, wanted: Wanted, reach: Reach) -> None:
    """Remove what arrived so far, and take it back from the progress display."""
    gone = _size(part)
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)
    if gone:
        reach.progress.advance(wanted.task, -gone)


def _attempts(link: Link, wanted: Wanted, part: Path, reach: Reach) -> None:
    """Ask until all bytes are here, the place refuses, or it fails too often without a byte of progress."""
    if wanted.size is not None and _size(part) == wanted.size:
        return
    _patiently(lambda: _attempt(link, wanted, part, reach), lambda: _size(part), link, wanted.task, reach)


def _patiently(ask: Callable[[], Value], got: Callable[[], int], link: Link, task: str | None, reach: Reach) -> Value:
    """Return what `ask` returns at last; each time that `got` has grown in between, patience begins anew."""
    retry = reach.access.retry
    failures = 0
    for attempt in itertools.count(1):
        before = got()
        try:
            return ask()
        except _Passing as passing:
            failures = 1 if got() > before else failures + 1
            if failures >= retry.attempts or attempt == _MOST_ATTEMPTS:
                if passing.unreachable:
                    reach.bury(link.url, str(passing))
                times = f" ({attempt} attempts)" if attempt > 1 else ""
                raise Refused(f"{passing}{times}") from passing
            pause_s = passing.after_s if passing.after_s is not None else retry.pause_s * 2 ** (failures - 1)
            if task is not None:
                reach.progress.step(task, f"trying again: {passing}")
            reach.pause(min(pause_s, retry.longest_s))
    raise AssertionError


def _attempt(link: Link, wanted: Wanted, part: Path, reach: Reach) -> None:
    offset = _size(part)
    if wanted.size is not None and offset > wanted.size:
        discard(part, wanted, reach)
        offset = 0
    headers = _range(link, part, offset)
    with _asking(lambda: _size(part)), reach.client(link).stream("GET", link.url, headers=headers) as response:
        start = _start(response, wanted, part, offset, reach)
        if start == 0:
            _remember(link, response, part)
        with _opened(part) as file:
            _pour(response.iter_raw(), file, start, wanted, reach, part)
    if wanted.size is not None and _size(part) < wanted.size:
        raise _Passing(f"the connection ended after {_size(part)} of {wanted.size} bytes")


@contextlib.contextmanager
def _asking(got: Callable[[], int]) -> Iterator[None]:
    """Turn what goes wrong on the way into a reason: for this time, or for good."""
    import httpx

    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise _Passing(_reason(error), unreachable=True) from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise Refused(_reason(error)) from error
    except httpx.TransportError as error:
        raise _Passing(f"the connection broke after {got()} bytes: {_reason(error)}") from error
    except httpx.HTTPError as error:
        raise Refused(_reason(error)) from error


def _range(link: Link, part: Path, offset: int) -> dict[str, str]:
    """Return the request's headers: only what is missing, and only of the file that we have the beginning of."""
    if not offset:
        return {}
    headers = {"Range": f"bytes={offset}-"}
    with contextlib.suppress(OSError, ValueError):
        note = json.loads(_note(part).read_bytes())
        if isinstance(note, dict) and note.get("url") == redacted(link.url) and note.get("validator"):
            headers["If-Range"] = str(note["validator"])
    return headers


def _start(response: httpx.Response, wanted: Wanted, part: Path, offset: int, reach: Reach) -> int:
    """Return the position in the file of the answer's first byte, with the part cut to it; or refuse the answer."""
    if response.status_code == 416:  # it has fewer bytes than we: not the same file
        discard(part, wanted, reach)
        raise _Passing(f"it answered {_said(response)}")
    _refuse_failure(response)
    if response.status_code == 206:
        match = _RANGE.match(response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != offset:
            discard(part, wanted, reach)
            raise _Passing("it answered with another range than the one asked for")
        total = None if match[2] == "*" else int(match[2])
    else:
        if offset:
            discard(part, wanted, reach)
        offset = 0
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else None
    if total is not None and wanted.size is not None and total != wanted.size:
        raise Refused(f"it offers {total} bytes; the lock says {wanted.size}")
    if total is not None and wanted.size is None:  # only now is it known how much there is to do
        reach.progress.start(wanted.task, total=total, unit="B")
        reach.progress.advance(wanted.task, offset)
    return offset


def _refuse_failure(response: httpx.Response) -> None:
    if response.status_code in _TRY_AGAIN:
        raise _Passing(f"it answered {_said(response)}", after_s=_retry_after(response))
    if response.status_code not in (200, 206):
        raise Refused(f"it answered {_said(response)}")


def _said(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".rstrip()


def _pour(chunks: Iterable[bytes], file: IO[bytes], start: int, wanted: Wanted, reach: Reach, part: Path) -> None:
    limit = wanted.size if wanted.size is not None else reach.access.largest_bytes
    here = start
    for chunk in chunks:
        reach.heed()
        here += len(chunk)
        if here > limit:
            raise Refused(f"it sends more than the {limit} bytes that are allowed")
        try:
            _write(file, chunk)
        except OSError as error:
            raise _unwritable(part, error, file) from error
        reach.progress.advance(wanted.task, len(chunk))
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(part, error, file) from error


def _write(file: IO[bytes], chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:  # an unbuffered file takes what has room and says the rest the next time
        rest = rest[file.write(rest) :]


def _opened(part: Path) -> IO[bytes]:
    try:
        return part.open("ab", buffering=0)
    except OSError as error:
        raise cannot_store(part, error) from error


def _unwritable(part: Path, error: OSError, file: IO[bytes]) -> HostError:
    """Return the error; on a full disk what arrived is given up, for others to work again."""
    if no_room(error):
        file.close()
        part.unlink(missing_ok=True)
        _note(part).unlink(missing_ok=True)
    return cannot_store(part, error)


def _remember(link: Link, response: httpx.Response, part: Path) -> None:
    """Keep which file of which place the part is the beginning of; a weak ETag does not tell bytes apart."""
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    with contextlib.suppress(OSError):  # without it a resumed file is checked by its hash alone
        _note(part).write_text(json.dumps({"url": redacted(link.url), "validator": validator}))


def _note(part: Path) -> Path:
    return part.with_suffix(".json")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _reason(error: Exception) -> str:
    return redacted(str(error)) or type(error).__name__
