"""The lines with which every rendered file begins: what it was made of, and nothing that changes by itself."""

from __future__ import annotations

from lode.locking.graph import Lock
from lode.rendering.quoting import comment

FORM = 1  # of the rendered files: raised when what all renderers write changes its meaning


def lines(lock: Lock) -> tuple[str, ...]:
    """Return the text of the header: stack, release and the lock's digest, without a time, a host or a path."""
    return (
        f"Rendered by lode (form {FORM}) from the lock of {lock.stack}@{lock.release}.",
        f"Lock: sha256:{lock.digest}",
        "Change the stack or the recipes and render again; what is written here is lost then.",
    )


def commented(lock: Lock, mark: str = "#") -> str:
    """Return the header as comments that begin with `mark`, each line ended."""
    return "".join(comment(line, mark) for line in lines(lock))
