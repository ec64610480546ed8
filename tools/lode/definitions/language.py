"""Reading the small languages of recipes and stacks: names, constraints, requirements and conditions.

Every fault tells the character at which it is, so that messages can name the column. Clauses of a constraint are
sorted by version and doubled ones dropped: the order of writing never matters.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lode.definitions.requirement import ALWAYS, Condition, Requirement
from lode.definitions.version import Clause, Constraint
from lode.errors import Place

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
OPTION = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")
VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+\-]*")
RESERVED = ("os", "arch", "target")  # words of conditions that no option may have as its name

_ANY = Constraint()
# The form that most requirements have; whatever does not match is read word by word, for the place of the fault.
_USUAL = re.compile(rf"({NAME.pattern})(?:\s+((?:>=|<=|==|!=|~=|>|<)[^\s,]+(?:,(?:>=|<=|==|!=|~=|>|<)[^\s,]+)*))?")
_SPACE = re.compile(r"\s*")
_OPERATOR = re.compile(r">=|<=|==|!=|~=|>|<")
_CLAUSES = re.compile(r"(?:>=|<=|==|!=|~=|>|<)\s*[^\s,]*(?:\s*,\s*(?:(?:>=|<=|==|!=|~=|>|<)\s*)?[^\s,]*)*")
_ATTACHED = re.compile(r"(?:>=|<=|==|!=|~=|>|<)[^\s,]*(?:,[^\s,]*)*")
_WORD = re.compile(r"[^\s]+")
_SWITCH = re.compile(r"[+~]([A-Za-z0-9_-]*)")
_SETTING = re.compile(r"([A-Za-z0-9_-]+)=([^\s=]*)")


class LanguageError(ValueError):
    """A text is not of its language: what is wrong, at which character (from 0), and what to do."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        """Make the error."""
        super().__init__(message)
        self.offset = offset
        self.hint = hint


@lru_cache(maxsize=65536)
def constraint(text: str) -> Constraint:
    """Return the constraint that the whole of `text` spells, `>=11.2,<11.4`; LanguageError if none."""
    if not text.strip():
        raise LanguageError("a constraint is empty", 0, "leave it out to admit every version")
    start = len(text) - len(text.lstrip())
    if not _OPERATOR.match(text, start):
        raise LanguageError(f"{text.strip()!r} is not a constraint", start, "begin with one of >= <= > < == != ~=")
    return _clauses(text, start)


def requirement(text: str, place: Place | None = None) -> Requirement:
    """Return the requirement that `text`, written at `place`, spells; LanguageError if none.

    `geant4 >=11.2,<11.4 +gdml ~qt cxxstd=17`.
    """
    if usual := _USUAL.fullmatch(text):
        package, clauses = usual.groups()
        limits = _clauses(clauses, usual.start(2)) if clauses else _ANY
        return Requirement(package=package, constraint=limits, place=place)
    reader = _Reader(text)
    package = reader.package()
    limits = _ANY
    while not reader.done():
        if _OPERATOR.match(text, reader.at):
            if limits.clauses:
                raise LanguageError("a second constraint", reader.at, "join them with a comma: >=1.2,<2")
            limits = reader.clauses(_CLAUSES)
        elif not reader.option():
            raise reader.unexpected(package)
    return Requirement(package=package, constraint=limits, options=reader.settled(), place=place)


@lru_cache(maxsize=65536)
def condition(text: str) -> Condition:
    """Return the condition that `text` spells, `>=2.4 +gdml os=debian ^python<3.12`; LanguageError if none."""
    reader = _Reader(text)
    version = Constraint()
    hosts: dict[str, set[str]] = {word: set() for word in RESERVED}
    others: dict[str, Requirement] = {}
    if reader.done():
        raise LanguageError("the condition is empty", 0, "leave it out where it always holds")
    while not reader.done():
        if text.startswith("^", reader.at):
            start = reader.at
            other = reader.other()
            if other.package in others:
                raise LanguageError(f"^{other.package} is stated twice", start, "join them with a comma")
            others[other.package] = other
        elif _OPERATOR.match(text, reader.at):
            if others or version.clauses:
                hint = "write ^python>=3.11 without a space, and the package's own constraint first"
                raise LanguageError("a constraint in the wrong place", reader.at, hint)
            version = reader.clauses(_CLAUSES)
        elif not reader.option(hosts):
            raise reader.unexpected(None)
    return Condition(
        version=version,
        options=reader.settled(),
        targets=tuple(sorted(hosts["target"])),
        os=tuple(sorted(hosts["os"])),
        arch=tuple(sorted(hosts["arch"])),
        packages=tuple(sorted(others.values(), key=lambda other: other.package)),
    )


def optional_condition(text: str) -> Condition:
    """Return the condition that `text` spells; the one that always holds when `text` is empty."""
    return condition(text) if text else ALWAYS


class _Reader:
    """Goes through a text from left to right and collects the options it meets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.options: dict[str, str] = {}

    def done(self) -> bool:
        """Skip white space; return whether the end is reached."""
        match = _SPACE.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at >= len(self.text)

    def package(self) -> str:
        """Take the name at the beginning."""
        if self.done():
            raise LanguageError("a package name is missing", 0)
        if _OPERATOR.match(self.text, self.at):
            hint = "inside [...] a comma ends the item: quote the whole requirement, or write one '- item' a line"
            raise LanguageError(f"{self.text.strip()!r} begins with a constraint, not a package name", self.at, hint)
        return self.name(self.at)

    def name(self, start: int) -> str:
        """Take the package name at `start`."""
        match = NAME.match(self.text, start)
        end = match.end() if match else start
        rest = self.text[end : end + 1]
        if not match or (rest and not rest.isspace() and rest not in "><=!~+"):
            word = self.word(start)
            lower = re.sub(r"[_.]+", "-", word.lower())
            fitting = NAME.fullmatch(lower) is not None
            hint = f"did you mean {lower!r}?" if fitting else "lower-case letters, digits and dashes"
            if "@" in word:
                hint = f"write {word.replace('@', ' ==', 1)}"
            raise LanguageError(f"{word!r} is not a package name", start, hint)
        self.at = end
        return match.group()

    def word(self, start: int) -> str:
        """Return what is written from `start` to the next white space."""
        match = _WORD.match(self.text, start)
        return match.group() if match else ""

    def clauses(self, pattern: re.Pattern[str]) -> Constraint:
        """Take the constraint here."""
        match = pattern.match(self.text, self.at)
        if not match:
            raise LanguageError(f"{self.word(self.at)!r} is not a constraint", self.at)
        start, self.at = self.at, match.end()
        return _clauses(match.group(), start)

    def other(self) -> Requirement:
        """Take `^name` with its constraint attached."""
        package = self.name(self.at + 1)
        attached = bool(_OPERATOR.match(self.text, self.at))
        return Requirement(package=package, constraint=self.clauses(_ATTACHED) if attached else Constraint())

    def option(self, hosts: dict[str, set[str]] | None = None) -> bool:
        """Take `+x`, `~x` or `x=y`; `os`, `arch` and `target` go to `hosts`. Return False when none is here."""
        start = self.at
        if match := _SWITCH.match(self.text, start):
            self.settle(match.group(1), "true" if self.text[start] == "+" else "false", start)
        elif match := _SETTING.match(self.text, start):
            name, value = match.groups()
            if not VALUE.fullmatch(value):
                raise LanguageError(f"{value!r} is not a value of {name}", match.start(2))
            if name not in RESERVED:
                self.settle(name, value, start)
            elif hosts is None:
                hint = f"put it into 'when:', or into the stack's targets: {name} is no option"
                raise LanguageError(f"{match.group()!r} is a condition, not a requirement", start, hint)
            else:
                hosts[name].add(value)
        else:
            return False
        self.at = match.end()
        return True

    def settle(self, name: str, value: str, start: int) -> None:
        """Note an option's value."""
        if not OPTION.fullmatch(name):
            raise LanguageError(f"{name!r} is not an option's name", start + 1, "lower-case letters, digits and dashes")
        if name in self.options:
            raise LanguageError(f"the option {name!r} is given twice", start)
        self.options[name] = value

    def settled(self) -> tuple[tuple[str, str], ...]:
        """Return the options met, sorted."""
        return tuple(sorted(self.options.items()))

    def unexpected(self, package: str | None) -> LanguageError:
        """Return the error for a word that nothing fits."""
        word = self.word(self.at)
        hint = "a condition has parts such as >=2.4 +option ~option option=value os=debian arch=x86_64 ^python<3.12"
        if package is not None:
            hint = f"write {package} =={word.lstrip('@=')}" if re.match(r"[@=]?[0-9v]", word) else "one package an item"
        return LanguageError(f"{word!r} is not understood", self.at, hint)


def _clauses(text: str, start: int) -> Constraint:
    """Return the constraint of `text`, which begins at the character `start` of what was written."""
    try:
        return _sorted_clauses(text)
    except LanguageError as error:
        raise LanguageError(str(error), start + error.offset, error.hint) from None


@lru_cache(maxsize=65536)
def _sorted_clauses(text: str) -> Constraint:
    found: dict[str, Clause] = {}
    at = 0
    for part in text.split(","):
        offset = at + len(part) - len(part.lstrip())
        at += len(part) + 1
        try:
            clauses = Constraint.parse(part).clauses
        except ValueError as error:
            raise LanguageError(str(error), offset) from None
        if not clauses:
            raise LanguageError("a comma with nothing beside it", offset)
        found.update((str(clause), clause) for clause in clauses)
    return Constraint(clauses=tuple(sorted(found.values(), key=lambda one: (one.version.key, str(one)))))
