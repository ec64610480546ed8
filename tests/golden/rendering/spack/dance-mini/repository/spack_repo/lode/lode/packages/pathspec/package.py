# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Pathspec(Package):
    "Matches paths against the patterns of .gitignore files"

    homepage = "https://github.com/cpburnz/python-pathspec"

    tags = ["build-tool", "python"]

    license("MPL-2.0")

    version(
        "1.1.1",
        sha256="17db5ecd524104a120e173814c90367a96a98d07c45b2e10c2f3919fff91bf5a",
        url="file:///nowhere/lode/pathspec-1.1.1.tar.gz",
    )

    depends_on("flit-core@3.2:", type="build")
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

    def test_match(self):
        "pathspec: match"
        lode.test(
            self,
            python_text=(
                "import pathspec\n"
                "spec = pathspec.PathSpec.from_lines(\"gitignore\", [\"*.o\", \"!keep.o\"])\n"
                "assert spec.match_file(\"a/b.o\") and not spec.match_file(\"keep.o\")\n"
            ),
        )
