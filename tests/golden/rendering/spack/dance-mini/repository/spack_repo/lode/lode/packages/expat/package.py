# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Expat(CMakePackage):
    "XML parser in C that reads a stream"

    homepage = "https://libexpat.github.io"

    tags = ["base", "xml"]

    license("MIT")

    version(
        "2.8.3",
        sha256="533659a16e0184035a99fd8e783f1ad61a887a7bf8586a8681740b9d7ed42389",
        url="file:///nowhere/lode/expat_2.8.3.orig.tar.gz",
    )

    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.17:", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    @property
    def root_cmakelists_dir(self):
        return lode.source(self, "expat")

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DEXPAT_SHARED_LIBS=ON",
            "-DEXPAT_BUILD_DOCS=OFF",
            "-DEXPAT_BUILD_EXAMPLES=OFF",
            "-DEXPAT_BUILD_FUZZERS=OFF",
            "-DEXPAT_BUILD_TESTS=OFF",
            "-DEXPAT_BUILD_TOOLS=OFF",
            "-DEXPAT_WITH_LIBBSD=OFF",
        ]
        return args

    def test_parse(self):
        "expat: parse"
        lode.test(
            self,
            compile="tests/parse.c",
            libraries=["expat"],
        )
