"""Fixtures of the tests of sourcing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.sourcing.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a web server on the loopback; only for tests marked `integration`."""
    served = Site()
    yield served
    served.close()
