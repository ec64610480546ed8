"""Reading containers/targets/<os>-<arch>.yaml."""

from __future__ import annotations

from lode import yamldoc
from lode.definitions.shape import read_table
from lode.definitions.stack_forms import TARGET
from lode.definitions.table import Table
from lode.definitions.target import Base, Compiler, External, Target


def read(content: bytes, *, file: str, name: str | None = None) -> Target:
    """Return the target in `content`; DefinitionError with every fault. `name` is the file's, without `.yaml`."""
    document = yamldoc.compose(content, file)
    table = read_table(document, document.root, TARGET, "target")
    own = table.text("name")
    if name is not None and own not in ("", name):
        table.fault("name", f"name: {own!r} is in the file {name}.yaml", hint=f"rename the file or write: name: {name}")
    if own and "arch" in table and not own.endswith(f"-{table.text('arch')}"):
        table.fault("name", f"name: {own!r} does not end with -{table.text('arch')}", hint="the form is <os>-<arch>")
    target = Target(
        name=own,
        os=table.text("os"),
        os_version=table.text("os_version"),
        arch=table.text("arch"),
        base=_base(table.table("base")),
        compiler=_compiler(table.table("compiler")),
        glibc=table.text("glibc"),
        libstdcxx=table.text("libstdcxx"),
        microarchitecture=table.text("microarchitecture"),
        system_packages=tuple(sorted(table.texts("system_packages"))),
        runtime_packages=tuple(sorted(table.texts("runtime_packages"))),
        externals=_externals(table),
        system_libraries=tuple(sorted(table.texts("system_libraries"))),
        end_of_life=table.optional("end_of_life"),
        place=table.place(),
    )
    document.finish()
    return target


def _base(table: Table) -> Base:
    bootstrapped = "suite" in table and "snapshot" in table
    if bootstrapped and "mirror" not in table:
        hint = "mirror: the URL below which there are folders by time stamp"
        table.fault("snapshot", "base: a snapshot of a suite needs the mirror that has it", hint=hint)
    if "mirror" in table and not bootstrapped:
        table.fault("mirror", "mirror: is of use beside a suite and a snapshot only", hint="remove it")
    return Base(
        image=table.optional("image"),
        suite=table.optional("suite"),
        snapshot=table.optional("snapshot"),
        mirror=table.optional("mirror"),
    )


def _compiler(table: Table) -> Compiler:
    languages = table.texts("languages")
    if "fortran" in languages and "fortran" not in table:
        table.fault("languages", "compiler: fortran is a language but has no path", hint="fortran: /usr/bin/gfortran")
    return Compiler(
        name=table.text("name"),
        version=table.text("version"),
        languages=tuple(sorted(languages)),
        c=table.text("c"),
        cxx=table.text("cxx"),
        fortran=table.optional("fortran"),
    )


def _externals(target: Table) -> tuple[External, ...]:
    found: dict[str, External] = {}
    for table in target.tables("externals"):
        package = table.text("package")
        if package and package in found:
            table.fault("package", f"the external {package!r} is listed twice")
        found[package] = External(
            package=package,
            version=table.text("version"),
            system_package=table.text("system_package"),
            program=table.text("program"),
        )
    return tuple([found[package] for package in sorted(found)])
