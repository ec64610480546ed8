"""Deposits two files at a server on this machine that answers as Zenodo's API does, and fetches one back."""

import json
import os
import pathlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

home = pathlib.Path("home").resolve()
os.environ["PYSTOW_HOME"] = str(home)
os.environ["PYSTOW_CONFIG_HOME"] = str(home / "config")

import requests  # noqa: E402
from zenodo_client import Creator, Metadata, Zenodo  # noqa: E402

TOKEN = "test-token"
metadata_there = {}
files_there = {}
published = []


class Portal(BaseHTTPRequestHandler):
    """The parts of https://developers.zenodo.org that a deposition goes through."""

    def answer(self, status, body):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle_request(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        here = f"http://127.0.0.1:{self.server.server_port}"
        what = (self.command, url.path)
        if url.path.startswith("/api/deposit") and parse_qs(url.query).get("access_token") != [TOKEN]:
            self.answer(401, {"message": "the token is not known"})
        elif what == ("POST", "/api/deposit/depositions"):
            metadata_there.update(json.loads(body)["metadata"])
            self.answer(201, {"id": 1234, "links": {"bucket": f"{here}/api/files/b1"}})
        elif what == ("POST", "/api/deposit/depositions/1234/actions/publish"):
            published.append(1234)
            self.answer(202, {"id": 1234, "submitted": True})
        elif self.command == "PUT" and url.path.startswith("/api/files/b1/"):
            files_there[url.path.rpartition("/")[2]] = body
            self.answer(201, {})
        elif what == ("GET", "/api/records/1234"):
            files = [{"key": key, "links": {"self": f"{here}/api/files/b1/{key}"}} for key in sorted(files_there)]
            self.answer(200, {"conceptrecid": "1233", "metadata": metadata_there, "files": files})
        elif self.command == "GET" and url.path.rpartition("/")[2] in files_there:
            self.answer(200, files_there[url.path.rpartition("/")[2]])
        else:
            self.answer(404, {"message": f"there is no {self.command} {url.path}"})

    do_GET = do_POST = do_PUT = handle_request  # noqa: N815

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Portal)
threading.Thread(target=server.serve_forever, daemon=True).start()


def zenodo(token):
    client = Zenodo(access_token=token)
    client.api_base = f"http://127.0.0.1:{server.server_port}/api"
    client.depositions_base = client.api_base + "/deposit/depositions"
    return client


pathlib.Path("limits.json").write_text('{"sigma": 9.2e-48}')
pathlib.Path("events.bin").write_bytes(bytes(range(256)) * 512)
metadata = Metadata(
    title="Limits of run 7",
    upload_type="dataset",
    description="Upper limits",
    creators=[Creator(name="Meitner, Lise", affiliation="DANCE")],
    version="2026.11",
)
done = zenodo(TOKEN).create(metadata, ["limits.json", "events.bin"])
assert done.json()["submitted"] and published == [1234]
assert metadata_there["creators"][0]["name"] == "Meitner, Lise" and metadata_there["version"] == "2026.11"
assert files_there["events.bin"] == pathlib.Path("events.bin").read_bytes()

fetched = zenodo(TOKEN).download("1234", "limits.json")
assert fetched == home / "zenodo" / "1233" / "2026.11" / "limits.json", fetched
assert json.loads(fetched.read_text()) == {"sigma": 9.2e-48}

try:
    zenodo("another").create(metadata, [])
except requests.HTTPError as error:
    assert error.response.status_code == 401
else:
    raise AssertionError("a token that is not known was accepted")
