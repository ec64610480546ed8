from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from obstore.store import MemoryStore
from tests.building.factory import artifact, graph, node

from lode.building import stores
from lode.building.cache import Cache, FolderStore, Store, Unreachable
from lode.building.stores import HttpStore, ObjectStore, ReadOnly
from lode.errors import UsageError

ZLIB = graph(node("zlib"))["zlib"]
HASH = next(iter(ZLIB.hashes.values()))


class Server:
    """A web server in memory: what was PUT is there for GET; `faults` are answered first, one each."""

    def __init__(self, *faults: int | Exception) -> None:
        self.blobs: dict[str, bytes] = {}
        self.faults = list(faults)
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        self.tokens.add(request.headers.get("authorization"))
        content = request.read()
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return httpx.Response(fault)
        if request.method == "PUT":
            self.blobs[request.url.path] = content
            return httpx.Response(201)
        if request.url.path not in self.blobs:
            return httpx.Response(404)
        return httpx.Response(200, content=self.blobs[request.url.path])


def http(server: Server, token: str | None = None) -> HttpStore:
    client = httpx.Client(transport=httpx.MockTransport(server))
    return HttpStore("https://cache.example.org/lode/", token=token, client=client, pause=lambda _: None)


@pytest.fixture(params=["folder", "web", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return FolderStore(tmp_path / "store")
    return http(Server()) if request.param == "web" else ObjectStore(MemoryStore(), "s3://demo")


def test_what_is_put_is_had_and_got(store: Store, tmp_path: Path) -> None:
    given, got = tmp_path / "given", tmp_path / "got"
    given.write_bytes(b"\0" * 3_000_000)
    assert not store.has("a/b c/d")
    assert not store.get("a/b c/d", got)
    store.put("a/b c/d", given)
    store.put("a/b c/d", given)
    assert store.has("a/b c/d")
    assert store.get("a/b c/d", got)
    assert got.read_bytes() == given.read_bytes()


def test_a_node_built_on_one_machine_is_found_on_another(store: Store, tmp_path: Path) -> None:
    Cache(tmp_path / "here", behind=store).put(artifact(ZLIB, tmp_path / "work"))
    there = Cache(tmp_path / "there", behind=store)
    assert there.peek(HASH) is None
    found = there.get(HASH)
    assert found is not None
    assert found.path.is_relative_to(tmp_path / "there")
    assert there.peek(HASH) == found


def test_a_read_only_store_is_given_nothing(store: Store, tmp_path: Path) -> None:
    Cache(tmp_path / "here", behind=ReadOnly(store)).put(artifact(ZLIB, tmp_path / "work"))
    assert Cache(tmp_path / "there", behind=store).get(HASH) is None


def test_a_store_that_lies_about_bytes_is_not_believed(tmp_path: Path) -> None:
    server, notes = Server(), list[str]()
    Cache(tmp_path / "here", behind=http(server)).put(artifact(ZLIB, tmp_path / "work"))
    (package,) = (key for key in server.blobs if key.endswith(".conda"))
    server.blobs[package] = b"something else"
    there = Cache(tmp_path / "there", behind=http(server), note=notes.append)
    assert there.get(HASH) is None
    assert notes == ["warning: the shared cache has wrong bytes for zlib: not used"]
    assert not list((tmp_path / "there").rglob("*.conda"))


def test_an_entry_of_another_node_is_not_believed(tmp_path: Path) -> None:
    server, notes = Server(), list[str]()
    Cache(tmp_path / "here", behind=http(server)).put(artifact(ZLIB, tmp_path / "work"))
    (entry,) = (key for key in server.blobs if key.endswith(".json"))
    server.blobs[f"/lode/nodes/{'0' * 2}/{'0' * 64}.json"] = server.blobs[entry]
    there = Cache(tmp_path / "there", behind=http(server), note=notes.append)
    assert there.get(type(HASH)("0" * 64)) is None
    assert notes == ["warning: the shared cache has a wrong entry for node 0000000000000000: not used"]


def test_a_store_that_is_down_is_left_out_and_said_once(tmp_path: Path) -> None:
    server = Server(*[httpx.ConnectError("refused")] * 99)
    notes: list[str] = []
    cache = Cache(tmp_path / "here", behind=http(server), note=notes.append)
    assert cache.get(HASH) is None
    assert cache.get(HASH) is None
    assert notes == ["warning: the store https://cache.example.org/lode does not answer: refused: going on without it"]
    cache.put(artifact(ZLIB, tmp_path / "work"))
    assert cache.unkept == ["zlib"]
    assert len(notes) == 2
    assert cache.peek(HASH) is not None


@pytest.mark.parametrize("fault", [503, 429, 500, httpx.ReadError("cut"), httpx.ReadTimeout("slow")])
def test_a_busy_server_is_asked_again(fault: int | Exception, tmp_path: Path) -> None:
    server = Server(fault, fault)
    (tmp_path / "given").write_bytes(b"x")
    http(server).put("key", tmp_path / "given")
    assert server.blobs == {"/lode/key": b"x"}


def test_a_refusal_is_final_and_says_what_to_do(tmp_path: Path) -> None:
    server = Server(403)
    with pytest.raises(Unreachable) as refused:
        http(server).has("key")
    assert str(refused.value) == (
        "the store https://cache.example.org/lode refuses HEAD: 403 Forbidden\n"
        "  hint: the token for the store is missing, wrong or without that right"
    )
    assert server.asked == ["HEAD /lode/key"]


def test_the_token_is_sent_and_never_in_a_message(tmp_path: Path) -> None:
    server = Server()
    http(server, token="s3cret").get("key", tmp_path / "x")
    assert server.tokens == {"Bearer s3cret"}
    with pytest.raises(Unreachable) as refused:
        http(Server(401), token="s3cret").has("key")
    assert "s3cret" not in str(refused.value)


def test_a_password_in_the_address_is_in_no_message() -> None:
    client = httpx.Client(transport=httpx.MockTransport(Server(401)))
    with pytest.raises(Unreachable) as refused:
        HttpStore("https://me:s3cret@example.org/c", client=client).has("key")
    assert str(refused.value).startswith("the store https://example.org/c refuses HEAD: 401 Unauthorized")
    with pytest.raises(UsageError) as unknown:
        stores.store("ftp://me:s3cret@example.org/c")
    assert str(unknown.value).startswith("'ftp://example.org/c' is no address of a store")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/srv/cache", FolderStore),
        ("cache", FolderStore),
        ("file:///srv/cache", FolderStore),
        ("https://example.org/c", HttpStore),
        ("s3://bucket/path", ObjectStore),
        ("gs://bucket", ObjectStore),
    ],
)
def test_the_address_tells_the_kind(address: str, kind: type) -> None:
    assert isinstance(stores.store(address, settings={"AWS_REGION": "eu-central-1"}), kind)


@pytest.mark.parametrize("address", ["ftp://example.org/c", "https://", "s3://", "oops://x"])
def test_another_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        stores.store(address)
    assert str(refused.value) == (
        f"{address!r} is no address of a store\n"
        "  hint: a store is a folder, https://…, oci://registry/name, s3://bucket/path, gs://bucket/path or az://container/path"
    )
