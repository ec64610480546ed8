"""`lode ci`: pipelines of CI services and batch farms, and what is told of the releases that they make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from lode.cli.common import Session, common
from lode.cli.common import pipeline as in_pipeline
from lode.cli.sharing import policy
from lode.definitions.catalogue import Catalogue
from lode.definitions.folders import TRUST_FILE
from lode.errors import UsageError
from lode.rendering.pipeline import ENGINES, Limits, Site
from lode.signing.claim import Kind
from lode.workflow import pipeline
from lode.workflow.pipeline import Written


@click.group()
def command() -> None:
    """Let a CI service or a batch farm build, test and publish a stack.

    What one job builds, the next finds in the store that LODE_STORE names. A job whose time is over stops cleanly; run
    again, it goes on.
    """


@command.command()
@click.argument("stack")
@click.option("--to", required=True, type=click.Choice(list(ENGINES)), help="What runs the jobs.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where the files go; for github and gitlab, the repository's own folder.")  # fmt: skip
@click.option("--target", "targets", multiple=True, metavar="TARGET", help="Only for this target. Repeatable.")
@click.option("--max-minutes", type=click.FloatRange(3), default=300, show_default=True, metavar="N",
              help="How long one job may take.")  # fmt: skip
@click.option("--max-gb", type=click.FloatRange(3), default=12, show_default=True, metavar="N",
              help="How much disk one job may use.")  # fmt: skip
@click.option("--cores", type=click.IntRange(1, 1024), default=4, show_default=True, metavar="N",
              help="How many cores a job has.")  # fmt: skip
@click.option("--times", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE",
              help="How long nodes took (times.jsonl of a cache); default: ci/times.jsonl if it is there.")  # fmt: skip
@click.option("--store-policy", "policy_file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="The trust policy of the repository by which jobs read the store; default: trust.yaml, if it has a "
              "rule for it.")  # fmt: skip
@click.option("--lode", "lode", default="lode", show_default=True, metavar="WORDS", help="How a job calls Lode.")
@click.option("--prepare", multiple=True, metavar="LINE",
              help="A line of sh before that, to install it; {targets} in it are the job's. Repeatable.")  # fmt: skip
@click.option("--image", "images", multiple=True, metavar="TARGET=IMAGE",
              help="The image that a target's jobs run in, by digest. Repeatable.")  # fmt: skip
@click.option("--runner", default="ubuntu-24.04", show_default=True, metavar="LABEL", help="Which machines (github).")
@click.option("--branch", default="main", show_default=True, metavar="NAME", help="The branch that publishes (github).")
@click.option("--check", "checking", is_flag=True,
              help="Write nothing; exit with status 9 when the files are not what would be written.")  # fmt: skip
@common
def render(
    session: Session,
    stack: str,
    to: str,
    output: Path,
    targets: tuple[str, ...],
    max_minutes: float,
    max_gb: float,
    cores: int,
    times: Path | None,
    policy_file: Path | None,
    lode: str,
    prepare: tuple[str, ...],
    images: tuple[str, ...],
    runner: str,
    branch: str,
    checking: bool,
) -> None:
    """Write the pipeline of STACK: its nodes in jobs that fit the limits, then tests and publishing behind them.

    \b
    Examples:
      lode ci render dance --to github -o . --max-minutes 300
      lode ci render dance --to gitlab -o . --image el9-x86_64=quay.io/…@sha256:…
      lode ci render dance --to slurm -o farm && sh farm/submit.sh --partition long
    """  # noqa: D301 - \b is click's
    default = session.here / pipeline.TIMES
    drawn = pipeline.draw(
        Catalogue.open(session.collections, here=session.here),
        stack,
        limits=Limits(minutes=max_minutes, disk_mb=int(1000 * max_gb), cores=cores),
        times=times or (default if default.is_file() else None),
        targets=targets,
        policy=governing(session.here, policy_file, stack),
    )
    site = Site(
        lode=tuple(lode.split()) or ("lode",),
        prepare=prepare,
        images=dict(_image(one) for one in images),
        runner=runner,
        branch=branch,
        keyless=in_pipeline(session).names_identities,
    )
    made = pipeline.write(drawn, to=to, site=site, folder=output, check=checking)
    session.emit(document(made), "\n".join(_lines(made, checked=checking)))


@command.command()
@click.option("--old", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
              help="The release before the change; without it, all is new.")  # fmt: skip
@click.option("--new", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="FOLDER",
              help="The release with the change.")  # fmt: skip
@common
def report(session: Session, old: Path | None, new: Path) -> None:
    """Say in Markdown what a change did to a release: nodes, failures, numbers of physics, sizes, build times.

    \b
    Examples:
      lode ci report --old main/release --new release >>"$GITHUB_STEP_SUMMARY"
    """  # noqa: D301 - \b is click's
    from lode.workflow.status import moves

    text = moves(old, new)
    session.emit({"markdown": text}, text.rstrip("\n"))


@command.command()
@click.argument("releases", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
                metavar="FOLDER…")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
              help="Where the page goes, as index.html.")  # fmt: skip
@click.option("--title", default="Status", show_default=True, metavar="TEXT", help="The page's heading.")
@common
def status(session: Session, releases: tuple[Path, ...], output: Path, title: str) -> None:
    """Write a page about all releases in FOLDER…: stacks by target and date, tests, sizes, reproducibility, graphs.

    The page needs no server and no script. Releases that lie below the output folder are linked to.

    \b
    Examples:
      lode ci status -o public public/releases
    """  # noqa: D301 - \b is click's
    from lode.workflow.status import site

    page, found = site(releases, output, title=title)
    count = f"{len(found)} release{'' if len(found) == 1 else 's'}"
    session.emit({"page": str(page), "releases": [str(folder) for folder in found]}, f"{page}: {count}")


def governing(repository: Path, asked: Path | None, stack: str) -> Path | None:
    """Return the path below `repository` of the policy for the stack's store, None when there is none."""
    name = asked or Path(TRUST_FILE)
    if name.is_absolute() or ".." in name.parts:
        raise UsageError(f"{name} is not in the repository", hint="each job reads the policy in its own checkout")
    if asked is None and not (repository / name).is_file():
        return None
    if policy(repository / name).rule(Kind.STORE, stack.partition("@")[0]) is not None:
        return name
    if asked is not None:
        raise UsageError(
            f"{name} has no rule for the store of {stack}",
            hint="a rule of the kind `store` says who may sign its index",
        )
    return None


