"""The `lode` command: its subcommands by name, loaded only when called, and the one place where errors become exits."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys

import click

from lode import __version__
from lode.errors import Fault, HostError, LodeError, UsageError

# name -> (module below lode.cli with a function `command`, one line of help, section)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("init", "Start an experiment's repository: stack, recipe, tests, CI.", "Define"),
    "check": ("check", "Name every fault of recipes, stacks and targets, with its place and a hint.", "Define"),
    "list": ("list_", "List recipes, stacks, versions or targets.", "Define"),
    "show": ("show", "Show one recipe, stack or target.", "Define"),
    "search": ("search", "Find recipes by words of their name, summary and tags.", "Define"),
    "lock": ("lock", "Choose versions for a stack and write its lock.", "Lock"),
    "affected": ("affected", "Name the nodes, stacks and experiments that a change touches.", "Lock"),
    "impact": ("impact", "Say what a bump of a package rebuilds, and who forbids it.", "Lock"),
    "outdated": ("outdated", "Say what is behind upstream, and which vulnerabilities are known.", "Lock"),
    "why": ("why", "Say why a package is in a stack.", "Lock"),
    "diff": ("diff", "Explain what differs between two locks.", "Lock"),
    "fetch": ("fetch", "Fetch a stack's sources by hash into the mirror.", "Build"),
    "target": ("target", "Make the systems that stacks are built and tested in.", "Build"),
    "build": ("build", "Build a stack's nodes from source.", "Build"),
    "test": ("test", "Run the tests of a stack, or of any prefix.", "Build"),
    "shell": ("shell", "Open a shell, or run a command, inside a stack.", "Use"),
    "release": ("release", "Check, build, test, make images, publish, sign and report, in one.", "Release"),
    "matrix": ("matrix", "Show a stack's tests on all targets side by side.", "Release"),
    "report": ("report", "Write the report page of a release again.", "Release"),
    "publish": ("publish", "Publish a release where its stack says.", "Release"),
    "image": ("image", "Make OCI images of a release; push, pull, SIF, root file system.", "Release"),
    "cvmfs": ("cvmfs", "Publish to a signed CVMFS repository, and keep it.", "Release"),
    "ci": ("ci", "Write pipelines for CI services and batch farms.", "Release"),
    "keys": ("keys", "Make, show, import and export signing keys.", "Trust"),
    "sign": ("sign", "Sign a lock, prefix, release, image or bundle.", "Trust"),
    "verify": ("verify", "Say whether something is what was signed, by those who may.", "Trust"),
    "store": ("store", "Sign what a store of built packages has, and check it.", "Trust"),
    "sbom": ("sbom", "Write a stack's bill of materials.", "Trust"),
    "cite": ("cite", "Say whom to cite for a stack.", "Use"),
    "render": ("render", "Write a stack for another package manager.", "Leave"),
    "doctor": ("doctor", "Say whether this machine can build and run a stack.", "Use"),
}

INTERNAL = 70  # EX_SOFTWARE of sysexits.h: a bug of Lode
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
BROKEN_PIPE = 141  # 128 + SIGPIPE
TERMINATED = 143  # 128 + SIGTERM


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the subcommand that `args` name; UsageError with the nearest name when there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean `lode {near[0]}`?" if near else "`lode --help` lists all commands"
            raise UsageError(f"there is no command {args[0]!r}", hint=hint)
        return super().resolve_command(ctx, args)

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
    signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Return the exit status of the command that `arguments` spell; what went wrong is printed."""
    if "_LODE_COMPLETE" in os.environ:
        lode.main(arguments, prog_name="lode")  # the shell asks for completions: click's own affair, it exits
    try:
        try:
            return _status(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # `lode list | head`: whoever read has gone
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:  # standard output is a file on a full disk
        _drop_output()
        sys.stderr.write(f"standard output cannot be written: {error.strerror}\n")
        return HostError.status


def _open_streams() -> None:
    """Open what was closed by the caller (`>&-`) on nothing, lest a file gets its number and takes what is printed."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _drop_output() -> None:
    """Let what is still to be printed go nowhere, so that the end of Python does not try again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(arguments: list[str]) -> int:
    try:
        with lode.make_context("lode", list(arguments)) as context:
            lode.invoke(context)
        return 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message(), err=True)
        return UsageError.status
    except (KeyboardInterrupt, EOFError, click.Abort):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except click.ClickException as error:
        return _report(_usage(error), arguments)
    except LodeError as error:
        return _report(error, arguments)
    except BrokenPipeError:
        raise
    except Exception as error:  # the last stop: a user sees a sentence, the traceback goes to a file
        known = _host_error(error)
        if known is None:
            return _crash(error, arguments)
        if _debugging(arguments):
            _print_traceback(error)
        return _report(known, arguments)


