"""The `lode` command: its subcommands by name, loaded only when called, and the one place where errors become exits."""

from __future__ import annotations

import importlib
import sys

import click

from lode import __version__
from lode.errors import LodeError

# name -> (module below lode.cli with a function `command`, one line of help, section)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("init", "Start an experiment's repository: stack, recipe, CI, trust policy.", "Define"),
    "check": ("check", "Name every fault of recipes, stacks and targets, with its place and a hint.", "Define"),
    "list": ("list_", "List recipes, stacks, versions or targets.", "Define"),
    "show": ("show", "Show one recipe, stack or target.", "Define"),
    "search": ("search", "Find recipes by words of their name, summary and tags.", "Define"),
    "lock": ("lock", "Choose versions for a stack and write its lock.", "Lock"),
    "why": ("why", "Say why a package is in a stack.", "Lock"),
    "diff": ("diff", "Explain what differs between two locks.", "Lock"),
    "fetch": ("fetch", "Fetch a stack's sources by hash into the mirror.", "Build"),
    "build": ("build", "Build a stack's nodes from source.", "Build"),
    "test": ("test", "Run the tests of a stack, or of any prefix.", "Build"),
    "shell": ("shell", "Open a shell, or run a command, inside a stack.", "Use"),
    "release": ("release", "Lock check, fetch, build, install, test and report, in one.", "Release"),
    "report": ("report", "Write the report page of a release again.", "Release"),
    "doctor": ("doctor", "Say whether this machine can build and run a stack.", "Use"),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand's module when it is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand, or None when the table does not have it."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lode.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands by section from the table, without importing any."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, (_, summary, section) in COMMANDS.items():
            sections.setdefault(section, []).append((name, summary))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lode")
def lode() -> None:
    """Build, test, publish and verify the software of an experiment from one stack definition."""


def main() -> None:
    """Run the command line; exit with the status of the error's cause."""
    try:
        lode.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except LodeError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.status)


if __name__ == "__main__":
    main()
