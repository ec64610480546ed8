"""The Containerfile of one target: a stage that builds every node, and the image that users run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lode.definitions.recipe import Environment
from lode.definitions.target import Target
from lode.errors import Fault
from lode.locking.graph import Lock, Node
from lode.rendering.environments import Installed
from lode.rendering.quoting import comment, containerfile, shell
from lode.rendering.weakening import Inexpressible

_STEPS = 50  # nodes that are steps of their own; an image has at most 127 layers
_APT = ("debian", "ubuntu")
_DNF = ("almalinux", "centos", "el", "fedora", "rhel", "rocky")
_PATHS = {"PATH": "bin", "CMAKE_PREFIX_PATH": "", "PKG_CONFIG_PATH": "lib/pkgconfig"}
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def containerfile_of(lock: Lock, target: Target, order: Sequence[Node], installed: Installed) -> str:
    """Return the text of the target's Containerfile, without header; `order` is the build order of its nodes."""
    prefix = lock.final_path(target.name)
    asked = [text.split()[0] for text in lock.requirements]
    users = installed.closure(name for name in asked if name in installed.nodes)
    final = [node for node in order if node.package in users]
    lines = [
        *_base(target),
        "FROM ${LODE_BASE} AS base",
        "",
        "FROM base AS builder",
        *_packages(target, target.system_packages),
        f"RUN {_checked(target)}",
        "COPY bin/ /lode/bin/",
        "COPY sources/ /lode/sources/",
        f"ENV LODE_PREFIX={prefix}",
        "ARG LODE_JOBS",
        *_steps(order),
        f"RUN mkdir -p /lode/final{prefix} && cd /lode/store && \\\n"
        f"    for one in {' '.join(node.package for node in final)}; do \\\n"
        f'      cp -a "$one/." /lode/final{prefix}/; \\\n'
        "    done",
        "",
        "FROM base AS runtime",
        *_packages(target, target.runtime_packages),
        "COPY --from=builder /lode/final/ /",
        *_environment(lock, target, final, prefix),
        *_labels(lock, target),
    ]
    return "".join(f"{line}\n" for line in lines)


def base(target: Target) -> str:
    """Return the reference of the image that a target begins with: by digest, or one that the user makes."""
    return target.base.image or f"localhost/lode-base:{target.name}"


def _base(target: Target) -> Iterator[str]:
    if target.base.image is None:
        moment = f" as its archive was at {target.base.snapshot}" if target.base.snapshot else ""
        made = f"mmdebstrap --variant=minbase {target.base.suite} base.tar && docker import base.tar {base(target)}"
        text = f"The root file system of {target.os} {target.os_version}{moment}; make it once:\n  {made}"
        yield comment(text).rstrip("\n")
    yield f"ARG LODE_BASE={base(target)}"


def _packages(target: Target, names: Sequence[str]) -> Iterator[str]:
    """Yield the step that installs those OS packages that are missing."""
    if not names:
        return
    if target.os in _APT:
        there = '[ "$(dpkg-query -W -f=\'${db:Status-Status}\' "${name%%=*}" 2>/dev/null)" = installed ]'
        adding = (
            "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing && "
            "rm -rf /var/lib/apt/lists/*"
        )
    elif target.os in _DNF:
        there = 'rpm -q --quiet "${name%%=*}"'
        adding = "dnf install -y --setopt=install_weak_deps=False $missing && dnf clean all"
    else:
        message = f"{target.name}: no way is known to install packages on {target.os}"
        raise Inexpressible.of([Fault(message=message, place=target.place)])
    yield (
        f"RUN missing=; for name in {' '.join(map(shell, names))}; do \\\n"
        f'      {there} || missing="$missing $name"; \\\n'
        "    done; \\\n"
        f'    if [ -n "$missing" ]; then {adding}; fi'
    )


def _checked(target: Target) -> str:
    """Return the command that refuses another compiler than the target's."""
    compiler = target.compiler
    said = f'[ "$({shell(compiler.c)} -dumpfullversion)" = {shell(compiler.version)} ]'
    return f"{said} || {{ echo {shell(f'{target.name} has {compiler.name} {compiler.version}')}; exit 1; }}"


def _steps(order: Sequence[Node]) -> Iterator[str]:
    """Yield what builds the nodes: a step for each, or steps of several when there are too many for that."""
    if len(order) <= _STEPS:
        for node in order:
            yield f"COPY nodes/{node.package}/ /lode/nodes/{node.package}/"
            yield f"RUN /lode/bin/build {node.package}"
        return
    yield "COPY nodes/ /lode/nodes/"
    size = -(-len(order) // _STEPS)
    for start in range(0, len(order), size):
        yield f"RUN /lode/bin/build {' '.join(node.package for node in order[start : start + size])}"


def _environment(lock: Lock, target: Target, final: Sequence[Node], prefix: str) -> Iterator[str]:
    lists = {name: [f"{prefix}/{below}".rstrip("/")] for name, below in _PATHS.items()}
    values = {
        "LODE_PREFIX": prefix, "LODE_STACK": lock.stack, "LODE_RELEASE": lock.release, "LODE_TARGET": target.name,
    }  # fmt: skip
    for node in final:
        environment: Environment = node.environment
        for name, path in environment.prepend:
            lists.setdefault(name, []).append(_below(path, prefix))
        values |= {name: _below(path, prefix) for name, path in environment.set}
        values |= dict(environment.value)
    lists["PATH"].append(_SYSTEM_PATH)
    texts = {name: ":".join(dict.fromkeys(paths)) for name, paths in lists.items()} | values
    for name, text in sorted(texts.items()):
        yield f"ENV {name}={_quoted(text, name)}"


def _labels(lock: Lock, target: Target) -> Iterator[str]:
    labels = {
        "org.opencontainers.image.title": lock.stack,
        "org.opencontainers.image.version": lock.release,
        "org.opencontainers.image.description": " ".join(lock.summary.split()),
        "lode.target": target.name,
        "lode.lock": f"sha256:{lock.digest}",
    }
    for name, text in labels.items():
        yield f"LABEL {name}={_quoted(text, name)}"


def _below(path: str, prefix: str) -> str:
    return path if path.startswith("/") else f"{prefix}/{path}".removesuffix("/.").rstrip("/")


def _quoted(text: str, name: str) -> str:
    try:
        return containerfile(text)
    except ValueError as error:
        raise Inexpressible(f"{name}: {error}") from error
