# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class FlitCore(Package):
    "Build back-end for pure Python packages that needs nothing but itself"

    homepage = "https://flit.pypa.io"

    tags = ["build-tool", "python"]

    license("BSD-3-Clause")

    version(
        "4.2.0",
        sha256="84e4e4d8fdd45ba2613800a3ebc6834de26d47ec9746efc3719f94181137b460",
        url="file:///nowhere/lode/flit_core-4.2.0.tar.gz",
    )

    depends_on("python@3.8:", type=("build", "run"))

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
        "flit-core: import"
        lode.test(
            self,
            python_text="import flit_core.buildapi",
        )
