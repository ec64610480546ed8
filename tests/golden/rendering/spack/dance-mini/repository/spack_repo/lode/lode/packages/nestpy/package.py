# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Nestpy(Package):
    "NEST, light and charge yields in liquid xenon and argon, for Python"

    homepage = "https://github.com/NESTCollaboration/nestpy"

    tags = ["noble-liquid", "python", "simulation"]

    license("GPL-3.0-only")

    version(
        "2.1.3",
        sha256="258155894377e24c02a763e8e58319e01fbd42f12aa7a8c960084848b1a84e84",
        url="file:///nowhere/lode/nestpy-2.1.3.tar.gz",
    )

    depends_on("cxx", type="build")
    depends_on("cmake@3.16:", type="build")
    depends_on("nest@=2.4.5beta.nestpy2.1.3", type=("build", "link"))
    depends_on("ninja", type="build")
    depends_on("numpy", type="run")
    depends_on("pybind11@2.10:", type="build")
    depends_on("python@3.9:", type=("build", "link", "run"))
    depends_on("scikit-build-core@0.11.6:", type="build")

    patch("patches/installed-nest.patch", level=1, when="@=2.1.3")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_build_environment(self, env):
        host = lode.dependencies(self)
        env.set("CMAKE_PREFIX_PATH", lode.expand(self, "$PREFIX", PREFIX=host))

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        args += [
            "-Ccmake.define.CMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF",
            "-Ccmake.define.CMAKE_CXX_FLAGS_RELEASE=-O1",
        ]
        lode.pip_build(self, args)

    def test_yields(self):
        "nestpy: yields"
        lode.test(
            self,
            python_file="tests/yields.py",
            numbers="tests/yields.json",
            tolerance="1e-6",
        )
