"""Serving a repository's folder on this machine, to try a client on it; no server for the world."""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    """Serves files below `/cvmfs/<fqrn>/`, lists no folder, and says nothing."""

    protocol_version = "HTTP/1.1"
    base = "/"

    def translate_path(self, path: str) -> str:
        """Return the file of a URL's path; one outside the repository is a file that is not there."""
        if not path.startswith(self.base):
            return f"{self.directory}/.not-there"
        return super().translate_path("/" + path.removeprefix(self.base))

    def list_directory(self, path: object) -> None:
        """Answer that there is nothing to see."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Keep proxies from holding what is replaced: objects never change, the signed files do."""
        kept = "/data/" in self.path
        self.send_header("Cache-Control", "max-age=259200" if kept else "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's word
        """Say nothing."""


def server(folder: Path, name: str, *, port: int) -> ThreadingHTTPServer:
    """Return a server on the loopback interface that waits for `serve_forever`; port 0 takes a free one.

    The repository is at `http://127.0.0.1:<port>/cvmfs/<name>`.
    """
    handler = type("Handler", (_Handler,), {"base": f"/cvmfs/{name}/"})
    return ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(folder)))
