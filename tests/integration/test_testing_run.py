"""Tests of a prefix run for real: a small prefix of a script, a header and a library compiled here."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.testing.factory import TARGET, lock, locked_test, node, prefix, target

from lode.building import seal as seals
from lode.definitions.target import Compiler
from lode.errors import HostError
from lode.locking.graph import Lock, LockedTest
from lode.progress import Silent
from lode.testing.results import Cause, Outcome, TestReport, TestResult
from lode.testing.run import run_tests

pytestmark = pytest.mark.integration

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"
SETUP = f"""\
PATH="{FINAL}/bin:$PATH"
GREETING_DATA="{FINAL}/share"
export PATH GREETING_DATA
"""
HEADER = "int answer(void);\n"
LIBRARY = '#include "answer.h"\nint answer(void) { return 42; }\n'


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prefix laid down for FINAL: `bin/greet`, `include/answer.h`, `lib/libanswer.so`, `setup.sh`."""
    root = tmp_path_factory.mktemp("prefix")
    for folder in ("bin", "include", "lib", "share", ".lode/tests"):
        (root / folder).mkdir(parents=True)
    (root / "setup.sh").write_text(SETUP)
    (root / "bin/greet").write_text('#!/bin/sh\necho "hello from $0"\n')
    (root / "bin/greet").chmod(0o755)
    (root / "bin/python3").symlink_to("/usr/bin/python3")
    (root / "include/answer.h").write_text(HEADER)
    (root / "answer.c").write_text(LIBRARY)
    command = [
        "gcc",
        "-shared",
        "-fPIC",
        f"-I{root}/include",
        str(root / "answer.c"),
        "-o",
        str(root / "lib/libanswer.so"),
    ]
    subprocess.run(command, check=True)
    (root / "answer.c").unlink()
    return root


def run(
    tree: Path,
    *tests: LockedTest,
    files: Mapping[str, str] | None = None,
    seal: seals.Seal | None = None,
    jobs: int = 2,
    build_host: bool = True,
    compiler: Compiler | None = None,
    final_path: str = FINAL,
) -> TestReport:
    """Return the report of a stack of one package, `answer`, with `tests`, whose files are laid into the prefix."""
    for name, content in (files or {}).items():
        path = tree / ".lode/tests/answer" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return run_tests(
        prefix(tree, final_path=final_path),
        stack(*tests, compiler=compiler),
        seal=seal or seals.best(),
        progress=Silent(),
        jobs=jobs,
        build_host=build_host,
    )


def stack(*tests: LockedTest, compiler: Compiler | None = None) -> Lock:
    return lock(node("answer", tests=tests), node("python"), targets=(target(compiler=compiler),))


def only(report: TestReport) -> TestResult:
    (result,) = report.results
    return result


def test_run_test_sees_the_prefix_at_its_final_path_activated(tree: Path) -> None:
    result = only(
        run(
            tree,
            locked_test(
                "greets", run='greet; echo "$GREETING_DATA"; test "$PREFIX/bin/greet" -ef "$(command -v greet)"'
            ),
        )
    )
    assert (result.outcome, result.output) == (Outcome.PASSED, f"hello from {FINAL}/bin/greet\n{FINAL}/share\n")


