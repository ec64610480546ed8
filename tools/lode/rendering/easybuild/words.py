"""Names, shell words and templates of EasyBuild."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lode.locking.graph import Lock
from lode.rendering import names

# Lode's names of software that EasyBuild's own easyconfigs spell otherwise.
NAMES: Mapping[str, str] = {
    **names.EASYBUILD,
    "cython": "Cython", "hdf5": "HDF5", "hepmc3": "HepMC3", "libzmq": "ZeroMQ", "mcpl": "MCPL", "meson": "Meson",
    "nest": "NEST", "pyzmq": "PyZMQ", "xz": "XZ",
}  # fmt: skip
_TEMPLATE = re.compile(r"%+(?=\(\w+\)s)")
_VARIABLES = re.compile(r"\$(?:\{(PREFIX|SRC_DIR|JOBS|PYTHON)\}|(PREFIX|SRC_DIR|JOBS|PYTHON)\b)")


def called(package: str) -> str:
    """Return what `package` is called in EasyBuild."""
    return names.elsewhere(package, NAMES)


def suffix(lock: Lock) -> str:
    """Return the version suffix of all modules of `lock`."""
    return f"-{lock.stack}-{lock.release}"


def plain(text: str) -> str:
    """Return `text` so that EasyBuild's templates (`%(name)s`) leave it as it is.

    A run of per cent signs before one is doubled (easybuild.framework.easyconfig.easyconfig.resolve_template, 5.x).
    """
    return _TEMPLATE.sub(lambda match: match[0] * 2, text)


def words(texts: Iterable[str]) -> str:
    """Return `texts` as words of sh, in which only the variables that recipes may name are replaced."""
    return " ".join(word(text) for text in texts)


def word(text: str) -> str:
    """Return `text` as one word of sh, in which only the variables that recipes may name are replaced."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]+", text):
        return text
    parts: list[str] = []
    end = 0
    for match in _VARIABLES.finditer(text):
        parts += [_escaped(text[end : match.start()]), f"${{{match[1] or match[2]}}}"]
        end = match.end()
    return f'"{"".join([*parts, _escaped(text[end:])])}"'


def _escaped(text: str) -> str:
    return re.sub(r'([\\"$`])', r"\\\1", text)
