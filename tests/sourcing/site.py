"""A web server on the loopback that can be told to misbehave: to drop connections, to lie, to be busy."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What a request is answered with. Without a status: the content, or the range of it that was asked for."""

    body: bytes = b""
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # the connection is closed after so many bytes of the body
    ranges: bool = True  # honours Range and If-Range
    length: bool = True  # says Content-Length
    wait_s: float = 0.0  # before the body
    chunk: int | None = None  # sends the body in pieces of so many bytes, `chunk_wait_s` apart
    chunk_wait_s: float = 0.0


class Site:
    """Serves `replies[path]`: the replies in turn, the last one for ever."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = defaultdict(list)
        self.requests: list[tuple[str, str | None]] = []  # path and Range, in order of arrival
        self.headers: list[dict[str, str]] = []
        self.at_once = 0  # requests under way
        self.most_at_once = 0
        self.lock = threading.Lock()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                with site.lock:
                    site.requests.append((self.path, self.headers.get("Range")))
                    site.headers.append(dict(self.headers.items()))
                    site.at_once += 1
                    site.most_at_once = max(site.most_at_once, site.at_once)
                    queue = site.replies.get(self.path)
                    reply = Reply(status=404) if not queue else queue.pop(0) if len(queue) > 1 else queue[0]
                try:
                    site.answer(self, reply)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with site.lock:
                        site.at_once -= 1

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def put(self, path: str, *replies: Reply | bytes) -> str:
        """Serve the replies (bytes: plain content) at `path`, and return its URL."""
        self.replies[path] = [Reply(body=reply) if isinstance(reply, bytes) else reply for reply in replies]
        return self.url + path

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, reply: Reply) -> None:
        body, status, headers = reply.body, reply.status, dict(reply.headers)
        wanted = request.headers.get("Range")
        condition = request.headers.get("If-Range")
        if status is None:
            status = 200
            same = condition is None or condition in (headers.get("ETag"), headers.get("Last-Modified"))
            if reply.ranges and wanted and same:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    status, body = 416, b""
                else:
                    status = 206
                    headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                    body = body[start:]
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if reply.length:
            request.send_header("Content-Length", str(len(body)))
        else:
            request.send_header("Connection", "close")
        request.end_headers()
        time.sleep(reply.wait_s)
        sent = body if reply.cut is None else body[: reply.cut]
        step = reply.chunk or max(1, len(sent))
        for begin in range(0, len(sent), step):
            request.wfile.write(sent[begin : begin + step])
            request.wfile.flush()
            time.sleep(reply.chunk_wait_s)
        if reply.cut is not None or not reply.length:
            request.close_connection = True
