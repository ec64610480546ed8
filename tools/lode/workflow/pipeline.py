"""A stack's release as jobs of an engine: estimates from earlier builds, files written or compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lode import tree
from lode.building.history import History
from lode.building.history import estimate as seconds
from lode.definitions.catalogue import Catalogue
from lode.errors import Fault, HostError, Place, VerificationError
from lode.locking.graph import Node
from lode.rendering.pipeline import Limits, Pipeline, Site, engine, gitlab
from lode.rendering.pipeline.plan import Estimate, plan
from lode.workflow.lock import locked

TIMES = Path("ci", "times.jsonl")  # below a repository: CPU seconds of earlier builds, see building.history
_DISK_PER_SOURCE = 15  # megabytes of work folder and artifact for each of a source archive
_DISK_MB = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What rendering a pipeline came to."""

    engine: str
    pipeline: Pipeline
    folder: Path
    files: tuple[PurePosixPath, ...]  # sorted


def draw(
    catalogue: Catalogue,
    reference: str,
    *,
    limits: Limits,
    times: Path | None,
    targets: Sequence[str] = (),
    policy: Path | None = None,
) -> Pipeline:
    """Return the jobs of the stack `reference`; what `times` does not tell is guessed from the size of sources.

    `policy`: path of the trust policy that jobs read the store by, relative to the repository.
    """
    known = History(times).times() if times is not None else {}

    def estimate(node: Node, target: str) -> Estimate:
        return _estimate(node, target, known)

    return plan(
        locked(catalogue, reference), estimate, limits=limits, targets=targets, policy=str(policy) if policy else None
    )


def write(pipeline: Pipeline, *, to: str, site: Site, folder: Path, check: bool = False) -> Written:
    """Write `pipeline` in the words of the engine `to` below `folder`; with `check`, only compare what is there.

    VerificationError names every file that is not as it would be written; HostError if nothing can be written;
    UsageError if a file that several stacks share holds something that Lode did not write.
    """
    made = engine(to).render(pipeline, site)
    if to == "gitlab":  # whose one file for a repository starts the pipelines of all its stacks
        made = gitlab.join(made, folder)
    if check:
        faults = []
        for path, content in sorted(made.files.items()):
            place = folder / path
            if not place.is_file():
                faults.append(
                    Fault(message="the file is missing", place=Place(file=str(place)), hint=_hint(pipeline, to))
                )
            elif place.read_bytes() != content:
                message = "the file is not as the lock renders to"
                faults.append(Fault(message=message, place=Place(file=str(place)), hint=_hint(pipeline, to)))
        if faults:
            raise VerificationError.of(faults)
    else:
        try:
            tree.write(made, folder)
        except OSError as error:
            raise HostError(f"{error.filename or folder} cannot be written: {error.strerror}") from error
    return Written(engine=to, pipeline=pipeline, folder=folder, files=tuple(sorted(made.files)))


def _hint(pipeline: Pipeline, to: str) -> str:
    return f"`lode ci render {pipeline.stack}@{pipeline.release} --to {to}` with the same options writes it again"


def _estimate(node: Node, target: str, times: Mapping[tuple[str, str], float]) -> Estimate:
    size_mb = sum(source.size or 0 for source in node.sources if target in source.targets) / 1e6
    return Estimate(
        cpu_s=seconds(node, target, times),
        disk_mb=int(_DISK_MB + _DISK_PER_SOURCE * size_mb),
        guessed=(target, node.package) not in times,
    )
