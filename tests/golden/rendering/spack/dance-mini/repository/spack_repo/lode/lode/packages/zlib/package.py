# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Zlib(Package):
    "Lossless data compression, the deflate format"

    homepage = "https://zlib.net"

    tags = ["base", "compression"]

    license("Zlib")

    version(
        "1.3.1",
        sha256="60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb",
        url="file:///nowhere/lode/zlib_1.3.dfsg+really1.3.1.orig.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    def install(self, spec, prefix):
        lode.shell(self, (
            "./configure --prefix=\"$PREFIX\" --libdir=\"$PREFIX/lib\"\n"
            "make -j\"$JOBS\"\n"
            "make install\n"
        ))

    @run_after("install")
    def lode_finish(self):
        lode.shell(self, "rm -f \"$PREFIX/lib/libz.a\"")

    def test_round_trip(self):
        "zlib: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.c",
            libraries=["z"],
        )
