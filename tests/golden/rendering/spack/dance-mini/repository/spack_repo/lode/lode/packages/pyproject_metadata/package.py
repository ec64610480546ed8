# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class PyprojectMetadata(Package):
    "Reads the metadata of Python projects as PEP 621 has it"

    homepage = "https://pep621.readthedocs.io"

    tags = ["build-tool", "python"]

    license("MIT")

    version(
        "0.12.1",
        sha256="8809a4df6fe08279b39a8890669506ed3158e0617855ac9aff098fcbe772ae4c",
        url="file:///nowhere/lode/pyproject_metadata-0.12.1.tar.gz",
    )

    depends_on("flit-core@3.11:", type="build")
    depends_on("packaging@23.2:", type="run")
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
        "pyproject-metadata: import"
        lode.test(
            self,
            python_text="import pyproject_metadata",
        )
