"""One recipe as a package.py of Spack (package API 2.2): all its versions, options and dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lode.definitions.recipe import Argument, Kind, Recipe, System
from lode.definitions.requirement import Condition
from lode.locking.graph import Node
from lode.locking.words import define
from lode.rendering import names
from lode.rendering.quoting import python
from lode.rendering.spack import sources
from lode.rendering.spack.directive import call, docstring
from lode.rendering.spack.directive import lines as text_lines
from lode.rendering.spack.testing import tests
from lode.rendering.spack.words import Words, is_switch, languages

_BASES = {
    System.CMAKE: ("cmake", "CMakePackage, generator"),
    System.AUTOTOOLS: ("autotools", "AutotoolsPackage"),
    System.MESON: ("meson", "MesonPackage"),
    System.BUNDLE: ("bundle", "BundlePackage"),
}
_GENERIC = ("generic", "Package")
_FOR_PYTHON = (System.PYTHON, System.WHEEL)
_ARGUMENTS = {System.CMAKE: "cmake_args", System.AUTOTOOLS: "configure_args", System.MESON: "meson_args"}
_ROOTS = {System.CMAKE: "root_cmakelists_dir", System.AUTOTOOLS: "configure_directory",
          System.MESON: "root_mesonlists_dir"}  # fmt: skip
_FIRST_PHASE = {System.CMAKE: "cmake", System.AUTOTOOLS: "configure", System.MESON: "meson"}
_TYPES = {Kind.BUILD: ("build",), Kind.LINK: ("build", "link"), Kind.RUN: ("run",), Kind.TEST: ("test",)}
_PROGRAMS = frozenset(("cmake", "gmake", "meson", "ninja"))
_ORDER = ("build", "link", "run", "test")


def package(recipe: Recipe, node: Node | None, words: Words) -> str:
    """Return the text of the recipe's package.py, without header; `node` is what the lock has of it."""
    by_hand = words.is_by_hand(recipe.name, recipe.build.system)
    if by_hand and recipe.build.system is not System.CMAKE:
        what = f"Spack builds nothing called {words.name(recipe.name)} with {recipe.build.system}, which needs that"
        words.refuse(recipe, what, "use `system: script`")
    module, imported = _GENERIC if by_hand else _BASES.get(recipe.build.system, _GENERIC)
    base = imported.partition(",")[0]
    support = f"spack_repo.{words.namespace}.build_systems"
    body = [
        f"    {docstring(recipe.summary)}",
        f"    homepage = {python(recipe.homepage)}",
        *_some("tags", list(recipe.tags)),
        f"    license({python(recipe.license)})",
        _block(_maintainers(recipe)),
        _block(sources.versions(recipe, node, words)),
        _block(_options(recipe, words)),
        _block(_dependencies(recipe, words)),
        _block(_conflicts(recipe, words)),
        _block(sources.patches(recipe, words)),
        _block(_attributes(recipe)),
        *_environment(recipe, words),
        *_steps(recipe, words),
        _programs(recipe, words),
        *tests(recipe, words),
    ]
    text = "\n\n".join(part for part in body if part)
    return (
        f"from spack_repo.builtin.build_systems.{module} import {imported}\n"
        f"from {support} import lode\n\nfrom spack.package import *\n\n\n"
        f"class {names.class_name(words.name(recipe.name))}({base}):\n{text}\n"
    )


def _some(name: str, value: list[str]) -> list[str]:
    return [f"    {name} = {python(value)}"] if value else []


def _block(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)


def _maintainers(recipe: Recipe) -> Iterator[str]:
    if recipe.maintainers:
        yield call("maintainers", *recipe.maintainers)


def _options(recipe: Recipe, words: Words) -> Iterator[str]:
    for option in recipe.options:
        name = words.variant(option.name)
        if name != option.name:
            words.weaken(recipe.name, f"the option {option.name} is the variant {name}: Spack has one of that name")
        for when in words.conditions(recipe, option.when):
            if is_switch(option):
                yield call("variant", name, default=option.default == "true", description=option.summary,
                           when=when or None)  # fmt: skip
            else:
                yield call("variant", name, default=option.default, values=option.values, multi=False,
                           description=option.summary, when=when or None)  # fmt: skip
    if recipe.build.system is System.CMAKE and not words.is_by_hand(recipe.name, recipe.build.system):
        tools = {dependency.requirement.package for dependency in recipe.dependencies}
        yield call("generator", "ninja" if "ninja" in tools and "make" not in tools else "make")


