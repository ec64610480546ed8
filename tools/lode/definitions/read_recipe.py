"""Reading recipe.yaml: keys by their form, then everything that must hold within one recipe."""

from __future__ import annotations

from lode import yamldoc
from lode.definitions import language, read_build, read_tests, spdx
from lode.definitions.recipe import (
    Conflict,
    Dependency,
    Environment,
    Kind,
    Option,
    Origin,
    Patch,
    Recipe,
    RecipeVersion,
    Source,
    System,
    Upstream,
)
from lode.definitions.recipe_forms import RECIPE
from lode.definitions.requirement import ALWAYS, Condition, Requirement
from lode.definitions.shape import read_table
from lode.definitions.table import Table
from lode.definitions.version import Version
from lode.digest import Digest
from lode.yamldoc import Node

LANGUAGES = ("c", "cxx", "fortran")
_SCHEMES = ("url", "pypi", "debian", "git", "path")
_KINDS = tuple(Kind)
_NOTHING = Requirement(package="")
_NO_VERSION = Version("0")


def read(content: bytes, *, file: str, folder: str = "", name: str | None = None) -> Recipe:
    """Return the recipe in `content`; DefinitionError with every fault.

    `file` is the name that messages use, `folder` where the recipe's other files are, `name` its folder's own name,
    which the recipe must have too.
    """
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, RECIPE, "recipe")
    if name is not None and table.text("name") not in ("", name):
        hint = f"rename the folder or write: name: {name}"
        table.fault("name", f"name: {table.text('name')!r} is in the folder {name!r}", hint=hint)
    options = _options(table)
    languages, dependencies = _dependencies(table.table("dependencies"), table.text("name"))
    recipe = Recipe(
        name=table.text("name"),
        summary=table.text("summary"),
        homepage=table.text("homepage"),
        license=table.parse("license", spdx.expression, ""),
        versions=_versions(table),
        build=read_build.read(table.table("build")),
        redistributable=table.flag("redistributable"),
        cite=table.texts("cite"),
        tags=tuple(sorted(table.texts("tags"))),
        maintainers=table.texts("maintainers"),
        options=options,
        languages=languages,
        dependencies=dependencies,
        conflicts=_conflicts(table),
        environment=_environment(table.table("environment")),
        tests=read_tests.read(table.tables("tests")),
        system_libraries=tuple(sorted(table.texts("system_libraries"))),
        upstream=Upstream(
            spack=table.table("upstream").optional("spack"), conda=table.table("upstream").optional("conda")
        ),
        folder=folder,
        place=table.place(),
    )
    read_build.refuse_unknown_options(document.tables, options)
    document.finish()
    return recipe


def _versions(recipe: Table) -> tuple[RecipeVersion, ...]:
    system = recipe.table("build").text("system")
    found: dict[str, RecipeVersion] = {}
    for table in recipe.tables("versions"):
        version = table.parse("version", Version, _NO_VERSION)
        if version.text in found and "version" in table:
            first = found[version.text].place
            table.fault("version", f"the version {version} is listed twice", hint=f"the first one is at {first}")
        if not table.tables("source") and system != System.BUNDLE and "source" not in table:
            hint = "add `source:`, or say `system: bundle` when there is nothing to build"
            table.fault(None, f"the version {version} has no source", hint=hint)
        if table.tables("source") and system == System.BUNDLE:
            table.fault("source", "a bundle has no source", hint="leave the key out, or name another build system")
        found[version.text] = RecipeVersion(
            version=version,
            sources=tuple([_source(source) for source in table.tables("source")]),
            patches=tuple([_patch(patch) for patch in table.tables("patches")]),
            deprecated=table.optional("deprecated"),
            place=table.place(),
        )
    return tuple(sorted(found.values(), key=lambda one: (one.version.key, one.version.text), reverse=True))


def _source(table: Table) -> Source:
    own = _origin(table)
    sha256 = Digest(table.text("sha256")) if table.text("sha256") else None
    if own is not None and own.scheme not in ("path", "git") and "sha256" not in table:
        hint = "add `sha256:`, the hash of the very bytes that this place serves"
        table.fault(None, f"the source {own.location} has no sha256", hint=hint)
    mirrors = [_origin(mirror) for mirror in table.tables("mirrors")]
    return Source(
        origins=tuple([origin for origin in (own, *mirrors) if origin is not None]),
        sha256=sha256,
        size=table.integer("size"),
        swhid=table.optional("swhid"),
        directory=table.text("directory"),
        subdirectory=table.text("subdirectory"),
        unpack=table.flag("unpack"),
        when=table.parse("when", language.condition, ALWAYS),
        place=table.place(),
    )


