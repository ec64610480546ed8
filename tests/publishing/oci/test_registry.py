"""What the client does with a registry that fails, lies, is full, or wants to know who asks."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.publishing.oci.faulty import State, faulty
from tests.publishing.oci.test_layout import blob, image

from lode.errors import HostError, LodeError, PublicationError, VerificationError
from lode.progress import Silent
from lode.publishing.oci import auth, copy, reference, store
from lode.publishing.oci.auth import Account, Authorizer
from lode.publishing.oci.layout import Layout
from lode.publishing.oci.notes import Notes
from lode.publishing.oci.registry import Registry
from lode.publishing.oci.store import oci
from lode.publishing.oci.transport import Transport

pytestmark = pytest.mark.integration

CONTENT = os.urandom(300_000)
CHUNK = 100_000


@pytest.fixture
def state() -> Iterator[State]:
    with faulty() as found:
        yield found


def registry(state: State, *, account: Account | None = None, notes: Notes | None = None) -> Registry:
    transport = Transport(
        reference.parse(f"{state.host}/dance/mini"), Authorizer(account), sleep=lambda wait_s: None, attempts=4
    )
    return Registry(transport, notes=notes, chunk=CHUNK)


def put(registry: Registry, content: bytes = CONTENT) -> bool:
    return registry.put_blob(blob(content), lambda offset: iter([content[offset:]]))


def pushed(state: State, folder: Path) -> Layout:
    """Return a layout with an image `1.0`, which the registry has too."""
    layout = Layout(folder)
    layout.put_manifest(image(layout, "layer"), "1.0")
    copy.copy(layout, registry(state), [("1.0", "1.0")], jobs=2, progress=Silent(), task="push")
    return layout


def refused(kind: type[LodeError], state: State) -> str:
    """Return the message of the error that putting a blob raises."""
    with pytest.raises(kind) as caught:
        put(registry(state))
    return str(caught.value).replace(state.host, "HOST")


def test_errors_that_pass_are_waited_for(state: State) -> None:
    state.faults.errors = [500, 503, 429]
    assert put(registry(state)) is True
    assert state.blobs[oci(blob(CONTENT).digest)] == CONTENT


def test_errors_that_stay_are_told(state: State) -> None:
    state.faults.errors = [503] * 9
    assert refused(HostError, state) == (
        "HOST did not answer 4 times: it answers 503 Service Unavailable\n"
        "  hint: call again later: what was moved is not moved again"
    )


def test_registry_that_is_not_there_is_told() -> None:
    with faulty() as state:
        pass
    message = refused(HostError, state)
    assert message.startswith("HOST did not answer 4 times: ")
    assert message.endswith("\n  hint: call again later: what was moved is not moved again")


def test_blob_that_breaks_off_is_asked_for_from_where_it_broke(state: State) -> None:
    put(registry(state))
    state.faults.drop_after = [70_000, 1000]
    state.seen.clear()
    assert b"".join(registry(state).get_blob(blob(CONTENT).digest)) == CONTENT
    path = f"GET /v2/dance/mini/blobs/{oci(blob(CONTENT).digest)}"
    assert state.seen == [path, f"{path} bytes=70000-", f"{path} bytes=71000-"]


def test_registry_without_ranges_gives_the_same_blob(state: State) -> None:
    put(registry(state))
    state.faults.ranges = False
    state.faults.drop_after = [70_000, 150_000]
    assert b"".join(registry(state).get_blob(blob(CONTENT).digest)) == CONTENT


def test_blob_that_never_comes_whole_is_given_up(state: State) -> None:
    put(registry(state))
    state.faults.drop_after = [0] * 20
    with pytest.raises(HostError):
        list(registry(state).get_blob(blob(CONTENT).digest))


def test_upload_that_breaks_off_goes_on_from_what_the_registry_has(state: State) -> None:
    state.faults.drop_uploads = [CHUNK, 40_000]
    assert put(registry(state)) is True
    assert state.blobs[oci(blob(CONTENT).digest)] == CONTENT
    assert state.received == len(CONTENT)


def test_upload_of_an_ended_call_goes_on_from_what_the_registry_has(state: State, tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    state.faults.drop_uploads = [CHUNK, 40_000]
    state.faults.errors = [0] * 4 + [503] * 30  # all that is asked after the second chunk
    with pytest.raises(HostError):
        put(registry(state, notes=notes))
    state.faults.errors.clear()
    assert state.received == 140_000
    assert put(registry(state, notes=notes)) is True
    assert state.received == len(CONTENT)


def test_blob_of_other_bytes_is_refused_and_not_kept(state: State, tmp_path: Path) -> None:
    layout = pushed(state, tmp_path / "here")
    state.faults.lie = "blob"
    layer = layout.get_manifest("1.0").blobs()[1]  # type: ignore[union-attr]
    back = Layout(tmp_path / "back")
    with pytest.raises(VerificationError) as caught:
        copy.copy(registry(state), back, [("1.0", "1.0")], jobs=1, progress=Silent(), task="pull")
    assert str(caught.value) in (
        f"{state.host}/dance/mini sent other bytes for {oci(one)}: their sha256 is {sha}\n"
        "  hint: the registry is damaged, or lies"
        for one, sha in (
            (layer.digest, blob(b"laye!").digest),
            (blob(b"{}").digest, blob(b"{!").digest),
        )
    )
    assert back.tags() == ()
    assert not back.has_blob(layer.digest)


def test_manifest_of_another_digest_is_refused(state: State, tmp_path: Path) -> None:
    made = pushed(state, tmp_path).get_manifest("1.0")
    assert made is not None
    state.faults.lie = "manifest"
    with pytest.raises(VerificationError) as caught:
        registry(state).get_manifest(oci(made.digest))
    other = blob(made.content.replace(b"2", b"3")).digest
    assert str(caught.value) == (
        f"{state.host}/dance/mini sent another manifest for {oci(made.digest)}: its digest is {oci(other)},"
        f" not {oci(made.digest)}\n  hint: the registry is damaged, or lies"
    )


def test_answer_with_another_digest_is_refused(state: State) -> None:
    state.faults.lie = "stored"
    assert refused(VerificationError, state) == (
        f"HOST/dance/mini was given {oci(blob(CONTENT).digest)} and says that it holds sha256:{'0' * 64}\n"
        "  hint: the registry is damaged, or lies"
    )


def test_full_disk_is_told_and_not_tried_again(state: State) -> None:
    state.faults.capacity = 150_000
    assert refused(PublicationError, state) == (
        "HOST has no space left (500 Internal Server Error: UNKNOWN write: no space left on device)\n"
        "  hint: make space there, then call again"
    )
    assert state.received == 2 * CHUNK


def test_broken_push_leaves_no_tag(state: State, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.put_manifest(image(layout, "x" * 1000), "1.0")
    state.faults.capacity = 500
    with pytest.raises(PublicationError):
        copy.copy(layout, registry(state), [("1.0", "1.0")], jobs=2, progress=Silent(), task="push")
    assert state.manifests == {}


def test_stranger_is_refused_with_a_hint(state: State) -> None:
    state.faults.users = {"ann": "secret"}
    assert refused(PublicationError, state) == (
        "127.0.0.1 gives somebody without an account no token for repository:dance/mini:pull (status 401)\n"
        "  hint: `docker login` with an account that may do this"
    )


def test_wrong_password_is_refused_and_not_shown(state: State) -> None:
    state.faults.users, state.faults.basic = {"ann": "secret"}, True
    with pytest.raises(PublicationError) as caught:
        put(registry(state, account=Account(user="ann", password="wrong-one")))
    assert str(caught.value) == (
        f"{state.host}/dance/mini gives no access (401 Unauthorized)\n"
        f"  hint: `docker login {state.host}` with an account that may do this"
    )
    assert "wrong-one" not in repr(caught.value.__cause__)


@pytest.mark.parametrize("basic", [True, False], ids=["basic", "token"])
def test_account_of_docker_may_push(state: State, tmp_path: Path, basic: bool) -> None:
    state.faults.users, state.faults.basic = {"ann": "secret"}, basic
    told = base64.b64encode(b"ann:secret").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {state.host: {"auth": told}}}))
    assert put(registry(state, account=auth.account(tmp_path / "config.json", state.host, {}))) is True


def test_credential_helper_is_asked(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-safe"
    helper.write_text('#!/bin/sh\nread host\necho "{\\"Username\\": \\"ann\\", \\"Secret\\": \\"of $host\\"}"\n')
    helper.chmod(0o755)
    (tmp_path / "config.json").write_text('{"credHelpers": {"ghcr.io": "safe"}}')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        found = auth.account(tmp_path / "config.json", "ghcr.io", dict(os.environ))
    assert found == Account(user="ann", password="of ghcr.io")
    assert "of ghcr.io" not in repr(found)


def test_reference_to_a_manifest_that_is_not_there_is_none(state: State) -> None:
    assert registry(state).get_manifest("1.0") is None
    assert registry(state).tags() == ()


def test_password_is_not_sent_to_where_an_upload_is_moved(state: State) -> None:
    with faulty() as elsewhere:
        transport = Transport(
            reference.parse(f"{state.host}/dance/mini"), Authorizer(Account(user="ann", password="secret")), attempts=1
        )
        state.faults.users, state.faults.basic = {"ann": "secret"}, True
        transport.request("GET", f"http://{state.host}/v2/dance/mini/manifests/1.0", accept=(404,))
        elsewhere.faults.users, elsewhere.faults.basic = {"ann": "secret"}, True
        with pytest.raises(PublicationError):
            transport.request("GET", f"http://{elsewhere.host}/v2/dance/mini/manifests/1.0", accept=(404,))


def test_small_blob_is_read_whole(state: State) -> None:
    here = registry(state)
    assert store.get_bytes(here, store.put_bytes(here, b"{}", store.EMPTY)) == b"{}"
