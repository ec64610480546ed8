"""`lode image --builder docker`: a stack built by a container engine from its Containerfile."""

from __future__ import annotations

import json

import pytest
from tests.integration.building import TARGET, Collection, collection
from tests.integration.engines import Engine
from tests.integration.host_image import import_host

__all__ = ["collection"]
pytestmark = pytest.mark.integration

TOOLS = ["gcc", "make", "libc6-dev", "tar", "gzip", "patch"]
SYSTEM = ["bash", "coreutils", "dash", "dpkg", "findutils", "grep", "sed"]


def test_engine_builds_the_stack_and_tells_the_step_that_failed(collection: Collection, engine: Engine) -> None:
    collection.waves()
    import_host(engine, "localhost/here:1", [*TOOLS, *SYSTEM])
    address = {"DOCKER_HOST": engine.address}
    arguments = ["image", "tiny", "--builder", "docker", "--base", "localhost/here:1", "--json"]
    made = collection.lode(*arguments, **address)
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["name"] == f"lode/tiny:1-{TARGET}"
    ran = engine.docker("run", "--rm", "--network", "none", told["name"], "reader", check=False)
    assert ran.stdout == "42\n", ran.stderr
    collection.recipe("wave", "echo no wave; exit 3", files={"wave.c": ""})
    collection.lock("reader")
    failed = collection.lode(*arguments, **address)
    assert failed.returncode == 11
    said = json.loads(failed.stdout)["faults"][0]["message"]
    assert said.startswith(f"the engine could not build lode/tiny:1-{TARGET}: ")
    gone = collection.lode(*arguments, DOCKER_HOST="unix:///nowhere.sock")
    assert gone.returncode == 10