def _origin(table: Table) -> Origin | None:
    for scheme in _SCHEMES:
        if scheme in table.nodes and table.text(scheme):
            return Origin(scheme=scheme, location=table.text(scheme))
    return None


def _patch(table: Table) -> Patch:
    if "until" in table:
        table.parse("until", language.constraint, None)
    return Patch(
        file=table.text("file"),
        reason=table.text("reason"),
        upstream=table.optional("upstream"),
        until=table.optional("until"),
        strip=table.get("strip"),
        when=table.parse("when", language.condition, ALWAYS),
        place=table.place(),
    )


def _options(recipe: Table) -> tuple[Option, ...]:
    found = []
    for node, name, table in recipe.named("options"):
        values = table.texts("values") or ("true", "false")
        default = table.text("default")
        if name in language.RESERVED:
            recipe.document.fault(node, f"an option cannot be called {name!r}", hint="conditions use that word")
        if default and default not in values:
            hint = f"one of: {', '.join(values)}" if "values" in table else "without `values:` it is true or false"
            table.fault(
                "default", f"the default {default!r} of the option {name!r} is not one of its values", hint=hint
            )
        when = table.parse("when", language.condition, ALWAYS)
        if when.options or when.packages:
            table.fault("when", f"the option {name!r} can depend on versions and targets only, not on {when}")
        found.append(
            Option(
                name=name,
                values=values,
                default=default,
                summary=table.text("summary"),
                when=when,
                place=recipe.document.place(node),
            )
        )
    return tuple(found)


def _dependencies(table: Table, own: str) -> tuple[tuple[str, ...], tuple[Dependency, ...]]:
    languages: set[str] = set()
    by_package: dict[str, list[Dependency]] = {}
    for kind in _KINDS:
        for node, item in table.items(kind):
            request, when = _request(table, node, item)
            if request.package in LANGUAGES:
                _refuse_language(table, node, request, when, kind)
                languages.add(request.package)
            elif request.package:
                if request.package == own:
                    table.document.fault(node, f"{own} depends on itself")
                if not _add(by_package.setdefault(request.package, []), kind, request, when):
                    table.document.fault(node, f"{request} is listed twice under {kind}")
    dependencies: list[Dependency] = []
    for _, same in sorted(by_package.items()):
        if len(same) > 1:
            same.sort(key=lambda one: (str(one.requirement), str(one.when)))
        dependencies += same
    return tuple(sorted(languages)), tuple(dependencies)


def _add(same: list[Dependency], kind: Kind, request: Requirement, when: Condition) -> bool:
    """Add a dependency to those on the same package, or its kind to an equal one; return False if that has it."""
    for index, other in enumerate(same):
        if other.requirement == request and other.when == when:
            kinds = tuple(sorted({*other.kinds, kind}))
            same[index] = Dependency(requirement=other.requirement, kinds=kinds, when=when)
            return kind not in other.kinds
    same.append(Dependency(requirement=request, kinds=(kind,), when=when))
    return True


def _request(table: Table, node: Node, item: str | Table) -> tuple[Requirement, Condition]:
    """Return the requirement and condition of a list's item, a text or a table with `package` and `when`."""
    if isinstance(item, Table):
        node, text = item.nodes.get("package", node), item.text("package")
        when = item.parse("when", language.condition, ALWAYS)
    else:
        text, when = item, ALWAYS
    if not text:
        return _NOTHING, when
    try:
        return language.requirement(text, table.document.place(node)), when
    except language.LanguageError as error:
        table.document.fault(node, f"requirement: {error}", hint=error.hint, offset=error.offset)
        return _NOTHING, when


def _refuse_language(table: Table, node: Node, request: Requirement, when: Condition, kind: Kind) -> None:
    name = request.package
    if kind is not Kind.BUILD:
        table.document.fault(node, f"the language {name} is listed under {kind}", hint="list it under build")
    if request.constraint.clauses or request.options or when != ALWAYS:
        hint = f"write {name} alone: the target decides which compiler"
        table.document.fault(node, f"the language {name} takes no constraint, option or condition", hint=hint)


def _conflicts(recipe: Table) -> tuple[Conflict, ...]:
    found = []
    for table in recipe.tables("conflicts"):
        request, when = _request(table, table.node, table)
        found.append(Conflict(requirement=request, reason=table.text("reason"), when=when))
    return tuple(found)


def _environment(table: Table) -> Environment:
    return Environment(prepend=table.pairs("prepend"), set=table.pairs("set"), value=table.pairs("value"))
