# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Pyzmq(Package):
    "ZeroMQ for Python"

    homepage = "https://pyzmq.readthedocs.io"

    tags = ["daq", "messaging", "python"]

    license("BSD-3-Clause")

    version(
        "27.3.0",
        sha256="bbedb3d1d99babc625f1dd9d7438acefd442b36b75073fd6bc1ef7c0a4b96d56",
        url="file:///nowhere/lode/pyzmq-27.3.0.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("cmake@3.15:", type="build")
    depends_on("cython@3:", type="build")
    depends_on("libzmq@4.1:", type=("build", "link"))
    depends_on("ninja", type="build")
    depends_on("packaging", type="build")
    depends_on("python@3.9:", type=("build", "link", "run"))
    depends_on("scikit-build-core@0.10:", type="build")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_build_environment(self, env):
        host = lode.dependencies(self)
        env.set("ZMQ_PREFIX", lode.expand(self, "$PREFIX", PREFIX=host))

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_push_pull(self):
        "pyzmq: push-pull"
        lode.test(
            self,
            python_file="tests/push_pull.py",
        )
