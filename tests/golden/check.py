"""Comparing what the code renders with the files kept here; `RENEW_GOLDEN=1 pytest` writes them again for review."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent


def same_as_golden(name: str, content: bytes) -> None:
    """Raise AssertionError unless `content` is what the golden file `name` holds, byte for byte."""
    path = HERE / name
    if os.environ.get("RENEW_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    expected = path.read_bytes() if path.exists() else b""
    assert content.decode(errors="surrogateescape") == expected.decode(errors="surrogateescape"), (
        f"{path} differs: read the difference, then renew it with RENEW_GOLDEN=1"
    )
