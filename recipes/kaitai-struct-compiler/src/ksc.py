"""The command kaitai-struct-compiler: upstream's compiler, which is JavaScript here, run by QuickJS.

It reads descriptions (.ksy) and writes parsers. Of the options of upstream's Java program it has those that the
JavaScript offers; one that it has not is refused. The JavaScript lies beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import quickjs
import yaml

PROGRAM = "kaitai-struct-compiler"
STACK_BYTES = 4 << 20  # of the 8 MiB that the main thread has
EXACT = 1 << 53  # JavaScript's numbers are exact up to here

# Before 0.11 the module gives a constructor, later the compiler itself.
BRIDGE = """
const compiler = typeof KaitaiStructCompiler === "function" ? new KaitaiStructCompiler() : KaitaiStructCompiler;
const importer = {
  importYaml(name, mode) {
    const answer = JSON.parse(description(name, mode));
    return "error" in answer ? Promise.reject(new Error(answer.error)) : Promise.resolve(answer.value);
  },
};
function start(language, text, debug) {
  let said = null;
  answer = () => said;
  compiler.compile(language, JSON.parse(text), importer, debug).then(
    (files) => { said = JSON.stringify({ files }); },
    (error) => { said = JSON.stringify({ error: String(error && error.message || error) }); },
  );
}
var answer = () => null;
const about = () => JSON.stringify({ version: compiler.version, languages: compiler.languages });
"""


class Fault(Exception):
    """What is wrong with a description, in one sentence."""


class Loader(yaml.SafeLoader):
    """Reads dates as text, as descriptions mean them."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path) -> str:
    """Return the description in `path` as JSON; Fault when it is none, or has numbers that JavaScript would round."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise Fault(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Fault(f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise Fault(f"{path}: not a map, which a description is")
    _refuse_large(value, path)
    return json.dumps(value)


def _refuse_large(value: object, path: Path) -> None:
    if isinstance(value, int) and abs(value) > EXACT:
        raise Fault(f"{path}: {value} is above 2^53; write it as text, an expression: '{value}'")
    children = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for child in children:
        _refuse_large(child, path)


class Compiler:
    """Upstream's compiler in an engine of its own."""

    def __init__(self, javascript: Path, imports: tuple[Path, ...]) -> None:
        self._imports = imports
        self._folder = Path()
        self._engine = quickjs.Context()
        self._engine.set_max_stack_size(STACK_BYTES)
        self._engine.add_callable("tell", lambda text: print(text, file=sys.stderr))
        self._engine.add_callable("description", self._description)
        self._engine.eval("const console = { log: tell, info: tell, warn: tell, error: tell };")
        self._engine.eval(javascript.read_text(encoding="utf-8"))
        self._engine.eval(BRIDGE)
        about = json.loads(self._engine.eval("about()"))
        self.version: str = about["version"]
        self.languages: list[str] = about["languages"]

    def compile(self, path: Path, language: str, *, debug: bool) -> Mapping[str, str]:
        """Return the files that `path` becomes in `language`, by name; Fault with upstream's words."""
        self._folder = path.parent
        self._engine.get("start")(language, load(path), debug)
        while (said := self._engine.eval("answer()")) is None:
            if not self._engine.execute_pending_job():
                raise Fault(f"{path}: the compiler came to no end")
        answer = json.loads(said)
        if "error" in answer:
            raise Fault(f"{path}: {answer['error']}")
        files: dict[str, str] = answer["files"]
        return files

    def _description(self, name: str, mode: str) -> str:
        """Return what `name`.ksy says: from beside the file that is compiled, or from the import path."""
        folders = self._imports if mode == "abs" else (self._folder,)
        candidates = [folder / f"{name.lstrip('/')}.ksy" for folder in folders]
        try:
            for candidate in candidates:
                if candidate.is_file():
                    return '{"value":' + load(candidate) + "}"
            looked = ", ".join(str(one) for one in candidates) or "no folder: give --import-path"
            raise Fault(f"import of {name}: not found; looked for {looked}")
        except Fault as fault:
            return json.dumps({"error": str(fault)})


def _fail(text: str) -> NoReturn:
    print(f"{PROGRAM}: {text}", file=sys.stderr)
    raise SystemExit(2)


def main() -> None:
    """Compile what the command line names."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Compile .ksy descriptions of binary formats into parsers."
    )
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="descriptions (.ksy)")
    add("-t", "--target", action="append", default=[], metavar="LANGUAGE", help="a language, or all; repeatable")
    add("-d", "--outdir", type=Path, default=Path(), metavar="FOLDER", help="where to write (.)")
    add("-I", "--import-path", action="append", default=[], metavar="FOLDER[:...]", help="for absolute imports")
    add("--debug", action="store_true", help="keep positions, and do not read in the constructor")
    add("--version", action="store_true", help="say the version")
    options = parser.parse_args()
    paths = [*options.import_path, os.environ.get("KSPATH", "")]
    imports = tuple(Path(one) for text in paths for one in text.split(os.pathsep) if one)
    compiler = Compiler(Path(__file__).with_name(f"{PROGRAM}.js"), imports)
    if options.version:
        print(PROGRAM, compiler.version)
        return
    targets = compiler.languages if options.target == ["all"] else options.target
    unknown = [one for one in targets if one not in compiler.languages]
    if not options.files or not targets or unknown:
        said = f"no language {unknown[0]}" if unknown else "a file and --target are needed"
        _fail(f"{said}; languages: {', '.join(compiler.languages)}")
    try:
        for path in options.files:
            for language in targets:
                folder = options.outdir / language if options.target == ["all"] else options.outdir
                for name, text in compiler.compile(path, language, debug=options.debug).items():
                    file = folder / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
    except Fault as fault:
        _fail(str(fault))
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
