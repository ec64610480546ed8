"""An inventory of 100,000 files, 2 GB, against `find | xargs sha256sum` in CPU seconds, and its memory as trees grow.

The tree has the sizes of a software tree: most files small, few large. All of it is in the page cache before the first
reading. Memory is the peak of a process that lists the whole tree, less that of one that lists a tenth of it.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = "inventory"
FILES = 100_000
FOLDERS = 1000

_MEASURED = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    "used = resource.getrusage(resource.RUSAGE_CHILDREN); print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
)


def measure() -> list[tuple[str, float, str, float | None]]:
    """Return name, figure, unit and limit (None: no limit) of each measurement."""
    with tempfile.TemporaryDirectory(prefix="lode-benchmark-") as folder:
        whole, tenth, nothing = (Path(folder, name) for name in ("whole", "tenth", "nothing"))
        fill(whole, FILES)
        fill(tenth, FILES // 10)
        nothing.mkdir()
        for tree in (tenth, whole):
            subprocess.run(["sh", "-c", f"find {tree} -type f -print0 | xargs -0 cat > {folder}/read"], check=True)
        peer_s, _ = used("sh", "-c", f"find {whole} -type f -print0 | xargs -0 sha256sum > {folder}/sums")
        start_s, _ = used(*listing(nothing))
        _, tenth_mb = used(*listing(tenth))
        whole_s, whole_mb = used(*listing(whole))
    return [
        ("sha256sum of 100,000 files", peer_s, "s CPU", None),
        ("inventory of 100,000 files", whole_s - start_s, "s CPU", None),
        ("inventory to sha256sum", (whole_s - start_s) / peer_s, "x", 1.5),
        ("peak memory", whole_mb, "MB", None),
        ("more memory for ten times the files", whole_mb - tenth_mb, "MB", 4.0),
    ]


def fill(root: Path, count: int) -> None:
    """Put `count` files into folders below `root`."""
    draw = random.Random(1)
    block = draw.randbytes(4_000_000)
    for number in range(count):
        folder = root / f"d{number % FOLDERS:03}"
        folder.mkdir(parents=True, exist_ok=True)
        size = min(len(block), int(draw.lognormvariate(8.3, 1.8)))
        start = draw.randrange(len(block) - size + 1)
        (folder / f"f{number:07}").write_bytes(block[start : start + size])


def listing(root: Path) -> list[str]:
    """Return the command that writes the inventory of `root`."""
    text = f"root = Path({str(root)!r}); inventory.write(inventory.scan(root), root.with_suffix('.jsonl'))"
    return [sys.executable, "-c", f"from pathlib import Path; from lode import inventory; {text}"]


def used(*argv: str) -> tuple[float, float]:
    """Return CPU seconds and peak memory in MB of a command and its children."""
    told = subprocess.run([sys.executable, "-c", _MEASURED, *argv], capture_output=True, text=True, check=True).stdout
    seconds, memory = told.split()
    return float(seconds), float(memory)
