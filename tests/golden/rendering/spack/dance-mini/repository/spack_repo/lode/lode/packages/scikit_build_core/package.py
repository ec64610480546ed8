# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class ScikitBuildCore(Package):
    "Build back-end for Python packages that CMake builds"

    homepage = "https://scikit-build-core.readthedocs.io"

    tags = ["build-tool", "python"]

    license("Apache-2.0")

    version(
        "1.1.2",
        sha256="7893709119c5ab1be75cd10442383132c9433b9f104dacef5185949efbea7974",
        url="file:///nowhere/lode/scikit_build_core-1.1.2.tar.gz",
    )

    depends_on("flit-core@3.11:", type="build")
    depends_on("packaging@23.2:", type="run")
    depends_on("pathspec@0.12:", type="run")
    depends_on("python@3.9:", type=("build", "run"))

    patch("patches/flit-core.patch", level=1, when="@=1.1.2")

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
        "scikit-build-core: import"
        lode.test(
            self,
            python_text="import scikit_build_core.build",
        )
