# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Mcpl(CMakePackage):
    "Monte Carlo Particle Lists, an exchange format between simulation programs"

    homepage = "https://mctools.github.io/mcpl"

    tags = ["data-format", "neutron", "simulation"]

    license("Apache-2.0")

    version(
        "2.2.8",
        sha256="9dea5b722aee98f456690fc6b66d2cb785291ca020f3b5d9d30ec236ee45803f",
        url="file:///nowhere/lode/mcpl_core-2.2.8.tar.gz",
    )

    generator("make")

    depends_on("c", type="build")
    depends_on("cmake@3.16:", type="build")
    depends_on("gmake", type="build")
    depends_on("zlib@1.2.11:", type=("build", "link"))

    lode_root = {}
    test_requires_compiler = True

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DMCPL_ENABLE_ZLIB=USEPREINSTALLED",
            "-DMCPL_ENABLE_CORE_TESTING=OFF",
        ]
        return args

    def test_round_trip(self):
        "mcpl: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.c",
            libraries=["mcpl", "m"],
        )

    def test_command(self):
        "mcpl: command"
        lode.test(
            self,
            run=(
                "mcpltool --version | grep -q 2.2.8\n"
                "test \"$(mcpl-config --show libdir)\" = \"$PREFIX/lib\"\n"
            ),
        )
