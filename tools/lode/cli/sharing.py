"""The options that say which artifacts are shared with other machines, and how long a build may take."""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lode import config
from lode.building.cache import Store
from lode.cli.common import Command
from lode.definitions.trust import TrustPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """The store behind this machine's cache, None when there is none, and the time that a build may take."""

    store: Store | None
    policy: TrustPolicy | None  # who must have signed what is taken from the store
    built: Path | None  # the folder in which a run lists what it built
    limit_s: float | None


addressed = click.option(
    "--store", "address", envvar="LODE_STORE", metavar="URL",
    help="Packages shared between machines: folder, https://, oci://, s3://, gs://, az://.",
)  # fmt: skip
governed = click.option(
    "--store-policy", "policy_file", envvar="LODE_STORE_POLICY", metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take from the store only what an index lists that this trust policy accepts.",
)  # fmt: skip


def sharing(function: Command) -> Command:
    """Add --store, --store-read-only, --store-policy, --store-built and --max-minutes to a command: `shared`."""

    @addressed
    @click.option("--store-read-only", "read_only", is_flag=True, envvar="LODE_STORE_READ_ONLY",
                  help="Take from the store, give it nothing.")  # fmt: skip
    @governed
    @click.option("--store-built", "built", envvar="LODE_STORE_BUILT", metavar="FOLDER",
                  type=click.Path(path_type=Path, file_okay=False),
                  help="With a policy: also take what jobs of this run list here, and list what is built.")  # fmt: skip
    @click.option("--max-minutes", type=click.FloatRange(0, min_open=True), metavar="N",
                  help="Start no node that would end later; exit with status 12 when some are left.")  # fmt: skip
    def wrapper(
        *arguments: Any,
        address: str | None,
        read_only: bool,
        policy_file: Path | None,
        built: Path | None,
        max_minutes: float | None,
        **rest: Any,
    ) -> Any:
        shared = Sharing(
            store=opened(address, read_only=read_only) if address else None,
            policy=policy(policy_file) if policy_file is not None else None,
            built=built,
            limit_s=None if max_minutes is None else 60 * max_minutes,
        )
        return function(*arguments, shared=shared, **rest)

    wrapper.__doc__ = function.__doc__
    wrapper.__name__ = function.__name__
    # options added to `function` before this decorator ran
    wrapper.__click_params__ = [*getattr(function, "__click_params__", []), *getattr(wrapper, "__click_params__", [])]  # type: ignore[attr-defined]
    return wrapper


def opened(address: str, *, read_only: bool = False) -> Store:
    """Return the store at `address`, which is closed when the command ends."""
    from lode.workflow import stores

    store: Store = click.get_current_context().with_resource(
        stores.opened(
            address,
            read_only=read_only,
            places=config.places(os.environ),
            environ=os.environ,
            token=os.environ.get("LODE_STORE_TOKEN"),
        )
    )
    return store


def policy(file: Path) -> TrustPolicy:
    """Return the trust policy in `file`, as it holds today."""
    from lode.workflow.trust import load_policy

    return load_policy(file, root=None, today=datetime.datetime.now(datetime.UTC).date())
