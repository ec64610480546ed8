"""Writes docs/reference/commands.md and exits.md from the commands and errors themselves; `--check` only compares."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from lode import errors
from lode.cli import main as cli

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by tools/make_reference.py: change the command or the error, then run that. -->"


def pages() -> Mapping[str, str]:
    """Return the generated pages by file name."""
    return {"commands.md": commands(), "exits.md": exits()}


def commands() -> str:
    """Return the page of all commands, by section in the order of `lode --help`."""
    parts = [
        NOTE,
        "# Commands",
        "Every command takes `--json` (one JSON document on standard output), `--quiet`, `--verbose`, `--collection` "
        "and `--help`. STACK is the name of a stack: `dance-mini` for its newest release, `dance-mini@2026.11` for "
        "that one.",
    ]
    section = ""
    for name, (module, _, of) in sorted(cli.COMMANDS.items(), key=lambda row: _order(row[1][2])):
        if of != section:
            section = of
            parts.append(f"## {section}")
        parts += _command(name, importlib.import_module(f"lode.cli.{module}").command)
    return "\n\n".join(parts) + "\n"


def exits() -> str:
    """Return the page of exit statuses, from the error classes."""
    rows = [(0, "", "Success.")]
    rows += [(kind.status, f"`{kind.__name__}`", _first_line(kind)) for kind in _subclasses(errors.LodeError)]
    rows += [
        (cli.INTERNAL, "", "A bug of Lode; the message names the file with the traceback."),
        (cli.INTERRUPTED, "", "Interrupted from the keyboard (SIGINT)."),
        (cli.BROKEN_PIPE, "", "Whoever read standard output went away (SIGPIPE)."),
        (cli.TERMINATED, "", "Ended by SIGTERM; programs started by Lode were ended too."),
    ]
    table = "\n".join(f"| {status} | {kind} | {text} |" for status, kind, text in sorted(rows))
    return (
        "\n\n".join(
            [
                NOTE,
                "# Exit statuses",
                "The status tells the cause. With `--json` an error is a document on standard output: `error` (the "
                "name below), `status`, and `faults`, each with `message`, `hint`, `warning` and, where it has a "
                "place, `file`, `line` and `column`.",
                f"| status | error | cause |\n|---|---|---|\n{table}",
                "`lode shell` exits with the status of the command it ran.",
            ]
        )
        + "\n"
    )


def _order(section: str) -> int:
    return list(dict.fromkeys(row[2] for row in cli.COMMANDS.values())).index(section)


def _command(name: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=f"lode {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [f"{'#' * (3 + name.count(' '))} lode {name}", f"```\nlode {name} {usage}\n```"]
    if command.help:
        parts += [_paragraph(text) for text in inspect.cleandoc(command.help).split("\n\n")]
    common = {"--collection", "--json", "--quiet", "--verbose", "--help"}
    rows = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1] and not common & {*parameter.opts}:
            words, meaning = (" ".join(text.split()).replace("|", "\\|") for text in record)
            rows.append(f"| `{words}` | {meaning} |")
    if rows:
        parts.append("| option | |\n|---|---|\n" + "\n".join(rows))
    for sub, below in command.commands.items() if isinstance(command, click.Group) else ():
        parts += _command(f"{name} {sub}", below)
    return parts


def _paragraph(text: str) -> str:
    """Return a paragraph of a command's help; one that begins with click's mark for "as it is" as a block of code."""
    if text.startswith("\b"):
        title, *lines = text.removeprefix("\b\n").split("\n")
        return f"{title}\n\n```\n{inspect.cleandoc(chr(10).join(lines))}\n```"
    return " ".join(text.split())


def _subclasses(kind: type[errors.LodeError]) -> list[type[errors.LodeError]]:
    direct = [sub for sub in kind.__subclasses__() if sub.__module__ == errors.__name__]
    return [each for sub in direct for each in (sub, *_subclasses(sub))]


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with `--check` print how they differ; return 1 when they do."""
    different = False
    for name, text in pages().items():
        file = FOLDER / name
        old = file.read_text() if file.exists() else ""
        if old == text:
            continue
        different = True
        if "--check" in arguments:
            lines = difflib.unified_diff(
                old.splitlines(), text.splitlines(), f"{name} as it is", "as it must be", lineterm=""
            )
            print("\n".join(lines))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            print(f"wrote {file}")
    return 1 if different and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
