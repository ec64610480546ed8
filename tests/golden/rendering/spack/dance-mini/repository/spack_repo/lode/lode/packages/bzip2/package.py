# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Bzip2(Package):
    "Lossless data compression by block sorting"

    homepage = "https://sourceware.org/bzip2"

    tags = ["base", "compression"]

    license("bzip2-1.0.6")

    version(
        "1.0.8",
        sha256="ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
        url="https://sourceware.org/pub/bzip2/bzip2-1.0.8.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True

    def install(self, spec, prefix):
        lode.shell(self, (
            "make -j\"$JOBS\" -f Makefile-libbz2_so CC=\"$CC\" CFLAGS=\"$CFLAGS -fPIC -D_FILE_OFFSET_BITS=64 $LDFLAGS\"\n"
            "make -j\"$JOBS\" bzip2recover CC=\"$CC\" CFLAGS=\"$CFLAGS -D_FILE_OFFSET_BITS=64\" LDFLAGS=\"$LDFLAGS\"\n"
            "mkdir -p \"$PREFIX/bin\" \"$PREFIX/include\" \"$PREFIX/lib/pkgconfig\" \"$PREFIX/share/man/man1\"\n"
            "cp bzlib.h \"$PREFIX/include/\"\n"
            "cp libbz2.so.1.0.8 \"$PREFIX/lib/\"\n"
            "ln -s libbz2.so.1.0.8 \"$PREFIX/lib/libbz2.so.1.0\"\n"
            "ln -s libbz2.so.1.0.8 \"$PREFIX/lib/libbz2.so\"\n"
            "cp bzip2-shared \"$PREFIX/bin/bzip2\"\n"
            "cp bzip2recover \"$PREFIX/bin/\"\n"
            "ln -s bzip2 \"$PREFIX/bin/bunzip2\"\n"
            "ln -s bzip2 \"$PREFIX/bin/bzcat\"\n"
            "cp bzip2.1 \"$PREFIX/share/man/man1/\"\n"
        ))

    def test_round_trip(self):
        "bzip2: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.c",
            libraries=["bz2"],
        )

    def test_command(self):
        "bzip2: command"
        lode.test(
            self,
            run=(
                "head -c 100000 /dev/zero | bzip2 -9 > packed\n"
                "test \"$(wc -c < packed)\" -lt 100\n"
                "test \"$(bzip2 -d < packed | wc -c)\" -eq 100000\n"
            ),
        )
