"""The program that builds one node with rattler-build, run inside the seal, once per build.

It is a process of its own because `run_build` holds the interpreter lock until it ends, and because threads of
rattler-build do not survive a fork. It reads `job.json` in its workspace and leaves `result.json` and the package.
A second argument, where there is no seal, is the process that asked for it: then a keeper holds it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from lode.building import keeper, package

JOB = "job.json"
RESULT = "result.json"
PACKAGES = "packages"
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")  # a system's own


def main(root: Path) -> int:
    """Build what `job.json` in `root` says; 0 when there is a package, 1 when the build failed."""
    job = json.loads((root / JOB).read_bytes())
    if job["certificates"] and not any(Path(file).is_file() for file in CERTIFICATES):
        os.environ["SSL_CERT_FILE"] = job["certificates"]
    built, log = _build(job)
    with (root / "log").open("a", encoding="utf-8", errors="replace") as file:
        file.writelines(f"{line}\n" for line in log)
    if built is None:
        return 1
    destination = root / PACKAGES / job["file"]
    destination.parent.mkdir()
    made = package.canonical(built, destination, glibc=job["glibc"], libstdcxx=job["libstdcxx"])
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    result = {
        "file": destination.name,
        "sha256": made.sha256,
        "size_bytes": made.size_bytes,
        "inventory": made.inventory,
        "index": made.index,
        "cpu_s": sum(used[0] + used[1] for used in usage),
        "peak_memory_mb": max(used.ru_maxrss for used in usage) // 1024,
        "newer": [[name, item.library, item.version, item.symbol] for name, item in made.newer],
    }
    (root / RESULT).write_text(json.dumps(result), encoding="utf-8")
    return 0


def _build(job: dict[str, Any]) -> tuple[Path | None, list[str]]:
    """Return the package that rattler-build made, None when it failed, and what it had to say."""
    from rattler_build import (
        BuildError,
        EnvironmentIsolation,
        PlatformConfig,
        RattlerBuildError,
        RenderConfig,
        Stage0Recipe,
        ToolConfiguration,
        VariantConfig,
    )

    try:
        recipe = Stage0Recipe.from_dict(job["recipe"], recipe_dir=job["recipe_dir"])
        platform = PlatformConfig(target_platform=job["platform"])
        (variant,) = recipe.render(VariantConfig({}), RenderConfig(platform=platform))
        result = variant.run_build(
            tool_config=ToolConfiguration(
                test_strategy="skip",
                compression_threads=1,
                use_zstd=False,
                use_bz2=False,
                use_sharded=False,
                keep_build=job["keep"],
            ),
            output_dir=job["output"],
            channels=[job["channel"]],
            no_build_id=True,
            package_format="conda:1",
            no_include_recipe=True,
            env_isolation=EnvironmentIsolation.STRICT,
        )
    except BuildError as error:
        return None, [*error.log, _said(error)]
    except RattlerBuildError as error:
        return None, [_said(error)]
    return Path(result.packages[0]), list(result.log)


def _said(error: Exception) -> str:
    return f"error: {str(error).removeprefix('PyRattlerBuildError: ')}"


def _flushed(status: int) -> int:
    """Return `status` once all that was printed is out: what follows is an exit that flushes nothing."""
    sys.stdout.flush()
    return status


if __name__ == "__main__":
    os.environ.pop("PYTHONHOME", None)  # for this process alone, when it was carried here
    FOLDER = Path(sys.argv[1])
    STATUS = keeper.run(int(sys.argv[2]), lambda: _flushed(main(FOLDER))) if sys.argv[2:] else main(FOLDER)
    sys.stdout.flush()
    os._exit(STATUS)  # threads of the Rust runtime may still run, and have nothing left to do
