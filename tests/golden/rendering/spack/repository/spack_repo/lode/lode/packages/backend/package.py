# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Backend(Package):
    """backend, for tests"""

    homepage = "https://backend.example.org"

    license("MIT")

    version(
        "1.0",
        sha256="a23b712f065c2676c7fd094e9a6e9f762d37e5e58ca239f55f59fe0ffecf82ae",
        url="https://backend.example.org/backend-1.0.tar.gz",
    )

    depends_on("python", type=("build", "run"))

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)
