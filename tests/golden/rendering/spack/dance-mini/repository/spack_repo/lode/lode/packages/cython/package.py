# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Cython(Package):
    "Compiles Python with C types to C extensions"

    homepage = "https://cython.org"

    tags = ["build-tool", "language", "python"]

    license("Apache-2.0")

    version(
        "3.3.1",
        sha256="e0e45989e821bef6aa9ae15c7d583ab5e055f7406c4b3624e49e06d24e90375a",
        url="file:///nowhere/lode/cython-3.3.1.tar.gz",
    )

    depends_on("python@3.8:", type=("build", "run"))
    depends_on("setuptools@40.8:", type="build")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_build_environment(self, env):
        env.set("NO_CYTHON_COMPILE", lode.expand(self, "true"))

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_translate(self):
        "cython: translate"
        lode.test(
            self,
            python_text=(
                "import pathlib\n"
                "from Cython.Compiler.Main import compile\n"
                "pathlib.Path(\"half.pyx\").write_text(\"cpdef double half(double x):\\n    return x / 2\\n\")\n"
                "assert compile(\"half.pyx\").num_errors == 0 and \"half\" in pathlib.Path(\"half.c\").read_text()\n"
            ),
        )
