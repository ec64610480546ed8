# Rendered by lode (form 1) from the lock of x@2026.11.
# Lock: sha256:68f290b5345089de5e514f872f9344a9e922b2f7148f9b5e0eef861d578c6952
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Module(Package):
    """module, for tests"""

    homepage = "https://module.example.org"

    license("MIT")

    version(
        "2.0",
        sha256="e7d97b94ba2a6202d7199c977d491f7b9a9940c5d06605f0391cc83d431106a4",
        url="https://module.example.org/module-2.0.tar.gz",
    )

    depends_on("nest@2.4", type=("build", "link"))
    depends_on("python@3.11:", type=("build", "link", "run"))
    depends_on("backend", type="build")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_build_environment(self, env):
        host = lode.dependencies(self)
        env.set("NEST_ROOT", lode.expand(self, "$PREFIX", PREFIX=host))

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        args += [
            lode.expand(self, "-Cj=$JOBS"),
        ]
        lode.pip_build(self, args)

    def test_import(self):
        """module: import"""
        lode.test(
            self,
            python_text="import module",
        )
