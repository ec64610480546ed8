"""Files of Debian's source archive, through the mirrors that this machine's apt is set up with.

A file's place in a mirror's pool follows from the source package's name (Debian Policy, and `pool/` of any mirror), so
no index is needed and the suite does not matter; the lock's sha256 stands in for the index's signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from lode import process
from lode.errors import HostError
from lode.sourcing.access import Refused
from lode.sourcing.origins.way import Way, at
from lode.sourcing.reach import Link, Reach

_LOCATION = re.compile(r"([a-z0-9][a-z0-9+.-]+)=([^/\s]+)/([A-Za-z0-9][A-Za-z0-9+.~_:%-]*)\Z")
_PROXY = re.compile(r'Acquire::(https?)::Proxy(?:::([^ ]+))? "(.*)";\Z')
_ARCHIVES = ("Debian", "Ubuntu", "Raspbian", "Devuan")  # Origin of archives whose pool is laid out so
_TIMEOUT_S = 60.0


def ways(location: str, reach: Reach) -> Iterator[Way]:
    """Yield the file's URL in every mirror known, `main` before other components; Refused when no mirror is known."""
    match = _LOCATION.match(location)
    if not match:
        raise Refused(f"{location!r} is not of the form package=version/file")
    package, _, file = match.groups()
    given = [(mirror, "main") for mirror in reach.access.debian]
    known = dict.fromkeys([*given, *reach.once("apt mirrors", _mirrors)])
    if not known:
        raise Refused("this machine has no apt with a Debian mirror, and none was given")
    proxies = reach.once("apt proxies", lambda: parse_proxies(_output(["apt-config", "dump"])))
    for mirror, component in known:
        url = f"{mirror.rstrip('/')}/pool/{component}/{_folder(package)}/{quote(file)}"
        yield at(url, link=Link(url=url, proxy=proxy_for(url, proxies)))


def _folder(package: str) -> str:
    initial = package[:4] if package.startswith("lib") and len(package) > 3 else package[:1]
    return f"{initial}/{package}"


def parse_mirrors(text: str) -> tuple[tuple[str, str], ...]:
    """Return (address, component) of the archives in lines of address, component and Origin, `main` before others.

    An Origin that apt does not know yet stands there as `$(ORIGIN)`: that archive is asked too, after those known.
    """
    rows = [line.split(" ", 2) for line in text.splitlines() if line.count(" ") >= 2]
    known = [row for row in rows if row[2] in _ARCHIVES] + [row for row in rows if row[2] == "$(ORIGIN)"]
    usable = dict.fromkeys((row[0], row[1]) for row in known if urlsplit(row[0]).scheme in ("http", "https", "file"))
    return tuple(sorted(usable, key=lambda row: row[1] != "main"))


def parse_proxies(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return (scheme, host or empty, proxy) from the lines of `apt-config dump`."""
    rows = [_PROXY.match(line) for line in text.splitlines()]
    return tuple((row[1], row[2] or "", row[3]) for row in rows if row and row[3])


def usual_mirror() -> str | None:
    """Return the address of the mirror that this machine's apt takes `main` from, None when it has none."""
    return next((address.rstrip("/") for address, component in _mirrors() if component == "main"), None)


def _mirrors() -> tuple[tuple[str, str], ...]:
    for options in ([], ["--no-release-info"]):  # without it, a machine that never ran `apt-get update` has none
        text = _output(["apt-get", "indextargets", *options, "--format", "$(REPO_URI) $(COMPONENT) $(ORIGIN)"])
        if found := parse_mirrors(text):
            return found
    return ()


def proxy_for(url: str, proxies: tuple[tuple[str, str, str], ...]) -> str | None:
    """Return the proxy for `url`: that of its host, else that of its scheme, None for none."""
    parts = urlsplit(url)
    general = None
    for scheme, host, proxy in proxies:
        if scheme == parts.scheme and host == parts.hostname:
            return None if proxy == "DIRECT" else proxy
        if scheme == parts.scheme and not host:
            general = proxy
    return general


def _output(argv: list[str]) -> str:
    try:
        done = process.run(["env", "LC_ALL=C", *argv], timeout_s=_TIMEOUT_S)
    except HostError:
        return ""
    return done.stdout if done.status == 0 else ""
