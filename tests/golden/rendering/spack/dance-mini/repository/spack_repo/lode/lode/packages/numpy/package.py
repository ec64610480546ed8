# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class Numpy(Package):
    "Arrays and numerics for Python"

    homepage = "https://numpy.org"

    tags = ["analysis", "mathematics", "python"]

    license("BSD-3-Clause")

    version(
        "2.4.6",
        sha256="f3a3570c4a2a16746ac2c31a7c7c7b0c186b95ce902e33db6f28094ed7387dda",
        url="file:///nowhere/lode/numpy-2.4.6.tar.gz",
    )

    variant(
        "cpu-dispatch",
        default="max",
        values=("none", "max"),
        multi=False,
        description="max: kernels for newer processors beside those of the target, chosen at run time; none: the target's alone",
    )
    variant(
        "optimization",
        default="2",
        values=("1", "2"),
        multi=False,
        description="level of the compiler's optimization; 1 builds in two thirds of the time",
    )

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cython@3.0.6:", type="build")
    depends_on("meson-python@0.18:", type="build")
    depends_on("ninja", type="build")
    depends_on("python@3.11:", type=("build", "link", "run"))

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def install(self, spec, prefix):
        args = []
        args += [
            "-Csetup-args=-Dblas=none",
            "-Csetup-args=-Dlapack=none",
            "-Csetup-args=-Dallow-noblas=true",
        ]
        if self.spec.satisfies("cpu-dispatch=none"):
            args += [
                "-Csetup-args=-Dcpu-dispatch=none",
            ]
        if self.spec.satisfies("optimization=1"):
            args += [
                lode.expand(self, "-Csetup-args=-Dc_args=$CFLAGS -O1"),
                lode.expand(self, "-Csetup-args=-Dcpp_args=$CXXFLAGS -O1"),
            ]
        args += [
            lode.expand(self, "-Ccompile-args=-j$JOBS"),
        ]
        lode.pip_build(self, args)

    def test_numerics(self):
        "numpy: numerics"
        lode.test(
            self,
            python_file="tests/numerics.py",
        )

    def test_no_host_blas(self):
        "numpy: no-host-blas"
        lode.test(
            self,
            run="! find $PREFIX/lib/python3*/site-packages/numpy -name '*.so' -exec ldd {} + | grep -E 'blas|lapack|gfortran'",
        )
