# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Gcem(CMakePackage):
    "Compile-time mathematics in C++, generalized constant expressions"

    homepage = "https://github.com/kthohr/gcem"

    tags = ["header-only", "mathematics"]

    license("Apache-2.0")

    version(
        "1.14.1",
        sha256="258155894377e24c02a763e8e58319e01fbd42f12aa7a8c960084848b1a84e84",
        url="file:///nowhere/lode/nestpy-2.1.3.tar.gz",
    )

    generator("make")

    depends_on("cxx", type="build")
    depends_on("cmake@3.16:", type="build")
    depends_on("gmake", type="build")

    lode_root = {"1.14.1": "lib/gcem"}
    test_requires_compiler = True

    @property
    def root_cmakelists_dir(self):
        return lode.source(self)

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DGCEM_BUILD_TESTS=OFF",
        ]
        return args

    def test_constants(self):
        "gcem: constants"
        lode.test(
            self,
            compile="tests/constants.cpp",
        )
