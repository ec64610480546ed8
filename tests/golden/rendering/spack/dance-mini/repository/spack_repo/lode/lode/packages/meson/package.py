# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Meson(Package):
    "Build system that writes Ninja files"

    homepage = "https://mesonbuild.com"

    tags = ["build-tool"]

    license("Apache-2.0")

    version(
        "1.12.1",
        sha256="ab0a6ca09f8ef70c564c8241fb5a23957886a0b53fb58412b5e07eaf07dba743",
        url="file:///nowhere/lode/meson-1.12.1.tar.gz",
    )

    depends_on("python@3.7:", type=("build", "run"))
    depends_on("setuptools@42:", type="build")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_command(self):
        "meson: command"
        lode.test(
            self,
            run="test \"$(meson --version)\" = 1.12.1",
        )
