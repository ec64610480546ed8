"""Fixtures of the publisher's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.publishing.cvmfs.ground import Ground


@pytest.fixture(scope="session")
def key_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the keys of the whole run."""
    return tmp_path_factory.mktemp("keys") / "keys"


@pytest.fixture
def ground(tmp_path: Path, key_folder: Path) -> Ground:
    """Return a new, empty repository."""
    return Ground(tmp_path, key_folder).create()
