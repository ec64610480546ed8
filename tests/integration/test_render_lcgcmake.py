"""CMake runs the rendered packages with macros that keep LCGCMake's contract, and builds a small chain of them.

The macros are written here from what LCGCMake's do with their arguments (cmake/modules/lcgsoft-macros.cmake and
cmake/toolchain/heptools-common.cmake of its repository): they are macros, so that arguments are looked at twice; they
skip packages without a version, refuse dependencies that are not defined yet, split names at a dash, replace `<name>`
by variables and refuse what is none, look for IF … THEN … ENDIF, and end in ExternalProject_Add.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.integration.chain import SAYS, chain
from tests.rendering.shipped import references, shipped

from lode import tree
from lode.rendering import agreement
from lode.rendering.lcgcmake import render
from lode.rendering.lcgcmake.words import here

pytestmark = pytest.mark.integration

HEPTOOLS = """\
macro(LCG_external_package name version)
  set(${name}_native_version ${version})
  if(${ARGC} GREATER 2)
    set(${name}_directory_name ${ARGV2})
  else()
    set(${name}_directory_name ${name})
  endif()
  list(APPEND LCG_externals ${name})
endmacro()
macro(LCG_AA_project name version)
  LCG_external_package(${name} ${version} ${ARGN})
endmacro()
"""
MACROS = r"""
include(ExternalProject)
function(LCG_expand_version_patterns version outvar input)
  string(REPLACE <VERSION> ${version} result "${input}")
  set(known SOURCE_DIR INSTALL_DIR VOID)
  foreach(iter 1 2 3)
    string(REGEX MATCHALL "[^$]<[^ <>(){}]+>" vars "${result}")
    foreach(var ${vars})
      string(SUBSTRING ${var} 1 -1 var)
      string(REGEX REPLACE "[<>]" "" v ${var})
      list(FIND known ${v} index)
      if(DEFINED ${v})
        string(REPLACE ${var} ${${v}} result "${result}")
      elseif(iter EQUAL 3 AND index EQUAL -1)
        message(FATAL_ERROR "Could not resolve variable '<${v}>' in LCGPackage_Add")
      endif()
    endforeach()
  endforeach()
  set(${outvar} "${result}" PARENT_SCOPE)
endfunction()
macro(LCGPackage_Add name)
  if(DEFINED ${name}_native_version)
    add_custom_target(${name} ALL)
    foreach(version ${${name}_native_version})
      LCG_expand_version_patterns(${version} ARGUMENTS "${ARGN}")
      if("${ARGUMENTS}" MATCHES "(^|;)(IF|THEN|ELSE|ENDIF)(;|$)")
        message(FATAL_ERROR "a condition in the arguments of ${name}")
      endif()
      cmake_parse_arguments(ARG "" "DEST_NAME;BUNDLE_PACKAGE;BINARY_PACKAGE" "DEPENDS;TEST_COMMAND" "${ARGUMENTS}")
      string(REPLACE <VOID> "" ARGUMENTS "${ARG_UNPARSED_ARGUMENTS}")
      set(targetname ${name}-${version})
      set(depends)
      foreach(dep ${ARG_DEPENDS})
        if(dep MATCHES "([^-]+)-(.+)")
          message(FATAL_ERROR "${name} depends on a version of ${CMAKE_MATCH_1}")
        endif()
        if(NOT TARGET ${dep} AND NOT DEFINED ${dep}_home)
          message(FATAL_ERROR "${name} depends on ${dep}, which is not defined yet")
        endif()
        list(APPEND depends ${dep}-${${dep}_native_version})
      endforeach()
      set(${name}_home ${CMAKE_INSTALL_PREFIX}/${${name}_directory_name}/${version}/system)
      string(REPLACE <INSTALL_DIR> ${${name}_home} ARGUMENTS "${ARGUMENTS}")
      file(APPEND ${CMAKE_BINARY_DIR}/recorded.txt "item ${name} ${version}\n")
      foreach(dep ${ARG_DEPENDS})
        file(APPEND ${CMAKE_BINARY_DIR}/recorded.txt "need ${name} ${dep}\n")
      endforeach()
      if("${ARGUMENTS}" MATCHES "URL_HASH;SHA256=([0-9a-f]+)")
        file(APPEND ${CMAKE_BINARY_DIR}/recorded.txt "sum ${name} ${CMAKE_MATCH_1}\n")
      endif()
      ExternalProject_Add(${targetname} PREFIX ${targetname} SOURCE_DIR ${targetname}/src/${name}/${version}
        "${ARGUMENTS}" TEST_COMMAND "" LOG_CONFIGURE 1 LOG_BUILD 1 LOG_INSTALL 1)
      if(depends)
        add_dependencies(${targetname} ${depends})
      endif()
      add_dependencies(${name} ${targetname})
    endforeach()
    get_filename_component(group ${CMAKE_CURRENT_SOURCE_DIR} NAME)
    if(NOT TARGET ${group})
      add_custom_target(${group})
    endif()
    add_dependencies(${group} ${name})
  endif()
