from __future__ import annotations

import json
import threading
from pathlib import Path

from tests.building.factory import TARGET, graph, node
from tests.golden.check import HERE, same_as_golden

from lode.building import failure
from lode.building.artifact import Order
from lode.building.failure import Cause, Diagnosis
from lode.errors import BuildError


def test_real_logs_are_diagnosed_as_ever() -> None:
    found = {}
    for path in sorted((HERE / "building" / "logs").glob("*.log")):
        with path.open(encoding="utf-8") as log:
            diagnosis = failure.diagnose(log)
        found[path.name] = {"cause": diagnosis.cause, "number": diagnosis.number, "line": diagnosis.line}
    same_as_golden("building/diagnoses.json", f"{json.dumps(found, indent=1, ensure_ascii=False)}\n".encode())


def test_an_empty_log_is_said_to_be_empty() -> None:
    assert failure.diagnose([]) == Diagnosis(cause=Cause.OTHER, line="the log is empty", number=0)


def test_a_killed_build_without_a_word_lacked_memory() -> None:
    assert failure.diagnose(["==> compiling", "cc a.c"], killed=True) == Diagnosis(
        cause=Cause.MEMORY, line="the build was killed", number=0
    )


def test_a_full_disk_counts_before_an_earlier_error() -> None:
    log = ["a.c:1:1: error: something", "write error: No space left on device"]
    assert failure.diagnose(log).cause is Cause.DISK


def test_the_message_names_package_error_cause_log_and_the_command_that_repeats_it(tmp_path: Path) -> None:
    nodes = graph(node("nest", version="2.4.0"))
    order = Order(
        node=nodes["nest"],
        target=TARGET,
        nodes=nodes,
        dependencies=(),
        workspace=tmp_path,
        log=Path("/cache/logs/nest.log"),
        jobs=1,
        on_line=print,
        cancel=threading.Event(),
        again="lode build dance --only nest --keep-work",
    )
    diagnosis = failure.diagnose(["", "x.cpp:3:10: fatal error: gcem.hpp: No such file or directory"])
    assert str(BuildError.of([failure.fault(order, diagnosis)])) == (
        "nest 2.4.0 did not build on debian12-x86_64: x.cpp:3:10: fatal error: gcem.hpp: No such file or directory\n"
        "  hint: a header is missing: add the package that brings it to `dependencies: link` (header)\n"
        "  log: /cache/logs/nest.log:2\n"
        "  again: lode build dance --only nest --keep-work"
    )
