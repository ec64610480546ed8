"""What Lode says of a broken recipe of each common kind, word for word as docs/how-to/mend-a-recipe.md shows it."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.building import READER, READER_C, TARGET, WAVE, WAVE_C, Collection, collection
from tests.sourcing.site import Reply, Site

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed"),
]

__all__ = ["collection"]  # a fixture

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "mend-a-recipe.md"
BARE = ("--without", "images", "--without", "cvmfs", "--without", "signatures", "--quiet")
TEST = 'tests:\n  - name: answer\n    run: |\n      echo "the answer is $(reader)"\n      test "$(reader)" = 43\n'


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def shown(heading: str) -> list[str]:
    """Return the messages that the page shows below `heading`."""
    section = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (text,) = (one for one in section if one.startswith(f"{heading}\n"))
    return re.findall(r"^```\n(.*?)^```\n", text, flags=re.MULTILINE | re.DOTALL)


def plain(text: str, collection: Collection) -> str:
    """Return what was said without what differs between runs and machines, as the page has it."""
    for there, here in (
        (f"{collection.root}/recipes", "recipes"), (str(collection.home), "…"), (TARGET, "debian12-x86_64")
    ):  # fmt: skip
        text = text.replace(there, here)
    text = re.sub(r"\b(wave|reader)-[0-9a-f]{16}\.log", r"\1-….log", text)
    return re.sub(r"[\d.]+ (m?s)\b", r"… \1", text)


def test_wrong_hash(collection: Collection, site: Site) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("wave-1.0/wave.c")
        member.size = len(WAVE_C)
        archive.addfile(member, io.BytesIO(WAVE_C.encode()))
    content = buffer.getvalue()
    sha256 = hashlib.sha256(content).hexdigest()
    wrong = sha256[:-1] + ("0" if sha256[-1] != "0" else "1")
    site.replies["/wave-1.0.tar"] = [Reply(body=content)]
    collection.recipe("wave", WAVE)
    file = collection.root / "recipes/wave/recipe.yaml"
    source = f"- url: {site.url}/wave-1.0.tar\n        sha256: {wrong}\n"
    file.write_text(file.read_text().replace("- path: src\n", source))
    collection.lock("wave")
    ended = collection.lode("build", "tiny", "--quiet", LODE_ARCHIVE="none")
    assert ended.returncode == 6
    said = ended.stderr.replace(site.url, "https://example.org")
    assert [plain(said, collection)] == shown("The hash is wrong")


def test_dependency_that_is_missing(collection: Collection) -> None:
    collection.waves()
    collection.recipe("reader", READER, link="wawe", files={"reader.c": READER_C})
    unknown = collection.lode("check", str(collection.root))
    assert unknown.returncode != 0
    collection.recipe("reader", READER, files={"reader.c": READER_C})
    collection.lock("reader")
    forgotten = collection.lode("build", "tiny", "--quiet")
    assert forgotten.returncode == 7
    found = re.search(r"^[^\n]*nobody provides\n[^\n]*\n", unknown.stdout, re.MULTILINE)
    assert found, unknown.stdout
    assert [plain(found[0], collection), plain(forgotten.stderr, collection)] == shown("A dependency is missing")[:2]


def test_packages_that_do_not_fit_together(collection: Collection, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    (newer / "wave.c").write_text("int wave_count(void) { return 2; }\nint wave_next(void) { return 1; }\n")
    (newer / "reader.c").write_text(
        "int wave_count(void), wave_next(void);\nint main(void) { return wave_count() - wave_next(); }\n"
    )
    library = ["-fPIC", "-shared", "-Wl,-soname,libwave.so.1", "-o", "libwave.so", "wave.c"]
    program = ["-o", "reader", "reader.c", "-L.", "-lwave", "-Wl,-rpath,$ORIGIN/../lib"]
    for words in (library, program):
        subprocess.run(["gcc", *words], cwd=newer, check=True)
    collection.recipe("wave", WAVE, files={"wave.c": WAVE_C})
    collection.recipe("reader", 'mkdir -p "$PREFIX/bin"\ncp reader "$PREFIX/bin/"', link="wave")
    shutil.copy2(newer / "reader", collection.root / "recipes/reader/src/reader")
    collection.lock("reader")
    ended = collection.lode("release", "tiny", *BARE)
    assert ended.returncode == 7
    assert [plain(ended.stderr, collection)] == shown("Two packages do not fit together")


def test_test_that_fails(collection: Collection) -> None:
    collection.waves()
    file = collection.root / "recipes/reader/recipe.yaml"
    file.write_text(file.read_text() + TEST)
    collection.lock("reader")
    assert collection.lode("release", "tiny", *BARE).returncode == 8
    ended = collection.lode("test", "tiny", "--quiet")
    assert ended.returncode == 8
    said = "".join(ended.stdout.partition("✗")[1:])
    assert [plain(said, collection)] == shown("A test fails")
