# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Hepmc3(CMakePackage):
    "Event record of Monte Carlo generators, in memory and in files"

    homepage = "https://gitlab.cern.ch/hepmc/HepMC3"

    tags = ["event-record", "generator", "simulation"]

    license("LGPL-3.0-or-later")

    version(
        "3.3.1",
        sha256="e46d5233b0a67d377e43692e3dc2e4d94a61144d10e59955af16fd322b384286",
        url="file:///nowhere/lode/hepmc3-3.3.1.tar.gz",
    )

    variant(
        "search",
        default=True,
        description="the library that searches for particles and vertices",
    )
    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.9:", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DHEPMC3_BUILD_STATIC_LIBS=OFF",
            "-DHEPMC3_BUILD_DOCS=OFF",
            "-DHEPMC3_BUILD_EXAMPLES=OFF",
            "-DHEPMC3_INSTALL_EXAMPLES=OFF",
            "-DHEPMC3_ENABLE_TEST=OFF",
            "-DHEPMC3_ENABLE_PYTHON=OFF",
            "-DHEPMC3_ENABLE_ROOTIO=OFF",
            "-DHEPMC3_ENABLE_PROTOBUFIO=OFF",
        ]
        if self.spec.satisfies("+search"):
            args += [
                "-DHEPMC3_ENABLE_SEARCH=ON",
            ]
        if self.spec.satisfies("~search"):
            args += [
                "-DHEPMC3_ENABLE_SEARCH=OFF",
            ]
        return args

    def test_round_trip(self):
        "hepmc3: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.cpp",
            libraries=["HepMC3"],
            flags=["-std=c++17"],
        )

    def test_configuration(self):
        "hepmc3: configuration"
        lode.test(
            self,
            run="test \"$(HepMC3-config --version)\" = 3.03.01",
        )
