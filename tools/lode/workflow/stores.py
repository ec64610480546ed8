"""The stores of built packages that a user can name, those in registries among them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from lode.building import stores
from lode.building.cache import Store
from lode.config import Places
from lode.errors import UsageError
from lode.publishing.oci import auth, reference
from lode.publishing.oci.artifacts import ArtifactStore
from lode.publishing.oci.registry import Registry
from lode.publishing.oci.transport import Transport
from lode.sourcing.access import redacted
from lode.workflow.registry import reach

REGISTRY = "oci://"
_CONNECTIONS = 8


@contextlib.contextmanager
def opened(
    address: str, *, read_only: bool, places: Places, environ: Mapping[str, str], token: str | None
) -> Iterator[Store]:
    """Yield the store at `address`: a repository `oci://HOST/NAME`, or what `building.stores` opens.

    At a registry the user is who Docker's configuration says; without an account there, `token` is the password, as
    the tokens of CI runs are. Secrets enter no message.
    """
    with contextlib.ExitStack() as stack:
        found: Store
        if address.startswith(REGISTRY):
            if redacted(address) != address:
                hint = "`docker login` keeps an account; in CI, LODE_STORE_TOKEN has the password"
                raise UsageError(f"the address of a registry holds no user: {redacted(address)}", hint=hint)
            named = reference.parse(address.removeprefix(REGISTRY))
            by = reach(places, environ)
            account = auth.account(by.config, named.host, environ)
            if account is None and token:
                account = auth.Account(user="token", password=token)
            transport = Transport(named, auth.Authorizer(account), plain=by.plain, connections=_CONNECTIONS)
            stack.callback(transport.close)
            found = ArtifactStore(Registry(transport), named.name)
        else:
            found = stores.store(address, settings=environ, token=token)
        yield stores.ReadOnly(found) if read_only else found
