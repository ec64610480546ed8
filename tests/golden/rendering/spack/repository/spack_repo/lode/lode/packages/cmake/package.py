# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.autotools import AutotoolsPackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Cmake(AutotoolsPackage):
    """cmake, for tests"""

    homepage = "https://cmake.example.org"

    license("MIT")

    version(
        "3.31.0",
        sha256="d0aff42c0366761161bf690d61a691b29730c4fdc2f5793b74cd626a987ef1aa",
        url="https://cmake.example.org/cmake-3.31.0.tar.gz",
    )

    lode_root = {}
    build_directory = "lode-build"

    def configure_args(self):
        args = [f"--libdir={self.prefix.lib}"]
        return args

    def setup_dependent_package(self, module, dependent_spec):
        lode.programs(self, module)
