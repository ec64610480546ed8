# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Setuptools(Package):
    "Build back-end for Python packages, with C extensions or without"

    homepage = "https://setuptools.pypa.io"

    tags = ["build-tool", "python"]

    license("MIT")

    version(
        "84.2.1",
        sha256="3ff8b3b5492a0aa66960f4419365a86b84e013070d4313e4d4a6894f5d64d6bc",
        url="file:///nowhere/lode/setuptools-84.2.1.tar.gz",
    )

    depends_on("python@3.10:", type=("build", "run"))

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_import(self):
        "setuptools: import"
        lode.test(
            self,
            python_text="import setuptools.build_meta",
        )
