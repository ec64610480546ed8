# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Zlib(Package):
    """zlib, for tests"""

    homepage = "https://zlib.example.org"

    license("MIT")

    version(
        "1.3.1",
        sha256="9d9408b551a33b2e2058f966782549cec997efdd3e8fc3e806ba5ee1dbab6d21",
        url="https://zlib.example.org/zlib-1.3.1.tar.gz",
    )
    version(
        "1.2.13",
        sha256="1c5129f0c5d4a77d9f71042e2a45e0e623fa13c7fa772032f4b6d8a967049ad7",
        url="https://zlib.example.org/zlib-1.2.13.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("cxx", type="build")

    lode_root = {}

    def install(self, spec, prefix):
        lode.shell(self, (
            "./configure --prefix=\"$PREFIX\"\n"
            "make install\n"
        ))

    @run_after("install")
    def lode_finish(self):
        lode.shell(self, "rm -f x")
