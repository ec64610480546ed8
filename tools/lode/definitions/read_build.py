"""Reading the build steps of a recipe, and checking that the options it mentions exist."""

from __future__ import annotations

from collections.abc import Sequence

from lode.definitions import language, variables
from lode.definitions.recipe import Argument, Build, Option, System
from lode.definitions.recipe_forms import OPTION_FORM
from lode.definitions.requirement import ALWAYS, Condition
from lode.definitions.table import Table
from lode.yamldoc import meant

# keys that mean nothing to a build system
_UNUSED = {
    System.SCRIPT: ("args", "targets", "install_targets", "in_source"),
    System.BUNDLE: ("args", "targets", "install_targets", "in_source", "prepare", "subdirectory", "environment"),
    System.WHEEL: ("args", "targets", "install_targets", "in_source", "subdirectory"),
    System.PYTHON: ("targets", "install_targets", "in_source"),
}


def read(table: Table) -> Build:
    """Return the build steps; keys that the build system does not know are noted as faults."""
    system = System(table.text("system") or System.SCRIPT)
    if "system" in table:
        if system is System.SCRIPT and "script" not in table:
            table.fault(None, "the build system 'script' needs a script", hint="add `script: |` and shell lines")
        if system is not System.SCRIPT and "script" in table:
            hint = "say `system: script`, or use prepare and finish"
            table.fault("script", f"the build system {str(system)!r} takes no script", hint=hint)
        for key in _UNUSED.get(system, ()):
            if key in table:
                table.fault(key, f"the build system {str(system)!r} does not use {key!r}")
    _refuse_unknown_variables(table)
    return Build(
        system=system,
        subdirectory=table.text("subdirectory"),
        args=tuple([_argument(item) for _, item in table.items("args")]),
        environment=table.pairs("environment"),
        prepare=table.text("prepare"),
        targets=table.texts("targets"),
        install_targets=table.texts("install_targets"),
        script=table.text("script"),
        finish=table.text("finish"),
        in_source=table.flag("in_source"),
        jobs=table.integer("jobs"),
        memory_mb=table.integer("memory_mb"),
    )


def _refuse_unknown_variables(table: Table) -> None:
    """Note a fault at each argument and value of the environment that names another variable than recipes may."""
    words = [
        word
        for node, item in table.items("args")
        for word in (item.items("args") if isinstance(item, Table) else ((node, item),))
    ]
    environment = table.nodes["environment"].value if table.named("environment") else ()
    for node, text in (*words, *((node, node.value) for _, node in environment)):
        if (found := variables.unknown(text)) is not None:
            name, offset = found
            hint = meant(name, variables.VARIABLES) or f"those that may be: {', '.join(variables.VARIABLES)}"
            table.document.fault(node, f"${name} is no variable that a recipe may name", hint=hint, offset=offset)


def _argument(item: str | Table) -> Argument:
    if not isinstance(item, Table):
        return Argument(words=(item,))
    if "option" in item and "define" not in item:
        item.fault(None, "argument: an option needs a define", hint="define: the name that the build system knows")
    if "define" in item and "option" not in item:
        item.fault("define", "argument: a define needs an option", hint="option: the option whose value it takes")
    return Argument(
        words=item.texts("args"),
        option=item.optional("option"),
        define=item.optional("define"),
        when=item.parse("when", language.condition, ALWAYS),
    )


def refuse_unknown_options(tables: Sequence[Table], options: tuple[Option, ...]) -> None:
    """Note a fault wherever a condition or argument in `tables` names an option or value that `options` has not."""
    known = {option.name: option for option in options}
    for table in tables:
        if "when" in table.nodes and table.form is not OPTION_FORM:
            _check_condition(table, known)
        if "option" in table.nodes and table.text("option"):
            _check_option(table, "option", table.text("option"), None, known)


def _check_condition(table: Table, known: dict[str, Option]) -> None:
    text = table.text("when")
    try:
        condition: Condition = language.optional_condition(text)
    except language.LanguageError:
        return
    for name, value in condition.options:
        _check_option(table, "when", name, value, known)


def _check_option(table: Table, key: str, name: str, value: str | None, known: dict[str, Option]) -> None:
    offset = max(table.text(key).find(name), 0)
    option = known.get(name)
    if option is None:
        hint = meant(name, known) or "declare it under options"
        table.fault(key, f"{key}: the recipe has no option {name!r}", hint=hint, offset=offset)
    elif value is not None and value not in option.values:
        hint = f"one of: {', '.join(option.values)}"
        table.fault(key, f"{key}: the option {name!r} has no value {value!r}", hint=hint, offset=offset)
