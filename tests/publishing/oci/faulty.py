"""A small registry that misbehaves: it drops connections, answers with errors, lies about digests, asks for tokens."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(slots=True, kw_only=True)
class Faults:
    """What the registry does wrong; counts go down as faults happen."""

    errors: list[int] = field(default_factory=list)  # statuses of the next answers
    drop_after: list[int] = field(default_factory=list)  # of the next blobs: bytes until the connection ends
    drop_uploads: list[int] = field(default_factory=list)  # of the next chunks: bytes until the connection ends
    lie: str = ""  # "blob", "manifest", "stored": what comes with, or is said to have, another digest
    capacity: int | None = None  # bytes of blobs until the disk is full
    users: dict[str, str] = field(default_factory=dict)  # whom tokens are given to; none: everybody may do everything
    basic: bool = False  # ask for the password itself
    ranges: bool = True  # take ranges of blobs


@dataclass(slots=True, kw_only=True)
class State:
    """What the registry holds and has seen."""

    faults: Faults
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by tag and digest
    uploads: dict[str, bytes] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)  # method, path and range of each request
    received: int = 0  # bytes of blobs
    begun: int = 0  # uploads
    lock: threading.Lock = field(default_factory=threading.Lock)
    host: str = ""


@contextlib.contextmanager
def faulty(faults: Faults | None = None) -> Iterator[State]:
    """Run the registry on a free port of the loopback interface."""
    state = State(faults=faults or Faults())

    class Handler(_Handler):
        held = state

    server = _Server(("127.0.0.1", 0), Handler)
    state.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients are killed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    held: State

    def log_message(self, *_: Any) -> None:
        pass

    def handle_any(self) -> None:
        state, parts = self.held, urlsplit(self.path)
        with state.lock:
            state.seen.append(f"{self.command} {parts.path} {self.headers.get('Range', '')}".strip())
            error = state.faults.errors.pop(0) if state.faults.errors else 0
        if error:
            self.drain()
            self.answer(error, json.dumps({"errors": [{"code": "X", "message": "out of order"}]}).encode())
        elif parts.path == "/token":
            self.token(parse_qs(parts.query))
        elif self.welcome():
            self.route(parts.path, {key: values[0] for key, values in parse_qs(parts.query).items()})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = handle_any

    def route(self, path: str, query: dict[str, str]) -> None:
        kind = next((name for name in ("/blobs/uploads/", "/blobs/", "/manifests/", "/tags/") if name in path), "")
        name = path.partition(kind)[2] if kind else ""
        if kind == "/blobs/uploads/":
            self.upload(path, name, query)
        elif kind == "/blobs/":
            self.blob(name)
        elif kind == "/manifests/":
            self.manifest(name)
        else:
            self.answer(404, b"{}")

    def welcome(self) -> bool:
        faults = self.held.faults
        if not faults.users:
            return True
        given = self.headers.get("Authorization", "")
        if given == ("Basic " + self.password() if faults.basic else "Bearer good"):
            return True
        self.drain()
        realm = f'Bearer realm="http://{self.held.host}/token",service="faulty"'
        self.answer(401, b"{}", {"WWW-Authenticate": 'Basic realm="faulty"' if faults.basic else realm})
        return False

    def password(self) -> str:
        user, password = next(iter(self.held.faults.users.items()))
        return base64.b64encode(f"{user}:{password}".encode()).decode()

    def token(self, query: dict[str, list[str]]) -> None:
        if self.headers.get("Authorization") == f"Basic {self.password()}" and query["service"] == ["faulty"]:
            self.answer(200, b'{"token": "good"}')
        else:
            self.answer(401, b"{}")

    def blob(self, digest: str) -> None:
        content = self.held.blobs.get(digest)
        if content is None:
            self.answer(404, b"{}")
            return
        if self.held.faults.lie == "blob":
            content = content[:-1] + b"!"
        start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-")) if "Range" in self.headers else 0
        start = start if self.held.faults.ranges else 0
        with self.held.lock:
            cuts = self.held.faults.drop_after
            cut = cuts.pop(0) if cuts and self.command == "GET" else None
        self.answer(206 if start else 200, content[start:], {"Docker-Content-Digest": digest}, cut=cut)

    def manifest(self, name: str) -> None:
        state = self.held
        if self.command == "PUT":
            content = self.drain()
            kept = (self.headers["Content-Type"], content)
            state.manifests[name] = state.manifests[sha256(content)] = kept
            self.answer(201, b"", {"Docker-Content-Digest": self.said(sha256(content))})
        elif name in state.manifests:
            media_type, content = state.manifests[name]
            if state.faults.lie == "manifest":
                content = content.replace(b"2", b"3")
            self.answer(200, content, {"Content-Type": media_type, "Docker-Content-Digest": sha256(content)})
        else:
            self.answer(404, b"{}")

    def upload(self, path: str, name: str, query: dict[str, str]) -> None:
        state = self.held
        if self.command == "POST":
            self.drain()
            with state.lock:
                state.begun += 1
                name = str(state.begun)
                state.uploads[name] = b""
            self.answer(202, b"", {"Location": f"{path}{name}", "Range": "0-0"})
        elif name not in state.uploads:
            self.drain()
            self.answer(404, b"{}")
        elif self.command == "GET":
            self.answer(204, b"", {"Location": path, "Range": f"0-{len(state.uploads[name]) - 1}"})
        elif self.command == "PATCH":
            self.patch(path, name)
        else:
            self.drain()
            content = state.uploads.pop(name)
            if sha256(content) != query["digest"]:
                self.answer(400, b'{"errors": [{"code": "DIGEST_INVALID", "message": "other bytes"}]}')
                return
            state.blobs[query["digest"]] = content
            self.answer(201, b"", {"Docker-Content-Digest": self.said(query["digest"])})

    def patch(self, path: str, name: str) -> None:
        state, left = self.held, int(self.headers["Content-Length"])
        with state.lock:
            cut = state.faults.drop_uploads.pop(0) if state.faults.drop_uploads else left
        content = self.rfile.read(min(cut, left))
        with state.lock:
            state.uploads[name] += content
            state.received += len(content)
            full = state.faults.capacity is not None and state.received > state.faults.capacity
        if cut < left:
            self.close_connection = True
        elif full:
            self.answer(500, b'{"errors": [{"code": "UNKNOWN", "message": "write: no space left on device"}]}')
        else:
            self.answer(202, b"", {"Location": path, "Range": f"0-{len(state.uploads[name]) - 1}"})

    def said(self, digest: str) -> str:
        return f"sha256:{'0' * 64}" if self.held.faults.lie == "stored" else digest

    def drain(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(
        self, status: int, content: bytes, headers: dict[str, str] | None = None, *, cut: int | None = None
    ) -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True
