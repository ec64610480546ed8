"""What a repository offers beside the trees: `current`, a link that each client resolves itself, and a setup script.

All of it follows from which trees are mounted, so it is the same whoever publishes:

    /<stack>/current               the newest release
    /<stack>/<release>/host        $(LODE_VARIANT:-<target>): a client's configuration or environment chooses
    /<stack>/<release>/setup.sh    sourced by a shell: takes the tree made for the host, or names a container

An image of a target, unpacked at `<target>.image`, is what the script names for it, rather than one of a registry.
"""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable, Mapping

from lode.definitions.version import Version
from lode.publishing.cvmfs import objects
from lode.publishing.cvmfs.objects import Deflate, Kind
from lode.publishing.cvmfs.rows import FILE, LINK, Row
from lode.publishing.cvmfs.storage import Storage

CURRENT, HOST, SETUP = b"current", b"host", b"setup.sh"
VARIANT = "LODE_VARIANT"  # names the target, for the link and the script
IMAGE = ".image"  # behind the target: its image, unpacked

# What a container of the same system is started from, by the beginning of a target's name.
_IMAGES = {
    "debian": "docker://debian:{version}",
    "ubuntu": "docker://ubuntu:{version}",
    "el": "docker://almalinux:{version}",
    "fedora": "docker://fedora:{version}",
}

_SCRIPT = """\
# {stack} {release}: takes the tree that is made for this host, or says in which container one works.
#
#     . {folder}/setup.sh
#
# {variable} names another target. The trees: {targets}. Written by Lode.

_lode_variant=${{{variable}-}}
if [ -z "$_lode_variant" ]; then
    _lode_variant=$(
        ID= VERSION_ID= ID_LIKE=
        if [ -r /etc/os-release ]; then . /etc/os-release; fi
        case " $ID $ID_LIKE " in
            *" ubuntu "*|*" debian "*|*" fedora "*)
                case $ID in rhel|rocky|almalinux|centos|ol|scientific) ID=el VERSION_ID=${{VERSION_ID%%.*}} ;; esac ;;
            *" rhel "*|*" rocky "*|*" almalinux "*|*" centos "*) ID=el VERSION_ID=${{VERSION_ID%%.*}} ;;
        esac
        printf '%s%s-%s' "$ID" "$VERSION_ID" "$(uname -m)"
    )
fi
case $_lode_variant in
    {cases})
        eval "unset _lode_variant; . {folder}/$_lode_variant/setup.sh" ;;
    *)
        printf '%s\\n' "lode: no tree of {stack} {release} is made for $_lode_variant; there are:" \\
{lines} >&2
        unset _lode_variant
        false ;;
esac
"""


def is_variant(path: bytes, stack: bytes) -> bool:
    """Return whether what lies at `path` in the catalog of `stack` (its path) is of this kind and no tree."""
    parts = path.removeprefix(stack + b"/").split(b"/")
    return parts == [CURRENT] or (len(parts) == 2 and parts[1] in (HOST, SETUP))


def rows(
    storage: Storage, name: str, stack: bytes, mounted: Mapping[bytes, int], *, deflate: Deflate
) -> tuple[Row, ...]:
    """Return the rows for the catalog of `stack` in the repository `name`; its scripts are stored.

    `mounted` are the paths of the trees and their times.
    """
    releases: dict[bytes, list[bytes]] = {}
    images: dict[bytes, list[bytes]] = {}
    for path in sorted(mounted):
        above, _, target = path.rpartition(b"/")
        image = target.endswith(IMAGE.encode())
        (images if image else releases).setdefault(above, []).append(target)
    if not releases:
        return ()
    times = {
        release: max(mounted[release + b"/" + target] for target in targets) for release, targets in releases.items()
    }
    newest = max(releases, key=lambda release: Version(_last(release)))
    found = [_link(stack + b"/" + CURRENT, _last(newest).encode(), times[newest])]
    for release, targets in releases.items():
        usual = f"$({VARIANT}:-{targets[0].decode()})".encode()
        found.append(_link(release + b"/" + HOST, usual, times[release]))
        unpacked = {image.decode().removesuffix(IMAGE) for image in images.get(release, ())}
        script = setup(name, release.decode(), [target.decode() for target in targets], unpacked=unpacked).encode()
        stored = objects.put(storage, script, Kind.FILE, deflate)
        mode = stat.S_IFREG | 0o644
        found.append(
            Row(
                path=release + b"/" + SETUP,
                flags=FILE,
                mode=mode,
                size=len(script),
                mtime=times[release],
                links=1,
                hash=stored,
            )
        )
    return tuple(found)


def setup(name: str, path: str, targets: Iterable[str], *, unpacked: Collection[str] = ()) -> str:
    """Return the script for the release at `path` of the repository `name`, which has trees for `targets`, sorted.

    Of the targets `unpacked` there are images, too.
    """
    _, stack, release = path.split("/")
    folder = f"/cvmfs/{name}{path}"
    listed = list(targets)
    lines = " \\\n".join(
        f"            '  {target}: apptainer exec --bind /cvmfs {image} sh -c \". {folder}/setup.sh && …\"'"
        if (image := f"{folder}/{target}{IMAGE}" if target in unpacked else _image(target))
        else f"            '  {target}'"
        for target in listed
    )
    return _SCRIPT.format(
        stack=stack,
        release=release,
        folder=folder,
        variable=VARIANT,
        targets=", ".join(listed),
        cases="|".join(listed),
        lines=lines,
    )


def _image(target: str) -> str | None:
    system = target.rpartition("-")[0]
    family = system.rstrip("0123456789.")
    form = _IMAGES.get(family)
    return form.format(version=system.removeprefix(family)) if form else None


def _last(path: bytes) -> str:
    return path.rpartition(b"/")[2].decode()


def _link(path: bytes, target: bytes, mtime: int) -> Row:
    return Row(
        path=path,
        flags=FILE | LINK,
        mode=stat.S_IFLNK | 0o777,
        size=len(target),
        mtime=mtime,
        links=1,
        target=target,
    )
