# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.packages.meson.package import Meson as Builtin
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Meson(Builtin):
    """meson as the OS brings it"""


lode.external(Meson)
