"""`lode check`, `list`, `show` and `search` on a small collection: the whole output and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.definitions import test_read_recipe, test_read_stack, test_read_target
from tests.definitions.writing import changed, named, stack, target
from tests.golden.check import same_as_golden

from lode.cli import main
from lode.definitions import folders

ZLIB = named("zlib", "summary: Lossless compression", "tags: [base, compression]", "tests: [{name: a, run: b}]")
NEST = named("nest", "dependencies: {link: [zlib]}", "tests: [{name: a, run: b}]", "tags: [noble-liquid]")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a new collection with two recipes, a stack and a target; it is the current folder."""
    monkeypatch.setattr(folders, "shipped", lambda: None)
    monkeypatch.chdir(tmp_path)
    write("collection.yaml", b'name: own\nversion: "1"\n')
    write("recipes/zlib/recipe.yaml", ZLIB)
    write("recipes/nest/recipe.yaml", NEST)
    write("stacks/dance/2026.11/stack.yaml", stack())
    write("containers/targets/debian12-x86_64.yaml", target("end_of_life: 2028-06-30"))
    return tmp_path


def write(name: str, content: bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@pytest.fixture
def lode(here: Path, capsys: pytest.CaptureFixture[str]) -> Lode:
    return Lode(capsys)


class Lode:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit status, standard output and standard error."""
        status = main.run(list(arguments))
        printed = self.capsys.readouterr()
        return status, printed.out, printed.err


def test_check_of_a_sound_collection_says_so_and_exits_zero(lode: Lode) -> None:
    assert lode("check") == (0, "no faults in 2 recipes, 1 stack, 1 target\n", "")


def test_check_tells_every_fault_of_every_file_by_place(lode: Lode) -> None:
    write("recipes/zlib/recipe.yaml", changed(ZLIB.decode(), "sumary: x", "license: Zlip"))
    write("recipes/nest/recipe.yaml", changed(NEST.decode(), "dependencies: {link: [zlob], run: [cmake]}", "tests: []"))
    write("recipes/hdf5/recipe.yml", b"")
    write("stacks/dance/2026.11/stack.yaml", stack("release: 2026.11", "groups: {daq: [nest]}"))
    status, out, err = lode("check")
    assert (status, err) == (3, "")
    same_as_golden("definitions/check.txt", out.encode())


def test_check_blames_no_recipe_for_the_tools_of_a_target_with_faults(lode: Lode) -> None:
    write("recipes/nest/recipe.yaml", changed(NEST.decode(), "dependencies: {build: [cmake]}"))
    write("containers/targets/debian12-x86_64.yaml", target("glibc: 2.36"))
    assert lode("check")[1] == (
        "containers/targets/debian12-x86_64.yaml:7:8: glibc: 2.36 is not quoted: other YAML tools read it as the "
        'number 2.36\n  hint: write "2.36"\n'
        "1 fault in 2 recipes, 1 stack, 1 target\n"
    )


def test_check_of_a_path_tells_the_faults_below_it_only(lode: Lode) -> None:
    write("recipes/zlib/recipe.yaml", changed(ZLIB.decode(), "sumary: x"))
    assert lode("check", "recipes/nest") == (0, "no faults in 1 recipe, 0 stacks, 0 targets\n", "")
    assert lode("check", "recipes/zlib/recipe.yaml")[0] == 3
    assert lode("check", "stacks")[1] == "no faults in 0 recipes, 1 stack, 0 targets\n"


def test_check_of_a_path_elsewhere_looks_at_the_collection_there(
    lode: Lode, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Path.cwd()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert lode("check", str(inside))[1] == "no faults in 2 recipes, 1 stack, 1 target\n"


def test_check_finds_the_files_that_definitions_name(lode: Lode) -> None:
    write("recipes/nest/tests/a.cpp", b"")
    write("recipes/nest/recipe.yaml", changed(NEST.decode(), "tests: [{name: a, compile: tests/b.cpp, numbers: n}]"))
    assert lode("check", "recipes/nest") == (
        3,
        "recipes/nest/recipe.yaml:12:9: the file 'n' does not exist\n"
        "recipes/nest/recipe.yaml:12:9: the file 'tests/b.cpp' does not exist\n"
        "  hint: did you mean 'tests/a.cpp'?\n"
        "2 faults in 1 recipe, 0 stacks, 0 targets\n",
        "",
    )


def test_check_with_warnings_only_exits_zero(lode: Lode) -> None:
    write("recipes/nest/recipe.yaml", changed(NEST.decode(), "tests: []"))
    status, out, _ = lode("check")
    assert status == 0
    assert out.endswith("\nno faults and 1 warning in 2 recipes, 1 stack, 1 target\n")


def test_check_prints_one_json_document(lode: Lode) -> None:
    write("recipes/zlib/recipe.yaml", changed(ZLIB.decode(), "sumary: x"))
    status, out, _ = lode("check", "--json")
    assert status == 3
    assert json.loads(out) == {
        "recipes": 2,
        "stacks": 1,
        "targets": 1,
        "policies": 0,
        "repositories": 0,
        "errors": 1,
        "warnings": 0,
        "faults": [
            {
                "message": "recipe: unknown key 'sumary'",
                "hint": "did you mean 'summary'?",
                "warning": False,
                "file": "recipes/zlib/recipe.yaml",
                "line": 13,
                "column": 1,
            }
        ],
    }


def test_check_of_nothing_is_a_usage_error(lode: Lode) -> None:
    assert lode("check", "nope") == (2, "", "nope does not exist\n")
    Path("docs").mkdir()
    assert lode("check", "docs") == (
        2,
        "",
        "docs holds no definition that Lode would find\n"
        "  hint: give a collection, a recipe's or stack's folder, or one of their files; a collection.yaml makes one\n",
    )


def test_check_without_any_collection_says_how_to_begin(lode: Lode) -> None:
    Path("collection.yaml").unlink()
    assert lode("check") == (2, "", "there is no collection here\n  hint: `lode init` starts one\n")


def test_list_names_recipes_with_their_newest_version_that_is_not_deprecated(lode: Lode) -> None:
    write("recipes/old/recipe.yaml", named("old", """versions:
  - {version: "3.0", deprecated: broken, source: [{path: a}]}
  - {version: "2.0", source: [{path: a}]}
"""))  # fmt: skip
    assert lode("list")[1] == (
        "nest  2.4.0  Light and charge yields in liquid xenon\n"
        "old   2.0    Light and charge yields in liquid xenon\n"
        "zlib  2.4.0  Lossless compression\n"
    )
    assert lode("list", "versions", "old")[1] == "3.0  deprecated: broken\n2.0\n"


def test_list_goes_on_past_a_faulty_definition(lode: Lode) -> None:
    write("recipes/zlib/recipe.yaml", b"[")
    assert lode("list") == (
        0,
        "nest  2.4.0  Light and charge yields in liquid xenon\nzlib         has faults: `lode check` names them\n",
        "",
    )


def test_list_names_stacks_and_targets(lode: Lode) -> None:
    assert lode("list", "stacks")[1] == "dance  2026.11  Everything in small\n"
    assert lode("list", "targets")[1] == (
        "debian12-x86_64  12  debian 12, gcc 12.2.0, glibc 2.36, supported until 2028-06-30\n"
    )


def test_list_says_when_there_is_nothing(lode: Lode) -> None:
    Path("stacks/dance/2026.11/stack.yaml").unlink()
    assert lode("list", "stacks")[1] == "no stacks\n"


def test_list_prints_json(lode: Lode) -> None:
    assert json.loads(lode("list", "stacks", "--json")[1]) == [
        {
            "name": "dance",
            "version": "2026.11",
            "summary": "Everything in small",
            "tags": ["debian12-x86_64"],
            "faulty": False,
        }
    ]


def test_list_refuses_what_it_cannot_list(lode: Lode) -> None:
    assert lode("list", "versions") == (
        2,
        "",
        "`lode list versions` needs the name of a package\n  hint: lode list versions hdf5\n",
    )
    assert lode("list", "stacks", "dance")[0] == 2
    assert lode("list", "versions", "zlob")[2] == "there is no recipe called 'zlob'\n  hint: did you mean 'zlib'?\n"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["nest"], ["nest", "nestpy"]),
        (["noble-liquid"], ["nest"]),
        (["liquid"], ["nestpy", "zlib", "nest"]),
        (["LIQUID", "bindings"], ["nestpy"]),
        (["liquid", "nowhere"], []),
    ],
)
def test_search_finds_recipes_with_all_words_the_best_first(lode: Lode, words: list[str], names: list[str]) -> None:
    write("recipes/nestpy/recipe.yaml", named("nestpy", "summary: Python bindings of NEST, for liquid"))
    write("recipes/zlib/recipe.yaml", changed(ZLIB.decode(), "summary: Fluidity of liquids, liquid"))
    write("recipes/nest/recipe.yaml", changed(NEST.decode(), "summary: Yields"))
    assert [line["name"] for line in json.loads(lode("search", "--json", *words)[1])] == names


def test_search_for_nothing_names_the_nearest(lode: Lode) -> None:
    assert lode("search", "zlob") == (0, "no recipe has zlob; did you mean 'zlib'?\n", "")


@pytest.mark.parametrize(("name", "golden"), [("nest", "recipe"), ("dance", "stack"), ("debian12-x86_64", "target")])
def test_show_tells_all_that_a_user_asks_for(lode: Lode, name: str, golden: str) -> None:
    write("recipes/nest/recipe.yaml", changed(test_read_recipe.recipe().decode(), *test_read_recipe.FULL))
    write("stacks/dance/2026.11/stack.yaml", stack(*test_read_stack.FULL))
    write("containers/targets/debian12-x86_64.yaml", target(*test_read_target.FULL))
    status, out, err = lode("show", name)
    assert (status, err) == (0, "")
    same_as_golden(f"definitions/show-{golden}.txt", out.encode())
    document = json.loads(lode("show", name, "--json")[1])
    assert (document["kind"], document["name"]) == (golden, name)


def test_show_of_a_name_that_a_recipe_and_a_stack_have_takes_the_kind(lode: Lode) -> None:
    write("recipes/dance/recipe.yaml", named("dance"))
    assert lode("show", "dance")[1].startswith("dance 2.4.0  ")
    assert lode("show", "--kind", "stack", "dance")[1].startswith("dance 2026.11  ")
    assert lode("show", "dance@2026.11")[1].startswith("dance 2026.11  ")


def test_show_of_nothing_names_the_nearest(lode: Lode) -> None:
    assert lode("show", "denca") == (
        3,
        "",
        "there is no recipe, stack or target called 'denca'\n  hint: did you mean 'dance'?\n",
    )


@pytest.mark.parametrize("command", ["check", "list", "show", "search"])
def test_help_has_examples(lode: Lode, command: str) -> None:
    status, out, _ = lode(command, "--help")
    assert status == 0
    assert f"\n    lode {command} " in out