def test_environment_of_the_caller_does_not_reach_a_test(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    monkeypatch.setenv("SECRET", "s")
    result = only(run(tree, locked_test("environment", run="env | sed 's/=.*//' | sort | tr '\\n' ' '")))
    assert result.output.split() == [
        "GREETING_DATA", "HOME", "LC_ALL", "LODE_NUMBERS", "OMP_NUM_THREADS", "PATH", "PREFIX", "PWD",
        "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONNOUSERSITE", "TMPDIR", "TZ",
    ]  # fmt: skip


def test_prefix_is_read_only_for_a_test_and_its_own_folder_is_not(tree: Path) -> None:
    before = sorted(tree.rglob("*"))
    result = only(
        run(
            tree,
            locked_test("writes", run='echo x > file; echo x > "$HOME/x"; echo x > "$TMPDIR/x"; ! touch "$PREFIX/x"'),
        )
    )
    assert result.outcome is Outcome.PASSED
    assert sorted(tree.rglob("*")) == before


def test_test_reaches_loopback_and_nothing_else(tree: Path) -> None:
    text = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
assert [name for _, name in socket.if_nameindex()] == ["lo"]
try:
    socket.create_connection(("192.0.2.1", 80), timeout=5)
except OSError as error:
    print(error.strerror)
"""
    result = only(run(tree, locked_test("network", python=text)))
    assert (result.outcome, result.output) == (Outcome.PASSED, "Network is unreachable\n")


def test_compiled_test_finds_headers_and_libraries_of_the_prefix(tree: Path) -> None:
    source = '#include <stdio.h>\n#include <answer.h>\nint main(void) { return !printf("%d %s\\n", answer(), WORD); }\n'
    files = {"tests/main.c": source}
    flags = ('-DWORD="$PREFIX"',)
    test = locked_test("links", compile="tests/main.c", libraries=("answer",), flags=flags, files=files)
    result = only(run(tree, test, files=files))
    assert (result.outcome, result.output) == (Outcome.PASSED, f"42 {FINAL}\n")


def test_cxx_test_is_compiled_as_cxx(tree: Path) -> None:
    source = "#include <iostream>\nint main() { std::cout << 1 << std::endl; }\n"
    result = only(run(tree, locked_test("cxx", compile="a.cpp", files={"a.cpp": source}), files={"a.cpp": source}))
    assert (result.outcome, result.output) == (Outcome.PASSED, "1\n")


def test_test_that_does_not_compile_says_the_first_error(tree: Path) -> None:
    source = "int main(void) { return undeclared; }\n"
    result = only(run(tree, locked_test("bad", compile="bad.c", files={"bad.c": source}), files={"bad.c": source}))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.COMPILE)
    assert result.message == (
        "bad.c does not compile and link: bad.c:1:25: error: ‘undeclared’ undeclared (first use in this function)"
    )


def test_missing_compiler_fails_on_a_build_host_and_is_skipped_elsewhere(tree: Path) -> None:
    source = "int main(void) { return 0; }\n"
    test = locked_test("compiles", compile="a.c", files={"a.c": source})
    compiler = Compiler(name="gcc", version="99.1.0", c="/opt/gcc-99/bin/gcc")
    message = "needs /opt/gcc-99/bin/gcc, which is not on this machine"
    for build_host, outcome in ((True, Outcome.FAILED), (False, Outcome.SKIPPED)):
        result = only(run(tree, test, files={"a.c": source}, compiler=compiler, build_host=build_host))
        assert (result.outcome, result.cause, result.message) == (outcome, Cause.NEEDS, message)


def test_python_file_runs_beside_its_further_files(tree: Path) -> None:
    files = {"tests/check.py": "print(open('tests/input.txt').read(), end='')\n", "tests/input.txt": "read\n"}
    result = only(run(tree, locked_test("file", python="tests/check.py", files=files), files=files))
    assert (result.outcome, result.output) == (Outcome.PASSED, "read\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo out; echo err >&2; exit 3", "ended with status 3"),
        ("kill -SEGV $$", "ended by SIGSEGV (status 139)"),
        ('echo "$UNSET"', "ended with status 2"),
        ("false; true", "ended with status 1"),
    ],
)
def test_failing_test_says_how_it_ended(tree: Path, text: str, message: str) -> None:
    result = only(run(tree, locked_test("fails", run=text)))
    assert (result.outcome, result.cause, result.message) == (Outcome.FAILED, Cause.EXIT, message)
    if "out" in text:
        assert result.output == "out\nerr\n"


def test_endless_test_is_stopped_with_all_that_it_started(tree: Path) -> None:
    begun = time.monotonic()
    text = "setsid sh -c 'sleep 4321; true' & sh -c 'trap \"\" TERM; while :; do sleep 4321; done' & wait"
    result = only(run(tree, locked_test("endless", run=text, timeout_s=1)))
    assert (result.cause, result.message) == (Cause.TIMEOUT, "did not end within 1 s and was stopped")
    assert time.monotonic() - begun < 10
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 4321" not in processes


def test_long_output_keeps_its_head_and_tail(tree: Path) -> None:
    result = only(run(tree, locked_test("talks", run="echo first; yes | head -c 1000000; echo last")))
    assert result.output.startswith("first\ny\n")
    assert "\n… 934475 bytes left out …\n" in result.output
    assert result.output.endswith("y\nlast\n")


def test_colours_of_the_output_are_left_out(tree: Path) -> None:
    assert only(run(tree, locked_test("colours", run=r"printf '\033[1;31mred\033[0m\n'"))).output == "red\n"


def numbered(reference: object, text: str, **changes: str) -> tuple[LockedTest, dict[str, str]]:
    files = {"references/n.json": json.dumps(reference)}
    return locked_test("numbers", run=text, numbers="references/n.json", files=files, **changes), files


def test_numbers_are_compared_with_their_references(tree: Path) -> None:
    reference = {"light": {"value": 5.2, "unit": "keV", "source": "paper"}}
    for written, outcome in ((5.21, Outcome.PASSED), (5.5, Outcome.FAILED)):
        text = f'echo \'{{"light": {written}}}\' > "$LODE_NUMBERS"'
        test, files = numbered(reference, text, tolerance="0.01")
        result = only(run(tree, test, files=files))
        assert result.outcome is outcome
        assert [(number.value, number.reference) for number in result.numbers] == [(written, 5.2)]
    assert result.message == (
        "1 of 1 numbers disagree: light is 5.5 keV, the reference is 5.2 keV: they differ by 0.0577 relative, "
        "0.01 relative is allowed"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("true", "wrote no numbers to $LODE_NUMBERS"),
        ('echo 1 > "$LODE_NUMBERS"', "what it wrote to $LODE_NUMBERS is not a JSON object"),
        ('mkdir "$LODE_NUMBERS"', "what it wrote to $LODE_NUMBERS cannot be read: Is a directory"),
        (
            'yes | head -c 2000000 > "$LODE_NUMBERS"',
            "what it wrote to $LODE_NUMBERS is larger than 1048576 bytes",
        ),
    ],
)
def test_numbers_that_cannot_be_read_fail_the_test(tree: Path, text: str, message: str) -> None:
    test, files = numbered({}, text)
    result = only(run(tree, test, files=files))
    assert (result.outcome, result.cause, result.message) == (Outcome.FAILED, Cause.NUMBERS, message)


def test_reference_file_that_is_wrong_fails_the_test(tree: Path) -> None:
    test, files = numbered({"light": 5}, "true")
    result = only(run(tree, test, files=files))
    assert (result.cause, result.message.splitlines()[0]) == (
        Cause.FILES,
        "no reference numbers: references/n.json: the reference 'light' is not an object",
    )


def test_file_that_differs_from_the_lock_fails_its_test(tree: Path) -> None:
    result = only(run(tree, locked_test("edited", run="true", files={"x": "locked"}), files={"x": "edited"}))
    assert (result.outcome, result.cause) == (Outcome.FAILED, Cause.FILES)
    assert result.message.startswith(".lode/tests/answer/x has sha256 ")


def test_file_that_is_missing_in_the_prefix_fails_its_test(tree: Path) -> None:
    result = only(run(tree, locked_test("gone", run="true", files={"nowhere/x": "y"})))
    assert result.message == (
        "the prefix lacks the test's file .lode/tests/answer/nowhere/x: No such file or directory"
    )


def test_file_outside_the_folder_is_refused(tree: Path) -> None:
    result = only(run(tree, locked_test("escapes", run="true", files={"../../x": "y"})))
    assert result.message == "its file '../../x' lies outside its folder"


def test_results_keep_the_order_of_the_lock_whatever_ends_first(tree: Path) -> None:
    tests = [locked_test(f"t{number}", run=f"sleep 0.{5 - number}") for number in range(5)]
    report = run(tree, *tests, jobs=5)
    assert [result.name for result in report.results] == ["t0", "t1", "t2", "t3", "t4"]
    assert report.passed


def test_at_most_as_many_tests_as_jobs_run_at_once(tree: Path, tmp_path: Path) -> None:
    # each waits for a neighbour; the shell's own pattern counts them, since a program would trip over one that ends
    wait = f"for _ in $(seq 100); do set -- {tmp_path}/run.*; [ $# -lt 2 ] || break; sleep 0.05; done"
    count = f"sleep 0.1; set -- {tmp_path}/run.*; echo $#"
    text = f'here=$(mktemp -d {tmp_path}/run.XXXX); {wait}; {count}; sleep 0.1; rmdir "$here"'
    report = run(tree, *[locked_test(f"t{number}", run=text) for number in range(6)], jobs=2)
    assert report.passed
    assert max(int(result.output) for result in report.results) == 2


def test_copy_of_a_prefix_elsewhere_and_read_only_is_tested_too(tree: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tree, copy, symlinks=True)
    for path in (copy, copy / "bin", copy / "lib"):
        path.chmod(0o555)
    assert run(copy, locked_test("greets", run="greet")).passed


def test_host_that_cannot_show_the_final_path_says_so(tree: Path) -> None:
    with pytest.raises(HostError) as refused:
        run(tree, locked_test("greets", run="greet"), seal=seals.Seal(kind="none", reason="no bwrap", user=False))
    assert str(refused.value).startswith(f"this host cannot show {tree} at {FINAL}: no bwrap")


def test_prefix_at_its_final_path_needs_no_seal(tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "final"
    shutil.copytree(tree, root, symlinks=True)
    (root / "setup.sh").write_text(f'PATH="{root}/bin:$PATH"\n')
    seal = seals.Seal(kind="none", reason="no bwrap", user=False)
    report = run(root, locked_test("greets", run="greet"), final_path=str(root), seal=seal)
    assert (report.passed, report.seal) == (True, "none: no bwrap")


def test_interruption_stops_the_tests_under_way(tree: Path) -> None:
    class Interrupting(Silent):
        def finish(self, task: str, outcome: str = "done") -> None:
            if task == "answer: quick":
                raise KeyboardInterrupt

    tests = stack(locked_test("quick", run="true"), locked_test("slow", run="sleep 8765"))
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tests(prefix(tree, final_path=FINAL), tests, seal=seals.best(), progress=Interrupting(), jobs=2)
    assert time.monotonic() - begun < 30
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "sleep 8765" not in processes
