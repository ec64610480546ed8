"""The texts that the definition files have in common: names, versions, places, hashes, requests."""

from __future__ import annotations

import re

from lode.definitions.language import NAME, OPTION
from lode.definitions.shape import Key, ListOf, Text

_FILE = re.compile(r"(?!/)(?!(?:.*/)?\.\.?(?:/|$))[^\\\x00-\x1f\x7f]*[^\\/\x00-\x1f\x7f]")
_URL = re.compile(r"(?:https?|ftp)://[^\s/]+(?:/\S*)?")
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+\-]*")
TARGET_NAME = re.compile(r"[a-z][a-z0-9.]*-[a-z0-9_]+")

TEXT = Text()
LINES = Text(what="a text", lines=True)
NAME_TEXT = Text(what="a package name", pattern=NAME, hint="lower-case letters, digits and dashes: xerces-c")
STACK_NAME = Text(what="a stack name", pattern=NAME, hint="lower-case letters, digits and dashes: dance-mini")
OPTION_NAME = Text(what="an option's name", pattern=OPTION, hint="lower-case letters, digits and dashes")
VERSION = Text(what="a version", pattern=RELEASE_NAME, hint='such as "6.32.04"')
URL = Text(what="a URL", pattern=_URL, hint="begin with https://")
FILE = Text(what="a relative path without '..'", pattern=_FILE, hint="relative to the folder of this file")
FOLDER = Text(what="a relative path without '..'", pattern=_FILE, hint="relative to the root of the source")
SHA256 = Text(what="a sha256", pattern=re.compile(r"[0-9a-f]{64}"), hint="64 lower-case hexadecimal digits")
COMMIT = Text(what="a commit", pattern=re.compile(r"[0-9a-f]{40}"), hint="40 lower-case hexadecimal digits")
VARIABLE = Text(what="a variable's name", pattern=re.compile(r"[A-Za-z_][A-Za-z0-9_]*"))
ABSOLUTE = Text(what="an absolute path", pattern=re.compile(r"/[^\s]*"))
TAG = Text(what="a tag", pattern=NAME, hint="lower-case letters, digits and dashes")
WHEN = Text(what="a condition", hint='such as "+gdml" or ">=2.4 os=debian"')
CONSTRAINT = Text(what="a constraint", hint='such as ">=2.4"')
REQUIREMENT = Text(what="a requirement", hint="such as: cmake >=3.16")
NAMES = ListOf(item=NAME_TEXT, distinct=True)
TEXTS = ListOf(item=TEXT)

TARGET_TEXT = Text(what="a target name", pattern=TARGET_NAME, hint="<os>-<arch>: debian12-x86_64")
WHEN_KEY = Key(shape=WHEN, summary="condition under which it counts, such as '+gdml os=debian'")