def _dependencies(recipe: Recipe, words: Words) -> Iterator[str]:
    for language in languages(recipe.languages):
        yield call("depends_on", language, type="build")
    for dependency in recipe.dependencies:
        spec = words.requirement(recipe.name, dependency.requirement)
        if spec is None:
            words.weaken(recipe.name, f"{dependency.requirement} is left out: no recipe has such a version")
            continue
        types = {one for kind in dependency.kinds for one in _TYPES[kind]}
        if recipe.build.system in _FOR_PYTHON and dependency.requirement.package == "python":
            types |= {"build", "run"}
        for when in words.conditions(recipe, dependency.when):
            ordered = tuple(sorted(types, key=_ORDER.index))
            yield call("depends_on", spec, type=ordered if len(ordered) > 1 else ordered[0], when=when or None)


def _conflicts(recipe: Recipe, words: Words) -> Iterator[str]:
    for conflict in recipe.conflicts:
        spec = words.requirement(recipe.name, conflict.requirement)
        for when in words.conditions(recipe, conflict.when) if spec else ():
            yield call("conflicts", f"^{spec}", msg=conflict.reason, when=when or None)


def _attributes(recipe: Recipe) -> Iterator[str]:
    build = recipe.build
    yield f"lode_root = {python(sources.roots(recipe))}"
    if build.jobs:
        yield "parallel = False"
    if build.targets and build.system in (System.CMAKE, System.AUTOTOOLS, System.MESON):
        yield f"build_targets = {python(list(build.targets))}"
    if build.install_targets != ("install",) and build.system in (System.CMAKE, System.AUTOTOOLS, System.MESON):
        yield f"install_targets = {python(list(build.install_targets))}"
    if any(test.compile for test in recipe.tests):
        yield "test_requires_compiler = True"
    if recipe.build.system in _FOR_PYTHON:
        yield 'sanity_check_is_dir = ["lib"]'
    if recipe.build.system is System.AUTOTOOLS and not build.in_source:
        yield 'build_directory = "lode-build"'


def _environment(recipe: Recipe, words: Words) -> Iterator[str]:
    """Yield the methods that set the environment of the build, of users and of dependents."""
    build = recipe.build
    if build.environment:
        lines = []
        if any("PREFIX" in value for _, value in build.environment):
            words.weaken(recipe.name, "$PREFIX is a folder of links to the dependencies in the build's environment")
            lines.append("host = lode.dependencies(self)")
        more = ", PREFIX=host" if lines else ""
        lines += [
            f"env.set({python(name)}, lode.expand(self, {python(value)}{more}))" for name, value in build.environment
        ]
        yield _method("setup_build_environment(self, env)", lines)
    used = recipe.environment
    lines = [f"env.prepend_path({python(name)}, join_path(self.prefix, {python(value)}))"
             for name, value in used.prepend]  # fmt: skip
    lines += [f"env.set({python(name)}, join_path(self.prefix, {python(value)}))" for name, value in used.set]
    lines += [f"env.set({python(name)}, {python(value)})" for name, value in used.value]
    modules = ['env.prepend_path("PYTHONPATH", lode.site_packages(self))'] if build.system in _FOR_PYTHON else []
    if lines or modules:
        yield _method("setup_run_environment(self, env)", [*modules, *lines])
        yield _method("setup_dependent_build_environment(self, env, dependent_spec)", [*modules, *lines])


def _steps(recipe: Recipe, words: Words) -> Iterator[str]:
    """Yield the methods that configure, build and install."""
    build = recipe.build
    folder = f", {python(build.subdirectory)}" if build.subdirectory else ""
    if build.prepare.strip():
        phase = (
            "install"
            if words.is_by_hand(recipe.name, recipe.build.system)
            else _FIRST_PHASE.get(build.system, "install")
        )
        yield f"    @run_before({python(phase)})\n" + _method(
            "lode_prepare(self)", [f"lode.shell(self, {text_lines(build.prepare, 8)}{folder})"]
        )
    by_hand = words.is_by_hand(recipe.name, recipe.build.system)
    if build.system in _ROOTS and not by_hand and (build.subdirectory or any(sources.roots(recipe).values())):
        yield f"    @property\n{_method(f'{_ROOTS[build.system]}(self)', [f'return lode.source(self{folder})'])}"
    if build.system is System.CMAKE and not by_hand and build.in_source:
        yield f"    @property\n{_method('build_directory(self)', [f'return lode.source(self{folder})'])}"
    yield _install(recipe, words, folder)
    if build.finish.strip():
        yield '    @run_after("install")\n' + _method(
            "lode_finish(self)", [f"lode.shell(self, {text_lines(build.finish, 8)}{folder})"]
        )