def _terminate(*_: object) -> None:
    raise SystemExit(TERMINATED)  # unwinds the stack, so that programs started here are ended too


def _report(error: LodeError, arguments: list[str]) -> int:
    """Print the error, on standard output as JSON when --json was given, and return its exit status."""
    if _wants_json(arguments):
        import json

        document = {
            "error": type(error).__name__,
            "status": error.status,
            "faults": [_document(fault) for fault in error.faults],
        }
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    return error.status


def _document(fault: Fault) -> dict[str, object]:
    document: dict[str, object] = {"message": fault.message, "hint": fault.hint, "warning": fault.warning}
    if fault.place:
        document |= {"file": fault.place.file, "line": fault.place.line, "column": fault.place.column}
    return document


def _wants_json(arguments: list[str]) -> bool:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in own


def _debugging(arguments: list[str]) -> bool:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return bool(os.environ.get("LODE_DEBUG")) or "-vv" in own or own.count("-v") + own.count("--verbose") > 1


def _usage(error: click.ClickException) -> UsageError:
    """Return what click found wrong with the command line, in our form."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    hint = f"`{context.command_path} --help` says what it takes" if context else None
    return UsageError(f"{message[:1].lower()}{message[1:]}", hint=hint)


def _host_error(error: Exception) -> HostError | None:
    """Return what the operating system refused as a sentence for the user; None when it is no such thing."""
    if isinstance(error, MemoryError):
        return HostError("this machine has not enough memory for that", hint="fewer jobs need less: -j 1")
    if isinstance(error, UnicodeEncodeError) and any("\udc80" <= sign <= "\udcff" for sign in error.object):
        name = os.fsencode(error.object).decode(errors="backslashreplace")
        return HostError(f"this name is not UTF-8 text: {name}", hint="work in a folder whose path is")
    if not isinstance(error, OSError):
        return None
    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            hint = "free some space, or put the cache elsewhere with LODE_CACHE; the next call goes on from here"
            return HostError(f"the disk or the quota is full{where}", hint=hint)
        case errno.EROFS:
            return HostError(f"the file system is read-only{where}", hint="LODE_HOME names another folder to work in")
        case errno.EACCES | errno.EPERM:
            hint = "give yourself the right to it; if Lode keeps its own files there, LODE_HOME names another folder"
            return HostError(f"permission denied{where}", hint=hint)
        case errno.ENOTDIR:
            return HostError(
                f"a part of this path is no folder{where}", hint="name another path, or move the file away"
            )
        case errno.EISDIR:
            return HostError(
                f"a folder is where a file belongs{where}", hint="name another path, or move the folder away"
            )
        case errno.ENAMETOOLONG:
            return HostError(
                f"the name is too long for the file system{where}", hint="work in a folder nearer to the root"
            )
        case errno.EMFILE | errno.ENFILE:
            return HostError("too many files are open at once", hint="raise the limit (ulimit -n) or use fewer jobs")
        case errno.EIO:
            return HostError(f"the disk reports an input/output error{where}")
        case _:
            return None


def _crash(error: Exception, arguments: list[str]) -> int:
    """Write the traceback to a file, say where, and return the status of a bug."""
    from lode.cli import crash

    if _debugging(arguments):
        _print_traceback(error)
    sentence = f"{type(error).__name__}: {error}".split("\n", 1)[0]
    try:
        place = f"the traceback is in {crash.write(error, arguments)}"
    except OSError as problem:
        place = f"the traceback could not be written ({problem}); LODE_DEBUG=1 shows it"
    internal = _Internal(f"this is a bug in Lode: {sentence}", hint=f"{place}; please report it")
    return _report(internal, arguments)


class _Internal(LodeError):
    """Something that no user can cause."""

    status = INTERNAL


def _print_traceback(error: Exception) -> None:
    import traceback

    traceback.print_exception(error, file=sys.stderr)


if __name__ == "__main__":
    main()
