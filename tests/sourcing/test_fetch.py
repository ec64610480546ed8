"""Fetching into a mirror from places that drop, lie, are busy or are gone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.sourcing.factory import TARGET, Recorder, access, archive, lock, no_recipe_file, node, source
from tests.sourcing.site import Reply, Site

from lode.errors import SourceError
from lode.locking.graph import LockedSource
from lode.progress import Progress
from lode.rendering.mirror import relative_path
from lode.sourcing.access import Access
from lode.sourcing.fetch import FetchReport, Outcome, fetch
from lode.sourcing.mirror import Mirror

pytestmark = pytest.mark.integration

CONTENT = hashlib.shake_128(b"a tarball").digest(300_000)
TASK = "thing thing-1.0.tar.gz"


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path / "mirror")


def obtain(mirror: Mirror, *sources: LockedSource, progress: Progress | None = None, how: Access | None = None,
           **options: object) -> FetchReport:  # fmt: skip
    nodes = [node("thing" if index == 0 else f"thing{index}", one) for index, one in enumerate(sources)]
    return fetch(
        lock(*nodes), mirror, targets=[TARGET], recipe_file=no_recipe_file, progress=progress, access=how or access(),
        **options,
    )  # type: ignore[arg-type]  # fmt: skip


def files(mirror: Mirror) -> list[str]:
    """Return the files of the mirror that have a final name."""
    return sorted(p.name for p in (mirror.root / "_source-cache").rglob("*") if p.is_file())


def refusal(mirror: Mirror, site: Site, *sources: LockedSource, **options: object) -> str:
    with pytest.raises(SourceError) as caught:
        obtain(mirror, *sources, **options)  # type: ignore[arg-type]
    return str(caught.value).replace(site.url, "SITE").replace(str(mirror.root), "MIRROR")


def not_to_be_had(wanted: LockedSource, *answers: str) -> str:
    """Return the whole message about a source that no place gave."""
    return (
        f"thing: thing-1.0.tar.gz (sha256 {wanted.sha256}) is not to be had; asked were\n"
        + "".join(f"    {answer}\n" for answer in answers)
        + f"  hint: put the file at MIRROR/_source-cache/archive/{wanted.sha256[:2]}/{wanted.sha256}.tar.gz, "
        "or name a mirror that has it with --mirror"
    )


def test_source_comes_from_its_url_and_is_there_the_second_time(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.put('/t.tar.gz', CONTENT)}", content=CONTENT)
    watch = Recorder()
    first = obtain(mirror, wanted, progress=watch)
    assert mirror.path(wanted).read_bytes() == CONTENT
    assert (first.files[0].outcome, first.files[0].place) == (Outcome.FETCHED, f"{site.url}/t.tar.gz")
    assert first.fetched_bytes == len(CONTENT)
    assert watch.done[TASK] == watch.totals[TASK] == len(CONTENT)
    assert watch.outcomes == {TASK: "done"}
    second = obtain(mirror, wanted)
    assert (second.files[0].outcome, second.files[0].place, second.fetched_bytes) == (Outcome.CACHED, "", 0)
    assert len(site.requests) == 1


def test_mirrors_come_first_and_the_archive_last(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.url}/gone.tar.gz", content=CONTENT)
    site.put(f"/archive/api/1/content/sha256:{wanted.sha256}/raw/", CONTENT)
    how = access(mirrors=(f"{site.url}/one", f"{site.url}/two/"), archive=f"{site.url}/archive/")
    report = obtain(mirror, wanted, how=how)
    path = relative_path(wanted)
    assert [request[0] for request in site.requests] == [
        f"/one/{path}",
        f"/two/{path}",
        "/gone.tar.gz",
        f"/archive/api/1/content/sha256:{wanted.sha256}/raw/",
    ]
    assert report.files[0].place == f"{site.url}/archive/api/1/content/sha256:{wanted.sha256}/raw/"


def test_archive_is_asked_by_the_id_too(mirror: Mirror, site: Site) -> None:
    sha1 = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    wanted = source(content=CONTENT, swhid=f"swh:1:cnt:{sha1};origin=https://example.org/x")
    site.put(f"/api/1/content/sha1_git:{sha1}/raw/", CONTENT)
    report = obtain(mirror, wanted, how=access(archive=site.url))
    assert report.files[0].place == f"{site.url}/api/1/content/sha1_git:{sha1}/raw/"


def test_mirror_may_be_a_folder(mirror: Mirror, site: Site, tmp_path: Path) -> None:
    other = Mirror(tmp_path / "other")
    wanted = source(content=CONTENT)
    other.path(wanted).parent.mkdir(parents=True)
    other.path(wanted).write_bytes(CONTENT)
    for base in (str(other.root), other.root.as_uri()):
        mirror.path(wanted).unlink(missing_ok=True)
        report = obtain(mirror, wanted, how=access(mirrors=(base,)), offline=True)
        assert report.files[0].place == str(other.path(wanted))
    assert mirror.path(wanted).read_bytes() == CONTENT


def test_all_places_and_their_answers_are_named(mirror: Mirror, site: Site) -> None:
    site.put("/lie.tar.gz", b"<html>sign in</html>")
    site.put("/busy.tar.gz", Reply(status=503))
    places = ("url ftp://example.org/x", f"url {site.url}/gone.tar.gz", f"url {site.url}/lie.tar.gz",
              f"url {site.url}/busy.tar.gz", "pypi thing", "debian thing", "git https://example.org/x.git")  # fmt: skip
    wanted = source(*places, content=CONTENT)
    lie = hashlib.sha256(b"<html>sign in</html>").hexdigest()
    assert refusal(mirror, site, wanted, how=access(archive=f"{site.url}/swh", mirrors=(f"{site.url}/m",))) == (
        f"thing: thing-1.0.tar.gz (sha256 {wanted.sha256}) is not to be had; asked were\n"
        f"    mirror SITE/m at SITE/m/_source-cache/archive/{wanted.sha256[:2]}/{wanted.sha256}.tar.gz: "
        "it answered 404 Not Found\n"
        "    url ftp://example.org/x: ftp://example.org/x is not an http, https or file URL\n"
        "    url SITE/gone.tar.gz: it answered 404 Not Found\n"
        f"    url SITE/lie.tar.gz: it gave 20 bytes with the sha256 {lie}\n"
        "    url SITE/busy.tar.gz: it answered 503 Service Unavailable (3 attempts)\n"
        "    pypi thing: 'thing' is not of the form project==version/file\n"
        "    debian thing: 'thing' is not of the form package=version/file\n"
        "    git https://example.org/x.git: https://example.org/x.git is not of the form URL@commit\n"
        f"    Software Heritage at SITE/swh/api/1/content/sha256:{wanted.sha256}/raw/: it answered 404 Not Found\n"
        f"  hint: put the file at MIRROR/_source-cache/archive/{wanted.sha256[:2]}/{wanted.sha256}.tar.gz, "
        "or name a mirror that has it with --mirror"
    )
    assert files(mirror) == []


def test_credentials_are_sent_and_never_shown(mirror: Mirror, site: Site) -> None:
    address = f"{site.url}/x.tar.gz".replace("http://", "http://daq:s3cret@")
    text = refusal(mirror, site, source(f"url {address}", content=CONTENT), how=access(mirrors=(address,)))
    assert "s3cret" not in text
    assert "url SITE/x.tar.gz: it answered 404 Not Found" in text
    assert site.headers[-1]["Authorization"].startswith("Basic ")


def test_dropped_connection_is_taken_up_where_it_broke(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, cut=100_000), Reply(body=CONTENT, cut=50_000), Reply(body=CONTENT))
    watch = Recorder()
    obtain(mirror, source(f"url {url}", content=CONTENT), progress=watch)
    assert site.requests == [("/t", None), ("/t", "bytes=100000-"), ("/t", "bytes=150000-")]
    assert watch.done[TASK] == len(CONTENT)
    assert "trying again: the connection broke after 100000 bytes" in watch.steps[1]


def test_end_without_length_is_noticed_by_the_size_in_the_lock(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, cut=100_000, length=False), Reply(body=CONTENT, length=False))
    obtain(mirror, source(f"url {url}", content=CONTENT, size=len(CONTENT)))
    assert site.requests == [("/t", None), ("/t", "bytes=100000-")]


def test_server_without_ranges_is_asked_for_the_whole_again(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, cut=100_000), Reply(body=CONTENT, ranges=False))
    watch = Recorder()
    wanted = source(f"url {url}", content=CONTENT)
    obtain(mirror, wanted, progress=watch)
    assert mirror.path(wanted).read_bytes() == CONTENT
    assert watch.done[TASK] == len(CONTENT)


def test_file_that_changed_in_between_is_not_glued_together(mirror: Mirror, site: Site) -> None:
    old, new = b"x" * len(CONTENT), CONTENT
    url = site.put(
        "/t", Reply(body=old, cut=100_000, headers={"ETag": '"1"'}), Reply(body=new, headers={"ETag": '"2"'})
    )
    obtain(mirror, source(f"url {url}", content=new))
    assert site.requests == [("/t", None), ("/t", "bytes=100000-")]
    assert site.headers[1]["If-Range"] == '"1"'


def test_wrong_beginning_of_another_place_is_given_up(mirror: Mirror, site: Site) -> None:
    liar = site.put("/liar", Reply(body=b"x" * len(CONTENT), cut=100_000), Reply(status=404))
    honest = site.put("/honest", CONTENT)
    wanted = source(f"url {liar}", f"url {honest}", content=CONTENT)
    watch = Recorder()
    obtain(mirror, wanted, progress=watch)
    assert site.requests == [
        ("/liar", None), ("/liar", "bytes=100000-"), ("/honest", "bytes=100000-"), ("/honest", None)
    ]  # fmt: skip
    assert mirror.path(wanted).read_bytes() == CONTENT
    assert watch.done[TASK] == len(CONTENT)


def test_right_beginning_of_another_place_is_kept(mirror: Mirror, site: Site) -> None:
    broken = site.put("/broken", Reply(body=CONTENT, cut=100_000, headers={"ETag": '"a"'}), Reply(status=404))
    wanted = source(f"url {broken}", f"url {site.put('/whole', CONTENT)}", content=CONTENT)
    obtain(mirror, wanted)
    assert site.requests[-1] == ("/whole", "bytes=100000-")
    assert "If-Range" not in site.headers[-1]


@pytest.mark.parametrize("headers", [{}, {"Content-Range": "bytes 5-9/10"}])
def test_answer_with_another_range_is_not_used(mirror: Mirror, site: Site, headers: dict[str, str]) -> None:
    url = site.put("/t", Reply(body=CONTENT, cut=1000), Reply(status=206, body=b"12345", headers=headers), CONTENT)
    obtain(mirror, source(f"url {url}", content=CONTENT))
    assert site.requests == [("/t", None), ("/t", "bytes=1000-"), ("/t", None)]


def test_partial_that_is_longer_than_the_file_is_given_up(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.put('/t', CONTENT)}", content=CONTENT)
    mirror.partial(wanted.sha256).write_bytes(b"y" * (len(CONTENT) + 5))
    obtain(mirror, wanted)
    assert site.requests == [("/t", f"bytes={len(CONTENT) + 5}-"), ("/t", None)]


def test_whole_partial_with_the_right_hash_needs_no_request(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.url}/t", content=CONTENT, size=len(CONTENT))
    mirror.partial(wanted.sha256).write_bytes(CONTENT)
    obtain(mirror, wanted)
    assert site.requests == []
    assert mirror.path(wanted).read_bytes() == CONTENT


def test_busy_server_is_asked_again(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(status=503, headers={"Retry-After": "0"}), Reply(status=429), CONTENT)
    obtain(mirror, source(f"url {url}", content=CONTENT))
    assert len(site.requests) == 3


def test_server_that_drops_every_connection_is_left(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, cut=0))
    wanted = source(f"url {url}", content=CONTENT)
    assert refusal(mirror, site, wanted) == not_to_be_had(
        wanted,
        "url SITE/t: the connection broke after 0 bytes: peer closed connection without sending complete message body "
        "(received 0 bytes, expected 300000) (3 attempts)",
    )


def test_host_that_cannot_be_reached_is_not_asked_for_each_file(mirror: Mirror, site: Site) -> None:
    site.close()
    sources = [source(f"url {site.url}/{name}", content=name.encode(), filename=name) for name in ("a.zip", "b.zip")]
    watch = Recorder()
    text = refusal(mirror, site, *sources, progress=watch, jobs=1)
    assert [line for line in text.splitlines() if "SITE" in line] == [
        "    url SITE/a.zip: [Errno 111] Connection refused (3 attempts)",
        "    url SITE/b.zip: [Errno 111] Connection refused",
    ]


def test_more_bytes_than_locked_are_not_taken(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, length=False))
    wanted = source(f"url {url}", content=CONTENT, size=1000)
    told = not_to_be_had(wanted, "url SITE/t: it sends more than the 1000 bytes that are allowed")
    assert refusal(mirror, site, wanted) == told


def test_offer_of_another_size_is_not_taken(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", CONTENT)
    wanted = source(f"url {url}", content=CONTENT, size=299_999)
    told = not_to_be_had(wanted, "url SITE/t: it offers 300000 bytes; the lock says 299999")
    assert refusal(mirror, site, wanted) == told


def test_wrong_bytes_are_refused_with_their_sha256(mirror: Mirror, site: Site) -> None:
    other = CONTENT[:-1] + b"?"
    wanted = source(f"url {site.put('/t', other)}", content=CONTENT)
    told = f"url SITE/t: it gave 300000 bytes with the sha256 {hashlib.sha256(other).hexdigest()}"
    assert refusal(mirror, site, wanted) == not_to_be_had(wanted, told)
    assert files(mirror) == []


def test_source_without_a_size_has_a_limit(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", Reply(body=CONTENT, length=False))
    wanted = source(f"url {url}", content=CONTENT)
    told = not_to_be_had(wanted, "url SITE/t: it sends more than the 100000 bytes that are allowed")
    assert refusal(mirror, site, wanted, how=access(largest_bytes=100_000)) == told


def test_wrong_heritage_id_is_refused(mirror: Mirror, site: Site) -> None:
    url = site.put("/t", CONTENT)
    wanted = source(f"url {url}", content=CONTENT, swhid="swh:1:cnt:" + "0" * 40)
    sha1 = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    told = f"url SITE/t: it gave the right sha256, but swh:1:cnt:{sha1} instead of swh:1:cnt:{'0' * 40}"
    assert refusal(mirror, site, wanted) == not_to_be_had(wanted, told)
    assert files(mirror) == []


def test_damaged_file_in_the_mirror_is_fetched_again(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.put('/t', CONTENT)}", content=CONTENT)
    mirror.path(wanted).parent.mkdir(parents=True)
    mirror.path(wanted).write_bytes(CONTENT[:-1] + b"!")
    watch = Recorder()
    report = obtain(mirror, wanted, progress=watch)
    assert report.files[0].outcome is Outcome.FETCHED
    assert mirror.path(wanted).read_bytes() == CONTENT
    assert set(watch.notes) == {f"{mirror.path(wanted)} is damaged and does not count"}


def test_redirects_are_followed(mirror: Mirror, site: Site) -> None:
    site.put("/there", CONTENT)
    url = site.put("/here", Reply(status=302, headers={"Location": "/there"}))
    obtain(mirror, source(f"url {url}", content=CONTENT))
    assert [path for path, _ in site.requests] == ["/here", "/there"]


def test_bytes_are_those_that_are_stored(mirror: Mirror, site: Site) -> None:
    packed = archive({"a": b"1"})
    url = site.put("/t.tar.gz", Reply(body=packed, headers={"Content-Encoding": "gzip"}))
    wanted = source(f"url {url}", content=packed)
    obtain(mirror, wanted)
    assert mirror.path(wanted).read_bytes() == packed
    assert site.headers[0]["Accept-Encoding"] == "identity"


def test_offline_asks_nothing_and_lists_all_that_is_missing(mirror: Mirror, site: Site) -> None:
    sources = [source(f"url {site.url}/{n}", "debian x=1/y", content=n.encode(), filename=f"{n}.tar.xz") for n in "abc"]
    mirror.path(sources[1]).parent.mkdir(parents=True)
    mirror.path(sources[1]).write_bytes(b"b")
    a, c = sources[0].sha256, sources[2].sha256
    how = access(archive=site.url, mirrors=(f"{site.url}/m",))
    assert refusal(mirror, site, *sources, offline=True, how=how) == (
        f"thing: a.tar.xz is not in the mirror at MIRROR/_source-cache/archive/{a[:2]}/{a}.tar.xz, "
        "and nothing was asked from the network\n"
        f"thing2: c.tar.xz is not in the mirror at MIRROR/_source-cache/archive/{c[:2]}/{c}.tar.xz, "
        "and nothing was asked from the network\n"
        "  hint: put the file there, name a mirror that has it with --mirror, or fetch with the network"
    )
    assert site.requests == []


def test_damaged_file_is_said_offline(mirror: Mirror, site: Site) -> None:
    wanted = source(f"url {site.url}/t", content=CONTENT)
    mirror.path(wanted).parent.mkdir(parents=True)
    mirror.path(wanted).write_bytes(b"damaged")
    assert refusal(mirror, site, wanted, offline=True) == (
        "thing: thing-1.0.tar.gz is damaged in the mirror at "
        f"MIRROR/_source-cache/archive/{wanted.sha256[:2]}/{wanted.sha256}.tar.gz\n"
        "  hint: put the file there, name a mirror that has it with --mirror, or fetch with the network"
    )


def test_one_file_of_two_packages_is_fetched_once(mirror: Mirror, site: Site) -> None:
    first = source(f"url {site.url}/gone", content=CONTENT, subdirectory="lib/a")
    second = source(f"url {site.put('/t', CONTENT)}", content=CONTENT, subdirectory="lib/b")
    report = obtain(mirror, first, second)
    assert [file.packages for file in report.files] == [("thing", "thing1")]
    assert [path for path, _ in site.requests] == ["/gone", "/t"]


def test_only_what_is_asked_for_is_fetched(mirror: Mirror, site: Site) -> None:
    here = source(f"url {site.put('/here', b'here')}", content=b"here")
    elsewhere = source(f"url {site.url}/elsewhere", content=b"elsewhere", targets=("el9-x86_64",))
    delegated = node("delegated", source(f"url {site.url}/delegated", content=b"delegated"), provider="upstream")
    other = node("other", source(f"url {site.url}/other", content=b"other"))
    report = fetch(
        lock(delegated, node("here", here, elsewhere), other), mirror, targets=[TARGET], packages=["here", "delegated"],
        recipe_file=no_recipe_file, access=access(),
    )  # fmt: skip
    assert [file.packages for file in report.files] == [("here",)]


def test_jobs_are_the_most_downloads_at_once(mirror: Mirror, site: Site) -> None:
    sources = []
    for index in range(8):
        content = b"%d" % index
        url = site.put(f"/{index}", Reply(body=content, wait_s=0.4))
        sources.append(source(f"url {url}", content=content, filename=f"{index}.zip"))
    obtain(mirror, *sources, jobs=3)
    assert site.most_at_once == 3
