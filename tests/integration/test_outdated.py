"""`lode outdated` against repositories, a listing, a package index and a vulnerability service of this machine."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.building import TARGET, Collection, collection
from tests.sourcing.site import Reply, Site

__all__ = ["collection"]

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
SHA = "ab" * 32
RESULTS = [{}, {"vulns": [{"id": "OSV-1"}]}]  # of tide and wave
RECIPE = """\
name: {name}
summary: A package
homepage: https://example.org
license: MIT
versions:
  - version: "1.0"
    source:
      - {source}
        sha256: {sha}
{more}build: {{system: {system}}}
"""


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


def sdist(version: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        text = f"Metadata-Version: 2.1\nName: wave\nVersion: {version}\nSummary: Waves\n".encode()
        member = tarfile.TarInfo(f"wave-{version}/PKG-INFO")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return content.getvalue()


class Upstream:
    """A collection of three recipes at 1.0, whose upstreams have 1.1."""

    def __init__(self, collection: Collection, site: Site, tmp_path: Path) -> None:
        self.collection = collection
        self.site = site
        self.archives = {version: sdist(version) for version in ("1.0", "1.1", "2.0rc1")}
        repository = tmp_path / "forge" / "a" / "tide.git"
        git(tmp_path, "init", "--quiet", "--bare", str(repository))
        work = tmp_path / "work"
        git(tmp_path, "clone", "--quiet", str(repository), str(work))
        git(work, "commit", "--quiet", "--allow-empty", "-m", "first")
        for tag in ("v1.0", "v1.1", "v2.0-rc1"):
            git(work, "tag", tag)
        git(work, "push", "--quiet", "--tags")
        site.replies["/pub/"] = [Reply(b'<a href="reef-1.0.tar.gz">a</a> <a href="reef-1.1.tar.gz">b</a>')]
        links = [f'<a href="/files/wave-{version}.tar.gz#sha256={digest(body)}">wave-{version}.tar.gz</a>' for version, body in self.archives.items()]  # fmt: skip  # noqa: E501
        site.replies["/simple/wave/"] = [Reply("".join(links).encode(), headers={"Content-Type": "text/html"})]
        for version, body in self.archives.items():
            site.replies[f"/files/wave-{version}.tar.gz"] = [Reply(body)]
        site.replies["/v1/querybatch"] = [Reply(json.dumps({"results": RESULTS}).encode())]
        patch = "    patches:\n      - {file: a.patch, reason: a gap, until: '>=1.1'}\n"
        wave = f"pypi: wave==1.0/wave-1.0.tar.gz\n        size: {len(self.archives['1.0'])}"
        self.write("wave", wave, sha=digest(self.archives["1.0"]), system="python")
        self.write("tide", "url: https://github.com/a/tide/archive/refs/tags/v1.0.tar.gz", more=patch)
        self.write("reef", f"url: {site.url}/pub/reef-1.0.tar.gz")
        (collection.root / "recipes" / "tide" / "a.patch").write_text("--- a\n+++ b\n")
        collection.recipe("python", "true")  # what builds Python packages
        self.environment = {
            "PIP_INDEX_URL": f"{site.url}/simple",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_CONFIG_FILE": os.devnull,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{tmp_path / 'forge'}/.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/",
        }

    def write(self, name: str, source: str, *, more: str = "", sha: str = SHA, system: str = "make") -> None:
        folder = self.collection.root / "recipes" / name
        folder.mkdir(parents=True)
        (folder / "recipe.yaml").write_text(RECIPE.format(name=name, source=source, more=more, sha=sha, system=system))

    def outdated(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.collection.lode(
            "outdated", "wave", "tide", "reef", "--osv-service", self.site.url, *words, **self.environment
        )


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git(folder: Path, *words: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def upstream(collection: Collection, site: Site, tmp_path: Path) -> Upstream:
    return Upstream(collection, site, tmp_path)


def test_newer_releases_show_at_each_kind_of_place_with_what_they_end(upstream: Upstream) -> None:
    ended = upstream.outdated()
    assert (ended.returncode, ended.stdout) == (
        1,
        f"reef 1.0: 1.1 is out ({upstream.site.url}/pub/)\n"
        "tide 1.0: 1.1 is out (https://github.com/a/tide.git)\n"
        "  a.patch ends with it\n"
        "wave 1.0: 1.1 is out (wave)\n",
    )


def test_places_that_do_not_answer_are_told_of_and_none_at_all_is_the_machines_fault(upstream: Upstream) -> None:
    upstream.site.replies["/pub/"] = [Reply(status=404)]
    ended = upstream.outdated()
    assert ended.returncode == 1, ended.stderr
    assert "no answer for reef: " in ended.stdout
    upstream.site.replies["/simple/wave/"] = [Reply(status=404)]
    upstream.environment["GIT_CONFIG_VALUE_0"] = "https://elsewhere.example/"
    upstream.environment["https_proxy"] = "http://127.0.0.1:9"
    ended = upstream.outdated("--json")
    assert ended.returncode == 10, ended.stderr
    said = json.loads(ended.stdout.partition("\n}\n")[0] + "}")
    assert [one["package"] for one in said["silent"]] == ["reef", "tide", "wave"]


def test_vulnerabilities_of_what_is_locked_come_from_the_service_or_a_dump(upstream: Upstream, tmp_path: Path) -> None:
    stack = upstream.collection.root / "stacks" / "tiny" / "1"
    stack.mkdir(parents=True)
    (stack / "stack.yaml").write_text(
        f"name: tiny\nrelease: '1'\ndate: 2026-11-01\nsummary: Small\ntargets: [{TARGET}]\n"
        "requirements: [wave ==1.0, tide, reef]\n"
    )
    locked = upstream.collection.lode("lock", "tiny")
    assert locked.returncode == 0, locked.stderr
    ended = upstream.outdated()
    assert "wave 1.0: OSV-1\n" in ended.stdout, ended.stdout + ended.stderr
    assert "vulnerabilities not looked for, as no record names it: reef\n" in ended.stdout
    assert "  held back: tiny@1 asks wave ==1.0\n" in ended.stdout
    dump = tmp_path / "dump"
    dump.mkdir()
    affected = {"package": {"ecosystem": "PyPI", "name": "wave"}, "versions": ["1.0"]}
    (dump / "OSV-2.json").write_text(json.dumps({"id": "OSV-2", "summary": "a hole", "affected": [affected]}))
    upstream.site.replies["/v1/querybatch"] = [Reply(status=500)]
    said = upstream.outdated("--osv", str(dump)).stdout
    assert "wave 1.0: OSV-2 a hole\n" in said
    assert "vulnerabilities not looked for, as no record names it: reef, tide\n" in said
    tags = {"ranges": [{"type": "GIT", "repo": "https://github.com/a/tide", "events": []}], "versions": ["v1.0"]}
    (dump / "OSV-3.json").write_text(json.dumps({"id": "OSV-3", "summary": "a leak", "affected": [tags]}))
    said = upstream.outdated("--osv", str(dump)).stdout
    assert "tide 1.0: OSV-3 a leak\n" in said
    assert "as no record names it: reef\n" in said
    assert "vulnerabilities not known: " in upstream.outdated().stdout


def committed(upstream: Upstream) -> Path:
    """Return the collection as a git repository with the tools that bump a recipe."""
    root = upstream.collection.root
    (root / ".gitignore").write_text("/home/\n/forge/\n/work/\n")
    (root / "tools").mkdir()
    for name in ("asked.py", "bump_recipe.py", "new_recipe.py", "drafts.py", "successors.py"):
        shutil.copy(ROOT / "tools" / name, root / "tools" / name)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def test_a_bump_is_proposed_as_a_branch_with_the_new_hash_and_the_work_stays_as_it_was(upstream: Upstream) -> None:
    root = committed(upstream)
    ended = upstream.outdated("--propose")
    assert "branch bump/wave-1.1: made\n" in ended.stdout, ended.stdout + ended.stderr
    assert git(root, "log", "-1", "--format=%s", "bump/wave-1.1") == "wave: bump to 1.1\n"
    new = git(root, "show", "bump/wave-1.1:recipes/wave/recipe.yaml")
    assert digest(upstream.archives["1.1"]) in new
    assert git(root, "diff", "--name-only", "main", "bump/wave-1.1").split() == [
        "recipes/wave/recipe.yaml",
        "recipes/wave/upstream.json",
    ]
    assert git(root, "status", "--porcelain") == ""
    assert len(git(root, "worktree", "list").splitlines()) == 1
    assert "branch bump/wave-1.1: was there\n" in upstream.outdated("--propose").stdout


def test_a_compiled_package_is_bumped_to_the_archive_that_its_address_leads_to_and_locked(upstream: Upstream) -> None:
    stack = upstream.collection.root / "stacks" / "tiny" / "1"
    stack.mkdir(parents=True)
    (stack / "stack.yaml").write_text(
        f"name: tiny\nrelease: '1'\ndate: 2026-11-01\nsummary: Small\ntargets: [{TARGET}]\nrequirements: [reef]\n"
    )
    assert upstream.collection.lode("lock", "tiny").returncode == 0
    root = committed(upstream)
    archive = sdist("1.1")
    upstream.site.replies["/pub/reef-1.1.tar.gz"] = [Reply(archive)]
    upstream.environment["https_proxy"] = "http://127.0.0.1:9"  # GitHub is not there
    ended = upstream.outdated("--propose")
    assert "branch bump/reef-1.1: made\n" in ended.stdout, ended.stdout + ended.stderr
    bumped = git(root, "show", "bump/reef-1.1:recipes/reef/recipe.yaml")
    assert bumped.partition("versions:\n")[2].startswith(
        f'  - version: "1.1"\n    source:\n      - url: {upstream.site.url}/pub/reef-1.1.tar.gz\n'
        f'        sha256: {digest(archive)}\n        size: {len(archive)}\n  - version: "1.0"\n'
    )
    message = git(root, "log", "-1", "--format=%B", "bump/reef-1.1")
    assert message.startswith(f"reef: bump to 1.1\n\nUpstream: {upstream.site.url}/pub/\n")
    assert "reef 1.0" in message
    changed = git(root, "diff", "--name-only", "main", "bump/reef-1.1").split()
    assert changed == ["recipes/reef/recipe.yaml", "stacks/tiny/1/lode.lock"]
    problem = "tide 1.1 cannot be had: https://github.com/a/tide/archive/refs/tags/v1.1.tar.gz: "
    assert f"branch bump/tide-1.1: {problem}" in ended.stdout
    assert git(root, "branch", "--list", "bump/tide*") == ""
    assert len(git(root, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(status=404), "it answered 404 Not Found"),
        (Reply(b"<html>no such file</html>"), "it serves no archive: it is neither a tar nor a zip archive"),
    ],
)
def test_an_archive_that_is_not_served_gives_no_branch_and_says_so(
    upstream: Upstream, reply: Reply, problem: str
) -> None:
    root = committed(upstream)
    upstream.site.replies["/pub/reef-1.1.tar.gz"] = [reply]
    ended = upstream.collection.lode("outdated", "reef", "--propose", **upstream.environment)
    where = f"{upstream.site.url}/pub/reef-1.1.tar.gz"
    assert f"branch bump/reef-1.1: reef 1.1 cannot be had: {where}: {problem}\n" in ended.stdout, ended.stdout
    assert ended.returncode == 1
    assert git(root, "branch", "--list") == "* main\n"


def test_a_repository_is_bumped_to_the_commit_of_the_tag(upstream: Upstream, tmp_path: Path) -> None:
    work = tmp_path / "work"
    first = git(work, "rev-parse", "v1.0").strip()
    (work / "tide.c").write_text("int tide;\n")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "-m", "second")
    git(work, "tag", "-a", "-m", "annotated", "v1.2")
    git(work, "push", "--quiet", "--tags")
    upstream.write("shoal", f"git: https://github.com/a/tide.git@{first}")
    root = committed(upstream)
    ended = upstream.collection.lode("outdated", "shoal", "--propose", **upstream.environment)
    assert "branch bump/shoal-1.2: made\n" in ended.stdout, ended.stdout + ended.stderr
    commit = git(work, "rev-parse", "v1.2^{commit}").strip()
    assert f"git: https://github.com/a/tide.git@{commit}" in git(
        root, "show", "bump/shoal-1.2:recipes/shoal/recipe.yaml"
    )
    git(root, "switch", "--quiet", "bump/shoal-1.2")
    stack = root / "stacks" / "tiny" / "1"
    stack.mkdir(parents=True)
    (stack / "stack.yaml").write_text(
        f"name: tiny\nrelease: '1'\ndate: 2026-11-01\nsummary: Small\ntargets: [{TARGET}]\nrequirements: [shoal]\n"
    )
    assert upstream.collection.lode("lock", "tiny").returncode == 0
    fetched = upstream.collection.lode("fetch", "tiny", **upstream.environment)
    assert fetched.returncode == 0, fetched.stdout + fetched.stderr
