# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

"""Build every package of a target, in order, with rattler-build (`pip install py-rattler-build`)."""

import argparse
import asyncio
import importlib.util
import os
from graphlib import TopologicalSorter
from pathlib import Path

from rattler_build import EnvironmentIsolation, Stage0Recipe, ToolConfiguration, VariantConfig

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(path.parent.name for path in HERE.glob("*/offline.yaml")))
    parser.add_argument("packages", nargs="*", help="only these, with all that they need; all when none is named")
    parser.add_argument("--offline", action="store_true", help="compiler and tools of the OS, no network")
    parser.add_argument("--channel", action="append", help="where compilers and tools come from (conda-forge)")
    parser.add_argument("--mirror", help="address of a folder of sources by their hash, as `lode fetch` keeps it")
    parser.add_argument("--output", type=Path, help="the channel to make (channel-online or channel-offline)")
    parser.add_argument("--address", help="where the channel will be served, for pixi.lock (the folder itself)")
    options = parser.parse_args()
    mode = "offline" if options.offline else "online"
    output = (options.output or Path(f"channel-{mode}")).resolve()
    output.mkdir(parents=True, exist_ok=True)
    channels = [output.as_uri(), *([] if options.offline else options.channel or ["conda-forge"])]
    os.environ["PATH"] = "/usr/bin:/bin"  # rattler-build hands it on to builds
    if options.mirror:
        os.environ["LODE_MIRROR"] = options.mirror.rstrip("/")
    folder = HERE / options.target
    variants = VariantConfig.from_file(folder / f"{mode}.yaml")
    if options.offline:
        for path in sorted((folder / "toolchain").glob("*/recipe.yaml")):
            build(path, VariantConfig({}), output, channels)
    made = [build(path, variants, output, channels) for path in in_order(folder / "recipes", options.packages)]
    if importlib.util.find_spec("rattler"):
        asyncio.run(lock(made, output, channels, (options.address or output.as_uri()).rstrip("/")))
    else:
        print("no pixi.lock was made: `pip install py-rattler`, then run this again")


def in_order(folder: Path, packages: list[str]) -> list[Path]:
    """Return the recipes of the packages and of what they need, each after what it needs."""
    needs: dict[str, list[str]] = {}
    waiting = packages or sorted(path.name for path in folder.iterdir())
    while waiting:
        name = waiting.pop()
        if name in needs:
            continue
        asked = Stage0Recipe.from_file(folder / name / "recipe.yaml").to_dict().get("requirements", {})
        pins = [pin.split() for kind in ("build", "host", "run") for pin in asked.get(kind, [])]
        needs[name] = sorted({pin[0] for pin in pins if len(pin) == 3 and (folder / pin[0]).is_dir()})
        waiting += needs[name]
    return [folder / name / "recipe.yaml" for name in TopologicalSorter(dict(sorted(needs.items()))).static_order()]


def build(path: Path, variants: VariantConfig, output: Path, channels: list[str]) -> str:
    """Build the package of one recipe, unless the channel has it; return the requirement that only it meets."""
    tools = ToolConfiguration(test_strategy="skip", skip_existing="local", use_sharded=False)
    (variant,) = Stage0Recipe.from_file(path).render(variants)
    read = variant.recipe.to_dict()
    print(f"{path.parent.name} {read['package']['version']}", flush=True)
    variant.run_build(tool_config=tools, output_dir=output, channels=channels, no_build_id=True,
                      env_isolation=EnvironmentIsolation.STRICT)
    return f"{read['package']['name']} =={read['package']['version']} {read['build']['string']}"


async def lock(made: list[str], output: Path, channels: list[str], address: str) -> None:
    """Write `pixi.lock` into the channel: all packages that were made and what they need, at the channel's address."""
    from rattler import LockChannel, LockFile, LockPlatform, Platform, RepoDataRecord, VirtualPackage, solve

    records = await solve(channels, made, virtual_packages=VirtualPackage.detect())
    platform = LockPlatform(str(Platform.current()))
    locked = LockFile([platform])
    locked.set_channels("default", [LockChannel(f"{address}/"), *(LockChannel(one) for one in channels[1:])])
    here = output.as_uri()
    for record in sorted(records, key=lambda one: one.name.normalized):
        if record.url.startswith(here):
            url = address + record.url[len(here):]
            record = RepoDataRecord(record, record.file_name, url, f"{address}/")
        locked.add_conda_package("default", platform, record)
    locked.to_path(output / "pixi.lock")
    print(f"{output / 'pixi.lock'}: {len(records)} packages")
    await asyncio.sleep(0.05)  # py-rattler may crash when its threads are ended at once


if __name__ == "__main__":
    main()
