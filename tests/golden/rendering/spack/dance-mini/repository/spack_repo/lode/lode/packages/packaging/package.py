# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Packaging(Package):
    "Versions, requirements and tags of Python packages"

    homepage = "https://packaging.pypa.io"

    tags = ["build-tool", "python"]

    license("Apache-2.0 OR BSD-2-Clause")

    version(
        "26.3",
        sha256="94edc256424af38762eb31306eed28beb9f0efc50a8837492c9d6fd6004aed79",
        url="file:///nowhere/lode/packaging-26.3.tar.gz",
    )

    depends_on("flit-core@3.12:", type="build")
    depends_on("python@3.9:", type=("build", "run"))

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_order(self):
        "packaging: order"
        lode.test(
            self,
            python_text=(
                "from packaging.version import Version\n"
                "assert Version(\"1.10\") > Version(\"1.9\") > Version(\"1.9rc1\")\n"
            ),
        )
