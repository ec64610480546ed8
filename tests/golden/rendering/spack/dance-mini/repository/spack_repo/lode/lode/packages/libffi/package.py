# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Libffi(AutotoolsPackage):
    "Calls functions whose signature is known at run time only"

    homepage = "https://sourceware.org/libffi"

    tags = ["base"]

    license("MIT")

    version(
        "3.4.4",
        sha256="d66c56ad259a82cf2a9dfc408b32bf5da52371500b84745f7fb8b645712df676",
        url="https://github.com/libffi/libffi/releases/download/v3.4.4/libffi-3.4.4.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("gmake", type="build")

    lode_root = {}
    test_requires_compiler = True
    build_directory = "lode-build"

    def configure_args(self):
        args = [f"--libdir={self.prefix.lib}"]
        args += [
            "--disable-static",
            "--disable-docs",
            "--disable-multi-os-directory",
        ]
        return args

    def test_call(self):
        "libffi: call"
        lode.test(
            self,
            compile="tests/call.c",
            libraries=["ffi", "m"],
        )