endmacro()
"""


def configured(out: Path, name: str, work: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Configure a checkout of LCGCMake to which the README's steps added the packages of a target."""
    cmake = shutil.which("cmake") or pytest.skip("there is no cmake: install the Debian package cmake")
    checkout = work / "lcgcmake"
    (checkout / "cmake/toolchain").mkdir(parents=True)
    (checkout / "cmake/toolchain/heptools-common.cmake").write_text(HEPTOOLS)
    (versions,) = (out / name).glob("heptools-*.cmake")
    shutil.copy(versions, checkout / "cmake/toolchain")
    shutil.copytree(out / name / "Lode", checkout / "Lode")
    (checkout / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(LCGSoft C)\n"
        f"include(cmake/toolchain/{versions.name})\n{MACROS}\nadd_subdirectory(Lode)\n"
    )
    return subprocess.run(
        [cmake, "-S", checkout, "-B", work / "made", f"-DCMAKE_INSTALL_PREFIX={work}/installed", *more],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("reference", references())
def test_the_macros_are_told_what_the_lock_says(reference: str, tmp_path: Path) -> None:
    lock, recipes, file = shipped(reference)
    tree.write(render(lock, recipes=recipes, file=file).tree, tmp_path / "out")
    for name in [one.definition.name for one in lock.targets]:
        ran = configured(tmp_path / "out", name, tmp_path / name, "-DLODE_MIRROR=file:///nowhere")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        lines = [line.split() for line in (tmp_path / name / "made/recorded.txt").read_text().splitlines()]
        whole = agreement.of_lock(lock, targets=(name,))
        said = {kind: {tuple(line[1:]) for line in lines if line[0] == kind} for kind in ("item", "need", "sum")}
        assert {(here(one), version) for one, version in said["item"]} == {
            (one.package, one.version) for one in whole.items
        }
        assert {(here(one), here(other)) for one, other in said["need"]} == {
            (one.package, one.needs) for one in whole.needs
        }
        sums = {(here(one), sha256) for one, sha256 in said["sum"]}
        assert sums <= {(one.package, sha256) for one in whole.items for sha256 in one.sources}


def test_a_chain_is_built_from_a_mirror(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("gcc", "cmake", "make", "patch"))):
        pytest.skip("a compiler, cmake, make and patch are needed")
    world, lock, file = chain(tmp_path / "mirror")
    tree.write(render(lock, recipes=world.recipes, file=file).tree, tmp_path / "out")
    ran = configured(tmp_path / "out", "debian12-x86_64", tmp_path, f"-DLODE_MIRROR={tmp_path}/mirror")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    built = subprocess.run(
        ["cmake", "--build", tmp_path / "made"], capture_output=True, text=True, timeout=300, check=False
    )
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-2000:]
    program = tmp_path / "installed/app/1.0/system/bin/app"
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == f"{SAYS}\n"


def test_a_source_with_other_bytes_is_refused(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("gcc", "cmake", "make"))):
        pytest.skip("a compiler, cmake and make are needed")
    world, lock, file = chain(tmp_path / "mirror")
    tree.write(render(lock, recipes=world.recipes, file=file).tree, tmp_path / "out")
    (deep,) = [node.sources[0].sha256 for node in lock.nodes if node.package == "deep"]
    (tmp_path / f"mirror/_source-cache/archive/{deep[:2]}/{deep}.tar.gz").write_bytes(b"other")
    laid_out = subprocess.run(
        ["cmake", f"-DLODE_MIRROR={tmp_path}/mirror", f"-DSOURCE_DIR={tmp_path}/source", "-P",
         tmp_path / "out/debian12-x86_64/Lode/deep/sources.cmake"],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9"}, timeout=300, check=False,
    )  # fmt: skip
    assert laid_out.returncode != 0
    said = " ".join(laid_out.stderr.split())
    assert f"no source with the sha256 {deep}; set LODE_MIRROR to the address of a mirror:" in said
    assert f"{deep}.tar.gz has the sha256 d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa" in said
