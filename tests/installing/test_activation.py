"""What activation changes: its scripts as golden files, its rules, and its effect on an environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.golden.check import same_as_golden
from tests.testing.factory import TARGET, lock, node

from lode.definitions.recipe import Environment, Kind
from lode.errors import LockError, UsageError
from lode.installing import activation
from lode.installing.select import selected
from lode.locking.graph import Lock

FINAL = f"/cvmfs/lode.example.org/mini/2026.11/{TARGET}"
NEST = Environment(
    prepend=(("NEST_SEARCH", "share/nest/"), ("ROOT_INCLUDE_PATH", "include"), ("SITE_PATH", "/etc/site")),
    set=(("NEST_DATA", "share/nest data"), ("NEST_ROOT", "")),
    value=(("NEST_MODE", 'it\'s "fast" \\ $HOME `id` !x *'),),
)


def stack() -> Lock:
    return lock(
        node("nest", environment=NEST, needs={"gcem": [Kind.BUILD], "zlib": [Kind.LINK]}),
        node("gcem", environment=Environment(value=(("GCEM", "1"),))),
        node("zlib", environment=Environment(prepend=(("ROOT_INCLUDE_PATH", "include"),))),
        node("daq", environment=Environment(value=(("DAQ", "1"),))),
        requirements=["daq", "nest >=2"],
        groups={"simulation": ("nest",)},
    )


def faults(environment: Environment, other: Environment | None = None) -> list[str]:
    locked = lock(node("bad", environment=environment), node("good", environment=other or Environment()))
    with pytest.raises(LockError) as caught:
        activation.activation(locked, TARGET, None, FINAL)
    return [fault.message for fault in caught.value.faults]


def test_scripts_are_the_golden_files() -> None:
    files = activation.scripts(stack(), TARGET, "simulation", FINAL).files
    for path, content in files.items():
        same_as_golden(f"installing/{str(path).replace('.lode/', 'lode/').replace('/.z', '/z')}", content)
    assert [str(path) for path in sorted(files)] == [
        ".lode/deactivate.csh",
        ".lode/modulefile.lua",
        ".lode/shell/bashrc",
        ".lode/shell/init.fish",
        ".lode/shell/zsh/.zshenv",
        ".lode/shell/zsh/.zshrc",
        "setup.csh",
        "setup.fish",
        "setup.sh",
    ]


def test_no_script_touches_what_loads_foreign_code() -> None:
    for content in activation.scripts(stack(), TARGET, None, FINAL).files.values():
        code = "\n".join(line for line in content.decode().splitlines() if not line.lstrip().startswith(("#", "--")))
        assert not any(name in code for name in activation.FORBIDDEN - {"HOME", "USER", "SHELL"})


def test_a_prefix_holds_what_is_asked_for_and_what_that_links_to() -> None:
    assert [node.package for node in selected(stack(), TARGET, None)] == ["daq", "zlib", "nest"]
    assert [node.package for node in selected(stack(), TARGET, "simulation")] == ["zlib", "nest"]


def test_an_unknown_group_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        selected(stack(), TARGET, "analysis")
    assert str(caught.value) == "mini@2026.11 has no group analysis\n  hint: its groups: simulation"


def test_environment_is_set_for_a_prefix_at_its_place() -> None:
    found = activation.activation(stack(), TARGET, "simulation", FINAL)
    before = {"PATH": "/usr/bin:/bin", "ROOT_INCLUDE_PATH": "/mine", "HOME": "/home/me", "NEST_DATA": "/old"}
    assert activation.activated(found, "/opt/p", before) == {
        "CMAKE_PREFIX_PATH": "/opt/p",
        "HOME": "/home/me",
        "LODE_PREFIX": "/opt/p",
        "LODE_RELEASE": "2026.11",
        "LODE_STACK": "mini",
        "LODE_TARGET": TARGET,
        "MANPATH": "/opt/p/share/man:",
        "NEST_DATA": "/opt/p/share/nest data",
        "NEST_MODE": 'it\'s "fast" \\ $HOME `id` !x *',
        "NEST_ROOT": "/opt/p",
        "NEST_SEARCH": "/opt/p/share/nest",
        "PATH": "/opt/p/bin:/usr/bin:/bin",
        "PKG_CONFIG_PATH": "/opt/p/lib/pkgconfig:/opt/p/share/pkgconfig",
        "ROOT_INCLUDE_PATH": "/opt/p/include:/mine",
        "SITE_PATH": "/etc/site",
    }


def test_a_users_own_manual_path_is_kept_as_it_is() -> None:
    found = activation.activation(stack(), TARGET, None, FINAL)
    assert activation.activated(found, "/p", {"MANPATH": "/mine"})["MANPATH"] == "/p/share/man:/mine"


@given(st.dictionaries(st.sampled_from(["PATH", "MANPATH", "NEST_DATA", "X"]), st.text(max_size=9)))
def test_activating_twice_is_activating_once(environ: dict[str, str]) -> None:
    found = activation.activation(stack(), TARGET, None, FINAL)
    once = activation.activated(found, "/p", environ)
    assert activation.activated(found, "/p", once) == once


def test_all_faults_of_environments_are_named_at_once() -> None:
    assert faults(
        Environment(
            prepend=(("BAD_LIST", "a:b"), ("LD_LIBRARY_PATH", "lib"), ("LODE_STACK", "x")),
            set=(("ESCAPE", "share/../../etc"), ("a b", "share")),
            value=(("LINES", "one\ntwo"), ("PATH", "x")),
        )
    ) == [
        "the environment of bad puts the path a:b in front of BAD_LIST, which is a list with colons between its paths",
        "the environment of bad sets LD_LIBRARY_PATH, which is not a recipe's to set",
        "the environment of bad sets LODE_STACK, which is not a recipe's to set",
        "the environment of bad gives ESCAPE the path share/../../etc, which leads out of the prefix",
        "the environment of bad names a variable 'a b', which no shell can hold",
        "the environment of bad gives LINES the value 'one\\ntwo', which has control characters",
        "bad and the list of search paths want PATH differently",
    ]


def test_two_recipes_that_want_a_variable_differently_are_both_named() -> None:
    one, two = Environment(value=(("DATA", "1"),)), Environment(set=(("DATA", "share"),))
    assert faults(one, two) == ["good and bad want DATA differently"]


def test_two_recipes_may_agree_on_a_variable() -> None:
    same = Environment(value=(("DATA", "1"),), prepend=(("SEARCH", "share"),))
    found = activation.activation(lock(node("a", environment=same), node("b", environment=same)), TARGET, None, FINAL)
    assert activation.activated(found, "/p", {})["SEARCH"] == "/p/share"
