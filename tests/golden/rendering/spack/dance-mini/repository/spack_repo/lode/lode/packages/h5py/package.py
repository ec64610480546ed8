# Rendered by lode (form 1) from the lock of dance-mini@2026.11.
# Lock: sha256:f543855a3238d2a2ffe8932b27f63711e1e18dcea487c9671b5a0698abc9c7a6
# Change the stack or the recipes and render again; what is written here is lost then.

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.lode.lode.build_systems import lode

from spack.package import *


class H5py(Package):
    "HDF5 for Python"

    homepage = "https://www.h5py.org"

    tags = ["analysis", "io", "python"]

    license("BSD-3-Clause")

    version(
        "3.16.0",
        sha256="a0dbaad796840ccaa67a4c144a0d0c8080073c34c76d5a6941d6818678ef2738",
        url="file:///nowhere/lode/h5py-3.16.0.tar.gz",
    )

    depends_on("c", type="build")
    depends_on("cython@3", type="build")
    depends_on("hdf5@1.10.7: +hl", type=("build", "link"))
    depends_on("numpy@1.25:2", type=("build", "link"))
    depends_on("packaging@23:", type="build")
    depends_on("python@3.10:", type=("build", "link", "run"))
    depends_on("setuptools@77.0.1:", type="build")

    lode_root = {}
    sanity_check_is_dir = ["lib"]

    def setup_build_environment(self, env):
        host = lode.dependencies(self)
        env.set("CFLAGS", lode.expand(self, "$CFLAGS -O1", PREFIX=host))
        env.set("H5PY_DIRECT_VFD", lode.expand(self, "0", PREFIX=host))
        env.set("H5PY_ROS3", lode.expand(self, "0", PREFIX=host))
        env.set("HDF5_DIR", lode.expand(self, "$PREFIX", PREFIX=host))
        env.set("HDF5_MPI", lode.expand(self, "OFF", PREFIX=host))

    def setup_run_environment(self, env):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    def setup_dependent_build_environment(self, env, dependent_spec):
        env.prepend_path("PYTHONPATH", lode.site_packages(self))

    @run_before("install")
    def lode_prepare(self):
        lode.shell(self, "printf '[build_ext]\\nparallel = %s\\n' \"$JOBS\" >>setup.cfg\n")

    def install(self, spec, prefix):
        args = []
        lode.pip_build(self, args)

    def test_round_trip(self):
        "h5py: round-trip"
        lode.test(
            self,
            python_file="tests/round_trip.py",
        )