def _programs(recipe: Recipe, words: Words) -> str:
    """Return the method that gives dependents the programs that Spack's build systems call by name, if it is one."""
    if words.name(recipe.name) not in _PROGRAMS:
        return ""
    return _method("setup_dependent_package(self, module, dependent_spec)", ["lode.programs(self, module)"])


def _install(recipe: Recipe, words: Words, folder: str) -> str:
    build = recipe.build
    arguments = _arguments(recipe, words)
    if words.is_by_hand(recipe.name, recipe.build.system):
        steps = ["args = [*lode.CMAKE]", *arguments, f"lode.cmake(self, args{folder})"]
        return _method("install(self, spec, prefix)", steps)
    if build.system in _ARGUMENTS:
        start = {System.CMAKE: "args = [*lode.CMAKE]", System.MESON: "args = []",
                 System.AUTOTOOLS: 'args = [f"--libdir={self.prefix.lib}"]'}[build.system]  # fmt: skip
        return _method(f"{_ARGUMENTS[build.system]}(self)", [start, *arguments, "return args"])
    lines: list[str] = []
    match build.system:
        case System.PYTHON:
            lines = ["args = []", *arguments, f"lode.pip_build(self, args{folder})"]
        case System.WHEEL:
            lines = ["wheels = find(self.stage.source_path, \"*.whl\", recursive=False)", "args = []", *arguments,
                     "lode.pip_install(self, [*wheels, *args])"]  # fmt: skip
        case System.MAKE:
            lines = ["args = []", *arguments, f"with working_dir(lode.source(self{folder})):",
                     f"    make(*args, *{python(list(build.targets))})",
                     f"    make(*args, *{python(list(build.install_targets))})"]  # fmt: skip
        case System.SCRIPT:
            lines = [f"lode.shell(self, {text_lines(build.script, 8)}{folder})"]
        case _:
            return ""
    return _method("install(self, spec, prefix)", lines)


def _arguments(recipe: Recipe, words: Words) -> list[str]:
    """Return the statements that add the words of the configure step to `args`."""
    lines: list[str] = []
    plain: list[str] = []
    for argument in recipe.build.args:
        for when, said in _choices(recipe, argument):
            conditions = words.conditions(recipe, when)
            texts = [_expanded(word) for word in said]
            if conditions == ("",):
                plain += texts
            elif conditions:
                lines += [*_added(plain), f"if {_any_of(conditions)}:", *(f"    {line}" for line in _added(texts))]
                plain = []
    return [*lines, *_added(plain)]


def _choices(recipe: Recipe, argument: Argument) -> Iterator[tuple[Condition, tuple[str, ...]]]:
    if argument.option is None or argument.define is None:
        yield argument.when, argument.words
        return
    option = next(one for one in recipe.options if one.name == argument.option)
    for value in option.values:
        settled = dict(argument.when.options) | {option.name: value}
        if dict(argument.when.options).get(option.name, value) == value:
            when = Condition(
                version=argument.when.version,
                options=tuple(sorted(settled.items())),
                targets=argument.when.targets,
                os=argument.when.os,
                arch=argument.when.arch,
                packages=argument.when.packages,
            )
            yield when, (define(recipe.build.system, argument.define, value),)


def _added(texts: list[str]) -> list[str]:
    if not texts:
        return []
    return ["args += [", *(f"    {text}," for text in texts), "]"]


def _any_of(conditions: Iterable[str]) -> str:
    return " or ".join(f"self.spec.satisfies({python(one)})" for one in conditions)


def _expanded(word: str) -> str:
    return f"lode.expand(self, {python(word)})" if "$" in word else python(word)


def _method(signature: str, lines: Iterable[str]) -> str:
    return "\n".join([f"    def {signature}:", *(f"        {line}" for line in lines)])
