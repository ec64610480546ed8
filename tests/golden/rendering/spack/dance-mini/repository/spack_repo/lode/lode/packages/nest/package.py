# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Nest(CMakePackage):
    "Noble Element Simulation Technique, light and charge yields in liquid xenon and argon"

    homepage = "https://github.com/NESTCollaboration/nest"

    tags = ["dark-matter", "neutrino", "noble-liquid", "simulation"]

    license("Apache-2.0")

    version(
        "2.4.5beta.nestpy2.1.3",
        sha256="258155894377e24c02a763e8e58319e01fbd42f12aa7a8c960084848b1a84e84",
        url="file:///nowhere/lode/nestpy-2.1.3.tar.gz",
    )

    generator("make")

    depends_on("cxx", type="build")
    depends_on("cmake@3.16:", type="build")
    depends_on("gcem@1.13:", type=("build", "link"))
    depends_on("gmake", type="build")

    patch(
        "patches/installed-gcem.patch",
        level=1,
        working_dir="lib/nest",
        when="@=2.4.5beta.nestpy2.1.3",
    )

    lode_root = {"2.4.5beta.nestpy2.1.3": "lib/nest"}
    test_requires_compiler = True

    @property
    def root_cmakelists_dir(self):
        return lode.source(self)

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DBUILD_SHARED_LIBS=ON",
            "-DBUILD_EXAMPLES=OFF",
            "-DBUILD_GARFIELD=OFF",
            "-DBUILD_ROOT=OFF",
            "-DG4=OFF",
        ]
        return args

    @run_after("install")
    def lode_finish(self):
        lode.shell(self, (
            "sed -i 's|^EXECNEST=.*|EXECNEST=execNEST|' \"$PREFIX/bin/220RnCalib\"\n"
            "rm \"$PREFIX/bin/loopNEST\"\n"
        ))

    def test_yields(self):
        "nest: yields"
        lode.test(
            self,
            compile="tests/yields.cpp",
            libraries=["NESTCore"],
            flags=["-std=c++17", "-I$PREFIX/include/NEST", "-I$PREFIX/include/Detectors"],
            numbers="tests/yields.json",
            tolerance="1e-6",
        )

    def test_command(self):
        "nest: command"
        lode.test(
            self,
            run=(
                "# 100 electron recoils of 10 keV at 180 V/cm, seed 1: one line each.\n"
                "execNEST 100 beta 10 10 180 0,0,50 1 > events.txt 2> messages.txt\n"
                "test \"$(grep -c '^10\\.000000.180\\.000000' events.txt)\" -eq 100\n"
            ),
        )
