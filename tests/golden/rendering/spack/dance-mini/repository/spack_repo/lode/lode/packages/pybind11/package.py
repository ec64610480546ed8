# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Pybind11(CMakePackage):
    "C++ headers that make Python modules of C++ code"

    homepage = "https://pybind11.readthedocs.io"

    tags = ["build-tool", "header-only", "python"]

    license("BSD-3-Clause")

    version(
        "3.1.0",
        sha256="a1cc06b524ab3edca51f8ad3895f9c4fa20b8b19283173dff4ae781449dc9639",
        url="file:///nowhere/lode/pybind11-3.1.0.tar.gz",
    )

    generator("make")

    depends_on("cxx", type="build")
    depends_on("cmake@3.15:", type="build")
    depends_on("gmake", type="build")

    lode_root = {}

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DPYBIND11_TEST=OFF",
            "-DPYBIND11_NOPYTHON=ON",
        ]
        return args

    def test_found(self):
        "pybind11: found"
        lode.test(
            self,
            run="test -f \"$PREFIX/share/cmake/pybind11/pybind11Config.cmake\"",
        )
