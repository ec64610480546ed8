"""One node on one target as a package of Guix, built by its own script in Guix's build environment."""

from __future__ import annotations

from pathlib import PurePosixPath

from lode.definitions.recipe import Kind, System
from lode.definitions.target import Target
from lode.locking.graph import LockedSource, Node
from lode.rendering import mirror, names
from lode.rendering.guix.expression import Expression, Symbol, call, quoted
from lode.rendering.guix.script import layout, script
from lode.rendering.weakening import Weakening

PYTHON = "python"  # the package that brings the interpreter
_FALSE = Symbol("#f")
_KEYS = (Symbol("#:key"), Symbol("inputs"), Symbol("outputs"), Symbol("#:allow-other-keys"))


def package(node: Node, target: Target, lost: set[Weakening]) -> Expression:
    """Return the expression that makes the package; what is lost is added to `lost`."""
    sources = [source for source in node.sources if target.name in source.targets]
    origins = [_origin(node, source, lost) for source in sources]
    build: list[tuple[str, Expression]] = []
    propagated: list[tuple[str, Expression]] = []
    for edge in node.edges:
        if target.name not in edge.targets or edge.kinds == (Kind.TEST,):
            continue
        using = Kind.LINK in edge.kinds or Kind.RUN in edge.kinds
        (propagated if using else build).append((edge.package, Symbol(f"lode-{edge.package}")))
    for tool in node.externals:
        if target.name in tool.targets:
            name = names.elsewhere(tool.package, names.GUIX)
            build.append((f"%tool-{tool.package}", call("specification->package", name)))
            lost.add(Weakening(package=node.package, what=f"{tool.package} of the OS is Guix's own {name}"))
    build += [(f"%source-{number}", origin) for number, origin in enumerate(origins) if number]
    for number, patch in enumerate(node.patches):
        if target.name in patch.targets:
            build.append((f"%patch-{number}", call("local-file", patch_name(node, number))))
    _say_lost(node, target.name, lost)
    fields: list[Expression] = [
        call("name", node.package),
        call("version", node.version),
        call("source", origins[0] if origins else _FALSE),
        call("build-system", Symbol("gnu-build-system")),
        call("arguments", quoted((Symbol("#:tests?"), _FALSE, Symbol("#:phases"), _phases(node, target, sources)))),
        *_inputs("native-inputs", build),
        *_inputs("propagated-inputs", propagated),
        *_search_paths(node),
        call("supported-systems", quoted((f"{target.arch}-linux",))),
        call("home-page", node.homepage),
        call("synopsis", node.summary),
        call("description", f"{node.summary}.  License: {node.license}."),
        call("license", _FALSE),
    ]
    return call("package", *fields)


def patch_name(node: Node, number: int) -> str:
    """Return where a patch lies, relative to the module."""
    return f"patches/{node.package}/{number}-{PurePosixPath(node.patches[number].file).name}"


def _origin(node: Node, source: LockedSource, lost: set[Weakening]) -> Expression:
    kept = f"{source.sha256}{mirror.extension(source)}"
    addresses = mirror.addresses(source)
    if not addresses:
        lost.add(Weakening(package=node.package, what=mirror.alone(source)))
    return call(
        "origin",
        call("method", Symbol("url-fetch")),
        call("uri", call("list", *(addresses or [f"file:///nowhere/lode/{kept}"]))),
        call("file-name", kept),
        call("sha256", call("base16-string->bytevector", str(source.sha256))),
    )


def _inputs(field: str, labelled: list[tuple[str, Expression]]) -> list[Expression]:
    if not labelled:
        return []
    return [call(field, quoted(tuple((label, quoted(value, ",")) for label, value in labelled), "`"))]


def _phases(node: Node, target: Target, sources: list[LockedSource]) -> Expression:
    """Return the phases: the tree is laid out, then one script does all that is the recipe's."""
    places: list[Expression] = []
    for number in range(len(sources)):
        label = f"%source-{number}" if number else "source"
        places.append(_setenv(f"LODE_SOURCE_{number}", "inputs", label))
    for number, patch in enumerate(node.patches):
        if target.name in patch.targets:
            places.append(_setenv(f"LODE_PATCH_{number}", "inputs", f"%patch-{number}"))
    unpack = call("lambda*", _KEYS, *places, _shell(layout(node, target)), call("chdir", "source"))
    jobs = call("number->string", node.build.jobs or call("parallel-job-count"))
    install = call(
        "lambda*",
        _KEYS,
        _setenv("PREFIX", "outputs", "out"),
        call("setenv", "SRC_DIR", call("getcwd")),
        call("setenv", "JOBS", jobs),
        _shell(script(node, target)),
    )
    removed = [call("delete", quoted(Symbol(phase))) for phase in ("bootstrap", "configure", "build")]
    return call(
        "modify-phases",
        Symbol("%standard-phases"),
        *removed,
        call("replace", quoted(Symbol("unpack")), unpack),
        call("replace", quoted(Symbol("install")), install),
    )


def _setenv(name: str, among: str, label: str) -> Expression:
    return call("setenv", name, call("assoc-ref", Symbol(among), label))


def _shell(text: str) -> Expression:
    return call("invoke", "sh", "-euc", text)


def _search_paths(node: Node) -> list[Expression]:
    paths: dict[str, list[str]] = {}
    for name, path in node.environment.prepend:
        paths.setdefault(name, []).append(path)
    if node.package == PYTHON:  # what is installed beside it, each in its own folder
        minor = ".".join(node.version.split(".")[:2])
        paths.setdefault("PYTHONPATH", []).append(f"lib/python{minor}/site-packages")
    if not paths:
        return []
    stated = [
        call("search-path-specification", call("variable", name), call("files", quoted(tuple(several))))
        for name, several in paths.items()
    ]
    return [call("native-search-paths", call("list", *stated))]


def _say_lost(node: Node, target: str, lost: set[Weakening]) -> None:
    said = [f"the license {node.license} is told in the description alone"]
    said += [f"{name} is not set for users" for name, _ in (*node.environment.set, *node.environment.value)]
    if any(target in test.targets for test in node.tests):
        said.append("its tests are left out")
    if node.build.memory_mb:
        said.append(f"that a compiler takes {node.build.memory_mb} MB is not said")
    texts = [node.build.prepare, node.build.script, node.build.finish, *(text for _, text in node.build.environment)]
    texts += [word for argument in node.build.args for word in argument.words]
    linked = any(Kind.LINK in edge.kinds and target in edge.targets for edge in node.edges)
    if linked and any("PREFIX" in text for text in texts) and node.build.system is not System.BUNDLE:
        said.append("$PREFIX is the package's own folder in its build, without what it depends on")
    lost |= {Weakening(package=node.package, what=what) for what in said}
