# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Zstd(CMakePackage):
    "Fast lossless compression with ratios of deflate and better"

    homepage = "https://facebook.github.io/zstd"

    tags = ["base", "compression", "daq"]

    license("BSD-3-Clause OR GPL-2.0-only")

    version(
        "1.5.7",
        sha256="0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5",
        url="file:///nowhere/lode/libzstd_1.5.7+dfsg.orig.tar.xz",
    )

    variant("programs", default=False, description="the command zstd and its companions")
    generator("make")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.10:", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    @property
    def root_cmakelists_dir(self):
        return lode.source(self, "build/cmake")

    def cmake_args(self):
        args = [*lode.CMAKE]
        args += [
            "-DZSTD_BUILD_STATIC=OFF",
            "-DZSTD_BUILD_TESTS=OFF",
            "-DZSTD_BUILD_CONTRIB=OFF",
            "-DZSTD_LEGACY_SUPPORT=OFF",
            "-DZSTD_PROGRAMS_LINK_SHARED=ON",
            "-DZSTD_ZLIB_SUPPORT=OFF",
            "-DZSTD_LZMA_SUPPORT=OFF",
            "-DZSTD_LZ4_SUPPORT=OFF",
        ]
        if self.spec.satisfies("+programs"):
            args += [
                "-DZSTD_BUILD_PROGRAMS=ON",
            ]
        if self.spec.satisfies("~programs"):
            args += [
                "-DZSTD_BUILD_PROGRAMS=OFF",
            ]
        return args

    def test_round_trip(self):
        "zstd: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.c",
            libraries=["zstd"],
        )

    def test_command(self):
        "zstd: command"
        if not (self.spec.satisfies("+programs")):
            raise SkipTest("only when +programs")
        lode.test(
            self,
            run="printf 'waveform' | zstd -q -c | zstd -q -d -c | grep -qx waveform\n",
        )
