# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class MesonPython(Package):
    "Build back-end for Python packages that Meson builds"

    homepage = "https://mesonbuild.com/meson-python"

    tags = ["build-tool", "python"]

    license("MIT")

    version(
        "0.22.1",
        sha256="52c88628b0e5671592dc2306613fb5f6f3615fd24def059b9894f143b7f9a139",
        url="file:///nowhere/lode/meson_python-0.22.1.tar.gz",
    )

    depends_on("meson@1.2.3:", type="run")
    depends_on("ninja@1.8:", type="build")
    depends_on("packaging@23.2:", type="run")
    depends_on("pyproject-metadata@0.9:", type="run")
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
        "meson-python: import"
        lode.test(
            self,
            python_text="import mesonpy",
        )
