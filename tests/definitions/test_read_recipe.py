"""A recipe is read whole, or every fault of it is told at its line and column with what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions.writing import COMMIT, SHA256, recipe

from lode.definitions import language, read_recipe
from lode.definitions.recipe import (
    Argument,
    Dependency,
    Environment,
    Kind,
    Option,
    Origin,
    Recipe,
    System,
    Upstream,
)
from lode.definitions.requirement import ALWAYS
from lode.errors import DefinitionError


def read(*changes: str) -> Recipe:
    return read_recipe.read(recipe(*changes), file="r", name="nest")


def faults(*changes: str) -> str:
    with pytest.raises(DefinitionError) as caught:
        read(*changes)
    return str(caught.value)


def versions(lines: str, source: str = f"url: https://example.org/a.tar.gz, sha256: {SHA256}") -> str:
    """Return a version whose source has `source` and further keys `lines`."""
    return f'versions:\n  - version: "2.4.0"\n    source: [{{{source}}}]\n{lines}'


FULL = (
    "redistributable: false",
    "cite: [10.5281/zenodo.2535713, 10.1088/1748-0221]",
    "tags: [simulation, noble-liquid]",
    "maintainers: [Ada]",
    f"""versions:
  - version: "2.3"
    deprecated: wrong recoil yields
    source: [{{git: "https://example.org/nest.git@{COMMIT}", sha256: {SHA256}}}]
  - version: "2.10"
    source:
      - pypi: nestpy==2.10/nestpy-2.10.tar.gz
        sha256: {SHA256}
        size: 10
        swhid: swh:1:cnt:{COMMIT}
        mirrors: [{{url: https://example.org/a}}, {{debian: nest=2.10-1/nest_2.10.orig.tar.gz}}]
        directory: deep/er
        subdirectory: lib/nest
        unpack: false
        when: os=debian
      - path: ../../shared/data
    patches:
      - {{file: patches/a.patch, reason: gcc 13, upstream: https://example.org/1, until: ">=2.11", strip: 0,
         when: +gdml}}
""",
    """options:
  gdml: {default: false, summary: Reads GDML, when: ">=2.4"}
  cxxstd: {values: ["17", "20"], default: "17", summary: Standard}
""",
    """dependencies:
  build: [cxx, c, cmake >=3.16, {package: xerces-c >=3.2, when: +gdml}]
  link: [{package: xerces-c>=3.2, when: +gdml}, gcem]
  run: [python, "python >=3.11"]
  test: [gcem]
""",
    "conflicts: [{package: root <6, reason: No C++17, when: cxxstd=20}]",
    """build:
  system: cmake
  subdirectory: lib
  args: [-DA=ON, {option: gdml, define: NEST_GDML}, {when: os=el, args: [-DB=1, -DC=2]}]
  environment: {B: "", A: "1"}
  prepare: |
    echo a
    echo b
  targets: [all]
  install_targets: [install/strip]
  finish: rm x
  in_source: true
  jobs: 2
  memory_mb: 900
""",
    'environment: {prepend: {NEST_DATA: share/nest}, set: {NEST_ROOT: "."}, value: {NEST_MODE: ""}}',
    """tests:
  - {name: yields, compile: tests/y.cpp, libraries: [NESTCore], flags: [-O2], numbers: y.json, tolerance: 1e-6}
  - {name: links, prepare: c++ t.cpp, run: ldd lib/libNESTCore.so, timeout_s: 5, when: arch=x86_64}
  - {name: module, python: tests/a.py, files: [tests/b.dat]}
""",
    "system_libraries: [libGL.so.1]",
    "upstream: {spack: nest, conda: conda-forge::nest}",
)


def test_shortest_recipe_has_defaults_for_all_else() -> None:
    shortest = read()
    assert shortest.redistributable
    assert shortest.build.system is System.CMAKE
    assert shortest.build.install_targets == ("install",)
    assert shortest.dependencies == shortest.options == shortest.tests == shortest.cite == ()
    assert str(shortest.place) == "r:1:1"


def test_versions_are_sorted_newest_first_and_kept_verbatim() -> None:
    newest, oldest = read(*FULL).versions
    assert (str(newest.version), str(oldest.version)) == ("2.10", "2.3")
    assert oldest.deprecated == "wrong recoil yields"
    assert oldest.sources[0].origins == (Origin(scheme="git", location=f"https://example.org/nest.git@{COMMIT}"),)


def test_source_has_its_own_origin_first_and_then_its_mirrors() -> None:
    source, data = read(*FULL).versions[0].sources
    assert [(origin.scheme, origin.location) for origin in source.origins] == [
        ("pypi", "nestpy==2.10/nestpy-2.10.tar.gz"),
        ("url", "https://example.org/a"),
        ("debian", "nest=2.10-1/nest_2.10.orig.tar.gz"),
    ]
    assert (source.sha256, source.size, source.swhid) == (SHA256, 10, f"swh:1:cnt:{COMMIT}")
    assert (source.directory, source.subdirectory, source.unpack) == ("deep/er", "lib/nest", False)
    assert source.when == language.condition("os=debian")
    assert (data.origins[0].scheme, data.sha256, data.unpack) == ("path", None, True)


def test_patch_carries_reason_upstream_and_end() -> None:
    (patch,) = read(*FULL).versions[0].patches
    assert (patch.file, patch.reason, patch.upstream, patch.until, patch.strip) == (
        "patches/a.patch",
        "gcc 13",
        "https://example.org/1",
        ">=2.11",
        0,
    )


def test_option_without_values_is_a_switch() -> None:
    cxxstd, gdml = read(*FULL).options
    assert cxxstd == Option(name="cxxstd", values=("17", "20"), default="17", summary="Standard")
    assert gdml == Option(
        name="gdml",
        values=("true", "false"),
        default="false",
        summary="Reads GDML",
        when=language.condition(">=2.4"),
    )


def test_equal_dependencies_of_several_kinds_are_one_and_compilers_are_languages() -> None:
    full = read(*FULL)
    assert full.languages == ("c", "cxx")
    assert full.dependencies == (
        Dependency(requirement=language.requirement("cmake >=3.16"), kinds=(Kind.BUILD,)),
        Dependency(requirement=language.requirement("gcem"), kinds=(Kind.LINK, Kind.TEST)),
        Dependency(requirement=language.requirement("python"), kinds=(Kind.RUN,)),
        Dependency(requirement=language.requirement("python >=3.11"), kinds=(Kind.RUN,)),
        Dependency(
            requirement=language.requirement("xerces-c >=3.2"),
            kinds=(Kind.BUILD, Kind.LINK),
            when=language.condition("+gdml"),
        ),
    )
    assert [str(one.requirement.place) for one in full.dependencies[-1:]] == ["r:46:43"]


def test_build_environment_tests_and_upstream_are_read() -> None:
    full = read(*FULL)
    assert full.build.args == (
        Argument(words=("-DA=ON",)),
        Argument(option="gdml", define="NEST_GDML"),
        Argument(words=("-DB=1", "-DC=2"), when=language.condition("os=el")),
    )
    assert full.build.environment == (("A", "1"), ("B", ""))
    assert full.build.prepare == "echo a\necho b\n"
    assert (full.build.jobs, full.build.memory_mb, full.build.in_source) == (2, 900, True)
    assert full.environment == Environment(
        prepend=(("NEST_DATA", "share/nest"),), set=(("NEST_ROOT", "."),), value=(("NEST_MODE", ""),)
    )
    assert [(test.name, test.tolerance, test.timeout_s) for test in full.tests] == [
        ("yields", "1e-6", 300),
        ("links", "0", 5),
        ("module", "0", 300),
    ]
    assert full.upstream == Upstream(spack="nest", conda="conda-forge::nest")
    assert (full.conflicts[0].reason, full.conflicts[0].when) == ("No C++17", language.condition("cxxstd=20"))
    assert full.tests[0].when == ALWAYS


def test_order_of_keys_and_lists_does_not_count() -> None:
    content = recipe(*FULL).decode()
    top: list[str] = []
    for line in content.splitlines(keepends=True):
        if line[:1].strip():
            top.append(line)
        else:
            top[-1] += line
    assert read_recipe.read("".join(reversed(top)).encode(), file="other") == read(*FULL)


def test_every_fault_of_a_file_is_told_at_once() -> None:
    assert faults("sumary: x", "summary: [a]", "license: Apache", "build: {system: cmke, jobs: many}") == (
        "r:2:10: summary: expected a text, found a list\n"
        "r:4:10: license: 'Apache' is not an SPDX expression\n"
        "  hint: did you mean 'Apache-2.0'?\n"
        "r:10:17: system: 'cmke' is not known\n"
        "  hint: did you mean 'cmake'?\n"
        "r:10:29: jobs: expected a whole number, found 'many'\n"
        "r:11:1: recipe: unknown key 'sumary'\n"
        "  hint: did you mean 'summary'?"
    )


def test_key_given_twice_names_the_line_of_the_first() -> None:
    with pytest.raises(DefinitionError) as caught:
        read_recipe.read(recipe() + b"name: other\n", file="r")
    assert str(caught.value) == "r:11:1: the key 'name' is given twice\n  hint: the first one is in line 1"


def test_licence_that_nobody_knows_is_pointed_at() -> None:
    assert faults("license: MIT OR GPLv3") == (
        "r:4:17: license: 'MIT OR GPLv3' is not an SPDX expression\n  hint: did you mean 'GPL-3.0-only'?"
    )


def test_missing_keys_are_named_with_their_meaning() -> None:
    with pytest.raises(DefinitionError) as caught:
        read_recipe.read(b"name: nest\nversions: []\n", file="r")
    assert str(caught.value) == (
        "r:1:1: recipe: the key 'summary' is missing\n"
        "  hint: summary: what the package is, in one line\n"
        "r:1:1: recipe: the key 'homepage' is missing\n"
        "  hint: homepage: URL of the project\n"
        "r:1:1: recipe: the key 'license' is missing\n"
        "  hint: license: SPDX expression, such as BSD-3-Clause\n"
        "r:1:1: recipe: the key 'build' is missing\n"
        "  hint: build: how it is built\n"
        "r:2:11: versions: the list is empty"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "name: NEST",
            "r:1:7: name: 'NEST' is not a package name\n  hint: lower-case letters, digits and dashes: xerces-c",
        ),
        (
            "name: nests",
            "r:1:7: name: 'nests' is in the folder 'nest'\n  hint: rename the folder or write: name: nest",
        ),
        ("summary:", "r:2:9: summary: expected a text, found nothing"),
        ('summary: ""', "r:2:10: summary: '' is not a text"),
        ('summary: "a\\nb"', "r:2:10: summary: must be one line"),
        (
            "summary: 2026.10",
            "r:2:10: summary: 2026.10 is not quoted: other YAML tools read it as the number 2026.1\n"
            '  hint: write "2026.10"',
        ),
        ("homepage: nest.org", "r:3:11: homepage: 'nest.org' is not a URL\n  hint: begin with https://"),
        ("redistributable: yes", "r:11:18: redistributable: expected true or false, found 'yes'"),
        ("cite: 10.52", "r:11:7: cite: 10.52 is not quoted: other YAML tools read it as the number 10.52\n"
                        '  hint: write "10.52"'),
        ("cite: doi:10.5281/z", "r:11:7: cite: 'doi:10.5281/z' is not a DOI\n  hint: such as 10.5281/zenodo.1234567"),
        ("tags: [a, b, a]", "r:11:14: tags: 'a' is listed twice"),
        ("tags: a", "r:11:7: tags: expected a list, found 'a'\n  hint: write [a, b] or one '- item' a line"),
        ("tags:", "r:11:6: tags: expected a list, found nothing\n  hint: write [] for an empty list"),
        ("<<: {a: b}", "r:11:1: recipe: the merge key << is refused\n  hint: write the keys out"),
        ("? [a]\n: b", "r:11:3: recipe: a key is a word, found a list"),
        ("zzz: 1", "r:11:1: recipe: unknown key 'zzz'\n  hint: the keys are: name, summary, homepage, license, "
                   "redistributable, cite, tags, maintainers, versions, options, dependencies, conflicts, build, "
                   "environment, tests, system_libraries, upstream"),
        ("upstream: {conda: nest}", "r:11:19: conda: 'nest' is not a conda package with its channel\n"
                                    "  hint: such as conda-forge::nest"),
        ("environment: {set: {A B: x}}", "r:11:21: set: 'A B' is not a variable's name"),
        ("environment: {set: {A: x, A: y}}",
         "r:11:27: the key 'A' is given twice\n  hint: the first one is in line 11"),
        ("environment: {set: [A]}", "r:11:20: set: expected a mapping, found a list"),
        ("environment: a", "r:11:14: environment: expected a mapping (prepend, set, value), found 'a'"),
    ],
)  # fmt: skip
def test_faulty_key_is_told_at_its_place(change: str, message: str) -> None:
    assert faults(change) == message


URL = "url: https://example.org/a.tar.gz"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (URL, "r:7:14: the source https://example.org/a.tar.gz has no sha256\n"
              "  hint: add `sha256:`, the hash of the very bytes that this place serves"),
        (f"{URL}, sha256: {SHA256[:-1]}", f"r:7:58: sha256: '{SHA256[:57]}...' is not a sha256\n"
                                          "  hint: 64 lower-case hexadecimal digits"),
        (f"sha256: {SHA256}",
         "r:7:14: source: exactly one of url, pypi, debian, git, path is needed, this one has none"),
        (f"{URL}, path: a, sha256: {SHA256}",
         "r:7:14: source: exactly one of url, pypi, debian, git, path is needed, this one has url and path"),
        (f"ur1: x, sha256: {SHA256}", "r:7:15: source: unknown key 'ur1'\n  hint: did you mean 'url'?"),
        (f'git: "https://example.org/a.git@main", sha256: {SHA256}',
         "r:7:20: git: 'https://example.org/a.git@main' is not a git repository at a commit\n"
         "  hint: such as https://host/repository.git@<40 hexadecimal digits>; a branch or tag can move"),
        (f"pypi: nestpy, sha256: {SHA256}",
         "r:7:21: pypi: 'nestpy' is not a pinned Python project\n"
         "  hint: such as nestpy==2.1.3, or nestpy==2.1.3/nestpy-2.1.3.tar.gz to name the file"),
        (f"debian: nest, sha256: {SHA256}",
         "r:7:23: debian: 'nest' is not a file of a Debian source package\n"
         "  hint: such as zeromq3=4.3.4-6/zeromq3_4.3.4.orig.tar.gz"),
        ("path: /etc", "r:7:21: path: '/etc' is not a relative path\n"
                       "  hint: relative to the recipe, inside the collection"),
        (f"{URL}, sha256: {SHA256}, size: 0", "r:7:130: size: 0 is not between 1 and 9007199254740991"),
        (f"{URL}, sha256: {SHA256}, directory: ../x",
         "r:7:135: directory: '../x' is not a relative path without '..'\n  hint: relative to the root of the source"),
        (f"{URL}, sha256: {SHA256}, swhid: abc",
         "r:7:131: swhid: 'abc' is not a Software Heritage id\n  hint: such as swh:1:cnt:<40 hexadecimal digits>"),
        (f"{URL}, sha256: {SHA256}, mirrors: [{URL.replace(': ', ' ', 1)}]",
         "r:7:134: mirrors: expected a mapping (url, pypi, debian, git, path), found 'url https://example.org/a.tar.gz'"),
        (f"{URL}, sha256: {SHA256}, when: +mpi",
         "r:7:131: when: the recipe has no option 'mpi'\n  hint: declare it under options"),
    ],
)  # fmt: skip
def test_faulty_source_is_told_at_its_place(source: str, message: str) -> None:
    assert faults(versions("", source)) == message


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('  - version: "2.4.0"\n    source: [{path: a}]\n',
         "r:8:14: the version 2.4.0 is listed twice\n  hint: the first one is at r:6:5"),
        ('  - version: "2.5"\n', "r:8:5: the version 2.5 has no source\n"
                                 "  hint: add `source:`, or say `system: bundle` when there is nothing to build"),
        ("  - version: 2.5\n    source: [{path: a}]\n",
         "r:8:14: version: 2.5 is not quoted: other YAML tools read it as the number 2.5\n  hint: write \"2.5\""),
        ('  - version: "2 5"\n    source: [{path: a}]\n', "r:8:14: version: '2 5' is not a version\n"
                                                          '  hint: such as "6.32.04"'),
        ("    patches: [{file: a.patch}]\n", "r:8:15: patch: the key 'reason' is missing\n"
                                             "  hint: reason: why the patch is there"),
        ("    patches: [{file: ../a, reason: b}]\n",
         "r:8:22: file: '../a' is not a relative path without '..'\n  hint: relative to the folder of this file"),
        ('    patches: [{file: a, reason: b, until: "2.5"}]\n',
         "r:8:44: until: '2.5' is not a constraint\n  hint: begin with one of >= <= > < == != ~="),
        ("    patches: [{file: a, reason: b, strip: -1}]\n", "r:8:43: strip: -1 is not between 0 and 9"),
        ("    patches: [{file: a, reason: b, when: os debian}]\n",
         "r:8:42: when: 'os' is not understood\n"
         "  hint: a condition has parts such as >=2.4 +option ~option option=value os=debian arch=x86_64 ^python<3.12"),
    ],
)  # fmt: skip
def test_faulty_version_or_patch_is_told_at_its_place(lines: str, message: str) -> None:
    assert faults(versions(lines)) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("gdml: {default: false}",
         "r:12:9: option: the key 'summary' is missing\n  hint: summary: what the option does"),
        ("gdml: {default: maybe, summary: s}", "r:12:19: the default 'maybe' of the option 'gdml' is not one of its "
                                               "values\n  hint: without `values:` it is true or false"),
        ("std: {default: 17, values: ['17', '20'], summary: s}",
         "r:12:18: default: 17 is not quoted: other YAML tools read it as the number 17\n  hint: write \"17\""),
        ("std: {default: '11', values: ['17', '20'], summary: s}",
         "r:12:18: the default '11' of the option 'std' is not one of its values\n  hint: one of: 17, 20"),
        ("std: {default: a, values: [a], summary: s}", "r:12:29: values: the list needs 2 items or more, has 1"),
        ("std: {default: a, values: [a, b, a], summary: s}", "r:12:36: values: 'a' is listed twice"),
        ("std: {default: a, values: [a, on], summary: s}",
         "r:12:33: values: on is not quoted: other YAML tools read it as true or false\n  hint: write \"on\""),
        ("os: {default: false, summary: s}",
         "r:12:3: an option cannot be called 'os'\n  hint: conditions use that word"),
        ("GDML: {default: false, summary: s}",
         "r:12:3: options: 'GDML' is not an option's name\n  hint: lower-case letters, digits and dashes"),
        ("gdml: {default: false, summary: s, when: +qt}",
         "r:12:44: the option 'gdml' can depend on versions and targets only, not on +qt"),
        ("gdml: true", "r:12:9: gdml: expected a mapping (summary, default, values, when), found 'true'"),
    ],
)  # fmt: skip
def test_faulty_option_is_told_at_its_place(options: str, message: str) -> None:
    assert faults(f"options:\n  {options}") == message


@pytest.mark.parametrize(
    ("dependencies", "message"),
    [
        ("build: [cxx >=12]", "r:12:11: the language cxx takes no constraint, option or condition\n"
                              "  hint: write cxx alone: the target decides which compiler"),
        ("link: [cxx]", "r:12:10: the language cxx is listed under link\n  hint: list it under build"),
        ("link: [nest]", "r:12:10: nest depends on itself"),
        ("link: [zlib, zlib]", "r:12:16: zlib is listed twice under link"),
        ("link: [zlib >=1.2,<2]", "r:12:21: requirement: '<2' begins with a constraint, not a package name\n"
                                  "  hint: inside [...] a comma ends the item: quote the whole requirement, or write "
                                  "one '- item' a line"),
        ("link: [{package: zlib 1.2, when: +x}]",
         "r:12:25: requirement: '1.2' is not understood\n  hint: write zlib ==1.2\n"
         "r:12:37: when: the recipe has no option 'x'\n  hint: declare it under options"),
        ("links: [zlib]", "r:12:3: dependencies: unknown key 'links'\n  hint: did you mean 'link'?"),
    ],
)  # fmt: skip
def test_faulty_dependency_is_told_at_its_place(dependencies: str, message: str) -> None:
    assert faults(f"dependencies:\n  {dependencies}") == message


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("{system: script}", "r:10:8: the build system 'script' needs a script\n"
                             "  hint: add `script: |` and shell lines"),
        ("{system: make, script: make}", "r:10:31: the build system 'make' takes no script\n"
                                         "  hint: say `system: script`, or use prepare and finish"),
        ("{system: script, script: make, args: [a]}", "r:10:45: the build system 'script' does not use 'args'"),
        ("{system: bundle}", "r:8:7: a bundle has no source\n"
                             "  hint: leave the key out, or name another build system"),
        ("{system: cmake, args: [{option: gdml}]}",
         "r:10:31: argument: an option needs a define\n  hint: define: the name that the build system knows\n"
         "r:10:40: option: the recipe has no option 'gdml'\n  hint: declare it under options"),
        ("{system: cmake, args: [{define: A, args: [a]}]}",
         "r:10:40: argument: a define needs an option\n  hint: option: the option whose value it takes"),
        ("{system: cmake, args: [-DX=2, 17]}",
         "r:10:38: args: 17 is not quoted: other YAML tools read it as the number 17\n  hint: write \"17\""),
        ("{system: cmake, environment: {A: 1}}",
         "r:10:41: A: 1 is not quoted: other YAML tools read it as the number 1\n  hint: write \"1\""),
        ("{system: cmake, args: ['-DA=$PREFIX/$HOME']}",
         "r:10:44: $HOME is no variable that a recipe may name\n"
         "  hint: those that may be: PREFIX, SRC_DIR, JOBS, PYTHON, PATH, CC, CXX, FC, CFLAGS, CXXFLAGS, FFLAGS, "
         "CPPFLAGS, LDFLAGS"),
        ("{system: cmake, args: [{args: ['-DA=${PREFX}'], when: os=debian}]}",
         "r:10:44: $PREFX is no variable that a recipe may name\n  hint: did you mean 'PREFIX'?"),
        ("{system: cmake, environment: {A: '$CFLAG'}}",
         "r:10:42: $CFLAG is no variable that a recipe may name\n  hint: did you mean 'CFLAGS'?"),
        ("{system: cmake, args: ['$BUILD_PREFIX/bin']}",
         "r:10:32: $BUILD_PREFIX is no variable that a recipe may name\n  hint: did you mean 'PREFIX'?"),
        ("{system: cmake, jobs: 0}", "r:10:30: jobs: 0 is not between 1 and 1024"),
    ],
)  # fmt: skip
def test_faulty_build_is_told_at_its_place(build: str, message: str) -> None:
    assert faults(f"build: {build}") == message


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("{name: a}", "r:11:9: test: exactly one of run, compile, python is needed, this one has none"),
        ("{name: a, run: x, python: y}",
         "r:11:9: test: exactly one of run, compile, python is needed, this one has run and python"),
        ("{name: a, run: x}, {name: a, run: y}", "r:11:35: two tests are called 'a'"),
        ("{name: a, run: x, libraries: [b]}", "r:11:38: test: libraries goes with compile only"),
        ("{name: a, prepare: x, python: y}", "r:11:28: test: prepare goes with run only"),
        ("{name: a, run: x, tolerance: 1}", "r:11:38: test: tolerance goes with numbers only"),
        ("{name: a, run: x, numbers: n, tolerance: -1}",
         "r:11:50: tolerance: expected a number of zero or more, found '-1'"),
        ("{name: a, run: x, timeout_s: 1.5}", "r:11:38: timeout_s: expected a whole number, found '1.5'"),
        ("{name: a, run: true}",
         "r:11:24: run: true is not quoted: other YAML tools read it as true or false\n  hint: write \"true\""),
        ("{name: a, run: x, when: cxxstd=17}",
         "r:11:33: when: the recipe has no option 'cxxstd'\n  hint: declare it under options"),
    ],
)  # fmt: skip
def test_faulty_test_is_told_at_its_place(test: str, message: str) -> None:
    assert faults(f"tests: [{test}]") == message


def test_value_that_an_option_does_not_have_is_told_in_a_condition() -> None:
    options = "options:\n  cxxstd: {values: ['17', '20'], default: '17', summary: s}"
    assert faults(options, "dependencies:\n  link: [{package: fmt, when: cxxstd=11}]") == (
        "r:14:31: when: the option 'cxxstd' has no value '11'\n  hint: one of: 17, 20"
    )


LINE = st.text(alphabet="abnest:-[]{},'\" \n2.>=+~|", max_size=40)


@given(
    st.sampled_from([line.partition(":")[0] for line in recipe(*FULL).decode().splitlines() if line[:1].strip()]), LINE
)
def test_any_value_of_any_key_is_read_or_refused(key: str, value: str) -> None:
    try:
        read_recipe.read(recipe(*FULL, f"{key}: {value}"), file="r")
    except DefinitionError as error:
        assert all(fault.place for fault in error.faults)  # noqa: PT017


@given(st.binary(max_size=200))
def test_any_bytes_are_a_recipe_or_a_definition_error(content: bytes) -> None:
    try:
        read_recipe.read(content, file="r")
    except DefinitionError as error:
        assert str(error).startswith("r")  # noqa: PT017
