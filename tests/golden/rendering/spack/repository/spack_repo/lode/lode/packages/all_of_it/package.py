# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.bundle import BundlePackage
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class AllOfIt(BundlePackage):
    """all-of-it, for tests"""

    homepage = "https://all-of-it.example.org"

    license("MIT")

    version("1.0")

    depends_on("module", type="run")
    depends_on("wheel", type="run")

    lode_root = {}
