"""What a rendered module says, read as expressions of Scheme without running them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from lode import digest
from lode.errors import Place
from lode.rendering.agreement import Agreement, Item, Need, Unreadable
from lode.rendering.guix.expression import Expression, Symbol, read
from lode.tree import FileTree

MODULE = PurePosixPath("lode/packages.scm")  # below the folder of its target


def read_back(tree: FileTree) -> Agreement:
    """Return what the modules in `tree` define: packages, and those of them that they need."""
    items: set[Item] = set()
    needs: set[Need] = set()
    for path, content in sorted(tree.files.items()):
        if len(path.parts) != 3 or PurePosixPath(*path.parts[1:]) != MODULE:
            continue
        try:
            for expression in read(content.decode()):
                if isinstance(expression, tuple) and expression[0] == "define-public":
                    _package(tree, path, expression, items, needs)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            message = f"not a module as it is rendered: {error}"
            raise Unreadable(message, place=Place(file=str(path)), hint="render it again") from error
    if not items:
        raise Unreadable(f"there is no <target>/{MODULE} that defines anything", hint="render it again")
    return Agreement(items=frozenset(items), needs=frozenset(needs))


def _package(
    tree: FileTree, path: PurePosixPath, expression: tuple[Expression, ...], items: set[Item], needs: set[Need]
) -> None:
    _, variable, made = expression
    fields = {str(one[0]): one[1] for one in _list(made)[1:] if isinstance(one, tuple)}
    target, package = path.parts[0], str(fields["name"])
    if variable != f"lode-{package}":
        raise ValueError(f"{variable} is called {package}")
    sources, patches = [*_sums(fields["source"])], []
    for label, value in _labelled(fields):
        if label.startswith("%source-"):
            sources += _sums(value)
        elif label.startswith("%patch-"):
            content = tree.files.get(path.parent / str(_list(value)[1]))
            patches.append(str(digest.of_bytes(content)) if content is not None else "(missing)")
        elif not label.startswith("%"):
            if value != Symbol(f"lode-{label}"):
                raise ValueError(f"{package} has something else for {label}")
            needs.add(Need(target=target, package=package, needs=label))
    version = str(fields["version"])
    items.add(
        Item(target=target, package=package, version=version, sources=tuple(sorted(sources)), patches=tuple(patches))
    )


def _labelled(fields: Mapping[str, Expression]) -> Iterator[tuple[str, Expression]]:
    for field in ("native-inputs", "propagated-inputs"):
        if field in fields:
            for one in _list(_list(fields[field])[1]):
                label, value = _list(one)
                yield str(label), _list(value)[1]


def _sums(origin: Expression) -> Iterator[str]:
    """Yield the sha256 of an origin; a package without one has no source."""
    if isinstance(origin, tuple):
        fields = {str(one[0]): one[1] for one in origin[1:] if isinstance(one, tuple)}
        yield str(_list(fields["sha256"])[1])


def _list(value: Expression) -> tuple[Expression, ...]:
    if not isinstance(value, tuple):
        raise TypeError(f"{value!r} is no list")
    return value
