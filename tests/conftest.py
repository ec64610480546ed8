"""What holds for all tests: an own home folder, no programs and no network unless marked `integration`."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=200)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


class NotIntegration(Exception):
    """A unit test tried to start a program or to open a connection."""


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new, empty home folder; HOME and LODE_HOME lie there, and no other setting of Lode is in force."""
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in os.environ if name.startswith(("LODE_", "XDG_", "SIGSTORE_", "ACTIONS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LODE_HOME", str(home / "lode"))
    return home


@pytest.fixture(autouse=True)
def stay_inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop a test that is not marked `integration` when it starts a program or opens a connection."""
    if request.node.get_closest_marker("integration") is None:

        def refused(what: str) -> NoReturn:
            raise NotIntegration(f"{request.node.nodeid} {what}: mark it @pytest.mark.integration")

        def popen(self: Any, args: Any = (), *rest: Any, **named: Any) -> NoReturn:
            refused(f"starts a program ({args!r})")

        def connect(self: socket.socket, address: Any) -> NoReturn:
            refused(f"opens a connection to {address!r}")

        monkeypatch.setattr(subprocess.Popen, "__init__", popen)
        monkeypatch.setattr(socket.socket, "connect", connect)
        monkeypatch.setattr(socket.socket, "connect_ex", connect)
