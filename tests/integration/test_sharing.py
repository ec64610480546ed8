"""Machines that share what they built: over a real web server with PUT, and a server that speaks S3."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.building import Collection, collection
from tests.integration.engines import LocalRegistry

__all__ = ["collection"]

pytestmark = pytest.mark.integration

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


@pytest.fixture
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a folder that nginx serves on the loopback interface, and that PUT writes to."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    home = tmp_path_factory.mktemp("nginx")
    (home / "root").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "user root;\n" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(
        f"{user}daemon off;\npid {home}/pid;\nerror_log {home}/error.log;\nworker_processes 1;\n"
        "events { worker_connections 64; }\n"
        f"http {{ access_log off; client_max_body_size 0; client_body_temp_path {home}/body;\n"
        f"proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi; uwsgi_temp_path {home}/uwsgi;\n"
        f"scgi_temp_path {home}/scgi; server {{ listen 127.0.0.1:{port}; root {home}/root;\n"
        "location /open/ { dav_methods PUT DELETE; create_full_put_path on; }\n"
        "location /closed/ { alias " + f"{home}/root/open/; limit_except GET {{ deny all; }} }} }} }}\n"
    )
    process = subprocess.Popen([NGINX, "-p", str(home), "-c", str(home / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (home / "error.log").read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def bucket() -> Iterator[str]:
    """Return the endpoint of a server that speaks S3 and has the bucket `shared`."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        client.create_bucket(Bucket="shared")
        yield endpoint
    finally:
        server.stop()


def outcomes(collection: Collection, home: Path, *arguments: str, **variables: str) -> dict[str, str]:
    """Return what became of each node of a build on the machine with this home folder."""
    report = collection.build(*arguments, LODE_HOME=str(home), **variables)
    return {name: node["outcome"] for name, node in report["nodes"].items()}


BUILT = {"reader": "built", "wave": "built"}
CACHED = {"reader": "cached", "wave": "cached"}


def test_a_second_machine_builds_nothing(collection: Collection, web: str, tmp_path: Path) -> None:
    collection.waves()
    store = f"{web}/open/lode"
    assert outcomes(collection, tmp_path / "one", "--store", store) == BUILT
    assert outcomes(collection, tmp_path / "two", "--store", store) == CACHED
    assert outcomes(collection, tmp_path / "two") == CACHED


def test_a_bucket_is_shared_too(collection: Collection, bucket: str, tmp_path: Path) -> None:
    collection.waves()
    account = {
        "AWS_ENDPOINT_URL": bucket,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "LODE_STORE": "s3://shared/lode",
    }
    assert outcomes(collection, tmp_path / "one", **account) == BUILT
    assert outcomes(collection, tmp_path / "two", **account) == CACHED


def test_a_registry_is_shared_too(collection: Collection, registry: LocalRegistry, tmp_path: Path) -> None:
    collection.waves()
    store = f"oci://{registry.host}/lode/cache"
    assert outcomes(collection, tmp_path / "one", "--store", store) == BUILT
    assert outcomes(collection, tmp_path / "two", "--store", store) == CACHED
    assert outcomes(collection, tmp_path / "fork", "--store", f"{store}2", "--store-read-only") == BUILT
    assert outcomes(collection, tmp_path / "other", "--store", f"{store}2") == BUILT


def test_a_stranger_takes_and_gives_nothing(collection: Collection, web: str, tmp_path: Path) -> None:
    collection.waves()
    assert outcomes(collection, tmp_path / "fork", "--store", f"{web}/open/lode", "--store-read-only") == BUILT
    assert outcomes(collection, tmp_path / "other", "--store", f"{web}/open/lode") == BUILT
    assert outcomes(collection, tmp_path / "fork2", "--store", f"{web}/open/lode", "--store-read-only") == CACHED


def test_a_server_that_refuses_writers_is_an_error_and_nothing_is_lost(
    collection: Collection, web: str, tmp_path: Path
) -> None:
    collection.waves()
    home = tmp_path / "one"
    ended = collection.lode("build", "tiny", "--store", f"{web}/closed/lode", "--quiet", LODE_HOME=str(home))
    assert ended.returncode == 10
    assert ended.stderr.splitlines()[-2:] == [
        "built, but not shared: reader, wave",
        f"  hint: it is in the cache here ({home}/cache); when the store answers, `lode build` with --store gives it",
    ]
    assert outcomes(collection, home) == CACHED
    assert outcomes(collection, home, "--store", f"{web}/open/lode") == CACHED
    assert outcomes(collection, tmp_path / "two", "--store", f"{web}/open/lode") == CACHED


def test_a_build_whose_time_is_over_says_what_is_left_and_goes_on(collection: Collection, tmp_path: Path) -> None:
    collection.waves()
    store, home = str(tmp_path / "store"), str(tmp_path / "one")
    first = ["build", "tiny", "--store", store, "--max-minutes", "0.0001", "--json"]
    ended = collection.lode(*first, LODE_HOME=home)
    assert ended.returncode == 12
    assert json.loads(ended.stdout) == {
        "error": "Unfinished",
        "status": 12,
        "faults": [
            {
                "message": "the time is over: 1 node left to build (reader)",
                "hint": "what was built is kept; the same command goes on from here",
                "warning": False,
            }
        ],
    }
    assert outcomes(collection, tmp_path / "two", "--store", store) == {"reader": "built", "wave": "cached"}


def test_two_machines_at_once_on_one_store_leave_it_whole(collection: Collection, web: str, tmp_path: Path) -> None:
    collection.waves()
    store = f"{web}/open/lode"
    assert outcomes(collection, tmp_path / "first", "--store", store, "--only", "wave") == {"wave": "built"}
    runs = [
        subprocess.Popen(
            collection.command("build", "tiny", "--store", store, "--json"),
            env=collection.environment(LODE_HOME=str(tmp_path / name)),
            cwd=collection.root,
            stdout=subprocess.PIPE,
        )
        for name in ("one", "two")
    ]
    said = [json.loads(run.communicate(timeout=300)[0]) for run in runs]
    for report in said:  # what was in the store is built by neither
        assert {node["package"]: node["outcome"] for node in report["nodes"]}["wave"] == "cached"
    assert outcomes(collection, tmp_path / "three", "--store", store) == CACHED


def test_the_token_of_a_store_is_in_no_output_and_no_file_whatever_goes_wrong(
    collection: Collection, web: str, tmp_path: Path
) -> None:
    token = "sesame-d41d8cd9"
    collection.recipe("bare", 'env\necho "${LODE_STORE_TOKEN:-no token}"\nexit 3\n')
    collection.lock("bare")
    for name, store in (
        ("fails", f"{web}/open/lode"),
        ("closed", f"{web}/closed/lode"),
        ("dead", "http://127.0.0.1:9/x"),
    ):
        home = tmp_path / name
        ended = collection.lode(
            "build", "tiny", "--store", store, "-vv", LODE_HOME=str(home), LODE_STORE_TOKEN=token, LODE_DEBUG="1"
        )
        assert ended.returncode == 7, ended.stderr
        assert "no token" in ended.stdout + ended.stderr + "".join(
            path.read_text(errors="replace") for path in home.rglob("*.log")
        )
        assert token not in ended.stdout + ended.stderr
        kept = [path for path in home.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
        assert kept == []
