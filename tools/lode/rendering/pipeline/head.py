"""The comment that a rendered pipeline begins with: what it was made of, and nothing that changes by itself."""

from __future__ import annotations

from lode.rendering.pipeline import Pipeline
from lode.rendering.quoting import comment

FORM = 1  # of rendered pipelines: raised when what all of them write changes its meaning


def head(pipeline: Pipeline) -> str:
    """Return the comment lines, each ended, for a format whose comments begin with `#`."""
    limits = pipeline.limits
    texts = (
        f"Rendered by lode (form {FORM}) from the lock of {pipeline.stack}@{pipeline.release}.",
        f"Lock: sha256:{pipeline.lock_digest}",
        f"Jobs within {limits.minutes:g} minutes, {limits.disk_mb / 1000:g} GB, {limits.cores} cores.",
        "Change the stack, or call `lode ci render` with other limits; what is written here is lost then.",
    )
    return "".join(comment(text, "#") for text in texts)
