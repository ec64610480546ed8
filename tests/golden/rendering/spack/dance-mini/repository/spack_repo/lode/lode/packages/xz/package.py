# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Xz(AutotoolsPackage):
    "Lossless data compression, LZMA"

    homepage = "https://tukaani.org/xz"

    tags = ["base", "compression"]

    license("0BSD")

    version(
        "5.8.1",
        sha256="0b54f79df85912504de0b14aec7971e3f964491af1812d83447005807513cd9e",
        url="file:///nowhere/lode/xz-utils_5.8.1.orig.tar.xz",
    )

    depends_on("c", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True
    build_directory = "lode-build"

    def configure_args(self):
        args = [f"--libdir={self.prefix.lib}"]
        args += [
            "--disable-static",
            "--disable-nls",
            "--disable-doc",
            "--disable-scripts",
            "--disable-lzmadec",
            "--disable-lzmainfo",
            "--disable-xzdec",
        ]
        return args

    def test_round_trip(self):
        "xz: round-trip"
        lode.test(
            self,
            compile="tests/round_trip.c",
            libraries=["lzma"],
        )

    def test_command(self):
        "xz: command"
        lode.test(
            self,
            run=(
                "head -c 100000 /dev/zero | xz -T1 -c > packed\n"
                "test \"$(xz -dc packed | wc -c)\" -eq 100000\n"
                "xz --robot --list --verbose packed | grep -q CRC64\n"
            ),
        )
