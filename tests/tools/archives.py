"""Makes small sdists and wheels with the files that the scripts look at."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

METADATA = """\
Metadata-Version: 2.4
Name: Wave_Form
Version: {version}
Summary: Reads waveforms.
Home-page: https://example.org/old
Project-URL: Homepage, https://example.org/waveform
License-Expression: BSD-3-Clause
Requires-Python: >=3.10
Requires-Dist: numpy<3,>=1.25
Requires-Dist: typing-extensions; python_version < "3.11"
Requires-Dist: pytest; extra == "test"
"""
PYPROJECT = (
    '[build-system]\nrequires = ["setuptools>=77,<80", "Cython~=3.0"]\nbuild-backend = "setuptools.build_meta"\n'
)


def sdist(
    folder: Path, version: str = "1.2.0", *, extra: Mapping[str, str] | None = None, metadata: str = METADATA
) -> Path:
    """Return a new sdist of the project Wave_Form in `folder`."""
    files = {
        "PKG-INFO": metadata.format(version=version),
        "pyproject.toml": PYPROJECT,
        "src/waveform/__init__.py": "",
        **(extra or {}),
    }
    return tarball(folder / f"wave_form-{version}.tar.gz", f"wave_form-{version}", files)


def tarball(path: Path, top: str, files: Mapping[str, str]) -> Path:
    """Return the archive `path`, made of `files` below the folder `top`."""
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{top}/{name}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def wheel(folder: Path, tag: str, version: str = "1.2.0") -> Path:
    """Return a new wheel of Wave_Form with the tag `tag` in `folder`."""
    path = folder / f"wave_form-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("waveform/__init__.py", "")
        archive.writestr(f"wave_form-{version}.dist-info/METADATA", METADATA.format(version=version))
    return path
