"""Signing by who a pipeline is: with the Sigstore instance of the experiment's trust policy, and the own token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lode.definitions import folders
from lode.definitions.trust import TrustPolicy
from lode.errors import DefinitionError, HostError, UsageError
from lode.signing import keyless
from lode.signing.certify import IdentitySigner
from lode.workflow.trust import read_policy

SCHEME = "sigstore:"
TOKEN = "SIGSTORE_ID_TOKEN"  # noqa: S105 - a variable's name
_GITHUB = "ACTIONS_ID_TOKEN_REQUEST_URL"  # set in jobs of GitHub Actions with the permission id-token: write
_HINT = "docs/how-to/keyless.md says what a policy and a pipeline need"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Where a command runs: the collection whose policy holds, and the environment that has the token."""

    collection: Path | None
    environ: Mapping[str, str]

    @property
    def is_known(self) -> bool:
        """Return whether the policy names identities, and this process has a token: then it signs by its own."""
        return bool(self.environ.get(TOKEN) or self.environ.get(_GITHUB)) and self.names_identities

    @property
    def names_identities(self) -> bool:
        """Return whether there is a policy, without faults, that names identities."""
        try:
            policy = self._policy()
        except (DefinitionError, HostError):
            return False
        return policy is not None and bool(policy.identities)

    def signer(self, uri: str) -> IdentitySigner:
        """Return what signs by this process's identity; `uri` is `sigstore:` or `sigstore:FILE`, a signing config.

        UsageError when no policy says which instance is trusted, HostError when there is no token or no instance.
        """
        file = uri.removeprefix(SCHEME)
        keyless.library()
        policy = self._policy()
        if policy is None or policy.sigstore is None:
            raise UsageError("no trust policy here says which Sigstore instance is trusted", hint=_HINT)
        services = _read(Path(file)) if file else policy.sigstore.services
        return IdentitySigner(policy.sigstore.content, services, self._token, file or policy.sigstore.file)

    def _policy(self) -> TrustPolicy | None:
        file = self.collection / folders.TRUST_FILE if self.collection else None
        if file is None or not file.is_file():
            return None
        return read_policy(file)

    def _token(self) -> str:
        """Return a new token: the given one, or what the forge that runs this job gives."""
        given = self.environ.get(TOKEN)
        if given:
            return given
        from sigstore.oidc import IdentityError, detect_credential

        try:
            found = detect_credential()
        except IdentityError as error:
            raise HostError(f"the forge gives this job no token: {error}", hint=_HINT) from error
        if not found:
            raise HostError(f"nothing here has a token of who signs: no {TOKEN}, no forge's", hint=_HINT)
        return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise HostError(f"{file} cannot be read: {error.strerror}") from error
