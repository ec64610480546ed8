# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Wheel(Package):
    """wheel, for tests"""

    homepage = "https://wheel.example.org"

    license("MIT")

    version(
        "1.0",
        sha256="5c0a2d19c6afce6bd8c9e054edc860aa283cc7c9bde15c96e7bd44cac598af73",
        url="https://wheel.example.org/wheel-1.0.tar.gz",
    )

    depends_on("python@:3.13", type=("build", "run"))

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        wheels = find(self.stage.source_path, "*.whl", recursive=False)
        args = []
        lode.pip_install(self, [*wheels, *args])