def _image(text: str) -> tuple[str, str]:
    target, equals, image = text.partition("=")
    if not equals or "@sha256:" not in image:
        raise UsageError(
            f"{text!r} is no image of a target", hint="TARGET=IMAGE@sha256:…: an image that is not pinned changes"
        )
    return target, image


def document(made: Written) -> dict[str, Any]:
    """Return the pipeline as --json prints it."""
    return {
        "engine": made.engine,
        "stack": made.pipeline.stack,
        "release": made.pipeline.release,
        "lock": made.pipeline.lock_digest,
        "folder": str(made.folder),
        "files": [str(path) for path in made.files],
        "guessed": list(made.pipeline.guessed),
        "jobs": [
            {
                "name": job.name,
                "stage": str(job.stage),
                "target": job.target,
                "needs": list(job.needs),
                "packages": list(job.packages),
                "minutes": round(job.minutes, 1),
                "memory_mb": job.memory_mb,
                "disk_mb": job.disk_mb,
                "trusted": job.trusted,
            }
            for job in made.pipeline.jobs
        ],
    }


def _lines(made: Written, *, checked: bool) -> Iterator[str]:
    drawn = made.pipeline
    what = f"{drawn.stack}@{drawn.release} for {made.engine}"
    yield f"{made.folder}: {what} is current" if checked else f"{made.folder}: {what}, {len(drawn.jobs)} jobs"
    if checked:
        return
    yield from (f"  {path}" for path in made.files)
    width = max(len(job.name) for job in drawn.jobs)
    for job in drawn.jobs:
        nodes = f", {len(job.packages)} node{'' if len(job.packages) == 1 else 's'}" if job.packages else ""
        yield f"  {job.name:{width}}  {job.minutes:4.0f} min{nodes}"
    if drawn.guessed:
        yield f"times of {len(drawn.guessed)} packages are guessed from their size: none is known for them"
