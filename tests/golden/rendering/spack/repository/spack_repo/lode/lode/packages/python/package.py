# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Python(AutotoolsPackage):
    """python, for tests"""

    homepage = "https://python.example.org"

    license("MIT")

    version(
        "3.13.5",
        sha256="146455a8a172ee33b1aaa47df32cf51cb80132b5a16b784ee5378e1fdfc7f44a",
        url="https://python.example.org/python-3.13.5.tar.gz",
    )
    version(
        "3.11.2",
        sha256="88e4b5e4ab668b6c18d3b27ef453d060382325c6581759231a589abe20e1d81b",
        url="https://python.example.org/python-3.11.2.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("zlib", type=("build", "link"))
    depends_on("gmake", type="build")

    lode_root = {}
    build_directory = "lode-build"

    def configure_args(self):
        args = [f"--libdir={self.prefix.lib}"]
        return args
